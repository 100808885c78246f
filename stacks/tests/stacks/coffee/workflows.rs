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
    let core_rules: Vec<&str> = rules.keys().copied().collect();
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
            // What cannot be delivered is kept.
            let lost = if core_rules.contains(&id) {
                "LostEvents"
            } else {
                "UndeliveredEvents"
            };
            assert_eq!(
                targets[0]["DeadLetterConfig"],
                json!({"Arn": {"Fn::GetAtt": [lost, "Arn"]}}),
                "{id}"
            );
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
                "attribute_not_exists(orderNumber)",
                "(attribute_not_exists(drinkOrder) OR drinkOrder = :drink)",
            ][..],
            "Choice is not awaited",
            "ChoiceNotAwaited",
        ),
        (
            "Update Record",
            &["(ORDERSTATE = :created OR endedBy = :execution)"],
            "Order is not open",
            "OrderNotOpen",
        ),
        (
            "Update own Record",
            &[
                "(ORDERSTATE = :created OR endedBy = :execution)",
                "USERID = :user",
            ],
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
    // An execution that tries again what it did already is no second call.
    for state in ["Update Record", "Update own Record"] {
        let parameters = &states[state]["Parameters"];
        assert_eq!(
            parameters["UpdateExpression"],
            "SET ORDERSTATE = :state, endedBy = :execution"
        );
        assert_eq!(
            parameters["ExpressionAttributeValues"][":execution"],
            json!({"S.$": "$$.Execution.Name"})
        );
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

/// A task that is not tried again ends an order half way. What stays as it is, is caught at once.
#[test]
fn every_task_is_tried_again_but_for_answers_that_stay() {
    let refused = "DynamoDB.ConditionalCheckFailedException";
    let unanswered = "States.HeartbeatTimeout";
    for (template, machine) in [
        (core(&json!({})), "OrderManager"),
        (workflow(&json!({})), "OrderProcessor"),
    ] {
        let definition = definition(&template, machine);
        for (name, state) in definition["States"].as_object().unwrap() {
            if state["Type"] != "Task" {
                continue;
            }
            let retries = state["Retry"].as_array().unwrap();
            if name == "Sanitize" {
                let errors = retries[0]["ErrorEquals"].to_string();
                assert!(
                    errors.contains("Lambda.TooManyRequestsException"),
                    "{errors}"
                );
                continue;
            }
            let [lasting, rest] = &retries[..] else {
                panic!("{machine}: {name} is tried again otherwise: {retries:?}");
            };
            assert_eq!(lasting["MaxAttempts"], 0, "{name}");
            let lasting = lasting["ErrorEquals"].as_array().unwrap();
            assert!(lasting.contains(&json!(refused)), "{name}");
            // Nobody gets the time for an answer twice.
            assert!(lasting.contains(&json!(unanswered)), "{name}");
            for catch in state["Catch"].as_array().into_iter().flatten() {
                for error in catch["ErrorEquals"].as_array().unwrap() {
                    let is_last = error == "States.Timeout" || lasting.contains(error);
                    assert!(is_last, "{name} is caught only after many tries at {error}");
                }
            }
            assert_eq!(rest["ErrorEquals"], json!(["States.TaskFailed"]), "{name}");
            assert_eq!(rest["MaxAttempts"], 5, "{name}");
        }
    }
}

/// An order says which execution carries it, so that another one cannot give it up.
#[test]
fn a_workflow_says_who_it_is_where_it_begins_and_where_it_gives_up() {
    let definition = definition(&workflow(&json!({})), "OrderProcessor");
    for state in ["Emit Workflow Started TT", "Emit error timeout"] {
        let detail = &definition["States"][state]["Parameters"]["Entries"][0]["Detail"];
        assert_eq!(detail["workflow.$"], "$$.Execution.Name", "{state}");
    }
}

/// Of whatever a function of a rule could not deal with, and of every change that was not announced, something is left.
#[test]
fn what_comes_to_nothing_is_kept_and_reported() {
    let core = core(&json!({}));
    let lost = json!({"Fn::GetAtt": ["LostEvents", "Arn"]});
    let functions: Vec<&str> = of_type(&core, "AWS::Lambda::EventInvokeConfig")
        .into_values()
        .map(|config| {
            assert_eq!(
                config["DestinationConfig"]["OnFailure"]["Destination"],
                lost
            );
            config["FunctionName"]["Ref"].as_str().unwrap()
        })
        .collect();
    assert_eq!(
        functions,
        [
            "OrderTimedOut",
            "PublisherFunctionAdmin",
            "PublisherFunctionConfig",
            "PublisherFunctionUser",
            "WaitingCompletion",
            "WorkflowStarted",
        ]
    );
    let stream = properties(&core, "ConfigChangedConfigTableTrigger");
    assert_eq!(
        stream["DestinationConfig"]["OnFailure"]["Destination"],
        lost
    );
    let workflow = workflow(&json!({}));
    for (template, queue) in [(&core, "LostEvents"), (&workflow, "UndeliveredEvents")] {
        let days = properties(template, queue)["MessageRetentionPeriod"].as_u64();
        assert_eq!(days.unwrap() / (24 * 3600), 14, "{queue}");
        let alarm = properties(template, &format!("{queue}NotEmptyAlarm"));
        assert_eq!(
            alarm["Dimensions"],
            json!([{"Name": "QueueName", "Value": {"Fn::GetAtt": [queue, "QueueName"]}}])
        );
    }
}
