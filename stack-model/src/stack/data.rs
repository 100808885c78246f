//! What a stack keeps of its description until the synth.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stack_model_cfn::Expr;

use crate::apigateway::{Cors, HttpMethod};
use crate::assembly::{ContentManifest, SmokeManifest};
use crate::resource::Resource;

/// What a stack holds until the synth.
#[derive(Clone, Debug, Default)]
pub(crate) struct StackData {
    pub(crate) id: Arc<str>,
    pub(crate) description: Option<String>,
    pub(crate) region: Option<String>,
    pub(crate) resources: BTreeMap<String, Resource>,
    pub(crate) parameters: BTreeMap<String, (Expr, Option<String>)>,
    /// Parameters that receive the object key of an artifact: parameter name to asset name.
    pub(crate) artifacts: BTreeMap<String, String>,
    /// Parameters that receive the name of a function's release: parameter name to logical id.
    pub(crate) releases: BTreeMap<String, String>,
    pub(crate) conditions: BTreeMap<String, Expr>,
    pub(crate) mappings: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>,
    pub(crate) outputs: BTreeMap<String, OutputData>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Earlier logical ids, each with the present one.
    pub(crate) moved: BTreeMap<String, Moved>,
    pub(crate) depends_on: Vec<String>,
    /// The folders that fill buckets, by the name of the declaration.
    pub(crate) contents: BTreeMap<String, ContentManifest>,
    /// The requests that have to be answered once the stack is deployed, by name.
    pub(crate) smoke: BTreeMap<String, SmokeManifest>,
    /// The logical ids of the policies that stand in resources of their own.
    pub(crate) policies: BTreeSet<String>,
    /// The methods that have something of their own in a preflight, by the logical id of that.
    pub(crate) preflights: BTreeMap<String, Vec<(HttpMethod, Cors)>>,
}

/// A declared rename until the synth.
#[derive(Clone, Debug)]
pub(crate) struct Moved {
    pub(crate) to: String,
    pub(crate) source: String,
}

/// One output until the synth.
#[derive(Clone, Debug)]
pub(crate) struct OutputData {
    pub(crate) value: Expr,
    pub(crate) description: Option<String>,
    pub(crate) export: Option<String>,
    pub(crate) example: Option<String>,
    /// Whether the synth added it, to hand a value to another stack.
    pub(crate) links: bool,
    pub(crate) source: String,
}
