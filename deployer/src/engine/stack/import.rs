//! Renames resources of a stack that CloudFormation does not refactor: they leave the stack and are imported under their
//! new logical ids. The templates are those of [`moves::Course`].
//!
//! Each step is an update that rolls back alone, and is executed only where CloudFormation computed that it does what it
//! is for and nothing else. The plan told all of it, so nobody is asked again.

mod back;
mod check;

use std::{collections::BTreeMap, sync::Arc, time::SystemTime};

use aws_sdk_cloudformation::types::{Capability, ChangeSetType, Parameter, ResourceToImport, Tag};
use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::{
    Executed, Run, anew, aws, check_cancelled, execute, given_up, importable,
    input::renaming_token, interrupted, known_hints, protection, refused as refused_by_aws, remove,
};
use crate::ascii;
use crate::aws::{AwsError, texts};
use crate::engine::{
    Context, DeployedStack, Event, PublishError, StackError, bootstrap, capability,
    change_set::{self, ChangeSet, ChangeSetRequest, Computed},
    inspect,
    plan::moves::{self, Course, Move, UnderWay},
    publish::{self, TemplateSource},
};
use back::bring_back;
pub(in crate::engine) use back::take_back;
use check::{Step, differing, objection};
use importable::Drifted;

/// How a step ended.
pub(super) enum Stepped {
    /// It was taken, and AWS told of its end at this time.
    Done(Option<SystemTime>),
    /// Somebody else was first.
    Overtaken(StackError),
    /// An operation began in between, or somebody changed the stack.
    Busy,
    /// There was nothing to rename.
    Nothing,
}

/// Takes the next step of a rename of resources that are deployed under their old ids.
pub(super) async fn begin(
    run: &Run,
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    (template, whole): (&Value, &moves::Whole),
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
    let mut there = moves.clone();
    there.retain(|from, _| !whole.anew.contains(from));
    let unknown = importable::refused(context, template, &there)
        .await
        .map_err(|source| aws(stack, source))?;
    if let Some(reason) = unknown.into_values().next() {
        return fail(reason);
    }
    let hindered = importable::hindered(context, stack, &deployed.id, template, &moves)
        .await
        .map_err(|source| aws(stack, source))?;
    if let Some(reason) = hindered.into_values().next() {
        return fail(reason);
    }
    let course = Course::new(template, &moves, &ids, &deployed.outputs, &whole.anew);
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
    let drifted = importable::all_drifted(context, &deployed.id, whole, &moves)
        .await
        .map_err(|source| aws(stack, source))?;
    let way_back = importable::way_back(context, &stack.name);
    for (from, drifted) in drifted {
        if drifted == Drifted::Gone {
            return fail(drifted.told(&from, &way_back));
        }
        if step == Step::Remove {
            context.emit(Event::Warning {
                stack: stack.name.clone(),
                message: format!("{from}: {}", drifted.told(&from, &way_back)),
            });
        }
    }
    if step == Step::Remove
        && let Some(reason) = importable::unproven(context, &next).await
    {
        return fail(reason);
    }
    let stage = Stage {
        deployed,
        before: template,
        next: &next,
        step,
        moves: &moves,
        imports: None,
    };
    let stepped = take(Some(run), context, stack, &stage).await;
    stepped.map_err(|failed| failed.told(&stack.name, &moves))
}

/// Goes on with a rename of resources that left their stack.
pub(super) async fn finish(
    run: &Run,
    context: &Context,
    stack: &Arc<StackManifest>,
    deployed: &DeployedStack,
    template: &Value,
    under_way: UnderWay,
) -> Result<Stepped, StackError> {
    match under_way {
        UnderWay::Away(away) => {
            let declared = |(to, it): (&String, &Move)| stack.renamed(&it.from) == Some(to);
            let is_declared = away.moves.iter().any(declared);
            bring_back(run, context, stack, deployed, template, away, is_declared).await
        }
        UnderWay::Back(next) => {
            let stage = Stage {
                deployed,
                before: template,
                next: &next,
                step: Step::Restore,
                moves: &BTreeMap::new(),
                imports: None,
            };
            match take(Some(run), context, stack, &stage).await {
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

/// Returns whether a stack tells of a rename by import that was begun.
pub(super) fn moving(deployed: &DeployedStack) -> bool {
    moves::is_marked(&deployed.outputs)
}

/// Reads a template that a deploy of ours may have made: another tool's YAML holds none of the names that an app declares.
pub(super) async fn template(
    context: &Context,
    stack: &StackManifest,
    deployed: &DeployedStack,
    wanted: Option<&Value>,
) -> Result<Option<Value>, StackError> {
    let text = inspect::template(&context.clients, &deployed.id)
        .await
        .map_err(|source| aws(stack, source))?;
    let template: Option<Value> = text.and_then(|text| serde_json::from_str(&text).ok());
    // What a step writes again are the texts that CloudFormation has, and not those that it tells.
    Ok(template.map(|template| match wanted {
        Some(wanted) => ascii::healed(&template, wanted).into_owned(),
        None => template,
    }))
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

/// One step of a rename.
struct Stage<'a> {
    /// The stack before it.
    deployed: &'a DeployedStack,
    before: &'a Value,
    next: &'a Value,
    step: Step,
    /// Old to new logical ids.
    moves: &'a BTreeMap<String, String>,
    /// What it imports.
    imports: Option<&'a BTreeMap<String, Move>>,
}

/// Updates a stack to the template of a step. `run` knows what was agreed to.
async fn take(
    run: Option<&Run>,
    context: &Context,
    stack: &Arc<StackManifest>,
    stage: &Stage<'_>,
) -> Result<Stepped, Failed> {
    let Stage {
        deployed,
        before,
        next,
        step,
        moves,
        imports,
    } = *stage;
    check_cancelled(context, stack)?;
    context.emit(Event::ResourcesMoving {
        stack: stack.name.clone(),
        moves: moves.clone(),
        step: step.word().to_owned(),
    });
    let text = ascii::json(next);
    let source = published(context, stack, &text).await?;
    let name = renaming_token(context, &[&stack.name, &text]);
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
    // What is executed from here on is refused by CloudFormation where anybody changes the stack.
    if let Some(run) = run
        && !anew::is_still(run, context, stack, &deployed.id).await?
    {
        remove(context, stack, &change_set, false).await?;
        return Ok(Stepped::Busy);
    }
    let differing = differing(before, next);
    if let Some(reason) = objection(step, &changes.changes, moves, &differing) {
        remove(context, stack, &change_set, false).await?;
        return Err(Failed::Refused(reason));
    }
    context.emit(Event::ChangeSetExecuting {
        stack: stack.name.clone(),
        changes: changes.changes.len(),
        follow: 0,
        besides: Vec::new(),
        express: false,
    });
    let opened = match protection::open(context, stack, &change_set.stack_id, &changes).await {
        Ok(opened) => opened,
        Err(error) => return Err(given_up(context, stack, &change_set, error).await.into()),
    };
    let executed = execute(context, stack, &change_set, &name).await;
    let closed = match (&executed, opened) {
        (Ok(Executed::Done(_)), Some(_)) => Some(protection::closed(&text)),
        (Ok(Executed::Overtaken(_)) | Err(StackError::Ended { .. }), opened) => opened,
        _ => None,
    };
    if let Some(closed) = closed {
        protection::close(context, stack, &change_set.stack_id, &closed).await;
    }
    match executed {
        Ok(Executed::Done(ended)) => {
            // A policy names what the template has, so that nothing can guard the new id before.
            if step == Step::Import {
                protection::protect(context, stack, &text, deployed).await?;
            }
            Ok(Stepped::Done(ended))
        }
        Ok(Executed::Overtaken(error)) => Ok(Stepped::Overtaken(error)),
        Err(error) if step == Step::Import => Err(not_imported(error)),
        Err(error) => Err(Failed::Error(error)),
    }
}

/// Reads how an import ended that was executed. Whether a resource is there is looked at then, too, and a stack that is as
/// it was leaves the same ways on as one whose import was never begun
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-manually.html>).
fn not_imported(error: StackError) -> Failed {
    match error {
        StackError::Ended {
            status,
            cause,
            reason,
            ..
        } if status.is_updatable() => Failed::Refused(match (cause, reason) {
            (Some(cause), _) => format!("{}: {}", cause.logical_id, cause.reason),
            (None, Some(reason)) => reason,
            (None, None) => format!("it ended in {status}"),
        }),
        error => Failed::Error(error),
    }
}

/// Puts a template where the call that takes it finds it.
pub(in crate::engine) async fn published<'a>(
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
    let call = change_set::begun(request, clients)
        .set_parameters(Some(parameters.collect()))
        .set_capabilities(Some(capabilities.map(Capability::from).collect()));
    let call = if let Some(imports) = imports {
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
    change_set::made(request, clients, call).await
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
