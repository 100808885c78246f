//! A table under another logical id: it leaves its stack, comes back by import, and holds what it held.

use std::fs;

use serde_json::{Value, json};
use system_tests::account::texts;
use system_tests::poll::{PATIENCE, within};

use crate::fixture::Fixture;
use crate::workspace::hash;

const DEPLOY: [&str; 5] = ["deploy", "--stage", "dev", "--local", "--json"];

/// Replaces the stacks of the workspace by one, in which a parameter names a table.
fn describe(fixture: &Fixture, table: &str, moved: &Value) {
    describe_with(
        fixture,
        table,
        moved,
        &json!({"BillingMode": "PAY_PER_REQUEST"}),
    );
}

/// The same with some properties of the table.
fn describe_with(fixture: &Fixture, table: &str, moved: &Value, properties: &Value) {
    let mut properties = properties.clone();
    properties["AttributeDefinitions"] = json!([{"AttributeName": "id", "AttributeType": "S"}]);
    properties["KeySchema"] = json!([{"AttributeName": "id", "KeyType": "HASH"}]);
    let template = json!({
        "Resources": {
            table: {"Type": "AWS::DynamoDB::Table", "Properties": properties},
            "Place": {"Type": "AWS::SSM::Parameter", "Properties": {
                "Name": "/moved/table", "Type": "String",
                "Value": {"Fn::Sub": format!("${{{table}}} at ${{{table}.Arn}}")},
            }},
        },
        "Outputs": {"Table": {"Value": {"Ref": table}}},
    })
    .to_string();
    let assembly = fixture.workspace().join("assembly");
    fs::write(assembly.join("sales-dev.template.json"), &template)
        .expect("the workspace can be written");
    let manifest = json!({
        "format": 1, "stage": "dev", "contracts": {}, "assets": {},
        "stacks": [{
            "name": "sales-dev", "id": "sales", "sha256": hash(&template),
            "template": "sales-dev.template.json", "moved": moved,
        }],
    });
    fs::write(assembly.join("manifest.json"), manifest.to_string())
        .expect("the workspace can be written");
}

/// Deploys a table that holds an item, and declares that it is renamed. Returns its name.
fn deployed(fixture: &Fixture) -> String {
    describe(fixture, "Orders", &json!({}));
    fixture.sandbox.succeed(&DEPLOY);
    let table = fixture.sandbox.outputs("sales").text("sales-dev", "Table");
    let item = json!({"TableName": table, "Item": {"id": {"S": "precious"}}});
    let account = fixture.sandbox.account();
    account.call("dynamodb", "DynamoDB_20120810.PutItem", &item);
    describe(fixture, "Sales", &json!({"Orders": "Sales"}));
    table
}

/// Looks whether the table has its new name, and is the one that it was.
fn is_renamed(fixture: &Fixture, table: &str) {
    let account = fixture.sandbox.account();
    let query = |action: &str| {
        let stack = [("StackName", "sales-dev")];
        account.query("cloudformation", "2010-05-15", action, &stack)
    };
    let mut ids = texts(&query("ListStackResources"), "LogicalResourceId");
    ids.sort();
    assert_eq!(ids, ["Place", "Sales"]);
    let outputs = texts(&query("DescribeStacks"), "OutputKey");
    assert_eq!(outputs, ["Table"]);
    assert!(!query("GetTemplate").contains("stackctl:moving"));
    assert_eq!(
        fixture.sandbox.outputs("sales").text("sales-dev", "Table"),
        table
    );
    let key = json!({"TableName": table, "Key": {"id": {"S": "precious"}}});
    let found = account.call("dynamodb", "DynamoDB_20120810.GetItem", &key);
    assert_eq!(found["Item"]["id"]["S"], "precious", "{found}");
    let place = account.call(
        "ssm",
        "AmazonSSM.GetParameter",
        &json!({"Name": "/moved/table"}),
    );
    let value = place["Parameter"]["Value"].as_str().unwrap_or_default();
    assert!(value.starts_with(&format!("{table} at arn:")), "{value}");
}

#[test]
fn a_table_is_renamed_with_what_it_holds() {
    let fixture = Fixture::new(&json!({}));
    let table = deployed(&fixture);
    let plan = fixture
        .sandbox
        .succeed(&["diff", "--stage", "dev", "--local", "--json"]);
    let plan = plan.json();
    let changes = &plan["stacks"][0]["changes"];
    assert_eq!(changes[0]["logical_id"], "Sales", "{plan}");
    assert_eq!(changes[0]["grade"], "update_in_place", "{plan}");
    assert!(
        changes[0]["reasons"][0]
            .as_str()
            .is_some_and(|told| told.contains("by import")),
        "{plan}"
    );

    fixture.sandbox.succeed(&DEPLOY);
    is_renamed(&fixture, &table);
    let again = fixture.sandbox.succeed(&DEPLOY);
    let summary = again.json_lines().pop().unwrap_or_default();
    assert_eq!(summary["stacks"][0]["outcome"], "unchanged", "{summary}");

    // What changes of it later changes that table.
    let streamed = json!({
        "BillingMode": "PAY_PER_REQUEST", "StreamSpecification": {"StreamViewType": "KEYS_ONLY"},
    });
    describe_with(&fixture, "Sales", &json!({}), &streamed);
    fixture.sandbox.succeed(&DEPLOY);
    is_renamed(&fixture, &table);
}

/// The release that renamed the table is not there: the events of the stack tell what it was called.
#[test]
fn a_rollback_over_a_rename_that_no_release_tells_of_keeps_what_the_table_holds() {
    let fixture = Fixture::new(&json!({}));
    fixture
        .sandbox
        .succeed(&["bootstrap", "--stage", "dev", "--local"]);
    let table = deployed(&fixture);
    fixture.sandbox.succeed(&DEPLOY);
    is_renamed(&fixture, &table);
    let account = fixture.sandbox.account();
    let bucket = fixture.bucket();
    let mut releases = account.versions(&bucket, "sales-dev/release/");
    releases.sort();
    let second = releases.pop().expect("it was written");
    assert!(second.contains("/000002"), "{second}");
    account.request("s3", "DELETE", &format!("/{bucket}/{second}"), &[], "");

    let back = ["rollback", "sales", "--to", "previous"];
    let back = [&back[..], &["--stage", "dev", "--local", "--json"]].concat();
    fixture.sandbox.succeed(&back);
    let stack = [("StackName", "sales-dev")];
    let listed = account.query("cloudformation", "2010-05-15", "ListStackResources", &stack);
    let mut ids = texts(&listed, "LogicalResourceId");
    ids.sort();
    assert_eq!(ids, ["Orders", "Place"]);
    let key = json!({"TableName": table, "Key": {"id": {"S": "precious"}}});
    let found = account.call("dynamodb", "DynamoDB_20120810.GetItem", &key);
    assert_eq!(found["Item"]["id"]["S"], "precious", "{found}");
}

/// Returns what the plan says of the table.
fn planned(fixture: &Fixture) -> Value {
    let diff = ["diff", "--stage", "dev", "--local", "--json"];
    let plan = fixture.sandbox.succeed(&diff).json();
    let changes = plan["stacks"][0]["changes"].as_array().cloned();
    let mut changes = changes.into_iter().flatten();
    let table = changes.find(|change| change["logical_id"] == "Sales");
    table.unwrap_or_else(|| panic!("{plan}"))
}

#[test]
fn what_was_changed_about_a_table_past_its_stack_is_told_before_it_is_renamed() {
    let fixture = Fixture::new(&json!({}));
    let table = deployed(&fixture);
    let account = fixture.sandbox.account();
    let protection = json!({"TableName": table, "DeletionProtectionEnabled": true});
    account.call("dynamodb", "DynamoDB_20120810.UpdateTable", &protection);
    let change = planned(&fixture);
    assert_eq!(change["grade"], "update_in_place", "{change}");
    let billing = json!({
        "TableName": table, "BillingMode": "PROVISIONED", "DeletionProtectionEnabled": false,
        "ProvisionedThroughput": {"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    });
    account.call("dynamodb", "DynamoDB_20120810.UpdateTable", &billing);
    let change = planned(&fixture);
    assert_eq!(change["grade"], "interruption", "{change}");
    let reasons = change["reasons"].to_string();
    assert!(
        reasons.contains("changed past CloudFormation") && reasons.contains("/BillingMode"),
        "{change}"
    );
    let name = json!({"TableName": table});
    account.call("dynamodb", "DynamoDB_20120810.DeleteTable", &name);
    let change = planned(&fixture);
    assert_eq!(change["grade"], "impossible", "{change}");
    let reasons = change["reasons"].to_string();
    assert!(
        reasons.contains("was deleted past CloudFormation"),
        "{change}"
    );
}

#[test]
fn a_table_whose_note_somebody_took_away_is_told() {
    let fixture = Fixture::new(&json!({}));
    let table = deployed(&fixture);
    let account = fixture.sandbox.account();
    // Another template, past us, while the table is outside.
    for (value, is_there) in [("leaves", true), ("left", false)] {
        let mut template = json!({"Resources": {"Place": {"Type": "AWS::SSM::Parameter", "Properties": {
            "Name": "/moved/table", "Type": "String", "Value": value,
        }}}});
        if is_there {
            template["Resources"]["Orders"] = json!({
                "Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain",
                "Properties": {
                    "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                },
            });
        }
        let template = template.to_string();
        let update = [
            ("StackName", "sales-dev"),
            ("TemplateBody", template.as_str()),
        ];
        account.query("cloudformation", "2010-05-15", "UpdateStack", &update);
        let is_done = within(PATIENCE, || {
            let stack = [("StackName", "sales-dev")];
            let answer = account.query("cloudformation", "2010-05-15", "DescribeStacks", &stack);
            let status = texts(&answer, "StackStatus").concat();
            status.starts_with("UPDATE_COMPLETE").then_some(())
        });
        assert!(is_done.is_some(), "{value}");
    }
    let change = planned(&fixture);
    assert_eq!(change["action"], "create", "{change}");
    assert_eq!(change["grade"], "data_loss", "{change}");
    let told =
        format!("Orders (AWS::DynamoDB::Table {table}) was kept outside when it left the stack");
    assert!(change["reasons"].to_string().contains(&told), "{change}");
}

/// Replaces the stacks of the workspace by one, in which a bucket has a policy.
fn describe_bucket(fixture: &Fixture, bucket: &str, moved: &Value, along: &Value) {
    let policy = format!("{bucket}Policy");
    let template = json!({
        "Resources": {
            bucket: {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"},
            policy: {"Type": "AWS::S3::BucketPolicy", "Properties": {
                "Bucket": {"Ref": bucket},
                "PolicyDocument": {"Version": "2012-10-17", "Statement": [{
                    "Sid": "Own", "Effect": "Allow", "Action": "s3:GetObject",
                    "Principal": {"AWS": {"Fn::Sub": "arn:aws:iam::${AWS::AccountId}:root"}},
                    "Resource": {"Fn::Sub": format!("${{{bucket}.Arn}}/*")},
                }]},
            }},
        },
        "Outputs": {"Bucket": {"Value": {"Ref": bucket}}},
    })
    .to_string();
    let assembly = fixture.workspace().join("assembly");
    fs::write(assembly.join("sales-dev.template.json"), &template)
        .expect("the workspace can be written");
    let manifest = json!({
        "format": 1, "stage": "dev", "contracts": {}, "assets": {},
        "stacks": [{
            "name": "sales-dev", "id": "sales", "sha256": hash(&template),
            "template": "sales-dev.template.json", "moved": moved, "along": along,
        }],
    });
    fs::write(assembly.join("manifest.json"), manifest.to_string())
        .expect("the workspace can be written");
}

/// A bucket that lost its policy would be open, or closed to those who need it.
#[test]
fn a_bucket_takes_its_policy_along() {
    let fixture = Fixture::new(&json!({}));
    describe_bucket(&fixture, "Receipts", &json!({}), &json!({}));
    fixture.sandbox.succeed(&DEPLOY);
    let account = fixture.sandbox.account();
    let bucket = fixture.sandbox.outputs("sales").text("sales-dev", "Bucket");
    let policy = || account.get("s3", &format!("/{bucket}?policy")).body;
    let before = policy();
    assert!(before.contains("s3:GetObject"), "{before}");

    let along = json!({
        "ReceiptsPolicy": {"to": "SlipsPolicy", "with": "Slips"},
        // It was never there.
        "SorterReceiptsPermission": {"to": "SorterSlipsPermission", "with": "Slips"},
    });
    describe_bucket(&fixture, "Slips", &json!({"Receipts": "Slips"}), &along);
    let diff = ["diff", "--stage", "dev", "--local", "--json"];
    let plan = fixture.sandbox.succeed(&diff).json();
    let changes = plan["stacks"][0]["changes"].as_array().cloned();
    let renamed: Vec<(Value, Value, Value)> = changes
        .into_iter()
        .flatten()
        .map(|it| {
            (
                it["moved_from"].clone(),
                it["logical_id"].clone(),
                it["grade"].clone(),
            )
        })
        .collect();
    let pair = |from: &str, to: &str| (json!(from), json!(to), json!("update_in_place"));
    assert_eq!(
        renamed,
        [
            pair("Receipts", "Slips"),
            pair("ReceiptsPolicy", "SlipsPolicy")
        ],
        "{plan}"
    );

    fixture.sandbox.succeed(&DEPLOY);
    let stack = [("StackName", "sales-dev")];
    let listed = account.query("cloudformation", "2010-05-15", "ListStackResources", &stack);
    let mut ids = texts(&listed, "LogicalResourceId");
    ids.sort();
    assert_eq!(ids, ["Slips", "SlipsPolicy"]);
    assert_eq!(policy(), before);
    let again = fixture.sandbox.succeed(&DEPLOY);
    let summary = again.json_lines().pop().unwrap_or_default();
    assert_eq!(summary["stacks"][0]["outcome"], "unchanged", "{summary}");
}
