//! `invoke`: calls a deployed function and prints its answer.

use std::io::Read as _;

use super::Session;
use super::look::Look;
use crate::cli;
use crate::engine::{self, DeployedFunction};
use crate::error::{Error, Kind, Result};

pub(super) async fn run(session: &Session, arguments: &cli::Invoke) -> Result<u8> {
    let payload = payload(session, arguments)?;
    let look = Look::open(session, None).await?;
    let functions = look.functions(session).await?;
    let names = look.names();
    let function = find(&functions, &names, &arguments.function)?;
    let answer = session
        .guard_saying(
            "the function was called and may still be running",
            engine::invoke(&look.context, function, payload),
        )
        .await??;
    if session.ui.json() {
        let parsed = serde_json::from_str::<serde_json::Value>(&answer.payload)
            .unwrap_or_else(|_| answer.payload.clone().into());
        session.ui.document(&serde_json::json!({
            "function": answer.function,
            "payload": parsed,
            "function_error": answer.function_error,
            "log": answer.log_tail,
        }));
    } else {
        if !answer.log_tail.is_empty() {
            session.ui.line(answer.log_tail.trim_end());
        }
        session.ui.out(format!("{}\n", answer.payload));
    }
    match answer.function_error {
        // The answer is printed; the exit code says that it is an error.
        Some(error) => {
            session.ui.warn(format!("the function failed ({error})"));
            Ok(1)
        }
        None => Ok(0),
    }
}

/// Reads the event and makes sure that it is JSON: AWS Lambda takes nothing else.
fn payload(session: &Session, arguments: &cli::Invoke) -> Result<Vec<u8>> {
    let bytes = match (&arguments.payload, &arguments.payload_file) {
        (Some(text), _) => text.clone().into_bytes(),
        (None, Some(file)) if file.as_os_str() == "-" => {
            let mut bytes = Vec::new();
            std::io::stdin().read_to_end(&mut bytes).map_err(|error| {
                Error::new(Kind::Io, "cannot read standard input").caused_by(&error)
            })?;
            bytes
        }
        (None, Some(file)) => std::fs::read(session.directory.join(file)).map_err(|error| {
            Error::new(Kind::Io, format!("cannot read {}", file.display())).caused_by(&error)
        })?,
        (None, None) => b"{}".to_vec(),
    };
    serde_json::from_slice::<serde::de::IgnoredAny>(&bytes)
        .map_err(|error| Error::new(Kind::Usage, "the payload is not JSON").caused_by(&error))?;
    Ok(bytes)
}

/// Finds a function by its logical id, or by `STACK/FUNCTION`.
pub(super) fn find<'a>(
    functions: &'a [DeployedFunction],
    stacks: &[(String, String)],
    wanted: &str,
) -> Result<&'a DeployedFunction> {
    let (stack, logical_id) = match wanted.split_once('/') {
        Some((stack, logical_id)) => (Some(stack), logical_id),
        None => (None, wanted),
    };
    let of_stack = |function: &DeployedFunction| {
        stack.is_none_or(|stack| {
            function.stack == stack
                || stacks
                    .iter()
                    .any(|(id, name)| id == stack && *name == function.stack)
        })
    };
    let found: Vec<&DeployedFunction> = functions
        .iter()
        .filter(|function| function.logical_id == logical_id && of_stack(function))
        .collect();
    match found.as_slice() {
        [function] => Ok(function),
        [] => {
            let error = Error::new(Kind::Usage, format!("no function is called `{wanted}`"));
            let names: Vec<&str> = functions
                .iter()
                .map(|function| function.logical_id.as_str())
                .collect();
            let error = match cli::nearest(logical_id, &names) {
                Some(near) => error.hint(format!("did you mean `{near}`?")),
                None => error,
            };
            Err(if names.is_empty() {
                error.hint("nothing is deployed")
            } else {
                error.hint(format!("the functions are {}", crate::config::list(&names)))
            })
        }
        several => {
            let places: Vec<String> = several
                .iter()
                .map(|function| format!("{}/{}", function.stack, function.logical_id))
                .collect();
            let places: Vec<&str> = places.iter().map(String::as_str).collect();
            Err(Error::new(
                Kind::Usage,
                format!("several functions are called `{wanted}`"),
            )
            .hint(format!("name one of {}", crate::config::list(&places))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_by_logical_id_and_stack() {
        let function = |stack: &str, logical_id: &str| DeployedFunction {
            stack: stack.to_owned(),
            region: None,
            logical_id: logical_id.to_owned(),
            name: format!("{stack}-{logical_id}"),
        };
        let functions = [
            function("orders-dev", "Create"),
            function("billing-dev", "Create"),
            function("billing-dev", "Charge"),
        ];
        let stacks = [
            ("orders".to_owned(), "orders-dev".to_owned()),
            ("billing".to_owned(), "billing-dev".to_owned()),
        ];
        let found = |wanted| find(&functions, &stacks, wanted);
        assert_eq!(found("Charge").expect("one").name, "billing-dev-Charge");
        assert_eq!(
            found("orders/Create").expect("one").name,
            "orders-dev-Create"
        );
        assert_eq!(
            found("billing-dev/Create").expect("one").name,
            "billing-dev-Create"
        );
        assert!(
            found("Create")
                .expect_err("two")
                .message()
                .starts_with("several")
        );
        assert_eq!(
            found("Chrage")
                .expect_err("none")
                .hints()
                .first()
                .map(String::as_str),
            Some("did you mean `Charge`?")
        );
    }
}
