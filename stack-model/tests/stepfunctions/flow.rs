//! How flows and states become a definition.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::stepfunctions::{
    Catch, Choice, Condition, Expression, Fail, Flow, Map, Pass, Payload, State, Succeed, Task,
    Wait, context, errors, intrinsic,
};
use stack_model::{path, payload};

use super::{add, definition, flow_of};
use crate::support::{dev, violations};

#[test]
fn a_state_goes_on_to_the_one_described_after_it() {
    let mut flow = Flow::new();
    let again = flow.add("First", Pass::new());
    flow.add("Second", Wait::seconds(5));
    flow.add(
        "Third",
        Choice::new().when(path!("$.again").equals(true), &again),
    );
    flow.add("Last", Pass::new().end());
    assert_json_snapshot!(flow_of(flow), @r#"
    {
      "StartAt": "First",
      "States": {
        "First": {
          "Next": "Second",
          "Type": "Pass"
        },
        "Last": {
          "End": true,
          "Type": "Pass"
        },
        "Second": {
          "Next": "Third",
          "Seconds": 5,
          "Type": "Wait"
        },
        "Third": {
          "Choices": [
            {
              "BooleanEquals": true,
              "Next": "First",
              "Variable": "$.again"
            }
          ],
          "Default": "Last",
          "Type": "Choice"
        }
      }
    }
    "#);
}

#[test]
fn every_entry_of_the_plain_states_is_written() {
    let mut flow = Flow::new();
    let failed = flow.later("Failed");
    let told = flow.later("Told");
    flow.add(
        "Pass",
        Pass::new()
            .comment("makes something")
            .input_path(path!("$.in"))
            .parameters(payload!({ "id": path!("$.id"), "uuid": intrinsic::uuid() }))
            .result_path(path!("$.made"))
            .output_path(path!("$.made"))
            .assign(payload!({ "id": path!("$.id") })),
    );
    flow.add(
        "Result",
        Pass::new().result(json!({"a": [1, null]})).discard_result(),
    );
    flow.add("For", Wait::seconds_from(path!("$.pause")));
    flow.add("Until", Wait::until("2026-11-21T05:28:00Z"));
    flow.add("Until that", Wait::until_from(path!("$.then")));
    flow.add(
        "Choose",
        Choice::new()
            .when(path!("$id").is_string() & !path!("$.a").is_null(), &failed)
            .when(
                path!("$.n").less_than(5) | path!("$.n").is_timestamp(),
                &told,
            )
            .or_fail(),
    );
    flow.add(&failed, Fail::new("Broken").cause("it broke"));
    flow.add(
        &told,
        Fail::from_input(path!("$.error"))
            .cause_from(intrinsic::format("at {}", [context::STATE_NAME.into()])),
    );
    let definition = flow_of(flow);
    let states = &definition["States"];
    assert_eq!(
        states["Pass"],
        json!({
            "Type": "Pass",
            "Comment": "makes something",
            "InputPath": "$.in",
            "Parameters": {"id.$": "$.id", "uuid.$": "States.UUID()"},
            "ResultPath": "$.made",
            "OutputPath": "$.made",
            "Assign": {"id.$": "$.id"},
            "Next": "Result",
        })
    );
    assert_eq!(
        states["Result"],
        json!({"Type": "Pass", "Result": {"a": [1, null]}, "ResultPath": null, "Next": "For"})
    );
    assert_eq!(states["For"]["SecondsPath"], "$.pause");
    assert_eq!(states["Until"]["Timestamp"], "2026-11-21T05:28:00Z");
    assert_eq!(states["Until that"]["TimestampPath"], "$.then");
    assert_eq!(states["Choose"].get("Default"), None);
    assert_eq!(
        states["Choose"]["Choices"],
        json!([
            {
                "And": [
                    {"Variable": "$id", "IsString": true},
                    {"Variable": "$.a", "IsNull": false},
                ],
                "Next": "Failed",
            },
            {
                "Or": [
                    {"Variable": "$.n", "NumericLessThan": 5},
                    {"Variable": "$.n", "IsTimestamp": true},
                ],
                "Next": "Told",
            },
        ])
    );
    assert_eq!(
        states["Failed"],
        json!({"Type": "Fail", "Error": "Broken", "Cause": "it broke"})
    );
    assert_eq!(
        states["Told"],
        json!({
            "Type": "Fail",
            "ErrorPath": "$.error",
            "CausePath": "States.Format('at {}', $$.State.Name)",
        })
    );
}

#[test]
fn a_flow_in_jsonata_has_arguments_output_and_variables() {
    let mut inner = Flow::jsonata();
    inner.add(
        "Element",
        Pass::new()
            .output(Expression::jsonata("$states.input"))
            .end(),
    );
    let mut flow = Flow::jsonata();
    let small = flow.later("Small");
    flow.add(
        "Call",
        Task::aws_sdk(
            "sts",
            "getCallerIdentity",
            payload!({ "id": Expression::jsonata("$states.input.id") }),
            [],
        )
        .assign(payload!({ "account": Expression::jsonata("$states.result.Account") }))
        .output(payload!({ "now": Expression::jsonata("$now()") }))
        .timeout_from(Expression::jsonata("$states.input.patience")),
    );
    flow.add("Pause", Wait::seconds_from(Expression::jsonata("$pause")));
    flow.add(
        "Choose",
        Choice::new().when(Condition::jsonata("$states.input.n < 5"), &small),
    );
    flow.add(
        "Each",
        Map::each(inner)
            .items(Expression::jsonata("$states.input.list"))
            .end(),
    );
    flow.add(&small, Succeed::new());
    assert_json_snapshot!(flow_of(flow), @r#"
    {
      "QueryLanguage": "JSONata",
      "StartAt": "Call",
      "States": {
        "Call": {
          "Arguments": {
            "id": "{% $states.input.id %}"
          },
          "Assign": {
            "account": "{% $states.result.Account %}"
          },
          "Next": "Pause",
          "Output": {
            "now": "{% $now() %}"
          },
          "Resource": "arn:aws:states:::aws-sdk:sts:getCallerIdentity",
          "TimeoutSeconds": "{% $states.input.patience %}",
          "Type": "Task"
        },
        "Choose": {
          "Choices": [
            {
              "Condition": "{% $states.input.n < 5 %}",
              "Next": "Small"
            }
          ],
          "Default": "Each",
          "Type": "Choice"
        },
        "Each": {
          "End": true,
          "ItemProcessor": {
            "ProcessorConfig": {
              "Mode": "INLINE"
            },
            "StartAt": "Element",
            "States": {
              "Element": {
                "End": true,
                "Output": "{% $states.input %}",
                "Type": "Pass"
              }
            }
          },
          "Items": "{% $states.input.list %}",
          "Type": "Map"
        },
        "Pause": {
          "Next": "Choose",
          "Seconds": "{% $pause %}",
          "Type": "Wait"
        },
        "Small": {
          "Type": "Succeed"
        }
      }
    }
    "#);
}

#[test]
fn one_state_may_be_in_jsonata() {
    let mut flow = Flow::new();
    flow.add(
        "Compute",
        Pass::new()
            .jsonata()
            .output(payload!({ "n": Expression::jsonata("1 + 1") })),
    );
    flow.add(
        "Take",
        Pass::new()
            .parameters(payload!({ "n": path!("$.n") }))
            .end(),
    );
    assert_eq!(
        flow_of(flow)["States"]["Compute"],
        json!({
            "Type": "Pass",
            "QueryLanguage": "JSONata",
            "Output": {"n": "{% 1 + 1 %}"},
            "Next": "Take",
        })
    );
}

#[test]
fn a_state_as_json_is_checked_with_the_others() {
    let found = violations(dev(), |stack| {
        let mut flow = Flow::new();
        flow.add("Raw", State::raw(json!({"Type": "Pass", "Next": "Ends"})));
        flow.add("End", Succeed::new());
        add(stack, flow);
    });
    assert_eq!(
        found,
        [
            "orders / Machine / Properties.DefinitionString: nothing leads to `End`: let a state go on there, or take it out",
            "orders / Machine / Properties.DefinitionString: `Raw` goes on to `Ends`, which is not described beside it: did you mean `End`?",
        ]
    );
}

#[test]
fn what_a_flow_leaves_open_is_reported() {
    let found = violations(dev(), |stack| {
        let mut other = Flow::new();
        let elsewhere = other.add("Elsewhere", Succeed::new());
        let mut flow = Flow::new();
        let never = flow.later("Never");
        let stranger = other.later("Stranger");
        flow.add(
            "Start",
            Choice::new()
                .when(path!("$.a").is_present(), &never)
                .when(path!("$.b").is_present(), &elsewhere),
        );
        flow.add(&stranger, Pass::new());
        flow.add("Twice", Pass::new());
        flow.add("Twice", Pass::new());
        add(stack, flow);
    });
    let expected = [
        "the state `Start` goes on to `Elsewhere`, which belongs to another flow: a state can only be reached from beside it",
        "the state `Stranger` is described in another flow than the one it was named in",
        "two states are named `Twice`: a name is unique in the whole state machine",
        "the state `Twice` is the last one and does not say where to go on: call `.end()`, or `.next(..)` with a state described before",
        "the state `Never` is named and never described: `add` it to the flow",
    ];
    for message in expected {
        assert!(
            found.iter().any(|found| found.ends_with(message)),
            "{message}\n{found:#?}"
        );
    }
}

#[test]
fn a_violation_names_the_line_of_the_state() {
    let mut app = dev();
    let mut flow = Flow::new();
    let line = line!() + 1;
    flow.add("Start", Wait::seconds_from(path!("$..pause")).end());
    add(&mut app.stack("orders"), flow);
    let message = app.synth().unwrap_err().to_string();
    assert!(message.contains("which may find many values"), "{message}");
    assert!(message.contains(&format!("flow.rs:{line}:")), "{message}");
}

#[test]
fn query_languages_do_not_mix_in_a_state() {
    let found = violations(dev(), |stack| {
        let mut flow = Flow::new();
        let end = flow.later("End");
        flow.add(
            "Jsonata in a path state",
            Pass::new().parameters(payload!({ "a": Expression::jsonata("1") })),
        );
        flow.add(
            "Path in a jsonata state",
            Pass::new().jsonata().output(Payload::from(path!("$.a"))),
        );
        flow.add(
            "Condition",
            Choice::new()
                .when(Condition::jsonata("true"), &end)
                .or_fail(),
        );
        flow.add(&end, Succeed::new().output_path(path!("$.a")).jsonata());
        add(stack, flow);
    });
    let expected = [
        "the state `Jsonata in a path state` is in JSONPath and holds `{% 1 %}`, which is not: a state has one query language, which `.jsonata()` or `Flow::jsonata()` sets",
        "the state `Path in a jsonata state` is in JSONata and holds `$.a`, which is not: a state has one query language, which `.jsonata()` or `Flow::jsonata()` sets",
        "the state `Condition` is in JSONPath and has a condition that is not: a state has one query language",
        "`End` is in JSONata and has `OutputPath`, which belongs to the other query language",
    ];
    for message in expected {
        assert!(
            found.iter().any(|found| found.ends_with(message)),
            "{message}\n{found:#?}"
        );
    }
}

#[test]
fn catches_say_where_the_error_goes() {
    let mut flow = Flow::new();
    let failed = flow.later("Failed");
    let call = || Task::aws_sdk("sts", "getCallerIdentity", payload!({}), []);
    flow.add(
        "Keep",
        call().catch(
            Catch::on([errors::TIMEOUT, "Sts.StsException"], &failed).result_path(path!("$.error")),
        ),
    );
    flow.add(
        "Drop",
        call()
            .catch(Catch::on([errors::ALL], &failed).discard_error())
            .end(),
    );
    flow.add(&failed, Succeed::new());
    let definition = definition(dev(), |stack| {
        add(stack, flow);
    });
    assert_eq!(
        definition["States"]["Keep"]["Catch"],
        json!([{
            "ErrorEquals": ["States.Timeout", "Sts.StsException"],
            "ResultPath": "$.error",
            "Next": "Failed",
        }])
    );
    assert_eq!(
        definition["States"]["Drop"]["Catch"],
        json!([{"ErrorEquals": ["States.ALL"], "ResultPath": null, "Next": "Failed"}])
    );
}
