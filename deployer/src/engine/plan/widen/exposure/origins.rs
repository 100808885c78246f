//! Which web pages may call, as CORS settings say.

use std::fmt;

use serde_json::Value;

use super::super::super::canonical::same;
use super::super::{covers, elements, text, unknown};

/// The origin of web pages, as a setting names it.
#[derive(Clone, Debug)]
pub(super) struct Origin(Value);

impl Origin {
    /// Returns whether it is that of every page, by whatever protocol: API Gateway takes `https://*`.
    ///
    /// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>.
    pub(super) fn is_any(&self) -> bool {
        let Some(origin) = self.0.as_str() else {
            return false;
        };
        let host = origin.split_once("://").map_or(origin, |(_, host)| host);
        let host = host.split(':').next().unwrap_or_default();
        !host.is_empty() && host.bytes().all(|byte| byte == b'*')
    }

    /// Returns whether all pages of another origin are pages of this one.
    ///
    /// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/ManageCorsUsing.html>.
    pub(super) fn covers(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (Value::String(wide), Value::String(narrow)) => {
                covers(wide.as_bytes(), narrow.as_bytes())
            }
            (one, other) => one.as_str() == Some("*") || same(one, other),
        }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let origin = text(&self.0);
        if self.is_any() {
            write!(
                formatter,
                "any web page may call it (CORS origin `{origin}`)"
            )
        } else {
            write!(formatter, "web pages of {origin} may call it (CORS)")
        }
    }
}

/// Returns the origins that a CORS setting of API Gateway, CloudFront, Lambda or S3 names.
pub(super) fn origins(properties: &Value) -> Vec<Origin> {
    let headers = properties
        .pointer("/ResponseHeadersPolicyConfig/CorsConfig/AccessControlAllowOrigins/Items");
    let settings = ["CorsConfiguration", "Cors"]
        .iter()
        .filter_map(|name| properties.get(name));
    let rules = settings.flat_map(|setting| match setting.get("CorsRules") {
        Some(Value::Array(rules)) => rules.iter().collect(),
        _ => vec![setting],
    });
    let named = rules.flat_map(|rule| {
        let keys = ["AllowOrigins", "AllowedOrigins"];
        keys.into_iter().flat_map(|key| elements(rule.get(key)))
    });
    elements(headers)
        .into_iter()
        .chain(named)
        // What may be anything is judged as what it is in the worst case.
        .filter(|origin| !unknown::is_anything(origin))
        .cloned()
        .chain(answered(properties))
        .map(Origin)
        .collect()
}

/// Returns the origins that a method or a gateway response of a REST API answers with in the header that lets them in. A text
/// stands in quotes there.
fn answered(properties: &Value) -> Vec<Value> {
    let responses = elements(properties.pointer("/Integration/IntegrationResponses"));
    responses
        .into_iter()
        .chain([properties])
        .filter_map(|response| response.get("ResponseParameters")?.as_object())
        .flatten()
        .filter(|(header, _)| {
            let header = header.to_ascii_lowercase();
            header.ends_with(".header.access-control-allow-origin")
        })
        // A method only says whether it has the header.
        .filter(|(_, value)| !value.is_boolean())
        .map(|(_, value)| match value.as_str() {
            Some(text) => Value::from(text.trim_matches('\'')),
            None => value.clone(),
        })
        .collect()
}
