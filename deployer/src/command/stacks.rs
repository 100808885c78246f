//! `status`: what became of stacks.

use std::collections::BTreeSet;

use serde::Serialize;

use super::look::Look;
use super::{Session, orphans};
use crate::cli;
use crate::engine::{
    self, GivenFast, Last, Orphan, StackStatus, StackStatusReport, StatusReport, Stray, Survey,
};
use crate::error::Result;
use crate::text::moment;
use crate::ui::{self, Standing};

pub(super) async fn status(session: &Session, arguments: &cli::Stacks) -> Result<u8> {
    let look = Look::with_gone(session, Some(arguments)).await?;
    let mut targets = look.targets.clone();
    targets.retain(|target| !look.orphans.iter().any(|orphan| orphan.target() == *target));
    let mut report = session
        .guard(Box::pin(engine::status(&look.context, &targets)))
        .await??;
    let given = engine::given_fast(&look.context, &targets, &mut report);
    session.guard(Box::pin(given)).await?;
    let begun = engine::unfinished(&look.context, &look.memory, &targets, &mut report);
    for stack in report.stacks.iter_mut().filter(|it| it.id.is_some()) {
        stack.led_back = look.led_back(session, &stack.stack).await?;
        // Every deploy fails until the function is mended; who led it back on purpose is done.
        if stack.led_back.iter().any(|it| !it.is_wanted()) {
            let command = format!("stackctl deploy {}", stack.stack);
            stack
                .next
                .get_or_insert_with(|| engine::command(&look.context, &command));
        }
    }
    for unknown in &report.unknown {
        session.ui.warn(unknown);
    }
    let (survey, unseen) = besides(session, &look, arguments).await?;
    for row in report
        .stacks
        .iter()
        .filter(|row| begun.contains(&row.stack))
    {
        orphans::tell_gone(
            &session.ui,
            &row.stack,
            row.next.as_deref().unwrap_or_default(),
        );
    }
    let (gone, orphans): (Vec<&Orphan>, Vec<&Orphan>) =
        survey.orphans.iter().partition(|orphan| orphan.is_gone());
    for orphan in gone {
        orphans::tell_gone(&session.ui, &orphans::placed(orphan), &orphan.next);
    }
    for text in orphans::strayed(&survey.strays, look.context.clients.region()) {
        session.ui.warn(text);
    }
    if session.ui.json() {
        let mut document = Document::new(&report, &survey, look.outdated.is_none());
        document.unseen = unseen;
        session.ui.document(&document);
        return Ok(0);
    }
    let standings = report.stacks.iter().map(|stack| Standing {
        stack: &stack.stack,
        status: stack.status.as_str(),
        settled: stack.settled,
        next: stack.next.as_deref(),
    });
    let others = survey.orphans.iter().map(|orphan| {
        let is_way = look.outdated.is_none() || orphan.is_gone();
        Standing {
            stack: &orphan.stack,
            status: orphan.status.as_str(),
            settled: orphan.status.is_settled(),
            next: is_way.then_some(orphan.next.as_str()),
        }
    });
    let standings: Vec<_> = standings.chain(others).collect();
    session.ui.out(ui::standings(&standings));
    for told in report.stacks.iter().filter_map(StackStatusReport::renaming) {
        session.ui.warn(told);
    }
    for stack in &report.stacks {
        if let Some(began) = &stack.rolled_back {
            let name = &stack.stack;
            let at = moment(began);
            if stack.next.is_none() {
                session.ui.tell(format!(
                    "{name}: the update of {at} was rolled back, and what is deployed is what the source said at the last deploy: nothing is left to do"
                ));
            } else {
                session.ui.warn(format!(
                    "{name}: the update of {at} was rolled back, so the stack is as it was before; where the source was taken back too, the next deploy says so and changes nothing"
                ));
                let explain = engine::command(&look.context, &format!("stackctl explain {name}"));
                session.ui.line(format!("  to see why: {explain}"));
            }
        }
    }
    for stack in report.stacks.iter().filter(|it| it.unproven) {
        session.ui.warn(ui::unproven(&stack.stack));
    }
    if !orphans.is_empty() {
        let names = orphans
            .iter()
            .map(|orphan| format!("{}{}", orphan.stack, orphans::last(orphan)));
        let names = names.collect::<Vec<_>>().join(", ");
        session.ui.warn(match &look.outdated {
            None => format!("not in this source: {names}"),
            // It may be in the source of now, which nobody rendered here.
            Some(time) => format!(
                "not in the last synth{time}: {names}; `stackctl synth` tells whether the source has them"
            ),
        });
    }
    let app = look.context.ownership.app.as_deref();
    orphans::tell_unowned(&session.ui, &survey.unowned, app);
    for stack in report.stacks.iter().filter(|it| !it.fast.is_empty()) {
        session.ui.warn(ui::given_fast(&GivenFast {
            stack: stack.stack.clone(),
            resources: stack.fast.clone(),
            last: stack.fast_last.clone(),
            until: None,
        }));
    }
    Ok(0)
}

/// Looks for what is deployed besides the source, where no stack was named; where any was, those are told. Whoever may not look is
/// told so, and gets the regions of which nobody knows.
async fn besides(
    session: &Session,
    look: &Look,
    arguments: &cli::Stacks,
) -> Result<(Survey, Vec<String>)> {
    if !arguments.stacks.is_empty() {
        let survey = Survey {
            orphans: [look.orphans.as_slice(), &look.gone].concat(),
            ..Survey::default()
        };
        return Ok((survey, Vec::new()));
    }
    let survey = orphans::look(session, &look.context, &look.ground).await?;
    let mut survey = survey.unwrap_or_else(|unseen| {
        unseen.tell(&session.ui);
        Survey::default()
    });
    let none = BTreeSet::new();
    let known = (&look.memory, &none);
    let gone = orphans::add_gone(session, &look.context, &look.ground, known, &mut survey);
    gone.await?;
    orphans::tell_unseen(&session.ui, &look.ground, &survey.unseen);
    let unseen = orphans::unseen(&look.ground, &survey);
    Ok((survey, unseen))
}

/// What `--json` prints: stacks that the source does not have stand among the others and say so, and those of which nobody
/// knows whose they are apart.
#[derive(Serialize)]
struct Document<'a> {
    stacks: Vec<Row<'a>>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unowned: Vec<Besides<'a>>,
    /// The stacks of the app whose stages it does not have any more.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    strays: &'a [Stray],
    /// The regions in which nobody could look for what the source does not have.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    unseen: Vec<String>,
}

/// A stack of the document.
#[derive(Serialize)]
#[serde(untagged)]
enum Row<'a> {
    Source(&'a StackStatusReport),
    Orphan(Besides<'a>),
}

/// A stack that the source does not have.
#[derive(Serialize)]
struct Besides<'a> {
    stack: &'a str,
    status: &'a StackStatus,
    settled: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    next: Option<&'a str>,
    /// Whether it is one of this app.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    orphan: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<&'a str>,
    /// Who changed it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<&'a Last>,
}

impl<'a> Document<'a> {
    /// What is deployed besides the source is only told to be removed where the source is known.
    fn new(report: &'a StatusReport, survey: &'a Survey, is_known: bool) -> Self {
        let sources = report.stacks.iter().map(Row::Source);
        let orphans = survey.orphans.iter();
        Self {
            stacks: sources
                .chain(orphans.map(|orphan| {
                    let is_way = is_known || orphan.is_gone();
                    let next = is_way.then_some(orphan.next.as_str());
                    Row::Orphan(Besides::new(orphan, orphan.app.is_some(), next))
                }))
                .collect(),
            unowned: survey
                .unowned
                .iter()
                .map(|orphan| Besides::new(orphan, false, None))
                .collect(),
            strays: &survey.strays,
            unseen: Vec::new(),
        }
    }
}

impl<'a> Besides<'a> {
    fn new(orphan: &'a Orphan, is_ours: bool, next: Option<&'a str>) -> Self {
        Self {
            stack: &orphan.stack,
            status: &orphan.status,
            settled: orphan.status.is_settled(),
            next,
            last: orphan.last.as_ref(),
            orphan: is_ours,
            region: orphan.region.as_deref(),
        }
    }
}
