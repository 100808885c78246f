//! The operations that can be granted, as types without values.

use std::marker::PhantomData;

use crate::grant::{Grants, Operation};
use crate::item::{Index, Item};
use crate::kind;

macro_rules! operations {
    ($($(#[$docs:meta])* $name:ident)+) => {
        $(
            $(#[$docs])*
            #[derive(Clone, Copy, Debug)]
            pub enum $name {}
        )+
    };
}

operations! {
    /// Puts a whole item or object, replacing what has the same key, or an event on a bus.
    Put
    /// Reads one item, object, parameter or connection by its key.
    Get
    /// Changes attributes of one item.
    Update
    /// Deletes one item, object, message or connection.
    Delete
    /// Reads the items of one partition of a table.
    Query
    /// Reads all items of a table.
    Scan
    /// Reads up to 100 items by their keys in one call.
    BatchGet
    /// Puts and deletes up to 25 items in one call.
    BatchWrite
    /// Checks an item within a transaction.
    ConditionCheck
    /// Sends messages to a queue or a connection.
    ///
    /// A module that imports it no longer sees the trait of the same name from the prelude; where both are needed,
    /// write `stack_bindings::Send`.
    Send
    /// Receives messages from a queue, for functions that poll by themselves.
    Receive
    /// Changes how long a received message stays hidden.
    ChangeVisibility
    /// Reads the attributes of a queue, such as the number of waiting messages.
    GetAttributes
    /// Lists the objects of a bucket.
    List
    /// Publishes messages to a topic.
    Publish
    /// Publishes messages to a topic of IoT Core, which keeps the last one for later subscribers.
    PublishRetained
    /// Starts executions of a state machine.
    Start
    /// Starts executions of an express state machine, and waits for their output.
    StartSync
    /// Answers tasks that wait for their token.
    SendTaskSuccess
    /// Fails tasks that wait for their token.
    SendTaskFailure
    /// Says that the work behind the token of a task goes on.
    SendTaskHeartbeat
    /// Reads the value of a secret.
    Read
    /// Reads a parameter of the type `SecureString`.
    GetDecrypted
}

/// Reads the items of one partition of the index `I`.
#[derive(Debug)]
pub struct QueryIndex<I>(PhantomData<fn() -> I>);

/// Reads all items of the index `I`.
#[derive(Debug)]
pub struct ScanIndex<I>(PhantomData<fn() -> I>);

/// Makes a type an operation of a kind, and a grant of its own.
macro_rules! operation_of {
    ($([$($generics:tt)*] $kind:ty: $($operation:ty => $model:expr),+;)+) => {
        $($(operation_of!(@one [$($generics)*] $kind, $operation, $model);)+)+
    };
    ($($kind:ty: $($operation:ty => $model:expr),+;)+) => {
        $($(operation_of!(@one [] $kind, $operation, $model);)+)+
    };
    (@one [$($generics:tt)*] $kind:ty, $operation:ty, $model:expr) => {
        #[diagnostic::do_not_recommend]
        impl<$($generics)*> Operation<$kind> for $operation {
            #[cfg(feature = "wiring")]
            fn operation() -> <$kind as kind::Kind>::Operation {
                $model
            }
        }

        #[diagnostic::do_not_recommend]
        impl<$($generics)*> Grants<$kind> for $operation {
            #[cfg(feature = "wiring")]
            fn operations() -> Vec<<$kind as kind::Kind>::Operation> {
                vec![<Self as Operation<$kind>>::operation()]
            }
        }
    };
}

#[cfg(feature = "wiring")]
use stack_model::{
    apigatewayv2::ConnectionOperation, dynamodb::TableOperation, events::BusOperation,
    iot::IotOperation, s3::BucketOperation, secretsmanager::SecretOperation, sns::TopicOperation,
    sqs::QueueOperation, ssm::ParameterOperation, stepfunctions::StateMachineOperation,
};

macro_rules! table_operations {
    ($($operation:ident),+ $(,)?) => {
        $(operation_of!(@one [T: Item] kind::Table<T>, $operation, TableOperation::$operation);)+
    };
}

table_operations!(
    Put,
    Get,
    Update,
    Delete,
    Query,
    Scan,
    BatchGet,
    BatchWrite,
    ConditionCheck,
);
operation_of!(@one [I: Index] kind::Table<I::Item>, QueryIndex<I>, TableOperation::QueryIndex(I::NAME));
operation_of!(@one [I: Index] kind::Table<I::Item>, ScanIndex<I>, TableOperation::ScanIndex(I::NAME));
operation_of! {
    kind::Queue:
        Send => QueueOperation::Send,
        Receive => QueueOperation::Receive,
        Delete => QueueOperation::Delete,
        ChangeVisibility => QueueOperation::ChangeVisibility,
        GetAttributes => QueueOperation::GetAttributes;
    kind::Bucket:
        Get => BucketOperation::Get,
        Put => BucketOperation::Put,
        Delete => BucketOperation::Delete,
        List => BucketOperation::List;
    kind::Connections:
        Send => ConnectionOperation::Post,
        Get => ConnectionOperation::Get,
        Delete => ConnectionOperation::Delete;
    kind::EventBus:
        Put => BusOperation::Put;
    kind::StateMachine:
        Start => StateMachineOperation::Start,
        StartSync => StateMachineOperation::StartSync,
        SendTaskSuccess => StateMachineOperation::SendTaskSuccess,
        SendTaskFailure => StateMachineOperation::SendTaskFailure,
        SendTaskHeartbeat => StateMachineOperation::SendTaskHeartbeat;
    kind::IotTopic:
        Publish => IotOperation::Publish,
        PublishRetained => IotOperation::PublishRetained;
    kind::Topic:
        Publish => TopicOperation::Publish;
    kind::Secret:
        Read => SecretOperation::Read;
    kind::Parameter:
        Get => ParameterOperation::Get,
        GetDecrypted => ParameterOperation::GetDecrypted;
}
