//! Finds what more of the world can reach.

mod addresses;
mod definition;
mod edge;
mod firewall;
mod graphql;
mod origins;
mod paths;
mod reach;
mod sockets;
#[cfg(test)]
mod tests;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Effect, documents, elements, is, principals, text, unknown};
use reach::{Reach, Route};

pub(in super::super) use firewall::sets;
pub(in super::super) use paths::elsewhere;
pub(in super::super) use sockets::{is_asked_before, unasked};

/// Returns what of a resource more of the world can reach than before; for a new resource, `old` is `None`.
pub(in super::super) fn exposures(
    resource_type: &str,
    old: Option<&Value>,
    new: &Value,
) -> Vec<String> {
    let mut found = opened(resource_type, old, new);
    if let Some(old) = old {
        found.extend(unguarded(resource_type, old, new));
        found.extend(sources(old, new));
        if let Some((worst, deciding)) = unknown::worst(resource_type, old, new) {
            let mut may_be = opened(resource_type, Some(old), &worst);
            may_be.extend(unguarded(resource_type, old, &worst));
            let more: Vec<String> = may_be.difference(&found).cloned().collect();
            let more = more.into_iter();
            found.extend(more.map(|line| format!("{line}, as nobody knows what {deciding} is")));
        }
    }
    found.into_iter().collect()
}

/// Returns how the world can reach what is new. A rule that is new in a group that is there already is another rule of that
/// group. `among` are the resources that its stack has already, where there is one, and `own` those of its template.
pub(in super::super) fn made(
    resource_type: &str,
    new: &Value,
    among: Option<&BTreeMap<String, Value>>,
    own: &BTreeMap<String, Value>,
) -> Vec<String> {
    let group = among.and_then(|among| addresses::group_of(resource_type, new, among, own));
    match group {
        Some([before, after]) => exposures(addresses::GROUP, Some(&before), &after),
        None => exposures(resource_type, None, new),
    }
}

/// Returns what is open to more of the world once a resource is gone, because it kept somebody out.
pub(in super::super) fn lost(resource_type: &str, old: &Value) -> Option<&'static str> {
    match resource_type {
        "AWS::WAFv2::WebACLAssociation" | "AWS::WAFRegional::WebACLAssociation" => {
            Some("requests are no longer filtered by the web ACL")
        }
        _ if documents(old)
            .into_iter()
            .any(|statement| is(statement, Effect::Deny)) =>
        {
            Some("what its policy denies is no longer denied")
        }
        _ => None,
    }
}

fn properties(resource: &Value) -> &Value {
    resource.get("Properties").unwrap_or(&Value::Null)
}

/// Returns how the world can reach a resource that could not reach it so before.
fn opened(resource_type: &str, old: Option<&Value>, new: &Value) -> BTreeSet<String> {
    let before = old.map(|old| open(resource_type, old)).unwrap_or_default();
    let mut after = open(resource_type, new);
    let operations = old.map(|old| definition::operations(resource_type, properties(old)));
    let asking = operations.map(|it| it.asking).unwrap_or_default();
    after.retain(|reach| match old {
        Some(_) => !before
            .iter()
            .any(|earlier| earlier.covers(reach) && !earlier.left_to(&asking, reach)),
        None => reach.is_for_all(),
    });
    let mut found: BTreeSet<String> = after.iter().map(Reach::to_string).collect();
    let operations = definition::operations(resource_type, properties(new));
    found.extend(definition::left_open(&asking, &operations, &after));
    if definition::is_hidden(resource_type, old.map(properties), properties(new)) {
        found.insert(
            "a definition says who is asked, and what is in it is not known here".to_owned(),
        );
    }
    if resource_type == "AWS::CloudFront::Distribution" {
        found.extend(edge::plain(old.map(properties), properties(new)));
    }
    found
}

/// Returns how the world can reach a resource.
fn open(resource_type: &str, resource: &Value) -> Vec<Reach> {
    let properties = properties(resource);
    let route = || Reach::Calls(Route::new(properties));
    let calls = takes_calls(resource_type, properties).then(route);
    let operations = definition::operations(resource_type, properties);
    let operations = operations.open.into_iter();
    let packets = addresses::rules(resource_type, properties).into_iter();
    let pages = origins::origins(properties).into_iter();
    let lines = lines(resource_type, resource).into_iter();
    calls
        .into_iter()
        .chain(operations.map(Reach::Calls))
        .chain(packets.map(Reach::Packets))
        .chain(pages.map(Reach::Pages))
        .chain(lines.map(Reach::Open))
        .collect()
}

/// Returns whether a method or a route takes calls without authorization. Browsers ask without credentials whether they may
/// call.
fn takes_calls(resource_type: &str, properties: &Value) -> bool {
    let property = |name: &str| properties.get(name).and_then(Value::as_str);
    match resource_type {
        "AWS::ApiGateway::Method" => {
            property("HttpMethod") != Some("OPTIONS")
                && !is_authorized(properties)
                && !is_true(properties.get("ApiKeyRequired"))
        }
        "AWS::ApiGatewayV2::Route" => {
            !is_authorized(properties)
                && !property("RouteKey").is_some_and(|key| key.starts_with("OPTIONS "))
        }
        _ => false,
    }
}

/// Returns what of a resource is open, where it is that or is not.
fn lines(resource_type: &str, resource: &Value) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let properties = properties(resource);
    let property = |name: &str| properties.get(name).and_then(Value::as_str);
    match resource_type {
        "AWS::Cognito::IdentityPoolRoleAttachment" => {
            let guests = properties.pointer("/Roles/unauthenticated");
            found.extend(guests.map(|role| format!("guests act as {}", text(role))));
        }
        "AWS::Cognito::IdentityPool"
            if is_true(properties.get("AllowUnauthenticatedIdentities")) =>
        {
            found.insert("anybody gets credentials without signing in".to_owned());
        }
        // Where nothing is said, Cognito lets people sign themselves up.
        "AWS::Cognito::UserPool"
            if !is_true(properties.pointer("/AdminCreateUserConfig/AllowAdminCreateUserOnly")) =>
        {
            found.insert("anybody may sign up".to_owned());
        }
        "AWS::Lambda::Url" if property("AuthType") == Some("NONE") => {
            found.insert("the function URL takes calls without authorization".to_owned());
        }
        "AWS::Lambda::Permission" => found.extend(callers(properties)),
        "AWS::Lambda::LayerVersionPermission"
            if property("Principal") == Some("*") && properties.get("OrganizationId").is_none() =>
        {
            found.insert("everybody may use the layer".to_owned());
        }
        "AWS::S3::AccessPoint" | "AWS::S3::Bucket" => {
            // AWS blocks public access of new buckets where nothing is said.
            found.extend(block(properties).into_iter().flat_map(switched_off));
            found.extend(property("AccessControl").and_then(canned));
        }
        "AWS::IoT::TopicRule" => found.extend(stored(properties)),
        "AWS::CodeBuild::Project" if property("Visibility") == Some("PUBLIC_READ") => {
            found.insert("anybody may read the builds, their logs and artifacts".to_owned());
        }
        "AWS::Events::EventBusPolicy"
            if property("Principal") == Some("*") && properties.get("Condition").is_none() =>
        {
            found.insert("every account may put events on the bus".to_owned());
        }
        _ => {}
    }
    if is_true_literal(properties.get("PubliclyAccessible")) {
        found.insert("it has a public address".to_owned());
    }
    if allows_everybody(resource) {
        found.insert("a policy allows everybody, without a condition".to_owned());
    }
    found
}

/// Returns what an access control list that S3 has a name for opens.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/acl-overview.html>.
fn canned(list: &str) -> Option<String> {
    let says = match list {
        "PublicRead" => "anybody may list and read it (ACL)",
        "PublicReadWrite" => "anybody may list, read and write it (ACL)",
        "AuthenticatedRead" => "every AWS account may list and read it (ACL)",
        _ => return None,
    };
    Some(says.to_owned())
}

/// Returns who may read what a rule of IoT stores in buckets, as the lists of its actions say.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-iot-topicrule-s3action.html>.
fn stored(rule: &Value) -> Vec<String> {
    let actions = elements(rule.pointer("/TopicRulePayload/Actions"));
    let actions = actions
        .into_iter()
        .chain(rule.pointer("/TopicRulePayload/ErrorAction"));
    let lists = actions.filter_map(|action| action.pointer("/S3/CannedAcl")?.as_str());
    let lines = lists.filter_map(|list| match list {
        "public-read" => Some("anybody may read the objects that it writes (ACL)"),
        "public-read-write" => Some("anybody may read and write the objects that it writes (ACL)"),
        "authenticated-read" => Some("every AWS account may read the objects that it writes (ACL)"),
        _ => None,
    });
    lines.map(str::to_owned).collect()
}

/// Returns how more than one resource may call a function by a permission.
fn callers(permission: &Value) -> Vec<String> {
    let Some(principal) = permission.get("Principal").and_then(Value::as_str) else {
        return Vec::new();
    };
    if principal == "*" {
        return vec!["everybody may call the function".to_owned()];
    }
    let narrow = [
        "EventSourceToken",
        "PrincipalOrgID",
        "SourceAccount",
        "SourceArn",
    ];
    let service = principal.contains(".amazonaws.com") || principal.ends_with(".amazon.com");
    if service && narrow.iter().all(|name| permission.get(name).is_none()) {
        return vec![format!(
            "{principal} may call the function for anybody: the permission names no source"
        )];
    }
    Vec::new()
}

/// Returns the public access block of a bucket.
fn block(bucket: &Value) -> Option<&Value> {
    bucket.get("PublicAccessBlockConfiguration")
}

/// Returns the parts of a public access block that are off.
fn switched_off(block: &Value) -> impl Iterator<Item = String> {
    [
        "BlockPublicAcls",
        "BlockPublicPolicy",
        "IgnorePublicAcls",
        "RestrictPublicBuckets",
    ]
    .into_iter()
    .filter(|name| !is_true(block.get(*name)))
    .map(|name| format!("{name} is off"))
}

/// Returns which guards a change takes away that were there before.
fn unguarded(resource_type: &str, old: &Value, new: &Value) -> Vec<String> {
    let (old, new) = (properties(old), properties(new));
    let lost = |guards: fn(&Value) -> bool| guards(old) && !guards(new);
    let mut found = Vec::new();
    let mut say = |message: &str| found.push(message.to_owned());
    match resource_type {
        "AWS::ApiGateway::Method" | "AWS::ApiGatewayV2::Route" => {
            if lost(is_authorized) {
                say(&Reach::Calls(Route::new(new)).to_string());
            }
            if lost(|route| is_true(route.get("ApiKeyRequired"))) {
                say("the route no longer asks for a key");
            }
            if lost(|route| !elements(route.get("AuthorizationScopes")).is_empty()) {
                say("the route takes tokens without a scope");
            }
        }
        "AWS::ApiGateway::RestApi" | "AWS::ApiGatewayV2::Api" => {
            if lost(|api| is_true(api.get("DisableExecuteApiEndpoint"))) {
                say("the API answers at its own address, beside its domain");
            }
            if lost(is_private) {
                say("the API is no longer private");
            }
            // Of an API with a policy, nobody calls what it does not allow
            // (<https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-authorization-flow.html>). A private API
            // without one takes no calls at all.
            if lost(|api| api.get("Policy").is_some()) && !is_private(new) {
                say("the API has no policy any more: whoever its methods let in calls it");
            }
        }
        "AWS::Cognito::UserPool" if lost(|pool| tokens::second_factor(pool) == 2) => {
            say("who signs in no longer needs a second factor");
        }
        "AWS::Cognito::UserPool" if lost(|pool| tokens::second_factor(pool) > 0) => {
            say("who has a second factor signs in without it");
        }
        "AWS::Lambda::Permission" => {
            for name in [
                "EventSourceToken",
                "InvokedViaFunctionUrl",
                "PrincipalOrgID",
                "SourceAccount",
                "SourceArn",
            ] {
                if old.get(name).is_some() && new.get(name).is_none() {
                    say(&format!("the permission no longer asks for its {name}"));
                }
            }
            if lost(|permission| {
                permission
                    .get("FunctionUrlAuthType")
                    .and_then(Value::as_str)
                    == Some("AWS_IAM")
            }) {
                say("the permission no longer asks for a signature");
            }
        }
        // Without the block that a template sets, CloudFormation removes the one that is there.
        "AWS::S3::Bucket" | "AWS::S3::AccessPoint" => {
            if let (Some(before), None) = (block(old), block(new)) {
                let off: BTreeSet<String> = switched_off(before).collect();
                let opened = switched_off(&Value::Null).filter(|part| !off.contains(part));
                opened.for_each(|part| say(&part));
            }
        }
        "AWS::WAFv2::WebACL" if lost(|acl| acl.pointer("/DefaultAction/Block").is_some()) => {
            say("requests that no rule names are let through");
        }
        _ => {}
    }
    let mut more = match resource_type {
        "AWS::AppSync::GraphQLApi" => graphql::unguarded(old, new),
        "AWS::CloudFront::Distribution" => edge::unguarded(old, new),
        "AWS::WAFv2::WebACL" | "AWS::WAFv2::RuleGroup" => firewall::rules(old, new),
        _ => Vec::new(),
    };
    more.extend(tokens::unguarded(resource_type, old, new));
    for what in &more {
        say(what);
    }
    found
}

/// The keys of conditions that say for whom a service acts; see
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html>.
const SOURCES: [&str; 4] = [
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
];

/// Returns which principals of policies no longer have to act for a certain source, and had to before.
fn sources(old: &Value, new: &Value) -> Vec<String> {
    let (before, after) = (by_source(old), by_source(new));
    after
        .iter()
        .filter(|(_, bound)| !bound)
        .map(|(principal, _)| principal)
        .filter(|principal| {
            let mut earlier = before.iter().filter(|(other, _)| other == *principal);
            let first = earlier.next();
            first.is_some_and(|(_, bound)| *bound) && earlier.all(|(_, bound)| *bound)
        })
        .map(|principal| format!("{principal} may act for anybody: no condition names the source"))
        .collect()
}

/// Returns the principals of the statements that allow something, each with whether the statement binds its source.
fn by_source(resource: &Value) -> Vec<(String, bool)> {
    let allowed = documents(resource)
        .into_iter()
        .filter(|it| is(it, Effect::Allow));
    allowed
        .flat_map(|statement| {
            let conditions = statement.get("Condition").and_then(Value::as_object);
            let mut keys = conditions
                .into_iter()
                .flat_map(|conditions| conditions.values())
                .filter_map(Value::as_object)
                .flat_map(|keys| keys.keys());
            let bound = keys.any(|key| SOURCES.contains(&key.to_ascii_lowercase().as_str()));
            principals(statement)
                .into_iter()
                .filter(|(kind, _)| !kind.is_empty())
                .map(move |(kind, name)| (format!("{kind} {}", text(name)), bound))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// Returns whether a REST API answers only inside of networks.
fn is_private(api: &Value) -> bool {
    elements(api.pointer("/EndpointConfiguration/Types"))
        .iter()
        .any(|kind| kind.as_str() == Some("PRIVATE"))
}

/// Returns whether a method or route asks who calls.
fn is_authorized(route: &Value) -> bool {
    match route.get("AuthorizationType") {
        None | Some(Value::Null) => false,
        Some(kind) => kind.as_str() != Some("NONE"),
    }
}

fn is_true(value: Option<&Value>) -> bool {
    match value {
        // An intrinsic: nobody knows. Where a guard becomes one, its worst case is judged besides.
        Some(Value::Object(_)) => true,
        other => is_true_literal(other),
    }
}

fn is_true_literal(value: Option<&Value>) -> bool {
    match value {
        Some(Value::Bool(value)) => *value,
        Some(Value::String(text)) => text == "true",
        _ => false,
    }
}

fn allows_everybody(resource: &Value) -> bool {
    documents(resource).into_iter().any(|statement| {
        is(statement, Effect::Allow)
            && statement.get("Condition").is_none()
            && principals(statement)
                .iter()
                .any(|(_, name)| name.as_str() == Some("*"))
    })
}
