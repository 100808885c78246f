use serde_json::json;
use stack_model::Stack;
use stack_model::contract::{Accepts, FunctionContract, Wired, event};
use stack_model::lambda::{FunctionProps, FunctionRef};
use stack_model::sns::{Fifo, TopicProps};
use stack_model::sqs::QueueProps;

use crate::support::{dev, resources, violations};

struct Notify;

impl FunctionContract for Notify {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-notify";
}

impl Accepts<event::TopicMessages<String>> for Notify {}

fn function(stack: &mut Stack<'_>) -> FunctionRef<Notify> {
    stack.function("Notify", Wired::new(Vec::new()), FunctionProps::default())
}

#[test]
fn a_topic_invokes_a_function() {
    let resources = resources(dev(), |stack| {
        let function = function(stack);
        let topic = stack.topic::<String>("Placed", TopicProps::default());
        let lost = stack.queue::<String>("Lost", QueueProps::default());
        let trigger = topic
            .messages()
            .filter_body(json!({"total": [{"numeric": [">", 100]}]}))
            .dead_letters(&lost);
        stack.trigger(&function, trigger);
    });
    assert_eq!(
        resources["NotifyPlacedTrigger"]["Properties"],
        json!({
            "Endpoint": {"Fn::GetAtt": ["Notify", "Arn"]},
            "FilterPolicy": {"total": [{"numeric": [">", 100]}]},
            "FilterPolicyScope": "MessageBody",
            "Protocol": "lambda",
            "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Lost", "Arn"]}},
            "TopicArn": {"Ref": "Placed"},
        })
    );
    assert_eq!(
        resources["NotifyPlacedPermission"]["Properties"],
        json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Fn::GetAtt": ["Notify", "Arn"]},
            "Principal": "sns.amazonaws.com",
            "SourceArn": {"Ref": "Placed"},
        })
    );
    assert_eq!(
        resources["LostPolicy"]["Properties"]["PolicyDocument"]["Statement"][1]["Condition"],
        json!({"ArnEquals": {"aws:SourceArn": {"Ref": "Placed"}}})
    );
}

#[test]
fn a_fifo_topic_invokes_no_function() {
    let found = violations(dev(), |stack| {
        let function = function(stack);
        let fifo = TopicProps {
            fifo: Some(Fifo::default()),
            ..TopicProps::default()
        };
        let topic = stack.topic::<String>("Placed", fifo);
        stack.trigger(&function, topic.messages());
    });
    assert_eq!(
        found,
        [
            "orders / NotifyPlacedTrigger / Properties.Endpoint: the FIFO topic `Placed` invokes no function: subscribe a FIFO queue, and let the queue trigger the function"
        ]
    );
}
