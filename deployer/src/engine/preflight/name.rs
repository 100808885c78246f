//! Names: whether something that is to be created is there already, outside of the stack.
//!
//! Only names that stand in the template as text are looked at: those that CloudFormation makes up are free.

use serde_json::{Value, json};

use super::{Bucket, Check, Concern, Weight, head, physical_ids, unknown};
use crate::{
    aws::{AwsError, Clients, OrAws},
    engine::StackDeployment,
};

/// The types that are looked at, each with the property that names it.
const NAMED: [(&str, &str); 3] = [
    ("AWS::S3::Bucket", "BucketName"),
    ("AWS::Lambda::Function", "FunctionName"),
    ("AWS::Logs::LogGroup", "LogGroupName"),
];

/// Whether a name is taken.
enum Taken {
    No,
    Yes,
    /// By somebody else, or the caller may not look.
    Perhaps,
    /// By a bucket in another region.
    In(String),
}

/// Looks at every name of the stacks of a region.
pub(super) async fn check(clients: &Clients, stacks: &[(&StackDeployment, Value)]) -> Vec<Concern> {
    let mut concerns = Vec::new();
    for (stack, template) in stacks {
        let names: Vec<_> = names(template).collect();
        if names.is_empty() {
            continue;
        }
        let stack = &stack.manifest.name;
        let own = match physical_ids(clients, stack).await {
            Ok(own) => own,
            Err(error) => {
                concerns.push(unknown(Check::NameTaken, stack, &error));
                continue;
            }
        };
        for (logical_id, kind, property, name) in names {
            if own.contains(name) {
                continue;
            }
            let subject = format!("{stack}/{logical_id}");
            let taken = match is_taken(clients, kind, name).await {
                Ok(taken) => taken,
                Err(error) => {
                    concerns.push(unknown(Check::NameTaken, &subject, &error));
                    continue;
                }
            };
            let (weight, message) = match &taken {
                Taken::No => continue,
                Taken::Yes => (
                    Weight::Refused,
                    format!("`{name}` is the name of another {kind} already, outside of the stack"),
                ),
                Taken::In(region) => (
                    Weight::Refused,
                    format!("`{name}` is the name of another {kind} already, in {region}"),
                ),
                Taken::Perhaps => (
                    Weight::Warning,
                    format!("`{name}` is somebody else's, or the caller may not look"),
                ),
            };
            concerns.push(Concern {
                check: Check::NameTaken,
                hints: hints(
                    clients.region(),
                    stack,
                    logical_id,
                    kind,
                    property,
                    name,
                    &taken,
                ),
                weight,
                subject,
                message,
            });
        }
    }
    concerns
}

/// Returns the resources that have a name of their own: logical id, type, property and name. What a condition may leave
/// out is not among them.
fn names(template: &Value) -> impl Iterator<Item = (&str, &'static str, &'static str, &str)> {
    let resources = template.get("Resources").and_then(Value::as_object);
    resources
        .into_iter()
        .flatten()
        .filter(|(_, body)| body.get("Condition").is_none())
        .filter_map(|(logical_id, body)| {
            let kind = body.get("Type")?.as_str()?;
            let (kind, property) = *NAMED.iter().find(|(known, _)| *known == kind)?;
            let name = body.get("Properties")?.get(property)?.as_str()?;
            Some((logical_id.as_str(), kind, property, name))
        })
}

async fn is_taken(clients: &Clients, kind: &str, name: &str) -> Result<Taken, AwsError> {
    match kind {
        "AWS::S3::Bucket" => Ok(match head(clients, name).await? {
            Bucket::Free => Taken::No,
            Bucket::Here(Some(region)) if region != clients.region() => Taken::In(region),
            Bucket::Here(_) => Taken::Yes,
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
                Ok(_) => Ok(Taken::Yes),
                Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(Taken::No),
                Err(error) => Err(error),
            }
        }
        _ => {
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
            Ok(if same { Taken::Yes } else { Taken::No })
        }
    }
}

/// Says how a name gets free, and how what has it gets into the stack.
fn hints(
    region: &str,
    stack: &str,
    logical_id: &str,
    kind: &str,
    property: &str,
    name: &str,
    taken: &Taken,
) -> Vec<String> {
    let mut hints = vec![format!(
        "choose another `{property}` for {stack}/{logical_id}, or none: CloudFormation makes one up"
    )];
    if matches!(taken, Taken::Yes) {
        let import = json!([{
            "ResourceType": kind,
            "LogicalResourceId": logical_id,
            "ResourceIdentifier": {property: name},
        }]);
        // An import takes a template that adds nothing but what it imports
        // (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources-existing-stack.html>).
        hints.push(format!(
            "or take it into the stack, with a template that adds nothing else and retains it: `aws cloudformation create-change-set --region {region} --stack-name {stack} --change-set-name import --change-set-type IMPORT --resources-to-import '{import}' --template-body file://{stack}.import.json`"
        ));
    }
    hints
}
