//! Which web pages may call.

use super::support::{properties, template, violations};
use super::velocity::{Request, evaluate};
use serde_json::{Value, json};
use stack_model::Stack;
use stack_model::apigateway::{
    Authorization, Cors, CorsOrigin, HttpMethod, Integration, MappingTemplate, MethodCors,
    MethodProps, Preflight, RestApiProps, RestResourceProps, RestResourceRef,
};

fn mock() -> Integration {
    Integration::mock(200, MappingTemplate::message("Hello"))
}

fn open(http_method: HttpMethod) -> MethodProps {
    MethodProps::new(http_method, Authorization::None, mock())
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
        for (id, method) in [("List", HttpMethod::Get), ("Change", HttpMethod::Put)] {
            let method = MethodProps::new(method, Authorization::Iam, mock());
            stack.rest_method(id, &orders, method);
        }
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
    let choice = "#set($origin = $input.params('Origin'))#if($origin == '')#set($origin = $input.params('origin'))#end#if($origin == 'https://admin.example.com')#set($context.responseOverride.header.Access-Control-Allow-Origin = $origin)#{end}";
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
            let orders = stack.rest_resource("Orders", &api.root(), props);
            stack.rest_method("List", &orders, open(HttpMethod::Get));
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

/// Pages of the shop alone, and only this method.
fn shop(method: HttpMethod) -> MethodCors {
    let origin = CorsOrigin::One {
        origin: "https://shop.example.com".to_owned(),
        credentials: true,
    };
    MethodCors::Own(Cors::new(origin, [method]))
}

/// Adds a resource that pages of any origin may read.
fn readable(stack: &mut Stack<'_>) -> RestResourceRef {
    let api = stack.rest_api("Api", RestApiProps::default());
    let mut cors = Cors::new(CorsOrigin::Any, [HttpMethod::Get]);
    cors.headers = vec!["Authorization".to_owned()];
    let root = stack.rest_cors("Root", &api.root(), cors);
    stack.rest_method("Get", &root, open(HttpMethod::Get));
    root
}

fn headers<'a>(template: &'a Value, method: &str) -> &'a Value {
    let integration = &properties(template, method)["Integration"];
    &integration["IntegrationResponses"][0]["ResponseParameters"]
}

/// A browser remembers every method that a preflight allows for as long as it may, so the answer to a page that asks
/// for GET must not allow what other pages may do.
#[test]
fn a_method_differs_from_its_resource() {
    let template = template(|stack| {
        let root = readable(stack);
        let mut put = open(HttpMethod::Put);
        put.cors = shop(HttpMethod::Put);
        stack.rest_method("Put", &root, put);
    });
    assert_eq!(
        *headers(&template, "Get"),
        json!({"method.response.header.Access-Control-Allow-Origin": "'*'"})
    );
    assert_eq!(
        *headers(&template, "Put"),
        json!({
            "method.response.header.Access-Control-Allow-Credentials": "'true'",
            "method.response.header.Access-Control-Allow-Origin": "'https://shop.example.com'",
            "method.response.header.Vary": "'Origin'",
        })
    );
    assert_eq!(
        *headers(&template, "RootPreflight"),
        json!({
            "method.response.header.Access-Control-Allow-Headers": "'Authorization'",
            "method.response.header.Access-Control-Allow-Methods": "'GET'",
            "method.response.header.Access-Control-Allow-Origin": "'*'",
        })
    );
    let preflight = properties(&template, "RootPreflight");
    let answer = &preflight["Integration"]["IntegrationResponses"][0];
    let text = answer["ResponseTemplates"]["application/json"].as_str();
    let lines = text
        .unwrap_or_default()
        .replace("#set", "\n#set")
        .replace("#if", "\n#if");
    insta::assert_snapshot!(lines, @r"

    #set($asked = $input.params('Access-Control-Request-Method'))
    #if($asked == '')
    #set($asked = $input.params('access-control-request-method'))#end
    #if($asked == 'PUT')
    #set($context.responseOverride.header.Access-Control-Allow-Credentials = 'true')
    #set($context.responseOverride.header.Access-Control-Allow-Headers = '')
    #set($context.responseOverride.header.Access-Control-Allow-Methods = 'PUT')
    #set($context.responseOverride.header.Access-Control-Allow-Origin = 'https://shop.example.com')
    #set($context.responseOverride.header.Access-Control-Max-Age = '5')
    #set($context.responseOverride.header.Vary = 'Origin')#{end}$input.body
    ");
    // What a template sets has to be declared.
    let declared = preflight["MethodResponses"][0]["ResponseParameters"].as_object();
    assert_eq!(
        declared.map(serde_json::Map::len),
        Some(6),
        "of the resource and of the method"
    );
}

#[test]
fn a_method_stays_closed_to_pages() {
    let template = template(|stack| {
        let root = readable(stack);
        let mut delete = open(HttpMethod::Delete);
        delete.cors = MethodCors::Closed;
        stack.rest_method("Delete", &root, delete);
    });
    assert_eq!(*headers(&template, "Delete"), Value::Null);
    assert_eq!(
        headers(&template, "RootPreflight")["method.response.header.Access-Control-Allow-Methods"],
        "'GET'"
    );
}

fn several(origins: [&str; 2]) -> CorsOrigin {
    CorsOrigin::Several {
        origins: origins
            .map(|name| format!("https://{name}.example.com"))
            .into(),
        credentials: false,
    }
}

/// Returns the header of a preflight, as API Gateway answers a page that asks for a method.
fn asked(template: &Value, method: &str, page: &str, header: &str) -> Option<String> {
    let preflight = &properties(template, "RootPreflight")["Integration"];
    let answer = &preflight["IntegrationResponses"][0];
    let text = answer["ResponseTemplates"]["application/json"].as_str()?;
    let names = [("Access-Control-Request-Method", method), ("Origin", page)];
    // Browsers of HTTP/2 write the names in small letters.
    let answers = [str::to_owned, str::to_ascii_lowercase].map(|written| {
        let headers = names.map(|(name, value)| (written(name), value.to_owned()));
        let request = Request {
            headers: headers.into(),
            ..Request::default()
        };
        let overrides = evaluate(text, &request).headers;
        let mapped = &answer["ResponseParameters"][format!("method.response.header.{header}")];
        let mapped = mapped
            .as_str()
            .map(|value| value.trim_matches('\'').to_owned());
        overrides.get(header).cloned().or(mapped)
    });
    assert_eq!(answers[0], answers[1]);
    answers.into_iter().next().flatten()
}

#[test]
fn pages_that_ask_for_each_method_get_its_origins() {
    let template = template(|stack| {
        let api = stack.rest_api("Api", RestApiProps::default());
        let reads = Cors::new(several(["a", "b"]), [HttpMethod::Get]);
        let root = stack.rest_cors("Root", &api.root(), reads);
        stack.rest_method("Get", &root, open(HttpMethod::Get));
        let mut put = open(HttpMethod::Put);
        put.cors = MethodCors::Own(Cors::new(several(["b", "c"]), [HttpMethod::Put]));
        stack.rest_method("Put", &root, put);
        let mut delete = open(HttpMethod::Delete);
        delete.cors = shop(HttpMethod::Delete);
        stack.rest_method("Delete", &root, delete);
    });
    // The method, the page that asks, and the page that the answer is for.
    let rows = [
        ("GET", "a", "a"),
        ("GET", "b", "b"),
        ("GET", "c", "a"),
        ("PUT", "a", "b"),
        ("PUT", "b", "b"),
        ("PUT", "c", "c"),
        ("DELETE", "a", "shop"),
        ("DELETE", "b", "shop"),
        ("DELETE", "shop", "shop"),
    ];
    for (method, page, expected) in rows {
        let page = format!("https://{page}.example.com");
        let of = |header| asked(&template, method, &page, header);
        assert_eq!(
            of("Access-Control-Allow-Origin"),
            Some(format!("https://{expected}.example.com")),
            "{method} {page}"
        );
        assert_eq!(of("Access-Control-Allow-Methods").as_deref(), Some(method));
        assert_eq!(of("Vary").as_deref(), Some("Origin"));
    }
}

#[test]
fn pages_that_ask_for_a_method_get_its_origins_where_the_resource_is_open() {
    let template = template(|stack| {
        let root = readable(stack);
        let mut put = open(HttpMethod::Put);
        put.cors = MethodCors::Own(Cors::new(several(["a", "b"]), [HttpMethod::Put]));
        stack.rest_method("Put", &root, put);
    });
    let rows = [
        ("GET", "a", "*"),
        ("PUT", "a", "https://a.example.com"),
        ("PUT", "b", "https://b.example.com"),
        ("PUT", "c", "https://a.example.com"),
    ];
    for (method, page, expected) in rows {
        let page = format!("https://{page}.example.com");
        let origin = asked(&template, method, &page, "Access-Control-Allow-Origin");
        assert_eq!(origin.as_deref(), Some(expected), "{method} {page}");
    }
}

#[test]
fn every_method_is_allowed_by_its_name() {
    let template = template(|stack| {
        let api = stack.rest_api("Api", RestApiProps::default());
        let cors = Cors::new(CorsOrigin::Any, [HttpMethod::Any]);
        let root = stack.rest_cors("Root", &api.root(), cors);
        stack.rest_method("Any", &root, open(HttpMethod::Any));
    });
    assert_eq!(
        headers(&template, "RootPreflight")["method.response.header.Access-Control-Allow-Methods"],
        "'DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT'"
    );
}

#[test]
fn a_method_and_its_resource_agree_about_pages() {
    let violations = violations(|app| {
        let stack = &mut app.stack("orders");
        let api = stack.rest_api("Api", RestApiProps::default());
        let reads = Cors::new(CorsOrigin::Any, [HttpMethod::Get]);
        let root = stack.rest_cors("Root", &api.root(), reads.clone());
        let twin = RestResourceProps {
            path_part: "twin".to_owned(),
            cors: Some(reads),
        };
        let twin = stack.rest_resource("Twin", &root, twin);
        let mut closed = open(HttpMethod::Get);
        closed.cors = MethodCors::Closed;
        let bare = stack.rest_resource("Bare", &root, "bare");
        let mut nowhere = open(HttpMethod::Put);
        nowhere.cors = shop(HttpMethod::Put);
        stack.rest_method("Nowhere", &bare, nowhere);
        let mut both = open(HttpMethod::Get);
        both.cors = shop(HttpMethod::Get);
        let mut other = open(HttpMethod::Post);
        other.cors = shop(HttpMethod::Put);
        let mut any = open(HttpMethod::Any);
        any.cors = shop(HttpMethod::Any);
        stack.rest_method("Closed", &root, closed);
        stack.rest_method("Both", &twin, both);
        stack.rest_method("Other", &root, other);
        stack.rest_method("All", &root, any);
    });
    assert_eq!(
        violations,
        [
            "orders / Nowhere / Properties.HttpMethod: the method says which pages may call it, and its resource has no preflight to say so: set `cors` of the resource, or use `rest_cors`",
            "orders / Closed / Properties.HttpMethod: no page may call this method, and the preflight of the resource allows GET: do not name it in `Cors::new`",
            "orders / Both / Properties.HttpMethod: the method says itself which pages may call it, and the preflight of the resource allows GET, too: name it in one `Cors::new`",
            "orders / Other / Properties.HttpMethod: what the method says about pages is about POST alone: name that, and nothing else, in its `Cors::new`",
            "orders / All / Properties.HttpMethod: a page asks for one method and not for ANY: say it for the resource, or add the methods one by one",
        ]
    );
}

#[test]
fn a_preflight_allows_no_method_that_is_not_there() {
    let violations = violations(|app| {
        let stack = &mut app.stack("orders");
        let api = stack.rest_api("Api", RestApiProps::default());
        let cors = Cors::new(
            CorsOrigin::Any,
            [HttpMethod::Get, HttpMethod::Put, HttpMethod::Post],
        );
        let root = stack.rest_cors("Root", &api.root(), cors);
        stack.rest_method("Get", &root, open(HttpMethod::Get));
        // Another stack may have the method.
        app.stack("changes")
            .rest_method("Put", &root, open(HttpMethod::Put));
    });
    assert_eq!(
        violations,
        [
            "orders / RootPreflight: the preflight lets pages call POST, and no method of the resource answers that: add the method, or do not name it in `Cors::new`"
        ]
    );
}

#[test]
fn the_preflight_is_changed_in_its_own_stack() {
    let violations = violations(|app| {
        let root = readable(&mut app.stack("orders"));
        let mut put = open(HttpMethod::Put);
        put.cors = shop(HttpMethod::Put);
        app.stack("changes").rest_method("Put", &root, put);
    });
    assert_eq!(
        violations,
        [
            "changes / RootPreflight: `RootPreflight` belongs to the stack `orders` and can only be changed there"
        ]
    );
}
