//! AWS IoT Core: things, topics, policies and rules.

mod topic;

pub use topic::{IotOperation, Topic, TopicFamilyRef, TopicRef};
