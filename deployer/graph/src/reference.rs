//! Finds what the properties of a resource name.

use std::collections::BTreeSet;

use serde_json::Value;

/// Something that a property names.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Named {
    /// A resource or parameter of the same template.
    Here(String),
    /// An export of another stack.
    Export(String),
}

/// Returns everything that a value names, however deep.
pub(crate) fn named(value: &Value) -> BTreeSet<Named> {
    let mut found = BTreeSet::new();
    collect(value, &mut found);
    found
}

fn collect(value: &Value, found: &mut BTreeSet<Named>) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| collect(element, found)),
        Value::Object(entries) => {
            for (key, argument) in entries {
                match (key.as_str(), argument) {
                    ("Ref", Value::String(name)) => {
                        found.insert(Named::Here(name.clone()));
                    }
                    ("Fn::GetAtt", Value::Array(path)) => {
                        found.extend(path.first().and_then(Value::as_str).map(here));
                    }
                    ("Fn::GetAtt", Value::String(path)) => {
                        found.insert(here(path.split('.').next().unwrap_or(path)));
                    }
                    ("Fn::ImportValue", Value::String(export)) => {
                        found.insert(Named::Export(export.clone()));
                    }
                    ("Fn::Sub", Value::String(text)) => substituted(text, found),
                    ("Fn::Sub", Value::Array(arguments)) => {
                        if let Some(text) = arguments.first().and_then(Value::as_str) {
                            substituted(text, found);
                        }
                        arguments
                            .iter()
                            .skip(1)
                            .for_each(|variables| collect(variables, found));
                    }
                    _ => collect(argument, found),
                }
            }
        }
        _ => {}
    }
}

fn here(name: &str) -> Named {
    Named::Here(name.to_owned())
}

fn substituted(text: &str, found: &mut BTreeSet<Named>) {
    for piece in text.split("${").skip(1) {
        if let Some((name, _)) = piece.split_once('}')
            && !name.starts_with('!')
        {
            found.insert(here(name.split('.').next().unwrap_or(name)));
        }
    }
}
