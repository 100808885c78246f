//! Calls of intrinsic functions, as they are written out.

use crate::stepfunctions::path::{Syntax, syntax};

/// The functions with the fewest and the most arguments.
const FUNCTIONS: [(&str, usize, usize); 18] = [
    ("States.Array", 0, usize::MAX),
    ("States.ArrayContains", 2, 2),
    ("States.ArrayGetItem", 2, 2),
    ("States.ArrayLength", 1, 1),
    ("States.ArrayPartition", 2, 2),
    ("States.ArrayRange", 3, 3),
    ("States.ArrayUnique", 1, 1),
    ("States.Base64Decode", 1, 1),
    ("States.Base64Encode", 1, 1),
    ("States.Format", 1, usize::MAX),
    ("States.Hash", 2, 2),
    ("States.JsonMerge", 3, 3),
    ("States.JsonToString", 1, 1),
    ("States.MathAdd", 2, 2),
    ("States.MathRandom", 2, 3),
    ("States.StringSplit", 2, 2),
    ("States.StringToJson", 1, 1),
    ("States.UUID", 0, 0),
];

/// How deep functions may stand in one another.
const DEEPEST: usize = 10;

/// Returns what is wrong with the call of an intrinsic function, if anything.
pub(super) fn wrong(text: &str) -> Option<String> {
    let mut rest = text;
    match call(&mut rest, 1) {
        Err(message) => Some(message),
        Ok(()) if rest.trim().is_empty() => None,
        Ok(()) => Some(format!("`{rest}` stands after the call")),
    }
}

/// Reads a call off the front of a text.
fn call(rest: &mut &str, depth: usize) -> Result<(), String> {
    if depth > DEEPEST {
        return Err(format!(
            "functions stand in one another {DEEPEST} deep at most"
        ));
    }
    let text = *rest;
    let Some((name, after)) = text.split_once('(') else {
        return Err(format!("`{text}` is not the call of a function"));
    };
    let name = name.trim();
    let Some((_, fewest, most)) = FUNCTIONS.iter().find(|(known, ..)| *known == name) else {
        return Err(format!("there is no function `{name}`"));
    };
    *rest = after.trim_start();
    let mut count = 0;
    let mut template = None;
    if let Some(after) = rest.strip_prefix(')') {
        *rest = after;
    } else {
        loop {
            let literal = argument(rest, depth)?;
            if count == 0 {
                template = literal;
            }
            count += 1;
            *rest = rest.trim_start();
            if let Some(after) = rest.strip_prefix(',') {
                *rest = after.trim_start();
            } else if let Some(after) = rest.strip_prefix(')') {
                *rest = after;
                break;
            } else {
                return Err(format!("the call of `{name}` is not closed"));
            }
        }
    }
    if count < *fewest || count > *most {
        let takes = match (*fewest, *most) {
            (fewest, usize::MAX) => format!("at least {fewest}"),
            (fewest, most) if fewest == most => fewest.to_string(),
            (fewest, most) => format!("{fewest} to {most}"),
        };
        return Err(format!("`{name}` takes {takes} arguments and has {count}"));
    }
    if name == "States.Format"
        && let Some(template) = template
    {
        let places = places(&template);
        if places != count - 1 {
            return Err(format!(
                "the text of `States.Format` has {places} places `{{}}` and {} values",
                count - 1
            ));
        }
    }
    Ok(())
}

/// Reads an argument off the front of a text; returns what stands between quotes.
fn argument(rest: &mut &str, depth: usize) -> Result<Option<String>, String> {
    let text = *rest;
    if let Some(quoted) = text.strip_prefix('\'') {
        let mut escaped = false;
        for (position, character) in quoted.char_indices() {
            match character {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '\'' => {
                    let (literal, after) = quoted.split_at(position);
                    *rest = after.get(1..).unwrap_or_default();
                    return Ok(Some(literal.to_owned()));
                }
                _ => {}
            }
        }
        return Err(format!("the text `{text}` is not closed"));
    }
    if text.starts_with("States.") {
        return call(rest, depth + 1).map(|()| None);
    }
    let end = argument_end(text);
    let (word, after) = text.split_at(end);
    let word = word.trim_end();
    let known = match word {
        "null" | "true" | "false" => true,
        path if path.starts_with('$') => syntax(path) != Syntax::Wrong,
        number => number.parse::<f64>().is_ok(),
    };
    if !known {
        return Err(format!(
            "`{word}` is no argument: texts stand in single quotes, other values are paths, numbers or calls"
        ));
    }
    *rest = after;
    Ok(None)
}

/// Returns where an argument without quotes ends: at a comma or a parenthesis outside its own brackets.
fn argument_end(text: &str) -> usize {
    let (mut depth, mut quote) = (0_i32, None);
    for (position, character) in text.char_indices() {
        match (character, quote) {
            (c, Some(open)) if c == open => quote = None,
            ('\'' | '"', None) => quote = Some(character),
            ('[' | '(', None) => depth += 1,
            (')' | ',', None) if depth == 0 => return position,
            (']' | ')', None) => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

/// Counts the places of a text, without those whose braces are escaped.
fn places(template: &str) -> usize {
    template.replace("\\{", "").matches("{}").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn calls_are_read_with_their_arguments() {
        for right in [
            "States.UUID()",
            "States.Format('Order {} of {}', $.id, $$.Execution.Name)",
            "States.Format($.template, $.id)",
            "States.Format('it\\'s \\{} {}', $.id)",
            "States.JsonToString(States.Array($.a, 1, -2.5, 'x, y)', null, true))",
            "States.ArrayContains($.a[?(@.b == 'c,d')], States.MathAdd($.x, 1))",
            "States.JsonMerge($.a, $.b, false)",
            "States.MathRandom(1, 10)",
        ] {
            assert_eq!(wrong(right), None, "{right}");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        for (text, part) in [
            ("States.Nothing()", "no function `States.Nothing`"),
            ("States.UUID", "not the call"),
            ("States.UUID(1)", "takes 0 arguments and has 1"),
            ("States.MathRandom(1)", "takes 2 to 3 arguments"),
            ("States.Format('{} {}', $.a)", "2 places `{}` and 1 values"),
            ("States.Format('{}', \"a\")", "is no argument"),
            ("States.JsonToString($.a", "not closed"),
            ("States.JsonToString('a", "not closed"),
            ("States.JsonToString($.a..)", "is no argument"),
            ("States.UUID() x", "stands after"),
            ("States.Format()", "at least 1"),
        ] {
            let message = wrong(text).unwrap_or_default();
            assert!(message.contains(part), "{text}: {message}");
        }
        let deep = format!("{}1{}", "States.Array(".repeat(11), ")".repeat(11));
        assert!(wrong(&deep).is_some_and(|message| message.contains("10 deep")));
    }
}
