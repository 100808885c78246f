//! Methods that take calls without authorization, at other paths than before.
//!
//! A method has the path of its resource, and of all that are above it. See
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-resource.html>.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::super::super::compare::type_of;
use super::super::super::references::names;
use super::super::text;
use super::reach::{Route, path_covers};
use super::{properties, takes_calls};

const METHOD: &str = "AWS::ApiGateway::Method";
const RESOURCE: &str = "AWS::ApiGateway::Resource";

/// Returns which open methods that were there take calls at a path that another part of it makes. `before` and `after` are the
/// resources of both templates.
pub(in super::super::super) fn elsewhere(
    id: &str,
    old: &Value,
    new: &Value,
    before: &BTreeMap<String, Value>,
    after: &BTreeMap<String, Value>,
) -> Vec<String> {
    if type_of(new) != RESOURCE {
        return Vec::new();
    }
    let part = |resource: &'_ Value| properties(resource).get("PathPart").map(text);
    let (Some(was), Some(is)) = (part(old), part(new)) else {
        return Vec::new();
    };
    if path_covers(&was, &is) {
        return Vec::new();
    }
    let of = below(id, after);
    let methods = after.iter().filter(|(method, body)| {
        let all = properties(body);
        let resource = all.get("ResourceId").map(names).unwrap_or_default();
        type_of(body) == METHOD
            && before.contains_key(*method)
            && takes_calls(METHOD, all)
            && !resource.is_disjoint(&of)
    });
    methods
        .map(|(_, method)| {
            format!(
                "{} takes calls without authorization at another path, with {is} in place of {was}",
                Route::new(properties(method))
            )
        })
        .collect()
}

/// Returns a resource of an API, and all that are below it.
fn below(id: &str, resources: &BTreeMap<String, Value>) -> BTreeSet<String> {
    let mut found = BTreeSet::from([id.to_owned()]);
    loop {
        let count = found.len();
        for (id, body) in resources
            .iter()
            .filter(|(_, body)| type_of(body) == RESOURCE)
        {
            let parent = properties(body).get("ParentId").map(names);
            if parent.is_some_and(|parent| !parent.is_disjoint(&found)) {
                found.insert(id.clone());
            }
        }
        if found.len() == count {
            return found;
        }
    }
}
