//! A domain of one's own for an edge-optimised API, as a stage describes it.

use serde::Deserialize;
use stack_model::acm::CertificateRef;
use stack_model::apigateway::StageRef;
use stack_model::domains::{ApiDomainProps, BasePath};
use stack_model::route53::{AliasTarget, HostedZoneRef};
use stack_model::{Arn, Stack, Value, Violation};

/// Where a stage has an edge-optimised API answer, in `stackctl.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EdgeDomain {
    /// The name, such as `api.example.com`.
    name: String,
    /// The domain of the hosted zone that the name is put into.
    zone: String,
    /// The id of that zone.
    zone_id: String,
    /// The ARN of a certificate for the name, which CloudFront wants from `us-east-1`.
    certificate_arn: String,
}

impl EdgeDomain {
    /// Adds the domain with the record that leads to it, and returns its address, which ends without a `/`.
    pub(crate) fn add(
        self,
        stack: &mut Stack<'_>,
        stage: &StageRef,
    ) -> Result<Value<String>, Violation> {
        let certificate = Arn::parse(self.certificate_arn).map_err(|error| {
            Violation::new(format!("the domain `{}`: {error}", self.name)).in_stack(stack.id())
        })?;
        let certificate = CertificateRef::existing(certificate);
        let zone = HostedZoneRef::existing(self.zone_id, self.zone);
        let domain = stack.api_domain("Domain", ApiDomainProps::edge(&self.name, &certificate));
        stack.map_base_path("DomainRoot", &domain, BasePath::Root, stage);
        stack.alias("DomainAlias", &zone, self.name, AliasTarget::api(&domain));
        Ok(domain.url())
    }
}
