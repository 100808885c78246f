//! Log groups that services made by themselves for resources of a stack, and that no template knows.
//!
//! A function without a log group of its own makes `/aws/lambda/<name>` when it is called for the first time
//! (<https://docs.aws.amazon.com/lambda/latest/dg/monitoring-cloudwatchlogs.html>), a build project
//! `/aws/codebuild/<name>` (<https://docs.aws.amazon.com/codebuild/latest/userguide/change-project.html>), and a REST API
//! that logs its calls `API-Gateway-Execution-Logs_<id>/<stage>`
//! (<https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html>). Nothing removes them but us.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use aws_sdk_cloudwatchlogs::types::LogGroup;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Context, Event, Fate, contents::Contents, ledger::Resource};
use crate::aws::{AwsError, Clients, Fault, OrAws};

/// The tag that CloudFormation gives to what is a resource of a stack.
const STACK_TAG: &str = "aws:cloudformation:stack-id";

/// Names of log groups that may be there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum Name {
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

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Is(name) => f.write_str(name),
            Self::StartsWith(prefix) => write!(f, "{prefix}*"),
        }
    }
}

/// What became of the log groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Traces {
    Removed,
    /// The caller may not remove them, or not look for them.
    Denied,
}

/// Removes the log groups that services made for resources of a stack that is gone. A caller who may not is told which are
/// left: the stack is gone all the same.
pub(super) async fn remove(
    context: &Context,
    stack: &str,
    contents: &Contents,
) -> Result<Traces, AwsError> {
    let denied = |error: AwsError| {
        let names: Vec<String> = contents.log_groups.iter().map(Name::to_string).collect();
        context.emit(Event::Warning {
            stack: stack.to_owned(),
            message: format!(
                "log groups that services made by themselves are left, where there are any ({}): {error}; whoever may remove \
                 them runs the same command again",
                names.join(", ")
            ),
        });
        Ok(Traces::Denied)
    };
    let found = match find(&context.clients, stack, contents).await {
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => return denied(error),
        found => found?,
    };
    for log_group in found {
        match delete(&context.clients, &log_group).await {
            Err(error) if matches!(error.fault(), Fault::Denied { .. }) => return denied(error),
            deleted => deleted?,
        }
        context.emit(Event::LogGroupRemoved {
            stack: stack.to_owned(),
            log_group,
        });
    }
    Ok(Traces::Removed)
}

/// Returns the log groups that services made by themselves for resources that go with a stack. What is or was a resource of
/// a stack is not among them: somebody described it.
pub(super) async fn find(
    clients: &Clients,
    stack: &str,
    contents: &Contents,
) -> Result<Vec<String>, AwsError> {
    let found = groups(clients, stack, contents).await?.into_iter();
    Ok(found.filter_map(|group| group.log_group_name).collect())
}

/// The same with all that the service tells of them.
pub(super) async fn groups(
    clients: &Clients,
    stack: &str,
    contents: &Contents,
) -> Result<Vec<LogGroup>, AwsError> {
    // Names that CloudFormation made begin with that of the stack, so that one question answers for all of them.
    let mut questions: BTreeMap<String, Vec<&Name>> = BTreeMap::new();
    for name in &contents.log_groups {
        let whole = format!("/aws/lambda/{stack}-");
        let prefix = if name.prefix().starts_with(&whole) {
            whole
        } else {
            name.prefix().to_owned()
        };
        questions.entry(prefix).or_default().push(name);
    }
    // What the template keeps, or removes by itself, is none of this.
    let known: BTreeSet<&str> = contents
        .resources
        .iter()
        .filter(|resource| resource.deployed.resource_type == "AWS::Logs::LogGroup")
        .map(|resource| resource.deployed.physical_id.as_str())
        .collect();
    let mut found = Vec::new();
    for (prefix, names) in questions {
        for group in list(clients, &prefix).await? {
            let Some(name) = &group.log_group_name else {
                continue;
            };
            if !known.contains(name.as_str())
                && names.iter().any(|own| own.fits(name))
                && !is_of_a_stack(clients, &group).await?
            {
                found.push(group);
            }
        }
    }
    Ok(found)
}

/// Returns whether a log group is a resource of a stack, or was one that it kept: another stack, or an earlier version of
/// the same one, may have described the group of a function that is named by hand.
///
/// See <https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_ListTagsForResource.html>, which takes the
/// ARN without the `:*` at its end.
async fn is_of_a_stack(clients: &Clients, group: &LogGroup) -> Result<bool, AwsError> {
    let arn = arn(group)?;
    let answer = clients
        .logs
        .list_tags_for_resource()
        .resource_arn(arn)
        .send()
        .await
        .or_aws(clients, "ListTagsForResource");
    match answer {
        Ok(answer) => Ok(answer.tags.is_some_and(|tags| tags.contains_key(STACK_TAG))),
        Err(error) if error.code() == Some("ResourceNotFoundException") => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns the ARN of a log group, without the `:*` that some answers have at its end.
pub(super) fn arn(group: &LogGroup) -> Result<&str, AwsError> {
    match (&group.log_group_arn, &group.arn) {
        (Some(arn), _) | (None, Some(arn)) => Ok(arn.trim_end_matches(":*")),
        (None, None) => Err(AwsError::incomplete("DescribeLogGroups", "ARN")),
    }
}

/// Returns the names that log groups of deleted resources would have.
pub(super) fn names(template: &Value, resources: &[Resource]) -> BTreeSet<Name> {
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
async fn list(clients: &Clients, prefix: &str) -> Result<Vec<LogGroup>, AwsError> {
    let mut groups = Vec::new();
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
        groups.extend(page.log_groups.unwrap_or_default());
        next = page.next_token;
        if next.is_none() {
            return Ok(groups);
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
