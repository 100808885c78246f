//! The three APIs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{core, of_type, properties};

/// Returns the path of a resource.
fn path(template: &Value, resource: &Value) -> String {
    match resource["Ref"].as_str() {
        Some(id) => {
            let resource = properties(template, id);
            let parent = path(template, &resource["ParentId"]);
            format!("{parent}/{}", resource["PathPart"].as_str().unwrap())
        }
        None => String::new(),
    }
}

type Methods<'a> = BTreeMap<(String, &'a str), &'a Value>;

/// Returns every method by its path and verb.
fn methods(template: &Value) -> Methods<'_> {
    of_type(template, "AWS::ApiGateway::Method")
        .into_values()
        .map(|method| {
            let path = path(template, &method["ResourceId"]);
            ((path, method["HttpMethod"].as_str().unwrap()), method)
        })
        .collect()
}

#[test]
fn routes_say_who_may_call_and_what_answers() {
    let core = core(&json!({}));
    let either = json!(["openid", "aws.cognito.signin.user.admin"]);
    let signed_in_by_api = json!(["aws.cognito.signin.user.admin"]);
    let expected = [
        (
            "/admin-config",
            "GET",
            Some(&either),
            "dynamodb:action/Scan",
        ),
        ("/config", "GET", None, "dynamodb:action/Scan"),
        ("/myOrders", "GET", Some(&either), "dynamodb:action/Query"),
        ("/orders", "GET", Some(&either), "dynamodb:action/Query"),
        (
            "/orders/{id}",
            "GET",
            Some(&either),
            "dynamodb:action/GetItem",
        ),
        (
            "/orders/{id}",
            "PUT",
            Some(&either),
            "states:action/StartExecution",
        ),
        (
            "/qr-code",
            "GET",
            Some(&signed_in_by_api),
            "functions/${GetQrCode.Arn}/invocations",
        ),
        (
            "/qr-code",
            "POST",
            Some(&signed_in_by_api),
            "functions/${VerifyQrCode.Arn}/invocations",
        ),
        ("/store", "PUT", Some(&either), "dynamodb:action/UpdateItem"),
    ];
    let methods = methods(&core);
    let (preflights, others): (Methods<'_>, Methods<'_>) = methods
        .into_iter()
        .partition(|((_, verb), _)| *verb == "OPTIONS");
    assert_eq!(others.len(), expected.len());
    for (path, verb, scopes, target) in expected {
        let method = others[&(path.to_owned(), verb)];
        let authorization = if scopes.is_some() {
            "COGNITO_USER_POOLS"
        } else {
            "NONE"
        };
        assert_eq!(method["AuthorizationType"], authorization, "{verb} {path}");
        assert_eq!(method.get("AuthorizationScopes"), scopes, "{verb} {path}");
        let uri = method["Integration"]["Uri"]["Fn::Sub"].as_str().unwrap();
        assert!(uri.ends_with(target), "{verb} {path}: {uri}");
        assert!(uri.contains("${AWS::Region}"), "{verb} {path}: {uri}");
    }

    let usual = "'Content-Type,X-Amz-Date,Authorization,X-Api-Key,X-Amz-Security-Token'";
    let expected = [
        ("/admin-config", "'GET,OPTIONS'", usual),
        ("/config", "'GET,OPTIONS'", usual),
        ("/myOrders", "'GET,OPTIONS'", usual),
        ("/orders", "'GET,OPTIONS'", usual),
        ("/orders/{id}", "'GET,OPTIONS,PUT'", usual),
        ("/qr-code", "'GET,POST,OPTIONS'", "'*,Authorization'"),
        ("/store", "'PUT,OPTIONS'", usual),
    ];
    assert_eq!(preflights.len(), expected.len());
    for (path, verbs, headers) in expected {
        let preflight = preflights[&(path.to_owned(), "OPTIONS")];
        assert_eq!(preflight["AuthorizationType"], "NONE", "{path}");
        let response = &preflight["Integration"]["IntegrationResponses"][0];
        assert_eq!(response["StatusCode"], "200", "{path}");
        assert_eq!(
            response["ResponseTemplates"],
            json!({"application/json": "{}"})
        );
        assert_eq!(
            response["ResponseParameters"],
            json!({
                "method.response.header.Access-Control-Allow-Headers": headers,
                "method.response.header.Access-Control-Allow-Methods": verbs,
                "method.response.header.Access-Control-Allow-Origin": "'*'",
            }),
            "{path}"
        );
    }
}

#[test]
fn errors_of_services_never_look_like_success() {
    let core = core(&json!({}));
    let methods = methods(&core);
    for ((path, verb), method) in &methods {
        let integration = &method["Integration"];
        if integration["Type"] != "AWS" {
            continue;
        }
        assert_eq!(integration["PassthroughBehavior"], "NEVER", "{verb} {path}");
        let preflight = &methods[&(path.clone(), "OPTIONS")]["Integration"];
        let headers = &preflight["IntegrationResponses"][0]["ResponseParameters"];
        assert_eq!(headers.as_object().unwrap().len(), 3, "{path}");
        let responses = integration["IntegrationResponses"].as_array().unwrap();
        let found: BTreeMap<&str, Option<&str>> = responses
            .iter()
            .map(|response| {
                assert_eq!(&response["ResponseParameters"], headers, "{verb} {path}");
                let pattern = response.get("SelectionPattern");
                (
                    response["StatusCode"].as_str().unwrap(),
                    pattern.and_then(Value::as_str),
                )
            })
            .collect();
        assert_eq!(
            found,
            BTreeMap::from([
                ("200", None),
                ("400", Some("400")),
                ("500", Some(r"4(?:0[1-9]|[1-9]\d)|5\d{2}")),
            ]),
            "{verb} {path}"
        );
    }
}

/// What baristas do asks for the group, where the stage wants it; what customers do never does.
#[test]
fn the_group_of_baristas_is_asked_for_where_the_stage_says_so() {
    let group = "cognito:groups";
    for (admin_check, expected) in [
        (
            true,
            &[
                ("/admin-config", "GET"),
                ("/orders", "GET"),
                ("/orders/{id}", "PUT"),
                ("/store", "PUT"),
            ][..],
        ),
        (false, &[]),
    ] {
        let core = core(&json!({ "admin_check": admin_check }));
        let methods = methods(&core);
        let asking: Vec<(&str, &str)> = methods
            .iter()
            .filter(|(_, method)| {
                let templates = &method["Integration"]["RequestTemplates"];
                templates.to_string().contains(group)
            })
            .map(|((path, verb), _)| (path.as_str(), *verb))
            .collect();
        assert_eq!(asking, expected);
    }
}

/// The state machine hears from the token whether the caller runs the bar, and never from the body.
#[test]
fn the_token_says_whether_a_baristas_rights_are_asked_for() {
    let template = |admin_check: bool| {
        let core = core(&json!({ "admin_check": admin_check }));
        let methods = methods(&core);
        let put = methods[&("/orders/{id}".to_owned(), "PUT")];
        let template = &put["Integration"]["RequestTemplates"]["application/json"];
        template.to_string()
    };
    let checked = template(true);
    assert!(checked.contains("admin"), "{checked}");
    assert!(checked.contains("cognito:groups"), "{checked}");
    assert!(!template(false).contains("admin"));
}
