//! Where resources take certificates, and from which region.

/// The region from which everything at the edge takes its certificates.
///
/// See <https://docs.aws.amazon.com/acm/latest/userguide/acm-regions.html>.
pub(super) const EDGE: &str = "us-east-1";

/// A property that takes a certificate.
pub(super) struct Place {
    pub(super) resource_type: &'static str,
    /// Where it stands in the properties.
    pub(super) certificate: &'static str,
    /// Where the name stands that the certificate has to be for, or the list of them.
    pub(super) names: &'static str,
    /// Whether it is one at the edge; others take one from their own region.
    pub(super) edge: bool,
}

/// Every place that takes a certificate of Certificate Manager.
pub(super) const PLACES: &[Place] = &[
    Place {
        resource_type: "AWS::ApiGateway::DomainName",
        certificate: "/CertificateArn",
        names: "/DomainName",
        edge: true,
    },
    Place {
        resource_type: "AWS::ApiGateway::DomainName",
        certificate: "/RegionalCertificateArn",
        names: "/DomainName",
        edge: false,
    },
    Place {
        resource_type: "AWS::ApiGatewayV2::DomainName",
        certificate: "/DomainNameConfigurations/0/CertificateArn",
        names: "/DomainName",
        edge: false,
    },
    Place {
        resource_type: "AWS::AppSync::DomainName",
        certificate: "/CertificateArn",
        names: "/DomainName",
        edge: true,
    },
    Place {
        resource_type: "AWS::CloudFront::Distribution",
        certificate: "/DistributionConfig/ViewerCertificate/AcmCertificateArn",
        names: "/DistributionConfig/Aliases",
        edge: true,
    },
    Place {
        resource_type: "AWS::Cognito::UserPoolDomain",
        certificate: "/CustomDomainConfig/CertificateArn",
        names: "/Domain",
        edge: true,
    },
];
