//! Who is calling.

use aws_credential_types::provider::error::CredentialsError;
use aws_sdk_sts::{
    Client as Sts,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
};
use aws_smithy_mocks::{MockResponseInterceptor, Rule, RuleMode, create_mock_http_client, mock};

use super::script::{NoSleep, http, scripted};
use crate::{
    aws::{self, ConnectError, Target},
    error::{Error, Kind},
};

fn target(account: &str) -> Target {
    Target {
        region: "eu-central-1".into(),
        profile: Some("work".into()),
        account: Some(account.into()),
        ..Target::default()
    }
}

async fn check(status: u16, body: &'static str, account: &str) -> Result<(), ConnectError> {
    check_target(status, body, &target(account)).await
}

/// The answers are those of <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>.
async fn check_target(
    status: u16,
    body: &'static str,
    target: &Target,
) -> Result<(), ConnectError> {
    let rules: Vec<(&str, Rule)> = vec![(
        "get_caller_identity",
        mock!(Sts::get_caller_identity).then_http_response(move || http(status, body)),
    )];
    let sts = scripted!(aws_sdk_sts, rules, RuleMode::Sequential);
    aws::check_caller(&sts, target).await.map(|_| ())
}

const CALLER: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
  <GetCallerIdentityResult>
    <Arn>arn:aws:sts::123456789012:assumed-role/deployer/me</Arn>
    <UserId>ARO123EXAMPLE123:me</UserId>
    <Account>123456789012</Account>
  </GetCallerIdentityResult>
  <ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>"#;

#[tokio::test]
async fn the_account_of_the_stage_is_accepted() {
    assert!(check(200, CALLER, "123456789012").await.is_ok());
}

#[tokio::test]
async fn another_account_is_refused_whatever_consent_there_is() {
    let error = check(200, CALLER, "210987654321")
        .await
        .expect_err("the account is another one");
    assert_eq!(error.kind(), Kind::Configuration);
    assert_eq!(
        error.to_string(),
        "the credentials belong to account 123456789012, but the stage is pinned to account 210987654321"
    );
    assert_eq!(
        error.hints(),
        [
            "the caller is arn:aws:sts::123456789012:assumed-role/deployer/me",
            "correct `profile` (now `work`) or `account` of the stage in stackctl.toml"
        ]
    );
}

#[tokio::test]
async fn a_protected_stage_has_to_name_its_account() {
    let mut unpinned = Target {
        account: None,
        ..target("")
    };
    assert!(check_target(200, CALLER, &unpinned).await.is_ok());
    unpinned.protected = true;
    // AWS may be reached by an address of one's own, too.
    for endpoint_url in [None, Some("https://aws.example.com".to_owned())] {
        unpinned.endpoint_url = endpoint_url;
        let error = check_target(200, CALLER, &unpinned)
            .await
            .expect_err("nobody said where the stage belongs");
        assert_eq!(error.kind(), Kind::Configuration);
        assert_eq!(
            error.to_string(),
            "the stage is protected and does not name its account, and the credentials belong to account 123456789012"
        );
        assert_eq!(
            error.hints(),
            [
                "the caller is arn:aws:sts::123456789012:assumed-role/deployer/me",
                "if that is the stage's account, write `account = \"123456789012\"` into its table in stackctl.toml; \
                 if not, write the right one, and choose another `profile` or AWS_PROFILE"
            ]
        );
    }
    assert!(check(200, CALLER, "123456789012").await.is_ok());
    let pinned = Target {
        protected: true,
        ..target("123456789012")
    };
    assert!(check_target(200, CALLER, &pinned).await.is_ok());
    // What an engine holds is nobody's production, and all of them have the same account.
    let engine = Target {
        endpoint_url: Some("http://engine:4566".into()),
        ..unpinned
    };
    let caller = CALLER.replace("123456789012", "000000000000");
    assert!(check_target(200, caller.leak(), &engine).await.is_ok());
}

#[tokio::test]
async fn expired_and_unknown_credentials_lead_to_the_sign_in() {
    const EXPIRED: &str = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
        <Code>ExpiredToken</Code><Message>The security token included in the request is expired</Message></Error>\
        <RequestId>x</RequestId></ErrorResponse>";
    const UNKNOWN: &str = "<ErrorResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><Error><Type>Sender</Type>\
        <Code>InvalidClientTokenId</Code><Message>The security token included in the request is invalid.</Message>\
        </Error><RequestId>x</RequestId></ErrorResponse>";
    for (body, text) in [
        (
            EXPIRED,
            "the AWS credentials are expired (GetCallerIdentity)",
        ),
        (
            UNKNOWN,
            "AWS does not accept the credentials: The security token included in the request is invalid. \
             (GetCallerIdentity: InvalidClientTokenId)",
        ),
    ] {
        let error = check(403, body, "123456789012")
            .await
            .expect_err("nobody is calling");
        assert_eq!(error.kind(), Kind::Credentials);
        assert_eq!(error.hints(), ["run `aws sso login --profile work`"]);
        assert_eq!(error.to_string(), text);
    }
}

/// Asks who is calling with credentials that cannot be loaded.
async fn without_credentials(reason: fn() -> CredentialsError) -> Error {
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("eu-central-1"))
        .credentials_provider(NoCredentials(reason))
        .retry_config(RetryConfig::disabled())
        .http_client(create_mock_http_client())
        .build();
    let error = aws::check_caller(&Sts::from_conf(config), &target("123456789012")).await;
    Error::from(error.expect_err("there are no credentials"))
}

#[tokio::test]
async fn missing_credentials_are_one_sentence_and_what_to_do() {
    // What the SDK's own chain ends with where nothing is configured.
    let error = without_credentials(|| {
        CredentialsError::not_loaded("no providers in chain provided credentials")
    })
    .await;
    assert_eq!(error.kind(), Kind::Credentials);
    assert_eq!(error.message(), "no AWS credentials were found");
    assert_eq!(error.causes(), [""; 0]);
    assert!(error.hints()[1].contains("--local"), "{:?}", error.hints());
}

#[tokio::test]
async fn what_is_wrong_with_configured_credentials_is_told() {
    let error = without_credentials(|| {
        CredentialsError::invalid_configuration("profile `work` was not defined")
    })
    .await;
    assert_eq!(error.kind(), Kind::Credentials);
    assert_eq!(error.message(), "the AWS credentials cannot be loaded");
    let last = error.causes().last().map(String::as_str);
    assert_eq!(last, Some("profile `work` was not defined"));
    assert!(!error.causes().contains(&"other".to_owned()), "{error}");
}

/// Provides no credentials, for a reason.
#[derive(Debug)]
struct NoCredentials(fn() -> CredentialsError);

impl aws_credential_types::provider::ProvideCredentials for NoCredentials {
    fn provide_credentials<'a>(
        &'a self,
    ) -> aws_credential_types::provider::future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        aws_credential_types::provider::future::ProvideCredentials::ready(Err((self.0)()))
    }
}

#[tokio::test]
async fn a_service_that_cannot_be_reached_is_no_matter_of_credentials() {
    // Nothing listens on port 1 of this machine.
    let target = Target {
        region: "eu-central-1".into(),
        endpoint_url: Some("http://127.0.0.1:1".into()),
        credentials: Some(aws::StaticCredentials {
            access_key_id: "test".into(),
            secret_access_key: "test".into(),
        }),
        ..Target::default()
    };
    let sts = Sts::from_conf(
        aws_sdk_sts::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .endpoint_url("http://127.0.0.1:1")
            .credentials_provider(Credentials::new("test", "test", None, None, "test"))
            .retry_config(RetryConfig::disabled())
            .http_client(aws_smithy_http_client::Builder::new().build_http())
            .build(),
    );
    let error = aws::check_caller(&sts, &target)
        .await
        .expect_err("nobody answers");
    assert_eq!(error.kind(), Kind::Aws);
    assert!(
        error.hints()[0].contains("127.0.0.1:1"),
        "the endpoint is named: {:?}",
        error.hints()
    );
}
