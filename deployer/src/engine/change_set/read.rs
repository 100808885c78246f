//! Reads what a change set says of one resource.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::types::{
    ChangeSource, EvaluationType, RequiresRecreation, ResourceAttribute, ResourceChange,
    ResourceChangeDetail,
};
use serde_json::Value;
use stack_model::assembly::StackManifest;

use super::{Change, Replacement, Replacing};
use crate::engine::inspect::present;

/// Reads a change of a resource, and where that is declared.
pub(super) fn read_change(change: ResourceChange, stack: &StackManifest) -> Change {
    let logical_id = change.logical_resource_id.unwrap_or_default();
    let details = change.details.unwrap_or_default();
    let follows = follows(&details);
    let led_by = led_by(&details);
    let replacing = replacing(&details);
    let own = own(&details);
    let is_automatic = is_automatic(&details);
    let values = values(
        change.before_context.as_deref(),
        change.after_context.as_deref(),
    );
    let mut properties: Vec<String> = details
        .into_iter()
        .filter_map(|detail| detail.target?.name)
        .collect();
    properties.sort();
    properties.dedup();
    Change {
        resource_type: change.resource_type.unwrap_or_default(),
        physical_id: present(change.physical_resource_id),
        action: change
            .action
            .map(|action| action.as_str().to_owned())
            .unwrap_or_default(),
        replacement: change
            .replacement
            .map(|replacement| match replacement.as_str() {
                "True" => Replacement::Always,
                "False" => Replacement::Never,
                "Conditional" => Replacement::Conditional,
                _ => Replacement::Unknown,
            }),
        policy_action: change
            .policy_action
            .map(|action| action.as_str().to_owned()),
        scope: change
            .scope
            .unwrap_or_default()
            .into_iter()
            .map(|scope| scope.as_str().to_owned())
            .collect(),
        properties,
        follows,
        led_by,
        replacing,
        own,
        is_automatic,
        values,
        source: stack
            .resources
            .get(&logical_id)
            .map(|resource| resource.source.clone()),
        logical_id,
    }
}

/// Returns the resources that a change only follows: every detail is evaluated when the change set is executed, and
/// names a resource as its cause, by logical id or as `LogicalId.Attribute`.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChangeDetail.html>.
fn follows(details: &[ResourceChangeDetail]) -> Vec<String> {
    let causes: Option<BTreeSet<String>> = details.iter().map(cause).collect();
    causes.unwrap_or_default().into_iter().collect()
}

/// Returns the resource that a detail follows, where it does.
fn cause(detail: &ResourceChangeDetail) -> Option<String> {
    let dynamic = matches!(detail.evaluation, Some(EvaluationType::Dynamic));
    let by_resource = matches!(
        detail.change_source,
        Some(ChangeSource::ResourceReference | ChangeSource::ResourceAttribute)
    );
    let cause = detail.causing_entity.as_deref()?;
    let logical_id = cause.split('.').next().unwrap_or(cause);
    (dynamic && by_resource).then(|| logical_id.to_owned())
}

/// Returns the resources whose values alone decide whether a resource is replaced. Of a property that follows another resource,
/// a second detail says that it is written otherwise as well, and is as open.
fn led_by(details: &[ResourceChangeDetail]) -> Vec<String> {
    let name = |detail: &ResourceChangeDetail| detail.target.as_ref()?.name.clone();
    let following = details.iter().filter(|detail| cause(detail).is_some());
    let following: BTreeSet<String> = following.filter_map(name).collect();
    let mut found = BTreeSet::new();
    for detail in details {
        let recreation = detail.target.as_ref();
        let recreation = recreation.and_then(|target| target.requires_recreation.as_ref());
        let is_open = matches!(detail.evaluation, Some(EvaluationType::Dynamic));
        match cause(detail) {
            _ if recreation == Some(&RequiresRecreation::Never) => {}
            Some(cause) => {
                found.insert(cause);
            }
            None if is_open && name(detail).is_some_and(|name| following.contains(&name)) => {}
            None => return Vec::new(),
        }
    }
    found.into_iter().collect()
}

/// Returns the properties that change whatever becomes of other resources. What only follows one is evaluated when the
/// change set is executed, and each detail of it is; what a parameter changes has two, of which one is known beforehand.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets-samples.html>.
fn own(details: &[ResourceChangeDetail]) -> Vec<String> {
    let mut own = BTreeSet::new();
    let mut following = BTreeSet::new();
    for detail in details {
        let Some(target) = &detail.target else {
            continue;
        };
        let Some(name) = &target.name else {
            continue;
        };
        if target.attribute != Some(ResourceAttribute::Properties) {
            continue;
        }
        match (&detail.evaluation, &detail.change_source) {
            (
                Some(EvaluationType::Dynamic),
                Some(ChangeSource::ResourceReference | ChangeSource::ResourceAttribute),
            ) => {
                following.insert(name);
            }
            (Some(EvaluationType::Dynamic), Some(ChangeSource::DirectModification)) => {
                // That of something else on the same property says more.
                own.insert((name, false));
            }
            _ => {
                own.insert((name, true));
            }
        }
    }
    let own = own.into_iter();
    let names = own.filter(|(name, known)| *known || !following.contains(name));
    let names: BTreeSet<&String> = names.map(|(name, _)| name).collect();
    names.into_iter().cloned().collect()
}

/// Returns whether nothing changes the properties but that they are those of a nested stack: CloudFormation lists every one,
/// because what stands at the address of its template may be another one by now.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChangeDetail.html>.
fn is_automatic(details: &[ResourceChangeDetail]) -> bool {
    let mut of_properties = details
        .iter()
        .filter(|detail| {
            let target = detail.target.as_ref();
            target.and_then(|target| target.attribute.as_ref())
                == Some(&ResourceAttribute::Properties)
        })
        .peekable();
    of_properties.peek().is_some()
        && of_properties.all(|detail| detail.change_source == Some(ChangeSource::Automatic))
}

/// Reads the properties of a resource before and after, as far as CloudFormation knows them.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceChange.html>.
fn values(before: Option<&str>, after: Option<&str>) -> Option<[Value; 2]> {
    let read = |context: &str| -> Option<Value> {
        let mut context: Value = serde_json::from_str(context).ok()?;
        let properties = context.get_mut("Properties")?.take();
        properties.is_object().then_some(properties)
    };
    Some([read(before?)?, read(after?)?])
}

/// Says what is known of the values that may replace a resource.
///
/// What is a text in one template and a reference in the other is a direct modification, and names no cause; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/using-cfn-updating-stacks-changesets-samples.html> and
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ResourceTargetDefinition.html>.
fn replacing(details: &[ResourceChangeDetail]) -> Replacing {
    let mut found = None;
    for detail in details {
        let Some(target) = &detail.target else {
            continue;
        };
        let recreation = target.requires_recreation.as_ref();
        if recreation.is_none_or(|it| *it == RequiresRecreation::Never) {
            continue;
        }
        // Values that CloudFormation hides are not told apart.
        let before = target.before_value.as_ref();
        let before = before.filter(|value| !value.contains("****"));
        if before.is_some() && before == target.after_value.as_ref() {
            found.get_or_insert(Replacing::Same);
        } else if matches!(detail.evaluation, Some(EvaluationType::Dynamic)) {
            found = Some(Replacing::Open);
        } else {
            return Replacing::Other;
        }
    }
    found.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use aws_sdk_cloudformation::types::ResourceTargetDefinition;
    use serde_json::json;

    use super::*;

    fn detail(
        name: Option<&str>,
        source: ChangeSource,
        evaluation: EvaluationType,
    ) -> ResourceChangeDetail {
        let attribute = if name.is_some() {
            ResourceAttribute::Properties
        } else {
            ResourceAttribute::Tags
        };
        let target = ResourceTargetDefinition::builder()
            .attribute(attribute)
            .set_name(name.map(str::to_owned));
        ResourceChangeDetail::builder()
            .target(target.build())
            .change_source(source)
            .evaluation(evaluation)
            .build()
    }

    /// The details are those of the examples of AWS: what a parameter changes has two, and so has what a resource does.
    #[test]
    fn what_changes_by_itself_is_told_from_what_follows() {
        use ChangeSource::{
            DirectModification, ParameterReference, ResourceAttribute, ResourceReference,
        };
        use EvaluationType::{Dynamic, Static};
        let details = [
            detail(None, DirectModification, Static),
            detail(Some("Written"), DirectModification, Static),
            detail(Some("Parameter"), DirectModification, Dynamic),
            detail(Some("Parameter"), ParameterReference, Static),
            detail(Some("Attribute"), DirectModification, Dynamic),
            detail(Some("Attribute"), ResourceAttribute, Dynamic),
            detail(Some("Reference"), ResourceReference, Dynamic),
            detail(Some("Mixed"), ResourceReference, Dynamic),
            detail(Some("Mixed"), ParameterReference, Static),
            detail(Some("Late"), DirectModification, Dynamic),
        ];
        assert_eq!(own(&details), ["Late", "Mixed", "Parameter", "Written"]);
    }

    /// A policy of a bucket that is told to stay, in an update that tells the bucket the same: the detail of the deletion policy is
    /// no cause of a replacement, and the bucket is the only one.
    #[test]
    fn what_may_replace_a_resource_is_told_from_what_else_changes() {
        use ChangeSource::{DirectModification, ResourceReference};
        use EvaluationType::{Dynamic, Static};
        use RequiresRecreation::{Always, Never};
        let of = |name: Option<&str>, source, evaluation, recreation, cause: Option<&str>| {
            let mut detail = detail(name, source, evaluation);
            if let Some(target) = &mut detail.target {
                target.requires_recreation = Some(recreation);
            }
            detail.causing_entity = cause.map(str::to_owned);
            detail
        };
        let policy = of(None, DirectModification, Static, Never, None);
        let follows = of(
            Some("Bucket"),
            ResourceReference,
            Dynamic,
            Always,
            Some("Receipts"),
        );
        let written = of(Some("Bucket"), DirectModification, Dynamic, Always, None);
        let own = of(Some("Other"), DirectModification, Static, Always, None);
        let late = of(Some("Other"), DirectModification, Dynamic, Always, None);
        assert_eq!(led_by(&[policy.clone(), follows.clone()]), ["Receipts"]);
        assert_eq!(led_by(&[follows.clone(), written.clone()]), ["Receipts"]);
        for other in [own, late] {
            assert!(led_by(&[follows.clone(), other]).is_empty());
        }
        assert!(led_by(&[policy, written]).is_empty());
    }

    /// The detail is the one of the example of AWS.
    ///
    /// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/change-sets-for-nested-stacks.html>.
    #[test]
    fn a_stack_in_a_stack_is_listed_though_nobody_changed_it() {
        use ChangeSource::{Automatic, DirectModification, ResourceAttribute as Attribute};
        use EvaluationType::{Dynamic, Static};
        let target = ResourceTargetDefinition::builder()
            .attribute(ResourceAttribute::Properties)
            .requires_recreation(RequiresRecreation::Never);
        let listed = ResourceChangeDetail::builder()
            .target(target.build())
            .evaluation(Dynamic)
            .change_source(Automatic)
            .build();
        let tagged = detail(None, DirectModification, Static);
        let of = |details: &[ResourceChangeDetail]| is_automatic(details);
        assert!(of(std::slice::from_ref(&listed)));
        assert!(of(&[listed.clone(), tagged.clone()]));
        for other in [
            detail(Some("TemplateURL"), DirectModification, Static),
            detail(Some("Parameters"), Attribute, Dynamic),
        ] {
            assert!(!of(&[listed.clone(), other]));
        }
        assert!(!of(&[tagged]));
        assert!(!of(&[]));
    }

    /// The contexts are texts of JSON with the attributes of the resource.
    #[test]
    fn the_values_are_those_of_the_properties() {
        let before = r#"{"Properties":{"DelaySeconds":"1"},"Metadata":{}}"#;
        let after = r#"{"Properties":{"DelaySeconds":"{{changeSet:KNOWN_AFTER_APPLY}}"}}"#;
        assert_eq!(
            values(Some(before), Some(after)),
            Some([
                json!({"DelaySeconds": "1"}),
                json!({"DelaySeconds": "{{changeSet:KNOWN_AFTER_APPLY}}"}),
            ])
        );
        for unread in [None, Some(""), Some("{}"), Some(r#"{"Properties":1}"#)] {
            assert_eq!(values(Some(before), unread), None);
        }
    }
}
