//! What happens after an error.

use std::collections::BTreeMap;

use serde_json::Number;
use stack_model_cfn::Expr;

use super::flow::StateRef;
use super::path::Path;
use super::payload::Payload;
use super::state::Seconds;
use crate::limit::Limited;

/// The names of the errors that Step Functions itself reports.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>.
pub mod errors {
    /// Any error that has a name. It stands alone and last.
    pub const ALL: &str = "States.ALL";
    /// A parent waited longer than it said, or no heartbeat came.
    pub const TIMEOUT: &str = "States.Timeout";
    /// No heartbeat came in time.
    pub const HEARTBEAT_TIMEOUT: &str = "States.HeartbeatTimeout";
    /// A task failed, in whichever way but by taking too long.
    pub const TASK_FAILED: &str = "States.TaskFailed";
    /// The role is not allowed what the task does.
    pub const PERMISSIONS: &str = "States.Permissions";
    /// A result could not be put where its path says.
    pub const RESULT_PATH_MATCH_FAILURE: &str = "States.ResultPathMatchFailure";
    /// A payload names something that is not there.
    pub const PARAMETER_PATH_FAILURE: &str = "States.ParameterPathFailure";
    /// An expression in `JSONata` failed.
    pub const QUERY_EVALUATION_ERROR: &str = "States.QueryEvaluationError";
    /// A branch of a parallel state failed.
    pub const BRANCH_FAILED: &str = "States.BranchFailed";
    /// No rule of a choice held, and there was no other way.
    pub const NO_CHOICE_MATCHED: &str = "States.NoChoiceMatched";
    /// An intrinsic function failed.
    pub const INTRINSIC_FAILURE: &str = "States.IntrinsicFailure";
    /// Too many elements of a map failed.
    pub const EXCEED_TOLERATED_FAILURE_THRESHOLD: &str = "States.ExceedToleratedFailureThreshold";
    /// The elements of a distributed map could not be read.
    pub const ITEM_READER_FAILED: &str = "States.ItemReaderFailed";
    /// The results of a distributed map could not be written.
    pub const RESULT_WRITER_FAILED: &str = "States.ResultWriterFailed";
    /// The state machine was given what it cannot work on; nothing catches it.
    pub const RUNTIME: &str = "States.Runtime";
    /// A result was larger than 256 KiB; `ALL` does not catch it.
    pub const DATA_LIMIT_EXCEEDED: &str = "States.DataLimitExceeded";
    /// A call of an HTTP task took longer than a minute.
    pub const HTTP_SOCKET: &str = "States.Http.Socket";

    /// What another try does not change: that nobody answered in time, and what the state itself gets wrong.
    pub(in crate::stepfunctions) const LASTING: [&str; 5] = [
        HEARTBEAT_TIMEOUT,
        PARAMETER_PATH_FAILURE,
        RESULT_PATH_MATCH_FAILURE,
        INTRINSIC_FAILURE,
        QUERY_EVALUATION_ERROR,
    ];

    pub(in crate::stepfunctions) const KNOWN: [&str; 17] = [
        ALL,
        TIMEOUT,
        HEARTBEAT_TIMEOUT,
        TASK_FAILED,
        PERMISSIONS,
        RESULT_PATH_MATCH_FAILURE,
        PARAMETER_PATH_FAILURE,
        QUERY_EVALUATION_ERROR,
        BRANCH_FAILED,
        NO_CHOICE_MATCHED,
        INTRINSIC_FAILURE,
        EXCEED_TOLERATED_FAILURE_THRESHOLD,
        ITEM_READER_FAILED,
        RESULT_WRITER_FAILED,
        RUNTIME,
        DATA_LIMIT_EXCEEDED,
        HTTP_SOCKET,
    ];
}

/// How often a state is tried again.
pub type MaxAttempts = Limited<0, 99_999_999>;

/// The longest pause between two tries, in seconds.
pub type MaxDelay = Limited<1, 31_622_400>;

/// Tries a state again after certain errors.
///
/// See <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>.
#[derive(Clone, Debug)]
pub struct Retry {
    /// The names of the errors.
    pub errors: Vec<String>,
    /// How long the first pause is; 1 s by default, which is AWS's.
    pub interval: Option<Seconds>,
    /// How often it is tried again; 3 times by default, which is AWS's.
    pub max_attempts: Option<MaxAttempts>,
    /// What every further pause is multiplied with, at least 1; 2 by default, which is AWS's.
    pub backoff_rate: Option<f64>,
    /// The longest pause.
    pub max_delay: Option<MaxDelay>,
    /// Whether pauses are of a random length up to the one computed, so that many executions do not try at once.
    pub jitter: bool,
}

impl Retry {
    /// Tries again after errors of the given names, with the pauses that AWS takes.
    pub fn on<E: Into<String>>(errors: impl IntoIterator<Item = E>) -> Self {
        Self {
            errors: errors.into_iter().map(Into::into).collect(),
            interval: None,
            max_attempts: None,
            backoff_rate: None,
            max_delay: None,
            jitter: false,
        }
    }

    /// Never tries again after errors of the given names, whatever the entries after this one say.
    ///
    /// The first entry that names an error is the one that counts, and this one has no attempts; see
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html#error-handling-retrying-after-an-error>.
    pub fn never_on<E: Into<String>>(errors: impl IntoIterator<Item = E>) -> Self {
        Self {
            max_attempts: Some(0.into()),
            ..Self::on(errors)
        }
    }

    /// Tries again after whatever a task failed with, but for taking too long: 5 times within about half a minute, after
    /// pauses of a random length up to 1 s, 2 s, 4 s, 8 s and 16 s.
    ///
    /// This is for calls of services, which are throttled now and then and fail for a moment. What such an error is called
    /// depends on the service and on the kind of the integration, and an error that the API of a service does not list
    /// has the name of them all, such as `DynamoDB.AmazonDynamoDBException`; so this entry names none, and
    /// [`Task::retry_service_errors`](super::Task::retry_service_errors) puts those before it that stay as they are. See
    /// <https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html>.
    #[must_use]
    pub fn on_service_errors() -> Self {
        Self {
            interval: Some(1.into()),
            max_attempts: Some(5.into()),
            backoff_rate: Some(2.0),
            jitter: true,
            ..Self::on([errors::TASK_FAILED])
        }
    }

    /// Tries again after the errors that invoking a function brings now and then and that pass, being throttled among
    /// them: 6 times, after 2 s, 4 s, 8 s and so on.
    ///
    /// See <https://docs.aws.amazon.com/step-functions/latest/dg/sfn-best-practices.html> and
    /// <https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html#API_Invoke_Errors>.
    #[must_use]
    pub fn on_lambda_service_errors() -> Self {
        Self {
            interval: Some(2.into()),
            max_attempts: Some(6.into()),
            backoff_rate: Some(2.0),
            ..Self::on([
                "Lambda.ServiceException",
                "Lambda.AWSLambdaException",
                "Lambda.SdkClientException",
                "Lambda.TooManyRequestsException",
            ])
        }
    }

    pub(super) fn render(&self) -> Expr {
        let errors = self.errors.iter().map(|error| Expr::from(error.as_str()));
        let mut entries =
            BTreeMap::from([("ErrorEquals".to_owned(), Expr::List(errors.collect()))]);
        let numbers = [
            ("IntervalSeconds", self.interval.map(Limited::number)),
            ("MaxAttempts", self.max_attempts.map(Limited::number)),
            ("MaxDelaySeconds", self.max_delay.map(Limited::number)),
        ];
        for (field, number) in numbers {
            entries.extend(number.map(|number| (field.to_owned(), number.into())));
        }
        if let Some(rate) = self.backoff_rate {
            // A whole number is written as one.
            let rate = Number::from_f64(rate).map_or(Expr::Null, Expr::Number);
            entries.insert("BackoffRate".to_owned(), rate);
        }
        if self.jitter {
            entries.insert("JitterStrategy".to_owned(), "FULL".into());
        }
        Expr::Map(entries)
    }
}

/// Goes on elsewhere after certain errors.
#[derive(Clone, Debug)]
pub struct Catch {
    errors: Vec<String>,
    pub(super) target: StateRef,
    /// Where the error is put, where that is said: at a path, or nowhere.
    paths: BTreeMap<&'static str, Option<Path>>,
    payloads: BTreeMap<&'static str, Payload>,
}

impl Catch {
    /// Goes on to a state after errors of the given names. Its input is the error, with `Error` and `Cause`.
    pub fn on<E: Into<String>>(errors: impl IntoIterator<Item = E>, state: &StateRef) -> Self {
        Self {
            errors: errors.into_iter().map(Into::into).collect(),
            target: state.clone(),
            paths: BTreeMap::new(),
            payloads: BTreeMap::new(),
        }
    }

    /// Puts the error at a path of the input of the state that failed.
    #[must_use]
    pub fn result_path(mut self, path: Path) -> Self {
        self.paths.insert("ResultPath", Some(path));
        self
    }

    /// Drops the error and hands on the input of the state that failed.
    #[must_use]
    pub fn discard_error(mut self) -> Self {
        self.paths.insert("ResultPath", None);
        self
    }

    /// Makes the output, in `JSONata`.
    #[must_use]
    pub fn output(mut self, output: impl Into<Payload>) -> Self {
        self.payloads.insert("Output", output.into());
        self
    }

    /// Sets variables, which later states read as `$name`.
    #[must_use]
    pub fn assign(mut self, variables: impl Into<Payload>) -> Self {
        self.payloads.insert("Assign", variables.into());
        self
    }

    pub(super) fn payloads(&self) -> impl Iterator<Item = &Payload> {
        self.payloads.values()
    }

    pub(super) fn render(&self) -> BTreeMap<String, Expr> {
        let errors = self.errors.iter().map(|error| Expr::from(error.as_str()));
        let mut entries =
            BTreeMap::from([("ErrorEquals".to_owned(), Expr::List(errors.collect()))]);
        for (field, path) in &self.paths {
            let path = path
                .as_ref()
                .map_or(Expr::Null, |path| path.as_str().into());
            entries.insert((*field).to_owned(), path);
        }
        for (field, payload) in &self.payloads {
            entries.insert((*field).to_owned(), payload.render());
        }
        entries
    }
}
