//! The rules of choices.

use std::collections::BTreeMap;

use stack_model_cfn::Expr;

use super::Check;
use crate::stepfunctions::path::{Syntax, syntax};
use crate::stepfunctions::payload::QueryLanguage;

/// The families of operators with those that compare; a boolean is only the same or not.
const COMPARISONS: [(&str, &[&str]); 4] = [
    (
        "String",
        &[
            "Equals",
            "LessThan",
            "GreaterThan",
            "LessThanEquals",
            "GreaterThanEquals",
        ],
    ),
    (
        "Numeric",
        &[
            "Equals",
            "LessThan",
            "GreaterThan",
            "LessThanEquals",
            "GreaterThanEquals",
        ],
    ),
    (
        "Timestamp",
        &[
            "Equals",
            "LessThan",
            "GreaterThan",
            "LessThanEquals",
            "GreaterThanEquals",
        ],
    ),
    ("Boolean", &["Equals"]),
];

/// The operators that say what a value is.
const TESTS: [&str; 6] = [
    "IsNull",
    "IsPresent",
    "IsNumeric",
    "IsString",
    "IsBoolean",
    "IsTimestamp",
];

impl Check {
    pub(super) fn choice(
        &mut self,
        name: &str,
        entries: &BTreeMap<String, Expr>,
        language: QueryLanguage,
    ) {
        let rules = match entries.get("Choices") {
            Some(Expr::List(rules)) if !rules.is_empty() => rules,
            _ => {
                return self.report(
                    Some(name),
                    format!("`{name}` has no rules: call `.when(..)`"),
                );
            }
        };
        for rule in rules {
            let Expr::Map(rule) = rule else {
                self.report(
                    Some(name),
                    format!("`{name}` has a rule that is not a JSON object"),
                );
                continue;
            };
            if !rule.contains_key("Next") {
                self.report(
                    Some(name),
                    format!(
                        "`{name}` has a rule that does not say where to go on: give it a `Next`"
                    ),
                );
            }
            match language {
                QueryLanguage::JsonPath => self.condition(name, rule),
                QueryLanguage::Jsonata => {
                    if !rule.contains_key("Condition") {
                        self.report(
                            Some(name),
                            format!("`{name}` has a rule without a `Condition`"),
                        );
                    }
                }
            }
        }
    }

    fn condition(&mut self, name: &str, rule: &BTreeMap<String, Expr>) {
        for field in ["And", "Or"] {
            match rule.get(field) {
                None => {}
                Some(Expr::List(conditions)) if !conditions.is_empty() => {
                    for condition in conditions {
                        if let Expr::Map(condition) = condition {
                            self.condition(name, condition);
                        }
                    }
                    return;
                }
                Some(_) => {
                    return self.report(
                        Some(name),
                        format!("`{name}` has an `{field}` of no conditions"),
                    );
                }
            }
        }
        if let Some(Expr::Map(condition)) = rule.get("Not") {
            return self.condition(name, condition);
        }
        match rule.get("Variable").map(Expr::as_str) {
            None => self.report(
                Some(name),
                format!("`{name}` has a rule that does not say which `Variable` it compares"),
            ),
            Some(Some(path)) if syntax(path) == Syntax::Wrong => self.report(
                Some(name),
                format!("`{name}` compares `{path}`, which is not a path: it begins with `$`, and its steps are `.name`, `['name']` and `[0]`"),
            ),
            Some(_) => {}
        }
        let mut operators = Vec::new();
        for (operator, operand) in rule {
            if matches!(
                operator.as_str(),
                "Variable" | "Next" | "Comment" | "Assign" | "Output"
            ) {
                continue;
            }
            operators.push(operator.as_str());
            if let Some(message) = wrong(operator, operand) {
                self.report(
                    Some(name),
                    format!("`{name}` has a rule in which {message}"),
                );
            }
        }
        if operators.len() != 1 {
            self.report(
                Some(name),
                format!("`{name}` has a rule with {} operators, and a rule has one: join conditions with `And` or `Or`", operators.len()),
            );
        }
    }
}

/// Returns what is wrong with an operator and what it compares with, if anything.
fn wrong(operator: &str, operand: &Expr) -> Option<String> {
    if TESTS.contains(&operator) {
        let right = matches!(operand, Expr::Bool(_));
        return (!right).then(|| format!("`{operator}` is neither `true` nor `false`"));
    }
    if operator == "StringMatches" {
        let right = matches!(operand, Expr::String(_) | Expr::Token(_));
        return (!right).then(|| format!("`{operator}` is not a text"));
    }
    let (family, comparison) = COMPARISONS
        .iter()
        .find_map(|(family, comparisons)| {
            let rest = operator.strip_prefix(family)?;
            let comparison = rest.strip_suffix("Path").unwrap_or(rest);
            comparisons.contains(&comparison).then_some((*family, rest))
        })
        .map_or((None, ""), |(family, rest)| (Some(family), rest));
    let Some(family) = family else {
        return Some(format!("there is no operator `{operator}`"));
    };
    if comparison.ends_with("Path") {
        let right = operand
            .as_str()
            .is_some_and(|path| syntax(path) != Syntax::Wrong);
        return (!right).then(|| format!("`{operator}` does not compare with a path"));
    }
    let right = match (family, operand) {
        (_, Expr::Token(_))
        | ("String", Expr::String(_))
        | ("Numeric", Expr::Number(_))
        | ("Boolean", Expr::Bool(_)) => true,
        ("Timestamp", Expr::String(text)) => is_timestamp(text),
        _ => false,
    };
    (!right).then(|| format!("`{operator}` compares with a value of another type"))
}

/// Says whether a text is a time as RFC 3339 writes it, with the capital letters that Step Functions wants.
fn is_timestamp(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else {
        return false;
    };
    let digits = |part: &str, lengths: &[usize]| {
        let parts: Vec<&str> = part.split(['-', ':']).collect();
        parts.len() == lengths.len()
            && parts.iter().zip(lengths).all(|(part, length)| {
                part.len() == *length && part.bytes().all(|b| b.is_ascii_digit())
            })
    };
    let (clock, zone) = match time.find(['Z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => return false,
    };
    let seconds = clock.split_once('.').map_or(clock, |(seconds, _)| seconds);
    digits(date, &[4, 2, 2])
        && digits(seconds, &[2, 2, 2])
        && (zone == "Z" || zone.get(1..).is_some_and(|offset| digits(offset, &[2, 2])))
}
