//! Methods, their parameters, models and validators, and cross-origin calls.

use super::support::{Answer, deployment, function, properties, template, violations};
use serde_json::{Value, json};
use stack_model::apigateway::{
    Authorization, Cors, CorsOrigin, HttpMethod, Integration, MappingTemplate, MethodProps,
    ModelProps, ParameterPlace, Preflight, RequestParameter, RestApiProps, RestResourceProps,
    StageProps, Validation,
};

fn mock() -> Integration {
    Integration::mock(200, MappingTemplate::message("Hello"))
}

fn open(http_method: HttpMethod) -> MethodProps {
    MethodProps::new(http_method, Authorization::None, mock())
}

#[test]
fn requests_are_checked_before_they_reach_the_integration() {
    let template = template(|stack| {
        let api = stack.rest_api("Api", RestApiProps::default());
        let order = stack.rest_resource("Order", &api.root(), "{id}");
        let schema = json!({"type": "object", "required": ["drink"]});
        let mut props = ModelProps::schema(schema);
        props.description = Some("An order".to_owned());
        let model = stack.rest_model("OrderModel", &api, props);
        let validator = stack.rest_validator("Validator", &api, Validation::BodyAndParameters);
        let mut props = MethodProps::new(HttpMethod::Put, Authorization::Iam, mock());
        props.api_key_required = true;
        props.operation_name = Some("ChangeOrder".to_owned());
        props.models = vec![model];
        props.validator = Some(validator);
        let parameter = |place, name: &str, required| RequestParameter {
            place,
            name: name.to_owned(),
            required,
        };
        props.parameters = vec![
            parameter(ParameterPlace::Header, "If-Match", true),
            parameter(ParameterPlace::Path, "id", true),
            parameter(ParameterPlace::Query, "force", false),
        ];
        stack.rest_method("Change", &order, props);
    });
    let change = properties(&template, "Change");
    for (property, value) in [
        ("ApiKeyRequired", json!(true)),
        ("AuthorizationType", json!("AWS_IAM")),
        ("HttpMethod", json!("PUT")),
        ("OperationName", json!("ChangeOrder")),
        (
            "RequestModels",
            json!({"application/json": {"Ref": "OrderModel"}}),
        ),
        (
            "RequestParameters",
            json!({
                "method.request.header.If-Match": true,
                "method.request.path.id": true,
                "method.request.querystring.force": false,
            }),
        ),
        ("RequestValidatorId", json!({"Ref": "Validator"})),
    ] {
        assert_eq!(change[property], value, "{property}");
    }
    assert_eq!(
        template["Resources"]["OrderModel"],
        json!({
            "Type": "AWS::ApiGateway::Model",
            "Properties": {
                "ContentType": "application/json",
                "Description": "An order",
                "RestApiId": {"Ref": "Api"},
                "Schema": {"type": "object", "required": ["drink"]},
            },
        })
    );
    assert_eq!(
        template["Resources"]["Validator"],
        json!({
            "Type": "AWS::ApiGateway::RequestValidator",
            "Properties": {
                "RestApiId": {"Ref": "Api"},
                "ValidateRequestBody": true,
                "ValidateRequestParameters": true,
            },
        })
    );
    assert_eq!(
        template["Resources"][deployment(&template)]["DependsOn"],
        json!(["Change", "Order", "OrderModel", "Validator"])
    );
}

#[test]
fn models_without_a_validator_of_bodies_would_refuse_nothing() {
    let violations = violations(|app| {
        let stack = &mut app.stack("orders");
        let api = stack.rest_api("Api", RestApiProps::default());
        let model = stack.rest_model("OrderModel", &api, ModelProps::schema(json!({})));
        let validator = stack.rest_validator("Validator", &api, Validation::Parameters);
        let mut without = open(HttpMethod::Put);
        without.models = vec![model.clone()];
        stack.rest_method("Without", &api.root(), without);
        let mut wrong = open(HttpMethod::Post);
        wrong.models = vec![model.clone(), model];
        wrong.validator = Some(validator);
        stack.rest_method("Wrong", &api.root(), wrong);
    });
    assert_eq!(
        violations,
        [
            "orders / Without / Properties.RequestValidatorId: the method has models and no validator of bodies, so nothing would be refused: set `validator`",
            "orders / Wrong / Properties.RequestValidatorId: the method has models and no validator of bodies, so nothing would be refused: set `validator`",
            "orders / Wrong / Properties.RequestModels: the method has two models for `application/json`",
        ]
    );
}

fn with_cors(origin: CorsOrigin) -> Value {
    template(|stack| {
        let api = stack.rest_api("Api", RestApiProps::default());
        let mut cors = Cors::new(origin, [HttpMethod::Get, HttpMethod::Put]);
        cors.headers = vec!["Authorization".to_owned(), "Content-Type".to_owned()];
        cors.max_age = Some(600.into());
        let props = RestResourceProps {
            cors: Some(cors),
            ..RestResourceProps::from("orders")
        };
        let orders = stack.rest_resource("Orders", &api.root(), props);
        let get = MethodProps::new(HttpMethod::Get, Authorization::Iam, mock());
        stack.rest_method("List", &orders, get);
    })
}

#[test]
fn pages_of_one_origin_may_call() {
    let template = with_cors(CorsOrigin::One {
        origin: "https://www.example.com".to_owned(),
        credentials: true,
    });
    let preflight = properties(&template, "OrdersPreflight");
    assert_eq!(
        *preflight,
        json!({
            // A preflight never carries credentials, so it is open where the other methods are not.
            "AuthorizationType": "NONE",
            "HttpMethod": "OPTIONS",
            "Integration": {
                "IntegrationResponses": [{
                    "ResponseParameters": {
                        "method.response.header.Access-Control-Allow-Credentials": "'true'",
                        "method.response.header.Access-Control-Allow-Headers": "'Authorization,Content-Type'",
                        "method.response.header.Access-Control-Allow-Methods": "'GET,PUT'",
                        "method.response.header.Access-Control-Allow-Origin": "'https://www.example.com'",
                        "method.response.header.Access-Control-Max-Age": "'600'",
                        "method.response.header.Vary": "'Origin'",
                    },
                    "StatusCode": "204",
                }],
                "PassthroughBehavior": "WHEN_NO_MATCH",
                "RequestTemplates": {"application/json": r#"{"statusCode":204}"#},
                "Type": "MOCK",
            },
            "MethodResponses": [{
                "ResponseParameters": {
                    "method.response.header.Access-Control-Allow-Credentials": true,
                    "method.response.header.Access-Control-Allow-Headers": true,
                    "method.response.header.Access-Control-Allow-Methods": true,
                    "method.response.header.Access-Control-Allow-Origin": true,
                    "method.response.header.Access-Control-Max-Age": true,
                    "method.response.header.Vary": true,
                },
                "StatusCode": "204",
            }],
            "ResourceId": {"Ref": "Orders"},
            "RestApiId": {"Ref": "Api"},
        })
    );
    let list = properties(&template, "List");
    assert_eq!(list["AuthorizationType"], "AWS_IAM");
    assert_eq!(
        list["Integration"]["IntegrationResponses"][0]["ResponseParameters"],
        json!({
            "method.response.header.Access-Control-Allow-Credentials": "'true'",
            "method.response.header.Access-Control-Allow-Origin": "'https://www.example.com'",
            "method.response.header.Vary": "'Origin'",
        })
    );
}

#[test]
fn pages_of_any_origin_call_without_credentials() {
    let template = with_cors(CorsOrigin::Any);
    let list = properties(&template, "List");
    assert_eq!(
        list["Integration"]["IntegrationResponses"][0]["ResponseParameters"],
        json!({"method.response.header.Access-Control-Allow-Origin": "'*'"})
    );
}

#[test]
fn pages_of_several_origins_each_get_their_own() {
    let template = with_cors(CorsOrigin::Several {
        origins: vec![
            "https://www.example.com".to_owned(),
            "https://admin.example.com".to_owned(),
        ],
        credentials: false,
    });
    let choice = "#set($origin = $input.params('Origin'))#if($origin == '')#set($origin = $input.params('origin'))#end#if($origin == 'https://admin.example.com')#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)#end";
    for (method, body) in [
        ("OrdersPreflight", "$input.body"),
        ("List", r#"{"message":"Hello"}"#),
    ] {
        let response = &properties(&template, method)["Integration"]["IntegrationResponses"][0];
        let parameters = &response["ResponseParameters"];
        assert_eq!(
            parameters["method.response.header.Access-Control-Allow-Origin"],
            "'https://www.example.com'"
        );
        assert_eq!(parameters["method.response.header.Vary"], "'Origin'");
        assert_eq!(
            response["ResponseTemplates"]["application/json"],
            format!("{choice}{body}")
        );
    }
}

#[test]
fn a_preflight_can_answer_an_empty_object() {
    let template = template(|stack| {
        let api = stack.rest_api("Api", RestApiProps::default());
        let mut cors = Cors::new(CorsOrigin::Any, [HttpMethod::Get]);
        cors.preflight = Preflight::EmptyObject;
        let root = stack.rest_cors("Root", &api.root(), cors);
        stack.rest_method("Get", &root, open(HttpMethod::Get));
    });
    let preflight = properties(&template, "RootPreflight");
    assert_eq!(
        preflight["ResourceId"],
        json!({"Fn::GetAtt": ["Api", "RootResourceId"]})
    );
    let response = &preflight["Integration"]["IntegrationResponses"][0];
    assert_eq!(response["StatusCode"], "200");
    assert_eq!(
        response["ResponseTemplates"],
        json!({"application/json": "{}"})
    );
    let get = properties(&template, "Get");
    assert_eq!(
        get["Integration"]["IntegrationResponses"][0]["ResponseParameters"],
        json!({"method.response.header.Access-Control-Allow-Origin": "'*'"})
    );
}

#[test]
fn answers_can_repeat_what_the_preflight_allows() {
    let template = template(|stack| {
        let api = stack.rest_api("Api", RestApiProps::default());
        let mut cors = Cors::new(CorsOrigin::Any, [HttpMethod::Get]);
        cors.headers = vec!["Authorization".to_owned()];
        cors.repeated = true;
        let root = stack.rest_cors("Root", &api.root(), cors);
        stack.rest_method("Get", &root, open(HttpMethod::Get));
    });
    for method in ["Get", "RootPreflight"] {
        let method = properties(&template, method);
        assert_eq!(
            method["Integration"]["IntegrationResponses"][0]["ResponseParameters"],
            json!({
                "method.response.header.Access-Control-Allow-Headers": "'Authorization'",
                "method.response.header.Access-Control-Allow-Methods": "'GET'",
                "method.response.header.Access-Control-Allow-Origin": "'*'",
            })
        );
        let declared = method["MethodResponses"][0]["ResponseParameters"].as_object();
        assert_eq!(declared.map(serde_json::Map::len), Some(3));
    }
}

#[test]
fn a_preflight_allows_what_the_resource_answers() {
    let violations = violations(|app| {
        let stack = &mut app.stack("orders");
        let api = stack.rest_api("Api", RestApiProps::default());
        let cors = Cors::new(CorsOrigin::Any, [HttpMethod::Put]);
        let root = stack.rest_cors("Root", &api.root(), cors);
        for method in [HttpMethod::Get, HttpMethod::Put, HttpMethod::Delete] {
            stack.rest_method(method.name(), &root, open(method));
        }
    });
    assert_eq!(
        violations,
        [
            "orders / DELETE / Properties.HttpMethod: the preflight of the resource does not allow DELETE, so no page could call this method: name it in `Cors::new`"
        ]
    );
}

#[test]
fn an_origin_is_a_scheme_and_a_host() {
    for origin in [
        "www.example.com",
        "https://www.example.com/",
        "*",
        "https://",
        "https://*.example.com",
    ] {
        let violations = violations(|app| {
            let stack = &mut app.stack("orders");
            let api = stack.rest_api("Api", RestApiProps::default());
            let one = CorsOrigin::One {
                origin: origin.to_owned(),
                credentials: false,
            };
            let props = RestResourceProps {
                path_part: "orders".to_owned(),
                cors: Some(Cors::new(one, [HttpMethod::Get])),
            };
            stack.rest_resource("Orders", &api.root(), props);
        });
        assert_eq!(
            violations,
            [format!(
                "orders / OrdersPreflight: `{origin}` is not an origin: it needs the form https://host, without a path or a slash at the end"
            )]
        );
    }
}

#[test]
fn a_preflight_allows_something() {
    let violations = violations(|app| {
        let stack = &mut app.stack("orders");
        let api = stack.rest_api("Api", RestApiProps::default());
        let mut cors = Cors::new(CorsOrigin::Any, []);
        cors.max_age = Some(86_401.into());
        let props = RestResourceProps {
            path_part: "orders".to_owned(),
            cors: Some(cors),
        };
        stack.rest_resource("Orders", &api.root(), props);
    });
    assert_eq!(
        violations,
        [
            "orders / OrdersPreflight: the preflight allows no method: name those that pages may call",
            "orders / OrdersPreflight / Access-Control-Max-Age: 86401 is not between 0 and 86400",
        ]
    );
}

#[test]
fn permissions_and_addresses_follow_the_path() {
    let template = template(|stack| {
        let answer = function::<Answer>(stack, "Answer");
        let api = stack.rest_api("Api", RestApiProps::default());
        let users = stack.rest_resource("Users", &api.root(), "users");
        let user = stack.rest_resource("User", &users, "{user-id}");
        let rest = stack.rest_resource("Rest", &user, "{rest+}");
        let proxy = || {
            MethodProps::new(
                HttpMethod::Any,
                Authorization::None,
                Integration::lambda_proxy(&answer),
            )
        };
        stack.rest_method("AnyRest", &rest, proxy());
        stack.rest_method("AnyRoot", &api.root(), proxy());
        let live = stack.rest_stage("Live", &api, StageProps::named("live"));
        stack.output("Rest", live.url(&rest));
        stack.output("Root", live.url(&api.root()));
    });
    let start = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/*";
    let source = |id| &properties(&template, id)["SourceArn"]["Fn::Sub"];
    assert_eq!(*source("AnyRestPermission"), format!("{start}/users/*/*"));
    assert_eq!(*source("AnyRootPermission"), format!("{start}/"));
    let start = "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Live}";
    let url = |key| &template["Outputs"][key]["Value"]["Fn::Sub"];
    assert_eq!(*url("Rest"), format!("{start}/users/{{user-id}}/{{rest+}}"));
    assert_eq!(*url("Root"), format!("{start}/"));
    assert_eq!(
        properties(&template, "AnyRoot")["ResourceId"],
        json!({"Fn::GetAtt": ["Api", "RootResourceId"]})
    );
}

#[test]
fn segments_are_segments() {
    let violations = violations(|app| {
        let stack = &mut app.stack("orders");
        let api = stack.rest_api("Api", RestApiProps::default());
        stack.rest_resource("Slash", &api.root(), "a/b");
        let rest = stack.rest_resource("Rest", &api.root(), "{rest+}");
        stack.rest_resource("More", &rest, "more");
        stack.rest_method("Get", &api.root(), open(HttpMethod::Get));
    });
    assert_eq!(
        violations,
        [
            "orders / Slash / Properties.PathPart: `a/b` is not one segment of a path: use letters, digits and punctuation without a slash, a parameter such as {id}, or {proxy+}",
            "orders / More / Properties.ParentId: nothing can follow `/{rest+}`, which takes the rest of the path",
        ]
    );
}
