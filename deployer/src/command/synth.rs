//! `synth`: renders the stacks of a stage to templates.

use std::fmt::Write as _;

use serde_json::json;

use super::{Session, environments, prepare};
use crate::assembly;
use crate::cli::{self, Format};
use crate::error::Result;

pub(super) async fn run(session: &Session, arguments: &cli::Synth) -> Result<u8> {
    let project = session.project()?;
    let (name, stage) = session.stage(&project)?;
    let assembly = prepare::assembly(session, &project, name, stage).await?;
    let selected = prepare::select(&assembly, &arguments.stacks)?;
    if let Some(out) = &arguments.out {
        // The whole assembly is written, whatever was selected: it would contradict itself otherwise.
        let directory = environments::directory(session, stage, out);
        assembly::write(&assembly, &directory, arguments.format == Format::Yaml)?;
        if session.ui.json() {
            let stacks: Vec<&str> = assembly.names().into_iter().map(|name| name.name).collect();
            session
                .ui
                .document(&json!({"out": directory, "stacks": stacks}));
        } else {
            session.ui.done("written", directory.display().to_string());
        }
        return Ok(0);
    }
    let stacks: Vec<_> = assembly.stacks().collect();
    let chosen = selected.iter().filter_map(|position| stacks.get(*position));
    if session.ui.json() || arguments.format == Format::Json {
        let templates: serde_json::Map<_, _> = chosen
            .map(|(stack, template)| (stack.name.clone(), template.json.clone()))
            .collect();
        session.ui.document(&templates);
    } else {
        let mut text = String::new();
        for (stack, template) in chosen {
            let yaml = assembly::to_yaml(template)?;
            let _ = write!(text, "---\n# {}\n{yaml}", stack.name);
        }
        session.ui.out(text);
    }
    Ok(0)
}
