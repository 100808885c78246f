//! The rules of the bus and the state machines.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{core, of_type, properties, workflow};

/// Returns a definition with its placeholders in it.
fn definition(template: &Value, id: &str) -> Value {
    let lines = &properties(template, id)["DefinitionString"]["Fn::Join"][1];
    let lines: Vec<&str> = lines
        .as_array()
        .unwrap()
        .iter()
        .map(|line| line.as_str().unwrap())
        .collect();
    serde_json::from_str(&lines.join("\n")).unwrap()
}

#[test]
fn nine_rules_carry_the_events_of_the_system_and_no_others() {
    let variables = json!({"source": "a.bar"});
    let (core, workflow) = (core(&variables), workflow(&variables));
    let mut rules = of_type(&core, "AWS::Events::Rule");
    rules.extend(of_type(&workflow, "AWS::Events::Rule"));
    let prefixes =
        |prefixes: &[&str]| -> Value { prefixes.iter().map(|p| json!({ "prefix": p })).collect() };
    let exactly = |detail_type: &str| json!([detail_type]);
    let target = |id: &str| json!({"Fn::GetAtt": [id, "Arn"]});
    let import = |id: &str| json!({"Fn::ImportValue": format!("coffee-core-dev-{id}-Arn")});
    let log = json!({"Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${BusLog}"});
    let all = [
        "OrderManager.",
        "OrderProcessor.",
        "Validator.",
        "ConfigService.",
    ];
    let expected = BTreeMap::from([
        (
            "PublishToAdmin",
            (prefixes(&all), target("PublisherFunctionAdmin")),
        ),
        (
            "PublishManagedToUser",
            (
                prefixes(&["OrderManager."]),
                target("PublisherFunctionUser"),
            ),
        ),
        (
            "PublishProcessedToUser",
            (
                prefixes(&["OrderProcessor."]),
                target("PublisherFunctionUser"),
            ),
        ),
        (
            "PublishToEverybody",
            (
                prefixes(&["ConfigService."]),
                target("PublisherFunctionConfig"),
            ),
        ),
        ("LogAll", (Value::Null, log)),
        (
            "OnNewOrder",
            (
                exactly("Validator.NewOrder"),
                json!({"Ref": "OrderProcessor"}),
            ),
        ),
        (
            "OnWorkflowStarted",
            (
                exactly("OrderProcessor.WorkflowStarted"),
                import("WorkflowStarted"),
            ),
        ),
        (
            "OnWaitingCompletion",
            (
                exactly("OrderProcessor.WaitingCompletion"),
                import("WaitingCompletion"),
            ),
        ),
        (
            "OnOrderTimedOut",
            (
                exactly("OrderProcessor.OrderTimeOut"),
                import("OrderTimedOut"),
            ),
        ),
    ]);
    let found: BTreeMap<&str, (Value, Value)> = rules
        .into_iter()
        .map(|(id, rule)| {
            let pattern = &rule["EventPattern"];
            assert_eq!(pattern["source"], json!(["a.bar"]), "{id}");
            assert_eq!(rule["State"], "ENABLED", "{id}");
            assert!(rule["EventBusName"].is_object(), "{id}");
            let targets = rule["Targets"].as_array().unwrap();
            assert_eq!(targets.len(), 1, "{id}");
            // The event goes on as it is.
            assert_eq!(targets[0].get("Input"), None, "{id}");
            assert_eq!(targets[0].get("InputPath"), None, "{id}");
            (
                id,
                (pattern["detail-type"].clone(), targets[0]["Arn"].clone()),
            )
        })
        .collect();
    assert_eq!(found, expected);
}

#[test]
fn every_event_of_the_state_machines_has_the_source_and_the_bus_of_the_stage() {
    let variables = json!({"source": "a.bar"});
    for (template, machine, count) in [
        (core(&variables), "OrderManager", 2),
        (workflow(&variables), "OrderProcessor", 5),
    ] {
        let definition = definition(&template, machine);
        let states = definition["States"].as_object().unwrap();
        let entries: Vec<&Value> = states
            .values()
            .filter_map(|state| state["Parameters"].get("Entries")?.get(0))
            .collect();
        assert_eq!(entries.len(), count, "{machine}");
        for entry in entries {
            assert_eq!(entry["Source"], "a.bar", "{entry}");
            assert_eq!(entry["EventBusName"], "${Bus}", "{entry}");
            assert_eq!(entry["Time.$"], "$$.State.EnteredTime", "{entry}");
        }
    }
}

#[test]
fn customers_and_baristas_have_the_time_of_the_stage() {
    for (variables, customer, barista) in [
        (json!({}), 300, 900),
        (
            json!({"customer_heartbeat": 2, "barista_heartbeat": 3}),
            2,
            3,
        ),
    ] {
        let definition = definition(&workflow(&variables), "OrderProcessor");
        for (state, seconds, next) in [
            ("Emit Workflow Started TT", customer, "Customer timedout"),
            ("Emit Awaiting Completion TT", barista, "Barista timedout"),
        ] {
            let state = &definition["States"][state];
            assert_eq!(
                state["Resource"],
                "arn:aws:states:::events:putEvents.waitForTaskToken"
            );
            assert_eq!(state["HeartbeatSeconds"], seconds);
            assert_eq!(
                state["Catch"],
                json!([{"ErrorEquals": ["States.Timeout"], "Next": next, "ResultPath": "$.comment"}])
            );
        }
    }
}

/// Every change of an order says in which state the order has to be, and what happens where it is not.
#[test]
fn orders_are_changed_on_conditions_and_refusals_have_names() {
    let definition = definition(&core(&json!({})), "OrderManager");
    let states = &definition["States"];
    for (state, conditions, refusal, error) in [
        (
            "Update order",
            &[
                "USERID = :user",
                "ORDERSTATE = :created",
                "attribute_exists(TaskToken)",
                "attribute_not_exists(drinkOrder)",
            ][..],
            "Choice is not awaited",
            "ChoiceNotAwaited",
        ),
        (
            "Update Record",
            &["ORDERSTATE = :created"],
            "Order is not open",
            "OrderNotOpen",
        ),
        (
            "Update own Record",
            &["ORDERSTATE = :created", "USERID = :user"],
            "Order is not open",
            "OrderNotOpen",
        ),
        (
            "Update barista",
            &["attribute_exists(PK)"],
            "Unknown order",
            "UnknownOrder",
        ),
    ] {
        let update = &states[state];
        let condition = update["Parameters"]["ConditionExpression"]
            .as_str()
            .unwrap();
        let found: Vec<&str> = condition.split(" AND ").collect();
        assert_eq!(found, conditions, "{state}");
        assert_eq!(update["Catch"][0]["Next"], refusal);
        assert_eq!(
            update["Catch"][0]["ErrorEquals"],
            json!(["DynamoDB.ConditionalCheckFailedException"])
        );
        assert_eq!(states[refusal]["Type"], "Fail");
        assert_eq!(states[refusal]["Error"], error);
    }
    // The customer is whoever calls, and not whoever the body names.
    for state in ["Update order", "Update own Record"] {
        let values = &states[state]["Parameters"]["ExpressionAttributeValues"];
        assert_eq!(
            values[":user"],
            json!({"S.$": "$.baristaUserId"}),
            "{state}"
        );
    }
}

/// Customers call their own orders off, and members of the group all; without the check everybody runs the bar.
#[test]
fn who_may_cancel_an_order_follows_from_the_admin_check() {
    let of_state = |variables: &Value, state: &str| {
        definition(&core(variables), "OrderManager")["States"][state].clone()
    };
    let to_cancel = |variables: &Value| -> Vec<(String, Value)> {
        let decide = of_state(variables, "Decide Action");
        let choices = decide["Choices"].as_array().unwrap().iter();
        let cancels = choices.filter(|choice| choice.to_string().contains("\"cancel\""));
        cancels
            .map(|choice| (choice["Next"].as_str().unwrap().to_owned(), choice.clone()))
            .collect()
    };
    let checked = to_cancel(&json!({}));
    let next: Vec<&str> = checked.iter().map(|(next, _)| next.as_str()).collect();
    // The first choice that holds decides.
    assert_eq!(next, ["Cancel own Order", "Cancel Order"]);
    let is_cancel = json!({"Variable": "$.action", "StringEquals": "cancel"});
    let is_admin = json!({"And": [
        {"Variable": "$.admin", "IsPresent": true},
        {"Variable": "$.admin", "BooleanEquals": true},
    ]});
    assert_eq!(checked[0].1["And"], json!([is_cancel, { "Not": is_admin }]));
    let variables = json!({});
    let own = of_state(&variables, "Cancel own Order");
    assert_eq!(own["Result"]["state"], "Cancelled");
    assert_eq!(own["Next"], "Update own Record");
    let update = of_state(&variables, "Update own Record");
    assert_eq!(update["Next"], "Construct (1)");

    let unchecked = json!({"admin_check": false});
    let found = to_cancel(&unchecked);
    let next: Vec<&str> = found.iter().map(|(next, _)| next.as_str()).collect();
    assert_eq!(next, ["Cancel Order"]);
    assert_eq!(of_state(&unchecked, "Update own Record"), Value::Null);
}

/// Between the choice of a drink and the barista's turn an order has a token that was used, and gets another.
#[test]
fn who_ends_an_order_waits_for_a_token_that_is_awaited() {
    let definition = definition(&core(&json!({})), "OrderManager");
    let states = &definition["States"];
    let resume = &states["Resume 1"];
    assert_eq!(resume["Catch"][0]["Next"], "Await the next token");
    assert_eq!(states["Await the next token"]["Next"], "Read the token");
    let read = &states["Read the token"];
    assert_eq!(read["Parameters"]["ConsistentRead"], true);
    assert_eq!(read["Next"], "Resume 1");
    // What reads puts the token where what resumes looks for it, and what never comes is not waited for for ever.
    assert_eq!(read["ResultPath"], "$.record");
    assert_eq!(read["ResultSelector"], json!({"Attributes.$": "$.Item"}));
    assert_eq!(
        resume["Parameters"]["TaskToken.$"],
        "$.record.Attributes.TaskToken.S"
    );
    assert_eq!(definition["TimeoutSeconds"], 300);
}
