//! What methods do with requests: one test for each kind of integration.

use std::collections::BTreeMap;

use serde_json::json;
use stack_model::apigateway::{
    Authorization, Credentials, ErrorResponses, FormField, HttpMethod, Integration,
    LambdaIntegration, MappingTemplate, MethodProps, RestApiProps, ServiceIntegration,
    ServiceResponses, ServiceTarget,
};
use stack_model::iam::{RoleProps, RoleRef};
use stack_model::policy::Statement;
use stack_model::sqs::{Fifo, QueueProps};
use stack_model::{Stack, text};

use super::support::{Answer, Count, function, properties, template, violations};

/// Adds `POST /orders` with an integration, and returns nothing: the template says it all.
fn post(stack: &mut Stack<'_>, integration: Integration) {
    let api = stack.rest_api("Api", RestApiProps::default());
    let orders = stack.rest_resource("Orders", &api.root(), "orders");
    let props = MethodProps::new(HttpMethod::Post, Authorization::None, integration);
    stack.rest_method("Submit", &orders, props);
}

fn caller(stack: &mut Stack<'_>) -> RoleRef {
    stack.role(
        "CallerRole",
        RoleProps::for_service("apigateway.amazonaws.com"),
    )
}

#[test]
fn a_proxy_hands_everything_to_its_function() {
    let template = template(|stack| {
        let answer = function::<Answer>(stack, "Answer");
        post(stack, Integration::lambda_proxy(&answer).timeout(10_000));
    });
    assert_eq!(
        template["Resources"]["Submit"],
        json!({
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                "AuthorizationType": "NONE",
                "HttpMethod": "POST",
                "Integration": {
                    "IntegrationHttpMethod": "POST",
                    "TimeoutInMillis": 10000,
                    "Type": "AWS_PROXY",
                    "Uri": {"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Answer.Arn}/invocations"},
                },
                "ResourceId": {"Ref": "Orders"},
                "RestApiId": {"Ref": "Api"},
            },
        })
    );
    assert_eq!(
        template["Resources"]["SubmitPermission"],
        json!({
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction",
                "FunctionName": {"Fn::GetAtt": ["Answer", "Arn"]},
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/POST/orders"},
            },
        })
    );
}

#[test]
fn a_function_without_a_proxy_has_its_errors_mapped() {
    let template = template(|stack| {
        let count = function::<Count>(stack, "Count");
        let errors = ErrorResponses::otherwise(500, MappingTemplate::message("Failed"))
            .when("Invalid .*", 400, MappingTemplate::error_message())
            .when("Gone|Away", 404, MappingTemplate::message("Not here"));
        post(
            stack,
            Integration::lambda(&count, LambdaIntegration::passing_through(errors)),
        );
    });
    let submit = properties(&template, "Submit");
    assert_eq!(
        submit["Integration"],
        json!({
            "IntegrationHttpMethod": "POST",
            "IntegrationResponses": [
                {"StatusCode": "200"},
                {
                    "ResponseTemplates": {"application/json": r#"{"message": $input.json('$.errorMessage')}"#},
                    "SelectionPattern": "Invalid .*",
                    "StatusCode": "400",
                },
                {
                    "ResponseTemplates": {"application/json": r#"{"message":"Not here"}"#},
                    "SelectionPattern": "Gone|Away",
                    "StatusCode": "404",
                },
                {
                    "ResponseTemplates": {"application/json": r#"{"message":"Failed"}"#},
                    "SelectionPattern": r"(?!(?:Invalid .*|Gone|Away)\z)(?:.|\n)+",
                    "StatusCode": "500",
                },
            ],
            "PassthroughBehavior": "WHEN_NO_MATCH",
            "Type": "AWS",
            "Uri": {"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Count.Arn}/invocations"},
        })
    );
    assert_eq!(
        submit["MethodResponses"],
        json!([{"StatusCode": "200"}, {"StatusCode": "400"}, {"StatusCode": "404"}, {"StatusCode": "500"}])
    );
    assert_eq!(
        properties(&template, "SubmitPermission")["FunctionName"],
        json!({"Fn::GetAtt": ["Count", "Arn"]})
    );
}

#[test]
fn a_function_can_get_a_mapped_body_and_nothing_else() {
    let template = template(|stack| {
        let count = function::<Count>(stack, "Count");
        let mut mapping = LambdaIntegration::mapping(
            MappingTemplate::vtl("$input.json('$.count')"),
            ErrorResponses::otherwise(502, MappingTemplate::message("Failed")),
        );
        mapping.response = Some(MappingTemplate::vtl(r#"{"counted": $input.json('$')}"#));
        post(stack, Integration::lambda(&count, mapping));
    });
    let integration = &properties(&template, "Submit")["Integration"];
    assert_eq!(integration["PassthroughBehavior"], "NEVER");
    assert_eq!(
        integration["RequestTemplates"],
        json!({"application/json": "$input.json('$.count')"})
    );
    assert_eq!(
        integration["IntegrationResponses"],
        json!([
            {
                "ResponseTemplates": {"application/json": r#"{"counted": $input.json('$')}"#},
                "StatusCode": "200",
            },
            {
                "ResponseTemplates": {"application/json": r#"{"message":"Failed"}"#},
                "SelectionPattern": r"(?:.|\n)+",
                "StatusCode": "502",
            },
        ])
    );
}

#[test]
fn a_service_is_called_with_a_role_that_is_granted_the_call() {
    let template = template(|stack| {
        let role = caller(stack);
        let call = ServiceIntegration {
            service: "states".to_owned(),
            target: ServiceTarget::Action("StartExecution".to_owned()),
            credentials: Credentials::granting(&role),
            statements: vec![Statement::allow(["states:StartExecution"]).on(text!(
                "arn:aws:states:us-east-1:123456789012:stateMachine:{}",
                "orders"
            ))],
            request_parameters: BTreeMap::new(),
            requests: BTreeMap::from([(
                "application/json".to_owned(),
                MappingTemplate::form([("Input", FormField::expression("$input.body"))]),
            )]),
            responses: ServiceResponses::answering(MappingTemplate::body()),
        };
        post(stack, Integration::service(call));
    });
    let submit = properties(&template, "Submit");
    assert_eq!(
        submit["Integration"],
        json!({
            "Credentials": {"Fn::GetAtt": ["CallerRole", "Arn"]},
            "IntegrationHttpMethod": "POST",
            "IntegrationResponses": [
                {
                    "ResponseTemplates": {"application/json": "$input.json('$')"},
                    "StatusCode": "200",
                },
                {
                    "ResponseTemplates": {"application/json": r#"{"message":"Bad request"}"#},
                    "SelectionPattern": "400",
                    "StatusCode": "400",
                },
                {
                    "ResponseTemplates": {"application/json": r#"{"message":"Internal server error"}"#},
                    "SelectionPattern": r"4(?:0[1-9]|[1-9]\d)|5\d{2}",
                    "StatusCode": "500",
                },
            ],
            "PassthroughBehavior": "NEVER",
            "RequestTemplates": {"application/json": "Input=$util.urlEncode($input.body)"},
            "Type": "AWS",
            "Uri": {"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:states:action/StartExecution"},
        })
    );
    let policies = &properties(&template, "CallerRole")["Policies"];
    assert_eq!(
        policies[0]["PolicyDocument"]["Statement"],
        json!([{
            "Action": "states:StartExecution",
            "Effect": "Allow",
            "Resource": "arn:aws:states:us-east-1:123456789012:stateMachine:orders",
        }])
    );
    // A service is called with the role, so there is no function to permit.
    assert_eq!(template["Resources"].get("SubmitPermission"), None);
}

#[test]
fn a_message_is_sent_with_what_the_queue_needs() {
    let template = template(|stack| {
        let role = caller(stack);
        let queue = stack.queue::<u32>("Queue", QueueProps::default());
        post(
            stack,
            Integration::send_message(&queue, Credentials::granting(&role)),
        );
    });
    let integration = &properties(&template, "Submit")["Integration"];
    assert_eq!(
        integration["Uri"],
        json!({"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:sqs:path/${AWS::AccountId}/${Queue.QueueName}"})
    );
    assert_eq!(
        integration["RequestTemplates"],
        json!({"application/json": "Action=SendMessage&MessageBody=$util.urlEncode($input.body)"})
    );
    let policies = &properties(&template, "CallerRole")["Policies"];
    assert_eq!(
        policies[0]["PolicyDocument"]["Statement"],
        json!([{
            "Action": "sqs:SendMessage",
            "Effect": "Allow",
            "Resource": {"Fn::GetAtt": ["Queue", "Arn"]},
        }])
    );
}

#[test]
fn a_role_that_is_allowed_elsewhere_is_granted_nothing() {
    let template = template(|stack| {
        let role = caller(stack);
        let queue = stack.queue::<u32>("Queue", QueueProps::default());
        post(
            stack,
            Integration::send_message(&queue, Credentials::allowed_elsewhere(&role)),
        );
    });
    assert_eq!(properties(&template, "CallerRole").get("Policies"), None);
}

#[test]
fn a_fifo_queue_needs_more_than_a_body() {
    let violations = violations(|app| {
        let stack = &mut app.stack("orders");
        let role = caller(stack);
        let queue = stack.queue::<u32>(
            "Queue",
            QueueProps {
                fifo: Some(Fifo::default()),
                ..QueueProps::default()
            },
        );
        post(
            stack,
            Integration::send_message(&queue, Credentials::granting(&role)),
        );
    });
    assert_eq!(
        violations,
        [
            "orders / Submit / Properties.Integration: a message for a FIFO queue needs a message group: call SQS with `Integration::service` and a template that sets `MessageGroupId`"
        ]
    );
}

#[test]
fn a_mock_answers_by_itself() {
    let template = template(|stack| {
        post(
            stack,
            Integration::mock(503, MappingTemplate::message("Closed for today")),
        );
    });
    let submit = properties(&template, "Submit");
    assert_eq!(
        submit["Integration"],
        json!({
            "IntegrationResponses": [{
                "ResponseTemplates": {"application/json": r#"{"message":"Closed for today"}"#},
                "StatusCode": "503",
            }],
            "PassthroughBehavior": "WHEN_NO_MATCH",
            "RequestTemplates": {"application/json": r#"{"statusCode":503}"#},
            "Type": "MOCK",
        })
    );
    assert_eq!(submit["MethodResponses"], json!([{"StatusCode": "503"}]));
}

#[test]
fn a_status_is_answered_once_and_within_limits() {
    let violations = violations(|app| {
        let stack = &mut app.stack("orders");
        let count = function::<Count>(stack, "Count");
        let errors = ErrorResponses::otherwise(500, MappingTemplate::message("Failed"))
            .when("Invalid .*", 400, MappingTemplate::error_message())
            .when("Wrong .*", 400, MappingTemplate::error_message())
            .when("Odd", 700, MappingTemplate::error_message());
        let integration = Integration::lambda(&count, LambdaIntegration::passing_through(errors));
        post(stack, integration.timeout(1));
    });
    assert_eq!(
        violations,
        [
            "orders / Submit / Properties.Integration.TimeoutInMillis: 1 is not between 50 and 300000",
            "orders / Submit / Properties.Integration.IntegrationResponses: the status 400 is answered twice, and API Gateway keeps one answer per status: join the patterns that lead to it with `|`",
            "orders / Submit / Properties.Integration.IntegrationResponses: 700 is not between 200 and 599",
        ]
    );
}
