//! Who may call a method: users of a pool, and callers that a function lets through.

use serde_json::json;
use stack_model::apigateway::{
    Authorization, HttpMethod, IdentitySource, Integration, MappingTemplate, MethodProps,
    RequestAuthorizerProps, RestApiProps, TokenAuthorizerProps, UserPoolAuthorizerProps,
};
use stack_model::contract::{Accepts, FunctionContract, event};
use stack_model::{Arn, Value};

use super::support::{deployment, function, properties, template, violations};

struct Guard;

impl FunctionContract for Guard {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-guard";
}

impl Accepts<event::TokenAuthorization> for Guard {}
impl Accepts<event::RequestAuthorization> for Guard {}

fn get(authorization: Authorization) -> MethodProps {
    let hello = Integration::mock(200, MappingTemplate::message("Hello"));
    MethodProps::new(HttpMethod::Get, authorization, hello)
}

fn pools() -> UserPoolAuthorizerProps {
    let arn = "arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_Ab1";
    UserPoolAuthorizerProps::pools([Value::Literal(Arn::parse(arn).unwrap())])
}

#[test]
fn users_call_with_a_token_of_their_pool() {
    let template = template(|stack| {
        let api = stack.rest_api("Api", RestApiProps::default());
        let mut props = pools();
        props.ttl = Some(60.into());
        let users = stack.rest_user_pool_authorizer("Users", &api, props);
        let path = stack.rest_resource("Orders", &api.root(), "orders");
        stack.rest_method("Root", &api.root(), get(Authorization::users(&users)));
        let scopes = ["openid", "aws.cognito.signin.user.admin"];
        stack.rest_method("List", &path, get(Authorization::scopes(&users, scopes)));
    });
    assert_eq!(
        template["Resources"]["Users"],
        json!({
            "Type": "AWS::ApiGateway::Authorizer",
            "Properties": {
                "AuthorizerResultTtlInSeconds": 60,
                "IdentitySource": "method.request.header.Authorization",
                "Name": "orders-Users",
                "ProviderARNs": ["arn:aws:cognito-idp:eu-central-1:123456789012:userpool/eu-central-1_Ab1"],
                "RestApiId": {"Ref": "Api"},
                "Type": "COGNITO_USER_POOLS",
            },
        })
    );
    let list = properties(&template, "List");
    assert_eq!(list["AuthorizationType"], "COGNITO_USER_POOLS");
    assert_eq!(list["AuthorizerId"], json!({"Ref": "Users"}));
    assert_eq!(
        list["AuthorizationScopes"],
        json!(["openid", "aws.cognito.signin.user.admin"])
    );
    // Without scopes an ID token is asked for, with scopes an access token.
    assert_eq!(
        properties(&template, "Root").get("AuthorizationScopes"),
        None
    );
    let waits = &template["Resources"][deployment(&template)]["DependsOn"];
    assert_eq!(*waits, json!(["List", "Orders", "Root", "Users"]));
}

#[test]
fn a_function_answers_for_a_token_or_a_request() {
    let template = template(|stack| {
        let api = stack.rest_api("Api", RestApiProps::default());
        let guard = function::<Guard>(stack, "Guard");
        let props = TokenAuthorizerProps {
            header: Some("X-Token".to_owned()),
            pattern: Some("[a-z]+".to_owned()),
            ttl: Some(0.into()),
            ..TokenAuthorizerProps::default()
        };
        let token = stack.rest_token_authorizer("Token", &api, &guard, props);
        stack.rest_method("Get", &api.root(), get(Authorization::Function(token)));
        let sources = [
            IdentitySource::header("Authorization"),
            IdentitySource::query("tenant"),
            IdentitySource::Context("identity.sourceIp".to_owned()),
        ];
        let props = RequestAuthorizerProps::by(sources);
        stack.rest_request_authorizer("Request", &api, &guard, props);
        let props = RequestAuthorizerProps::every_request();
        stack.rest_request_authorizer("Always", &api, &guard, props);
    });
    let uri = json!({"Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Guard.Arn}/invocations"});
    assert_eq!(
        *properties(&template, "Token"),
        json!({
            "AuthorizerResultTtlInSeconds": 0,
            "AuthorizerUri": uri,
            "IdentitySource": "method.request.header.X-Token",
            "IdentityValidationExpression": "[a-z]+",
            "Name": "orders-Token",
            "RestApiId": {"Ref": "Api"},
            "Type": "TOKEN",
        })
    );
    assert_eq!(
        *properties(&template, "Request"),
        json!({
            "AuthorizerUri": uri,
            "IdentitySource": "method.request.header.Authorization,method.request.querystring.tenant,context.identity.sourceIp",
            "Name": "orders-Request",
            "RestApiId": {"Ref": "Api"},
            "Type": "REQUEST",
        })
    );
    assert_eq!(
        properties(&template, "Always")["AuthorizerResultTtlInSeconds"],
        0
    );
    assert_eq!(
        *properties(&template, "TokenPermission"),
        json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Fn::GetAtt": ["Guard", "Arn"]},
            "Principal": "apigateway.amazonaws.com",
            "SourceArn": {"Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/authorizers/${Token}"},
        })
    );
    let method = properties(&template, "Get");
    assert_eq!(method["AuthorizationType"], "CUSTOM");
    assert_eq!(method["AuthorizerId"], json!({"Ref": "Token"}));
}

#[test]
fn an_authorizer_that_could_not_work_is_reported() {
    let violations = violations(|app| {
        let stack = &mut app.stack("orders");
        let api = stack.rest_api("Api", RestApiProps::default());
        let other = stack.rest_api("Other", RestApiProps::default());
        let guard = function::<Guard>(stack, "Guard");
        let nobody = UserPoolAuthorizerProps::pools([]);
        stack.rest_user_pool_authorizer("Nobody", &api, nobody);
        let props = TokenAuthorizerProps {
            ttl: Some(3601.into()),
            ..TokenAuthorizerProps::default()
        };
        let foreign = stack.rest_token_authorizer("Foreign", &other, &guard, props);
        let props = RequestAuthorizerProps::by([]);
        stack.rest_request_authorizer("Anybody", &api, &guard, props);
        stack.rest_method("Get", &api.root(), get(Authorization::Function(foreign)));
        stack.rest_method("GetOther", &other.root(), get(Authorization::Iam));
    });
    assert_eq!(
        violations,
        [
            "orders / Nobody / Properties.ProviderARNs: the authorizer has no user pool, so nobody could call: name one",
            "orders / Foreign / Properties.AuthorizerResultTtlInSeconds: 3601 is not between 0 and 3600",
            "orders / Anybody / Properties.IdentitySource: nothing tells callers apart, so one answer would be remembered for all of them: name identity sources, or ask about every request",
            "orders / Get / Properties.AuthorizerId: `Foreign` is an authorizer of another API: add one to the API of the method",
        ]
    );
}
