//! What is kept, and what the origin sees.

use std::panic::Location;

use stack_model_cfn::cloudfront as cfn;
use stack_model_cfn::{Property, ResourceId, Value};

use crate::handle::{Handle, get_att};
use crate::limit::Limited;
use crate::name::NameRule;
use crate::resource::Resource;
use crate::stack::Stack;

/// A time in seconds, up to ten years.
pub type CacheSeconds = Limited<0, 315_360_000>;

/// What is kept, and for how long.
///
/// See <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-cache-policies.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CachePolicy {
    /// AWS's own for files: a day, or as long as `Cache-Control` says, by the path alone.
    Optimized,
    /// AWS's own for what changes with each request: nothing.
    Disabled,
    /// AWS's own for hosts that say with `Cache-Control` what may be kept, by host, cookies and query.
    AsOriginSays,
    /// One's own.
    Own(CachePolicyRef),
}

impl CachePolicy {
    pub(super) fn id(&self) -> Value<String> {
        match self {
            Self::Optimized => "658327ea-f89d-4fab-a63d-7e88639e58f6".into(),
            Self::Disabled => "4135ea2d-6df8-44a3-9df3-4b5a84be39ad".into(),
            Self::AsOriginSays => "83da9c7e-98b4-4e11-a168-04f0df8e2c65".into(),
            Self::Own(policy) => get_att(&policy.id, "Id"),
        }
    }
}

/// What of a request the origin sees, beyond what is kept by.
///
/// See
/// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/using-managed-origin-request-policies.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OriginRequestPolicy {
    /// Everything, the name of the host included.
    All,
    /// Everything but the name of the host, which an API would not know.
    AllButHost,
    /// The headers with which a page of another origin asks a bucket.
    CorsOfBucket,
    /// The header with which a page of another origin asks a host.
    CorsOfHost,
    /// One's own.
    Own(OriginRequestPolicyRef),
}

impl OriginRequestPolicy {
    pub(super) fn id(&self) -> Value<String> {
        match self {
            Self::All => "216adef6-5c7f-47e4-b989-5492eafa07d3".into(),
            Self::AllButHost => "b689b0a8-53d0-40ab-baf2-68738e2966ac".into(),
            Self::CorsOfBucket => "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf".into(),
            Self::CorsOfHost => "59781a5b-3903-41f3-afcb-af62929ccde1".into(),
            Self::Own(policy) => get_att(&policy.id, "Id"),
        }
    }
}

/// Which headers, cookies or fields of the query count.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Forwarded {
    /// None.
    #[default]
    None,
    /// These.
    Only(Vec<String>),
    /// All but these; not for headers.
    Except(Vec<String>),
    /// All; for headers of what the origin sees, those of the caller.
    All,
}

impl Forwarded {
    /// Returns the word for what counts and the names, as cookies and queries have them.
    fn words(&self) -> (&'static str, Property<Vec<Value<String>>>) {
        let names = |names: &[String]| names.to_vec().into();
        match self {
            Self::None => ("none", Property::Absent),
            Self::Only(only) => ("whitelist", names(only)),
            Self::Except(others) => ("allExcept", names(others)),
            Self::All => ("all", Property::Absent),
        }
    }

    fn is_empty_list(&self) -> bool {
        matches!(self, Self::Only(names) | Self::Except(names) if names.is_empty())
    }
}

/// By what answers are told apart: each of these is also sent to the origin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CacheKey {
    /// Headers, by name; none or some of them.
    pub headers: Vec<String>,
    /// Cookies.
    pub cookies: Forwarded,
    /// Fields of the query.
    pub query: Forwarded,
}

/// What a cache policy of one's own is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudfront-cachepolicy.html>.
#[derive(Clone, Debug, Default)]
pub struct CachePolicyProps {
    /// The name, unique in the account: letters, digits, `-` and `_`. `<stack>-<logical id>` by default.
    pub name: Option<String>,
    /// What the policy is for, at most 128 characters.
    pub comment: Option<String>,
    /// By what answers are told apart; by the path alone by default.
    pub key: CacheKey,
    /// How long an answer is kept at least; not at all by default.
    pub minimum: Option<CacheSeconds>,
    /// How long an answer is kept that does not say; a day by default, which is AWS's.
    pub default: Option<CacheSeconds>,
    /// How long an answer is kept at most; a year by default, which is AWS's.
    pub maximum: Option<CacheSeconds>,
}

/// The handle of a cache policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CachePolicyRef {
    id: ResourceId,
}

impl Handle for CachePolicyRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// What an origin request policy of one's own is made of.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudfront-originrequestpolicy.html>.
#[derive(Clone, Debug, Default)]
pub struct OriginRequestPolicyProps {
    /// The name, unique in the account: letters, digits, `-` and `_`. `<stack>-<logical id>` by default.
    pub name: Option<String>,
    /// What the policy is for, at most 128 characters.
    pub comment: Option<String>,
    /// Headers.
    pub headers: Forwarded,
    /// Cookies.
    pub cookies: Forwarded,
    /// Fields of the query.
    pub query: Forwarded,
}

/// The handle of an origin request policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OriginRequestPolicyRef {
    id: ResourceId,
}

impl Handle for OriginRequestPolicyRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// A day and a year, which are AWS's defaults; the template must say them.
const DAY: u32 = 86_400;
const YEAR: u32 = 31_536_000;

impl Stack<'_> {
    /// Adds a cache policy of one's own.
    #[track_caller]
    pub fn cache_policy(&mut self, logical_id: &str, props: CachePolicyProps) -> CachePolicyRef {
        use cfn::cache_policy as parts;
        let source = Location::caller();
        let config = "Properties.CachePolicyConfig";
        let name = self.edge_name(logical_id, props.name, &format!("{config}.Name"), source);
        let (minimum, default, maximum) = (
            props.minimum.unwrap_or_else(|| 0.into()),
            props.default.unwrap_or_else(|| DAY.into()),
            props.maximum.unwrap_or_else(|| YEAR.into()),
        );
        for seconds in [minimum, default, maximum] {
            self.check_limit(logical_id, config, Some(seconds), source);
        }
        if minimum > default || default > maximum {
            let message = format!(
                "the least time, {}, the usual one, {}, and the longest, {}, are not in this order",
                minimum.get(),
                default.get(),
                maximum.get()
            );
            self.report(logical_id, Some(config), message, source);
        }
        let key = props.key;
        if maximum.get() == 0
            && !(key.headers.is_empty()
                && key.cookies == Forwarded::None
                && key.query == Forwarded::None)
        {
            let message = "nothing is kept, so there is nothing to tell apart: leave `key` out";
            self.report(logical_id, Some(config), message, source);
        }
        self.check_forwarded(logical_id, config, &[&key.cookies, &key.query], source);
        let (cookies, cookie_names) = key.cookies.words();
        let (query, query_names) = key.query.words();
        let kept = maximum.get() > 0;
        let parameters = parts::ParametersInCacheKeyAndForwardedToOrigin {
            cookies_config: parts::CookiesConfig {
                cookie_behavior: cookies.into(),
                cookies: cookie_names,
            }
            .into(),
            enable_accept_encoding_brotli: kept.into(),
            enable_accept_encoding_gzip: kept.into(),
            headers_config: parts::HeadersConfig {
                header_behavior: if key.headers.is_empty() {
                    "none"
                } else {
                    "whitelist"
                }
                .into(),
                headers: super::some(key.headers),
            }
            .into(),
            query_strings_config: parts::QueryStringsConfig {
                query_string_behavior: query.into(),
                query_strings: query_names,
            }
            .into(),
        };
        let seconds = |seconds: CacheSeconds| f64::from(seconds.get());
        let policy = cfn::CachePolicy {
            cache_policy_config: parts::CachePolicyConfig {
                comment: props.comment.into(),
                default_ttl: seconds(default).into(),
                max_ttl: seconds(maximum).into(),
                min_ttl: seconds(minimum).into(),
                name: name.into(),
                parameters_in_cache_key_and_forwarded_to_origin: parameters.into(),
            }
            .into(),
        };
        CachePolicyRef {
            id: self.insert(logical_id, Resource::of(&policy, source)).id,
        }
    }

    /// Adds an origin request policy of one's own.
    #[track_caller]
    pub fn origin_request_policy(
        &mut self,
        logical_id: &str,
        props: OriginRequestPolicyProps,
    ) -> OriginRequestPolicyRef {
        use cfn::origin_request_policy as parts;
        let source = Location::caller();
        let config = "Properties.OriginRequestPolicyConfig";
        let name = self.edge_name(logical_id, props.name, &format!("{config}.Name"), source);
        let all = [&props.headers, &props.cookies, &props.query];
        self.check_forwarded(logical_id, config, &all, source);
        let (headers, header_names) = match props.headers.words() {
            ("all", _) => ("allViewer", Property::Absent),
            words => words,
        };
        let (cookies, cookie_names) = props.cookies.words();
        let (query, query_names) = props.query.words();
        let policy = cfn::OriginRequestPolicy {
            origin_request_policy_config: parts::OriginRequestPolicyConfig {
                comment: props.comment.into(),
                cookies_config: parts::CookiesConfig {
                    cookie_behavior: cookies.into(),
                    cookies: cookie_names,
                }
                .into(),
                headers_config: parts::HeadersConfig {
                    header_behavior: headers.into(),
                    headers: header_names,
                }
                .into(),
                name: name.into(),
                query_strings_config: parts::QueryStringsConfig {
                    query_string_behavior: query.into(),
                    query_strings: query_names,
                }
                .into(),
            }
            .into(),
        };
        OriginRequestPolicyRef {
            id: self.insert(logical_id, Resource::of(&policy, source)).id,
        }
    }

    fn check_forwarded(
        &mut self,
        id: &str,
        path: &str,
        forwarded: &[&Forwarded],
        source: &Location<'_>,
    ) {
        if forwarded.iter().any(|it| it.is_empty_list()) {
            let message = "a list names nothing: use `Forwarded::None` or `Forwarded::All`";
            self.report(id, Some(path), message, source);
        }
    }

    /// Returns the name of something of CloudFront's that takes 64 characters.
    pub(super) fn short_edge_name(
        &mut self,
        logical_id: &str,
        source: &Location<'_>,
    ) -> Value<String> {
        let name = format!("{}-{logical_id}", self.name());
        if name.len() > MAX_SHORT_NAME {
            let message = format!(
                "it would be called `{name}`, which is longer than {MAX_SHORT_NAME} characters: shorten the logical id or the name of the stack"
            );
            self.report(logical_id, None, message, source);
        }
        name.into()
    }

    /// Returns the name of something of CloudFront's, unique in the account as long as its stack is.
    pub(super) fn edge_name(
        &mut self,
        logical_id: &str,
        name: Option<String>,
        path: &str,
        source: &Location<'_>,
    ) -> Value<String> {
        let name = name.unwrap_or_else(|| format!("{}-{logical_id}", self.name()));
        let name = Value::Literal(name);
        self.check_name(logical_id, path, Some(&name), NAME, source);
        name
    }
}

/// The most characters of the name of a function or an access; see
/// <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_OriginAccessControlConfig.html>.
const MAX_SHORT_NAME: usize = 64;

/// See <https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateCachePolicy.html>.
const NAME: NameRule = NameRule {
    min: 1,
    max: 128,
    others: "-_",
};
