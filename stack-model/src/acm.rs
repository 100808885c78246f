//! AWS Certificate Manager: certificates.
//!
//! A certificate stands in one region, and what uses it dictates which: CloudFront and edge-optimised domains of APIs
//! take one from `us-east-1`, regional domains one from their own region. A stack in that region holds it
//! ([`Stack::in_region`]), and its handle is used wherever it is needed: the deployer carries the ARN from one region
//! to the other.
//!
//! ```
//! use stack_model::acm::CertificateProps;
//! use stack_model::route53::HostedZoneRef;
//! # use stack_model::{App, Stage};
//! # let request = serde_json::from_str(r#"{"name": "dev", "region": "eu-central-1", "architecture": "arm64"}"#).unwrap();
//! # let mut app = App::new(Stage::new(request));
//!
//! let zone = HostedZoneRef::existing("Z0123456789ABCDEFGHIJ", "example.com");
//! let mut stack = app.stack("site-certificate");
//! stack.in_region("us-east-1");
//! let certificate = stack.certificate(
//!     "Certificate",
//!     CertificateProps::new("example.com", &zone).and("www.example.com", &zone),
//! );
//! stack.output("CertificateArn", certificate.arn());
//! # app.synth().unwrap();
//! ```

use std::collections::BTreeSet;
use std::panic::Location;

use stack_model_cfn::certificatemanager as cfn;
use stack_model_cfn::{ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{ELSEWHERE, Handle, elsewhere, reference};
use crate::resource::Resource;
use crate::route53::{HostedZoneRef, domain_violation, plain_domain};
use crate::stack::Stack;

/// Marks the ARN of a certificate.
#[derive(Debug)]
pub enum Certificate {}

/// The region whose certificates CloudFront takes, and with it edge-optimised domains of APIs.
pub const EDGE_REGION: &str = "us-east-1";

/// The most characters of the first name; see
/// <https://docs.aws.amazon.com/acm/latest/APIReference/API_RequestCertificate.html>.
const MAX_FIRST_NAME: usize = 64;

/// The names that a certificate has at most, unless AWS raises the limit; see
/// <https://docs.aws.amazon.com/acm/latest/userguide/acm-limits.html>.
const MAX_NAMES: usize = 100;

/// What a certificate is made of.
///
/// Whoever holds the DNS of a name may have a certificate for it: the records that prove it are added to the name's
/// hosted zone. A deploy waits until AWS has seen them, mostly for a few minutes. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-certificatemanager-certificate.html>.
#[derive(Clone, Debug)]
pub struct CertificateProps {
    names: Vec<(String, HostedZoneRef)>,
    /// The kind of key; RSA with 2,048 bits by default, which is AWS's.
    pub key_algorithm: KeyAlgorithm,
}

impl CertificateProps {
    /// A certificate for a name, such as `example.com` or `*.example.com`, and the public zone that holds its DNS.
    pub fn new(name: impl Into<String>, zone: &HostedZoneRef) -> Self {
        Self {
            names: vec![(plain_domain(name), zone.clone())],
            key_algorithm: KeyAlgorithm::default(),
        }
    }

    /// Adds another name. A `*` stands for one step of a name: `*.example.com` is not for `example.com` itself.
    #[must_use]
    pub fn and(mut self, name: impl Into<String>, zone: &HostedZoneRef) -> Self {
        self.names.push((plain_domain(name), zone.clone()));
        self
    }
}

/// The kind of key of a certificate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyAlgorithm {
    /// RSA with 2,048 bits, which everything takes.
    #[default]
    Rsa2048,
    /// The elliptic curve P-256: smaller and faster.
    EcPrime256v1,
    /// The elliptic curve P-384.
    EcSecp384r1,
}

impl KeyAlgorithm {
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::Rsa2048 => None,
            Self::EcPrime256v1 => Some("EC_prime256v1"),
            Self::EcSecp384r1 => Some("EC_secp384r1"),
        }
    }
}

/// The handle of a certificate, which knows the region it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRef {
    id: ResourceId,
    arn: Value<Arn<Certificate>>,
    region: Option<String>,
    /// The names, where a stack of the app makes the certificate.
    names: Vec<String>,
}

impl CertificateRef {
    /// Stands for a certificate that somebody else keeps. Its region is read from a literal ARN.
    ///
    /// ```
    /// use stack_model::Arn;
    /// use stack_model::acm::CertificateRef;
    ///
    /// let arn = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012";
    /// let certificate = CertificateRef::existing(Arn::parse(arn)?);
    /// assert_eq!(certificate.region(), Some("us-east-1"));
    /// # Ok::<(), stack_model::ArnError>(())
    /// ```
    pub fn existing(arn: impl Into<Value<Arn<Certificate>>>) -> Self {
        let arn = arn.into();
        let region = arn.literal().map(Arn::as_str);
        let region = region.and_then(|arn| arn.split(':').nth(3));
        Self {
            id: elsewhere("Certificate"),
            region: region.map(str::to_owned),
            arn,
            names: Vec::new(),
        }
    }

    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Certificate>> {
        self.arn.clone()
    }

    /// Returns the region, where it is known when the stack is rendered.
    pub fn region(&self) -> Option<&str> {
        self.region.as_deref()
    }

    /// Returns whether the certificate is for a domain, as far as that is known.
    fn covers(&self, domain: &str) -> bool {
        self.names.is_empty()
            || self.names.iter().any(|name| {
                let steps = name.strip_prefix("*.").zip(domain.split_once('.'));
                name == domain || steps.is_some_and(|(suffix, (_, rest))| suffix == rest)
            })
    }
}

impl Handle for CertificateRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a certificate in the region of the stack.
    #[track_caller]
    pub fn certificate(&mut self, logical_id: &str, props: CertificateProps) -> CertificateRef {
        let source = Location::caller();
        self.check_certificate(logical_id, &props, source);
        let names: Vec<String> = props.names.iter().map(|(name, _)| name.clone()).collect();
        let options: Vec<_> = props
            .names
            .into_iter()
            .map(|(name, zone)| cfn::certificate::DomainValidationOption {
                domain_name: name.into(),
                hosted_zone_id: zone.zone_id().into(),
                ..cfn::certificate::DomainValidationOption::default()
            })
            .collect();
        let mut others = names.iter().cloned();
        let first = others.next().unwrap_or_default();
        let others: Vec<String> = others.collect();
        let certificate = cfn::Certificate {
            domain_name: first.into(),
            domain_validation_options: options.into(),
            key_algorithm: props.key_algorithm.name().map(str::to_owned).into(),
            subject_alternative_names: if others.is_empty() {
                stack_model_cfn::Property::Absent
            } else {
                others.into()
            },
            validation_method: "DNS".into(),
            ..cfn::Certificate::default()
        };
        let id = self
            .insert(logical_id, Resource::of(&certificate, source))
            .id;
        CertificateRef {
            arn: reference(&id),
            id,
            region: Some(self.region().to_owned()),
            names,
        }
    }

    fn check_certificate(&mut self, id: &str, props: &CertificateProps, source: &Location<'_>) {
        let path = Some("Properties.DomainName");
        let mut seen = BTreeSet::new();
        for (name, zone) in &props.names {
            let plain = name.strip_prefix("*.").unwrap_or(name);
            let message = domain_violation(plain)
                .or_else(|| zone.misplaced(name))
                .or_else(|| (!seen.insert(name)).then(|| format!("`{name}` is named twice")));
            if let Some(message) = message {
                self.report(id, path, message, source);
            }
        }
        if let Some((first, _)) = props.names.first()
            && first.len() > MAX_FIRST_NAME
        {
            let message = format!(
                "the first name has {} characters and a certificate takes {MAX_FIRST_NAME}: begin with a shorter one",
                first.len()
            );
            self.report(id, path, message, source);
        }
        if props.names.len() > MAX_NAMES {
            let message = format!(
                "the certificate has {} names and ACM takes {MAX_NAMES}",
                props.names.len()
            );
            let path = Some("Properties.SubjectAlternativeNames");
            self.report(id, path, message, source);
        }
    }

    /// Reports a certificate of the wrong region, or for other names than a domain's.
    pub(crate) fn check_certificate_of(
        &mut self,
        logical_id: &str,
        property: &str,
        certificate: &CertificateRef,
        needed: &NeededRegion<'_>,
        domains: &[&str],
        source: &Location<'_>,
    ) {
        let owner = certificate.id.stack();
        let region = if owner == ELSEWHERE {
            certificate.region.clone()
        } else {
            self.region_of(owner)
        };
        if let Some(region) = region
            && region != needed.region
        {
            let change = if owner == ELSEWHERE {
                format!("name one of {}", needed.region)
            } else {
                format!(
                    "put it into a stack of its own with `stack.in_region(\"{}\")`",
                    needed.region
                )
            };
            let message = format!(
                "the certificate stands in {region} and {} takes one from {}: {change}",
                needed.user, needed.region
            );
            self.report(logical_id, Some(property), message, source);
        }
        for domain in domains.iter().filter(|domain| !certificate.covers(domain)) {
            let message = format!(
                "the certificate is for {} and not for `{domain}`: add the name to it",
                certificate.names.join(", ")
            );
            self.report(logical_id, Some(property), message, source);
        }
    }
}

/// The region that a certificate must stand in, and what dictates it.
pub(crate) struct NeededRegion<'a> {
    pub(crate) region: &'a str,
    pub(crate) user: &'a str,
}

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/acm.md")]
struct Guide;
