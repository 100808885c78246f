//! Where a pipe reads, and what it does before it sends.

use std::marker::PhantomData;
use std::panic::Location;

use stack_model_cfn::Value;
use stack_model_cfn::pipes::pipe as cfn;

use crate::contract::{Accepts, event};
use crate::dynamodb::TableRef;
use crate::events::grammar::Dialect;
use crate::events::{AnyDetail, Template};
use crate::lambda::{
    BatchSize, BatchWindow, FunctionRef, RecordAge, RecordFilter, StreamRetryAttempts, StreamStart,
    filter,
};
use crate::limit::Limited;
use crate::policy::Statement;
use crate::sqs::{DeadLetterQueue, QueueOperation, QueueRef};
use crate::stack::Stack;

/// What flows through a pipe: records of a source, filtered, enriched and transformed until each is a `P`.
///
/// A function and a state machine get them as a list, everything else one by one.
pub struct Flow<P> {
    source: Source,
    batch_size: Option<BatchSize>,
    window: Option<BatchWindow>,
    filters: Vec<RecordFilter>,
    attempts: Option<StreamRetryAttempts>,
    maximum_age: Option<RecordAge>,
    dead_letters: Option<DeadLetterQueue>,
    enrichment: Option<Enrichment>,
    /// The template for the next step: the enrichment or the target.
    template: Option<Template>,
    /// What was said in the wrong order.
    problems: Vec<String>,
    record: PhantomData<fn() -> P>,
}

#[derive(Clone, Debug)]
enum Source {
    Queue {
        arn: Value<String>,
        statements: Vec<Statement>,
    },
    Table {
        arn: Option<Value<String>>,
        statements: Vec<Statement>,
        start: StreamStart,
    },
    Kinesis {
        arn: Value<String>,
        start: StreamStart,
    },
}

#[derive(Clone, Debug)]
struct Enrichment {
    arn: Value<String>,
    statement: Statement,
    template: Option<Template>,
}

impl<P> std::fmt::Debug for Flow<P> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Flow")
            .field("source", &self.source)
            .finish_non_exhaustive()
    }
}

impl Flow<AnyDetail> {
    /// Reads a queue; the records have the message as text in `body`, and templates reach into it where it is JSON.
    pub fn from_queue<M>(queue: &QueueRef<M>) -> Self {
        let operations = [
            QueueOperation::Receive,
            QueueOperation::Delete,
            QueueOperation::GetAttributes,
        ];
        Self::of(Source::Queue {
            arn: queue.arn().into_text(),
            statements: queue.statements(&operations),
        })
    }

    /// Follows the changes of a table, which needs a [stream](crate::dynamodb::TableProps::stream).
    pub fn from_changes<T>(table: &TableRef<T>, start: StreamStart) -> Self {
        Self::of(Source::Table {
            arn: table.stream_arn().map(Value::into_text),
            statements: table.follow_statements(),
            start,
        })
    }

    /// Reads a Kinesis stream, by its ARN.
    pub fn from_kinesis(arn: impl Into<Value<String>>, start: StreamStart) -> Self {
        Self::of(Source::Kinesis {
            arn: arn.into(),
            start,
        })
    }

    fn of(source: Source) -> Self {
        Self {
            source,
            batch_size: None,
            window: None,
            filters: Vec::new(),
            attempts: None,
            maximum_age: None,
            dead_letters: None,
            enrichment: None,
            template: None,
            problems: Vec::new(),
            record: PhantomData,
        }
    }
}

impl<P> Flow<P> {
    /// Reads at most so many records at once; 10 of a queue and 100 of a stream by default, which is AWS's.
    #[must_use]
    pub fn batches_of(mut self, size: impl Into<BatchSize>) -> Self {
        self.batch_size = Some(size.into());
        self
    }

    /// Gathers records for this long.
    #[must_use]
    pub fn window(mut self, window: impl Into<BatchWindow>) -> Self {
        self.window = Some(window.into());
        self
    }

    /// Lets only some records through. Several filters are alternatives.
    #[must_use]
    pub fn filter(mut self, filter: RecordFilter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Gives records of a stream up after so many more attempts; by default when they leave the stream.
    #[must_use]
    pub fn attempts(mut self, attempts: impl Into<StreamRetryAttempts>) -> Self {
        self.attempts = Some(attempts.into());
        self
    }

    /// Gives records of a stream up that are this old.
    #[must_use]
    pub fn maximum_age(mut self, age: impl Into<RecordAge>) -> Self {
        self.maximum_age = Some(age.into());
        self
    }

    /// Says where it is reported that records of a stream were given up. A queue has dead letters of its own.
    #[must_use]
    pub fn dead_letters(mut self, queue: impl Into<DeadLetterQueue>) -> Self {
        self.dead_letters = Some(queue.into());
        self
    }

    /// Makes JSON with parts of each record, which the next step reads as a `Q`.
    #[must_use]
    pub fn transformed<Q>(mut self, template: Template) -> Flow<Q> {
        if self.template.replace(template).is_some() {
            self.problems
                .push("two templates follow one another: put them into one".to_owned());
        }
        self.into_flow()
    }

    /// Sends the records through a function, which answers with a list of `Q`s. That it does is not checked.
    #[must_use]
    pub fn enriched<Q, F: Accepts<event::Invocation<Vec<P>>>>(
        mut self,
        function: &FunctionRef<F>,
    ) -> Flow<Q> {
        let enrichment = Enrichment {
            arn: function.arn().into_text(),
            statement: function.invoke_statement(),
            template: self.template.take(),
        };
        if self.enrichment.replace(enrichment).is_some() {
            self.problems
                .push("a pipe has one enrichment: let one function do both".to_owned());
        }
        self.into_flow()
    }

    fn into_flow<Q>(self) -> Flow<Q> {
        Flow {
            source: self.source,
            batch_size: self.batch_size,
            window: self.window,
            filters: self.filters,
            attempts: self.attempts,
            maximum_age: self.maximum_age,
            dead_letters: self.dead_letters,
            enrichment: self.enrichment,
            template: self.template,
            problems: self.problems,
            record: PhantomData,
        }
    }

    pub(super) fn render(
        self,
        logical_id: &str,
        stack: &mut Stack<'_>,
        source: &Location<'_>,
    ) -> Rendered {
        for message in &self.problems {
            stack.report(logical_id, None, message.as_str(), source);
        }
        self.check(logical_id, stack, source);
        let mut templates = Vec::new();
        let (enrichment, statement, before) = match self.enrichment {
            Some(enrichment) => (
                Some(enrichment.arn),
                Some(enrichment.statement),
                enrichment.template,
            ),
            None => (None, None, None),
        };
        for template in [before, self.template] {
            templates.push(template.map(|template| {
                let (template, violations) = template.render_for_pipe();
                for message in violations {
                    stack.report(
                        logical_id,
                        Some("Properties.InputTemplate"),
                        message,
                        source,
                    );
                }
                template
            }));
        }
        let template = templates.pop().flatten();
        let enrichment_template = templates.pop().flatten();

        let filters = filter::render(&self.filters, Dialect::Pipe, logical_id, stack, source);
        let criteria = (!filters.is_empty()).then(|| {
            let filters: Vec<cfn::Filter> = filters
                .into_iter()
                .map(|pattern| cfn::Filter {
                    pattern: pattern.into(),
                })
                .collect();
            cfn::FilterCriteria {
                filters: filters.into(),
            }
        });
        let dead_letters = self.dead_letters.as_ref();
        let dead_letter_config = dead_letters.map(|queue| cfn::DeadLetterConfig {
            arn: queue.arn().into(),
        });
        let batch_size = self.batch_size.map(Limited::number);
        let window = self.window.map(Limited::number);
        let age = self.maximum_age.map(Limited::number);
        let attempts = self.attempts.map(Limited::number);
        let mut statements: Vec<Statement> = dead_letters
            .map(DeadLetterQueue::statements)
            .unwrap_or_default();
        let mut parameters = cfn::PipeSourceParameters {
            filter_criteria: criteria.into(),
            ..cfn::PipeSourceParameters::default()
        };
        let arn = match self.source {
            Source::Queue {
                arn,
                statements: read,
            } => {
                statements.extend(read);
                parameters.sqs_queue_parameters = cfn::PipeSourceSqsQueueParameters {
                    batch_size: batch_size.into(),
                    maximum_batching_window_in_seconds: window.into(),
                }
                .into();
                Some(arn)
            }
            Source::Table {
                arn,
                statements: read,
                start,
            } => {
                statements.extend(read);
                parameters.dynamo_db_stream_parameters = cfn::PipeSourceDynamoDBStreamParameters {
                    batch_size: batch_size.into(),
                    dead_letter_config: dead_letter_config.into(),
                    maximum_batching_window_in_seconds: window.into(),
                    maximum_record_age_in_seconds: age.into(),
                    maximum_retry_attempts: attempts.into(),
                    starting_position: start.name().into(),
                    ..cfn::PipeSourceDynamoDBStreamParameters::default()
                }
                .into();
                arn
            }
            Source::Kinesis { arn, start } => {
                let read = [
                    "kinesis:DescribeStream",
                    "kinesis:DescribeStreamSummary",
                    "kinesis:GetRecords",
                    "kinesis:GetShardIterator",
                    "kinesis:ListShards",
                ];
                statements.push(Statement::allow(read).on(arn.clone()));
                parameters.kinesis_stream_parameters = cfn::PipeSourceKinesisStreamParameters {
                    batch_size: batch_size.into(),
                    dead_letter_config: dead_letter_config.into(),
                    maximum_batching_window_in_seconds: window.into(),
                    maximum_record_age_in_seconds: age.into(),
                    maximum_retry_attempts: attempts.into(),
                    starting_position: start.name().into(),
                    ..cfn::PipeSourceKinesisStreamParameters::default()
                }
                .into();
                Some(arn)
            }
        };
        statements.extend(statement);
        Rendered {
            source: arn,
            parameters,
            enrichment,
            enrichment_template,
            template,
            statements,
        }
    }

    fn check(&self, logical_id: &str, stack: &mut Stack<'_>, source: &Location<'_>) {
        let path = "Properties.SourceParameters";
        let kind = match self.source {
            Source::Queue { .. } => "SqsQueueParameters",
            Source::Table { .. } => "DynamoDBStreamParameters",
            Source::Kinesis { .. } => "KinesisStreamParameters",
        };
        let of = |name: &str| format!("{path}.{kind}.{name}");
        stack.check_limit(logical_id, &of("BatchSize"), self.batch_size, source);
        let window_path = of("MaximumBatchingWindowInSeconds");
        stack.check_limit(logical_id, &window_path, self.window, source);
        let attempts_path = of("MaximumRetryAttempts");
        stack.check_limit(logical_id, &attempts_path, self.attempts, source);
        let age_path = of("MaximumRecordAgeInSeconds");
        stack.check_limit(logical_id, &age_path, self.maximum_age, source);
        let of_stream =
            self.attempts.is_some() || self.maximum_age.is_some() || self.dead_letters.is_some();
        if of_stream && matches!(self.source, Source::Queue { .. }) {
            let message = "attempts, age and dead letters of a pipe are for streams: the queue has a redrive of its own";
            stack.report(logical_id, Some(path), message, source);
        }
        if let Some(queue) = &self.dead_letters {
            stack.check_dead_letters(logical_id, queue, source);
        }
        let fields: &[&str] = match self.source {
            Source::Queue { .. } => &["body", "attributes", "messageAttributes", "messageId"],
            Source::Table { .. } => &[
                "eventName",
                "dynamodb",
                "userIdentity",
                "eventID",
                "eventSource",
            ],
            Source::Kinesis { .. } => &["data", "partitionKey", "eventID", "eventSource"],
        };
        filter::check_source(&self.filters, fields, logical_id, stack, source);
    }
}

/// What a flow becomes in a template.
pub(super) struct Rendered {
    pub(super) source: Option<Value<String>>,
    pub(super) parameters: cfn::PipeSourceParameters,
    pub(super) enrichment: Option<Value<String>>,
    pub(super) enrichment_template: Option<Value<String>>,
    pub(super) template: Option<Value<String>>,
    pub(super) statements: Vec<Statement>,
}
