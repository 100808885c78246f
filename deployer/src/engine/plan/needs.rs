//! What functions need of their roles: their bindings say so.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use stack_model::assembly::{Contract, StackManifest};

use super::compare::type_of;
use super::references::names;
use super::traps::Both;
use super::widen::{Access, access, elements};
use super::{Grade, ResourceChange};

/// The page about the role of a function.
const SOURCE: &str =
    "https://docs.aws.amazon.com/lambda/latest/dg/lambda-intro-execution-role.html";

/// One action that a function calls.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Need {
    /// The logical id of the function.
    function: String,
    /// The binding that calls it.
    binding: String,
    action: String,
    /// The logical id of what the binding is bound to, where that is in the same stack.
    target: Option<String>,
}

/// Returns what the functions of a stack need: a function is known by the parameter that its code is named by.
pub(super) fn needs(
    manifest: &StackManifest,
    contracts: &BTreeMap<String, Contract>,
    template: Option<&Value>,
) -> Vec<Need> {
    let resources = template
        .and_then(|template| template.get("Resources"))
        .and_then(Value::as_object);
    let functions = resources
        .into_iter()
        .flatten()
        .filter(|(_, body)| type_of(body) == FUNCTION);
    functions
        .filter_map(|(function, body)| {
            let parameter = body.pointer("/Properties/Code/S3Key/Ref")?.as_str()?;
            let contract = contracts.get(manifest.artifacts.get(parameter)?)?;
            Some((function, body, contract))
        })
        .flat_map(|(function, body, contract)| {
            contract.bindings.iter().flat_map(move |(binding, known)| {
                // The variable that carries the binding names what it is bound to.
                let variable = format!("/Properties/Environment/Variables/{}", known.environment);
                let bound = body.pointer(&variable).map(names).unwrap_or_default();
                let mut own = bound
                    .into_iter()
                    .filter(|name| resources.is_some_and(|all| all.contains_key(name)));
                let target = own.next().filter(|_| own.next().is_none());
                known.actions.iter().map(move |action| Need {
                    function: function.clone(),
                    binding: binding.clone(),
                    action: action.clone(),
                    target: target.clone(),
                })
            })
        })
        .collect()
}

const FUNCTION: &str = "AWS::Lambda::Function";

/// Managed policies whose actions no binding needs.
const HARMLESS: [&str; 3] = [
    "AWSLambdaBasicExecutionRole",
    "AWSLambdaVPCAccessExecutionRole",
    "AWSXRayDaemonWriteAccess",
];

/// Finds roles that allow less than what a function with them still needs.
pub(super) fn check(
    changes: &mut BTreeMap<String, ResourceChange>,
    both: Both<'_>,
    needs: &[Need],
) {
    for need in needs {
        let role = |resources: &BTreeMap<String, Value>| {
            let function = resources.get(&need.function)?;
            let role = function.get("Properties")?.get("Role")?;
            names(role)
                .into_iter()
                .find(|name| resources.contains_key(name))
        };
        let (Some(before), Some(after)) = (role(both.old), role(both.new)) else {
            continue;
        };
        let Some(lost) = lost((both.old, &before), (both.new, &after), need) else {
            continue;
        };
        let of_role = policies(both.old, &before)
            .into_iter()
            .chain(policies(both.new, &after))
            .chain([before, after.clone()])
            .collect::<BTreeSet<String>>();
        let Some(change) = of_role.iter().find_map(|id| changes.get(id)) else {
            continue;
        };
        let id = change.logical_id.clone();
        if let Some(change) = changes.get_mut(&id) {
            let Need {
                function,
                binding,
                action,
                target: _,
            } = need;
            change.add(
                Grade::Interruption,
                format!("{function} still calls {action} for its binding `{binding}`, and {lost}"),
                SOURCE,
            );
        }
    }
}

/// Returns the policies of a template that are attached to a role.
fn policies(resources: &BTreeMap<String, Value>, role: &str) -> Vec<String> {
    let part = |body: &'_ Value, name: &str| {
        body.get("Properties")
            .and_then(|all| all.get(name))
            .is_some_and(|value| names(value).contains(role))
    };
    let of_role = resources.get(role).map(names).unwrap_or_default();
    resources
        .iter()
        .filter(|(id, body)| match type_of(body) {
            "AWS::IAM::Policy" => part(body, "Roles"),
            "AWS::IAM::ManagedPolicy" => part(body, "Roles") || of_role.contains(*id),
            "AWS::IAM::RolePolicy" => part(body, "RoleName"),
            _ => false,
        })
        .map(|(id, _)| id.clone())
        .collect()
}

/// A role of a template.
type Role<'a> = (&'a BTreeMap<String, Value>, &'a str);

/// Says why a role no longer allows what a function needs, where it did before.
fn lost(before: Role<'_>, after: Role<'_>, need: &Need) -> Option<&'static str> {
    let (was, is) = (allows(before, need), allows(after, need));
    let boundary = |(resources, role): Role<'_>| {
        let properties = resources.get(role)?.get("Properties")?;
        properties.get("PermissionsBoundary").cloned()
    };
    if !was.allowed {
        None
    } else if !is.allowed {
        Some("nothing allows it any more")
    } else if is.denied && !was.denied {
        Some("perhaps it may not any more: a policy denies it")
    } else if was.always && !is.always {
        Some("perhaps it may not any more: it is allowed under a condition")
    } else if boundary(after).is_some_and(|bound| boundary(before) != Some(bound)) {
        Some("perhaps it may not any more: its role has another permissions boundary")
    } else {
        None
    }
}

/// Returns what is said of what a function needs in the policies of a role. What a managed policy of AWS or of another
/// stack allows is not known here, so it may be that.
fn allows((resources, role): Role<'_>, need: &Need) -> Access {
    let Some(body) = resources.get(role) else {
        return Access::UNKNOWN;
    };
    let managed = body
        .get("Properties")
        .and_then(|properties| properties.get("ManagedPolicyArns"));
    let unknown = elements(managed).into_iter().any(|arn| {
        let own = names(arn).iter().any(|name| resources.contains_key(name));
        let text = arn.to_string();
        !own && !HARMLESS.iter().any(|name| text.contains(name))
    });
    let attached = policies(resources, role);
    let bodies = attached.iter().filter_map(|id| resources.get(id));
    let own = body
        .get("Properties")
        .and_then(|properties| properties.get("Policies"));
    let of = |policies| access(policies, &need.action, need.target.as_deref(), resources);
    let said = own.into_iter().chain(bodies).map(of);
    let said = said.fold(Access::default(), Access::and);
    if unknown {
        said.and(Access::UNKNOWN)
    } else {
        said
    }
}
