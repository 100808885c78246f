//! Makes a plan against what is deployed.

mod error;
mod renames;

pub use error::PlanError;
use renames::renames;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::{Value, json};
use stack_model::assembly::{ARTIFACT_BUCKET_PARAMETER, Contract, StackManifest};

use super::{
    App, Basis, Knowledge, Path, Plan, PropertyChange, Side, Snapshot, StackPlan, compare,
    pseudo_parameters,
};
use crate::ascii;
use crate::aws::{AwsError, Fault};
use crate::content::Content;
use crate::engine::bootstrap::template;
use crate::engine::content::{self, Difference};
use crate::engine::destroy::importers::{self, Importers};
use crate::engine::publish::{artifact_key, needs_bucket};
use crate::engine::stack::{importable, protection};
use crate::engine::{
    Artifact, BOOTSTRAP_STACK, CodeChange, Context, DeployedStack, FillError, MadeFrom,
    StackTarget, deployed, deployed_template, export, graph, handover, hint, proof, reference,
    release,
    status::{DeployStep, DiffStep, State, Way},
};

/// One stack to compare.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// What the assembly says of it.
    pub manifest: &'a StackManifest,
    /// The template.
    pub template: &'a Value,
    /// What functions of the app declared that they need, by the name of their asset.
    pub contracts: &'a BTreeMap<String, Contract>,
    /// The folders that fill buckets of the stack, by name.
    pub contents: &'a BTreeMap<String, Content>,
}

/// Compares stacks with what is deployed.
///
/// The code of a function for which there is no artifact is taken as unchanged.
pub async fn plan(
    context: &Context,
    stacks: &[Wanted<'_>],
    artifacts: &BTreeMap<String, Artifact>,
    knowledge: &dyn Knowledge,
) -> Result<Plan, PlanError> {
    plan_in(App::default(), context, stacks, artifacts, knowledge).await
}

/// Compares earlier releases with what is deployed: what is said of them advises nobody to write another source.
pub async fn plan_releases(
    context: &Context,
    stacks: &[Wanted<'_>],
    artifacts: &BTreeMap<String, Artifact>,
    knowledge: &dyn Knowledge,
) -> Result<Plan, PlanError> {
    plan_in(App::of_releases(), context, stacks, artifacts, knowledge).await
}

async fn plan_in(
    mut app: App,
    context: &Context,
    stacks: &[Wanted<'_>],
    artifacts: &BTreeMap<String, Artifact>,
    knowledge: &dyn Knowledge,
) -> Result<Plan, PlanError> {
    let mut plans = Vec::new();
    let regions: BTreeSet<Option<&str>> = stacks
        .iter()
        .filter(|stack| {
            !stack.manifest.artifacts.is_empty()
                // Where the published text is a few bytes longer, its change set is told as a surprise.
                || serde_json::to_string_pretty(stack.template)
                    .is_ok_and(|text| needs_bucket(&text))
        })
        .map(|stack| stack.manifest.region.as_deref())
        .collect();
    for region in regions {
        plans.extend(missing_bootstrap(context, region, knowledge).await?);
    }
    let looks = stacks.iter().map(|wanted| look(context, wanted.manifest));
    let seen = graph::abreast(context.concurrency, looks.collect()).await;
    for (wanted, seen) in stacks.iter().zip(seen) {
        plans.push(plan_one(context, &mut app, (wanted, seen?), artifacts, knowledge).await?);
    }
    Ok(app.finish(plans))
}

/// Compares a stack anew with what is deployed. `app` is what was known of the stacks before it, as its plan tells.
pub(in crate::engine) async fn plan_anew(
    context: &Context,
    app: &App,
    wanted: &Wanted<'_>,
    artifacts: &BTreeMap<String, Artifact>,
    knowledge: &dyn Knowledge,
) -> Result<StackPlan, PlanError> {
    let mut app = app.clone();
    let seen = look(context, wanted.manifest).await?;
    let plan = plan_one(context, &mut app, (wanted, seen), artifacts, knowledge).await?;
    Ok(app.finish(vec![plan]).stacks.pop().unwrap_or_default())
}

/// A stack as it is deployed.
#[derive(Debug)]
struct Seen {
    stack: Option<DeployedStack>,
    /// The template, where it is compared with.
    template: Option<Value>,
}

/// Looks at what is deployed of a stack.
async fn look(context: &Context, manifest: &StackManifest) -> Result<Seen, PlanError> {
    let target = StackTarget::from(manifest);
    let stack = deployed(context, &target).await?;
    let template = match (State::of(stack.as_ref()).diff(), &stack) {
        (DiffStep::Compare, Some(_)) => deployed_template(context, &target)
            .await?
            .map(|text| serde_json::from_str::<Value>(&text))
            .transpose()
            .map_err(|source| PlanError::NotJson {
                stack: target.name.clone(),
                source,
            })?,
        _ => None,
    };
    Ok(Seen { stack, template })
}

/// Compares the next stack with what is deployed.
async fn plan_one(
    context: &Context,
    app: &mut App,
    (wanted, seen): (&Wanted<'_>, Seen),
    artifacts: &BTreeMap<String, Artifact>,
    knowledge: &dyn Knowledge,
) -> Result<StackPlan, PlanError> {
    let target = StackTarget::from(wanted.manifest);
    let Seen {
        stack: found,
        template,
    } = seen;
    let state = State::of(found.as_ref());
    let note = found
        .as_ref()
        .and_then(|stack| note(stack, state, &target.name))
        .map(|note| hint::complete(context, &note));
    let seen = found.clone();
    let found = match state.diff() {
        DiffStep::Compare => found,
        DiffStep::CompareWithNothing => None,
    };
    let template = template.map(|it| ascii::healed(&it, wanted.template).into_owned());
    let own = context.in_region(wanted.manifest.region.as_deref());
    let clients = &own.clients;
    let (account, region) = (&clients.identity().account, clients.region());
    let pseudo = pseudo_parameters(
        &target.name,
        found.as_ref().map(|stack| stack.id.as_str()),
        Some(account),
        Some(region),
    );
    let mut old = Side {
        template: template.as_ref(),
        parameters: found
            .as_ref()
            .map(|stack| stack.parameters.clone())
            .unwrap_or_default(),
        tags: found
            .as_ref()
            .map(|stack| stack.tags.clone())
            .unwrap_or_default(),
    };
    let given = parameters(context, wanted, found.as_ref(), artifacts).await?;
    let mut new = Side {
        template: Some(wanted.template),
        parameters: given.clone(),
        tags: wanted.manifest.tags.clone(),
    };
    for side in [&mut old, &mut new] {
        side.parameters.extend(pseudo.clone());
    }
    let contents = contents(&own, wanted, found.is_some()).await?;
    let foreign = app.foreign(wanted.manifest, &old, &new);
    app.known(wanted.manifest, foreign_values(&own, &foreign).await?);
    let before = app.clone();
    let whole = match (&found, &template) {
        (Some(found), Some(template)) => {
            let templates = (template, Some(wanted.template));
            Some(importable::whole(&own, wanted.manifest, &found.id, templates).await?)
        }
        _ => None,
    };
    let declared = whole.as_ref().map_or(wanted.manifest, |it| &it.manifest);
    let mut compared = app.compare(declared, wanted.contracts, &old, &new, knowledge);
    compared.other.extend(contents);
    if let Some(found) = &found {
        if let (Some(template), Some(whole)) = (&template, &whole) {
            let templates = (template, wanted.template);
            renames(&own, whole, found, templates, &mut compared).await?;
        }
        let protected = protection::planned(&own, wanted.manifest, wanted.template, found).await?;
        compared.other.extend(protected);
        if !found.status.is_good() {
            compared
                .other
                .extend(led_back(&own, wanted.manifest, found).await?);
        }
    }
    compared.note_first(note);
    if let Some(found) = &found {
        explain_code(&own, wanted, found, artifacts, &mut compared).await;
    }
    if let Some(found) = &found {
        app.exported(wanted.manifest, (found, &old), &new, &compared);
    }
    compared.basis = Some(Basis {
        app: Arc::new(before),
        before: found.as_ref().map(|_| Arc::new(Snapshot::of(&old))),
        after: Some(Arc::new(Snapshot::of(&new))),
        ..Basis::of(
            (account, region),
            wanted.manifest,
            wanted.template,
            &given,
            artifacts,
            wanted.contents,
            seen.as_ref(),
        )
    });
    if let Some(found) = &found {
        let mut exports: BTreeSet<&str> = handover::given_up(found, wanted.template)
            .into_iter()
            .collect();
        exports.extend(app.changing(&wanted.manifest.name));
        for (export, importers) in importers(&own, exports).await? {
            app.imported(wanted.manifest, export, importers);
        }
    }
    Ok(compared)
}

/// Says which aliases of released functions a deploy leads back first: those that CloudFormation moved when it rolled an update
/// back.
async fn led_back(
    context: &Context,
    stack: &StackManifest,
    deployed: &DeployedStack,
) -> Result<Vec<PropertyChange>, AwsError> {
    let due = match proof::due(context, stack, deployed).await {
        // Who may not look is told by the deploy.
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => return Ok(Vec::new()),
        due => due?,
    };
    let changes = due.into_iter().map(|(alias, (from, to))| PropertyChange {
        path: Path::new("LiveAgain").key(&alias),
        before: Some(json!(from)),
        after: Some(json!(to)),
    });
    Ok(changes.collect())
}

/// Says because of what the code of functions changes, where the release that is deployed tells what it was made from.
///
/// Nobody needs this to deploy: what cannot be read is not told.
async fn explain_code(
    context: &Context,
    wanted: &Wanted<'_>,
    deployed: &DeployedStack,
    artifacts: &BTreeMap<String, Artifact>,
    plan: &mut StackPlan,
) {
    let assets = wanted.manifest.artifacts.iter();
    let others: BTreeMap<&str, (&str, &MadeFrom)> = assets
        .filter_map(|(parameter, asset)| {
            let artifact = artifacts.get(asset)?;
            let (_, name) = deployed.parameters.get(parameter)?.rsplit_once('/')?;
            let before = name.strip_suffix(".zip")?;
            let after = artifact.made_from.as_deref()?;
            (before != artifact.sha256).then_some((parameter.as_str(), (before, after)))
        })
        .collect();
    if others.is_empty() {
        return;
    }
    let target = StackTarget {
        name: wanted.manifest.name.clone(),
        region: None,
    };
    let packages = others.values().map(|(before, _)| *before).collect();
    let Ok(releases) = release::record::stack_releases(context, &target).await else {
        return;
    };
    let Ok(known) = releases.made_from(&packages).await else {
        return;
    };
    for change in &mut plan.changes {
        let resource = &wanted.template["Resources"][&change.logical_id];
        let parameter = resource["Properties"]["Code"]["S3Key"]["Ref"].as_str();
        if let Some((before, after)) = parameter.and_then(|name| others.get(name))
            && let Some(before) = known.get(*before)
        {
            change.code = Some(CodeChange::between(before, after));
        }
    }
}

/// Returns the values of exports. Nobody is asked for none, and nothing is told where the caller may not ask.
async fn foreign_values(
    context: &Context,
    names: &BTreeSet<String>,
) -> Result<BTreeMap<String, String>, AwsError> {
    if names.is_empty() {
        return Ok(BTreeMap::new());
    }
    let names = names.iter().map(String::as_str).collect();
    match export::values(context, &names).await {
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => Ok(BTreeMap::new()),
        values => values,
    }
}

/// Returns who imports exports that a stack gives up or changes. Nobody is asked where there are none, and nothing is told
/// where the caller may not ask: then the stacks of the plan tell of themselves.
async fn importers(context: &Context, exports: BTreeSet<&str>) -> Result<Importers, AwsError> {
    let mut found = Importers::new();
    for export in exports {
        match importers::of_export(&context.clients, export).await {
            Ok(importers) => {
                found.insert(export.to_owned(), importers);
            }
            Err(error) if matches!(error.fault(), Fault::Denied { .. }) => break,
            Err(error) => return Err(error),
        }
    }
    Ok(found)
}

/// Says what stands between the plan and its deploy, where something does.
fn note(deployed: &DeployedStack, state: State, stack: &str) -> Option<String> {
    let status = &deployed.status;
    match state.deploy() {
        DeployStep::Create | DeployStep::Update | DeployStep::Review => None,
        DeployStep::Follow => Some(format!(
            "it is {status}: what that changes may be missing here"
        )),
        DeployStep::StartAnew if State::way_of(Some(deployed)) == Some(Way::NotOurs) => Some(
            format!("it is {status}, and no deploy of ours made it: it is left alone"),
        ),
        DeployStep::StartAnew => Some(format!(
            "it is {status}: a deploy removes it and creates it anew"
        )),
        DeployStep::Offer(way) => Some(format!(
            "it is {status}, from which no deploy goes on; `{}` comes first",
            way.command(stack)
        )),
    }
}

/// Returns the plan for the stack that holds the artifact bucket, where a deploy would create it.
async fn missing_bootstrap(
    context: &Context,
    region: Option<&str>,
    knowledge: &dyn Knowledge,
) -> Result<Option<StackPlan>, PlanError> {
    let target = StackTarget {
        name: BOOTSTRAP_STACK.to_owned(),
        region: region.map(str::to_owned),
    };
    let found = deployed(context, &target).await?;
    if State::of(found.as_ref()).diff() == DiffStep::Compare {
        return Ok(None);
    }
    let template = template();
    let wanted = Side {
        template: Some(&template),
        ..Side::default()
    };
    let none = BTreeMap::new();
    Ok(Some(compare(
        BOOTSTRAP_STACK,
        &Side::default(),
        &wanted,
        &none,
        knowledge,
    )))
}

/// Returns how the buckets of a stack would be filled, counted.
async fn contents(
    context: &Context,
    wanted: &Wanted<'_>,
    exists: bool,
) -> Result<Vec<PropertyChange>, FillError> {
    if wanted.contents.is_empty() {
        return Ok(Vec::new());
    }
    let differences = if exists {
        content::differences(context, &wanted.manifest.name, wanted.contents).await?
    } else {
        let all = wanted.contents.iter();
        all.map(|(name, content)| (name.clone(), Difference::from_nothing(content)))
            .collect()
    };
    Ok(differences
        .into_iter()
        .flat_map(|(name, difference)| {
            [
                ("added", difference.added.len()),
                ("changed", difference.changed.len()),
                ("removed", difference.removed.len()),
            ]
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(move |(kind, count)| PropertyChange {
                path: Path::files(&name, kind),
                before: None,
                after: Some(json!(count)),
            })
        })
        .collect())
}

/// Returns the values that a deploy gives the parameters, and the defaults of the others.
///
/// The name of the artifact bucket never changes once it is there, so the deployed one is taken.
async fn parameters(
    context: &Context,
    wanted: &Wanted<'_>,
    deployed: Option<&DeployedStack>,
    artifacts: &BTreeMap<String, Artifact>,
) -> Result<BTreeMap<String, String>, AwsError> {
    let manifest = wanted.manifest;
    let mut values = super::defaults(wanted.template);
    values.extend(manifest.parameters.clone());
    let before =
        |parameter: &str| deployed.and_then(|stack| stack.parameters.get(parameter).cloned());
    if let Some(bucket) = before(ARTIFACT_BUCKET_PARAMETER) {
        values.insert(ARTIFACT_BUCKET_PARAMETER.to_owned(), bucket);
    }
    for (parameter, asset) in &manifest.artifacts {
        let key = match artifacts.get(asset) {
            Some(artifact) => Some(artifact_key(&manifest.name, asset, &artifact.sha256)),
            None => before(parameter),
        };
        if let Some(key) = key {
            values.insert(parameter.clone(), key);
        }
    }
    // What another stack does not have yet is known once that one is deployed.
    for (parameter, value) in reference::values(context, manifest).await? {
        values.extend(value.map(|value| (parameter, value)));
    }
    let now = context.timing.now();
    release::name(now, manifest, wanted.template, deployed, &mut values);
    Ok(values)
}
