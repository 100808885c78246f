//! Methods, their parameters, models and validators, and cross-origin calls.

use super::support::{Answer, deployment, function, properties, template, violations};
use serde_json::json;
use stack_model::apigateway::{
    Authorization, HttpMethod, Integration, MappingTemplate, MethodProps, ModelProps,
    ParameterPlace, RequestParameter, RestApiProps, StageProps, Validation,
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
