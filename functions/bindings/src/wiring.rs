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

/// Fills bindings with handles that know what a role must allow for the granted operations.
macro_rules! granted {
    ($([$($parameter:tt)*] $binding:ty = $handle:ty where $kind:ty => $value:expr;)+) => {
        $(
            impl<$($parameter)* G: Grants<$kind>> Wire for $binding {
                type Handle<'a> = &'a $handle;

                fn wire(
                    handle: &$handle,
                    field: &'static str,
                    environment: &'static str,
                ) -> WiredBinding {
                    let value: fn(&$handle) -> Value<String> = $value;
                    let statements = handle.statements(&G::operations());
                    wired::<Self>(field, environment, value(handle), statements)
                }
            }
        )+
    };
}

granted! {
    [] Bucket<G> = BucketRef where kind::Bucket => BucketRef::name;
    [M: 'static,] Connections<M, G> = WebSocketStageRef where kind::Connections => WebSocketStageRef::connections_url;
    [E: 'static,] EventBus<E, G> = EventBusRef where kind::EventBus => EventBusRef::name;
    [M: 'static,] IotTopic<M, G> = IotTopicRef<M> where kind::IotTopic => IotTopicRef::name;
    [M: 'static,] IotTopicFamily<M, G> = TopicFamilyRef<M> where kind::IotTopic => TopicFamilyRef::prefix;
    [T: 'static,] Parameter<T, G> = ParameterRef<T> where kind::Parameter => ParameterRef::name;
    [M: 'static,] Queue<M, G> = QueueRef<M> where kind::Queue => QueueRef::url;
    [I: 'static,] StateMachine<I, G> = StateMachineRef<I> where kind::StateMachine => |it| it.arn().into_text();
    [T: Item,] Table<T, G> = TableRef<T> where kind::Table<T> => TableRef::name;
    [M: 'static,] Topic<M, G> = TopicRef<M> where kind::Topic => |it| it.arn().into_text();
}

impl<T: 'static> Wire for Secret<T> {
    type Handle<'a> = &'a SecretRef<T>;

    fn wire(handle: &SecretRef<T>, field: &'static str, environment: &'static str) -> WiredBinding {
        let statements = handle.statements(&<Read as Grants<kind::Secret>>::operations());
        wired::<Self>(field, environment, handle.arn().into_text(), statements)
    }
}

impl<T: Display> Wire for Var<T> {
    type Handle<'a> = Value<T>;

    fn wire(value: Value<T>, field: &'static str, environment: &'static str) -> WiredBinding {
        let value = value.map(|literal| literal.to_string());
        wired::<Self>(field, environment, value, Vec::new())
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
