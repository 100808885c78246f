//! `rollback --to`: lets the alias of a released function name another version, or deploys an earlier release of a stack.

mod stacks;

use serde_json::json;

use super::look::Look;
use super::{Session, approval, invoke, lock};
use crate::cli::{self, To};
use crate::engine::{self, DeployedFunction, Doubt, ReleasedFunction, StackTarget, Taken};
use crate::error::{Error, Kind, Result};

pub(super) async fn run(session: &Session, arguments: &cli::Rollback, to: To) -> Result<u8> {
    let names = &arguments.stacks.stacks;
    if names.is_empty() {
        return Err(
            Error::new(Kind::Usage, "neither a stack nor a function is given").hint(
                "name it: `stackctl rollback STACK --to previous`, or `STACK/FUNCTION` for a function that is released under an alias",
            ),
        );
    }
    let look = Look::open(session, None).await?;
    let known = look.assembly.names();
    let (stacks, functions): (Vec<String>, Vec<String>) = names
        .iter()
        .cloned()
        .partition(|name| cli::select(&known, std::slice::from_ref(name)).is_ok());
    match (stacks.as_slice(), functions.first()) {
        ([], _) => Box::pin(of_functions(session, look, &functions, arguments, to)).await,
        (_, None) => {
            let selected = cli::select(&known, &stacks)?;
            Box::pin(stacks::run(session, look, &selected, arguments, to)).await
        }
        ([stack, ..], Some(function)) => Err(Error::new(
            Kind::Usage,
            format!("`{stack}` is a stack, and `{function}` is none"),
        )
        .hint("roll back stacks and functions one after the other")),
    }
}

async fn of_functions(
    session: &Session,
    look: Look,
    functions: &[String],
    arguments: &cli::Rollback,
    to: To,
) -> Result<u8> {
    if arguments.wait || !arguments.allow.is_empty() {
        return Err(Error::new(
            Kind::Usage,
            "`--wait` and `--allow` are for stacks, and an alias is moved at once",
        ));
    }
    let project = session.project()?;
    let (name, stage) = session.stage(&project)?;
    let _lock = lock::take(&project.state_dir, name, look.place.is_local())?;
    let deployed = look.functions(session).await?;
    refuse_taken(session, &look, &deployed, functions).await?;
    let names = look.names();
    let mut moves = Vec::new();
    for wanted in functions {
        let function = invoke::find(&deployed, &names, wanted)?;
        let released = session
            .guard(Box::pin(engine::released(&look.context, function)))
            .await??
            .ok_or_else(|| not_released(wanted))?;
        let doubts = engine::doubtful_versions(&look.context, function);
        let released = match session.guard(Box::pin(doubts)).await? {
            Ok(doubts) => released.without(doubts),
            Err(error) => {
                session.ui.warn(format!(
                    "nobody knows which versions of {wanted} failed their check, or were never looked at: {error}"
                ));
                released
            }
        };
        let version = version(&released, wanted, to)?;
        if version == released.live {
            session
                .ui
                .done("release", format!("{wanted}: version {version} is live"));
        } else {
            let text = format!(
                "{wanted}: version {} is live, and {} would be",
                told(&released, released.live),
                told(&released, version)
            );
            session.ui.done("release", text);
            moves.push((wanted, released, version));
        }
    }
    if !moves.is_empty() {
        let question = if stage.protected {
            format!("Change what runs in the protected stage {name}?")
        } else {
            format!("Change what runs in stage {name}?")
        };
        approval::ask(session, look.place.is_local(), &question).await?;
    }
    let mut done = Vec::new();
    for (wanted, released, version) in &moves {
        // Before the alias moves: else a run that is killed in between leaves a move that nobody wanted.
        let noted = engine::write_by_hand(&look.context, released, *version);
        let (noted, why) = match session.guard(Box::pin(noted)).await? {
            Ok(Some(noted)) => (Some(noted), None),
            Ok(None) => (
                None,
                Some(
                    "the region has no artifact bucket, which `stackctl bootstrap` makes"
                        .to_owned(),
                ),
            ),
            Err(error) => (None, Some(error.to_string())),
        };
        if let Some(why) = &why {
            session.ui.warn(format!(
                "{wanted}: it cannot be written down that this was done on purpose, so where version {version} is not what was deployed last, the next deploys fail until {wanted} is released anew: {why}"
            ));
        }
        let ended = session
            .guard_saying(
                "the alias may have been moved: run the same command again",
                engine::move_alias(&look.context, released, *version),
            )
            .await?;
        if let Err(error) = ended {
            // A record of what was refused would tell of whoever moves the alias to this version later.
            if let Some(noted) = noted
                && let Err(error) = engine::forget_by_hand(&look.context, released, noted).await
            {
                session.ui.warn(format!(
                    "{wanted}: it stays written down that version {version} was made live by hand: {error}"
                ));
            }
            return Err(error.into());
        }
        session
            .ui
            .done("release", format!("{wanted}: version {version} is live"));
        done.push(json!({
            "stack": released.function.stack,
            "function": released.function.logical_id,
            "from": released.live,
            "to": version,
        }));
    }
    if session.ui.json() {
        session.ui.document(&json!({"functions": done}));
    }
    Ok(0)
}

/// Refuses to move the aliases of functions of other apps.
async fn refuse_taken(
    session: &Session,
    look: &Look,
    deployed: &[DeployedFunction],
    wanted: &[String],
) -> Result<()> {
    let names = look.names();
    let mut targets = Vec::new();
    for wanted in wanted {
        let function = invoke::find(deployed, &names, wanted)?;
        targets.push(StackTarget {
            name: function.stack.clone(),
            region: function.region.clone(),
        });
    }
    let taken = engine::taken(&look.context, &targets);
    match session.guard(Box::pin(taken)).await??.first() {
        None => Ok(()),
        Some(Taken { stack, app, .. }) => Err(Error::new(
            Kind::Refused,
            format!("stack {stack} belongs to another app, `{app}`"),
        )
        .hint("move its aliases in the workspace of that app")),
    }
}

fn not_released(wanted: &str) -> Error {
    Error::new(
        Kind::Usage,
        format!("`{wanted}` is not released under an alias"),
    )
    .cause("it has no earlier version to go back to")
    .hint("say `release: Release::Live` in its `FunctionProps`, or deploy the earlier source")
}

/// Returns the version that is asked for.
fn version(released: &ReleasedFunction, wanted: &str, to: To) -> Result<u64> {
    let found = match to {
        To::Previous => released.previous(),
        To::Latest => released.latest(),
        To::Version(version) => Some(version).filter(|version| released.has(*version)),
    };
    found.ok_or_else(|| {
        let versions: Vec<String> = released
            .versions
            .iter()
            .map(|version| version.version.to_string())
            .collect();
        Error::new(Kind::Usage, format!("`{wanted}` has no such version")).hint(format!(
            "version {} is live, and these are there: {}",
            released.live,
            versions.join(", ")
        ))
    })
}

/// Writes a version with the name of its release.
fn told(released: &ReleasedFunction, version: u64) -> String {
    let found = released.versions.iter().find(|it| it.version == version);
    let failed = match released.doubt(version) {
        Some(Doubt::Failed) => ", which failed its check",
        Some(Doubt::Unseen) => ", at which nobody looked when it was deployed",
        None => "",
    };
    match found.and_then(|found| found.release.as_deref()) {
        Some(release) => format!("{version} ({release}){failed}"),
        None => format!("{version}{failed}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previous_is_what_is_there_before_the_live_one() {
        let version = |version: u64| engine::FunctionVersion {
            version,
            release: Some(format!("r{version}")),
        };
        let function = engine::DeployedFunction {
            stack: "orders-dev".to_owned(),
            region: None,
            logical_id: "Work".to_owned(),
            name: "orders-dev-Work-1".to_owned(),
            alias: None,
        };
        // Version 3 was pruned.
        let versions = vec![version(2), version(4), version(5)];
        let at = |live| ReleasedFunction::new(function.clone(), live, versions.clone());
        let to = |live, to| super::version(&at(live), "Work", to);
        assert_eq!(to(5, To::Previous).expect("is there"), 4);
        assert_eq!(to(4, To::Previous).expect("is there"), 2);
        assert_eq!(to(2, To::Latest).expect("is there"), 5);
        assert_eq!(to(5, To::Version(2)).expect("is there"), 2);
        let error = to(2, To::Previous).expect_err("is the oldest");
        assert_eq!(
            error.hints(),
            ["version 2 is live, and these are there: 2, 4, 5"]
        );
        assert!(to(5, To::Version(3)).is_err());
        assert_eq!(told(&at(5), 4), "4 (r4)");

        // Nobody goes to a version that failed its check unless they name it.
        let marked = |live, failed| at(live).without([(failed, Doubt::Failed)].into());
        let to = |released: &ReleasedFunction, to| super::version(released, "Work", to);
        assert_eq!(to(&marked(5, 4), To::Previous).expect("is there"), 2);
        assert_eq!(to(&marked(2, 5), To::Latest).expect("is there"), 4);
        assert_eq!(to(&marked(2, 5), To::Version(5)).expect("is there"), 5);
        assert_eq!(told(&marked(2, 5), 5), "5 (r5), which failed its check");
        let unseen = at(5).without([(4, Doubt::Unseen)].into());
        assert_eq!(to(&unseen, To::Previous).expect("is there"), 2);
        assert_eq!(
            told(&unseen, 4),
            "4 (r4), at which nobody looked when it was deployed"
        );
    }
}
