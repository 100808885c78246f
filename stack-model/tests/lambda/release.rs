use serde_json::json;
use stack_model::contract::{Accepts, FunctionContract, Wired, event};
use stack_model::iam::RoleProps;
use stack_model::lambda::{
    AsyncInvocations, FunctionProps, FunctionRef, FunctionUrlProps, PermissionProps, Release,
};
use stack_model::sqs::QueueProps;
use stack_model::{App, Stack};

use super::environment;
use crate::support::{dev, resources, synth, template, violations};

struct Work;

impl FunctionContract for Work {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-work";
}

impl Accepts<event::QueueBatch<String>> for Work {}
impl Accepts<event::HttpRequest> for Work {}

fn released(stack: &mut Stack<'_>) -> FunctionRef<Work> {
    let props = FunctionProps {
        release: Release::Live,
        ..FunctionProps::default()
    };
    stack.function("Work", Wired::new(Vec::new()), props)
}

#[test]
fn a_release_is_a_version_of_its_own_and_the_alias_moves_to_it() {
    let template = template(dev(), |stack| {
        released(stack);
    });
    let resources = &template["Resources"];
    // CloudFormation replaces a version whose description changes, and keeps the earlier one.
    assert_eq!(
        resources["WorkVersion"],
        json!({
            "Type": "AWS::Lambda::Version",
            "DeletionPolicy": "Delete",
            "UpdateReplacePolicy": "Retain",
            "Properties": {"FunctionName": {"Ref": "Work"}, "Description": {"Ref": "WorkRelease"}},
        })
    );
    assert_eq!(
        resources["WorkAlias"],
        json!({
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Work"},
                "FunctionVersion": {"Fn::GetAtt": ["WorkVersion", "Version"]},
                "Name": "live",
            },
        })
    );
    // Without a difference in the configuration, Lambda would refuse to publish the same code again.
    assert_eq!(
        resources["Work"]["Properties"]["Environment"]["Variables"],
        json!({"STACKCTL_RELEASE": {"Ref": "WorkRelease"}})
    );
    assert_eq!(
        template["Parameters"]["WorkRelease"],
        json!({"Type": "String", "Description": "Name of the release of Work"})
    );
}

#[test]
fn the_deployer_is_told_whose_release_a_parameter_names() {
    let assembly = synth(dev(), |stack| {
        released(stack);
    });
    let assembly = assembly.unwrap();
    let manifest = &assembly.manifest().stacks[0];
    assert_eq!(manifest.releases["WorkRelease"], "Work");
}

#[test]
fn whatever_invokes_a_released_function_invokes_its_alias() {
    let resources = resources(dev(), |stack| {
        let work = released(stack);
        let lost = stack.queue::<String>("Lost", QueueProps::default());
        let orders = stack.queue::<String>("Orders", QueueProps::default());
        stack.trigger(&work, orders.batches_of(10));
        let bus = "arn:aws:events:eu-central-1:123456789012:rule/placed";
        stack.permission(
            "WorkPermission",
            &work,
            PermissionProps::service("events.amazonaws.com", bus),
        );
        let invocations = AsyncInvocations {
            on_failure: Some((&lost).into()),
            ..AsyncInvocations::default()
        };
        stack.async_invocations(&work, invocations);
        stack.function_url(&work, FunctionUrlProps::default());
        let role = stack.role("Caller", RoleProps::for_service("states.amazonaws.com"));
        stack.grant(&role, [work.invoke_statement()]);
    });
    let alias = json!({"Ref": "WorkAlias"});
    let mapping = resources
        .as_object()
        .unwrap()
        .values()
        .find(|resource| resource["Type"] == "AWS::Lambda::EventSourceMapping")
        .unwrap();
    assert_eq!(mapping["Properties"]["FunctionName"], alias);
    assert_eq!(
        resources["WorkPermission"]["Properties"]["FunctionName"],
        alias
    );
    let policy = &resources["Caller"]["Properties"]["Policies"][0]["PolicyDocument"];
    assert_eq!(policy["Statement"][0]["Resource"], alias);
    // These two take the name of the alias apart from the function, so nothing but this makes them wait for it.
    let config = &resources["WorkAsyncInvocations"];
    assert_eq!(config["Properties"]["FunctionName"], json!({"Ref": "Work"}));
    assert_eq!(config["Properties"]["Qualifier"], "live");
    assert_eq!(config["DependsOn"], json!(["WorkAlias"]));
    let url = &resources["WorkUrl"];
    let function = json!({"Fn::GetAtt": ["Work", "Arn"]});
    assert_eq!(url["Properties"]["TargetFunctionArn"], function);
    assert_eq!(url["Properties"]["Qualifier"], "live");
    assert_eq!(url["DependsOn"], json!(["WorkAlias"]));
}

#[test]
fn the_queue_of_a_released_function_still_hides_its_messages_long_enough() {
    let violations = violations(dev(), |stack| {
        let props = FunctionProps {
            release: Release::Live,
            timeout: Some(60.into()),
            ..FunctionProps::default()
        };
        let work = stack.function::<Work>("Work", Wired::new(Vec::new()), props);
        let orders = stack.queue::<String>("Orders", QueueProps::default());
        stack.trigger(&work, orders.batches_of(10));
    });
    assert!(
        format!("{violations:?}").contains("the function may run 60 s"),
        "{violations:?}"
    );
}

#[test]
fn the_variable_of_the_release_is_nobody_elses() {
    let violations = violations(dev(), |stack| {
        let props = FunctionProps {
            release: Release::Live,
            environment: environment(&[("STACKCTL_RELEASE", "1")]),
            ..FunctionProps::default()
        };
        stack.function::<Work>("Work", Wired::new(Vec::new()), props);
    });
    assert!(
        format!("{violations:?}").contains("`STACKCTL_RELEASE` has the name of the release"),
        "{violations:?}"
    );
}

#[test]
fn protected_stages_release_unless_a_function_says_otherwise() {
    let is_released = |protected: bool, release: Option<Release>| {
        let request = json!({
            "name": "some",
            "region": "eu-central-1",
            "architecture": "arm64",
            "protected": protected,
        });
        let stage = stack_model::Stage::new(serde_json::from_value(request).unwrap());
        let mut app = App::new(stage);
        let mut stack = app.stack("orders");
        let mut props = FunctionProps::default();
        if let Some(release) = release {
            props.release = release;
        }
        let work = stack.function::<Work>("Work", Wired::new(Vec::new()), props);
        work.alias().is_some()
    };
    assert!(is_released(true, None));
    assert!(!is_released(false, None));
    for protected in [true, false] {
        assert!(is_released(protected, Some(Release::Live)));
        assert!(!is_released(protected, Some(Release::Latest)));
    }
}
