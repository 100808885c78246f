//! Log groups that services made by themselves for resources of a stack, and that no template knows.
//!
//! A function without a log group of its own makes `/aws/lambda/<name>` when it is called for the first time
//! (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html>), a build project
//! `/aws/codebuild/<name>` (<https://docs.aws.amazon.com/codebuild/latest/userguide/change-project.html>), and a REST API
//! that logs its calls `API-Gateway-Execution-Logs_<id>/<stage>`
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html>). Nothing removes them but us.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Context, Event, Fate, ledger::Resource};
use crate::aws::{AwsError, Clients, OrAws};

/// Names of log groups that may be there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Name {
    Is(String),
    StartsWith(String),
}

impl Name {
    fn prefix(&self) -> &str {
        match self {
            Self::Is(name) | Self::StartsWith(name) => name,
        }
    }

    fn fits(&self, name: &str) -> bool {
        match self {
            Self::Is(own) => name == own,
            Self::StartsWith(prefix) => name.starts_with(prefix.as_str()),
        }
    }
}

/// Removes the log groups that services made for resources of a stack that is gone.
pub(super) async fn remove(
    context: &Context,
    stack: &str,
    template: &Value,
    resources: &[Resource],
) -> Result<(), AwsError> {
    let names = names(template, resources);
    // Names that CloudFormation made begin with that of the stack, so that one question answers for all of them.
    let mut questions: BTreeMap<String, Vec<&Name>> = BTreeMap::new();
    for name in &names {
        let whole = format!("/aws/lambda/{stack}-");
        let prefix = if name.prefix().starts_with(&whole) {
            whole
        } else {
            name.prefix().to_owned()
        };
        questions.entry(prefix).or_default().push(name);
    }
    // What the template keeps, or removes by itself, is none of this.
    let known: BTreeSet<&str> = resources
        .iter()
        .filter(|resource| resource.deployed.resource_type == "AWS::Logs::LogGroup")
        .map(|resource| resource.deployed.physical_id.as_str())
        .collect();
    for (prefix, names) in questions {
        for found in list(&context.clients, &prefix).await? {
            if !known.contains(found.as_str()) && names.iter().any(|name| name.fits(&found)) {
                delete(&context.clients, &found).await?;
                context.emit(Event::LogGroupRemoved {
                    stack: stack.to_owned(),
                    log_group: found,
                });
            }
        }
    }
    Ok(())
}

/// Returns the names that log groups of deleted resources would have.
fn names(template: &Value, resources: &[Resource]) -> BTreeSet<Name> {
    resources
        .iter()
        .filter(|resource| resource.fate == Fate::Deleted)
        .filter_map(|resource| {
            let id = &resource.deployed.physical_id;
            let properties =
                &template["Resources"][resource.deployed.logical_id.as_str()]["Properties"];
            match resource.deployed.resource_type.as_str() {
                "AWS::Lambda::Function"
                    if properties["LoggingConfig"].get("LogGroup").is_none() =>
                {
                    Some(Name::Is(format!("/aws/lambda/{id}")))
                }
                "AWS::CodeBuild::Project"
                    if properties["LogsConfig"]["CloudWatchLogs"]
                        .get("GroupName")
                        .is_none() =>
                {
                    Some(Name::Is(format!("/aws/codebuild/{id}")))
                }
                "AWS::ApiGateway::RestApi" => Some(Name::StartsWith(format!(
                    "API-Gateway-Execution-Logs_{id}/"
                ))),
                _ => None,
            }
        })
        .collect()
}

/// See <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_DescribeLogGroups.html>.
async fn list(clients: &Clients, prefix: &str) -> Result<Vec<String>, AwsError> {
    let mut names = Vec::new();
    let mut next = None;
    loop {
        let page = clients
            .logs
            .describe_log_groups()
            .log_group_name_prefix(prefix)
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, "DescribeLogGroups")?;
        let groups = page.log_groups.unwrap_or_default();
        names.extend(groups.into_iter().filter_map(|group| group.log_group_name));
        next = page.next_token;
        if next.is_none() {
            return Ok(names);
        }
    }
}

async fn delete(clients: &Clients, name: &str) -> Result<(), AwsError> {
    let answer = clients
        .logs
        .delete_log_group()
        .log_group_name(name)
        .send()
        .await
        .or_aws(clients, "DeleteLogGroup");
    match answer {
        Err(error) if error.code() != Some("ResourceNotFoundException") => Err(error),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::{destroy::ledger, inspect::DeployedResource};

    #[test]
    fn only_what_is_deleted_and_logs_by_itself_has_a_log_group_of_its_own() {
        let template = json!({"Resources": {
            "Own": {"Type": "AWS::Lambda::Function", "Properties": {"LoggingConfig": {"LogGroup": {"Ref": "Logs"}}}},
            "Bare": {"Type": "AWS::Lambda::Function", "Properties": {"LoggingConfig": {"LogFormat": "JSON"}}},
            "Kept": {"Type": "AWS::Lambda::Function", "DeletionPolicy": "Retain"},
            "Api": {"Type": "AWS::ApiGateway::RestApi"},
            "Build": {"Type": "AWS::CodeBuild::Project"},
            "Queue": {"Type": "AWS::SQS::Queue"},
        }});
        let rows = [
            ("Own", "AWS::Lambda::Function"),
            ("Bare", "AWS::Lambda::Function"),
            ("Kept", "AWS::Lambda::Function"),
            ("Api", "AWS::ApiGateway::RestApi"),
            ("Build", "AWS::CodeBuild::Project"),
            ("Queue", "AWS::SQS::Queue"),
        ];
        let found = rows.map(|(logical_id, resource_type)| DeployedResource {
            logical_id: logical_id.to_owned(),
            resource_type: resource_type.to_owned(),
            physical_id: logical_id.to_lowercase(),
        });
        let resources = ledger::resources(&template, &BTreeMap::new(), found.to_vec());
        assert_eq!(
            Vec::from_iter(names(&template, &resources)),
            [
                Name::Is("/aws/codebuild/build".to_owned()),
                Name::Is("/aws/lambda/bare".to_owned()),
                Name::StartsWith("API-Gateway-Execution-Logs_api/".to_owned()),
            ]
        );
    }
}
