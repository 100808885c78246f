//! Parameters of Systems Manager's Parameter Store.

use std::fmt;
use std::marker::PhantomData;

use crate::binding::Binding;
use crate::grant::Grants;
use crate::kind;
use crate::operation::Get;

/// A parameter whose text is read as a `T` at run time, with the operations `G` granted.
///
/// `G` is [`Get`], or [`GetDecrypted`](crate::GetDecrypted) for a parameter of the type `SecureString`. The value is
/// kept for five minutes, so that a change is noticed without a deployment.
pub struct Parameter<T, G: Grants<kind::Parameter> = Get> {
    #[cfg(feature = "parameter")]
    inner: client::Cached<T>,
    grants: PhantomData<fn() -> (T, G)>,
}

impl<T, G: Grants<kind::Parameter>> Binding for Parameter<T, G> {
    const KIND: &'static str = "parameter";
    const SUFFIX: &'static str = "_NAME";
}

impl<T, G: Grants<kind::Parameter>> fmt::Debug for Parameter<T, G> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parameter = f.debug_struct("Parameter");
        #[cfg(feature = "parameter")]
        parameter.field("name", &self.inner.name);
        parameter.finish_non_exhaustive()
    }
}

#[cfg(feature = "parameter")]
mod client {
    use std::marker::PhantomData;
    use std::str::FromStr;
    use std::sync::Arc;
    use std::time::Duration;

    use tokio::sync::Mutex;
    use tokio::time::Instant;

    use super::Parameter;
    use crate::environment::{Connect, Environment, VariableFault};
    use crate::error::{CallError, Reason};
    use crate::grant::{Allows, Grants};
    use crate::kind;
    use crate::operation::{Get, GetDecrypted};

    /// How long a value is kept.
    const TIME_TO_LIVE: Duration = Duration::from_mins(5);

    pub(super) struct Cached<T> {
        client: aws_sdk_ssm::Client,
        pub(super) name: String,
        time_to_live: Duration,
        latest: Mutex<Option<Latest<T>>>,
    }

    struct Latest<T> {
        read: Instant,
        decrypted: bool,
        value: Arc<T>,
    }

    impl<T, G: Grants<kind::Parameter>> Connect for Parameter<T, G> {
        fn connect(environment: &Environment, value: &str) -> Result<Self, VariableFault> {
            Ok(Self::with_client(environment.ssm(), value))
        }
    }

    impl<T, G: Grants<kind::Parameter>> Parameter<T, G> {
        /// Binds to the parameter of the given name, for tests.
        pub fn with_client(client: aws_sdk_ssm::Client, name: impl Into<String>) -> Self {
            Self {
                inner: Cached {
                    client,
                    name: name.into(),
                    time_to_live: TIME_TO_LIVE,
                    latest: Mutex::new(None),
                },
                grants: PhantomData,
            }
        }

        /// Keeps a value for the given time instead of five minutes.
        #[must_use]
        pub fn time_to_live(mut self, time_to_live: Duration) -> Self {
            self.inner.time_to_live = time_to_live;
            self
        }

        /// Reads the parameter, or returns what was read less than five minutes ago.
        ///
        /// # Errors
        ///
        /// Fails where the parameter cannot be read, or its text is not a `T`; the error never quotes the text.
        pub async fn get<At>(&self) -> Result<Arc<T>, CallError>
        where
            T: FromStr,
            G: Allows<Get, At>,
        {
            self.cached(false).await
        }

        /// Reads the parameter of the type `SecureString`, or returns what was read less than five minutes ago.
        ///
        /// # Errors
        ///
        /// Fails as [`Parameter::get`] does.
        pub async fn get_decrypted<At>(&self) -> Result<Arc<T>, CallError>
        where
            T: FromStr,
            G: Allows<GetDecrypted, At>,
        {
            self.cached(true).await
        }

        async fn cached(&self, decrypt: bool) -> Result<Arc<T>, CallError>
        where
            T: FromStr,
        {
            // Held while the value is fetched, so that callers at the same time make one call between them.
            let mut latest = self.inner.latest.lock().await;
            if let Some(latest) = latest.as_ref()
                && latest.decrypted == decrypt
                && latest.read.elapsed() < self.inner.time_to_live
            {
                return Ok(Arc::clone(&latest.value));
            }
            let value = Arc::new(self.fetch(decrypt).await?);
            *latest = Some(Latest {
                read: Instant::now(),
                decrypted: decrypt,
                value: Arc::clone(&value),
            });
            Ok(value)
        }

        async fn fetch(&self, decrypt: bool) -> Result<T, CallError>
        where
            T: FromStr,
        {
            const ACTION: &str = "read";
            let described = format!("parameter `{}`", self.inner.name);
            let answer = self
                .inner
                .client
                .get_parameter()
                .name(&self.inner.name)
                .set_with_decryption(decrypt.then_some(true))
                .send()
                .await
                .map_err(|error| CallError::from_sdk(ACTION, &described, error))?;
            answer
                .parameter
                .and_then(|parameter| parameter.value)
                .and_then(|value| value.parse().ok())
                .ok_or_else(|| CallError::new(ACTION, &described, Reason::Decode))
        }
    }
}
