//! Narrow ports to the AWS services, and their adapters over the SDK.
//!
//! [`connect`] makes the clients of one [`Target`] and asks AWS who is calling before anything else happens, so that
//! missing credentials and a wrong account are found by every command in the same place with the same words. The
//! engine calls the SDK clients; tests script those clients with `aws-smithy-mocks`, which replaces the answers and
//! nothing else.

mod connect;
pub(crate) mod dns;
mod fault;
mod http;
pub(crate) mod object;
mod rate;
#[cfg(test)]
pub(crate) mod rights;
pub(crate) mod signed;
pub(crate) mod texts;
pub(crate) mod xml;

#[cfg(test)]
pub(crate) use connect::check_caller;
pub(crate) use connect::long_timeouts;
pub use connect::{ConnectError, Identity, StaticCredentials, Target, connect, identity};
pub(crate) use fault::OrAws;
pub use fault::{AwsError, Fault};
pub(crate) use http::http;
#[cfg(test)]
pub(crate) use rate::{Limited, patience};

use std::{net::SocketAddr, sync::Arc};

use aws_config::SdkConfig;
use aws_smithy_runtime_api::client::{
    http::SharedHttpConnector, stalled_stream_protection::StalledStreamProtectionConfig,
};

/// The account that engines answer for; none of AWS has this number.
pub(crate) const ENGINE_ACCOUNT: &str = "000000000000";

/// The clients of the services that the deployer calls, for one region.
///
/// Cloning is cheap: clones share one connection pool and one credentials cache.
#[derive(Clone, Debug)]
pub struct Clients {
    /// API Gateway, its first version.
    pub apigateway: aws_sdk_apigateway::Client,
    /// CloudFormation.
    pub cloudformation: aws_sdk_cloudformation::Client,
    /// CloudFront, which is called in one region only.
    pub cloudfront: aws_sdk_cloudfront::Client,
    /// S3, with path-style addresses where an endpoint was given.
    pub s3: aws_sdk_s3::Client,
    /// Lambda.
    pub lambda: aws_sdk_lambda::Client,
    /// CloudWatch Logs.
    pub logs: aws_sdk_cloudwatchlogs::Client,
    /// The index of tags.
    pub tagging: aws_sdk_resourcegroupstagging::Client,
    session: Arc<Session>,
    region: Arc<str>,
    outside: Arc<Outside>,
}

/// How whatever has no client here is reached.
#[derive(Clone, Debug)]
struct Outside {
    /// What sends plain requests, where a script answers them.
    http: Option<SharedHttpConnector>,
    /// What signs and sends requests to services without a client here.
    signer: Arc<signed::Signer>,
    /// Where names are asked for, where it is not where the system asks.
    dns: Option<SocketAddr>,
}

impl Outside {
    fn new(signer: signed::Signer) -> Arc<Self> {
        Arc::new(Self {
            http: None,
            signer: Arc::new(signer),
            dns: None,
        })
    }
}

/// What the clients of all regions of one target have in common.
#[derive(Debug)]
struct Session {
    /// The configuration that clients of another region are made from; absent where clients were scripted.
    config: Option<SdkConfig>,
    profile: Option<String>,
    endpoint_url: Option<String>,
    identity: Identity,
}

impl Clients {
    fn new(config: &SdkConfig, region: &str, session: Arc<Session>, outside: Arc<Outside>) -> Self {
        let region_override = aws_config::Region::new(region.to_owned());
        let s3 = aws_sdk_s3::config::Builder::from(config)
            .region(region_override.clone())
            .force_path_style(session.endpoint_url.is_some())
            .timeout_config(long_timeouts())
            // Uploads wait for nobody here, and are large.
            .stalled_stream_protection(StalledStreamProtectionConfig::enabled().build())
            .build();
        let apigateway = aws_sdk_apigateway::config::Builder::from(config)
            .region(region_override.clone())
            .build();
        let cloudformation = aws_sdk_cloudformation::config::Builder::from(config)
            .region(region_override.clone())
            .build();
        let cloudfront = aws_sdk_cloudfront::config::Builder::from(config)
            .region(aws_config::Region::new("us-east-1"))
            .build();
        let lambda = aws_sdk_lambda::config::Builder::from(config)
            .region(region_override.clone())
            .build();
        let tagging = aws_sdk_resourcegroupstagging::config::Builder::from(config)
            .region(region_override.clone())
            .build();
        let logs = aws_sdk_cloudwatchlogs::config::Builder::from(config)
            .region(region_override)
            .build();
        Self {
            apigateway: aws_sdk_apigateway::Client::from_conf(apigateway),
            cloudformation: aws_sdk_cloudformation::Client::from_conf(cloudformation),
            cloudfront: aws_sdk_cloudfront::Client::from_conf(cloudfront),
            s3: aws_sdk_s3::Client::from_conf(s3),
            lambda: aws_sdk_lambda::Client::from_conf(lambda),
            logs: aws_sdk_cloudwatchlogs::Client::from_conf(logs),
            tagging: aws_sdk_resourcegroupstagging::Client::from_conf(tagging),
            session,
            region: region.into(),
            outside,
        }
    }

    /// Makes clients of scripted services, as account 123456789012 in eu-central-1 sees them.
    #[cfg(test)]
    pub(crate) fn scripted(
        apigateway: aws_sdk_apigateway::Client,
        cloudformation: aws_sdk_cloudformation::Client,
        cloudfront: aws_sdk_cloudfront::Client,
        s3: aws_sdk_s3::Client,
        lambda: aws_sdk_lambda::Client,
        logs: aws_sdk_cloudwatchlogs::Client,
        tagging: aws_sdk_resourcegroupstagging::Client,
    ) -> Self {
        Self {
            apigateway,
            cloudformation,
            cloudfront,
            s3,
            lambda,
            logs,
            tagging,
            session: Arc::new(Session {
                config: None,
                profile: Some("work".into()),
                endpoint_url: None,
                identity: Identity {
                    account: "123456789012".into(),
                    arn: "arn:aws:iam::123456789012:user/dev".into(),
                },
            }),
            region: "eu-central-1".into(),
            // Nobody answers but a script.
            outside: Outside::new(signed::Signer::new(None, None)),
        }
    }

    /// Has a script answer plain requests.
    #[cfg(test)]
    pub(crate) fn with_http(mut self, http: SharedHttpConnector) -> Self {
        let outside = Outside {
            http: Some(http),
            ..(*self.outside).clone()
        };
        self.outside = Arc::new(outside);
        self
    }

    /// Has a script answer signed requests, and those of names.
    #[cfg(test)]
    pub(crate) fn with_signed(
        mut self,
        answers: SharedHttpConnector,
        timing: Arc<dyn crate::engine::Timing>,
        timeout: Option<std::time::Duration>,
        dns: SocketAddr,
    ) -> Self {
        self.outside = Arc::new(Outside {
            http: self.outside.http.clone(),
            signer: Arc::new(signed::Signer::scripted(answers, timing, timeout)),
            dns: Some(dns),
        });
        self
    }

    /// Has somebody else call.
    #[cfg(test)]
    pub(crate) fn called_by(mut self, identity: Identity) -> Self {
        self.session = Arc::new(Session {
            config: None,
            profile: None,
            endpoint_url: None,
            identity,
        });
        self
    }

    fn signer(&self) -> &signed::Signer {
        &self.outside.signer
    }

    /// Returns the servers that are asked for names.
    pub(crate) fn name_servers(&self) -> Vec<SocketAddr> {
        self.outside
            .dns
            .map_or_else(dns::servers, |server| vec![server])
    }

    /// Returns what answers plain requests in place of the network, where there is something.
    pub(crate) fn http(&self) -> Option<SharedHttpConnector> {
        self.outside.http.clone()
    }

    /// Returns the clients of the same target in another region; `None` stands for this one.
    #[must_use]
    pub fn in_region(&self, region: Option<&str>) -> Self {
        match (region, &self.session.config) {
            (Some(region), Some(config)) if *region != *self.region => Self::new(
                config,
                region,
                Arc::clone(&self.session),
                Arc::clone(&self.outside),
            ),
            _ => self.clone(),
        }
    }

    /// Returns the region.
    pub fn region(&self) -> &str {
        &self.region
    }

    /// Returns who is calling, as AWS answered when the clients were made.
    pub fn identity(&self) -> &Identity {
        &self.session.identity
    }

    /// Returns the endpoint that replaces those of AWS, where there is one.
    pub fn endpoint_url(&self) -> Option<&str> {
        self.session.endpoint_url.as_deref()
    }

    /// Returns whether an engine stands in for AWS.
    pub(crate) fn is_local(&self) -> bool {
        connect::is_engine(self.endpoint_url(), self.identity())
    }

    /// Returns the profile that the credentials come from, where one was named.
    pub fn profile(&self) -> Option<&str> {
        self.session.profile.as_deref()
    }
}
