//! What a stage does beyond showing a deployment: caches answers, treats single methods in another way, and tries a new
//! deployment out on some requests.

use std::collections::BTreeMap;
use std::panic::Location;

use stack_model_cfn::apigateway as cfn;
use stack_model_cfn::{ResourceId, Value};

use super::method::RestMethodRef;
use super::stage::{ExecutionLogs, Throttle};
use crate::handle::{Handle, reference};
use crate::limit::Limited;
use crate::resource::Resource;
use crate::stack::Stack;

/// How long an answer stays in the cache, in seconds.
pub type CacheTtl = Limited<0, 3600>;

/// How much a cache holds, which is what it costs by the hour.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-caching.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CacheSize {
    /// 0.5 GB
    Half,
    /// 1.6 GB
    One,
    /// 6.1 GB
    Six,
    /// 13.5 GB
    Thirteen,
    /// 28.4 GB
    TwentyEight,
    /// 58.2 GB
    FiftyEight,
    /// 118 GB
    OneHundredEighteen,
    /// 237 GB
    TwoHundredThirtySeven,
}

impl CacheSize {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Half => "0.5",
            Self::One => "1.6",
            Self::Six => "6.1",
            Self::Thirteen => "13.5",
            Self::TwentyEight => "28.4",
            Self::FiftyEight => "58.2",
            Self::OneHundredEighteen => "118",
            Self::TwoHundredThirtySeven => "237",
        }
    }
}

/// How a stage treats one method, where that is not how it treats all of them.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct MethodSettings {
    /// How many requests the method takes; what the stage says by default.
    pub throttle: Option<Throttle>,
    /// How long its answers stay in the cache of the stage, encrypted; they are not cached by default.
    ///
    /// Answers are told apart by the [cache keys](super::MethodProps::cache_keys) of the method alone.
    pub cache: Option<CacheTtl>,
    /// What of its work is logged; what the stage says by default.
    pub logs: Option<ExecutionLogs>,
}

/// Shows the newest deployment to some requests, while most still see an earlier one.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/canary-release.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct Canary {
    pub(super) stable: Value<String>,
    pub(super) percent: f64,
    /// Stage variables that are other ones for the requests that see the newest deployment.
    pub variables: BTreeMap<String, Value<String>>,
    /// Whether they share the cache of the stage; they do not by default.
    pub use_stage_cache: bool,
}

impl Canary {
    /// Shows the newest deployment to a share of the requests, from 0 to 100 percent, and the one with the given id to
    /// all others.
    ///
    /// The earlier deployment must still be there, so set [`RestApiProps::retain_deployments`](
    /// super::RestApiProps::retain_deployments) one release before.
    pub fn beside(stable: impl Into<Value<String>>, percent: f64) -> Self {
        Self {
            stable: stable.into(),
            percent,
            variables: BTreeMap::new(),
            use_stage_cache: false,
        }
    }
}

/// The handle of a client certificate, by which a backend knows that API Gateway calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientCertificateRef {
    id: ResourceId,
}

impl ClientCertificateRef {
    /// Returns the id.
    pub fn certificate_id(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for ClientCertificateRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a client certificate, which a stage shows to the HTTP backends that it calls. It lasts a year.
    ///
    /// See
    /// <https://docs.aws.amazon.com/apigateway/latest/developerguide/getting-started-client-side-ssl-authentication.html>.
    #[track_caller]
    pub fn rest_client_certificate(
        &mut self,
        logical_id: &str,
        description: impl Into<String>,
    ) -> ClientCertificateRef {
        let certificate = cfn::ClientCertificate {
            description: description.into().into(),
            ..Default::default()
        };
        let certificate = Resource::of(&certificate, Location::caller());
        ClientCertificateRef {
            id: self.insert(logical_id, certificate).id,
        }
    }

    pub(super) fn check_canary(
        &mut self,
        logical_id: &str,
        canary: &Canary,
        source: &Location<'_>,
    ) {
        if !(0.0..=100.0).contains(&canary.percent) {
            let message = format!(
                "{} is not a share of requests from 0 to 100 percent",
                canary.percent
            );
            let path = Some("Properties.CanarySetting.PercentTraffic");
            self.report(logical_id, path, message, source);
        }
    }

    /// Reports settings of methods that would not do what they say.
    pub(super) fn check_method_settings(
        &mut self,
        logical_id: &str,
        cached: bool,
        methods: &[(RestMethodRef, MethodSettings)],
        source: &Location<'_>,
    ) {
        let path = "Properties.MethodSettings";
        for (method, settings) in methods {
            self.check_throttle(logical_id, path, settings.throttle, source);
            self.check_limit(logical_id, path, settings.cache, source);
            if settings.cache.is_none() {
                continue;
            }
            let name = method.resource_id().logical_id().to_owned();
            if !cached {
                let message = format!(
                    "the answers of `{name}` are to be cached, and the stage has no cache: set `cache`"
                );
                self.report(logical_id, Some(path), message, source);
            }
            if method.shares_what_it_knows() {
                let message = format!(
                    "`{name}` knows who calls, and its cached answers would be shown to other callers: make what tells them apart a cache key of the method, such as its header `Authorization`"
                );
                self.report(logical_id, Some(path), message, source);
            }
        }
    }
}
