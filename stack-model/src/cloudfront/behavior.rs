//! How a distribution answers paths.

use stack_model_cfn::cloudfront::distribution as cfn;
use stack_model_cfn::{Property, Value};

use super::{
    CachePolicy, EdgeEvent, EdgeFunctionRef, Host, Origin, OriginRequestPolicy, ResponseHeaders,
};
use crate::apigateway::StageRef;
use crate::s3::BucketRef;

/// How a distribution answers paths: from which origin, and what is kept, forwarded and added.
#[derive(Clone, Debug, PartialEq)]
pub struct Behavior {
    origin: Origin,
    /// What callers may do; read by default, and everything where an API answers.
    pub methods: Methods,
    /// What becomes of callers without TLS; they are redirected by default, and turned away where an API answers.
    pub viewers: ViewerProtocol,
    /// What is kept, and for how long.
    pub cache: CachePolicy,
    /// What of a request the origin sees beyond what is kept by; nothing by default, and everything where an API
    /// answers.
    pub forward: Option<OriginRequestPolicy>,
    /// Which headers are added to answers; security headers by default.
    pub headers: ResponseHeaders,
    functions: Vec<(EdgeEvent, EdgeFunctionRef)>,
}

impl Behavior {
    /// Serves the objects of a private bucket, and keeps them as long as their `Cache-Control` says.
    pub fn of_bucket(bucket: &BucketRef) -> Self {
        Self::of(Origin::Bucket(bucket.clone()), CachePolicy::Optimized)
    }

    /// Hands requests on to a stage of a REST API, and keeps nothing. Callers without TLS are turned away: before a
    /// redirect reached them, their tokens and what they sent would have been read on the way.
    pub fn of_api(stage: &StageRef) -> Self {
        Self {
            methods: Methods::All,
            viewers: ViewerProtocol::Refuse,
            forward: Some(OriginRequestPolicy::AllButHost),
            ..Self::of(Origin::Api(stage.clone()), CachePolicy::Disabled)
        }
    }

    /// Serves what another host answers, and keeps it as long as that says.
    pub fn of_host(host: Host) -> Self {
        Self::of(Origin::Host(host), CachePolicy::AsOriginSays)
    }

    fn of(origin: Origin, cache: CachePolicy) -> Self {
        Self {
            origin,
            methods: Methods::default(),
            viewers: ViewerProtocol::default(),
            cache,
            forward: None,
            headers: ResponseHeaders::default(),
            functions: Vec::new(),
        }
    }

    /// Runs a function at each request or answer. There is one function of a kind at most: a later one takes the
    /// place of an earlier one.
    #[must_use]
    pub fn running(mut self, event: EdgeEvent, function: &EdgeFunctionRef) -> Self {
        self.functions.retain(|(earlier, _)| *earlier != event);
        self.functions.push((event, function.clone()));
        self
    }

    pub(super) fn origin(&self) -> &Origin {
        &self.origin
    }

    pub(super) fn is_of_bucket(&self) -> bool {
        matches!(self.origin, Origin::Bucket(_))
    }

    fn associations(&self) -> Property<Vec<Value<cfn::FunctionAssociation>>> {
        let functions = self
            .functions
            .iter()
            .map(|(event, function)| cfn::FunctionAssociation {
                event_type: event.name().into(),
                function_arn: function.arn().into(),
            });
        super::some(functions.collect())
    }

    pub(super) fn by_default(&self) -> cfn::DefaultCacheBehavior {
        cfn::DefaultCacheBehavior {
            allowed_methods: self.methods.names(),
            cache_policy_id: self.cache.id().into(),
            compress: true.into(),
            function_associations: self.associations(),
            origin_request_policy_id: self.forward.as_ref().map(OriginRequestPolicy::id).into(),
            response_headers_policy_id: self.headers.id().into(),
            target_origin_id: self.origin.id().into(),
            viewer_protocol_policy: self.viewers.name().into(),
            ..cfn::DefaultCacheBehavior::default()
        }
    }

    pub(super) fn at_path(&self, pattern: &str) -> cfn::CacheBehavior {
        cfn::CacheBehavior {
            allowed_methods: self.methods.names(),
            cache_policy_id: self.cache.id().into(),
            compress: true.into(),
            function_associations: self.associations(),
            origin_request_policy_id: self.forward.as_ref().map(OriginRequestPolicy::id).into(),
            path_pattern: pattern.into(),
            response_headers_policy_id: self.headers.id().into(),
            target_origin_id: self.origin.id().into(),
            viewer_protocol_policy: self.viewers.name().into(),
            ..cfn::CacheBehavior::default()
        }
    }
}

/// What callers may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Methods {
    /// Read.
    #[default]
    Read,
    /// Read, and ask what pages of other origins may do.
    ReadAndPreflight,
    /// Everything.
    All,
}

impl Methods {
    fn names(self) -> Property<Vec<Value<String>>> {
        match self {
            Self::Read => ["GET", "HEAD"].into(),
            Self::ReadAndPreflight => ["GET", "HEAD", "OPTIONS"].into(),
            Self::All => ["GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE"].into(),
        }
    }
}

/// What becomes of callers without TLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ViewerProtocol {
    /// They are sent to the same address with TLS.
    #[default]
    Redirect,
    /// They are turned away, as callers of an API should be: a redirect would come too late for what they sent.
    Refuse,
    /// They are answered like the others.
    Accept,
}

impl ViewerProtocol {
    const fn name(self) -> &'static str {
        match self {
            Self::Redirect => "redirect-to-https",
            Self::Refuse => "https-only",
            Self::Accept => "allow-all",
        }
    }
}
