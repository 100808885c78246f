//! What a function package tells the stacks about a function, and how a stack answers.
//!
//! These are the types between `stack-bindings` and this crate. A derive in the function package implements the
//! traits; [`Stack::function`](crate::Stack::function) takes a [`Wired`] and makes the environment and the role
//! from it.

use std::marker::PhantomData;

use stack_model_cfn::Value;

use crate::policy::Statement;

mod property;

pub use property::{PropertyValue, ResourceProperties};

/// A Lambda function as its package declares it.
pub trait FunctionContract {
    /// The Cargo package that holds the binary.
    const PACKAGE: &'static str;
    /// The binary that is zipped as `bootstrap`.
    const BINARY: &'static str;
}

/// The environment variables that Lambda sets itself and lets nobody set. Those of the same family that are missing,
/// such as `TZ` and `AWS_LAMBDA_EXEC_WRAPPER`, may be set; see
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>.
pub const RESERVED_VARIABLES: [&str; 21] = [
    "AWS_ACCESS_KEY",
    "AWS_ACCESS_KEY_ID",
    "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV",
    "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION",
    "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME",
    "AWS_LAMBDA_MAX_CONCURRENCY",
    "AWS_LAMBDA_METADATA_API",
    "AWS_LAMBDA_METADATA_TOKEN",
    "AWS_LAMBDA_RUNTIME_API",
    "AWS_REGION",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN",
    "LAMBDA_RUNTIME_DIR",
    "LAMBDA_TASK_ROOT",
    "_HANDLER",
    "_X_AMZN_TRACE_ID",
];

/// A function that can be invoked with events of the kind `E`.
///
/// `E` is one of the types in [`event`]. A trigger demands it, so a queue of orders cannot feed a function that
/// reads payments.
#[diagnostic::on_unimplemented(
    message = "the function `{Self}` does not accept `{E}`",
    label = "this trigger sends `{E}`",
    note = "declare the event with `#[function(accepts(..))]` on `{Self}`, or choose another trigger"
)]
pub trait Accepts<E>: FunctionContract {}

/// The kinds of events that triggers send, as types without values.
pub mod event {
    use std::marker::PhantomData;

    /// A batch of messages of type `M` from an SQS queue.
    pub struct QueueBatch<M>(PhantomData<fn() -> M>);

    /// The payload `P` of a direct invocation, as a non-proxy integration or another caller sends it.
    pub struct Invocation<P>(PhantomData<fn() -> P>);

    /// A request of a REST API with proxy integration.
    pub struct ApiRequest;

    /// A request of an HTTP API, in the payload format 2.0.
    pub struct HttpRequest;

    /// A connection, disconnection or message of a WebSocket API.
    pub struct WebSocketRequest;

    /// A question of a token authorizer of a REST API: may the bearer of this token call this method?
    pub struct TokenAuthorization;

    /// A question of a request authorizer of a REST API, which shows the whole request.
    pub struct RequestAuthorization;

    /// A question of an authorizer of an HTTP API, in the payload format 2.0 with simple answers.
    pub struct HttpAuthorization;

    /// An event of an EventBridge bus whose detail is a `D`.
    pub struct BusEvent<D>(PhantomData<fn() -> D>);

    /// Changes of the items `T` of a table, from its stream.
    pub struct TableChanges<T>(PhantomData<fn() -> T>);

    /// Objects of a bucket that were created or removed, as S3 itself notifies.
    pub struct ObjectChanges;

    /// Messages of type `M` from an SNS topic.
    pub struct TopicMessages<M>(PhantomData<fn() -> M>);

    /// The creation, change or deletion of a custom resource with the properties `P`.
    pub struct CustomResource<P>(PhantomData<fn() -> P>);

    /// A user pool asks whether somebody may sign up.
    pub struct PreSignUp;

    /// A user of a user pool has confirmed an account or a new password.
    pub struct PostConfirmation;

    /// A user pool asks whether a user may sign in.
    pub struct PreAuthentication;

    /// A user of a user pool has signed in.
    pub struct PostAuthentication;

    /// A user pool asks what the tokens of a user hold, in the version 2 or 3 of the event.
    pub struct PreTokenGeneration;

    /// A user pool asks what the identity token of a user holds, in the version 1 of the event.
    pub struct PreIdTokenGeneration;

    /// A user pool asks for the text of a message to a user.
    pub struct CustomMessage;

    /// A user pool asks what comes next in a sign-in by challenges.
    pub struct DefineAuthChallenge;

    /// A user pool asks for a challenge.
    pub struct CreateAuthChallenge;

    /// A user pool asks whether a challenge was answered rightly.
    pub struct VerifyAuthChallengeResponse;

    /// A user pool asks for a user whom it does not know.
    pub struct UserMigration;
}

/// The detail of an event on an EventBridge bus.
///
/// The derive `Detail` of the function package implements it, so that the publisher, the rule and the function that is
/// invoked agree about the name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the detail of an event",
    note = "derive `Detail` for it and give the name with `#[detail(type = \"..\")]`"
)]
pub trait EventDetail {
    /// The detail type of the event, such as `Orders.Placed`.
    const DETAIL_TYPE: &'static str;
}

/// The type of a table's items, from which the table takes its key schema and indexes.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the item type of a table",
    note = "derive `Item` for it and mark the partition key with `#[item(partition_key)]`"
)]
pub trait TableItem {
    /// Returns the key schema and indexes.
    fn schema() -> TableSchema;
}

/// The keys of a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableSchema {
    /// The partition (hash) key.
    pub partition_key: KeyAttribute,
    /// The sort (range) key.
    pub sort_key: Option<KeyAttribute>,
    /// The secondary indexes, at most 20 global and 5 local ones.
    pub indexes: Vec<IndexSchema>,
    /// The attribute that holds the time to live, in epoch seconds.
    pub time_to_live: Option<String>,
}

/// One key attribute of a table or an index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyAttribute {
    /// The name of the attribute, at most 255 bytes.
    pub name: String,
    /// The type of the attribute.
    pub kind: KeyKind,
}

/// The type of a key attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyKind {
    /// `S`: a string.
    String,
    /// `N`: a number.
    Number,
    /// `B`: bytes.
    Binary,
}

impl KeyKind {
    /// Returns the letter that DynamoDB uses.
    pub const fn letter(self) -> &'static str {
        match self {
            Self::String => "S",
            Self::Number => "N",
            Self::Binary => "B",
        }
    }
}

/// One secondary index.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexSchema {
    /// The name, 3 to 255 characters.
    pub name: String,
    /// The partition key, or `None` for a local index, which shares the table's.
    pub partition_key: Option<KeyAttribute>,
    /// The sort key.
    pub sort_key: Option<KeyAttribute>,
}

/// One binding of a function, filled with a handle.
#[derive(Clone, Debug, PartialEq)]
pub struct WiredBinding {
    /// The name of the field.
    pub field: &'static str,
    /// The kind: `table`, `queue`, `bucket`, `topic`, `variable`, `secret` or `parameter`.
    pub kind: &'static str,
    /// The name of the environment variable.
    pub environment: &'static str,
    /// The value of the environment variable.
    pub value: Value<String>,
    /// What the function's role must allow for the granted operations, and nothing else.
    pub statements: Vec<Statement>,
}

/// The contract `F` with every binding filled.
#[derive(Clone, Debug, PartialEq)]
pub struct Wired<F> {
    pub(crate) bindings: Vec<WiredBinding>,
    function: PhantomData<fn() -> F>,
}

impl<F: FunctionContract> Wired<F> {
    /// Takes the filled bindings; called by the derive of the function package.
    pub fn new(bindings: Vec<WiredBinding>) -> Self {
        Self {
            bindings,
            function: PhantomData,
        }
    }

    /// Returns the filled bindings in the order of the fields.
    pub fn bindings(&self) -> &[WiredBinding] {
        &self.bindings
    }
}
