//! Stages of HTTP APIs, and what stages of both kinds have in common.

use std::collections::BTreeMap;
use std::panic::Location;

use stack_model_cfn::apigatewayv2 as cfn;
use stack_model_cfn::{Expr, Pseudo, ResourceId, Value};

use super::HttpApiRef;
use super::route::HttpRouteRef;
use crate::apigateway::Throttle;
use crate::handle::{Handle, reference};
use crate::logs::LogGroupRef;
use crate::name::NameRule;
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

/// The name of a stage of an HTTP API.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum StageName {
    /// No name: paths begin at the host.
    #[default]
    Default,
    /// A name of up to 128 letters, digits, `-` and `_` with which every path begins.
    Named(String),
}

/// Where a stage writes one line per request or message.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpAccessLogs {
    /// The log group.
    pub group: LogGroupRef,
    /// What a line looks like.
    pub format: LogFormat,
}

/// What a line of an access log looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// JSON with the request's id, time, caller address, route, path, status, length, latency and errors.
    #[default]
    Json,
    /// A text with variables of `$context`. See
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-logging-variables.html>.
    Custom(String),
}

impl LogFormat {
    /// The fields of a line that HTTP and WebSocket APIs both have, and the variables they show.
    const FIELDS: [(&'static str, &'static str); 8] = [
        ("requestId", "requestId"),
        ("time", "requestTime"),
        ("sourceIp", "identity.sourceIp"),
        ("userAgent", "identity.userAgent"),
        ("route", "routeKey"),
        ("status", "status"),
        ("error", "error.message"),
        ("integrationError", "integrationErrorMessage"),
    ];

    /// Returns the format with the fields of one kind of API.
    pub(super) fn text(self, more: &[(&str, &str)]) -> String {
        match self {
            Self::Custom(format) => format,
            Self::Json => {
                let fields: Vec<String> = Self::FIELDS
                    .iter()
                    .chain(more)
                    .map(|(name, variable)| format!(r#""{name}":"$context.{variable}""#))
                    .collect();
                format!("{{{}}}", fields.join(","))
            }
        }
    }
}

/// What a stage does with requests: all of them, or those of one route.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RouteSettings {
    /// How many requests are taken; as many as the account takes by default.
    pub throttle: Option<Throttle>,
    /// Whether CloudWatch gets metrics per route, which cost extra, beyond those per stage.
    pub metrics: bool,
}

impl RouteSettings {
    pub(super) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    pub(super) fn render(&self) -> cfn::stage::RouteSettings {
        let throttle = self.throttle;
        cfn::stage::RouteSettings {
            detailed_metrics_enabled: self.metrics.then_some(true).into(),
            throttling_burst_limit: throttle.map(|throttle| throttle.burst.number()).into(),
            throttling_rate_limit: throttle.map(|throttle| throttle.rate).into(),
            ..cfn::stage::RouteSettings::default()
        }
    }

    fn entries(&self) -> Expr {
        use stack_model_cfn::Render;
        self.render()
            .render()
            .unwrap_or_else(|| Expr::Map(BTreeMap::new()))
    }
}

/// What a stage of an HTTP API is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-stage.html>.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HttpStageProps {
    /// The name; none by default.
    pub name: StageName,
    /// What the stage is for.
    pub description: Option<String>,
    /// What the stage does with the requests of all routes.
    pub settings: RouteSettings,
    /// Routes whose requests the stage treats in another way.
    pub routes: Vec<(HttpRouteRef, RouteSettings)>,
    /// Where the stage writes one line per request; nowhere by default.
    pub access_logs: Option<HttpAccessLogs>,
    /// Variables that integrations read as `$stageVariables`.
    pub variables: BTreeMap<String, Value<String>>,
}

impl HttpStageProps {
    /// A stage with a name, with which every path begins.
    pub fn named(name: impl Into<String>) -> Self {
        Self {
            name: StageName::Named(name.into()),
            ..Self::default()
        }
    }
}

/// The handle of a stage of an HTTP API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpStageRef {
    id: ResourceId,
    api: HttpApiRef,
    path: String,
}

impl HttpStageRef {
    /// Returns the name. What names a stage by it waits for the stage.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the API.
    pub fn api(&self) -> &HttpApiRef {
        &self.api
    }

    /// Returns the address of the stage, without a `/` at its end.
    pub fn url(&self) -> Value<String> {
        text!("{}{}", self.api.endpoint(), self.path.as_str())
    }
}

impl Handle for HttpStageRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a stage, under which an HTTP API is called. What is added to the API later is live in it at once.
    #[track_caller]
    pub fn http_stage(
        &mut self,
        logical_id: &str,
        api: &HttpApiRef,
        props: HttpStageProps,
    ) -> HttpStageRef {
        let source = Location::caller();
        let (name, path) = match &props.name {
            StageName::Default => ("$default".to_owned(), String::new()),
            StageName::Named(name) => {
                self.check_stage_name(logical_id, name, source);
                (name.clone(), format!("/{name}"))
            }
        };
        self.check_throttles(
            logical_id,
            std::iter::once(&props.settings).chain(props.routes.iter().map(|(_, own)| own)),
            source,
        );
        for (route, _) in &props.routes {
            if route.api() != api {
                let message = format!(
                    "`{}` is a route of another API: the stage treats routes of its own API only",
                    route.key().as_str()
                );
                self.report(
                    logical_id,
                    Some("Properties.RouteSettings"),
                    message,
                    source,
                );
            }
        }
        let routes = Expr::map(
            props
                .routes
                .iter()
                .map(|(route, own)| (route.key().as_str(), own.entries())),
        );
        let stage = cfn::Stage {
            access_log_settings: props
                .access_logs
                .map(|logs| {
                    access_logs(
                        &logs.group,
                        logs.format,
                        &[
                            ("method", "httpMethod"),
                            ("path", "path"),
                            ("responseLength", "responseLength"),
                            ("latency", "responseLatency"),
                            ("integrationLatency", "integrationLatency"),
                        ],
                    )
                })
                .into(),
            api_id: api.api_id().into(),
            auto_deploy: true.into(),
            default_route_settings: (!props.settings.is_default())
                .then(|| props.settings.render())
                .into(),
            description: props.description.into(),
            route_settings: (!props.routes.is_empty()).then_some(routes).into(),
            stage_name: name.into(),
            stage_variables: variables(props.variables).into(),
            ..cfn::Stage::default()
        };
        let mut resource = Resource::of(&stage, source);
        // A stage cannot say anything of a route that is not there yet.
        for (route, _) in &props.routes {
            resource.depends_on.insert(route.resource_id().clone());
        }
        HttpStageRef {
            id: self.insert(logical_id, resource).id,
            api: api.clone(),
            path,
        }
    }

    pub(super) fn check_stage_name(&mut self, logical_id: &str, name: &str, source: &Location<'_>) {
        let rule = NameRule {
            min: 1,
            max: 128,
            others: "-_",
        };
        if let Some(message) = rule.violation(name) {
            self.report(logical_id, Some("Properties.StageName"), message, source);
        }
    }

    pub(super) fn check_throttles<'a>(
        &mut self,
        logical_id: &str,
        settings: impl Iterator<Item = &'a RouteSettings>,
        source: &Location<'_>,
    ) {
        for throttle in settings.filter_map(|settings| settings.throttle) {
            let path = "Properties.DefaultRouteSettings.ThrottlingBurstLimit";
            self.check_limit(logical_id, path, Some(throttle.burst), source);
            if !throttle.rate.is_finite() || throttle.rate < 0.0 {
                let message = "the rate of a throttle is a number of requests per second, from 0";
                let path = Some("Properties.DefaultRouteSettings.ThrottlingRateLimit");
                self.report(logical_id, path, message, source);
            }
        }
    }
}

/// Returns the settings of an access log, with the fields of one kind of API.
pub(super) fn access_logs(
    group: &LogGroupRef,
    format: LogFormat,
    more: &[(&str, &str)],
) -> cfn::stage::AccessLogSettings {
    cfn::stage::AccessLogSettings {
        // The ARN of the attribute ends with `:*`, which a stage does not take.
        destination_arn: text!(
            "arn:{}:logs:{}:{}:log-group:{}",
            Pseudo::Partition,
            Pseudo::Region,
            Pseudo::AccountId,
            group.name()
        )
        .into(),
        format: format.text(more).into(),
    }
}

/// Returns the variables of a stage, where there are any.
pub(super) fn variables(variables: BTreeMap<String, Value<String>>) -> Option<Expr> {
    let entries = variables
        .into_iter()
        .map(|(name, value)| (name, value.into()));
    let entries: BTreeMap<String, Expr> = entries.collect();
    (!entries.is_empty()).then_some(Expr::Map(entries))
}
