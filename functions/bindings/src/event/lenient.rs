//! Reads numbers and booleans from texts.

use serde::de::value::{MapDeserializer, SeqDeserializer};
use serde::de::{Deserializer, IntoDeserializer, Visitor};
use serde::forward_to_deserialize_any;
use serde_json::{Error, Value};

/// A value in which every number and boolean may be a text, as CloudFormation sends the properties of a custom
/// resource.
pub(super) struct Lenient(pub(super) Value);

/// Parses a text where the type asks for something else, and leaves everything else to JSON.
macro_rules! parsed {
    ($($method:ident $visit:ident $type:ty;)+) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
                if let Value::String(text) = &self.0
                    && let Ok(value) = text.trim().parse::<$type>()
                {
                    return visitor.$visit(value);
                }
                self.deserialize_any(visitor)
            }
        )+
    };
}

impl<'de> Deserializer<'de> for Lenient {
    type Error = Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(elements) => {
                visitor.visit_seq(SeqDeserializer::new(elements.into_iter().map(Lenient)))
            }
            Value::Object(fields) => {
                let fields = fields.into_iter().map(|(name, value)| (name, Self(value)));
                visitor.visit_map(MapDeserializer::new(fields))
            }
            value => value.deserialize_any(visitor),
        }
    }

    parsed! {
        deserialize_bool visit_bool bool;
        deserialize_i8 visit_i64 i64;
        deserialize_i16 visit_i64 i64;
        deserialize_i32 visit_i64 i64;
        deserialize_i64 visit_i64 i64;
        deserialize_u8 visit_u64 u64;
        deserialize_u16 visit_u64 u64;
        deserialize_u32 visit_u64 u64;
        deserialize_u64 visit_u64 u64;
        deserialize_f32 visit_f64 f64;
        deserialize_f64 visit_f64 f64;
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    /// A resource without properties has an object without fields.
    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.0.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i128 u128 char str string bytes byte_buf unit_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

impl IntoDeserializer<'_, Error> for Lenient {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde::Deserialize;
    use serde_json::json;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Properties {
        on: bool,
        small: u8,
        negative: i64,
        fraction: f64,
        missing: Option<u32>,
        given: Option<u32>,
        text: String,
        list: Vec<u16>,
        nested: BTreeMap<String, bool>,
    }

    #[test]
    fn texts_are_numbers_and_booleans_where_the_type_says_so() {
        let sent = json!({
            "On": "true", "Small": "7", "Negative": "-3", "Fraction": "1.5", "Given": "4", "Text": "12",
            "List": ["1", 2], "Nested": {"a": "false", "b": true}
        });
        let properties = Properties::deserialize(Lenient(sent)).unwrap();
        let expected = Properties {
            on: true,
            small: 7,
            negative: -3,
            fraction: 1.5,
            missing: None,
            given: Some(4),
            text: "12".to_owned(),
            list: vec![1, 2],
            nested: BTreeMap::from([("a".to_owned(), false), ("b".to_owned(), true)]),
        };
        assert_eq!(properties, expected);
        <()>::deserialize(Lenient(json!({}))).unwrap();
    }

    #[test]
    fn what_does_not_fit_says_so() {
        let error = u8::deserialize(Lenient(json!("300"))).unwrap_err();
        assert!(error.to_string().contains("300"), "{error}");
        let error = bool::deserialize(Lenient(json!("yes"))).unwrap_err();
        assert!(error.to_string().contains("expected a boolean"), "{error}");
    }
}
