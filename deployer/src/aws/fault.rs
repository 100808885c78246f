//! What went wrong with one call, told apart by the error codes of AWS.

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::Clients;
use crate::error::Kind;

type Source = Box<dyn std::error::Error + Send + Sync + 'static>;

/// A call that failed, with what is known of the reason.
#[derive(Debug)]
pub struct AwsError(Box<Call>);

#[derive(Debug)]
struct Call {
    operation: &'static str,
    fault: Fault,
    profile: Option<String>,
    endpoint_url: Option<String>,
    source: Option<Source>,
}

/// The reason for which a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// No credentials could be loaded.
    NoCredentials,
    /// The credentials are expired.
    ExpiredCredentials,
    /// AWS does not know or trust the credentials.
    InvalidCredentials {
        /// The error code.
        code: String,
        /// What AWS said.
        message: String,
    },
    /// The caller lacks a permission.
    Denied {
        /// The error code.
        code: String,
        /// What AWS said.
        message: String,
    },
    /// AWS asked to slow down, again after the last retry.
    Throttled {
        /// The error code.
        code: String,
    },
    /// No answer came: there is no connection, or it took too long.
    Unreachable,
    /// AWS answered with an error of the service.
    Service {
        /// The error code.
        code: String,
        /// What AWS said.
        message: String,
    },
    /// An answer that could not be understood.
    Unknown,
}

/// Names the operation behind an error of the SDK.
pub(crate) trait OrAws<T> {
    /// Turns the SDK's error into ours.
    fn or_aws(self, clients: &Clients, operation: &'static str) -> Result<T, AwsError>;
}

impl<T, E> OrAws<T> for Result<T, SdkError<E, HttpResponse>>
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    fn or_aws(self, clients: &Clients, operation: &'static str) -> Result<T, AwsError> {
        self.map_err(|error| AwsError::new(clients, operation, error))
    }
}

impl AwsError {
    /// Makes the error of an operation from what the SDK reports.
    pub fn new<E>(
        clients: &Clients,
        operation: &'static str,
        error: SdkError<E, HttpResponse>,
    ) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        Self::of(operation, error, clients.profile(), clients.endpoint_url())
    }

    /// Makes the error of an operation that was called before there were [`Clients`].
    pub(super) fn of<E>(
        operation: &'static str,
        error: SdkError<E, HttpResponse>,
        profile: Option<&str>,
        endpoint_url: Option<&str>,
    ) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        Self(Box::new(Call {
            operation,
            fault: classify(&error),
            profile: profile.map(str::to_owned),
            endpoint_url: endpoint_url.map(str::to_owned),
            source: error.into_source().ok(),
        }))
    }

    /// Makes an error of an answer that lacks what AWS documents that it holds.
    pub(crate) fn incomplete(operation: &'static str, what: &'static str) -> Self {
        Self(Box::new(Call {
            operation,
            fault: Fault::Unknown,
            profile: None,
            endpoint_url: None,
            source: Some(format!("the answer holds no {what}").into()),
        }))
    }

    /// Makes an error of a code that came inside of an answer.
    pub(crate) fn service(operation: &'static str, code: &str, message: &str) -> Self {
        Self(Box::new(Call {
            operation,
            fault: by_code(code, message),
            profile: None,
            endpoint_url: None,
            source: None,
        }))
    }

    /// Makes an error of a call that got no answer, or none that could be read.
    pub(super) fn without_answer(
        operation: &'static str,
        fault: Fault,
        source: Option<Source>,
    ) -> Self {
        Self(Box::new(Call {
            operation,
            fault,
            profile: None,
            endpoint_url: None,
            source,
        }))
    }

    /// Makes an error of an answer that says nothing but its status.
    pub(super) fn answered(operation: &'static str, status: u16) -> Self {
        Self::without_answer(operation, by_status(status), None)
    }

    /// Returns the reason.
    pub fn fault(&self) -> &Fault {
        &self.0.fault
    }

    /// Returns the name of the operation.
    pub fn operation(&self) -> &'static str {
        self.0.operation
    }

    /// Returns the error code, where AWS sent one.
    pub fn code(&self) -> Option<&str> {
        match &self.0.fault {
            Fault::InvalidCredentials { code, .. }
            | Fault::Denied { code, .. }
            | Fault::Throttled { code }
            | Fault::Service { code, .. } => Some(code),
            Fault::NoCredentials
            | Fault::ExpiredCredentials
            | Fault::Unreachable
            | Fault::Unknown => None,
        }
    }

    /// Returns what AWS said, where it said anything.
    pub fn message(&self) -> Option<&str> {
        match &self.0.fault {
            Fault::InvalidCredentials { message, .. }
            | Fault::Denied { message, .. }
            | Fault::Service { message, .. } => Some(message),
            _ => None,
        }
    }

    /// Returns what is wrong with the credentials that are configured; nothing, where none are: all that the SDK then
    /// says is where it looked.
    fn why_not_loaded(&self) -> Option<&CredentialsError> {
        let source = self.0.source.as_deref()?;
        let error = credentials_error(source)?;
        (!matches!(error, CredentialsError::CredentialsNotLoaded(_))).then_some(error)
    }

    /// Returns the kind under which the command line reports this.
    pub fn kind(&self) -> Kind {
        match self.0.fault {
            Fault::NoCredentials | Fault::ExpiredCredentials | Fault::InvalidCredentials { .. } => {
                Kind::Credentials
            }
            _ => Kind::Aws,
        }
    }

    /// Returns what the reader can do about it.
    pub fn hints(&self) -> Vec<String> {
        let sign_in = match &self.0.profile {
            Some(profile) => format!("run `aws sso login --profile {profile}`"),
            None => {
                "run `aws sso login`, or choose a profile for the stage in stackctl.toml".into()
            }
        };
        match &self.0.fault {
            Fault::NoCredentials => vec![
                match &self.0.profile {
                    Some(profile) => format!(
                        "see whether the AWS configuration has a profile `{profile}`, or {sign_in}"
                    ),
                    None => sign_in,
                },
                "`--local` deploys to the local engine and needs no account".into(),
            ],
            Fault::ExpiredCredentials | Fault::InvalidCredentials { .. } => vec![sign_in],
            Fault::Denied { .. } => vec![format!(
                "allow the caller the action behind {}, or use another profile",
                self.0.operation
            )],
            Fault::Throttled { .. } => {
                vec!["run the same command again: it goes on where this one stopped".into()]
            }
            Fault::Unreachable => vec![match &self.0.endpoint_url {
                Some(endpoint_url) => format!("check that something answers at {endpoint_url}"),
                None => "check the network, the region and the proxy".into(),
            }],
            Fault::Service { .. } | Fault::Unknown => Vec::new(),
        }
    }
}

impl std::fmt::Display for AwsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let operation = self.0.operation;
        match &self.0.fault {
            Fault::NoCredentials if self.why_not_loaded().is_some() => {
                write!(f, "the AWS credentials cannot be loaded")
            }
            Fault::NoCredentials => write!(f, "no AWS credentials were found"),
            Fault::ExpiredCredentials => {
                write!(f, "the AWS credentials are expired ({operation})")
            }
            Fault::InvalidCredentials { code, message } => write!(
                f,
                "AWS does not accept the credentials: {message} ({operation}: {code})"
            ),
            Fault::Denied { code, message } => {
                write!(f, "AWS denied the call: {message} ({operation}: {code})")
            }
            Fault::Throttled { code } => write!(
                f,
                "AWS asked to slow down even after several retries ({operation}: {code})"
            ),
            Fault::Unreachable => {
                let whom = self.0.endpoint_url.as_deref().unwrap_or("AWS");
                write!(f, "{whom} could not be reached for {operation}")
            }
            Fault::Service { code, message } if message.is_empty() => {
                write!(f, "{operation} failed with {code}")
            }
            Fault::Service { code, message } => write!(f, "{message} ({operation}: {code})"),
            Fault::Unknown => write!(f, "the answer to {operation} was not understood"),
        }
    }
}

impl std::error::Error for AwsError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self.0.fault {
            // The code and the message of AWS are in our own text; the SDK's error repeats them.
            Fault::NoCredentials => self.why_not_loaded().map(|source| source as _),
            Fault::Unreachable | Fault::Unknown => {
                self.0.source.as_deref().map(|source| source as _)
            }
            _ => None,
        }
    }
}

/// Tells errors apart by their codes.
///
/// The codes are those of <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html> and of the retry behaviour that the SDKs
/// share.
fn classify<E>(error: &SdkError<E, HttpResponse>) -> Fault
where
    E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
{
    match error {
        SdkError::ConstructionFailure(_) | SdkError::DispatchFailure(_)
            if credentials_error(error).is_some() =>
        {
            Fault::NoCredentials
        }
        SdkError::DispatchFailure(_) | SdkError::TimeoutError(_) => Fault::Unreachable,
        SdkError::ServiceError(context) => {
            let service = context.err();
            match service.code() {
                Some(code) => by_code(code, service.message().unwrap_or_default()),
                None => by_status(context.raw().status().as_u16()),
            }
        }
        _ => Fault::Unknown,
    }
}

/// Returns whether a code asks to slow down.
pub(super) fn is_throttling(code: &str) -> bool {
    matches!(by_code(code, ""), Fault::Throttled { .. })
}

fn by_code(code: &str, message: &str) -> Fault {
    let (code, message) = (code.to_owned(), message.to_owned());
    match code.as_str() {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" => Fault::ExpiredCredentials,
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "InvalidAccessKeyId"
        | "SignatureDoesNotMatch"
        | "InvalidSignatureException"
        | "IncompleteSignature"
        | "MissingAuthenticationToken"
        | "InvalidToken"
        | "AuthFailure" => Fault::InvalidCredentials { code, message },
        "AccessDenied"
        | "AccessDeniedException"
        | "UnauthorizedOperation"
        | "NotAuthorized"
        | "OptInRequired"
        | "Forbidden" => Fault::Denied { code, message },
        "Throttling"
        | "ThrottlingException"
        | "ThrottledException"
        | "RequestThrottled"
        | "RequestThrottledException"
        | "RequestLimitExceeded"
        | "TooManyRequestsException"
        | "SlowDown"
        | "EC2ThrottledException"
        | "BandwidthLimitExceeded"
        | "PriorRequestNotComplete" => Fault::Throttled { code },
        _ => Fault::Service { code, message },
    }
}

/// Tells answers without a body apart, such as those to a HEAD request of S3: the status is all there is.
fn by_status(status: u16) -> Fault {
    let code = format!("HTTP {status}");
    match status {
        401 | 403 => Fault::Denied {
            code,
            message: "the answer gives no reason".into(),
        },
        429 | 503 => Fault::Throttled { code },
        _ => Fault::Service {
            code,
            message: String::new(),
        },
    }
}

/// Returns what the chain of sources says of the credentials: the SDK reports a missing identity as a call that could
/// not be made.
fn credentials_error<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> Option<&'a CredentialsError> {
    std::iter::successors(Some(error), |error| error.source())
        .find_map(|error| error.downcast_ref())
}
