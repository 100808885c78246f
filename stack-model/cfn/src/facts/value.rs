//! What a property, an element of a list or a value of a map holds.

use super::spec::{Bounds, Kind, Node, Text};
use super::{ResourceFacts, ShapeFacts};

/// The facts about a value: its kind and its limits.
#[derive(Clone, Copy, Debug)]
pub struct ValueFacts {
    resource: &'static ResourceFacts,
    node: &'static Node<'static>,
}

/// The kind of a value.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum ValueKind {
    /// Text.
    Text,
    /// A whole number.
    Integer,
    /// A number.
    Number,
    /// A boolean.
    Boolean,
    /// A list of the given values.
    List(ValueFacts),
    /// A map with free keys to the given values.
    Map(ValueFacts),
    /// A map with known keys.
    Shape(ShapeFacts),
    /// JSON that the registry does not describe further.
    Json,
}

impl ValueFacts {
    pub(super) fn new(resource: &'static ResourceFacts, node: &'static Node<'static>) -> Self {
        Self { resource, node }
    }

    /// Returns the kind.
    pub fn kind(&self) -> ValueKind {
        match &self.node.kind {
            Kind::String => ValueKind::Text,
            Kind::Integer => ValueKind::Integer,
            Kind::Number => ValueKind::Number,
            Kind::Boolean => ValueKind::Boolean,
            Kind::Json(_) => ValueKind::Json,
            Kind::List(item) => ValueKind::List(Self::new(self.resource, item)),
            Kind::Map(item) => ValueKind::Map(Self::new(self.resource, item)),
            Kind::Shape(name) => match self.resource.spec.shape(name) {
                Some(shape) => ValueKind::Shape(ShapeFacts { shape }),
                None => ValueKind::Json,
            },
        }
    }

    /// Lists the permitted values, numbers and booleans as text; none means any.
    pub fn enum_values(&self) -> impl ExactSizeIterator<Item = &'static str> + use<> {
        self.node.limits.values.iter().map(|value| &**value)
    }

    /// Tells whether the permitted values are compared without regard to case.
    pub fn ignores_case(&self) -> bool {
        self.node.limits.ignore_case
    }

    /// Returns the least and the greatest permitted number.
    pub fn range(&self) -> (Option<f64>, Option<f64>) {
        bounds(self.node.limits.range.as_ref())
    }

    /// Returns the least and the greatest permitted count of characters, elements or entries.
    pub fn length(&self) -> (Option<u64>, Option<u64>) {
        bounds(self.node.limits.length.as_ref())
    }

    /// Returns the ECMA regular expression that a text has to match somewhere.
    pub fn pattern(&self) -> Option<&'static str> {
        self.node.limits.pattern.as_deref()
    }

    /// Returns the ECMA regular expression that the keys of a map have to match somewhere.
    pub fn key_pattern(&self) -> Option<&'static str> {
        self.node.limits.keys.as_deref()
    }

    /// Lists the registry's formats, such as `AWS::KMS::Key.Arn` or `date-time`, any one of which applies.
    pub fn formats(&self) -> impl ExactSizeIterator<Item = &'static str> + use<> {
        self.node.limits.formats.iter().map(|format| &**format)
    }

    /// Tells whether the elements of a list have to differ from one another.
    pub fn unique(&self) -> bool {
        self.node.limits.unique
    }

    /// Tells whether the order of the elements of a list has a meaning.
    pub fn ordered(&self) -> bool {
        !self.node.limits.unordered
    }

    /// Returns the JSON that AWS assumes where the property is absent.
    pub fn default(&self) -> Option<&'static str> {
        self.node.limits.default.as_deref()
    }
}

/// Reads the two ends of a range.
pub(super) fn bounds<T: std::str::FromStr>(
    bounds: Option<&(Text<'_>, Text<'_>)>,
) -> (Option<T>, Option<T>) {
    let bounds: Bounds<'_> = bounds.cloned();
    match bounds {
        Some((least, greatest)) => (least.parse().ok(), greatest.parse().ok()),
        None => (None, None),
    }
}
