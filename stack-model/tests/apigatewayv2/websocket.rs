//! WebSocket APIs.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::apigateway::LogAccess;
use stack_model::apigatewayv2::{
    ConnectAuthorization, ConnectionOperation, HttpAccessLogs, LogFormat, WebSocketApiProps,
    WebSocketAuthorizerProps, WebSocketIdentity, WebSocketRoute, WebSocketStageProps,
};
use stack_model::iam::RoleProps;
use stack_model::logs::LogGroupProps;

use super::answer;
use crate::support::{dev, resources, statements, violations};

#[test]
fn connections_and_messages_go_to_functions() {
    let resources = resources(dev(), |stack| {
        let answer = answer(stack);
        let api = stack.websocket_api("Api", WebSocketApiProps::default());
        let props = WebSocketAuthorizerProps {
            identity: vec![
                WebSocketIdentity::Query("token".to_owned()),
                WebSocketIdentity::Header("Origin".to_owned()),
            ],
        };
        let asked = stack.websocket_authorizer("Asked", &api, &answer, props);
        let connect = WebSocketRoute::Connect(ConnectAuthorization::Function(asked));
        stack.websocket_route("Connect", &api, connect, &answer);
        stack.websocket_answer(
            "Echo",
            &api,
            WebSocketRoute::Action("echo".to_owned()),
            &answer,
        );
        stack.websocket_route("Disconnect", &api, WebSocketRoute::Disconnect, &answer);
        stack.websocket_route("Default", &api, WebSocketRoute::Default, &answer);
        let stage = stack.websocket_stage("Live", &api, WebSocketStageProps::named("live"));
        stack.output("Url", stage.url());
    });
    let ids = [
        "Api",
        "Asked",
        "Connect",
        "ConnectIntegration",
        "ConnectPermission",
        "Echo",
        "EchoResponse",
        "Live",
    ];
    let of_api: serde_json::Map<_, _> = ids
        .map(|id| (id.to_owned(), resources[id]["Properties"].clone()))
        .into_iter()
        .collect();
    assert_json_snapshot!(of_api, @r#"
    {
      "Api": {
        "Name": "orders-dev-Api",
        "ProtocolType": "WEBSOCKET",
        "RouteSelectionExpression": "$request.body.action"
      },
      "Asked": {
        "ApiId": {
          "Ref": "Api"
        },
        "AuthorizerType": "REQUEST",
        "AuthorizerUri": {
          "Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Answer.Arn}/invocations"
        },
        "IdentitySource": [
          "route.request.querystring.token",
          "route.request.header.Origin"
        ],
        "Name": "Asked"
      },
      "Connect": {
        "ApiId": {
          "Ref": "Api"
        },
        "AuthorizationType": "CUSTOM",
        "AuthorizerId": {
          "Ref": "Asked"
        },
        "RouteKey": "$connect",
        "Target": {
          "Fn::Sub": "integrations/${ConnectIntegration}"
        }
      },
      "ConnectIntegration": {
        "ApiId": {
          "Ref": "Api"
        },
        "IntegrationType": "AWS_PROXY",
        "IntegrationUri": {
          "Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Answer.Arn}/invocations"
        }
      },
      "ConnectPermission": {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {
          "Fn::GetAtt": [
            "Answer",
            "Arn"
          ]
        },
        "Principal": "apigateway.amazonaws.com",
        "SourceArn": {
          "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/$connect"
        }
      },
      "Echo": {
        "ApiId": {
          "Ref": "Api"
        },
        "RouteKey": "echo",
        "RouteResponseSelectionExpression": "$default",
        "Target": {
          "Fn::Sub": "integrations/${EchoIntegration}"
        }
      },
      "EchoResponse": {
        "ApiId": {
          "Ref": "Api"
        },
        "RouteId": {
          "Ref": "Echo"
        },
        "RouteResponseKey": "$default"
      },
      "Live": {
        "ApiId": {
          "Ref": "Api"
        },
        "AutoDeploy": true,
        "StageName": "live"
      }
    }
    "#);
    let key = |id: &str| resources[id]["Properties"]["RouteKey"].clone();
    assert_eq!(key("Disconnect"), "$disconnect");
    assert_eq!(key("Default"), "$default");
    assert_eq!(
        resources["Disconnect"]["Properties"].get("AuthorizationType"),
        None
    );
    assert_eq!(resources.get("ConnectResponse"), None);
}

#[test]
fn operations_on_connections_are_told_apart_by_the_resource() {
    let statements = statements(dev(), |stack| {
        let api = stack.websocket_api("Api", WebSocketApiProps::default());
        let stage = stack.websocket_stage("Live", &api, WebSocketStageProps::named("live"));
        let operations = [
            ConnectionOperation::Delete,
            ConnectionOperation::Post,
            ConnectionOperation::Post,
        ];
        assert!(stage.statements(&[]).is_empty());
        stage.statements(&operations)
    });
    assert_json_snapshot!(statements, @r#"
    [
      {
        "Action": "execute-api:ManageConnections",
        "Effect": "Allow",
        "Resource": {
          "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/${Live}/POST/@connections/*"
        }
      },
      {
        "Action": "execute-api:ManageConnections",
        "Effect": "Allow",
        "Resource": {
          "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/${Live}/DELETE/@connections/*"
        }
      }
    ]
    "#);
}

#[test]
fn a_stage_may_write_logs() {
    let resources = resources(dev(), |stack| {
        let api = stack.websocket_api("Api", WebSocketApiProps::default());
        let role = stack.role("Pusher", RoleProps::for_service("apigateway.amazonaws.com"));
        let account = stack.rest_account("Account", &role);
        let logs = HttpAccessLogs {
            group: stack.log_group("Messages", LogGroupProps::default()),
            format: LogFormat::Custom("$context.requestId $context.eventType".to_owned()),
        };
        let props = WebSocketStageProps {
            access_logs: Some((LogAccess::Account(account), logs)),
            ..WebSocketStageProps::named("live")
        };
        stack.websocket_stage("Live", &api, props);
    });
    assert_eq!(resources["Live"]["DependsOn"], json!(["Account"]));
    assert_eq!(
        resources["Live"]["Properties"]["AccessLogSettings"]["Format"],
        json!("$context.requestId $context.eventType")
    );
}

#[test]
fn what_no_conversation_can_be_is_reported() {
    let found = violations(dev(), |stack| {
        let answer = answer(stack);
        let api = stack.websocket_api(
            "Api",
            WebSocketApiProps {
                route_selection: Some("action".to_owned()),
                ..WebSocketApiProps::default()
            },
        );
        let other = stack.websocket_api("Other", WebSocketApiProps::default());
        let asked = stack.websocket_authorizer(
            "Asked",
            &other,
            &answer,
            WebSocketAuthorizerProps::default(),
        );
        let connect = WebSocketRoute::Connect(ConnectAuthorization::Function(asked));
        stack.websocket_route("Connect", &api, connect, &answer);
        stack.websocket_route(
            "Odd",
            &api,
            WebSocketRoute::Action("$odd".to_owned()),
            &answer,
        );
        stack.websocket_stage("Live", &api, WebSocketStageProps::named("$default"));
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Api / Properties.RouteSelectionExpression: `action` selects no route: name a part of the message, such as `$request.body.action`",
      "orders / Connect / Properties.AuthorizerId: the authorizer belongs to another API: add one to this API",
      "orders / Odd / Properties.RouteKey: `$odd` is not the key of a route: it has 1 to 128 characters and does not begin with `$`",
      "orders / Live / Properties.StageName: `$default` holds '$'; AWS takes letters, digits and `-` `_`"
    ]
    "#);
}
