//! What the intake system promises, row by row, over HTTP and the real queue.

use std::time::Duration;

use serde_json::{Value, json};
use system_tests::account::Account;
use system_tests::http::{self, Answer};
use system_tests::poll::{PATIENCE, eventually};

/// The deployed system.
pub(crate) struct Deployed {
    pub(crate) account: Account,
    pub(crate) url: String,
    pub(crate) queue_url: String,
    pub(crate) dead_letter_queue_url: String,
    pub(crate) table: String,
    pub(crate) function_arn: String,
}

/// The payload of the rows on `echo`.
fn somekeys() -> Value {
    json!({"somekey1": "somevalue1", "somekey2": "somevalue2"})
}

fn create(system: &Deployed, item: &Value) -> Value {
    json!({"operation": "create", "tableName": system.table, "payload": {"Item": item}})
}

fn post(system: &Deployed, request: &Value) -> Answer {
    http::post(&system.url, "application/json", &request.to_string())
}

/// Every row in queue mode.
pub(crate) fn queue(system: &Deployed) {
    invoked(system);
    roles_are_enforced(system);
    answers_with_a_message_id(system);

    post(system, &create(system, &json!({"id": "1", "name": "Bob"})));
    appears(system, "1", &json!({"id": "1", "name": "Bob"}));
    post(
        system,
        &create(system, &json!({"id": "1234ABCD", "name": "Rob"})),
    );
    appears(
        system,
        "1234ABCD",
        &json!({"id": "1234ABCD", "name": "Rob"}),
    );
    // What a form could be confused by arrives as it was sent.
    let awkward = json!({"id": "a&b=c", "text": "50 % + \"ü\" & a=b\nnext", "list": [1, 2.5, null, true, {"x": []}]});
    post(system, &create(system, &awkward));
    appears(system, "a&b=c", &awkward);

    other_media_types_are_refused(system);
    unknown_operation_ends_among_the_dead_letters(system);
    one_bad_message_does_not_repeat_the_rest(system);
}

/// Every row in direct mode.
pub(crate) fn direct(system: &Deployed) {
    invoked(system);
    roles_are_enforced(system);

    let echoed = post(system, &json!({"operation": "echo", "payload": somekeys()}));
    assert_eq!((echoed.status, echoed.json()), (200, somekeys()));
    let ping = post(system, &json!({"operation": "ping"}));
    assert_eq!((ping.status, ping.body.trim()), (200, "\"pong\""));

    for item in [
        json!({"id": "1", "name": "Bob"}),
        json!({"id": "1234ABCD", "name": "Rob"}),
    ] {
        let created = post(system, &create(system, &item));
        assert_eq!(created.status, 200, "{created:?}");
        let metadata = &created.json()["ResponseMetadata"];
        assert_eq!(metadata["HTTPStatusCode"], 200, "{created:?}");
        let id = item["id"].as_str().expect("it is a text");
        // The function answers after the put, so the item is there at once.
        assert_eq!(self::item(system, id).as_ref(), Some(&item));
    }

    let on_table = |operation: &str, payload: Value| {
        post(
            system,
            &json!({"operation": operation, "tableName": system.table, "payload": payload}),
        )
    };
    let read = on_table("read", json!({"Key": {"id": "1"}}));
    assert_eq!(read.json(), json!({"Item": {"id": "1", "name": "Bob"}}));
    let absent = on_table("read", json!({"Key": {"id": "nobody"}}));
    assert_eq!((absent.status, absent.json()), (200, json!({})));
    let listed = on_table("list", json!({})).json();
    assert_eq!(
        (&listed["Count"], &listed["ScannedCount"]),
        (&json!(2), &json!(2))
    );
    let page = on_table("list", json!({"Limit": 1})).json();
    assert_eq!(page["Count"], 1);
    let rest = on_table(
        "list",
        json!({"ExclusiveStartKey": page["LastEvaluatedKey"]}),
    );
    assert_eq!(rest.json()["Count"], 1, "{rest:?}");
    let deleted = on_table("delete", json!({"Key": {"id": "1234ABCD"}}));
    assert_eq!(deleted.json()["ResponseMetadata"]["HTTPStatusCode"], 200);
    assert_eq!(item(system, "1234ABCD"), None);

    errors_have_statuses(system);
    a_missing_grant_really_fails(system);

    // The queue feeds the same function in either mode.
    send(
        system,
        &create(system, &json!({"id": "queued", "name": "Ann"})).to_string(),
    );
    appears(system, "queued", &json!({"id": "queued", "name": "Ann"}));
}

fn errors_have_statuses(system: &Deployed) {
    let message = |request: &Value| {
        let answer = post(system, request);
        let message = answer.json()["message"].as_str().map(str::to_owned);
        (
            answer.status,
            message.unwrap_or_else(|| panic!("no message in {answer:?}")),
        )
    };
    assert_eq!(
        message(&json!({"operation": "frobnicate"})),
        (400, "Unrecognized operation \"frobnicate\"".to_owned())
    );
    assert_eq!(
        message(&json!({"operation": "two\nlines"})),
        (400, "Unrecognized operation \"two\nlines\"".to_owned())
    );
    let (status, text) = message(&json!({"operation": "create"}));
    assert!(
        status == 400 && text.contains("\"tableName\""),
        "{status} {text}"
    );
    let (status, text) = message(&json!({"operation": "list", "tableName": system.table}));
    assert!(
        status == 400 && text.contains("\"payload\""),
        "{status} {text}"
    );
    let (status, text) =
        message(&json!({"operation": "list", "tableName": "salaries", "payload": {}}));
    assert!(
        status == 400 && text.contains("salaries"),
        "{status} {text}"
    );
}

/// What the role of the function does not allow fails, and the caller learns nothing of the inside.
fn a_missing_grant_really_fails(system: &Deployed) {
    let version = "2010-05-08";
    let role = role_of_function(system);
    let denial = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "dynamodb:PutItem", "Resource": "*"}]})
    .to_string();
    let (role, policy) = (("RoleName", role.as_str()), ("PolicyName", "denial"));
    let arguments = [role, policy, ("PolicyDocument", denial.as_str())];
    system
        .account
        .query("iam", version, "PutRolePolicy", &arguments);
    let denied = post(system, &create(system, &json!({"id": "denied"})));
    assert_eq!(
        (denied.status, denied.json()),
        (500, json!({"message": "Internal server error"}))
    );
    assert_eq!(item(system, "denied"), None);
    system
        .account
        .query("iam", version, "DeleteRolePolicy", &[role, policy]);
    let allowed = post(system, &create(system, &json!({"id": "denied"})));
    assert_eq!(allowed.status, 200, "{allowed:?}");
}

fn role_of_function(system: &Deployed) -> String {
    let path = format!("/2015-03-31/functions/{}", system.function_arn);
    let function = system.account.get("lambda", &path).json();
    let arn = function["Configuration"]["Role"].as_str();
    let name = arn.and_then(|arn| arn.rsplit('/').next());
    name.unwrap_or_else(|| panic!("no role in {function}"))
        .to_owned()
}

/// The rows that call the function itself.
fn invoked(system: &Deployed) {
    let (result, failed) = invoke(system, &json!({"operation": "echo", "payload": somekeys()}));
    assert_eq!((result, failed), (somekeys(), false));
    let (result, failed) = invoke(system, &json!({"operation": "ping"}));
    assert_eq!((result, failed), (json!("pong"), false));
    let (error, failed) = invoke(system, &json!({"operation": "frobnicate"}));
    assert!(failed);
    assert_eq!(
        error["errorMessage"],
        "Unrecognized operation \"frobnicate\""
    );
    let (error, failed) = invoke(system, &json!({"operation": "list", "payload": {}}));
    assert!(failed);
    assert_eq!(
        error["errorMessage"],
        "Invalid request: the field \"tableName\" is missing"
    );
}

/// Calls the function, and returns what it answers and whether that is an error.
fn invoke(system: &Deployed, request: &Value) -> (Value, bool) {
    let path = format!("/2015-03-31/functions/{}/invocations", system.function_arn);
    let answer = system
        .account
        .request("lambda", "POST", &path, &[], &request.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    let result = answer.json();
    let failed = result.get("errorMessage").is_some();
    (result, failed)
}

/// In queue mode the API answers as soon as the message is in the queue.
pub(crate) fn answers_with_a_message_id(system: &Deployed) {
    let answer = post(system, &json!({"operation": "ping"}));
    assert_eq!(answer.status, 200, "{answer:?}");
    let id = answer.json()["messageId"].as_str().map(str::len);
    assert_eq!(id, Some(36), "{answer:?}");
}

fn other_media_types_are_refused(system: &Deployed) {
    let request = create(system, &json!({"id": "as text"})).to_string();
    let answer = http::post(&system.url, "text/plain", &request);
    assert_eq!(answer.status, 415, "{answer:?}");
}

/// A message that nobody understands is tried five times and then put aside.
fn unknown_operation_ends_among_the_dead_letters(system: &Deployed) {
    // The queue hides a message for 30 seconds after each try: five of them would take minutes.
    hide_for(system, 1);
    let sent = post(system, &json!({"operation": "frobnicate"}));
    assert_eq!(sent.status, 200, "the queue takes anything: {sent:?}");
    let dead = receive(system);
    assert_eq!(dead["Body"], json!({"operation": "frobnicate"}).to_string());
    // Five tries of the function, and the receive of this test: the count goes on in the next queue, see
    // <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html>.
    assert_eq!(dead["Attributes"]["ApproximateReceiveCount"], "6", "{dead}");
    assert_eq!(waiting(system), 0);
    hide_for(system, 30);
}

/// Messages of one batch succeed and fail on their own.
fn one_bad_message_does_not_repeat_the_rest(system: &Deployed) {
    hide_for(system, 1);
    let entries: Vec<Value> = (0..4)
        .map(|number| {
            let request = create(system, &json!({"id": format!("batch-{number}")}));
            json!({"Id": number.to_string(), "MessageBody": request.to_string()})
        })
        .chain([json!({"Id": "bad", "MessageBody": "no JSON"})])
        .collect();
    system.account.call(
        "sqs",
        "AmazonSQS.SendMessageBatch",
        &json!({"QueueUrl": system.queue_url, "Entries": entries}),
    );
    for number in 0..4 {
        let id = format!("batch-{number}");
        appears(system, &id, &json!({ "id": id }));
    }
    assert_eq!(receive(system)["Body"], "no JSON");
    hide_for(system, 30);
}

/// Only the API may send to the queue, and only the function may read it, whatever a role's own policy says.
fn roles_are_enforced(system: &Deployed) {
    let everything = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}]});
    let name = format!("intruder-{}", system.table);
    let intruder = system.account.as_role(&name, Some(&everything));
    let sent = intruder.attempt(
        "sqs",
        "AmazonSQS.SendMessage",
        &json!({"QueueUrl": system.queue_url, "MessageBody": "{}"}),
    );
    assert_eq!(sent.status, 403, "{sent:?}");
    assert!(sent.body.contains("AccessDenied"), "{sent:?}");
    let received = intruder.attempt(
        "sqs",
        "AmazonSQS.ReceiveMessage",
        &json!({"QueueUrl": system.queue_url}),
    );
    assert_eq!(received.status, 403, "{received:?}");
    // The dead letters have no such policy: the same role reaches them, so it is the policy that kept it out.
    let elsewhere = intruder.attempt(
        "sqs",
        "AmazonSQS.GetQueueAttributes",
        &json!({"QueueUrl": system.dead_letter_queue_url, "AttributeNames": ["QueueArn"]}),
    );
    assert_eq!(elsewhere.status, 200, "{elsewhere:?}");
    intruder_is_gone(system, &name);
}

fn intruder_is_gone(system: &Deployed, name: &str) {
    let version = "2010-05-08";
    let role = ("RoleName", name);
    let policy = ("PolicyName", "all");
    system
        .account
        .query("iam", version, "DeleteRolePolicy", &[role, policy]);
    system.account.query("iam", version, "DeleteRole", &[role]);
}

/// Returns an item of the table as plain JSON.
pub(crate) fn item(system: &Deployed, id: &str) -> Option<Value> {
    let answer = system.account.call(
        "dynamodb",
        "DynamoDB_20120810.GetItem",
        &json!({"TableName": system.table, "Key": {"id": {"S": id}}, "ConsistentRead": true}),
    );
    answer.get("Item").map(|item| plain(&json!({ "M": item })))
}

/// Waits until an item is in the table.
fn appears(system: &Deployed, id: &str, expected: &Value) {
    let found = eventually(&format!("the item {id}"), PATIENCE, || item(system, id));
    assert_eq!(&found, expected);
}

/// Turns an attribute value of DynamoDB into the JSON that it stands for.
fn plain(value: &Value) -> Value {
    let (kind, inner) = value
        .as_object()
        .and_then(|value| value.iter().next())
        .unwrap_or_else(|| panic!("{value} is no attribute value"));
    match kind.as_str() {
        "M" => inner
            .as_object()
            .expect("it is a map")
            .iter()
            .map(|(key, value)| (key.clone(), plain(value)))
            .collect(),
        "L" => inner
            .as_array()
            .expect("it is a list")
            .iter()
            .map(plain)
            .collect(),
        "N" => {
            let number = inner.as_str().expect("it is a number");
            serde_json::from_str(number).expect("it is a number")
        }
        "NULL" => Value::Null,
        _ => inner.clone(),
    }
}

fn send(system: &Deployed, body: &str) {
    let message = json!({"QueueUrl": system.queue_url, "MessageBody": body});
    system
        .account
        .call("sqs", "AmazonSQS.SendMessage", &message);
}

/// Waits for a message among the dead letters, and takes it.
fn receive(system: &Deployed) -> Value {
    let url = &system.dead_letter_queue_url;
    let message = eventually("a dead letter", Duration::from_mins(2), || {
        let request = json!({
            "QueueUrl": url,
            "WaitTimeSeconds": 1,
            "MessageSystemAttributeNames": ["ApproximateReceiveCount"],
        });
        let answer = system
            .account
            .call("sqs", "AmazonSQS.ReceiveMessage", &request);
        answer["Messages"].get(0).cloned()
    });
    let request = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
    system
        .account
        .attempt("sqs", "AmazonSQS.DeleteMessage", &request);
    message
}

/// Returns how many messages are in the queue, hidden ones included.
fn waiting(system: &Deployed) -> u64 {
    let request = json!({"QueueUrl": system.queue_url, "AttributeNames": ["All"]});
    let answer = system
        .account
        .call("sqs", "AmazonSQS.GetQueueAttributes", &request);
    [
        "ApproximateNumberOfMessages",
        "ApproximateNumberOfMessagesNotVisible",
    ]
    .iter()
    .filter_map(|name| answer["Attributes"][name].as_str()?.parse::<u64>().ok())
    .sum()
}

fn hide_for(system: &Deployed, seconds: u32) {
    let attributes = json!({"VisibilityTimeout": seconds.to_string()});
    let request = json!({"QueueUrl": system.queue_url, "Attributes": attributes});
    system
        .account
        .call("sqs", "AmazonSQS.SetQueueAttributes", &request);
}
