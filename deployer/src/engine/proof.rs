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

pub(super) use alias::Before;
pub use alias::{LedBack, led_back};

/// How many resources are looked at together: the calls of Lambda that read are rationed at some tens a second.
const LOOKS: usize = 4;

/// What is known of a stack that is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// This deploy made it what it is.
    Changed,
    /// An earlier deploy made it what it is and wrote that down, and nobody found that it does what it should: that deploy
    /// was killed, or found otherwise.
    Left,
    /// Nobody knows whether it ever did what it should.
    Unknown,
    /// It did what it should when it was deployed.
    Proven,
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

/// Notes what a failed check leads back to, before a deploy changes it.
pub(super) async fn before(context: &Context, work: &Work) -> Before {
    if work.manifest.smoke.is_empty() {
        return Before::default();
    }
    match alias::before(context, work).await {
        Ok(before) => before,
        Err(error) => {
            let message = format!(
                "nobody knows which releases are live, so a failed smoke check could not lead back to them: {error}"
            );
            warn(context, work, message);
            Before::default()
        }
    }
}

/// Leads releases back that a failed update moved: CloudFormation rolls an alias back to the version that it believes in,
/// which is not the live one where a check that failed, or somebody, led it back since.
pub(super) async fn failed(context: &Context, work: &Work, before: Before) {
    alias::keep(context, work, before).await;
}

/// Looks whether a stack that was deployed does what it should. Returns whether all of it could be looked at.
pub(super) async fn prove(
    context: &Context,
    artifacts: &BTreeMap<String, Artifact>,
    work: &Work,
    standing: Standing,
    before: Before,
) -> Result<bool, StackError> {
    // A template that cannot be read was deployed by nobody.
    let template: Value = serde_json::from_str(&work.template).unwrap_or_default();
    let unproven = standing != Standing::Proven;
    let stack = &work.manifest;
    let released = !stack.releases.is_empty();
    let needed = released || !stack.smoke.is_empty() || (unproven && has_subjects(&template));
    if !needed {
        return Ok(true);
    }
    let resources = match inspect::resources(&context.clients, &stack.name).await {
        Ok(resources) => resources,
        Err(error) => {
            let message = format!("nobody knows whether it does what it should: {error}");
            warn(context, work, message);
            return Ok(false);
        }
    };
    let (mut found, mut is_seen) = (Vec::new(), true);
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
        (found, is_seen) = look_at_all(context, work, subjects).await;
    }
    let led_back = if released {
        alias::not_live(context, work, &resources).await
    } else {
        Vec::new()
    };
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
    let (dead, ways) = alias::told(context, work, &led_back);
    if found.is_empty() && dead.is_empty() {
        let is_looked_at = (unproven && is_seen) || !answered.is_empty();
        if standing != Standing::Changed && is_live && is_looked_at {
            failed::forgive(context, work).await;
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
        return Ok(is_seen);
    }
    let unanswered = found.iter().any(|it| it.claim == Claim::SmokeCheck);
    let before = match standing {
        Standing::Changed => Ok(Some(before)),
        Standing::Left if is_live => alias::earlier(context, work, &resources).await.map(Some),
        Standing::Left | Standing::Unknown | Standing::Proven => Ok(None),
    };
    let before = before.unwrap_or_else(|error| {
        let message = format!("nobody knows which releases were live before: {error}");
        warn(context, work, message);
        None
    });
    // Where the release was proven once, something else may be to blame.
    let is_to_blame = before.is_some();
    let (moved, mut hints) = match (unanswered, before) {
        (true, Some(before)) => alias::lead_back(context, work, before, &template).await,
        (true, None) => (Vec::new(), alias::ways_back(work, &led_back)),
        (false, _) if found.is_empty() => (Vec::new(), Vec::new()),
        (false, _) => {
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

/// Looks at everything, some at a time, and returns what is not as it should be, and whether all could be looked at.
async fn look_at_all(
    context: &Context,
    work: &Work,
    subjects: Vec<Subject>,
) -> (Vec<Disproof>, bool) {
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
            // A task that is gone says nothing, and nothing takes tasks away but the end of the process.
            Ok((_, Ok(Seen::Good))) | Err(_) => {}
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
    (found.into_values().collect(), unseen.is_empty())
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
