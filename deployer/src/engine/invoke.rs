//! Calls a function once.

use aws_sdk_lambda::{config::Config, primitives::Blob, types::LogType};
use serde::Serialize;

use super::{Context, DeployedFunction, inspect::present};
use crate::aws::{AwsError, OrAws, long_timeouts};

/// What a function answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Invocation {
    /// The name of the function.
    pub function: String,
    /// The answer; for a function that failed, its error as AWS reports it.
    pub payload: String,
    /// How the function failed, where it did: `Handled`, `Unhandled` or another word of AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_error: Option<String>,
    /// The last lines of the log of this call.
    pub log_tail: String,
}

/// Calls a function, or a version of it by its number or alias, with a payload, and waits for its answer.
///
/// A function that fails is no error of this call: see [`Invocation::function_error`]
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html>).
pub async fn invoke(
    context: &Context,
    function: &DeployedFunction,
    qualifier: Option<&str>,
    payload: Vec<u8>,
) -> Result<Invocation, AwsError> {
    const OPERATION: &str = "Invoke";
    let clients = context.clients.in_region(function.region.as_deref());
    let answer = clients
        .lambda
        .invoke()
        .function_name(&function.name)
        .set_qualifier(qualifier.map(str::to_owned))
        .log_type(LogType::Tail)
        .payload(Blob::new(payload))
        .customize()
        .config_override(Config::builder().timeout_config(long_timeouts()))
        .send()
        .await
        .or_aws(&clients, OPERATION)?;
    let log_tail = match present(answer.log_result) {
        Some(encoded) => aws_smithy_types::base64::decode(encoded)
            .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
            .map_err(|_| AwsError::incomplete(OPERATION, "readable log"))?,
        None => String::new(),
    };
    Ok(Invocation {
        function: function.name.clone(),
        payload: answer
            .payload
            .map(|payload| String::from_utf8_lossy(payload.as_ref()).into_owned())
            .unwrap_or_default(),
        function_error: present(answer.function_error),
        log_tail,
    })
}
