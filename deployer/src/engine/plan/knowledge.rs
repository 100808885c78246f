//! What is known of resource types.

mod data;
mod defaults;

use serde_json::Value;
use stack_model_cfn::facts::{self, UpdateBehaviour, ValueKind};

use super::path::Step;

pub(crate) use data::holds_data;

/// How CloudFormation applies a change of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// To the resource as it is.
    InPlace,
    /// By a new resource.
    Replacement,
    /// By a new resource under conditions that only AWS knows.
    Conditional,
    /// Nobody knows: the type or the property is not in the registry's facts.
    Unknown,
}

/// What the comparison asks about resource types.
pub trait Knowledge: Sync {
    /// Returns how a change at a place in the properties is applied.
    fn update(&self, resource_type: &str, place: &[Step]) -> Update;

    /// Returns whether the order of the list at a place means nothing.
    fn is_unordered(&self, resource_type: &str, place: &[Step]) -> bool;

    /// Returns whether a place takes JSON that the registry does not describe further, such as a policy, as an object or as
    /// a text.
    fn is_free(&self, resource_type: &str, place: &[Step]) -> bool {
        let _ = (resource_type, place);
        false
    }

    /// Returns what AWS takes for the value at a place where there is none.
    fn default(&self, resource_type: &str, place: &[Step]) -> Option<Value> {
        let _ = (resource_type, place);
        None
    }

    /// Returns the properties that together name a resource, so that two that agree in them cannot be there at once; the
    /// first is its own name, the others say among which it is one. None, where there can be, or where a replaced
    /// resource is deleted before the new one is created.
    fn name(&self, resource_type: &str) -> Vec<&'static str>;
}

/// The facts of the CloudFormation registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct Registry;

impl Knowledge for Registry {
    /// Below what the registry describes, such as inside a policy, the innermost property that it does counts.
    fn update(&self, resource_type: &str, place: &[Step]) -> Update {
        let Some(resource) = facts::resource_type(resource_type) else {
            return Update::Unknown;
        };
        let known = (1..=place.len())
            .rev()
            .filter_map(|length| place.get(..length))
            .find_map(|outer| resource.update(&slashed(outer)));
        match known {
            Some(UpdateBehaviour::InPlace) => Update::InPlace,
            Some(UpdateBehaviour::Conditional) => Update::Conditional,
            Some(UpdateBehaviour::Replacement) => Update::Replacement,
            None => Update::Unknown,
        }
    }

    fn is_unordered(&self, resource_type: &str, place: &[Step]) -> bool {
        facts::resource_type(resource_type)
            .and_then(|resource| resource.property(&slashed(place)))
            .is_some_and(|property| !property.value().ordered())
    }

    fn is_free(&self, resource_type: &str, place: &[Step]) -> bool {
        facts::resource_type(resource_type)
            .and_then(|resource| resource.property(&slashed(place)))
            .is_some_and(|property| matches!(property.value().kind(), ValueKind::Json))
    }

    fn default(&self, resource_type: &str, place: &[Step]) -> Option<Value> {
        let property = facts::resource_type(resource_type)?.property(&slashed(place))?;
        match property.value().default() {
            Some(default) => serde_json::from_str(default).ok(),
            None => defaults::documented(resource_type, place),
        }
    }

    fn name(&self, resource_type: &str) -> Vec<&'static str> {
        let Some(resource) = facts::resource_type(resource_type) else {
            return Vec::new();
        };
        if resource.deletes_before_create() {
            return Vec::new();
        }
        if let Some((_, names)) = NAMED.iter().find(|(named, _)| *named == resource_type) {
            return names.to_vec();
        }
        let identifier: Vec<&str> = resource.primary_identifier().collect();
        let own = |property: &str| {
            property == "Name"
                || property
                    .strip_suffix("Name")
                    .is_some_and(|what| resource_type.ends_with(what))
        };
        if identifier.len() > 1 && !identifier.iter().any(|property| own(property)) {
            return Vec::new();
        }
        let given: Option<Vec<&'static str>> = identifier
            .iter()
            .map(|property| {
                let property = resource.property(property)?;
                (!property.read_only()).then(|| property.name())
            })
            .collect();
        let mut names = given.unwrap_or_default();
        names.sort_by_key(|property| !own(property));
        names
    }
}

/// Resource types with a name of their own that is not what CloudFormation identifies them by. Types that are not here
/// and are identified by what the service makes up, such as a hosted zone, a layer or a certificate, can be there twice.
pub(super) const NAMED: &[(&str, &[&str])] = &[
    ("AWS::ApiGateway::ApiKey", &["Name"]),
    ("AWS::CloudFront::Function", &["Name"]),
    ("AWS::CodeBuild::Project", &["Name"]),
    ("AWS::CodeBuild::ReportGroup", &["Name"]),
    ("AWS::EC2::SecurityGroup", &["GroupName", "VpcId"]),
    ("AWS::ElasticLoadBalancingV2::LoadBalancer", &["Name"]),
    ("AWS::ElasticLoadBalancingV2::TargetGroup", &["Name"]),
    ("AWS::Events::Rule", &["Name"]),
    ("AWS::IAM::ManagedPolicy", &["ManagedPolicyName"]),
    ("AWS::Lambda::Alias", &["Name", "FunctionName"]),
    ("AWS::SNS::Topic", &["TopicName"]),
    ("AWS::SQS::Queue", &["QueueName"]),
    ("AWS::SecretsManager::Secret", &["Name"]),
    ("AWS::StepFunctions::Activity", &["Name"]),
    ("AWS::StepFunctions::StateMachine", &["StateMachineName"]),
    ("AWS::WAFv2::IPSet", &["Name", "Scope"]),
    ("AWS::WAFv2::RegexPatternSet", &["Name", "Scope"]),
    ("AWS::WAFv2::RuleGroup", &["Name", "Scope"]),
    ("AWS::WAFv2::WebACL", &["Name", "Scope"]),
];

/// Returns whether a property that identifies a resource is a name of its own: `TableName`, `DBClusterIdentifier` or
/// `EmailIdentity`. Otherwise it says what it is attached to, as the `Bucket` of a policy does.
pub(super) fn is_own_name(resource_type: &str, property: &str) -> bool {
    let mut endings = ["Identifier", "Name", "Id"].into_iter();
    let noun = endings.find_map(|ending| property.strip_suffix(ending));
    resource_type.ends_with(noun.unwrap_or(property)) || resource_type.ends_with(property)
}

/// Writes a place as the facts take it: `KeySchema/0/AttributeName`.
fn slashed(place: &[Step]) -> String {
    let steps: Vec<String> = place
        .iter()
        .map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Position(position) => position.to_string(),
        })
        .collect();
    steps.join("/")
}
