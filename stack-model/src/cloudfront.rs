//! Amazon CloudFront: distributions, which serve buckets, APIs and other hosts from places near to callers.
//!
//! | child | logical id |
//! |---|---|
//! | the access of a distribution to a private bucket | `<Distribution><Bucket>Access` |
//!
//! The bucket's policy, `<Bucket>Policy`, lets this one distribution read its objects.
//!
//! ```
//! use stack_model::acm::CertificateRef;
//! use stack_model::cloudfront::{Behavior, DistributionProps, ErrorPage, SiteDomains};
//! use stack_model::route53::{AliasTarget, HostedZoneRef};
//! use stack_model::s3::{BucketProps, Content};
//! # use stack_model::{App, Arn, Stage};
//! # let request = serde_json::from_str(r#"{"name": "dev", "region": "eu-central-1", "architecture": "arm64"}"#).unwrap();
//! # let mut app = App::new(Stage::new(request));
//! # let mut stack = app.stack("site");
//!
//! let zone = HostedZoneRef::existing("Z0123456789ABCDEFGHIJ", "example.com");
//! let arn = "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012";
//! let certificate = CertificateRef::existing(Arn::parse(arn)?);
//!
//! let pages = stack.bucket("Pages", BucketProps::default());
//! let mut props = DistributionProps::new(Behavior::of_bucket(&pages));
//! props.domains = Some(SiteDomains::new(["www.example.com"], &certificate));
//! props.error_pages = vec![ErrorPage::show(403, 404, "/404.html")];
//! let site = stack.distribution("Site", props);
//! stack.alias("SiteAlias", &zone, "www.example.com", AliasTarget::distribution(&site));
//! stack.bucket_content("PagesContent", &pages, Content::folder("stacks/content/site").refreshing(&site));
//! # app.synth().unwrap();
//! # Ok::<(), stack_model::ArnError>(())
//! ```

use std::collections::BTreeSet;
use std::panic::Location;

use stack_model_cfn::cloudfront as cfn;
use stack_model_cfn::{Property, Pseudo, ResourceId, Value};

use crate::acm::{CertificateRef, EDGE_REGION, NeededRegion};
use crate::arn::Arn;
use crate::handle::{Handle, get_att};
use crate::resource::Resource;
use crate::route53::{domain_violation, plain_domain};
use crate::stack::Stack;
use crate::text;
use crate::wafv2::{Edge, WebAclRef};

mod behavior;
mod function;
mod logs;
mod origin;
mod policy;
mod response;

pub use behavior::{Behavior, Methods, ViewerProtocol};
pub use function::{EdgeEvent, EdgeFunctionRef};
pub use logs::LogDestination;
pub use origin::{Host, Origin};
pub use policy::{
    CacheKey, CachePolicy, CachePolicyProps, CachePolicyRef, CacheSeconds, Forwarded,
    OriginRequestPolicy, OriginRequestPolicyProps, OriginRequestPolicyRef,
};
pub use response::{
    EdgeCors, FrameOption, HstsSeconds, ResponseHeaders, ResponseHeadersPolicyProps,
    ResponseHeadersPolicyRef,
};

/// Marks the ARN of a distribution.
#[derive(Debug)]
pub enum Distribution {}

/// The hosted zone that every alias to CloudFront names; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-route53-recordset-aliastarget.html>.
pub const HOSTED_ZONE_ID: &str = "Z2FDTNDATAQYW2";

/// The most path patterns of a distribution beside the default; see
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cloudfront-limits.html>.
const MAX_BEHAVIORS: usize = 74;

/// What a distribution is made of.
///
/// Callers without TLS are redirected, answers are compressed and carry security headers, and TLS 1.2 is the least
/// that callers with a domain of one's own may use. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudfront-distribution.html>.
#[derive(Clone, Debug)]
pub struct DistributionProps {
    default: Behavior,
    paths: Vec<(String, Behavior)>,
    /// What the distribution is for, at most 128 characters.
    pub comment: Option<String>,
    /// The object that `/` stands for; `index.html` by default where a bucket answers.
    pub default_root_object: Option<String>,
    /// The names of one's own, with their certificate; the name at `cloudfront.net` alone by default.
    pub domains: Option<SiteDomains>,
    /// What is answered instead of errors.
    pub error_pages: Vec<ErrorPage>,
    /// From where callers are answered; from everywhere by default, which is AWS's.
    pub price_class: PriceClass,
    /// Which countries are answered; all by default.
    pub countries: Countries,
    /// The web application firewall in front; none by default.
    pub web_acl: Option<WebAclRef<Edge>>,
}

impl DistributionProps {
    /// Answers every path in one way.
    pub fn new(default: Behavior) -> Self {
        Self {
            default,
            paths: Vec::new(),
            comment: None,
            default_root_object: None,
            domains: None,
            error_pages: Vec::new(),
            price_class: PriceClass::default(),
            countries: Countries::default(),
            web_acl: None,
        }
    }

    /// Answers paths that match a pattern, such as `/api/*`, in another way. The first pattern that matches decides.
    #[must_use]
    pub fn at(mut self, pattern: impl Into<String>, behavior: Behavior) -> Self {
        self.paths.push((pattern.into(), behavior));
        self
    }
}

/// Names of one's own for a distribution.
#[derive(Clone, Debug)]
pub struct SiteDomains {
    names: Vec<String>,
    certificate: CertificateRef,
}

impl SiteDomains {
    /// Takes names, and the certificate for all of them, which stands in `us-east-1`.
    pub fn new<N: Into<String>>(
        names: impl IntoIterator<Item = N>,
        certificate: &CertificateRef,
    ) -> Self {
        Self {
            names: names.into_iter().map(plain_domain).collect(),
            certificate: certificate.clone(),
        }
    }
}

/// What is answered instead of an error.
///
/// A private bucket answers 403 for an object that is not there, since CloudFront may not list it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ErrorPage {
    error: u16,
    page: Option<(u16, String)>,
    /// How long the answer is kept, in seconds; 10 by default, which is AWS's.
    pub seconds: Option<u32>,
}

impl ErrorPage {
    /// Answers an error with a page, which starts with `/`, and a status of its own.
    pub fn show(error: u16, status: u16, page: impl Into<String>) -> Self {
        Self {
            error,
            page: Some((status, page.into())),
            seconds: None,
        }
    }

    /// Keeps an error for another time than 10 seconds.
    pub fn keep(error: u16, seconds: u32) -> Self {
        Self {
            error,
            page: None,
            seconds: Some(seconds),
        }
    }

    /// Answers every path without an object with the page that finds its way by itself: a single-page application.
    pub fn single_page(page: impl Into<String>) -> Vec<Self> {
        let page: String = page.into();
        let show = |error| Self::show(error, 200, page.clone());
        [403, 404].map(show).into()
    }

    /// The errors that can have a page, and the statuses it can have; see
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/GeneratingCustomErrorResponses.html>.
    fn violation(&self) -> Option<String> {
        const ERRORS: [u16; 11] = [400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504];
        if !ERRORS.contains(&self.error) {
            return Some(format!(
                "an error {} has no page: CloudFront knows 400, 403, 404, 405, 414, 416 and 500 to 504",
                self.error
            ));
        }
        let (status, page) = self.page.as_ref()?;
        if *status != 200 && !ERRORS.contains(status) {
            return Some(format!("an error is not answered with the status {status}"));
        }
        (!page.starts_with('/')).then(|| format!("the page `{page}` does not start with a `/`"))
    }

    fn render(&self) -> cfn::distribution::CustomErrorResponse {
        let (status, page) = self.page.clone().unzip();
        cfn::distribution::CustomErrorResponse {
            error_caching_min_ttl: self.seconds.map(f64::from).into(),
            error_code: i64::from(self.error).into(),
            response_code: status.map(i64::from).into(),
            response_page_path: page.into(),
        }
    }
}

/// From where callers are answered.
///
/// See <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/PriceClass.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PriceClass {
    /// From everywhere.
    #[default]
    All,
    /// From everywhere but South America, Australia and New Zealand.
    Class200,
    /// From North America, Europe and Israel.
    Class100,
}

impl PriceClass {
    const fn name(self) -> Option<&'static str> {
        match self {
            Self::All => None,
            Self::Class200 => Some("PriceClass_200"),
            Self::Class100 => Some("PriceClass_100"),
        }
    }
}

/// Which countries are answered, by their two letters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Countries {
    /// All of them.
    #[default]
    All,
    /// These alone.
    Only(Vec<String>),
    /// All but these.
    Except(Vec<String>),
}

impl Countries {
    fn render(self) -> Option<cfn::distribution::Restrictions> {
        let (kind, countries) = match self {
            Self::All => return None,
            Self::Only(countries) => ("whitelist", countries),
            Self::Except(countries) => ("blacklist", countries),
        };
        Some(cfn::distribution::Restrictions {
            geo_restriction: cfn::distribution::GeoRestriction {
                locations: countries.into(),
                restriction_type: kind.into(),
            }
            .into(),
        })
    }
}

/// The handle of a distribution.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistributionRef {
    id: ResourceId,
}

impl DistributionRef {
    /// Returns the id, such as `EDFDVBD632BHDS5`.
    pub fn distribution_id(&self) -> Value<String> {
        get_att(&self.id, "Id")
    }

    /// Returns the host name at CloudFront, such as `d111111abcdef8.cloudfront.net`.
    pub fn domain_name(&self) -> Value<String> {
        get_att(&self.id, "DomainName")
    }

    /// Returns the address at CloudFront, which ends without a `/`.
    pub fn url(&self) -> Value<String> {
        text!("https://{}", self.domain_name())
    }

    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Distribution>> {
        text!(
            "arn:{}:cloudfront::{}:distribution/{}",
            Pseudo::Partition,
            Pseudo::AccountId,
            self.distribution_id()
        )
        .map(Arn::composed)
    }
}

impl Handle for DistributionRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a distribution.
    #[track_caller]
    pub fn distribution(&mut self, logical_id: &str, props: DistributionProps) -> DistributionRef {
        let source = Location::caller();
        self.check_distribution(logical_id, &props, source);
        let origins = self.origins(logical_id, &props, source);
        let (aliases, certificate) = match props.domains {
            Some(domains) => (
                Some(domains.names),
                cfn::distribution::ViewerCertificate {
                    acm_certificate_arn: domains.certificate.arn().into_text().into(),
                    minimum_protocol_version: "TLSv1.2_2021".into(),
                    ssl_support_method: "sni-only".into(),
                    ..cfn::distribution::ViewerCertificate::default()
                },
            ),
            None => (
                None,
                cfn::distribution::ViewerCertificate {
                    cloud_front_default_certificate: true.into(),
                    ..cfn::distribution::ViewerCertificate::default()
                },
            ),
        };
        let paths: Vec<_> = props
            .paths
            .iter()
            .map(|(pattern, behavior)| behavior.at_path(pattern))
            .collect();
        let errors: Vec<_> = props.error_pages.iter().map(ErrorPage::render).collect();
        let root = props.default_root_object;
        let root = root.or_else(|| {
            props
                .default
                .is_of_bucket()
                .then(|| "index.html".to_owned())
        });
        let config = cfn::distribution::DistributionConfig {
            aliases: aliases.map_or(Property::Absent, Property::from),
            cache_behaviors: some(paths),
            comment: props.comment.into(),
            custom_error_responses: some(errors),
            default_cache_behavior: props.default.by_default().into(),
            default_root_object: root.into(),
            enabled: true.into(),
            http_version: "http2and3".into(),
            ipv6_enabled: true.into(),
            origins: origins.into(),
            price_class: props.price_class.name().map(str::to_owned).into(),
            restrictions: props.countries.render().into(),
            viewer_certificate: certificate.into(),
            web_acl_id: props.web_acl.map(|acl| acl.arn().into_text()).into(),
            ..cfn::distribution::DistributionConfig::default()
        };
        let distribution = cfn::Distribution {
            distribution_config: config.into(),
            ..cfn::Distribution::default()
        };
        let handle = DistributionRef {
            id: self
                .insert(logical_id, Resource::of(&distribution, source))
                .id,
        };
        let behaviors = [&props.default].into_iter();
        let behaviors: Vec<_> = behaviors
            .chain(props.paths.iter().map(|(_, behavior)| behavior))
            .collect();
        self.admit_distribution(&handle, &behaviors, source);
        handle
    }

    fn check_distribution(&mut self, id: &str, props: &DistributionProps, source: &Location<'_>) {
        let config = "Properties.DistributionConfig";
        let mut report = |path: &str, message: String| {
            self.report(id, Some(&format!("{config}.{path}")), message, source);
        };
        if let Some(comment) = &props.comment
            && comment.chars().count() > 128
        {
            report(
                "Comment",
                "the comment is longer than 128 characters".to_owned(),
            );
        }
        if let Some(root) = props
            .default_root_object
            .as_ref()
            .filter(|it| it.starts_with('/'))
        {
            let message =
                format!("`{root}` starts with a `/`, which is not part of an object's key");
            report("DefaultRootObject", message);
        }
        let mut seen = BTreeSet::new();
        for (pattern, _) in &props.paths {
            let known = |c: char| c.is_ascii_alphanumeric() || "_-.*$/~\"'@:+&?".contains(c);
            let message = if !(1..=255).contains(&pattern.len()) || !pattern.chars().all(known) {
                format!(
                    "`{pattern}` is not a path pattern: use 1 to 255 letters, digits and `_-.*$/~\"'@:+&?`"
                )
            } else if !seen.insert(pattern) {
                format!("the path pattern `{pattern}` is given twice")
            } else if matches!(pattern.as_str(), "*" | "/*") {
                format!("the path pattern `{pattern}` leaves nothing to the default behaviour")
            } else {
                continue;
            };
            report("CacheBehaviors", message);
        }
        if props.paths.len() > MAX_BEHAVIORS {
            let message = format!(
                "{} path patterns are given and CloudFront takes {MAX_BEHAVIORS}",
                props.paths.len()
            );
            report("CacheBehaviors", message);
        }
        let mut errors = BTreeSet::new();
        for (position, page) in props.error_pages.iter().enumerate() {
            let message = page.violation().or_else(|| {
                (!errors.insert(page.error))
                    .then(|| format!("the error {} is answered twice", page.error))
            });
            if let Some(message) = message {
                report(
                    &format!("CustomErrorResponses.{position}.ErrorCode"),
                    message,
                );
            }
        }
        if let Countries::Only(countries) | Countries::Except(countries) = &props.countries {
            let fits =
                |code: &String| code.len() == 2 && code.chars().all(|c| c.is_ascii_uppercase());
            if countries.is_empty() || !countries.iter().all(fits) {
                report("Restrictions", "countries are named by their two letters, such as `DE`, and there is one at least".to_owned());
            }
        }
        let Some(domains) = &props.domains else {
            return;
        };
        if domains.names.is_empty() {
            report(
                "Aliases",
                "a certificate without a name is of no use: name a domain".to_owned(),
            );
        }
        for name in &domains.names {
            if let Some(message) = domain_violation(name.strip_prefix("*.").unwrap_or(name)) {
                report("Aliases", message);
            }
        }
        let names: Vec<&str> = domains.names.iter().map(String::as_str).collect();
        let needed = NeededRegion {
            region: EDGE_REGION,
            user: "CloudFront",
        };
        let path = format!("{config}.ViewerCertificate.AcmCertificateArn");
        self.check_certificate_of(id, &path, &domains.certificate, &needed, &names, source);
    }
}

/// Returns a list, or nothing where it is empty.
fn some<T>(elements: Vec<T>) -> Property<Vec<Value<T>>> {
    if elements.is_empty() {
        Property::Absent
    } else {
        elements.into()
    }
}

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/cloudfront.md")]
struct Guide;
