//! Where the next page of a query or a scan starts.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use aws_sdk_dynamodb::types::AttributeValue;
use aws_smithy_types::{Blob, base64};
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::item::Item;

/// Some of the items that a query or a scan finds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page<T> {
    /// The items of the page; a page may be empty although there are more.
    pub items: Vec<T>,
    /// Where the next page starts, or `None` at the end.
    pub next: Option<Cursor>,
    /// How many items were read before a filter left some out.
    pub scanned: u32,
}

/// Where the next page starts: the key of the last item that was read.
///
/// It can be sent to a caller and taken back: its serialised form is a JSON object of DynamoDB's attribute values,
/// such as `{"id": {"S": "42"}}`.
#[derive(Clone, PartialEq, Eq)]
pub struct Cursor {
    attributes: BTreeMap<String, KeyValue>,
}

/// The value of a key attribute: DynamoDB has no others.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
enum KeyValue {
    #[serde(rename = "S")]
    String(String),
    #[serde(rename = "N")]
    Number(String),
    #[serde(
        rename = "B",
        serialize_with = "to_base64",
        deserialize_with = "from_base64"
    )]
    Binary(Vec<u8>),
}

impl Cursor {
    /// Starts after the item with the given key, in a query or a scan of the table itself.
    ///
    /// # Errors
    ///
    /// Fails where the key cannot be encoded.
    pub fn after<T: Item>(key: &T::Key) -> Result<Self, serde_dynamo::Error> {
        let attributes: HashMap<String, AttributeValue> = serde_dynamo::to_item(key)?;
        Self::from_attributes(attributes).ok_or_else(|| {
            serde_dynamo::Error::custom("a key attribute is a string, a number or bytes")
        })
    }

    /// Reads the key of the item after which the next page starts.
    ///
    /// # Errors
    ///
    /// Fails where the cursor belongs to items of another type.
    pub fn key<T: Item>(&self) -> Result<T::Key, serde_dynamo::Error> {
        serde_dynamo::from_item(self.clone().into_attributes())
    }

    /// Takes the key that the service returned, or `None` where it is not made of key attributes.
    pub(crate) fn from_attributes(attributes: HashMap<String, AttributeValue>) -> Option<Self> {
        attributes
            .into_iter()
            .map(|(name, value)| {
                let value = match value {
                    AttributeValue::S(text) => KeyValue::String(text),
                    AttributeValue::N(number) => KeyValue::Number(number),
                    AttributeValue::B(bytes) => KeyValue::Binary(bytes.into_inner()),
                    _ => return None,
                };
                Some((name, value))
            })
            .collect::<Option<_>>()
            .map(|attributes| Self { attributes })
    }

    pub(crate) fn into_attributes(self) -> HashMap<String, AttributeValue> {
        self.attributes
            .into_iter()
            .map(|(name, value)| {
                let value = match value {
                    KeyValue::String(text) => AttributeValue::S(text),
                    KeyValue::Number(number) => AttributeValue::N(number),
                    KeyValue::Binary(bytes) => AttributeValue::B(Blob::new(bytes)),
                };
                (name, value)
            })
            .collect()
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.attributes.keys()).finish()
    }
}

impl Serialize for Cursor {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.attributes.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Cursor {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        BTreeMap::deserialize(deserializer).map(|attributes| Self { attributes })
    }
}

fn to_base64<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&base64::encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(deserializer)?;
    base64::decode(text).map_err(D::Error::custom)
}
