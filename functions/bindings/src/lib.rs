#![doc = include_str!("../README.md")]

// The derives name this crate by its public name, in its own tests too.
extern crate self as stack_bindings;

mod base64;
mod binding;
mod bucket;
mod bytes;
mod connections;
mod detail;
#[cfg(feature = "runtime")]
mod environment;
#[cfg(feature = "runtime")]
mod error;
mod event;
mod event_bus;
mod function;
mod grant;
#[cfg(feature = "runtime")]
mod http;
mod iot;
mod item;
pub mod kind;
mod labels;
mod operation;
#[cfg(any(feature = "queue", feature = "topic"))]
mod ordered;
mod parameter;
#[cfg(feature = "runtime")]
mod provide;
mod queue;
#[cfg(feature = "runtime")]
mod run;
mod secret;
mod state_machine;
mod table;
mod topic;
pub mod user_pool;
mod variable;
#[cfg(feature = "wiring")]
mod wiring;

pub use binding::Binding;
#[doc(hidden)]
pub use binding::{VariableName, distinct};
pub use bucket::Bucket;
pub use bytes::Bytes;
pub use connections::Connections;
pub use detail::Detail;
#[cfg(feature = "runtime")]
pub use environment::{
    Connect, Environment, EnvironmentError, FromEnvironment, VariableFault, VariableProblem,
};
#[cfg(feature = "runtime")]
pub use error::{CallError, Reason};
pub use event::{
    ApiRequest, ApiResponse, BatchFailures, BusEvent, ChangeAction, ContextValue, CustomResource,
    Decode, Event, EventError, HttpAuthorization, HttpRequest, HttpResponse, Invocation, ItemImage,
    MethodPolicy, ObjectChange, ObjectChanges, QueueBatch, QueueMessage, RequestAuthorization,
    ResourceAction, ResourceRequest, SimpleAnswer, TableChange, TableChanges, TakenDetail,
    TokenAuthorization, TopicMessage, TopicMessages, WebSocketContext, WebSocketEvent,
    WebSocketRequest, WebSocketResponse,
};
pub use event_bus::{EventBus, Takes};
pub use function::Function;
pub use grant::{Allows, Grants, Operation};
pub use iot::{IotData, IotEndpoint, IotTopic, IotTopicFamily};
pub use item::{
    Index, Item, ItemKey, KeyAttribute, KeyKind, NoSortKey, Prefixed, SortAttribute, TimeToLive,
};
pub use labels::ImageLabels;
pub use operation::{
    BatchGet, BatchWrite, ChangeVisibility, ConditionCheck, Delete, Get, GetAttributes,
    GetDecrypted, List, Publish, PublishRetained, Put, Query, QueryIndex, Read, Receive, Scan,
    ScanIndex, Send, SendTaskFailure, SendTaskHeartbeat, SendTaskSuccess, Start, StartSync, Update,
};
pub use parameter::Parameter;
#[cfg(feature = "runtime")]
pub use provide::{Provided, provide};
pub use queue::Queue;
#[cfg(feature = "runtime")]
pub use run::{InvocationContext, run};
pub use secret::Secret;
/// Implements the contract of a function from a struct of its bindings.
pub use stack_bindings_derive::Bindings;
/// Implements [`Detail`](trait@Detail) for the detail of an event.
pub use stack_bindings_derive::Detail;
/// Implements [`Item`](trait@Item) for the items of a table.
pub use stack_bindings_derive::Item;
/// Implements `ResourceProperties` of the model of the stacks for the properties of a custom resource, so that a stack
/// fills in `<Name>Given`, which has the same fields as values that only the deployment may know.
pub use stack_bindings_derive::ResourceProperties;
pub use state_machine::StateMachine;
pub use table::Table;
pub use topic::Topic;
pub use variable::Var;
#[cfg(feature = "wiring")]
pub use wiring::{ServiceRegion, Wire};

#[cfg(feature = "bucket")]
pub use bucket::{ListObjects, Listed, Listing, Object, PutObject};
#[cfg(feature = "event-bus")]
pub use event_bus::PutEvent;
#[cfg(feature = "iot")]
pub use iot::PublishIot;
#[cfg(feature = "labels")]
pub use labels::{DetectLabels, Label};
#[cfg(feature = "queue")]
pub use queue::{
    BatchMessage, QueueAttributes, Received, SendFailure, SendMessage, Sent, SentBatch,
};
#[cfg(feature = "secret")]
pub use secret::SecretValue;
#[cfg(feature = "state-machine")]
pub use state_machine::StartExecution;
#[cfg(feature = "table")]
pub use table::{
    AttributePath, Change, Cursor, DeleteItem, Expression, GetItem, Page, PutItem, QueryItems,
    Receipt, ScanItems, Transaction, UpdateItem,
};
#[cfg(feature = "topic")]
pub use topic::PublishMessage;

/// The clients of the SDK that the bindings use, for tests and for what the bindings do not offer.
#[cfg(feature = "runtime")]
pub mod sdk {
    pub use aws_config as config;
    #[cfg(feature = "connections")]
    pub use aws_sdk_apigatewaymanagement as apigatewaymanagement;
    #[cfg(feature = "table")]
    pub use aws_sdk_dynamodb as dynamodb;
    #[cfg(feature = "event-bus")]
    pub use aws_sdk_eventbridge as eventbridge;
    #[cfg(feature = "iot")]
    pub use aws_sdk_iotdataplane as iotdataplane;
    #[cfg(feature = "labels")]
    pub use aws_sdk_rekognition as rekognition;
    #[cfg(feature = "bucket")]
    pub use aws_sdk_s3 as s3;
    #[cfg(feature = "secret")]
    pub use aws_sdk_secretsmanager as secretsmanager;
    #[cfg(feature = "state-machine")]
    pub use aws_sdk_sfn as sfn;
    #[cfg(feature = "topic")]
    pub use aws_sdk_sns as sns;
    #[cfg(feature = "queue")]
    pub use aws_sdk_sqs as sqs;
    #[cfg(feature = "parameter")]
    pub use aws_sdk_ssm as ssm;
}

/// What the derives use; not for use by hand.
#[doc(hidden)]
pub mod derived {
    pub use serde;
    pub use serde_json;
    #[cfg(feature = "wiring")]
    pub use stack_model;
}

/// An answer that is awaited.
#[cfg(feature = "runtime")]
pub type Call<'a, T> =
    std::pin::Pin<Box<dyn Future<Output = Result<T, CallError>> + std::marker::Send + 'a>>;
