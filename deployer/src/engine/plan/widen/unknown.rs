//! Finds guards whose value nobody knows: what a hidden parameter or another stack decides counts as switched off.

use serde_json::Value;

use super::super::canonical::{intrinsic, same};
use super::super::stored::is_dynamic;
use super::text;

/// A property that keeps somebody out, and what it is in the worst case; nothing, where that is not to be there.
type Guard = (&'static [&'static str], &'static str, Option<&'static str>);

/// A property that lets somebody in, of some types or of all, and what it is in the worst case. `*` is every element of a list.
type Opening = (&'static [&'static str], &'static str, &'static str);

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
        &["AWS::CloudFront::Distribution"],
        "/DistributionConfig/DefaultCacheBehavior/TrustedKeyGroups",
        None,
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

const OPENINGS: &[Opening] = &[
    (&[], "/PubliclyAccessible", "true"),
    (
        &["AWS::CloudFront::ResponseHeadersPolicy"],
        "/ResponseHeadersPolicyConfig/CorsConfig/AccessControlAllowOrigins/Items/*",
        "*",
    ),
    (&[], "/Cors/AllowOrigins", "*"),
    (&[], "/Cors/AllowOrigins/*", "*"),
    (&[], "/CorsConfiguration/AllowOrigins", "*"),
    (&[], "/CorsConfiguration/AllowOrigins/*", "*"),
    (&[], "/CorsConfiguration/CorsRules/*/AllowedOrigins", "*"),
    (&[], "/CorsConfiguration/CorsRules/*/AllowedOrigins/*", "*"),
    (BUCKETS, "/AccessControl", "PublicReadWrite"),
    (
        &["AWS::IoT::TopicRule"],
        "/TopicRulePayload/Actions/*/S3/CannedAcl",
        "public-read-write",
    ),
    (
        &["AWS::IoT::TopicRule"],
        "/TopicRulePayload/ErrorAction/S3/CannedAcl",
        "public-read-write",
    ),
    (
        &["AWS::CloudFront::Distribution"],
        "/DistributionConfig/CacheBehaviors/*/ViewerProtocolPolicy",
        "allow-all",
    ),
    (
        &["AWS::EC2::SecurityGroup"],
        "/SecurityGroupIngress/*/CidrIp",
        "0.0.0.0/0",
    ),
    (
        &["AWS::EC2::SecurityGroup"],
        "/SecurityGroupIngress/*/CidrIpv6",
        "::/0",
    ),
    (&["AWS::EC2::SecurityGroupIngress"], "/CidrIp", "0.0.0.0/0"),
    (&["AWS::EC2::SecurityGroupIngress"], "/CidrIpv6", "::/0"),
    (
        &[
            "AWS::Events::EventBusPolicy",
            "AWS::Lambda::LayerVersionPermission",
            "AWS::Lambda::Permission",
        ],
        "/Principal",
        "*",
    ),
];

/// Returns whether only the deployment tells what a canonical value is.
pub(in super::super) fn is_unknown(value: &Value) -> bool {
    match value {
        Value::Object(entries) => intrinsic(entries).is_some(),
        Value::String(text) => is_dynamic(text),
        _ => false,
    }
}

/// Returns whether a canonical value may be anything: a part of a text, or an attribute of a resource, is not.
pub(super) fn is_anything(value: &Value) -> bool {
    match value {
        Value::Object(entries) => match intrinsic(entries) {
            Some(("Ref", Value::String(name))) => !name.starts_with("AWS::"),
            Some(("Fn::Split", Value::Array(parts))) => parts.get(1).is_some_and(is_anything),
            Some(("Fn::Select", Value::Array(parts))) => match parts.get(1) {
                Some(Value::Array(list)) => list.iter().any(is_anything),
                list => list.is_some_and(is_anything),
            },
            // Of several parts, each says something.
            Some((name, _)) => matches!(name, "Fn::FindInMap" | "Fn::ImportValue"),
            None => false,
        },
        Value::String(text) => text.starts_with("{{resolve:"),
        _ => false,
    }
}

/// Returns the pointers of a resource's properties that a pattern means.
fn pointers(properties: &Value, pattern: &str) -> Vec<String> {
    let Some((outer, rest)) = pattern.split_once("/*") else {
        return vec![pattern.to_owned()];
    };
    let elements = properties.pointer(outer).and_then(Value::as_array);
    let elements = elements.into_iter().flatten().enumerate();
    elements
        .flat_map(|(position, element)| {
            let inner = pointers(element, rest).into_iter();
            inner.map(move |pointer| format!("{outer}/{position}{pointer}"))
        })
        .collect()
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
    let openings = OPENINGS
        .iter()
        .filter(|(types, _, _)| types.is_empty() || types.contains(&resource_type));
    for (_, pattern, value) in openings {
        let properties = new.get("Properties").unwrap_or(&Value::Null);
        for pointer in pointers(properties, pattern) {
            let Some(after) = of(new, &pointer).filter(is_anything) else {
                continue;
            };
            // Lists may be in another order: what was anywhere in the same place is what it was.
            let before = old.get("Properties").unwrap_or(&Value::Null);
            let mut before = pointers(before, pattern).into_iter();
            if before.any(|pointer| of(old, &pointer).is_some_and(|it| same(&it, &after))) {
                continue;
            }
            let resource = worst.get_or_insert_with(|| new.clone());
            if let Some(there) = resource.pointer_mut(&format!("/Properties{pointer}")) {
                *there = Value::from(*value);
            }
            let what = text(&after);
            if !deciding.contains(&what) {
                deciding.push(what);
            }
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

    #[test]
    fn what_may_let_in_anybody_does() {
        let hidden = json!({"Ref": "Hidden"});
        for (kind, pointer, old, says) in [
            (
                "AWS::EC2::SecurityGroup",
                "/SecurityGroupIngress/0/CidrIp",
                json!({"SecurityGroupIngress": [{"CidrIp": "10.0.0.0/8", "FromPort": 22}]}),
                "any address reaches port 22",
            ),
            (
                "AWS::EC2::SecurityGroupIngress",
                "/CidrIpv6",
                json!({"CidrIpv6": "2001:db8::/32"}),
                "any address reaches it",
            ),
            (
                "AWS::RDS::DBInstance",
                "/PubliclyAccessible",
                json!({"PubliclyAccessible": false}),
                "it has a public address",
            ),
            (
                "AWS::ApiGatewayV2::Api",
                "/CorsConfiguration/AllowOrigins/0",
                json!({"CorsConfiguration": {"AllowOrigins": ["https://example.com"]}}),
                "any web page may call it (CORS origin `*`)",
            ),
            (
                "AWS::S3::Bucket",
                "/CorsConfiguration/CorsRules/0/AllowedOrigins",
                json!({"CorsConfiguration": {"CorsRules": [{"AllowedOrigins": ["https://example.com"]}]}}),
                "any web page may call it (CORS origin `*`)",
            ),
            (
                "AWS::IoT::TopicRule",
                "/TopicRulePayload/Actions/0/S3/CannedAcl",
                json!({"TopicRulePayload": {"Actions": [{"S3": {"BucketName": "b", "CannedAcl": "private"}}]}}),
                "anybody may read and write the objects that it writes (ACL)",
            ),
            (
                "AWS::IoT::TopicRule",
                "/TopicRulePayload/ErrorAction/S3/CannedAcl",
                json!({"TopicRulePayload": {"ErrorAction": {"S3": {"BucketName": "b", "CannedAcl": "private"}}}}),
                "anybody may read and write the objects that it writes (ACL)",
            ),
            (
                "AWS::CloudFront::Distribution",
                "/DistributionConfig/CacheBehaviors/0/ViewerProtocolPolicy",
                json!({"DistributionConfig": {"CacheBehaviors": [{"PathPattern": "/a/*", "ViewerProtocolPolicy": "https-only"}]}}),
                "requests for /a/* over plain HTTP are answered",
            ),
            (
                "AWS::Lambda::Permission",
                "/Principal",
                json!({"Principal": "123456789012"}),
                "everybody may call the function",
            ),
        ] {
            let with = |value: &serde_json::Value| {
                let mut resource = json!({"Type": kind, "Properties": old});
                *resource["Properties"]
                    .pointer_mut(pointer)
                    .expect("is there") = value.clone();
                resource
            };
            let old = json!({"Type": kind, "Properties": old});
            let unknown = with(&hidden);
            assert_eq!(
                exposures(kind, Some(&old), &unknown),
                [format!("{says}, as nobody knows what Hidden is")],
                "{kind}"
            );
            assert!(
                exposures(kind, Some(&unknown), &unknown).is_empty(),
                "{kind}"
            );
            // An attribute of a resource, or this account, is not anything.
            for known in [
                json!({"Fn::GetAtt": ["Other", "Address"]}),
                json!({"Ref": "AWS::AccountId"}),
            ] {
                let found = exposures(kind, Some(&old), &with(&known)).join("");
                assert!(!found.contains("as nobody knows"), "{kind}: {found}");
            }
        }
    }
}
