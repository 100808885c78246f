//! The capabilities that a template needs, checked before CloudFormation is asked.
//!
//! CloudFormation refuses a change set that lacks one, and an engine on this machine may not: what deploys there must
//! deploy on AWS. See
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html>.

use serde_json::Value;

/// The resource types that need `CAPABILITY_IAM`, each with the property that names it; a resource with a name of its
/// own needs `CAPABILITY_NAMED_IAM`.
const IAM: [(&str, Option<&str>); 8] = [
    ("AWS::IAM::AccessKey", None),
    ("AWS::IAM::Group", Some("GroupName")),
    ("AWS::IAM::InstanceProfile", Some("InstanceProfileName")),
    ("AWS::IAM::ManagedPolicy", Some("ManagedPolicyName")),
    // The name of an inline policy is required and belongs to its role, so that it counts for nothing.
    ("AWS::IAM::Policy", None),
    ("AWS::IAM::Role", Some("RoleName")),
    ("AWS::IAM::User", Some("UserName")),
    ("AWS::IAM::UserToGroupAddition", None),
];

/// Returns the capability that a template needs and was not given.
pub(super) fn missing(template: &str, given: &[String]) -> Option<&'static str> {
    // Only JSON is looked into; the assembly holds nothing else.
    let template: Value = serde_json::from_str(template).ok()?;
    let given = |name: &str| given.iter().any(|capability| capability == name);
    if template.get("Transform").is_some() && !given("CAPABILITY_AUTO_EXPAND") {
        return Some("CAPABILITY_AUTO_EXPAND");
    }
    let needs: Vec<bool> = template
        .get("Resources")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
        .filter_map(|(_, resource)| is_named(resource))
        .collect();
    if needs.contains(&true) {
        (!given("CAPABILITY_NAMED_IAM")).then_some("CAPABILITY_NAMED_IAM")
    } else if needs.contains(&false) {
        (!given("CAPABILITY_IAM") && !given("CAPABILITY_NAMED_IAM")).then_some("CAPABILITY_IAM")
    } else {
        None
    }
}

/// Returns whether an IAM resource has a name of its own; nothing for any other resource.
fn is_named(resource: &Value) -> Option<bool> {
    let resource_type = resource.get("Type")?.as_str()?;
    let (_, name) = IAM.iter().find(|(iam, _)| *iam == resource_type)?;
    let properties = resource.get("Properties");
    Some(name.is_some_and(|name| properties.is_some_and(|all| all.get(name).is_some())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needs(template: &str, given: &[&str]) -> Option<&'static str> {
        let given: Vec<String> = given.iter().map(|name| (*name).to_owned()).collect();
        missing(template, &given)
    }

    #[test]
    fn iam_needs_a_capability_and_a_name_a_stronger_one() {
        let plain = r#"{"Resources":{"R":{"Type":"AWS::IAM::Role","Properties":{"Path":"/"}}}}"#;
        assert_eq!(needs(plain, &[]), Some("CAPABILITY_IAM"));
        assert_eq!(needs(plain, &["CAPABILITY_IAM"]), None);
        assert_eq!(needs(plain, &["CAPABILITY_NAMED_IAM"]), None);
        let named = plain.replace("Path", "RoleName");
        assert_eq!(
            needs(&named, &["CAPABILITY_IAM"]),
            Some("CAPABILITY_NAMED_IAM")
        );
        assert_eq!(needs(&named, &["CAPABILITY_NAMED_IAM"]), None);
        let inline =
            r#"{"Resources":{"P":{"Type":"AWS::IAM::Policy","Properties":{"PolicyName":"x"}}}}"#;
        assert_eq!(needs(inline, &["CAPABILITY_IAM"]), None);
    }

    #[test]
    fn transforms_need_a_capability_and_queues_none() {
        let queue = r#"{"Resources":{"Q":{"Type":"AWS::SQS::Queue"}}}"#;
        assert_eq!(needs(queue, &[]), None);
        let transform = r#"{"Transform":"AWS::Serverless-2016-10-31","Resources":{}}"#;
        assert_eq!(needs(transform, &[]), Some("CAPABILITY_AUTO_EXPAND"));
        assert_eq!(needs(transform, &["CAPABILITY_AUTO_EXPAND"]), None);
    }
}
