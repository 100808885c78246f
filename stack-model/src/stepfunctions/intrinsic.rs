//! Intrinsic functions: what a payload can compute from other values.
//!
//! See <https://docs.aws.amazon.com/step-functions/latest/dg/intrinsic-functions.html>.

use super::path::Path;
use super::payload::Expression;

/// Something that an intrinsic function takes: a text, a number, a path, or what another function yields.
#[derive(Clone, Debug, PartialEq)]
pub struct Argument {
    text: String,
}

impl Argument {
    /// Returns the text as it stands in a call.
    pub(super) fn text(&self) -> &str {
        &self.text
    }
}

impl From<&str> for Argument {
    /// Takes a literal text; quotes and backslashes in it are escaped.
    fn from(text: &str) -> Self {
        let escaped = text.replace('\\', "\\\\").replace('\'', "\\'");
        Self {
            text: format!("'{escaped}'"),
        }
    }
}

impl From<Path> for Argument {
    fn from(path: Path) -> Self {
        Self {
            text: path.as_str().to_owned(),
        }
    }
}

impl From<Expression> for Argument {
    fn from(expression: Expression) -> Self {
        Self {
            text: expression.text().to_owned(),
        }
    }
}

impl From<i32> for Argument {
    fn from(number: i32) -> Self {
        Self {
            text: number.to_string(),
        }
    }
}

impl From<bool> for Argument {
    fn from(value: bool) -> Self {
        Self {
            text: value.to_string(),
        }
    }
}

fn call<const N: usize>(name: &str, arguments: [Argument; N]) -> Expression {
    let arguments = arguments.map(|argument| argument.text);
    Expression::intrinsic(format!("States.{name}({})", arguments.join(", ")))
}

/// Puts values into the places of a text that `{}` marks.
///
/// ```
/// use stack_model::path;
/// use stack_model::stepfunctions::intrinsic;
///
/// let text = intrinsic::format("Order {}", [path!("$.orderId").into()]);
/// assert_eq!(text.text(), "States.Format('Order {}', $.orderId)");
/// ```
pub fn format<const N: usize>(template: &str, arguments: [Argument; N]) -> Expression {
    let template = Argument::from(template).text;
    let arguments = arguments.map(|argument| format!(", {}", argument.text));
    Expression::intrinsic(format!("States.Format({template}{})", arguments.concat()))
}

/// Makes a list of the given values.
pub fn array<const N: usize>(elements: [Argument; N]) -> Expression {
    call("Array", elements)
}

/// Cuts a list into lists of so many elements.
pub fn array_partition(list: impl Into<Argument>, size: impl Into<Argument>) -> Expression {
    call("ArrayPartition", [list.into(), size.into()])
}

/// Says whether a list holds a value.
pub fn array_contains(list: impl Into<Argument>, value: impl Into<Argument>) -> Expression {
    call("ArrayContains", [list.into(), value.into()])
}

/// Makes a list of numbers from the first to the last, with a step.
pub fn array_range(
    first: impl Into<Argument>,
    last: impl Into<Argument>,
    step: impl Into<Argument>,
) -> Expression {
    call("ArrayRange", [first.into(), last.into(), step.into()])
}

/// Takes one element of a list, counted from zero.
pub fn array_get_item(list: impl Into<Argument>, position: impl Into<Argument>) -> Expression {
    call("ArrayGetItem", [list.into(), position.into()])
}

/// Counts the elements of a list.
pub fn array_length(list: impl Into<Argument>) -> Expression {
    call("ArrayLength", [list.into()])
}

/// Drops elements that a list has already.
pub fn array_unique(list: impl Into<Argument>) -> Expression {
    call("ArrayUnique", [list.into()])
}

/// Encodes a text in Base64.
pub fn base64_encode(text: impl Into<Argument>) -> Expression {
    call("Base64Encode", [text.into()])
}

/// Decodes a text from Base64.
pub fn base64_decode(text: impl Into<Argument>) -> Expression {
    call("Base64Decode", [text.into()])
}

/// Computes a hash with an algorithm such as `SHA-256`.
pub fn hash(value: impl Into<Argument>, algorithm: impl Into<Argument>) -> Expression {
    call("Hash", [value.into(), algorithm.into()])
}

/// Merges two objects at their first level; the second wins.
pub fn json_merge(first: impl Into<Argument>, second: impl Into<Argument>) -> Expression {
    call("JsonMerge", [first.into(), second.into(), false.into()])
}

/// Reads a text as JSON.
pub fn string_to_json(text: impl Into<Argument>) -> Expression {
    call("StringToJson", [text.into()])
}

/// Writes a value as JSON text.
pub fn json_to_string(value: impl Into<Argument>) -> Expression {
    call("JsonToString", [value.into()])
}

/// Takes a random number from the first to below the last.
pub fn math_random(first: impl Into<Argument>, last: impl Into<Argument>) -> Expression {
    call("MathRandom", [first.into(), last.into()])
}

/// Adds two whole numbers.
pub fn math_add(first: impl Into<Argument>, second: impl Into<Argument>) -> Expression {
    call("MathAdd", [first.into(), second.into()])
}

/// Cuts a text at every one of the given characters.
pub fn string_split(text: impl Into<Argument>, separators: impl Into<Argument>) -> Expression {
    call("StringSplit", [text.into(), separators.into()])
}

/// Makes a random UUID.
pub fn uuid() -> Expression {
    call("UUID", [])
}
