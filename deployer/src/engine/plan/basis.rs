//! What a plan is made from, as far as that may move until the plan is executed.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use stack_model::assembly::StackManifest;

use super::{App, Side, seal::hash};
use crate::content::Content;
use crate::engine::{Artifact, DeployedStack, StackStatus};

/// What a manifest says that a basis holds elsewhere, or that changes nothing, such as lines of the source.
const HELD_ELSEWHERE: [&str; 6] = [
    "resources",
    "sha256",
    "parameters",
    "tags",
    "artifacts",
    "template",
];

/// What the plan of a stack was made from, as far as it may move until the plan is executed.
///
/// It holds no secret: the assembly gives no value that its template hides, and of what is deployed there is no value.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Basis {
    /// The account.
    pub account: String,
    /// The region.
    pub region: String,
    /// A hash of the template, whatever the order of its keys.
    pub template: String,
    /// A hash of what else the stack declares: protection, capabilities, renames, requests to answer.
    pub settings: String,
    /// The values of the parameters, but for those of packages and releases.
    pub parameters: BTreeMap<String, String>,
    /// The tags.
    pub tags: BTreeMap<String, String>,
    /// The hashes of the packages, by asset.
    pub artifacts: BTreeMap<String, String>,
    /// The hashes of the folders that fill buckets.
    pub contents: BTreeMap<String, String>,
    /// What is deployed.
    pub deployed: Option<Deployed>,
    /// The names that the releases were given. They begin with the time, so they are never the same again.
    #[serde(skip)]
    pub releases: BTreeSet<String>,
    /// What was known of the stacks before this one when it was compared.
    #[serde(skip)]
    pub app: Arc<App>,
    /// What it was compared with; nothing, where there is no stack. What a failed first deploy left counts as nothing.
    #[serde(skip)]
    pub before: Option<Arc<Snapshot>>,
    /// What it would be.
    #[serde(skip)]
    pub after: Option<Arc<Snapshot>>,
}

/// A stack as it is or would be deployed, as far as comparisons look at it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    /// The template.
    pub template: Option<Value>,
    /// The values of its parameters, as far as they are known. Those that the template hides are not.
    pub parameters: BTreeMap<String, String>,
    /// The tags.
    pub tags: BTreeMap<String, String>,
}

impl Snapshot {
    /// Takes a side of a comparison.
    pub(super) fn of(side: &Side<'_>) -> Self {
        Self {
            template: side.template.cloned(),
            parameters: side.parameters.clone(),
            tags: side.tags.clone(),
        }
    }

    /// Returns it as a side of a comparison.
    pub fn side(&self) -> Side<'_> {
        Side {
            template: self.template.as_ref(),
            parameters: self.parameters.clone(),
            tags: self.tags.clone(),
        }
    }
}

/// The stack that was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deployed {
    /// The ARN, which another stack of the same name does not have.
    pub id: String,
    /// The status.
    pub status: String,
    /// When it was created or last updated.
    pub changed: Option<String>,
    /// Whether it is protected against deletion.
    pub termination_protection: bool,
}

impl Basis {
    /// Takes what a plan is made from.
    pub(super) fn of(
        place: (&str, &str),
        manifest: &StackManifest,
        template: &Value,
        parameters: &BTreeMap<String, String>,
        artifacts: &BTreeMap<String, Artifact>,
        contents: &BTreeMap<String, Content>,
        deployed: Option<&DeployedStack>,
    ) -> Self {
        let own = |parameter: &String| {
            !manifest.artifacts.contains_key(parameter)
                && !manifest.releases.contains_key(parameter)
        };
        let mut settings = match serde_json::to_value(manifest) {
            Ok(Value::Object(settings)) => settings,
            _ => Map::new(),
        };
        settings.retain(|key, _| !HELD_ELSEWHERE.contains(&key.as_str()));
        let assets: BTreeSet<&String> = manifest.artifacts.values().collect();
        Self {
            account: place.0.to_owned(),
            region: place.1.to_owned(),
            template: hash(template, &BTreeSet::new()),
            settings: hash(&Value::Object(settings), &BTreeSet::new()),
            parameters: parameters
                .iter()
                .filter(|(parameter, _)| own(parameter))
                .map(|(parameter, value)| (parameter.clone(), value.clone()))
                .collect(),
            tags: manifest.tags.clone(),
            artifacts: artifacts
                .iter()
                .filter(|(asset, _)| assets.contains(asset))
                .map(|(asset, artifact)| (asset.clone(), artifact.sha256.clone()))
                .collect(),
            contents: contents
                .iter()
                .map(|(name, content)| (name.clone(), hash_of_folder(content)))
                .collect(),
            deployed: deployed.map(Deployed::of),
            releases: parameters
                .iter()
                .filter(|(parameter, _)| manifest.releases.contains_key(*parameter))
                .map(|(_, name)| name.clone())
                .collect(),
            app: Arc::default(),
            before: None,
            after: None,
        }
    }
}

impl Deployed {
    /// Takes what identifies a stack as it is.
    pub(in crate::engine) fn of(stack: &DeployedStack) -> Self {
        Self {
            id: stack.id.clone(),
            status: stack.status.to_string(),
            changed: stack
                .changed
                .and_then(|time| jiff::Timestamp::try_from(time).ok())
                .map(|time| time.to_string()),
            termination_protection: stack.termination_protection,
        }
    }

    /// Returns whether nothing ran on the stack, and nothing was done to it until it became the other one.
    ///
    /// Each operation moves the time of the last update:
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html>.
    pub(in crate::engine) fn is_still(&self, now: &Self) -> bool {
        let settled = !StackStatus::new(&self.status).is_in_progress();
        settled && self.id == now.id && self.changed == now.changed
    }
}

fn hash_of_folder(content: &Content) -> String {
    let files: BTreeMap<&String, String> = content
        .files
        .iter()
        .map(|(key, file)| (key, file.fingerprint()))
        .collect();
    hash(&json!(files), &BTreeSet::new())
}
