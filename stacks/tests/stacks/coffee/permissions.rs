//! What every role may do, and nothing else.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{core, of_type, properties, workflow};

/// Returns what a role is allowed by all its policies: the actions, each with the resources.
fn allowed(template: &Value, role: &str) -> BTreeMap<String, Vec<Value>> {
    let own = properties(template, role)["Policies"].as_array().cloned();
    let attached = of_type(template, "AWS::IAM::Policy");
    let attached = attached
        .into_values()
        .filter(|policy| policy["Roles"] == json!([{ "Ref": role }]))
        .cloned();
    let mut allowed: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for policy in own.into_iter().flatten().chain(attached) {
        for statement in policy["PolicyDocument"]["Statement"].as_array().unwrap() {
            if statement["Effect"] == "Deny" {
                continue;
            }
            assert_eq!(statement["Effect"], "Allow", "{role}");
            let actions = match &statement["Action"] {
                Value::Array(actions) => actions.clone(),
                action => vec![action.clone()],
            };
            for action in actions {
                let action = action.as_str().unwrap().to_owned();
                let resources = allowed.entry(action).or_default();
                match &statement["Resource"] {
                    Value::Array(several) => resources.extend(several.iter().cloned()),
                    one => resources.push(one.clone()),
                }
            }
        }
    }
    assert_eq!(
        properties(template, role).get("ManagedPolicyArns"),
        None,
        "{role}"
    );
    allowed
}

fn arn(id: &str) -> Value {
    json!({"Fn::GetAtt": [id, "Arn"]})
}

fn iot(resource: &str) -> Value {
    json!({"Fn::Sub": format!("arn:${{AWS::Partition}}:iot:${{AWS::Region}}:${{AWS::AccountId}}:{resource}")})
}

fn expected(grants: &[(&str, Vec<Value>)]) -> BTreeMap<String, Vec<Value>> {
    grants
        .iter()
        .map(|(action, resources)| ((*action).to_owned(), resources.clone()))
        .collect()
}

/// The functions that nobody waits for.
const FOLLOWS_EVENTS: [&str; 7] = [
    "ConfigChanged",
    "OrderTimedOut",
    "PublisherFunctionAdmin",
    "PublisherFunctionConfig",
    "PublisherFunctionUser",
    "WaitingCompletion",
    "WorkflowStarted",
];

#[test]
fn functions_do_their_work_and_nothing_else() {
    let core = core(&json!({}));
    let one = |action: &'static str, resource: Value| (action, vec![resource]);
    let functions = [
        (
            "ConfigChanged",
            vec![
                one("events:PutEvents", arn("Bus")),
                one(
                    "dynamodb:DescribeStream",
                    json!({"Fn::GetAtt": ["ConfigTable", "StreamArn"]}),
                ),
                one(
                    "dynamodb:GetRecords",
                    json!({"Fn::GetAtt": ["ConfigTable", "StreamArn"]}),
                ),
                one(
                    "dynamodb:GetShardIterator",
                    json!({"Fn::GetAtt": ["ConfigTable", "StreamArn"]}),
                ),
                one(
                    "dynamodb:ListStreams",
                    json!({"Fn::GetAtt": ["ConfigTable", "StreamArn"]}),
                ),
            ],
        ),
        (
            "FillDatabases",
            vec![(
                "dynamodb:BatchWriteItem",
                vec![arn("ConfigTable"), arn("CountingTable")],
            )],
        ),
        (
            "GetIotEndpoint",
            vec![one("iot:DescribeEndpoint", json!("*"))],
        ),
        (
            "GetQrCode",
            vec![
                one("dynamodb:GetItem", arn("ValidatorTable")),
                one("dynamodb:PutItem", arn("ValidatorTable")),
            ],
        ),
        (
            "OrderTimedOut",
            vec![one("dynamodb:UpdateItem", arn("OrderTable"))],
        ),
        (
            "PublisherFunctionAdmin",
            vec![one("iot:Publish", iot("topic/serverlesspresso-admin-dev"))],
        ),
        (
            "PublisherFunctionConfig",
            vec![one("iot:Publish", iot("topic/serverlesspresso-config-dev"))],
        ),
        (
            "PublisherFunctionUser",
            vec![one("iot:Publish", iot("topic/serverlesspresso-user-dev-*"))],
        ),
        ("SanitizeOrder", vec![]),
        (
            "VerifyQrCode",
            vec![
                one("dynamodb:GetItem", arn("ValidatorTable")),
                one("dynamodb:UpdateItem", arn("ValidatorTable")),
                one("events:PutEvents", arn("Bus")),
            ],
        ),
        (
            "WaitingCompletion",
            vec![
                one("dynamodb:UpdateItem", arn("OrderTable")),
                one("events:PutEvents", arn("Bus")),
            ],
        ),
        (
            "WorkflowStarted",
            vec![one("dynamodb:PutItem", arn("OrderTable"))],
        ),
    ];
    assert_eq!(
        functions.len(),
        of_type(&core, "AWS::Lambda::Function").len()
    );
    for (function, mut grants) in functions {
        let logs = arn(&format!("{function}Logs"));
        grants.push(one("logs:CreateLogStream", logs.clone()));
        grants.push(one("logs:PutLogEvents", logs));
        // Lambda sends what came to nothing with the rights of the function.
        if FOLLOWS_EVENTS.contains(&function) {
            grants.push(one("sqs:SendMessage", arn("LostEvents")));
        }
        let found = allowed(&core, &format!("{function}Role"));
        assert_eq!(found, expected(&grants), "{function}");
    }
}

#[test]
fn apis_and_state_machines_call_exactly_what_they_need() {
    let (core, workflow) = (core(&json!({})), workflow(&json!({})));
    let index = |name: &str| json!({"Fn::Sub": format!("${{OrderTable.Arn}}/index/{name}")});
    let import = |name: &str| json!({"Fn::ImportValue": format!("coffee-core-dev-{name}-Arn")});
    for (template, role, service, grants) in [
        (
            &core,
            "ConfigRestApiRole",
            "apigateway",
            vec![
                ("dynamodb:Scan", vec![arn("ConfigTable")]),
                ("dynamodb:UpdateItem", vec![arn("ConfigTable")]),
            ],
        ),
        (
            &core,
            "RestApiRole",
            "apigateway",
            vec![
                ("dynamodb:GetItem", vec![arn("OrderTable")]),
                (
                    "dynamodb:Query",
                    vec![index("GSI-status"), index("GSI-userId")],
                ),
                (
                    "states:StartExecution",
                    vec![json!({"Ref": "OrderManager"})],
                ),
            ],
        ),
        (
            &core,
            "OrderManagerRole",
            "states",
            vec![
                (
                    "dynamodb:GetItem",
                    vec![arn("ConfigTable"), arn("OrderTable")],
                ),
                ("dynamodb:UpdateItem", vec![arn("OrderTable")]),
                ("events:PutEvents", vec![arn("Bus")]),
                ("lambda:InvokeFunction", vec![arn("SanitizeOrder")]),
                // A token is no resource, so there is nothing narrower.
                ("states:SendTaskSuccess", vec![json!("*")]),
            ],
        ),
        (
            &workflow,
            "OrderProcessorRole",
            "states",
            vec![
                ("dynamodb:GetItem", vec![import("ConfigTable")]),
                ("dynamodb:UpdateItem", vec![import("CountingTable")]),
                ("events:PutEvents", vec![import("Bus")]),
                (
                    "states:ListExecutions",
                    vec![json!({"Ref": "OrderProcessor"})],
                ),
            ],
        ),
        (
            &workflow,
            "OnNewOrderRole",
            "events",
            vec![(
                "states:StartExecution",
                vec![json!({"Ref": "OrderProcessor"})],
            )],
        ),
    ] {
        assert_eq!(allowed(template, role), expected(&grants), "{role}");
        let trust = &properties(template, role)["AssumeRolePolicyDocument"]["Statement"];
        let principal = json!({"Service": format!("{service}.amazonaws.com")});
        assert_eq!(trust[0]["Principal"], principal, "{role}");
    }
}

/// Returns what a page may do that follows some topics.
fn following(topics: &[&str]) -> BTreeMap<String, Vec<Value>> {
    let topics = |kind: &str| -> Vec<Value> {
        let names = topics.iter();
        names
            .map(|topic| iot(&format!("{kind}/serverlesspresso-{topic}")))
            .collect()
    };
    let pool = json!({"Fn::Sub": "arn:${AWS::Partition}:cognito-sync:${AWS::Region}:${AWS::AccountId}:identitypool/${IdentityPool}"});
    expected(&[
        ("cognito-sync:*", vec![pool]),
        ("iot:Connect", vec![iot("client/serverlesspresso-*")]),
        ("iot:Receive", topics("topic")),
        ("iot:Subscribe", topics("topicfilter")),
    ])
}

const ALL_TOPICS: [&str; 3] = ["admin-dev", "config-dev", "user-dev-*"];

/// Whoever did not say who they are hears whether the shop is open, and of nobody's order.
#[test]
fn pages_follow_the_topics_of_this_system_and_guests_those_for_everybody() {
    let core = core(&json!({}));
    for (role, who, topics) in [
        ("SignedIn", "authenticated", &ALL_TOPICS[..]),
        ("NotSignedIn", "unauthenticated", &["config-dev"]),
    ] {
        assert_eq!(allowed(&core, role), following(topics), "{role}");
        // The settings of the pool have the ARN of what is kept in it.
        let denied = properties(&core, role)["Policies"][0]["PolicyDocument"]["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .find(|statement| statement["Effect"] == "Deny")
            .unwrap();
        assert_eq!(
            denied["Action"],
            json!([
                "cognito-sync:BulkPublish",
                "cognito-sync:SetCognitoEvents",
                "cognito-sync:SetIdentityPoolConfiguration",
            ]),
            "{role}"
        );
        let trust = &properties(&core, role)["AssumeRolePolicyDocument"]["Statement"][0];
        assert_eq!(
            trust["Condition"],
            json!({
                "StringEquals": {"cognito-identity.amazonaws.com:aud": {"Ref": "IdentityPool"}},
                "ForAnyValue:StringLike": {"cognito-identity.amazonaws.com:amr": who},
            })
        );
        let roles = &properties(&core, "IdentityRoles")["Roles"];
        assert_eq!(roles[who], arn(role));
    }
}

#[test]
fn a_stage_can_let_guests_follow_everything() {
    let core = core(&json!({"guests_follow": "everything"}));
    assert_eq!(allowed(&core, "NotSignedIn"), following(&ALL_TOPICS));
}

/// The broker asks a policy of its own besides the role of somebody who signed in: it says the same.
#[test]
fn people_who_signed_in_have_a_policy_that_can_be_attached() {
    let core = core(&json!({}));
    let policy = properties(&core, "Followers");
    assert_eq!(policy["PolicyName"], "serverlesspresso-followers-dev");
    let mut found: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for statement in policy["PolicyDocument"]["Statement"].as_array().unwrap() {
        let resources = match &statement["Resource"] {
            Value::Array(several) => several.clone(),
            one => vec![one.clone()],
        };
        let action = statement["Action"].as_str().unwrap().to_owned();
        found.entry(action).or_default().extend(resources);
    }
    let mut of_role = allowed(&core, "SignedIn");
    of_role.remove("cognito-sync:*");
    assert_eq!(found, of_role);
}

#[test]
fn no_other_role_is_there() {
    let (core, workflow) = (core(&json!({})), workflow(&json!({})));
    // Twelve functions, two APIs, `OrderManager`, and two kinds of identities.
    assert_eq!(of_type(&core, "AWS::IAM::Role").len(), 17);
    assert_eq!(of_type(&core, "AWS::IAM::Policy").len(), 0);
    assert_eq!(of_type(&workflow, "AWS::IAM::Role").len(), 2);
    assert_eq!(of_type(&workflow, "AWS::IAM::Policy").len(), 1);
}
