//! Routes of HTTP APIs that go to services.

use insta::assert_json_snapshot;
use serde_json::{Value as Json, json};
use stack_model::apigatewayv2::{
    BusEntry, HttpIntegration, KinesisRecord, RequestPart, RouteAuthorization, RouteRole,
};
use stack_model::events::EventBusProps;
use stack_model::iam::RoleProps;
use stack_model::sqs::{Fifo, QueueProps};
use stack_model::stepfunctions::{
    Flow, StateMachineProps, StateMachineRef, StateMachineType, Succeed,
};
use stack_model::{Stack, route};

use super::api;
use super::http::orders;
use crate::support::{dev, resources, violations};

/// Returns what an integration is, and what its own role is allowed.
fn integration(integration: impl FnOnce(&mut Stack<'_>) -> HttpIntegration) -> Json {
    let resources = resources(dev(), |stack| {
        let api = api(stack);
        let integration = integration(stack);
        stack.http_route(
            "Route",
            &api,
            route!("POST /orders/{id}"),
            RouteAuthorization::None,
            integration,
        );
    });
    let role = &resources["RouteRole"]["Properties"];
    let mut properties = resources["RouteIntegration"]["Properties"].clone();
    properties.as_object_mut().unwrap().remove("ApiId");
    let mut all = json!({
        "integration": properties,
        "allowed": role["Policies"][0]["PolicyDocument"]["Statement"],
    });
    all.sort_all_objects();
    all
}

/// Adds a state machine that does nothing.
fn machine(stack: &mut Stack<'_>) -> StateMachineRef<String> {
    let mut flow = Flow::new();
    flow.add("Done", Succeed::new());
    let props = StateMachineProps {
        kind: StateMachineType::Express,
        ..StateMachineProps::default()
    };
    stack.state_machine("Machine", flow, props)
}

#[test]
fn routes_call_services_with_roles_of_their_own() {
    let send = integration(|stack| {
        let queue = stack.queue::<String>("Queue", QueueProps::default());
        HttpIntegration::send_message(&queue, RequestPart::body())
            .parameter("DelaySeconds", RequestPart::fixed("5"))
    });
    assert_json_snapshot!(send, @r#"
    {
      "allowed": [
        {
          "Action": "sqs:SendMessage",
          "Effect": "Allow",
          "Resource": {
            "Fn::GetAtt": [
              "Queue",
              "Arn"
            ]
          }
        }
      ],
      "integration": {
        "CredentialsArn": {
          "Fn::GetAtt": [
            "RouteRole",
            "Arn"
          ]
        },
        "IntegrationSubtype": "SQS-SendMessage",
        "IntegrationType": "AWS_PROXY",
        "PayloadFormatVersion": "1.0",
        "RequestParameters": {
          "DelaySeconds": "5",
          "MessageBody": "$request.body",
          "QueueUrl": {
            "Ref": "Queue"
          }
        }
      }
    }
    "#);
    let grouped = integration(|stack| {
        let fifo = QueueProps {
            fifo: Some(Fifo::default()),
            ..QueueProps::default()
        };
        let queue = stack.queue::<String>("Queue", fifo);
        HttpIntegration::send_to_group(
            &queue,
            RequestPart::path("id"),
            RequestPart::body_at("order"),
        )
    });
    assert_eq!(
        grouped["integration"]["RequestParameters"]["MessageGroupId"],
        "$request.path.id"
    );
    assert_eq!(
        grouped["integration"]["RequestParameters"]["MessageBody"],
        "$request.body.order"
    );
    let put = integration(|stack| {
        let bus = stack.event_bus("Bus", EventBusProps::default());
        let entry = BusEntry::named(RequestPart::query("type"), "orders", RequestPart::body());
        HttpIntegration::put_event(&bus, entry)
    });
    assert_eq!(
        put["integration"]["RequestParameters"],
        json!({
            "Detail": "$request.body",
            "DetailType": "$request.querystring.type",
            "EventBusName": {"Ref": "Bus"},
            "Source": "orders",
        })
    );
    assert_eq!(put["allowed"][0]["Action"], "events:PutEvents");
    let start =
        integration(|stack| HttpIntegration::start_execution(&machine(stack), RequestPart::body()));
    assert_eq!(
        start["integration"]["IntegrationSubtype"],
        "StepFunctions-StartExecution"
    );
    assert_eq!(start["allowed"][0]["Action"], "states:StartExecution");
    let wait = integration(|stack| {
        HttpIntegration::start_sync_execution(&machine(stack), RequestPart::context("requestId"))
    });
    assert_eq!(
        wait["integration"]["IntegrationSubtype"],
        "StepFunctions-StartSyncExecution"
    );
    assert_eq!(
        wait["integration"]["RequestParameters"]["Input"],
        "$context.requestId"
    );
    assert_eq!(wait["allowed"][0]["Action"], "states:StartSyncExecution");
    let record = integration(|_| {
        HttpIntegration::put_record(KinesisRecord {
            stream: "clicks".into(),
            stream_arn: "arn:aws:kinesis:eu-central-1:123456789012:stream/clicks".into(),
            data: RequestPart::body(),
            partition_key: RequestPart::header("x-user"),
        })
    });
    assert_eq!(
        record["integration"]["RequestParameters"]["PartitionKey"],
        "$request.header.x-user"
    );
    assert_eq!(record["allowed"][0]["Action"], "kinesis:PutRecord");
    assert_eq!(
        integration(orders)["integration"]["IntegrationMethod"],
        "GET"
    );
}

#[test]
fn a_given_role_calls_and_is_granted_the_call_or_left_alone() {
    let template = |role: fn(stack_model::iam::RoleRef) -> RouteRole| {
        resources(dev(), move |stack| {
            let api = api(stack);
            let queue = stack.queue::<String>("Queue", QueueProps::default());
            let given = stack.role("Given", RoleProps::for_service("apigateway.amazonaws.com"));
            let send =
                HttpIntegration::send_message(&queue, RequestPart::body()).calling_as(role(given));
            stack.http_route(
                "Send",
                &api,
                route!("POST /"),
                RouteAuthorization::Iam,
                send,
            );
        })
    };
    let granted = template(RouteRole::Granting);
    assert_eq!(
        granted["Given"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"],
        "sqs:SendMessage"
    );
    assert_eq!(granted.get("SendRole"), None);
    let left = template(RouteRole::AllowedElsewhere);
    assert_eq!(left["Given"]["Properties"].get("Policies"), None);
    assert_eq!(
        left["SendIntegration"]["Properties"]["CredentialsArn"],
        json!({"Fn::GetAtt": ["Given", "Arn"]})
    );
}

#[test]
fn a_fixed_text_that_reads_like_a_part_of_the_request_is_refused() {
    let found = |text: &'static str| {
        violations(dev(), move |stack| {
            let api = api(stack);
            let queue = stack.queue::<String>("Queue", QueueProps::default());
            let send = HttpIntegration::send_message(&queue, RequestPart::fixed(text));
            let authorization = RouteAuthorization::Iam;
            stack.http_route("Send", &api, route!("POST /"), authorization, send);
        })
        .join("\n")
    };
    for text in [
        "$request.header.authorization",
        "for ${context.identity.sourceIp}",
    ] {
        let found = found(text);
        assert!(
            found.contains(&format!(
                "`{text}` of the parameter `MessageBody` is meant as it is"
            )),
            "{found}"
        );
    }
    for text in ["5 $", "{name}", "costs $5"] {
        assert_eq!(found(text), "", "{text}");
    }
}
