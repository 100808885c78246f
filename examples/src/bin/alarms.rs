//! Alarms that a queue and its worker should have, and a dashboard that shows how they are.

use std::process::ExitCode;

use stack_bindings::{Bindings, QueueBatch};
use stack_model::cloudwatch::{AlarmAction, Dashboard, FunctionMetric, QueueMetric, Widget};
use stack_model::lambda::FunctionProps;
use stack_model::sns::{self, TopicProps};
use stack_model::sqs::{DeadLetterQueue, QueueProps};

/// Works on one text after the other.
#[derive(Bindings)]
#[function(binary = "work", accepts(QueueBatch<String>))]
pub struct Work {}

fn main() -> ExitCode {
    examples::print(|app| {
        let mut stack = app.stack("work");
        let dead = stack.queue::<String>("DeadLetters", QueueProps::default());
        let queue = stack.queue::<String>(
            "Queue",
            QueueProps {
                redrive: Some(dead.after(5)),
                ..QueueProps::default()
            },
        );
        let work = stack.function("Work", Work::bind(WorkWiring {}), FunctionProps::default());
        stack.trigger(&work, queue.batches_of(10));

        // CloudWatch may not use the account's key for SNS.
        let alerts = stack.topic::<String>(
            "Alerts",
            TopicProps {
                encryption: sns::Encryption::Off,
                ..TopicProps::default()
            },
        );
        let tell = [AlarmAction::from(&alerts)];
        stack.watch(&work, &tell);
        stack.watch(&queue, &tell);
        stack.watch(&DeadLetterQueue::from(&dead), &tell);
        stack.dashboard(
            "Dashboard",
            Dashboard::default().row([
                Widget::graph("Waiting", [queue.metric(QueueMetric::Visible)]),
                Widget::graph("Errors", [work.metric(FunctionMetric::Errors)]),
                Widget::logs("What failed", [work.log_group()], "filter level = 'ERROR'"),
            ]),
        );
    })
}
