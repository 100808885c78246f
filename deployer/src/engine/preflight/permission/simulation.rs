//! What IAM says of a user or a role.

use std::collections::{BTreeMap, BTreeSet};

use super::Need;
use crate::aws::{AwsError, Clients, xml::Element};

const OPERATION: &str = "SimulatePrincipalPolicy";

/// How many resources are asked about in one call: a form has its limits, too.
const AT_ONCE: usize = 50;

/// An action that is not allowed on a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) action: String,
    pub(super) arn: String,
    /// What refuses it, as the end of a sentence, where it is not a policy of the user or role that is missing.
    pub(super) by: &'static str,
}

/// What calls have in common: what the request says of itself, and the actions.
type Group<'a> = (&'a BTreeMap<&'static str, String>, Vec<&'a str>);

/// Asks what of the needs a user or a role is refused
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html>).
///
/// What depends on conditions that nobody can tell beforehand is no refusal.
pub(super) async fn refused(
    clients: &Clients,
    principal: &str,
    needs: &BTreeSet<&Need>,
) -> Result<Vec<Refusal>, AwsError> {
    let mut refused = Vec::new();
    for ((context, actions), arns) in grouped(needs) {
        for arns in arns.chunks(AT_ONCE) {
            let mut marker = None;
            loop {
                let input = input(principal, &actions, arns, context, marker.as_deref());
                let answer = clients.iam(OPERATION, &input).await?;
                let result = answer
                    .at(&["SimulatePrincipalPolicyResult"])
                    .ok_or_else(|| AwsError::incomplete(OPERATION, "result"))?;
                for evaluation in result.all(&["EvaluationResults"]) {
                    refused.extend(refusals(evaluation));
                }
                let more = result.text_at(&["IsTruncated"]) == Some("true");
                marker = result.text_at(&["Marker"]).map(str::to_owned);
                if !more || marker.is_none() {
                    break;
                }
            }
        }
    }
    Ok(refused)
}

/// Puts together what one call can ask: resources for which the same actions are needed.
fn grouped<'a>(needs: &BTreeSet<&'a Need>) -> BTreeMap<Group<'a>, Vec<&'a str>> {
    let mut by_arn: BTreeMap<(&BTreeMap<&'static str, String>, &str), BTreeSet<&str>> =
        BTreeMap::new();
    for need in needs {
        by_arn
            .entry((&need.context, &need.arn))
            .or_default()
            .insert(&need.action);
    }
    let mut groups: BTreeMap<Group<'_>, Vec<&str>> = BTreeMap::new();
    for ((context, arn), actions) in by_arn {
        groups
            .entry((context, actions.into_iter().collect()))
            .or_default()
            .push(arn);
    }
    groups
}

fn input(
    principal: &str,
    actions: &[&str],
    arns: &[&str],
    context: &BTreeMap<&'static str, String>,
    marker: Option<&str>,
) -> Vec<(String, String)> {
    let mut input = vec![("PolicySourceArn".to_owned(), principal.to_owned())];
    let lists = [("ActionNames", actions), ("ResourceArns", arns)];
    for (name, values) in lists {
        for (at, value) in values.iter().enumerate() {
            input.push((format!("{name}.member.{}", at + 1), (*value).to_owned()));
        }
    }
    // CloudFormation calls for the caller
    // (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html#condition-keys-calledvia>).
    let by = "cloudformation.amazonaws.com";
    let via = [
        ("aws:CalledVia", "stringList", by),
        ("aws:CalledViaFirst", "string", by),
        ("aws:CalledViaLast", "string", by),
    ];
    let given = context
        .iter()
        .map(|(key, value)| (*key, "string", value.as_str()));
    for (at, (key, kind, value)) in via.into_iter().chain(given).enumerate() {
        let entry = format!("ContextEntries.member.{}", at + 1);
        input.push((format!("{entry}.ContextKeyName"), key.to_owned()));
        input.push((format!("{entry}.ContextKeyType"), kind.to_owned()));
        input.push((
            format!("{entry}.ContextKeyValues.member.1"),
            value.to_owned(),
        ));
    }
    input.extend(marker.map(|marker| ("Marker".to_owned(), marker.to_owned())));
    input
}

/// Reads one evaluation: of an action, resource by resource where there are several
/// (<https://docs.aws.amazon.com/IAM/latest/APIReference/API_EvaluationResult.html>).
fn refusals(evaluation: &Element) -> Vec<Refusal> {
    let Some(action) = evaluation.text_at(&["EvalActionName"]) else {
        return Vec::new();
    };
    let by = why(evaluation);
    let of = |element: &Element, decision: &str| {
        let arn = element.text_at(&["EvalResourceName"])?.to_owned();
        let decision = element.text_at(&[decision])?;
        let depends = !element.all(&["MissingContextValues"]).is_empty();
        let refused = match decision {
            "explicitDeny" | "implicitDeny" => !depends,
            _ => false,
        };
        refused.then(|| Refusal {
            action: action.to_owned(),
            arn,
            by,
        })
    };
    let each = evaluation.all(&["ResourceSpecificResults"]);
    if each.is_empty() {
        of(evaluation, "EvalDecision").into_iter().collect()
    } else {
        each.iter()
            .filter_map(|result| of(result, "EvalResourceDecision"))
            .collect()
    }
}

fn why(evaluation: &Element) -> &'static str {
    let says = |path: [&str; 2]| evaluation.text_at(&path) == Some("false");
    if says(["OrganizationsDecisionDetail", "AllowedByOrganizations"]) {
        " (a policy of the organization refuses it)"
    } else if says([
        "PermissionsBoundaryDecisionDetail",
        "AllowedByPermissionsBoundary",
    ]) {
        " (the permissions boundary refuses it)"
    } else if evaluation.text_at(&["EvalDecision"]) == Some("explicitDeny") {
        " (a policy refuses it)"
    } else {
        ""
    }
}
