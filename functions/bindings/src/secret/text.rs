//! Reads the text of a secret as a value: as it is where a text is wanted, otherwise as JSON.

use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::forward_to_deserialize_any;

/// A secret that is not of the type it is read as. It does not say more, because serde quotes what it finds.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SecretTextError {
    /// The text is not JSON.
    #[error("the secret is not JSON: line {line}, column {column}")]
    NotJson {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The JSON is not of the type.
    #[error("the secret does not have the expected fields: line {line}, column {column}")]
    OtherType {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// The text cannot be read as the type.
    #[error("the secret cannot be read as the expected type")]
    Unreadable,
}

/// Reads a secret.
pub(crate) fn read<T: DeserializeOwned>(text: &str) -> Result<T, SecretTextError> {
    T::deserialize(SecretText(text))
}

impl serde::de::Error for SecretTextError {
    fn custom<M: std::fmt::Display>(_: M) -> Self {
        Self::Unreadable
    }
}

impl From<serde_json::Error> for SecretTextError {
    fn from(error: serde_json::Error) -> Self {
        let (line, column) = (error.line(), error.column());
        if error.is_data() {
            Self::OtherType { line, column }
        } else {
            Self::NotJson { line, column }
        }
    }
}

struct SecretText<'a>(&'a str);

impl<'de> Deserializer<'de> for SecretText<'de> {
    type Error = SecretTextError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SecretTextError> {
        let mut json = serde_json::Deserializer::from_str(self.0);
        let value = json.deserialize_any(visitor)?;
        json.end()?;
        Ok(value)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, SecretTextError> {
        let mut json = serde_json::Deserializer::from_str(self.0);
        let value = json.deserialize_enum(name, variants, visitor)?;
        json.end()?;
        Ok(value)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SecretTextError> {
        visitor.visit_str(self.0)
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SecretTextError> {
        visitor.visit_str(self.0)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, SecretTextError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, SecretTextError> {
        visitor.visit_some(self)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct Credentials {
        user: String,
        port: u16,
    }

    #[derive(Debug, PartialEq, serde::Deserialize)]
    struct ApiKey(String);

    #[test]
    fn a_text_is_itself() {
        assert_eq!(read::<String>("{not json").unwrap(), "{not json");
        assert_eq!(read::<ApiKey>("k-1").unwrap(), ApiKey("k-1".to_owned()));
    }

    #[test]
    fn a_struct_is_json() {
        assert_eq!(
            read::<Credentials>(r#"{"user": "u", "port": 5432}"#).unwrap(),
            Credentials {
                user: "u".to_owned(),
                port: 5432
            }
        );
    }

    #[test]
    fn errors_do_not_quote_the_secret() {
        for text in [
            "hunter2",
            r#"{"user": "hunter2", "port": "hunter2"}"#,
            r#"{"user": "hunter2"}"#,
            r#"{"hunter2"#,
            r#"{"user": "u", "port": 1} hunter2"#,
        ] {
            let error = read::<Credentials>(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{error}");
        }
    }
}
