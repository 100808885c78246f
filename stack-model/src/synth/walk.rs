//! One walk through all that a stack says, which shows the checks what it meets.
//!
//! The checks look for different things in the same places, and most of what is there is none of them. So the walk is
//! made once, and each check picks what it wants.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use stack_model_cfn::{Expr, Token};

use super::Rendered;
use crate::resource::Resource;
use crate::stack::{OutputData, StackData};

/// What a walk meets.
#[derive(Clone, Copy)]
pub(super) enum Met<'a> {
    /// A plain text.
    Text {
        text: &'a str,
        /// Whether something fills in the placeholders of the text.
        substituted: bool,
    },
    /// The name that `Ref`, `Fn::GetAtt` or `Fn::Sub` refers to in raw JSON.
    Name(&'a str),
    /// The name of the export that `Fn::ImportValue` imports in raw JSON.
    Import(&'a Expr),
    /// A token, which may hold others.
    Token(&'a Token),
}

/// Where a walk is.
#[derive(Clone, Copy)]
pub(super) struct Place<'a, 'path> {
    /// The logical id of the resource, the key of the output or the name of the condition.
    pub(super) id: &'a str,
    pub(super) section: Section<'a>,
    /// The path from there, beginning with the part.
    pub(super) path: &'path str,
}

/// The part of a stack that a walk is in.
#[derive(Clone, Copy)]
pub(super) enum Section<'a> {
    Properties(&'a Resource),
    Metadata(&'a Resource),
    Output(&'a OutputData),
    Condition,
}

/// Calls `visit` with everything that a stack says: its resources, then its outputs, then its conditions.
pub(super) fn stack<'a>(
    stack: &'a StackData,
    rendered: &'a Rendered,
    mut visit: impl FnMut(Place<'a, '_>, Met<'a>),
) {
    let mut path = String::new();
    let mut through = |id: &'a str, section: Section<'a>, expr: &'a Expr, start: [&str; 2]| {
        path.clear();
        path.extend(start);
        below(expr, &mut path, false, &mut |path, met| {
            visit(Place { id, section, path }, met);
        });
    };
    for (id, resource) in &stack.resources {
        if let Some(properties) = rendered.get(&stack.id, id) {
            through(
                id,
                Section::Properties(resource),
                properties,
                ["Properties", ""],
            );
        }
        for (key, value) in &resource.metadata {
            through(id, Section::Metadata(resource), value, ["Metadata.", key]);
        }
    }
    for (key, output) in &stack.outputs {
        through(key, Section::Output(output), &output.value, ["Value", ""]);
    }
    for (name, condition) in &stack.conditions {
        through(name, Section::Condition, condition, ["Condition", ""]);
    }
}

/// Calls `visit` with every name that raw JSON refers to.
pub(crate) fn raw_references(expr: &Expr, visit: &mut dyn FnMut(&str)) {
    below(expr, &mut String::new(), false, &mut |_, met| {
        if let Met::Name(name) = met {
            visit(name);
        }
    });
}

/// Goes on below a path, which is the same text throughout: most of what a walk meets concerns nobody.
fn below<'a>(
    expr: &'a Expr,
    path: &mut String,
    substituted: bool,
    visit: &mut impl FnMut(&str, Met<'a>),
) {
    let above = path.len();
    match expr {
        Expr::Null | Expr::Bool(_) | Expr::Number(_) => {}
        Expr::String(text) => visit(path, Met::Text { text, substituted }),
        Expr::Token(token) => visit(path, Met::Token(token)),
        Expr::List(elements) => {
            for (position, element) in elements.iter().enumerate() {
                // Writing to a string cannot fail.
                let _ = write!(path, ".{position}");
                below(element, path, substituted, visit);
                path.truncate(above);
            }
        }
        Expr::Map(entries) => {
            // CloudFormation takes a map for a function where the function is all that it holds.
            let mut is_sub = false;
            if let (1, false, Some((function, argument))) =
                (entries.len(), substituted, entries.first_key_value())
            {
                named(function, argument, &mut |name| visit(path, Met::Name(name)));
                if function == "Fn::ImportValue" {
                    visit(path, Met::Import(argument));
                }
                is_sub = function == "Fn::Sub";
            }
            for (key, value) in entries {
                path.push('.');
                path.push_str(key);
                if is_sub && let Expr::List(arguments) = value {
                    sub(arguments, path, visit);
                } else {
                    // A state machine names what its definition's placeholders stand for.
                    let filled = is_sub
                        || (key == "DefinitionString"
                            && entries.contains_key("DefinitionSubstitutions"));
                    below(value, path, substituted || filled, visit);
                }
                path.truncate(above);
            }
        }
    }
}

/// Goes on in the arguments of `Fn::Sub`: its text is there to hold placeholders, the values of its variables are not.
fn sub<'a>(arguments: &'a [Expr], path: &mut String, visit: &mut impl FnMut(&str, Met<'a>)) {
    let above = path.len();
    for (position, argument) in arguments.iter().enumerate() {
        let _ = write!(path, ".{position}");
        below(argument, path, position != 1, visit);
        path.truncate(above);
    }
}

fn named<'a>(function: &str, argument: &'a Expr, visit: &mut dyn FnMut(&'a str)) {
    match (function, argument) {
        ("Ref", Expr::String(name)) => visit(name),
        ("Fn::GetAtt", Expr::String(text)) => visit(before_dot(text)),
        ("Fn::GetAtt", Expr::List(names)) => {
            if let Some(name) = names.first().and_then(Expr::as_str) {
                visit(name);
            }
        }
        ("Fn::Sub", Expr::String(text)) => {
            placeholders(text, &BTreeMap::new(), &mut |name| visit(before_dot(name)));
        }
        ("Fn::Sub", Expr::List(arguments)) => {
            if let [Expr::String(text), Expr::Map(variables)] = arguments.as_slice() {
                placeholders(text, variables, &mut |name| visit(before_dot(name)));
            }
        }
        _ => {}
    }
}

/// Finds the names in the text of `Fn::Sub`: `${!x}` is text, and what the variables define is theirs.
fn placeholders<'a>(
    text: &'a str,
    variables: &BTreeMap<String, Expr>,
    visit: &mut dyn FnMut(&'a str),
) {
    // Few texts have any, and a search for one byte is the fastest there is.
    if !text.as_bytes().contains(&b'$') {
        return;
    }
    for piece in text.split("${").skip(1) {
        let Some((name, _)) = piece.split_once('}') else {
            continue;
        };
        if !name.starts_with('!') && !variables.contains_key(name) {
            visit(name);
        }
    }
}

pub(super) fn before_dot(text: &str) -> &str {
    text.split_once('.').map_or(text, |(name, _)| name)
}
