//! Says what an operation left outside of its stack: nobody else remembers it.
//!
//! What an update takes out of a stack and retains is known before it begins, and noted then: a run that is killed after that,
//! or stopped while the update goes on, leaves the note to the next one, which compares it with what really left.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, SystemTime},
};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::operation::aws;
use crate::aws::AwsError;
use crate::engine::{
    Context, DeployedStack, Event, Left, ProposedChanges, ResourceEvent, Retained, StackError,
    activity::{self, Ended},
    change_set::Change,
    destroy::{Adoption, Parting, is_part, parsed},
    graph,
    inspect::{self, DeployedResource},
};

/// How far the clock of this machine may be from that of AWS, and how long events may come late.
const LATE: Duration = Duration::from_mins(10);

/// What an operation may leave outside of its stack, as it is known before it begins.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(in crate::engine) struct Foreseen {
    /// The ARN of the stack: another one of the same name may follow.
    pub(super) stack_id: String,
    /// The token that the events of the operation carry.
    pub(super) token: String,
    /// When it was noted.
    pub(super) noted: SystemTime,
    /// The template of the stack that says what leaves.
    pub(super) template: Value,
    /// The values of its parameters, as AWS tells them: hidden ones are masked.
    pub(super) parameters: BTreeMap<String, String>,
    /// The tags of the stack.
    #[serde(default)]
    pub(super) tags: BTreeMap<String, String>,
    /// What the stack has.
    pub(super) resources: Vec<DeployedResource>,
    /// What leaves it, of that.
    pub(super) leaving: Vec<DeployedResource>,
}

/// Notes what an update is about to take out of its stack and to leave in the account, and what of the new its rollback would
/// keep. What ends with another resource, such as the versions of a function, stays no longer than that does.
pub(super) async fn foresee(
    context: &Context,
    stack: &StackManifest,
    deployed: Option<&DeployedStack>,
    next: &str,
    (token, changes): (&str, &ProposedChanges),
) -> Result<(), StackError> {
    // What a failed creation kept, its stack has as long as it is there.
    let Some(deployed) = deployed else {
        return Ok(());
    };
    let next: Value = serde_json::from_str(next).unwrap_or_default();
    let changes = changes.changes.iter();
    let changes = changes.filter(|change| !is_part(&change.resource_type));
    let leaving: Vec<DeployedResource> = changes.clone().filter_map(leaving).collect();
    // The rollback of an update deletes what is new, but for this.
    let kept: BTreeSet<&str> = changes
        .filter(|change| change.action == "Add")
        .map(|change| change.logical_id.as_str())
        .filter(|id| next["Resources"][*id]["DeletionPolicy"] == "Retain")
        .collect();
    if leaving.is_empty() && kept.is_empty() {
        return Ok(());
    }
    let read = async {
        if leaving.is_empty() {
            return Ok((Value::Null, Vec::new()));
        }
        let clients = &context.clients;
        let before = inspect::template(clients, &deployed.id).await?;
        let resources = inspect::resources(clients, &deployed.id).await?;
        Ok((parsed(before), resources))
    };
    let (before, resources) = read.await.map_err(|source| aws(stack, source))?;
    let mut template = before;
    for id in kept {
        // What is new has an id that the template did not have.
        for section in ["Resources", "Parameters"] {
            let entries = next[section].as_object().into_iter().flatten();
            for (name, entry) in entries.filter(|(name, _)| section != "Resources" || *name == id) {
                template[section][name.as_str()] = entry.clone();
            }
        }
    }
    let foreseen = Foreseen {
        token: token.to_owned(),
        ..Foreseen::of(context, deployed, template, resources, leaving)
    };
    if let Err(error) = context.aside.foresee(context, &stack.name, foreseen) {
        context.emit(Event::Warning {
            stack: stack.name.clone(),
            message: format!(
                "what the update retains is not noted before it begins ({error}): a run that is killed loses it"
            ),
        });
    }
    Ok(())
}

/// Returns what a change removes or replaces and leaves in the account; see `PolicyAction` in
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html>.
fn leaving(change: &Change) -> Option<DeployedResource> {
    match change.policy_action.as_deref() {
        Some("Retain" | "ReplaceAndRetain") => Some(DeployedResource {
            logical_id: change.logical_id.clone(),
            resource_type: change.resource_type.clone(),
            physical_id: change.physical_id.clone()?,
        }),
        _ => None,
    }
}

/// Forgets what was noted of an operation that never began, or of which everything is written down.
pub(super) fn forget(context: &Context, stack: &str) {
    if let Err(error) = context.aside.forget(context, stack) {
        context.emit(Event::Warning {
            stack: stack.to_owned(),
            message: format!("what was noted before its update cannot be removed: {error}"),
        });
    }
}

/// Tells of what an operation left outside that ended, and writes it down: what an update took out of the stack and retained,
/// and what a failed update made that its rollback kept.
///
/// A rollback deletes what is new, but for what its template says `Retain` of: it stays, and the stack does not have it any
/// more, which the events alone say
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_UpdateStack.html>, `RetainExceptOnCreate`). What a
/// failed creation kept, its stack has as long as it is there.
pub(in crate::engine) async fn ended(
    context: &Context,
    stack: &StackManifest,
    stack_id: &str,
    ended: &Ended,
) {
    let name = stack.name.as_str();
    let foreseen = context.aside.foreseen(context, name);
    let foreseen = foreseen.filter(|it| it.stack_id == stack_id);
    let earlier = context.aside.parted(context, name);
    let left = if ended.status.is_good() {
        let leaving = foreseen.iter().flat_map(|it| &it.leaving);
        leaving.cloned().collect()
    } else if ended.status.as_str().starts_with("UPDATE_ROLLBACK") {
        skipped(&ended.events)
    } else {
        return;
    };
    let of = (name, stack_id);
    let is_there = !ended.status.is_deleted();
    if let Err((left, error)) = leave(context, of, foreseen.as_ref(), is_there, left).await {
        let names: Vec<&str> = left.iter().map(|it| it.physical_id.as_str()).collect();
        context.emit(Event::Warning {
            stack: name.to_owned(),
            message: format!(
                "it kept {}, and nobody knows whether the stack still has that: {error}",
                names.join(", ")
            ),
        });
        return;
    }
    // A rollback that failed goes on and may keep more.
    if foreseen.is_some() && ended.status.is_updatable() {
        forget(context, name);
    }
    if ended.status.is_good() && !earlier.is_empty() {
        into_new(context, name, stack_id, earlier).await;
    }
}

/// Tells of what a failed creation kept whose stack is about to go, and writes it down.
pub(super) fn fallen(context: &Context, stack: &str, kept: Foreseen) {
    let left = kept.leaving.clone();
    stay(context, stack, (&left, Some(kept)), None);
}

/// Returns what events tell to have been kept where something was to be deleted, but for what goes with something else.
fn skipped(events: &[ResourceEvent]) -> Vec<DeployedResource> {
    let mut skipped = Vec::new();
    let kept = events.iter().filter(|it| it.status == "DELETE_SKIPPED");
    for event in kept.filter(|it| !is_part(&it.resource_type)) {
        let Some(physical_id) = event.physical_id.clone().filter(|_| !event.is_stack()) else {
            continue;
        };
        let resource = DeployedResource {
            logical_id: event.logical_id.clone(),
            resource_type: event.resource_type.clone(),
            physical_id,
        };
        if !skipped.contains(&resource) {
            skipped.push(resource);
        }
    }
    skipped
}

/// Writes down what of some resources the stack does not have any more, with what takes it back: into the stack, where that is
/// still there, and into a new one otherwise. Where nobody can look, they come back.
async fn leave(
    context: &Context,
    (stack, stack_id): (&str, &str),
    foreseen: Option<&Foreseen>,
    is_there: bool,
    mut left: Vec<DeployedResource>,
) -> Result<(), (Vec<DeployedResource>, AwsError)> {
    if left.is_empty() {
        return Ok(());
    }
    let looked = async {
        let has = inspect::resources(&context.clients, stack_id).await?;
        left.retain(|it| {
            let is_same = |own: &DeployedResource| {
                own.resource_type == it.resource_type && own.physical_id == it.physical_id
            };
            !has.iter().any(is_same)
        });
        match foreseen.filter(|_| is_there && !left.is_empty()) {
            Some(_) => inspect::template(&context.clients, stack_id).await,
            None => Ok(None),
        }
    };
    let stays = match looked.await {
        Ok(stays) => stays,
        Err(error) => return Err((left, error)),
    };
    let parted = foreseen.map(|foreseen| Foreseen {
        leaving: left.clone(),
        ..foreseen.clone()
    });
    let stays = stays.map(|stays| parsed(Some(stays)));
    stay(context, stack, (&left, parted), stays.as_ref());
    Ok(())
}

/// Tells of what stays in the account outside of its stack, and writes it down, with what takes it back into the stack as it
/// `stays`, where that is there.
fn stay(
    context: &Context,
    stack: &str,
    (left, parted): (&[DeployedResource], Option<Foreseen>),
    stays: Option<&Value>,
) {
    for it in left {
        let it = Retained::new(context, it);
        let mut message = format!(
            "{} ({}, {}) belongs to no stack from now on, because its policy retains it",
            it.logical_id, it.resource_type, it.physical_id
        );
        if !it.remove.is_empty() {
            message.extend(["; to remove it: `", &it.remove.join(" && "), "`"]);
        }
        if let Some(remark) = it.remark() {
            message += "; ";
            message += remark;
        }
        context.emit(Event::Warning {
            stack: stack.to_owned(),
            message,
        });
    }
    write_down(context, stack, (left, parted), stays);
}

/// Writes down what belongs to no stack from now on.
fn write_down(
    context: &Context,
    stack: &str,
    (left, parted): (&[DeployedResource], Option<Foreseen>),
    stays: Option<&Value>,
) {
    if left.is_empty() {
        return;
    }
    let retained = left.iter().map(|it| Retained::new(context, it));
    let adoption = parted.as_ref().and_then(|parted| parted.adoption(stays));
    let left = Left {
        ledger: retained.collect(),
        region: Some(context.clients.region().to_owned()),
        adoptions: adoption.into_iter().collect(),
        ..Left::default()
    };
    if let Some(parted) = parted {
        context.aside.part(context, stack, parted);
    }
    if let Err(error) = context.leave_aside(stack, left) {
        context.emit(Event::Warning {
            stack: stack.to_owned(),
            message: format!("what stays outside is not written down: {error}"),
        });
    }
}

impl Foreseen {
    /// Says what leaves a stack in an operation that is not followed, or has ended.
    pub(in crate::engine) fn of(
        context: &Context,
        deployed: &DeployedStack,
        template: Value,
        resources: Vec<DeployedResource>,
        leaving: Vec<DeployedResource>,
    ) -> Self {
        Self {
            stack_id: deployed.id.clone(),
            token: String::new(),
            noted: context.timing.now(),
            template,
            parameters: deployed.parameters.clone(),
            tags: deployed.tags.clone(),
            resources,
            leaving,
        }
    }

    /// Returns what takes back what leaves, into the stack as it stays; without that, into a new one of the same name.
    fn adoption(&self, stays: Option<&Value>) -> Option<Adoption> {
        // Somebody else wrote it in another language: then nobody knows what the stack has.
        if stays.is_some_and(|stays| !stays.is_object()) {
            return None;
        }
        let resources = self.resources.iter().chain(&self.leaving);
        Adoption::of(&Parting {
            stack_id: &self.stack_id,
            template: &self.template,
            parameters: &self.parameters,
            tags: &self.tags,
            resources: resources.collect(),
            leaving: self.leaving.iter().collect(),
            stays,
        })
    }
}

/// Writes down what left a stack to be renamed and stays outside, which somebody else tells of.
pub(super) fn moved(context: &Context, stack: &str, left: Foreseen, stays: &Value) {
    let moved = left.leaving.clone();
    write_down(context, stack, (&moved, Some(left)), Some(stays));
}

/// Writes down again what left a stack earlier in this run, because the stack is gone since: it is taken back into a new one.
pub(in crate::engine) fn gone(context: &Context, stack: &str) {
    for parted in context.aside.parted(context, stack) {
        let left = parted.leaving.clone();
        write_down(context, stack, (&left, Some(parted)), None);
    }
}

/// Writes down again what left a stack earlier in this run, because it is taken back into what the stack has now.
async fn into_new(context: &Context, stack: &str, stack_id: &str, parted: Vec<Foreseen>) {
    match inspect::template(&context.clients, stack_id).await {
        Ok(stays) => {
            let stays = parsed(stays);
            for parted in parted {
                let left = parted.leaving.clone();
                write_down(context, stack, (&left, Some(parted)), Some(&stays));
            }
        }
        Err(error) => context.emit(Event::Warning {
            stack: stack.to_owned(),
            message: format!(
                "what is written down to take back what it retained is for the stack as it was before: {error}"
            ),
        }),
    }
}

/// Writes down what an update left outside whose run did not come to it, once nothing runs on the stack any more.
pub(in crate::engine) async fn recover(context: &Context, stack: &str) -> Result<(), AwsError> {
    let Some(foreseen) = context.aside.foreseen(context, stack) else {
        return Ok(());
    };
    let clients = &context.clients;
    let Some(deployed) = inspect::describe(clients, &foreseen.stack_id).await? else {
        forget(context, stack);
        return Ok(());
    };
    if !deployed.status.is_settled() {
        return Ok(());
    }
    let events = since(context, &foreseen).await?;
    if events.is_empty() {
        // It was never executed, unless that was a moment ago.
        let age = context.timing.now().duration_since(foreseen.noted);
        if age.is_ok_and(|age| age > LATE) {
            forget(context, stack);
        }
        return Ok(());
    }
    let is_gone = |it: &&DeployedResource| {
        events.iter().any(|event| {
            event.status == "DELETE_COMPLETE"
                && event.physical_id.as_deref() == Some(it.physical_id.as_str())
        })
    };
    // What a stack deleted that is gone is not in the list of what it has either; the events tell what it kept.
    let leaving = foreseen.leaving.iter();
    let leaving = leaving.filter(|it| !deployed.status.is_deleted() && !is_gone(it));
    let mut left = skipped(&events);
    for it in leaving {
        if !left.iter().any(|own| own.physical_id == it.physical_id) {
            left.push(it.clone());
        }
    }
    let of = (stack, foreseen.stack_id.as_str());
    let is_there = !deployed.status.is_deleted();
    let written = leave(context, of, Some(&foreseen), is_there, left).await;
    written.map_err(|(_, error)| error)?;
    // A rollback that failed goes on and may keep more.
    if deployed.status.is_updatable() || deployed.status.is_deleted() {
        forget(context, stack);
    }
    Ok(())
}

/// Returns what happened since an operation began; nothing, where it did not.
async fn since(context: &Context, foreseen: &Foreseen) -> Result<Vec<ResourceEvent>, AwsError> {
    let begun = AtomicBool::new(false);
    let events = activity::read_until(&context.clients, &foreseen.stack_id, |event| {
        if event.client_request_token.as_deref() == Some(&*foreseen.token) {
            begun.store(true, Ordering::Relaxed);
            return false;
        }
        let time = event.timestamp.and_then(inspect::time);
        let is_earlier = time.is_some_and(|time| time + LATE < foreseen.noted);
        is_earlier || (begun.load(Ordering::Relaxed) && activity::is_end(event))
    })
    .await?;
    if !begun.into_inner() {
        return Ok(Vec::new());
    }
    let events = events.into_iter();
    Ok(events
        .map(|event| activity::resource(event, None))
        .collect())
}

/// Writes down what updates left outside whose runs did not come to it. Returns why nobody knows of some, by stack.
pub async fn recover_all(context: &Context) -> BTreeMap<String, AwsError> {
    let noted = context.aside.noted(context);
    let looks = noted.iter().map(|(region, stack)| async move {
        let context = context.in_region(Some(region));
        (stack, recover(&context, stack).await)
    });
    let looked = graph::abreast(context.concurrency, looks.collect()).await;
    let failed = looked.into_iter();
    failed
        .filter_map(|(stack, looked)| Some((stack.clone(), looked.err()?)))
        .collect()
}
