//! Names that stand for something of AWS.

use stack_model_cfn::Value;
use stack_model_cfn::route53::record_set as cfn;

use super::RecordRef;
use crate::cloudfront::{DistributionRef, HOSTED_ZONE_ID};
use crate::domains::ApiDomainRef;

/// Something of AWS that a name stands for.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-route53-recordset-aliastarget.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct AliasTarget {
    host: Value<String>,
    zone_id: Value<String>,
    evaluate_health: bool,
    /// The one type of record that the target has, where it has not both.
    only: Option<&'static str>,
}

/// Which addresses a name is asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AliasVersion {
    /// Those of version 4.
    A,
    /// Those of version 6.
    Aaaa,
}

impl AliasVersion {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
        }
    }
}

impl AliasTarget {
    fn new(host: Value<String>, zone_id: Value<String>) -> Self {
        Self {
            host,
            zone_id,
            evaluate_health: false,
            only: None,
        }
    }

    /// A distribution of CloudFront, one of whose aliases is the name.
    pub fn distribution(distribution: &DistributionRef) -> Self {
        Self::new(distribution.domain_name(), HOSTED_ZONE_ID.into())
    }

    /// The domain of an API, which is the name. A regional one is left out of answers while it is not healthy.
    pub fn api(domain: &ApiDomainRef) -> Self {
        let (host, zone_id) = domain.alias();
        Self {
            evaluate_health: domain.is_regional(),
            ..Self::new(host, zone_id)
        }
    }

    /// Another record of the same zone and type.
    pub fn record(record: &RecordRef) -> Self {
        Self {
            only: Some(record.kind()),
            ..Self::new(record.name().into(), record.zone_id())
        }
    }

    /// Anything else of AWS, by its host name and the hosted zone that AWS keeps it in, such as the website of a
    /// bucket. See <https://docs.aws.amazon.com/general/latest/gr/s3.html#s3_website_region_endpoints>.
    pub fn host(host: impl Into<Value<String>>, zone_id: impl Into<Value<String>>) -> Self {
        Self::new(host.into(), zone_id.into())
    }

    /// The website of a bucket, whose name is the name of the record. It has addresses of version 4 alone.
    ///
    /// Returns nothing for a region that this crate does not know; [`host`](Self::host) takes any.
    pub fn website(region: &str) -> Option<Self> {
        let (_, host, zone_id) = WEBSITES.iter().find(|(known, ..)| *known == region)?;
        Some(Self {
            only: Some(AliasVersion::A.name()),
            ..Self::new((*host).into(), (*zone_id).into())
        })
    }

    /// Leaves the target out of answers while it is not healthy.
    #[must_use]
    pub fn evaluating_health(mut self) -> Self {
        self.evaluate_health = true;
        self
    }

    pub(super) fn render(&self) -> cfn::AliasTarget {
        cfn::AliasTarget {
            dns_name: self.host.clone().into(),
            evaluate_target_health: self.evaluate_health.into(),
            hosted_zone_id: self.zone_id.clone().into(),
        }
    }

    pub(super) fn violation(&self, version: AliasVersion) -> Option<String> {
        let is_cloudfront = self
            .zone_id
            .literal()
            .is_some_and(|id| id == HOSTED_ZONE_ID);
        if is_cloudfront && self.evaluate_health {
            return Some("Route 53 cannot evaluate the health of CloudFront: leave `evaluating_health()` out".to_owned());
        }
        let only = self.only.filter(|only| *only != version.name())?;
        Some(format!(
            "the target has a record of type {only} and none of type {}: add the alias with `stack.record(..)`",
            version.name()
        ))
    }
}

/// The websites of buckets by region, with their hosts and zones, as the service's page lists them:
/// <https://docs.aws.amazon.com/general/latest/gr/s3.html#s3_website_region_endpoints>.
const WEBSITES: [(&str, &str, &str); 17] = [
    (
        "us-east-1",
        "s3-website-us-east-1.amazonaws.com",
        "Z3AQBSTGFYJSTF",
    ),
    (
        "us-east-2",
        "s3-website.us-east-2.amazonaws.com",
        "Z2O1EMRO9K5GLX",
    ),
    (
        "us-west-1",
        "s3-website-us-west-1.amazonaws.com",
        "Z2F56UZL2M1ACD",
    ),
    (
        "us-west-2",
        "s3-website-us-west-2.amazonaws.com",
        "Z3BJ6K6RIION7M",
    ),
    (
        "ca-central-1",
        "s3-website.ca-central-1.amazonaws.com",
        "Z1QDHH18159H29",
    ),
    (
        "sa-east-1",
        "s3-website-sa-east-1.amazonaws.com",
        "Z7KQH4QJS55SO",
    ),
    (
        "eu-central-1",
        "s3-website.eu-central-1.amazonaws.com",
        "Z21DNDUVLTQW6Q",
    ),
    (
        "eu-west-1",
        "s3-website-eu-west-1.amazonaws.com",
        "Z1BKCTXD74EZPE",
    ),
    (
        "eu-west-2",
        "s3-website.eu-west-2.amazonaws.com",
        "Z3GKZC51ZF0DB4",
    ),
    (
        "eu-west-3",
        "s3-website.eu-west-3.amazonaws.com",
        "Z3R1K369G5AVDG",
    ),
    (
        "eu-north-1",
        "s3-website.eu-north-1.amazonaws.com",
        "Z3BAZG2TWCNX0D",
    ),
    (
        "ap-south-1",
        "s3-website.ap-south-1.amazonaws.com",
        "Z11RGJOFQNVJUP",
    ),
    (
        "ap-southeast-1",
        "s3-website-ap-southeast-1.amazonaws.com",
        "Z3O0J2DXBE1FTB",
    ),
    (
        "ap-southeast-2",
        "s3-website-ap-southeast-2.amazonaws.com",
        "Z1WCIGYICN2BYD",
    ),
    (
        "ap-northeast-1",
        "s3-website-ap-northeast-1.amazonaws.com",
        "Z2M4EHUR26P7ZW",
    ),
    (
        "ap-northeast-2",
        "s3-website.ap-northeast-2.amazonaws.com",
        "Z3W03O7B5YMIYP",
    ),
    (
        "ap-northeast-3",
        "s3-website.ap-northeast-3.amazonaws.com",
        "Z2YQB5RD63NC85",
    ),
];
