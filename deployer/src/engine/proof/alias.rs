//! Aliases of released functions: which version they name, and the way back from one that does not answer.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{
    declared,
    led_back::LedBack,
    note::{self, Note},
};
use crate::{
    aws::{AwsError, Clients, OrAws},
    engine::{
        Context, Event,
        fast::OTHER_REVISION,
        inspect::{DeployedResource, present},
        release::{failed::MovedAlias, unproven::NotedAlias},
        stack::Work,
    },
};

/// An alias as it is now.
#[derive(Clone, Debug)]
pub(super) struct Alias {
    /// The ARN of the function, which does for its name.
    pub(super) function: String,
    pub(super) name: String,
    pub(super) version: String,
    /// What Lambda calls the state of the alias: nothing is written over a later one.
    revision: Option<String>,
}

/// Looks at an alias by its ARN, which is its physical id: that of the function, a colon, and the name
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-alias.html>).
pub(super) async fn look(clients: &Clients, arn: &str) -> Result<Option<Alias>, AwsError> {
    let Some((function, name)) = arn.rsplit_once(':') else {
        return Ok(None);
    };
    let answer = clients
        .lambda
        .get_alias()
        .function_name(function)
        .name(name)
        .send()
        .await
        .or_aws(clients, "GetAlias")?;
    Ok(present(answer.function_version).map(|version| Alias {
        function: function.to_owned(),
        name: name.to_owned(),
        version,
        revision: answer.revision_id,
    }))
}

/// Leads the aliases that a deploy moved back to the versions that they named before. Returns those, and what the reader
/// should know.
pub(super) async fn lead_back(
    context: &Context,
    work: &Work,
    note: Option<&Note>,
    resources: &[DeployedResource],
    template: &Value,
) -> (Vec<MovedAlias>, Vec<String>) {
    let mut hints = Vec::new();
    let mut moved = Vec::new();
    for (logical_id, alias) in note.into_iter().flat_map(|note| &note.aliases) {
        let to = &alias.good;
        match back(context, work, note, resources, (logical_id, alias), to).await {
            Ok(None) => {}
            Ok(Some(from)) => moved.push(MovedAlias {
                logical_id: logical_id.clone(),
                function: alias.function.clone(),
                from,
                to: to.clone(),
            }),
            Err(error) => hints.push(format!(
                "{logical_id} was not led back to version {to}: {error}"
            )),
        }
    }
    let functions = declared(template).filter(|(_, kind, _)| *kind == super::function::TYPE);
    let touched = note.and_then(|note| note.touched.as_ref());
    let others: Vec<&str> = functions
        .map(|(logical_id, _, _)| logical_id)
        // What this deploy did not change has no earlier sources to go back to.
        .filter(|id| touched.is_none_or(|touched| touched.contains(*id)))
        .filter(|id| {
            !work
                .manifest
                .releases
                .values()
                .any(|released| released == id)
        })
        .collect();
    if !moved.is_empty() {
        hints.push(format!(
            "what is released under an alias was led back to its earlier version, and all else stays as it was deployed: mend what failed, and deploy again (`stackctl deploy {}`)",
            work.manifest.name
        ));
    }
    if !others.is_empty() {
        hints.push(format!(
            "{} stays as it was deployed: deploy the earlier sources again, and release functions under an alias (`Release::Live`) for a way back",
            others.join(", ")
        ));
    } else if moved.is_empty() {
        hints.push(format!(
            "nothing that was live before can be led back to, and what was deployed stays: mend what failed, and deploy again (`stackctl deploy {}`)",
            work.manifest.name
        ));
    }
    (moved, hints)
}

/// Returns how released functions are led back by hand, where a check failed and this deploy changed nothing: the one that
/// did may have been killed before its check, or something else went wrong since, which only the reader can tell.
///
/// Those that were led back already are told apart.
pub(super) fn ways_back(work: &Work, led_back: &[LedBack]) -> Vec<String> {
    let stack = &work.manifest;
    let released: BTreeSet<&String> = stack.releases.values().collect();
    released
        .into_iter()
        .filter(|function| !led_back.iter().any(|it| it.function == **function))
        .map(|function| {
            format!(
                "this deploy changed nothing, so nothing was led back; where the live version of {function} is to blame: `stackctl rollback {}/{function} --to previous`",
                stack.name
            )
        })
        .collect()
}

/// Returns an alias that is to be led back to a version, as it is now; nothing, where it names that, or stays where it is.
pub(super) async fn elsewhere(
    context: &Context,
    work: &Work,
    note: Option<&Note>,
    resources: &[DeployedResource],
    (logical_id, alias): (&str, &NotedAlias),
    to: &str,
) -> Result<Option<Alias>, AwsError> {
    let arn = format!("{}:{}", alias.function, alias.name);
    let now = look(&context.clients, &arn).await?;
    let Some(now) = now.filter(|now| now.version != to) else {
        return Ok(None);
    };
    let is_fresh = note.is_some_and(|note| note.is_fresh);
    let version = &now.version;
    let is_due =
        is_fresh || note::is_deployed(context, work, resources, logical_id, version).await?;
    Ok(is_due.then_some(now))
}

/// Makes an alias name an earlier version again. Returns the version that it named instead; nothing, where it named none
/// other.
///
/// What an earlier run left is led back only where CloudFormation put it where it is: who moved an alias since, on purpose or
/// after a check, has seen more than that run.
pub(super) async fn back(
    context: &Context,
    work: &Work,
    note: Option<&Note>,
    resources: &[DeployedResource],
    (logical_id, alias): (&str, &NotedAlias),
    to: &str,
) -> Result<Option<String>, AwsError> {
    let clients = &context.clients;
    let named = (logical_id, alias);
    let Some(now) = elsewhere(context, work, note, resources, named, to).await? else {
        return Ok(None);
    };
    let arn = format!("{}:{}", alias.function, alias.name);
    let moved = clients
        .lambda
        .update_alias()
        .function_name(&alias.function)
        .name(&alias.name)
        .function_version(to)
        .set_revision_id(now.revision)
        .send()
        .await
        .or_aws(clients, "UpdateAlias");
    if let Err(error) = moved {
        // A call whose answer was lost is repeated, and the revision is no longer the last one: the alias tells.
        let is_repeated = error.code() == Some(OTHER_REVISION)
            && look(clients, &arn)
                .await?
                .is_some_and(|it| it.version == to);
        if !is_repeated {
            return Err(error);
        }
    }
    context.emit(Event::AliasLedBack {
        stack: work.manifest.name.clone(),
        logical_id: logical_id.to_owned(),
        from: now.version.clone(),
        to: to.to_owned(),
    });
    Ok(Some(now.version))
}
