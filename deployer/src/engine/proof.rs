//! Proof that what was deployed does what it should.
//!
//! CloudFormation says that resources were made. It does not say whether a function runs the code that was built, whether
//! the queue it reads from is being read, or whether an API answers. So each stack is looked at once more when its
//! operation is over: what a stack does not do fails the deploy, as what could not be made does.
//!
//! Where the caller may not look, a warning says so: a deploy that was allowed is not undone by a missing permission to
//! look at it.

mod alias;
mod domain;
mod function;
mod led_back;
mod note;
mod smoke;
mod stage;
mod trigger;

use std::{collections::BTreeMap, fmt, sync::Arc, time::Duration};

use serde::Serialize;
use serde_json::Value;
use tokio::{sync::Semaphore, task::JoinSet};

use super::{
    Artifact, Context, Event, StackError,
    inspect::{self, DeployedResource},
    release::failed::{self, FailedCheck, ReleaseFailure},
    stack::Work,
};
use crate::aws::{AwsError, Clients, Fault};

pub use led_back::{LedBack, led_back};
pub(super) use note::{Note, due, failed, forget, lead_back, left, live, note};

/// How many resources are looked at together: the calls of Lambda that read are rationed at some tens a second.
const LOOKS: usize = 4;

/// What is known of a stack that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// This deploy made it what it is, or an earlier one did that was killed before its looks, or found that it does not do
    /// what it should.
    Unproven,
    /// Nobody knows whether it ever did what it should.
    Unknown,
    /// It did what it should when it was deployed.
    Proven,
}

/// What the looks at a stack came to, where nothing is wrong with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// All that there is to look at is good.
    Good,
    /// So is what the caller may look at, and something of it was looked at.
    Denied,
    /// Something could not be looked at, or another version answers than was deployed last: whoever comes next looks again.
    Unseen,
}

/// Something that a deployed stack should do and does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Disproof {
    /// The logical id of the resource, or the name of the check.
    pub subject: String,
    /// What is not so.
    pub claim: Claim,
    /// What is so instead, as a fragment.
    pub message: String,
}

/// What is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Claim {
    /// A function can be invoked, and its last update is over.
    FunctionSettled,
    /// A function has the code that was built.
    FunctionCode,
    /// What a function reads from is being read.
    TriggerEnabled,
    /// A stage of an API serves the deployment that was made for it.
    StageDeployment,
    /// A custom domain name leads to the API.
    DomainReached,
    /// A route answers as the stack says.
    SmokeCheck,
    /// What was deployed last of a released function is what its alias invokes.
    ReleaseLive,
}

impl fmt::Display for Disproof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.subject, self.message)
    }
}

/// One thing that is looked at.
#[derive(Clone, Debug)]
enum Subject {
    Function(function::Expected),
    Trigger(trigger::Expected),
    Stage(stage::Expected),
    Domain(domain::Expected),
}

/// What one look at it showed.
#[derive(Debug)]
enum Look {
    Good,
    Bad(Disproof),
    /// It may be right, and what is found may be that of the place from which it was looked at.
    Unsure(Disproof),
    /// It may be good after some time, and is bad where it is not after this much.
    NotYet(Disproof, Duration),
}

impl Subject {
    fn logical_id(&self) -> &str {
        match self {
            Self::Function(expected) => &expected.logical_id,
            Self::Trigger(expected) => &expected.logical_id,
            Self::Stage(expected) => &expected.logical_id,
            Self::Domain(expected) => &expected.logical_id,
        }
    }

    async fn look(&self, clients: &Clients) -> Result<Look, AwsError> {
        match self {
            Self::Function(expected) => function::look(clients, expected).await,
            Self::Trigger(expected) => trigger::look(clients, expected).await,
            Self::Stage(expected) => stage::look(clients, expected).await,
            Self::Domain(expected) => domain::look(clients, expected).await,
        }
    }
}

/// Looks whether a stack that was deployed does what it should.
pub(super) async fn prove(
    context: &Context,
    artifacts: &BTreeMap<String, Artifact>,
    work: &Work,
    standing: Standing,
    note: Option<&Note>,
) -> Result<Found, StackError> {
    // A template that cannot be read was deployed by nobody.
    let template: Value = serde_json::from_str(&work.template).unwrap_or_default();
    let unproven = standing != Standing::Proven;
    let stack = &work.manifest;
    let released = !stack.releases.is_empty();
    let needed = released || !stack.smoke.is_empty() || (unproven && has_subjects(&template));
    if !needed {
        return Ok(Found::Good);
    }
    let resources = match inspect::resources(&context.clients, &stack.name).await {
        Ok(resources) => resources,
        Err(error) => {
            let message = format!("nobody knows whether it does what it should: {error}");
            warn(context, work, message);
            return Ok(Found::Unseen);
        }
    };
    let (mut found, mut seen) = (Vec::new(), Found::Good);
    let mut is_anything_seen = false;
    let (mut functions, mut triggers, mut stages, mut domains) = (0, 0, 0, 0);
    if unproven {
        let subjects = subjects(context, &template, &resources, artifacts, work);
        for subject in &subjects {
            match subject {
                Subject::Function(_) => functions += 1,
                Subject::Trigger(_) => triggers += 1,
                Subject::Stage(_) => stages += 1,
                Subject::Domain(_) => domains += 1,
            }
        }
        (found, seen, is_anything_seen) = look_at_all(context, work, subjects).await;
    }
    let (led_back, aliases) = led_back::not_live(context, work, &resources).await;
    seen = seen.and(aliases);
    let mut answered = Vec::new();
    // What does not run cannot answer, and why it does not is known already.
    if found.is_empty() {
        (answered, found) = smoke::check(context, work, &template, &resources).await;
    }
    if context.cancel.is_cancelled() {
        return Err(StackError::Unlooked {
            stack: stack.name.clone(),
        });
    }
    let is_live = led_back.is_empty();
    // A run that is asked again and finds nothing to change would else succeed with code that nobody invokes.
    let (dead, ways) = led_back::told(context, work, &led_back);
    if found.is_empty() && dead.is_empty() {
        let is_looked_at = (unproven && seen == Found::Good) || !answered.is_empty();
        // Nothing of which nobody saw anything is proven.
        if seen == Found::Denied && !is_anything_seen && answered.is_empty() {
            seen = Found::Unseen;
        }
        // What this deploy made was never written down as failed, but for versions that an earlier one made.
        let may_have_failed = note.is_none_or(|note| !note.is_fresh || note.is_old);
        if may_have_failed && is_live && is_looked_at {
            failed::forgive(context, work, &note::deployed(work, &resources)).await;
        }
        if functions + triggers + stages + domains + answered.len() > 0 {
            context.emit(Event::StackProven {
                stack: stack.name.clone(),
                functions,
                triggers,
                stages,
                domains,
                answered,
            });
        }
        return Ok(if is_live { seen } else { Found::Unseen });
    }
    let unanswered = found.iter().any(|it| it.claim == Claim::SmokeCheck);
    let is_fresh = note.is_none_or(|note| note.is_fresh);
    // Where the release was proven once, something else may be to blame, as it may where another version answered.
    let is_to_blame = standing == Standing::Unproven && (is_fresh || is_live);
    let (moved, mut hints) = match unanswered {
        true if is_to_blame => alias::lead_back(context, work, note, &resources, &template).await,
        true => (Vec::new(), alias::ways_back(work, &led_back)),
        false if found.is_empty() => (Vec::new(), Vec::new()),
        false => {
            let hint = format!(
                "mend what is named, and deploy again (`stackctl deploy {}`): it is looked at anew",
                stack.name
            );
            (Vec::new(), vec![hint])
        }
    };
    if is_to_blame && !found.is_empty() {
        let checks = found.iter().map(|it| FailedCheck {
            subject: it.subject.clone(),
            message: it.message.clone(),
        });
        let failure = ReleaseFailure {
            checks: checks.collect(),
            led_back: moved,
            versions: note.map_or_else(BTreeMap::new, |note| note.made(work, &resources)),
        };
        failed::write(context, work, &failure).await;
    }
    found.extend(dead);
    hints.extend(ways);
    Err(StackError::Unproven {
        stack: stack.name.clone(),
        found,
        hints,
    })
}

impl Found {
    /// Returns what two looks came to together.
    fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unseen, _) | (_, Self::Unseen) => Self::Unseen,
            (Self::Denied, _) | (_, Self::Denied) => Self::Denied,
            (Self::Good, Self::Good) => Self::Good,
        }
    }
}

/// Returns what a look came to that failed. Whoever may not look will not see more the next time.
fn unseen(error: &AwsError) -> Found {
    match error.fault() {
        Fault::Denied { .. } => Found::Denied,
        _ => Found::Unseen,
    }
}

fn warn(context: &Context, work: &Work, message: String) {
    context.emit(Event::Warning {
        stack: work.manifest.name.clone(),
        message,
    });
}

/// Returns the resources of a template: logical ids, types and properties.
fn declared(template: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    let resources = template.get("Resources").and_then(Value::as_object);
    resources.into_iter().flatten().map(|(logical_id, body)| {
        let kind = body.get("Type").and_then(Value::as_str).unwrap_or_default();
        let properties = body.get("Properties").unwrap_or(&Value::Null);
        (logical_id.as_str(), kind, properties)
    })
}

fn has_subjects(template: &Value) -> bool {
    declared(template).any(|(_, kind, _)| {
        matches!(
            kind,
            function::TYPE | trigger::TYPE | stage::REST | stage::HTTP
        ) || domain::TYPES.contains(&kind)
    })
}

/// Returns what there is to look at, in the order of the logical ids.
fn subjects(
    context: &Context,
    template: &Value,
    resources: &[DeployedResource],
    artifacts: &BTreeMap<String, Artifact>,
    work: &Work,
) -> Vec<Subject> {
    let mut subjects: Vec<Subject> = declared(template)
        .filter_map(|(logical_id, kind, properties)| {
            let physical_id = physical_id(resources, logical_id)?;
            match kind {
                function::TYPE => Some(Subject::Function(function::Expected {
                    logical_id: logical_id.to_owned(),
                    name: physical_id.to_owned(),
                    code: function::code(properties, &work.manifest, artifacts),
                })),
                trigger::TYPE if trigger::is_on(properties) => {
                    Some(Subject::Trigger(trigger::Expected {
                        logical_id: logical_id.to_owned(),
                        uuid: physical_id.to_owned(),
                    }))
                }
                stage::REST | stage::HTTP => {
                    stage::expected(logical_id, kind, properties, resources).map(Subject::Stage)
                }
                // The local engine enters no name anywhere.
                kind if domain::TYPES.contains(&kind)
                    && context.clients.endpoint_url().is_none() =>
                {
                    domain::expected(logical_id, properties, template, resources)
                        .map(Subject::Domain)
                }
                _ => None,
            }
        })
        .collect();
    subjects.sort_by(|a, b| a.logical_id().cmp(b.logical_id()));
    subjects
}

/// Returns the physical id of a resource that is there.
fn physical_id<'a>(resources: &'a [DeployedResource], logical_id: &str) -> Option<&'a str> {
    let resource = resources.iter().find(|it| it.logical_id == logical_id)?;
    Some(&resource.physical_id)
}

/// Looks at everything, some at a time, and returns what is not as it should be, what the rest came to, and whether anything
/// was found to be good.
async fn look_at_all(
    context: &Context,
    work: &Work,
    subjects: Vec<Subject>,
) -> (Vec<Disproof>, Found, bool) {
    let permits = Arc::new(Semaphore::new(LOOKS));
    let mut looks = JoinSet::new();
    for (at, subject) in subjects.into_iter().enumerate() {
        let (context, permits) = (context.clone(), Arc::clone(&permits));
        looks.spawn(async move {
            let _permit = permits.acquire().await;
            (at, look_until_settled(&context, &subject).await)
        });
    }
    let mut found = BTreeMap::new();
    let mut unsure = BTreeMap::new();
    let mut unseen = BTreeMap::new();
    let mut is_anything_good = false;
    while let Some(look) = looks.join_next().await {
        match look {
            Ok((at, Ok(Seen::Bad(disproof)))) => {
                found.insert(at, disproof);
            }
            Ok((at, Ok(Seen::Unsure(disproof)))) => {
                unsure.insert(at, disproof);
            }
            Ok((at, Err(error))) => {
                unseen.insert(at, error);
            }
            Ok((_, Ok(Seen::Good))) => is_anything_good = true,
            // A task that is gone says nothing, and nothing takes tasks away but the end of the process.
            Err(_) => {}
        }
    }
    for disproof in unsure.values() {
        warn(context, work, disproof.to_string());
    }
    let denied = |error: &AwsError| matches!(error.fault(), Fault::Denied { .. });
    if let Some(error) = unseen.values().find(|error| denied(error)) {
        let message = format!("nobody knows whether what was deployed is what runs: {error}");
        warn(context, work, message);
    }
    for error in unseen.values().filter(|error| !denied(error)) {
        let message = format!("nobody knows whether all of it does what it should: {error}");
        warn(context, work, message);
    }
    let seen = unseen.values().map(self::unseen);
    let seen = seen.fold(Found::Good, Found::and);
    (found.into_values().collect(), seen, is_anything_good)
}

/// What looking at something came to.
enum Seen {
    Good,
    Bad(Disproof),
    Unsure(Disproof),
}

async fn look_until_settled(context: &Context, subject: &Subject) -> Result<Seen, AwsError> {
    let mut waited = Duration::ZERO;
    let mut waits = context.pace.waits();
    loop {
        let (disproof, patience) = match subject.look(&context.clients).await? {
            Look::Good => return Ok(Seen::Good),
            Look::Bad(disproof) => return Ok(Seen::Bad(disproof)),
            Look::Unsure(disproof) => return Ok(Seen::Unsure(disproof)),
            Look::NotYet(disproof, patience) => (disproof, patience),
        };
        if waited >= patience || context.cancel.is_cancelled() {
            return Ok(Seen::Bad(disproof));
        }
        let wait = waits.next().unwrap_or_default();
        waited += wait;
        context.timing.sleep(wait).await;
    }
}
