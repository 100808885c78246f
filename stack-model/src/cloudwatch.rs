//! Amazon CloudWatch: metrics, alarms and dashboards.
//!
//! Handles have the metrics of their resources. [`Stack::watch`](crate::Stack::watch) adds the alarms that a resource in
//! production should have; [`Stack::alarm`](crate::Stack::alarm) adds one of any metric.
//!
//! ```
//! use stack_model::cloudwatch::{AlarmProps, Dashboard, QueueMetric, Widget};
//! use stack_model::sns::{self, TopicProps};
//! use stack_model::sqs::{DeadLetterQueue, QueueProps};
//! # use stack_model::{App, Stage};
//! # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
//! # let mut app = App::new(Stage::new(request));
//! # let mut stack = app.stack("orders");
//!
//! let alerts = stack.topic::<String>("Alerts", TopicProps {
//!     encryption: sns::Encryption::Off,
//!     ..TopicProps::default()
//! });
//! let dead = stack.queue::<String>("DeadLetters", QueueProps::default());
//! let orders = stack.queue::<String>("Orders", QueueProps {
//!     redrive: Some(dead.after(5)),
//!     ..QueueProps::default()
//! });
//!
//! // The alarms that these resources should have.
//! stack.watch(&orders, &[(&alerts).into()]);
//! stack.watch(&DeadLetterQueue::from(&dead), &[(&alerts).into()]);
//!
//! // One of our own.
//! let waiting = orders.metric(QueueMetric::Visible);
//! stack.alarm("ManyOrders", waiting.clone().above(1000), AlarmProps {
//!     description: Some("More orders wait than a day brings".to_owned()),
//!     actions: vec![(&alerts).into()],
//!     ..AlarmProps::default()
//! });
//!
//! stack.dashboard("Dashboard", Dashboard::default().row([
//!     Widget::graph("Waiting orders", [waiting]),
//!     Widget::graph("Age of the oldest", [orders.metric(QueueMetric::OldestAge)]),
//! ]));
//! # app.synth().unwrap();
//! ```

mod action;
mod alarm;
mod composite;
mod dashboard;
mod metric;
mod resource;
mod watch;

pub use action::AlarmAction;
pub use alarm::{AlarmProps, AlarmRef, EvaluationPeriods, MissingData, Threshold};
pub use composite::{AlarmRule, CompositeAlarmProps};
pub use dashboard::{Dashboard, DashboardRef, Widget};
pub use metric::{Metric, MetricMath, Series, Statistic};
pub use resource::{
    BusRuleMetric, DistributionMetric, FunctionMetric, HttpStageMetric, PipeMetric, QueueMetric,
    RestStageMetric, ScheduleMetric, StateMachineMetric, TableMetric, TopicMetric,
    WebSocketStageMetric,
};
pub use watch::{DefaultAlarm, Watched};

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/cloudwatch.md")]
struct Guide;
