//! Paths: where in the input, the context object or a variable a value stands.

use std::borrow::Cow;

/// A `JSONPath` expression: `$` is the input of the state, `$$` the context object, `$name` a variable.
///
/// A path that is known when the stack compiles is written with [`path!`](crate::path!), which checks its syntax at
/// compile time; one that is put together is checked when the stack is synthesised. See
/// <https://docs.aws.amazon.com/step-functions/latest/dg/amazon-states-language-paths.html>.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path {
    text: Cow<'static, str>,
}

/// Writes a path whose syntax is checked when the stack compiles.
///
/// ```
/// use stack_model::path;
///
/// let user = path!("$.detail.userId");
/// assert_eq!(user.as_str(), "$.detail.userId");
/// ```
///
/// ```compile_fail
/// use stack_model::path;
///
/// let user = path!("$.detail..");
/// ```
#[macro_export]
macro_rules! path {
    ($text:literal) => {{
        const PATH: $crate::stepfunctions::Path = $crate::stepfunctions::Path::literal($text);
        PATH
    }};
}

/// What a text is, seen as a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Syntax {
    /// Not a path.
    Wrong,
    /// A path that may find any number of values.
    Path,
    /// A reference path, which names exactly one place: steps and positions only.
    Reference,
}

impl Path {
    /// Takes a path that is known when the stack compiles.
    ///
    /// # Panics
    ///
    /// Panics where the text is not a path: call it through [`path!`](crate::path!), which turns that into a compile
    /// error.
    #[doc(hidden)]
    #[must_use]
    pub const fn literal(text: &'static str) -> Self {
        assert!(
            !matches!(syntax(text), Syntax::Wrong),
            "this is not a path: it starts with `$`, `$$` or a variable, and steps are `.name`, `['name']` or `[0]`"
        );
        Self {
            text: Cow::Borrowed(text),
        }
    }

    /// Takes a path that is put together while the stack is described; the synth reports one that is wrong.
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: Cow::Owned(text.into()),
        }
    }

    /// Returns the text.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Paths into the context object, which Step Functions makes for every execution.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/input-output-contextobject.html>.
pub mod context {
    use super::Path;

    /// The ARN of the execution.
    pub const EXECUTION_ID: Path = Path::literal("$$.Execution.Id");
    /// The name of the execution.
    pub const EXECUTION_NAME: Path = Path::literal("$$.Execution.Name");
    /// The input of the execution.
    pub const EXECUTION_INPUT: Path = Path::literal("$$.Execution.Input");
    /// When the execution started.
    pub const EXECUTION_START_TIME: Path = Path::literal("$$.Execution.StartTime");
    /// The name of the state.
    pub const STATE_NAME: Path = Path::literal("$$.State.Name");
    /// When the state was entered.
    pub const STATE_ENTERED_TIME: Path = Path::literal("$$.State.EnteredTime");
    /// How often the state was tried again.
    pub const RETRY_COUNT: Path = Path::literal("$$.State.RetryCount");
    /// The ARN of the state machine.
    pub const STATE_MACHINE_ID: Path = Path::literal("$$.StateMachine.Id");
    /// The name of the state machine.
    pub const STATE_MACHINE_NAME: Path = Path::literal("$$.StateMachine.Name");
    /// The token with which a task that waits is answered.
    pub const TASK_TOKEN: Path = Path::literal("$$.Task.Token");
    /// The position of the element that a map works on.
    pub const MAP_ITEM_INDEX: Path = Path::literal("$$.Map.Item.Index");
    /// The element that a map works on.
    pub const MAP_ITEM_VALUE: Path = Path::literal("$$.Map.Item.Value");
}

/// Returns what a text is, seen as a path. It runs at compile time too, so it walks over bytes.
#[expect(
    clippy::indexing_slicing,
    reason = "a const fn has no other access, and every index is compared with the length first"
)]
pub(super) const fn syntax(text: &str) -> Syntax {
    let bytes = text.as_bytes();
    if bytes.is_empty() || bytes[0] != b'$' {
        return Syntax::Wrong;
    }
    let mut at = 1;
    if at < bytes.len() && bytes[at] == b'$' {
        at += 1;
    } else if at < bytes.len() && (bytes[at].is_ascii_alphabetic() || bytes[at] == b'_') {
        while at < bytes.len() && (bytes[at].is_ascii_alphanumeric() || bytes[at] == b'_') {
            at += 1;
        }
    }
    let mut reference = true;
    while at < bytes.len() {
        match bytes[at] {
            b'.' => {
                at += 1;
                if at < bytes.len() && bytes[at] == b'.' {
                    reference = false;
                    at += 1;
                    // `$..[0]` finds elements at any depth.
                    if at < bytes.len() && bytes[at] == b'[' {
                        continue;
                    }
                }
                let start = at;
                while at < bytes.len() && is_name(bytes[at]) {
                    if bytes[at] == b'*' {
                        reference = false;
                    }
                    at += 1;
                }
                if at == start {
                    return Syntax::Wrong;
                }
                if at < bytes.len() && bytes[at] == b'(' {
                    // A function such as `length()` takes what the path finds.
                    reference = false;
                    at = match closing(bytes, at, b'(', b')') {
                        0 => return Syntax::Wrong,
                        end => end + 1,
                    };
                }
            }
            b'[' => {
                let end = closing(bytes, at, b'[', b']');
                if end <= at + 1 {
                    return Syntax::Wrong;
                }
                if !is_one_place(bytes, at + 1, end) {
                    reference = false;
                }
                at = end + 1;
            }
            _ => return Syntax::Wrong,
        }
    }
    if reference {
        Syntax::Reference
    } else {
        Syntax::Path
    }
}

/// Says whether a byte may stand in a name after a dot. Other names stand in brackets and quotes.
const fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(byte, b'_' | b'-' | b'*' | b'@' | b'#' | b'/')
        || byte >= 0x80
}

/// Returns where a bracket closes, or 0 where it never does.
#[expect(
    clippy::indexing_slicing,
    reason = "a const fn has no other access, and the index is compared with the length first"
)]
const fn closing(bytes: &[u8], from: usize, open: u8, close: u8) -> usize {
    let (mut at, mut depth, mut quote) = (from, 0, 0);
    while at < bytes.len() {
        let byte = bytes[at];
        if quote != 0 {
            if byte == b'\\' {
                at += 1;
            } else if byte == quote {
                quote = 0;
            }
        } else if byte == b'\'' || byte == b'"' {
            quote = byte;
        } else if byte == open {
            depth += 1;
        } else if byte == close {
            depth -= 1;
            if depth == 0 {
                return at;
            }
        }
        at += 1;
    }
    0
}

/// Says whether what stands in brackets is one position or one quoted name.
#[expect(
    clippy::indexing_slicing,
    reason = "a const fn has no other access, and `closing` found both ends"
)]
const fn is_one_place(bytes: &[u8], from: usize, to: usize) -> bool {
    let quote = bytes[from];
    if quote == b'\'' || quote == b'"' {
        let mut at = from + 1;
        while at < to {
            if bytes[at] == b'\\' {
                at += 1;
            } else if bytes[at] == quote {
                return at + 1 == to;
            }
            at += 1;
        }
        return false;
    }
    let mut at = from;
    while at < to {
        if !bytes[at].is_ascii_digit() {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reference_paths_name_one_place() {
        for path in [
            "$",
            "$$",
            "$.a",
            "$.a.b-c_d",
            "$.a[0].b",
            "$['a b']['c\\'d']",
            "$[\"a\"]",
            "$$.Task.Token",
            "$order.id",
            "$größe",
            "$.größe",
        ] {
            let expected = if path == "$größe" {
                Syntax::Wrong
            } else {
                Syntax::Reference
            };
            assert_eq!(syntax(path), expected, "{path}");
        }
    }

    #[test]
    fn other_paths_find_any_number_of_values() {
        for path in [
            "$..author",
            "$.a[*]",
            "$.a[0:2]",
            "$.a[0,1]",
            "$.a[-1]",
            "$.a.*",
            "$.a[?(@.b == 'x]')].c",
            "$.a.length()",
            "$..[0]",
            "$['a','b']",
        ] {
            assert_eq!(syntax(path), Syntax::Path, "{path}");
        }
    }

    #[test]
    fn anything_else_is_no_path() {
        for path in [
            "",
            "a",
            "a.b",
            "$.",
            "$a b",
            "$.a.",
            "$.a..",
            "$.a[",
            "$.a[]",
            "$.a['b]",
            "$.a b",
            "$.a]",
            "$.f(",
            "States.UUID()",
        ] {
            assert_eq!(syntax(path), Syntax::Wrong, "{path}");
        }
    }
}
