//! What devices may do, and the names by which policies know clients and topics.

use std::panic::Location;

use stack_model_cfn::iot as cfn;
use stack_model_cfn::{ResourceId, Value};

use super::topic::{Topic, arn};
use crate::arn::Arn;
use crate::handle::{Handle, ResourceRef, get_att, reference};
use crate::name::NameRule;
use crate::policy::{PolicyDocument, Statement};
use crate::resource::Resource;
use crate::stack::Stack;

/// Marks the ARN of a client of the message broker.
#[derive(Debug)]
pub enum Client {}

/// Marks the ARN of a topic filter.
#[derive(Debug)]
pub enum TopicFilter {}

/// Marks the ARN of a policy of AWS IoT.
#[derive(Debug)]
pub enum IotPolicy {}

/// Names clients by their id, for `iot:Connect`; a `*` stands for any text.
pub fn clients(id: impl Into<Value<String>>) -> Value<Arn<Client>> {
    arn("client", id.into()).map(Arn::composed)
}

/// Names topics, for `iot:Publish` and `iot:Receive`; a `*` stands for any text, levels included.
pub fn topics(name: impl Into<Value<String>>) -> Value<Arn<Topic>> {
    arn("topic", name.into()).map(Arn::composed)
}

/// Names topic filters, for `iot:Subscribe`; a `*` stands for any text, while `+` and `#` stand for themselves.
pub fn topic_filters(filter: impl Into<Value<String>>) -> Value<Arn<TopicFilter>> {
    arn("topicfilter", filter.into()).map(Arn::composed)
}

/// The most characters of a policy that are no blanks; see <https://docs.aws.amazon.com/general/latest/gr/iot-core.html>.
const MAX_CHARACTERS: usize = 2048;

/// What a policy for devices, and for users of an identity pool, is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iot-policy.html>.
#[derive(Clone, Debug, Default)]
pub struct IotPolicyProps {
    /// The physical name, at most 128 characters. Leave it out, unless something attaches the policy by its name.
    pub name: Option<Value<String>>,
    /// What it allows or denies. [`PolicyVariable`](crate::policy::PolicyVariable) stands for the client or the thing.
    pub statements: Vec<Statement>,
}

/// The handle of a policy of AWS IoT.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IotPolicyRef {
    id: ResourceId,
}

impl IotPolicyRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<IotPolicy>> {
        get_att(&self.id, "Arn")
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for IotPolicyRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a policy for devices, and for users of an identity pool.
    #[track_caller]
    pub fn iot_policy(&mut self, logical_id: &str, props: IotPolicyProps) -> IotPolicyRef {
        let source = Location::caller();
        self.check_statements(logical_id, &props.statements, source);
        let path = "Properties.PolicyName";
        self.check_name(logical_id, path, props.name.as_ref(), NAME, source);
        let document = PolicyDocument::new(props.statements).render();
        let characters = crate::iam::least_size(&document);
        if characters > MAX_CHARACTERS {
            let message = format!(
                "the policy has at least {characters} characters and AWS IoT takes {MAX_CHARACTERS}: split it"
            );
            self.report(
                logical_id,
                Some("Properties.PolicyDocument"),
                message,
                source,
            );
        }
        let policy = cfn::Policy {
            policy_document: document.into(),
            policy_name: props.name.into(),
            ..cfn::Policy::default()
        };
        IotPolicyRef {
            id: self.insert(logical_id, Resource::of(&policy, source)).id,
        }
    }

    /// Attaches a policy to a principal: the ARN of a certificate, or the id of an identity of an identity pool.
    #[track_caller]
    pub fn attach_iot_policy(
        &mut self,
        logical_id: &str,
        policy: &IotPolicyRef,
        principal: impl Into<Value<String>>,
    ) -> ResourceRef {
        let attachment = cfn::PolicyPrincipalAttachment {
            policy_name: policy.name().into(),
            principal: principal.into().into(),
        };
        self.insert(logical_id, Resource::of(&attachment, Location::caller()))
    }
}

/// See <https://docs.aws.amazon.com/iot/latest/apireference/API_CreatePolicy.html>.
const NAME: NameRule = NameRule {
    min: 1,
    max: 128,
    others: "_+=,.@-",
};
