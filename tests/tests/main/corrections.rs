//! What the local engine is corrected in while it starts: every correction by itself, and what becomes of wrong inputs.
//!
//! Each case says where AWS says how it behaves.

mod change_sets;
mod connections;
mod cors;
mod functions;
mod machines;
mod policies;
mod services;
mod users;
mod zones;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use system_tests::account::{Account, texts};
use system_tests::poll::{PATIENCE, eventually};
use system_tests::support::TestEngine;

/// What every caller gets to know of what only the logs explain; see
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html>.
const INTERNAL: &str = "Internal server error";

/// An engine with one stack in it.
struct Deployed {
    account: Account,
    outputs: BTreeMap<String, String>,
    // Ends when dropped.
    _engine: TestEngine,
}

impl Deployed {
    fn new(resources: &Value, outputs: &Value) -> Self {
        let engine = TestEngine::start_blocking();
        let account = Account::root(engine.url());
        let (status, outputs) = deploy(&account, "corrected", resources, outputs);
        assert_eq!(status, "CREATE_COMPLETE", "{outputs:?}");
        Self {
            account,
            outputs,
            _engine: engine,
        }
    }

    fn output(&self, key: &str) -> &str {
        let value = self.outputs.get(key);
        value.unwrap_or_else(|| panic!("no output {key} in {:?}", self.outputs))
    }
}

/// Deploys a stack, and returns its status and its outputs.
fn deploy(
    account: &Account,
    name: &str,
    resources: &Value,
    outputs: &Value,
) -> (String, BTreeMap<String, String>) {
    let template = json!({"Resources": resources, "Outputs": outputs}).to_string();
    let version = "2010-05-15";
    let arguments = [
        ("StackName", name),
        ("TemplateBody", template.as_str()),
        ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
    ];
    account.query("cloudformation", version, "CreateStack", &arguments);
    let description = eventually("the end of the deploy", PATIENCE, || {
        let stack = [("StackName", name)];
        let answer = account.query("cloudformation", version, "DescribeStacks", &stack);
        let status = texts(&answer, "StackStatus");
        (!status.concat().ends_with("_IN_PROGRESS")).then_some(answer)
    });
    let keys = texts(&description, "OutputKey").into_iter();
    let outputs = keys.zip(texts(&description, "OutputValue")).collect();
    (texts(&description, "StackStatus").concat(), outputs)
}

/// Returns a role that a service may assume, with one statement or none.
fn role(service: &str, allowed: &Value) -> Value {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}]});
    let policies = if allowed.is_null() {
        json!([])
    } else {
        let statement = json!({"Version": "2012-10-17", "Statement": allowed});
        json!([{"PolicyName": "all", "PolicyDocument": statement}])
    };
    json!({"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust, "Policies": policies}})
}

/// Returns a function that answers with its event, or fails with the message that the event gives.
fn echo() -> Value {
    let code = "def handler(event, context):\n    \
                if isinstance(event, dict) and 'fail' in event:\n        raise ValueError(event['fail'])\n    \
                return event\n";
    json!({"Type": "AWS::Lambda::Function", "Properties": {
        "Runtime": "python3.12", "Handler": "index.handler", "Timeout": 60,
        "Role": {"Fn::GetAtt": ["FunctionRole", "Arn"]}, "Code": {"ZipFile": code},
    }})
}

/// Returns a table with the partition key `id`, and an index of `kind`.
fn table() -> Value {
    let key = |name: &str| json!([{"AttributeName": name, "KeyType": "HASH"}]);
    json!({"Type": "AWS::DynamoDB::Table", "Properties": {
        "BillingMode": "PAY_PER_REQUEST",
        "AttributeDefinitions": [
            {"AttributeName": "id", "AttributeType": "S"}, {"AttributeName": "kind", "AttributeType": "S"}],
        "KeySchema": key("id"),
        "GlobalSecondaryIndexes": [
            {"IndexName": "by-kind", "KeySchema": key("kind"), "Projection": {"ProjectionType": "ALL"}}],
    }})
}

/// One API whose methods are cases: what is integrated, what is asked, and what comes of it.
struct Api {
    resources: Value,
    cases: Vec<Case>,
}

struct Case {
    name: &'static str,
    integration: Value,
    query: &'static str,
    body: String,
    expected: (u16, Value),
}

/// The body of a request.
struct Body(String);

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<&Value> for Body {
    fn from(json: &Value) -> Self {
        Self(json.to_string())
    }
}

impl Case {
    fn new(
        name: &'static str,
        integration: Value,
        body: impl Into<Body>,
        status: u16,
        answer: Value,
    ) -> Self {
        Self {
            name,
            integration,
            query: "",
            body: body.into().0,
            expected: (status, answer),
        }
    }

    fn asking(self, query: &'static str) -> Self {
        Self { query, ..self }
    }
}

impl Api {
    /// Makes an API beside other resources.
    fn beside(resources: Value) -> Self {
        Self {
            resources,
            cases: Vec::new(),
        }
    }

    /// Deploys the API and whatever is beside it, asks everything, and tells of everything that is not as expected.
    fn hold(mut self, outputs: &Value) -> Deployed {
        let api = json!({"Ref": "Api"});
        self.resources["Api"] =
            json!({"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "cases"}});
        let mut methods = Vec::new();
        for (number, case) in self.cases.iter().enumerate() {
            let (path, method) = (format!("Path{number}"), format!("Method{number}"));
            self.resources[&path] = json!({"Type": "AWS::ApiGateway::Resource", "Properties": {
                "RestApiId": api, "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]}, "PathPart": number.to_string(),
            }});
            self.resources[&method] = json!({"Type": "AWS::ApiGateway::Method", "Properties": {
                "RestApiId": api, "ResourceId": {"Ref": path}, "HttpMethod": "POST", "AuthorizationType": "NONE",
                "Integration": case.integration,
            }});
            methods.push(method);
        }
        self.resources["Deployment"] = json!({
            "Type": "AWS::ApiGateway::Deployment", "DependsOn": methods, "Properties": {"RestApiId": api},
        });
        self.resources["Stage"] = json!({"Type": "AWS::ApiGateway::Stage", "Properties": {
            "RestApiId": api, "DeploymentId": {"Ref": "Deployment"}, "StageName": "live",
            "Variables": {"place": "bar"},
        }});
        let mut outputs = outputs.clone();
        outputs["Api"] = json!({ "Value": api });
        let deployed = Deployed::new(&self.resources, &outputs);
        let endpoint = deployed.account.endpoint();
        let url = format!(
            "{endpoint}/_aws/execute-api/{}/live",
            deployed.output("Api")
        );
        let mut wrong = Vec::new();
        for (number, case) in self.cases.iter().enumerate() {
            let url = format!("{url}/{number}{}", case.query);
            let answer = system_tests::http::post(&url, "application/json", &case.body);
            let body = serde_json::from_str(&answer.body).unwrap_or_else(|_| json!(answer.body));
            if (answer.status, &body) != (case.expected.0, &case.expected.1) {
                wrong.push(format!(
                    "{}: {} {body}, not {:?}",
                    case.name, answer.status, case.expected
                ));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        deployed
    }
}

/// Returns the answer of an error that API Gateway makes up.
fn message(text: &str) -> Value {
    json!({ "message": text })
}
