//! Functions: whether they can be invoked, with the code that was built.

use std::{collections::BTreeMap, time::Duration};

use aws_sdk_lambda::types::{LastUpdateStatus, State};
use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::{Claim, Disproof, Look};
use crate::{
    aws::{AwsError, Clients, OrAws},
    engine::{Artifact, inspect::present},
};

pub(super) const TYPE: &str = "AWS::Lambda::Function";

/// How long a function may take to become ready: one in a network waits for its interfaces, and express mode does not.
const PATIENCE: Duration = Duration::from_mins(5);

/// How long an answer may show what was there before.
const LAG: Duration = Duration::from_secs(10);

/// A function as it should be.
#[derive(Clone, Debug)]
pub(super) struct Expected {
    pub(super) logical_id: String,
    pub(super) name: String,
    /// The SHA-256 of the artifact as Lambda writes it, where the code is an artifact of this deploy.
    pub(super) code: Option<String>,
}

/// Returns what Lambda says of the code that the properties of a function name.
pub(super) fn code(
    properties: &Value,
    stack: &StackManifest,
    artifacts: &BTreeMap<String, Artifact>,
) -> Option<String> {
    let parameter = properties.pointer("/Code/S3Key/Ref")?.as_str()?;
    let artifact = artifacts.get(stack.artifacts.get(parameter)?)?;
    encoded(&artifact.sha256)
}

/// Writes a SHA-256 in base64 instead of hexadecimal.
fn encoded(sha256: &str) -> Option<String> {
    let digits = sha256.as_bytes().chunks(2);
    let bytes: Option<Vec<u8>> = digits
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
        .collect();
    bytes.map(aws_smithy_types::base64::encode)
}

/// Looks at a function.
///
/// The states are those of <https://docs.aws.amazon.com/lambda/latest/dg/functions-states.html>: a function that is new is
/// `Pending`, one that was not invoked for long `Inactive`, and an update of code or configuration is `InProgress` until
/// it shows.
pub(super) async fn look(clients: &Clients, expected: &Expected) -> Result<Look, AwsError> {
    const OPERATION: &str = "GetFunction";
    // Whoever may have CloudFormation make a function may call this; `GetFunctionConfiguration` is another action.
    let answer = clients
        .lambda
        .get_function()
        .function_name(&expected.name)
        .send()
        .await
        .or_aws(clients, OPERATION)?
        .configuration
        .ok_or_else(|| AwsError::incomplete(OPERATION, "configuration"))?;
    let disproof = |claim, message: String| Disproof {
        subject: expected.logical_id.clone(),
        claim,
        message: format!("function {} {message}", expected.name),
    };
    let settled = |message: &str, reason: Option<String>| {
        let reason = present(reason).map_or(String::new(), |reason| format!(": {reason}"));
        disproof(Claim::FunctionSettled, format!("{message}{reason}"))
    };
    let state = answer.state.as_ref().map(State::as_str);
    let update = answer.last_update_status.as_ref();
    match (state, update.map(LastUpdateStatus::as_str)) {
        (Some("Failed"), _) => Ok(Look::Bad(settled("cannot be invoked", answer.state_reason))),
        (_, Some("Failed")) => Ok(Look::Bad(settled(
            "was not updated",
            answer.last_update_status_reason,
        ))),
        (Some("Pending"), _) => Ok(Look::NotYet(
            settled("is not ready yet", answer.state_reason),
            PATIENCE,
        )),
        (_, Some("InProgress")) => Ok(Look::NotYet(
            settled("is still being updated", answer.last_update_status_reason),
            PATIENCE,
        )),
        _ => Ok(match (&expected.code, present(answer.code_sha256)) {
            (Some(wanted), Some(actual)) if *wanted != actual => {
                let message = format!(
                    "runs code with the SHA-256 {actual}, and not {wanted}, which was deployed"
                );
                Look::NotYet(disproof(Claim::FunctionCode, message), LAG)
            }
            _ => Look::Good,
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::encoded;

    #[test]
    fn hashes_are_written_as_lambda_does() {
        // Of no bytes at all, as `openssl dgst -sha256 -binary | base64` writes it.
        let sha256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let expected = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
        assert_eq!(encoded(sha256).as_deref(), Some(expected));
        assert_eq!(encoded("no hash"), None);
    }
}
