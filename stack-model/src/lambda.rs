//! AWS Lambda: functions, permissions and triggers.
//!
//! A function is added from the contract that its package declares, with every binding wired to a handle. The
//! stack makes the execution role with exactly the granted actions, a log group with retention, and the
//! environment.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::panic::Location;

use stack_model_cfn::lambda as cfn;
use stack_model_cfn::{Property, ResourceId, Value};

use crate::arn::Arn;
use crate::assembly::{ARTIFACT_BUCKET_PARAMETER, Asset, BindingContract, Contract};
use crate::contract::{FunctionContract, RESERVED_VARIABLES, Wired};
use crate::handle::{Handle, ResourceRef, get_att, reference};
use crate::iam::{RoleProps, RoleRef};
use crate::kms::{KeyOperation, KeyRef};
use crate::limit::Limited;
use crate::logs::{LogGroupProps, LogGroupRef, Retention};
use crate::policy::Statement;
use crate::resource::Resource;
use crate::stack::Stack;

mod asynchronous;
mod failure;
pub(crate) mod filter;
mod network;
pub(crate) mod permission;
mod release;
mod stream;
mod topic;
mod trigger;
mod url;

pub use asynchronous::{AsyncAge, AsyncAttempts, AsyncDestination, AsyncInvocations};
pub use failure::FailureDestination;
pub use filter::{ChangeKind, RecordFilter};
pub use network::FunctionNetwork;
pub use permission::PermissionProps;
pub use release::Release;
pub use stream::{Parallelization, RecordAge, StreamRetryAttempts, StreamStart, StreamTrigger};
pub use topic::TopicTrigger;
pub use trigger::{BatchSize, BatchWindow, MaximumConcurrency, QueueTrigger, Trigger};
pub use url::{FunctionUrlProps, FunctionUrlRef, UrlAccess, UrlCors, UrlCorsAge};

/// Marks the ARN of a function.
#[derive(Debug)]
pub enum Function {}

/// Marks the ARN of a version of a layer.
#[derive(Debug)]
pub enum Layer {}

/// What is logged of the least weight.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// What helps to find a fault.
    Debug,
    /// What happens.
    Info,
    /// What may be wrong.
    Warn,
    /// What failed.
    Error,
}

impl LogLevel {
    const fn of_application(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }

    /// Returns the level of Lambda's own records, which has fewer words.
    const fn of_system(self) -> &'static str {
        match self {
            Self::Trace | Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn | Self::Error => "WARN",
        }
    }
}

/// The memory of a function in MB; the processor time grows with it.
pub type MemorySize = Limited<128, 10240>;

/// How long an invocation may take, in seconds.
pub type Timeout = Limited<1, 900>;

/// The size of `/tmp` in MB.
pub type EphemeralStorage = Limited<512, 10240>;

/// How many instances of a function may run at once.
pub type ReservedConcurrency = Limited<0, 100_000>;

/// The timeout that AWS gives a function without one, in seconds.
const DEFAULT_TIMEOUT: u32 = 3;

/// The most layers of a function.
const MAX_LAYERS: usize = 5;

/// The most bytes that all environment variables may have together.
const MAX_ENVIRONMENT_BYTES: usize = 4096;

/// What a function is made of, beyond its contract.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-function.html>.
#[derive(Clone, Debug, Default)]
pub struct FunctionProps {
    /// What the function is for, at most 256 characters.
    pub description: Option<String>,
    /// The physical name, at most 64 characters. Leave it out: a named function cannot be replaced.
    pub name: Option<Value<String>>,
    /// The memory; 128 MB by default, which is AWS's.
    pub memory: Option<MemorySize>,
    /// How long an invocation may take; 3 s by default, which is AWS's.
    pub timeout: Option<Timeout>,
    /// The size of `/tmp`; 512 MB by default.
    pub ephemeral_storage: Option<EphemeralStorage>,
    /// How many instances may run at once; unlimited within the account by default.
    pub reserved_concurrency: Option<ReservedConcurrency>,
    /// How long log events are kept.
    pub log_retention: Retention,
    /// What those who invoke the function reach: by default the alias of a version in protected stages, and the function
    /// as it was deployed last in others.
    pub release: Release,
    /// Whether AWS X-Ray traces invocations; the role then may send traces.
    pub tracing: bool,
    /// What is logged of the least weight, by the application and by Lambda itself; everything from `INFO` on by
    /// default, which is AWS's.
    pub log_level: Option<LogLevel>,
    /// The network of the customer's own that the function runs in; by default it runs in none, and reaches the
    /// internet.
    pub network: Option<FunctionNetwork>,
    /// Layers, at most five, which are laid over `/opt`, such as extensions of monitoring tools.
    pub layers: Vec<Value<Arn<Layer>>>,
    /// A key of the customer's own for the environment variables; Lambda encrypts them with one of AWS's by default.
    pub key: Option<KeyRef>,
    /// Environment variables beyond those of the bindings. No secret belongs here: bind a `Secret`.
    pub environment: BTreeMap<String, Value<String>>,
    /// What the role may do beyond the bindings, for what has no binding yet.
    pub statements: Vec<Statement>,
}

/// The handle of a function whose contract is `F`.
#[derive(Debug)]
pub struct FunctionRef<F> {
    id: ResourceId,
    role: RoleRef,
    log_group: LogGroupRef,
    timeout: u32,
    alias: Option<release::Alias>,
    contract: PhantomData<fn() -> F>,
}

impl<F> Clone for FunctionRef<F> {
    fn clone(&self) -> Self {
        Self {
            id: self.id.clone(),
            role: self.role.clone(),
            log_group: self.log_group.clone(),
            timeout: self.timeout,
            alias: self.alias.clone(),
            contract: PhantomData,
        }
    }
}

impl<F> FunctionRef<F> {
    /// Returns the ARN that the function is invoked by: that of its alias, where it is [released](Release).
    pub fn arn(&self) -> Value<Arn<Function>> {
        match &self.alias {
            Some(alias) => alias.arn(),
            None => self.latest_arn(),
        }
    }

    /// Returns the ARN of the function as it was deployed last, whatever is released.
    pub fn latest_arn(&self) -> Value<Arn<Function>> {
        get_att(&self.id, "Arn")
    }

    /// Returns the alias of a [released](Release) function.
    pub fn alias(&self) -> Option<ResourceRef> {
        let id = self.alias.as_ref()?.id.clone();
        Some(ResourceRef { id })
    }

    /// Returns what of the function is invoked, as the properties name it that do not take it in an ARN.
    fn qualifier(&self) -> Option<&'static str> {
        self.alias.is_some().then_some(release::ALIAS)
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the execution role.
    pub fn role(&self) -> &RoleRef {
        &self.role
    }

    /// Returns the log group.
    pub fn log_group(&self) -> &LogGroupRef {
        &self.log_group
    }

    /// Returns how long an invocation may take, in seconds.
    pub fn timeout(&self) -> u32 {
        self.timeout
    }

    /// Returns what a caller's role must allow to invoke the function.
    pub fn invoke_statement(&self) -> Statement {
        Statement::allow(["lambda:InvokeFunction"]).on(self.arn())
    }
}

impl<F> Handle for FunctionRef<F> {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a function with its execution role `<Id>Role` and its log group `<Id>Logs`; where it is
    /// [released](Release), as by default in protected stages, its version `<Id>Version` and its alias `<Id>Alias`.
    ///
    /// The code is the binary that the contract names, built and published by the deployer; the template
    /// parameter `<Id>Artifact` receives its key.
    #[track_caller]
    pub fn function<F: FunctionContract>(
        &mut self,
        logical_id: &str,
        wired: Wired<F>,
        props: FunctionProps,
    ) -> FunctionRef<F> {
        let source = Location::caller();
        let timeout = props.timeout.map_or(DEFAULT_TIMEOUT, Limited::get);
        self.check_limit(logical_id, "Properties.MemorySize", props.memory, source);
        self.check_limit(logical_id, "Properties.Timeout", props.timeout, source);
        self.check_limit(
            logical_id,
            "Properties.EphemeralStorage.Size",
            props.ephemeral_storage,
            source,
        );
        self.check_limit(
            logical_id,
            "Properties.ReservedConcurrentExecutions",
            props.reserved_concurrency,
            source,
        );

        let log_group = self.log_group(
            &format!("{logical_id}Logs"),
            LogGroupProps {
                retention: props.log_retention,
                ..LogGroupProps::default()
            },
        );
        let role = self.role(
            &format!("{logical_id}Role"),
            RoleProps::for_service("lambda.amazonaws.com"),
        );
        self.grant(&role, [log_group.write_statement()]);
        if props.tracing {
            self.grant(&role, [tracing_statement()]);
        }
        if let Some(network) = &props.network {
            for message in network.violations() {
                let path = "Properties.VpcConfig";
                self.report(logical_id, Some(path), message, source);
            }
            self.grant(&role, [network::statement()]);
        }
        if props.layers.len() > MAX_LAYERS {
            let message = format!(
                "the function has {} layers and Lambda takes {MAX_LAYERS}",
                props.layers.len()
            );
            self.report(logical_id, Some("Properties.Layers"), message, source);
        }
        if let Some(key) = &props.key {
            self.grant(&role, key.through("lambda", [KeyOperation::Decrypt]));
        }
        self.grant(&role, props.statements);

        let architecture = self.stage().architecture();
        let asset = F::BINARY;
        let key = self.artifact(
            &format!("{logical_id}Artifact"),
            asset,
            Asset::Function {
                package: F::PACKAGE.to_owned(),
                binary: F::BINARY.to_owned(),
                architecture,
            },
        );
        let released = props.release.is_live_in(self.stage());
        let release = released.then(|| self.release_name(logical_id));
        let mut environment = self.wire(logical_id, asset, wired, &role, props.environment, source);
        if let Some(name) = &release {
            // Lambda publishes no version of what is as in the last one. With this nothing ever is.
            let variable = release::VARIABLE.to_owned();
            if environment.insert(variable, name.clone()).is_some() {
                let message = format!(
                    "the environment variable `{}` has the name of the release: choose another name",
                    release::VARIABLE
                );
                let path = "Properties.Environment.Variables";
                self.report(logical_id, Some(path), message, source);
            }
        }
        let bucket = self.parameter_value(ARTIFACT_BUCKET_PARAMETER);
        let function = cfn::Function {
            architectures: [architecture.name()].into(),
            code: cfn::function::Code {
                s3_bucket: bucket.into(),
                s3_key: key.into(),
                ..cfn::function::Code::default()
            }
            .into(),
            description: props.description.into(),
            environment: if environment.is_empty() {
                Property::Absent
            } else {
                cfn::function::Environment {
                    variables: environment.into(),
                }
                .into()
            },
            ephemeral_storage: props
                .ephemeral_storage
                .map(|size| cfn::function::EphemeralStorage {
                    size: size.number().into(),
                })
                .into(),
            function_name: props.name.into(),
            // The runtime on Amazon Linux 2023 starts `bootstrap` whatever the handler says, but wants one.
            handler: "bootstrap".into(),
            kms_key_arn: props.key.map(|key| key.arn().into_text()).into(),
            layers: (!props.layers.is_empty())
                .then(|| {
                    props
                        .layers
                        .into_iter()
                        .map(Value::into_text)
                        .collect::<Vec<_>>()
                })
                .into(),
            logging_config: cfn::function::LoggingConfig {
                application_log_level: props
                    .log_level
                    .map(|level| level.of_application().to_owned())
                    .into(),
                log_format: "JSON".into(),
                log_group: log_group.name().into(),
                system_log_level: props
                    .log_level
                    .map(|level| level.of_system().to_owned())
                    .into(),
            }
            .into(),
            memory_size: props.memory.map(Limited::number).into(),
            package_type: "Zip".into(),
            reserved_concurrent_executions: props.reserved_concurrency.map(Limited::number).into(),
            role: role.arn().into_text().into(),
            runtime: "provided.al2023".into(),
            timeout: i64::from(timeout).into(),
            tracing_config: props
                .tracing
                .then(|| cfn::function::TracingConfig {
                    mode: "Active".into(),
                })
                .into(),
            vpc_config: props.network.map(FunctionNetwork::render).into(),
            ..cfn::Function::default()
        };
        let id = self.insert(logical_id, Resource::of(&function, source)).id;
        let alias = release.map(|name| self.release(&id, name, source));
        FunctionRef {
            id,
            role,
            log_group,
            timeout,
            alias,
            contract: PhantomData,
        }
    }

    /// Turns bindings into environment variables and grants.
    fn wire<F: FunctionContract>(
        &mut self,
        logical_id: &str,
        asset: &str,
        wired: Wired<F>,
        role: &RoleRef,
        mut environment: BTreeMap<String, Value<String>>,
        source: &Location<'_>,
    ) -> BTreeMap<String, Value<String>> {
        let path = "Properties.Environment.Variables";
        let mut contract = Contract::default();
        for binding in wired.bindings {
            contract.bindings.insert(
                binding.field.to_owned(),
                BindingContract {
                    kind: binding.kind.to_owned(),
                    environment: binding.environment.to_owned(),
                    actions: binding
                        .statements
                        .iter()
                        .flat_map(|statement| statement.actions().iter().cloned())
                        .collect(),
                },
            );
            self.grant(role, binding.statements);
            let name = binding.environment.to_owned();
            if environment.insert(name.clone(), binding.value).is_some() {
                let message = format!("the environment variable `{name}` is set twice");
                self.report(logical_id, Some(path), message, source);
            }
        }
        self.contract(asset, contract);
        let bytes: usize = environment
            .iter()
            .map(|(name, value)| name.len() + value.literal().map_or(0, String::len))
            .sum();
        if bytes > MAX_ENVIRONMENT_BYTES {
            let message = format!(
                "the environment has {bytes} bytes and Lambda takes {MAX_ENVIRONMENT_BYTES}: move values to Parameter Store"
            );
            self.report(logical_id, Some(path), message, source);
        }
        for name in environment.keys() {
            if let Some(message) = wrong_variable(name) {
                self.report(logical_id, Some(path), message, source);
            }
        }
        environment
    }
}

/// Says what is wrong with the name of an environment variable, if anything; see
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html>.
fn wrong_variable(name: &str) -> Option<String> {
    if RESERVED_VARIABLES.contains(&name) {
        return Some(format!(
            "the environment variable `{name}` is reserved by Lambda"
        ));
    }
    let valid = name.len() >= 2
        && name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    (!valid).then(|| {
        format!(
            "`{name}` is not the name of an environment variable: use at least two letters, digits and underscores, a letter first"
        )
    })
}

/// What the role of a traced function must allow; the actions know no resource. See
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awsx-ray.html>.
fn tracing_statement() -> Statement {
    Statement::allow(["xray:PutTelemetryRecords", "xray:PutTraceSegments"])
        .on_everything("X-Ray has no resources that these actions could name")
}
