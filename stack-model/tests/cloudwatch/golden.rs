use stack_model::cloudwatch::{
    AlarmAction, AlarmProps, AlarmRule, CompositeAlarmProps, Dashboard, FunctionMetric, MetricMath,
    QueueMetric, Widget,
};
use stack_model::dynamodb::TableProps;
use stack_model::logs::MetricFilterProps;
use stack_model::sqs::{DeadLetterQueue, QueueProps};
use stack_model::{Stack, text};

use super::{Item, alerts, work};
use crate::golden::compare;
use crate::support::prod;

/// What somebody on call needs of a small system.
fn monitoring(stack: &mut Stack<'_>) {
    stack.describe("What somebody on call needs of a small system");
    let topic = alerts(stack);
    let alerts = [AlarmAction::from(&topic)];
    let function = work(stack);
    let dead = stack.queue::<String>("Dead", QueueProps::default());
    let queue = stack.queue::<String>(
        "Orders",
        QueueProps {
            redrive: Some(dead.after(5)),
            ..QueueProps::default()
        },
    );
    let table = stack.table::<Item>("Table", TableProps::default());
    let of_function = stack.watch(&function, &alerts);
    stack.watch(&queue, &alerts);
    stack.watch(&DeadLetterQueue::from(&dead), &alerts);
    stack.watch(&table, &alerts);
    let broken = AlarmRule::any(of_function.iter().map(AlarmRule::alarm));
    let props = CompositeAlarmProps {
        actions: alerts.to_vec(),
        ..CompositeAlarmProps::default()
    };
    stack.composite_alarm("Broken", &broken, props);
    let panics = MetricFilterProps::count("panicked", "Orders", "Panics");
    let panics = stack.metric_filter("Panics", function.log_group(), panics);
    stack.alarm(
        "Panicked",
        panics.clone().at_least(1),
        AlarmProps::default(),
    );
    let share = MetricMath::new(
        "100 * errors / all",
        [
            ("errors", function.metric(FunctionMetric::Errors)),
            ("all", function.metric(FunctionMetric::Invocations)),
        ],
    );
    let dashboard = Dashboard::default()
        .row([Widget::text(text!("# Orders in {}", stack.stage().name()))])
        .row([
            Widget::graph("Errors, %", [share]),
            Widget::graph("Panics", [panics]),
            Widget::graph("Waiting orders", [queue.metric(QueueMetric::Visible)]),
        ])
        .row([
            Widget::alarms("Alarms", &of_function),
            Widget::logs("Errors", [function.log_group()], "filter level = 'ERROR'"),
        ]);
    stack.dashboard("Dashboard", dashboard);
    stack.query_definition(
        "Slow",
        "orders/slow",
        [function.log_group()],
        "sort @duration desc",
    );
}

#[test]
fn what_somebody_on_call_needs() {
    compare("monitoring.prod", prod(), monitoring);
}
