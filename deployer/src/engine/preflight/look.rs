//! A stack as it is looked at: what its template declares, and what of that is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::Value;
use stack_model::assembly::StackManifest;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    aws::{AwsError, Clients, OrAws},
    engine::{
        StackDeployment, StackStatus,
        inspect::{self, DeployedResource},
        plan::moves::{self, UnderWay},
        status::Way,
    },
};

/// How many stacks are read together: CloudFormation lets an account ask some times a second.
const READS: usize = 4;

/// A stack, before it is deployed.
pub(super) struct Look<'a> {
    pub(super) stack: &'a StackDeployment,
    pub(super) template: Value,
    /// What the stack has, by logical id.
    pub(super) present: BTreeMap<String, DeployedResource>,
    /// What it was deployed with; nothing, where there is no such stack or the caller may not read it.
    pub(super) before: Result<Before, AwsError>,
}

/// What a stack was deployed with.
#[derive(Default)]
pub(super) struct Before {
    pub(super) template: Value,
    /// The role that CloudFormation takes on for the stack.
    pub(super) role: Option<String>,
    /// What the stack has, where its creation failed, so that a deploy deletes it first.
    pub(super) fallen: Vec<DeployedResource>,
}

/// A resource of a template that is made whatever its conditions say: it has none.
#[derive(Clone, Copy, Debug)]
pub(super) struct Declared<'a> {
    pub(super) logical_id: &'a str,
    pub(super) kind: &'a str,
    pub(super) properties: &'a Value,
}

impl Look<'_> {
    pub(super) fn name(&self) -> &str {
        &self.stack.manifest.name
    }

    /// Returns the name of a resource as concerns tell it.
    pub(super) fn subject(&self, logical_id: &str) -> String {
        format!("{}/{logical_id}", self.name())
    }

    /// Returns the resources that are made for sure, in the order of their logical ids.
    pub(super) fn declared(&self) -> impl Iterator<Item = Declared<'_>> {
        declared(&self.template)
    }

    /// Returns those that are not there yet.
    pub(super) fn created(&self) -> impl Iterator<Item = Declared<'_>> {
        self.declared().filter(|it| self.is_new(it))
    }

    pub(super) fn is_new(&self, resource: &Declared<'_>) -> bool {
        self.present
            .get(resource.logical_id)
            .is_none_or(|present| present.resource_type != resource.kind)
    }

    /// Returns the text that a value has: as it stands there, or as a parameter has it.
    ///
    /// What CloudFormation looks up elsewhere is nothing that is known here: a parameter whose type is that of a parameter of
    /// Parameter Store has its name for a value
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html>), and
    /// a dynamic reference stands for what it refers to
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>).
    pub(super) fn text<'b>(&'b self, value: &'b Value) -> Option<&'b str> {
        let text = if let Some(text) = value.as_str() {
            text
        } else {
            let name = value.get("Ref")?.as_str()?;
            let parameter = self.template.get("Parameters").and_then(|it| it.get(name));
            let kind = parameter.and_then(|it| it["Type"].as_str());
            if kind.is_some_and(|kind| kind.starts_with("AWS::SSM::")) {
                return None;
            }
            match self.stack.manifest.parameters.get(name) {
                Some(value) => value,
                None => parameter?["Default"].as_str()?,
            }
        };
        (!text.contains("{{resolve:")).then_some(text)
    }

    /// Returns whether the stack has a resource with one of these physical ids, which its new template declares no more and
    /// which is not kept.
    pub(super) fn gives_up(&self, ids: [&str; 2]) -> bool {
        let Ok(before) = &self.before else {
            return false;
        };
        let body = |template: &Value, logical_id: &str| -> Option<Value> {
            template.get("Resources")?.get(logical_id).cloned()
        };
        self.present
            .values()
            .filter(|it| is_one_of(&it.physical_id, ids))
            .any(|it| {
                let to = self.stack.manifest.renamed(&it.logical_id);
                let is_gone = body(&self.template, to.unwrap_or(&it.logical_id)).is_none();
                let deployed = body(&before.template, &it.logical_id);
                let policy = deployed
                    .as_ref()
                    .and_then(|it| it["DeletionPolicy"].as_str());
                is_gone && !policy.is_some_and(|policy| policy.starts_with("Retain"))
            })
    }

    /// Returns whether a resource with one of these physical ids stays where the creation of the stack failed and a deploy
    /// deletes it first; nothing, where there is no such resource.
    pub(super) fn outlives(&self, ids: [&str; 2]) -> Option<bool> {
        let before = self.before.as_ref().ok()?;
        let fallen = before.fallen.iter();
        let found = fallen
            .filter(|it| is_one_of(&it.physical_id, ids))
            .map(|it| &before.template["Resources"][&it.logical_id]["DeletionPolicy"])
            .map(|policy| policy.as_str().is_some_and(|it| it.starts_with("Retain")));
        found.reduce(|one, other| one || other)
    }

    /// Returns the resource that a value refers to.
    pub(super) fn target<'b>(&'b self, value: &Value) -> Option<Declared<'b>> {
        let logical_id = value.get("Ref")?.as_str()?;
        self.declared().find(|it| it.logical_id == logical_id)
    }
}

/// Reads stacks of a region, some at a time. Returns those that cannot be read with their errors.
pub(super) async fn at<'a>(
    clients: &Clients,
    stacks: &[&'a StackDeployment],
) -> (Vec<Look<'a>>, Vec<(&'a str, AwsError)>) {
    let permits = Arc::new(Semaphore::new(READS));
    let mut reads = JoinSet::new();
    for (at, stack) in stacks.iter().enumerate() {
        let (clients, permits) = (clients.clone(), Arc::clone(&permits));
        let name = stack.manifest.name.clone();
        reads.spawn(async move {
            let _permit = permits.acquire().await;
            let present = match inspect::resources(&clients, &name).await {
                Ok(present) => present,
                Err(error) => return (at, Err(error)),
            };
            if present.is_empty() {
                return (at, Ok((present, Ok(Before::default()))));
            }
            match before(&clients, &name).await {
                Ok((before, true)) => {
                    let before = Before {
                        fallen: present,
                        ..before
                    };
                    (at, Ok((Vec::new(), Ok(before))))
                }
                Ok((before, false)) => (at, Ok((present, Ok(before)))),
                Err(error) => (at, Ok((present, Err(error)))),
            }
        });
    }
    let mut found = BTreeMap::new();
    while let Some(read) = reads.join_next().await {
        // A task that is gone says nothing, and nothing takes tasks away but the end of the process.
        found.extend(read);
    }
    let (mut looks, mut unread) = (Vec::new(), Vec::new());
    for (at, read) in found {
        let Some(stack) = stacks.get(at) else {
            continue;
        };
        match read {
            Ok((present, before)) => looks.push(Look {
                stack,
                // A template that cannot be read is refused by CloudFormation, which says more about it.
                template: serde_json::from_str(&stack.template).unwrap_or_default(),
                present: renamed(&stack.manifest, present, &before),
                before,
            }),
            Err(error) => unread.push((stack.manifest.name.as_str(), error)),
        }
    }
    (looks, unread)
}

/// Enters what a stack has by logical id: under the new one what is renamed, and what left the stack for that.
fn renamed(
    stack: &StackManifest,
    present: Vec<DeployedResource>,
    before: &Result<Before, AwsError>,
) -> BTreeMap<String, DeployedResource> {
    let taken: BTreeSet<String> = present.iter().map(|it| it.logical_id.clone()).collect();
    let mut entered: BTreeMap<String, DeployedResource> = present
        .into_iter()
        .map(|it| {
            let to = stack.renamed(&it.logical_id);
            let to = to.filter(|to| !taken.contains(*to));
            (to.unwrap_or(&it.logical_id).to_owned(), it)
        })
        .collect();
    let template = before.as_ref().map(|before| &before.template);
    if let Some(UnderWay::Away(away)) = template.ok().and_then(moves::under_way) {
        for (to, it) in away.moves {
            let resource = it.resource(&to);
            entered.entry(to).or_insert(resource);
        }
    }
    entered
}

/// Returns what a stack was deployed with, and whether a deploy deletes it first.
async fn before(clients: &Clients, stack: &str) -> Result<(Before, bool), AwsError> {
    let answer = clients
        .cloudformation
        .describe_stacks()
        .stack_name(stack)
        .send()
        .await
        .or_aws(clients, "DescribeStacks")?;
    let found = answer.stacks.unwrap_or_default().into_iter().next();
    let status = found.as_ref().and_then(|it| it.stack_status.as_ref());
    let goes =
        status.is_some_and(|status| StackStatus::new(status.as_str()).way() == Some(Way::Anew));
    let template = inspect::template(clients, stack).await?;
    let before = Before {
        template: template
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default(),
        role: found.and_then(|stack| stack.role_arn),
        fallen: Vec::new(),
    };
    Ok((before, goes))
}

/// Returns the resources of a template that are made for sure, in the order of their logical ids.
pub(super) fn declared(template: &Value) -> impl Iterator<Item = Declared<'_>> {
    let resources = template.get("Resources").and_then(Value::as_object);
    let mut found: Vec<Declared<'_>> = resources
        .into_iter()
        .flatten()
        .filter(|(_, body)| body.get("Condition").is_none())
        .filter_map(|(logical_id, body)| {
            Some(Declared {
                logical_id,
                kind: body.get("Type")?.as_str()?,
                properties: body.get("Properties").unwrap_or(&Value::Null),
            })
        })
        .collect();
    found.sort_by_key(|it| it.logical_id);
    found.into_iter()
}

/// Returns whether a physical id is one of these, or is what AWS makes of one: behind the name in a secret's ARN stand a hyphen
/// and six characters (<https://docs.aws.amazon.com/secretsmanager/latest/userguide/reference_iam-permissions.html>), and
/// behind that of a web ACL its id and its scope
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-wafv2-webacl.html>).
pub(super) fn is_one_of(physical_id: &str, ids: [&str; 2]) -> bool {
    ids.iter().any(|id| {
        let rest = physical_id.strip_prefix(id);
        rest.is_some_and(|rest| {
            let of_secret = id.contains(":secret:") && rest.starts_with('-') && rest.len() == 7;
            rest.is_empty() || of_secret || id.ends_with('|')
        })
    })
}

/// Returns the partition of whoever calls, which the ARNs of all that is in it begin with.
pub(in crate::engine) fn partition(clients: &Clients) -> &str {
    clients.identity().arn.split(':').nth(1).unwrap_or("aws")
}
