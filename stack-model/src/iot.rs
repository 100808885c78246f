//! AWS IoT Core: topics of the message broker, things, policies and rules.
//!
//! Topics are no resources: a handle stands for one and makes the publisher, the subscriber and the policies agree. A
//! rule sends what is published on to functions, queues and others, which accept messages of the topic's type.
//!
//! ```
//! use stack_model::contract::{Accepts, FunctionContract, Wired, event};
//! use stack_model::iot::{RuleAction, TopicFamilyRef, TopicRuleProps, clients};
//! use stack_model::lambda::FunctionProps;
//! use stack_model::policy::Statement;
//! use stack_model::sqs::QueueProps;
//! # use stack_model::{App, Stage};
//! # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
//! # let mut app = App::new(Stage::new(request));
//! # let mut stack = app.stack("shop");
//!
//! // What is published, and a function that a function package derives.
//! struct Reading;
//! struct Store;
//!
//! impl FunctionContract for Store {
//!     const PACKAGE: &'static str = "shop";
//!     const BINARY: &'static str = "shop-store";
//! }
//!
//! impl Accepts<event::Invocation<Reading>> for Store {}
//!
//! let readings = TopicFamilyRef::<Reading>::starting_with("shop/readings/");
//! let store = stack.function::<Store>("Store", Wired::new(Vec::new()), FunctionProps::default());
//! let failed = stack.queue::<String>("Failed", QueueProps::default());
//! stack.topic_rule("Readings", readings.messages(), TopicRuleProps {
//!     on_error: Some(RuleAction::queue(&failed).on_error()),
//!     ..TopicRuleProps::to([RuleAction::function(&store)])
//! });
//! let connect = Statement::allow(["iot:Connect"]).on(clients("shop-*")).because("many displays");
//! # let _ = connect;
//! # app.synth().unwrap();
//! ```
//!
//! A rule gets a role `<Id>Role`, where one of its actions needs one, and each of its functions a permission
//! `<Id><Function>Permission`.

mod action;
mod check;
mod endpoint;
mod policy;
mod rule;
mod selection;
mod thing;
mod topic;

pub use action::{ErrorAction, Qos, RuleAction};
pub use endpoint::ENDPOINT_ATTRIBUTE;
pub use policy::{
    Client, IotPolicyProps, IotPolicyRef, TopicFilter, clients, topic_filters, topics,
};
pub use rule::{TopicRule, TopicRuleProps, TopicRuleRef};
pub use selection::Selection;
pub use thing::{Thing, ThingGroupProps, ThingGroupRef, ThingProps, ThingRef};
pub use topic::{IotOperation, Topic, TopicFamilyRef, TopicRef};
