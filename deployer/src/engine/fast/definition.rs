//! Definitions of state machines as CloudFormation gives them to Step Functions: with the values of what they name.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    aws::{AwsError, signed::suffix},
    engine::{Context, DeployedStack, export, inspect::DeployedResource, plan, release},
    text::hex,
};

/// The type of the resources that have definitions.
pub(super) const TYPE: &str = "AWS::StepFunctions::StateMachine";

/// The properties that are the definition of a state machine and nothing else.
const PROPERTIES: [&str; 2] = ["DefinitionString", "DefinitionSubstitutions"];

/// The properties that hold a definition in another way, which is left to CloudFormation.
const OTHER_WAYS: [&str; 2] = ["Definition", "DefinitionS3Location"];

/// What a definition of a deployed stack may name, with the values.
pub(super) struct Values<'a> {
    context: &'a Context,
    /// The values of references: those of parameters, of CloudFormation's own names, and of resources.
    references: BTreeMap<String, String>,
    /// The types and the physical ids of resources.
    resources: BTreeMap<&'a str, (&'a str, &'a str)>,
    exports: BTreeMap<String, String>,
}

impl<'a> Values<'a> {
    /// Collects the values of what the state machines of templates of a stack name. `context` is that of its region.
    pub(super) async fn of(
        context: &'a Context,
        deployed: &DeployedStack,
        resources: &'a [DeployedResource],
        templates: &[&Value],
    ) -> Result<Self, AwsError> {
        let clients = &context.clients;
        let mut imported = BTreeSet::new();
        let mut hidden = BTreeSet::new();
        for template in templates {
            for (_, machine) in machines(template) {
                export::imported(machine, &mut imported);
            }
            let declared = template.get("Parameters").and_then(Value::as_object);
            // The value that is shown of such a parameter is the name of where its value is.
            hidden.extend(declared.into_iter().flatten().filter_map(|(name, it)| {
                let kind = it["Type"].as_str()?;
                kind.starts_with("AWS::SSM::").then_some(name)
            }));
        }
        let exports = if imported.is_empty() {
            BTreeMap::new()
        } else {
            export::values(context, &imported).await?
        };
        let region = clients.region();
        let mut references: BTreeMap<String, String> = deployed
            .parameters
            .iter()
            .filter(|(name, _)| !hidden.contains(name))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect();
        for (name, value) in [
            ("AWS::AccountId", clients.identity().account.as_str()),
            ("AWS::Partition", partition(&deployed.id)),
            ("AWS::Region", region),
            ("AWS::StackId", deployed.id.as_str()),
            ("AWS::StackName", deployed.name()),
            ("AWS::URLSuffix", suffix(region)),
        ] {
            references.insert(name.to_owned(), value.to_owned());
        }
        for resource in resources {
            // What a reference to a resource of several ids is differs from type to type.
            if !resource.physical_id.contains('|') {
                references.insert(resource.logical_id.clone(), resource.physical_id.clone());
            }
        }
        Ok(Self {
            context,
            references,
            resources: resources
                .iter()
                .map(|it| (&*it.logical_id, (&*it.resource_type, &*it.physical_id)))
                .collect(),
            exports,
        })
    }

    /// Returns the definition of a state machine of a template; or what it names that only CloudFormation knows.
    pub(super) fn definition(&self, machine: &Value) -> Result<String, String> {
        let properties = &machine["Properties"];
        if let Some(other) = OTHER_WAYS
            .iter()
            .find(|name| properties.get(**name).is_some())
        {
            return Err((*other).to_owned());
        }
        let text = self.text(&properties["DefinitionString"])?;
        let substitutions = properties.get("DefinitionSubstitutions");
        let mut values = BTreeMap::new();
        for (name, value) in substitutions
            .and_then(Value::as_object)
            .into_iter()
            .flatten()
        {
            values.insert(name.as_str(), self.text(value)?);
        }
        Ok(substituted(&text, &values))
    }

    /// Returns the value of an expression.
    fn text(&self, value: &Value) -> Result<String, String> {
        self.known(&plan::canonical(value, &self.references))
    }

    /// Returns the value of an expression in canonical form, in which references have their values.
    fn known(&self, value: &Value) -> Result<String, String> {
        let unknown = || Err(value.to_string());
        match value {
            Value::String(text) if text.contains("{{resolve:") => unknown(),
            Value::String(text) => Ok(text.clone()),
            Value::Number(number) => Ok(number.to_string()),
            Value::Bool(truth) => Ok(truth.to_string()),
            Value::Object(entries) => match plan::intrinsic(entries) {
                Some(("Fn::GetAtt", Value::Array(parts))) => match parts.as_slice() {
                    [Value::String(resource), Value::String(attribute)] => {
                        self.attribute(resource, attribute).map_or_else(unknown, Ok)
                    }
                    _ => unknown(),
                },
                Some(("Fn::ImportValue", Value::String(name))) => {
                    self.exports.get(name).cloned().map_or_else(unknown, Ok)
                }
                Some(("Fn::Join", Value::Array(arguments))) => match arguments.as_slice() {
                    [Value::String(between), Value::Array(pieces)] => {
                        let pieces: Result<Vec<String>, String> =
                            pieces.iter().map(|piece| self.known(piece)).collect();
                        Ok(pieces?.join(between))
                    }
                    _ => unknown(),
                },
                _ => unknown(),
            },
            Value::Null | Value::Array(_) => unknown(),
        }
    }

    /// Returns an attribute of a resource, where the physical id tells it: how an ARN is made from a name is what the
    /// Service Authorization Reference says
    /// (<https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>).
    fn attribute(&self, resource: &str, attribute: &str) -> Option<String> {
        let (kind, id) = *self.resources.get(resource)?;
        let name = id.rsplit('/').next().unwrap_or(id);
        let (service, place) = match (kind, attribute) {
            (_, "Arn") | ("AWS::SNS::Topic", "TopicArn") if id.starts_with("arn:") => {
                return Some(id.to_owned());
            }
            ("AWS::SQS::Queue", "QueueUrl") => return Some(id.to_owned()),
            ("AWS::SQS::Queue", "QueueName") => return Some(name.to_owned()),
            ("AWS::S3::Bucket", "Arn") => {
                let partition = &self.references["AWS::Partition"];
                return Some(format!("arn:{partition}:s3:::{id}"));
            }
            ("AWS::DynamoDB::Table", "Arn") => ("dynamodb", format!("table/{id}")),
            ("AWS::Events::EventBus", "Arn") => ("events", format!("event-bus/{id}")),
            ("AWS::Lambda::Function", "Arn") => ("lambda", format!("function:{id}")),
            ("AWS::SQS::Queue", "Arn") => ("sqs", name.to_owned()),
            _ => return None,
        };
        let clients = &self.context.clients;
        Some(format!(
            "arn:{}:{service}:{}:{}:{place}",
            self.references["AWS::Partition"],
            clients.region(),
            clients.identity().account
        ))
    }
}

/// Returns the partition of an ARN.
fn partition(arn: &str) -> &str {
    arn.split(':').nth(1).unwrap_or("aws")
}

/// Returns the state machines of a template.
pub(super) fn machines(template: &Value) -> impl Iterator<Item = (&String, &Value)> {
    let resources = template.get("Resources").and_then(Value::as_object);
    resources
        .into_iter()
        .flatten()
        .filter(|(_, resource)| resource["Type"] == TYPE)
}

/// Returns a template without the definitions of its state machines.
pub(super) fn without_definitions(template: &Value) -> Value {
    let mut template = template.clone();
    let resources = template.get_mut("Resources").and_then(Value::as_object_mut);
    for (_, resource) in resources.into_iter().flatten() {
        if resource["Type"] == TYPE
            && let Some(properties) = resource
                .get_mut("Properties")
                .and_then(Value::as_object_mut)
        {
            properties.retain(|name, _| !PROPERTIES.contains(&name.as_str()));
        }
    }
    template
}

/// Replaces the placeholders that have values; anything else that looks like one is a text, as it is to CloudFormation
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-stepfunctions-statemachine.html>).
fn substituted(text: &str, values: &BTreeMap<&str, String>) -> String {
    let mut replaced = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        replaced.push_str(before);
        let value = after
            .split_once('}')
            .and_then(|(name, after)| Some((values.get(name)?, after)));
        rest = if let Some((value, after)) = value {
            replaced.push_str(value);
            after
        } else {
            replaced.push_str("${");
            after
        };
    }
    replaced.push_str(rest);
    replaced
}

/// Returns the hash of what a definition says, which is the same however it is written.
pub(in crate::engine) fn hash(definition: &str) -> String {
    let text = match serde_json::from_str::<Value>(definition) {
        Ok(value) => release::sorted(&value).to_string(),
        Err(_) => definition.to_owned(),
    };
    hex(&Sha256::digest(text))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::tests::{Script, described};

    fn resource(logical_id: &str, resource_type: &str, physical_id: &str) -> DeployedResource {
        DeployedResource {
            logical_id: logical_id.to_owned(),
            resource_type: resource_type.to_owned(),
            physical_id: physical_id.to_owned(),
        }
    }

    #[tokio::test]
    async fn definitions_have_the_values_of_what_they_name() {
        let played = Script::new().play();
        let mut deployed = described("UPDATE_COMPLETE");
        deployed.parameters = BTreeMap::from([
            ("Level".to_owned(), "info".to_owned()),
            ("Secret".to_owned(), "****".to_owned()),
            ("Latest".to_owned(), "/latest".to_owned()),
        ]);
        let account = played.context.clients.identity().account.clone();
        let url = "https://sqs.eu-central-1.amazonaws.com/1/jobs";
        let resources = [
            resource("Table", "AWS::DynamoDB::Table", "rows"),
            resource("Jobs", "AWS::SQS::Queue", url),
            resource("Work", "AWS::Lambda::Function", "app-Work-1"),
            resource("Api", "AWS::ApiGateway::RestApi", "a1"),
        ];
        let template =
            json!({"Parameters": {"Latest": {"Type": "AWS::SSM::Parameter::Value<String>"}}});
        let values = Values::of(&played.context, &deployed, &resources, &[&template])
            .await
            .expect("nobody is asked");
        let definition = |text: &str, substitutions: Value| {
            values.definition(&json!({"Properties": {
                "DefinitionString": {"Fn::Join": ["\n", [text, "."]]},
                "DefinitionSubstitutions": substitutions,
            }}))
        };
        let found = definition(
            "${Table} ${Work} ${Queue} ${Url} ${Level} ${Other} ${",
            json!({
                "Table": {"Ref": "Table"}, "Work": {"Fn::GetAtt": ["Work", "Arn"]},
                "Queue": {"Fn::GetAtt": ["Jobs", "Arn"]}, "Url": {"Ref": "Jobs"},
                "Level": {"Fn::Sub": "${Level}-${AWS::Region}"},
            }),
        );
        assert_eq!(
            found.expect("is known"),
            format!(
                "rows arn:aws:lambda:eu-central-1:{account}:function:app-Work-1 \
                 arn:aws:sqs:eu-central-1:{account}:jobs {url} info-eu-central-1 ${{Other}} ${{\n."
            )
        );
        for unknown in [
            json!({"Fn::GetAtt": ["Api", "RootResourceId"]}),
            json!({"Fn::ImportValue": "other-table"}),
            json!({"Ref": "Secret"}),
            json!({"Ref": "Latest"}),
            json!({"Fn::If": ["Live", "a", "b"]}),
            json!("{{resolve:ssm:/a}}"),
        ] {
            let error = definition("${X}", json!({ "X": unknown })).expect_err("is not known");
            assert_eq!(error, unknown.to_string().as_str());
        }
        let other = json!({"Properties": {"Definition": {"StartAt": "A"}}});
        assert_eq!(values.definition(&other), Err("Definition".to_owned()));
    }

    #[test]
    fn what_a_definition_says_counts_and_not_how_it_is_written() {
        assert_eq!(
            hash(r#"{"StartAt": "A", "States": {}}"#),
            hash("{\"States\":{},\n\"StartAt\":\"A\"}")
        );
        assert_ne!(hash(r#"{"StartAt": "A"}"#), hash(r#"{"StartAt": "B"}"#));
    }
}
