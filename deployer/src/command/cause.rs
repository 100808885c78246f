//! `explain`: says why the last operation of stacks failed.

use serde_json::json;

use super::Session;
use super::look::Look;
use crate::cli;
use crate::engine::{self, Explanation};
use crate::error::Result;
use crate::repeat::Repeated;
use crate::ui;

pub(super) async fn run(session: &Session, arguments: &cli::Stacks) -> Result<u8> {
    let look = Look::open(session, Some(arguments)).await?;
    let context = look
        .context
        .clone()
        .with_options(Repeated::of(&session.global));
    let mut explanations: Vec<Explanation> = Vec::new();
    for target in &look.targets {
        let rendered = look
            .assembly
            .stacks()
            .find(|(manifest, _)| manifest.name == target.name);
        let explained = engine::explain(
            &context,
            target,
            rendered.map(|(manifest, _)| manifest),
            rendered.map(|(_, template)| &template.json),
        );
        let mut explanation = session.guard(Box::pin(explained)).await??;
        if explanation.operation.is_some() {
            explanation.led_back = look.led_back(session, &target.name).await?;
            let ways = explanation.led_back.iter();
            let ways = ways.map(|it| it.way_forward(&context, &target.name));
            explanation.hints.extend(ways);
            match session
                .guard(Box::pin(engine::unproven(&context, target)))
                .await?
            {
                Ok(unproven) => explanation.unproven = unproven,
                Err(error) => session.ui.warn(format!(
                    "nobody knows whether anybody looked at {} since it was changed: {error}",
                    target.name
                )),
            }
            if explanation.unproven && !explanation.is_failure() {
                let command = format!("stackctl deploy {}", target.name);
                let command = engine::command(&context, &command);
                explanation.hints.push(format!("look again: `{command}`"));
            }
        }
        explanations.push(explanation);
    }
    if session.ui.json() {
        session.ui.document(&json!({"stacks": explanations}));
    } else {
        session.ui.out(ui::explanations(&explanations));
    }
    Ok(0)
}
