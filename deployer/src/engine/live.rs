//! Which resources belong to stacks that are there, and which are there at all.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::{
    Context, StackTarget, graph,
    inspect::{self, says_absent},
    preflight::{self, Bucket},
};
use crate::aws::{
    AwsError, Clients, OrAws,
    signed::{CLOUD_CONTROL, DYNAMODB},
};

/// A resource, by its region, its type and its physical id.
pub type LiveResource = (String, String, String);

/// The types whose resources are looked for: what outlives stacks, and is identified to Cloud Control by its physical id alone. An
/// id of another kind would be one that nobody has.
const IDENTIFIED: [&str; 16] = [
    "AWS::ApiGateway::RestApi",
    "AWS::Cognito::IdentityPool",
    "AWS::Cognito::UserPool",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::ECR::Repository",
    "AWS::Events::EventBus",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::Lambda::Function",
    "AWS::Logs::LogGroup",
    "AWS::Route53::HostedZone",
    "AWS::SNS::Topic",
    "AWS::SQS::Queue",
    "AWS::SSM::Parameter",
    "AWS::SecretsManager::Secret",
];

/// What is known of what was looked for. Some may not tell.
#[derive(Debug)]
pub struct Looked<T> {
    /// What was found.
    pub found: BTreeSet<T>,
    /// Why nobody knows of the rest.
    pub unknown: Option<AwsError>,
}

impl<T: Ord> Looked<T> {
    fn of(looked: impl IntoIterator<Item = Result<Option<T>, AwsError>>) -> Self {
        let mut of = Self {
            found: BTreeSet::new(),
            unknown: None,
        };
        for looked in looked {
            match looked {
                Ok(found) => of.found.extend(found),
                Err(error) => of.unknown = of.unknown.or(Some(error)),
            }
        }
        of
    }
}

/// Returns the resources of stacks; a stack that does not exist has none.
pub async fn live_resources(
    context: &Context,
    stacks: &BTreeSet<StackTarget>,
) -> Result<BTreeSet<LiveResource>, AwsError> {
    let looks = stacks.iter().map(|stack| {
        let clients = context.clients.in_region(stack.region.as_deref());
        async move {
            let resources = inspect::resources(&clients, &stack.name).await?;
            let region = clients.region().to_owned();
            Ok::<_, AwsError>((region, resources))
        }
    });
    let mut live = BTreeSet::new();
    for looked in graph::abreast(context.concurrency, looks.collect()).await {
        let (region, resources) = looked?;
        live.extend(
            resources
                .into_iter()
                .map(|resource| (region.clone(), resource.resource_type, resource.physical_id)),
        );
    }
    Ok(live)
}

/// Returns the stacks of which CloudFormation says that they have some of these resources, whoever made them. What such a stack
/// really has, and whether it is there, is another question: this is told of stacks that were deleted, too.
///
/// An engine does not find a stack by what it has.
pub async fn stacks_with(
    context: &Context,
    resources: &BTreeSet<LiveResource>,
) -> Looked<StackTarget> {
    if context.clients.is_local() {
        return Looked::of([]);
    }
    let looks = resources.iter().map(|(region, _, physical_id)| async move {
        let clients = context.clients.in_region(Some(region));
        let stack = stack_with(&clients, physical_id).await?;
        Ok(stack.map(|name| StackTarget {
            name,
            region: Some(region.clone()),
        }))
    });
    Looked::of(graph::abreast(context.concurrency, looks.collect()).await)
}

/// Returns the stack that a resource belongs to. Of one in no stack CloudFormation says `Stack for ID does not exist`, with the code
/// that it has for every request that it does not like
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResources.html>).
async fn stack_with(clients: &Clients, physical_id: &str) -> Result<Option<String>, AwsError> {
    let answer = clients
        .cloudformation
        .describe_stack_resources()
        .physical_resource_id(physical_id)
        .send()
        .await
        .or_aws(clients, "DescribeStackResources");
    match answer {
        Ok(answer) => {
            let found = answer.stack_resources.unwrap_or_default();
            Ok(found.into_iter().find_map(|it| it.stack_name))
        }
        Err(error) if says_absent(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether a resource is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Presence {
    /// It is.
    There,
    /// It is not, for sure.
    Gone,
    /// Nobody can tell.
    Unknown,
}

/// Returns which of some resources are not there any more, as far as one call tells.
pub async fn gone(context: &Context, resources: &BTreeSet<LiveResource>) -> Looked<LiveResource> {
    let (present, unknown) = presence(context, resources).await;
    let gone = present
        .into_iter()
        .filter(|(_, presence)| *presence == Presence::Gone);
    Looked {
        found: gone.map(|(resource, _)| resource).collect(),
        unknown,
    }
}

/// Returns which of some resources are there, as far as one call tells, and why nobody knows of the rest.
pub(super) async fn presence(
    context: &Context,
    resources: &BTreeSet<LiveResource>,
) -> (BTreeMap<LiveResource, Presence>, Option<AwsError>) {
    let looks = resources.iter().map(|resource| async move {
        let (region, resource_type, physical_id) = resource;
        let clients = context.clients.in_region(Some(region));
        let presence = look(&clients, resource_type, physical_id).await?;
        Ok(Some((resource.clone(), presence)))
    });
    let looked = Looked::of(graph::abreast(context.concurrency, looks.collect()).await);
    (looked.found.into_iter().collect(), looked.unknown)
}

/// Looks whether a resource is there.
///
/// A bucket is looked at as such: it may be somebody else's by now, which tells nothing. All else is asked for by the identifier of
/// <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_GetResource.html>; the Cloud Control of an engine knows
/// nothing but what was made through it.
async fn look(
    clients: &Clients,
    resource_type: &str,
    physical_id: &str,
) -> Result<Presence, AwsError> {
    let region = clients.region();
    let answer = match resource_type {
        "AWS::S3::Bucket" => {
            let bucket = preflight::head(clients, physical_id, true).await?;
            return Ok(match bucket {
                Bucket::Here(_) => Presence::There,
                Bucket::Free => Presence::Gone,
                Bucket::Closed => Presence::Unknown,
            });
        }
        "AWS::DynamoDB::Table" if clients.is_local() => {
            let input = json!({"TableName": physical_id});
            clients
                .json(DYNAMODB, region, "DescribeTable", &input)
                .await
        }
        _ if clients.is_local() || !IDENTIFIED.contains(&resource_type) => {
            return Ok(Presence::Unknown);
        }
        _ => {
            let input = json!({"TypeName": resource_type, "Identifier": physical_id});
            clients
                .json(CLOUD_CONTROL, region, "GetResource", &input)
                .await
        }
    };
    match answer {
        Ok(_) => Ok(Presence::There),
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(Presence::Gone),
        // A type that the registry of the region does not know, or that only tells less, tells nothing.
        Err(error)
            if matches!(
                error.code(),
                Some("TypeNotFoundException" | "UnsupportedActionException")
            ) =>
        {
            Ok(Presence::Unknown)
        }
        Err(error) => Err(error),
    }
}
