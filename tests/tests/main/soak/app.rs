//! The workspace of the app, which renders whatever the model asks for, and what the services say is there.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use system_tests::account::{Account, texts};
use system_tests::sandbox::Sandbox;

use super::model::{Resource, Stack, Stacks};
use crate::PROGRAM;
use crate::workspace::{COPY, Workspace, described, hash};

/// The app has a name, by which the tool knows the stacks that left the source.
const CONFIG: &str = "[workspace]\nname = \"soak\"\nstacks = \"soak-stacks\"\n\n[stages.dev]\nregion = \"us-east-1\"\n";

const MAIN: &str = r#"
fn main() {
    copy("assembly");
}
"#;

/// The workspace, and a sandbox to run the tool in.
pub(super) struct App {
    pub(super) sandbox: Sandbox,
    workspace: Workspace,
}

/// Returns the name of a stack without its stage.
pub(super) fn name(number: usize) -> String {
    format!("s{number}")
}

/// Returns the name that CloudFormation knows a stack by.
pub(super) fn whole_name(number: usize) -> String {
    format!("{}-dev", name(number))
}

impl App {
    pub(super) fn new() -> Self {
        let workspace = Workspace::new("soak");
        let sandbox = Sandbox::new(PROGRAM, workspace.directory(), CONFIG).with_own_target();
        let app = Self { sandbox, workspace };
        app.write("stacks/src/main.rs", &format!("{COPY}{MAIN}"));
        for version in [1, 2] {
            app.write(
                &format!("worker/src/bin/worker-{version}.rs"),
                &format!("fn main() {{\n    println!(\"version {version}\");\n}}\n"),
            );
        }
        app
    }

    /// Writes the stacks; some of them with a resource that cannot be made.
    pub(super) fn describe(&self, stacks: &Stacks, broken: &BTreeSet<usize>) {
        let manifests: Vec<Value> = stacks
            .0
            .iter()
            .map(|(number, stack)| self.describe_stack(*number, stack, broken.contains(number)))
            .collect();
        let asset = |version: u32| {
            json!({"kind": "function", "package": "soak-worker", "binary": format!("worker-{version}"),
                   "architecture": "arm64"})
        };
        let manifest = json!({
            "format": 1, "stage": "dev", "contracts": {},
            "assets": {"worker-1": asset(1), "worker-2": asset(2)}, "stacks": manifests,
        });
        self.write("assembly/manifest.json", &manifest.to_string());
        // What the program reads is no source that the tool knows of: the configuration is, and changes in its place.
        self.sandbox.configure(CONFIG);
    }

    fn describe_stack(&self, number: usize, stack: &Stack, broken: bool) -> Value {
        let of = name(number);
        let mut parameters = json!({});
        let mut artifacts = json!({});
        let mut resources = json!({"Shared": {"Type": "AWS::SQS::Queue", "Properties": {
            "QueueName": format!("{of}-shared"),
        }}});
        for (name, resource) in &stack.resources {
            resources[name] = declared(&of, name, resource);
            if let Resource::Function { version, .. } = resource {
                resources[format!("{name}Role")] = role(&of, name);
                parameters["ArtifactBucket"] = json!({"Type": "String"});
                parameters[format!("{name}Artifact")] = json!({"Type": "String"});
                artifacts[format!("{name}Artifact")] = json!(format!("worker-{version}"));
            }
        }
        for used in &stack.uses {
            resources[format!("Uses{used}")] = json!({"Type": "AWS::SSM::Parameter", "Properties": {
                "Name": format!("/soak/{of}/uses-{used}"), "Type": "String",
                "Value": {"Fn::ImportValue": format!("{}-dev:Shared", name(*used))},
            }});
        }
        if broken {
            // The zone is none, which nobody finds out before everything else is there.
            let others: Vec<&String> = resources
                .as_object()
                .into_iter()
                .flatten()
                .map(|(id, _)| id)
                .collect();
            resources["Broken"] = json!({"Type": "AWS::Route53::RecordSet", "DependsOn": others, "Properties": {
                "HostedZoneName": "gone.example.com.", "Name": "a.gone.example.com", "Type": "A", "TTL": "60",
                "ResourceRecords": ["192.0.2.1"],
            }});
        }
        let types = described(&resources);
        let template = json!({
            "Parameters": parameters,
            "Resources": resources,
            "Outputs": {"Shared": {
                "Value": {"Fn::GetAtt": ["Shared", "Arn"]}, "Export": {"Name": format!("{of}-dev:Shared")},
            }},
        })
        .to_string();
        let file = format!("{of}-dev.template.json");
        self.write(&format!("assembly/{file}"), &template);
        let needs: Vec<String> = stack.uses.iter().map(|used| whole_name(*used)).collect();
        json!({
            "name": whole_name(number), "id": of, "template": file,
            "sha256": hash(&template), "depends_on": needs, "artifacts": artifacts,
            "capabilities": ["CAPABILITY_NAMED_IAM"], "outputs": {"Shared": {}}, "resources": types,
        })
    }

    fn write(&self, name: &str, text: &str) {
        self.workspace.write(name, text);
    }
}

fn declared(of: &str, name: &str, resource: &Resource) -> Value {
    match resource {
        Resource::Queue { visibility, called } => {
            json!({"Type": "AWS::SQS::Queue", "Properties": {
                "QueueName": format!("{of}-{name}-{called}"), "VisibilityTimeout": visibility,
            }})
        }
        // One name cannot stay: CloudFormation makes the new table before it removes the old one.
        Resource::Table { key } => json!({"Type": "AWS::DynamoDB::Table", "Properties": {
            "TableName": format!("{of}-{name}-{key}"), "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": key, "AttributeType": "S"}],
            "KeySchema": [{"AttributeName": key, "KeyType": "HASH"}],
        }}),
        Resource::Parameter { value } => json!({"Type": "AWS::SSM::Parameter", "Properties": {
            "Name": format!("/soak/{of}/{name}"), "Type": "String", "Value": value.to_string(),
        }}),
        Resource::LogGroup { days } => json!({"Type": "AWS::Logs::LogGroup", "Properties": {
            "LogGroupName": format!("{of}-{name}"), "RetentionInDays": days,
        }}),
        Resource::Function { timeout, level, .. } => {
            json!({"Type": "AWS::Lambda::Function", "Properties": {
                "FunctionName": format!("{of}-{name}"), "Runtime": "provided.al2023", "Handler": "bootstrap",
                "Role": {"Fn::GetAtt": [format!("{name}Role"), "Arn"]}, "Timeout": timeout,
                "Code": {"S3Bucket": {"Ref": "ArtifactBucket"}, "S3Key": {"Ref": format!("{name}Artifact")}},
                "Environment": {"Variables": {"LEVEL": level.to_string()}},
            }})
        }
    }
}

fn role(of: &str, name: &str) -> Value {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    json!({"Type": "AWS::IAM::Role", "Properties": {
        "RoleName": format!("{of}-{name}"), "AssumeRolePolicyDocument": trust,
    }})
}

/// Returns what should be there of a stack, a line for each resource.
pub(super) fn expected(number: usize, stack: &Stack, code: &BTreeMap<u32, String>) -> Vec<String> {
    let of = name(number);
    let mut lines = vec![format!("stack {of}-dev"), format!("queue {of}-shared 30")];
    for (name, resource) in &stack.resources {
        let line = match resource {
            Resource::Queue { visibility, called } => {
                format!("queue {of}-{name}-{called} {visibility}")
            }
            Resource::Table { key } => format!("table {of}-{name}-{key} {key}"),
            Resource::Parameter { value } => format!("parameter /soak/{of}/{name} {value}"),
            Resource::LogGroup { days } => format!("log group {of}-{name} {days}"),
            Resource::Function {
                timeout,
                level,
                version,
            } => {
                lines.push(format!("role {of}-{name}"));
                let code = code.get(version).map_or("", String::as_str);
                format!("function {of}-{name} {timeout} {level} {code}")
            }
        };
        lines.push(line);
    }
    for used in &stack.uses {
        let arn = format!("arn:aws:sqs:us-east-1:000000000000:{}-shared", name(*used));
        lines.push(format!("parameter /soak/{of}/uses-{used} {arn}"));
    }
    lines
}

/// Returns the functions of a stack, each with the version of its code.
pub(super) fn functions(number: usize, stack: &Stack) -> Vec<(String, u32)> {
    let of = name(number);
    let resources = stack.resources.iter();
    let functions = resources.filter_map(|(name, resource)| match resource {
        Resource::Function { version, .. } => Some((format!("{of}-{name}"), *version)),
        _ => None,
    });
    functions.collect()
}

/// Returns what is there of a stack whose first deploy failed.
pub(super) fn hollow(number: usize) -> String {
    format!("stack {}", whole_name(number))
}

/// Asks the services what is there. Returns a line for each resource, and the code of each function besides.
pub(super) fn actual(account: &Account) -> (BTreeSet<String>, BTreeMap<String, String>) {
    let mut lines = BTreeSet::new();
    let stacks = account.query("cloudformation", "2010-05-15", "DescribeStacks", &[]);
    let names = texts(&stacks, "StackName").into_iter();
    let names = names.filter(|name| !name.starts_with("stackctl-"));
    lines.extend(names.map(|name| format!("stack {name}")));
    let list = |service: &str, target: &str, key: &str| {
        let answer = account.call(service, target, &json!({}));
        answer[key].as_array().cloned().unwrap_or_default()
    };
    for url in list("sqs", "AmazonSQS.ListQueues", "QueueUrls") {
        let asked = json!({"QueueUrl": url, "AttributeNames": ["VisibilityTimeout"]});
        let answer = account.call("sqs", "AmazonSQS.GetQueueAttributes", &asked);
        let name = text(&url).rsplit('/').next().unwrap_or_default();
        let visibility = text(&answer["Attributes"]["VisibilityTimeout"]);
        lines.insert(format!("queue {name} {visibility}"));
    }
    for table in list("dynamodb", "DynamoDB_20120810.ListTables", "TableNames") {
        let asked = json!({ "TableName": table });
        let answer = account.call("dynamodb", "DynamoDB_20120810.DescribeTable", &asked);
        let key = text(&answer["Table"]["KeySchema"][0]["AttributeName"]);
        lines.insert(format!("table {} {key}", text(&table)));
    }
    for group in list("logs", "Logs_20140328.DescribeLogGroups", "logGroups") {
        let (name, days) = (text(&group["logGroupName"]), &group["retentionInDays"]);
        lines.insert(format!("log group {name} {days}"));
    }
    let mut page = json!({"Path": "/soak", "Recursive": true});
    loop {
        let answer = account.call("ssm", "AmazonSSM.GetParametersByPath", &page);
        for parameter in answer["Parameters"].as_array().into_iter().flatten() {
            let (name, value) = (text(&parameter["Name"]), text(&parameter["Value"]));
            lines.insert(format!("parameter {name} {value}"));
        }
        if answer["NextToken"].as_str().is_none_or(str::is_empty) {
            break;
        }
        page["NextToken"] = answer["NextToken"].clone();
    }
    let mut codes = BTreeMap::new();
    let functions = account.get("lambda", "/2015-03-31/functions/").json();
    for function in functions["Functions"].as_array().into_iter().flatten() {
        let (name, timeout) = (text(&function["FunctionName"]), &function["Timeout"]);
        let level = text(&function["Environment"]["Variables"]["LEVEL"]);
        let code = text(&function["CodeSha256"]);
        lines.insert(format!("function {name} {timeout} {level} {code}"));
        codes.insert(name.to_owned(), code.to_owned());
    }
    let roles = account.query("iam", "2010-05-08", "ListRoles", &[]);
    lines.extend(
        texts(&roles, "RoleName")
            .iter()
            .map(|role| format!("role {role}")),
    );
    (lines, codes)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
