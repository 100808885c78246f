//! `diff`: shows what a deploy would change.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use stack_model::assembly::{ContentManifest, OutputReference, StackManifest};

use super::environments::Documents;
use super::once::{self, Rendered, Source};
use super::place::{self, Place};
use super::remembered::Remembered;
use super::saved::Saved;
use super::{Session, deploy, environments, explain, prepare};
use crate::assembly::Assembly;
use crate::cli::{self, Report};
use crate::config::{Project, Stage};
use crate::engine::EventSink;
use crate::engine::plan::{
    App, Path as PropertyPath, Plan, PropertyChange, Registry, Side, StackPlan, defaults,
};
use crate::error::{EXIT_CHANGES, EXIT_FAILED, Result};
use crate::ui;

pub(super) async fn run(session: &Session, arguments: &cli::Diff) -> Result<u8> {
    let project = session.project()?;
    let (name, config, chosen) = session.environments(&project)?;
    let place = Place::of(session);
    // A stack that several environments share is compared as it is deployed: once, and with all that each takes from it.
    let rendered = if arguments.against.is_some() {
        Vec::new()
    } else {
        place::refuse_several_accounts(&place, &chosen)?;
        let stage = (name, config, chosen.as_slice());
        let stacks = &arguments.stacks;
        once::render(session, &project, stage, stacks, Source::Fresh, &place).await?
    };
    let comparison = Comparison {
        project: &project,
        name,
        arguments,
        place,
        environments: chosen.len(),
        rendered: RefCell::new(rendered),
        kept: RefCell::default(),
    };
    let code = environments::each(session, Documents::Listed, async |own| {
        Box::pin(comparison.of_one(own)).await
    })
    .await?;
    if let Some(file) = &arguments.out {
        let mut saved = Saved::new(name, &arguments.stacks.stacks);
        for (environment, plan) in comparison.kept.into_inner() {
            saved.add(&environment, &plan);
        }
        saved.write(&session.directory.join(file))?;
        session
            .ui
            .done("plan", format!("kept in {}", file.display()));
    }
    Ok(code)
}

/// A comparison in all chosen environments.
struct Comparison<'a> {
    project: &'a Project,
    name: &'a str,
    arguments: &'a cli::Diff,
    place: Place,
    /// How many environments were chosen.
    environments: usize,
    /// What was rendered and is not compared yet.
    rendered: RefCell<Vec<Rendered<'a>>>,
    /// The plans, by environment.
    kept: RefCell<Vec<(String, Plan)>>,
}

impl Comparison<'_> {
    /// Compares in one environment, and keeps the plan.
    async fn of_one(&self, session: &Session) -> Result<u8> {
        let (_, stage) = session.stage(self.project)?;
        let plan = match &self.arguments.against {
            Some(directory) => self.with_directory(session, stage, directory).await?,
            None => self.with_deployed(session, stage).await?,
        };
        if session.ui.json() {
            session.ui.document(&plan);
        } else {
            match self.arguments.format {
                Report::Text => session.ui.out(ui::plan(&plan, session.ui.verbose() > 0)),
                Report::Markdown => {
                    let environment = session.several.then(|| environments::label(stage));
                    // All environments are one comment.
                    let limit = ui::COMMENT / self.environments.max(1);
                    let text = ui::markdown(&plan, self.name, environment, limit);
                    session.ui.print(&text);
                }
            }
        }
        let changed = self.arguments.exit_code && !plan.is_empty();
        let refused = plan.stacks.iter().any(StackPlan::is_refused);
        let label = environments::label(stage).to_owned();
        self.kept.borrow_mut().push((label, plan));
        Ok(match (refused, changed) {
            (true, _) => EXIT_FAILED,
            (false, true) => EXIT_CHANGES,
            (false, false) => 0,
        })
    }

    async fn with_directory(
        &self,
        session: &Session,
        stage: &Stage,
        directory: &Path,
    ) -> Result<Plan> {
        let assembly = prepare::assembly(session, self.project, self.name, stage).await?;
        let selected = prepare::select(&assembly, &self.arguments.stacks)?;
        let directory = environments::directory(session, stage, directory);
        offline(&assembly, &selected, &directory)
    }

    async fn with_deployed(&self, session: &Session, stage: &Stage) -> Result<Plan> {
        let (project, place) = (self.project, &self.place);
        let is_here = |it: &mut Rendered<'_>| it.stage.label == stage.label;
        let found = self.rendered.borrow_mut().extract_if(.., is_here).next();
        let Some(Rendered {
            mut assembly,
            selected,
            ..
        }) = found
        else {
            return Ok(Plan { stacks: Vec::new() });
        };
        if place.is_local() {
            prepare::refuse_renames(&assembly, &selected, "the local engine")?;
        }
        prepare::adapt(session, &mut assembly, place)?;
        let remembered = Remembered::of(project, self.name, stage, place.is_local());
        if self.arguments.offline {
            return remembered.compare(&assembly, &selected);
        }
        let (context, _) = place::open(session, project, stage, place, EventSink::ignore()).await?;
        let artifacts = if self.arguments.no_build {
            BTreeMap::new()
        } else {
            prepare::functions(session, project, &assembly, &selected, place).await?
        };
        let contents = prepare::contents(project, &assembly, &selected)?;
        let plan = deploy::make_plan(
            session, &context, &assembly, &selected, &artifacts, &contents,
        )
        .await?;
        remembered.seen(&session.ui, &plan);
        if self.arguments.change_set {
            let stacks = deploy::deployments(&assembly, &selected, &contents);
            return deploy::propose(session, &context, self.name, &stacks, plan).await;
        }
        Ok(plan)
    }
}

/// Compares with an assembly in a directory. Nobody knows the keys of artifacts there, so code is taken as unchanged, and
/// so are the files of folders that fill buckets.
fn offline(assembly: &Assembly, selected: &[usize], directory: &Path) -> Result<Plan> {
    let earlier = Assembly::read(directory).map_err(|error| explain::read(&error))?;
    let stacks: Vec<_> = assembly.stacks().collect();
    let mut app = App::default();
    let mut plans = Vec::new();
    for (manifest, template) in selected.iter().filter_map(|position| stacks.get(*position)) {
        let old = earlier
            .stacks()
            .find(|(other, _)| other.name == manifest.name);
        let none = BTreeMap::new();
        let mut compared = app.compare(
            manifest,
            &assembly.manifest.contracts,
            &old.map(|(manifest, template)| side(manifest, &template.json))
                .unwrap_or_default(),
            &side(manifest, &template.json),
            &Registry,
        );
        let earlier = old.map_or(&none, |(manifest, _)| &manifest.contents);
        compared.other.extend(contents(earlier, &manifest.contents));
        plans.push(compared);
    }
    Ok(app.finish(plans))
}

/// Returns what an assembly says of a stack. What comes from other regions is known by where it comes from.
fn side<'a>(manifest: &StackManifest, template: &'a Value) -> Side<'a> {
    let mut parameters = defaults(template);
    parameters.extend(manifest.parameters.clone());
    let references = manifest.references.iter();
    parameters.extend(references.map(|(parameter, reference)| {
        let OutputReference {
            stack,
            region,
            output,
        } = reference;
        let value = format!("output {output} of {stack} in {region}");
        (parameter.clone(), value)
    }));
    Side {
        template: Some(template),
        parameters,
        tags: manifest.tags.clone(),
    }
}

/// Returns how what is said of the folders that fill buckets differs.
fn contents(
    old: &BTreeMap<String, ContentManifest>,
    new: &BTreeMap<String, ContentManifest>,
) -> Vec<PropertyChange> {
    let fields = |content: Option<&ContentManifest>| match content.map(serde_json::to_value) {
        Some(Ok(Value::Object(fields))) => fields,
        _ => serde_json::Map::new(),
    };
    let names: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    let mut changes = Vec::new();
    for name in names {
        let (before, after) = (fields(old.get(name)), fields(new.get(name)));
        let keys: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        for key in keys {
            if before.get(key) != after.get(key) {
                changes.push(PropertyChange {
                    path: PropertyPath::new("Content").key(name).key(key),
                    before: before.get(key).cloned(),
                    after: after.get(key).cloned(),
                });
            }
        }
    }
    changes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_folders_is_compared() {
        let content = |folder: &str, prefix: &str| ContentManifest {
            bucket: "Site".to_owned(),
            folder: folder.to_owned(),
            prefix: prefix.to_owned(),
            ..ContentManifest::default()
        };
        let of = |content| BTreeMap::from([("Pages".to_owned(), content)]);
        let old = of(content("site", "v1/"));
        assert_eq!(contents(&old, &old), []);
        assert_eq!(
            contents(&old, &of(content("site", "v2/"))),
            [PropertyChange {
                path: PropertyPath::new("Content").key("Pages").key("prefix"),
                before: Some("v1/".into()),
                after: Some("v2/".into()),
            }]
        );
        let added = contents(&BTreeMap::new(), &old);
        assert!(added.iter().all(|change| change.before.is_none()));
        assert!(
            added
                .iter()
                .any(|change| change.after == Some("site".into()))
        );
    }

    #[test]
    fn another_output_is_another_value() {
        let manifest = |stack: &str| -> StackManifest {
            let reference =
                serde_json::json!({"stack": stack, "region": "us-east-1", "output": "Arn"});
            serde_json::from_value(serde_json::json!({
                "name": "site-dev", "id": "site", "template": "site.json", "sha256": "",
                "references": {"CertificateArn": reference},
            }))
            .expect("reads")
        };
        let template = serde_json::json!({"Parameters": {"CertificateArn": {"Type": "String"}}});
        let value = |stack| side(&manifest(stack), &template).parameters["CertificateArn"].clone();
        assert_eq!(value("old-dev"), "output Arn of old-dev in us-east-1");
        assert_ne!(value("old-dev"), value("new-dev"));
    }
}
