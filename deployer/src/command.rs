//! One module per verb of the command line.

mod approval;
mod bootstrap;
mod cause;
mod compare;
mod completions;
mod deploy;
mod destroy;
pub(crate) mod diff;
mod doctor;
mod drift;
mod environments;
mod events;
mod explain;
mod graph;
mod history;
mod interrupt;
mod invoke;
mod kept;
mod ledger;
mod local;
mod lock;
mod logs;
mod look;
mod once;
mod orphans;
mod outputs;
mod place;
mod prepare;
mod prune;
mod release;
mod remembered;
mod revision;
mod rollback;
mod saved;
mod stacks;
mod stackset;
mod synth;
mod territory;
mod watch;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};

use clap::Parser as _;

use crate::cli::{Cli, Global, Verb, asks_for_json};
use crate::config::{Project, StageName, list};
use crate::engine::Cancel;
use crate::error::{Error, Kind, Result};
use crate::local::Working;
use crate::scratch::Scratch;
use crate::ui::{self, Ui};
use environments::Documents;

/// What every verb works with. A clone is the same run.
#[derive(Clone)]
pub(crate) struct Session {
    /// The printer.
    pub(crate) ui: Ui,
    /// The options of every verb.
    pub(crate) global: Global,
    /// The directory that the command was called in.
    pub(crate) directory: PathBuf,
    /// Says that the person at the keyboard wants to stop.
    pub(crate) cancel: Cancel,
    /// Is set once what is odd in the configuration was told.
    pub(crate) told: Arc<OnceLock<()>>,
    /// Is set once it was told what the local engine is not sent.
    pub(crate) adapted: Arc<OnceLock<()>>,
    /// Keeps the temporary files of this run from others, once there may be some.
    pub(crate) scratch: Arc<OnceLock<Scratch>>,
    /// Is cloned by work that the process must see the end of, even where nobody awaits it any more.
    pub(crate) working: Working,
    /// Whether this works in one of several environments that were chosen.
    pub(crate) several: bool,
}

impl Session {
    /// Finds and reads the configuration.
    pub(crate) fn project(&self) -> Result<Project> {
        let project = Project::load(&self.directory, self.global.config.as_deref())?;
        if self.told.set(()).is_ok() {
            for oddity in project.config.oddities() {
                self.ui
                    .warn(format!("{}: {oddity}", project.file.display()));
            }
        }
        Ok(project)
    }

    /// Returns the name of the stage to work on.
    fn stage_name(&self, project: &Project) -> Result<&str> {
        self.global.stage.as_deref().ok_or_else(|| {
            let stages = project.config.stages.keys();
            let names: Vec<&str> = stages.map(StageName::as_str).collect();
            Error::new(Kind::Usage, "no stage is given")
                .hint("name one with `--stage NAME`, or set STACKCTL_STAGE")
                .hint(format!("the stages are {}", list(&names)))
        })
    }

    /// Runs a step that changes nothing and may be dropped when the run is stopped.
    pub(crate) async fn guard<T>(&self, step: impl Future<Output = T>) -> Result<T> {
        self.guard_saying("nothing was changed", step).await
    }

    /// Runs a step that may be dropped when the run is stopped, and says what that means.
    pub(crate) async fn guard_saying<T>(
        &self,
        consequence: &str,
        step: impl Future<Output = T>,
    ) -> Result<T> {
        tokio::select! {
            biased;
            () = self.cancel.cancelled() => Err(interrupt::error(consequence)),
            value = step => Ok(value),
        }
    }
}

/// Runs the command line of this process and returns its exit code.
pub fn run() -> ExitCode {
    ui::tell_crashes();
    let arguments: Vec<_> = std::env::args_os().collect();
    let cli = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return ExitCode::from(usage(&error, asks_for_json(&arguments))),
    };
    let ui = Ui::new(&cli.global);
    let code = match start(cli, &ui) {
        Ok(code) => ui.check().map(|()| code),
        Err(error) => Err(error),
    };
    ExitCode::from(code.unwrap_or_else(|error| {
        ui.error(&error);
        error.kind().exit_code()
    }))
}

/// Reports what clap says. Help and version are no errors.
fn usage(error: &clap::Error, json: bool) -> u8 {
    // Nothing can be told where the terminal is gone.
    let _ = error.print();
    if error.use_stderr() && json {
        let text = error.render().to_string();
        Ui::print_error_document(&usage_error(&text));
    }
    u8::try_from(error.exit_code()).unwrap_or(Kind::Usage.exit_code())
}

/// Reads what clap says: the message, what it is about, and tips, up to the usage.
fn usage_error(text: &str) -> Error {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let message = lines.next().unwrap_or_default();
    let message = message.trim_start_matches("error: ").trim_end_matches(':');
    lines
        .take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"))
        .fold(Error::new(Kind::Usage, message), |error, line| {
            match line.strip_prefix("tip: ") {
                Some(tip) => error.hint(tip),
                None => error.cause(line),
            }
        })
        .hint("see `stackctl --help`")
}

fn start(cli: Cli, ui: &Ui) -> Result<u8> {
    let directory = std::env::current_dir().map_err(|error| {
        Error::new(Kind::Io, "cannot find the current directory").caused_by(&error)
    })?;
    // One thread is enough: the work is waiting. What computes or blocks has threads of its own.
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(Kind::Io, "cannot start").caused_by(&error))?;
    let (working, mut ended) = tokio::sync::mpsc::channel(1);
    let code = runtime.block_on(async {
        let session = Session {
            ui: ui.clone(),
            global: cli.global,
            directory,
            cancel: interrupt::listen(ui),
            told: Arc::default(),
            adapted: Arc::default(),
            scratch: Arc::default(),
            working,
            several: false,
        };
        // The futures of the verbs are large and differ; one of them is enough on the heap.
        let code = Box::pin(dispatch(&session, cli.verb)).await;
        drop(session);
        // Nothing is ever sent: this ends when the last work has let go of its sender.
        let _ = ended.recv().await;
        code
    });
    // A step that was dropped may still block a thread; the process does not wait for it.
    runtime.shutdown_background();
    code
}

async fn dispatch(session: &Session, verb: Verb) -> Result<u8> {
    use Documents::{Lines, Listed, Named};
    use environments::each;

    match verb {
        Verb::Synth(arguments) => {
            each(session, Named, async |own| {
                synth::run(own, &arguments).await
            })
            .await
        }
        Verb::Graph(arguments) => graph::run(session, &arguments).await,
        Verb::Deploy(arguments) => Box::pin(deploy::run(session, &arguments)).await,
        Verb::Watch(arguments) => Box::pin(watch::run(session, &arguments)).await,
        Verb::Diff(arguments) => diff::run(session, &arguments).await,
        Verb::Destroy(arguments) => Box::pin(destroy::run(session, &arguments)).await,
        Verb::Prune(arguments) => {
            each(session, Listed, async |own| {
                Box::pin(prune::run(own, &arguments)).await
            })
            .await
        }
        Verb::Rollback(arguments) => Box::pin(rollback::run(session, &arguments)).await,
        Verb::Outputs(arguments) => {
            each(session, Named, async |own| {
                Box::pin(outputs::run(own, &arguments)).await
            })
            .await
        }
        Verb::Status(arguments) => {
            each(session, Listed, async |own| {
                Box::pin(stacks::status(own, &arguments)).await
            })
            .await
        }
        // A page is one document, and following has no end.
        Verb::Events(arguments)
            if arguments.follow || matches!(arguments.timeline, Some(Some(_))) =>
        {
            Box::pin(events::run(session, &arguments)).await
        }
        Verb::Events(arguments) => {
            let documents = if arguments.timeline.is_some() {
                Listed
            } else {
                Lines
            };
            each(session, documents, async |own| {
                Box::pin(events::run(own, &arguments)).await
            })
            .await
        }
        Verb::Explain(arguments) => {
            each(session, Listed, async |own| {
                Box::pin(cause::run(own, &arguments)).await
            })
            .await
        }
        Verb::Drift(arguments) => {
            let documents = if arguments.revert { Lines } else { Listed };
            each(session, documents, async |own| {
                Box::pin(drift::run(own, &arguments)).await
            })
            .await
        }
        Verb::History(arguments) => {
            each(session, Listed, async |own| {
                Box::pin(history::run(own, &arguments)).await
            })
            .await
        }
        Verb::Invoke(arguments) => Box::pin(invoke::run(session, &arguments)).await,
        Verb::Logs(arguments) => Box::pin(logs::run(session, &arguments)).await,
        Verb::Bootstrap => each(session, Lines, async |own| bootstrap::run(own).await).await,
        Verb::Stackset(arguments) => Box::pin(stackset::run(session, &arguments)).await,
        Verb::Local(arguments) => local::run(session, &arguments).await,
        Verb::Doctor(arguments) => doctor::run(session, arguments).await,
        Verb::Completions(arguments) => completions::run(session, arguments),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage_of(arguments: &[&str]) -> Error {
        let error = Cli::try_parse_from(arguments).expect_err("is wrong");
        usage_error(&error.render().to_string())
    }

    #[test]
    fn what_is_wrong_with_a_command_line_is_said_whole() {
        let error = usage_of(&["stackctl", "invoke"]);
        assert_eq!(
            error.message(),
            "the following required arguments were not provided"
        );
        assert_eq!(error.causes(), ["<FUNCTION>"]);
        let error = usage_of(&["stackctl", "destroy", "--confrim", "x"]);
        assert_eq!(error.message(), "unexpected argument '--confrim' found");
        assert!(
            error.hints()[0].contains("'--confirm'"),
            "{:?}",
            error.hints()
        );
    }
}
