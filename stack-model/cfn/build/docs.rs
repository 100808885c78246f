//! Documentation made of facts.

use std::fmt::{Error, Write as _};

use crate::spec::{Header, Kind, Limits, Node, Property, Rule, Shape, Text, TypeSpec};
use crate::structs::Marks;

/// Longer lists of values are cut; the page of AWS has them all.
const MAX_VALUES: usize = 40;

const PAGES: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference";

/// Documents the struct of a resource type.
pub(crate) fn resource(code: &mut String, spec: &TypeSpec<'_>) -> Result<(), Error> {
    let page = spec.name.to_lowercase();
    let page = page
        .strip_prefix("aws::")
        .unwrap_or(&page)
        .replace("::", "-");
    writeln!(code, "/// A resource of the type `{}`.", spec.name)?;
    writeln!(code, "///\n/// See <{PAGES}/aws-resource-{page}.html>.")?;
    paths(code, spec, Header::Identifier, "It is identified by")?;
    if spec.list(Header::Traits).any(|word| word == "no-update") {
        code.push_str("///\n/// There is no update: every change replaces it.\n");
    }
    if spec.list(Header::Attributes).any(|word| word == "*") {
        code.push_str("///\n/// Its properties are attributes too.\n");
    }
    groups(code, &spec.root)
}

/// Documents the struct of a nested type.
pub(crate) fn nested(
    code: &mut String,
    spec: &TypeSpec<'_>,
    shape: &Shape<'_>,
) -> Result<(), Error> {
    let resource = spec.name.rsplit("::").next().unwrap_or_default();
    writeln!(
        code,
        "/// The nested type `{}` of [`{resource}`](super::{resource}).",
        shape.name
    )?;
    groups(code, shape)
}

fn paths(code: &mut String, spec: &TypeSpec<'_>, header: Header, start: &str) -> Result<(), Error> {
    let words: Vec<&Text<'_>> = spec.list(header).collect();
    if !words.is_empty() {
        write!(code, "///\n/// {start} ")?;
        values(code, words.into_iter(), " and ")?;
        code.push_str(".\n");
    }
    Ok(())
}

fn groups(code: &mut String, shape: &Shape<'_>) -> Result<(), Error> {
    for group in &shape.groups {
        let sets: Vec<String> = group
            .sets
            .iter()
            .map(|set| {
                let mut text = String::new();
                values(&mut text, set.iter(), " with ").map(|()| text)
            })
            .collect::<Result<_, _>>()?;
        code.push_str("///\n/// ");
        match (group.rule, sets.split_first()) {
            (Rule::OneOf, _) => writeln!(code, "Exactly one of: {}.", sets.join("; "))?,
            (Rule::AnyOf, _) => writeln!(code, "At least one of: {}.", sets.join("; "))?,
            (Rule::Needs, Some((first, rest))) => {
                writeln!(code, "{first} needs {}.", rest.join("; "))?;
            }
            (Rule::Excludes, Some((first, rest))) => {
                writeln!(code, "{first} excludes {}.", rest.join("; "))?;
            }
            (_, None) => code.push('\n'),
        }
    }
    Ok(())
}

/// Documents a field.
pub(crate) fn property(
    code: &mut String,
    property: &Property<'_>,
    marks: Marks,
) -> Result<(), Error> {
    let required = if property.required {
        "required"
    } else {
        "optional"
    };
    write!(
        code,
        "    /// `{}`: {}, {required}.",
        property.name,
        kind(&property.node)
    )?;
    if marks.create_only {
        code.push_str(" A change replaces the resource.");
    } else if marks.maybe_create_only {
        code.push_str(" Some changes replace the resource.");
    }
    if marks.write_only {
        code.push_str(" AWS never shows it again.");
    }
    if marks.deprecated {
        code.push_str(" AWS discourages its use.");
    }
    code.push('\n');
    let mut text = String::new();
    limits(&mut text, &property.node, "")?;
    if !text.is_empty() {
        writeln!(code, "    ///\n    ///{text}")?;
    }
    Ok(())
}

fn kind(node: &Node<'_>) -> String {
    match &node.kind {
        Kind::String => "text".to_owned(),
        Kind::Integer => "whole number".to_owned(),
        Kind::Number => "number".to_owned(),
        Kind::Boolean => "boolean".to_owned(),
        Kind::Json(letters) if letters.contains('s') && !letters.contains(['a', 'o']) => {
            "text".to_owned()
        }
        Kind::Json(_) => "JSON".to_owned(),
        Kind::Shape(name) => format!("`{name}`"),
        Kind::List(item) => format!("list of {}", kind(item)),
        Kind::Map(item) => format!("map to {}", kind(item)),
    }
}

/// Writes sentences, each with a blank before it; `subject` says what they are about.
fn limits(text: &mut String, node: &Node<'_>, subject: &str) -> Result<(), Error> {
    let Limits {
        values: permitted,
        range,
        length,
        pattern,
        keys,
        formats,
        unique,
        default,
        ..
    } = &node.limits;
    if !permitted.is_empty() {
        write!(text, " {subject}One of ")?;
        values(text, permitted.iter().take(MAX_VALUES), ", ")?;
        if let Some(more @ 1..) = permitted.len().checked_sub(MAX_VALUES) {
            write!(text, " and {more} more")?;
        }
        text.push('.');
    }
    bounds(text, subject, range.as_ref(), "")?;
    let unit = match node.kind {
        Kind::List(_) => " elements",
        Kind::Map(_) | Kind::Shape(_) => " entries",
        _ => " characters",
    };
    bounds(text, subject, length.as_ref(), unit)?;
    if *unique {
        write!(text, " {subject}No element twice.")?;
    }
    for (what, words) in [
        ("Pattern", pattern.as_slice()),
        ("Pattern of the keys", keys.as_slice()),
        ("Format", formats),
        ("Default", default.as_slice()),
    ] {
        if !words.is_empty() {
            write!(text, " {subject}{what}: ")?;
            values(text, words.iter(), " or ")?;
            text.push('.');
        }
    }
    match &node.kind {
        Kind::List(item) => limits(text, item, "Each: "),
        Kind::Map(item) => limits(text, item, "Each value: "),
        _ => Ok(()),
    }
}

fn bounds(
    text: &mut String,
    subject: &str,
    bounds: Option<&(Text<'_>, Text<'_>)>,
    unit: &str,
) -> Result<(), Error> {
    match bounds {
        Some((least, greatest)) if least.is_empty() => {
            write!(text, " {subject}At most {greatest}{unit}.")
        }
        Some((least, greatest)) if greatest.is_empty() => {
            write!(text, " {subject}At least {least}{unit}.")
        }
        Some((least, greatest)) => write!(text, " {subject}{least} to {greatest}{unit}."),
        None => Ok(()),
    }
}

/// Writes words as code.
fn values<'a>(
    text: &mut String,
    words: impl Iterator<Item = &'a Text<'a>>,
    between: &str,
) -> Result<(), Error> {
    for (index, word) in words.enumerate() {
        if index > 0 {
            text.push_str(between);
        }
        let word = word.replace(['\n', '\r', '\t'], " ");
        // A code span ends at as many backticks as it began with.
        let mut fence = "`".to_owned();
        while word.contains(&fence) {
            fence.push('`');
        }
        let pad = if word.is_empty() || word.starts_with('`') || word.ends_with('`') {
            " "
        } else {
            ""
        };
        write!(text, "{fence}{pad}{word}{pad}{fence}")?;
    }
    Ok(())
}
