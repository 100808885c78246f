//! What a synth leaves on disk: a manifest, a template per stack, and what each stack needs to be deployed.
//!
//! The stacks package writes an assembly and the deployer reads it; these types are the one definition of the
//! format between them. A directory holds `manifest.json` and `<stack>.template.json` per stack.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// The version of the format; a deployer refuses an assembly of another version.
pub const FORMAT: u32 = 1;

/// The file name of the manifest in an assembly.
pub const MANIFEST_FILE: &str = "manifest.json";

/// The file a failed synth leaves instead of a manifest: a [`Failure`].
pub const FAILURE_FILE: &str = "failure.json";

/// The template parameter that receives the name of the artifact bucket.
pub const ARTIFACT_BUCKET_PARAMETER: &str = "ArtifactBucket";

/// The tag that says which stage a stack belongs to; every stack that stackctl deploys has it.
pub const STAGE_TAG: &str = "stackctl:stage";

/// The tag that says which app a stack belongs to, where the workspace has a name.
pub const APP_TAG: &str = "stackctl:app";

/// Returns the tags that tell whose a stack is; no app gives them itself.
pub fn own_tags(stage: &str, app: Option<&str>) -> BTreeMap<String, String> {
    let app = app.map(|app| (APP_TAG, app));
    let tags = std::iter::once((STAGE_TAG, stage)).chain(app);
    tags.map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect()
}

/// What the deployer asks the stacks binary for, as JSON on its standard input.
///
/// The binary is called as `<stacks> synth --out DIR`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SynthRequest {
    /// [`FORMAT`].
    pub format: u32,
    /// The stage to render.
    pub stage: StageRequest,
}

/// One stage of `stackctl.toml`, as the stacks see it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StageRequest {
    /// The name of the stage: lower case letters, digits and hyphens.
    pub name: String,
    /// The name of the app, which tells its stacks from those of other workspaces in the account.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// The region that stacks are deployed to unless they say otherwise.
    pub region: String,
    /// The account that the stage is pinned to, twelve digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
    /// Whether data is retained and stacks are protected against deletion.
    #[serde(default)]
    pub protected: bool,
    /// The managed policy that roles must not go beyond, by its name with its path, or by its ARN.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permissions_boundary: Option<String>,
    /// The architecture that functions are built for.
    pub architecture: Architecture,
    /// The variables of the stage, read by the stacks as a type of their own.
    #[serde(default)]
    pub variables: serde_json::Map<String, serde_json::Value>,
}

/// The processor that a function runs on.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Architecture {
    /// AWS Graviton, the default on AWS.
    #[default]
    #[serde(rename = "arm64")]
    Arm64,
    /// Intel and AMD.
    #[serde(rename = "x86_64")]
    X86_64,
}

impl Architecture {
    /// Returns the name that AWS Lambda uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Arm64 => "arm64",
            Self::X86_64 => "x86_64",
        }
    }
}

/// The manifest of an assembly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// The stage that was rendered.
    pub stage: String,
    /// The stacks in an order in which they can be deployed: each after those it depends on.
    pub stacks: Vec<StackManifest>,
    /// The assets of all stacks, by name.
    pub assets: BTreeMap<String, Asset>,
    /// What each function declared that it needs, by asset name.
    pub contracts: BTreeMap<String, Contract>,
}

/// What the deployer must know of one stack.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StackManifest {
    /// The name in CloudFormation, with the stage: `intake-dev`.
    pub name: String,
    /// The name in the source, without the stage: `intake`.
    pub id: String,
    /// The template's file name in the assembly.
    pub template: String,
    /// The SHA-256 of the template's bytes, in lower case hexadecimal.
    pub sha256: String,
    /// The region, where it is not the stage's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,
    /// The names (with the stage) of the stacks that must be deployed before this one.
    #[serde(default)]
    pub depends_on: Vec<String>,
    /// The values of template parameters that the stacks give. Parameters of assets are not among them.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// The values of template parameters that are outputs of stacks in other regions, where exports do not reach:
    /// parameter name to output. Those stacks are among [`depends_on`](Self::depends_on).
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub references: BTreeMap<String, OutputReference>,
    /// The names of exports that the template imports and no stack of the assembly defines: another app's, which must
    /// be there first. A name that only the deployment knows is not among them.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub imports: BTreeSet<String>,
    /// The template parameters that receive the object key of an artifact in the artifact bucket: parameter name
    /// to asset name. Where there are any, [`ARTIFACT_BUCKET_PARAMETER`] is a parameter too.
    #[serde(default)]
    pub artifacts: BTreeMap<String, String>,
    /// The template parameters that receive the name of a function's release: parameter name to the logical id of the
    /// function. A name stands for the function as it is, and changes with its code and its configuration.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub releases: BTreeMap<String, String>,
    /// The tags of the stack, which CloudFormation hands on to its resources.
    #[serde(default)]
    pub tags: BTreeMap<String, String>,
    /// The capabilities that the template needs, such as `CAPABILITY_IAM`.
    #[serde(default)]
    pub capabilities: Vec<String>,
    /// Whether the stack is to be protected against deletion.
    #[serde(default)]
    pub termination_protection: bool,
    /// The outputs by key.
    #[serde(default)]
    pub outputs: BTreeMap<String, Output>,
    /// The resources by logical id.
    #[serde(default)]
    pub resources: BTreeMap<String, ResourceManifest>,
    /// Logical ids that were renamed since an earlier release: old to new.
    #[serde(default)]
    pub moved: BTreeMap<String, String>,
    /// What these renames take along, where it is deployed: what the model makes for a resource, such as the policy of a
    /// bucket, by the logical id that it had.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub along: BTreeMap<String, Along>,
    /// The folders that fill buckets of the stack once it is deployed, by the name of the declaration.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contents: BTreeMap<String, ContentManifest>,
    /// The requests that have to be answered once the stack is deployed, by the name of the declaration.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub smoke: BTreeMap<String, SmokeManifest>,
}

impl StackManifest {
    /// Returns the logical id that a resource has now which had another one, as far as the stack says so.
    pub fn renamed(&self, from: &str) -> Option<&str> {
        let along = self.along.get(from).map(|it| &it.to);
        self.moved.get(from).or(along).map(String::as_str)
    }
}

/// A resource that gets another logical id because it is made for one that does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Along {
    /// The logical id that it has.
    pub to: String,
    /// The logical id that the other resource has.
    pub with: String,
}

/// A request to an API of the stack, and the status that has to be answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SmokeManifest {
    /// The logical id of the API.
    pub api: String,
    /// The logical id of the stage of the API.
    pub stage: String,
    /// The HTTP method: `GET`, `HEAD` or `OPTIONS`.
    pub method: String,
    /// The path below the stage, which starts with a `/`.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
}

/// An output of another stack of the assembly.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OutputReference {
    /// The name of the stack, with the stage.
    pub stack: String,
    /// The region of the stack.
    pub region: String,
    /// The key of the output.
    pub output: String,
}

/// A folder of the workspace whose files become objects of a bucket once the stack is deployed.
///
/// The key of an object is the prefix and the path of its file in the folder, with `/` between steps.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContentManifest {
    /// The logical id of the bucket in the stack.
    pub bucket: String,
    /// The folder, relative to the workspace, with `/` between steps.
    pub folder: String,
    /// What the keys of the objects start with.
    #[serde(default)]
    pub prefix: String,
    /// Who gets which header `Cache-Control`: the first rule whose pattern matches.
    #[serde(default)]
    pub cache: Vec<CacheRule>,
    /// Content types by the extension of the file's name, without its dot, before those that everybody knows.
    #[serde(default)]
    pub content_types: BTreeMap<String, String>,
    /// Whether objects under the prefix that no file stands for are kept instead of deleted.
    #[serde(default)]
    pub keep_others: bool,
    /// The logical id of the CloudFront distribution that is to forget the objects that changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub invalidate: Option<String>,
}

/// The header `Cache-Control` of some files.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CacheRule {
    /// A pattern for paths in the folder: `*` stands for anything within a step, `**` for any number of steps.
    pub pattern: String,
    /// The value of the header.
    pub cache_control: String,
}

/// One output of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Output {
    /// What the value is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The name of the export, where the value is exported.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub export: Option<String>,
    /// A command that tries the output out; `{value}` stands for its value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub example: Option<String>,
    /// Whether the synth added the output to hand a value to another stack: people need not see it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub links: bool,
}

/// What is known of one resource beyond its template.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResourceManifest {
    /// The resource type.
    #[serde(rename = "type")]
    pub resource_type: String,
    /// Where the resource is declared: `file:line:column`, relative to the workspace.
    pub source: String,
}

/// Something that must be built and published before a stack can use it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Asset {
    /// A Lambda function: one binary of one package of the workspace, zipped as `bootstrap`.
    Function {
        /// The Cargo package.
        package: String,
        /// The binary of the package.
        binary: String,
        /// The processor to build for.
        architecture: Architecture,
    },
}

/// What a function declared that it needs, and what its stack wired it to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Contract {
    /// One entry per binding, by field name.
    pub bindings: BTreeMap<String, BindingContract>,
}

/// One binding of a contract.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct BindingContract {
    /// The kind: `table`, `queue`, `bucket`, `topic`, `variable`, `secret` or `parameter`.
    pub kind: String,
    /// The environment variable that carries it.
    pub environment: String,
    /// The IAM actions that the granted operations need.
    #[serde(default)]
    pub actions: Vec<String>,
}

/// Why a synth failed: every violation, so that one run shows them all.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// What was wrong, in the order of the stacks and resources.
    pub violations: Vec<FailureItem>,
}

/// One violation of a failed synth.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FailureItem {
    /// The stack, without the stage, where one is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stack: Option<String>,
    /// The logical id, where a resource is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub logical_id: Option<String>,
    /// The property path, such as `Properties.DelaySeconds`, where one is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<String>,
    /// Where it is declared: `file:line:column`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What is wrong and what to do, as a sentence fragment.
    pub message: String,
}
