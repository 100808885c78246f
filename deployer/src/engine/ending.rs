//! What became of each of several stacks, whatever was done to them.

use super::{Context, Event, Failure, event::Outcome, graph::Ended};

/// What became of one stack.
pub(super) trait Ending {
    /// Says that it was not begun because of another.
    fn skipped(stack: String) -> Self;

    /// Returns the stack, how it ended up, and why it failed, where it did.
    fn told(&self) -> (&str, Outcome, Option<&Failure>);

    /// Returns how it ended up.
    fn outcome(&self) -> Outcome {
        self.told().1
    }
}

/// Says to those that depend on a stack whether they may follow.
pub(super) fn verdict<R: Ending>(report: R) -> Result<R, R> {
    if report.outcome().is_good() {
        Ok(report)
    } else {
        Err(report)
    }
}

/// Returns what became of the stacks of a graph, and tells which were not begun.
pub(super) fn reports<R: Ending>(
    context: &Context,
    ended: impl Iterator<Item = ((String, Vec<String>), Ended<R>)>,
) -> Vec<R> {
    ended
        .map(|((stack, _), ended)| match ended {
            Ended::Done(report) | Ended::Failed(report) => report,
            Ended::Skipped(because) => {
                context.emit(Event::StackSkipped {
                    stack: stack.clone(),
                    because,
                });
                R::skipped(stack)
            }
        })
        .collect()
}

/// Returns whether any stack ended up like this.
pub(super) fn any(reports: &[impl Ending], outcome: Outcome) -> bool {
    reports.iter().any(|report| report.outcome() == outcome)
}

/// Returns why stacks failed.
pub(super) fn failures<R: Ending>(reports: &[R]) -> impl Iterator<Item = &Failure> {
    reports.iter().filter_map(|report| report.told().2)
}

/// Names the stacks that are not what they should be.
pub(super) fn unfinished(reports: &[impl Ending]) -> String {
    let unfinished = reports.iter().filter(|report| !report.outcome().is_good());
    let names: Vec<&str> = unfinished.map(|report| report.told().0).collect();
    names.join(", ")
}

/// Says that a run was stopped: what became of the stack, where it is one, and otherwise before what of which.
pub(super) fn stopped(reports: &[impl Ending], before: &str) -> String {
    let mut unfinished = reports.iter().filter(|report| !report.outcome().is_good());
    match (unfinished.next().map(Ending::told), unfinished.next()) {
        (Some((_, Outcome::Interrupted, Some(failure))), None) => failure.message.clone(),
        _ => format!("stopped before {before}: {}", self::unfinished(reports)),
    }
}
