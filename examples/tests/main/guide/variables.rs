//! `docs/configuration.md`: the type that reads the variables of a stage.

use serde::Deserialize;
use serde_json::json;
use stack_bindings::{Bindings, Invocation, Var};
use stack_model::lambda::FunctionProps;
use stack_model::{App, Violations};

/// What a stage decides, in the table `[stages.<stage>.variables.orders]`.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Variables {
    greeting: String,
    #[serde(default)]
    mode: Mode,
    memory: Option<u32>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Mode {
    #[default]
    Queue,
    Direct,
}

fn describe(app: &mut App) -> Result<(), Violations> {
    let variables: Variables = app.stage().variables("orders")?;
    let mut stack = app.stack("orders");
    let wired = Greet::bind(GreetWiring {
        greeting: variables.greeting.into(),
        direct: matches!(variables.mode, Mode::Direct).into(),
    });
    stack.function(
        "Greet",
        wired,
        FunctionProps {
            memory: variables.memory.map(Into::into),
            ..FunctionProps::default()
        },
    );
    Ok(())
}

/// The bindings of the function, which says hello.
#[derive(Bindings)]
#[function(binary = "orders-greet", accepts(Invocation<String>))]
struct Greet {
    greeting: Var<String>,
    direct: Var<bool>,
}

#[test]
fn the_variables_reach_the_function() {
    let variables = json!({"orders": {"greeting": "hello", "mode": "direct", "memory": 256}});
    let types = super::render(variables, "orders", describe);
    assert!(types.contains(&"AWS::Lambda::Function".to_owned()));
}
