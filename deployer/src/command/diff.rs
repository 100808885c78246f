//! `diff`: shows what a deploy would change.

use std::cell::RefCell;
use std::path::Path;

use serde::Serialize;
use stack_graph::Graph;

use super::compare::{Comparison, Made, With, templates};
use super::environments::{self, Documents};
use super::saved::Saved;
use super::{Session, orphans};
use crate::cli::{self, Report};
use crate::engine::plan::{Plan, StackPlan, picture};
use crate::engine::{Orphan, Taken};
use crate::error::{EXIT_CHANGES, EXIT_FAILED, Error, Kind, Result};
use crate::ui;

pub(super) async fn run(session: &Session, arguments: &cli::Diff) -> Result<u8> {
    let project = session.project()?;
    let (name, config, chosen) = session.environments(&project)?;
    let with = With {
        stacks: &arguments.stacks,
        against: arguments.against.as_deref(),
        offline: arguments.offline,
        change_set: arguments.change_set,
        drift: arguments.drift,
        build: !arguments.no_build,
    };
    let comparison = Comparison::begin(session, &project, (name, config, &chosen), with).await?;
    let kept = RefCell::new(Vec::new());
    let code = environments::each(session, Documents::Listed, async |own| {
        let (_, stage) = own.stage(&project)?;
        let made = Box::pin(comparison.of_one(own, stage)).await?;
        let one = Kept::new(
            made,
            environments::label(stage),
            own.several,
            draws(arguments),
        );
        print(own, arguments, (name, chosen.len()), &one);
        // What nobody could look at may be otherwise too.
        let live = |stack: &StackPlan| {
            let live = stack.live.as_ref();
            live.is_some_and(|live| live.is_drifted() || live.uncertain)
        };
        let differs = !one.plan.is_empty() || one.plan.stacks.iter().any(live);
        let changed = arguments.exit_code && differs;
        let refused = one.plan.stacks.iter().any(StackPlan::is_refused);
        let impossible = one.plan.impossible();
        // Whoever keeps a plan wants to deploy it, and whoever asks CloudFormation wants to know whether that goes well.
        let told = arguments.out.is_some() || arguments.change_set;
        for refusal in impossible.iter().filter(|_| told) {
            own.ui.warn(format!("this cannot be deployed: {refusal}"));
        }
        let refused = refused || (told && !impossible.is_empty());
        kept.borrow_mut().push(one);
        Ok(match (refused, changed) {
            (true, _) => EXIT_FAILED,
            (false, true) => EXIT_CHANGES,
            (false, false) => 0,
        })
    })
    .await?;
    let kept = kept.into_inner();
    if arguments.format == Report::Html && !session.ui.json() {
        session.ui.print(&page(name, &kept));
    }
    for file in &arguments.reports {
        let text = if file.is_html() {
            page(name, &kept)
        } else {
            let parts = kept.iter().map(|one| one.markdown(name, kept.len()));
            parts.collect::<Vec<_>>().join("\n")
        };
        write(&session.directory.join(file.path()), &text)?;
        let file = file.path().display().to_string();
        session.ui.done("report", file);
    }
    if let Some(file) = &arguments.out {
        let mut saved = Saved::new(name, &arguments.stacks.stacks);
        for one in &kept {
            saved.add(&one.environment, &one.plan);
        }
        saved.write(&session.directory.join(file))?;
        session
            .ui
            .done("plan", format!("kept in {}", file.display()));
    }
    Ok(code)
}

/// Prints what changes in one environment.
fn print(session: &Session, arguments: &cli::Diff, (name, count): (&str, usize), one: &Kept) {
    for Taken { stack, app, .. } in &one.taken {
        session.ui.warn(format!(
            "{stack} belongs to the app `{app}`: `deploy` refuses to overwrite it"
        ));
    }
    if session.ui.json() {
        session.ui.document(&Document {
            plan: &one.plan,
            orphans: &one.orphans,
            taken: &one.taken,
        });
        orphans::warn(&session.ui, &one.orphans);
        return;
    }
    match arguments.format {
        Report::Text => session
            .ui
            .out(ui::plan(&one.plan, session.ui.verbose() > 0)),
        Report::Markdown => session.ui.print(&one.markdown(name, count)),
        // One page holds all environments.
        Report::Html => {}
    }
    orphans::warn(&session.ui, &one.orphans);
}

/// Returns whether there is a page to show a drawing.
fn draws(arguments: &cli::Diff) -> bool {
    arguments.format == Report::Html || arguments.reports.iter().any(cli::ReportFile::is_html)
}

/// What `--json` prints.
#[derive(Serialize)]
pub(crate) struct Document<'a> {
    #[serde(flatten)]
    pub(crate) plan: &'a Plan,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) orphans: &'a [Orphan],
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub(crate) taken: &'a [Taken],
}

/// The plan of an environment.
#[derive(Debug)]
struct Kept {
    environment: String,
    /// Whether there are others.
    several: bool,
    plan: Plan,
    /// What changes, where a page is to show it.
    graph: Graph,
    /// The stacks of the app that are deployed besides the source.
    orphans: Vec<Orphan>,
    /// The stacks of other apps that have the names of these.
    taken: Vec<Taken>,
}

impl Kept {
    fn new(made: Made, environment: &str, several: bool, draws: bool) -> Self {
        let Made {
            plan,
            wanted,
            orphans,
            taken,
        } = made;
        let graph = if draws {
            picture(&plan, &templates(&wanted)).affected()
        } else {
            Graph::default()
        };
        Self {
            environment: environment.to_owned(),
            several,
            plan,
            graph,
            orphans,
            taken,
        }
    }

    /// Writes the plan as Markdown: all environments are one comment.
    fn markdown(&self, stage: &str, count: usize) -> String {
        let environment = self.several.then_some(self.environment.as_str());
        ui::markdown(&self.plan, stage, environment, ui::COMMENT / count.max(1))
    }
}

/// Writes one page for all environments.
fn page(stage: &str, kept: &[Kept]) -> String {
    let compared = kept.iter().map(|one| ui::Compared {
        environment: one.several.then_some(one.environment.as_str()),
        plan: &one.plan,
        graph: &one.graph,
    });
    ui::changes(stage, &compared.collect::<Vec<_>>())
}

/// Writes what was asked for to a file.
pub(super) fn write(file: &Path, text: &str) -> Result<()> {
    std::fs::write(file, text).map_err(|error| {
        Error::new(Kind::Io, format!("cannot write {}", file.display())).caused_by(&error)
    })
}
