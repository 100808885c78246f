//! APIs, stages and what they log.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stack_model::apigateway::{
    AccessLogFormat, AccessLogs, ApiKeySource, Authorization, CacheSize, Canary, Endpoint,
    ExecutionLogs, HttpMethod, Integration, LogAccess, MappingTemplate, MethodProps,
    MethodSettings, ParameterPlace, RequestParameter, RestApiProps, RestApiRef, StageLogs,
    StageProps, Throttle,
};
use stack_model::iam::RoleProps;
use stack_model::logs::LogGroupProps;
use stack_model::policy::{Principal, Statement};
use stack_model::{Pseudo, Stack, text};

use super::support::{deployment, properties, template, violations};

fn api(stack: &mut Stack<'_>, props: RestApiProps) -> RestApiRef {
    let api = stack.rest_api("Api", props);
    let hello = Integration::mock(200, MappingTemplate::message("Hello"));
    let get = MethodProps::new(HttpMethod::Get, Authorization::None, hello);
    stack.rest_method("Get", &api.root(), get);
    api
}

fn rendered(props: RestApiProps) -> Value {
    let template = template(|stack| {
        api(stack, props);
    });
    properties(&template, "Api").clone()
}

#[test]
fn an_api_is_regional_and_named_after_its_stack() {
    assert_eq!(
        rendered(RestApiProps::default()),
        json!({"EndpointConfiguration": {"Types": ["REGIONAL"]}, "Name": "orders-dev-Api"})
    );
}

#[test]
fn an_api_shows_all_of_its_properties() {
    let props = RestApiProps {
        name: Some("Coffee".into()),
        description: Some("Orders of coffee".to_owned()),
        endpoint: Endpoint::EdgeOptimized,
        binary_media_types: vec!["image/png".to_owned()],
        minimum_compression_size: Some(1024.into()),
        disable_execute_api_endpoint: true,
        policy: vec![
            Statement::deny(["execute-api:Invoke"])
                .on("execute-api:/*")
                .to(Principal::Anyone)
                .when("NotIpAddress", "aws:SourceIp", "192.0.2.0/24"),
        ],
        api_key_source: ApiKeySource::Authorizer,
        retain_deployments: true,
    };
    assert_eq!(
        rendered(props),
        json!({
            "ApiKeySourceType": "AUTHORIZER",
            "BinaryMediaTypes": ["image/png"],
            "Description": "Orders of coffee",
            "DisableExecuteApiEndpoint": true,
            "EndpointConfiguration": {"Types": ["EDGE"]},
            "MinimumCompressionSize": 1024,
            "Name": "Coffee",
            "Policy": {
                "Statement": [{
                    "Action": "execute-api:Invoke",
                    "Condition": {"NotIpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
                    "Effect": "Deny",
                    "Principal": "*",
                    "Resource": "execute-api:/*",
                }],
                "Version": "2012-10-17",
            },
        })
    );
}

#[test]
fn a_private_api_says_who_may_call_it() {
    let endpoint = |policy| Endpoint::Private {
        vpc_endpoint_ids: vec!["vpce-1".into()],
        policy,
    };
    let caller = Principal::Aws(text!("arn:aws:iam::{}:root", Pseudo::AccountId));
    let invoke = Statement::allow(["execute-api:Invoke"])
        .on("execute-api:/live/GET/")
        .to(caller);
    let api_properties = rendered(RestApiProps {
        endpoint: endpoint(vec![invoke]),
        ..RestApiProps::default()
    });
    assert_eq!(
        api_properties["EndpointConfiguration"],
        json!({"Types": ["PRIVATE"], "VpcEndpointIds": ["vpce-1"]})
    );
    assert_eq!(
        api_properties["Policy"]["Statement"],
        json!([{
            "Action": "execute-api:Invoke",
            "Effect": "Allow",
            "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
            "Resource": "execute-api:/live/GET/",
        }])
    );
    let violations = violations(|app| {
        let props = RestApiProps {
            endpoint: endpoint(Vec::new()),
            minimum_compression_size: Some(10_485_761.into()),
            ..RestApiProps::default()
        };
        api(&mut app.stack("orders"), props);
    });
    assert_eq!(
        violations,
        [
            "orders / Api / Properties.MinimumCompressionSize: 10485761 is not between 0 and 10485760",
            "orders / Api / Properties.Policy: a private API answers nobody without a resource policy: say who may call it",
        ]
    );
}

#[test]
fn a_stage_asks_for_nothing_by_itself() {
    let template = template(|stack| {
        let api = api(stack, RestApiProps::default());
        stack.rest_stage("Live", &api, StageProps::named("live"));
    });
    let stage = properties(&template, "Live");
    assert_eq!(stage["RestApiId"], json!({"Ref": "Api"}));
    assert_eq!(stage["StageName"], "live");
    let keys: Vec<&String> = stage.as_object().unwrap().keys().collect();
    assert_eq!(keys, ["DeploymentId", "RestApiId", "StageName"]);
}

#[test]
fn a_stage_throttles_traces_measures_and_logs_on_request() {
    let template = template(|stack| {
        let api = api(stack, RestApiProps::default());
        let role = stack.role(
            "LoggingRole",
            RoleProps::for_service("apigateway.amazonaws.com"),
        );
        let account = stack.rest_account("Account", &role);
        let group = stack.log_group("Requests", LogGroupProps::default());
        let mut logs = StageLogs::with(LogAccess::Account(account));
        logs.requests = Some(AccessLogs {
            group,
            format: AccessLogFormat::Custom("$context.requestId $context.status".to_owned()),
        });
        logs.execution = ExecutionLogs::Errors;
        let mut props = StageProps::named("live");
        props.description = Some("What customers use".to_owned());
        props.throttle = Some(Throttle {
            rate: 12.5,
            burst: 50.into(),
        });
        props.tracing = true;
        props.metrics = true;
        props.variables = BTreeMap::from([("color".to_owned(), "blue".into())]);
        props.logs = Some(logs);
        stack.rest_stage("Live", &api, props);
    });
    let live = &template["Resources"]["Live"];
    // API Gateway checks its right to write logs when the stage is made.
    assert_eq!(live["DependsOn"], json!(["Account", "LiveExecutionLogs"]));
    for (property, value) in [
        (
            "AccessLogSetting",
            json!({
                "DestinationArn": {"Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${Requests}"},
                "Format": "$context.requestId $context.status",
            }),
        ),
        ("Description", json!("What customers use")),
        (
            "MethodSettings",
            json!([{
                "HttpMethod": "*",
                "LoggingLevel": "ERROR",
                "MetricsEnabled": true,
                "ResourcePath": "/*",
                "ThrottlingBurstLimit": 50,
                "ThrottlingRateLimit": 12.5,
            }]),
        ),
        ("TracingEnabled", json!(true)),
        ("Variables", json!({"color": "blue"})),
    ] {
        assert_eq!(live["Properties"][property], value, "{property}");
    }
    let execution = properties(&template, "LiveExecutionLogs");
    assert_eq!(
        execution["LogGroupName"],
        json!({"Fn::Sub": "API-Gateway-Execution-Logs_${Api}/live"})
    );
    assert_eq!(execution["RetentionInDays"], 30);
    assert_eq!(
        template["Resources"]["Account"],
        json!({
            "Type": "AWS::ApiGateway::Account",
            "Properties": {"CloudWatchRoleArn": {"Fn::GetAtt": ["LoggingRole", "Arn"]}},
        })
    );
    assert_eq!(
        properties(&template, "LoggingRole")["ManagedPolicyArns"],
        json!([{"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs"}])
    );
}

#[test]
fn single_methods_are_treated_in_another_way() {
    let template = template(|stack| {
        let api = stack.rest_api("Api", RestApiProps::default());
        let hello = || Integration::mock(200, MappingTemplate::message("Hello"));
        let users = stack.rest_resource("Users", &api.root(), "users");
        let user = stack.rest_resource("User", &users, "{id}");
        let mut get = MethodProps::new(HttpMethod::Get, Authorization::Iam, hello());
        get.cache_keys = vec![RequestParameter {
            place: ParameterPlace::Header,
            name: "Authorization".to_owned(),
            required: false,
        }];
        let get = stack.rest_method("Get", &user, get);
        let any = MethodProps::new(HttpMethod::Any, Authorization::None, hello());
        let any = stack.rest_method("Any", &api.root(), any);
        let mut props = StageProps::named("live");
        props.metrics = true;
        props.throttle = Some(Throttle {
            rate: 10.0,
            burst: 20.into(),
        });
        props.cache = Some(CacheSize::Half);
        props.methods = vec![
            (
                get,
                MethodSettings {
                    cache: Some(60.into()),
                    ..MethodSettings::default()
                },
            ),
            (
                any,
                MethodSettings {
                    throttle: Some(Throttle {
                        rate: 1.0,
                        burst: 2.into(),
                    }),
                    logs: Some(ExecutionLogs::Everything),
                    ..MethodSettings::default()
                },
            ),
        ];
        props.client_certificate =
            Some(stack.rest_client_certificate("Certificate", "Calls of us"));
        stack.rest_stage("Live", &api, props);
    });
    let live = properties(&template, "Live");
    assert_eq!(live["CacheClusterEnabled"], true);
    assert_eq!(live["CacheClusterSize"], "0.5");
    assert_eq!(live["ClientCertificateId"], json!({"Ref": "Certificate"}));
    assert_eq!(
        live["MethodSettings"],
        json!([
            {
                "HttpMethod": "*",
                "MetricsEnabled": true,
                "ResourcePath": "/*",
                "ThrottlingBurstLimit": 20,
                "ThrottlingRateLimit": 10,
            },
            {
                "CacheDataEncrypted": true,
                "CacheTtlInSeconds": 60,
                "CachingEnabled": true,
                "HttpMethod": "GET",
                "MetricsEnabled": true,
                "ResourcePath": "/~1users~1{id}",
                "ThrottlingBurstLimit": 20,
                "ThrottlingRateLimit": 10,
            },
            {
                "HttpMethod": "*",
                "LoggingLevel": "INFO",
                "MetricsEnabled": true,
                "ResourcePath": "/",
                "ThrottlingBurstLimit": 2,
                "ThrottlingRateLimit": 1,
            },
        ])
    );
    let get = properties(&template, "Get");
    let key = "method.request.header.Authorization";
    assert_eq!(get["Integration"]["CacheKeyParameters"], json!([key]));
    assert_eq!(get["RequestParameters"], json!({ key: false }));
}

#[test]
fn a_canary_sees_the_newest_deployment() {
    let template = template(|stack| {
        let props = RestApiProps {
            retain_deployments: true,
            ..RestApiProps::default()
        };
        let api = api(stack, props);
        let mut props = StageProps::named("live");
        let mut canary = Canary::beside("abc123", 12.5);
        canary.variables = BTreeMap::from([("color".to_owned(), "green".into())]);
        props.canary = Some(canary);
        stack.rest_stage("Live", &api, props);
    });
    let newest = deployment(&template);
    assert_eq!(template["Resources"][&newest]["DeletionPolicy"], "Retain");
    let live = properties(&template, "Live");
    assert_eq!(live["DeploymentId"], "abc123");
    assert_eq!(
        live["CanarySetting"],
        json!({
            "DeploymentId": {"Ref": newest},
            "PercentTraffic": 12.5,
            "StageVariableOverrides": {"color": "green"},
        })
    );
}

#[test]
fn settings_that_would_not_do_what_they_say_are_reported() {
    let violations = violations(|app| {
        let stack = &mut app.stack("orders");
        let api = stack.rest_api("Api", RestApiProps::default());
        let hello = Integration::mock(200, MappingTemplate::message("Hello"));
        let get = MethodProps::new(HttpMethod::Get, Authorization::Iam, hello);
        let get = stack.rest_method("Get", &api.root(), get);
        let mut props = StageProps::named("live");
        let cached = MethodSettings {
            cache: Some(3601.into()),
            ..MethodSettings::default()
        };
        props.methods = vec![(get, cached)];
        props.canary = Some(Canary::beside("abc123", 101.0));
        stack.rest_stage("Live", &api, props);
    });
    assert_eq!(
        violations,
        [
            "orders / Live / Properties.MethodSettings: 3601 is not between 0 and 3600",
            "orders / Live / Properties.MethodSettings: the answers of `Get` are to be cached, and the stage has no cache: set `cache`",
            "orders / Live / Properties.MethodSettings: `Get` knows who calls, and its cached answers would be shown to other callers: make what tells them apart a cache key of the method, such as its header `Authorization`",
            "orders / Live / Properties.CanarySetting.PercentTraffic: 101 is not a share of requests from 0 to 100 percent",
        ]
    );
}

#[test]
fn lines_of_json_name_the_request() {
    let template = template(|stack| {
        let api = api(stack, RestApiProps::default());
        let group = stack.log_group("Requests", LogGroupProps::default());
        let mut logs = StageLogs::with(LogAccess::SetElsewhere);
        logs.requests = Some(AccessLogs {
            group,
            format: AccessLogFormat::Json,
        });
        let mut props = StageProps::named("live");
        props.logs = Some(logs);
        stack.rest_stage("Live", &api, props);
    });
    let live = &template["Resources"]["Live"];
    assert_eq!(live.get("DependsOn"), None);
    let format = live["Properties"]["AccessLogSetting"]["Format"].as_str();
    let fields: Value = serde_json::from_str(format.unwrap()).unwrap();
    assert_eq!(fields["requestId"], "$context.requestId");
    assert_eq!(fields["status"], "$context.status");
}

#[test]
fn what_aws_would_refuse_of_a_stage_is_reported() {
    let violations = violations(|app| {
        let stack = &mut app.stack("orders");
        let api = api(stack, RestApiProps::default());
        let group = stack.log_group("Requests", LogGroupProps::default());
        let mut logs = StageLogs::with(LogAccess::SetElsewhere);
        logs.requests = Some(AccessLogs {
            group,
            format: AccessLogFormat::Custom("$context.status".to_owned()),
        });
        let mut props = StageProps::named("live/now");
        props.logs = Some(logs);
        props.throttle = Some(Throttle {
            rate: -1.0,
            burst: 1_000_001.into(),
        });
        props.variables = BTreeMap::from([("the-color".to_owned(), "blue".into())]);
        stack.rest_stage("Live", &api, props);
    });
    let expected = [
        "orders / Live / Properties.StageName: `live/now` is not the name of a stage of an API: use 1 to 128 letters, digits, `-` and `_`",
        "orders / Live / Properties.MethodSettings: 1000001 is not between 0 and 1000000",
        "orders / Live / Properties.MethodSettings: -1 is not a number of requests per second",
        "orders / Live / Properties.AccessLogSetting.Format: the format of an access log must hold `$context.requestId` or `$context.extendedRequestId`",
        "orders / Live / Properties.Variables: `the-color` is not the name of a stage variable: use letters, digits and `_`",
    ];
    for message in expected {
        assert!(
            violations.iter().any(|v| v == message),
            "{message} is not in {violations:#?}"
        );
    }
}
