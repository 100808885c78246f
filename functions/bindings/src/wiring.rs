//! The stack's side: handles fill bindings, and grants become statements of a role.

use std::fmt::Display;

use stack_model::Value;
use stack_model::apigatewayv2::WebSocketStageRef;
use stack_model::contract::{self, WiredBinding};
use stack_model::dynamodb::TableRef;
use stack_model::events::EventBusRef;
use stack_model::iot::{TopicFamilyRef, TopicRef as IotTopicRef};
use stack_model::policy::Statement;
use stack_model::s3::BucketRef;
use stack_model::secretsmanager::SecretRef;
use stack_model::sns::TopicRef;
use stack_model::sqs::QueueRef;
use stack_model::ssm::ParameterRef;
use stack_model::stepfunctions::StateMachineRef;
use stack_model::{Pseudo, Token};

use crate::binding::Binding;
use crate::bucket::Bucket;
use crate::connections::Connections;
use crate::event_bus::EventBus;
use crate::grant::Grants;
use crate::iot::{IotData, IotEndpoint, IotTopic, IotTopicFamily};
use crate::item::{Item, KeyKind};
use crate::kind;
use crate::labels::ImageLabels;
use crate::operation::Read;
use crate::parameter::Parameter;
use crate::queue::Queue;
use crate::secret::Secret;
use crate::state_machine::StateMachine;
use crate::table::Table;
use crate::topic::Topic;
use crate::variable::Var;

/// A binding that a stack can fill.
#[diagnostic::on_unimplemented(
    message = "a stack cannot fill `{Self}`",
    note = "a stack fills every binding, and `Var<T>` where `T` implements `Display`"
)]
pub trait Wire: Binding {
    /// What the stack fills the binding with.
    type Handle<'a>;

    /// Fills the binding.
    #[doc(hidden)]
    fn wire(
        handle: Self::Handle<'_>,
        field: &'static str,
        environment: &'static str,
    ) -> WiredBinding;
}

fn wired<B: Binding>(
    field: &'static str,
    environment: &'static str,
    value: Value<String>,
    statements: Vec<Statement>,
) -> WiredBinding {
    WiredBinding {
        field,
        kind: B::KIND,
        environment,
        value,
        statements,
    }
}

impl<T: Item, G: Grants<kind::Table<T>>> Wire for Table<T, G> {
    type Handle<'a> = &'a TableRef<T>;

    fn wire(handle: &TableRef<T>, field: &'static str, environment: &'static str) -> WiredBinding {
        let statements = handle.statements(&G::operations());
        wired::<Self>(field, environment, handle.name(), statements)
    }
}

impl<M: 'static, G: Grants<kind::Queue>> Wire for Queue<M, G> {
    type Handle<'a> = &'a QueueRef<M>;

    fn wire(handle: &QueueRef<M>, field: &'static str, environment: &'static str) -> WiredBinding {
        let statements = handle.statements(&G::operations());
        wired::<Self>(field, environment, handle.url(), statements)
    }
}

impl<G: Grants<kind::Bucket>> Wire for Bucket<G> {
    type Handle<'a> = &'a BucketRef;

    fn wire(handle: &BucketRef, field: &'static str, environment: &'static str) -> WiredBinding {
        let statements = handle.statements(&G::operations());
        wired::<Self>(field, environment, handle.name(), statements)
    }
}

impl<M: 'static, G: Grants<kind::Topic>> Wire for Topic<M, G> {
    type Handle<'a> = &'a TopicRef<M>;

    fn wire(handle: &TopicRef<M>, field: &'static str, environment: &'static str) -> WiredBinding {
        let statements = handle.statements(&G::operations());
        wired::<Self>(field, environment, handle.arn().into_text(), statements)
    }
}

impl<T: 'static> Wire for Secret<T> {
    type Handle<'a> = &'a SecretRef<T>;

    fn wire(handle: &SecretRef<T>, field: &'static str, environment: &'static str) -> WiredBinding {
        let statements = handle.statements(&<Read as Grants<kind::Secret>>::operations());
        wired::<Self>(field, environment, handle.arn().into_text(), statements)
    }
}

impl<T: 'static, G: Grants<kind::Parameter>> Wire for Parameter<T, G> {
    type Handle<'a> = &'a ParameterRef<T>;

    fn wire(
        handle: &ParameterRef<T>,
        field: &'static str,
        environment: &'static str,
    ) -> WiredBinding {
        let statements = handle.statements(&G::operations());
        wired::<Self>(field, environment, handle.name(), statements)
    }
}

impl<T: Display> Wire for Var<T> {
    type Handle<'a> = Value<T>;

    fn wire(value: Value<T>, field: &'static str, environment: &'static str) -> WiredBinding {
        let value = value.map(|literal| literal.to_string());
        wired::<Self>(field, environment, value, Vec::new())
    }
}

impl<E: 'static, G: Grants<kind::EventBus>> Wire for EventBus<E, G> {
    type Handle<'a> = &'a EventBusRef;

    fn wire(handle: &EventBusRef, field: &'static str, environment: &'static str) -> WiredBinding {
        let statements = handle.statements(&G::operations());
        wired::<Self>(field, environment, handle.name(), statements)
    }
}

impl<I: 'static, G: Grants<kind::StateMachine>> Wire for StateMachine<I, G> {
    type Handle<'a> = &'a StateMachineRef<I>;

    fn wire(
        handle: &StateMachineRef<I>,
        field: &'static str,
        environment: &'static str,
    ) -> WiredBinding {
        let statements = handle.statements(&G::operations());
        wired::<Self>(field, environment, handle.arn().into_text(), statements)
    }
}

impl<M: 'static, G: Grants<kind::IotTopic>> Wire for IotTopic<M, G> {
    type Handle<'a> = &'a IotTopicRef<M>;

    fn wire(
        handle: &IotTopicRef<M>,
        field: &'static str,
        environment: &'static str,
    ) -> WiredBinding {
        let statements = handle.statements(&G::operations());
        wired::<Self>(field, environment, handle.name(), statements)
    }
}

impl<M: 'static, G: Grants<kind::IotTopic>> Wire for IotTopicFamily<M, G> {
    type Handle<'a> = &'a TopicFamilyRef<M>;

    fn wire(
        handle: &TopicFamilyRef<M>,
        field: &'static str,
        environment: &'static str,
    ) -> WiredBinding {
        let statements = handle.statements(&G::operations());
        wired::<Self>(field, environment, handle.prefix(), statements)
    }
}

/// The address alone allows nothing: the topics bring their permissions.
impl Wire for IotData {
    type Handle<'a> = Value<String>;

    fn wire(
        address: Value<String>,
        field: &'static str,
        environment: &'static str,
    ) -> WiredBinding {
        wired::<Self>(field, environment, address, Vec::new())
    }
}

impl Wire for IotEndpoint {
    type Handle<'a> = ServiceRegion;

    fn wire(region: ServiceRegion, field: &'static str, environment: &'static str) -> WiredBinding {
        let statement = Statement::allow(["iot:DescribeEndpoint"])
            .on_everything("the endpoint belongs to the account, and is no resource");
        wired::<Self>(field, environment, region.0, vec![statement])
    }
}

impl Wire for ImageLabels {
    type Handle<'a> = ServiceRegion;

    fn wire(region: ServiceRegion, field: &'static str, environment: &'static str) -> WiredBinding {
        let statement = Statement::allow(["rekognition:DetectLabels"])
            .on_everything("labels are found without any resource of Rekognition");
        wired::<Self>(field, environment, region.0, vec![statement])
    }
}

impl<M: 'static, G: Grants<kind::Connections>> Wire for Connections<M, G> {
    type Handle<'a> = &'a WebSocketStageRef;

    fn wire(
        handle: &WebSocketStageRef,
        field: &'static str,
        environment: &'static str,
    ) -> WiredBinding {
        let statements = handle.statements(&G::operations());
        wired::<Self>(field, environment, handle.connections_url(), statements)
    }
}

/// The region in which a service without resources is asked; the stack's own by default.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceRegion(Value<String>);

impl ServiceRegion {
    /// Means the region that the stack is deployed to.
    pub fn own() -> Self {
        Self(Value::Token(Token::Pseudo(Pseudo::Region)))
    }

    /// Means the given region.
    pub fn of(region: impl Into<Value<String>>) -> Self {
        Self(region.into())
    }
}

impl Default for ServiceRegion {
    fn default() -> Self {
        Self::own()
    }
}

impl From<KeyKind> for contract::KeyKind {
    fn from(kind: KeyKind) -> Self {
        match kind {
            KeyKind::String => Self::String,
            KeyKind::Number => Self::Number,
            KeyKind::Binary => Self::Binary,
        }
    }
}
