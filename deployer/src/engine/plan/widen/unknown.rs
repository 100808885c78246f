//! Finds guards whose value nobody knows: what a hidden parameter or another stack decides counts as switched off.

use serde_json::Value;

use super::super::canonical::{intrinsic, same};
use super::text;

/// A property that keeps somebody out, and what it is in the worst case; nothing, where that is not to be there.
type Guard = (&'static [&'static str], &'static str, Option<&'static str>);

const ROUTES: &[&str] = &["AWS::ApiGateway::Method", "AWS::ApiGatewayV2::Route"];
const APIS: &[&str] = &["AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"];
const BUCKETS: &[&str] = &["AWS::S3::AccessPoint", "AWS::S3::Bucket"];

const GUARDS: &[Guard] = &[
    (ROUTES, "/AuthorizationType", Some("NONE")),
    (ROUTES, "/ApiKeyRequired", None),
    (ROUTES, "/AuthorizationScopes", None),
    (APIS, "/DisableExecuteApiEndpoint", None),
    (
        &["AWS::CloudFront::Distribution"],
        "/DistributionConfig/DefaultCacheBehavior/ViewerProtocolPolicy",
        Some("allow-all"),
    ),
    (
        &["AWS::CodeBuild::Project"],
        "/Visibility",
        Some("PUBLIC_READ"),
    ),
    (
        &["AWS::Cognito::UserPool"],
        "/AdminCreateUserConfig/AllowAdminCreateUserOnly",
        None,
    ),
    (&["AWS::Cognito::UserPool"], "/MfaConfiguration", None),
    (
        &["AWS::Lambda::Permission"],
        "/FunctionUrlAuthType",
        Some("NONE"),
    ),
    (&["AWS::Lambda::Url"], "/AuthType", Some("NONE")),
    (
        BUCKETS,
        "/PublicAccessBlockConfiguration/BlockPublicAcls",
        None,
    ),
    (
        BUCKETS,
        "/PublicAccessBlockConfiguration/BlockPublicPolicy",
        None,
    ),
    (
        BUCKETS,
        "/PublicAccessBlockConfiguration/IgnorePublicAcls",
        None,
    ),
    (
        BUCKETS,
        "/PublicAccessBlockConfiguration/RestrictPublicBuckets",
        None,
    ),
];

/// Returns whether only the deployment tells what a canonical value is.
pub(in super::super) fn is_unknown(value: &Value) -> bool {
    match value {
        Value::Object(entries) => intrinsic(entries).is_some(),
        Value::String(text) => text.contains("{{resolve:"),
        _ => false,
    }
}

/// Returns a resource as it is in the worst case, with what decides that: its guards that got a value that nobody knows are
/// off. Nothing, where there are none.
pub(super) fn worst(resource_type: &str, old: &Value, new: &Value) -> Option<(Value, String)> {
    let of = |side: &'_ Value, pointer: &str| side.get("Properties")?.pointer(pointer).cloned();
    let mut worst: Option<Value> = None;
    let mut deciding = Vec::new();
    let guards = GUARDS
        .iter()
        .filter(|(types, _, _)| types.contains(&resource_type));
    for (_, pointer, value) in guards {
        let Some(after) = of(new, pointer).filter(is_unknown) else {
            continue;
        };
        if of(old, pointer).is_some_and(|before| same(&before, &after)) {
            continue;
        }
        let resource = worst.get_or_insert_with(|| new.clone());
        let (outer, key) = pointer.rsplit_once('/').unwrap_or_default();
        let outer = resource.pointer_mut(&format!("/Properties{outer}"));
        if let Some(Value::Object(entries)) = outer {
            match value {
                Some(value) => entries.insert(key.to_owned(), Value::from(*value)),
                None => entries.remove(key),
            };
        }
        let what = text(&after);
        if !deciding.contains(&what) {
            deciding.push(what);
        }
    }
    Some((worst?, deciding.join(", ")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::exposures;

    #[test]
    fn a_guard_that_nobody_knows_any_more_is_off() {
        let hidden = json!({"Ref": "Hidden"});
        for (kind, on, says) in [
            (
                "AWS::ApiGatewayV2::Route",
                json!({"AuthorizationType": "JWT"}),
                &["the route takes calls without authorization"][..],
            ),
            (
                "AWS::ApiGateway::RestApi",
                json!({"DisableExecuteApiEndpoint": true}),
                &["the API answers at its own address, beside its domain"],
            ),
            (
                "AWS::Cognito::UserPool",
                json!({"AdminCreateUserConfig": {"AllowAdminCreateUserOnly": true}}),
                &["anybody may sign up"],
            ),
            (
                "AWS::Lambda::Url",
                json!({"AuthType": "AWS_IAM"}),
                &["the function URL takes calls without authorization"],
            ),
            (
                "AWS::S3::Bucket",
                json!({"PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
                }}),
                &[
                    "BlockPublicAcls is off",
                    "BlockPublicPolicy is off",
                    "IgnorePublicAcls is off",
                    "RestrictPublicBuckets is off",
                ],
            ),
        ] {
            let mut unknown = on.clone();
            let entries = unknown.as_object_mut().expect("is an object");
            for value in entries.values_mut() {
                match value.as_object_mut() {
                    Some(inner) => inner.values_mut().for_each(|inner| *inner = hidden.clone()),
                    None => *value = hidden.clone(),
                }
            }
            let [on, unknown] = [on, unknown].map(|all| json!({"Type": kind, "Properties": all}));
            let found = exposures(kind, Some(&on), &unknown);
            let says: Vec<String> = says
                .iter()
                .map(|line| format!("{line}, as nobody knows what Hidden is"))
                .collect();
            assert_eq!(found, says, "{kind}");
            // What nobody knew before is what it was.
            assert!(
                exposures(kind, Some(&unknown), &unknown).is_empty(),
                "{kind}"
            );
            assert!(exposures(kind, Some(&unknown), &on).is_empty(), "{kind}");
        }
    }
}
