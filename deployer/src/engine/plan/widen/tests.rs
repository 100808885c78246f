use std::collections::BTreeMap;

use serde_json::json;

use super::super::canonical::canonical;
use super::statement::covers;
use super::*;

fn role(statements: &Value) -> Value {
    canonical(
        &json!({"Properties": {"Policies": [{"PolicyDocument": {"Statement": statements}}]}}),
        &BTreeMap::new(),
    )
}

fn allow(actions: &Value, resource: &Value) -> Value {
    json!([{"Effect": "Allow", "Action": actions, "Resource": resource}])
}

fn widened(old: &Value, new: &Value) -> Vec<String> {
    permissions(&role(old), &role(new), "")
}

#[test]
fn narrower_and_equal_policies_widen_nothing() {
    let arn = json!({"Fn::GetAtt": ["Table", "Arn"]});
    for (old, new) in [
        (
            allow(&json!(["s3:Get*", "s3:Put*"]), &json!("*")),
            allow(&json!("s3:GetObject"), &arn),
        ),
        (
            allow(&json!("dynamodb:*"), &arn),
            allow(&json!(["dynamodb:GetItem", "DynamoDB:Put*"]), &arn),
        ),
        (
            allow(&json!("a:B"), &json!("arn:x/*")),
            allow(&json!("a:B"), &json!("arn:x/y")),
        ),
        (
            json!([{"Sid": "1", "Effect": "Allow", "Action": "a:B", "Resource": "*"}]),
            json!([{"Sid": "2", "Effect": "Allow", "Action": ["a:B"], "Resource": ["*"], "Condition": {"Bool": {"x": "y"}}}]),
        ),
        (
            json!([]),
            json!([{"Effect": "Deny", "Action": "*", "Resource": "*"}]),
        ),
    ] {
        assert_eq!(widened(&old, &new), Vec::<String>::new(), "{old} to {new}");
    }
}

#[test]
fn more_is_named() {
    let arn = json!({"Fn::GetAtt": ["Table", "Arn"]});
    for (old, new, expected) in [
        (
            allow(&json!("dynamodb:GetItem"), &arn),
            allow(&json!(["dynamodb:GetItem", "dynamodb:PutItem"]), &arn),
            "allows more: dynamodb:PutItem on Table.Arn",
        ),
        (
            allow(&json!("s3:GetObject"), &json!("arn:a/b")),
            allow(&json!("s3:GetObject"), &json!("arn:a/*")),
            "allows more: s3:GetObject on arn:a/*",
        ),
        (
            json!([{"Effect": "Allow", "Action": "a:B", "Resource": "*", "Condition": {"Bool": {"x": "y"}}}]),
            allow(&json!("a:B"), &json!("*")),
            "allows more: a:B on *, so far only if x Bool y",
        ),
        (
            json!([{"Effect": "Deny", "Action": "*", "Resource": "*"}]),
            json!([]),
            "denies no more: * on *",
        ),
        (
            json!([]),
            json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]),
            "allows more: everything but iam:* on *",
        ),
        (
            json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]),
            json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]}}]),
            "allows more: sts:AssumeRole on the resource itself by Service ec2.amazonaws.com",
        ),
    ] {
        assert_eq!(widened(&old, &new), [expected], "{old} to {new}");
    }
    let attached = json!({"Properties": {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]}});
    assert_eq!(
        permissions(&json!({}), &attached, ""),
        ["allows more: managed policy arn:aws:iam::aws:policy/AdministratorAccess is attached"]
    );
}

#[test]
fn resources_are_named_as_people_name_them() {
    for (value, expected) in [
        (json!({"Ref": "Topic"}), "Topic"),
        (json!({"Fn::GetAtt": ["Table", "Arn"]}), "Table.Arn"),
        (
            json!({"Fn::GetAtt": ["Table", "StreamArn"]}),
            "Table.StreamArn",
        ),
        (
            json!({"Fn::Join": ["", [{"Fn::GetAtt": ["Table", "Arn"]}, "/index/*"]]}),
            "Table.Arn/index/*",
        ),
        (
            json!({"Fn::Join": ["", ["arn:aws:s3:::", {"Ref": "AWS::AccountId"}, "-x"]]}),
            "arn:aws:s3:::${AWS::AccountId}-x",
        ),
        (
            json!({"Fn::ImportValue": "photos-data-dev-Albums"}),
            "export photos-data-dev-Albums",
        ),
        (json!({"Fn::Select": [0, []]}), "{\"Fn::Select\":[0,[]]}"),
    ] {
        assert_eq!(text(&value), expected);
    }
}

#[test]
fn what_is_allowed_no_more_is_named_too() {
    let arn = json!({"Fn::GetAtt": ["Table", "Arn"]});
    let document = |statement: Value| json!({"Properties": {"Policies": [{"PolicyDocument": {"Statement": statement}}]}});
    let old = document(allow(&json!(["a:B", "a:C"]), &arn));
    let denying = json!([
        {"Effect": "Allow", "Action": "a:B", "Resource": arn},
        {"Effect": "Deny", "Action": "a:D", "Resource": "*"},
    ]);
    let new = document(denying);
    assert_eq!(
        narrowed(&old, &new, ""),
        ["allows no more: a:C on Table.Arn", "denies more: a:D on *"]
    );
    assert_eq!(narrowed(&new, &new, ""), [""; 0]);
    assert!(is_policy(&[&new]) && !is_policy(&[&json!({"Effect": "Deny"})]));
}

#[test]
fn wildcards_cover_as_in_iam() {
    for (wide, narrow, expected) in [
        ("*", "", true),
        ("a*c", "abbc", true),
        ("a*c", "abbd", false),
        ("a?c", "abc", true),
        ("a?c", "a*c", false),
        ("s3:*", "s3:Get*", true),
        ("s3:Get*", "s3:*", false),
        ("*a*b*", "xxaxxbxx", true),
        ("abc", "ab", false),
    ] {
        assert_eq!(
            covers(wide.as_bytes(), narrow.as_bytes()),
            expected,
            "{wide} {narrow}"
        );
    }
}

#[test]
fn a_permission_says_who_else_may_call() {
    let permission = |own: Value| {
        let mut properties = json!({"Action": "lambda:InvokeFunction", "Principal": "s3.amazonaws.com", "SourceArn": "arn:aws:s3:::a"});
        for (name, value) in own.as_object().into_iter().flatten() {
            properties[name] = value.clone();
        }
        json!({"Type": "AWS::Lambda::Permission", "Properties": properties})
    };
    for (old, new, expected) in [
        (
            json!({}),
            json!({"SourceArn": "arn:aws:s3:::b"}),
            vec!["allows more: calls from arn:aws:s3:::b"],
        ),
        (json!({"SourceArn": "arn:aws:s3:::*"}), json!({}), vec![]),
        (
            json!({}),
            json!({"Principal": "sns.amazonaws.com"}),
            vec!["allows more: calls by sns.amazonaws.com"],
        ),
        (
            json!({}),
            json!({"Action": "lambda:*"}),
            vec!["allows more: lambda:*"],
        ),
    ] {
        assert_eq!(
            permissions(&permission(old), &permission(new), ""),
            expected
        );
    }
}

#[test]
fn what_no_longer_bounds_a_role_is_named() {
    let bounded = |boundary: &Value| json!({"Properties": {"PermissionsBoundary": boundary}});
    let one = bounded(&json!("arn:aws:iam::123456789012:policy/one"));
    let two = bounded(&json!("arn:aws:iam::123456789012:policy/two"));
    let free = json!({"Properties": {}});
    assert_eq!(
        permissions(&one, &free, ""),
        ["allows more: the permissions boundary arn:aws:iam::123456789012:policy/one is removed"]
    );
    assert_eq!(
        permissions(&one, &two, ""),
        ["allows more: the permissions boundary becomes arn:aws:iam::123456789012:policy/two"]
    );
    assert!(permissions(&free, &one, "").is_empty());
    assert!(permissions(&one, &one, "").is_empty());
}
