//! Exports and imports by name.
//!
//! Between stacks of an app a handle is enough; this is about the rest: names of exports, and what is imported by a
//! name, with [`Stack::import`](crate::Stack::import) or `Fn::ImportValue` in raw JSON. Where a stack of the app defines
//! the export, the import orders the stacks like a handle would.

use std::collections::BTreeMap;

use stack_model_cfn::{Expr, Part, Pseudo, Token};

use super::check::source_of;
use super::order::{Links, region};
use super::walk::{Met, Place, Section};
use crate::error::Violation;
use crate::stack::StackData;
use crate::stage::Stage;

/// Reports names of exports that CloudFormation does not take, or that two outputs of a region have.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html>; the service
/// itself names the characters, in what it says of a template that has others.
pub(super) fn names(stacks: &[StackData], stage: &Stage, violations: &mut Vec<Violation>) {
    let mut taken: BTreeMap<(&str, &str), String> = BTreeMap::new();
    for stack in stacks {
        for (key, output) in &stack.outputs {
            let Some(name) = &output.export else {
                continue;
            };
            let mut report = |message: String| {
                violations.push(
                    Violation::new(message)
                        .in_stack(&*stack.id)
                        .of(key)
                        .at("Export")
                        .declared(&output.source),
                );
            };
            let fits = |c: char| c.is_ascii_alphanumeric() || c == ':' || c == '-';
            if !(1..=255).contains(&name.len()) || !name.chars().all(fits) {
                report(format!(
                    "`{name}` is not the name of an export: use 1 to 255 letters, digits, colons and hyphens"
                ));
            }
            let place = format!("the output `{key}` of the stack `{}`", stack.id);
            if let Some(earlier) = taken.insert((region(stack, stage), name), place) {
                report(format!("the export `{name}` is taken by {earlier}"));
            }
        }
    }
}

/// What a stack imports by name, and where.
#[derive(Default)]
pub(super) struct ByName {
    /// The place, the path and the name of each import that is a token.
    tokens: Vec<(String, String, Expr)>,
    /// Those of each import in raw JSON.
    raw: Vec<(String, String, Expr)>,
}

impl ByName {
    pub(super) fn meet(&mut self, place: Place<'_, '_>, met: Met<'_>) {
        let import = |name: &Expr| (place.id.to_owned(), place.path.to_owned(), name.clone());
        match met {
            Met::Token(token) => token.walk(&mut |token| {
                if let Token::ImportValue(name) = token {
                    self.tokens.push(import(name));
                }
            }),
            Met::Import(name) if !matches!(place.section, Section::Condition) => {
                self.raw.push(import(name));
            }
            _ => {}
        }
    }
}

/// Follows every import by name to its export: to an edge between two stacks, or out of the app. What is imported is
/// given by stack, in the order of the stacks.
pub(super) fn imports(
    stacks: &[StackData],
    by_name: &[ByName],
    stage: &Stage,
    links: &mut Links,
    violations: &mut Vec<Violation>,
) {
    let exports: Vec<Export<'_>> = stacks
        .iter()
        .flat_map(|stack| {
            stack.outputs.iter().filter_map(move |(key, output)| {
                Some(Export {
                    name: output.export.as_deref()?,
                    key,
                    stack,
                })
            })
        })
        .collect();
    for (stack, imports) in stacks.iter().zip(by_name) {
        for (place, path, name) in imports.tokens.iter().chain(&imports.raw) {
            let Some(name) = text(name, stack, stage) else {
                continue;
            };
            match lead(&name, stack, stacks, &exports, stage) {
                Lead::Stack(owner) => {
                    links.add_edge(&stack.id, owner, || format!("{place} ({path})"));
                }
                Lead::Away => links.add_foreign(&stack.id, name),
                Lead::Wrong(message) => {
                    let mut violation = Violation::new(message)
                        .in_stack(&*stack.id)
                        .of(place)
                        .at(path);
                    violation.source = source_of(stack, place);
                    violations.push(violation);
                }
            }
        }
    }
}

/// An export of a stack of the app.
struct Export<'a> {
    name: &'a str,
    key: &'a str,
    stack: &'a StackData,
}

/// Where an import leads.
enum Lead<'a> {
    /// To a stack of the app.
    Stack(&'a str),
    /// To something that the app does not know.
    Away,
    /// Nowhere, for the reason given.
    Wrong(String),
}

fn lead<'a>(
    name: &str,
    stack: &StackData,
    stacks: &[StackData],
    exports: &[Export<'a>],
    stage: &Stage,
) -> Lead<'a> {
    let here = region(stack, stage);
    let mut named = exports.iter().filter(|export| export.name == name);
    let near = named
        .clone()
        .find(|export| region(export.stack, stage) == here);
    match (near, named.next()) {
        (
            Some(Export {
                key, stack: owner, ..
            }),
            _,
        ) if owner.id == stack.id => Lead::Wrong(format!(
            "the stack exports `{name}` itself, and a stack cannot import what it exports: use what its output `{key}` holds"
        )),
        (Some(export), _) => Lead::Stack(&export.stack.id),
        (None, Some(far)) => Lead::Wrong(format!(
            "the export `{name}` is one of the stack `{}` in {}, and no export leaves its region: use a handle, whose value is passed over",
            far.stack.id,
            region(far.stack, stage)
        )),
        (None, None) => {
            let own = stacks.iter().find(|stack| {
                let rest = name
                    .strip_prefix(&*stack.id)
                    .and_then(|rest| rest.strip_prefix('-'))
                    .and_then(|rest| rest.strip_prefix(stage.name()));
                rest.is_some_and(|rest| rest.starts_with(['-', ':']))
            });
            own.map_or(Lead::Away, |owner| {
                Lead::Wrong(missing(name, owner, exports))
            })
        }
    }
}

/// Says that a name which is one of the app's own leads to no export.
fn missing(name: &str, owner: &StackData, exports: &[Export<'_>]) -> String {
    let known: Vec<String> = exports
        .iter()
        .filter(|export| export.stack.id == owner.id)
        .map(|export| format!("`{}`", export.name))
        .collect();
    let known = if known.is_empty() {
        "it exports nothing".to_owned()
    } else {
        format!("it exports {}", known.join(", "))
    };
    format!(
        "the stack `{}` has no export `{name}` ({known}): use a handle of what it should hold, or give an output of it that name with `.export(..)`",
        owner.id
    )
}

/// Returns the text that the name of an export is, where the synth can know it.
fn text(name: &Expr, stack: &StackData, stage: &Stage) -> Option<String> {
    match name {
        Expr::String(text) => Some(text.clone()),
        Expr::Token(token) => token_text(token, stack, stage),
        Expr::Map(entries) => match entries.first_key_value()? {
            (function, Expr::String(name)) if function == "Ref" => named(name, stack, stage),
            (function, Expr::String(text)) if function == "Fn::Sub" => {
                substitute(text, &BTreeMap::new(), stack, stage)
            }
            (function, Expr::List(arguments)) if function == "Fn::Sub" => {
                match arguments.as_slice() {
                    [Expr::String(text), Expr::Map(variables)] => {
                        substitute(text, variables, stack, stage)
                    }
                    _ => None,
                }
            }
            (function, Expr::List(arguments)) if function == "Fn::Join" => {
                match arguments.as_slice() {
                    [Expr::String(delimiter), list] => join(delimiter, list, stack, stage),
                    _ => None,
                }
            }
            _ => None,
        },
        _ => None,
    }
}

fn token_text(token: &Token, stack: &StackData, stage: &Stage) -> Option<String> {
    match token {
        Token::Pseudo(pseudo) => named(pseudo.name(), stack, stage),
        Token::Parameter(id) if id.stack() == &*stack.id => named(id.logical_id(), stack, stage),
        Token::Sub(parts) => parts
            .iter()
            .map(|part| match part {
                Part::Text(text) => Some(text.clone()),
                Part::Token(token) => token_text(token, stack, stage),
            })
            .collect(),
        Token::Join { delimiter, list } => join(delimiter, list, stack, stage),
        _ => None,
    }
}

fn join(delimiter: &str, list: &Expr, stack: &StackData, stage: &Stage) -> Option<String> {
    let Expr::List(elements) = list else {
        return None;
    };
    let texts = elements.iter().map(|element| text(element, stack, stage));
    Some(texts.collect::<Option<Vec<_>>>()?.join(delimiter))
}

/// Fills in the text of `Fn::Sub`; `${!x}` is the text `${x}`.
fn substitute(
    template: &str,
    variables: &BTreeMap<String, Expr>,
    stack: &StackData,
    stage: &Stage,
) -> Option<String> {
    let mut pieces = template.split("${");
    let mut filled = pieces.next()?.to_owned();
    for piece in pieces {
        let (name, rest) = piece.split_once('}')?;
        match (name.strip_prefix('!'), variables.get(name)) {
            (Some(literal), _) => filled.extend(["${", literal, "}"]),
            (None, Some(value)) => filled.push_str(&text(value, stack, stage)?),
            (None, None) => filled.push_str(&named(name, stack, stage)?),
        }
        filled.push_str(rest);
    }
    Some(filled)
}

/// Returns the value of a pseudo parameter or parameter.
fn named(name: &str, stack: &StackData, stage: &Stage) -> Option<String> {
    if name == Pseudo::Region.name() {
        return Some(region(stack, stage).to_owned());
    }
    if name == Pseudo::StackName.name() {
        return Some(format!("{}-{}", stack.id, stage.name()));
    }
    if name == Pseudo::AccountId.name() {
        return stage.account().map(str::to_owned);
    }
    let (declared, given) = stack.parameters.get(name)?;
    let Expr::Map(declared) = declared else {
        return None;
    };
    // The value of another type is the name of what holds the value.
    if declared.get("Type")?.as_str()? != "String" {
        return None;
    }
    let default = || declared.get("Default")?.as_str().map(str::to_owned);
    given.clone().or_else(default)
}
