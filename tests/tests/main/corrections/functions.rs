//! Integrations with a function that is no proxy.

use serde_json::{Value, json};

use super::{Api, Case, INTERNAL, echo, message, role};

/// Returns an integration with the function, with other properties beside.
fn function(other: &Value) -> Value {
    let mut integration = json!({
        "Type": "AWS", "IntegrationHttpMethod": "POST",
        "Uri": {"Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Echo.Arn}/invocations"},
        "IntegrationResponses": [{"StatusCode": "200"}],
    });
    for (key, value) in other.as_object().into_iter().flatten() {
        integration[key] = value.clone();
    }
    integration
}

fn mapped(template: &str) -> Value {
    function(&json!({"RequestTemplates": {"application/json": template}}))
}

/// Returns an integration that answers 400 where the message of an error matches a pattern.
fn failing(pattern: &str) -> Value {
    let template =
        "{\"message\": $input.json('$.errorMessage'), \"place\": \"$stageVariables.place\"}";
    function(&json!({"IntegrationResponses": [
        {"StatusCode": "200"},
        {"StatusCode": "400", "SelectionPattern": pattern, "ResponseTemplates": {"application/json": template}},
    ]}))
}

/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-lambda-custom-integrations.html> and
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html>.
#[test]
fn a_function_gets_what_is_mapped_and_its_errors_select_the_answer() {
    let mut api = Api::beside(json!({
        "Echo": echo(),
        "FunctionRole": role("lambda.amazonaws.com", &Value::Null),
    }));
    let given = json!({"a": {"b": [1, "x"]}});
    let failed = |text: &str| json!({ "fail": text }).to_string();
    let told = |text: &str| json!({"message": text, "place": "bar"});
    api.cases = vec![
        Case::new("the body as it came", function(&Value::Null), &given, 200, given.clone()),
        Case::new("no body is an empty event", function(&Value::Null), "", 200, json!({})),
        Case::new(
            "the body as it is mapped",
            mapped("{\"asked\": $input.json('$.a.b'), \"who\": \"$input.params('who')\", \"how\": \"$context.httpMethod\"}"),
            &given,
            200,
            json!({"asked": [1, "x"], "who": "ann", "how": "POST"}),
        )
        .asking("?who=ann"),
        Case::new(
            "a template for another media type is none for this one",
            function(&json!({"RequestTemplates": {"text/plain": "{}"}})),
            &given,
            200,
            given.clone(),
        ),
        Case::new("the message of an error", failing("Invalid: .*"), failed("Invalid: \"x\""), 400, told("Invalid: \"x\"")),
        Case::new("the end of a text in a pattern of Java", failing(r"Invalid.*\z"), failed("Invalid"), 400, told("Invalid")),
        Case::new("a pattern is for errors alone", failing(".*"), &given, 200, given.clone()),
        Case::new("a template that does not end", mapped("#if(true)"), "{}", 500, message(INTERNAL)),
        Case::new("a template of an impossible call", mapped("$input.body.substring(9, 'x')"), "{}", 500, message(INTERNAL)),
        Case::new("a path that nobody knows", mapped("$input.json('$..a')"), "{}", 500, message(INTERNAL)),
        Case::new(
            "no answer for what came",
            function(&json!({"IntegrationResponses": [{"StatusCode": "400", "SelectionPattern": "x"}]})),
            "{}",
            500,
            message(INTERNAL),
        ),
        Case::new(
            "an answer of a status that is none",
            function(&json!({"IntegrationResponses": [{"StatusCode": "200", "ResponseTemplates": {
                "application/json": "#set($context.responseOverride.status = 'many')"}}]})),
            "{}",
            500,
            message(INTERNAL),
        ),
        Case::new(
            "a function that is not there",
            function(&json!({"Uri": "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/arn:aws:lambda:us-east-1:000000000000:function:gone/invocations"})),
            "{}",
            500,
            message(INTERNAL),
        ),
        Case::new(
            "an address that is none",
            function(&json!({"Uri": "arn:aws:apigateway:us-east-1:dynamodb:PutItem"})),
            "{}",
            500,
            message(INTERNAL),
        ),
    ];
    let deployed = api.hold(&json!({}));

    // What the pattern matches in part is no error to API Gateway, and has the answer of a success.
    let url = format!(
        "{}/_aws/execute-api/{}/live",
        deployed.account.endpoint(),
        deployed.output("Api")
    );
    let partly = system_tests::http::post(
        &format!("{url}/5"),
        "application/json",
        &failed("an Invalid"),
    );
    assert_eq!(
        (partly.status, &partly.json()["errorMessage"]),
        (200, &json!("an Invalid"))
    );
    let parser = "Could not parse request body into json: ";
    let broken = system_tests::http::post(&format!("{url}/0"), "application/json", "{no JSON");
    let text = broken.json()["message"].as_str().map(str::to_owned);
    assert!(
        broken.status == 400 && text.is_some_and(|text| text.starts_with(parser)),
        "{broken:?}"
    );
}
