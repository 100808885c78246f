//! What is wrong with definitions.

use insta::assert_json_snapshot;
use serde_json::{Value as Json, json};
use stack_model::stepfunctions::{StateMachineType, check_definition};

/// Returns what is wrong with a definition.
fn found_as(kind: StateMachineType, definition: Json) -> Vec<String> {
    check_definition(&definition.into(), kind)
        .into_iter()
        .map(|finding| finding.message)
        .collect()
}

fn found(definition: Json) -> Vec<String> {
    found_as(StateMachineType::Standard, definition)
}

/// Returns what is wrong with one state that ends well by itself.
fn state(state: &Json) -> Vec<String> {
    found(json!({"StartAt": "S", "States": {"S": state}}))
}

fn task(mut more: Json) -> Vec<String> {
    let entries = more.as_object_mut().unwrap();
    for (name, value) in [
        ("Type", json!("Task")),
        ("Resource", json!("arn:aws:states:::sqs:sendMessage")),
        ("End", json!(true)),
    ] {
        entries.entry(name).or_insert(value);
    }
    state(&more)
}

#[test]
fn a_definition_starts_somewhere_and_ends() {
    assert_json_snapshot!(found(json!({})), @r#"
    [
      "the definition has no states: add one to its flow"
    ]
    "#);
    assert_json_snapshot!(found(json!({"States": {"A": {"Type": "Succeed"}}})), @r#"
    [
      "the definition does not say where it starts: set `StartAt`"
    ]
    "#);
    let loops = json!({"StartAt": "B", "States": {
        "A": {"Type": "Pass", "Next": "A"},
        "Lost": {"Type": "Pass", "Next": "A"},
    }});
    assert_json_snapshot!(found(loops), @r#"
    [
      "the definition starts at `B`, which is not described in it: did you mean `A`?",
      "the definition never ends: let one of its states end, succeed or fail"
    ]
    "#);
    let lost = json!({"StartAt": "A", "States": {
        "A": {"Type": "Pass", "End": true},
        "Lost": {"Type": "Pass", "Next": "A"},
    }});
    assert_json_snapshot!(found(lost), @r#"
    [
      "nothing leads to `Lost`: let a state go on there, or take it out"
    ]
    "#);
    assert_eq!(found(json!([])), ["the definition is not a JSON object"]);
}

#[test]
fn names_are_short_and_unique_over_all_flows() {
    let long = "n".repeat(81);
    let definition = json!({"StartAt": "A", "States": {
        "A": {"Type": "Map", "ItemProcessor": {"StartAt": "A", "States": {"A": {"Type": "Succeed"}}}, "Next": long},
        long.clone(): {"Type": "Succeed"},
    }});
    let found = found(definition);
    assert_eq!(found.len(), 2, "{found:#?}");
    assert_eq!(
        found[0],
        "two states are named `A`: a name is unique in the whole state machine"
    );
    assert!(found[1].contains("has 81 characters"), "{found:#?}");
}

#[test]
fn a_state_has_the_entries_of_its_type() {
    for (wrong, message) in [
        (json!({}), "`S` does not say of which `Type` it is"),
        (
            json!({"Type": "Loop"}),
            "`S` is of the type `Loop`, which does not exist: the types are Task, Pass, Choice, Wait, Succeed, Fail, Parallel and Map",
        ),
        (
            json!({"Type": "Fail", "ResultPath": "$.a"}),
            "`S` has `ResultPath`, which no Fail state has: take it out",
        ),
        (
            json!({"Type": "Succeed", "Retry": [{"ErrorEquals": ["A"]}]}),
            "`S` has `Retry`, which no Succeed state has: take it out",
        ),
        (
            json!({"Type": "Pass"}),
            "`S` does not say where to go on: give it a `Next`, or let it end",
        ),
        (
            json!({"Type": "Pass", "End": true, "Next": "S"}),
            "`S` ends the flow and goes on: take out `End` or `Next`",
        ),
        (
            json!({"Type": "Pass", "End": false}),
            "`S` has an `End` that is not `true`: leave it out",
        ),
        (
            json!({"Type": "Wait", "End": true}),
            "`S` waits in 0 ways: give it one of `Seconds`, `SecondsPath`, `Timestamp` and `TimestampPath`",
        ),
        (
            json!({"Type": "Parallel", "End": true}),
            "`S` has no branches",
        ),
        (
            json!({"Type": "Map", "End": true}),
            "`S` has no flow inside",
        ),
        (
            json!({"Type": "Map", "End": true, "Label": "l", "ItemProcessor": {"StartAt": "I", "States": {"I": {"Type": "Succeed"}}}}),
            "`S` has `Label`, which only a distributed map has: make it with `Map::distributed`",
        ),
        (
            json!({"Type": "Choice"}),
            "`S` has no rules: call `.when(..)`",
        ),
        (
            json!({"Type": "Task", "End": true}),
            "`S` does not say which `Resource` it calls",
        ),
        (
            json!({"Type": "Task", "Resource": "lambda", "End": true}),
            "`S` calls `lambda`, which is not an ARN",
        ),
        (
            json!({"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage", "TimeoutSeconds": 5, "TimeoutSecondsPath": "$.a", "End": true}),
            "`S` has `TimeoutSeconds` and `TimeoutSecondsPath`: take one out",
        ),
        (
            json!({"Type": "Pass", "Arguments": {}, "End": true}),
            "`S` is in JSONPath and has `Arguments`, which belongs to the other query language",
        ),
    ] {
        let found = state(&wrong);
        assert!(
            found.iter().any(|found| found == message),
            "{wrong}: {found:#?}"
        );
    }
}

#[test]
fn errors_are_retried_and_caught_in_order() {
    for (wrong, message) in [
        (
            json!({"Retry": [{"ErrorEquals": []}]}),
            "`S` has a retry that names no error: name errors, or `errors::ALL`",
        ),
        (
            json!({"Retry": [{"ErrorEquals": ["States.Oops"]}]}),
            "`S` has a retry of `States.Oops`, which Step Functions does not report",
        ),
        (
            json!({"Catch": [{"ErrorEquals": ["States.ALL", "A"], "Next": "S"}]}),
            "`S` has a catch of `States.ALL` and others: `States.ALL` stands alone",
        ),
        (
            json!({"Catch": [{"ErrorEquals": ["States.ALL"], "Next": "S"}, {"ErrorEquals": ["A"], "Next": "S"}]}),
            "`S` has a catch of `States.ALL` that is not the last: those after it never count",
        ),
        (
            json!({"Catch": [{"ErrorEquals": ["A"]}]}),
            "`S` has a catch that does not say where to go on",
        ),
        (
            json!({"Catch": [{"ErrorEquals": ["A"], "Next": "T"}]}),
            "`S` goes on to `T`, which is not described beside it: did you mean `S`?",
        ),
        (
            json!({"Retry": [{"ErrorEquals": ["A"], "IntervalSeconds": 0}]}),
            "`S` has a retry with a `IntervalSeconds` that is not between 1 and 99999999",
        ),
        (
            json!({"Retry": [{"ErrorEquals": ["A"], "BackoffRate": 0.5}]}),
            "`S` has a retry with a `BackoffRate` below 1: pauses grow or stay",
        ),
        (
            json!({"Retry": [{"ErrorEquals": ["A"], "IntervalSeconds": 9, "MaxDelaySeconds": 9}]}),
            "`S` has a retry whose longest pause of 9 s is not longer than the first of 9 s",
        ),
        (
            json!({"Retry": [{"ErrorEquals": ["A"], "JitterStrategy": "HALF"}]}),
            "`S` has a retry with a `JitterStrategy` that is neither FULL nor NONE",
        ),
        (json!({"Retry": {}}), "`S` has a `Retry` that is not a list"),
        (
            json!({"TimeoutSeconds": 60, "HeartbeatSeconds": 60}),
            "`S` wants a heartbeat every 60 s and gives up after 60 s: a heartbeat comes before the timeout",
        ),
        (
            json!({"TimeoutSeconds": 0}),
            "`S` has a `TimeoutSeconds` that is not between 1 and 99999999",
        ),
    ] {
        let found = task(wrong.clone());
        assert_eq!(found, [message], "{wrong}");
    }
    let right = json!({
        "Retry": [
            {"ErrorEquals": ["A"], "IntervalSeconds": 1, "MaxAttempts": 0, "BackoffRate": 1, "MaxDelaySeconds": 5, "JitterStrategy": "NONE"},
            {"ErrorEquals": ["States.ALL"]},
        ],
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "S", "ResultPath": "$.e"}],
        "TimeoutSeconds": 60,
        "HeartbeatSeconds": 59,
    });
    assert!(task(right).is_empty());
}

#[test]
fn paths_and_computed_values_are_written_right() {
    for (wrong, message) in [
        (
            json!({"InputPath": "a.b"}),
            "`S` has the `InputPath` `a.b`, which is not a path: it begins with `$`, and its steps are `.name`, `['name']` and `[0]`",
        ),
        (
            json!({"ResultPath": "$.a[*]"}),
            "`S` has the `ResultPath` `$.a[*]`, which may find many values: it takes names and positions only",
        ),
        (
            json!({"ResultPath": "$$.a"}),
            "`S` puts its result into the context object, which only Step Functions writes: begin the path with `$.`",
        ),
        (
            json!({"ResultPath": 5}),
            "`S` has a `ResultPath` that is not a path",
        ),
        (
            json!({"TimeoutSecondsPath": null}),
            "`S` has a `TimeoutSecondsPath` that is not a path",
        ),
        (
            json!({"Parameters": {"a": {"b.$": "text"}}}),
            "`S` cannot compute `Parameters.a.b.$`: a key that ends in `.$` takes a path or an intrinsic function",
        ),
        (
            json!({"Parameters": {"b.$": 5}}),
            "`S` cannot compute `Parameters.b.$`: a key that ends in `.$` takes a path or an intrinsic function",
        ),
        (
            json!({"Parameters": {"b.$": "States.Format('{}')"}}),
            "`S` cannot compute `Parameters.b.$`: the text of `States.Format` has 1 places `{}` and 0 values",
        ),
        (
            json!({"Parameters": {"b.$": "$.b", "b": 1}}),
            "`S` has `b` twice in `Parameters.b.$`: once as it is, and once computed",
        ),
        (
            json!({"Parameters": {"b": ["$.b"]}}),
            "`S` has `$.b` in the list `Parameters.b`, where nothing is computed: make the list with `intrinsic::array`",
        ),
        (
            json!({"Parameters.$": "text"}),
            "`S` cannot compute `Parameters.$`: a key that ends in `.$` takes a path or an intrinsic function",
        ),
        (
            json!({"Catch": [{"ErrorEquals": ["A"], "Next": "S", "ResultPath": "e"}]}),
            "`S` has the `ResultPath` `e`, which is not a path: it begins with `$`, and its steps are `.name`, `['name']` and `[0]`",
        ),
        (
            json!({"Assign": {"x.$": "y"}}),
            "`S` cannot compute `Assign.x.$`: a key that ends in `.$` takes a path or an intrinsic function",
        ),
    ] {
        assert_eq!(task(wrong.clone()), [message], "{wrong}");
    }
    assert!(task(json!({"InputPath": null, "OutputPath": null, "ResultPath": null})).is_empty());
}

#[test]
fn expressions_in_jsonata_close() {
    let jsonata = |more: Json| {
        let mut more = more;
        more["QueryLanguage"] = json!("JSONata");
        task(more)
    };
    for (wrong, message) in [
        (
            json!({"Output": "{% 1"}),
            "`S` has `{% 1` in `Output`: an expression stands between `{%` and `%}`, and its brackets and quotes close",
        ),
        (
            json!({"Output": "1 %}"}),
            "`S` has `1 %}` in `Output`: an expression stands between `{%` and `%}`, and its brackets and quotes close",
        ),
        (
            json!({"Arguments": {"a": ["{%  %}"]}}),
            "`S` has `{%  %}` in `Arguments.a`: an expression stands between `{%` and `%}`, and its brackets and quotes close",
        ),
        (
            json!({"Output": "{% f(1] %}"}),
            "`S` has `{% f(1] %}` in `Output`: an expression stands between `{%` and `%}`, and its brackets and quotes close",
        ),
        (
            json!({"Assign": {"a.$": "$.b"}}),
            "`S` has the key `a.$` in `Assign`: in JSONata nothing is marked so, and the value is an expression in `{% .. %}`",
        ),
    ] {
        assert_eq!(jsonata(wrong.clone()), [message], "{wrong}");
    }
    assert!(
        jsonata(json!({"Output": "{% {'a)': [1, \"}\"]} %}", "Arguments": "plain"})).is_empty()
    );
    let inside = json!({"StartAt": "S", "QueryLanguage": "JSONata", "States": {
        "S": {"Type": "Succeed", "QueryLanguage": "JSONPath"},
    }});
    assert_eq!(
        found(inside),
        ["`S` is in JSONPath inside of JSONata: only the other way round is possible"]
    );
}

#[test]
fn rules_compare_a_variable_with_a_value_of_its_type() {
    let rule = |rule: Json| {
        let mut rule = rule;
        rule["Next"] = json!("E");
        found(json!({"StartAt": "S", "States": {
            "S": {"Type": "Choice", "Choices": [rule]},
            "E": {"Type": "Succeed"},
        }}))
    };
    for (wrong, message) in [
        (
            json!({"StringEquals": "a"}),
            "`S` has a rule that does not say which `Variable` it compares",
        ),
        (
            json!({"Variable": "a", "StringEquals": "a"}),
            "`S` compares `a`, which is not a path: it begins with `$`, and its steps are `.name`, `['name']` and `[0]`",
        ),
        (
            json!({"Variable": "$.a"}),
            "`S` has a rule with 0 operators, and a rule has one: join conditions with `And` or `Or`",
        ),
        (
            json!({"Variable": "$.a", "IsNull": true, "IsString": true}),
            "`S` has a rule with 2 operators, and a rule has one: join conditions with `And` or `Or`",
        ),
        (
            json!({"Variable": "$.a", "StringLike": "a"}),
            "`S` has a rule in which there is no operator `StringLike`",
        ),
        (
            json!({"Variable": "$.a", "StringEquals": 1}),
            "`S` has a rule in which `StringEquals` compares with a value of another type",
        ),
        (
            json!({"Variable": "$.a", "NumericLessThanPath": "b"}),
            "`S` has a rule in which `NumericLessThanPath` does not compare with a path",
        ),
        (
            json!({"Variable": "$.a", "IsPresent": "yes"}),
            "`S` has a rule in which `IsPresent` is neither `true` nor `false`",
        ),
        (
            json!({"Variable": "$.a", "TimestampEquals": "yesterday"}),
            "`S` has a rule in which `TimestampEquals` compares with a value of another type",
        ),
        (json!({"And": []}), "`S` has an `And` of no conditions"),
        (
            json!({"Not": {"Variable": "$.a", "BooleanLessThan": true}}),
            "`S` has a rule in which there is no operator `BooleanLessThan`",
        ),
    ] {
        assert_eq!(rule(wrong.clone()), [message], "{wrong}");
    }
    for right in [
        json!({"Or": [{"Variable": "$.a", "IsNull": false}, {"Not": {"Variable": "$$.b", "StringMatches": "a*"}}]}),
        json!({"Variable": "$x.a", "TimestampGreaterThanEquals": "2026-01-31T00:00:00.5+01:00"}),
        json!({"Variable": "$.a[0]", "NumericEquals": 1.5, "Comment": "half more"}),
    ] {
        assert!(rule(right.clone()).is_empty(), "{right}");
    }
}

#[test]
fn an_express_state_machine_takes_five_minutes_and_waits_for_nobody() {
    let definition = json!({"StartAt": "Token", "TimeoutSeconds": 301, "States": {
        "Token": {"Type": "Task", "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken", "Parameters": {"t.$": "$$.Task.Token"}, "Next": "Job"},
        "Job": {"Type": "Task", "Resource": "arn:aws:states:::states:startExecution.sync:2", "Next": "Worker"},
        "Worker": {"Type": "Task", "Resource": "arn:aws:states:us-east-1:123456789012:activity:a", "Next": "Pause"},
        "Pause": {"Type": "Wait", "Seconds": 301, "Next": "Each"},
        "Each": {"Type": "Map", "End": true, "ItemProcessor": {
            "ProcessorConfig": {"Mode": "DISTRIBUTED"},
            "StartAt": "I",
            "States": {"I": {"Type": "Succeed"}},
        }},
    }});
    assert!(found(definition.clone()).is_empty());
    assert_json_snapshot!(found_as(StateMachineType::Express, definition), @r#"
    [
      "an express execution takes 300 s at most, and the timeout is 301 s",
      "`Each` is a distributed map, which an express state machine cannot have: make it a standard one",
      "`Job` waits until a job ends, which an express state machine cannot: make it a standard one",
      "`Pause` waits 301 s, and an express execution takes 300 s at most",
      "`Token` waits for its token, which an express state machine cannot: make it a standard one",
      "`Worker` waits for a worker, which an express state machine cannot: make it a standard one"
    ]
    "#);
}

#[test]
fn a_token_that_nobody_gets_is_reported() {
    let resource = "arn:aws:states:::sqs:sendMessage.waitForTaskToken";
    assert_eq!(
        task(json!({"Resource": resource, "Parameters": {"a": 1}})),
        [
            "`S` waits for its token and hands it on to nobody: put `context::TASK_TOKEN` into the call"
        ]
    );
    for right in [
        json!({"Resource": resource, "Parameters": {"a": {"b.$": "States.Format('{}', $$.Task.Token)"}}}),
        json!({"Resource": resource, "Parameters.$": "$"}),
        json!({"Resource": resource, "QueryLanguage": "JSONata", "Arguments": {"a": "{% $states.context.Task.Token %}"}}),
    ] {
        assert!(task(right.clone()).is_empty(), "{right}");
    }
}
