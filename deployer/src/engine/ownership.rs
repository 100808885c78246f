//! Whose deployed stacks are: every operation that changes one asks before it does.
//!
//! Two apps may have stacks of one name in one account. The tag of the app tells them apart, and nothing else does: an update
//! of the other one's stack looks like any update.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Context, DeployedStack, StackError, StackTarget, graph, hint, inspect, recover::APP_TAG,
};
use crate::aws::AwsError;

/// The app whose stacks are worked on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ownership {
    /// Its name, where it has one.
    pub app: Option<String>,
    /// The stacks of other apps that become its own: consent to exactly that was given.
    pub taken_over: BTreeSet<String>,
}

impl Ownership {
    /// Returns the app that a deployed stack belongs to, where it is another one. What was deployed before the app had a name
    /// belongs to whoever has the stack in its source.
    pub fn other<'a>(&self, deployed: &'a DeployedStack) -> Option<&'a str> {
        self.of_tags(deployed.name(), &deployed.tags)
    }

    /// The same of whatever has a name and the tags of a stack.
    pub(super) fn of_tags<'a>(
        &self,
        name: &str,
        tags: &'a BTreeMap<String, String>,
    ) -> Option<&'a str> {
        if self.taken_over.contains(name) {
            return None;
        }
        let app = tags.get(APP_TAG);
        app.filter(|app| self.app.as_ref() != Some(*app))
            .map(String::as_str)
    }
}

/// A stack whose name another app has taken.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Taken {
    /// The stack.
    pub stack: String,
    /// The region.
    pub region: String,
    /// The app.
    pub app: String,
}

/// Refuses to change a stack of another app.
pub(super) fn check(context: &Context, deployed: &DeployedStack) -> Result<(), StackError> {
    let Some(app) = context.ownership.other(deployed) else {
        return Ok(());
    };
    Err(StackError::OtherApp {
        stack: deployed.name().to_owned(),
        app: app.to_owned(),
        hints: hints(context, deployed.name()),
    })
}

/// Returns what leads on where a stack is of another app.
pub(super) fn hints(context: &Context, stack: &str) -> Vec<String> {
    let own = format!(
        "where this workspace had that name before, `stackctl deploy {stack} --allow owner:{stack}` makes the stack its own first"
    );
    vec![
        "work on it in the workspace of that app, or give the stack another name here".to_owned(),
        hint::complete(context, &own),
    ]
}

/// Returns which of these stacks other apps have.
pub async fn taken(context: &Context, targets: &[StackTarget]) -> Result<Vec<Taken>, AwsError> {
    let looks = targets
        .iter()
        .map(|target| inspect::deployed(context, target));
    let looked = graph::abreast(context.concurrency, looks.collect()).await;
    let mut taken = Vec::new();
    for (target, deployed) in targets.iter().zip(looked) {
        let deployed = deployed?;
        let own = context.clients.region();
        if let Some(app) = deployed.as_ref().and_then(|it| context.ownership.other(it)) {
            taken.push(Taken {
                stack: target.name.clone(),
                region: target.region.as_deref().unwrap_or(own).to_owned(),
                app: app.to_owned(),
            });
        }
    }
    Ok(taken)
}
