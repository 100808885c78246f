//! What the tests have in common: stages, and short ways from a description to what it renders.

use serde_json::{Value as Json, json};
use stack_model::iam::ManagedPolicyProps;
use stack_model::policy::Statement;
use stack_model::{App, Assembly, Stack, Stage, Violations};

/// Makes an app for the stage `dev`, whose data is not protected.
pub(crate) fn dev() -> App {
    app("dev", false)
}

/// Makes an app for the stage `prod`, whose data is protected.
pub(crate) fn prod() -> App {
    app("prod", true)
}

fn app(name: &str, protected: bool) -> App {
    let request = json!({
        "name": name,
        "region": "eu-central-1",
        "protected": protected,
        "architecture": "arm64",
    });
    App::new(Stage::new(serde_json::from_value(request).unwrap()))
}

/// Renders one stack, named `orders`.
pub(crate) fn synth(
    mut app: App,
    describe: impl FnOnce(&mut Stack<'_>),
) -> Result<Assembly, Violations> {
    describe(&mut app.stack("orders"));
    app.synth()
}

/// Returns the template of one stack, named `orders`.
pub(crate) fn template(app: App, describe: impl FnOnce(&mut Stack<'_>)) -> Json {
    let assembly = synth(app, describe).unwrap_or_else(|violations| panic!("{violations}"));
    serde_json::from_str(assembly.template("orders").unwrap()).unwrap()
}

/// Returns the resources of one stack.
pub(crate) fn resources(app: App, describe: impl FnOnce(&mut Stack<'_>)) -> Json {
    template(app, describe)["Resources"].take()
}

/// Returns the property of one resource of a stack.
pub(crate) fn property(
    app: App,
    logical_id: &str,
    name: &str,
    describe: impl FnOnce(&mut Stack<'_>),
) -> Json {
    resources(app, describe)[logical_id]["Properties"][name].take()
}

/// Returns what is wrong with one stack, without the places in the source.
pub(crate) fn violations(app: App, describe: impl FnOnce(&mut Stack<'_>)) -> Vec<String> {
    match synth(app, describe) {
        Ok(_) => Vec::new(),
        Err(violations) => texts(&violations),
    }
}

/// Returns violations as text, without the places in the source.
pub(crate) fn texts(violations: &Violations) -> Vec<String> {
    let text = |violation: &stack_model::Violation| {
        let text = violation.to_string();
        text.split("\n  declared at")
            .next()
            .unwrap_or_default()
            .to_owned()
    };
    violations.iter().map(text).collect()
}

/// Returns statements as a policy of the same stack holds them.
pub(crate) fn statements(
    app: App,
    describe: impl FnOnce(&mut Stack<'_>) -> Vec<Statement>,
) -> Json {
    property(app, "Granted", "PolicyDocument", |stack| {
        let statements = describe(stack);
        let props = ManagedPolicyProps {
            statements,
            ..ManagedPolicyProps::default()
        };
        stack.managed_policy("Granted", props);
    })["Statement"]
        .take()
}

/// Returns the actions of statements, one list per statement.
pub(crate) fn actions(statements: &[Statement]) -> Vec<Vec<String>> {
    let actions = |statement: &Statement| statement.actions().to_vec();
    statements.iter().map(actions).collect()
}
