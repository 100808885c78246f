//! What is deployed for a stage besides what its source says: stacks that left the source, and stacks of other apps.
//!
//! A stack that was renamed or removed in the source is named by nothing any more but by its tags. They tell which stage it
//! is of, and which app, where the workspace has a name.

use std::collections::{BTreeMap, BTreeSet};

use aws_sdk_cloudformation::types::Stack;
use serde::Serialize;
use stack_model::assembly::StackManifest;

use super::{
    BOOTSTRAP_STACK, Context, DeployedStack, StackStatus, StackTarget, graph, hint, inspect,
    recover::{APP_TAG, STAGE_TAG},
};
use crate::aws::{AwsError, Clients, OrAws};

/// Where to look, and for whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Territory {
    /// The name of the stage.
    pub stage: String,
    /// The name of the app, where it has one.
    pub app: Option<String>,
    /// The stacks of the source: regions and names.
    pub known: BTreeSet<(String, String)>,
    /// The regions to look in.
    pub regions: BTreeSet<String>,
}

/// What is deployed besides what the source says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// The stacks of this app and stage that the source does not have.
    pub orphans: Vec<Orphan>,
    /// The stacks of this stage that the source does not have and that say of no app that they belong to it.
    pub unowned: Vec<Orphan>,
    /// The stacks of the source whose names other apps have taken: names of stacks and apps.
    pub taken: BTreeMap<String, String>,
}

/// A stack that is deployed and that the source does not have.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Orphan {
    /// The stack.
    pub stack: String,
    /// The region, where it is not the one of the stage.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The status.
    pub status: StackStatus,
    /// The command that removes it.
    pub next: String,
    /// The ARN.
    #[serde(skip)]
    pub id: String,
    /// The app that it says it belongs to.
    #[serde(skip)]
    pub app: Option<String>,
}

impl Orphan {
    fn new(context: &Context, region: &str, deployed: DeployedStack) -> Self {
        let stack = deployed.name().to_owned();
        let next = hint::command(context, &format!("stackctl destroy {stack}"));
        Self {
            region: (region != context.clients.region()).then(|| region.to_owned()),
            next,
            stack,
            status: deployed.status,
            id: deployed.id,
            app: deployed.tags.get(APP_TAG).cloned(),
        }
    }

    /// Returns where it is.
    pub fn target(&self) -> StackTarget {
        StackTarget {
            name: self.stack.clone(),
            region: self.region.clone(),
        }
    }

    /// Returns all that is known of it without a source: enough to remove it.
    pub fn manifest(&self, stage: &str) -> StackManifest {
        let mut tags = BTreeMap::from([(STAGE_TAG.to_owned(), stage.to_owned())]);
        tags.extend(self.app.iter().map(|app| (APP_TAG.to_owned(), app.clone())));
        StackManifest {
            name: self.stack.clone(),
            id: self.stack.clone(),
            template: String::new(),
            sha256: String::new(),
            region: self.region.clone(),
            depends_on: Vec::new(),
            parameters: BTreeMap::new(),
            artifacts: BTreeMap::new(),
            releases: BTreeMap::new(),
            tags,
            capabilities: Vec::new(),
            termination_protection: false,
            outputs: BTreeMap::new(),
            resources: BTreeMap::new(),
            moved: BTreeMap::new(),
            references: BTreeMap::new(),
            imports: BTreeSet::new(),
            contents: BTreeMap::new(),
            smoke: BTreeMap::new(),
        }
    }
}

/// Looks at all stacks of every region, each of which takes one call for every page of them.
pub async fn survey(context: &Context, territory: &Territory) -> Result<Survey, AwsError> {
    let looks = territory.regions.iter().map(|region| {
        let clients = context.clients.in_region(Some(region));
        async move { list(&clients).await.map(|stacks| (region, stacks)) }
    });
    let mut survey = Survey::default();
    for looked in graph::abreast(context.concurrency, looks.collect()).await {
        let (region, stacks) = looked?;
        for stack in stacks {
            survey.enter(context, territory, region, stack);
        }
    }
    survey.orphans.sort_by(|a, b| a.stack.cmp(&b.stack));
    survey.unowned.sort_by(|a, b| a.stack.cmp(&b.stack));
    Ok(survey)
}

impl Survey {
    fn enter(
        &mut self,
        context: &Context,
        territory: &Territory,
        region: &str,
        stack: DeployedStack,
    ) {
        let app = stack.tags.get(APP_TAG);
        let is_ours = app == territory.app.as_ref();
        let name = stack.name();
        if territory
            .known
            .contains(&(region.to_owned(), name.to_owned()))
        {
            if let Some(app) = app.filter(|_| !is_ours) {
                self.taken.insert(name.to_owned(), app.clone());
            }
            return;
        }
        // Instances of stack sets and nested stacks have the tags of whom they come from, and names of CloudFormation's making.
        let is_of_stage = stack.tags.get(STAGE_TAG) == Some(&territory.stage)
            && name.ends_with(&format!("-{}", territory.stage))
            && name != BOOTSTRAP_STACK;
        if !is_of_stage || stack.status.as_str() == "DELETE_COMPLETE" {
            return;
        }
        let is_owned = app.is_some();
        let orphan = Orphan::new(context, region, stack);
        match (is_owned, is_ours) {
            (true, true) => self.orphans.push(orphan),
            (false, _) => self.unowned.push(orphan),
            (true, false) => {}
        }
    }
}

/// Finds a stack that is not in the source by its name; nothing, where there is none, or where it is of another stage or
/// another app.
pub async fn find_orphan(
    context: &Context,
    territory: &Territory,
    name: &str,
) -> Result<Option<Orphan>, AwsError> {
    for region in &territory.regions {
        let clients = context.clients.in_region(Some(region));
        let Some(deployed) = inspect::describe(&clients, name).await? else {
            continue;
        };
        let mut survey = Survey::default();
        survey.enter(context, territory, region, deployed);
        let found = survey.orphans.pop().or_else(|| survey.unowned.pop());
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

/// Returns the stacks whose names other apps have taken, with those, for a caller who may look at these stacks alone.
pub async fn taken(
    context: &Context,
    stacks: &[StackManifest],
) -> Result<BTreeMap<String, String>, AwsError> {
    let targets: Vec<StackTarget> = stacks.iter().map(StackTarget::from).collect();
    let looks = targets
        .iter()
        .map(|target| inspect::deployed(context, target));
    let looked = graph::abreast(context.concurrency, looks.collect()).await;
    let mut taken = BTreeMap::new();
    for (stack, deployed) in stacks.iter().zip(looked) {
        if let Some(app) = deployed?.and_then(|deployed| other_app(stack, &deployed)) {
            taken.insert(stack.name.clone(), app);
        }
    }
    Ok(taken)
}

/// Returns the app that a deployed stack belongs to, where it is another one than that of the source. What was deployed
/// before the app had a name belongs to whoever has the stack in its source.
pub(super) fn other_app(stack: &StackManifest, deployed: &DeployedStack) -> Option<String> {
    let app = deployed.tags.get(APP_TAG);
    app.filter(|app| stack.tags.get(APP_TAG) != Some(*app))
        .cloned()
}

/// Lists the stacks of a region, without those that are part of others.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>: without a name it
/// describes all, page by page.
async fn list(clients: &Clients) -> Result<Vec<DeployedStack>, AwsError> {
    let mut stacks = Vec::new();
    let mut next = None;
    loop {
        let page = clients
            .cloudformation
            .describe_stacks()
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, "DescribeStacks")?;
        let own = page.stacks.unwrap_or_default().into_iter();
        for stack in own.filter(|stack: &Stack| stack.parent_id.is_none()) {
            stacks.push(inspect::read_stack(stack)?);
        }
        next = page.next_token;
        if next.is_none() {
            return Ok(stacks);
        }
    }
}
