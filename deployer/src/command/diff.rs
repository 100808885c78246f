//! `diff`: shows what a deploy would change.

use std::collections::BTreeMap;
use std::path::Path;

use super::place::{self, Place};
use super::{Session, deploy, explain, prepare};
use crate::assembly::Assembly;
use crate::cli::{self, Report};
use crate::engine::EventSink;
use crate::engine::plan::{Plan, Registry, Side, compare, defaults};
use crate::error::{EXIT_CHANGES, Result};
use crate::ui;

pub(super) async fn run(session: &Session, arguments: &cli::Diff) -> Result<u8> {
    let project = session.project()?;
    let (name, stage) = session.stage(&project)?;
    let place = Place::of(session);
    let mut assembly = prepare::assembly(session, &project, name, stage).await?;
    let selected = prepare::select(&assembly, &arguments.stacks)?;
    prepare::refuse_renames(&assembly, &selected)?;
    let plan = if let Some(directory) = &arguments.against {
        offline(&assembly, &selected, &session.directory.join(directory))?
    } else {
        prepare::adapt(session, &mut assembly, &place)?;
        let (context, _) =
            place::open(session, &project, stage, &place, EventSink::ignore()).await?;
        let artifacts = if arguments.no_build {
            BTreeMap::new()
        } else {
            prepare::functions(session, &project, &assembly, &selected, &place).await?
        };
        let contents = prepare::contents(&project, &assembly, &selected)?;
        deploy::make_plan(
            session, &context, &assembly, &selected, &artifacts, &contents,
        )
        .await?
    };
    if session.ui.json() {
        session.ui.document(&plan);
    } else {
        session.ui.out(match arguments.format {
            Report::Text => ui::plan(&plan, session.ui.verbose() > 0),
            Report::Markdown => ui::markdown(&plan, name),
        });
    }
    let changed = arguments.exit_code && !plan.is_empty();
    Ok(if changed { EXIT_CHANGES } else { 0 })
}

/// Compares with an assembly in a directory. Nobody knows the keys of artifacts there, so code is taken as unchanged.
fn offline(assembly: &Assembly, selected: &[usize], directory: &Path) -> Result<Plan> {
    let earlier = Assembly::read(directory).map_err(|error| explain::read(&error))?;
    let stacks: Vec<_> = assembly.stacks().collect();
    let mut plan = Plan::default();
    for (manifest, template) in selected.iter().filter_map(|position| stacks.get(*position)) {
        let old = earlier
            .stacks()
            .find(|(other, _)| other.name == manifest.name);
        let deployed = match old {
            Some((manifest, template)) => {
                let mut parameters = defaults(&template.json);
                parameters.extend(manifest.parameters.clone());
                Side {
                    template: Some(&template.json),
                    parameters,
                    tags: manifest.tags.clone(),
                }
            }
            None => Side::default(),
        };
        let mut parameters = defaults(&template.json);
        parameters.extend(manifest.parameters.clone());
        let wanted = Side {
            template: Some(&template.json),
            parameters,
            tags: manifest.tags.clone(),
        };
        plan.stacks.push(compare(
            &manifest.name,
            &deployed,
            &wanted,
            &manifest.resources,
            &Registry,
        ));
    }
    Ok(plan)
}
