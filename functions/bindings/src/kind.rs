//! The kinds of resources that a function can be bound to, as types without values.

use std::marker::PhantomData;

/// A kind of resource.
pub trait Kind {
    /// The operations on the kind, as the model of the stacks knows them.
    #[cfg(feature = "wiring")]
    type Operation;
}

/// A DynamoDB table of items of type `T`.
#[derive(Debug)]
pub struct Table<T>(PhantomData<fn() -> T>);

/// An SQS queue.
#[derive(Debug)]
pub enum Queue {}

/// An S3 bucket.
#[derive(Debug)]
pub enum Bucket {}

/// An SNS topic.
#[derive(Debug)]
pub enum Topic {}

/// A secret of Secrets Manager.
#[derive(Debug)]
pub enum Secret {}

/// A parameter of Systems Manager's Parameter Store.
#[derive(Debug)]
pub enum Parameter {}

/// A bus of EventBridge.
#[derive(Debug)]
pub enum EventBus {}

/// A state machine of Step Functions.
#[derive(Debug)]
pub enum StateMachine {}

/// A topic of IoT Core, or a family of them.
#[derive(Debug)]
pub enum IotTopic {}

/// The connections of a WebSocket API.
#[derive(Debug)]
pub enum Connections {}

impl<T> Kind for Table<T> {
    #[cfg(feature = "wiring")]
    type Operation = stack_model::dynamodb::TableOperation;
}

impl Kind for Queue {
    #[cfg(feature = "wiring")]
    type Operation = stack_model::sqs::QueueOperation;
}

impl Kind for Bucket {
    #[cfg(feature = "wiring")]
    type Operation = stack_model::s3::BucketOperation;
}

impl Kind for Topic {
    #[cfg(feature = "wiring")]
    type Operation = stack_model::sns::TopicOperation;
}

impl Kind for Secret {
    #[cfg(feature = "wiring")]
    type Operation = stack_model::secretsmanager::SecretOperation;
}

impl Kind for Parameter {
    #[cfg(feature = "wiring")]
    type Operation = stack_model::ssm::ParameterOperation;
}

impl Kind for EventBus {
    #[cfg(feature = "wiring")]
    type Operation = stack_model::events::BusOperation;
}

impl Kind for StateMachine {
    #[cfg(feature = "wiring")]
    type Operation = stack_model::stepfunctions::StateMachineOperation;
}

impl Kind for IotTopic {
    #[cfg(feature = "wiring")]
    type Operation = stack_model::iot::IotOperation;
}

impl Kind for Connections {
    #[cfg(feature = "wiring")]
    type Operation = stack_model::apigatewayv2::ConnectionOperation;
}
