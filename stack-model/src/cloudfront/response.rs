//! Headers that are added to answers.

use std::collections::BTreeMap;
use std::panic::Location;

use stack_model_cfn::cloudfront as cfn;
use stack_model_cfn::{ResourceId, Value};

use crate::handle::{Handle, get_att};
use crate::limit::Limited;
use crate::resource::Resource;
use crate::stack::Stack;

/// Which headers are added to answers.
///
/// See
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-response-headers-policies.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ResponseHeaders {
    /// AWS's own: TLS for a year, no guessing of types, no frames of other sites, no addresses for other sites.
    #[default]
    Security,
    /// AWS's own, and pages of any origin may read.
    SecurityAndCors,
    /// Pages of any origin may read, and nothing else.
    Cors,
    /// None.
    Nothing,
    /// One's own.
    Own(ResponseHeadersPolicyRef),
}

impl ResponseHeaders {
    pub(super) fn id(&self) -> Option<Value<String>> {
        Some(match self {
            Self::Security => "67f7725c-6f97-4210-82d7-5512b31e9d03".into(),
            Self::SecurityAndCors => "e61eb60c-9c35-4d20-a928-2b84e02af89c".into(),
            Self::Cors => "60669652-455b-4ae9-85a4-c4c02393f86c".into(),
            Self::Nothing => return None,
            Self::Own(policy) => get_att(&policy.id, "Id"),
        })
    }
}

/// How long browsers insist on TLS, in seconds, up to ten years.
pub type HstsSeconds = Limited<0, 315_360_000>;

/// A year.
const YEAR: u32 = 31_536_000;

/// What a policy of one's own for headers of answers is made of. The security headers are there by default.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudfront-responseheaderspolicy.html>.
#[derive(Clone, Debug, Default)]
pub struct ResponseHeadersPolicyProps {
    /// The name, unique in the account: letters, digits, `-` and `_`. `<stack>-<logical id>` by default.
    pub name: Option<String>,
    /// What the policy is for, at most 128 characters.
    pub comment: Option<String>,
    /// What pages may load, such as `default-src 'self'`; as browsers like by default.
    pub content_security_policy: Option<String>,
    /// How long browsers insist on TLS; a year by default.
    pub strict_transport: Option<HstsSeconds>,
    /// Who may show pages in frames; nobody by default.
    pub frames: FrameOption,
    /// Which pages of other origins may read; none by default.
    pub cors: Option<EdgeCors>,
    /// Other headers, by name. They take the place of those of the origin.
    pub headers: BTreeMap<String, String>,
    /// Headers of the origin that are left out, such as `Server`.
    pub remove: Vec<String>,
}

/// Who may show pages in frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrameOption {
    /// Nobody.
    #[default]
    Deny,
    /// Pages of the same origin.
    SameOrigin,
}

/// Which pages of other origins may read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EdgeCors {
    /// The origins, such as `https://example.com`, or `*`.
    pub origins: Vec<String>,
    /// The methods, such as `GET`.
    pub methods: Vec<String>,
    /// The headers they may send, or `*`.
    pub headers: Vec<String>,
    /// Whether they may send credentials.
    pub credentials: bool,
}

/// The handle of a policy for headers of answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResponseHeadersPolicyRef {
    id: ResourceId,
}

impl Handle for ResponseHeadersPolicyRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a policy of one's own for headers of answers.
    #[track_caller]
    pub fn response_headers_policy(
        &mut self,
        logical_id: &str,
        props: ResponseHeadersPolicyProps,
    ) -> ResponseHeadersPolicyRef {
        use cfn::response_headers_policy as parts;
        let source = Location::caller();
        let config = "Properties.ResponseHeadersPolicyConfig";
        let name = self.edge_name(logical_id, props.name, &format!("{config}.Name"), source);
        self.check_limit(logical_id, config, props.strict_transport, source);
        if let Some(cors) = &props.cors {
            let path = format!("{config}.CorsConfig");
            let wild = cors.origins.iter().any(|origin| origin == "*");
            if cors.origins.is_empty() || cors.methods.is_empty() {
                let message = "pages of other origins need an origin and a method";
                self.report(logical_id, Some(&path), message, source);
            } else if cors.credentials && wild {
                let message = "browsers refuse credentials for any origin: name the origins";
                self.report(logical_id, Some(&path), message, source);
            }
        }
        let security = parts::SecurityHeadersConfig {
            content_security_policy: props
                .content_security_policy
                .map(|policy| parts::ContentSecurityPolicy {
                    content_security_policy: policy.into(),
                    override_: true.into(),
                })
                .into(),
            content_type_options: parts::ContentTypeOptions {
                override_: true.into(),
            }
            .into(),
            frame_options: parts::FrameOptions {
                frame_option: match props.frames {
                    FrameOption::Deny => "DENY",
                    FrameOption::SameOrigin => "SAMEORIGIN",
                }
                .into(),
                override_: true.into(),
            }
            .into(),
            referrer_policy: parts::ReferrerPolicy {
                override_: true.into(),
                referrer_policy: "strict-origin-when-cross-origin".into(),
            }
            .into(),
            strict_transport_security: parts::StrictTransportSecurity {
                access_control_max_age_sec: props
                    .strict_transport
                    .map_or(i64::from(YEAR), Limited::number)
                    .into(),
                include_subdomains: true.into(),
                override_: true.into(),
                ..parts::StrictTransportSecurity::default()
            }
            .into(),
            ..parts::SecurityHeadersConfig::default()
        };
        let headers: Vec<_> = props
            .headers
            .into_iter()
            .map(|(header, value)| parts::CustomHeader {
                header: header.into(),
                override_: true.into(),
                value: value.into(),
            })
            .collect();
        let removed: Vec<_> = props
            .remove
            .into_iter()
            .map(|header| parts::RemoveHeader {
                header: header.into(),
            })
            .collect();
        let policy = cfn::ResponseHeadersPolicy {
            response_headers_policy_config: parts::ResponseHeadersPolicyConfig {
                comment: props.comment.into(),
                cors_config: props.cors.map(cors).into(),
                custom_headers_config: (!headers.is_empty())
                    .then(|| parts::CustomHeadersConfig {
                        items: headers.into(),
                    })
                    .into(),
                name: name.into(),
                remove_headers_config: (!removed.is_empty())
                    .then(|| parts::RemoveHeadersConfig {
                        items: removed.into(),
                    })
                    .into(),
                security_headers_config: security.into(),
                ..parts::ResponseHeadersPolicyConfig::default()
            }
            .into(),
        };
        ResponseHeadersPolicyRef {
            id: self.insert(logical_id, Resource::of(&policy, source)).id,
        }
    }
}

fn cors(cors: EdgeCors) -> cfn::response_headers_policy::CorsConfig {
    use cfn::response_headers_policy as parts;
    parts::CorsConfig {
        access_control_allow_credentials: cors.credentials.into(),
        access_control_allow_headers: parts::AccessControlAllowHeaders {
            items: if cors.headers.is_empty() {
                ["*"].into()
            } else {
                cors.headers.into()
            },
        }
        .into(),
        access_control_allow_methods: parts::AccessControlAllowMethods {
            items: cors.methods.into(),
        }
        .into(),
        access_control_allow_origins: parts::AccessControlAllowOrigins {
            items: cors.origins.into(),
        }
        .into(),
        origin_override: true.into(),
        ..parts::CorsConfig::default()
    }
}
