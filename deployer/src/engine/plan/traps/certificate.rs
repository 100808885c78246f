//! Certificates that stand in another region than the one that takes them.

use serde_json::Value;

use super::super::Grade;
use super::super::references::names;
use super::{Finding, Seen, Trap};

/// The region from which everything at the edge takes its certificates.
const EDGE: &str = "us-east-1";

pub(super) const TRAPS: &[Trap] = &[
    Trap {
        types: &["AWS::CloudFront::Distribution"],
        source: "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html",
        find: |seen| {
            at_edge(
                seen,
                seen.after("/DistributionConfig/ViewerCertificate/AcmCertificateArn"),
            )
        },
    },
    Trap {
        types: &["AWS::Cognito::UserPoolDomain"],
        source: "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-add-custom-domain.html",
        find: |seen| at_edge(seen, seen.after("/CustomDomainConfig/CertificateArn")),
    },
    Trap {
        types: &["AWS::ApiGateway::DomainName"],
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-edge-optimized-custom-domain-name.html",
        find: domain,
    },
];

fn at_edge(seen: &Seen<'_>, certificate: Option<&Value>) -> Vec<Finding> {
    // A certificate that is there already was taken.
    let (Some(certificate), true) = (certificate, seen.wanted().is_some()) else {
        return Vec::new();
    };
    match region(certificate).or_else(|| beside(seen, certificate)) {
        Some(region) if region != EDGE => vec![Finding::new(
            Grade::Impossible,
            format!("the certificate stands in {region}, and the edge takes one from {EDGE}"),
        )],
        _ => Vec::new(),
    }
}

/// An edge-optimised domain, which one is where nothing is said, is a distribution of CloudFront.
fn domain(seen: &Seen<'_>) -> Vec<Finding> {
    let edge = match seen.after("/EndpointConfiguration/Types") {
        None => true,
        Some(types) => types
            .as_array()
            .is_some_and(|types| types.iter().any(|kind| kind.as_str() == Some("EDGE"))),
    };
    if edge {
        at_edge(seen, seen.after("/CertificateArn"))
    } else {
        Vec::new()
    }
}

/// Returns the region of a certificate of the same stack.
fn beside<'a>(seen: &Seen<'a>, certificate: &Value) -> Option<&'a str> {
    let named = names(certificate);
    let mut own = seen
        .both
        .of_type("AWS::CertificateManager::Certificate")
        .map(|(id, _)| id);
    own.any(|id| named.contains(id))
        .then_some(seen.both.region)?
}

/// Returns the region of an ARN that a template writes out.
fn region(arn: &Value) -> Option<&str> {
    let mut parts = arn.as_str()?.split(':');
    let service = parts.nth(2)?;
    let region = parts.next()?;
    (service == "acm").then_some(region)
}
