//! What a function finds when it starts: environment variables, and one configuration for all clients.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;

use aws_config::{BehaviorVersion, SdkConfig};
use aws_smithy_http_client::{Builder, tls};

use crate::binding::Binding;

/// The environment of a function: its variables, and the SDK configuration that all clients share.
#[derive(Debug)]
pub struct Environment {
    variables: BTreeMap<String, OsString>,
    sdk: SdkConfig,
    clients: Clients,
}

/// One client per service, however many bindings need it.
#[derive(Debug, Default)]
struct Clients {
    #[cfg(feature = "bucket")]
    s3: std::sync::OnceLock<aws_sdk_s3::Client>,
    #[cfg(feature = "event-bus")]
    eventbridge: std::sync::OnceLock<aws_sdk_eventbridge::Client>,
    #[cfg(feature = "parameter")]
    ssm: std::sync::OnceLock<aws_sdk_ssm::Client>,
    #[cfg(feature = "queue")]
    sqs: std::sync::OnceLock<aws_sdk_sqs::Client>,
    #[cfg(feature = "secret")]
    secretsmanager: std::sync::OnceLock<aws_sdk_secretsmanager::Client>,
    #[cfg(feature = "state-machine")]
    sfn: std::sync::OnceLock<aws_sdk_sfn::Client>,
    #[cfg(feature = "table")]
    dynamodb: std::sync::OnceLock<aws_sdk_dynamodb::Client>,
    #[cfg(feature = "topic")]
    sns: std::sync::OnceLock<aws_sdk_sns::Client>,
}

impl Environment {
    /// Takes the variables of this process, and the region, credentials and endpoints that they name.
    ///
    /// `AWS_ENDPOINT_URL` and `AWS_ENDPOINT_URL_<SERVICE>` are honoured, so the same function runs against a local
    /// engine; see <https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html>.
    pub async fn from_process() -> Self {
        let https = Builder::new()
            .tls_provider(tls::Provider::Rustls(
                tls::rustls_provider::CryptoMode::Ring,
            ))
            .build_https();
        let sdk = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .http_client(https)
            .load()
            .await;
        let variables =
            std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value)));
        Self::new(variables, sdk)
    }

    /// Takes the given variables and SDK configuration, for tests.
    pub fn new<N: Into<String>, V: Into<OsString>>(
        variables: impl IntoIterator<Item = (N, V)>,
        sdk: SdkConfig,
    ) -> Self {
        Self {
            variables: variables
                .into_iter()
                .map(|(name, value)| (name.into(), value.into()))
                .collect(),
            sdk,
            clients: Clients::default(),
        }
    }

    /// Returns the configuration that all clients share.
    pub fn sdk(&self) -> &SdkConfig {
        &self.sdk
    }

    /// Returns the endpoint that all services or the one with this variable are to be reached at, if any.
    #[cfg(feature = "iot")]
    pub(crate) fn own_endpoint(&self, variable: &str) -> Option<String> {
        [variable, "AWS_ENDPOINT_URL"]
            .into_iter()
            .find_map(|name| self.variables.get(name)?.to_str().map(str::to_owned))
            .or_else(|| self.sdk.endpoint_url().map(str::to_owned))
    }

    /// Returns whether all services or the one with this variable are to be reached at an endpoint of one's own.
    #[cfg(any(feature = "bucket", feature = "iot"))]
    pub(crate) fn has_own_endpoint(&self, variable: &str) -> bool {
        self.sdk.endpoint_url().is_some()
            || self.variables.contains_key("AWS_ENDPOINT_URL")
            || self.variables.contains_key(variable)
    }

    /// Reads one binding; a problem is added to the list and `None` is returned.
    #[doc(hidden)]
    pub fn read<B: Connect>(
        &self,
        field: &'static str,
        variable: &'static str,
        problems: &mut Vec<VariableProblem>,
    ) -> Option<B> {
        let problem = |fault| VariableProblem {
            variable,
            field,
            kind: B::KIND,
            fault,
        };
        let connected = match self.variables.get(variable) {
            None => Err(VariableFault::Missing),
            Some(value) => match value.to_str() {
                None => Err(VariableFault::NotUnicode),
                Some("") if !B::EMPTY_ALLOWED => Err(VariableFault::Empty),
                Some(value) => B::connect(self, value),
            },
        };
        connected
            .map_err(|fault| problems.push(problem(fault)))
            .ok()
    }
}

macro_rules! clients {
    ($($feature:literal $function:ident $sdk:ident $service:literal;)+) => {
        impl Environment {
            $(
                #[doc = concat!("Returns the client of ", $service, " that all bindings share.")]
                #[cfg(feature = $feature)]
                pub fn $function(&self) -> $sdk::Client {
                    self.clients
                        .$function
                        .get_or_init(|| $sdk::Client::new(&self.sdk))
                        .clone()
                }
            )+
        }
    };
}

clients! {
    "event-bus" eventbridge aws_sdk_eventbridge "EventBridge";
    "parameter" ssm aws_sdk_ssm "Systems Manager";
    "queue" sqs aws_sdk_sqs "SQS";
    "secret" secretsmanager aws_sdk_secretsmanager "Secrets Manager";
    "state-machine" sfn aws_sdk_sfn "Step Functions";
    "table" dynamodb aws_sdk_dynamodb "DynamoDB";
    "topic" sns aws_sdk_sns "SNS";
}

#[cfg(feature = "bucket")]
impl Environment {
    /// Returns the client of S3 that all bindings share.
    ///
    /// An endpoint of one's own seldom resolves `bucket.host`, so there the bucket goes into the path.
    pub fn s3(&self) -> aws_sdk_s3::Client {
        let custom_endpoint = self.has_own_endpoint("AWS_ENDPOINT_URL_S3");
        self.clients
            .s3
            .get_or_init(|| {
                let config = aws_sdk_s3::config::Builder::from(&self.sdk)
                    .force_path_style(custom_endpoint)
                    .build();
                aws_sdk_s3::Client::from_conf(config)
            })
            .clone()
    }
}

/// A struct of bindings that can be read from the environment; derive it with `#[derive(Bindings)]`.
pub trait FromEnvironment: Sized {
    /// Reads all bindings.
    ///
    /// # Errors
    ///
    /// Reports every variable that is missing or cannot be read, not only the first.
    fn from_environment(environment: &Environment) -> Result<Self, EnvironmentError>;
}

/// A binding that can be made from the value of its environment variable.
#[diagnostic::on_unimplemented(
    message = "the client of `{Self}` is not built",
    note = "turn on the feature of its kind (`bucket`, `connections`, `event-bus`, `iot`, `labels`, `parameter`, `queue`, `secret`, `state-machine`, `table`, `topic`) of stack-bindings in the `runtime` feature of this package",
    note = "the type of a `Var` or a `Parameter` must implement `FromStr`, so that it can be read"
)]
pub trait Connect: Binding + Sized {
    /// Whether an empty value means something.
    #[doc(hidden)]
    const EMPTY_ALLOWED: bool = false;

    /// Makes the binding from the value of its environment variable.
    #[doc(hidden)]
    fn connect(environment: &Environment, value: &str) -> Result<Self, VariableFault>;
}

/// Environment variables that a function needs and does not find, all of them.
#[derive(Debug, PartialEq, Eq)]
pub struct EnvironmentError {
    problems: Vec<VariableProblem>,
}

impl EnvironmentError {
    /// Takes the problems that reading the bindings has found.
    #[doc(hidden)]
    pub fn new(problems: Vec<VariableProblem>) -> Self {
        Self { problems }
    }

    /// Returns what is wrong, in the order of the fields.
    pub fn problems(&self) -> &[VariableProblem] {
        &self.problems
    }
}

impl fmt::Display for EnvironmentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the environment of the function is incomplete: ")?;
        for (position, problem) in self.problems.iter().enumerate() {
            if position > 0 {
                f.write_str("; ")?;
            }
            problem.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for EnvironmentError {}

/// One environment variable that cannot be used, never with its value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{variable} (the {kind} `{field}`) {fault}")]
pub struct VariableProblem {
    variable: &'static str,
    field: &'static str,
    kind: &'static str,
    fault: VariableFault,
}

impl VariableProblem {
    /// Returns the name of the environment variable.
    pub fn variable(&self) -> &'static str {
        self.variable
    }

    /// Returns the name of the field.
    pub fn field(&self) -> &'static str {
        self.field
    }

    /// Returns what is wrong with the variable.
    pub fn fault(&self) -> &VariableFault {
        &self.fault
    }
}

/// What is wrong with an environment variable.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VariableFault {
    /// The variable is not set.
    #[error("is not set")]
    Missing,
    /// The variable is set to nothing.
    #[error("is empty")]
    Empty,
    /// The value is not UTF-8.
    #[error("is not UTF-8")]
    NotUnicode,
    /// The value cannot be read as the type of the field. The value itself is left out: it may be a secret.
    #[error("cannot be read as `{type_name}`")]
    Unreadable {
        /// The type of the field, without its path.
        type_name: &'static str,
    },
}

/// Returns the last segment of a type's path, without its generics.
pub(crate) fn short_type_name<T: ?Sized>() -> &'static str {
    let name = std::any::type_name::<T>();
    let name = name.split('<').next().unwrap_or(name);
    name.rsplit("::").next().unwrap_or(name)
}
