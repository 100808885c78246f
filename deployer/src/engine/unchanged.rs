//! Whether a stack is already as it should be, found without a change set.
//!
//! The answer is yes only where CloudFormation would say so too: the last operation ended well, and the template, every
//! parameter and every tag are what is deployed, as AWS itself returns them. Whatever CloudFormation would resolve anew
//! (dynamic references, parameters from SSM, transforms, nested stacks) and whatever it hides (`NoEcho` parameters)
//! leads to a change set. Like a change set, this does not see what somebody changed behind CloudFormation's back.

use std::collections::BTreeMap;

use serde_json::Value;

use super::DeployedStack;
use crate::ascii;
use crate::template::is_hidden;

/// What a template may hold that CloudFormation resolves at the time of a deploy.
const RESOLVED_LATE: [&str; 5] = [
    "{{resolve:",
    "\"Transform\"",
    "Fn::Transform",
    "AWS::SSM::Parameter::",
    "\"AWS::CloudFormation::Stack\"",
];

/// Returns whether a comparison could tell at all; where it could not, the deployed template need not be fetched.
pub(super) fn is_comparable(
    deployed: &DeployedStack,
    template: &str,
    tags: &BTreeMap<String, String>,
) -> bool {
    deployed.status.is_good() && deployed.tags == *tags && is_decidable(template)
}

/// Returns whether a template holds nothing that CloudFormation resolves anew with every deploy.
pub(super) fn is_decidable(template: &str) -> bool {
    !RESOLVED_LATE.iter().any(|text| template.contains(text))
}

/// Returns whether a comparable stack is as it should be.
pub(super) fn is_unchanged(
    deployed: &DeployedStack,
    deployed_template: &str,
    template: &str,
    parameters: &BTreeMap<String, String>,
) -> bool {
    let (Ok(old), Ok(new)) = (
        serde_json::from_str::<Value>(deployed_template),
        serde_json::from_str::<Value>(template),
    ) else {
        return false;
    };
    *ascii::healed(&old, &new) == new && has_parameters(deployed, &new, parameters)
}

/// Returns whether the parameters of a template have the values that are deployed, as far as CloudFormation shows them.
pub(super) fn has_parameters(
    deployed: &DeployedStack,
    template: &Value,
    parameters: &BTreeMap<String, String>,
) -> bool {
    effective(template, parameters).is_some_and(|parameters| parameters == deployed.parameters)
}

/// Returns the value of every parameter of a template, defaults included; none, where CloudFormation hides a value.
fn effective(
    template: &Value,
    given: &BTreeMap<String, String>,
) -> Option<BTreeMap<String, String>> {
    let mut values = given.clone();
    let declared = template.get("Parameters").and_then(Value::as_object);
    for (name, declaration) in declared.into_iter().flatten() {
        if is_hidden(declaration) {
            return None;
        }
        if !values.contains_key(name) {
            let default = match declaration.get("Default")? {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            values.insert(name.clone(), default);
        }
    }
    Some(values)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::tests::described;

    const TEMPLATE: &str = r#"{"Parameters": {"Level": {"Type": "String", "Default": "info"}, "Size": {"Type": "Number", "Default": 3}}, "Resources": {}}"#;

    fn map(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
            .collect()
    }

    fn deployed(status: &str) -> DeployedStack {
        DeployedStack {
            parameters: map(&[("Level", "info"), ("Size", "3")]),
            tags: map(&[("team", "a")]),
            ..described(status)
        }
    }

    #[test]
    fn the_same_template_parameters_and_tags_are_unchanged() {
        let stack = deployed("UPDATE_COMPLETE");
        assert!(is_comparable(&stack, TEMPLATE, &map(&[("team", "a")])));
        let reformatted = TEMPLATE.replace(' ', "\n");
        assert!(is_unchanged(&stack, &reformatted, TEMPLATE, &map(&[])));
        assert!(is_unchanged(
            &stack,
            TEMPLATE,
            TEMPLATE,
            &map(&[("Level", "info")])
        ));
    }

    #[test]
    fn any_difference_is_a_change() {
        let stack = deployed("UPDATE_COMPLETE");
        assert!(!is_comparable(&stack, TEMPLATE, &map(&[("team", "b")])));
        assert!(!is_unchanged(
            &stack,
            TEMPLATE,
            TEMPLATE,
            &map(&[("Level", "debug")])
        ));
        let other = TEMPLATE.replace("\"Default\": 3", "\"Default\": 4");
        assert!(!is_unchanged(&stack, TEMPLATE, &other, &map(&[])));
        assert!(!is_unchanged(&stack, "Resources: {}", TEMPLATE, &map(&[])));
    }

    #[test]
    fn a_rolled_back_stack_is_not_comparable() {
        for status in ["UPDATE_ROLLBACK_COMPLETE", "CREATE_FAILED"] {
            assert!(!is_comparable(
                &deployed(status),
                TEMPLATE,
                &map(&[("team", "a")])
            ));
        }
    }

    #[test]
    fn what_is_resolved_late_or_hidden_is_not_compared() {
        let tags = map(&[("team", "a")]);
        let stack = deployed("CREATE_COMPLETE");
        for late in [
            r#"{"Resources": {"A": {"Properties": {"X": "{{resolve:ssm:/a}}"}}}}"#,
            r#"{"Transform": "AWS::Serverless-2016-10-31"}"#,
            r#"{"Parameters": {"P": {"Type": "AWS::SSM::Parameter::Value<String>"}}}"#,
        ] {
            assert!(!is_comparable(&stack, late, &tags), "{late}");
        }
        let hidden = r#"{"Parameters": {"P": {"Type": "String", "NoEcho": true}}}"#;
        let mut stack = deployed("CREATE_COMPLETE");
        stack.parameters = map(&[("P", "****")]);
        assert!(!is_unchanged(
            &stack,
            hidden,
            hidden,
            &map(&[("P", "****")])
        ));
    }
}
