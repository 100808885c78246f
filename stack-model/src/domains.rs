//! Domains of APIs: names of one's own instead of `{api}.execute-api.{region}.amazonaws.com`.
//!
//! A domain is regional, reached in the region of its stack, or edge-optimised, reached through CloudFront; the
//! certificate stands in the region that goes with it. Paths of a domain are mapped to stages of APIs, and a record
//! of the DNS makes the name stand for the domain.
//!
//! ```
//! use stack_model::acm::CertificateProps;
//! use stack_model::apigateway::{Authorization, HttpMethod, MethodProps, RestApiProps, StageProps};
//! # use stack_model::apigateway::{Credentials, Integration};
//! use stack_model::domains::{ApiDomainProps, BasePath};
//! use stack_model::route53::{AliasTarget, HostedZoneRef};
//! # use stack_model::iam::RoleProps;
//! # use stack_model::sqs::QueueProps;
//! # use stack_model::{App, Stage};
//! # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
//! # let mut app = App::new(Stage::new(request));
//! # let mut stack = app.stack("photos");
//! # let queue = stack.queue::<String>("Queue", QueueProps::default());
//! # let role = stack.role("SenderRole", RoleProps::for_service("apigateway.amazonaws.com"));
//! # let integration = Integration::send_message(&queue, Credentials::granting(&role));
//!
//! let api = stack.rest_api("Api", RestApiProps::default());
//! # stack.rest_method("Post", &api.root(), MethodProps::new(HttpMethod::Post, Authorization::None, integration));
//! let live = stack.rest_stage("Live", &api, StageProps::named("live"));
//!
//! let zone = HostedZoneRef::existing("Z0123456789ABCDEFGHIJ", "example.com");
//! let certificate = stack.certificate("Certificate", CertificateProps::new("api.example.com", &zone));
//! let domain = stack.api_domain("Domain", ApiDomainProps::regional("api.example.com", &certificate));
//! stack.map_base_path("DomainRoot", &domain, BasePath::Root, &live);
//! stack.alias("DomainAlias", &zone, "api.example.com", AliasTarget::api(&domain));
//! stack.output("Url", domain.url());
//! # app.synth().unwrap();
//! ```

use std::panic::Location;

use stack_model_cfn::apigateway as cfn;
use stack_model_cfn::{ResourceId, Value};

use crate::acm::{CertificateRef, EDGE_REGION, NeededRegion};
use crate::apigateway::StageRef;
use crate::handle::{Handle, ResourceRef, get_att, reference};
use crate::resource::Resource;
use crate::route53::{domain_violation, plain_domain};
use crate::s3::BucketRef;
use crate::stack::Stack;
use crate::text;

/// What a domain of APIs is made of.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-domainname.html>.
#[derive(Clone, Debug)]
pub struct ApiDomainProps {
    name: String,
    certificate: CertificateRef,
    kind: Kind,
    /// Which versions of TLS callers may use; 1.2 and later by default.
    pub security: SecurityPolicy,
    /// Which callers' certificates are accepted; callers need none by default. For regional domains only.
    pub mutual_tls: Option<MutualTls>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Regional,
    Edge,
}

impl ApiDomainProps {
    /// A domain that is reached in the region of the stack, with a certificate of that region.
    pub fn regional(name: impl Into<String>, certificate: &CertificateRef) -> Self {
        Self::of(Kind::Regional, name, certificate)
    }

    /// A domain that is reached through the edge locations of CloudFront, with a certificate of `us-east-1`.
    pub fn edge(name: impl Into<String>, certificate: &CertificateRef) -> Self {
        Self::of(Kind::Edge, name, certificate)
    }

    fn of(kind: Kind, name: impl Into<String>, certificate: &CertificateRef) -> Self {
        Self {
            name: plain_domain(name),
            certificate: certificate.clone(),
            kind,
            security: SecurityPolicy::default(),
            mutual_tls: None,
        }
    }
}

/// Which versions of TLS callers may use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecurityPolicy {
    /// 1.2 and later.
    #[default]
    Tls12,
    /// 1.0 and later, for callers that know no better. For REST APIs only.
    Tls10,
}

impl SecurityPolicy {
    const fn name(self) -> &'static str {
        match self {
            Self::Tls12 => "TLS_1_2",
            Self::Tls10 => "TLS_1_0",
        }
    }
}

/// Which callers' certificates are accepted: those of the authorities in a file.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/rest-api-mutual-tls.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutualTls {
    bucket: BucketRef,
    key: String,
    /// The version of the object, which must change for a changed file to be read; the newest by default.
    pub version: Option<String>,
}

impl MutualTls {
    /// Takes the certificates of the authorities from an object, in PEM, one after the other.
    pub fn trusting(bucket: &BucketRef, key: impl Into<String>) -> Self {
        Self {
            bucket: bucket.clone(),
            key: key.into(),
            version: None,
        }
    }
}

/// The handle of a domain of APIs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiDomainRef {
    id: ResourceId,
    kind: Kind,
}

impl ApiDomainRef {
    /// Returns the name. What names the domain by it waits for the domain.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }

    /// Returns the address of the root, which ends without a `/`.
    pub fn url(&self) -> Value<String> {
        text!("https://{}", self.name())
    }

    /// Returns whether the domain is reached in its region, and not through CloudFront.
    pub fn is_regional(&self) -> bool {
        self.kind == Kind::Regional
    }

    /// Returns the host that the name stands for, and the hosted zone that AWS keeps it in.
    pub(crate) fn alias(&self) -> (Value<String>, Value<String>) {
        match self.kind {
            Kind::Regional => (
                get_att(&self.id, "RegionalDomainName"),
                get_att(&self.id, "RegionalHostedZoneId"),
            ),
            Kind::Edge => (
                get_att(&self.id, "DistributionDomainName"),
                crate::cloudfront::HOSTED_ZONE_ID.into(),
            ),
        }
    }
}

impl Handle for ApiDomainRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// The part of a domain that a stage answers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum BasePath {
    /// All of it that no other mapping names.
    #[default]
    Root,
    /// What begins with a step, such as `v1`.
    Step(String),
}

impl Stack<'_> {
    /// Adds a domain of APIs.
    #[track_caller]
    pub fn api_domain(&mut self, logical_id: &str, props: ApiDomainProps) -> ApiDomainRef {
        let source = Location::caller();
        let name = props.name.as_str();
        if let Some(message) = domain_violation(name.strip_prefix("*.").unwrap_or(name)) {
            self.report(logical_id, Some("Properties.DomainName"), message, source);
        }
        let region = self.region().to_owned();
        let (kind, property, needed) = match props.kind {
            Kind::Regional => (
                "REGIONAL",
                "Properties.RegionalCertificateArn",
                NeededRegion {
                    region: &region,
                    user: "a regional domain",
                },
            ),
            Kind::Edge => (
                "EDGE",
                "Properties.CertificateArn",
                NeededRegion {
                    region: EDGE_REGION,
                    user: "an edge-optimised domain",
                },
            ),
        };
        let certificate = &props.certificate;
        self.check_certificate_of(logical_id, property, certificate, &needed, &[name], source);
        if props.mutual_tls.is_some() && props.kind == Kind::Edge {
            let message = "an edge-optimised domain asks for no certificates of callers: make the domain regional";
            let path = Some("Properties.MutualTlsAuthentication");
            self.report(logical_id, path, message, source);
        }
        let arn = Some(certificate.arn().into_text());
        let (edge, regional) = match props.kind {
            Kind::Regional => (None, arn),
            Kind::Edge => (arn, None),
        };
        let domain = cfn::DomainName {
            certificate_arn: edge.into(),
            domain_name: name.into(),
            endpoint_configuration: cfn::domain_name::EndpointConfiguration {
                types: [kind].into(),
                ..cfn::domain_name::EndpointConfiguration::default()
            }
            .into(),
            mutual_tls_authentication: props
                .mutual_tls
                .map(|tls| cfn::domain_name::MutualTlsAuthentication {
                    truststore_uri: text!("s3://{}/{}", tls.bucket.name(), tls.key).into(),
                    truststore_version: tls.version.into(),
                })
                .into(),
            regional_certificate_arn: regional.into(),
            security_policy: props.security.name().into(),
            ..cfn::DomainName::default()
        };
        ApiDomainRef {
            id: self.insert(logical_id, Resource::of(&domain, source)).id,
            kind: props.kind,
        }
    }

    /// Has a stage of a REST API answer a part of a domain.
    #[track_caller]
    pub fn map_base_path(
        &mut self,
        logical_id: &str,
        domain: &ApiDomainRef,
        path: BasePath,
        stage: &StageRef,
    ) -> ResourceRef {
        let source = Location::caller();
        let step = match path {
            BasePath::Root => None,
            BasePath::Step(step) => {
                // See <https://docs.aws.amazon.com/apigateway/latest/api/API_CreateBasePathMapping.html>.
                let fits = (1..=300).contains(&step.len())
                    && step
                        .chars()
                        .all(|c| c.is_ascii_alphanumeric() || "$-_.+!*'()".contains(c));
                if !fits {
                    let message = format!(
                        "`{step}` is not one step of a path: use letters, digits and `$-_.+!*'()`, without a `/`"
                    );
                    self.report(logical_id, Some("Properties.BasePath"), message, source);
                }
                Some(step)
            }
        };
        let mapping = cfn::BasePathMapping {
            base_path: step.into(),
            domain_name: domain.name().into(),
            rest_api_id: stage.api().rest_api_id().into(),
            stage: stage.name().into(),
        };
        self.insert(logical_id, Resource::of(&mapping, source))
    }
}

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/domains.md")]
struct Guide;
