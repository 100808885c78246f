//! Who may call an HTTP API.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::apigateway::{CorsOrigin, HttpMethod};
use stack_model::apigatewayv2::{
    HttpApiProps, HttpCors, HttpFunctionAuthorizerProps, HttpIntegration, JwtAuthorizerProps,
    RouteAuthorization, RouteKey,
};
use stack_model::cognito::{UserPoolClientProps, UserPoolProps};
use stack_model::{Stack, route};

use super::{answer, api};
use crate::support::{dev, resources, violations};

fn elsewhere() -> HttpIntegration {
    HttpIntegration::http(HttpMethod::Any, "https://example.com")
}

#[test]
fn users_of_a_pool_call_with_their_tokens() {
    let resources = resources(dev(), |stack| {
        let pool = stack.user_pool("Users", UserPoolProps::default());
        let client = stack.user_pool_client("Client", &pool, UserPoolClientProps::default());
        let api = api(stack);
        let users = stack.jwt_authorizer("ByUsers", &api, JwtAuthorizerProps::users(&client));
        stack.http_route(
            "Any",
            &api,
            route!("GET /"),
            RouteAuthorization::jwt(&users),
            elsewhere(),
        );
        let scoped = RouteAuthorization::scopes(&users, ["orders/write"]);
        stack.http_route("Scoped", &api, route!("POST /"), scoped, elsewhere());
    });
    assert_json_snapshot!(resources["ByUsers"]["Properties"], @r#"
    {
      "ApiId": {
        "Ref": "Api"
      },
      "AuthorizerType": "JWT",
      "IdentitySource": [
        "$request.header.Authorization"
      ],
      "JwtConfiguration": {
        "Audience": [
          {
            "Ref": "Client"
          }
        ],
        "Issuer": {
          "Fn::GetAtt": [
            "Users",
            "ProviderURL"
          ]
        }
      },
      "Name": "ByUsers"
    }
    "#);
    let authorization = |route: &str| {
        let properties = &resources[route]["Properties"];
        ["AuthorizationType", "AuthorizerId", "AuthorizationScopes"]
            .map(|name| properties[name].clone())
    };
    let by_users = json!({"Ref": "ByUsers"});
    assert_eq!(
        authorization("Any"),
        [json!("JWT"), by_users.clone(), json!(null)]
    );
    assert_eq!(
        authorization("Scoped"),
        [json!("JWT"), by_users, json!(["orders/write"])]
    );
}

#[test]
fn a_function_says_who_may_call() {
    let resources = resources(dev(), |stack| {
        let api = api(stack);
        let answer = answer(stack);
        let props = HttpFunctionAuthorizerProps {
            ttl: Some(300.into()),
            ..HttpFunctionAuthorizerProps::default()
        };
        let asked = stack.http_function_authorizer("Asked", &api, &answer, props);
        stack.http_route(
            "Route",
            &api,
            RouteKey::DEFAULT,
            RouteAuthorization::function(&asked),
            elsewhere(),
        );
    });
    assert_json_snapshot!([&resources["Asked"]["Properties"], &resources["AskedPermission"]["Properties"]["SourceArn"]], @r#"
    [
      {
        "ApiId": {
          "Ref": "Api"
        },
        "AuthorizerPayloadFormatVersion": "2.0",
        "AuthorizerResultTtlInSeconds": 300,
        "AuthorizerType": "REQUEST",
        "AuthorizerUri": {
          "Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Answer.Arn}/invocations"
        },
        "EnableSimpleResponses": true,
        "IdentitySource": [
          "$request.header.Authorization"
        ],
        "Name": "Asked"
      },
      {
        "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/authorizers/${Asked}"
      }
    ]
    "#);
    assert_eq!(
        resources["Route"]["Properties"]["AuthorizationType"],
        "CUSTOM"
    );
}

#[test]
fn what_no_authorizer_can_be_is_reported() {
    let found = violations(dev(), |stack| {
        let api = api(stack);
        let other = stack.http_api("Other", HttpApiProps::default());
        let nobody: [&str; 0] = [];
        let props = JwtAuthorizerProps::issued_by("example.com", nobody);
        let tokens = stack.jwt_authorizer("Tokens", &api, props);
        stack.http_route(
            "Foreign",
            &other,
            route!("GET /"),
            RouteAuthorization::jwt(&tokens),
            elsewhere(),
        );
        let answer = answer(stack);
        let props = HttpFunctionAuthorizerProps {
            headers: Vec::new(),
            ttl: Some(3601.into()),
        };
        stack.http_function_authorizer("Asked", &api, &answer, props);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Tokens / Properties.JwtConfiguration.Audience: the authorizer has no audience, so it would take tokens that are meant for others: name one",
      "orders / Tokens / Properties.JwtConfiguration.Issuer: the issuer is an address that begins with `https://`",
      "orders / Foreign / Properties.AuthorizerId: the authorizer belongs to another API: add one to this API",
      "orders / Asked / Properties.AuthorizerResultTtlInSeconds: 3601 is not between 0 and 3600",
      "orders / Asked / Properties.IdentitySource: nothing tells callers apart, so one answer would be remembered for all of them: name headers, or ask about every request"
    ]
    "#);
}

#[test]
fn a_catch_all_leaves_preflights_alone() {
    let describe = |open: bool, key: &'static str| {
        move |stack: &mut Stack<'_>| {
            let props = HttpApiProps {
                cors: Some(HttpCors::new(CorsOrigin::Any, [HttpMethod::Get])),
                ..HttpApiProps::default()
            };
            let api = stack.http_api("Api", props);
            stack.http_route(
                "All",
                &api,
                RouteKey::new(key),
                RouteAuthorization::Iam,
                elsewhere(),
            );
            if open {
                let key = route!("OPTIONS /{proxy+}");
                stack.http_route(
                    "Preflight",
                    &api,
                    key,
                    RouteAuthorization::None,
                    elsewhere(),
                );
            }
        }
    };
    for key in ["$default", "ANY /orders"] {
        let found = violations(dev(), describe(false, key));
        assert!(
            matches!(found.as_slice(), [found] if found.contains("also gets the preflights of browsers")),
            "{key}: {found:#?}"
        );
        assert!(violations(dev(), describe(true, key)).is_empty(), "{key}");
    }
    assert!(violations(dev(), describe(false, "GET /orders")).is_empty());
}
