//! Literals, as CloudFormation reads them.

use crate::Expr;
use crate::facts::spec::Text;

/// Longer lists of permitted values are cut in messages.
const MAX_LISTED: usize = 12;

/// Says what a literal is.
pub(super) fn describe(value: &Expr) -> String {
    match value {
        Expr::Null => "null".to_owned(),
        Expr::Bool(value) => format!("the boolean {value}"),
        Expr::Number(value) => format!("the number {value}"),
        Expr::String(value) => format!("the text `{value}`"),
        Expr::List(_) => "a list".to_owned(),
        Expr::Map(_) => "a map".to_owned(),
        Expr::Token(_) => "a token".to_owned(),
    }
}

/// Returns a scalar as text.
pub(super) fn text(value: &Expr) -> Option<String> {
    match value {
        Expr::Bool(value) => Some(value.to_string()),
        Expr::Number(value) => Some(value.to_string()),
        Expr::String(value) => Some(value.clone()),
        _ => None,
    }
}

/// Says what is wrong if a literal is none of the kinds that the letters name; no letters mean any kind.
pub(super) fn wrong_kind(letters: &str, value: &Expr) -> Option<String> {
    let fits = |letter: char| match letter {
        'a' => matches!(value, Expr::List(_)),
        'o' => matches!(value, Expr::Map(_)),
        's' => text(value).is_some(),
        'b' => text(value).is_some_and(|text| {
            text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
        }),
        'i' => !matches!(value, Expr::Bool(_)) && text(value).is_some_and(|text| is_integer(&text)),
        'n' => {
            !matches!(value, Expr::Bool(_))
                && text(value)
                    .and_then(|text| text.parse::<f64>().ok())
                    .is_some_and(f64::is_finite)
        }
        _ => true,
    };
    if letters.is_empty() || letters.chars().any(fits) {
        return None;
    }
    let wanted: Vec<&str> = letters
        .chars()
        .map(|letter| match letter {
            'a' => "a list",
            'o' => "a map",
            'b' => "a boolean",
            'i' => "a whole number",
            'n' => "a number",
            _ => "a text",
        })
        .collect();
    Some(format!(
        "expected {}, found {}",
        wanted.join(" or "),
        describe(value)
    ))
}

fn is_integer(text: &str) -> bool {
    text.parse::<i64>().is_ok()
        || text.parse::<u64>().is_ok()
        || text.parse::<f64>().is_ok_and(|n| n.fract() == 0.0)
}

/// Whether two texts are the same number, such as `1` and `1.0`.
pub(super) fn same_number(a: &str, b: &str) -> bool {
    matches!((a.parse::<f64>(), b.parse::<f64>()), (Ok(a), Ok(b)) if (a - b).abs() < f64::EPSILON)
}

/// Lists permitted values for a message.
pub(super) fn listed(values: &[Text<'_>]) -> String {
    let shown: Vec<String> = values
        .iter()
        .take(MAX_LISTED)
        .map(|value| format!("`{value}`"))
        .collect();
    let more = values.len().saturating_sub(MAX_LISTED);
    if more > 0 {
        format!("{} and {more} more", shown.join(", "))
    } else {
        shown.join(", ")
    }
}
