//! The orders system: four stacks on one API, deployed in order, used, removed in order.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use system_tests::account::{Account, texts};
use system_tests::http::{self, Answer};
use system_tests::poll::{PATIENCE, eventually};
use system_tests::sandbox::Sandbox;

use crate::shipped;

/// The domain of the API, in a hosted zone that somebody else keeps.
const DOMAIN: &str = "api.orders.example.com";
const ZONE: &str = "Z0123456789ABCDEFGHIJ";
const CERTIFICATE: &str =
    "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012";

/// Returns the configuration of a stage that logs as the shipped `dev` does, and has the domain of the shipped `prod`.
fn config() -> String {
    format!(
        "[stages.dev]\nregion = \"us-east-1\"\n\n[stages.dev.variables.orders]\nlog_level = \"debug\"\n\
         domain = {{ name = \"{DOMAIN}\", zone = \"orders.example.com\", zone_id = \"{ZONE}\", \
         certificate_arn = \"{CERTIFICATE}\" }}\n"
    )
}

struct Deployed {
    account: Account,
    url: String,
    custom_url: String,
    queue_url: String,
    dead_letter_queue_url: String,
}

impl Deployed {
    fn get(&self, path: &str) -> Answer {
        http::send("GET", &format!("{}{path}", self.url), &[], "")
    }

    fn post(&self, path: &str, body: &Value) -> Answer {
        let url = format!("{}{path}", self.url);
        http::post(&url, "application/json", &body.to_string())
    }
}

/// One engine for all rows: deploying four stacks is what takes time.
#[test]
fn orders_are_fulfilled_from_the_first_deploy_to_nothing_left() {
    let sandbox = shipped(&config());
    let account = sandbox.account();
    let before = account.inventory_of_systems();

    a_stack_waits_for_what_it_imports(&sandbox);
    sandbox.deploy(&["orders-user-orders", "orders-order"]);
    let system = deployed(&sandbox);

    the_root_is_there(&system);
    other_routes_do_not_exist(&system);
    pages_may_call(&system);
    users(&system);
    orders(&system);
    all_stacks_answer_at_the_domain(&system);
    what_leads_to_no_order_ends_among_the_dead_letters(&system);
    a_store_that_fails_has_the_text_that_callers_know(&system);

    the_backend_is_removed_last(&sandbox);
    sandbox.destroy(&["orders-*"]);
    assert_eq!(account.inventory_of_systems(), before);
}

/// A stack that is deployed without what it imports is refused before anything is built, and the refusal says what to
/// deploy with it.
fn a_stack_waits_for_what_it_imports(sandbox: &Sandbox) {
    sandbox.deploy(&["orders-backend"]);
    let place = ["--stage", "dev", "--local"];
    let refused = sandbox.run(&[&["deploy", "orders-user-orders"], &place[..]].concat());
    assert_eq!(refused.code, Some(1), "{refused}");
    let both = sandbox.named(&["deploy", "orders-user", "orders-user-orders"]);
    for told in [
        "orders-user-orders-dev imports `ExampleSite-ApiRootUserUseridVar-dev`, which orders-user-dev does not export",
        &format!("deploy `orders-user` too: `{both}`"),
    ] {
        assert!(refused.stderr.contains(told), "no {told} in {refused}");
    }
    assert!(!refused.stderr.contains("build"), "{refused}");
    assert_eq!(settled(sandbox)["orders-user-orders-dev"], "NOT_DEPLOYED");
    sandbox.deploy(&["orders-user"]);
}

/// Returns the statuses of the stacks, all of which are settled.
fn settled(sandbox: &Sandbox) -> BTreeMap<String, String> {
    let arguments = ["status", "orders-*", "--stage", "dev", "--local", "--json"];
    let status = sandbox.succeed(&arguments).json();
    let stacks = status["stacks"].as_array().expect("it is a list").iter();
    stacks
        .map(|stack| {
            assert_eq!(stack["settled"], true, "{status}");
            let [name, status] = ["stack", "status"]
                .map(|key| stack[key].as_str().expect("it is a text").to_owned());
            (name, status)
        })
        .collect()
}

fn deployed(sandbox: &Sandbox) -> Deployed {
    let outputs = sandbox.outputs("orders-*");
    let output = |key: &str| outputs.text("orders-backend-dev", key);
    assert_eq!(output("UsersTableName"), "ExampleSite-Users-dev");
    assert_eq!(output("OrdersTableName"), "ExampleSite-Orders-dev");
    let account = sandbox.account();
    let exports = account.query("cloudformation", "2010-05-15", "ListExports", &[]);
    let mut exports = texts(&exports, "Name");
    exports.sort();
    assert_eq!(
        exports,
        [
            "ExampleSite-ApiRootUser-dev",
            "ExampleSite-ApiRootUserUseridVar-dev",
            "ExampleSite-restApiId-dev",
            "ExampleSite-rootResourceId-dev",
        ]
    );
    Deployed {
        account,
        url: output("ApiUrl"),
        custom_url: output("CustomUrl"),
        queue_url: output("OrdersQueueUrl"),
        dead_letter_queue_url: output("DeadLetterQueueUrl"),
    }
}

/// Every answer of a function may be read by pages of every origin.
#[track_caller]
fn answered(answer: &Answer, status: u16) -> Value {
    assert_eq!(answer.status, status, "{answer:?}");
    for (header, value) in [
        ("access-control-allow-origin", "*"),
        (
            "access-control-allow-headers",
            "Accept,Authorization,Content-Type,X-Amz-Date,X-Amz-Security-Token,X-Api-Key",
        ),
        ("access-control-max-age", "600"),
    ] {
        assert_eq!(answer.header(header), Some(value), "{answer:?}");
    }
    answer.json()
}

fn the_root_is_there(system: &Deployed) {
    let answer = system.get("");
    assert_eq!(answered(&answer, 200), json!({"body": "Test"}));
    assert_eq!(answer.header("content-type"), Some("application/json"));
}

fn other_routes_do_not_exist(system: &Deployed) {
    for path in ["nowhere", "user/u1/order", "order/o1/items", "order"] {
        let answer = system.get(path);
        let missing = json!({"message": "Missing Authentication Token"});
        assert_eq!((answer.status, answer.json()), (403, missing), "{path}");
    }
}

fn pages_may_call(system: &Deployed) {
    for (path, methods) in [
        ("", "OPTIONS,GET"),
        ("user", "OPTIONS,POST,GET"),
        ("user/u1", "OPTIONS,GET"),
        ("user/u1/orders", "OPTIONS,GET"),
        ("order", "OPTIONS,POST"),
        ("order/o1", "OPTIONS,GET"),
    ] {
        let answer = http::send("OPTIONS", &format!("{}{path}", system.url), &[], "");
        assert_eq!(answer.status, 200, "{path}: {answer:?}");
        let headers =
            "Content-Type,X-Amz-Date,Authorization,X-Api-Key,X-Amz-Security-Token,X-Amz-User-Agent";
        for (header, value) in [
            ("access-control-allow-origin", "*"),
            ("access-control-allow-headers", headers),
            ("access-control-allow-methods", methods),
        ] {
            assert_eq!(answer.header(header), Some(value), "{path}: {answer:?}");
        }
    }
}

fn users(system: &Deployed) {
    assert_eq!(answered(&system.get("user"), 200), json!({"users": []}));

    let ann = json!({"user_id": "u1", "name": "Ann", "age": 42});
    assert_eq!(answered(&system.post("user", &ann), 201), ann);
    let taken = answered(&system.post("user", &json!({"user_id": "u1"})), 409);
    assert_eq!(taken, json!({"error": "there is a user with this id"}));
    assert_eq!(answered(&system.get("user/u1"), 200), ann);

    let bob = answered(&system.post("user", &json!({"name": "Bob"})), 201);
    let id = bob["user_id"].as_str().expect("the user got an id");
    assert_eq!(id.len(), 36, "{id}");
    assert_eq!(answered(&system.get(&format!("user/{id}")), 200), bob);

    let all = answered(&system.get("user"), 200);
    let all = all["users"].as_array().expect("it is a list");
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all.contains(&ann) && all.contains(&bob), "{all:?}");

    let unknown = answered(&system.get("user/nobody"), 404);
    assert_eq!(unknown, json!({"error": "there is no such user"}));
    answered(&system.post("user", &json!(["Ann"])), 400);
    answered(&system.post("user", &json!({"user_id": 7})), 400);
}

fn orders(system: &Deployed) {
    let none = answered(&system.get("user/u1/orders"), 200);
    assert_eq!(none, json!({"orders": []}));

    let order = json!({"user_id": "u1", "items": [{"sku": "tea", "count": 2}]});
    let placed = answered(&system.post("order", &order), 201);
    let first = placed["order_id"].as_str().expect("the order has an id");
    let second = answered(&system.post("order", &order), 201);
    let second = second["order_id"].as_str().expect("the order has an id");
    assert_ne!(first, second);

    // The queue brings the order to the worker, which fulfils it.
    let read = |id: &str| answered(&system.get(&format!("order/{id}")), 200);
    let mut fulfilled = Vec::new();
    for id in [first, second] {
        let order = eventually("the order to be fulfilled", PATIENCE, || {
            let order = read(id);
            (order["status"] != "NEW").then_some(order)
        });
        assert_eq!(order["status"], "FULFILLED", "{order}");
        assert_eq!(order["order_id"], id);
        assert_eq!(order["user_id"], "u1");
        assert_eq!(order["items"], json!([{"sku": "tea", "count": 2}]));
        assert!(
            order["created_at"].as_str() <= order["fulfilled_at"].as_str(),
            "{order}"
        );
        fulfilled.push(order);
    }

    // A message that comes again changes nothing.
    let again = json!({"order_id": first, "user_id": "u1"}).to_string();
    send(system, &again);
    eventually("the queue to be empty", PATIENCE, || {
        (waiting(system) == 0).then_some(())
    });
    assert_eq!(read(first), fulfilled[0]);

    let listed = answered(&system.get("user/u1/orders"), 200);
    assert_eq!(listed, json!({ "orders": fulfilled }));
    let others = answered(&system.get("user/u2/orders"), 200);
    assert_eq!(others, json!({"orders": []}));

    let unknown = answered(&system.get("order/nothing"), 404);
    assert_eq!(unknown, json!({"error": "there is no such order"}));
    for bad in [
        json!({"items": ["tea"]}),
        json!({"user_id": "u1"}),
        json!({"user_id": "u1", "items": []}),
        json!({"user_id": "u1", "items": ["tea"], "status": "FULFILLED"}),
    ] {
        answered(&system.post("order", &bad), 400);
    }
}

/// The name of the domain leads to CloudFront, and whoever asks for it gets the routes of all stacks, without the name of
/// the API's stage in the path. No name of this machine leads to the engine, so the request says by hand whom it asks.
fn all_stacks_answer_at_the_domain(system: &Deployed) {
    let account = &system.account;
    assert_eq!(system.custom_url, format!("https://{DOMAIN}"));
    let headers = [("host".to_owned(), DOMAIN.to_owned())];
    for path in ["user/u1", "user/u1/orders", "user"] {
        let url = format!("{}/{path}", account.endpoint());
        let by_domain = answered(&http::send("GET", &url, &headers, ""), 200);
        assert_eq!(by_domain, answered(&system.get(path), 200), "{path}");
    }
    let path = format!("/domainnames/{DOMAIN}");
    let domain = account.get("apigateway", &path).json();
    assert_eq!(domain["endpointConfiguration"]["types"][0], "EDGE");
    assert_eq!(domain["certificateArn"], CERTIFICATE);
    let target = domain["distributionDomainName"].as_str();
    let target = target.unwrap_or_else(|| panic!("no distribution in {domain}"));
    let path = format!("/2013-04-01/hostedzone/{ZONE}/rrset");
    let records = account.get("route53", &path).body;
    let alias = records.split("<ResourceRecordSet>").find(|record| {
        record.contains(&format!("<Name>{DOMAIN}.</Name>")) && record.contains("<Type>A</Type>")
    });
    let alias = alias.unwrap_or_else(|| panic!("no record in {records}"));
    assert!(alias.contains(target), "{alias}");
    assert!(
        alias.contains("<HostedZoneId>Z2FDTNDATAQYW2</HostedZoneId>"),
        "{alias}"
    );
}

fn what_leads_to_no_order_ends_among_the_dead_letters(system: &Deployed) {
    // The queue hides a message for 30 seconds after each try: five of them would take minutes.
    let attributes = json!({"VisibilityTimeout": "1"});
    let request = json!({"QueueUrl": system.queue_url, "Attributes": attributes});
    system
        .account
        .call("sqs", "AmazonSQS.SetQueueAttributes", &request);
    let lost = json!({"order_id": "nobody's", "user_id": "u1"}).to_string();
    let mut sent = ["no JSON".to_owned(), lost];
    for body in &sent {
        send(system, body);
    }
    let mut dead = [receive_dead(system), receive_dead(system)];
    sent.sort();
    dead.sort();
    assert_eq!(dead, sent);
    assert_eq!(waiting(system), 0);
    // The worker did not make the order up.
    answered(&system.get("order/nobody's"), 404);
}

/// What a role may not do fails with the text that callers know, and tells nothing of the inside.
fn a_store_that_fails_has_the_text_that_callers_know(system: &Deployed) {
    let version = "2010-05-08";
    let roles = system.account.inventory()["roles"].clone();
    let denial = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": ["dynamodb:*", "sqs:*"], "Resource": "*"}]})
    .to_string();
    let deny = |part: &str| {
        let role = roles.iter().find(|role| role.contains(part));
        let role = role.unwrap_or_else(|| panic!("no role {part} in {roles:?}"));
        let arguments = [
            ("RoleName", role.as_str()),
            ("PolicyName", "denial"),
            ("PolicyDocument", denial.as_str()),
        ];
        system
            .account
            .query("iam", version, "PutRolePolicy", &arguments);
    };
    for role in ["-UserRole-", "-UserOrderRole-", "-OrderRole-"] {
        deny(role);
    }
    let order = json!({"user_id": "u1", "items": ["tea"]});
    for (answer, text) in [
        (system.post("user", &json!({})), "Create User error."),
        (system.get("user"), "List users error."),
        (system.get("user/u1"), "Get user error."),
        (system.get("user/u1/orders"), "Get orders error."),
        (system.post("order", &order), "Create order error."),
        (system.get("order/o1"), "Get order error."),
    ] {
        assert_eq!(answered(&answer, 504), json!({ "error": text }));
    }
}

/// The stacks that import from the backend keep it.
fn the_backend_is_removed_last(sandbox: &Sandbox) {
    let place = ["--stage", "dev", "--local"];
    let refused = sandbox.run(&[&["destroy", "orders-backend"], &place[..]].concat());
    assert_ne!(refused.code, Some(0), "{refused}");
    let names_importer = [
        "orders-user-dev",
        "orders-order-dev",
        "orders-user-orders-dev",
    ];
    assert!(
        names_importer
            .iter()
            .any(|name| refused.stderr.contains(name)),
        "{refused}"
    );
    let statuses = settled(sandbox);
    assert_eq!(statuses.len(), 4);
    assert!(
        statuses.values().all(|status| status == "CREATE_COMPLETE"),
        "{statuses:?}"
    );
    // And the API still answers.
    assert_eq!(deployed(sandbox).get("").status, 200);
}

fn send(system: &Deployed, body: &str) {
    let message = json!({"QueueUrl": system.queue_url, "MessageBody": body});
    system
        .account
        .call("sqs", "AmazonSQS.SendMessage", &message);
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

/// Waits for a message among the dead letters, takes it, and returns its body.
fn receive_dead(system: &Deployed) -> String {
    let url = &system.dead_letter_queue_url;
    let message = eventually("a dead letter", Duration::from_mins(2), || {
        let request = json!({"QueueUrl": url, "WaitTimeSeconds": 1});
        let answer = system
            .account
            .call("sqs", "AmazonSQS.ReceiveMessage", &request);
        answer["Messages"].get(0).cloned()
    });
    let request = json!({"QueueUrl": url, "ReceiptHandle": message["ReceiptHandle"]});
    system
        .account
        .attempt("sqs", "AmazonSQS.DeleteMessage", &request);
    let body = message["Body"].as_str();
    body.expect("a message has a body").to_owned()
}
