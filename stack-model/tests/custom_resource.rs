//! Custom resources.

use std::collections::BTreeMap;

use serde_json::json;
use stack_model::contract::{Accepts, FunctionContract, ResourceProperties, Wired, event};
use stack_model::custom_resource::{CustomResourceProps, CustomResourceRef};
use stack_model::lambda::{FunctionProps, FunctionRef};
use stack_model::policy::Statement;
use stack_model::sqs::{QueueOperation, QueueProps};
use stack_model::{Expr, Handle, Stack, Value};

use crate::support::{dev, prod, resources, texts, violations};

/// A function that fills a table.
#[derive(Debug)]
struct Fill;

impl FunctionContract for Fill {
    const PACKAGE: &'static str = "core";
    const BINARY: &'static str = "core-fill";
}

impl Accepts<event::CustomResource<Seed>> for Fill {}

/// What the function reads.
struct Seed;

/// What a stack fills in.
struct SeedGiven {
    table: Value<String>,
    drinks: u32,
    open: bool,
}

impl ResourceProperties for Seed {
    type Given = SeedGiven;

    fn render(given: SeedGiven) -> BTreeMap<String, Expr> {
        BTreeMap::from([
            ("Table".to_owned(), given.table.into()),
            ("Drinks".to_owned(), given.drinks.into()),
            ("Shop".to_owned(), Expr::map([("open", given.open.into())])),
        ])
    }
}

fn fill(stack: &mut Stack<'_>, timeout: u32) -> FunctionRef<Fill> {
    let props = FunctionProps {
        timeout: Some(timeout.into()),
        ..FunctionProps::default()
    };
    stack.function("Fill", Wired::new(Vec::new()), props)
}

fn seed(
    stack: &mut Stack<'_>,
    function: &FunctionRef<Fill>,
    props: CustomResourceProps,
) -> CustomResourceRef {
    let given = SeedGiven {
        table: "drinks".into(),
        drinks: 6,
        open: true,
    };
    stack.custom_resource("Seed", "Custom::Seed", function, given, props)
}

#[test]
fn properties_are_sent_as_texts_and_the_wait_is_short() {
    let resources = resources(dev(), |stack| {
        let function = fill(stack, 15);
        seed(stack, &function, CustomResourceProps::default());
    });
    assert_eq!(
        resources["Seed"],
        json!({
            "Type": "Custom::Seed",
            "Properties": {
                "ServiceToken": {"Fn::GetAtt": ["Fill", "Arn"]},
                "ServiceTimeout": 600,
                "Table": "drinks",
                "Drinks": "6",
                "Shop": {"open": "true"},
            },
        })
    );
}

#[test]
fn a_long_function_is_waited_for_as_long_as_aws_does() {
    let timeout = |function: u32, wait: Option<u32>| {
        resources(dev(), |stack| {
            let function = fill(stack, function);
            let props = CustomResourceProps {
                service_timeout: wait.map(Into::into),
            };
            seed(stack, &function, props);
        })["Seed"]["Properties"]["ServiceTimeout"]
            .take()
    };
    assert_eq!(timeout(120, None), 600);
    assert_eq!(timeout(121, None), json!(null));
    assert_eq!(timeout(300, Some(301)), 301);
}

#[test]
fn any_attribute_can_be_read_and_the_physical_id_too() {
    let template = crate::support::template(dev(), |stack| {
        let function = fill(stack, 15);
        let seed = seed(stack, &function, CustomResourceProps::default());
        stack.output("Filled", seed.attribute("Filled.Count"));
        stack.output("Id", seed.physical_id());
    });
    assert_eq!(
        template["Outputs"],
        json!({
            "Filled": {"Value": {"Fn::GetAtt": ["Seed", "Filled.Count"]}},
            "Id": {"Value": {"Ref": "Seed"}},
        })
    );
}

#[test]
fn it_waits_for_the_policies_of_its_functions_role_and_no_others() {
    let resources = resources(dev(), |stack| {
        let function = fill(stack, 15);
        let other = stack.role(
            "Other",
            stack_model::iam::RoleProps::for_service("lambda.amazonaws.com"),
        );
        let seed = seed(stack, &function, CustomResourceProps::default());
        let queue = stack.queue::<String>("Orders", QueueProps::default());
        let sending = || queue.statements(&[QueueOperation::Send]);
        stack.policy("Sending", function.role(), sending());
        stack.policy("OthersSending", &other, sending());
        let about = Statement::allow(["sqs:PurgeQueue"]).on(seed.attribute("QueueArn"));
        stack.policy("AboutIt", function.role(), [about]);
    });
    assert_eq!(resources["Seed"]["DependsOn"], json!(["Sending"]));
}

#[test]
fn what_cloudformation_would_refuse_is_reported() {
    let found = violations(dev(), |stack| {
        let function = fill(stack, 15);
        let props = CustomResourceProps {
            service_timeout: Some(10.into()),
        };
        seed(stack, &function, props);
        let given = SeedGiven {
            table: "drinks".into(),
            drinks: 6,
            open: true,
        };
        let props = CustomResourceProps {
            service_timeout: Some(3601.into()),
        };
        stack.custom_resource("Other", "Seed::Other", &function, given, props);
    });
    assert_eq!(
        found,
        [
            "orders / Seed / Properties.ServiceTimeout: CloudFormation waits 10 s and the function may run 15 s: it would give up on a function that is still at work",
            "orders / Other / Properties.ServiceTimeout: 3601 is not between 1 and 3600",
            "orders / Other: `Seed::Other` is not the type of a custom resource: it starts with `Custom::`",
            "orders / Other: unknown resource type `Seed::Other`",
        ]
    );
}

/// A function that takes whatever it is given.
#[derive(Debug)]
struct Any;

impl FunctionContract for Any {
    const PACKAGE: &'static str = "core";
    const BINARY: &'static str = "core-any";
}

impl Accepts<event::CustomResource<BTreeMap<String, String>>> for Any {}

#[test]
fn names_of_cloudformation_are_taken() {
    let found = violations(dev(), |stack| {
        let any = stack.function::<Any>("Any", Wired::new(Vec::new()), FunctionProps::default());
        let given = BTreeMap::from([("ServiceToken".to_owned(), "mine".into())]);
        let props = CustomResourceProps::default();
        stack.custom_resource("It", "Custom::With Blank", &any, given, props);
    });
    assert_eq!(
        found,
        [
            "orders / It: `With Blank` holds ' '; AWS takes letters, digits and `_` `@` `-`",
            "orders / It / Properties.ServiceToken: `ServiceToken` belongs to CloudFormation: choose another name",
        ]
    );
}

/// The token cannot be changed, and the alias comes and goes.
#[test]
fn a_released_function_is_asked_as_it_was_deployed_last() {
    let resources = resources(prod(), |stack| {
        let function = fill(stack, 15);
        assert!(function.alias().is_some());
        stack.policy(
            "MayFill",
            function.role(),
            [Statement::allow(["dynamodb:PutItem"])
                .on("arn:aws:dynamodb:eu-central-1:123456789012:table/drinks")],
        );
        seed(stack, &function, CustomResourceProps::default());
    });
    let token = &resources["Seed"]["Properties"]["ServiceToken"];
    assert_eq!(token, &json!({"Fn::GetAtt": ["Fill", "Arn"]}));
    assert_eq!(resources["Seed"]["DependsOn"], json!(["MayFill"]));
}

#[test]
fn a_function_of_another_stack_keeps_a_custom_resource() {
    let mut app = dev();
    let function = fill(&mut app.stack("functions"), 15);
    let mut stack = app.stack("orders");
    seed(&mut stack, &function, CustomResourceProps::default());
    let assembly = app
        .synth()
        .unwrap_or_else(|found| panic!("{:?}", texts(&found)));
    assert!(
        assembly
            .template("orders")
            .unwrap()
            .contains("Fn::ImportValue")
    );
}
