//! The visitors system: deployed, counted with, removed.

use std::thread::{self, ScopedJoinHandle};

use serde_json::{Value, json};
use system_tests::account::{Account, Inventory};
use system_tests::http::{self, Answer};
use system_tests::sandbox::Sandbox;

use crate::shipped;

const STACK: &str = "visitors-api-dev";

/// The domain of the API, in a hosted zone that somebody else keeps.
const DOMAIN: &str = "api.visitors.example.com";
const ZONE: &str = "Z0123456789ABCDEFGHIJ";
const CERTIFICATE: &str =
    "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012";

/// More visits than the tests make, and few enough to use up.
const QUOTA: usize = 160;

struct Deployed {
    account: Account,
    url: String,
    custom_url: String,
    key: String,
    table: String,
}

impl Deployed {
    fn visit(&self, user_id: &str) -> Answer {
        self.send("GET", &format!("count/{user_id}"), Some(&self.key))
    }

    fn send(&self, method: &str, path: &str, key: Option<&str>) -> Answer {
        let key = key.map(|key| ("x-api-key".to_owned(), key.to_owned()));
        let headers: Vec<_> = key.into_iter().collect();
        http::send(method, &format!("{}{path}", self.url), &headers, "")
    }
}

/// One engine for all rows: what they share is the quota, which the last row uses up.
#[test]
fn visits_are_counted_from_the_first_deploy_to_nothing_left() {
    let sandbox = shipped(&format!(
        "[stages.dev]\nregion = \"us-east-1\"\n\n[stages.dev.variables.visitors]\nquota_limit = {QUOTA}\n\
         domain = {{ name = \"{DOMAIN}\", zone = \"visitors.example.com\", zone_id = \"{ZONE}\", \
         certificate_arn = \"{CERTIFICATE}\" }}\n"
    ));
    let account = sandbox.account();
    let before = account.inventory_of_systems();
    sandbox.deploy(&["visitors-api"]);
    let system = deployed(&sandbox);

    first_and_later_visits(&system);
    users_are_counted_apart(&system);
    visits_at_the_same_time_are_all_counted(&system);
    the_function_answers_a_proxy_event(&system);
    the_domain_leads_to_the_stage(&system);
    preflights_need_no_key(&system);
    visits_need_a_key(&system);
    other_routes_do_not_exist(&system);
    a_table_that_fails_is_an_error_the_page_can_read(&system);
    the_quota_ends(&system);

    sandbox.destroy(&["visitors-api"]);
    leaves_nothing(&account, &before);
}

fn deployed(sandbox: &Sandbox) -> Deployed {
    let outputs = sandbox.outputs("visitors-api");
    let output = |key: &str| outputs.text(STACK, key);
    let account = sandbox.account();
    // API Gateway made the value up: no variable gives one.
    let path = format!("/apikeys/{}?includeValue=true", output("ApiKeyId"));
    let key = account.get("apigateway", &path).json();
    let key = key["value"].as_str();
    let key = key.expect("the key has a value").to_owned();
    assert!((20..=128).contains(&key.len()), "{key}");
    Deployed {
        account,
        url: output("ApiUrl"),
        custom_url: output("CustomUrl"),
        key,
        table: output("TableName"),
    }
}

#[track_caller]
fn counted(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("*"));
    let methods = answer.header("access-control-allow-methods");
    assert_eq!(methods, Some("OPTIONS,GET"));
    answer.json()
}

/// Reads seconds since 1970 with a fraction, which are texts.
fn seconds(time: &Value) -> f64 {
    let text = time.as_str().unwrap_or_else(|| panic!("{time} is no text"));
    assert!(text.contains('.'), "{text} has no fraction");
    text.parse().expect("it is a number")
}

fn first_and_later_visits(system: &Deployed) {
    let first = counted(&system.visit("default"));
    assert_eq!(
        (&first["userId"], &first["userCount"]),
        (&json!("default"), &json!(1))
    );
    assert_eq!(
        first.as_object().map(serde_json::Map::len),
        Some(3),
        "{first}"
    );
    let created = seconds(&first["createdAt"]);

    let second = counted(&system.visit("default"));
    assert_eq!(second["userCount"], 2);
    assert_eq!(second["createdAt"], first["createdAt"]);
    let updated = seconds(&second["updatedAt"]);
    assert!(updated > created, "{second}");

    // Whatever else somebody puts into the item comes with it.
    system.account.call(
        "dynamodb",
        "DynamoDB_20120810.UpdateItem",
        &json!({
            "TableName": system.table,
            "Key": {"userId": {"S": "default"}},
            "UpdateExpression": "SET country = :c, likes = :l",
            "ExpressionAttributeValues": {":c": {"S": "ES"}, ":l": {"N": "7"}},
        }),
    );
    let third = counted(&system.visit("default"));
    assert_eq!(third["userCount"], 3);
    assert!(seconds(&third["updatedAt"]) > updated, "{third}");
    assert_eq!(
        (&third["country"], &third["likes"]),
        (&json!("ES"), &json!(7))
    );
}

fn users_are_counted_apart(system: &Deployed) {
    for (user_id, count) in [("ann", 1), ("bob", 1), ("ann", 2), ("ann", 3), ("bob", 2)] {
        let visit = counted(&system.visit(user_id));
        assert_eq!(visit["userCount"], count, "{visit}");
        assert_eq!(visit["userId"], user_id);
    }
}

fn visits_at_the_same_time_are_all_counted(system: &Deployed) {
    // Each of them runs in a process of its own, and this machine starts a hundred of them with few processors.
    let path = format!("/2015-03-31/functions/{}/configuration", function(system));
    let patient = json!({"Timeout": 60}).to_string();
    let answer = system
        .account
        .request("lambda", "PUT", &path, &[], &patient);
    assert_eq!(answer.status, 200, "{answer:?}");
    let counts: Vec<u64> = thread::scope(|scope| {
        let visits: Vec<_> = (0..100)
            .map(|_| scope.spawn(|| counted(&system.visit("crowd"))))
            .collect();
        let visits = visits.into_iter().map(ScopedJoinHandle::join);
        let visits = visits.map(|visit| visit.expect("the visit is answered"));
        visits
            .map(|visit| visit["userCount"].as_u64().expect("it is an integer"))
            .collect()
    });
    let mut sorted = counts;
    sorted.sort_unstable();
    // Each visitor is told a number of their own.
    assert_eq!(sorted, (1..=100).collect::<Vec<u64>>());
}

/// Returns the name of the function.
fn function(system: &Deployed) -> String {
    let functions = system.account.get("lambda", "/2015-03-31/functions/");
    let functions = functions.json();
    let name = functions["Functions"][0]["FunctionName"].as_str();
    name.expect("the system has one function").to_owned()
}

/// The event of the original test: a `GET` with the path parameter `default`, without an API in front.
fn the_function_answers_a_proxy_event(system: &Deployed) {
    let event = json!({
        "resource": "/count/{userId}",
        "path": "/count/default",
        "httpMethod": "GET",
        "pathParameters": {"userId": "default"},
        "requestContext": {},
    });
    let path = format!("/2015-03-31/functions/{}/invocations", function(system));
    let answer = system
        .account
        .request("lambda", "POST", &path, &[], &event.to_string())
        .json();
    assert_eq!(answer["statusCode"], 200, "{answer}");
    let body = answer["body"].as_str().unwrap_or_default();
    let body: Value = serde_json::from_str(body).expect("the body is JSON");
    assert!(body["userCount"].as_u64() > Some(0), "{body}");
}

/// The name of the domain leads to CloudFront, and what asks for it gets the stage without its name in the path. No name
/// of this machine leads to the engine, so the request says by hand whom it asks.
fn the_domain_leads_to_the_stage(system: &Deployed) {
    let account = &system.account;
    assert_eq!(system.custom_url, format!("https://{DOMAIN}"));
    let headers = [
        ("host".to_owned(), DOMAIN.to_owned()),
        ("x-api-key".to_owned(), system.key.clone()),
    ];
    let url = format!("{}/count/domain", account.endpoint());
    let visit = counted(&http::send("GET", &url, &headers, ""));
    assert_eq!(visit["userCount"], 1, "{visit}");

    let path = format!("/domainnames/{DOMAIN}");
    let domain = account.get("apigateway", &path).json();
    assert_eq!(domain["endpointConfiguration"]["types"][0], "EDGE");
    assert_eq!(domain["certificateArn"], CERTIFICATE);
    let target = domain["distributionDomainName"].as_str();
    let target = target.unwrap_or_else(|| panic!("no distribution in {domain}"));
    let path = format!("/2013-04-01/hostedzone/{ZONE}/rrset");
    let records = account.get("route53", &path).body;
    for kind in ["A", "AAAA"] {
        let alias = records.split("<ResourceRecordSet>").find(|record| {
            record.contains(&format!("<Name>{DOMAIN}.</Name>"))
                && record.contains(&format!("<Type>{kind}</Type>"))
        });
        let alias = alias.unwrap_or_else(|| panic!("no {kind} in {records}"));
        assert!(alias.contains(target), "{alias}");
        assert!(
            alias.contains("<HostedZoneId>Z2FDTNDATAQYW2</HostedZoneId>"),
            "{alias}"
        );
    }
}

fn preflights_need_no_key(system: &Deployed) {
    let answer = system.send("OPTIONS", "count/default", None);
    assert_eq!(answer.status, 200, "{answer:?}");
    for (header, value) in [
        ("access-control-allow-headers", "*"),
        ("access-control-allow-methods", "GET,OPTIONS"),
        ("access-control-allow-origin", "*"),
        ("access-control-max-age", "600"),
    ] {
        assert_eq!(answer.header(header), Some(value), "{answer:?}");
    }
    assert_eq!(answer.header("access-control-allow-credentials"), None);
}

#[track_caller]
fn refused(answer: &Answer, status: u16, message: &str) {
    let expected = (status, json!({ "message": message }));
    assert_eq!((answer.status, answer.json()), expected);
    // The page can read it.
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    assert_eq!(answer.header("access-control-allow-headers"), Some("*"));
}

fn visits_need_a_key(system: &Deployed) {
    let path = "count/default";
    refused(&system.send("GET", path, None), 403, "Forbidden");
    let wrong = "x".repeat(40);
    refused(&system.send("GET", path, Some(&wrong)), 403, "Forbidden");
}

fn other_routes_do_not_exist(system: &Deployed) {
    for (method, path) in [
        ("GET", "count"),
        ("GET", "count/default/more"),
        ("GET", "counts"),
        ("DELETE", "count/default"),
    ] {
        let answer = system.send(method, path, Some(&system.key));
        refused(&answer, 403, "Missing Authentication Token");
    }
}

fn a_table_that_fails_is_an_error_the_page_can_read(system: &Deployed) {
    let version = "2010-05-08";
    let roles = system.account.inventory()["roles"].clone();
    let role = roles.iter().find(|role| role.contains("CountRole"));
    let role = ("RoleName", role.expect("the function has a role").as_str());
    let denial = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Deny", "Action": "dynamodb:UpdateItem", "Resource": "*"}]})
    .to_string();
    let policy = ("PolicyName", "denial");
    let document = ("PolicyDocument", denial.as_str());
    system
        .account
        .query("iam", version, "PutRolePolicy", &[role, policy, document]);
    let answer = system.visit("default");
    assert_eq!(answer.status, 500, "{answer:?}");
    let error = answer.json()["error"].as_str().map(str::to_owned);
    assert_eq!(error.as_deref(), Some("the visit could not be counted"));
    assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
    system
        .account
        .query("iam", version, "DeleteRolePolicy", &[role, policy]);
    counted(&system.visit("default"));
}

fn the_quota_ends(system: &Deployed) {
    let last = (0..QUOTA)
        .map(|_| system.visit("often"))
        .find(|answer| answer.status != 200);
    let last = last.expect("the quota ends");
    refused(&last, 429, "Limit Exceeded");
}

/// Whatever the deploy made is gone.
fn leaves_nothing(account: &Account, before: &Inventory) {
    assert_eq!(&account.inventory_of_systems(), before);
    for path in ["/apikeys", "/usageplans"] {
        let left = account.get("apigateway", path).json();
        assert_eq!(left["item"], json!([]), "{path}: {left}");
    }
}
