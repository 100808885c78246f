//! User pools, and HTTP APIs that let their users in.

use serde_json::{Value, json};
use system_tests::http;

use super::{Deployed, echo, role};

const PASSWORD: &str = "Long-enough-1";

fn resources() -> Value {
    let api = json!({"Ref": "Api"});
    json!({
        "Users": {"Type": "AWS::Cognito::UserPool", "Properties": {}},
        "Page": {"Type": "AWS::Cognito::UserPoolClient", "Properties": {
            "UserPoolId": {"Ref": "Users"}, "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]}},
        "FunctionRole": role("lambda.amazonaws.com", &Value::Null),
        "Echo": echo(),
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "users", "ProtocolType": "HTTP"}},
        "SignedIn": {"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": {
            "ApiId": api, "Name": "users", "AuthorizerType": "JWT",
            "IdentitySource": ["$request.header.Authorization"],
            "JwtConfiguration": {
                "Issuer": {"Fn::GetAtt": ["Users", "ProviderURL"]}, "Audience": [{"Ref": "Page"}]},
        }},
        "Integration": {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {
            "ApiId": api, "IntegrationType": "AWS_PROXY", "PayloadFormatVersion": "2.0",
            "IntegrationUri": {"Fn::GetAtt": ["Echo", "Arn"]},
        }},
        "Route": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {
            "ApiId": api, "RouteKey": "GET /me", "Target": {"Fn::Sub": "integrations/${Integration}"},
            "AuthorizationType": "JWT", "AuthorizerId": {"Ref": "SignedIn"},
        }},
        "Stage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": {
            "ApiId": api, "StageName": "$default", "AutoDeploy": true}},
    })
}

/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-jwt-authorizer.html>.
#[test]
fn an_http_api_lets_in_whom_the_user_pool_knows() {
    let value = |value: Value| json!({ "Value": value });
    let outputs = json!({
        "Api": value(json!({"Ref": "Api"})),
        "Users": value(json!({"Ref": "Users"})),
        "Page": value(json!({"Ref": "Page"})),
        "Issuer": value(json!({"Fn::GetAtt": ["Users", "ProviderURL"]})),
    });
    let deployed = Deployed::new(&resources(), &outputs);
    let users = deployed.output("Users");
    let issuer = format!("https://cognito-idp.us-east-1.amazonaws.com/{users}");
    assert_eq!(deployed.output("Issuer"), issuer);

    let call = |action: &str, arguments: &Value| {
        let target = format!("AWSCognitoIdentityProviderService.{action}");
        deployed.account.call("cognito-idp", &target, arguments)
    };
    let client = deployed.output("Page");
    let name = json!({"ClientId": client, "Username": "ann", "Password": PASSWORD});
    call("SignUp", &name);
    call(
        "AdminConfirmSignUp",
        &json!({"UserPoolId": users, "Username": "ann"}),
    );
    let tokens = call(
        "InitiateAuth",
        &json!({"ClientId": client, "AuthFlow": "USER_PASSWORD_AUTH",
            "AuthParameters": {"USERNAME": "ann", "PASSWORD": PASSWORD}}),
    );
    let token = tokens["AuthenticationResult"]["IdToken"]
        .as_str()
        .expect("ann is let in");

    let endpoint = deployed.account.endpoint();
    let url = format!(
        "{endpoint}/_aws/execute-api/{}/$default/me",
        deployed.output("Api")
    );
    assert_eq!(http::send("GET", &url, &[], "").status, 401);
    let token = [("authorization".to_owned(), format!("Bearer {token}"))];
    let answer = http::send("GET", &url, &token, "");
    assert_eq!(answer.status, 200, "{}", answer.body);
    let claims = &answer.json()["requestContext"]["authorizer"]["jwt"]["claims"];
    assert_eq!(claims["iss"], issuer);
}
