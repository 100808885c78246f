//! Has CloudFormation compute what it would do, and has none of it done.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::Value;

use super::{
    Context, Finding, ProposedChanges, StackDeployment, StackError, StackStatus, bootstrap,
    change_set::{self, ChangeSetRequest, Computed},
    failure,
    plan::{Basis, Plan, StackPlan, moves},
    publish::{self, PublishError},
    stack::{aws, interrupted, remove, tags, token},
};

/// What CloudFormation says of the plan of a stack.
#[derive(Clone, Debug, PartialEq)]
pub enum Proposed {
    /// It would do this.
    Changes(ProposedChanges),
    /// It refuses the change set.
    Refused {
        /// Why, as AWS said it.
        reason: String,
        /// What it found, where it says so.
        findings: Vec<Finding>,
    },
    /// It cannot be asked before something else is done, which this says.
    Unasked(String),
}

/// Makes a change set for every stack that would change, reads what it says, and removes it.
///
/// Nothing is mended, renamed or published for that, but a template that is too long for the call: what needs it is not
/// asked about.
pub async fn propose(
    context: &Context,
    stage: &str,
    stacks: &[StackDeployment],
    plan: &Plan,
) -> Result<BTreeMap<String, Proposed>, StackError> {
    let mut proposed = BTreeMap::new();
    for stack in stacks {
        let name = &stack.manifest.name;
        let planned = plan.stacks.iter().find(|planned| planned.stack == *name);
        let Some(planned) = planned.filter(|planned| !planned.is_empty()) else {
            continue;
        };
        let said = match hindrance(planned) {
            Ok(basis) => Box::pin(ask(context, stage, stack, basis)).await?,
            Err(text) => Proposed::Unasked(text),
        };
        proposed.insert(name.clone(), said);
    }
    Ok(proposed)
}

/// Returns what a plan was made from, or what has to be done before there can be a change set.
fn hindrance(planned: &StackPlan) -> Result<&Basis, String> {
    let Some(basis) = &planned.basis else {
        return Err("a deploy makes the stack".to_owned());
    };
    if let Some(deployed) = &basis.deployed {
        let status = StackStatus::new(&deployed.status);
        if !status.is_updatable() && !status.is_review() {
            return Err(format!("it is {status}"));
        }
    }
    let before = basis.before.as_ref();
    let template = before.and_then(|before| before.template.as_ref());
    let renames = template.is_some_and(|template| {
        moves::under_way(template).is_some() || !planned.renames(template).is_empty()
    });
    if renames {
        return Err("a deploy renames resources first".to_owned());
    }
    Ok(basis)
}

async fn ask(
    context: &Context,
    stage: &str,
    stack: &StackDeployment,
    basis: &Basis,
) -> Result<Proposed, StackError> {
    let context = &context.in_region(stack.manifest.region.as_deref());
    let manifest = Arc::new(stack.manifest.clone());
    let template: Value = serde_json::from_str(&stack.template).unwrap_or_default();
    let known = basis.after.as_ref().map(|after| &after.parameters);
    let mut parameters = BTreeMap::new();
    for (name, declared) in template["Parameters"].as_object().into_iter().flatten() {
        match known.and_then(|known| known.get(name)) {
            Some(value) => {
                parameters.insert(name.clone(), value.clone());
            }
            None if declared.get("Default").is_some() => {}
            None => {
                let text = format!("it takes {name} from a stack that does not have it yet");
                return Ok(Proposed::Unasked(text));
            }
        }
    }
    let tags = tags(context, stage, &manifest);
    let published = async {
        let bucket = if publish::needs_bucket(&stack.template) {
            let bucket = bootstrap::existing(context).await;
            bucket.map_err(PublishError::Bucket)?
        } else {
            None
        };
        publish::template(context, bucket.as_deref(), &manifest.name, &stack.template).await
    };
    let source = published.await.map_err(|source| StackError::Publish {
        stack: manifest.name.clone(),
        source,
    })?;
    let create = basis.before.is_none();
    let request = ChangeSetRequest {
        stack: &manifest,
        create,
        name: token(
            context,
            &[&manifest.name, &stack.template],
            &[&parameters, &tags],
        ),
        template: source,
        parameters: &parameters,
        tags: &tags,
        express: false,
    };
    let change_set = match change_set::create(&context.clients, &request).await {
        Ok(change_set) => change_set,
        Err(source) => match (source.code(), source.message()) {
            (Some("ValidationError" | "InsufficientCapabilitiesException"), Some(message)) => {
                return Ok(refused(message.to_owned(), Vec::new()));
            }
            _ => return Err(aws(&manifest, source)),
        },
    };
    let computed = change_set::computed(context, &change_set, &request)
        .await
        .map_err(|source| aws(&manifest, source))?;
    let said = match computed {
        Computed::Ready(mut changes) => {
            change_set::ask(context, &change_set, &mut changes).await;
            Some(Proposed::Changes(changes))
        }
        Computed::Nothing => Some(Proposed::Changes(ProposedChanges {
            stack: manifest.name.clone(),
            create,
            partial: false,
            change_set: request.name.clone(),
            changes: Vec::new(),
            findings: Vec::new(),
            hooks: Vec::new(),
        })),
        Computed::Failed(reason) => {
            let (reason, findings) = failure::say(&context.clients, &change_set.id, reason).await;
            Some(refused(reason, findings))
        }
        Computed::Cancelled => None,
    };
    remove(context, &manifest, &change_set, create).await?;
    said.ok_or_else(|| interrupted(&manifest, None))
}

/// What imports an export that the same deploy makes is refused until that is there.
fn refused(reason: String, findings: Vec<Finding>) -> Proposed {
    if reason.contains("No export named") {
        Proposed::Unasked(reason)
    } else {
        Proposed::Refused { reason, findings }
    }
}
