//! `watch`: deploys whatever is changed while somebody works, and follows the logs.

mod follow;
mod round;

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;

use self::round::{Given, Round, Worked};
use super::place::Place;
use super::{Session, approval};
use crate::cli;
use crate::error::{Error, Kind, Result};
use crate::watch::Watcher;

/// How long to wait for a stage that another run works on, before the next attempt.
const BUSY: Duration = Duration::from_secs(2);

pub(super) async fn run(session: &Session, arguments: &cli::Watch) -> Result<u8> {
    let project = session.project()?;
    let (name, stage) = session.stage(&project)?;
    let place = Place::of(session);
    if stage.protected && !place.is_local() {
        return Err(refused(name));
    }
    // Changes of stacks are shown and asked about each time; that code goes out as it is saved is asked once.
    let question =
        format!("Give changed code to the functions of stage {name} as soon as it is saved?");
    approval::ask(session, place.is_local(), &question).await?;
    let mut round = Round::first(session, arguments, place, &project, name).await?;
    let mut watcher = Watcher::default();
    watcher.watch(round.scope()).await;
    let mut busy = false;
    for number in 0.. {
        let began = Instant::now();
        let result = round.work().await;
        watcher.watch(round.scope()).await;
        busy = match result {
            Ok(worked) => {
                say(session, worked, began.elapsed());
                false
            }
            Err(error) if ends(&error, number == 0) || round.is_over() => return Err(error),
            Err(error) => {
                let is_busy = error.kind() == Kind::Locked;
                // A stage stays busy for many attempts.
                if !(busy && is_busy) {
                    session.ui.error(&error);
                }
                is_busy
            }
        };
        round.say_what(watcher.files());
        if !next(session, &mut round, &mut watcher, busy).await {
            break;
        }
    }
    Ok(0)
}

/// Waits for something to do; nothing is, where the run is to end.
async fn next(session: &Session, round: &mut Round<'_>, watcher: &mut Watcher, busy: bool) -> bool {
    let task = session
        .ui
        .spinner("watch", "waiting for changes, Ctrl-C ends this");
    loop {
        let changed = tokio::select! {
            biased;
            () = session.cancel.cancelled() => return false,
            () = round.closed() => return false,
            changed = watcher.changes() => changed,
            () = tokio::time::sleep(BUSY), if busy => BTreeSet::new(),
        };
        if round.takes(&changed) {
            drop(task);
            if session.ui.json() {
                session
                    .ui
                    .json_line(&json!({"type": "changed", "files": changed}));
            }
            session.ui.changed(&changed, round.root());
            return true;
        }
        if busy && changed.is_empty() {
            return true;
        }
    }
}

fn say(session: &Session, worked: Worked, took: Duration) {
    let (outcome, text) = match worked {
        Worked::Deployed => ("deployed", "deployed"),
        Worked::Past(given) => ("code", past(given)),
        Worked::Nothing => ("unchanged", "nothing changes"),
    };
    if session.ui.json() {
        session
            .ui
            .json_line(&json!({"type": "ready", "outcome": outcome}));
    }
    session.ui.ready(text, took);
}

/// Says what was given past CloudFormation.
fn past(given: Given) -> &'static str {
    match given {
        Given {
            code: true,
            files: true,
        } => "functions run this code, and buckets hold these files",
        Given { files: true, .. } => "buckets hold these files",
        Given { .. } => "functions run this code",
    }
}

/// Returns whether an error ends the loop: one that no change of a source mends, before anything worked.
fn ends(error: &Error, first: bool) -> bool {
    match error.kind() {
        Kind::Interrupted => true,
        Kind::Usage
        | Kind::Configuration
        | Kind::Credentials
        | Kind::Refused
        | Kind::Toolchain
        | Kind::Local => first,
        _ => false,
    }
}

/// Says why a protected stage is not watched.
fn refused(stage: &str) -> Error {
    Error::new(
        Kind::Refused,
        format!("stage `{stage}` is protected, and `watch` deploys what nobody has looked at"),
    )
    .hint("deploy with `stackctl deploy`, or watch another stage")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_ready_is_what_was_given() {
        let files = Given {
            files: true,
            ..Given::default()
        };
        let code = Given {
            code: true,
            ..Given::default()
        };
        assert_eq!(past(files), "buckets hold these files");
        assert_eq!(past(code), "functions run this code");
        let both = Given {
            code: true,
            ..files
        };
        assert_eq!(
            past(both),
            "functions run this code, and buckets hold these files"
        );
    }

    #[test]
    fn what_a_source_can_mend_does_not_end_the_loop() {
        let ends = |kind, first| super::ends(&Error::new(kind, "x"), first);
        for kind in [
            Kind::Build,
            Kind::Synth,
            Kind::Deploy,
            Kind::Locked,
            Kind::Aws,
        ] {
            assert!(!ends(kind, true), "{kind:?}");
        }
        for kind in [Kind::Usage, Kind::Credentials, Kind::Refused] {
            assert!(ends(kind, true) && !ends(kind, false), "{kind:?}");
        }
        assert!(ends(Kind::Interrupted, false));
    }
}
