//! Records: what the DNS answers about a name.

use std::net::{Ipv4Addr, Ipv6Addr};
use std::panic::Location;

use stack_model_cfn::route53 as cfn;
use stack_model_cfn::{ResourceId, Value};

use super::{AliasTarget, AliasVersion, HealthCheckRef, HostedZoneRef, Routing};
use super::{domain_violation, plain_domain};
use crate::handle::Handle;
use crate::limit::Limited;
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

/// How long an answer may be remembered, in seconds.
pub type RecordTtl = Limited<0, { i32::MAX as u32 }>;

/// How long an answer may be remembered where nobody says so.
const DEFAULT_TTL: u32 = 300;

/// What the DNS answers about a name.
///
/// See <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html>.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Record {
    /// Addresses of version 4.
    A(Vec<Ipv4Addr>),
    /// Addresses of version 6.
    Aaaa(Vec<Ipv6Addr>),
    /// Another name, which stands for this one in every respect. Not for the domain of the zone itself.
    Cname(Value<String>),
    /// Texts, each of up to 4,000 characters. They are quoted, and long ones are split as the DNS wants it.
    Txt(Vec<String>),
    /// The servers that take mail.
    Mx(Vec<MailServer>),
    /// The servers of a subdomain that is a zone of its own.
    Ns(Vec<Value<String>>),
    /// Who may make certificates.
    Caa(Vec<CertificateAuthority>),
    /// Where a service runs.
    Srv(Vec<ServiceHost>),
    /// Something of AWS, at no cost, also for the domain of the zone itself.
    Alias(AliasTarget, AliasVersion),
}

impl Record {
    /// Another name, which stands for this one in every respect.
    pub fn cname(name: impl Into<Value<String>>) -> Self {
        Self::Cname(name.into())
    }

    /// Texts, such as `v=spf1 -all`.
    pub fn txt<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::Txt(texts.into_iter().map(Into::into).collect())
    }

    /// Servers that take mail, with the preference of each: the lowest is tried first.
    pub fn mx<H: Into<Value<String>>>(servers: impl IntoIterator<Item = (u16, H)>) -> Self {
        let server = |(preference, host): (u16, H)| MailServer {
            preference,
            host: host.into(),
        };
        Self::Mx(servers.into_iter().map(server).collect())
    }

    /// The servers of a subdomain that is a zone of its own.
    pub fn ns<H: Into<Value<String>>>(servers: impl IntoIterator<Item = H>) -> Self {
        Self::Ns(servers.into_iter().map(Into::into).collect())
    }

    const fn name(&self) -> &'static str {
        match self {
            Self::A(_) | Self::Alias(_, AliasVersion::A) => "A",
            Self::Aaaa(_) | Self::Alias(_, AliasVersion::Aaaa) => "AAAA",
            Self::Cname(_) => "CNAME",
            Self::Txt(_) => "TXT",
            Self::Mx(_) => "MX",
            Self::Ns(_) => "NS",
            Self::Caa(_) => "CAA",
            Self::Srv(_) => "SRV",
        }
    }

    fn values(&self) -> Vec<Value<String>> {
        match self {
            Self::A(addresses) => addresses.iter().map(|it| it.to_string().into()).collect(),
            Self::Aaaa(addresses) => addresses.iter().map(|it| it.to_string().into()).collect(),
            Self::Cname(name) => vec![name.clone()],
            Self::Txt(texts) => texts.iter().map(|text| quoted(text).into()).collect(),
            Self::Mx(servers) => servers
                .iter()
                .map(|it| text!("{} {}", it.preference.to_string(), &it.host))
                .collect(),
            Self::Ns(servers) => servers.clone(),
            Self::Caa(authorities) => authorities
                .iter()
                .map(|it| {
                    let flags = if it.critical { 128 } else { 0 };
                    format!("{flags} {} \"{}\"", it.tag.name(), it.value).into()
                })
                .collect(),
            Self::Srv(hosts) => hosts
                .iter()
                .map(|it| {
                    let numbers = format!("{} {} {}", it.priority, it.weight, it.port);
                    text!("{} {}", numbers, &it.host)
                })
                .collect(),
            Self::Alias(..) => Vec::new(),
        }
    }

    fn violation(&self, name: &str, zone: &HostedZoneRef) -> Option<String> {
        if !matches!(self, Self::Alias(..)) && self.values().is_empty() {
            return Some("the record says nothing: give it a value".to_owned());
        }
        match self {
            Self::Cname(_) if name == zone.name() => Some(format!(
                "`{name}` is the domain of the zone, which has records of its own and can be no other name: use an alias"
            )),
            Self::Txt(texts) => texts
                .iter()
                .find(|text| text.is_empty() || text.len() > 4000 || !is_printable(text))
                .map(|text| {
                    format!(
                        "`{}` does not fit a text record: it takes 1 to 4,000 printable ASCII characters",
                        text.chars().take(40).collect::<String>()
                    )
                }),
            Self::Caa(authorities) => authorities
                .iter()
                .find(|it| it.value.contains('"') || !is_printable(&it.value))
                .map(|it| format!("`{}` does not fit between quotes", it.value)),
            Self::Alias(target, version) => target.violation(*version),
            _ => None,
        }
    }
}

/// One server that takes mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MailServer {
    /// The lowest is tried first.
    pub preference: u16,
    /// The name of the server.
    pub host: Value<String>,
}

/// One statement about who may make certificates.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateAuthority {
    /// Whether an authority that does not understand the statement makes none.
    pub critical: bool,
    /// What the statement is about.
    pub tag: CaaTag,
    /// The domain of an authority, such as `amazon.com`, `;` for none, or an address for reports.
    pub value: String,
}

/// What a statement about certificates is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CaaTag {
    /// Certificates.
    Issue,
    /// Certificates with a `*`.
    IssueWild,
    /// Reports of requests that were turned down.
    Iodef,
}

impl CaaTag {
    const fn name(self) -> &'static str {
        match self {
            Self::Issue => "issue",
            Self::IssueWild => "issuewild",
            Self::Iodef => "iodef",
        }
    }
}

/// One host of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceHost {
    /// The lowest is tried first.
    pub priority: u16,
    /// How many of the callers get it among those of the same priority.
    pub weight: u16,
    /// The port.
    pub port: u16,
    /// The name of the host.
    pub host: Value<String>,
}

/// What a record is made of, beyond its name.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-route53-recordset.html>.
#[derive(Clone, Debug)]
pub struct RecordProps {
    record: Record,
    /// How long the answer may be remembered; 5 minutes by default. An alias has the time of its target.
    pub ttl: Option<RecordTtl>,
    /// Who gets this answer where a name has several; everybody by default.
    pub routing: Routing,
    /// What must be healthy for the answer to be given.
    pub health_check: Option<HealthCheckRef>,
}

impl RecordProps {
    /// A record for everybody.
    pub fn new(record: Record) -> Self {
        Self {
            record,
            ttl: None,
            routing: Routing::default(),
            health_check: None,
        }
    }
}

/// The handle of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordRef {
    id: ResourceId,
    name: String,
    kind: &'static str,
    zone_id: Value<String>,
}

impl RecordRef {
    /// Returns the name that the record answers about.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the type, such as `A`.
    pub(super) fn kind(&self) -> &'static str {
        self.kind
    }

    pub(super) fn zone_id(&self) -> Value<String> {
        self.zone_id.clone()
    }
}

impl Handle for RecordRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a record about a name, which lies in the zone.
    #[track_caller]
    pub fn record(
        &mut self,
        logical_id: &str,
        zone: &HostedZoneRef,
        name: impl Into<String>,
        props: RecordProps,
    ) -> RecordRef {
        let source = Location::caller();
        self.record_from(logical_id, zone, &plain_domain(name), props, source)
    }

    /// Adds the two records `<Id>A` and `<Id>Aaaa` that make a name stand for something of AWS, whatever version of
    /// addresses is asked for.
    ///
    /// ```
    /// use stack_model::cloudfront::{Behavior, DistributionProps};
    /// use stack_model::route53::{AliasTarget, HostedZoneRef};
    /// use stack_model::s3::BucketProps;
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("site");
    ///
    /// let zone = HostedZoneRef::existing("Z0123456789ABCDEFGHIJ", "example.com");
    /// let pages = stack.bucket("Pages", BucketProps::default());
    /// let site = stack.distribution("Site", DistributionProps::new(Behavior::of_bucket(&pages)));
    /// stack.alias("SiteAlias", &zone, "www.example.com", AliasTarget::distribution(&site));
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn alias(
        &mut self,
        logical_id: &str,
        zone: &HostedZoneRef,
        name: impl Into<String>,
        target: AliasTarget,
    ) -> [RecordRef; 2] {
        let (source, name) = (Location::caller(), plain_domain(name));
        let mut add = |suffix, target, version| {
            let props = RecordProps::new(Record::Alias(target, version));
            let id = format!("{logical_id}{suffix}");
            self.record_from(&id, zone, &name, props, source)
        };
        [
            add("A", target.clone(), AliasVersion::A),
            add("Aaaa", target, AliasVersion::Aaaa),
        ]
    }

    fn record_from(
        &mut self,
        logical_id: &str,
        zone: &HostedZoneRef,
        name: &str,
        props: RecordProps,
        source: &Location<'_>,
    ) -> RecordRef {
        let plain = name.strip_prefix("*.").unwrap_or(name);
        let message = domain_violation(plain).or_else(|| zone.misplaced(name));
        if let Some(message) = message {
            self.report(logical_id, Some("Properties.Name"), message, source);
        }
        if let Some(message) = props.record.violation(name, zone) {
            self.report(logical_id, None, message, source);
        }
        self.check_limit(logical_id, "Properties.TTL", props.ttl, source);
        let alias = match &props.record {
            Record::Alias(target, _) => Some(target.render()),
            _ => None,
        };
        if alias.is_some() && props.ttl.is_some() {
            let message = "an alias is remembered as long as its target says: leave `ttl` out";
            self.report(logical_id, Some("Properties.TTL"), message, source);
        }
        if props.routing == Routing::Simple && props.health_check.is_some() {
            let message = "there is no other answer to give while the target is not healthy: choose a routing with several";
            self.report(
                logical_id,
                Some("Properties.HealthCheckId"),
                message,
                source,
            );
        }
        let ttl = match alias {
            Some(_) => None,
            None => Some(props.ttl.map_or(DEFAULT_TTL, Limited::get).to_string()),
        };
        let (values, kind) = (props.record.values(), props.record.name());
        let mut record = cfn::RecordSet {
            alias_target: alias.into(),
            health_check_id: props.health_check.map(|check| check.id()).into(),
            hosted_zone_id: zone.zone_id().into(),
            name: name.into(),
            resource_records: (!values.is_empty()).then_some(values).into(),
            ttl: ttl.into(),
            type_: kind.into(),
            ..cfn::RecordSet::default()
        };
        self.route(logical_id, props.routing, &mut record, source);
        RecordRef {
            id: self.insert(logical_id, Resource::of(&record, source)).id,
            name: name.to_owned(),
            kind,
            zone_id: zone.zone_id(),
        }
    }
}

fn is_printable(text: &str) -> bool {
    text.chars().all(|c| c.is_ascii_graphic() || c == ' ')
}

/// Writes a text as the DNS wants it: quoted, in pieces of at most 255 characters; see
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/ResourceRecordTypes.html#TXTFormat>.
fn quoted(text: &str) -> String {
    let characters: Vec<char> = text.chars().collect();
    let pieces = characters.chunks(255).map(|piece| {
        let piece: String = piece.iter().collect();
        format!("\"{}\"", piece.replace('\\', "\\\\").replace('"', "\\\""))
    });
    pieces.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_quoted_and_split() {
        assert_eq!(quoted("v=spf1 -all"), r#""v=spf1 -all""#);
        assert_eq!(quoted(r#"say "hi" \"#), r#""say \"hi\" \\""#);
        let long = "k".repeat(300);
        let expected = format!("\"{}\" \"{}\"", "k".repeat(255), "k".repeat(45));
        assert_eq!(quoted(&long), expected);
    }
}
