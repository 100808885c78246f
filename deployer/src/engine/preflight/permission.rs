//! Permissions: whether whoever CloudFormation acts for may do what this deploy needs.
//!
//! CloudFormation finds a missing permission when it comes to the resource, and rolls back what it made before. IAM can
//! say beforehand what its policies allow. It does not see everything: not the policies that a session was begun with,
//! not those of resources, and of an organization's only those without conditions
//! (<https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_testing-policies.html>). So what it refuses is a
//! warning.

mod needs;
mod simulation;

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Check, Concern, Weight,
    look::{Look, declared},
    unknown,
};
use crate::aws::{AwsError, Clients, Fault};
use needs::Need;
use simulation::Refusal;

/// How many resources of a kind are told by name.
const NAMED: usize = 3;

/// Whose rights count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Principal {
    /// A user or a role, by ARN.
    Known(String),
    /// Nobody that IAM has policies of.
    Unknown(String),
    /// The root user of the account may do everything in it.
    Root,
}

/// Looks whether the stacks of a region can be deployed.
pub(super) async fn check(clients: &Clients, looks: &[Look<'_>]) -> Vec<Concern> {
    let mut concerns = Vec::new();
    let mut needs: BTreeMap<String, Vec<(&str, Need)>> = BTreeMap::new();
    let mut known = None;
    let mut unasked: BTreeSet<String> = BTreeSet::new();
    for look in looks {
        let before = match &look.before {
            Ok(before) => before,
            Err(error) => {
                concerns.push(unknown(Check::Permission, look.name(), error));
                continue;
            }
        };
        let of_stack = needs::of(clients, look, &before.template);
        let mut types = of_stack.unknown;
        let of_stack = of_stack.known;
        if of_stack.is_empty() {
            unasked.append(&mut types);
            continue;
        }
        let principal = match &before.role {
            Some(role) => Principal::Known(role.clone()),
            None => match &known {
                Some(principal) => Principal::clone(principal),
                None => match caller(clients).await {
                    Ok(principal) => known.insert(principal).clone(),
                    Err(error) => {
                        return vec![unknown(Check::Permission, &clients.identity().arn, &error)];
                    }
                },
            },
        };
        match principal {
            Principal::Root => {}
            Principal::Unknown(arn) => {
                return vec![Concern {
                    check: Check::Permission,
                    weight: Weight::Unknown,
                    subject: arn,
                    message: "nobody can look: IAM simulates users and roles alone".to_owned(),
                    hints: Vec::new(),
                }];
            }
            Principal::Known(arn) => {
                unasked.append(&mut types);
                let of_stack = of_stack.into_iter().map(|need| (look.name(), need));
                needs.entry(arn).or_default().extend(of_stack);
            }
        }
    }
    for (principal, needs) in needs {
        let wanted: BTreeSet<&Need> = needs.iter().map(|(_, need)| need).collect();
        match simulation::refused(clients, &principal, &wanted).await {
            Ok(refused) => concerns.extend(told(&principal, &needs, &refused)),
            Err(error) => concerns.push(unknown(Check::Permission, &principal, &error)),
        }
    }
    if !unasked.is_empty() {
        let types: Vec<&str> = unasked.iter().map(String::as_str).collect();
        let types = match types.as_slice() {
            [others @ .., last] if !others.is_empty() => {
                format!("{} and {last}", others.join(", "))
            }
            types => types.concat(),
        };
        concerns.push(Concern {
            check: Check::Permission,
            weight: Weight::Unknown,
            subject: clients.region().to_owned(),
            message: format!(
                "IAM is not asked about {types}: nobody knows which actions they take, or where they are"
            ),
            hints: Vec::new(),
        });
    }
    concerns
}

/// Returns who calls, as IAM knows it.
///
/// A session names its role without the path, which is a part of the role's ARN
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns>); so IAM is asked for it.
async fn caller(clients: &Clients) -> Result<Principal, AwsError> {
    let arn = &clients.identity().arn;
    let resource = arn.splitn(6, ':').nth(5).unwrap_or_default();
    if resource == "root" {
        return Ok(Principal::Root);
    }
    if resource.starts_with("user/") || resource.starts_with("role/") {
        return Ok(Principal::Known(arn.clone()));
    }
    let Some(role) = resource
        .strip_prefix("assumed-role/")
        .and_then(|session| session.split('/').next())
    else {
        return Ok(Principal::Unknown(arn.clone()));
    };
    let input = [("RoleName".to_owned(), role.to_owned())];
    match clients.iam("GetRole", &input).await {
        Ok(answer) => match answer.text_at(&["GetRoleResult", "Role", "Arn"]) {
            Some(arn) => Ok(Principal::Known(arn.to_owned())),
            None => Err(AwsError::incomplete("GetRole", "ARN")),
        },
        // Most roles have no path.
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => {
            let partition = super::look::partition(clients);
            let account = &clients.identity().account;
            Ok(Principal::Known(format!(
                "arn:{partition}:iam::{account}:role/{role}"
            )))
        }
        Err(error) => Err(error),
    }
}

/// Says what is refused, stack by stack.
fn told(principal: &str, needs: &[(&str, Need)], refused: &[Refusal]) -> Vec<Concern> {
    let mut by_stack: BTreeMap<&str, BTreeMap<(String, &'static str), BTreeSet<&str>>> =
        BTreeMap::new();
    for (stack, need) in needs {
        let found = refused
            .iter()
            .find(|it| it.action == need.action && it.arn == need.arn);
        if let Some(refusal) = found {
            by_stack
                .entry(stack)
                .or_default()
                .entry((need.action.clone(), refusal.by))
                .or_default()
                .insert(&need.logical_id);
        }
    }
    by_stack
        .into_iter()
        .map(|(stack, actions)| {
            let actions: Vec<String> = actions
                .into_iter()
                .map(|((action, by), ids)| format!("{action} for {}{by}", list(&ids)))
                .collect();
            Concern {
                check: Check::Permission,
                weight: Weight::Warning,
                subject: stack.to_owned(),
                message: format!("{principal} may not {}", actions.join(", ")),
                hints: vec![
                    "allow it, or deploy with another profile: CloudFormation acts with the rights of its caller, or of the stack's own role".to_owned(),
                    "IAM was asked to simulate it, which sees neither session policies nor policies of resources".to_owned(),
                ],
            }
        })
        .collect()
}

/// Names some logical ids, and counts the others.
fn list(ids: &BTreeSet<&str>) -> String {
    let named: Vec<&str> = ids.iter().copied().take(NAMED).collect();
    match ids.len().saturating_sub(NAMED) {
        0 => named.join(" and "),
        more => format!("{} and {more} more", named.join(", ")),
    }
}
