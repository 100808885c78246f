//! What a stack policy denies, whoever wrote it.
//!
//! A policy denies what it does not allow, and a denial counts for more than what allows the same; see
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html>.

use serde_json::Value;

use crate::engine::plan::{covers, moves::Need};

/// Returns the first of what is needed that a policy denies. One that is no policy allows nothing.
pub(super) fn first<'a>(policy: &Value, needs: &'a [Need]) -> Option<&'a Need> {
    let statements = list(&policy["Statement"]);
    needs.iter().find(|need| {
        let has = |effect: &str| {
            let mut statements = statements.iter();
            statements.any(|it| it["Effect"] == effect && is_of(it, need))
        };
        has("Deny") || !has("Allow")
    })
}

/// Returns whether a statement is about what is needed.
fn is_of(statement: &Value, (action, id, resource_type): &Need) -> bool {
    let resource = format!("LogicalResourceId/{id}");
    // Each operator that these policies know asks for the type.
    let conditions = statement["Condition"].as_object().into_iter().flatten();
    names(statement, "Action", action)
        && names(statement, "Resource", &resource)
        && conditions.into_iter().all(|(_, keys)| {
            let types = list(&keys["ResourceType"]);
            types.iter().any(|wide| is_covered(wide, resource_type))
        })
}

/// Returns whether an element, or its opposite, names something.
fn names(statement: &Value, element: &str, what: &str) -> bool {
    let named = |value: &Value| list(value).iter().any(|wide| is_covered(wide, what));
    match statement.get(format!("Not{element}")) {
        Some(others) => !named(others),
        None => named(&statement[element]),
    }
}

fn is_covered(wide: &Value, what: &str) -> bool {
    wide.as_str()
        .is_some_and(|wide| covers(wide.as_bytes(), what.as_bytes()))
}

/// Returns the elements of a list, or the one that stands for it.
fn list(value: &Value) -> &[Value] {
    match value {
        Value::Array(all) => all,
        Value::Null => &[],
        one => std::slice::from_ref(one),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The policies are those of the page, with other names.
    #[test]
    fn a_policy_denies_what_it_does_not_allow() {
        let allow =
            json!({"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"});
        let deny = |action: Value, resource: &str| json!({"Effect": "Deny", "Action": action, "Principal": "*", "Resource": resource});
        let mut tables = deny(json!("Update:*"), "*");
        tables["Condition"] = json!({"StringEquals": {"ResourceType": ["AWS::DynamoDB::Table"]}});
        let mut like = tables.clone();
        like["Condition"] = json!({"StringLike": {"ResourceType": "AWS::Dyn*"}});
        let others = json!({"Effect": "Allow", "NotAction": "Update:Delete", "Principal": "*", "Resource": "*"});
        let but = json!({"Effect": "Allow", "Action": "Update:*", "Principal": "*", "NotResource": "LogicalResourceId/Or*"});
        let deletes = json!(["Update:Replace", "Update:Delete"]);
        for (statements, denied) in [
            (json!([allow]), None),
            (json!(allow), None),
            (
                json!([allow, deny(deletes.clone(), "LogicalResourceId/Orders")]),
                Some("Update:Delete"),
            ),
            (
                json!([allow, deny(deletes, "LogicalResourceId/Other")]),
                None,
            ),
            (
                json!([deny(json!("Update:*"), "LogicalResourceId/Ord*"), allow]),
                Some("Update:Modify"),
            ),
            (json!([allow, tables]), Some("Update:Modify")),
            (json!([allow, like]), Some("Update:Modify")),
            (json!([others]), Some("Update:Delete")),
            (json!([but]), Some("Update:Modify")),
            (json!([]), Some("Update:Modify")),
            (Value::Null, Some("Update:Modify")),
        ] {
            let need = |action| {
                (
                    action,
                    "Orders".to_owned(),
                    "AWS::DynamoDB::Table".to_owned(),
                )
            };
            let needs = [need("Update:Modify"), need("Update:Delete")];
            let policy = json!({"Statement": statements});
            let found = first(&policy, &needs).map(|(action, ..)| *action);
            assert_eq!(found, denied, "{policy}");
        }
    }
}
