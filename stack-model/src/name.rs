//! Physical names: what AWS accepts in them.

use std::panic::Location;

use stack_model_cfn::Value;

use crate::stack::Stack;

/// What the physical names of a resource type are made of: ASCII letters, digits and a few more characters.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NameRule {
    /// The fewest characters.
    pub(crate) min: usize,
    /// The most characters.
    pub(crate) max: usize,
    /// The characters beside letters and digits.
    pub(crate) others: &'static str,
}

impl NameRule {
    /// Returns what is wrong with a name, if anything.
    pub(crate) fn violation(&self, name: &str) -> Option<String> {
        let Self { min, max, others } = *self;
        let length = name.chars().count();
        if length < min || length > max {
            return Some(format!(
                "`{name}` has {length} characters and AWS takes {min} to {max}"
            ));
        }
        let strange = name
            .chars()
            .find(|c| !c.is_ascii_alphanumeric() && !others.contains(*c))?;
        Some(format!(
            "`{name}` holds {strange:?}; AWS takes letters, digits and {}",
            others
                .chars()
                .map(|c| format!("`{c}`"))
                .collect::<Vec<_>>()
                .join(" ")
        ))
    }
}

impl Stack<'_> {
    /// Reports a literal name that AWS would refuse; a token is known only when the stack is deployed.
    pub(crate) fn check_name(
        &mut self,
        logical_id: &str,
        property: &str,
        name: Option<&Value<String>>,
        rule: NameRule,
        source: &Location<'_>,
    ) {
        let literal = name.and_then(Value::literal);
        if let Some(message) = literal.and_then(|name| rule.violation(name)) {
            self.report(logical_id, Some(property), message, source);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_a_length_and_an_alphabet() {
        let rule = NameRule {
            min: 3,
            max: 5,
            others: "-_",
        };
        for right in ["abc", "a-b_1"] {
            assert_eq!(rule.violation(right), None, "{right}");
        }
        for (wrong, part) in [
            ("ab", "2 characters"),
            ("abcdef", "6 characters"),
            ("a.b", "'.'"),
            ("äbc", "'ä'"),
        ] {
            let message = rule.violation(wrong).unwrap_or_default();
            assert!(message.contains(part), "{wrong}: {message}");
        }
    }
}
