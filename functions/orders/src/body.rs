//! What requests say: their bodies and the parameters of their paths.

use serde_json::{Map, Value};
use stack_bindings::ApiRequest;

use crate::answer::Failure;

/// How many bytes a partition key can have; see
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html>.
pub(crate) const LONGEST_ID: usize = 2048;

/// Reads the body as a JSON object.
pub(crate) fn object(request: &ApiRequest) -> Result<Map<String, Value>, Failure> {
    match request.json() {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) | Err(_) => Err(Failure::Invalid(
            "the body must be a JSON object".to_owned(),
        )),
    }
}

/// Takes the id out of a field of a body, if there is one.
pub(crate) fn take_id(
    body: &mut Map<String, Value>,
    field: &str,
) -> Result<Option<String>, Failure> {
    match body.remove(field) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(id)) if is_id(&id) => Ok(Some(id)),
        Some(_) => Err(unfit(field)),
    }
}

/// Returns the id in the path of a request.
pub(crate) fn path_id<'a>(request: &'a ApiRequest, parameter: &str) -> Result<&'a str, Failure> {
    let id = request.path_parameter(parameter);
    id.filter(|id| is_id(id)).ok_or_else(|| unfit(parameter))
}

fn is_id(text: &str) -> bool {
    (1..=LONGEST_ID).contains(&text.len())
}

fn unfit(field: &str) -> Failure {
    Failure::Invalid(format!(
        "`{field}` must be a text of 1 to {LONGEST_ID} bytes"
    ))
}
