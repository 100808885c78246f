//! Makes the clients of a target and asks AWS who is calling.

use std::sync::Arc;
use std::time::Duration;

use aws_config::{BehaviorVersion, Region, SdkConfig, retry::RetryConfig, timeout::TimeoutConfig};
use aws_credential_types::Credentials;
use aws_smithy_http_client::{
    Builder as HttpClientBuilder,
    tls::{Provider, rustls_provider::CryptoMode},
};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use super::{
    AwsError, Clients, ENGINE_ACCOUNT, Outside, Session,
    rate::{self, Limited},
    signed::Signer,
};
use crate::engine::SystemTiming;
use crate::error::Kind;

/// How often a call is tried before it fails, the first time included.
const ATTEMPTS: u32 = 6;

/// Where to deploy to, and as whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Target {
    /// The region, such as `eu-central-1`.
    pub region: String,
    /// The profile of the user's AWS configuration; the default chain applies where there is none.
    pub profile: Option<String>,
    /// An endpoint that replaces those of AWS: the local engine, or one of the user's own.
    pub endpoint_url: Option<String>,
    /// The account that the stage is pinned to. A caller from another one is refused.
    pub account: Option<String>,
    /// Whether the stage is protected: nobody works with it in AWS before it is pinned to its account.
    pub protected: bool,
    /// Credentials that are no secret: those of the local engine. Nothing else is read from the user's configuration
    /// where they are given.
    pub credentials: Option<StaticCredentials>,
}

/// Credentials that are known beforehand. What is printed of them for a developer leaves the secret out.
#[derive(Clone, PartialEq, Eq)]
pub struct StaticCredentials {
    /// The access key id.
    pub access_key_id: String,
    /// The secret access key.
    pub secret_access_key: String,
}

impl std::fmt::Debug for StaticCredentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("StaticCredentials")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

/// Who is calling, as AWS sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The account, twelve digits.
    pub account: String,
    /// The ARN of the user or of the assumed role.
    pub arn: String,
}

/// Why there are no clients for a target.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// AWS does not say who is calling.
    #[error(transparent)]
    Identity(AwsError),
    /// The caller belongs to another account than the stage.
    #[error(
        "the credentials belong to account {actual}, but the stage is pinned to account {expected}"
    )]
    WrongAccount {
        /// The account of the stage.
        expected: String,
        /// The account of the caller.
        actual: String,
        /// The ARN of the caller.
        arn: String,
        /// The profile that was used.
        profile: Option<String>,
    },
    /// The stage is protected and pinned to no account, so that it would be wherever the credentials lead.
    #[error(
        "the stage is protected and does not name its account, and the credentials belong to account {actual}"
    )]
    Unpinned {
        /// The account of the caller.
        actual: String,
        /// The ARN of the caller.
        arn: String,
    },
}

impl ConnectError {
    /// Returns the kind under which the command line reports this.
    ///
    /// A wrong account, or none, is a matter of configuration and not of consent: no `--yes` makes it right.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Identity(error) => error.kind(),
            Self::WrongAccount { .. } | Self::Unpinned { .. } => Kind::Configuration,
        }
    }

    /// Returns what the reader can do about it.
    pub fn hints(&self) -> Vec<String> {
        match self {
            Self::Identity(error) => error.hints(),
            Self::WrongAccount { arn, profile, .. } => vec![
                format!("the caller is {arn}"),
                match profile {
                    Some(profile) => format!(
                        "correct `profile` (now `{profile}`) or `account` of the stage in stackctl.toml"
                    ),
                    None => "set `profile` of the stage in stackctl.toml, or AWS_PROFILE".into(),
                },
            ],
            Self::Unpinned { actual, arn } => vec![
                format!("the caller is {arn}"),
                format!(
                    "if that is the stage's account, write `account = \"{actual}\"` into its table in stackctl.toml; if not, write the right one, and choose another `profile` or AWS_PROFILE"
                ),
            ],
        }
    }
}

/// Makes the clients of a target and checks who is calling.
///
/// One call: `GetCallerIdentity`, which needs no permission
/// (<https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>).
pub async fn connect(target: &Target) -> Result<Clients, ConnectError> {
    let config = configure(target).await;
    let identity = check_caller(&aws_sdk_sts::Client::new(&config), target).await?;
    let session = Session {
        config: Some(config.clone()),
        profile: target.profile.clone(),
        endpoint_url: target.endpoint_url.clone(),
        identity,
    };
    let signer = Signer::new(config.credentials_provider(), target.endpoint_url.clone());
    Ok(Clients::new(
        &config,
        &target.region,
        Arc::new(session),
        Outside::new(signer),
    ))
}

/// Asks AWS who is calling, whatever account the stage is pinned to.
pub async fn identity(target: &Target) -> Result<Identity, AwsError> {
    ask_identity(&aws_sdk_sts::Client::new(&configure(target).await), target).await
}

/// Asks AWS who is calling, and refuses the caller of another account than the target's, and any caller where a protected
/// stage does not name its account.
pub(crate) async fn check_caller(
    sts: &aws_sdk_sts::Client,
    target: &Target,
) -> Result<Identity, ConnectError> {
    let identity = ask_identity(sts, target)
        .await
        .map_err(ConnectError::Identity)?;
    match &target.account {
        Some(expected) if *expected != identity.account => Err(ConnectError::WrongAccount {
            expected: expected.clone(),
            actual: identity.account,
            arn: identity.arn,
            profile: target.profile.clone(),
        }),
        None if target.protected && !is_engine(target.endpoint_url.as_deref(), &identity) => {
            Err(ConnectError::Unpinned {
                actual: identity.account,
                arn: identity.arn,
            })
        }
        _ => Ok(identity),
    }
}

/// Returns whether an engine stands in for AWS. The address alone does not tell: AWS may be reached by one of one's own.
pub(super) fn is_engine(endpoint_url: Option<&str>, caller: &Identity) -> bool {
    endpoint_url.is_some() && caller.account == ENGINE_ACCOUNT
}

/// Reads the user's AWS configuration, or none of it where the credentials are given.
async fn configure(target: &Target) -> SdkConfig {
    let http_client = http_client(target);
    let app_name = aws_config::AppName::new(concat!("stackctl-", env!("CARGO_PKG_VERSION")))
        .expect("the characters of a version number are allowed in an app name");
    let region = Region::new(target.region.clone());
    // Not adaptive ones: they take the few calls of a deploy for all that AWS allows, and one call that is throttled
    // then holds back those that follow for ten seconds and more. What slows down after a throttle is the rate of its API.
    let retries = RetryConfig::standard().with_max_attempts(ATTEMPTS);
    if let Some(credentials) = &target.credentials {
        let credentials = Credentials::new(
            &credentials.access_key_id,
            &credentials.secret_access_key,
            None,
            None,
            "stackctl",
        );
        let mut builder = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .app_name(app_name)
            .region(region)
            .retry_config(retries)
            .timeout_config(timeouts())
            .stalled_stream_protection(rate::patience())
            .http_client(http_client)
            .credentials_provider(
                aws_credential_types::provider::SharedCredentialsProvider::new(credentials),
            );
        builder.set_endpoint_url(target.endpoint_url.clone());
        return builder.build();
    }
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .app_name(app_name)
        .region(region)
        .retry_config(retries)
        .timeout_config(timeouts())
        .stalled_stream_protection(rate::patience())
        .http_client(http_client);
    if let Some(profile) = &target.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(endpoint_url) = &target.endpoint_url {
        loader = loader.endpoint_url(endpoint_url);
    }
    loader.load().await
}

/// A call that is not even connected after this time is tried again, and so is one whose answer does not begin: a connection
/// may be gone without a word. The second time is that of the AWS CLI
/// (<https://docs.aws.amazon.com/cli/latest/reference/#options>).
fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_mins(1))
        .build()
}

/// The same for calls whose request takes long to send or whose answer comes when long work is done: packages that are
/// uploaded over a slow line, and functions, which run for [15 minutes][limit] at most.
///
/// [limit]: https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
pub(crate) fn long_timeouts() -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(Duration::from_secs(5))
        .read_timeout(Duration::from_mins(16))
        .build()
}

/// Makes the one HTTP client that all services share.
///
/// Against a plain `http` endpoint no TLS is set up: reading the root certificates of the system costs more than a
/// deploy without changes.
fn http_client(target: &Target) -> SharedHttpClient {
    let plain = target
        .endpoint_url
        .as_deref()
        .is_some_and(|url| url.starts_with("http://"));
    if plain && target.credentials.is_some() {
        return HttpClientBuilder::new().build_http();
    }
    let client = HttpClientBuilder::new()
        .tls_provider(Provider::Rustls(CryptoMode::Ring))
        .build_https();
    SharedHttpClient::new(Limited::new(client, Arc::new(SystemTiming)))
}

async fn ask_identity(sts: &aws_sdk_sts::Client, target: &Target) -> Result<Identity, AwsError> {
    const OPERATION: &str = "GetCallerIdentity";
    let answer = sts.get_caller_identity().send().await.map_err(|error| {
        // The SDK looks for the profile of the environment where the stage has none, and does not name it.
        let profile = target.profile.clone().or_else(|| {
            std::env::var("AWS_PROFILE")
                .ok()
                .filter(|name| !name.is_empty())
        });
        AwsError::of(
            OPERATION,
            error,
            profile.as_deref(),
            target.endpoint_url.as_deref(),
        )
    })?;
    match (answer.account, answer.arn) {
        (Some(account), Some(arn)) => Ok(Identity { account, arn }),
        _ => Err(AwsError::incomplete(OPERATION, "account")),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_sts::config::{AsyncSleep, Sleep};

    use super::*;

    /// Time that runs a thousand times faster.
    #[derive(Debug)]
    struct Haste;

    impl AsyncSleep for Haste {
        fn sleep(&self, duration: Duration) -> Sleep {
            Sleep::new(tokio::time::sleep(duration / 1000))
        }
    }

    /// A connection that takes a request and never says a word: a load balancer or a router on the way has forgotten it.
    #[tokio::test]
    async fn a_call_that_nobody_answers_is_given_up() {
        let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = silent.local_addr().expect("it is bound");
        let target = Target {
            region: "eu-central-1".into(),
            endpoint_url: Some(format!("http://{address}")),
            credentials: Some(StaticCredentials {
                access_key_id: "AKIDEXAMPLE".into(),
                secret_access_key: "example".into(),
            }),
            ..Target::default()
        };
        let config = configure(&target).await;
        let config = aws_sdk_sts::config::Builder::from(&config).sleep_impl(Haste);
        let sts = aws_sdk_sts::Client::from_conf(config.build());
        let answer =
            tokio::time::timeout(Duration::from_mins(1), ask_identity(&sts, &target)).await;
        let error = answer
            .expect("it is given up long before")
            .expect_err("nobody answers");
        assert_eq!(
            error.to_string(),
            format!("http://{address} could not be reached for GetCallerIdentity")
        );
    }
}
