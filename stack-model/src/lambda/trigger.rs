//! What invokes a function.

use std::panic::Location;

use stack_model_cfn::lambda as cfn;

use super::FunctionRef;
use super::filter::{self, RecordFilter};
use crate::contract::{Accepts, FunctionContract, event};
use crate::handle::{Handle, ResourceRef};
use crate::limit::Limited;
use crate::resource::Resource;
use crate::sqs::{QueueOperation, QueueRef};
use crate::stack::Stack;

/// Something that invokes the function `F`.
///
/// A trigger demands that the function accepts the events it sends.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot trigger the function `{F}`",
    label = "not a trigger of this function",
    note = "a trigger is made by a handle, such as `queue.batches_of(..)`, and the function must accept its events"
)]
pub trait Trigger<F: FunctionContract> {
    /// Adds what the trigger needs to the stack.
    fn attach(
        self,
        stack: &mut Stack<'_>,
        function: &FunctionRef<F>,
        source: &'static Location<'static>,
    ) -> ResourceRef;
}

/// How many messages an invocation gets at most.
pub type BatchSize = Limited<1, 10_000>;

/// How long a batch is gathered, in seconds.
pub type BatchWindow = Limited<0, 300>;

/// How many invocations a queue may have running at once.
pub type MaximumConcurrency = Limited<2, 1000>;

/// Batches of messages from a queue, made by [`QueueRef::batches_of`]. A FIFO queue sends at most 10 messages in one
/// and has no window; see <https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-parameters.html>.
///
/// See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html>.
#[derive(Clone, Debug)]
pub struct QueueTrigger<M> {
    queue: QueueRef<M>,
    batch_size: BatchSize,
    window: Option<BatchWindow>,
    concurrency: Option<MaximumConcurrency>,
    filters: Vec<RecordFilter>,
}

impl<M> QueueTrigger<M> {
    pub(crate) fn new(queue: QueueRef<M>, batch_size: BatchSize) -> Self {
        Self {
            queue,
            batch_size,
            window: None,
            concurrency: None,
            filters: Vec::new(),
        }
    }

    /// Gathers messages for this long before the function is invoked; batches over 10 messages need it.
    #[must_use]
    pub fn window(mut self, window: impl Into<BatchWindow>) -> Self {
        self.window = Some(window.into());
        self
    }

    /// Keeps the queue from taking all of the account's concurrency.
    #[must_use]
    pub fn maximum_concurrency(mut self, concurrency: impl Into<MaximumConcurrency>) -> Self {
        self.concurrency = Some(concurrency.into());
        self
    }

    /// Lets only some messages through; the others are deleted. Several filters are alternatives.
    #[must_use]
    pub fn filter(mut self, filter: RecordFilter) -> Self {
        self.filters.push(filter);
        self
    }
}

impl<F: Accepts<event::QueueBatch<M>>, M> Trigger<F> for QueueTrigger<M> {
    /// Adds the event source mapping `<Function><Queue>Trigger`, with partial batch responses, and lets the
    /// function's role receive and delete messages.
    fn attach(
        self,
        stack: &mut Stack<'_>,
        function: &FunctionRef<F>,
        source: &'static Location<'static>,
    ) -> ResourceRef {
        let queue = self.queue.resource_id().logical_id().to_owned();
        let id = format!("{}{queue}Trigger", function.resource_id().logical_id());
        stack.check_limit(&id, "Properties.BatchSize", Some(self.batch_size), source);
        let window_path = "Properties.MaximumBatchingWindowInSeconds";
        stack.check_limit(&id, window_path, self.window, source);
        let concurrency_path = "Properties.ScalingConfig.MaximumConcurrency";
        stack.check_limit(&id, concurrency_path, self.concurrency, source);
        let has_window = self.window.is_some_and(|window| window.get() > 0);
        let over_10 = self.batch_size.get() > 10;
        if self.queue.is_fifo() {
            if over_10 {
                let message = "a FIFO queue sends at most 10 messages in a batch";
                stack.report(&id, Some("Properties.BatchSize"), message, source);
            }
            if has_window {
                let message =
                    "a FIFO queue does not wait for a batch to fill: leave the window out";
                stack.report(&id, Some(window_path), message, source);
            }
        } else if over_10 && !has_window {
            let message = "a batch over 10 messages needs a window of at least one second";
            stack.report(&id, Some(window_path), message, source);
        }
        let visibility = self.queue.visibility_timeout();
        if visibility < function.timeout() {
            let message = format!(
                "the visibility timeout of `{queue}` is {visibility} s and the function may run {} s: a message would be delivered again while it is being worked on; AWS recommends six times the function's timeout",
                function.timeout()
            );
            stack.report(&id, None, message, source);
        }
        let known = ["body", "attributes", "messageAttributes", "messageId"];
        filter::check_source(&self.filters, &known, &id, stack, source);
        let operations = [
            QueueOperation::Receive,
            QueueOperation::Delete,
            QueueOperation::GetAttributes,
        ];
        stack.grant(function.role(), self.queue.statements(&operations));
        let mapping = cfn::EventSourceMapping {
            batch_size: self.batch_size.number().into(),
            event_source_arn: self.queue.arn().into_text().into(),
            filter_criteria: filter::criteria(&self.filters, &id, stack, source).into(),
            function_name: function.arn().into_text().into(),
            function_response_types: ["ReportBatchItemFailures"].into(),
            maximum_batching_window_in_seconds: self.window.map(Limited::number).into(),
            scaling_config: self
                .concurrency
                .map(|concurrency| cfn::event_source_mapping::ScalingConfig {
                    maximum_concurrency: concurrency.number().into(),
                })
                .into(),
            ..cfn::EventSourceMapping::default()
        };
        stack.insert(&id, Resource::of(&mapping, source))
    }
}

impl Stack<'_> {
    /// Lets something invoke a function, such as `queue.batches_of(10.into())`.
    #[track_caller]
    pub fn trigger<F: FunctionContract>(
        &mut self,
        function: &FunctionRef<F>,
        trigger: impl Trigger<F>,
    ) -> ResourceRef {
        trigger.attach(self, function, Location::caller())
    }
}
