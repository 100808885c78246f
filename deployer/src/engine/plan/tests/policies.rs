//! What people read of a policy that changes, in a terminal and in Markdown: all that differs, and nothing false.

use serde_json::{Value, json};

use super::{Plan, plan_of, resources};
use crate::ui;

/// One change of a policy.
struct Case {
    old: Value,
    new: Value,
    /// The lines that tell it.
    lines: &'static [&'static str],
    /// How many properties are shown besides.
    properties: usize,
}

fn policy(statements: &Value) -> Value {
    resources(&json!({
        "Topic": {"Type": "AWS::SNS::Topic"},
        "Policy": {"Type": "AWS::Logs::ResourcePolicy", "Properties": {
            "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
        }},
    }))
}

impl Case {
    fn new(old: Value, new: Value, lines: &'static [&'static str]) -> Self {
        Self {
            old,
            new,
            lines,
            properties: 0,
        }
    }

    fn hold(&self) {
        let stack = plan_of(&policy(&self.old), &policy(&self.new));
        let [change] = stack.changes.as_slice() else {
            panic!("{} changes: {stack:?}", stack.changes.len());
        };
        assert_eq!(change.reasons, self.lines, "{} to {}", self.old, self.new);
        assert_eq!(change.untold_properties().count(), self.properties);
        let plan = Plan {
            stacks: vec![stack.clone()],
        };
        let tree = anstream::adapter::strip_str(&ui::plan(&plan, false)).to_string();
        let markdown = ui::markdown(&plan, "dev", None, ui::COMMENT).replace('\\', "");
        for line in self.lines {
            assert!(tree.contains(line), "{line}\n{tree}");
            assert!(markdown.contains(line), "{line}\n{markdown}");
        }
    }
}

/// Returns a statement about sending, with other elements beside.
fn sending(other: &Value) -> Value {
    let mut statement = json!({"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "q"});
    for (key, value) in other.as_object().into_iter().flatten() {
        statement[key] = value.clone();
    }
    json!([statement])
}

fn from(source: &Value) -> Value {
    json!({"ArnEquals": {"aws:SourceArn": source}})
}

#[test]
fn a_condition_is_told_with_what_it_is_for() {
    let topic = json!({"Ref": "Topic"});
    let free = sending(&json!({}));
    let asked = sending(&json!({ "Condition": from(&topic) }));
    let other = sending(&json!({ "Condition": from(&json!("arn:b")) }));
    let mut both = from(&topic);
    both["StringEquals"] = json!({"aws:SourceAccount": ["2", "1"]});
    let both = sending(&json!({ "Condition": both }));
    for case in [
        Case::new(
            free.clone(),
            asked.clone(),
            &["allows only if aws:SourceArn ArnEquals Topic: sqs:SendMessage on q"],
        ),
        Case::new(
            asked.clone(),
            free,
            &["allows more: sqs:SendMessage on q, so far only if aws:SourceArn ArnEquals Topic"],
        ),
        Case::new(
            asked.clone(),
            other,
            &[
                "allows more: sqs:SendMessage on q if aws:SourceArn ArnEquals arn:b",
                "allows no more: sqs:SendMessage on q if aws:SourceArn ArnEquals Topic",
            ],
        ),
        Case::new(
            asked.clone(),
            both.clone(),
            &[
                "allows no more: sqs:SendMessage on q if aws:SourceArn ArnEquals Topic, but only if \
                 aws:SourceAccount StringEquals [1, 2] and aws:SourceArn ArnEquals Topic",
            ],
        ),
        Case::new(
            both,
            asked,
            &[
                "allows more: sqs:SendMessage on q if aws:SourceArn ArnEquals Topic, so far only if \
                 aws:SourceAccount StringEquals [1, 2] and aws:SourceArn ArnEquals Topic",
            ],
        ),
    ] {
        case.hold();
    }
}

#[test]
fn what_was_there_in_parts_is_told_with_all_of_them() {
    let allow = |action: &str| json!({"Effect": "Allow", "Action": action, "Resource": "b"});
    let mut gets = allow("s3:Get*");
    gets["Condition"] = from(&json!("arn:c"));
    let rest = json!({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"});
    let accounts = |numbers: Value| {
        sending(&json!({"Condition": {"StringEquals": {"aws:SourceAccount": numbers}}}))
    };
    for case in [
        Case::new(
            json!([allow("s3:Put*"), gets]),
            json!([allow("s3:*")]),
            &[
                "allows more: s3:* on b, so far only s3:Get* on b if aws:SourceArn ArnEquals arn:c or \
                 s3:Put* on b",
            ],
        ),
        Case::new(
            accounts(json!(["1", "2"])),
            accounts(json!("1")),
            &[
                "allows no more: sqs:SendMessage on q if aws:SourceAccount StringEquals [1, 2], but only if \
                 aws:SourceAccount StringEquals 1",
            ],
        ),
        Case::new(
            json!([rest, allow("s3:*")]),
            json!([rest]),
            &["allows no more: s3:* on b, but only everything but iam:* on *"],
        ),
    ] {
        case.hold();
    }
}

#[test]
fn denials_and_exceptions_are_told_in_full() {
    let with = |statement: Value| {
        json!([
            {"Effect": "Allow", "Action": "s3:*", "Resource": "b"},
            statement,
        ])
    };
    let alone = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "b"}]);
    let denied = |action: &str| {
        json!({"Effect": "Deny", "Principal": "*", "Action": action, "Resource": "b",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}})
    };
    let but = json!({"Effect": "Deny", "NotPrincipal": {"AWS": ["one", "two"]}, "Action": "s3:*", "NotResource": "b"});
    for case in [
        Case::new(
            alone.clone(),
            with(denied("s3:Put*")),
            &["denies more: s3:Put* on b by AWS * if aws:SecureTransport Bool false"],
        ),
        Case::new(
            with(denied("s3:Put*")),
            with(denied("s3:Get*")),
            &[
                "denies no more: s3:Put* on b by AWS * if aws:SecureTransport Bool false",
                "denies more: s3:Get* on b by AWS * if aws:SecureTransport Bool false",
            ],
        ),
        // What is still denied, by a wider statement, is not called allowed.
        Case::new(
            with(denied("s3:Put*")),
            with(denied("s3:*")),
            &[
                "denies more: s3:* on b by AWS * if aws:SecureTransport Bool false, so far only \
               s3:Put* on b by AWS * if aws:SecureTransport Bool false",
            ],
        ),
        Case::new(
            alone.clone(),
            with(but.clone()),
            &["denies more: s3:* on everything but b by everybody but AWS [one, two]"],
        ),
        Case::new(
            with(but),
            alone.clone(),
            &["denies no more: s3:* on everything but b by everybody but AWS [one, two]"],
        ),
        Case::new(
            alone,
            json!([{"Effect": "Allow", "Action": "s3:Get*", "Resource": "b"}]),
            &["allows no more: s3:* on b, but only s3:Get* on b"],
        ),
    ] {
        case.hold();
    }
}

#[test]
fn what_only_cloudformation_decides_is_shown() {
    let chosen = |effect: &str| json!({"Effect": {"Fn::If": ["IsProd", "Deny", effect]}, "Action": "a:B", "Resource": "*"});
    let with = |statement: &Value, action: &str| json!([statement, {"Effect": "Allow", "Action": action, "Resource": "*"}]);
    Case::new(
        with(&chosen("Allow"), "a:C"),
        with(&chosen("Deny"), "a:D"),
        &[
            "allows more: a:D on *",
            "allows no more: a:B on * (a condition decides)",
            "allows no more: a:C on *",
            "denies more: a:B on * (a condition decides)",
        ],
    )
    .hold();
    // The lines do not tell which of two policies is chosen when.
    let document = |action: &str| json!({"Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]});
    let role = |first: &str, second: &str| {
        resources(&json!({"Role": {"Type": "AWS::IAM::Role", "Properties": {
            "AssumeRolePolicyDocument": document(first),
            "Policies": {"Fn::If": ["IsProd", document(first), document(second)]},
        }}}))
    };
    let stack = plan_of(&role("a:B", "a:C"), &role("a:D", "a:B"));
    let shown: Vec<String> = stack.changes[0]
        .untold_properties()
        .map(|property| property.path.to_string())
        .collect();
    assert_eq!(shown, ["Properties.Policies"]);
}

#[test]
fn what_says_the_same_says_so() {
    let named = sending(&json!({"Sid": "One"}));
    let (mut split, mut twice) = (named.clone(), named.clone());
    split[0]["Action"] = json!(["sqs:SendMessage", "sqs:ReceiveMessage"]);
    twice[0]["Action"] = json!("sqs:SendMessage");
    let mut other = twice[0].clone();
    other["Action"] = json!("SQS:receivemessage");
    for (old, new) in [
        (named, sending(&json!({"Sid": "Two"}))),
        (split, json!([twice[0], other, twice[0]])),
    ] {
        let case = Case {
            properties: 1,
            ..Case::new(old, new, &["allows and denies the same as before"])
        };
        case.hold();
    }
    // The rules of a firewall have statements that are none of a policy.
    let rules = |limit: u32| {
        resources(
            &json!({"Acl": {"Type": "AWS::WAFv2::WebACL", "Properties": {
                "Rules": [{"Name": "all", "Statement": {"RateBasedStatement": {"Limit": limit}}}],
            }}}),
        )
    };
    let stack = plan_of(&rules(100), &rules(200));
    assert_eq!(stack.changes[0].reasons, Vec::<String>::new());
    assert_eq!(stack.changes[0].untold_properties().count(), 1);
}

/// A policy of an identity names nobody itself.
#[test]
fn who_has_a_policy_is_told_with_what_it_allows() {
    let template = |actions: Value| {
        resources(&json!({
            "Orders": {"Type": "AWS::DynamoDB::Table"},
            "FulfilRole": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [{"PolicyDocument": {"Statement": [
                {"Effect": "Allow", "Action": actions, "Resource": {"Fn::GetAtt": ["Orders", "Arn"]}},
            ]}}]}},
            "Auditor": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": [{"Ref": "Access"}]}},
            "Fulfil": {"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": ["FulfilRole", "Arn"]}}},
            "Access": {"Type": "AWS::IAM::ManagedPolicy", "Properties": {
                "Roles": [{"Ref": "FulfilRole"}],
                "PolicyDocument": {"Statement": [
                    {"Effect": "Allow", "Action": actions, "Resource": {"Fn::GetAtt": ["Orders", "Arn"]}},
                ]},
            }},
        }))
    };
    let few = template(json!(["dynamodb:GetItem"]));
    let many = template(json!(["dynamodb:DeleteItem", "dynamodb:GetItem"]));
    let told = |old: &Value, new: &Value| -> Vec<String> {
        let changes = plan_of(old, new).changes.into_iter();
        changes.flat_map(|change| change.reasons).collect()
    };
    assert_eq!(
        told(&few, &many),
        [
            "allows more: dynamodb:DeleteItem on Orders.Arn by Auditor, Fulfil (FulfilRole)",
            "allows more: dynamodb:DeleteItem on Orders.Arn by Fulfil",
        ]
    );
    assert_eq!(
        told(&many, &few),
        [
            "allows no more: dynamodb:DeleteItem on Orders.Arn by Auditor, Fulfil (FulfilRole)",
            "allows no more: dynamodb:DeleteItem on Orders.Arn by Fulfil",
        ]
    );
}
