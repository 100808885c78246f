//! Amazon Route 53: hosted zones, records and health checks.
//!
//! Every record belongs to a zone, made by [`Stack::hosted_zone`] or kept by somebody else
//! ([`HostedZoneRef::existing`]), and its name must lie in it.
//!
//! | child | logical id |
//! |---|---|
//! | the two records of an alias | `<Id>A` and `<Id>Aaaa` |
//! | who may write the query logs of a zone | `<Zone>QueryLogsPolicy` |
//!
//! ```
//! use stack_model::route53::{HostedZoneRef, Record, RecordProps};
//! # use stack_model::{App, Stage};
//! # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
//! # let mut app = App::new(Stage::new(request));
//! # let mut stack = app.stack("site");
//!
//! let zone = HostedZoneRef::existing("Z0123456789ABCDEFGHIJ", "example.com");
//! stack.record("Docs", &zone, "docs.example.com", RecordProps::new(Record::cname("docs.example.net")));
//! stack.record("Policy", &zone, "example.com", RecordProps::new(Record::txt(["v=spf1 -all"])));
//! # app.synth().unwrap();
//! ```

use std::panic::Location;

use stack_model_cfn::logs as logs_cfn;
use stack_model_cfn::route53 as cfn;
use stack_model_cfn::{Expr, Pseudo, ResourceId, Token, Value};

use crate::handle::{Handle, elsewhere, reference};
use crate::logs::LogGroupRef;
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

mod alias;
mod check;
mod health;
mod record;
mod routing;

pub use alias::{AliasTarget, AliasVersion};
pub(crate) use check::check;
pub use health::{FailureThreshold, HealthCheckPort, HealthCheckProps, HealthCheckRef, Probe};
pub use record::{
    CaaTag, CertificateAuthority, MailServer, Record, RecordProps, RecordRef, RecordTtl,
    ServiceHost,
};
pub use routing::{FailoverRole, Location as GeoLocation, Routing, Weight};

/// What a public hosted zone is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-route53-hostedzone.html>.
#[derive(Clone, Debug)]
pub struct HostedZoneProps {
    name: String,
    /// What the zone is for, at most 256 characters.
    pub comment: Option<String>,
    /// Where queries are logged; nowhere by default. The log group stands in `us-east-1`, and its name starts with
    /// `/aws/route53/`.
    pub query_logs: Option<LogGroupRef>,
}

impl HostedZoneProps {
    /// A zone for a domain, such as `example.com`. A dot at its end makes no difference.
    pub fn named(domain: impl Into<String>) -> Self {
        Self {
            name: plain_domain(domain),
            comment: None,
            query_logs: None,
        }
    }
}

/// The handle of a hosted zone: one of the app, or one that somebody else keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedZoneRef {
    id: ResourceId,
    zone_id: Value<String>,
    name: String,
}

impl HostedZoneRef {
    /// Stands for a hosted zone that somebody else keeps, by its id, such as `Z0123456789ABCDEFGHIJ`, and the domain
    /// it is for. A dot at the end of the domain makes no difference.
    pub fn existing(zone_id: impl Into<Value<String>>, domain: impl Into<String>) -> Self {
        let name = plain_domain(domain);
        Self {
            id: elsewhere(&name),
            zone_id: zone_id.into(),
            name,
        }
    }

    /// Returns the id.
    pub fn zone_id(&self) -> Value<String> {
        self.zone_id.clone()
    }

    /// Returns the domain that the zone is for, in lower case and without a dot at its end.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the names of the zone's servers, which the registrar of the domain must know, separated by commas.
    /// Only a zone of the app tells them.
    pub fn name_servers(&self) -> Value<String> {
        let list = Token::GetAtt(self.id.clone(), "NameServers".into());
        Value::Token(Token::Join {
            delimiter: ", ".to_owned(),
            list: Box::new(list.into()),
        })
    }

    /// Says that a name does not lie in the zone, if so.
    pub(crate) fn misplaced(&self, name: &str) -> Option<String> {
        let inside = name
            .strip_suffix(&self.name)
            .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'));
        (!inside).then(|| format!("`{name}` does not lie in the hosted zone `{}`", self.name))
    }
}

impl Handle for HostedZoneRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// Returns a domain in lower case and without a dot at its end.
pub(crate) fn plain_domain(domain: impl Into<String>) -> String {
    let domain: String = domain.into();
    domain
        .strip_suffix('.')
        .unwrap_or(&domain)
        .to_ascii_lowercase()
}

/// Says what is wrong with the name of a domain, if anything; see
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DomainNameFormat.html>.
pub(crate) fn domain_violation(domain: &str) -> Option<String> {
    let fits = |step: &str| {
        (1..=63).contains(&step.len())
            && step
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
            && !step.starts_with('-')
            && !step.ends_with('-')
    };
    let right = domain.len() <= 253 && domain.contains('.') && domain.split('.').all(fits);
    (!right).then(|| {
        format!(
            "`{domain}` is not the name of a domain: it has steps of 1 to 63 letters, digits and hyphens with dots between them, and at most 253 characters"
        )
    })
}

impl Stack<'_> {
    /// Adds a public hosted zone. In a protected stage it outlives its stack: a new one would have other servers, which
    /// the registrar does not know.
    #[track_caller]
    pub fn hosted_zone(&mut self, logical_id: &str, props: HostedZoneProps) -> HostedZoneRef {
        let source = Location::caller();
        if let Some(message) = domain_violation(&props.name) {
            self.report(logical_id, Some("Properties.Name"), message, source);
        }
        let comment = props.comment.map(|comment| {
            if comment.chars().count() > 256 {
                let message = "the comment is longer than 256 characters";
                let path = Some("Properties.HostedZoneConfig.Comment");
                self.report(logical_id, path, message, source);
            }
            cfn::hosted_zone::HostedZoneConfig {
                comment: comment.into(),
            }
        });
        let mut after = Vec::new();
        let query_logs = props.query_logs.map(|group| {
            after.push(self.admit_query_logs(logical_id, &group, source));
            cfn::hosted_zone::QueryLoggingConfig {
                cloud_watch_logs_log_group_arn: text!(
                    "arn:{}:logs:{}:{}:log-group:{}",
                    Pseudo::Partition,
                    Pseudo::Region,
                    Pseudo::AccountId,
                    group.name()
                )
                .into(),
            }
        });
        let zone = cfn::HostedZone {
            hosted_zone_config: comment.into(),
            name: props.name.as_str().into(),
            query_logging_config: query_logs.into(),
            ..cfn::HostedZone::default()
        };
        let mut zone = Resource::of(&zone, source);
        zone.depends_on.extend(after);
        let id = self.insert_data(logical_id, zone).id;
        HostedZoneRef {
            zone_id: reference(&id),
            id,
            name: props.name,
        }
    }

    /// Lets Route 53 write logs; see
    /// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/query-logs.html>.
    fn admit_query_logs(
        &mut self,
        zone: &str,
        group: &LogGroupRef,
        source: &Location<'_>,
    ) -> ResourceId {
        if self.region() != crate::acm::EDGE_REGION {
            let message = format!(
                "Route 53 writes query logs in {} only and this stack is in {}: put the zone and its log group into a stack there",
                crate::acm::EDGE_REGION,
                self.region()
            );
            let path = Some("Properties.QueryLoggingConfig");
            self.report(zone, path, message, source);
        }
        // The property is a text, in which the document stands as JSON.
        let document = text!(
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"route53.amazonaws.com"},"Action":["logs:CreateLogStream","logs:PutLogEvents"],"Resource":"{}","Condition":{"StringEquals":{"aws:SourceAccount":"{}"}}}]}"#,
            group.arn(),
            Pseudo::AccountId
        );
        let policy = logs_cfn::ResourcePolicy {
            policy_document: Expr::from(document).into(),
            policy_name: text!("{}-{}", Pseudo::StackName, zone).into(),
        };
        let id = format!("{zone}QueryLogsPolicy");
        self.insert(&id, Resource::of(&policy, source)).id
    }
}

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/route53.md")]
struct Guide;
