//! Three ways past the model: a property it does not know, a generated struct, and raw JSON. All three are checked
//! against the registry like everything else.

use std::process::ExitCode;

use serde_json::json;
use stack_model::cfn::sqs::QueueInlinePolicy;
use stack_model::policy::{PolicyDocument, Principal, Statement};
use stack_model::sqs::QueueProps;

fn main() -> ExitCode {
    examples::print(|app| {
        let mut stack = app.stack("hatches");
        let orders = stack.queue::<String>("Orders", QueueProps::default());
        stack.override_property(&orders, "VisibilityTimeout", 60);

        let worker = Principal::Service("events.amazonaws.com".to_owned());
        let allow = Statement::allow(["sqs:SendMessage"])
            .on(orders.arn())
            .to(worker);
        stack.add(
            "FromEvents",
            &QueueInlinePolicy {
                policy_document: PolicyDocument::new([allow]).render().into(),
                queue: orders.url().into(),
            },
        );

        stack.raw(
            "Namespace",
            "AWS::ServiceDiscovery::HttpNamespace",
            json!({"Name": "orders"}),
        );
    })
}
