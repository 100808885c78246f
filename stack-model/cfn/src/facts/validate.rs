//! Checks the properties of a resource against the facts.

mod groups;
mod literal;

use std::fmt;

use super::pattern;
use super::spec::{Kind, Node, Shape};
use super::value::bounds;
use super::{ResourceFacts, resource_type, resource_types};
use crate::{Expr, Pseudo, Token};

use groups::{Presence, presence};

/// Something about the properties of a resource that CloudFormation would refuse.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Where: the names of properties, positions and keys, such as `Rules/0/Status`; empty for the whole resource.
    pub path: String,
    /// What is wrong, as a lowercase fragment.
    pub message: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.path.is_empty() {
            f.write_str(&self.message)
        } else {
            write!(f, "{}: {}", self.path, self.message)
        }
    }
}

/// Checks the properties of a resource, and returns all that is wrong with them.
///
/// It finds unknown and missing properties, values of the wrong kind, values that are not among the permitted ones,
/// outside of their range, too long or short or not matching their pattern, properties that only AWS sets, and
/// properties that exclude or need one another.
///
/// What CloudFormation computes is accepted as it is, be it a token, or JSON written as an intrinsic (`{"Ref": ..}`,
/// `{"Fn::..": ..}`); only both branches of an `Fn::If` are checked. CloudFormation turns texts into numbers and
/// booleans and back, so `"5"` is a number here too. Patterns with look-around are not checked, nor are formats.
///
/// An unknown resource type is a finding of its own. Custom resources (`Custom::..`), modules (`..::MODULE`) and types of
/// publishers other than AWS are accepted with any properties.
pub fn validate(name: &str, properties: &Expr) -> Vec<Finding> {
    let Some(resource) = resource_type(name) else {
        let foreign = !["AWS::", "Alexa::", "AMZN::"]
            .iter()
            .any(|prefix| name.starts_with(prefix));
        if (foreign && name.split("::").count() >= 3) || name.ends_with("::MODULE") {
            return Vec::new();
        }
        return vec![Finding {
            path: String::new(),
            message: unknown_type(name),
        }];
    };
    let mut check = Check {
        resource,
        findings: Vec::new(),
        path: Vec::new(),
        pattern: String::new(),
    };
    check.shape(&resource.spec.root, properties);
    check.findings
}

fn unknown_type(name: &str) -> String {
    let nearest = nearest(name, resource_types());
    match nearest {
        Some(other) => format!("unknown resource type `{name}`, did you mean `{other}`?"),
        None => format!("unknown resource type `{name}`"),
    }
}

/// Finds the word that is most like another one, if any is alike enough to be meant.
fn nearest<'a>(word: &str, words: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let lower = word.to_lowercase();
    words
        .map(|other| (strsim::osa_distance(&lower, &other.to_lowercase()), other))
        .filter(|(distance, _)| distance * 3 <= word.len())
        .min()
        .map(|(_, other)| other)
}

/// The two values an `Fn::If` chooses from.
fn branches(value: &Expr) -> Option<(&Expr, &Expr)> {
    match value {
        Expr::Token(Token::If {
            then, otherwise, ..
        }) => Some((then, otherwise)),
        Expr::Map(entries) if entries.len() == 1 => match entries.get("Fn::If") {
            Some(Expr::List(parts)) => match parts.as_slice() {
                [_, then, otherwise] => Some((then, otherwise)),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    }
}

fn is_no_value(value: &Expr) -> bool {
    match value {
        Expr::Token(token) => *token == Token::Pseudo(Pseudo::NoValue),
        Expr::Map(entries) => {
            entries.len() == 1
                && entries.get("Ref").and_then(Expr::as_str) == Some(Pseudo::NoValue.name())
        }
        _ => false,
    }
}

/// Whether only the deployment knows the value.
fn is_computed(value: &Expr) -> bool {
    match value {
        Expr::Token(_) => true,
        Expr::Map(entries) => {
            entries.len() == 1
                && entries
                    .keys()
                    .all(|key| key == "Ref" || key.starts_with("Fn::"))
        }
        // A dynamic reference inside of a text.
        Expr::String(text) => text.contains("{{resolve:"),
        _ => false,
    }
}

/// A key that a macro or loop puts into a map beside the properties.
fn is_macro(key: &str) -> bool {
    key == "Fn::Transform" || key.starts_with("Fn::ForEach::")
}

/// A walk through the properties of one resource.
struct Check {
    resource: &'static ResourceFacts,
    findings: Vec<Finding>,
    /// The steps to the value at hand.
    path: Vec<String>,
    /// The same with `*` for positions and keys, as the facts write it.
    pattern: String,
}

impl Check {
    fn report(&mut self, message: String) {
        self.findings.push(Finding {
            path: self.path.join("/"),
            message,
        });
    }

    /// Does something one step deeper.
    fn at(&mut self, step: &str, plain: &str, check: impl FnOnce(&mut Self)) {
        let length = self.pattern.len();
        if length > 0 {
            self.pattern.push('/');
        }
        self.pattern.push_str(plain);
        self.path.push(step.to_owned());
        check(self);
        self.path.pop();
        self.pattern.truncate(length);
    }

    fn shape(&mut self, shape: &'static Shape<'static>, value: &Expr) {
        if let Some((then, otherwise)) = branches(value) {
            self.shape(shape, then);
            self.shape(shape, otherwise);
            return;
        }
        if is_computed(value) {
            return;
        }
        let Expr::Map(entries) = value else {
            self.report(format!(
                "expected a map, found {}",
                literal::describe(value)
            ));
            return;
        };
        for (key, value) in entries {
            if let Some(property) = shape.property(key) {
                self.at(key, key, |check| {
                    if check.resource.only_read(&check.pattern, property.required)
                        && presence(Some(value)) != Presence::No
                    {
                        check.report("only AWS sets this property".to_owned());
                    } else {
                        check.value(&property.node, value);
                    }
                });
            } else if !shape.open && !is_macro(key) {
                let message = match nearest(key, shape.properties.iter().map(|p| &*p.name)) {
                    Some(other) => format!("unknown property, did you mean `{other}`?"),
                    None => "unknown property".to_owned(),
                };
                self.at(key, key, |check| check.report(message));
            }
        }
        // A macro may bring whatever seems to be missing.
        if entries.keys().any(|key| is_macro(key)) {
            return;
        }
        for property in shape.properties.iter().filter(|property| property.required) {
            if presence(entries.get(&*property.name)) == Presence::No {
                self.report(format!("the property `{}` is missing", property.name));
            }
        }
        for message in groups::broken(&shape.groups, entries) {
            self.report(message);
        }
    }

    fn value(&mut self, node: &'static Node<'static>, value: &Expr) {
        if let Some((then, otherwise)) = branches(value) {
            self.value(node, then);
            self.value(node, otherwise);
            return;
        }
        if is_computed(value) {
            return;
        }
        if matches!(value, Expr::Null) {
            self.report("null is not possible in a template, leave the property out".to_owned());
            return;
        }
        match (&node.kind, value) {
            (Kind::Shape(name), _) => {
                if let Some(shape) = self.resource.spec.shape(name) {
                    self.shape(shape, value);
                }
            }
            (Kind::List(item), Expr::List(elements)) => {
                self.elements(node, elements);
                for (index, element) in elements.iter().enumerate() {
                    self.at(&index.to_string(), "*", |check| check.value(item, element));
                }
            }
            (Kind::Map(item), Expr::Map(entries)) => {
                if !entries.keys().any(|key| is_macro(key))
                    && entries.values().all(|v| presence(Some(v)) == Presence::Yes)
                {
                    self.length(node, entries.len(), "entries");
                }
                for (key, entry) in entries.iter().filter(|(key, _)| !is_macro(key)) {
                    self.at(key, "*", |check| {
                        if let Some(keys) = node.limits.keys.as_deref()
                            && pattern::matches(keys, key) == Some(false)
                        {
                            check.report(format!("the key does not match the pattern `{keys}`"));
                        }
                        check.value(item, entry);
                    });
                }
            }
            (Kind::List(_), _) => self.report(format!(
                "expected a list, found {}",
                literal::describe(value)
            )),
            (Kind::Map(_), _) => self.report(format!(
                "expected a map, found {}",
                literal::describe(value)
            )),
            (Kind::Json(letters), _) => {
                if let Some(message) = literal::wrong_kind(letters, value) {
                    self.report(message);
                } else {
                    self.scalar(node, value);
                }
            }
            (kind, _) => {
                let letter = match kind {
                    Kind::Integer => "i",
                    Kind::Number => "n",
                    Kind::Boolean => "b",
                    _ => "s",
                };
                match literal::wrong_kind(letter, value) {
                    Some(message) => self.report(message),
                    None => self.scalar(node, value),
                }
            }
        }
    }

    /// Checks a list as a whole, as far as it is known.
    fn elements(&mut self, node: &'static Node<'static>, elements: &[Expr]) {
        // An element that a condition takes away, or a token that stands for several, changes the count.
        if elements
            .iter()
            .all(|element| !matches!(element, Expr::Token(_)) && !is_computed(element))
        {
            self.length(node, elements.len(), "elements");
        }
        if node.limits.unique {
            for (index, element) in elements.iter().enumerate() {
                if elements
                    .iter()
                    .take(index)
                    .any(|earlier| earlier == element)
                {
                    self.at(&index.to_string(), "*", |check| {
                        check.report("the same element is in the list before".to_owned());
                    });
                }
            }
        }
    }

    fn length(&mut self, node: &'static Node<'static>, found: usize, unit: &str) {
        let (least, greatest) = bounds::<usize>(node.limits.length.as_ref());
        if let Some(least) = least.filter(|least| found < *least) {
            self.report(format!("{found} {unit} are less than the least of {least}"));
        }
        if let Some(greatest) = greatest.filter(|greatest| found > *greatest) {
            self.report(format!(
                "{found} {unit} are more than the most of {greatest}"
            ));
        }
    }

    /// Checks a literal of the right kind against the limits.
    fn scalar(&mut self, node: &'static Node<'static>, value: &Expr) {
        let Some(text) = literal::text(value) else {
            return;
        };
        let limits = &node.limits;
        let same = |permitted: &str| {
            permitted == text
                || (limits.ignore_case && permitted.eq_ignore_ascii_case(&text))
                || literal::same_number(permitted, &text)
        };
        if !limits.values.is_empty() && !limits.values.iter().any(|permitted| same(permitted)) {
            let message = match nearest(&text, limits.values.iter().map(|v| &**v)) {
                Some(other) => format!("`{text}` is not possible, did you mean `{other}`?"),
                None => format!(
                    "`{text}` is not possible, only {}",
                    literal::listed(&limits.values)
                ),
            };
            self.report(message);
            return;
        }
        if let Ok(number) = text.parse::<f64>() {
            let (least, greatest) = bounds::<f64>(limits.range.as_ref());
            if let Some(least) = least.filter(|least| number < *least) {
                self.report(format!("{text} is less than the least of {least}"));
            }
            if let Some(greatest) = greatest.filter(|greatest| number > *greatest) {
                self.report(format!("{text} is more than the most of {greatest}"));
            }
        }
        if matches!(node.kind, Kind::String | Kind::Json(_)) {
            self.length(node, text.chars().count(), "characters");
            if let Some(pattern) = limits.pattern.as_deref()
                && pattern::matches(pattern, &text) == Some(false)
            {
                self.report(format!("`{text}` does not match the pattern `{pattern}`"));
            }
        }
    }
}

impl ResourceFacts {
    /// Checks that an attribute exists, and names the nearest one if it does not.
    pub fn validate_attribute(&'static self, name: &str) -> Option<Finding> {
        if self.has_attribute(name) {
            return None;
        }
        let attributes = self.attributes();
        let message = match nearest(name, attributes.iter().map(String::as_str)) {
            Some(other) => format!(
                "`{}` has no attribute `{name}`, did you mean `{other}`?",
                self.name()
            ),
            None => format!("`{}` has no attribute `{name}`", self.name()),
        };
        Some(Finding {
            path: String::new(),
            message,
        })
    }
}
