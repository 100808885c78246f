//! Archives: events that are kept, to be sent once more.

use std::panic::Location;

use stack_model_cfn::events as cfn;
use stack_model_cfn::{ResourceId, Value};

use super::{AnyDetail, EventBusRef, EventPattern};
use crate::arn::Arn;
use crate::handle::{Handle, get_att, reference};
use crate::limit::Limited;
use crate::name::NameRule;
use crate::resource::Resource;
use crate::stack::Stack;

/// Marks the ARN of an archive.
#[derive(Debug)]
pub enum Archive {}

/// For how many days an archive keeps events.
pub type ArchiveDays = Limited<1, { i32::MAX.unsigned_abs() }>;

/// What an archive is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-archive.html>.
#[derive(Clone, Debug, Default)]
pub struct ArchiveProps {
    /// The physical name: 1 to 48 letters, digits, `.`, `-` and `_`. Leave it out unless something outside the stack
    /// needs it: a named archive cannot be replaced.
    pub name: Option<Value<String>>,
    /// What the archive is for, at most 512 characters.
    pub description: Option<String>,
    /// Which events are kept; all of the bus by default.
    pub pattern: Option<EventPattern<AnyDetail>>,
    /// For how long; for ever by default, which is AWS's.
    pub retention: Option<ArchiveDays>,
}

/// The handle of an archive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchiveRef {
    id: ResourceId,
}

impl ArchiveRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Archive>> {
        get_att(&self.id, "Arn")
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for ArchiveRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds an archive of the events of a bus, from which they can be sent once more. In a protected stage it outlives
    /// its stack.
    #[track_caller]
    pub fn archive(
        &mut self,
        logical_id: &str,
        bus: &EventBusRef,
        props: ArchiveProps,
    ) -> ArchiveRef {
        let source = Location::caller();
        let name = props.name.as_ref();
        self.check_name(logical_id, "Properties.ArchiveName", name, NAME, source);
        let path = "Properties.RetentionDays";
        self.check_limit(logical_id, path, props.retention, source);
        let violations = props.pattern.iter().flat_map(EventPattern::violations);
        for message in violations.collect::<Vec<_>>() {
            let path = "Properties.EventPattern";
            self.report(logical_id, Some(path), message, source);
        }
        let archive = cfn::Archive {
            archive_name: props.name.into(),
            description: props.description.into(),
            event_pattern: props.pattern.map(EventPattern::render).into(),
            retention_days: props.retention.map(Limited::number).into(),
            source_arn: bus.arn().into_text().into(),
            ..cfn::Archive::default()
        };
        ArchiveRef {
            id: self
                .insert_data(logical_id, Resource::of(&archive, source))
                .id,
        }
    }
}

/// See <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html>.
const NAME: NameRule = NameRule {
    min: 1,
    max: 48,
    others: ".-_",
};
