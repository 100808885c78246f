//! A bus with rules to every kind of target, as a whole template.

use stack_model::contract::event::BusEvent;
use stack_model::events::{
    AnyDetail, ApiDestinationProps, ArchiveProps, Authorization, BusLogging, BusOperation,
    Delivery, EventBusProps, EventBusRef, EventPattern, LogLevel, Match, Recurrence, RetryPolicy,
    RuleProps, Template,
};
use stack_model::kms::KeyProps;
use stack_model::logs::LogGroupProps;
use stack_model::policy::{Principal, Statement};
use stack_model::secretsmanager::SecretProps;
use stack_model::sns::{self, TopicProps};
use stack_model::sqs::QueueProps;
use stack_model::stepfunctions::{Flow, StateMachineProps, StateMachineRef, Succeed};
use stack_model::{Pseudo, Stack, text};

use super::{Placed, work};
use crate::golden::compare;
use crate::support::dev;

fn rules(stack: &mut Stack<'_>) {
    stack.describe("A bus with rules to every kind of target");
    let key = stack.key("Key", KeyProps::default());
    let lost = stack.queue::<String>("Lost", QueueProps::default());
    let log = stack.log_group(
        "BusLog",
        LogGroupProps {
            name: Some("/aws/events/shop".into()),
            ..LogGroupProps::default()
        },
    );
    let bus = stack.event_bus(
        "Bus",
        EventBusProps {
            key: Some(key),
            dead_letters: Some((&lost).into()),
            logging: Some(BusLogging::to(&log, LogLevel::Error)),
            ..EventBusProps::default()
        },
    );
    let partner = text!("arn:{}:iam::{}:root", Pseudo::Partition, Pseudo::AccountId);
    let put = Statement::allow([BusOperation::Put.action()]).to(Principal::Aws(partner));
    stack.event_bus_policy("OwnAccount", &bus, put);
    stack.archive(
        "Archive",
        &bus,
        ArchiveProps {
            retention: Some(30.into()),
            ..ArchiveProps::default()
        },
    );
    let shop = EventPattern::source("shop");

    let everything = stack.rule("Everything", &bus, shop.clone(), RuleProps::default());
    stack.target(&everything, &log, Delivery::event());

    let mut flow = Flow::new();
    flow.add("Done", Succeed::new());
    let workflow: StateMachineRef<BusEvent<Placed>> =
        stack.state_machine("Workflow", flow, StateMachineProps::default());
    let function = work(stack);
    let orders = stack.queue::<Placed>("Orders", QueueProps::default());
    let alerts = stack.topic::<AnyDetail>(
        "Alerts",
        TopicProps {
            encryption: sns::Encryption::Off,
            ..TopicProps::default()
        },
    );
    let placed = shop.clone().detail_type::<Placed>();
    let placed = stack.rule("PlacedRule", &bus, placed, RuleProps::default());
    stack.target(&placed, &workflow, Delivery::event());
    stack.target(
        &placed,
        &function,
        Delivery::event().dead_letters(&lost).retry(RetryPolicy {
            maximum_age: Some(3600.into()),
            attempts: Some(10.into()),
        }),
    );
    stack.target(&placed, &orders, Delivery::detail());
    stack.target(&placed, &alerts, Delivery::event());

    let failed = shop
        .detail_types([Match::suffix(".Failed"), Match::suffix(".Refused")])
        .any_of([
            EventPattern::any().detail("attempts", [Match::at_least(3)]),
            EventPattern::any().detail("cause", [Match::anything_but(["timeout"])]),
        ]);
    let failed = stack.rule("FailedRule", &bus, failed, RuleProps::default());
    let token = stack.secret::<String>("PartnerKey", SecretProps::default());
    let partner = stack.connection(
        "Partner",
        Authorization::ApiKey {
            header: "x-api-key".into(),
            key: token.value(),
        },
    );
    let props = ApiDestinationProps::post("https://partner.example.com/orders");
    let api = stack.api_destination("PartnerOrders", &partner, props);
    let notice = Template::object([
        ("text", Template::text("{} failed", ["$.detail.order"])),
        ("event", Template::event()),
    ]);
    stack.target(&failed, &api, Delivery::transformed::<AnyDetail>(notice));
    stack.target(&failed, &EventBusRef::of_account(), Delivery::event());

    let morning = Recurrence::cron("0 7 ? * MON-FRI *");
    let morning = stack.scheduled_rule("Morning", &morning, RuleProps::default());
    stack.target(&morning, &function, Delivery::event());
}

#[test]
fn a_bus_with_rules_to_every_kind_of_target() {
    compare("rules.dev", dev(), rules);
}
