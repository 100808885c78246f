//! From structs to [`Expr`].

use std::collections::BTreeMap;

use crate::{Expr, Property};

/// Renders to what a template holds, or to nothing where the property is absent.
///
/// The trait is object safe on purpose: generated structs list their fields as `&dyn Render`, which compiles
/// many times faster than a serialiser per struct.
pub trait Render {
    /// Returns the rendered value, or `None` for an absent property.
    fn render(&self) -> Option<Expr>;
}

/// A struct that stands for a resource type.
pub trait ResourceType: Render {
    /// Returns the name of the type, such as `AWS::SQS::Queue`.
    fn resource_type(&self) -> &'static str;
}

/// Renders a struct from its fields, leaving absent ones out.
pub fn render_fields(fields: &[(&'static str, &dyn Render)]) -> Option<Expr> {
    Some(Expr::map(fields.iter().filter_map(|(name, value)| {
        value.render().map(|expr| (*name, expr))
    })))
}

impl<T: Render> Render for Property<T> {
    fn render(&self) -> Option<Expr> {
        match self {
            Self::Absent => None,
            Self::Literal(literal) => literal.render(),
            Self::Token(token) => Some(Expr::Token(token.clone())),
        }
    }
}

impl Render for Expr {
    fn render(&self) -> Option<Expr> {
        Some(self.clone())
    }
}

impl Render for String {
    fn render(&self) -> Option<Expr> {
        Some(Expr::from(self.as_str()))
    }
}

impl Render for bool {
    fn render(&self) -> Option<Expr> {
        Some(Expr::from(*self))
    }
}

impl Render for i64 {
    fn render(&self) -> Option<Expr> {
        Some(Expr::from(*self))
    }
}

impl Render for f64 {
    /// Renders whole numbers without a fraction; infinities and NaN have no JSON form and render as text, which
    /// the validator then refuses.
    fn render(&self) -> Option<Expr> {
        Some(serde_json::Number::from_f64(*self).map_or_else(
            || Expr::String(self.to_string()),
            |number| {
                if self.fract() == 0.0 && self.abs() < 9e15 {
                    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53")]
                    Expr::from(*self as i64)
                } else {
                    Expr::Number(number)
                }
            },
        ))
    }
}

impl<T: Render> Render for Vec<T> {
    fn render(&self) -> Option<Expr> {
        Some(Expr::List(self.iter().filter_map(Render::render).collect()))
    }
}

impl<T: Render> Render for BTreeMap<String, T> {
    fn render(&self) -> Option<Expr> {
        Some(Expr::map(self.iter().filter_map(|(key, value)| {
            value.render().map(|expr| (key.as_str(), expr))
        })))
    }
}

impl<T: Render + ?Sized> Render for Box<T> {
    fn render(&self) -> Option<Expr> {
        (**self).render()
    }
}

impl<T: Render> Render for crate::Value<T> {
    fn render(&self) -> Option<Expr> {
        match self {
            Self::Literal(literal) => literal.render(),
            Self::Token(token) => Some(Expr::Token(token.clone())),
        }
    }
}
