//! A broker with devices, rules and the address of it, as a whole template.

use stack_model::Stack;
use stack_model::contract::{Accepts, FunctionContract, Wired, event};
use stack_model::iot::{
    IotPolicyProps, Qos, RuleAction, TopicFamilyRef, TopicRef, TopicRuleProps, clients,
};
use stack_model::iot::{ThingGroupProps, ThingProps};
use stack_model::lambda::FunctionProps;
use stack_model::policy::{PolicyVariable, Statement};
use stack_model::sqs::QueueProps;
use stack_model::ssm::ParameterProps;
use stack_model::text;

use crate::golden::compare;
use crate::support::dev;

#[derive(Debug)]
struct Reading;

#[derive(Debug)]
struct FindEndpoint;

impl FunctionContract for FindEndpoint {
    const PACKAGE: &'static str = "shop";
    const BINARY: &'static str = "shop-find-endpoint";
}

impl Accepts<event::CustomResource<()>> for FindEndpoint {}

#[derive(Debug)]
struct Store;

impl FunctionContract for Store {
    const PACKAGE: &'static str = "shop";
    const BINARY: &'static str = "shop-store";
}

impl Accepts<event::Invocation<Reading>> for Store {}

fn shop(stack: &mut Stack<'_>) {
    let find = FunctionProps {
        statements: vec![
            Statement::allow(["iot:DescribeEndpoint"])
                .on_everything("the address belongs to the account"),
        ],
        ..FunctionProps::default()
    };
    let find = stack.function::<FindEndpoint>("FindEndpoint", Wired::new(Vec::new()), find);
    let address = stack.iot_endpoint("Endpoint", &find);
    stack.ssm_parameter::<String>(
        "Realtime",
        address.clone(),
        ParameterProps {
            name: Some(text!("/shop/{}/realtime", stack.stage().name())),
            ..ParameterProps::default()
        },
    );
    stack.output("IotEndpointAddress", address);

    stack.thing("Display", ThingProps::default());
    stack.thing_group("Displays", ThingGroupProps::default());
    let store = stack.function::<Store>("Store", Wired::new(Vec::new()), FunctionProps::default());
    let failed = stack.queue::<String>("Failed", QueueProps::default());
    let latest = TopicRef::<Reading>::named("shop/latest");
    let readings = TopicFamilyRef::<Reading>::starting_with("shop/readings/");
    stack.topic_rule(
        "Readings",
        readings.messages(),
        TopicRuleProps {
            on_error: Some(RuleAction::queue(&failed).on_error()),
            ..TopicRuleProps::to([
                RuleAction::function(&store),
                RuleAction::republish(&latest, Qos::AtLeastOnce),
            ])
        },
    );
    let own = readings.topic(PolicyVariable::IotThing.text());
    let mut statements =
        vec![Statement::allow(["iot:Connect"]).on(clients(PolicyVariable::IotThing.text()))];
    statements.extend(own.statements(&[stack_model::iot::IotOperation::Publish]));
    stack.iot_policy(
        "Devices",
        IotPolicyProps {
            statements,
            ..IotPolicyProps::default()
        },
    );
}

#[test]
fn a_shop_with_displays() {
    compare("broker.dev", dev(), shop);
}
