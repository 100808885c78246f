//! Where a distribution gets what it serves.

use std::collections::BTreeMap;
use std::panic::Location;

use stack_model_cfn::cloudfront as cfn;
use stack_model_cfn::{Pseudo, Token, Value};

use super::{Behavior, DistributionProps, DistributionRef};
use crate::apigateway::StageRef;
use crate::handle::{ELSEWHERE, Handle};
use crate::policy::{Principal, Statement};
use crate::resource::Resource;
use crate::s3::BucketRef;
use crate::stack::Stack;
use crate::text;

/// The principal that CloudFront reads as.
const SERVICE: &str = "cloudfront.amazonaws.com";

/// Where a distribution gets what it serves.
#[derive(Clone, Debug, PartialEq)]
pub enum Origin {
    /// A private bucket, whose policy lets the distribution read.
    Bucket(BucketRef),
    /// A stage of a REST API.
    Api(StageRef),
    /// Another host.
    Host(Host),
}

/// A host on the internet.
#[derive(Clone, Debug, PartialEq)]
pub struct Host {
    name: Value<String>,
    /// What is put before each path, such as `/v1`; nothing by default.
    pub path: String,
    /// Headers that CloudFront adds to requests. Their values stand in the template, so they are no secrets.
    pub headers: BTreeMap<String, Value<String>>,
    /// Whether CloudFront speaks plain HTTP, which a website of a bucket understands alone.
    pub plain_http: bool,
}

impl Host {
    /// A host that is reached over TLS 1.2, by its name.
    pub fn new(name: impl Into<Value<String>>) -> Self {
        Self {
            name: name.into(),
            path: String::new(),
            headers: BTreeMap::new(),
            plain_http: false,
        }
    }
}

impl Origin {
    /// Returns the id that behaviours name the origin by.
    pub(super) fn id(&self) -> String {
        match self {
            Self::Bucket(bucket) => bucket.resource_id().logical_id().to_owned(),
            Self::Api(stage) => stage.resource_id().logical_id().to_owned(),
            Self::Host(host) => {
                let name = match &host.name {
                    Value::Literal(name) => name.clone(),
                    Value::Token(token) => {
                        let mut named = "Host".to_owned();
                        token.walk(&mut |token| {
                            if let Token::Ref(id) | Token::GetAtt(id, _) = token {
                                named.push_str(id.logical_id());
                            }
                        });
                        named
                    }
                };
                format!("{name}{}", host.path)
            }
        }
    }
}

impl Stack<'_> {
    /// Renders the origins of a distribution, each once, and adds the access to its buckets.
    pub(super) fn origins(
        &mut self,
        logical_id: &str,
        props: &DistributionProps,
        source: &Location<'_>,
    ) -> Vec<cfn::distribution::Origin> {
        let behaviors = props.paths.iter().map(|(_, behavior)| behavior);
        let mut origins: Vec<Origin> = Vec::new();
        for behavior in [&props.default].into_iter().chain(behaviors) {
            let origin = behavior.origin();
            let same = origins.iter().find(|earlier| earlier.id() == origin.id());
            match same {
                None => origins.push(origin.clone()),
                Some(earlier) if earlier != origin => {
                    let message = format!("two different origins are called `{}`", origin.id());
                    let path = Some("Properties.DistributionConfig.Origins");
                    self.report(logical_id, path, message, source);
                }
                Some(_) => {}
            }
        }
        let rendered = origins.iter();
        rendered
            .map(|origin| match origin {
                Origin::Bucket(bucket) => self.bucket_origin(logical_id, bucket, source),
                Origin::Api(stage) => self.api_origin(stage),
                Origin::Host(host) => self.host_origin(logical_id, host, source),
            })
            .collect()
    }

    fn bucket_origin(
        &mut self,
        logical_id: &str,
        bucket: &BucketRef,
        source: &Location<'_>,
    ) -> cfn::distribution::Origin {
        let name: String = bucket.resource_id().logical_id().to_owned();
        let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
        let access_id = format!("{logical_id}{plain}Access");
        let access_name = self.short_edge_name(&access_id, source);
        let access = cfn::OriginAccessControl {
            origin_access_control_config: cfn::origin_access_control::OriginAccessControlConfig {
                name: access_name.into(),
                origin_access_control_origin_type: "s3".into(),
                signing_behavior: "always".into(),
                signing_protocol: "sigv4".into(),
                ..cfn::origin_access_control::OriginAccessControlConfig::default()
            }
            .into(),
        };
        let access = self.insert(&access_id, Resource::of(&access, source));
        cfn::distribution::Origin {
            domain_name: bucket.regional_domain_name().into(),
            id: name.into(),
            origin_access_control_id: access.attribute("Id").into(),
            // It must be there, and empty, where the newer kind of access is used.
            s3_origin_config: cfn::distribution::S3OriginConfig {
                origin_access_identity: "".into(),
                ..cfn::distribution::S3OriginConfig::default()
            }
            .into(),
            ..cfn::distribution::Origin::default()
        }
    }

    fn api_origin(&self, stage: &StageRef) -> cfn::distribution::Origin {
        let owner = self.region_of(stage.resource_id().stack());
        let region: Value<String> = match owner {
            Some(region) if region != self.region() => region.into(),
            _ => Value::Token(Token::Pseudo(Pseudo::Region)),
        };
        cfn::distribution::Origin {
            custom_origin_config: secure().into(),
            domain_name: text!(
                "{}.execute-api.{}.{}",
                stage.api().rest_api_id(),
                region,
                Pseudo::UrlSuffix
            )
            .into(),
            id: stage.resource_id().logical_id().into(),
            origin_path: text!("/{}", stage.name()).into(),
            ..cfn::distribution::Origin::default()
        }
    }

    fn host_origin(
        &mut self,
        logical_id: &str,
        host: &Host,
        source: &Location<'_>,
    ) -> cfn::distribution::Origin {
        if !host.path.is_empty() && (!host.path.starts_with('/') || host.path.ends_with('/')) {
            let message = format!(
                "the path `{}` of a host starts with a `/` and ends without",
                host.path
            );
            let path = Some("Properties.DistributionConfig.Origins");
            self.report(logical_id, path, message, source);
        }
        if host.name.literal().is_some_and(|name| name.contains('/')) {
            let message = "a host is named without `https://` and without a path";
            let path = Some("Properties.DistributionConfig.Origins");
            self.report(logical_id, path, message, source);
        }
        let headers: Vec<_> = host
            .headers
            .iter()
            .map(|(name, value)| cfn::distribution::OriginCustomHeader {
                header_name: name.as_str().into(),
                header_value: value.clone().into(),
            })
            .collect();
        let plain = cfn::distribution::CustomOriginConfig {
            origin_protocol_policy: "http-only".into(),
            ..cfn::distribution::CustomOriginConfig::default()
        };
        cfn::distribution::Origin {
            custom_origin_config: if host.plain_http { plain } else { secure() }.into(),
            domain_name: host.name.clone().into(),
            id: Origin::Host(host.clone()).id().into(),
            origin_custom_headers: super::some(headers),
            origin_path: (!host.path.is_empty()).then(|| host.path.clone()).into(),
            ..cfn::distribution::Origin::default()
        }
    }

    /// Lets a distribution read the buckets it serves, and use their keys; see
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html>.
    pub(super) fn admit_distribution(
        &mut self,
        distribution: &DistributionRef,
        behaviors: &[&Behavior],
        source: &Location<'_>,
    ) {
        let mut admitted: Vec<&BucketRef> = Vec::new();
        for behavior in behaviors {
            let Origin::Bucket(bucket) = behavior.origin() else {
                continue;
            };
            // Who keeps the bucket decides who reads it.
            if bucket.resource_id().stack() == ELSEWHERE || admitted.contains(&bucket) {
                continue;
            }
            admitted.push(bucket);
            if bucket.resource_id().stack() != self.id() {
                let message = format!(
                    "the policy of the bucket `{}` names the distribution, which names the bucket: put both into the stack `{}`",
                    bucket.resource_id().logical_id(),
                    bucket.resource_id().stack()
                );
                let id = distribution.resource_id().logical_id();
                self.report(id, None, message, source);
                continue;
            }
            let read = Statement::allow(["s3:GetObject"])
                .to(Principal::Service(SERVICE.to_owned()))
                .on(bucket.objects("*"))
                .when("StringEquals", "AWS:SourceArn", distribution.arn())
                .because("every object of the bucket is served");
            self.attach_bucket_policy(bucket, [read], source);
            if let Some(key) = bucket.key()
                && key.resource_id().stack() == self.id()
            {
                // The key cannot name the distribution, which needs the bucket, which needs the key.
                let any = text!(
                    "arn:{}:cloudfront::{}:distribution/*",
                    Pseudo::Partition,
                    Pseudo::AccountId
                );
                let decrypt = Statement::allow(["kms:Decrypt"])
                    .to(Principal::Service(SERVICE.to_owned()))
                    .when("StringLike", "AWS:SourceArn", any);
                self.key_policy_from(key, [decrypt], source);
            }
        }
    }
}

fn secure() -> cfn::distribution::CustomOriginConfig {
    cfn::distribution::CustomOriginConfig {
        origin_protocol_policy: "https-only".into(),
        origin_ssl_protocols: ["TLSv1.2"].into(),
        ..cfn::distribution::CustomOriginConfig::default()
    }
}
