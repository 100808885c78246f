//! What the stack of the intake system promises, stated apart from its golden.

use serde_json::{Value, json};
use stack_model::{App, Stage};

use crate::golden::{stage, synth};

fn template(variables: &Value) -> Value {
    let assembly = synth(stage("dev", false, &json!({ "intake": variables })));
    serde_json::from_str(assembly.template("intake").unwrap()).unwrap()
}

fn properties<'a>(template: &'a Value, id: &str) -> &'a Value {
    &template["Resources"][id]["Properties"]
}

fn deployment(template: &Value) -> String {
    let ids = template["Resources"].as_object().unwrap().keys();
    let mut deployments = ids.filter(|id| id.starts_with("ApiDeployment"));
    let id = deployments.next().unwrap().clone();
    assert_eq!(deployments.next(), None);
    id
}

#[test]
fn a_queue_takes_the_operations_unless_the_stage_says_otherwise() {
    let template = template(&json!({}));
    let method = properties(&template, "DynamoDBManagerPost");
    let integration = &method["Integration"];
    assert_eq!(method["HttpMethod"], "POST");
    assert_eq!(method["AuthorizationType"], "NONE");
    assert_eq!(
        integration["Uri"],
        json!({"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:sqs:path/${AWS::AccountId}/${Queue.QueueName}"})
    );
    assert_eq!(integration["PassthroughBehavior"], "NEVER");
    assert_eq!(
        integration["RequestTemplates"],
        json!({"application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"})
    );
    assert_eq!(
        integration["RequestParameters"],
        json!({"integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"})
    );
    assert_eq!(
        integration["Credentials"],
        json!({"Fn::GetAtt": ["SenderRole", "Arn"]})
    );
    assert_eq!(
        integration["IntegrationResponses"][0]["ResponseTemplates"]["application/json"],
        r#"{"messageId": "$input.path('$.SendMessageResponse.SendMessageResult.MessageId')"}"#
    );
    // The API does not invoke the function, so nothing permits it to.
    assert_eq!(
        template["Resources"].get("DynamoDBManagerPostPermission"),
        None
    );
}

#[test]
fn in_direct_mode_the_function_answers_and_errors_have_their_status() {
    let template = template(&json!({"mode": "direct"}));
    let integration = &properties(&template, "DynamoDBManagerPost")["Integration"];
    assert_eq!(integration["Type"], "AWS");
    assert_eq!(integration["PassthroughBehavior"], "WHEN_NO_MATCH");
    assert_eq!(integration.get("RequestTemplates"), None);
    let responses = integration["IntegrationResponses"].as_array().unwrap();
    let statuses: Vec<&str> = responses
        .iter()
        .map(|response| response["StatusCode"].as_str().unwrap())
        .collect();
    assert_eq!(statuses, ["200", "400", "500"]);
    assert_eq!(responses[0].get("SelectionPattern"), None);
    assert_eq!(
        responses[1]["SelectionPattern"],
        intake::CLIENT_ERROR_PATTERN
    );
    let permission = properties(&template, "DynamoDBManagerPostPermission");
    assert_eq!(
        permission["SourceArn"],
        json!({"Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/POST/dynamodbmanager"})
    );
    // The queue goes on feeding the function.
    assert_eq!(
        properties(&template, "OperationsQueueTrigger")["FunctionResponseTypes"],
        json!(["ReportBatchItemFailures"])
    );
}

#[test]
fn a_message_is_dead_after_five_receives() {
    let template = template(&json!({}));
    assert_eq!(
        properties(&template, "Queue")["RedrivePolicy"],
        json!({"deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}, "maxReceiveCount": 5})
    );
}

/// A role that is none of the two cannot use the queue, even if a policy of its own allows it everything: each of their
/// actions is denied to all others. What comes of that, `roles_are_enforced` sees in the engine.
#[test]
fn only_the_two_roles_use_the_queue() {
    let template = template(&json!({}));
    let policy = properties(&template, "QueuePolicy");
    let statements = policy["PolicyDocument"]["Statement"].as_array().unwrap();
    let root = json!({"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"});
    let receive = json!([
        "sqs:ChangeMessageVisibility",
        "sqs:DeleteMessage",
        "sqs:ReceiveMessage"
    ]);
    for (role, actions) in [
        ("SenderRole", json!("sqs:SendMessage")),
        ("OperationsRole", receive),
    ] {
        let role = json!({"Fn::GetAtt": [role, "Arn"]});
        let found = |statement: Value| statements.contains(&statement);
        assert!(found(json!({
            "Effect": "Allow",
            "Principal": {"AWS": role},
            "Action": actions,
            "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
        })));
        assert!(found(json!({
            "Effect": "Deny",
            "Principal": "*",
            "Action": actions,
            "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
            "Condition": {"ArnNotEquals": {"aws:PrincipalArn": [role, root]}},
        })));
    }
    // The sender may send through the policy of the queue alone.
    assert_eq!(properties(&template, "SenderRole").get("Policies"), None);
}

#[test]
fn the_function_may_do_what_it_declares_on_this_table_and_queue() {
    let template = template(&json!({}));
    let policies = &properties(&template, "OperationsRole")["Policies"];
    let statements = policies[0]["PolicyDocument"]["Statement"]
        .as_array()
        .unwrap();
    let on = |resource: Value| -> Vec<&Value> {
        statements
            .iter()
            .filter(|statement| statement["Resource"] == resource)
            .map(|statement| &statement["Action"])
            .collect()
    };
    assert_eq!(statements.len(), 3);
    assert_eq!(
        on(json!({"Fn::GetAtt": ["Table", "Arn"]})),
        [&json!([
            "dynamodb:DeleteItem",
            "dynamodb:GetItem",
            "dynamodb:PutItem",
            "dynamodb:Scan"
        ])]
    );
    assert_eq!(
        on(json!({"Fn::GetAtt": ["Queue", "Arn"]})),
        [&json!([
            "sqs:DeleteMessage",
            "sqs:GetQueueAttributes",
            "sqs:ReceiveMessage"
        ])]
    );
    assert_eq!(
        on(json!({"Fn::GetAtt": ["OperationsLogs", "Arn"]})),
        [&json!(["logs:CreateLogStream", "logs:PutLogEvents"])]
    );
}

#[test]
fn names_carry_the_stage_and_outputs_say_where_to_go() {
    let template = template(&json!({}));
    for (id, property, name) in [
        ("Api", "Name", "POC-API-dev"),
        ("Operations", "FunctionName", "POC-Lambda-1-dev"),
        ("Queue", "QueueName", "POC-Queue-dev"),
        ("Table", "TableName", "name-dev"),
        ("ApiStage", "StageName", "Staging"),
        ("DynamoDBManager", "PathPart", "dynamodbmanager"),
    ] {
        assert_eq!(properties(&template, id)[property], name);
    }
    let environment = &properties(&template, "Operations")["Environment"];
    assert_eq!(
        environment["Variables"]["TABLE_NAME"],
        json!({"Ref": "Table"})
    );
    let outputs = template["Outputs"].as_object().unwrap();
    let keys: Vec<&str> = outputs.keys().map(String::as_str).collect();
    assert_eq!(
        keys,
        [
            "ApiUrl",
            "DeadLetterQueueUrl",
            "FunctionArn",
            "QueueUrl",
            "TableName"
        ]
    );
    assert_eq!(
        outputs["ApiUrl"]["Value"],
        json!({"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${ApiStage}/dynamodbmanager"})
    );
    let assembly = synth(stage("dev", false, &json!({})));
    let mut stacks = assembly.manifest().stacks.iter();
    let intake = stacks.find(|stack| stack.id == "intake").unwrap();
    assert_eq!(intake.name, "intake-dev");
    let example = intake.outputs["ApiUrl"].example.as_deref();
    assert_eq!(
        example.unwrap(),
        r#"curl -H 'Content-Type: application/json' -d '{"operation":"create","tableName":"name-dev","payload":{"Item":{"id":"1","name":"Bob"}}}' {value}"#
    );
}

#[test]
fn a_change_of_the_mode_deploys_the_api_anew_and_a_change_elsewhere_does_not() {
    let queue = deployment(&template(&json!({})));
    let direct = deployment(&template(&json!({"mode": "direct"})));
    assert_ne!(queue, direct);
    let renamed =
        template(&json!({"table_name": "other", "queue_name": "Other", "api_logs": true}));
    assert_eq!(deployment(&renamed), queue);
    assert_eq!(
        properties(&renamed, "ApiStage")["DeploymentId"],
        json!({ "Ref": queue })
    );
}

#[test]
fn the_right_to_push_logs_comes_with_the_logs() {
    let policies = json!([{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"}]);
    let quiet = template(&json!({}));
    assert_eq!(
        properties(&quiet, "SenderRole").get("ManagedPolicyArns"),
        None
    );
    assert_eq!(quiet["Resources"].get("ApiAccount"), None);
    let logging = template(&json!({"api_logs": true}));
    assert_eq!(
        properties(&logging, "SenderRole")["ManagedPolicyArns"],
        policies
    );
    assert_eq!(
        logging["Resources"]["ApiStage"]["DependsOn"],
        json!(["ApiAccount"])
    );
}

#[test]
fn unknown_variables_are_refused() {
    for (variables, complaint) in [
        (json!({"mdoe": "direct"}), "mdoe"),
        (json!({"mode": "both"}), "both"),
        (json!({"api_logs": "yes"}), "boolean"),
    ] {
        let mut app = App::new(Stage::new(stage(
            "dev",
            false,
            &json!({ "intake": variables }),
        )));
        let violations = stacks::describe(&mut app).unwrap_err().to_string();
        assert!(violations.contains(complaint), "{violations}");
        assert!(
            violations.contains("[stages.dev.variables.intake]"),
            "{violations}"
        );
    }
}
