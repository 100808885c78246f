//! What takes back what a removed stack kept: a change set of the type `IMPORT`
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/import-resources.html>).
//!
//! Its template holds what it imports and nothing else, each with a deletion policy, and may refer to nothing that is
//! gone. CloudFormation does not compare the properties with those of the resource, so what cannot be said any more is
//! left out; the next deploy says it again.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use stack_model_cfn::facts;

use super::{
    Retained,
    advice::{identifier, quoted},
    ledger::Resource,
};
use crate::{
    aws::signed::suffix,
    engine::{Context, DeployedStack, hint, publish},
    template::referenced,
};

/// The change set that takes back what a stack kept.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Adoption {
    stack_id: String,
    template: Value,
    imports: Vec<Import>,
}

/// One resource of a change set that imports, as the command takes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Import {
    resource_type: String,
    #[serde(rename = "LogicalResourceId")]
    logical_id: String,
    #[serde(rename = "ResourceIdentifier")]
    by: BTreeMap<String, String>,
}

impl Adoption {
    /// Returns what takes back what a stack keeps; nothing, where it keeps nothing that CloudFormation identifies by its
    /// physical id.
    pub(super) fn of(
        deployed: &DeployedStack,
        template: &Value,
        resources: &[Resource],
    ) -> Option<Self> {
        let mut imported: BTreeMap<&str, &Resource> = resources
            .iter()
            .filter(|resource| resource.stays_alone())
            .filter(|resource| identifier(&resource.deployed.resource_type).is_some())
            .map(|resource| (resource.deployed.logical_id.as_str(), resource))
            .collect();
        let known = Known {
            template,
            parameters: &deployed.parameters,
            physical_ids: resources
                .iter()
                .map(|it| (it.deployed.logical_id.as_str(), &*it.deployed.physical_id))
                .collect(),
        };
        // What cannot be said may be what another refers to.
        let entries = loop {
            let names: BTreeSet<&str> = imported.keys().copied().collect();
            let entries: BTreeMap<&str, Option<Value>> = names
                .iter()
                .map(|id| (*id, known.entry(id, &names)))
                .collect();
            let before = imported.len();
            imported.retain(|id, _| entries.get(id).is_some_and(Option::is_some));
            if imported.len() == before {
                break entries;
            }
        };
        if imported.is_empty() {
            return None;
        }
        let resources: Map<String, Value> = entries
            .into_iter()
            .filter_map(|(id, entry)| Some((id.to_owned(), entry?)))
            .collect();
        let imports = imported.into_values().filter_map(|resource| {
            let resource = &resource.deployed;
            let property = identifier(&resource.resource_type)?;
            Some(Import {
                resource_type: resource.resource_type.clone(),
                logical_id: resource.logical_id.clone(),
                by: BTreeMap::from([(property.to_owned(), resource.physical_id.clone())]),
            })
        });
        Some(Self {
            stack_id: deployed.id.clone(),
            template: json!({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources}),
            imports: imports.collect(),
        })
    }

    /// Returns the template.
    pub fn template(&self) -> &Value {
        &self.template
    }

    /// Returns whether a resource is taken back by this.
    pub fn takes(&self, resource: &Retained) -> bool {
        self.imports.iter().any(|import| {
            import.logical_id == resource.logical_id
                && import.by.values().any(|id| *id == resource.physical_id)
        })
    }

    /// Returns the commands that take it all back, in their order. `file` holds the template. One that is longer than a call
    /// takes has to be uploaded first, to a bucket that the caller chooses in place of `BUCKET`.
    pub fn commands(&self, context: &Context, file: &Path) -> Vec<String> {
        let stack = self.stack_id.split('/').nth(1).unwrap_or(&self.stack_id);
        // CloudFormation refuses tags here; the next deploy sets them.
        let imports = serde_json::to_string(&self.imports).unwrap_or_default();
        // As it is written into the file, with a line end.
        let text = serde_json::to_string_pretty(&self.template).unwrap_or_default() + "\n";
        let is_long = publish::needs_bucket(&text);
        let key = file.file_name().unwrap_or_default().to_string_lossy();
        let template = if is_long {
            let region = context.clients.region();
            let end = suffix(region);
            format!("--template-url https://BUCKET.s3.{region}.{end}/{key}")
        } else {
            format!(
                "--template-body {}",
                quoted(&format!("file://{}", file.display()))
            )
        };
        let mut create = format!(
            "cloudformation create-change-set --stack-name {stack} --change-set-name adopt --change-set-type IMPORT {template} \
             --resources-to-import {}",
            quoted(&imports)
        );
        let has_identities = |import: &Import| import.resource_type.starts_with("AWS::IAM::");
        if self.imports.iter().any(has_identities) {
            create += " --capabilities CAPABILITY_NAMED_IAM";
        }
        let named = format!("--stack-name {stack} --change-set-name adopt");
        let upload = is_long.then(|| {
            let file = quoted(&file.display().to_string());
            format!("s3 cp {file} s3://BUCKET/{key}")
        });
        let import = [
            create,
            format!("cloudformation wait change-set-create-complete {named}"),
            format!("cloudformation execute-change-set {named}"),
            format!("cloudformation wait stack-import-complete --stack-name {stack}"),
        ];
        let all = upload.into_iter().chain(import);
        all.map(|command| format!("aws {command}{}", hint::aws_options(context)))
            .collect()
    }

    pub(super) fn is_of_stack_of(&self, other: &Self) -> bool {
        self.stack_id == other.stack_id
    }
}

/// What is known of a stack that goes.
struct Known<'a> {
    template: &'a Value,
    parameters: &'a BTreeMap<String, String>,
    physical_ids: BTreeMap<&'a str, &'a str>,
}

impl Known<'_> {
    /// Returns a resource as the template that imports it has it; nothing, where something that it must have cannot be
    /// said any more.
    fn entry(&self, logical_id: &str, imported: &BTreeSet<&str>) -> Option<Value> {
        let old = self.template.get("Resources")?.get(logical_id)?;
        let resource_type = old.get("Type")?.as_str()?;
        let mut properties = Map::new();
        let all = old.get("Properties").and_then(Value::as_object);
        for (name, value) in all.into_iter().flatten() {
            if let Some(value) = self.said(value, imported) {
                properties.insert(name.clone(), value);
            }
        }
        let is_whole = facts::resource_type(resource_type)?
            .properties()
            .all(|property| !property.required() || properties.contains_key(property.name()));
        is_whole.then(|| {
            json!({
                "Type": resource_type,
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": properties,
            })
        })
    }

    /// Returns a value that refers to nothing that is gone, where it can be said so.
    fn said(&self, value: &Value, imported: &BTreeSet<&str>) -> Option<Value> {
        match value {
            Value::Array(elements) => {
                let elements = elements.iter().map(|element| self.said(element, imported));
                elements.collect::<Option<Vec<_>>>().map(Value::Array)
            }
            Value::Object(entries) => {
                let only = entries.iter().next().filter(|_| entries.len() == 1);
                match only {
                    Some((key, Value::String(name))) if key == "Ref" => {
                        return self.named(name, imported);
                    }
                    Some((key, _)) if key.starts_with("Fn::") => {
                        let names = referenced(value);
                        let stays = |name: &String| {
                            name.starts_with("AWS::") || imported.contains(name.as_str())
                        };
                        return names.iter().all(stays).then(|| value.clone());
                    }
                    _ => {}
                }
                let entries = entries
                    .iter()
                    .map(|(key, value)| Some((key.clone(), self.said(value, imported)?)));
                entries.collect::<Option<Map<_, _>>>().map(Value::Object)
            }
            _ => Some(value.clone()),
        }
    }

    fn named(&self, name: &str, imported: &BTreeSet<&str>) -> Option<Value> {
        if name == "AWS::NoValue" {
            return None;
        }
        if name.starts_with("AWS::") || imported.contains(name) {
            return Some(json!({"Ref": name}));
        }
        if let Some(parameter) = self.template["Parameters"].get(name) {
            // One that AWS hides is not known, and of one that names a parameter of SSM the name is.
            let is_hidden = parameter.get("NoEcho").is_some();
            let names_another =
                (parameter["Type"].as_str()).is_some_and(|kind| kind.starts_with("AWS::SSM::"));
            let value = self.parameters.get(name);
            return value
                .filter(|_| !is_hidden && !names_another)
                .map(|value| value.as_str().into());
        }
        self.physical_ids.get(name).map(|id| (*id).into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{StackStatus, destroy::ledger, inspect::DeployedResource};

    fn deployed() -> DeployedStack {
        DeployedStack {
            id: "arn:aws:cloudformation:eu-central-1:123456789012:stack/orders-prod/0a1b".into(),
            status: StackStatus::new("CREATE_COMPLETE"),
            reason: None,
            changed: None,
            parameters: [("Name", "orders"), ("Hidden", "****")]
                .map(|(key, value)| (key.to_owned(), value.to_owned()))
                .into(),
            tags: [("stackctl:stage".to_owned(), "prod".to_owned())].into(),
            outputs: BTreeMap::new(),
            exports: BTreeMap::new(),
            termination_protection: true,
            express: false,
        }
    }

    fn adoption(template: &Value) -> Option<Adoption> {
        let all = template["Resources"].as_object().expect("there are some");
        let found = all.iter().map(|(logical_id, entry)| DeployedResource {
            logical_id: logical_id.clone(),
            resource_type: entry["Type"].as_str().expect("has a type").to_owned(),
            physical_id: format!("the-{}", logical_id.to_lowercase()),
        });
        let deployed = deployed();
        let resources = ledger::resources(template, &deployed.parameters, found.collect());
        Adoption::of(&deployed, template, &resources)
    }

    #[test]
    fn what_goes_is_not_referred_to_any_more() {
        let template = json!({
            "Parameters": {"Name": {"Type": "String"}, "Hidden": {"Type": "String", "NoEcho": true}},
            "Conditions": {"Large": {"Fn::Equals": [1, 1]}},
            "Resources": {
                "Dead": {"Type": "AWS::SQS::Queue", "DeletionPolicy": "RetainExceptOnCreate"},
                "Queue": {
                    "Type": "AWS::SQS::Queue",
                    "DeletionPolicy": "Retain",
                    "Condition": "Large",
                    "DependsOn": "Key",
                    "Properties": {
                        "QueueName": {"Ref": "Name"},
                        "KmsMasterKeyId": {"Ref": "Key"},
                        "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 5},
                        "RedriveAllowPolicy": {"sourceQueueArns": [{"Fn::GetAtt": ["Gone", "Arn"]}]},
                        "DelaySeconds": {"Fn::If": ["Large", 1, 2]},
                        "Tags": [{"Key": "secret", "Value": {"Ref": "Hidden"}}],
                        "VisibilityTimeout": {"Ref": "AWS::NoValue"},
                    }
                },
                "Gone": {"Type": "AWS::SQS::Queue"},
                "Key": {"Type": "AWS::KMS::Key"},
                // What it must have cannot be said any more.
                "Parameter": {
                    "Type": "AWS::SSM::Parameter",
                    "DeletionPolicy": "Retain",
                    "Properties": {"Type": "String", "Value": {"Fn::GetAtt": ["Gone", "Arn"]}},
                },
            }
        });
        let adoption = adoption(&template).expect("two queues stay");
        let of = |properties: Value| {
            json!({
                "Type": "AWS::SQS::Queue",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": properties,
            })
        };
        assert_eq!(
            adoption.template()["Resources"],
            json!({
                "Dead": of(json!({})),
                "Queue": of(json!({
                    "QueueName": "orders",
                    "KmsMasterKeyId": "the-key",
                    "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 5},
                })),
            })
        );
    }

    /// A call takes 51,200 bytes of a template
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html>).
    #[test]
    fn a_template_that_is_too_long_for_a_call_is_uploaded() {
        let context = crate::engine::tests::Script::new().play().context;
        let document = json!({"Statement": "x".repeat(51_200)});
        let template = json!({"Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "DeletionPolicy": "Retain",
                "Properties": {"AssumeRolePolicyDocument": document},
            },
        }});
        let adoption = adoption(&template).expect("the role stays");
        let commands = adoption.commands(&context, Path::new("/state/orders-prod.import.json"));
        let place = "--region eu-central-1 --profile work";
        assert_eq!(
            commands[0],
            format!(
                "aws s3 cp /state/orders-prod.import.json s3://BUCKET/orders-prod.import.json {place}"
            )
        );
        assert!(
            commands[1].contains(
                "--change-set-type IMPORT --template-url https://BUCKET.s3.eu-central-1.amazonaws.com/orders-prod.import.json "
            ),
            "{commands:?}"
        );
        assert_eq!(commands.len(), 5);
    }

    #[test]
    fn the_commands_can_be_pasted() {
        let context = crate::engine::tests::Script::new().play().context;
        let template = json!({"Resources": {
            "Role": {
                "Type": "AWS::IAM::Role",
                "DeletionPolicy": "Retain",
                "Properties": {"AssumeRolePolicyDocument": {}},
            },
        }});
        let adoption = adoption(&template).expect("the role stays");
        let commands = adoption.commands(
            &context,
            Path::new("/home/me/my state/orders-prod.import.json"),
        );
        let place = "--region eu-central-1 --profile work";
        assert_eq!(
            commands,
            [
                format!(
                    "aws cloudformation create-change-set --stack-name orders-prod --change-set-name adopt \
                     --change-set-type IMPORT --template-body 'file:///home/me/my state/orders-prod.import.json' \
                     --resources-to-import '[{{\"ResourceType\":\"AWS::IAM::Role\",\"LogicalResourceId\":\"Role\",\"ResourceIdentifier\":{{\"RoleName\":\"the-role\"}}}}]' \
                     --capabilities CAPABILITY_NAMED_IAM {place}"
                ),
                format!(
                    "aws cloudformation wait change-set-create-complete --stack-name orders-prod --change-set-name adopt {place}"
                ),
                format!(
                    "aws cloudformation execute-change-set --stack-name orders-prod --change-set-name adopt {place}"
                ),
                format!(
                    "aws cloudformation wait stack-import-complete --stack-name orders-prod {place}"
                ),
            ]
        );
    }

    #[test]
    fn nothing_that_stays_is_nothing_to_take_back() {
        let template = json!({"Resources": {"Gone": {"Type": "AWS::SQS::Queue"}}});
        assert_eq!(adoption(&template), None);
    }
}
