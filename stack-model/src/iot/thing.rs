//! Things, and groups of them.

use std::collections::BTreeMap;
use std::panic::Location;

use stack_model_cfn::iot as cfn;
use stack_model_cfn::{ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{Handle, get_att, reference};
use crate::name::NameRule;
use crate::resource::Resource;
use crate::stack::Stack;

/// Marks the ARN of a thing.
#[derive(Debug)]
pub enum Thing {}

/// Marks the ARN of a group of things.
#[derive(Debug)]
pub enum ThingGroup {}

/// The most attributes of a thing that has no type, which CloudFormation cannot give it; see
/// <https://docs.aws.amazon.com/iot/latest/developerguide/thing-types.html>.
const MAX_ATTRIBUTES: usize = 3;

/// The most characters of the value of an attribute.
const MAX_VALUE: usize = 800;

/// What a thing is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iot-thing.html>.
#[derive(Clone, Debug, Default)]
pub struct ThingProps {
    /// The physical name: 1 to 128 letters, digits, `:`, `-` and `_`. A thing can never be renamed.
    pub name: Option<Value<String>>,
    /// What is known of the thing, at most three texts of 800 letters, digits and `_.,@/:#=[]-`.
    pub attributes: BTreeMap<String, Value<String>>,
}

/// The handle of a thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThingRef {
    id: ResourceId,
}

impl ThingRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Thing>> {
        get_att(&self.id, "Arn")
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for ThingRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// What a group of things is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iot-thinggroup.html>.
#[derive(Clone, Debug, Default)]
pub struct ThingGroupProps {
    /// The physical name: 1 to 128 letters, digits, `:`, `-` and `_`.
    pub name: Option<Value<String>>,
    /// What the group is for, at most 2,028 characters.
    pub description: Option<String>,
    /// The group that this one is part of.
    pub parent: Option<ThingGroupRef>,
    /// What is known of all things of the group.
    pub attributes: BTreeMap<String, Value<String>>,
    /// The query that things of a dynamic group match, such as `attributes.floor:2`. A group without one is filled by
    /// hand, since CloudFormation adds no things to groups.
    pub query: Option<String>,
}

/// The handle of a group of things.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThingGroupRef {
    id: ResourceId,
}

impl ThingGroupRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<ThingGroup>> {
        get_att(&self.id, "Arn")
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for ThingGroupRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a thing to the registry: a device, or anything else that the broker knows by name.
    #[track_caller]
    pub fn thing(&mut self, logical_id: &str, props: ThingProps) -> ThingRef {
        let source = Location::caller();
        let path = "Properties.ThingName";
        self.check_name(logical_id, path, props.name.as_ref(), NAME, source);
        let path = "Properties.AttributePayload.Attributes";
        if props.attributes.len() > MAX_ATTRIBUTES {
            let message = format!(
                "the thing has {} attributes and takes {MAX_ATTRIBUTES}: keep the others where its data is",
                props.attributes.len()
            );
            self.report(logical_id, Some(path), message, source);
        }
        self.check_thing_attributes(logical_id, path, &props.attributes, source);
        let attributes = (!props.attributes.is_empty()).then_some(cfn::thing::AttributePayload {
            attributes: stack_model_cfn::Property::Literal(props.attributes),
        });
        let thing = cfn::Thing {
            attribute_payload: attributes.into(),
            thing_name: props.name.into(),
        };
        ThingRef {
            id: self.insert(logical_id, Resource::of(&thing, source)).id,
        }
    }

    /// Adds a group of things.
    #[track_caller]
    pub fn thing_group(&mut self, logical_id: &str, props: ThingGroupProps) -> ThingGroupRef {
        let source = Location::caller();
        let path = "Properties.ThingGroupName";
        self.check_name(logical_id, path, props.name.as_ref(), NAME, source);
        if props.query.is_some() && props.parent.is_some() {
            let message = "a dynamic group is part of no other: leave the parent or the query out";
            self.report(
                logical_id,
                Some("Properties.ParentGroupName"),
                message,
                source,
            );
        }
        let path = "Properties.ThingGroupProperties.AttributePayload.Attributes";
        self.check_thing_attributes(logical_id, path, &props.attributes, source);
        let attributes =
            (!props.attributes.is_empty()).then_some(cfn::thing_group::AttributePayload {
                attributes: stack_model_cfn::Property::Literal(props.attributes),
            });
        let described = props.description.is_some() || attributes.is_some();
        let group = cfn::ThingGroup {
            parent_group_name: props.parent.as_ref().map(ThingGroupRef::name).into(),
            query_string: props.query.into(),
            thing_group_name: props.name.into(),
            thing_group_properties: described
                .then_some(cfn::thing_group::ThingGroupProperties {
                    attribute_payload: attributes.into(),
                    thing_group_description: props.description.into(),
                })
                .into(),
            ..cfn::ThingGroup::default()
        };
        ThingGroupRef {
            id: self.insert(logical_id, Resource::of(&group, source)).id,
        }
    }
}

impl Stack<'_> {
    /// Reports attributes that the registry does not take; see
    /// <https://docs.aws.amazon.com/iot/latest/apireference/API_AttributePayload.html>.
    fn check_thing_attributes(
        &mut self,
        logical_id: &str,
        path: &str,
        attributes: &BTreeMap<String, Value<String>>,
        source: &Location<'_>,
    ) {
        for (name, value) in attributes {
            if let Some(message) = ATTRIBUTE.violation(name) {
                self.report(logical_id, Some(path), message, source);
            }
            if let Some(message) = value.literal().and_then(|value| wrong_value(name, value)) {
                self.report(logical_id, Some(path), message, source);
            }
        }
    }
}

/// Says what is wrong with the value of an attribute, if anything. An empty one is fine.
fn wrong_value(name: &str, value: &str) -> Option<String> {
    if value.chars().count() > MAX_VALUE {
        return Some(format!("`{name}` is longer than {MAX_VALUE} characters"));
    }
    let fits = |c: &char| c.is_ascii_alphanumeric() || VALUE_CHARACTERS.contains(*c);
    let wrong = value.chars().find(|c| !fits(c))?;
    Some(format!(
        "the value `{value}` of `{name}` holds {wrong:?}; the registry takes letters, digits and `{VALUE_CHARACTERS}`"
    ))
}

/// What stands in values besides letters and digits.
const VALUE_CHARACTERS: &str = "_.,@/:#=[]-";

/// How attributes are named.
const ATTRIBUTE: NameRule = NameRule {
    min: 1,
    max: 128,
    others: "_.,@/:#-",
};

/// See <https://docs.aws.amazon.com/iot/latest/apireference/API_CreateThing.html>.
const NAME: NameRule = NameRule {
    min: 1,
    max: 128,
    others: ":-_",
};
