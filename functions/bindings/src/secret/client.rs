//! The client side of a secret.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::{Secret, text};
use crate::environment::{Connect, Environment, VariableFault};
use crate::error::{CallError, Reason};

/// How long a value is kept.
const TIME_TO_LIVE: Duration = Duration::from_mins(5);

/// A secret and the value that was read last.
pub(super) struct Cached<T> {
    client: aws_sdk_secretsmanager::Client,
    arn: String,
    time_to_live: Duration,
    latest: Mutex<Option<(Instant, SecretValue<T>)>>,
}

/// The value of a secret. It shows itself only to [`SecretValue::expose`], never to `Debug`.
pub struct SecretValue<T> {
    value: Arc<T>,
}

impl<T> SecretValue<T> {
    /// Returns the value itself.
    pub fn expose(&self) -> &T {
        &self.value
    }
}

impl<T> Clone for SecretValue<T> {
    fn clone(&self) -> Self {
        Self {
            value: Arc::clone(&self.value),
        }
    }
}

impl<T> fmt::Debug for SecretValue<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretValue")
    }
}

impl<T> Connect for Secret<T> {
    fn connect(environment: &Environment, value: &str) -> Result<Self, VariableFault> {
        Ok(Self::with_client(environment.secretsmanager(), value))
    }
}

impl<T> Secret<T> {
    /// Binds to the secret with the given ARN, for tests.
    pub fn with_client(client: aws_sdk_secretsmanager::Client, arn: impl Into<String>) -> Self {
        Self {
            inner: Cached {
                client,
                arn: arn.into(),
                time_to_live: TIME_TO_LIVE,
                latest: Mutex::new(None),
            },
            value: PhantomData,
        }
    }

    /// Keeps a value for the given time instead of five minutes.
    #[must_use]
    pub fn time_to_live(mut self, time_to_live: Duration) -> Self {
        self.inner.time_to_live = time_to_live;
        self
    }
}

impl<T: DeserializeOwned> Secret<T> {
    /// Reads the current value, or returns the one that was read less than five minutes ago.
    ///
    /// # Errors
    ///
    /// Fails where the secret cannot be read, or its value is not of the type `T`; the error never quotes the value.
    pub async fn read(&self) -> Result<SecretValue<T>, CallError> {
        // Held while the value is fetched, so that callers at the same time make one call between them.
        let mut latest = self.inner.latest.lock().await;
        if let Some((read, value)) = latest.as_ref()
            && read.elapsed() < self.inner.time_to_live
        {
            return Ok(value.clone());
        }
        let value = self.fetch().await?;
        *latest = Some((Instant::now(), value.clone()));
        Ok(value)
    }

    /// Reads the current value whatever was read before, such as after a login failed with the old one.
    ///
    /// # Errors
    ///
    /// Fails as [`Secret::read`] does.
    pub async fn refresh(&self) -> Result<SecretValue<T>, CallError> {
        let mut latest = self.inner.latest.lock().await;
        let value = self.fetch().await?;
        *latest = Some((Instant::now(), value.clone()));
        Ok(value)
    }

    async fn fetch(&self) -> Result<SecretValue<T>, CallError> {
        const ACTION: &str = "read";
        let described = format!("secret `{}`", self.inner.arn);
        let answer = self
            .inner
            .client
            .get_secret_value()
            .secret_id(&self.inner.arn)
            .send()
            .await
            .map_err(|error| CallError::from_sdk(ACTION, &described, error))?;
        // A secret is a text or bytes; bytes are taken as the UTF-8 of a text.
        let secret = match (answer.secret_string, answer.secret_binary) {
            (Some(text), _) => text,
            (None, Some(bytes)) => String::from_utf8(bytes.into_inner())
                .map_err(|_| CallError::new(ACTION, &described, Reason::Decode))?,
            (None, None) => String::new(),
        };
        let value = text::read(&secret)
            .map_err(|error| CallError::new(ACTION, &described, Reason::Decode).caused_by(error))?;
        Ok(SecretValue {
            value: Arc::new(value),
        })
    }
}
