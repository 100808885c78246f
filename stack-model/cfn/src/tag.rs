//! The tag that the services have in common.

use crate::{Expr, Property, Render, render_fields};

/// A key and a value that mark a resource; the list of them is the property `Tags` of most resource types.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tag {
    /// `Key`: text, required.
    pub key: Property<String>,
    /// `Value`: text, required by most resource types.
    pub value: Property<String>,
}

impl Tag {
    /// Makes a tag of a key and a value.
    pub fn new(key: impl Into<Property<String>>, value: impl Into<Property<String>>) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
        }
    }
}

impl Render for Tag {
    fn render(&self) -> Option<Expr> {
        render_fields(&[("Key", &self.key), ("Value", &self.value)])
    }
}
