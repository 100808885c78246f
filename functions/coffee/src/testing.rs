//! Clients whose answers are scripted.

use std::collections::HashMap;

use serde_json::{Value, json};
use stack_bindings::sdk::dynamodb::error::ErrorMetadata;
use stack_bindings::sdk::dynamodb::types::AttributeValue;
use stack_bindings::sdk::dynamodb::types::error::ConditionalCheckFailedException;
use stack_bindings::sdk::eventbridge::operation::put_events::PutEventsOutput;
use stack_bindings::sdk::eventbridge::types::PutEventsResultEntry;
use stack_bindings::{BusEvent, Decode, TakenDetail};

/// Makes a client of an SDK crate that answers by the given rules, in their order, without retries.
macro_rules! scripted {
    ($sdk:ident, [$($rule:expr),* $(,)?]) => {{
        let answers = aws_smithy_mocks::MockResponseInterceptor::new()
            .rule_mode(aws_smithy_mocks::RuleMode::Sequential)
            $(.with_rule($rule))*;
        let config = stack_bindings::sdk::$sdk::Config::builder()
            .behavior_version_latest()
            .region(stack_bindings::sdk::$sdk::config::Region::new("us-east-2"))
            .credentials_provider(stack_bindings::sdk::$sdk::config::Credentials::new(
                "id", "secret", None, None, "tests",
            ))
            .retry_config(stack_bindings::sdk::$sdk::config::retry::RetryConfig::disabled())
            .http_client(aws_smithy_mocks::create_mock_http_client())
            .interceptor(answers)
            .build();
        stack_bindings::sdk::$sdk::Client::from_conf(config)
    }};
}

pub(crate) use scripted;

pub(crate) const SOURCE: &str = "awsserverlessda.serverlesspresso";
pub(crate) const BUS: &str = "Serverlesspresso";

pub(crate) type Attributes = HashMap<String, AttributeValue>;

pub(crate) fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

pub(crate) fn number(value: i64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

pub(crate) fn attributes<const N: usize>(fields: [(&str, AttributeValue); N]) -> Attributes {
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// The error of a condition that does not hold.
pub(crate) fn condition_failed() -> ConditionalCheckFailedException {
    let meta = ErrorMetadata::builder()
        .code("ConditionalCheckFailedException")
        .build();
    ConditionalCheckFailedException::builder()
        .meta(meta)
        .build()
}

/// The answer to an event that was taken, or that was refused with a code.
pub(crate) fn put_event(refused: Option<&str>) -> PutEventsOutput {
    let entry = match refused {
        None => PutEventsResultEntry::builder().event_id("e1"),
        Some(code) => PutEventsResultEntry::builder()
            .error_code(code)
            .error_message("why"),
    };
    PutEventsOutput::builder()
        .failed_entry_count(i32::from(refused.is_some()))
        .entries(entry.build())
        .build()
}

/// An event as a bus delivers it.
pub(crate) fn event<D: TakenDetail>(detail_type: &str, detail: &Value) -> BusEvent<D> {
    BusEvent::decode(json!({
        "version": "0",
        "id": "6a7e8feb",
        "detail-type": detail_type,
        "source": SOURCE,
        "account": "111122223333",
        "time": "2021-09-07T14:56:00Z",
        "region": "us-east-2",
        "resources": [],
        "detail": detail,
    }))
    .expect("is such an event")
}
