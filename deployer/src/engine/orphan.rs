//! What is deployed for a stage besides what its source says: stacks that left the source, and stacks of other apps.
//!
//! A stack that was renamed or removed in the source is named by nothing any more but by its tags. They tell which stage it
//! is of, and which app, where the workspace has a name.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use stack_model::assembly::{StackManifest, own_tags};

use super::{
    BOOTSTRAP_STACK, Context, DeployedStack, Origin, StackStatus, StackTarget, activity, graph,
    hint, inspect,
    ownership::Taken,
    recover::{APP_TAG, STAGE_TAG},
    stack::rfc3339,
};
use crate::aws::{AwsError, Clients};

/// Where to look for the stacks of a stage.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Territory {
    /// The name of the stage.
    pub stage: String,
    /// The stacks of the source: regions and names.
    pub known: BTreeSet<(String, String)>,
    /// The regions to look in.
    pub regions: BTreeSet<String>,
    /// Those of them of which nobody knows that the stage ever was there.
    pub guessed: BTreeSet<String>,
    /// The stages that the app has; none, where that does not matter.
    pub stages: BTreeSet<String>,
}

impl Territory {
    /// Returns the regions where stacks of the stage are or were, as far as anybody here knows.
    pub fn known_regions(&self) -> BTreeSet<String> {
        self.regions.difference(&self.guessed).cloned().collect()
    }
}

/// What is deployed besides what the source says.
#[derive(Debug, Default)]
pub struct Survey {
    /// The stacks of this app and stage that the source does not have.
    pub orphans: Vec<Orphan>,
    /// The stacks of this stage that the source does not have and that say of no app that they belong to it.
    pub unowned: Vec<Orphan>,
    /// The stacks of the source whose names other apps have taken.
    pub taken: Vec<Taken>,
    /// The stacks of this app whose stages it does not have any more.
    pub strays: Vec<Stray>,
    /// The regions whose stacks were listed.
    pub seen: BTreeSet<String>,
    /// Those of them that have stacks of this stage, whether the source has them or not.
    pub inhabited: BTreeSet<String>,
    /// Those whose stacks cannot be listed, with the reasons.
    pub unseen: BTreeMap<String, AwsError>,
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
    /// What happened to it last, where that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last: Option<Last>,
    /// The ARN.
    #[serde(skip)]
    pub id: String,
    /// The app that it says it belongs to.
    #[serde(skip)]
    pub app: Option<String>,
    /// Whether its name alone means another one, too, or instead of it.
    #[serde(skip)]
    pub is_ambiguous: bool,
}

/// Stacks that were found, and the regions that did not tell whether they have any.
#[derive(Debug, Default)]
pub struct Found {
    /// The stacks.
    pub orphans: Vec<Orphan>,
    /// The regions, with the reasons.
    pub unseen: BTreeMap<String, AwsError>,
}

/// A stack of this app whose stage it does not have any more: it was renamed or removed in `stackctl.toml`, or is that of
/// another branch.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Stray {
    /// The stage.
    pub stage: String,
    /// The stack.
    pub stack: String,
    /// The region.
    pub region: String,
    /// The status.
    pub status: StackStatus,
}

/// What happened to a stack last.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Last {
    /// When, in RFC 3339.
    pub at: String,
    /// Who began it, with what.
    #[serde(flatten)]
    pub origin: Origin,
}

impl Orphan {
    fn new(context: &Context, region: &str, deployed: DeployedStack) -> Self {
        let mut orphan = Self {
            region: (region != context.clients.region()).then(|| region.to_owned()),
            next: String::new(),
            stack: deployed.name().to_owned(),
            status: deployed.status,
            last: deployed.changed.map(|at| Last {
                at: rfc3339(at),
                origin: Origin::default(),
            }),
            id: deployed.id,
            app: deployed.tags.get(APP_TAG).cloned(),
            is_ambiguous: false,
        };
        orphan.name(context, false);
        orphan
    }

    /// Says of a stack that is gone that its removal did not come to its end.
    pub(super) fn gone(context: &Context, region: &str, stack: &str) -> Self {
        let mut orphan = Self {
            stack: stack.to_owned(),
            region: (region != context.clients.region()).then(|| region.to_owned()),
            status: StackStatus::new("DELETE_COMPLETE"),
            next: String::new(),
            last: None,
            id: String::new(),
            app: context.ownership.app.clone(),
            is_ambiguous: false,
        };
        orphan.name(context, false);
        orphan
    }

    /// One that nobody found.
    #[cfg(test)]
    pub(crate) fn of_test(stack: &str, region: Option<&str>) -> Self {
        Self {
            stack: stack.to_owned(),
            region: region.map(str::to_owned),
            status: StackStatus::new("CREATE_COMPLETE"),
            next: String::new(),
            last: None,
            id: String::new(),
            app: None,
            is_ambiguous: false,
        }
    }

    /// Names it in the command that removes it: with its region, where its name alone does not mean it and nothing else.
    fn name(&mut self, context: &Context, is_ambiguous: bool) {
        let own = context.clients.region();
        let region = self.region.as_deref().unwrap_or(own);
        let named = if is_ambiguous {
            format!("{}@{region}", self.stack)
        } else {
            self.stack.clone()
        };
        self.next = hint::command(context, &format!("stackctl destroy {named}"));
        self.is_ambiguous = is_ambiguous;
    }

    /// Returns whether it is gone, and only what its removal left to do is left.
    pub fn is_gone(&self) -> bool {
        self.status.is_deleted()
    }

    /// Looks who changed it last, which its newest event tells. Nobody has to know.
    async fn trace(&mut self, context: &Context) {
        let clients = context.clients.in_region(self.region.as_deref());
        let seen = Cell::new(false);
        let events = activity::read_until(&clients, &self.id, |_| seen.replace(true)).await;
        let newest = events.ok().and_then(|mut events| events.pop());
        let origin = newest.map(|event| Origin::read(event.client_request_token.as_deref()));
        if let (Some(origin), Some(last)) = (origin, &mut self.last) {
            last.origin = origin;
        }
    }

    /// Returns whether it is meant by a name, which may have the region after an `@`. The stage is in the region `own`.
    pub fn is_named(&self, name: &str, own: &str) -> bool {
        let (stack, region) = split(name);
        let is_there = |region| region == self.region.as_deref().unwrap_or(own);
        stack == self.stack && region.is_none_or(is_there)
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
        let tags = own_tags(stage, self.app.as_deref());
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
            along: BTreeMap::new(),
            references: BTreeMap::new(),
            imports: BTreeSet::new(),
            contents: BTreeMap::new(),
            smoke: BTreeMap::new(),
        }
    }
}

/// Names each of all stacks that were found so that its command means it and no other: its name alone means those that the
/// source has, and every one that was found, deployed or gone.
pub fn tell_apart<'a>(
    context: &Context,
    territory: &Territory,
    orphans: impl IntoIterator<Item = &'a mut Orphan>,
) {
    let mut orphans: Vec<&mut Orphan> = orphans.into_iter().collect();
    let mut names: BTreeMap<String, usize> = BTreeMap::new();
    let found = orphans.iter().map(|orphan| &orphan.stack);
    for name in found.chain(territory.known.iter().map(|(_, known)| known)) {
        *names.entry(name.clone()).or_default() += 1;
    }
    for orphan in &mut orphans {
        let is_ambiguous = names.get(&orphan.stack).is_some_and(|times| *times > 1);
        orphan.name(context, is_ambiguous);
    }
}

/// Finds the stacks of the app whose stages it does not have any more, in every region.
pub async fn strays(context: &Context, territory: &Territory) -> Result<Vec<Stray>, AwsError> {
    let mut survey = Survey::default();
    for region in &territory.regions {
        let clients = context.clients.in_region(Some(region));
        for stack in list(&clients).await? {
            survey.enter(context, territory, region, stack);
        }
    }
    survey.strays.sort();
    Ok(survey.strays)
}

/// Looks at all stacks of every region, each of which takes one call for every page of them. What one region does not tell
/// hides nothing of the others.
pub async fn survey(context: &Context, territory: &Territory) -> Survey {
    let looks = territory.regions.iter().map(|region| {
        let clients = context.clients.in_region(Some(region));
        async move { (region, list(&clients).await) }
    });
    let mut survey = Survey::default();
    for (region, stacks) in graph::abreast(context.concurrency, looks.collect()).await {
        match stacks {
            Ok(stacks) => {
                survey.seen.insert(region.clone());
                for stack in stacks {
                    survey.enter(context, territory, region, stack);
                }
            }
            Err(error) => {
                survey.unseen.insert(region.clone(), error);
            }
        }
    }
    let traces = survey
        .orphans
        .iter_mut()
        .map(|orphan| orphan.trace(context));
    graph::abreast(context.concurrency, traces.collect()).await;
    let by_name = |a: &Orphan, b: &Orphan| (&a.stack, &a.region).cmp(&(&b.stack, &b.region));
    survey.strays.sort();
    survey.orphans.sort_by(by_name);
    survey.unowned.sort_by(by_name);
    let all = survey.orphans.iter_mut().chain(&mut survey.unowned);
    tell_apart(context, territory, all);
    survey
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
        let is_ours = app == context.ownership.app.as_ref();
        let name = stack.name();
        if territory
            .known
            .contains(&(region.to_owned(), name.to_owned()))
        {
            if let Some(app) = context.ownership.other(&stack) {
                self.taken.push(Taken {
                    stack: name.to_owned(),
                    region: region.to_owned(),
                    app: app.to_owned(),
                });
            } else {
                self.inhabited.insert(region.to_owned());
            }
            return;
        }
        // Instances of stack sets and nested stacks have the tags of whom they come from, and names of CloudFormation's making.
        let stage = stack.tags.get(STAGE_TAG);
        let stage = stage.filter(|stage| name.ends_with(&format!("-{stage}")));
        let Some(stage) = stage.filter(|_| name != BOOTSTRAP_STACK && !stack.status.is_deleted())
        else {
            return;
        };
        let is_owned = app.is_some();
        if *stage != territory.stage {
            if is_owned
                && is_ours
                && !territory.stages.is_empty()
                && !territory.stages.contains(stage)
            {
                self.strays.push(Stray {
                    stage: stage.clone(),
                    stack: name.to_owned(),
                    region: region.to_owned(),
                    status: stack.status,
                });
            }
            return;
        }
        let orphan = Orphan::new(context, region, stack);
        if is_ours || !is_owned {
            self.inhabited.insert(region.to_owned());
        }
        match (is_owned, is_ours) {
            (true, true) => self.orphans.push(orphan),
            (false, _) => self.unowned.push(orphan),
            (true, false) => {}
        }
    }
}

/// Splits the name of a stack from the region that may stand after an `@`: stacks of two regions may have the same name.
pub(crate) fn split(name: &str) -> (&str, Option<&str>) {
    match name.split_once('@') {
        Some((name, region)) => (name, Some(region)),
        None => (name, None),
    }
}

impl Territory {
    /// Returns the name of a stack, and where it is looked for: in the region that stands after an `@` alone, wherever that is,
    /// or in every one.
    pub(super) fn of<'a>(&self, named: &'a str) -> (&'a str, BTreeSet<String>) {
        match split(named) {
            (name, Some(region)) => (name, BTreeSet::from([region.to_owned()])),
            (name, None) => (name, self.regions.clone()),
        }
    }
}

/// Finds stacks that are not in the source by their name, in every region or in the one that stands after an `@`; none, where
/// there is none, or where it is of another stage or another app. What one region does not tell hides nothing of the others.
pub async fn find_orphans(context: &Context, territory: &Territory, named: &str) -> Found {
    let (name, regions) = territory.of(named);
    let looks = regions.into_iter().map(|region| {
        let clients = context.clients.in_region(Some(&region));
        async move { (inspect::describe(&clients, name).await, region) }
    });
    let mut survey = Survey::default();
    for (looked, region) in graph::abreast(context.concurrency, looks.collect()).await {
        match looked {
            Ok(Some(deployed)) => survey.enter(context, territory, &region, deployed),
            Ok(None) => {}
            Err(error) => {
                survey.unseen.insert(region, error);
            }
        }
    }
    let mut orphans = survey.orphans;
    orphans.append(&mut survey.unowned);
    for orphan in &mut orphans {
        orphan.trace(context).await;
    }
    found(context, territory, named, orphans, survey.unseen)
}

/// Names what was found: whoever gave a region is answered with one.
pub(super) fn found(
    context: &Context,
    territory: &Territory,
    named: &str,
    mut orphans: Vec<Orphan>,
    unseen: BTreeMap<String, AwsError>,
) -> Found {
    tell_apart(context, territory, &mut orphans);
    if split(named).1.is_some() {
        for orphan in &mut orphans {
            orphan.name(context, true);
        }
    }
    Found { orphans, unseen }
}

/// Lists the stacks of a region, without those that are part of others.
async fn list(clients: &Clients) -> Result<Vec<DeployedStack>, AwsError> {
    let all = inspect::all(clients).await?.into_iter();
    all.filter(|stack| stack.parent_id.is_none())
        .map(inspect::read_stack)
        .collect()
}
