use serde::{Deserialize, Serialize};
use stack_bindings::{Bindings, BusEvent, Detail, IotData, IotTopic};
use stack_model::Stack;
use stack_model::events::{Delivery, EventBusRef, EventPattern, RuleProps};
use stack_model::iot::TopicRef;
use stack_model::lambda::FunctionRef;

#[derive(Serialize, Deserialize, Detail)]
#[detail(type = "Orders.Placed")]
pub struct Placed;

#[derive(Serialize, Deserialize, Detail)]
#[detail(type = "Orders.Paid")]
pub struct Paid;

#[derive(Bindings)]
#[function(binary = "publisher", accepts(BusEvent<Placed>))]
pub struct Publisher {
    iot: IotData,
    topic: IotTopic<Placed>,
}

fn rule(stack: &mut Stack<'_>, bus: &EventBusRef, publisher: &FunctionRef<Publisher>) {
    let paid = EventPattern::source("shop").detail_type::<Paid>();
    let rule = stack.rule("Paid", bus, paid, RuleProps::default());
    stack.target(&rule, publisher, Delivery::event());
}

fn topic(payments: &TopicRef<Paid>) {
    Publisher::bind(PublisherWiring {
        iot: "x-ats.iot.example".into(),
        topic: payments,
    });
}

fn main() {}
