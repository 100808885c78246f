//! What identifies a resource to an import of CloudFormation and to Cloud Control: one property of its type, and its value.
//!
//! For most types the value is what the stack calls the resource, its physical id. This says it of the others, and of none where
//! nobody knows it: an id of another kind would name something else, or nothing
//! (<https://docs.aws.amazon.com/cloudcontrolapi/latest/userguide/resource-identifier.html>).

use std::borrow::Cow;

use serde_json::Value;
use stack_model_cfn::facts;

use super::{Context, plan::moves, preflight::partition};

/// Rules of events are identified by their ARN, and called by their name, after the bus and a bar where that is not the default one
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html>).
const RULE: &str = "AWS::Events::Rule";

/// The types whose `Ref`, as the pages of each tell it, is another property than the one that the registry calls their identifier,
/// which is known to nobody outside of CloudFormation for most of them.
const CALLED_OTHERWISE: [&str; 18] = [
    "AWS::AppMesh::GatewayRoute",
    "AWS::AppMesh::Mesh",
    "AWS::AppMesh::Route",
    "AWS::AppMesh::VirtualGateway",
    "AWS::AppMesh::VirtualNode",
    "AWS::AppMesh::VirtualRouter",
    "AWS::AppMesh::VirtualService",
    "AWS::Batch::JobDefinition",
    "AWS::CodeBuild::Project",
    "AWS::CodeBuild::ReportGroup",
    "AWS::CodePipeline::Webhook",
    "AWS::DAX::Cluster",
    "AWS::DAX::SubnetGroup",
    "AWS::Elasticsearch::Domain",
    "AWS::EventSchemas::RegistryPolicy",
    "AWS::Glue::DevEndpoint",
    "AWS::SecretsManager::ResourcePolicy",
    "AWS::SecretsManager::SecretTargetAttachment",
];

/// Where a resource is, as ARNs say it.
#[derive(Clone, Copy, Debug)]
pub(in crate::engine) struct Place<'a> {
    partition: &'a str,
    region: &'a str,
    account: &'a str,
}

impl<'a> Place<'a> {
    /// Returns where a run works.
    pub(in crate::engine) fn of(context: &'a Context) -> Self {
        let clients = &context.clients;
        Self {
            partition: partition(clients),
            region: clients.region(),
            account: &clients.identity().account,
        }
    }

    /// Returns where a stack is, by its ARN.
    pub(in crate::engine) fn of_stack(stack_id: &'a str) -> Option<Self> {
        let mut parts = stack_id.splitn(6, ':').skip(1);
        let (partition, _) = (parts.next()?, parts.next()?);
        Some(Self {
            partition,
            region: parts.next()?,
            account: parts.next()?,
        })
    }
}

/// Returns the property that identifies a resource of the type, where it is only one.
pub(in crate::engine) fn property(resource_type: &str) -> Option<&'static str> {
    // Resources of one's own are known to nobody but their stack.
    let own = !resource_type.starts_with("AWS::");
    let facts = facts::resource_type(resource_type).filter(|_| !own)?;
    let mut properties = facts.primary_identifier();
    match (properties.next(), properties.next()) {
        (Some(one), None) => Some(one),
        _ => None,
    }
}

/// Returns what a template says of the property that identifies a resource: the physical id may be another, as that of an older
/// policy of a bucket, which the bucket identifies. `ids` are the physical ids of what it may refer to.
pub(in crate::engine) fn said(
    resource: &Value,
    property: &str,
    ids: impl Fn(&str) -> Option<String>,
) -> Option<String> {
    let written = resource["Properties"].get(property)?;
    let resolved = moves::resolved(written, &mut |id, attribute| match attribute {
        None => ids(id),
        Some(_) => None,
    });
    let said = resolved.as_str()?;
    (!said.contains("{{resolve:")).then(|| said.to_owned())
}

/// Returns the value of the property that identifies a resource, where its physical id tells it.
pub(in crate::engine) fn value<'a>(
    resource_type: &str,
    physical_id: &'a str,
    place: Option<Place<'_>>,
) -> Option<Cow<'a, str>> {
    let property = property(resource_type)?;
    if CALLED_OTHERWISE.contains(&resource_type) {
        return None;
    }
    // The physical id of a few types is a name where an ARN identifies them.
    if !property.ends_with("Arn") || physical_id.starts_with("arn:") {
        return Some(physical_id.into());
    }
    let Place {
        partition,
        region,
        account,
    } = place.filter(|_| resource_type == RULE)?;
    // https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoneventbridge.html
    let name = physical_id.replacen('|', "/", 1);
    Some(format!("arn:{partition}:events:{region}:{account}:rule/{name}").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACK: &str = "arn:aws-cn:cloudformation:cn-north-1:123456789012:stack/orders/0a1b";

    fn of(resource_type: &str, physical_id: &str) -> Option<String> {
        value(resource_type, physical_id, Place::of_stack(STACK)).map(Cow::into_owned)
    }

    #[test]
    fn most_are_identified_by_what_their_stack_calls_them() {
        assert_eq!(property("AWS::SQS::Queue"), Some("QueueUrl"));
        let topic = "arn:aws-cn:sns:cn-north-1:123456789012:orders";
        assert_eq!(of("AWS::SNS::Topic", topic).as_deref(), Some(topic));
        assert_eq!(of("AWS::SNS::Topic", "orders"), None, "it is no ARN");
        assert_eq!(of("AWS::ApiGateway::Deployment", "a1"), None, "two do");
        assert_eq!(of("Custom::Thing", "a1"), None);
    }

    #[test]
    fn rules_are_identified_by_arns_that_their_names_tell() {
        for (name, tail) in [
            ("daily", "rule/daily"),
            ("orders|placed", "rule/orders/placed"),
            (
                "aws.partner/example.com/a|placed",
                "rule/aws.partner/example.com/a/placed",
            ),
        ] {
            let arn = format!("arn:aws-cn:events:cn-north-1:123456789012:{tail}");
            assert_eq!(of(RULE, name).as_ref(), Some(&arn));
        }
        assert_eq!(value(RULE, "daily", None), None);
    }

    /// All of them are types that one property identifies: the list would do nothing otherwise.
    #[test]
    fn what_nobody_knows_identifies_nothing() {
        assert!(CALLED_OTHERWISE.is_sorted());
        for resource_type in CALLED_OTHERWISE {
            assert!(property(resource_type).is_some(), "{resource_type}");
            assert_eq!(of(resource_type, "x"), None, "{resource_type}");
        }
    }
}
