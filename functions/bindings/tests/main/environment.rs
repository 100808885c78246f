//! Reading bindings from the environment.

use stack_bindings::sdk::config::SdkConfig;
use stack_bindings::{Environment, FromEnvironment, Function, VariableFault};

use crate::declared::{LogLevel, Operations};

fn environment(variables: &[(&str, &str)]) -> Environment {
    let sdk = SdkConfig::builder()
        .behavior_version(stack_bindings::sdk::config::BehaviorVersion::v2026_01_12())
        .build();
    Environment::new(variables.iter().copied(), sdk)
}

#[test]
fn every_binding_has_its_variable() {
    let bindings = Operations::from_environment(&environment(&[
        ("TABLE_NAME", "name"),
        ("LOG_LEVEL", "debug"),
        ("ORDERS_TABLE", "orders"),
    ]))
    .unwrap();
    assert_eq!(bindings.table.name(), "name");
    assert_eq!(*bindings.log_level, LogLevel::Debug);
    assert_eq!(bindings.orders.name(), "orders");
}

#[test]
fn all_problems_are_reported_together() {
    let error = Operations::from_environment(&environment(&[
        ("ORDERS_TABLE", ""),
        ("LOG_LEVEL", "hunter2"),
    ]))
    .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the environment of the function is incomplete: TABLE_NAME (the table `table`) is not set; \
         LOG_LEVEL (the variable `log_level`) cannot be read as `LogLevel`; \
         ORDERS_TABLE (the table `orders`) is empty"
    );
    assert!(!format!("{error:?}").contains("hunter2"));
    let faults: Vec<_> = error
        .problems()
        .iter()
        .map(|problem| (problem.variable(), problem.field(), problem.fault().clone()))
        .collect();
    assert_eq!(faults[0], ("TABLE_NAME", "table", VariableFault::Missing));
    assert_eq!(faults[2], ("ORDERS_TABLE", "orders", VariableFault::Empty));
}

#[cfg(unix)]
#[test]
fn a_value_that_is_not_unicode_is_a_problem() {
    use std::os::unix::ffi::OsStringExt;

    let sdk = SdkConfig::builder().build();
    let value = std::ffi::OsString::from_vec(vec![0xff]);
    let error =
        Operations::from_environment(&Environment::new([("TABLE_NAME", value)], sdk)).unwrap_err();
    assert_eq!(error.problems()[0].fault(), &VariableFault::NotUnicode);
}

#[test]
fn the_contract_names_package_and_binary() {
    assert_eq!(Operations::PACKAGE, "stack-bindings");
    assert_eq!(Operations::BINARY, "intake-operations");
}
