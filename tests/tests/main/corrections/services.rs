//! Integrations with a service, with the role of their own.

use serde_json::{Value, json};

use super::{Api, Case, INTERNAL, message, role, table};

/// What an integration answers where the service refuses: its status, and what it calls the error.
const REFUSAL: &str = "{\"refused\": \"$input.path('$.__type')$!input.path('$.Error.Code')\"}";

/// Returns an integration with a service, which the role of `Caller` is for, with other properties beside.
fn service(address: &str, other: &Value) -> Value {
    let refusal = |status: &str| {
        json!({"StatusCode": status, "SelectionPattern": status,
            "ResponseTemplates": {"application/json": REFUSAL}})
    };
    let mut integration = json!({
        "Type": "AWS", "IntegrationHttpMethod": "POST",
        "Uri": {"Fn::Sub": format!("arn:aws:apigateway:${{AWS::Region}}:{address}")},
        "Credentials": {"Fn::GetAtt": ["Caller", "Arn"]},
        "IntegrationResponses": [{"StatusCode": "200"}, refusal("400"), refusal("403"), refusal("404")],
    });
    for (key, value) in other.as_object().into_iter().flatten() {
        integration[key] = value.clone();
    }
    integration
}

/// Returns an integration with an action of DynamoDB on the table, with members of the request beside.
fn dynamodb(action: &str, members: &str) -> Value {
    let template = format!("{{\"TableName\": \"${{Table}}\", {members}}}");
    let request = json!({"RequestTemplates": {"application/json": {"Fn::Sub": template}}});
    service(&format!("dynamodb:action/{action}"), &request)
}

/// Returns a request of the Query protocol, with the media type that such requests have.
fn form(template: &Value) -> Value {
    json!({
        "RequestParameters": {
            "integration.request.header.Content-Type": "'application/x-www-form-urlencoded'"},
        "RequestTemplates": {"application/json": template},
    })
}

/// Returns an integration that answers with parts of what the service answers.
fn answering(mut integration: Value, template: &str) -> Value {
    integration["IntegrationResponses"][0]["ResponseTemplates"] =
        json!({ "application/json": template });
    integration
}

fn with_role(role: &Value) -> Value {
    let mut integration = dynamodb("GetItem", "\"Key\": {\"id\": {\"S\": \"1\"}}");
    integration["Credentials"] = role.clone();
    integration
}

fn resources() -> Value {
    let allowed = |action: &str, resource: Value| json!({"Effect": "Allow", "Action": action, "Resource": resource});
    let arn = |id: &str| json!({"Fn::GetAtt": [id, "Arn"]});
    json!({
        "Table": table(),
        "Queue": {"Type": "AWS::SQS::Queue"},
        "Private": {"Type": "AWS::SQS::Queue"},
        // Nobody else sends, as the policies of queues say that name the role.
        "QueuePolicy": {"Type": "AWS::SQS::QueuePolicy", "Properties": {
            "Queues": [{"Ref": "Queue"}],
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [{
                "Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": arn("Queue"),
                "Condition": {"ArnNotEquals": {"aws:PrincipalArn": arn("Caller")}},
            }]},
        }},
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Bucket": {"Type": "AWS::S3::Bucket"},
        "Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": {
            "DefinitionString": json!({"StartAt": "Pass", "States": {"Pass": {"Type": "Pass", "End": true}}}).to_string(),
            "RoleArn": arn("MachineRole"),
        }},
        "MachineRole": role("states.amazonaws.com", &Value::Null),
        "Another": role("lambda.amazonaws.com", &Value::Null),
        "Caller": role("apigateway.amazonaws.com", &json!([
            allowed("dynamodb:GetItem", arn("Table")),
            allowed("dynamodb:PutItem", arn("Table")),
            allowed("states:StartExecution", json!({"Ref": "Machine"})),
            allowed("events:PutEvents", json!({"Fn::Sub": "arn:aws:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"})),
            allowed("sns:Publish", json!({"Ref": "Topic"})),
            allowed("sqs:SendMessage", arn("Queue")),
            allowed("s3:PutObject", json!({"Fn::Sub": "${Bucket.Arn}/*"})),
        ])),
    })
}

/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/integrating-api-with-aws-services-tutorials.html>, and
/// for errors the page of each service.
#[test]
fn services_are_called_as_the_role() {
    let mut api = Api::beside(resources());
    let key = "\"Key\": {\"id\": {\"S\": $input.json('$.id')}}";
    let item = "\"Item\": {\"id\": {\"S\": $input.json('$.id')}, \"kind\": {\"S\": \"tea\"}}";
    let one = json!({"id": "o'ne"});
    let denied = |kind: &str| json!({ "refused": kind });
    let send = |queue: &str| {
        let template = "Action=SendMessage&MessageBody=$util.urlEncode($input.body)";
        let address = format!("sqs:path/${{AWS::AccountId}}/${{{queue}.QueueName}}");
        answering(
            service(&address, &form(&json!(template))),
            "{\"id\": $input.path('$.SendMessageResponse.SendMessageResult.MessageId').matches('.{36}'), \
             \"number\": $input.json('$.SendMessageResponse.SendMessageResult.SequenceNumber')}",
        )
    };
    let start = answering(
        service(
            "states:action/StartExecution",
            &json!({"RequestTemplates": {"application/json": {"Fn::Sub":
                "{\"stateMachineArn\": \"${Machine}\", \"input\": \"$util.escapeJavaScript($input.json('$'))\"}"}}}),
        ),
        "{\"started\": $input.path('$.executionArn').contains(':execution:')}",
    );
    let put_events = answering(
        service(
            "events:action/PutEvents",
            &json!({"RequestTemplates": {"application/json":
                "{\"Entries\": [{\"Source\": \"bar\", \"DetailType\": \"Ordered\", \"Detail\": \"{}\"}]}"}}),
        ),
        "{\"failed\": $input.json('$.FailedEntryCount')}",
    );
    let publish = answering(
        service(
            "sns:path//",
            &form(
                &json!({"Fn::Sub": "Action=Publish&TopicArn=$util.urlEncode('${Topic}')&Message=$util.urlEncode($input.body)"}),
            ),
        ),
        "{\"id\": $input.path('$.PublishResponse.PublishResult.MessageId').matches('.{36}'), \
         \"number\": $input.json('$.PublishResponse.PublishResult.SequenceNumber')}",
    );
    let put_object = service(
        "s3:path/${Bucket}/{key}",
        &json!({"IntegrationHttpMethod": "PUT", "RequestParameters": {
            "integration.request.path.key": "method.request.querystring.key",
            "integration.request.header.x-amz-meta-place": "stageVariables.place",
            "integration.request.header.x-amz-meta-how": "context.httpMethod",
            "integration.request.header.x-amz-meta-id": "method.request.body.id",
            "integration.request.header.x-amz-meta-none": "method.request.header.x-none",
        }}),
    );
    api.cases = vec![
        Case::new(
            "an item is put",
            dynamodb("PutItem", item),
            &one,
            200,
            json!({}),
        ),
        Case::new(
            "and read",
            dynamodb("GetItem", key),
            &one,
            200,
            json!({"Item": {"id": {"S": "o'ne"}, "kind": {"S": "tea"}}}),
        ),
        Case::new(
            "what the role is not granted",
            dynamodb("DeleteItem", key),
            &one,
            400,
            denied("AccessDeniedException"),
        ),
        Case::new(
            "a message is sent",
            send("Queue"),
            "a&b=c",
            200,
            json!({"id": true, "number": null}),
        ),
        Case::new(
            "to another queue it is not",
            send("Private"),
            "a",
            403,
            denied("AccessDenied"),
        ),
        Case::new(
            "an execution starts",
            start,
            &json!({"a": "\"b\""}),
            200,
            json!({"started": true}),
        ),
        Case::new(
            "an event is put",
            put_events,
            "{}",
            200,
            json!({"failed": 0}),
        ),
        Case::new(
            "a message is published",
            publish,
            "a&b=c",
            200,
            json!({"id": true, "number": null}),
        ),
        Case::new("an object is put", put_object, &one, 200, json!("")).asking("?key=a%2Fb%20c"),
        Case::new(
            "no role",
            with_role(&json!("")),
            "{}",
            500,
            message(INTERNAL),
        ),
        Case::new(
            "what is no role",
            with_role(&json!("Caller")),
            "{}",
            500,
            message(INTERNAL),
        ),
        Case::new(
            "a role that is not there",
            with_role(&json!("arn:aws:iam::000000000000:role/gone")),
            "{}",
            500,
            message(INTERNAL),
        ),
        Case::new(
            "a role of another service",
            with_role(&json!({"Fn::GetAtt": ["Another", "Arn"]})),
            "{}",
            500,
            message(INTERNAL),
        ),
        Case::new(
            "an answer that no response is for",
            {
                let mut integration = dynamodb("DeleteItem", key);
                integration["IntegrationResponses"] =
                    json!([{"StatusCode": "200", "SelectionPattern": "200"}]);
                integration
            },
            &one,
            500,
            message(INTERNAL),
        ),
        // AWS would call it: the engine says that it does not.
        Case::new(
            "another service",
            service("kinesis:action/PutRecord", &json!({})),
            "{}",
            500,
            message("the engine does not call kinesis:action/PutRecord"),
        ),
        Case::new(
            "another way",
            service("sns:action/Publish", &json!({})),
            "{}",
            500,
            message("the engine does not call sns:action/Publish"),
        ),
    ];
    let deployed = api.hold(&json!({"Bucket": {"Value": {"Ref": "Bucket"}}}));
    let bucket = deployed.output("Bucket");
    let object = deployed.account.get("s3", &format!("/{bucket}/a%2Fb%20c"));
    assert_eq!((object.status, object.json()), (200, one), "{object:?}");
    for (header, value) in [
        ("place", Some("bar")),
        ("how", Some("POST")),
        ("id", Some("o'ne")),
        ("none", None),
    ] {
        assert_eq!(
            object.header(&format!("x-amz-meta-{header}")),
            value,
            "{header}"
        );
    }
}
