//! `invoke`: calls a deployed function and prints its answer.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read as _;

use serde_json::Value;
use stack_graph::{Place, Template};

use super::Session;
use super::look::Look;
use crate::cli;
use crate::engine::{self, DeployedFunction};
use crate::error::{Error, Kind, Result};
use crate::sample::{self, Trigger};

pub(super) async fn run(session: &Session, arguments: &cli::Invoke) -> Result<u8> {
    let given = match &arguments.sample {
        Some(_) => None,
        None => Some(payload(session, arguments)?),
    };
    let look = Look::open(session, None).await?;
    let functions = look.functions(session).await?;
    let names = look.names();
    let function = find(&functions, &names, &arguments.function)?;
    let payload = if let Some(payload) = given {
        payload
    } else {
        let event = sampled(session, &look, function, arguments.sample.flatten()).await?;
        if arguments.print {
            session.ui.document(&event);
            return Ok(0);
        }
        event.to_string().into_bytes()
    };
    let asked = arguments.qualifier.as_deref();
    let qualifier = asked.or(function.alias.as_deref());
    if let (None, Some(alias)) = (asked, qualifier) {
        session.ui.tell(format!(
            "calling the alias {alias} of {}/{}, as whoever invokes it does; `--qualifier '$LATEST'` calls the code that was deployed last",
            function.stack, function.logical_id
        ));
    }
    let answer = session
        .guard_saying(
            "the function was called and may still be running",
            engine::invoke(&look.context, function, qualifier, payload),
        )
        .await??;
    if session.ui.json() {
        let parsed = serde_json::from_str::<serde_json::Value>(&answer.payload)
            .unwrap_or_else(|_| answer.payload.clone().into());
        session.ui.document(&serde_json::json!({
            "function": answer.function,
            "qualifier": qualifier,
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
            if was_given_nothing(arguments) {
                session.ui.tell(
                    "it was called with `{}`: `--sample` calls it with an event as its trigger sends it, and `--payload` with yours",
                );
            }
            Ok(1)
        }
        None => Ok(0),
    }
}

/// Returns whether no event was given: the function was called with an empty one.
fn was_given_nothing(arguments: &cli::Invoke) -> bool {
    let cli::Invoke {
        payload,
        payload_file,
        sample,
        ..
    } = arguments;
    payload.is_none() && payload_file.is_none() && sample.is_none()
}

/// Makes up the event of the function's trigger: of the one of a kind, or of the only one.
async fn sampled(
    session: &Session,
    look: &Look,
    function: &DeployedFunction,
    wanted: Option<sample::Kind>,
) -> Result<Value> {
    let templates: Vec<Template<'_>> = look
        .assembly
        .stacks()
        .map(|(manifest, template)| Template {
            stack: &manifest.name,
            json: &template.json,
        })
        .collect();
    let place = Place {
        stack: function.stack.clone(),
        logical_id: function.logical_id.clone(),
    };
    let clients = look.context.clients.in_region(function.region.as_deref());
    let mut account = sample::Account {
        region: clients.region().to_owned(),
        account: clients.identity().account.clone(),
        deployed: BTreeMap::new(),
    };
    let found = sample::triggers(&templates, &place);
    let trigger = choose(&found, wanted, &function.logical_id)?;
    if let Some(Trigger { place, .. }) = trigger {
        let stack = look.targets.iter().find(|it| it.name == place.stack);
        if let Some(stack) = stack {
            let looked = engine::physical_id(&look.context, stack, &place.logical_id);
            let deployed = session.guard(looked).await??;
            account
                .deployed
                .extend(deployed.map(|id| (place.clone(), id)));
        }
    }
    Ok(match (trigger, wanted) {
        (Some(trigger), _) => sample::event(&templates, &place, trigger, &account),
        (None, Some(kind)) => sample::event_of_kind(kind, &place, &account),
        (None, None) => Value::Object(serde_json::Map::new()),
    })
}

/// Chooses the trigger whose event is made up; none, where the function has none of the kind that was asked for.
fn choose<'a>(
    triggers: &'a [Trigger],
    wanted: Option<sample::Kind>,
    function: &str,
) -> Result<Option<&'a Trigger>> {
    let kinds: BTreeSet<_> = triggers.iter().map(|trigger| trigger.kind).collect();
    match wanted {
        // Several routes or rules of one kind send events of one shape: the first will do.
        Some(kind) => Ok(triggers.iter().find(|trigger| trigger.kind == kind)),
        None if kinds.len() == 1 => Ok(triggers.first()),
        None if kinds.is_empty() => Err(Error::new(
            Kind::Usage,
            format!("nothing in the stacks triggers `{function}`"),
        )
        .hint(
            "name the kind of event with `--sample TRIGGER`, or give the event with `--payload`",
        )),
        None => {
            let names: Vec<String> = kinds.into_iter().map(sample::Kind::name).collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            Err(Error::new(
                Kind::Usage,
                format!("several kinds of events trigger `{function}`"),
            )
            .hint(format!(
                "say which with `--sample TRIGGER`: {}",
                crate::config::list(&names)
            )))
        }
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
            let stacks = stacks.iter().map(|(id, _)| id.as_str());
            let known: Vec<&str> = names.iter().copied().chain(stacks).collect();
            let error = match cli::nearest(logical_id, &known) {
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
    fn whoever_gives_no_event_is_told_of_samples() {
        let given_nothing = |arguments: &[&str]| {
            let arguments = ["stackctl", "invoke", "Work"].iter().chain(arguments);
            let cli = <cli::Cli as clap::Parser>::parse_from(arguments);
            let cli::Verb::Invoke(arguments) = cli.verb else {
                panic!("is another verb");
            };
            was_given_nothing(&arguments)
        };
        assert!(given_nothing(&[]));
        for given in [
            &["--payload", "{}"][..],
            &["--payload-file", "-"],
            &["--sample"],
        ] {
            assert!(!given_nothing(given), "{given:?}");
        }
    }

    #[test]
    fn functions_are_found_by_logical_id_and_stack() {
        let function = |stack: &str, logical_id: &str| DeployedFunction {
            stack: stack.to_owned(),
            region: None,
            logical_id: logical_id.to_owned(),
            name: format!("{stack}-{logical_id}"),
            alias: None,
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
