//! Plans of environments: against what is deployed, or against the templates in a directory.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::Value;
use stack_graph::Template;
use stack_model::assembly::{ContentManifest, OutputReference, StackManifest};

use super::once::{self, Rendered, Source};
use super::place::{self, Place};
use super::remembered::Remembered;
use super::{Session, deploy, environments, explain, orphans, prepare, territory};
use crate::assembly::Assembly;
use crate::cli;
use crate::config::{Account, Project, Stage, StageConfig};
use crate::engine::plan::{
    App, Path as PropertyPath, Plan, PropertyChange, Registry, Side, defaults, pseudo_parameters,
};
use crate::engine::{self, Context, Orphan, StackTarget, Survey, Taken};
use crate::error::Result;
use crate::ui::{self, Activity};

/// What is compared, and with what.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own, and all of them go together"
)]
pub(super) struct With<'a> {
    /// Which stacks.
    pub(super) stacks: &'a cli::Stacks,
    /// The directory with the templates to compare with, where it is not what is deployed.
    pub(super) against: Option<&'a Path>,
    /// Whether it is compared with what was seen last, and nobody is asked.
    pub(super) offline: bool,
    /// Whether CloudFormation computes change sets too.
    pub(super) change_set: bool,
    /// Whether it is detected what was changed by hand.
    pub(super) drift: bool,
    /// Whether the functions are built, to know whether their code changes.
    pub(super) build: bool,
}

/// A plan that was made.
#[derive(Debug, Default)]
pub(super) struct Made {
    pub(super) plan: Plan,
    /// The stacks that were compared, with the templates that would be deployed.
    pub(super) wanted: Vec<(String, Value)>,
    /// The stacks of the app that are deployed besides.
    pub(super) orphans: Vec<Orphan>,
    /// The compared stacks whose names other apps have taken.
    pub(super) taken: Vec<Taken>,
}

/// A comparison in all chosen environments.
pub(super) struct Comparison<'a> {
    project: &'a Project,
    name: &'a str,
    config: &'a StageConfig,
    with: With<'a>,
    place: Place,
    /// What was rendered and is not compared yet.
    rendered: RefCell<Vec<Rendered<'a>>>,
}

impl<'a> Comparison<'a> {
    /// Renders what is compared with what is deployed.
    pub(super) async fn begin(
        session: &Session,
        project: &'a Project,
        (name, config, chosen): (&'a str, &'a StageConfig, &[&'a Stage]),
        with: With<'a>,
    ) -> Result<Self> {
        let place = Place::of(session);
        // A stack that several environments share is compared as it is deployed: once, and with all that each takes from it.
        let rendered = if with.against.is_some() {
            Vec::new()
        } else {
            place::refuse_several_accounts(&place, chosen)?;
            let stage = (name, config, chosen);
            once::render(session, project, stage, with.stacks, Source::Fresh, &place).await?
        };
        Ok(Self {
            project,
            name,
            config,
            with,
            place,
            rendered: RefCell::new(rendered),
        })
    }

    /// Compares in one environment.
    pub(super) async fn of_one(&self, session: &Session, stage: &Stage) -> Result<Made> {
        match self.with.against {
            Some(directory) => self.with_directory(session, stage, directory).await,
            None => self.with_deployed(session, stage).await,
        }
    }

    async fn with_directory(
        &self,
        session: &Session,
        stage: &Stage,
        directory: &Path,
    ) -> Result<Made> {
        let assembly = prepare::assembly(session, self.project, self.name, stage).await?;
        let selected = prepare::select(&assembly, self.with.stacks)?;
        let directory = environments::directory(session, stage, directory);
        let account = stage.account.as_ref().map(Account::as_str);
        let place = (account, stage.region.as_str());
        Ok(Made {
            plan: offline(&assembly, &selected, &directory, place)?,
            wanted: wanted(&assembly, &selected),
            ..Made::default()
        })
    }

    async fn with_deployed(&self, session: &Session, stage: &Stage) -> Result<Made> {
        let (project, place) = (self.project, &self.place);
        let is_here = |it: &mut Rendered<'_>| it.stage.label == stage.label;
        let found = self.rendered.borrow_mut().extract_if(.., is_here).next();
        let Some(Rendered {
            mut assembly,
            selected,
            ..
        }) = found
        else {
            return Ok(Made::default());
        };
        prepare::adapt(session, &mut assembly, place)?;
        let remembered = Remembered::of(project, self.name, stage, place.is_local());
        if self.with.offline {
            return Ok(Made {
                plan: remembered.compare(&assembly, &selected)?,
                wanted: wanted(&assembly, &selected),
                ..Made::default()
            });
        }
        let looks = Activity::new(&session.ui, "compare");
        let (context, _) = place::open(session, project, stage, place, looks.looks()).await?;
        let artifacts = if self.with.build {
            prepare::functions(session, project, &assembly, &selected, place).await?
        } else {
            BTreeMap::new()
        };
        let contents = prepare::contents(project, &assembly, &selected)?;
        let plan = deploy::make_plan(
            session, &context, &assembly, &selected, &artifacts, &contents,
        )
        .await;
        looks.finish();
        let mut plan = plan?;
        remembered.seen(&session.ui, &plan);
        let imports = prepare::imports(&assembly, &selected);
        let missing = deploy::missing_exports(session, &context, &imports).await?;
        for missing in &missing {
            let mut stacks = plan.stacks.iter_mut();
            if let Some(stack) = stacks.find(|stack| stack.stack == missing.import.stack) {
                stack.refused.push(missing.told());
            }
        }
        session
            .guard(Box::pin(fast(session, &context, &assembly, &plan)))
            .await?;
        if self.with.change_set {
            let stacks = deploy::deployments(&assembly, &selected, &contents);
            plan = deploy::propose(session, &context, self.name, &stacks, plan).await?;
        }
        led_back(session, &context, &assembly, &mut plan).await?;
        let survey = self.besides(session, &context, stage, &assembly).await?;
        let targets = prepare::targets(&assembly, &selected);
        let taken = orphans::taken(session, &context, &survey, &targets).await?;
        let wanted = wanted(&assembly, &selected);
        if self.with.drift {
            detect(session, &context, &assembly, &wanted, &mut plan).await?;
        }
        Ok(Made {
            plan,
            wanted,
            orphans: survey.orphans,
            taken,
        })
    }

    /// Looks for what is deployed besides the source, where the app has a name to know its stacks by. A caller who may not look
    /// compares all the same.
    async fn besides(
        &self,
        session: &Session,
        context: &Context,
        stage: &Stage,
        assembly: &Assembly,
    ) -> Result<Survey> {
        let project = self.project;
        if project.config.workspace.name().is_none() {
            return Ok(Survey::default());
        }
        let named = (self.name, self.config);
        let ground = territory::of(project, named, stage, assembly, &self.place);
        let survey = orphans::look(session, context, &ground).await?;
        Ok(survey.unwrap_or_default())
    }
}

/// Lets CloudFormation detect what is live of the stacks of a plan otherwise than it was deployed, of several at once.
async fn detect(
    session: &Session,
    context: &Context,
    assembly: &Assembly,
    wanted: &[(String, Value)],
    plan: &mut Plan,
) -> Result<()> {
    let looks = plan.stacks.iter().map(async |stack| {
        let mut stacks = assembly.manifest.stacks.iter();
        let manifest = stacks.find(|it| it.name == stack.stack);
        let template = wanted.iter().find(|(name, _)| *name == stack.stack);
        let (Some(manifest), Some((name, template))) = (manifest, template) else {
            return Ok(None);
        };
        let task = session.ui.task("drift", name.clone());
        let live = engine::live(context, manifest, stack, template).await;
        drop(task);
        live
    });
    let looks = engine::abreast(context.concurrency, looks.collect());
    let found = session.guard(Box::pin(looks)).await?;
    for (stack, live) in plan.stacks.iter_mut().zip(found) {
        stack.live = live?;
    }
    Ok(())
}

/// Says what stacks were given past CloudFormation: a plan compares with what CloudFormation knows.
async fn fast(session: &Session, context: &Context, assembly: &Assembly, plan: &Plan) {
    let deployed = plan.stacks.iter().filter_map(|stack| {
        let mut stacks = assembly.manifest.stacks.iter();
        let manifest = stacks.find(|it| it.name == stack.stack)?;
        let id = stack.basis.as_ref()?.deployed.as_ref()?.id.clone();
        Some((StackTarget::from(manifest), id))
    });
    let (given, unknown) = engine::fast_of(context, deployed.collect()).await;
    for unknown in unknown {
        session.ui.warn(unknown);
    }
    for given in given {
        session.ui.warn(ui::given_fast(&given));
    }
}

/// Adds to a plan which released functions are live in another version than was deployed last: CloudFormation does not know,
/// and a deploy that does not release them anew does not change it.
async fn led_back(
    session: &Session,
    context: &Context,
    assembly: &Assembly,
    plan: &mut Plan,
) -> Result<()> {
    for stack in &mut plan.stacks {
        let mut stacks = assembly.manifest.stacks.iter();
        let manifest = stacks.find(|it| it.name == stack.stack);
        let Some(manifest) = manifest.filter(|_| !stack.create) else {
            continue;
        };
        let found = engine::led_back(context, manifest);
        match session.guard(Box::pin(found)).await? {
            Ok(found) => {
                let found = found.iter().map(|it| format!("{}: {it}", it.function));
                let notes: Vec<String> = stack.note.take().into_iter().chain(found).collect();
                stack.note = (!notes.is_empty()).then(|| notes.join("; "));
            }
            Err(error) => session.ui.warn(format!(
                "nobody knows which releases of {} are live: {error}",
                stack.stack
            )),
        }
    }
    Ok(())
}

/// Returns the templates of the selected stacks.
pub(super) fn wanted(assembly: &Assembly, selected: &[usize]) -> Vec<(String, Value)> {
    let stacks: Vec<_> = assembly.stacks().collect();
    let of_selected = selected.iter().filter_map(|position| stacks.get(*position));
    of_selected
        .map(|(manifest, template)| (manifest.name.clone(), template.json.clone()))
        .collect()
}

/// Returns templates to be drawn.
pub(super) fn templates(stacks: &[(String, Value)]) -> Vec<Template<'_>> {
    let templates = stacks.iter().map(|(stack, json)| Template { stack, json });
    templates.collect()
}

/// Compares with an assembly in a directory. Nobody knows the keys of artifacts there, so code is taken as unchanged, and
/// so are the files of folders that fill buckets.
fn offline(
    assembly: &Assembly,
    selected: &[usize],
    directory: &Path,
    place: (Option<&str>, &str),
) -> Result<Plan> {
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
            &old.map(|(manifest, template)| side(manifest, &template.json, place))
                .unwrap_or_default(),
            &side(manifest, &template.json, place),
            &Registry,
        );
        let earlier = old.map_or(&none, |(manifest, _)| &manifest.contents);
        compared.other.extend(contents(earlier, &manifest.contents));
        plans.push(compared);
    }
    Ok(app.finish(plans))
}

/// Returns what an assembly says of a stack, which is in an account, where that is known, and a region. What comes from other
/// regions is known by where it comes from.
fn side<'a>(
    manifest: &StackManifest,
    template: &'a Value,
    (account, region): (Option<&str>, &str),
) -> Side<'a> {
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
    let region = Some(manifest.region.as_deref().unwrap_or(region));
    parameters.extend(pseudo_parameters(&manifest.name, None, account, region));
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
        let value = |stack| {
            side(&manifest(stack), &template, (None, "eu-west-1")).parameters["CertificateArn"]
                .clone()
        };
        assert_eq!(value("old-dev"), "output Arn of old-dev in us-east-1");
        assert_ne!(value("old-dev"), value("new-dev"));
    }
}
