//! Mapping templates for hostile requests: what a caller sends stays where it was put.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};
use stack_model::apigateway::{
    Authorization, HttpMethod, Integration, JsonTemplate, MappingTemplate, MethodProps,
    RequestValue, RestApiProps, TemplateCondition, TextTemplate,
};

use super::support::{properties, template, violations};
use super::velocity::{Evaluated, Request, evaluate, shared_templates};

/// Texts that break templates which only put values between quotes.
const HOSTILE: [&str; 14] = [
    "plain",
    "",
    "it's",
    r#"","admin":true,"x":""#,
    r"\",
    r#"\""#,
    r"\'",
    "line\nend\r\ttab",
    "$input.body",
    "#set($x = 1)#end",
    "#{else}",
    "{\"a\": [1]}",
    "Grüße ☕ 𝄞 \u{0}\u{2028}",
    "</script>",
];

/// Returns what a template is written as.
fn written(template: MappingTemplate) -> String {
    let rendered = super::support::template(|stack| {
        let api = stack.rest_api("Api", RestApiProps::default());
        let mock = Integration::mock(200, template);
        let get = MethodProps::new(HttpMethod::Get, Authorization::None, mock);
        stack.rest_method("Get", &api.root(), get);
    });
    let response = &properties(&rendered, "Get")["Integration"]["IntegrationResponses"][0];
    response["ResponseTemplates"]["application/json"]
        .as_str()
        .unwrap()
        .to_owned()
}

fn made(template: &str, request: &Request) -> Value {
    let Evaluated { text, .. } = evaluate(template, request);
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
}

fn request(body: impl Into<String>, query: &[(&str, &str)], path: &[(&str, &str)]) -> Request {
    let map = |entries: &[(&str, &str)]| -> BTreeMap<String, String> {
        entries
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    };
    Request {
        body: body.into(),
        query: map(query),
        path: map(path),
        claims: map(&[("sub", "user-1")]),
        headers: BTreeMap::new(),
    }
}

/// The start of an execution: a document inside a text, with values of the request in both.
fn start() -> MappingTemplate {
    let input = JsonTemplate::object([
        ("action", JsonTemplate::from(RequestValue::query("action"))),
        ("body", JsonTemplate::body()),
        ("orderId", RequestValue::path("id").into()),
        ("baristaUserId", RequestValue::claim("sub").into()),
        ("note", r#"a "quoted" \ $note #1"#.into()),
        (
            "again",
            JsonTemplate::text(TextTemplate::json(JsonTemplate::object([
                ("id", JsonTemplate::from(RequestValue::path("id"))),
                ("body", JsonTemplate::body()),
            ]))),
        ),
    ]);
    MappingTemplate::of(JsonTemplate::object([
        ("input", JsonTemplate::text(TextTemplate::json(input))),
        ("stateMachineArn", "arn:aws:states:x".into()),
    ]))
}

#[test]
fn a_document_inside_a_text_survives_every_value() {
    let template = written(start());
    for hostile in HOSTILE {
        for body in [
            json!({}),
            json!({"drink": hostile, "n": 1.5}),
            json!([hostile]),
            json!(hostile),
        ] {
            let request = request(body.to_string(), &[("action", hostile)], &[("id", hostile)]);
            let made = made(&template, &request);
            let input: Value = serde_json::from_str(made["input"].as_str().unwrap()).unwrap();
            let again: Value = serde_json::from_str(input["again"].as_str().unwrap()).unwrap();
            assert_eq!(again, json!({"id": hostile, "body": body}));
            assert_eq!(
                input,
                json!({
                    "action": hostile,
                    "again": input["again"],
                    "baristaUserId": "user-1",
                    "body": body,
                    "note": r#"a "quoted" \ $note #1"#,
                    "orderId": hostile,
                })
            );
            assert_eq!(made["stateMachineArn"], "arn:aws:states:x");
        }
    }
}

#[test]
fn what_is_missing_is_empty() {
    let template = written(start());
    for body in ["", " \n"] {
        let request = Request {
            body: body.to_owned(),
            ..Request::default()
        };
        let made = made(&template, &request);
        let input: Value = serde_json::from_str(made["input"].as_str().unwrap()).unwrap();
        assert_eq!(input["body"], json!({}));
        assert_eq!(input["action"], "");
        assert_eq!(input["baristaUserId"], "");
    }
}

proptest! {
    #[test]
    fn any_text_arrives_as_it_is(text in ".*", literal in ".*") {
        let template = MappingTemplate::of(JsonTemplate::object([
            (literal.clone(), JsonTemplate::from(RequestValue::query("q"))),
            ("literal".to_owned() + "!", literal.clone().into()),
            ("joined!".to_owned(), JsonTemplate::text(
                TextTemplate::from(literal.clone()).then(RequestValue::query("q")).then(literal.clone()),
            )),
        ]));
        let made = made(&written(template), &request("", &[("q", &text)], &[]));
        prop_assert_eq!(&made[&literal], &json!(text));
        prop_assert_eq!(&made["literal!"], &json!(literal));
        prop_assert_eq!(&made["joined!"], &json!(format!("{literal}{text}{literal}")));
    }
}

#[test]
fn a_number_is_a_number_or_another_one() {
    let limit = JsonTemplate::integer(RequestValue::query("max"), 100);
    let template = written(MappingTemplate::of(limit));
    for (given, limit) in [
        ("5", 5),
        ("-7", -7),
        ("0", 0),
        ("007", 100),
        ("", 100),
        ("5, \"x\": 1", 100),
        ("1e9", 100),
        ("9999999999999999999", 100),
    ] {
        assert_eq!(
            made(&template, &request("", &[("max", given)], &[])),
            json!(limit),
            "{given}"
        );
    }
    assert_eq!(made(&template, &Request::default()), json!(100));
}

#[test]
fn a_condition_decides() {
    let open = TemplateCondition::is(RequestValue::query("state"), "open");
    let template = written(MappingTemplate::of(JsonTemplate::holds(open.clone())));
    for (state, holds) in [
        ("open", true),
        ("OPEN", false),
        ("closed", false),
        ("", false),
    ] {
        assert_eq!(
            made(&template, &request("", &[("state", state)], &[])),
            json!(holds)
        );
    }
    assert_eq!(made(&template, &Request::default()), json!(false));

    let both = TemplateCondition::all([
        open.clone(),
        TemplateCondition::not(TemplateCondition::present(RequestValue::path("id"))),
    ]);
    let either = TemplateCondition::any([
        open,
        TemplateCondition::ends_with(RequestValue::body("$.__type"), "Exception"),
    ]);
    let template = written(MappingTemplate::of(JsonTemplate::list([
        JsonTemplate::holds(both),
        JsonTemplate::holds(either),
    ])));
    let open = [("state", "open")];
    assert_eq!(
        made(&template, &request("{}", &open, &[])),
        json!([true, true])
    );
    assert_eq!(
        made(&template, &request("{}", &open, &[("id", "1")])),
        json!([false, true])
    );
    let failed = json!({"__type": "com.amazonaws#ValidationException"}).to_string();
    assert_eq!(
        made(&template, &request(failed, &[], &[])),
        json!([false, true])
    );
    assert_eq!(
        made(&template, &request("{}", &[], &[])),
        json!([false, false])
    );
}

#[test]
fn a_spelling_is_the_stored_one() {
    let state = TextTemplate::spelled(
        RequestValue::query("state"),
        ["CREATED", "Completed", "Cancelled"],
    );
    let template = written(MappingTemplate::of(JsonTemplate::text(state)));
    for (asked, stored) in [
        ("COMPLETED", "Completed"),
        ("created", "CREATED"),
        ("Cancelled", "Cancelled"),
        (r#"o"ther"#, r#"o"ther"#),
    ] {
        assert_eq!(
            made(&template, &request("", &[("state", asked)], &[])),
            json!(stored)
        );
    }
}

#[test]
fn a_default_stands_for_what_is_missing() {
    let name = TextTemplate::or(RequestValue::query("name"), "nobody's");
    let template = written(MappingTemplate::of(JsonTemplate::text(name)));
    assert_eq!(made(&template, &Request::default()), json!("nobody's"));
    assert_eq!(
        made(&template, &request("", &[("name", "")], &[])),
        json!("nobody's")
    );
    assert_eq!(
        made(&template, &request("", &[("name", "Bob")], &[])),
        json!("Bob")
    );
}

/// The answer of a query, as a page reads it.
fn listed() -> MappingTemplate {
    let order = JsonTemplate::object([
        ("id", JsonTemplate::from(RequestValue::element("SK.S"))),
        (
            "at",
            JsonTemplate::integer(RequestValue::element("TS.N"), 0),
        ),
    ]);
    MappingTemplate::of(JsonTemplate::object([
        ("orders", JsonTemplate::each("$.Items", order)),
        ("count", JsonTemplate::body_at("$.Count")),
        (
            "next",
            JsonTemplate::body_at_or("$.LastEvaluatedKey", serde_json::Value::Null),
        ),
    ]))
}

#[test]
fn a_list_is_mapped_element_by_element() {
    let template = written(listed());
    let item = |id: &str, at: &str| json!({"SK": {"S": id}, "TS": {"N": at}});
    for items in [
        json!([]),
        json!([item("it's", "5")]),
        json!([item(r#"a"b"#, "1"), item("\\", "x"), {"SK": {"S": "no time"}}]),
    ] {
        let body = json!({"Items": items, "Count": items.as_array().unwrap().len()});
        let expected: Vec<Value> = items
            .as_array()
            .unwrap()
            .iter()
            .map(|item| {
                let at = item["TS"]["N"]
                    .as_str()
                    .and_then(|at| at.parse::<i64>().ok());
                json!({"id": item["SK"]["S"], "at": at.unwrap_or(0)})
            })
            .collect();
        assert_eq!(
            made(&template, &request(body.to_string(), &[], &[])),
            json!({"orders": expected, "count": expected.len(), "next": null})
        );
    }
}

#[test]
fn an_answer_has_another_status_where_the_item_is_missing() {
    let found = TemplateCondition::present(RequestValue::body("$.Item"));
    let missing = JsonTemplate::message("Not found").with_status(404);
    let answer = JsonTemplate::choose([(found, JsonTemplate::body_at("$.Item"))], missing);
    let template = written(MappingTemplate::of(answer));
    let evaluated = evaluate(&template, &request("{}", &[], &[]));
    assert_eq!(evaluated.status, Some(404));
    assert_eq!(evaluated.text, r#"{"message":"Not found"}"#);
    let evaluated = evaluate(
        &template,
        &request(r#"{"Item":{"PK":{"S":"1"}}}"#, &[], &[]),
    );
    assert_eq!(evaluated.status, None);
    assert_eq!(evaluated.text, r#"{"PK":{"S":"1"}}"#);
}

#[test]
fn templates_are_written_on_one_line_with_closed_references() {
    let template = written(MappingTemplate::of(JsonTemplate::object([
        ("id", JsonTemplate::from(RequestValue::path("id"))),
        ("order", JsonTemplate::body()),
    ])));
    assert_eq!(
        template,
        r#"{"id":"$!{util.escapeJavaScript($input.params().path.get('id')).replaceAll("\\'","'")}","order":#if("$!{input.body.trim()}" != '')$!{input.json('$')}#{else}{}#{end}}"#
    );
}

#[test]
fn what_a_template_cannot_say_is_reported() {
    let mut count = 0;
    let mut complain = |json: JsonTemplate| {
        count += 1;
        let messages = violations(|app| {
            let stack = &mut app.stack("orders");
            let api = stack.rest_api("Api", RestApiProps::default());
            let mock = Integration::mock(200, MappingTemplate::of(json));
            let get = MethodProps::new(HttpMethod::Get, Authorization::None, mock);
            stack.rest_method("Get", &api.root(), get);
        });
        let [message] = messages.as_slice() else {
            panic!("{messages:?}");
        };
        message
            .strip_prefix("orders / Get / Properties.Integration: ")
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        complain(RequestValue::query("it's").into()),
        "`it's` has an apostrophe or a line end, which a mapping template cannot write there"
    );
    assert_eq!(
        complain(RequestValue::body("name").into()),
        "`name` is not a JSONPath: it looks like `$.customer.name`"
    );
    assert_eq!(
        complain(RequestValue::context("identity.source ip").into()),
        "`identity.source ip` is not a variable of `$context`: it looks like `identity.sourceIp`"
    );
    assert_eq!(
        complain(RequestValue::stage_variable("a.b").into()),
        "`a.b` is not the name of a stage variable: use letters, digits and `_`"
    );
    assert_eq!(
        complain(RequestValue::element("SK.S").into()),
        "`SK.S` is a part of an element, and stands outside of `JsonTemplate::each`"
    );
    let group = TemplateCondition::in_group("a,b");
    assert_eq!(
        complain(JsonTemplate::holds(group)),
        "`a,b` is not the name of a group that a template can look for"
    );
    assert_eq!(count, 6);
}

#[test]
fn values_of_the_deployment_are_put_in_by_it() {
    let rendered = template(|stack| {
        let api = stack.rest_api("Api", RestApiProps::default());
        let body = JsonTemplate::object([("api", JsonTemplate::from(api.rest_api_id()))]);
        let mock = Integration::mock(200, MappingTemplate::of(body));
        let get = MethodProps::new(HttpMethod::Get, Authorization::None, mock);
        stack.rest_method("Get", &api.root(), get);
    });
    let response = &properties(&rendered, "Get")["Integration"]["IntegrationResponses"][0];
    assert_eq!(
        response["ResponseTemplates"]["application/json"],
        json!({"Fn::Sub": r#"{"api":"${Api}"}"#})
    );
}

/// The local engine evaluates the shared cases too, so that it evaluates what is written here.
#[test]
fn shared_cases_are_written_as_here() {
    let shared = shared_templates();
    for template in [start(), listed()] {
        let template = written(template);
        assert!(shared.contains(&template), "no shared case of {template}");
    }
}
