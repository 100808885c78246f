//! Where a change set and the plan that was shown disagree.

#[cfg(test)]
mod tests;

use std::fmt;

use crate::engine::plan::{self, Action, Beyond, Grade, Plan, ResourceChange, StackPlan};
use crate::engine::{Change, ProposedChanges, Replacement};

/// Says what was planned for a stack in which CloudFormation finds nothing to change; nothing, where that is nothing.
pub(super) fn nothing_changes(plan: &Plan, stack: &str) -> Option<String> {
    let planned = plan.stacks.iter().find(|planned| planned.stack == stack)?;
    let changes = planned.changes.iter();
    let names: Vec<String> = changes
        .map(|change| format!("{} ({})", change.logical_id, change.resource_type))
        .chain(planned.other.iter().map(|change| change.path.to_string()))
        .collect();
    (!names.is_empty()).then(|| {
        format!(
            "CloudFormation finds nothing to change in {stack}, and leaves as they are: {}",
            names.join(", ")
        )
    })
}

/// A disagreement between a change set and the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Surprise {
    /// The logical id of the resource.
    pub(super) logical_id: String,
    /// Its type.
    resource_type: String,
    /// What would happen, in words: `would be replaced`.
    pub(super) word: &'static str,
    /// Whether it may destroy what the plan keeps, so that the consent to the plan does not cover it.
    pub(super) dangerous: bool,
    /// How dangerous it is.
    pub(super) grade: Grade,
    /// Whether it does more than the plan, or something else: whoever kept the plan did not keep that.
    pub(super) beyond: bool,
    /// Why, where `CloudFormation` tells the values.
    pub(super) reasons: Vec<String>,
}

/// What is said of a resource of which a change set does not know whether it is replaced.
const POSSIBLY: &str = "may be replaced";

/// What is said of it where its data would go, and the plan keeps it.
const POSSIBLY_LOST: &str = "may be replaced, and its data deleted";

/// What is said of a new resource that the plan does not know, and that lets somebody in by its type.
const LETS_IN: &str = "would be created, and may let somebody in";

/// What is said of one that lets nobody in, or that was to be made anew anyway.
const CREATED: &str = "would be created";

/// What is said of a resource that the plan does not change, and that lets somebody in by its type.
const LETS_MORE: &str = "would be updated, and may let somebody in";

/// What is said of one of which more becomes another than the plan says.
const MORE: &str = "would be updated beyond the plan";

/// What is said of one that the plan does not change.
const UPDATED: &str = "would be updated";

/// What is said of one that is planned to change, and does not.
const STAYS: &str = "would stay as it is";

/// What is said of a stack in the stack that CloudFormation lists because it lists them all.
const LISTED: &str =
    "would be updated if what stands at the address of its template is another one by now";

impl Surprise {
    /// Returns whether it is no more than that a change set does not know what the plan knows.
    pub(super) fn is_guessed(&self, plan: &StackPlan) -> bool {
        let mut planned = plan.changes.iter();
        [POSSIBLY, POSSIBLY_LOST, LETS_MORE].contains(&self.word)
            && planned.any(|it| it.logical_id == self.logical_id && it.action == Action::Update)
    }
}

impl fmt::Display for Surprise {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            logical_id,
            resource_type,
            word,
            ..
        } = self;
        write!(f, "{logical_id} ({resource_type}) {word}")?;
        match self.reasons.first() {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

/// Returns where a change set and the plan of its stack disagree: first what is proposed, then what was planned and is not
/// proposed.
pub(super) fn surprises(plan: &StackPlan, changes: &ProposedChanges) -> Vec<Surprise> {
    let proposed = changes.changes.iter().flat_map(|change| {
        let mut known = plan.changes.iter();
        let known = known.find(|planned| planned.logical_id == change.logical_id);
        of_change(known, change, changes)
    });
    let missing = plan
        .changes
        .iter()
        // The other part does the rest.
        .filter(|_| !changes.partial)
        .filter(|planned| {
            // CloudFormation lists no update that touches nothing but the policies of a resource.
            planned.action != Action::Update || !planned.properties.is_empty()
        })
        // It changes only if another one is replaced, which the plan left open.
        .filter(|planned| !planned.only_follows())
        .filter(|planned| {
            changes
                .changes
                .iter()
                .all(|change| change.logical_id != planned.logical_id)
        })
        .map(|planned| Surprise {
            logical_id: planned.logical_id.clone(),
            resource_type: planned.resource_type.clone(),
            word: STAYS,
            dangerous: false,
            grade: Grade::None,
            beyond: false,
            reasons: Vec::new(),
        });
    proposed.chain(missing).collect()
}

/// Returns where one change and the plan disagree, once for each danger.
fn of_change(
    known: Option<&ResourceChange>,
    change: &Change,
    set: &ProposedChanges,
) -> Vec<Surprise> {
    let surprise = |word, dangerous, grade, beyond| Surprise {
        logical_id: change.logical_id.clone(),
        resource_type: change.resource_type.clone(),
        word,
        dangerous,
        grade,
        beyond,
        reasons: Vec::new(),
    };
    let otherwise = disagreement(known, change, set);
    let more = more(known, change, set);
    let mut found = Vec::new();
    if let Some((word, dangerous)) = otherwise {
        let grade = grade(change, word, dangerous);
        let beyond = match word {
            // Of what is updated all the same, only what is not planned counts.
            UPDATED => more.is_some(),
            CREATED => known.is_none_or(|known| known.action != Action::Update),
            _ => dangerous,
        };
        found.push(surprise(word, dangerous, grade, beyond));
    }
    let Some(more) = more else {
        return found;
    };
    // What is told beside has the word of the other one, which says more.
    let word = match (otherwise, more.reasons.is_empty()) {
        (Some((word, _)), _) if word != UPDATED => word,
        (_, true) if !more.dangers.is_empty() => LETS_MORE,
        (Some(_), _) => UPDATED,
        (None, _) => MORE,
    };
    if more.dangers.is_empty() {
        // A place that tells no values cannot tell either whether there is anything else.
        if otherwise.is_none() && change.values.is_some() {
            found.push(surprise(word, false, Grade::UpdateInPlace, true));
        }
        return found;
    }
    found.retain(|surprise| surprise.dangerous || surprise.word != UPDATED);
    found.extend(more.dangers.iter().map(|danger| Surprise {
        reasons: more.reasons.clone(),
        ..surprise(word, true, *danger, true)
    }));
    found
}

/// Returns what an update of a resource does beyond its plan. All of a new stack is new, and what only follows another
/// resource is judged there.
fn more(known: Option<&ResourceChange>, change: &Change, set: &ProposedChanges) -> Option<Beyond> {
    if change.action != "Modify" || set.create || !change.follows.is_empty() {
        return None;
    }
    let of_properties = change.scope.iter().any(|part| part == "Properties");
    let details = change.own.is_empty() && change.properties.is_empty();
    let is_open = of_properties || change.scope.is_empty();
    if known.is_none() && details && is_open && !change.is_automatic {
        // Something becomes another, and not even its name is told.
        return plan::beyond(None, &change.resource_type, &[String::new()], None);
    }
    plan::beyond(
        known,
        &change.resource_type,
        &change.own,
        change.values.as_ref(),
    )
}

/// Returns how dangerous a change is that the plan does not know.
fn grade(change: &Change, word: &str, dangerous: bool) -> Grade {
    let policy = change.policy_action.as_deref();
    let is_lost = matches!(policy, None | Some("Delete" | "ReplaceAndDelete"))
        && plan::holds_data(&change.resource_type);
    match change.action.as_str() {
        "Remove" if policy == Some("Retain") => Grade::None,
        "Remove" if is_lost => Grade::DataLoss,
        "Remove" => Grade::Interruption,
        "Modify" if dangerous && is_lost => Grade::DataLoss,
        "Modify" if dangerous => Grade::Replacement,
        "Modify" => Grade::UpdateInPlace,
        "Add" if word == LETS_IN => plan::lets_in(&change.resource_type).unwrap_or_default(),
        "Add" if dangerous && plan::holds_data(&change.resource_type) => Grade::DataLoss,
        "Add" | "Import" => Grade::None,
        // What is not known may be as bad as a replacement.
        _ => Grade::Replacement,
    }
}

/// Returns in which way a change is not the planned one, and whether that is dangerous.
///
/// The words of CloudFormation are those of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html>.
fn disagreement(
    planned: Option<&ResourceChange>,
    change: &Change,
    set: &ProposedChanges,
) -> Option<(&'static str, bool)> {
    let action = planned.map(|planned| planned.action);
    let policy = change.policy_action.as_deref();
    let perhaps = planned.is_some_and(|planned| planned.perhaps);
    // Whether data goes that the plan keeps.
    let is_lost = || {
        planned.is_some_and(|planned| planned.grade < Grade::DataLoss)
            && policy == Some("ReplaceAndDelete")
            && plan::holds_data(&change.resource_type)
    };
    match change.action.as_str() {
        "Remove" => match (action, policy) {
            (Some(Action::Retain), Some("Delete")) => {
                Some(("would be deleted and not retained", true))
            }
            (Some(Action::Retain), Some("Snapshot")) => {
                Some(("would be deleted, with a snapshot, and not retained", true))
            }
            (Some(Action::Delete), Some("Retain")) => {
                Some(("would be retained, outside of the stack", false))
            }
            (Some(Action::Delete | Action::Retain), _) => None,
            (_, Some("Retain")) => Some(("would leave the stack and stay", true)),
            _ => Some(("would be removed", true)),
        },
        "Modify" => match change.replacement {
            Some(Replacement::Always | Replacement::Conditional | Replacement::Unknown)
                if action == Some(Action::Replace) =>
            {
                is_lost().then_some(("would be replaced, and its data deleted", true))
            }
            // What may be replaced has the grade of a replacement, and whoever agreed to the plan agreed to that.
            Some(Replacement::Always) if perhaps && is_lost() => {
                Some(("would be replaced, and its data deleted", true))
            }
            Some(Replacement::Always) => Some(("would be replaced", !perhaps)),
            _ if only_follows(change, &set.changes) => None,
            Some(Replacement::Conditional | Replacement::Unknown) if perhaps => {
                is_lost().then_some((POSSIBLY_LOST, true))
            }
            Some(Replacement::Conditional | Replacement::Unknown) => Some((POSSIBLY, true)),
            _ => match action {
                Some(Action::Update) => None,
                Some(Action::Replace) => Some(("would be updated in place", false)),
                Some(Action::Delete | Action::Retain) => {
                    Some(("would stay in the stack, and be updated", false))
                }
                None if change.is_automatic => Some((LISTED, false)),
                _ => Some((UPDATED, false)),
            },
        },
        "Add" => match action {
            Some(Action::Create) => None,
            // Beside the one that was to be taken into the stack, with all that it holds.
            Some(Action::Import) => Some(("would be created, and not imported", true)),
            // What the plan takes to be there and to stay is not: what is made is empty.
            Some(Action::Update) if plan::holds_data(&change.resource_type) => {
                let known = planned.is_some_and(|planned| planned.grade == Grade::DataLoss);
                Some(if known {
                    (CREATED, false)
                } else {
                    ("would be created, and be empty", true)
                })
            }
            // All of a new stack is new, and nobody knows here what this one says.
            None if !set.create && plan::lets_in(&change.resource_type).is_some() => {
                Some((LETS_IN, true))
            }
            _ => Some((CREATED, false)),
        },
        "Import" => (action != Some(Action::Import)).then_some(("would be imported", true)),
        // Only what CloudFormation knows of it becomes another.
        "SyncWithActual" => action.map(|_| (STAYS, false)),
        _ => Some(("would change in a way that is not known beforehand", true)),
    }
}

/// Returns whether a resource changes only if one that it refers to becomes another, and none of those does.
///
/// CloudFormation lists whatever refers to a changed resource, as `Conditional` where another value would replace it: a
/// new version of a function's code names the permission to invoke the function, too. A resource that is updated in
/// place keeps its identity.
fn only_follows(change: &Change, all: &[Change]) -> bool {
    !change.follows.is_empty()
        && change.follows.iter().all(|followed| {
            all.iter().any(|other| {
                other.logical_id == *followed && other.replacement == Some(Replacement::Never)
            })
        })
}
