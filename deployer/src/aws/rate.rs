//! Keeps the calls of a run under the rates of AWS's APIs.
//!
//! AWS counts the calls of each API in an account and region, whoever makes them, and throttles what is too much. Every
//! request to AWS waits here for its turn: each API has a bucket of tokens, which all stacks of the run share, and which is
//! filled more slowly after AWS did throttle. Retries are requests too and wait for their turn besides their backoff, whose
//! jitter is the SDK's.
//!
//! This is part of what sends requests and not of the clients, so whatever client is made of the same configuration goes
//! through it. Requests that are signed here go to other hosts, nearly all of them, and have buckets of their own.

mod api;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::{
    RuntimeComponents, RuntimeComponentsBuilder,
};
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::config_bag::ConfigBag;

use super::fault::is_throttling;
use crate::engine::Timing;
pub(super) use api::Api;
use api::Rate;

/// How long it takes until a bucket that was slowed down to nothing would be filled as fast as before.
const RECOVERY: Duration = Duration::from_mins(1);

/// How much slower than usual a bucket becomes at most.
const SLOWEST: f64 = 0.1;

/// How much a token may lack: time is counted in nanoseconds.
const ROUNDING: f64 = 1e-6;

/// Answers to calls of one moment slow a bucket down once.
const MOMENT: Duration = Duration::from_secs(1);

/// Sends requests with another client, none of them before its turn.
#[derive(Clone, Debug)]
pub(crate) struct Limited {
    inner: SharedHttpClient,
    rates: Arc<Rates>,
}

/// The buckets of a run.
struct Rates {
    timing: Arc<dyn Timing>,
    buckets: Mutex<BTreeMap<Api, Arc<Gate>>>,
}

/// The bucket of an API and those who wait for it.
struct Gate {
    bucket: Mutex<Bucket>,
    /// Held by the first of those who wait, whom the others follow in their order. Whoever waits takes a token when it is
    /// there and not before, so that a bucket which is slowed down slows down all of them.
    first: tokio::sync::Mutex<()>,
}

/// The calls that an API takes now.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    usual: Rate,
    /// How many tokens come in a second.
    per_second: f64,
    tokens: f64,
    at: SystemTime,
    slowed: Option<SystemTime>,
}

impl Limited {
    /// Limits what a client sends.
    pub(crate) fn new(inner: SharedHttpClient, timing: Arc<dyn Timing>) -> Self {
        Self {
            inner,
            rates: Arc::new(Rates {
                timing,
                buckets: Mutex::default(),
            }),
        }
    }
}

/// The turns of requests that no client of the SDK sends.
#[derive(Debug)]
pub(super) struct Turns(Rates);

impl Turns {
    pub(super) fn new(timing: Arc<dyn Timing>) -> Self {
        Self(Rates {
            timing,
            buckets: Mutex::default(),
        })
    }

    pub(super) fn now(&self) -> SystemTime {
        self.0.timing.now()
    }

    /// Waits before a call that is made again.
    pub(super) async fn pause(&self, duration: Duration) {
        self.0.timing.sleep(duration).await;
    }

    /// Waits for the turn of a request. Returns what it asks, where that is limited.
    pub(super) async fn wait(&self, request: &HttpRequest) -> Option<Api> {
        let (api, rate) = Api::of(request)?;
        self.0.turn(&api, rate).await;
        Some(api)
    }

    /// Takes notice that AWS was asked too much.
    pub(super) fn slow(&self, api: &Api) {
        self.0.slow(api);
    }
}

/// Returns when the SDK gives up on a request whose body does not get on its way: never, as it may wait here for longer than
/// the SDK does. An answer that does not come on is given up as usual.
pub(crate) fn patience() -> StalledStreamProtectionConfig {
    StalledStreamProtectionConfig::enabled()
        .upload_enabled(false)
        .build()
}

impl HttpClient for Limited {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            inner: self.inner.http_connector(settings, components),
            rates: Arc::clone(&self.rates),
        })
    }

    fn validate_base_client_config(
        &self,
        components: &RuntimeComponentsBuilder,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.inner.validate_base_client_config(components, config)
    }

    fn validate_final_config(
        &self,
        components: &RuntimeComponents,
        config: &ConfigBag,
    ) -> Result<(), BoxError> {
        self.inner.validate_final_config(components, config)
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

/// Sends requests with another connector, none of them before its turn.
#[derive(Clone, Debug)]
struct Connector {
    inner: SharedHttpConnector,
    rates: Arc<Rates>,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some((api, rate)) = Api::of(&request) else {
            return self.inner.call(request);
        };
        let Self { inner, rates } = self.clone();
        HttpConnectorFuture::new(async move {
            rates.turn(&api, rate).await;
            let (response, throttled) = look(inner.call(request).await?).await?;
            if throttled {
                rates.slow(&api);
            }
            Ok(response)
        })
    }
}

/// Finds out whether an answer throttles. Only a refusal is read for that, which is short.
async fn look(mut response: HttpResponse) -> Result<(HttpResponse, bool), ConnectorError> {
    let throttled = match response.status().as_u16() {
        429 => true,
        400 | 503 => {
            let body = response.take_body();
            let body = ByteStream::new(body).collect().await;
            let body = body
                .map_err(|error| ConnectorError::io(error.into()))?
                .into_bytes();
            let kind = response.headers().get("x-amzn-errortype");
            let throttled = kind
                .map(api::bare)
                .or_else(|| api::code(&body))
                .is_some_and(is_throttling);
            *response.body_mut() = SdkBody::from(body);
            throttled
        }
        _ => false,
    };
    Ok((response, throttled))
}

impl Rates {
    /// Waits for the turn of a call.
    async fn turn(&self, api: &Api, rate: Rate) {
        let gate = {
            let now = self.timing.now();
            let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
            let gate = buckets
                .entry(api.clone())
                .or_insert_with(|| Arc::new(Gate::full(rate, now)));
            Arc::clone(gate)
        };
        let _first = gate.first.lock().await;
        loop {
            let wait = gate.bucket().take(self.timing.now());
            match wait {
                None => return,
                Some(wait) => self.timing.sleep(wait).await,
            }
        }
    }

    /// Takes notice that AWS was asked too much.
    fn slow(&self, api: &Api) {
        let buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(gate) = buckets.get(api) {
            gate.bucket().slow(self.timing.now());
        }
    }
}

impl Gate {
    fn full(rate: Rate, now: SystemTime) -> Self {
        Self {
            bucket: Mutex::new(Bucket::full(rate, now)),
            first: tokio::sync::Mutex::default(),
        }
    }

    fn bucket(&self) -> MutexGuard<'_, Bucket> {
        self.bucket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Rates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rates").finish_non_exhaustive()
    }
}

impl Bucket {
    fn full(usual: Rate, now: SystemTime) -> Self {
        Self {
            usual,
            per_second: usual.per_second,
            tokens: usual.at_once,
            at: now,
            slowed: None,
        }
    }

    /// Puts in what came since the last look. The clock may have been set back meanwhile: then nothing came.
    fn fill(&mut self, now: SystemTime) {
        let passed = now.duration_since(self.at).unwrap_or_default();
        self.at = now;
        self.tokens =
            (self.tokens + passed.as_secs_f64() * self.per_second).min(self.usual.at_once);
        let regained = self.usual.per_second * passed.as_secs_f64() / RECOVERY.as_secs_f64();
        self.per_second = (self.per_second + regained).min(self.usual.per_second);
    }

    /// Takes a token, or returns how long it takes until there is one.
    fn take(&mut self, now: SystemTime) -> Option<Duration> {
        self.fill(now);
        if self.tokens >= 1.0 - ROUNDING {
            self.tokens -= 1.0;
            None
        } else {
            Some(Duration::from_secs_f64(
                (1.0 - self.tokens) / self.per_second,
            ))
        }
    }

    fn slow(&mut self, now: SystemTime) {
        self.fill(now);
        let recently = |slowed| now.duration_since(slowed).unwrap_or_default() < MOMENT;
        if !self.slowed.is_some_and(recently) {
            self.slowed = Some(now);
            self.per_second = (self.per_second / 2.0).max(self.usual.per_second * SLOWEST);
            self.tokens = self.tokens.min(0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: Rate = Rate {
        per_second: 5.0,
        at_once: 5.0,
    };

    fn begin() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000)
    }

    /// Makes calls as fast as the bucket lets them, and returns when each was made, in milliseconds from the beginning.
    fn calls(bucket: &mut Bucket, mut now: SystemTime, calls: usize) -> Vec<u128> {
        let began = now;
        let mut call = || {
            while let Some(wait) = bucket.take(now) {
                now += wait;
            }
            now.duration_since(began).unwrap_or_default().as_millis()
        };
        (0..calls).map(|_| call()).collect()
    }

    #[test]
    fn calls_beyond_the_first_come_at_the_rate() {
        let mut bucket = Bucket::full(RATE, begin());
        assert_eq!(
            calls(&mut bucket, begin(), 8),
            [0, 0, 0, 0, 0, 200, 400, 600]
        );
        let much_later = begin() + Duration::from_mins(1);
        assert_eq!(calls(&mut bucket, much_later, 6), [0, 0, 0, 0, 0, 200]);
    }

    #[test]
    fn an_answer_that_throttles_slows_down_what_follows() {
        let mut bucket = Bucket::full(RATE, begin());
        bucket.slow(begin());
        // Others of the same moment say nothing new.
        bucket.slow(begin());
        assert_eq!(calls(&mut bucket, begin(), 3), [400, 794, 1184]);
        for second in 1..60 {
            bucket.slow(begin() + Duration::from_secs(second));
        }
        assert!((bucket.per_second - RATE.per_second * SLOWEST).abs() < 0.1);
        let later = begin() + Duration::from_mins(3);
        assert_eq!(calls(&mut bucket, later, 6), [0, 0, 0, 0, 0, 200]);
    }

    #[test]
    fn a_clock_that_is_set_back_gives_nothing_and_takes_nothing() {
        let mut bucket = Bucket::full(RATE, begin());
        let earlier = begin() - Duration::from_hours(1);
        assert_eq!(calls(&mut bucket, earlier, 6), [0, 0, 0, 0, 0, 200]);
    }
}
