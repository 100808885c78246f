//! Functions that follow the changes of a table.

use std::panic::Location;

use stack_model_cfn::lambda as cfn;

use super::filter::{self, RecordFilter};
use super::{BatchSize, BatchWindow, FailureDestination, FunctionRef, Trigger};
use crate::contract::{Accepts, event};
use crate::dynamodb::TableRef;
use crate::handle::{Handle, ResourceRef};
use crate::limit::Limited;
use crate::resource::Resource;
use crate::stack::Stack;

/// How often a batch of changes is tried again.
pub type StreamRetryAttempts = Limited<0, 10_000>;

/// How old a change may be that a function still gets, in seconds: one minute to one week.
pub type RecordAge = Limited<60, 604_800>;

/// How many batches of one shard are worked on at once; changes of one item stay in order.
pub type Parallelization = Limited<1, 10>;

/// Where a function starts to read a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StreamStart {
    /// At the oldest change that the stream still has, of the last 24 hours.
    #[default]
    Oldest,
    /// At the first change after the trigger was made; changes of the minutes around it may be missed.
    Newest,
}

impl StreamStart {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Oldest => "TRIM_HORIZON",
            Self::Newest => "LATEST",
        }
    }
}

/// The changes of the items of a table, made by [`TableRef::changes`].
///
/// A batch that fails is tried again until it succeeds or is 24 hours old, and holds up all later changes of its shard;
/// [`attempts`](Self::attempts) and [`maximum_age`](Self::maximum_age) end that earlier, and then
/// [`on_failure`](Self::on_failure) says where the loss is reported. The function says which change of a batch failed,
/// so those before it are not repeated.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html>.
#[derive(Clone, Debug)]
pub struct StreamTrigger<T> {
    table: TableRef<T>,
    batch_size: Option<BatchSize>,
    window: Option<BatchWindow>,
    start: StreamStart,
    filters: Vec<RecordFilter>,
    bisect: bool,
    attempts: Option<StreamRetryAttempts>,
    maximum_age: Option<RecordAge>,
    on_failure: Option<FailureDestination>,
    parallelization: Option<Parallelization>,
}

impl<T> TableRef<T> {
    /// Makes a trigger that sends the changes of the items to a function; the table needs a
    /// [stream](crate::dynamodb::TableProps::stream).
    ///
    /// ```
    /// use stack_model::dynamodb::TableRef;
    /// use stack_model::lambda::{ChangeKind, RecordFilter, StreamTrigger};
    /// use stack_model::sqs::QueueRef;
    ///
    /// fn closed_orders<T>(orders: &TableRef<T>, lost: &QueueRef<String>) -> StreamTrigger<T> {
    ///     orders
    ///         .changes()
    ///         .batches_of(10)
    ///         .filter(RecordFilter::changes([ChangeKind::Modify]))
    ///         .attempts(5)
    ///         .on_failure(lost)
    /// }
    /// ```
    pub fn changes(&self) -> StreamTrigger<T> {
        StreamTrigger {
            table: self.clone(),
            batch_size: None,
            window: None,
            start: StreamStart::default(),
            filters: Vec::new(),
            bisect: false,
            attempts: None,
            maximum_age: None,
            on_failure: None,
            parallelization: None,
        }
    }
}

impl<T> StreamTrigger<T> {
    /// Sends at most so many changes at once; 100 by default, which is AWS's.
    #[must_use]
    pub fn batches_of(mut self, size: impl Into<BatchSize>) -> Self {
        self.batch_size = Some(size.into());
        self
    }

    /// Gathers changes for this long before the function is invoked.
    #[must_use]
    pub fn window(mut self, window: impl Into<BatchWindow>) -> Self {
        self.window = Some(window.into());
        self
    }

    /// Says where the function starts to read; at the oldest change by default.
    #[must_use]
    pub fn starting(mut self, start: StreamStart) -> Self {
        self.start = start;
        self
    }

    /// Lets only some changes through. Several filters are alternatives.
    #[must_use]
    pub fn filter(mut self, filter: RecordFilter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Cuts a batch that failed in half, to find the change that it failed at. It is not needed where the function says
    /// which change failed.
    #[must_use]
    pub fn bisecting(mut self) -> Self {
        self.bisect = true;
        self
    }

    /// Gives a batch up after so many more attempts.
    #[must_use]
    pub fn attempts(mut self, attempts: impl Into<StreamRetryAttempts>) -> Self {
        self.attempts = Some(attempts.into());
        self
    }

    /// Gives changes up that are this old.
    #[must_use]
    pub fn maximum_age(mut self, age: impl Into<RecordAge>) -> Self {
        self.maximum_age = Some(age.into());
        self
    }

    /// Says where it is reported that changes were given up.
    #[must_use]
    pub fn on_failure(mut self, destination: impl Into<FailureDestination>) -> Self {
        self.on_failure = Some(destination.into());
        self
    }

    /// Works on several batches of a shard at once; changes of one item stay in order.
    #[must_use]
    pub fn in_parallel(mut self, batches: impl Into<Parallelization>) -> Self {
        self.parallelization = Some(batches.into());
        self
    }

    fn check(&self, id: &str, stack: &mut Stack<'_>, source: &Location<'_>) {
        stack.check_limit(id, "Properties.BatchSize", self.batch_size, source);
        let path = "Properties.MaximumBatchingWindowInSeconds";
        stack.check_limit(id, path, self.window, source);
        let path = "Properties.MaximumRetryAttempts";
        stack.check_limit(id, path, self.attempts, source);
        let path = "Properties.MaximumRecordAgeInSeconds";
        stack.check_limit(id, path, self.maximum_age, source);
        let path = "Properties.ParallelizationFactor";
        stack.check_limit(id, path, self.parallelization, source);
        if let Some(destination) = &self.on_failure {
            destination.check(id, stack, source);
            if self.attempts.is_none() && self.maximum_age.is_none() {
                let message = "nothing is given up before it leaves the stream: say when with `attempts(..)` or `maximum_age(..)`";
                let path = "Properties.DestinationConfig";
                stack.report(id, Some(path), message, source);
            }
        }
        let known = [
            "eventName",
            "dynamodb",
            "userIdentity",
            "eventID",
            "eventSource",
        ];
        filter::check_source(&self.filters, &known, id, stack, source);
    }
}

impl<F: Accepts<event::TableChanges<T>>, T> Trigger<F> for StreamTrigger<T> {
    /// Adds the event source mapping `<Function><Table>Trigger`, with partial batch responses, and lets the function's
    /// role read the stream.
    fn attach(
        self,
        stack: &mut Stack<'_>,
        function: &FunctionRef<F>,
        source: &'static Location<'static>,
    ) -> ResourceRef {
        let table = self.table.resource_id().logical_id();
        let id = format!("{}{table}Trigger", function.resource_id().logical_id());
        self.check(&id, stack, source);
        // A table without a stream is reported with the statement that would read it.
        let statements = self.table.follow_statements();
        stack.add_statements(function.role(), statements, source);
        if let Some(destination) = &self.on_failure {
            stack.add_statements(function.role(), destination.statements(), source);
        }
        let mapping = cfn::EventSourceMapping {
            batch_size: self.batch_size.map(Limited::number).into(),
            bisect_batch_on_function_error: self.bisect.then_some(true).into(),
            destination_config: self
                .on_failure
                .as_ref()
                .map(|destination| cfn::event_source_mapping::DestinationConfig {
                    on_failure: cfn::event_source_mapping::OnFailure {
                        destination: destination.arn().into(),
                    }
                    .into(),
                })
                .into(),
            event_source_arn: self
                .table
                .stream_arn()
                .map(stack_model_cfn::Value::into_text)
                .into(),
            filter_criteria: filter::criteria(&self.filters, &id, stack, source).into(),
            function_name: function.arn().into_text().into(),
            function_response_types: ["ReportBatchItemFailures"].into(),
            maximum_batching_window_in_seconds: self.window.map(Limited::number).into(),
            maximum_record_age_in_seconds: self.maximum_age.map(Limited::number).into(),
            maximum_retry_attempts: self.attempts.map(Limited::number).into(),
            parallelization_factor: self.parallelization.map(Limited::number).into(),
            starting_position: self.start.name().into(),
            ..cfn::EventSourceMapping::default()
        };
        stack.insert(&id, Resource::of(&mapping, source))
    }
}
