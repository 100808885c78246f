//! Mapping templates, evaluated by what the engine gets for it, in the interpreter that the engine has.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::interpret;

const EVALUATE: &str = concat!(
    include_str!("../mapping_templates.py"),
    r#"

import sys

results = []
for case in json.load(sys.stdin):
    parameters = {place: case.get(name, {}) for place, name in (
        ("path", "path"), ("querystring", "query"), ("header", "header"),
    )}
    context = {"authorizer": {"claims": case.get("claims", {})}, "requestId": "a-request"}
    evaluation = Evaluation(case.get("body", ""), parameters, context)
    try:
        text = evaluation.render(case["template"])
        results.append({"text": text, "status": evaluation.override.get("status")})
    except Untransformable:
        results.append({"fails": True})
json.dump(results, sys.stdout)
"#
);

/// Evaluates all cases of a file, each of which says its request, its template, and what comes of them.
fn hold(cases: &str) {
    let results = interpret(EVALUATE, cases);
    let cases: Vec<Value> = serde_json::from_str(cases).unwrap();
    assert_eq!(results.as_array().map(Vec::len), Some(cases.len()));
    for (case, result) in cases.iter().zip(results.as_array().into_iter().flatten()) {
        let expected = if case["fails"] == true {
            json!({"fails": true})
        } else {
            json!({"text": case["text"], "status": case["status"]})
        };
        assert_eq!(result, &expected, "{}", case["name"]);
    }
}

/// The evaluator that the model's tests use agrees on these, so that what the model writes is what the engine does.
#[test]
fn the_cases_of_the_model_hold() {
    let model = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stack-model");
    hold(&fs::read_to_string(model.join("tests/apigateway/velocity.json")).unwrap());
}

/// What people write by hand, and what cannot be evaluated.
#[test]
fn the_cases_beyond_the_model_hold() {
    hold(include_str!("templates.json"));
}
