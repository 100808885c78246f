//! Finds who may do more than before, and what more of the world can reach.
//!
//! The comparison works on canonical values: lists of actions, resources and principals are lists, and sorted. Where it
//! cannot tell whether something is covered, it says widened: a false alarm costs a look, a silent one an incident.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use serde_json::Value;

/// Returns what an update of a resource allows that was not allowed before, one line each.
pub(super) fn permissions(old: &Value, new: &Value) -> Vec<String> {
    let before = documents(old);
    let mut found = BTreeSet::new();
    let denials: Vec<&Value> = documents(new)
        .into_iter()
        .filter(|s| is(s, "Deny"))
        .collect();
    for statement in before.iter().filter(|statement| is(statement, "Deny")) {
        if !denials
            .iter()
            .any(|other| without_sid(other) == without_sid(statement))
        {
            found.insert("a statement that denies is removed or changed".to_owned());
        }
    }
    let allowed: Vec<&Value> = before.into_iter().filter(|s| is(s, "Allow")).collect();
    for statement in documents(new).into_iter().filter(|s| is(s, "Allow")) {
        found.extend(more(statement, &allowed));
    }
    for arn in managed(new).difference(&managed(old)) {
        found.insert(format!("managed policy {arn} is attached"));
    }
    found.into_iter().collect()
}

/// Returns the statements of all policies in a value.
fn documents(value: &Value) -> Vec<&Value> {
    let mut found = Vec::new();
    collect(value, &mut found);
    found
}

fn collect<'a>(value: &'a Value, found: &mut Vec<&'a Value>) {
    match value {
        Value::Object(entries) => {
            if let Some(Value::Array(statements)) = entries.get("Statement") {
                found.extend(statements);
            } else {
                entries.values().for_each(|entry| collect(entry, found));
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, found)),
        _ => {}
    }
}

fn is(statement: &Value, effect: &str) -> bool {
    statement.get("Effect").and_then(Value::as_str) == Some(effect)
}

fn without_sid(statement: &Value) -> Value {
    let mut statement = statement.clone();
    if let Value::Object(entries) = &mut statement {
        entries.remove("Sid");
    }
    statement
}

/// Returns what a statement allows that none of the earlier ones does.
fn more(statement: &Value, earlier: &[&Value]) -> Vec<String> {
    if earlier
        .iter()
        .any(|other| without_sid(other) == without_sid(statement))
    {
        return Vec::new();
    }
    let inverted = ["NotAction", "NotResource", "NotPrincipal"]
        .iter()
        .any(|key| statement.get(key).is_some());
    if inverted {
        return vec!["a statement allows everything but some things".to_owned()];
    }
    let covering: Vec<&&Value> = earlier
        .iter()
        .filter(|other| {
            // A condition narrows: another one, or none where there was one, is not covered.
            other.get("Condition").is_none() || other.get("Condition") == statement.get("Condition")
        })
        .collect();
    let mut found = Vec::new();
    for action in elements(statement.get("Action")) {
        for resource in elements_or_any(statement.get("Resource")) {
            for principal in principals(statement) {
                let covered = covering.iter().any(|other| {
                    elements(other.get("Action"))
                        .iter()
                        .any(|wide| matches(wide, action, true))
                        && elements_or_any(other.get("Resource"))
                            .iter()
                            .any(|wide| matches(wide, resource, false))
                        && principals(other).iter().any(|(kind, wide)| {
                            *kind == principal.0 && matches(wide, principal.1, false)
                        })
                });
                if !covered {
                    let mut line = format!("{} on {}", text(action), text(resource));
                    if !principal.0.is_empty() {
                        // Writing to a String cannot fail.
                        let _ = write!(line, " by {} {}", principal.0, text(principal.1));
                    }
                    found.push(line);
                }
            }
        }
    }
    found
}

/// Stands for a part that a statement does not have.
static ANY: Value = Value::Null;

fn elements(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(elements)) => elements.iter().collect(),
        Some(other) => vec![other],
        None => Vec::new(),
    }
}

fn elements_or_any(value: Option<&Value>) -> Vec<&Value> {
    match value {
        None => vec![&ANY],
        some => elements(some),
    }
}

/// Returns the principals of a statement with their kinds. A policy of an identity has none.
fn principals(statement: &Value) -> Vec<(&str, &Value)> {
    match statement.get("Principal") {
        None => vec![("", &ANY)],
        Some(Value::Object(kinds)) => kinds
            .iter()
            .flat_map(|(kind, names)| {
                elements(Some(names))
                    .into_iter()
                    .map(move |name| (kind.as_str(), name))
            })
            .collect(),
        Some(other) => vec![("AWS", other)],
    }
}

/// Returns whether a pattern covers a value. Intrinsics cover only themselves.
fn matches(wide: &Value, narrow: &Value, ignore_case: bool) -> bool {
    if wide == narrow {
        return true;
    }
    let (Some(wide), Some(narrow)) = (wide.as_str(), narrow.as_str()) else {
        return wide.as_str() == Some("*");
    };
    if ignore_case {
        covers(
            wide.to_ascii_lowercase().as_bytes(),
            narrow.to_ascii_lowercase().as_bytes(),
        )
    } else {
        covers(wide.as_bytes(), narrow.as_bytes())
    }
}

/// Matches `*` and `?` as IAM does. A narrow text with wildcards of its own is covered where the wide one takes them
/// literally, which is right: `s3:*` covers `s3:Get*`.
fn covers(wide: &[u8], narrow: &[u8]) -> bool {
    let (mut at, mut of) = (0, 0);
    let mut star = None;
    while let Some(byte) = narrow.get(of) {
        match wide.get(at) {
            Some(b'*') => {
                star = Some((at, of));
                at += 1;
            }
            Some(b'?') if *byte != b'*' => (at, of) = (at + 1, of + 1),
            Some(other) if other == byte => (at, of) = (at + 1, of + 1),
            _ => match &mut star {
                Some((start, reached)) => {
                    *reached += 1;
                    (at, of) = (*start + 1, *reached);
                }
                None => return false,
            },
        }
    }
    wide.get(at..)
        .is_some_and(|rest| rest.iter().all(|byte| *byte == b'*'))
}

/// Returns the managed policies that a role, user or group is given.
fn managed(resource: &Value) -> BTreeSet<String> {
    elements(
        resource
            .get("Properties")
            .and_then(|properties| properties.get("ManagedPolicyArns")),
    )
    .into_iter()
    .map(text)
    .collect()
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "the resource itself".to_owned(),
        other => other.to_string(),
    }
}

/// Returns what of a resource more of the world can reach than before; for a new resource, `old` is `None`.
pub(super) fn exposures(resource_type: &str, old: Option<&Value>, new: &Value) -> Vec<String> {
    let before = old.map(|old| open(resource_type, old)).unwrap_or_default();
    open(resource_type, new)
        .difference(&before)
        .cloned()
        .collect()
}

/// Returns how the world can reach a resource.
fn open(resource_type: &str, resource: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let empty = Value::Null;
    let properties = resource.get("Properties").unwrap_or(&empty);
    let property = |name: &str| properties.get(name).and_then(Value::as_str);
    match resource_type {
        "AWS::ApiGateway::Method"
            if property("HttpMethod") != Some("OPTIONS")
                && property("AuthorizationType").is_none_or(|kind| kind == "NONE")
                && !is_true(properties.get("ApiKeyRequired")) =>
        {
            found.insert("the route takes calls without authorization".to_owned());
        }
        "AWS::ApiGatewayV2::Route"
            if property("AuthorizationType").is_none_or(|kind| kind == "NONE") =>
        {
            found.insert("the route takes calls without authorization".to_owned());
        }
        "AWS::Lambda::Url" if property("AuthType") == Some("NONE") => {
            found.insert("the function URL takes calls without authorization".to_owned());
        }
        "AWS::Lambda::Permission" if property("Principal") == Some("*") => {
            found.insert("everybody may call the function".to_owned());
        }
        "AWS::S3::Bucket" => {
            let block = properties.get("PublicAccessBlockConfiguration");
            for name in [
                "BlockPublicAcls",
                "BlockPublicPolicy",
                "IgnorePublicAcls",
                "RestrictPublicBuckets",
            ] {
                // AWS blocks public access of new buckets where nothing is said.
                if block.is_some_and(|block| !is_true(block.get(name))) {
                    found.insert(format!("{name} is off"));
                }
            }
        }
        _ => {}
    }
    if allows_everybody(resource) {
        found.insert("a policy allows everybody, without a condition".to_owned());
    }
    if names_any_origin(properties) {
        found.insert("any web page may call it (CORS origin `*`)".to_owned());
    }
    found
}

fn is_true(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(value)) => *value,
        Some(Value::String(text)) => text == "true",
        // An intrinsic: nobody knows, and nothing was switched off in plain sight.
        Some(Value::Object(_)) => true,
        _ => false,
    }
}

fn allows_everybody(resource: &Value) -> bool {
    documents(resource).into_iter().any(|statement| {
        is(statement, "Allow")
            && statement.get("Condition").is_none()
            && principals(statement)
                .iter()
                .any(|(_, name)| name.as_str() == Some("*"))
    })
}

/// Returns whether a CORS setting of API Gateway, Lambda or S3 names every origin.
fn names_any_origin(properties: &Value) -> bool {
    let settings = ["CorsConfiguration", "Cors"]
        .iter()
        .filter_map(|name| properties.get(name));
    let mut rules = settings.flat_map(|setting| match setting.get("CorsRules") {
        Some(Value::Array(rules)) => rules.iter().collect(),
        _ => vec![setting],
    });
    rules.any(|rule| {
        ["AllowOrigins", "AllowedOrigins"].iter().any(|key| {
            elements(rule.get(key))
                .iter()
                .any(|origin| origin.as_str() == Some("*"))
        })
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::super::canonical::canonical;
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
        permissions(&role(old), &role(new))
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
                "dynamodb:PutItem on {\"Fn::GetAtt\":[\"Table\",\"Arn\"]}",
            ),
            (
                allow(&json!("s3:GetObject"), &json!("arn:a/b")),
                allow(&json!("s3:GetObject"), &json!("arn:a/*")),
                "s3:GetObject on arn:a/*",
            ),
            (
                json!([{"Effect": "Allow", "Action": "a:B", "Resource": "*", "Condition": {"Bool": {"x": "y"}}}]),
                allow(&json!("a:B"), &json!("*")),
                "a:B on *",
            ),
            (
                json!([{"Effect": "Deny", "Action": "*", "Resource": "*"}]),
                json!([]),
                "a statement that denies is removed or changed",
            ),
            (
                json!([]),
                json!([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}]),
                "a statement allows everything but some things",
            ),
            (
                json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]),
                json!([{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["lambda.amazonaws.com", "ec2.amazonaws.com"]}}]),
                "sts:AssumeRole on the resource itself by Service ec2.amazonaws.com",
            ),
        ] {
            assert_eq!(widened(&old, &new), [expected], "{old} to {new}");
        }
        let attached = json!({"Properties": {"ManagedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]}});
        assert_eq!(
            permissions(&json!({}), &attached),
            ["managed policy arn:aws:iam::aws:policy/AdministratorAccess is attached"]
        );
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
    fn exposures_are_found() {
        for (resource_type, properties, expected) in [
            (
                "AWS::ApiGateway::Method",
                json!({"HttpMethod": "POST", "AuthorizationType": "NONE"}),
                1,
            ),
            (
                "AWS::ApiGateway::Method",
                json!({"HttpMethod": "POST", "AuthorizationType": "AWS_IAM"}),
                0,
            ),
            (
                "AWS::ApiGateway::Method",
                json!({"HttpMethod": "POST", "ApiKeyRequired": true}),
                0,
            ),
            (
                "AWS::ApiGateway::Method",
                json!({"HttpMethod": "OPTIONS"}),
                0,
            ),
            (
                "AWS::Lambda::Url",
                json!({"AuthType": "NONE", "Cors": {"AllowOrigins": ["*"]}}),
                2,
            ),
            ("AWS::Lambda::Permission", json!({"Principal": "*"}), 1),
            ("AWS::S3::Bucket", json!({}), 0),
            (
                "AWS::S3::Bucket",
                json!({"PublicAccessBlockConfiguration": {"BlockPublicAcls": true}}),
                3,
            ),
            (
                "AWS::S3::Bucket",
                json!({"CorsConfiguration": {"CorsRules": [{"AllowedOrigins": ["*"]}]}}),
                1,
            ),
            (
                "AWS::S3::BucketPolicy",
                json!({"PolicyDocument": {"Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["s3:GetObject"]}]}}),
                1,
            ),
            (
                "AWS::S3::BucketPolicy",
                json!({"PolicyDocument": {"Statement": [{"Effect": "Deny", "Principal": "*", "Action": ["*"]}]}}),
                0,
            ),
        ] {
            let new = json!({ "Properties": properties });
            let found = exposures(resource_type, None, &new);
            assert_eq!(
                found.len(),
                expected,
                "{resource_type} {properties}: {found:?}"
            );
            assert!(exposures(resource_type, Some(&new), &new).is_empty());
        }
    }
}
