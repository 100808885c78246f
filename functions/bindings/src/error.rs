//! Why a call to AWS failed, the same for all bindings.

use std::error::Error;
use std::fmt;

use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

/// A call of a binding that failed, after the retries of the SDK.
///
/// The text says what was tried on which resource and why it failed; the SDK's own error is the source.
#[derive(Debug)]
pub struct CallError {
    action: &'static str,
    resource: String,
    reason: Reason,
    code: Option<String>,
    request_id: Option<String>,
    source: Option<Box<dyn Error + Send + Sync>>,
}

/// Why a call failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// A condition of the call does not hold, such as that the item is new.
    ConditionFailed,
    /// Another transaction is changing the same item.
    Conflict,
    /// The resource, or what it should contain, does not exist.
    NotFound,
    /// The role of the function does not allow the call, or its credentials are not valid.
    AccessDenied,
    /// The service refuses calls because there are too many.
    Throttled,
    /// The service finds the request wrong.
    Invalid,
    /// The value cannot be written in the form that the service stores.
    Encode,
    /// What the service returned cannot be read as the type of the binding.
    Decode,
    /// The service did not answer in time.
    Timeout,
    /// The service cannot be reached.
    Unreachable,
    /// The service took a part of a batch only, even after retries.
    Incomplete,
    /// The service failed otherwise; [`CallError::code`] says how.
    Service,
}

impl Reason {
    const fn text(self) -> &'static str {
        match self {
            Self::ConditionFailed => "its condition does not hold",
            Self::Conflict => "another transaction is changing it",
            Self::NotFound => "it does not exist",
            Self::AccessDenied => "access is denied",
            Self::Throttled => "there are too many requests",
            Self::Invalid => "the service finds the request invalid",
            Self::Encode => "the value cannot be encoded",
            Self::Decode => "the answer cannot be decoded",
            Self::Timeout => "there was no answer in time",
            Self::Unreachable => "the service cannot be reached",
            Self::Incomplete => "the service took only a part of it",
            Self::Service => "the service failed",
        }
    }
}

impl CallError {
    /// Makes an error that no service has reported.
    pub(crate) fn new(action: &'static str, resource: &str, reason: Reason) -> Self {
        Self {
            action,
            resource: resource.to_owned(),
            reason,
            code: None,
            request_id: None,
            source: None,
        }
    }

    /// Makes an error of a code that the SDK does not take for an error.
    #[cfg(any(feature = "event-bus", feature = "iot"))]
    pub(crate) fn with_code(action: &'static str, resource: &str, code: &str) -> Self {
        let mut error = Self::new(action, resource, reason_of(Some(code)));
        error.code = Some(code.to_owned());
        error
    }

    /// Adds what caused the error.
    pub(crate) fn caused_by(mut self, source: impl Error + Send + Sync + 'static) -> Self {
        self.source = Some(Box::new(source));
        self
    }

    /// Makes an error of what the SDK reports.
    pub(crate) fn from_sdk<E, R>(
        action: &'static str,
        resource: &str,
        error: SdkError<E, R>,
    ) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
        R: fmt::Debug + Send + Sync + 'static,
    {
        let reason = match &error {
            SdkError::TimeoutError(_) => Reason::Timeout,
            SdkError::DispatchFailure(failure) if failure.is_timeout() => Reason::Timeout,
            SdkError::DispatchFailure(_) => Reason::Unreachable,
            SdkError::ConstructionFailure(_) => Reason::Encode,
            SdkError::ResponseError(_) => Reason::Decode,
            SdkError::ServiceError(failure) => reason_of(failure.err().code()),
            _ => Reason::Service,
        };
        let metadata = error.as_service_error().map(ProvideErrorMetadata::meta);
        Self {
            action,
            resource: resource.to_owned(),
            reason,
            code: metadata.and_then(|metadata| metadata.code().map(str::to_owned)),
            request_id: metadata
                .and_then(|metadata| metadata.extra("aws_request_id").map(str::to_owned)),
            source: Some(Box::new(error)),
        }
    }

    /// Replaces the reason by a more exact one, which only transactions know.
    #[cfg(feature = "table")]
    pub(crate) fn because(mut self, reason: Reason) -> Self {
        self.reason = reason;
        self
    }

    /// Returns why the call failed.
    pub fn reason(&self) -> Reason {
        self.reason
    }

    /// Returns the service's own error code, such as `ConditionalCheckFailedException`.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// Returns the id under which AWS knows the request.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "could not {} {}: {}",
            self.action,
            self.resource,
            self.reason.text()
        )?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        Ok(())
    }
}

impl Error for CallError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_ref().map(|source| {
            let source: &(dyn Error + 'static) = source.as_ref();
            source
        })
    }
}

/// Finds the reason behind an error code.
///
/// The codes are those of the services' API references, and the ones all of them share:
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CommonErrors.html>.
fn reason_of(code: Option<&str>) -> Reason {
    let Some(code) = code else {
        return Reason::Service;
    };
    // SQS still sends the codes of its older protocol with this prefix.
    let code = code.strip_prefix("AWS.SimpleQueueService.").unwrap_or(code);
    match code {
        "ConditionalCheckFailedException" | "PreconditionFailed" => Reason::ConditionFailed,
        "TransactionConflictException" | "TransactionInProgressException" => Reason::Conflict,
        "ResourceNotFoundException"
        | "ExecutionDoesNotExist"
        | "GoneException"
        | "InvalidS3ObjectException"
        | "StateMachineDoesNotExist"
        | "TaskDoesNotExist"
        | "TaskTimedOut"
        | "NotFound"
        | "NotFoundException"
        | "NoSuchBucket"
        | "NoSuchKey"
        | "NonExistentQueue"
        | "QueueDoesNotExist"
        | "ParameterNotFound"
        | "ParameterVersionNotFound" => Reason::NotFound,
        "AccessDenied"
        | "AccessDeniedException"
        | "AuthorizationError"
        | "AuthorizationErrorException"
        | "ExpiredToken"
        | "ExpiredTokenException"
        | "IncompleteSignature"
        | "InvalidAccessKeyId"
        | "InvalidClientTokenId"
        | "KmsAccessDenied"
        | "KMSAccessDenied"
        | "KMSAccessDeniedException"
        | "NotAuthorizedForDetailTypeException"
        | "NotAuthorizedForSourceException"
        | "SignatureDoesNotMatch"
        | "UnrecognizedClientException" => Reason::AccessDenied,
        "KmsThrottled"
        | "KMSThrottling"
        | "KMSThrottlingException"
        | "LimitExceededException"
        | "OverLimit"
        | "ProvisionedThroughputExceededException"
        | "RequestLimitExceeded"
        | "RequestThrottled"
        | "SlowDown"
        | "Throttled"
        | "ThrottledException"
        | "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException" => Reason::Throttled,
        "BatchRequestTooLong"
        | "EntityTooLarge"
        | "InvalidArgument"
        | "InvalidInput"
        | "InvalidMessageContents"
        | "InvalidParameter"
        | "InvalidParameterException"
        | "InvalidParameterValue"
        | "InvalidParameterValueException"
        | "InvalidRequest"
        | "InvalidRequestException"
        | "ItemCollectionSizeLimitExceededException"
        | "MalformedDetail"
        | "MissingParameter"
        | "ValidationError"
        | "ValidationException" => Reason::Invalid,
        _ => Reason::Service,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_have_reasons() {
        for (code, reason) in [
            ("ConditionalCheckFailedException", Reason::ConditionFailed),
            ("AWS.SimpleQueueService.NonExistentQueue", Reason::NotFound),
            ("NoSuchBucket", Reason::NotFound),
            ("AccessDeniedException", Reason::AccessDenied),
            ("ProvisionedThroughputExceededException", Reason::Throttled),
            ("ValidationException", Reason::Invalid),
            ("InternalServerError", Reason::Service),
        ] {
            assert_eq!(reason_of(Some(code)), reason, "{code}");
        }
        assert_eq!(reason_of(None), Reason::Service);
    }

    #[test]
    fn the_text_names_action_resource_and_reason() {
        let error = CallError::new("put an item into", "table `orders`", Reason::Encode);
        assert_eq!(
            error.to_string(),
            "could not put an item into table `orders`: the value cannot be encoded"
        );
    }
}
