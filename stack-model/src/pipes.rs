//! Amazon EventBridge Pipes: from a queue or a stream to a target, with filters and enrichment between them.

use std::panic::Location;

use stack_model_cfn::pipes as cfn;
use stack_model_cfn::pipes::pipe as pipe_cfn;
use stack_model_cfn::{ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{Handle, get_att, reference};
use crate::iam::RoleProps;
use crate::name::NameRule;
use crate::policy::Statement;
use crate::resource::Resource;
use crate::stack::Stack;

mod source;
mod target;

pub use source::Flow;
pub use target::{PipeDestination, PipeTarget};

/// The principal that EventBridge Pipes acts as.
const SERVICE: &str = "pipes.amazonaws.com";

/// Marks the ARN of a pipe.
#[derive(Debug)]
pub enum Pipe {}

/// What a pipe is made of, beyond its flow and its target.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-pipes-pipe.html>.
#[derive(Clone, Debug, Default)]
pub struct PipeProps {
    /// The physical name: 1 to 64 letters, digits, `.`, `-` and `_`. Leave it out unless something outside the stack
    /// needs it: a named pipe cannot be replaced.
    pub name: Option<Value<String>>,
    /// What the pipe is for, at most 512 characters.
    pub description: Option<String>,
    /// Whether the pipe is there and does nothing.
    pub stopped: bool,
    /// The message group, for a FIFO queue.
    pub message_group: Option<Value<String>>,
}

/// The handle of a pipe.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PipeRef {
    id: ResourceId,
}

impl PipeRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Pipe>> {
        get_att(&self.id, "Arn")
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for PipeRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a pipe with its role `<Id>Role`, which may read the source, invoke the enrichment and send to the target.
    ///
    /// ```
    /// use stack_model::contract::EventDetail;
    /// use stack_model::events::{EventBusProps, Match, PutEvent, Template};
    /// use stack_model::lambda::RecordFilter;
    /// use stack_model::pipes::{Flow, PipeProps};
    /// use stack_model::sqs::QueueProps;
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders");
    ///
    /// // A function package derives this.
    /// struct Paid;
    ///
    /// impl EventDetail for Paid {
    ///     const DETAIL_TYPE: &'static str = "Orders.Paid";
    /// }
    ///
    /// let payments = stack.queue::<String>("Payments", QueueProps::default());
    /// let bus = stack.event_bus("Bus", EventBusProps::default());
    /// let paid = Flow::from_queue(&payments)
    ///     .filter(RecordFilter::body("state", [Match::exact("paid")]))
    ///     .transformed::<Paid>(Template::object([("order", Template::part("$.body.order"))]));
    /// stack.pipe("PaymentsToBus", paid, &PutEvent::on(&bus, "payments"), PipeProps::default());
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn pipe<P>(
        &mut self,
        logical_id: &str,
        flow: Flow<P>,
        target: &impl PipeTarget<P>,
        props: PipeProps,
    ) -> PipeRef {
        let source = Location::caller();
        let name = props.name.as_ref();
        self.check_name(logical_id, "Properties.Name", name, NAME, source);
        let PipeDestination {
            destination,
            mut parameters,
        } = target.destination();
        let group = props.message_group.as_ref();
        self.check_message_group(logical_id, &destination, group, source);
        if let Some(group) = props.message_group {
            parameters.sqs_queue_parameters = pipe_cfn::PipeTargetSqsQueueParameters {
                message_group_id: group.into(),
                ..pipe_cfn::PipeTargetSqsQueueParameters::default()
            }
            .into();
        }
        let rendered = flow.render(logical_id, self, source);
        parameters.input_template = rendered.template.into();

        let role = self.role(
            &format!("{logical_id}Role"),
            RoleProps::for_service_here(SERVICE),
        );
        let statements: Vec<Statement> = rendered
            .statements
            .into_iter()
            .chain(destination.statements)
            .collect();
        self.add_statements(&role, statements, source);
        let pipe = cfn::Pipe {
            description: props.description.into(),
            desired_state: if props.stopped { "STOPPED" } else { "RUNNING" }.into(),
            enrichment: rendered.enrichment.into(),
            enrichment_parameters: rendered
                .enrichment_template
                .map(|template| pipe_cfn::PipeEnrichmentParameters {
                    input_template: template.into(),
                    ..pipe_cfn::PipeEnrichmentParameters::default()
                })
                .into(),
            name: props.name.into(),
            role_arn: role.arn().into_text().into(),
            source: rendered.source.into(),
            source_parameters: rendered.parameters.into(),
            target: destination.arn.into(),
            target_parameters: parameters.into(),
            ..cfn::Pipe::default()
        };
        PipeRef {
            id: self.insert(logical_id, Resource::of(&pipe, source)).id,
        }
    }
}

/// See <https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_CreatePipe.html>.
const NAME: NameRule = NameRule {
    min: 1,
    max: 64,
    others: ".-_",
};

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/pipes.md")]
struct Guide;
