use serde_json::json;

use super::*;

const TABLE: &str = "name-dev";

fn check(request: Value) -> Result<Operation, RequestError> {
    Operation::check(Request(request), TABLE)
}

/// Returns the message that the caller reads.
fn refusal(request: impl Into<Value>) -> String {
    match check(request.into()) {
        Ok(operation) => panic!("{operation:?} is not refused"),
        Err(refusal) => refusal.to_string(),
    }
}

#[test]
fn every_operation_is_recognised() {
    let record = Record {
        id: "1".to_owned(),
        attributes: Map::from_iter([("name".to_owned(), "Bob".into())]),
    };
    let rows = [
        (
            json!({"operation": "create", "tableName": TABLE, "payload": {"Item": {"id": "1", "name": "Bob"}}}),
            Operation::Create(record),
        ),
        (
            json!({"operation": "read", "tableName": TABLE, "payload": {"Key": {"id": "1"}}}),
            Operation::Read("1".to_owned()),
        ),
        (
            json!({"operation": "delete", "tableName": TABLE, "payload": {"Key": {"id": "1"}}}),
            Operation::Delete("1".to_owned()),
        ),
        (
            json!({"operation": "list", "tableName": TABLE, "payload": {}}),
            Operation::List(ListOptions::default()),
        ),
        (
            json!({"operation": "list", "tableName": TABLE,
                   "payload": {"Limit": 2, "ExclusiveStartKey": {"id": "1"}, "ConsistentRead": true}}),
            Operation::List(ListOptions {
                limit: Some(2),
                start_after: Some("1".to_owned()),
                consistent: true,
            }),
        ),
        (
            json!({"operation": "echo", "payload": {"somekey1": "somevalue1"}}),
            Operation::Echo(json!({"somekey1": "somevalue1"})),
        ),
        (
            json!({"operation": "echo", "payload": null}),
            Operation::Echo(Value::Null),
        ),
        (json!({"operation": "ping"}), Operation::Ping),
    ];
    for (request, operation) in rows {
        assert_eq!(check(request.clone()), Ok(operation), "{request}");
    }
}

#[test]
fn an_unknown_operation_is_named_in_double_quotes() {
    assert_eq!(
        refusal(json!({"operation": "frobnicate"})),
        "Unrecognized operation \"frobnicate\""
    );
}

#[test]
fn a_missing_field_is_named() {
    let rows = [
        (json!({}), "operation"),
        (json!({"operation": "create"}), "tableName"),
        (json!({"operation": "list"}), "tableName"),
        (json!({"operation": "read", "tableName": TABLE}), "payload"),
        (json!({"operation": "echo"}), "payload"),
        (
            json!({"operation": "create", "tableName": TABLE, "payload": {}}),
            "payload.Item",
        ),
        (
            json!({"operation": "create", "tableName": TABLE, "payload": {"Item": {"name": "Bob"}}}),
            "payload.Item.id",
        ),
        (
            json!({"operation": "delete", "tableName": TABLE, "payload": {"Key": {}}}),
            "payload.Key.id",
        ),
    ];
    for (request, field) in rows {
        let message = format!("Invalid request: the field \"{field}\" is missing");
        assert_eq!(refusal(request.clone()), message, "{request}");
    }
}

#[test]
fn an_unfit_field_is_named() {
    let table = |operation: &str, payload: Value| json!({"operation": operation, "tableName": TABLE, "payload": payload});
    let rows = [
        (json!({"operation": 1}), "operation", "a string"),
        (
            json!({"operation": "list", "tableName": 1}),
            "tableName",
            "a string",
        ),
        (table("list", json!([])), "payload", "an object"),
        (
            table("create", json!({"Item": "x"})),
            "payload.Item",
            "an object",
        ),
        (
            table("read", json!({"Key": "x"})),
            "payload.Key",
            "an object",
        ),
        (
            table("read", json!({"Key": {"id": 1}})),
            "payload.Key.id",
            "a string of 1 to 2048 bytes",
        ),
        (
            table("create", json!({"Item": {"id": ""}})),
            "payload.Item.id",
            "a string of 1 to 2048 bytes",
        ),
        (
            table("create", json!({"Item": {"id": "x".repeat(2049)}})),
            "payload.Item.id",
            "a string of 1 to 2048 bytes",
        ),
        (
            table("list", json!({"Limit": 0})),
            "payload.Limit",
            "a whole number above zero",
        ),
        (
            table("list", json!({"ConsistentRead": "yes"})),
            "payload.ConsistentRead",
            "true or false",
        ),
    ];
    for (request, field, expected) in rows {
        let message = format!("Invalid request: the field \"{field}\" must be {expected}");
        assert_eq!(refusal(request.clone()), message, "{request}");
    }
}

#[test]
fn what_would_change_the_meaning_is_not_ignored() {
    let rows = [
        (
            "create",
            json!({"Item": {"id": "1"}, "ConditionExpression": "x"}),
            "payload.ConditionExpression",
        ),
        (
            "delete",
            json!({"Key": {"id": "1"}, "ConditionExpression": "x"}),
            "payload.ConditionExpression",
        ),
        (
            "read",
            json!({"Key": {"id": "1", "sort": "2"}}),
            "payload.Key.sort",
        ),
        (
            "list",
            json!({"FilterExpression": "x"}),
            "payload.FilterExpression",
        ),
    ];
    for (operation, payload, field) in rows {
        let request = json!({"operation": operation, "tableName": TABLE, "payload": payload});
        let message = format!("Invalid request: the field \"{field}\" is not supported");
        assert_eq!(refusal(request), message);
    }
}

#[test]
fn only_the_table_of_the_stack_is_served() {
    assert_eq!(
        refusal(json!({"operation": "list", "tableName": "salaries", "payload": {}})),
        "Invalid request: the field \"tableName\" is \"salaries\", and only \"name-dev\" is served"
    );
}

#[test]
fn anything_but_an_object_is_refused() {
    for request in [json!([]), json!("ping"), json!(1), Value::Null] {
        assert_eq!(refusal(request), "Invalid request: expected a JSON object");
    }
}

#[test]
fn an_id_may_be_as_long_as_dynamodb_allows() {
    let id = "x".repeat(2048);
    let request = json!({"operation": "read", "tableName": TABLE, "payload": {"Key": {"id": id}}});
    assert_eq!(check(request), Ok(Operation::Read(id)));
}
