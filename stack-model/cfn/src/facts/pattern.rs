//! The registry's regular expressions.
//!
//! They are of the ECMA dialect (some of Java's), unanchored. What the small engine here does not know is either
//! rewritten so that it accepts at least as much, or left unchecked: back-references are, and look-around except at the
//! beginning.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock, PoisonError};

use regex_lite::{Regex, RegexBuilder};

/// Larger programs take longer to build than the check is worth.
const SIZE_LIMIT: usize = 1 << 20;

/// A usable pattern.
struct Pattern {
    main: Regex,
    /// What the beginning has to match, or must not.
    ahead: Vec<(Regex, bool)>,
}

impl Pattern {
    fn matches(&self, text: &str) -> bool {
        self.main.is_match(text)
            && self
                .ahead
                .iter()
                .all(|(regex, wanted)| regex.is_match(text) == *wanted)
    }
}

/// A regular expression of Java that is to match the whole of a text.
///
/// ```
/// use stack_model_cfn::facts::WholePattern;
///
/// let refused = WholePattern::new(r"(?!404\z)4\d{2}").unwrap();
/// assert!(refused.matches("400"));
/// assert!(!refused.matches("404"));
/// assert!(!refused.matches("1400"));
/// assert!(WholePattern::new(r"(4)\1").is_none());
/// ```
pub struct WholePattern(Pattern);

impl WholePattern {
    /// Reads a pattern; nothing where it cannot be used here: with a back-reference, or with look-around anywhere but
    /// at its beginning.
    pub fn new(pattern: &str) -> Option<Self> {
        // Look-ahead is understood right behind the beginning only, and there without alternatives.
        let whole = if pattern.starts_with("(?!") || pattern.starts_with("(?=") {
            format!("^{pattern}$")
        } else {
            format!("^(?:{pattern})$")
        };
        compile(&whole).map(Self)
    }

    /// Tells whether the whole of a text matches.
    pub fn matches(&self, text: &str) -> bool {
        self.0.matches(text)
    }
}

/// Tells whether a text matches, or nothing where the pattern cannot be used.
pub(super) fn matches(pattern: &'static str, text: &str) -> Option<bool> {
    static COMPILED: OnceLock<Mutex<HashMap<&'static str, Option<Pattern>>>> = OnceLock::new();
    let mut compiled = COMPILED
        .get_or_init(Mutex::default)
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let usable = compiled.entry(pattern).or_insert_with(|| compile(pattern));
    usable.as_ref().map(|usable| usable.matches(text))
}

fn compile(pattern: &str) -> Option<Pattern> {
    let build = |part: &str| {
        RegexBuilder::new(&translate(part)?)
            .size_limit(SIZE_LIMIT)
            .build()
            .ok()
    };
    let (groups, rest) = split_ahead(pattern);
    let mut ahead = Vec::new();
    for (inside, wanted) in groups {
        ahead.push((build(&format!("^(?:{inside})"))?, wanted));
    }
    let main = if ahead.is_empty() {
        build(rest)?
    } else {
        build(&format!("^{rest}"))?
    };
    Some(Pattern { main, ahead })
}

/// Takes the look-aheads from the beginning of an anchored pattern such as `^(?!aws:).*$`: each holds at the beginning
/// of the text for itself. Nothing is taken where an alternative goes without them.
fn split_ahead(pattern: &str) -> (Vec<(&str, bool)>, &str) {
    let mut groups = Vec::new();
    let Some(mut rest) = pattern.strip_prefix('^') else {
        return (groups, pattern);
    };
    while let Some((inside, wanted)) = rest
        .strip_prefix("(?!")
        .map(|inside| (inside, false))
        .or_else(|| rest.strip_prefix("(?=").map(|inside| (inside, true)))
    {
        let Some(end) = find_outside(inside, ')') else {
            break;
        };
        groups.push((inside.get(..end).unwrap_or_default(), wanted));
        rest = inside.get(end + 1..).unwrap_or_default();
    }
    if groups.is_empty() || find_outside(rest, '|').is_some() {
        return (Vec::new(), pattern);
    }
    (groups, rest)
}

/// Finds a character outside of classes and groups.
fn find_outside(pattern: &str, wanted: char) -> Option<usize> {
    let mut depth = 0_usize;
    let mut in_class = false;
    let mut escaped = false;
    for (index, c) in pattern.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            ']' if in_class => in_class = false,
            _ if in_class => {}
            '[' => in_class = true,
            c if c == wanted && depth == 0 => return Some(index),
            '(' => depth += 1,
            ')' => depth = depth.checked_sub(1)?,
            _ => {}
        }
    }
    None
}

/// Rewrites a pattern for the engine, or gives up on it.
fn translate(pattern: &str) -> Option<String> {
    let mut out = String::with_capacity(pattern.len());
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    let mut negated = false;
    let mut class_start = false;
    let mut after_escape = false;
    while let Some(c) = chars.next() {
        let first_in_class = std::mem::take(&mut class_start);
        let after_class_escape = std::mem::replace(&mut after_escape, in_class && c == '\\');
        match c {
            '\\' => match chars.next()? {
                kind @ ('p' | 'P') => {
                    let name = property_name(&mut chars)?;
                    // A wider class would match less where it is negated.
                    if negated {
                        return None;
                    }
                    // What is not in a property has no bounds beyond ASCII either.
                    let class = if kind == 'P' {
                        property_class("")
                    } else {
                        property_class(&name)
                    };
                    if in_class {
                        out.push_str(class);
                    } else {
                        out.extend(["[", class, "]"]);
                    }
                }
                // Java's end of the text, with or without a line feed before it.
                'Z' | 'z' => out.push('$'),
                'A' => out.push('^'),
                // A back-reference.
                '1'..='9' if !in_class => return None,
                '0' => out.push_str(r"\x00"),
                'b' if in_class => out.push_str(r"\x08"),
                // Letters that have no meaning stand for themselves.
                letter if letter.is_ascii_alphabetic() && !"bBdDwWsSnrtfvxu".contains(letter) => {
                    out.push(letter);
                }
                escaped if escaped.is_ascii_alphanumeric() => {
                    out.push('\\');
                    out.push(escaped);
                }
                '<' | '>' => out.push(c),
                escaped if escaped.is_ascii() => {
                    out.push('\\');
                    out.push(escaped);
                }
                escaped => out.push(escaped),
            },
            '[' if !in_class => {
                in_class = true;
                class_start = true;
                out.push('[');
                negated = chars.next_if_eq(&'^').is_some();
                if negated {
                    out.push('^');
                }
            }
            // An empty class: nothing the engine could match.
            ']' if first_in_class => return None,
            ']' if in_class => {
                in_class = false;
                negated = false;
                out.push(']');
            }
            // Behind something like `\w` no range can begin.
            '-' if in_class && after_class_escape => out.push_str(r"\-"),
            // These mean set operations and nested classes to the engine.
            '[' | '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            '(' if chars.peek() == Some(&'?') => {
                out.push_str("(?");
                chars.next();
                // Look-ahead, look-behind and names; groups and flags the engine knows.
                if let Some('=' | '!' | '<' | '>') = chars.peek() {
                    return None;
                }
            }
            c => out.push(c),
        }
    }
    (!in_class).then_some(out)
}

/// Reads `{L}`, `{IsAlphabetic}` or `L` behind `\p`.
fn property_name(chars: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Option<String> {
    if chars.next_if_eq(&'{').is_none() {
        return chars.next().map(String::from);
    }
    let mut name = String::new();
    loop {
        match chars.next()? {
            '}' => return Some(name),
            c => name.push(c),
        }
    }
}

/// The inside of a class that holds at least the characters of a Unicode property: its ASCII part, and everything
/// beyond ASCII.
fn property_class(name: &str) -> &'static str {
    match name {
        "L" | "IsAlphabetic" | "Alpha" | "Alphabetic" | "IsLatin" => r"A-Za-z\u{80}-\u{10FFFF}",
        "Lu" | "Upper" => r"A-Z\u{80}-\u{10FFFF}",
        "Ll" | "Lower" => r"a-z\u{80}-\u{10FFFF}",
        "N" | "Nd" | "IsDigit" | "Digit" => r"0-9\u{80}-\u{10FFFF}",
        "Z" | "Zs" => r" \u{80}-\u{10FFFF}",
        "Alnum" => r"A-Za-z0-9\u{80}-\u{10FFFF}",
        "M" | "Mn" | "Mc" | "Lm" | "Lo" | "Lt" | "Nl" | "No" | "Zl" | "Zp" => r"\u{80}-\u{10FFFF}",
        // Everything, which is the widest of all.
        _ => r"\x00-\u{10FFFF}",
    }
}

#[cfg(test)]
mod tests {
    use super::{compile, matches};
    use crate::facts::spec::{Kind, Node};
    use crate::facts::{FILES, entries};

    #[test]
    fn tags() {
        let pattern = r"^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$";
        assert_eq!(matches(pattern, "größe of it: 5"), Some(true));
        assert_eq!(matches(pattern, "a*b"), Some(false));
    }

    #[test]
    fn ecma_only() {
        assert_eq!(matches("^[[]$", "["), Some(true));
        assert_eq!(matches(r"^a\/b\<$", "a/b"), Some(false));
        assert_eq!(matches(r"^a(?!b)", "ac"), None);
        assert_eq!(matches(r"^(a)\1$", "aa"), None);
        assert_eq!(matches(r"^[\w-.]$", "-"), Some(true));
        assert_eq!(matches("^[a&&b]$", "&"), Some(true));
    }

    #[test]
    fn look_ahead_at_the_beginning() {
        assert_eq!(matches("^(?!aws:).*$", "aws:a"), Some(false));
        assert_eq!(matches("^(?!aws:).*$", "a aws:"), Some(true));
        assert_eq!(matches(r"^(?=.{2,3}$)(?!(a|[)])b).*$", "xy"), Some(true));
        assert_eq!(matches(r"^(?=.{2,3}$)(?!(a|[)])b).*$", "xyzz"), Some(false));
        assert_eq!(matches(r"^(?=.{2,3}$)(?!(a|[)])b).*$", ")b"), Some(false));
        assert_eq!(matches("^(?!a)b|a$", "a"), None);
    }

    fn patterns<'a>(node: &'a Node<'_>, found: &mut std::collections::BTreeSet<&'a str>) {
        found.extend(node.limits.pattern.as_deref());
        found.extend(node.limits.keys.as_deref());
        if let Kind::List(item) | Kind::Map(item) = &node.kind {
            patterns(item, found);
        }
    }

    #[test]
    fn nearly_every_pattern_is_usable() {
        let mut found = std::collections::BTreeSet::new();
        for index in 0..FILES.len() {
            for entry in entries(index) {
                let facts = crate::facts::resource_type(entry.name).unwrap();
                for shape in facts.spec.shapes.iter().chain([&facts.spec.root]) {
                    for property in &shape.properties {
                        patterns(&property.node, &mut found);
                    }
                }
            }
        }
        let unusable: Vec<_> = found
            .iter()
            .filter(|pattern| compile(pattern).is_none())
            .collect();
        assert!(
            unusable.len() * 100 < found.len() * 3,
            "{} of {}: {unusable:#?}",
            unusable.len(),
            found.len()
        );
    }
}
