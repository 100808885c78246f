//! Stages: the names under which an API is called.

use std::collections::BTreeMap;
use std::panic::Location;

use stack_model_cfn::apigateway as cfn;
use stack_model_cfn::{Property, Pseudo, ResourceId, Value};

use super::method::RestMethodRef;
use super::resource::RestResourceRef;
use super::settings::{CacheSize, Canary, ClientCertificateRef, MethodSettings};
use super::{AccountRef, RestApiRef};
use crate::handle::{Handle, reference};
use crate::limit::Limited;
use crate::logs::{LogGroupProps, LogGroupRef, Retention};
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

/// How many requests beyond the rate a stage takes at once.
pub type ThrottleBurst = Limited<0, 1_000_000>;

/// How many requests a stage takes; more are answered with 429.
///
/// The limits of the account hold besides, and AWS meets both as well as it can. See
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-request-throttling.html>.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Throttle {
    /// Requests per second in the long run.
    pub rate: f64,
    /// Requests at once.
    pub burst: ThrottleBurst,
}

/// Who lets API Gateway write logs: without it a stage with logs cannot be created.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogAccess {
    /// The settings that a stack of this app holds, made by [`Stack::rest_account`].
    Account(AccountRef),
    /// The settings of the account and region are made elsewhere.
    SetElsewhere,
}

/// What a stage logs.
#[derive(Clone, Debug, PartialEq)]
pub struct StageLogs {
    access: LogAccess,
    /// One line per request, written to a log group.
    pub requests: Option<AccessLogs>,
    /// What API Gateway itself does with a request, written to the log group `<Id>ExecutionLogs`, whose name AWS
    /// dictates.
    pub execution: ExecutionLogs,
}

impl StageLogs {
    /// Logs nothing yet, with the right to do so.
    pub fn with(access: LogAccess) -> Self {
        Self {
            access,
            requests: None,
            execution: ExecutionLogs::default(),
        }
    }
}

/// Where a stage writes one line per request.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessLogs {
    /// The log group.
    pub group: LogGroupRef,
    /// What a line looks like.
    pub format: AccessLogFormat,
}

/// What a line of an access log looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum AccessLogFormat {
    /// JSON with the request's id, time, caller address, method, path, status, lengths, latency and errors.
    #[default]
    Json,
    /// A text with variables of `$context`, one of which must be `$context.requestId` or
    /// `$context.extendedRequestId`. See
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/set-up-logging.html>.
    Custom(String),
}

impl AccessLogFormat {
    /// The fields of a line and the variables they show; see
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html>.
    const FIELDS: [(&'static str, &'static str); 12] = [
        ("requestId", "requestId"),
        ("time", "requestTime"),
        ("sourceIp", "identity.sourceIp"),
        ("userAgent", "identity.userAgent"),
        ("method", "httpMethod"),
        ("path", "path"),
        ("resource", "resourcePath"),
        ("status", "status"),
        ("responseLength", "responseLength"),
        ("latency", "responseLatency"),
        ("integrationLatency", "integrationLatency"),
        ("error", "error.message"),
    ];

    fn text(self) -> String {
        match self {
            Self::Custom(format) => format,
            Self::Json => {
                let fields: Vec<String> = Self::FIELDS
                    .iter()
                    .map(|(name, variable)| format!(r#""{name}":"$context.{variable}""#))
                    .collect();
                format!("{{{}}}", fields.join(","))
            }
        }
    }
}

/// What API Gateway logs of its own work. Bodies and headers are never logged: they are the callers' secrets.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ExecutionLogs {
    /// Nothing.
    #[default]
    Off,
    /// Errors alone.
    Errors,
    /// Every step of every request.
    Everything,
}

impl ExecutionLogs {
    const fn level(self) -> Option<&'static str> {
        match self {
            Self::Off => None,
            Self::Errors => Some("ERROR"),
            Self::Everything => Some("INFO"),
        }
    }
}

/// What a stage is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-stage.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct StageProps {
    name: String,
    /// What the stage is for.
    pub description: Option<String>,
    /// How many requests the stage takes; as many as the account by default.
    pub throttle: Option<Throttle>,
    /// What the stage logs; nothing by default.
    pub logs: Option<StageLogs>,
    /// Whether AWS X-Ray traces requests.
    pub tracing: bool,
    /// Whether CloudWatch gets metrics per method, which cost extra, beyond those per stage.
    pub metrics: bool,
    /// Variables that integrations and templates read as `stageVariables`.
    pub variables: BTreeMap<String, Value<String>>,
    /// Methods that the stage treats in another way than all others.
    pub methods: Vec<(RestMethodRef, MethodSettings)>,
    /// A cache for answers, which costs by the hour; none by default. Which methods use it is said in `methods`.
    pub cache: Option<CacheSize>,
    /// Shows the newest deployment to some requests alone; to all by default.
    pub canary: Option<Canary>,
    /// The certificate that the stage shows to HTTP backends; none by default.
    pub client_certificate: Option<ClientCertificateRef>,
}

impl StageProps {
    /// A stage with the name that its address begins with: 1 to 128 letters, digits, `-` and `_`.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            description: None,
            throttle: None,
            logs: None,
            tracing: false,
            metrics: false,
            variables: BTreeMap::new(),
            methods: Vec::new(),
            cache: None,
            canary: None,
            client_certificate: None,
        }
    }

    /// Returns the settings of all methods, where there are any, and of single ones. Those of a single method replace
    /// the others altogether, so they repeat what they do not change.
    fn method_settings(&self) -> Vec<Value<cfn::stage::MethodSetting>> {
        let logs = self
            .logs
            .as_ref()
            .map_or(ExecutionLogs::Off, |logs| logs.execution);
        let setting = |resource_path: String, http_method: &str, own: MethodSettings| {
            let throttle = own.throttle.or(self.throttle);
            let level = own.logs.unwrap_or(logs).level();
            let cached = own.cache.map(Limited::number);
            Value::Literal(cfn::stage::MethodSetting {
                cache_data_encrypted: cached.map(|_| true).into(),
                cache_ttl_in_seconds: cached.into(),
                caching_enabled: cached.map(|_| true).into(),
                http_method: http_method.into(),
                logging_level: level.map(str::to_owned).into(),
                metrics_enabled: self.metrics.then_some(true).into(),
                resource_path: resource_path.into(),
                throttling_burst_limit: throttle.map(|throttle| throttle.burst.number()).into(),
                throttling_rate_limit: throttle.map(|throttle| throttle.rate).into(),
                ..Default::default()
            })
        };
        let all = logs != ExecutionLogs::Off || self.throttle.is_some() || self.metrics;
        let all = all.then(|| setting("/*".to_owned(), "*", MethodSettings::default()));
        let single = self.methods.iter().map(|(method, own)| {
            let (path, http_method) = method.setting_key();
            setting(path, http_method, *own)
        });
        all.into_iter().chain(single).collect()
    }
}

/// The handle of a stage of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StageRef {
    id: ResourceId,
    api: RestApiRef,
}

impl StageRef {
    /// Returns the name. What names a stage by it waits for the stage.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the API.
    pub fn api(&self) -> &RestApiRef {
        &self.api
    }

    /// Returns the address of a resource in this stage.
    pub fn url(&self, resource: &RestResourceRef) -> Value<String> {
        text!(
            "https://{}.execute-api.{}.{}/{}{}",
            self.api.rest_api_id(),
            Pseudo::Region,
            Pseudo::UrlSuffix,
            self.name(),
            resource.path()
        )
    }
}

impl Handle for StageRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a stage that always shows the newest deployment of an API.
    #[track_caller]
    pub fn rest_stage(
        &mut self,
        logical_id: &str,
        api: &RestApiRef,
        props: StageProps,
    ) -> StageRef {
        let source = Location::caller();
        self.check_stage(logical_id, &props, source);
        if api.resource_id().stack() != self.id() {
            let message = format!(
                "the stage would have to change with every change of the API: add it in the stack `{}`, which holds the API",
                api.resource_id().stack()
            );
            self.report(logical_id, Some("Properties.RestApiId"), message, source);
        }
        let settings = props.method_settings();
        let name = props.name;
        let mut after: Vec<ResourceId> = Vec::new();
        let mut access_logs = Property::Absent;
        if let Some(logs) = props.logs {
            if let LogAccess::Account(account) = &logs.access {
                after.push(account.resource_id().clone());
            }
            if let Some(requests) = logs.requests {
                access_logs = cfn::stage::AccessLogSetting {
                    destination_arn: log_group_arn(&requests.group).into(),
                    format: requests.format.text().into(),
                }
                .into();
            }
            if logs.execution != ExecutionLogs::Off {
                // API Gateway writes to a group of this name and would make one without retention.
                let group = text!("API-Gateway-Execution-Logs_{}/{}", api.rest_api_id(), &name);
                let group = self.log_group(
                    &format!("{logical_id}ExecutionLogs"),
                    LogGroupProps {
                        name: Some(group),
                        retention: Retention::default(),
                        ..LogGroupProps::default()
                    },
                );
                after.push(group.resource_id().clone());
            }
        }
        let (shown, canary) = match props.canary {
            None => (api.deployment_id(), None),
            Some(canary) => {
                let newest = cfn::stage::CanarySetting {
                    deployment_id: api.deployment_id().into(),
                    percent_traffic: canary.percent.into(),
                    stage_variable_overrides: (!canary.variables.is_empty())
                        .then_some(canary.variables)
                        .into(),
                    use_stage_cache: canary.use_stage_cache.then_some(true).into(),
                };
                (canary.stable, Some(newest))
            }
        };
        let stage = cfn::Stage {
            access_log_setting: access_logs,
            cache_cluster_enabled: props.cache.map(|_| true).into(),
            cache_cluster_size: props.cache.map(|size| size.name().to_owned()).into(),
            canary_setting: canary.into(),
            client_certificate_id: props
                .client_certificate
                .as_ref()
                .map(ClientCertificateRef::certificate_id)
                .into(),
            deployment_id: shown.into(),
            description: props.description.into(),
            method_settings: (!settings.is_empty()).then_some(settings).into(),
            rest_api_id: api.rest_api_id().into(),
            stage_name: name.into(),
            tracing_enabled: props.tracing.then_some(true).into(),
            variables: (!props.variables.is_empty())
                .then_some(props.variables)
                .into(),
            ..Default::default()
        };
        let mut stage = Resource::of(&stage, source);
        stage.depends_on.extend(after);
        StageRef {
            id: self.insert(logical_id, stage).id,
            api: api.clone(),
        }
    }

    /// Reports a throttle that is none.
    pub(super) fn check_throttle(
        &mut self,
        logical_id: &str,
        path: &str,
        throttle: Option<Throttle>,
        source: &Location<'_>,
    ) {
        let Some(throttle) = throttle else {
            return;
        };
        self.check_limit(logical_id, path, Some(throttle.burst), source);
        if !throttle.rate.is_finite() || throttle.rate < 0.0 {
            let message = format!("{} is not a number of requests per second", throttle.rate);
            self.report(logical_id, Some(path), message, source);
        }
    }

    fn check_stage(&mut self, logical_id: &str, props: &StageProps, source: &Location<'_>) {
        let name = &props.name;
        let fits = (1..=128).contains(&name.len())
            && name
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_');
        if !fits {
            let message = format!(
                "`{name}` is not the name of a stage of an API: use 1 to 128 letters, digits, `-` and `_`"
            );
            self.report(logical_id, Some("Properties.StageName"), message, source);
        }
        self.check_throttle(
            logical_id,
            "Properties.MethodSettings",
            props.throttle,
            source,
        );
        self.check_method_settings(logical_id, props.cache.is_some(), &props.methods, source);
        if let Some(canary) = &props.canary {
            self.check_canary(logical_id, canary, source);
        }
        let format = props.logs.as_ref().and_then(|logs| logs.requests.as_ref());
        if let Some(AccessLogFormat::Custom(format)) = format.map(|requests| &requests.format)
            && !format.contains("$context.requestId")
            && !format.contains("$context.extendedRequestId")
        {
            let message = "the format of an access log must hold `$context.requestId` or `$context.extendedRequestId`";
            self.report(
                logical_id,
                Some("Properties.AccessLogSetting.Format"),
                message,
                source,
            );
        }
        for name in props.variables.keys() {
            let fits =
                !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !fits {
                let message = format!(
                    "`{name}` is not the name of a stage variable: use letters, digits and `_`"
                );
                self.report(logical_id, Some("Properties.Variables"), message, source);
            }
        }
    }
}

/// Returns the ARN of a log group without the `:*` of the attribute `Arn`, as access logs want it.
fn log_group_arn(group: &LogGroupRef) -> Value<String> {
    text!(
        "arn:{}:logs:{}:{}:log-group:{}",
        Pseudo::Partition,
        Pseudo::Region,
        Pseudo::AccountId,
        group.name()
    )
}
