//! Renames resources of a stack that CloudFormation does not refactor: they leave the stack and are imported under their
//! new logical ids. The templates are those of [`moves::Course`].
//!
//! Each step is an update that rolls back alone, and is executed only where CloudFormation computed that it does what it
//! is for and nothing else. The plan told all of it, so nobody is asked again.

mod check;

use std::{collections::BTreeMap, sync::Arc};

use aws_sdk_cloudformation::types::{Capability, ChangeSetType, Parameter, ResourceToImport, Tag};
use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::{
    Executed, aws, check_cancelled, execute, importable, input::token, interrupted, known_hints,
    protection, refused as refused_by_aws, remove,
};
use crate::aws::{AwsError, OrAws, texts};
use crate::engine::{
    Context, DeployedStack, Event, PublishError, StackError, bootstrap, capability,
    change_set::{self, ChangeSet, ChangeSetRequest, Computed},
    inspect,
    plan::moves::{self, Away, Course, Ground, Move, UnderWay},
    publish::{self, TemplateSource},
};
use check::{Step, differing, objection};

/// How a step ended.
pub(super) enum Stepped {
    Done,
    /// Somebody else was first.
    Overtaken(StackError),
    /// An operation began in between.
    Busy,
    /// There was nothing to rename.
    Nothing,
}

/// Takes the next step of a rename of resources that are deployed under their old ids.
pub(super) async fn begin(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    template: &Value,
    pending: &BTreeMap<String, String>,
) -> Result<Stepped, StackError> {
    let found = inspect::resources(&context.clients, &deployed.id)
        .await
        .map_err(|source| aws(stack, source))?;
    let ids: BTreeMap<String, String> = found
        .into_iter()
        .filter(|resource| pending.contains_key(&resource.logical_id))
        .map(|resource| (resource.logical_id, resource.physical_id))
        .collect();
    // A condition may have kept one from being made: there is nothing to rename.
    let moves: BTreeMap<String, String> = pending
        .iter()
        .filter(|(from, _)| ids.contains_key(*from))
        .map(|(from, to)| (from.clone(), to.clone()))
        .collect();
    if moves.is_empty() {
        return Ok(Stepped::Nothing);
    }
    let fail = |reason| Err(refused(&stack.name, &moves, reason));
    let unknown = importable::refused(context, &moves, template, Ground::Refused)
        .await
        .map_err(|source| aws(stack, source))?;
    if let Some(reason) = unknown.into_values().next() {
        return fail(reason);
    }
    let course = Course::new(template, &moves, &ids, &deployed.outputs);
    if let Some(reason) = course.hindrance() {
        return fail(reason);
    }
    let (step, next) = if course.is_prepared() {
        match course.without() {
            Ok(next) => (Step::Remove, next),
            Err(reason) => return fail(reason),
        }
    } else {
        (Step::Prepare, course.prepared())
    };
    if next == *template {
        return fail("CloudFormation does not tell what others take from it".to_owned());
    }
    let stepped = take(
        context, stack, deployed, template, &next, step, &moves, None,
    )
    .await;
    stepped.map_err(|failed| failed.told(&stack.name, &moves))
}

/// Goes on with a rename of resources that left their stack.
pub(super) async fn finish(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    template: &Value,
    under_way: UnderWay,
) -> Result<Stepped, StackError> {
    match under_way {
        UnderWay::Away(away) => {
            let declared = |(to, it): (&String, &Move)| stack.moved.get(&it.from) == Some(to);
            let is_declared = away.moves.iter().any(declared);
            bring_back(context, stack, deployed, template, away, is_declared).await
        }
        UnderWay::Back(next) => {
            let none = BTreeMap::new();
            let step = Step::Restore;
            match take(context, stack, deployed, template, &next, step, &none, None).await {
                // What names it holds texts of the same value, which what comes next mends.
                Err(Failed::Refused(reason)) => {
                    context.emit(Event::Warning {
                        stack: stack.name.clone(),
                        message: format!("its resources are renamed, and what refers to them is left to the update that follows: {reason}"),
                    });
                    Ok(Stepped::Nothing)
                }
                Err(Failed::Error(error)) => Err(error),
                Ok(stepped) => Ok(stepped),
            }
        }
    }
}

/// Imports what belongs to no stack. Where that is refused, and nobody insists on it, it stays where it is, which is told.
async fn bring_back(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    template: &Value,
    away: Away,
    insist: bool,
) -> Result<Stepped, StackError> {
    let moves: BTreeMap<String, String> = away
        .moves
        .iter()
        .map(|(to, it)| (it.from.clone(), to.clone()))
        .collect();
    let stepped = take(
        context,
        stack,
        deployed,
        template,
        &away.template,
        Step::Import,
        &moves,
        Some(&away.moves),
    )
    .await;
    let reason = match stepped {
        Ok(stepped) => return Ok(stepped),
        Err(Failed::Error(error)) => return Err(error),
        Err(Failed::Refused(reason)) => reason,
    };
    let list: Vec<String> = away
        .moves
        .values()
        .map(|it| {
            let id = it.by.values().next().map_or("", String::as_str);
            format!("{} ({} {id})", it.from, it.resource_type)
        })
        .collect();
    let list = list.join(", ");
    if insist {
        let mut hints = known_hints(&reason);
        hints.push(format!(
            "{list} left the stack to be renamed, belongs to none at the moment, and is as it was: a deploy goes on from here"
        ));
        for (from, to) in &moves {
            hints.push(format!(
                "if it is gone for good, remove `moved(\"{from}\", ..)`: a deploy then makes {to} anew"
            ));
        }
        return Err(StackError::Renamed {
            stack: stack.name.clone(),
            reason,
            hints,
        });
    }
    context.emit(Event::Warning {
        stack: stack.name.clone(),
        message: format!(
            "{list} left the stack to be renamed, and belongs to none from now on, because it cannot be imported: {reason}"
        ),
    });
    Ok(Stepped::Nothing)
}

/// Brings back into a stack that is to be removed what left it for a rename, so that it is known what it keeps. Returns
/// whether anything came back.
pub(in crate::engine) async fn gather(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
) -> Result<bool, StackError> {
    if !moving(deployed) {
        return Ok(false);
    }
    let Some(template) = template(context, stack, deployed).await? else {
        return Ok(false);
    };
    let Some(UnderWay::Away(away)) = moves::under_way(&template) else {
        return Ok(false);
    };
    match bring_back(context, stack, deployed, &template, away, false).await? {
        Stepped::Done => Ok(true),
        Stepped::Nothing => Ok(false),
        Stepped::Overtaken(error) => Err(error),
        Stepped::Busy => {
            let reason = "another operation began meanwhile".to_owned();
            Err(refused(&stack.name, &BTreeMap::new(), reason))
        }
    }
}

/// Returns whether a stack tells of a rename by import that was begun.
pub(super) fn moving(deployed: &DeployedStack) -> bool {
    moves::is_marked(&deployed.outputs)
}

/// Reads a template that a deploy of ours may have made: another tool's YAML holds none of the names that an app declares.
pub(super) async fn template(
    context: &Context,
    stack: &StackManifest,
    deployed: &DeployedStack,
) -> Result<Option<Value>, StackError> {
    let text = inspect::template(&context.clients, &deployed.id)
        .await
        .map_err(|source| aws(stack, source))?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

/// Why a step was not taken, or not to its end.
enum Failed {
    /// CloudFormation refuses it, or would do something else.
    Refused(String),
    Error(StackError),
}

impl From<StackError> for Failed {
    fn from(error: StackError) -> Self {
        Self::Error(error)
    }
}

impl Failed {
    fn told(self, stack: &str, moves: &BTreeMap<String, String>) -> StackError {
        match self {
            Self::Refused(reason) => refused(stack, moves, reason),
            Self::Error(error) => error,
        }
    }
}

/// Updates a stack to the template of a step.
#[expect(clippy::too_many_arguments, reason = "a step is all of these, once")]
async fn take(
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    before: &Value,
    next: &Value,
    step: Step,
    moves: &BTreeMap<String, String>,
    imports: Option<&BTreeMap<String, Move>>,
) -> Result<Stepped, Failed> {
    check_cancelled(context, stack)?;
    context.emit(Event::ResourcesMoving {
        stack: stack.name.clone(),
        moves: moves.clone(),
        step: step.word().to_owned(),
    });
    let text = next.to_string();
    let source = published(context, stack, &text).await?;
    let name = token(context, &[&stack.name, &text], &[]);
    let none = BTreeMap::new();
    let request = ChangeSetRequest {
        stack,
        create: false,
        name: name.clone(),
        template: source,
        parameters: &none,
        tags: &none,
        express: false,
    };
    let change_set = match create(context, &request, deployed, next, imports).await {
        Ok(change_set) => change_set,
        Err(source) if source.message().is_some_and(texts::says_busy) => return Ok(Stepped::Busy),
        Err(source) => {
            return Err(match refused_by_aws(stack, source) {
                StackError::ChangeSet { reason, .. } => Failed::Refused(reason),
                error => Failed::Error(error),
            });
        }
    };
    let computed = change_set::computed(context, &change_set, &request)
        .await
        .map_err(|source| aws(stack, source))?;
    let changes = match computed {
        Computed::Ready(changes) => changes,
        other => {
            remove(context, stack, &change_set, false).await?;
            return Err(match other {
                Computed::Failed(reason) => Failed::Refused(reason),
                Computed::Nothing => {
                    Failed::Refused("CloudFormation finds nothing to change".to_owned())
                }
                _ => Failed::Error(interrupted(stack, None)),
            });
        }
    };
    if let Some(reason) = objection(step, &changes.changes, moves, &differing(before, next)) {
        remove(context, stack, &change_set, false).await?;
        return Err(Failed::Refused(reason));
    }
    context.emit(Event::ChangeSetExecuting {
        stack: stack.name.clone(),
        changes: changes.changes.len(),
        besides: Vec::new(),
        express: false,
    });
    let opened = protection::open(context, stack, &change_set.stack_id, &changes).await?;
    let executed = execute(context, stack, &change_set, &name).await;
    if let Some(opened) = opened {
        let closed = match &executed {
            // What comes back is guarded before it does.
            Ok(_) => Some(match moves::under_way(next) {
                Some(UnderWay::Away(away)) => protection::closed(&away.template.to_string()),
                _ => protection::closed(&text),
            }),
            Err(StackError::Ended { .. }) => Some(opened),
            Err(_) => None,
        };
        if let Some(closed) = closed {
            protection::close(context, stack, &change_set.stack_id, &closed).await;
        }
    }
    match executed? {
        Executed::Done(_) => Ok(Stepped::Done),
        Executed::Overtaken(error) => Ok(Stepped::Overtaken(error)),
    }
}

async fn published<'a>(
    context: &Context,
    stack: &StackManifest,
    template: &'a str,
) -> Result<TemplateSource<'a>, StackError> {
    let published = async {
        let mut bucket = None;
        if publish::needs_bucket(template) {
            bucket = bootstrap::existing(context)
                .await
                .map_err(PublishError::Bucket)?;
            if bucket.is_none() {
                return Err(PublishError::NoBucket(template.len()));
            }
        }
        publish::template(context, bucket.as_deref(), &stack.name, template).await
    };
    published.await.map_err(|source| StackError::Publish {
        stack: stack.name.clone(),
        source,
    })
}

/// Asks CloudFormation to compute a step. Parameters and tags stay as they are; where resources are imported, tags may not
/// even be named.
async fn create(
    context: &Context,
    request: &ChangeSetRequest<'_>,
    deployed: &DeployedStack,
    template: &Value,
    imports: Option<&BTreeMap<String, Move>>,
) -> Result<ChangeSet, AwsError> {
    const OPERATION: &str = "CreateChangeSet";
    let clients = &context.clients;
    let declared = template.get("Parameters");
    let parameters = deployed
        .parameters
        .keys()
        .filter(|key| declared.is_some_and(|declared| declared.get(key.as_str()).is_some()))
        .map(|key| {
            Parameter::builder()
                .parameter_key(key)
                .use_previous_value(true)
                .build()
        });
    let text = template.to_string();
    let capabilities = &request.stack.capabilities;
    let missing = capability::missing(&text, capabilities);
    let capabilities = capabilities.iter().map(String::as_str).chain(missing);
    let mut call = clients
        .cloudformation
        .create_change_set()
        .stack_name(&request.stack.name)
        .change_set_name(&request.name)
        .client_token(&request.name)
        .description(format!(
            "by {} with stackctl {}",
            clients.identity().arn,
            env!("CARGO_PKG_VERSION")
        ))
        .set_parameters(Some(parameters.collect()))
        .set_capabilities(Some(capabilities.map(Capability::from).collect()));
    call = match &request.template {
        TemplateSource::Body(body) => call.template_body(*body),
        TemplateSource::Url(url) => call.template_url(url),
    };
    call = if let Some(imports) = imports {
        let resources = imports.iter().map(|(to, it)| {
            let by = it.by.clone().into_iter().collect();
            ResourceToImport::builder()
                .resource_type(&it.resource_type)
                .logical_resource_id(to)
                .set_resource_identifier(Some(by))
                .build()
        });
        call.change_set_type(ChangeSetType::Import)
            .set_resources_to_import(Some(resources.collect()))
    } else {
        let tags = deployed.tags.iter();
        let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
        call.change_set_type(ChangeSetType::Update)
            .set_tags(Some(tags.collect()))
    };
    let answer = call.send().await.or_aws(clients, OPERATION)?;
    Ok(ChangeSet {
        id: answer
            .id
            .ok_or_else(|| AwsError::incomplete(OPERATION, "change set id"))?,
        stack_id: answer
            .stack_id
            .ok_or_else(|| AwsError::incomplete(OPERATION, "stack id"))?,
    })
}

/// Says that nothing was renamed, and what else can be done.
pub(super) fn refused(stack: &str, moves: &BTreeMap<String, String>, reason: String) -> StackError {
    let mut hints = known_hints(&reason);
    for (from, to) in moves {
        hints.push(format!(
            "keep the logical id `{from}`, or remove `moved(\"{from}\", ..)` if the resource may be deleted and made anew as `{to}`"
        ));
    }
    StackError::Renamed {
        stack: stack.to_owned(),
        reason,
        hints,
    }
}
