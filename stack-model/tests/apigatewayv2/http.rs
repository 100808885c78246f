//! HTTP APIs, their routes and stages.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::acm::CertificateProps;
use stack_model::apigateway::{CorsOrigin, HttpMethod, Throttle};
use stack_model::apigatewayv2::{
    ApiPath, HttpAccessLogs, HttpApiProps, HttpCors, HttpIntegration, HttpStageProps, LogFormat,
    RequestPart, RouteAuthorization, RouteKey, RouteSettings,
};
use stack_model::domains::ApiDomainProps;
use stack_model::logs::LogGroupProps;
use stack_model::route53::HostedZoneRef;
use stack_model::sqs::{Fifo, QueueProps};
use stack_model::{Stack, route};

use super::{answer, api};
use crate::support::{dev, property, resources, statements, violations};

pub(super) fn orders(_: &mut Stack<'_>) -> HttpIntegration {
    HttpIntegration::http(HttpMethod::Get, "https://orders.example.com/{id}")
}

#[test]
fn a_route_goes_to_a_function_that_it_may_invoke() {
    let resources = resources(dev(), |stack| {
        let api = api(stack);
        let answer = answer(stack);
        let integration = HttpIntegration::lambda(&answer).timeout(5000);
        let route = route!("GET /orders/{id}/{rest+}");
        stack.http_route("Read", &api, route, RouteAuthorization::None, integration);
        stack.http_stage("Live", &api, HttpStageProps::default());
    });
    let of_api: serde_json::Map<_, _> = resources
        .as_object()
        .unwrap()
        .iter()
        .filter(|(id, _)| !id.starts_with("Answer"))
        .map(|(id, resource)| (id.clone(), resource.clone()))
        .collect();
    assert_json_snapshot!(of_api, @r#"
    {
      "Api": {
        "Properties": {
          "Name": "orders-dev-Api",
          "ProtocolType": "HTTP"
        },
        "Type": "AWS::ApiGatewayV2::Api"
      },
      "Live": {
        "Properties": {
          "ApiId": {
            "Ref": "Api"
          },
          "AutoDeploy": true,
          "StageName": "$default"
        },
        "Type": "AWS::ApiGatewayV2::Stage"
      },
      "Read": {
        "Properties": {
          "ApiId": {
            "Ref": "Api"
          },
          "AuthorizationType": "NONE",
          "RouteKey": "GET /orders/{id}/{rest+}",
          "Target": {
            "Fn::Sub": "integrations/${ReadIntegration}"
          }
        },
        "Type": "AWS::ApiGatewayV2::Route"
      },
      "ReadIntegration": {
        "Properties": {
          "ApiId": {
            "Ref": "Api"
          },
          "IntegrationMethod": "POST",
          "IntegrationType": "AWS_PROXY",
          "IntegrationUri": {
            "Fn::GetAtt": [
              "Answer",
              "Arn"
            ]
          },
          "PayloadFormatVersion": "2.0",
          "TimeoutInMillis": 5000
        },
        "Type": "AWS::ApiGatewayV2::Integration"
      },
      "ReadPermission": {
        "Properties": {
          "Action": "lambda:InvokeFunction",
          "FunctionName": {
            "Fn::GetAtt": [
              "Answer",
              "Arn"
            ]
          },
          "Principal": "apigateway.amazonaws.com",
          "SourceArn": {
            "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/GET/orders/*/*"
          }
        },
        "Type": "AWS::Lambda::Permission"
      }
    }
    "#);
}

#[test]
fn an_api_answers_pages_of_other_origins() {
    let cors = |cors: HttpCors| {
        property(dev(), "Api", "CorsConfiguration", |stack| {
            let props = HttpApiProps {
                cors: Some(cors),
                ..HttpApiProps::default()
            };
            stack.http_api("Api", props);
        })
    };
    let several = CorsOrigin::Several {
        origins: vec![
            "https://a.example.com".to_owned(),
            "http://localhost:3000".to_owned(),
        ],
        credentials: true,
    };
    let all = HttpCors {
        headers: vec!["content-type".to_owned()],
        expose: vec!["x-id".to_owned()],
        max_age: Some(600.into()),
        ..HttpCors::new(several, [HttpMethod::Get, HttpMethod::Put])
    };
    assert_eq!(
        cors(all),
        json!({
            "AllowCredentials": true,
            "AllowHeaders": ["content-type"],
            "AllowMethods": ["GET", "PUT"],
            "AllowOrigins": ["https://a.example.com", "http://localhost:3000"],
            "ExposeHeaders": ["x-id"],
            "MaxAge": 600,
        })
    );
    assert_eq!(
        cors(HttpCors::new(CorsOrigin::Any, [HttpMethod::Any])),
        json!({"AllowMethods": ["*"], "AllowOrigins": ["*"]})
    );
    let one = |origin: &str, credentials| CorsOrigin::One {
        origin: origin.to_owned(),
        credentials,
    };
    let get = [HttpMethod::Get];
    for (wrong, message) in [
        (
            HttpCors::new(one("example.com", false), get),
            "`example.com` is not an origin",
        ),
        (
            HttpCors::new(one("https://example.com/", false), get),
            "is not an origin",
        ),
        (
            HttpCors::new(one("https://*", true), get),
            "is not an origin",
        ),
        (
            HttpCors::new(CorsOrigin::Any, []),
            "pages may call with no method",
        ),
        (
            HttpCors::new(
                CorsOrigin::Several {
                    origins: vec![],
                    credentials: false,
                },
                get,
            ),
            "no page may call",
        ),
        (
            HttpCors::new(one("https://example.com", true), [HttpMethod::Any]),
            "browsers that send credentials take `*` for a name",
        ),
        (
            HttpCors {
                headers: vec!["*".to_owned()],
                ..HttpCors::new(one("https://example.com", true), get)
            },
            "browsers that send credentials take `*` for a name",
        ),
    ] {
        let found = violations(dev(), |stack| {
            let props = HttpApiProps {
                cors: Some(wrong.clone()),
                ..HttpApiProps::default()
            };
            stack.http_api("Api", props);
        });
        assert!(
            matches!(found.as_slice(), [found] if found.contains(message)),
            "{wrong:?}: {found:#?}"
        );
    }
}

#[test]
fn a_stage_treats_requests_of_all_routes_and_of_single_ones() {
    let resources = resources(dev(), |stack| {
        let api = api(stack);
        let to_orders = orders(stack);
        let read = stack.http_route(
            "Read",
            &api,
            route!("GET /{id}"),
            RouteAuthorization::None,
            to_orders,
        );
        let logs = stack.log_group("Requests", LogGroupProps::default());
        let throttle = |rate, burst: u32| {
            Some(Throttle {
                rate,
                burst: burst.into(),
            })
        };
        let stage = HttpStageProps {
            description: Some("what customers use".to_owned()),
            settings: RouteSettings {
                throttle: throttle(100.0, 50),
                metrics: true,
            },
            routes: vec![(
                read,
                RouteSettings {
                    throttle: throttle(1.5, 2),
                    metrics: false,
                },
            )],
            access_logs: Some(HttpAccessLogs {
                group: logs,
                format: LogFormat::Json,
            }),
            variables: [("colour".to_owned(), "blue".into())].into(),
            ..HttpStageProps::named("v1")
        };
        let stage = stack.http_stage("Stage", &api, stage);
        stack.output("Url", stage.url());
    });
    assert_json_snapshot!(resources["Stage"], @r#"
    {
      "DependsOn": [
        "Read"
      ],
      "Properties": {
        "AccessLogSettings": {
          "DestinationArn": {
            "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Requests}"
          },
          "Format": "{\"requestId\":\"$context.requestId\",\"time\":\"$context.requestTime\",\"sourceIp\":\"$context.identity.sourceIp\",\"userAgent\":\"$context.identity.userAgent\",\"route\":\"$context.routeKey\",\"status\":\"$context.status\",\"error\":\"$context.error.message\",\"integrationError\":\"$context.integrationErrorMessage\",\"method\":\"$context.httpMethod\",\"path\":\"$context.path\",\"responseLength\":\"$context.responseLength\",\"latency\":\"$context.responseLatency\",\"integrationLatency\":\"$context.integrationLatency\"}"
        },
        "ApiId": {
          "Ref": "Api"
        },
        "AutoDeploy": true,
        "DefaultRouteSettings": {
          "DetailedMetricsEnabled": true,
          "ThrottlingBurstLimit": 50,
          "ThrottlingRateLimit": 100
        },
        "Description": "what customers use",
        "RouteSettings": {
          "GET /{id}": {
            "ThrottlingBurstLimit": 2,
            "ThrottlingRateLimit": 1.5
          }
        },
        "StageName": "v1",
        "StageVariables": {
          "colour": "blue"
        }
      },
      "Type": "AWS::ApiGatewayV2::Stage"
    }
    "#);
}

#[test]
fn addresses_have_the_stage_only_where_it_has_a_name() {
    let outputs = |props: HttpStageProps| {
        crate::support::template(dev(), |stack| {
            let api = api(stack);
            let stage = stack.http_stage("Stage", &api, props);
            stack.output("Url", stage.url());
            stack.output("Name", stage.name());
            stack.output("Api", api.endpoint());
        })["Outputs"]
            .take()
    };
    let endpoint = json!({"Fn::GetAtt": ["Api", "ApiEndpoint"]});
    assert_eq!(outputs(HttpStageProps::default())["Url"]["Value"], endpoint);
    let named = outputs(HttpStageProps::named("v1"));
    assert_eq!(
        named["Url"]["Value"],
        json!({"Fn::Sub": "${Api.ApiEndpoint}/v1"})
    );
    assert_eq!(named["Name"]["Value"], json!({"Ref": "Stage"}));
}

#[test]
fn a_regional_domain_stands_for_a_stage() {
    let describe = |edge: bool, path: ApiPath| {
        move |stack: &mut Stack<'_>| {
            stack.in_region("us-east-1");
            let api = api(stack);
            let stage = stack.http_stage("Stage", &api, HttpStageProps::default());
            let zone = HostedZoneRef::existing("Z0123456789ABCDEFGHIJ", "example.com");
            let props = CertificateProps::new("api.example.com", &zone);
            let certificate = stack.certificate("Certificate", props);
            let props = if edge {
                ApiDomainProps::edge("api.example.com", &certificate)
            } else {
                ApiDomainProps::regional("api.example.com", &certificate)
            };
            let domain = stack.api_domain("Domain", props);
            stack.map_http_stage("Mapping", &domain, path, &stage);
        }
    };
    let mapping = resources(
        dev(),
        describe(false, ApiPath::Below("orders/v1".to_owned())),
    );
    assert_eq!(
        mapping["Mapping"]["Properties"],
        json!({
            "ApiId": {"Ref": "Api"},
            "ApiMappingKey": "orders/v1",
            "DomainName": {"Ref": "Domain"},
            "Stage": {"Ref": "Stage"},
        })
    );
    assert_eq!(
        violations(dev(), describe(true, ApiPath::Below("/orders".to_owned()))),
        [
            "orders / Mapping / Properties.DomainName: an edge-optimised domain answers for REST APIs only: make the domain regional",
            "orders / Mapping / Properties.ApiMappingKey: `/orders` is not the beginning of a path: write steps of letters, digits and `$-_.+!*'()` with a `/` between two",
        ]
    );
}

#[test]
fn a_caller_with_credentials_of_aws_is_allowed_single_routes() {
    let statements = statements(dev(), |stack| {
        let api = api(stack);
        let integration = orders(stack);
        let read = stack.http_route(
            "Read",
            &api,
            route!("GET /orders/{id}"),
            RouteAuthorization::Iam,
            integration,
        );
        let invoke = |arn: stack_model::Value<String>| {
            stack_model::policy::Statement::allow(["execute-api:Invoke"])
                .on(arn)
                .because("paths have parameters")
        };
        vec![
            invoke(read.execute_arn()),
            invoke(api.execute_arn("v1", "POST", "/orders")),
        ]
    });
    assert_json_snapshot!(statements, @r#"
    [
      {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": {
          "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/GET/orders/*"
        }
      },
      {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": {
          "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/v1/POST/orders"
        }
      }
    ]
    "#);
}

#[test]
fn what_no_api_can_have_is_reported() {
    let found = violations(dev(), |stack| {
        let api = stack.http_api(
            "Api",
            HttpApiProps {
                name: Some("n".repeat(129).into()),
                ..HttpApiProps::default()
            },
        );
        let other = stack.http_api("Other", HttpApiProps::default());
        let get = |url: &str| HttpIntegration::http(HttpMethod::Get, url);
        let fine = "https://example.com";
        stack.http_route(
            "Wrong",
            &api,
            RouteKey::new("GET orders"),
            RouteAuthorization::None,
            get("ftp://example.com"),
        );
        let send = get(fine).parameter("overwrite:path", RequestPart::path("id"));
        stack.http_route(
            "Missing",
            &api,
            route!("GET /orders"),
            RouteAuthorization::None,
            send.timeout(30_001),
        );
        stack.http_route(
            "Again",
            &api,
            route!("GET /orders"),
            RouteAuthorization::None,
            get(fine),
        );
        let fifo = QueueProps {
            fifo: Some(Fifo::default()),
            ..QueueProps::default()
        };
        let queue = stack.queue::<String>("Queue", fifo);
        let send = HttpIntegration::send_message(&queue, RequestPart::body());
        let foreign = stack.http_route(
            "Send",
            &other,
            route!("POST /"),
            RouteAuthorization::None,
            send,
        );
        let stage = HttpStageProps {
            settings: RouteSettings {
                throttle: Some(Throttle {
                    rate: -1.0,
                    burst: 2_000_000.into(),
                }),
                metrics: false,
            },
            routes: vec![(foreign, RouteSettings::default())],
            ..HttpStageProps::named("v 1")
        };
        stack.http_stage("Stage", &api, stage);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Api / Properties.Name: the name of an API has 1 to 128 characters",
      "orders / Wrong / Properties.RouteKey: `GET orders` is not a route: write a method and a path, such as `GET /orders/{id}`, where `{rest+}` may come last",
      "orders / Wrong: `ftp://example.com` is not an address: it begins with `https://` or `http://`",
      "orders / Missing / Properties.RouteKey: the integration takes `id` from the path, and `GET /orders` has no such parameter",
      "orders / MissingIntegration / Properties.TimeoutInMillis: 30001 is not between 50 and 30000",
      "orders / Send: a message for a FIFO queue needs a message group: use `HttpIntegration::send_to_group`",
      "orders / Stage / Properties.StageName: `v 1` holds ' '; AWS takes letters, digits and `-` `_`",
      "orders / Stage / Properties.DefaultRouteSettings.ThrottlingBurstLimit: 2000000 is not between 0 and 1000000",
      "orders / Stage / Properties.DefaultRouteSettings.ThrottlingRateLimit: the rate of a throttle is a number of requests per second, from 0",
      "orders / Stage / Properties.RouteSettings: `POST /` is a route of another API: the stage treats routes of its own API only",
      "orders / Missing / Properties.RouteKey: `Again` has the route `GET /orders` of the same API already: an API has each route once"
    ]
    "#);
}
