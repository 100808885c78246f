//! The app and its stacks: where resources are added and handles come from.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;
use std::sync::Arc;

use stack_model_cfn::{Expr, ResourceId, ResourceType, Token, Value};

use crate::arn::Arn;
use crate::assembly::{Asset, ContentManifest, Contract};
use crate::error::Violation;
use crate::handle::{ELSEWHERE, Handle, ResourceRef};
use crate::iam::{ManagedPolicy, boundary};
use crate::limit::Limited;
use crate::parameter::{ConditionRef, parameter_token};
use crate::policy::Statement;
use crate::resource::{Removal, Resource, source_text};
use crate::stage::Stage;

/// All stacks of a stage, until they are synthesised.
///
/// ```
/// use stack_model::{App, Stage, sqs::QueueProps};
/// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
///
/// let mut app = App::new(Stage::new(request));
/// let mut stack = app.stack("orders");
/// let orders = stack.queue::<String>("Orders", QueueProps::default());
/// stack.output("QueueUrl", orders.url());
///
/// let assembly = app.synth().unwrap();
/// assert_eq!(assembly.manifest().stacks[0].name, "orders-dev");
/// ```
#[derive(Debug)]
pub struct App {
    pub(crate) stage: Stage,
    pub(crate) stacks: Vec<StackData>,
    pub(crate) assets: BTreeMap<String, Asset>,
    pub(crate) contracts: BTreeMap<String, Contract>,
    pub(crate) tags: BTreeMap<String, String>,
    /// What roles without a permissions boundary of their own have.
    pub(crate) boundary: Option<Value<Arn<ManagedPolicy>>>,
    pub(crate) violations: Vec<Violation>,
}

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
    pub(crate) conditions: BTreeMap<String, Expr>,
    pub(crate) mappings: BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>,
    pub(crate) outputs: BTreeMap<String, OutputData>,
    pub(crate) tags: BTreeMap<String, String>,
    /// Earlier logical ids, each with the present one.
    pub(crate) moved: BTreeMap<String, Moved>,
    pub(crate) depends_on: Vec<String>,
    /// The folders that fill buckets, by the name of the declaration.
    pub(crate) contents: BTreeMap<String, ContentManifest>,
    /// The logical ids of the policies that stand in resources of their own.
    pub(crate) policies: BTreeSet<String>,
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

impl App {
    /// Starts an app without stacks.
    pub fn new(stage: Stage) -> Self {
        let mut violations = stage.violations();
        let boundary = boundary::of_stage(&stage, &mut violations);
        let tags = BTreeMap::from([("stackctl:stage".to_owned(), stage.name().to_owned())]);
        Self {
            stage,
            stacks: Vec::new(),
            assets: BTreeMap::new(),
            contracts: BTreeMap::new(),
            tags,
            boundary,
            violations,
        }
    }

    /// Returns the stage that the app is rendered for.
    pub fn stage(&self) -> &Stage {
        &self.stage
    }

    /// Adds a tag to every stack, and so to every resource that can be tagged.
    pub fn tag(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.tags.insert(key.into(), value.into());
    }

    /// Starts a stack, or goes on with the one of that name.
    ///
    /// The name is without the stage: `orders` is deployed as `orders-dev`.
    pub fn stack(&mut self, id: &str) -> Stack<'_> {
        let index = self
            .stacks
            .iter()
            .position(|stack| &*stack.id == id)
            .unwrap_or_else(|| {
                self.stacks.push(StackData {
                    id: Arc::from(id),
                    ..StackData::default()
                });
                self.stacks.len() - 1
            });
        Stack { app: self, index }
    }
}

/// One stack of an app.
///
/// Resources are added with a method per service, such as [`queue`](Stack::queue); each returns a handle. Nothing
/// fails while a stack is described: everything that is wrong is reported together by [`App::synth`].
#[derive(Debug)]
pub struct Stack<'app> {
    app: &'app mut App,
    index: usize,
}

impl Stack<'_> {
    /// Returns the name without the stage.
    pub fn id(&self) -> &str {
        &self.data_ref().id
    }

    /// Returns the name in CloudFormation, with the stage.
    pub fn name(&self) -> String {
        format!("{}-{}", self.id(), self.stage().name())
    }

    /// Returns the stage that the stack is rendered for.
    pub fn stage(&self) -> &Stage {
        &self.app.stage
    }

    /// Returns the region that the stack is deployed to.
    pub fn region(&self) -> &str {
        let own = self.data_ref().region.as_deref();
        own.unwrap_or_else(|| self.stage().region())
    }

    /// Returns the region of a stack of the app.
    pub(crate) fn region_of(&self, stack: &str) -> Option<String> {
        let stack = self.app.stacks.iter().find(|data| &*data.id == stack)?;
        let own = stack.region.as_deref();
        Some(own.unwrap_or_else(|| self.stage().region()).to_owned())
    }

    /// Says what the stack is for, in at most 1,024 bytes.
    pub fn describe(&mut self, description: impl Into<String>) {
        self.data().description = Some(description.into());
    }

    /// Deploys the stack to another region than the stage's.
    pub fn in_region(&mut self, region: impl Into<String>) {
        self.data().region = Some(region.into());
    }

    /// Adds a tag to the stack, and so to every resource of it that can be tagged.
    pub fn tag(&mut self, key: impl Into<String>, value: impl Into<String>) {
        self.data().tags.insert(key.into(), value.into());
    }

    /// Declares that a resource had another logical id in an earlier release.
    #[track_caller]
    pub fn moved(&mut self, from: impl Into<String>, to: &impl Handle) {
        let (from, source) = (from.into(), Location::caller());
        let to = to.resource_id();
        if to.stack() != self.id() {
            let message = format!(
                "`{}` belongs to the stack `{}`, and resources do not move between stacks",
                to.logical_id(),
                to.stack()
            );
            return self.report(&from, None, message, source);
        }
        let moved = Moved {
            to: to.logical_id().to_owned(),
            source: source_text(source),
        };
        if self.data().moved.insert(from.clone(), moved).is_some() {
            let message = format!("`{from}` is moved twice");
            self.report(&from, None, message, source);
        }
    }

    /// Deploys another stack of the app before this one, where no token says so already.
    pub fn after(&mut self, stack: impl Into<String>) {
        self.data().depends_on.push(stack.into());
    }

    /// Adds a resource of any type, with the generated struct of its properties.
    #[track_caller]
    pub fn add(&mut self, logical_id: &str, properties: &impl ResourceType) -> ResourceRef {
        self.insert(logical_id, Resource::of(properties, Location::caller()))
    }

    /// Adds a resource of any type from raw JSON.
    ///
    /// Intrinsics may stand in it as JSON. The properties are checked against the registry's facts as those of
    /// any other resource.
    #[track_caller]
    pub fn raw(
        &mut self,
        logical_id: &str,
        resource_type: &str,
        properties: serde_json::Value,
    ) -> ResourceRef {
        let resource = Resource::new(resource_type, properties.into(), Location::caller());
        self.insert(logical_id, resource)
    }

    /// Replaces one property of a resource, by its path in the template, such as `RedrivePolicy.maxReceiveCount`.
    ///
    /// List positions are numbers counted from zero. A backslash keeps a dot in a key:
    /// `RequestParameters.method\.request\.querystring\.limit`.
    #[track_caller]
    pub fn override_property(
        &mut self,
        handle: &impl Handle,
        path: impl Into<String>,
        value: impl Into<Expr>,
    ) {
        let (path, value) = (path.into(), value.into());
        self.change(handle, |resource| {
            resource.overrides.push((path, Some(value)));
        });
    }

    /// Removes one property of a resource, by its path in the template.
    #[track_caller]
    pub fn remove_property(&mut self, handle: &impl Handle, path: impl Into<String>) {
        let path = path.into();
        self.change(handle, |resource| {
            resource.overrides.push((path, None));
        });
    }

    /// Adds metadata to a resource.
    #[track_caller]
    pub fn metadata(
        &mut self,
        handle: &impl Handle,
        key: impl Into<String>,
        value: impl Into<Expr>,
    ) {
        let (key, value) = (key.into(), value.into());
        self.change(handle, |resource| {
            resource.metadata.insert(key, value);
        });
    }

    /// Decides what happens to a resource that leaves its stack or is replaced.
    #[track_caller]
    pub fn removal(&mut self, handle: &impl Handle, removal: Removal) {
        self.change(handle, |resource| resource.removal = Some(removal));
    }

    /// Creates a resource after another one, where no token says so already.
    #[track_caller]
    pub fn depends_on(&mut self, handle: &impl Handle, on: &impl Handle) {
        let on = on.resource_id().clone();
        self.change(handle, |resource| {
            resource.depends_on.insert(on);
        });
    }

    /// Creates a resource only where a condition holds.
    #[track_caller]
    pub fn only_if(&mut self, handle: &impl Handle, condition: &ConditionRef) {
        if *condition.stack != *self.id() {
            let message = format!(
                "`{}` is a condition of the stack `{}`",
                condition.name, condition.stack
            );
            let id = handle.resource_id().logical_id();
            return self.report(id, Some("Condition"), message, Location::caller());
        }
        let name = condition.name.to_string();
        self.change(handle, |resource| resource.condition = Some(name));
    }

    /// Adds an output; the returned builder describes or exports it.
    #[track_caller]
    pub fn output(&mut self, key: &str, value: impl Into<Expr>) -> OutputBuilder<'_> {
        let output = OutputData {
            value: value.into(),
            description: None,
            export: None,
            example: None,
            links: false,
            source: source_text(Location::caller()),
        };
        if self.data_ref().outputs.contains_key(key) {
            self.violate(
                self.violation(format!("the output `{key}` is declared twice"))
                    .of(key)
                    .declared(&output.source),
            );
        }
        let entry = self.data().outputs.entry(key.to_owned());
        OutputBuilder {
            output: entry.insert_entry(output).into_mut(),
        }
    }

    /// Reads an export that another app or tool defines.
    ///
    /// Between stacks of one app no import is written: using a handle is enough.
    pub fn import(&self, export: impl Into<Value<String>>) -> Value<String> {
        Value::Token(Token::ImportValue(Box::new(export.into().into())))
    }

    /// Adds statements to what a role may do.
    ///
    /// They become part of the inline policy of the role, which must belong to this stack: a stack never changes
    /// one that it depends on.
    #[track_caller]
    pub fn grant(&mut self, role: &impl Handle, statements: impl IntoIterator<Item = Statement>) {
        self.add_statements(role, statements, Location::caller());
    }

    /// Reports something that is wrong; the synth shows it with everything else.
    pub fn violate(&mut self, violation: Violation) {
        self.app.violations.push(violation);
    }

    /// Makes a violation that concerns this stack.
    pub fn violation(&self, message: impl Into<String>) -> Violation {
        Violation::new(message).in_stack(self.id())
    }

    /// Reports something that is wrong with a resource, before or after it is added.
    pub(crate) fn report(
        &mut self,
        logical_id: &str,
        property: Option<&str>,
        message: impl Into<String>,
        source: &Location<'_>,
    ) {
        let mut violation = self.violation(message).of(logical_id);
        violation.property = property.map(str::to_owned);
        self.violate(violation.declared(source_text(source)));
    }

    /// Reports a number outside its limits.
    pub(crate) fn check_limit<const MIN: u32, const MAX: u32>(
        &mut self,
        logical_id: &str,
        property: &str,
        number: Option<Limited<MIN, MAX>>,
        source: &Location<'_>,
    ) {
        if let Some(message) = number.and_then(Limited::violation) {
            self.report(logical_id, Some(property), message, source);
        }
    }

    /// Returns the token of a template parameter that the synth declares.
    pub(crate) fn parameter_value(&self, name: &str) -> Value<String> {
        let stack = Arc::clone(&self.data_ref().id);
        Value::Token(parameter_token(ResourceId::new(stack, name)))
    }

    /// Adds a resource and reports a logical id that is taken or wrong.
    pub(crate) fn insert(&mut self, logical_id: &str, resource: Resource) -> ResourceRef {
        let source = resource.source.clone();
        if let Some(message) = crate::logical_id::violation(logical_id) {
            self.violate(self.violation(message).of(logical_id).declared(&source));
        }
        let id = ResourceId::new(Arc::clone(&self.data_ref().id), logical_id);
        if let Some(earlier) = self.data_ref().resources.get(logical_id) {
            let message = format!(
                "the logical id `{logical_id}` is taken by the {} declared at {}: choose another",
                earlier.kind, earlier.source
            );
            self.violate(self.violation(message).of(logical_id).declared(source));
        } else {
            self.data()
                .resources
                .insert(logical_id.to_owned(), resource);
        }
        ResourceRef { id }
    }

    /// Returns the handle of a resource of this stack, by its logical id.
    pub(crate) fn resource_ref(&self, logical_id: &str) -> ResourceRef {
        let stack = Arc::clone(&self.data_ref().id);
        ResourceRef {
            id: ResourceId::new(stack, logical_id),
        }
    }

    /// Adds a resource with the removal policy that its data deserves: retained where the stage is protected,
    /// deleted elsewhere.
    pub(crate) fn insert_data(&mut self, logical_id: &str, mut resource: Resource) -> ResourceRef {
        resource.removal = Some(if self.stage().is_protected() {
            Removal::RetainExceptOnCreate
        } else {
            Removal::Delete
        });
        self.insert(logical_id, resource)
    }

    /// Changes a resource of this stack; a foreign or unknown handle is reported.
    #[track_caller]
    pub(crate) fn change(&mut self, handle: &impl Handle, change: impl FnOnce(&mut Resource)) {
        self.change_at(handle, Location::caller(), change);
    }

    /// Changes a resource of this stack on behalf of the given line.
    pub(crate) fn change_at(
        &mut self,
        handle: &impl Handle,
        source: &Location<'_>,
        change: impl FnOnce(&mut Resource),
    ) {
        let id = handle.resource_id();
        if id.stack() == ELSEWHERE {
            let message = format!(
                "`{}` is kept by somebody else, so no stack of this app can change it",
                id.logical_id()
            );
            self.report(id.logical_id(), None, message, source);
        } else if id.stack() != self.id() {
            let message = format!(
                "`{}` belongs to the stack `{}` and can only be changed there",
                id.logical_id(),
                id.stack()
            );
            self.report(id.logical_id(), None, message, source);
        } else if let Some(resource) = self.data().resources.get_mut(id.logical_id()) {
            change(resource);
        } else {
            let message = format!(
                "`{}` is not a resource of this stack: the handle comes from another app",
                id.logical_id()
            );
            self.report(id.logical_id(), None, message, source);
        }
    }

    /// Declares an asset and returns the token of the parameter that receives its key in the artifact bucket.
    pub(crate) fn artifact(&mut self, parameter: &str, name: &str, asset: Asset) -> Value<String> {
        if let Some(earlier) = self.app.assets.get(name)
            && *earlier != asset
        {
            self.violate(self.violation(format!(
                "the asset `{name}` is declared twice with different contents"
            )));
        }
        self.app.assets.insert(name.to_owned(), asset);
        let stack = Arc::clone(&self.data_ref().id);
        self.data()
            .artifacts
            .insert(parameter.to_owned(), name.to_owned());
        Value::Token(parameter_token(ResourceId::new(stack, parameter)))
    }

    /// Records what a function declared that it needs.
    pub(crate) fn contract(&mut self, asset: &str, contract: Contract) {
        self.app.contracts.insert(asset.to_owned(), contract);
    }

    /// Returns the app with all its stacks.
    pub(crate) fn app_ref(&self) -> &App {
        self.app
    }

    pub(crate) fn data(&mut self) -> &mut StackData {
        #[expect(
            clippy::indexing_slicing,
            reason = "stacks are never removed, so the index stays valid"
        )]
        &mut self.app.stacks[self.index]
    }

    pub(crate) fn data_ref(&self) -> &StackData {
        #[expect(
            clippy::indexing_slicing,
            reason = "stacks are never removed, so the index stays valid"
        )]
        &self.app.stacks[self.index]
    }
}

/// Describes an output that was just added.
#[derive(Debug)]
pub struct OutputBuilder<'stack> {
    output: &'stack mut OutputData,
}

impl OutputBuilder<'_> {
    /// Says what the value is for, in at most 1,024 bytes.
    pub fn description(&mut self, description: impl Into<String>) -> &mut Self {
        self.output.description = Some(description.into());
        self
    }

    /// Exports the value under a name that is unique in the account and region. Tokens of the same value in other
    /// stacks of the app import it by this name.
    pub fn export(&mut self, name: impl Into<String>) -> &mut Self {
        self.output.export = Some(name.into());
        self
    }

    /// Gives a command that tries the output out, printed after a deploy; `{value}` stands for the value.
    pub fn example(&mut self, command: impl Into<String>) -> &mut Self {
        self.output.example = Some(command.into());
        self
    }
}
