//! Amazon CloudFront: distributions.

use stack_model_cfn::{Pseudo, ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{Handle, get_att};
use crate::text;

/// Marks the ARN of a distribution.
#[derive(Debug)]
pub enum Distribution {}

/// The hosted zone that every alias to CloudFront names; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-route53-recordset-aliastarget.html>.
pub const HOSTED_ZONE_ID: &str = "Z2FDTNDATAQYW2";

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
