//! What a declared rename takes along: the resources that the model makes for the one that is renamed.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use stack_model::contract::{Accepts, FunctionContract, Wired, event};
use stack_model::lambda::{FunctionProps, FunctionRef, FunctionUrlProps, Release, UrlAccess};
use stack_model::s3::BucketProps;
use stack_model::sqs::{QueueProps, QueueRef};
use stack_model::{App, Stack};

use crate::support::dev;

struct Work;

impl FunctionContract for Work {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-work";
}

impl Accepts<event::QueueBatch<String>> for Work {}
impl Accepts<event::HttpRequest> for Work {}

fn work(stack: &mut Stack<'_>) -> FunctionRef<Work> {
    let props = FunctionProps {
        release: Release::Live,
        ..FunctionProps::default()
    };
    stack.function("Work", Wired::new(Vec::new()), props)
}

/// Returns what goes along in a stack: what it is called now, by what it was called, and with what it goes.
fn along(app: App, id: &str) -> BTreeMap<String, (String, String)> {
    let assembly = app
        .synth()
        .unwrap_or_else(|violations| panic!("{violations}"));
    let mut stacks = assembly.manifest().stacks.iter();
    let stack = stacks.find(|stack| stack.id == id).unwrap();
    let along = stack.along.iter();
    along
        .map(|(from, it)| (from.clone(), (it.to.clone(), it.with.clone())))
        .collect()
}

fn expected(pairs: &[(&str, &str, &str)]) -> BTreeMap<String, (String, String)> {
    let pairs = pairs.iter();
    pairs
        .map(|(from, to, with)| ((*from).to_owned(), ((*to).to_owned(), (*with).to_owned())))
        .collect()
}

#[test]
fn what_is_made_for_a_bucket_goes_along_with_it() {
    let mut app = dev();
    let mut stack = app.stack("orders");
    let slips = stack.bucket("Slips", BucketProps::default());
    stack.moved("Receipts", &slips);
    // These are somebody's own, whatever they are called.
    stack.raw("SlipsTopicPolicy", "AWS::SNS::Topic", json!({}));
    stack.raw("SlipsArchive", "AWS::S3::Bucket", json!({}));
    assert_eq!(
        along(app, "orders"),
        expected(&[("ReceiptsPolicy", "SlipsPolicy", "Slips")])
    );
}

#[test]
fn what_is_made_for_what_goes_along_goes_along_and_so_does_what_is_made_for_two() {
    let mut app = dev();
    let mut stack = app.stack("orders");
    let orders: QueueRef<String> = stack.queue("Orders", QueueProps::default());
    let work = work(&mut stack);
    stack.trigger(&work, orders.batches_of(10));
    let access = UrlAccess::Public {
        because: "everybody may ask".to_owned(),
    };
    let url = FunctionUrlProps {
        access,
        ..FunctionUrlProps::default()
    };
    stack.function_url(&work, url);
    stack.moved("Fulfil", &work);
    stack.moved("Inbox", &orders);
    assert_eq!(
        along(app, "orders"),
        expected(&[
            ("FulfilAlias", "WorkAlias", "Work"),
            ("FulfilInboxTrigger", "WorkOrdersTrigger", "Work"),
            ("FulfilLogs", "WorkLogs", "Work"),
            ("FulfilRole", "WorkRole", "Work"),
            ("FulfilUrl", "WorkUrl", "Work"),
            (
                "FulfilUrlInvokePermission",
                "WorkUrlInvokePermission",
                "WorkUrl"
            ),
            ("FulfilUrlPermission", "WorkUrlPermission", "WorkUrl"),
            ("FulfilVersion", "WorkVersion", "Work"),
            ("InboxPolicy", "OrdersPolicy", "Orders"),
        ])
    );
}

#[test]
fn a_trigger_of_another_stack_goes_along_with_its_queue() {
    let mut app = dev();
    let mut data = app.stack("data");
    let orders: QueueRef<String> = data.queue("Orders", QueueProps::default());
    data.moved("Inbox", &orders);
    let mut stack = app.stack("work");
    let work = work(&mut stack);
    stack.trigger(&work, orders.batches_of(10));
    assert_eq!(
        along(app, "work"),
        expected(&[("WorkInboxTrigger", "WorkOrdersTrigger", "Orders")])
    );
}

#[test]
fn nothing_goes_along_that_is_declared_or_still_there() {
    let mut app = dev();
    let mut stack = app.stack("orders");
    let work = work(&mut stack);
    stack.moved("Fulfil", &work);
    // Somebody gave the old id of the log group to another one, and says that the role had another name.
    stack.raw("FulfilLogs", "AWS::Logs::LogGroup", json!({}));
    stack.moved("Caller", work.role());
    let found = along(app, "orders");
    let names: Vec<&str> = found.keys().map(String::as_str).collect();
    assert_eq!(names, ["FulfilAlias", "FulfilVersion"]);
}

#[test]
fn a_manifest_in_which_nothing_goes_along_is_what_it_was() {
    let mut app = dev();
    let mut stack = app.stack("orders");
    stack.bucket("Slips", BucketProps::default());
    let assembly = app.synth().unwrap();
    let manifest: Json = serde_json::from_str(&assembly.manifest_json()).unwrap();
    assert_eq!(manifest["stacks"][0].get("along"), None);
}
