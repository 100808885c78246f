//! `doctor`: says what is wrong with the tools, the configuration and the credentials, and what mends it.

mod checks;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use self::checks::{Check, State};
use super::place::{self, Place};
use super::{Session, territory};
use crate::aws;
use crate::cli::Doctor;
use crate::config::{Project, Stage};
use crate::engine::{self, Cancel, Context, EventSink, Stray, Territory};
use crate::error::{Error, Kind, Result};
use crate::local::{LocalEngine, REQUIREMENTS};
use crate::toolchain::{BUILD_TOOLS, LambdaBuilder, Requirements, Variables};
use crate::ui::{self, paint};

/// A credentials provider or a network that does not answer for this long will not answer a deploy either.
const AWS_LIMIT: Duration = Duration::from_secs(15);

/// What `--json` prints.
#[derive(Serialize)]
struct Document<'a> {
    checks: &'a [Check],
}

/// Checks everything, installs what is missing if that is wanted, and returns 1 when something is wrong.
pub(super) async fn run(session: &Session, arguments: Doctor) -> Result<u8> {
    let variables = Variables::of_process();
    if arguments.install {
        install(session, &variables, REQUIREMENTS, "the local engine").await?;
        // Who works locally needs no tools of deploys to AWS.
        if !session.global.local && LambdaBuilder::find(&variables)?.is_none() {
            install(session, &variables, BUILD_TOOLS, "cargo-lambda").await?;
        }
    }
    let code = examine(session, &variables).await?;
    // What is wrong is shown first: nobody should have to decide about an installation without it.
    if !arguments.install && offer(session, &variables).await? {
        install(session, &variables, BUILD_TOOLS, "cargo-lambda").await?;
        return examine(session, &variables).await;
    }
    Ok(code)
}

/// Checks everything, prints what was found, and returns 1 when something is wrong.
async fn examine(session: &Session, variables: &Variables) -> Result<u8> {
    let checks = gather(session, session.project(), variables.clone()).await?;
    let failed = checks.iter().any(|check| check.state == State::Fail);
    if session.ui.json() {
        session.ui.document(&Document { checks: &checks });
    } else {
        session.ui.out(render(&checks));
    }
    Ok(u8::from(failed))
}

/// Asks whether cargo-lambda is to be installed, where it is missing and there is somebody to ask.
async fn offer(session: &Session, variables: &Variables) -> Result<bool> {
    if session.global.local
        || session.ui.json()
        || !session.ui.can_ask()
        || LambdaBuilder::find(variables)?.is_some()
    {
        return Ok(false);
    }
    let question =
        "cargo-lambda is missing: deploys to AWS need it. Install it privately (about 470 MB)?";
    session.guard(session.ui.confirm(question)).await
}

async fn install(
    session: &Session,
    variables: &Variables,
    requirements: Requirements,
    name: &'static str,
) -> Result<()> {
    if requirements.installed(variables)?.is_some() {
        return Ok(());
    }
    let task = session.ui.task("install", name);
    let (variables, cancel) = (variables.clone(), session.cancel.clone());
    // The installation ends itself when the run is stopped, and cleans up before that.
    let work =
        tokio::task::spawn_blocking(move || requirements.install(&variables, &cancel, |_| {}));
    work.await.map_err(|error| interrupted(&error))??;
    task.done(name);
    Ok(())
}

async fn gather(
    session: &Session,
    project: Result<Project>,
    variables: Variables,
) -> Result<Vec<Check>> {
    let task = session
        .ui
        .task("doctor", "looking at tools and credentials");
    let root = project.as_ref().map_or_else(
        |_| session.directory.clone(),
        |project| project.root.clone(),
    );
    let mut found = vec![checks::configuration(
        &project,
        session.global.stage.as_deref(),
    )];
    if let Ok(project) = &project {
        found.push(checks::app(project));
    }
    let stages = match &project {
        Ok(project) => chosen_stages(project, session.global.stage.as_deref()),
        Err(_) => Vec::new(),
    };
    let local_only = session.global.local;
    let architectures = checks::architectures(&stages);
    let tools = tokio::task::spawn_blocking(move || {
        let mut found = vec![checks::rust(&variables, &root), checks::python(&variables)];
        if !local_only {
            found.push(checks::lambda_builder(&variables));
            found.extend(
                architectures
                    .into_iter()
                    .map(|architecture| checks::rust_target(architecture, &variables, &root)),
            );
        }
        found.push(checks::engine_installed(&variables));
        found
    });
    found.extend(
        session
            .guard(tools)
            .await?
            .map_err(|error| interrupted(&error))?,
    );
    if let Ok(project) = &project {
        let engine: Result<LocalEngine> = place::engine(session, project, None);
        found.push(match engine {
            Ok(engine) => checks::engine_running(engine.status().await.map_err(Error::from)),
            Err(error) => checks::engine_running(Err(error)),
        });
    }
    if !local_only {
        // All at once: each may have to wait for a network that is not there.
        let asked: Vec<_> = stages
            .into_iter()
            .map(|(name, stage)| {
                let target = place::target(stage, &Place::Aws, None);
                (name, stage, tokio::spawn(identity(target)))
            })
            .collect();
        let mut accounts = BTreeMap::new();
        for (name, stage, answer) in asked {
            let identity = session
                .guard(answer)
                .await?
                .map_err(|error| interrupted(&error))?;
            let account = identity.as_ref().ok().map(|it| it.account.clone());
            let check = checks::credentials(&name, stage, identity);
            let account = account.filter(|_| check.state == State::Ok);
            found.push(check);
            if let (Some(account), Ok(project)) = (account, &project) {
                let place = (account, stage.region.as_str().to_owned());
                let app = project.config.workspace.name();
                accounts.extend(app.map(|app| (place, (stage, app))));
            }
        }
        let known = project.as_ref().map(territory::stages).unwrap_or_default();
        let looks: Vec<_> = accounts
            .into_values()
            .map(|(stage, app)| {
                let target = place::target(stage, &Place::Aws, None);
                let territory = Territory {
                    regions: BTreeSet::from([stage.region.as_str().to_owned()]),
                    stages: known.clone(),
                    ..Territory::default()
                };
                let look = strays(target, session.cancel.clone(), app.to_owned(), territory);
                (stage, tokio::spawn(look))
            })
            .collect();
        for (stage, look) in looks {
            let strays = session.guard(look).await?;
            let strays = strays.map_err(|error| interrupted(&error))?;
            found.extend(checks::stages(stage, strays));
        }
    }
    drop(task);
    Ok(found)
}

/// Returns the stage that was asked for, or all of them, each with its name in every environment.
fn chosen_stages<'a>(project: &'a Project, wanted: Option<&str>) -> Vec<(String, &'a Stage)> {
    let stages = project.config.stages.iter();
    stages
        .filter(|(name, _)| wanted.is_none_or(|wanted| wanted == name.as_str()))
        .flat_map(|(name, stage)| {
            let environments = stage.environments().iter();
            environments.map(move |stage| match &stage.label {
                Some(label) => (format!("{name} in {label}"), stage),
                None => (name.to_string(), stage),
            })
        })
        .collect()
}

async fn identity(target: aws::Target) -> Result<aws::Identity> {
    match tokio::time::timeout(AWS_LIMIT, aws::identity(&target)).await {
        Ok(answer) => answer.map_err(Error::from),
        Err(_) => Err(Error::new(
            Kind::Aws,
            format!(
                "AWS did not say within {} seconds who is calling",
                AWS_LIMIT.as_secs()
            ),
        )
        .hint("check the network and the proxy settings")),
    }
}

/// Looks in an account and region for stacks of the app whose stages it does not have any more.
async fn strays(
    target: aws::Target,
    cancel: Cancel,
    app: String,
    territory: Territory,
) -> Result<Vec<Stray>> {
    let look = async {
        let clients = aws::connect(&target).await?;
        let context = Context::new(clients, EventSink::ignore(), cancel).of_app(Some(&app));
        Ok::<_, Error>(engine::strays(&context, &territory).await?)
    };
    match tokio::time::timeout(AWS_LIMIT, Box::pin(look)).await {
        Ok(found) => found,
        Err(_) => Err(Error::new(
            Kind::Aws,
            format!(
                "AWS did not list the stacks within {} seconds",
                AWS_LIMIT.as_secs()
            ),
        )),
    }
}

/// Makes the error of a step that was cut off.
fn interrupted(error: &tokio::task::JoinError) -> Error {
    Error::new(Kind::Interrupted, "interrupted").caused_by(error)
}

fn render(checks: &[Check]) -> String {
    let width = checks
        .iter()
        .map(|check| check.name.len())
        .max()
        .unwrap_or_default();
    let mut text = String::new();
    for check in checks {
        let style: Style = match check.state {
            State::Ok => AnsiColor::Green.on_default(),
            State::Warn => AnsiColor::Yellow.on_default(),
            State::Fail => AnsiColor::Red.on_default(),
        };
        let state = paint(style, format_args!("{:<4}", check.state.name()));
        let indent = width + 8;
        let margin = " ".repeat(indent);
        let line = format!("{state}  {:<width$}  {}", check.name, check.message);
        let mut lines = vec![ui::wrap(&line, indent)];
        let mends = check.mend.iter();
        lines.extend(mends.map(|mend| ui::wrap(&format!("{margin}{mend}"), indent)));
        for line in lines {
            text.push_str(line.trim_end());
            text.push('\n');
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checks_are_aligned_and_what_mends_stands_below() {
        let checks = [
            Check::ok("rust", "1.95.0"),
            Check::warn(
                "cargo-lambda",
                "not installed",
                "`stackctl doctor --install`",
            ),
        ];
        assert_eq!(
            anstream::adapter::strip_str(&render(&checks)).to_string(),
            "ok    rust          1.95.0\n\
             warn  cargo-lambda  not installed\n                    `stackctl doctor --install`\n"
        );
    }
}
