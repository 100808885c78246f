//! Text with tokens in it.

use stack_model_cfn::{Expr, Part, Pseudo, Token, Value};

/// Something that [`text!`](crate::text!) can put between two pieces of text.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot stand in a text",
    label = "expected a text, a value or a pseudo parameter",
    note = "a handle stands in a text by one of its attributes, such as `queue.name()`"
)]
pub trait IntoPart {
    /// Turns the argument into one piece of the text.
    fn into_part(self) -> Part;
}

impl<T: Into<String>> IntoPart for Value<T> {
    fn into_part(self) -> Part {
        match self {
            Self::Literal(literal) => Part::Text(literal.into()),
            Self::Token(token) => Part::Token(token),
        }
    }
}

impl<T: Into<String> + Clone> IntoPart for &Value<T> {
    fn into_part(self) -> Part {
        self.clone().into_part()
    }
}

impl IntoPart for &str {
    fn into_part(self) -> Part {
        Part::Text(self.to_owned())
    }
}

impl IntoPart for String {
    fn into_part(self) -> Part {
        Part::Text(self)
    }
}

impl IntoPart for &String {
    fn into_part(self) -> Part {
        Part::Text(self.clone())
    }
}

impl IntoPart for Pseudo {
    fn into_part(self) -> Part {
        Part::Token(Token::Pseudo(self))
    }
}

impl IntoPart for u32 {
    fn into_part(self) -> Part {
        Part::Text(self.to_string())
    }
}

/// Puts values into the places of a text that `{}` marks, and lets CloudFormation fill in what only the deployment
/// knows.
///
/// The number of arguments is checked when the stack compiles. Braces that are not `{}` stand for themselves, so
/// nothing is escaped; a text that shall hold `{}` takes it as an argument. A number that only the deployment knows
/// is put in by [`Value::into_digits`](crate::Value::into_digits).
///
/// ```
/// use stack_model::{Pseudo, Value, text};
///
/// let host: Value<String> = text!("sqs.{}.{}", Pseudo::Region, Pseudo::UrlSuffix);
/// assert!(host.literal().is_none());
/// assert_eq!(text!("{}-{}", "orders", 7), Value::Literal("orders-7".to_owned()));
/// assert_eq!(text!("{{a}} {}", "{}"), Value::Literal("{{a}} {}".to_owned()));
/// assert_eq!(text!("{} s", Value::from(5_i64).into_digits()), Value::Literal("5 s".to_owned()));
/// ```
#[macro_export]
macro_rules! text {
    ($format:literal $(, $argument:expr)* $(,)?) => {{
        const ARGUMENTS: &[&str] = &[$(stringify!($argument)),*];
        const _: () = assert!(
            $crate::placeholders($format) == ARGUMENTS.len(),
            "the text needs one argument for each {{}}"
        );
        $crate::interpolate($format, [$($crate::IntoPart::into_part($argument)),*])
    }};
}

/// Counts the `{}` of a text.
#[doc(hidden)]
pub const fn placeholders(format: &str) -> usize {
    let bytes = format.as_bytes();
    let (mut count, mut at) = (0, 0);
    while at + 1 < bytes.len() {
        if bytes[at] == b'{' && bytes[at + 1] == b'}' {
            count += 1;
            at += 1;
        }
        at += 1;
    }
    count
}

/// Puts one part into each `{}` of a text; what [`text!`](crate::text!) expands to.
#[doc(hidden)]
pub fn interpolate<const N: usize>(format: &str, parts: [Part; N]) -> Value<String> {
    let mut arguments = parts.into_iter();
    let mut pieces: Vec<Part> = Vec::new();
    for (position, piece) in format.split("{}").enumerate() {
        if position > 0 {
            pieces.extend(arguments.next());
        }
        pieces.push(Part::Text(piece.to_owned()));
    }
    concatenate(pieces)
}

/// Puts pieces of text and tokens one after the other.
pub(crate) fn concatenate(parts: impl IntoIterator<Item = Part>) -> Value<String> {
    let mut result: Vec<Part> = Vec::new();
    for part in parts {
        push(&mut result, part);
    }
    value(result)
}

/// Joins parts to one text.
pub(crate) fn joined(parts: impl IntoIterator<Item = Part>) -> Value<String> {
    let mut result: Vec<Part> = Vec::new();
    parts.into_iter().for_each(|part| push(&mut result, part));
    value(result)
}

fn value(parts: Vec<Part>) -> Value<String> {
    match <[Part; 1]>::try_from(parts) {
        Ok([Part::Text(text)]) => Value::Literal(text),
        Ok([Part::Token(token)]) => Value::Token(token),
        Err(parts) if parts.is_empty() => Value::Literal(String::new()),
        Err(parts) => Value::Token(Token::Sub(parts)),
    }
}

/// Writes JSON whose texts may be tokens as one text, for the services that take JSON as a text.
///
/// What a token yields is put between quotes as it is: a name or an ARN, which hold nothing that JSON escapes.
pub(crate) fn json(value: &Expr) -> Value<String> {
    let mut parts = Vec::new();
    write_json(value, &mut parts);
    concatenate(parts)
}

fn write_json(value: &Expr, parts: &mut Vec<Part>) {
    let mut text = |text: &str| parts.push(Part::Text(text.to_owned()));
    match value {
        Expr::Null => text("null"),
        Expr::Bool(value) => text(&value.to_string()),
        Expr::Number(number) => text(&number.to_string()),
        Expr::String(value) => text(&quoted(value)),
        Expr::List(elements) => {
            text("[");
            for (position, element) in elements.iter().enumerate() {
                if position > 0 {
                    parts.push(Part::Text(",".to_owned()));
                }
                write_json(element, parts);
            }
            parts.push(Part::Text("]".to_owned()));
        }
        Expr::Map(entries) => {
            text("{");
            for (position, (key, value)) in entries.iter().enumerate() {
                let comma = if position > 0 { "," } else { "" };
                parts.push(Part::Text(format!("{comma}{}:", quoted(key))));
                write_json(value, parts);
            }
            parts.push(Part::Text("}".to_owned()));
        }
        Expr::Token(Token::Sub(pieces)) => {
            text("\"");
            for piece in pieces {
                parts.push(match piece {
                    Part::Text(piece) => Part::Text(escaped(piece)),
                    Part::Token(token) => Part::Token(token.clone()),
                });
            }
            parts.push(Part::Text("\"".to_owned()));
        }
        Expr::Token(token) => {
            text("\"");
            parts.push(Part::Token(token.clone()));
            parts.push(Part::Text("\"".to_owned()));
        }
    }
}

/// Writes a text as it stands between the quotes of JSON.
pub(crate) fn escaped(text: &str) -> String {
    let quoted = quoted(text);
    let inner = quoted.get(1..quoted.len().saturating_sub(1));
    inner.unwrap_or_default().to_owned()
}

/// Writes a text as JSON, with its quotes.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// Appends a part: neighbouring texts become one, and the parts of an inner text become parts of the outer one.
fn push(parts: &mut Vec<Part>, part: Part) {
    match part {
        Part::Text(text) if text.is_empty() => {}
        Part::Text(text) => {
            if let Some(Part::Text(last)) = parts.last_mut() {
                last.push_str(&text);
            } else {
                parts.push(Part::Text(text));
            }
        }
        Part::Token(Token::Sub(inner)) => inner.into_iter().for_each(|part| push(parts, part)),
        Part::Token(token) => parts.push(Part::Token(token)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literals_stay_literals() {
        assert_eq!(text!("plain"), Value::Literal("plain".to_owned()));
        assert_eq!(text!(""), Value::Literal(String::new()));
        assert_eq!(
            text!("{}/{}", "a", String::from("b")),
            Value::Literal("a/b".to_owned())
        );
    }

    #[test]
    fn a_lone_token_is_itself() {
        assert_eq!(
            text!("{}", Pseudo::Region),
            Value::Token(Token::Pseudo(Pseudo::Region))
        );
    }

    #[test]
    fn inner_texts_are_flattened() {
        let inner = text!("x-{}", Pseudo::Region);
        assert_eq!(
            text!("a-{}-b", inner),
            Value::Token(Token::Sub(vec![
                Part::Text("a-x-".to_owned()),
                Part::Token(Token::Pseudo(Pseudo::Region)),
                Part::Text("-b".to_owned()),
            ]))
        );
    }
}
