//! Every function against scripted answers of DynamoDB, S3 and Rekognition.
//!
//! The answers are those of the API references, such as
//! <https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_UpdateItem.html>.

mod delete;
mod list;
mod process;
mod upload;

use std::collections::HashMap;

use aws_credential_types::Credentials;
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};
use aws_smithy_runtime_api::client::interceptors::Intercept;
use serde_json::{Value, json};
use stack_bindings::sdk::dynamodb::error::ErrorMetadata;
use stack_bindings::sdk::dynamodb::operation::get_item::GetItemOutput;
use stack_bindings::sdk::dynamodb::operation::update_item::{UpdateItemError, UpdateItemOutput};
use stack_bindings::sdk::dynamodb::types::AttributeValue;
use stack_bindings::sdk::dynamodb::{self, Client, config::Region};
use stack_bindings::{ApiRequest, ApiResponse, Decode as _, Grants, Table, Var, kind};

use crate::album::Album;
use crate::caller::CallerIdentity;

const TABLE: &str = "photos-dev";
const CALLER: &str = "us-west-2:0e3f4c2a-2f7b-4f0e-9d7a-2d6d3c3c1a11";

fn scripted(rules: &[&Rule], mode: RuleMode) -> MockResponseInterceptor {
    let scripted = MockResponseInterceptor::new().rule_mode(mode);
    rules
        .iter()
        .fold(scripted, |scripted, rule| scripted.with_rule(rule))
}

/// Binds to a table that answers as the rules say, in their order.
fn albums<G: Grants<kind::Table<Album>>>(rules: &[&Rule]) -> Table<Album, G> {
    let interceptor = scripted(rules, RuleMode::Sequential);
    Table::with_client(Client::from_conf(config(interceptor)), TABLE)
}

fn config(interceptor: impl Intercept + 'static) -> dynamodb::Config {
    dynamodb::Config::builder()
        .behavior_version_latest()
        .region(Region::new("us-west-2"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "tests"))
        .http_client(create_mock_http_client())
        .interceptor(interceptor)
        .build()
}

fn identity() -> Var<CallerIdentity> {
    Var::of(CallerIdentity::IdentityPool)
}

/// A request of the caller, as API Gateway sends it after IAM authorization.
fn request(overrides: Value) -> ApiRequest {
    let mut request = json!({
        "resource": "/photos",
        "path": "/photos",
        "httpMethod": "GET",
        "headers": null,
        "queryStringParameters": null,
        "requestContext": {"identity": {"cognitoIdentityId": CALLER}},
        "body": null,
    });
    if let (Value::Object(request), Value::Object(overrides)) = (&mut request, overrides) {
        request.extend(overrides);
    }
    ApiRequest::decode(request).expect("is a request")
}

/// A request that API Gateway let through without finding a caller.
fn anonymous() -> ApiRequest {
    request(json!({"requestContext": {"identity": {"cognitoIdentityId": null}}}))
}

/// Checks what every response has in common, and returns the rest.
fn answer(response: Result<ApiResponse, serde_json::Error>) -> (u16, Value) {
    let response = response.expect("is answered");
    let headers: Vec<(&str, &str)> = response
        .headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    // No header allows credentials: with the origin `*` browsers would refuse the response.
    assert_eq!(
        headers,
        [
            ("access-control-allow-origin", "*"),
            ("content-type", "application/json")
        ]
    );
    let body = serde_json::from_str(&response.body).expect("is JSON");
    (response.status_code, body)
}

fn refused(text: &str) -> (u16, Value) {
    (400, json!({ "error": text }))
}

fn photo(id: &str, name: &str) -> Value {
    json!({"id": id, "name": name, "date": "2021-05-04T12:34:56.789012"})
}

fn album(photos: &[Value]) -> Value {
    json!({"id": CALLER, "photos": photos})
}

/// Writes JSON without numbers as DynamoDB has it.
fn attribute(value: &Value) -> AttributeValue {
    match value {
        Value::String(text) => AttributeValue::S(text.clone()),
        Value::Array(values) => AttributeValue::L(values.iter().map(attribute).collect()),
        Value::Object(fields) => AttributeValue::M(
            fields
                .iter()
                .map(|(name, value)| (name.clone(), attribute(value)))
                .collect(),
        ),
        other => panic!("albums hold no {other}"),
    }
}

fn item(value: &Value) -> HashMap<String, AttributeValue> {
    match attribute(value) {
        AttributeValue::M(fields) => fields,
        other => panic!("{other:?} is no item"),
    }
}

/// The caller's album is read, with what was written last.
fn finds(photos: &[Value]) -> Rule {
    let found = album(photos);
    reads(move || GetItemOutput::builder().set_item(Some(item(&found))))
}

/// The caller has no album.
fn finds_nothing() -> Rule {
    reads(GetItemOutput::builder)
}

fn reads(
    output: impl Fn() -> dynamodb::operation::get_item::builders::GetItemOutputBuilder
    + Send
    + Sync
    + 'static,
) -> Rule {
    mock!(Client::get_item)
        .match_requests(|request| {
            request.table_name() == Some(TABLE)
                && request.consistent_read() == Some(true)
                && request.key() == Some(&item(&json!({ "id": CALLER })))
        })
        .then_output(move || output().build())
}

/// An update of the caller's album: its expression, its condition, and its values.
#[derive(Clone, Debug)]
struct Update {
    change: String,
    condition: String,
    values: Value,
}

impl Update {
    fn new(change: &str, condition: &str, values: Value) -> Self {
        Self {
            change: change.to_owned(),
            condition: condition.to_owned(),
            values,
        }
    }

    fn is(&self, request: &dynamodb::operation::update_item::UpdateItemInput) -> bool {
        let names = request
            .expression_attribute_names()
            .expect("every attribute has a placeholder");
        for (placeholder, name) in names {
            assert_eq!(placeholder, &format!("#{name}"));
        }
        let values = request.expression_attribute_values().cloned();
        assert_eq!(request.table_name(), Some(TABLE));
        assert_eq!(request.key(), Some(&item(&json!({ "id": CALLER }))));
        assert_eq!(request.update_expression(), Some(self.change.as_str()));
        assert_eq!(
            request.condition_expression(),
            Some(self.condition.as_str())
        );
        assert_eq!(values.unwrap_or_default(), item(&self.values));
        true
    }

    /// The update happens, and the album then has these photos.
    fn leaves(self, photos: &[Value]) -> Rule {
        let left = album(photos);
        mock!(Client::update_item)
            .match_requests(move |request| self.is(request))
            .then_output(move || {
                UpdateItemOutput::builder()
                    .set_attributes(Some(item(&left)))
                    .build()
            })
    }

    /// The condition does not hold.
    fn comes_too_late(self) -> Rule {
        self.fails("ConditionalCheckFailedException")
    }

    fn fails(self, code: &'static str) -> Rule {
        mock!(Client::update_item)
            .match_requests(move |request| self.is(request))
            .then_error(move || {
                UpdateItemError::generic(ErrorMetadata::builder().code(code).build())
            })
    }
}

/// A failure of DynamoDB that is nobody's business outside.
fn breaks() -> Rule {
    mock!(Client::get_item).then_error(|| {
        let error = ErrorMetadata::builder()
            .code("ResourceNotFoundException")
            .message("Requested resource not found: Table: photos-dev not found")
            .build();
        dynamodb::operation::get_item::GetItemError::generic(error)
    })
}
