//! Health checks: whether something answers.

use std::panic::Location;

use stack_model_cfn::route53 as cfn;
use stack_model_cfn::{ResourceId, Value};

use crate::handle::{Handle, reference};
use crate::limit::Limited;
use crate::resource::Resource;
use crate::stack::Stack;

/// How many checks in a row must fail, or succeed, before the state changes.
pub type FailureThreshold = Limited<1, 10>;

/// The port that is asked.
pub type HealthCheckPort = Limited<1, 65_535>;

/// What a health check is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-route53-healthcheck.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct HealthCheckProps {
    host: Value<String>,
    probe: Probe,
    /// The port; that of the protocol by default.
    pub port: Option<HealthCheckPort>,
    /// How many checks in a row must fail; 3 by default, which is AWS's.
    pub failure_threshold: Option<FailureThreshold>,
    /// Whether to ask every 10 seconds instead of every 30, for a price.
    pub fast: bool,
}

/// What is asked of a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Probe {
    /// A path over HTTPS, which answers with a status below 400.
    Https {
        /// The path, which starts with `/`.
        path: String,
    },
    /// A path over HTTP.
    Http {
        /// The path, which starts with `/`.
        path: String,
    },
    /// A connection.
    Tcp,
}

impl HealthCheckProps {
    /// Asks a host for something.
    pub fn new(host: impl Into<Value<String>>, probe: Probe) -> Self {
        Self {
            host: host.into(),
            probe,
            port: None,
            failure_threshold: None,
            fast: false,
        }
    }
}

/// The handle of a health check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HealthCheckRef {
    id: ResourceId,
}

impl HealthCheckRef {
    /// Returns the id.
    pub fn id(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for HealthCheckRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a health check, which asks from many places of the world.
    #[track_caller]
    pub fn health_check(&mut self, logical_id: &str, props: HealthCheckProps) -> HealthCheckRef {
        let source = Location::caller();
        let path = "Properties.HealthCheckConfig";
        let threshold = props.failure_threshold;
        self.check_limit(
            logical_id,
            &format!("{path}.FailureThreshold"),
            threshold,
            source,
        );
        self.check_limit(logical_id, &format!("{path}.Port"), props.port, source);
        let (kind, asked, port) = match props.probe {
            Probe::Https { path } => ("HTTPS", Some(path), Some(443)),
            Probe::Http { path } => ("HTTP", Some(path), Some(80)),
            Probe::Tcp => ("TCP", None, None),
        };
        if asked
            .as_ref()
            .is_some_and(|asked| !asked.starts_with('/') || asked.len() > 255)
        {
            let message = "the path starts with `/` and has at most 255 characters";
            self.report(
                logical_id,
                Some(&format!("{path}.ResourcePath")),
                message,
                source,
            );
        }
        let port = props.port.map(Limited::number).or(port);
        if port.is_none() {
            let message = "a connection needs a port: give `port`";
            self.report(logical_id, Some(&format!("{path}.Port")), message, source);
        }
        let check = cfn::HealthCheck {
            health_check_config: cfn::health_check::HealthCheckConfig {
                enable_sni: (kind == "HTTPS").then_some(true).into(),
                failure_threshold: threshold.map(Limited::number).into(),
                fully_qualified_domain_name: props.host.into(),
                port: port.into(),
                request_interval: props.fast.then_some(10).into(),
                resource_path: asked.into(),
                type_: kind.into(),
                ..cfn::health_check::HealthCheckConfig::default()
            }
            .into(),
            ..cfn::HealthCheck::default()
        };
        HealthCheckRef {
            id: self.insert(logical_id, Resource::of(&check, source)).id,
        }
    }
}
