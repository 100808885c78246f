//! Names: whether something that is to be created is there already, outside of the stack.
//!
//! Only names that stand in the template as text are looked at: those that CloudFormation makes up are free.

mod services;

use serde_json::{Value, json};
use stack_model_cfn::facts;

use super::{
    Bucket, Check, Concern, Weight, head,
    look::{Declared, Look, declared, is_one_of, partition},
    unknown,
};
use crate::{
    aws::{
        AwsError, Clients, Fault, OrAws,
        signed::{CLOUD_CONTROL, suffix},
    },
    engine::{inspect, publish},
};

/// The types that are looked at, each with the property that names it. There is one of a name in an account and region,
/// or in an account, and the second is refused.
const NAMED: [(&str, &str); 36] = [
    ("AWS::ApiGateway::DomainName", "DomainName"),
    ("AWS::ApiGatewayV2::DomainName", "DomainName"),
    ("AWS::CloudFront::Function", "Name"),
    ("AWS::CloudWatch::Alarm", "AlarmName"),
    ("AWS::CloudWatch::CompositeAlarm", "AlarmName"),
    ("AWS::CodeBuild::Project", "Name"),
    ("AWS::CodePipeline::Pipeline", "Name"),
    ("AWS::Cognito::UserPoolDomain", "Domain"),
    ("AWS::DynamoDB::Table", "TableName"),
    ("AWS::Events::ApiDestination", "Name"),
    ("AWS::Events::Archive", "ArchiveName"),
    ("AWS::Events::Connection", "Name"),
    ("AWS::Events::EventBus", "Name"),
    ("AWS::Events::Rule", "Name"),
    ("AWS::IAM::Group", "GroupName"),
    ("AWS::IAM::InstanceProfile", "InstanceProfileName"),
    ("AWS::IAM::ManagedPolicy", "ManagedPolicyName"),
    ("AWS::IAM::Role", "RoleName"),
    ("AWS::IAM::User", "UserName"),
    ("AWS::IoT::Policy", "PolicyName"),
    ("AWS::IoT::Thing", "ThingName"),
    ("AWS::IoT::ThingGroup", "ThingGroupName"),
    ("AWS::IoT::TopicRule", "RuleName"),
    ("AWS::KMS::Alias", "AliasName"),
    ("AWS::Lambda::Function", "FunctionName"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
    ("AWS::Pipes::Pipe", "Name"),
    ("AWS::S3::Bucket", "BucketName"),
    ("AWS::SNS::Topic", "TopicName"),
    ("AWS::SQS::Queue", "QueueName"),
    ("AWS::SSM::Parameter", "Name"),
    ("AWS::Scheduler::Schedule", "Name"),
    ("AWS::Scheduler::ScheduleGroup", "Name"),
    ("AWS::SecretsManager::Secret", "Name"),
    ("AWS::StepFunctions::StateMachine", "StateMachineName"),
    ("AWS::WAFv2::WebACL", "Name"),
];

/// Whether a name is taken.
enum Taken {
    No,
    /// By what an import identifies so, where that is known.
    Yes(Option<Value>),
    /// By somebody else, or the caller may not look.
    Perhaps,
    /// By a bucket in another region.
    In(String),
    /// By a secret that is deleted, which keeps its name until it is gone.
    Leaving,
}

/// Who knows which names are taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// AWS, of every type.
    Aws,
    /// The local engine, of the types whose services it has a call for here. It takes over what has a name that it is to
    /// create, where AWS refuses.
    Engine,
}

/// Returns whether the local engine can be asked about a name of a template.
pub(super) fn is_askable(template: &Value) -> bool {
    declared(template).any(|it| {
        let property = NAMED.iter().find(|(kind, _)| *kind == it.kind);
        let has_name = property.is_some_and(|(_, name)| it.properties.get(name).is_some());
        has_name && services::ENGINE.contains(&it.kind)
    })
}

/// Looks at every name of the stacks of a region.
pub(super) async fn check(clients: &Clients, looks: &[Look<'_>], asked: Asked) -> Vec<Concern> {
    let mut concerns = Vec::new();
    // Whoever may not use Cloud Control, or does not reach it, is told once.
    let mut untold = None;
    for look in looks {
        for resource in look.declared() {
            let Some((property, name)) = name_of(look, &resource) else {
                continue;
            };
            if asked == Asked::Engine && !services::ENGINE.contains(&resource.kind) {
                continue;
            }
            let identifier = identifier(clients, &resource, name);
            let mut present = look.present.values();
            if present.any(|it| is_one_of(&it.physical_id, [name, &identifier])) {
                continue;
            }
            let fallen = look.outlives([name, &identifier]);
            if fallen == Some(false) {
                continue;
            }
            let subject = look.subject(resource.logical_id);
            let taken = match is_taken(clients, &resource, name, &identifier, asked).await {
                Ok(taken) => taken,
                Err(error) => {
                    let is_of_all =
                        matches!(error.fault(), Fault::Denied { .. } | Fault::Unreachable);
                    if !(is_of_all && untold == Some(error.operation())) {
                        concerns.push(unknown(Check::NameTaken, &subject, &error));
                    }
                    if is_of_all {
                        untold = Some(error.operation());
                    }
                    continue;
                }
            };
            let kind = resource.kind;
            let passing = match &taken {
                Taken::Yes(_) => passing(clients, looks, look, [name, &identifier]).await,
                _ => None,
            };
            if let Some((message, hint)) = passing {
                concerns.push(Concern {
                    check: Check::NameTaken,
                    weight: Weight::Warning,
                    subject,
                    message: format!("`{name}` is the name of another {kind} already, {message}"),
                    hints: vec![hint],
                });
                continue;
            }
            if fallen == Some(true) && !matches!(taken, Taken::No) {
                concerns.push(outlived(look, &resource, subject, name));
                continue;
            }
            if asked == Asked::Engine && !matches!(taken, Taken::No) {
                concerns.push(Concern {
                    check: Check::NameTaken,
                    weight: Weight::Warning,
                    subject,
                    message: format!(
                        "`{name}` is the name of another {kind} already, outside of the stack: the local engine takes it over, \
                         and AWS refuses that"
                    ),
                    hints: Vec::new(),
                });
                continue;
            }
            let (weight, message) = match &taken {
                Taken::No => continue,
                Taken::Yes(_) => (
                    Weight::Refused,
                    format!("`{name}` is the name of another {kind} already, outside of the stack"),
                ),
                Taken::In(region) => (
                    Weight::Refused,
                    format!("`{name}` is the name of another {kind} already, in {region}"),
                ),
                Taken::Leaving => (
                    Weight::Refused,
                    format!(
                        "`{name}` is the name of another {kind}, which is deleted and keeps it until it is gone"
                    ),
                ),
                Taken::Perhaps => (
                    Weight::Warning,
                    format!("`{name}` is somebody else's, or the caller may not look"),
                ),
            };
            concerns.push(Concern {
                check: Check::NameTaken,
                hints: hints(clients.region(), look, &resource, (property, name), &taken),
                weight,
                subject,
                message,
            });
        }
    }
    concerns
}

/// Refuses the name of what a failed creation of the stack kept, which is its own and is in the way all the same.
fn outlived(look: &Look<'_>, resource: &Declared<'_>, subject: String, name: &str) -> Concern {
    let (stack, kind) = (look.name(), resource.kind);
    Concern {
        check: Check::NameTaken,
        weight: Weight::Refused,
        subject,
        message: format!(
            "`{name}` is the name of the {kind} that the first deploy of {stack} made, which failed: its policy retains it, \
             so that it stays when the stack is made anew"
        ),
        hints: vec![format!(
            "`stackctl destroy {stack}` removes what else is left of that deploy, and writes down the commands that remove \
             `{name}` and those that take it back into the stack; then deploy again"
        )],
    }
}

/// Says why a name that is taken may be free, or the stack's own, by the time it is needed, and what to do where it is not.
async fn passing(
    clients: &Clients,
    looks: &[Look<'_>],
    look: &Look<'_>,
    ids: [&str; 2],
) -> Option<(String, String)> {
    let giver = looks.iter().find(|it| it.gives_up(ids));
    if let Some(giver) = giver.map(Look::name) {
        return Some((
            format!(
                "which leaves {giver} in this deploy: whether it is free in time depends on which stack is first"
            ),
            format!("where it is not, deploy {giver} alone first"),
        ));
    }
    // CloudFormation shows what it makes some seconds after it is there.
    is_under_way(clients, look).await.then(|| {
        (
            format!("perhaps of {} itself, on which an operation is under way", look.name()),
            "where it is not, deploy again when that operation is over: this is then looked at again".to_owned(),
        )
    })
}

/// Returns whether CloudFormation works on a stack. A stack that has nothing but a change set is not worked on.
async fn is_under_way(clients: &Clients, look: &Look<'_>) -> bool {
    // Who may not ask is told so by other looks.
    let stack = inspect::describe(clients, look.name()).await.ok().flatten();
    stack.is_some_and(|stack| {
        let status = stack.status.as_str();
        status.ends_with("_IN_PROGRESS") && status != "REVIEW_IN_PROGRESS"
    })
}

/// Returns the property that names a resource, and the name.
fn name_of<'a>(look: &'a Look<'_>, resource: &Declared<'a>) -> Option<(&'static str, &'a str)> {
    let (_, property) = NAMED.iter().find(|(kind, _)| *kind == resource.kind)?;
    let name = look.text(resource.properties.get(property)?)?;
    // Rules of other buses have names of their own there, and so have schedules of other groups than the default one.
    let place = |property: &str| resource.properties.get(property);
    let elsewhere = match resource.kind {
        "AWS::Events::Rule" => place("EventBusName").is_some(),
        "AWS::Scheduler::Schedule" => place("GroupName").is_some_and(|group| group != "default"),
        "AWS::WAFv2::WebACL" => !place("Scope").is_some_and(Value::is_string),
        _ => false,
    };
    // A name after a path is identified by both.
    let has_path = resource.kind == "AWS::IAM::ManagedPolicy"
        && resource
            .properties
            .get("Path")
            .is_some_and(|path| path != "/");
    (!elsewhere && !has_path).then_some((property, name))
}

/// Returns what the registry identifies a resource of a name by, or what that begins with where AWS makes up the rest.
fn identifier(clients: &Clients, resource: &Declared<'_>, name: &str) -> String {
    let (region, account) = (clients.region(), &clients.identity().account);
    let partition = partition(clients);
    match resource.kind {
        "AWS::CloudFront::Function" => {
            format!("arn:{partition}:cloudfront::{account}:function/{name}")
        }
        "AWS::Events::Rule" => format!("arn:{partition}:events:{region}:{account}:rule/{name}"),
        "AWS::IAM::ManagedPolicy" => format!("arn:{partition}:iam::{account}:policy/{name}"),
        "AWS::SecretsManager::Secret" => {
            format!("arn:{partition}:secretsmanager:{region}:{account}:secret:{name}")
        }
        "AWS::SNS::Topic" => format!("arn:{partition}:sns:{region}:{account}:{name}"),
        "AWS::SQS::Queue" => {
            format!("https://sqs.{region}.{}/{account}/{name}", suffix(region))
        }
        "AWS::StepFunctions::StateMachine" => {
            format!("arn:{partition}:states:{region}:{account}:stateMachine:{name}")
        }
        "AWS::WAFv2::WebACL" => format!("{name}|"),
        _ => name.to_owned(),
    }
}

async fn is_taken(
    clients: &Clients,
    resource: &Declared<'_>,
    name: &str,
    identifier: &str,
    asked: Asked,
) -> Result<Taken, AwsError> {
    let kind = resource.kind;
    match kind {
        // The engine's Cloud Control knows nothing but what was made through it.
        "AWS::DynamoDB::Table" | "AWS::IAM::Role" if asked == Asked::Engine => {
            Ok(if services::has(clients, kind, name).await? {
                Taken::Yes(None)
            } else {
                Taken::No
            })
        }
        "AWS::S3::Bucket" => Ok(match head(clients, name, false).await? {
            Bucket::Free => Taken::No,
            Bucket::Here(Some(region)) if region != clients.region() => Taken::In(region),
            Bucket::Here(_) => Taken::Yes(identified(kind, identifier)),
            Bucket::Closed => Taken::Perhaps,
        }),
        "AWS::Lambda::Function" => {
            let answer = clients
                .lambda
                .get_function()
                .function_name(name)
                .send()
                .await;
            match answer.or_aws(clients, "GetFunction") {
                Ok(_) => Ok(Taken::Yes(identified(kind, identifier))),
                Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(Taken::No),
                Err(error) => Err(error),
            }
        }
        "AWS::Logs::LogGroup" => {
            let answer = clients
                .logs
                .describe_log_groups()
                .log_group_name_prefix(name)
                .send()
                .await
                .or_aws(clients, "DescribeLogGroups")?;
            // The groups come in the order of their names, so that the shortest is on the first page.
            let groups = answer.log_groups.unwrap_or_default();
            let same = groups
                .iter()
                .any(|group| group.log_group_name.as_deref() == Some(name));
            Ok(if same {
                Taken::Yes(identified(kind, identifier))
            } else {
                Taken::No
            })
        }
        "AWS::CloudFront::Function" => services::function(clients, name, identifier).await,
        "AWS::CodeBuild::Project" => services::project(clients, name).await,
        "AWS::Cognito::UserPoolDomain" => services::user_pool_domain(clients, name).await,
        "AWS::SecretsManager::Secret" => services::secret(clients, name).await,
        "AWS::WAFv2::WebACL" => {
            let scope = resource.properties["Scope"].as_str().unwrap_or_default();
            services::web_acl(clients, name, scope).await
        }
        _ => registered(clients, kind, identifier).await,
    }
}

/// Asks Cloud Control, which reads every type of the registry in one way, with the rights of the caller
/// (<https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_GetResource.html>).
async fn registered(clients: &Clients, kind: &str, identifier: &str) -> Result<Taken, AwsError> {
    let input = json!({"TypeName": kind, "Identifier": identifier});
    let answer = clients
        .json(CLOUD_CONTROL, clients.region(), "GetResource", &input)
        .await;
    match answer {
        Ok(_) => Ok(Taken::Yes(identified(kind, identifier))),
        Err(error) => match error.code() {
            // What the region's registry does not have cannot be asked for.
            Some(
                "ResourceNotFoundException"
                | "TypeNotFoundException"
                | "UnsupportedActionException",
            ) => Ok(Taken::No),
            _ => Err(error),
        },
    }
}

/// Returns what an import identifies a resource by.
fn identified(kind: &str, identifier: &str) -> Option<Value> {
    let mut properties = facts::resource_type(kind)?.primary_identifier();
    let property = properties.next()?;
    properties
        .next()
        .is_none()
        .then(|| json!({property: identifier}))
}

/// Says how a name gets free, and how what has it gets into the stack.
fn hints(
    region: &str,
    look: &Look<'_>,
    resource: &Declared<'_>,
    (property, name): (&str, &str),
    taken: &Taken,
) -> Vec<String> {
    let stack = look.name();
    let logical_id = resource.logical_id;
    let mut hints = vec![format!(
        "choose another `{property}` for {stack}/{logical_id}, or none: CloudFormation makes one up"
    )];
    if matches!(property, "Domain" | "DomainName" | "AliasName") {
        hints = vec![format!(
            "choose another `{property}` for {stack}/{logical_id}"
        )];
    }
    if matches!(taken, Taken::Leaving) {
        hints.push(format!(
            "or get it back: `aws secretsmanager restore-secret --region {region} --secret-id {name}`; then deploy again, which says how to take it into the stack"
        ));
    }
    if let Taken::Yes(Some(identifier)) = taken {
        let import = json!([{
            "ResourceType": resource.kind,
            "LogicalResourceId": logical_id,
            "ResourceIdentifier": identifier,
        }]);
        // An import takes a template that adds nothing but what it imports
        // (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-existing-stack.html>).
        let template = if look.present.is_empty() {
            format!(
                "{stack}.import.json with {logical_id} alone, as `stackctl synth` renders it, and `\"DeletionPolicy\": \"Retain\"`"
            )
        } else {
            format!(
                "{stack}.import.json, the deployed template (`aws cloudformation get-template --region {region} --stack-name {stack}`) and {logical_id} as `stackctl synth` renders it, with `\"DeletionPolicy\": \"Retain\"`"
            )
        };
        hints.push(format!("or take it into the stack: write {template}, and"));
        // What is there and one resource more: about what is wanted.
        let is_long = !look.present.is_empty() && publish::needs_bucket(&look.stack.template);
        let capabilities = &look.stack.manifest.capabilities;
        hints.extend(commands(region, stack, &import, is_long, capabilities));
    }
    hints
}

/// Returns the commands that import a resource by a template in a file, which a call takes unless it is long
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html>).
fn commands(
    region: &str,
    stack: &str,
    import: &Value,
    is_long: bool,
    capabilities: &[String],
) -> Vec<String> {
    let file = format!("{stack}.import.json");
    let mut commands = Vec::new();
    let template = if is_long {
        commands.push(format!(
            "`aws s3 cp --region {region} {file} s3://BUCKET/{file}`, where BUCKET is any of yours in that region: it is too long for a call;"
        ));
        let end = suffix(region);
        format!("--template-url https://BUCKET.s3.{region}.{end}/{file}")
    } else {
        format!("--template-body file://{file}")
    };
    let capabilities = if capabilities.is_empty() {
        String::new()
    } else {
        format!(" --capabilities {}", capabilities.join(" "))
    };
    commands.push(format!(
        "`aws cloudformation create-change-set --region {region} --stack-name {stack} --change-set-name import --change-set-type IMPORT --resources-to-import '{import}' {template}{capabilities}`"
    ));
    commands.push(format!(
        "`aws cloudformation execute-change-set --region {region} --stack-name {stack} --change-set-name import`, and deploy again"
    ));
    commands
}

#[cfg(test)]
mod tests;
