//! What a deploy needs to be allowed, computed from the stacks that are deployed.
//!
//! `stackctl` calls CloudFormation as whoever runs it, and CloudFormation creates, reads, updates and deletes resources
//! with the rights of its caller. The registry says for each resource type which actions that takes. What a type's
//! handlers would call in another service is left out unless the stacks have something of that service.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;

use stack_model_cfn::iam as cfn;
use stack_model_cfn::{Expr, Token, Value};

use crate::arn::Arn;
use crate::handle::Handle;
use crate::iam::{ManagedPolicy, RoleRef, boundary};
use crate::policy::{PolicyDocument, Statement};
use crate::resource::Resource;
use crate::stack::{App, Stack, StackData};

mod own;
mod place;
mod registry;
mod statements;

use statements::{Needs, references, trusted};

/// What a deploy of some stacks needs to be allowed: what `stackctl` calls itself, and what CloudFormation calls for the
/// resource types that the stacks contain.
///
/// Resources are named as narrowly as their ARNs allow: by their names, or by the name of their stack, which begins the
/// names that CloudFormation makes up. Where an ARN holds an id that AWS makes up, such as that of an API, all of the
/// account and region are meant. Roles can be passed on to the services that they trust, and to no others. The rights
/// never reach the role that has them: it cannot change itself or its policies.
///
/// Who may make roles may give them whatever it wants, and then act through them: what ends that is a permissions
/// boundary. That of the app, [`App::permissions_boundary`], is that of the rights, too.
///
/// ```
/// use stack_model::codebuild::{BuildSource, DeployRights, GitHubSource, ProjectProps};
/// use stack_model::sqs::QueueProps;
/// # use stack_model::{App, Stage};
/// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
/// # let mut app = App::new(Stage::new(request));
///
/// let mut orders = app.stack("orders-queue");
/// orders.queue::<String>("Orders", QueueProps::default());
///
/// let rights = DeployRights::of(&app, &["orders-*"]);
/// assert_eq!(rights.stacks(), ["orders-queue"]);
///
/// let mut stack = app.stack("orders-pipeline");
/// let source = BuildSource::GitHub(GitHubSource::new("example/orders"));
/// let project = stack.project("Deploy", ProjectProps::new(source));
/// stack.allow_deploy("DeployRights", project.role(), rights);
/// # app.synth().unwrap();
/// ```
#[derive(Clone, Debug)]
pub struct DeployRights {
    stacks: Vec<String>,
    /// Types of which nobody said what they need, each with a stack that has it.
    unknown: BTreeMap<String, String>,
    /// The patterns that no stack fits.
    unmatched: Vec<String>,
    needs: Needs,
    boundary: Option<Value<Arn<ManagedPolicy>>>,
    more: Vec<Statement>,
}

/// The most characters of a managed policy, with room for what only the deployment knows; IAM takes 6,144.
const ROOM: usize = 5_800;

/// How many managed policies a role can have by default.
const MAX_POLICIES: usize = 10;

/// Why the rights have wildcards.
const NAMES: &str = "CloudFormation makes up the ends of names, and AWS makes up ids";

impl DeployRights {
    /// Computes the rights from the stacks that the app has so far and whose names, without the stage, fit one of the
    /// patterns: a name, or the beginning of names with a `*`.
    ///
    /// Describe what deploys a system after the system. A pattern that no stack fits, and a resource type of which
    /// the registry does not say what it needs, are reported when the rights are used.
    pub fn of(app: &App, patterns: &[&str]) -> Self {
        let fits = |pattern: &str, id: &str| match pattern.strip_suffix('*') {
            Some(start) => id.starts_with(start),
            None => pattern == id,
        };
        let chosen: Vec<&StackData> = (app.stacks.iter())
            .filter(|stack| patterns.iter().any(|pattern| fits(pattern, &stack.id)))
            .collect();
        let unmatched = patterns
            .iter()
            .filter(|pattern| !chosen.iter().any(|stack| fits(pattern, &stack.id)))
            .map(|pattern| (*pattern).to_owned())
            .collect();
        let mut rights = Self {
            stacks: chosen.iter().map(|stack| stack.id.to_string()).collect(),
            unknown: BTreeMap::new(),
            unmatched,
            needs: Needs::default(),
            boundary: None,
            more: Vec::new(),
        };
        for stack in &chosen {
            rights.gather(app, stack);
        }
        let services: BTreeSet<String> = rights.needs.places.keys().cloned().collect();
        // What handlers would call in services of which the stacks have nothing is never called.
        rights.needs.actions.retain(|service, _| {
            services.contains(service) || registry::ALWAYS.contains(&&**service)
        });
        rights.stacks.sort();
        rights
    }

    /// Returns the names of the stacks, without the stage, sorted.
    pub fn stacks(&self) -> &[String] {
        &self.stacks
    }

    /// Says what a resource type needs of which the registry does not say it.
    #[must_use]
    pub fn knowing(
        mut self,
        resource_type: &str,
        statements: impl IntoIterator<Item = Statement>,
    ) -> Self {
        self.unknown.remove(resource_type);
        self.and(statements)
    }

    /// Allows more, such as what a step of a build calls besides deploying.
    #[must_use]
    pub fn and(mut self, statements: impl IntoIterator<Item = Statement>) -> Self {
        self.more.extend(statements);
        self
    }

    /// Lets the deploy make and change only roles that have this permissions boundary, never take it away, and never
    /// change the boundary itself: whatever a template says, its roles stay within the boundary. The roles of the stacks
    /// must name it.
    ///
    /// [`App::permissions_boundary`] does both, so this is for a boundary that the roles have by themselves. See
    /// <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html#access_policies_boundaries-delegate>.
    #[must_use]
    pub fn within(mut self, boundary: Value<Arn<ManagedPolicy>>) -> Self {
        self.boundary = Some(boundary);
        self
    }

    /// Adds what one stack needs.
    fn gather(&mut self, app: &App, stack: &StackData) {
        let region = stack.region.as_deref().unwrap_or(app.stage.region());
        let name = format!("{}-{}", stack.id, app.stage.name());
        self.needs.stacks.insert((region.to_owned(), name.clone()));
        self.needs.own.extend(references(stack, region));
        let fills: BTreeSet<&str> = (stack.contents.values())
            .map(|content| content.bucket.as_str())
            .collect();
        for (id, resource) in &stack.resources {
            let kind = resource.kind.as_str();
            let Some(actions) = registry::actions(kind) else {
                self.unknown
                    .entry(kind.to_owned())
                    .or_insert_with(|| stack.id.to_string());
                continue;
            };
            for (service, action) in actions {
                let known = self.needs.actions.entry(service.to_owned()).or_default();
                known.insert(action.to_owned());
            }
            let (properties, _) = resource.rendered();
            let service = registry::service(kind);
            let places = place::of(kind, id, &properties, &name, region);
            if boundary::BOUNDED.contains(&kind) {
                self.needs.roles.extend(places.iter().cloned());
                trusted(&properties, &mut self.needs.trusted);
            }
            if fills.contains(id.as_str()) {
                let actions = [
                    "s3:DeleteObject",
                    "s3:GetObject",
                    "s3:ListBucket",
                    "s3:PutObject",
                ];
                let mut fill = Statement::allow(actions).because(NAMES);
                for place in &places {
                    fill = fill.on(place.arn("")).on(place.arn("/*"));
                }
                self.needs.own.push(fill);
            }
            self.needs.places.entry(service).or_default().extend(places);
        }
        if !fills.is_empty() && self.needs.places.contains_key("cloudfront") {
            let known = self
                .needs
                .actions
                .entry("cloudfront".to_owned())
                .or_default();
            known.insert("CreateInvalidation".to_owned());
        }
    }
}

impl Stack<'_> {
    /// Lets a role deploy, with as many managed policies `<Id>1`, `<Id>2` and so on as the rights need.
    #[track_caller]
    pub fn allow_deploy(&mut self, logical_id: &str, role: &RoleRef, rights: DeployRights) {
        let source = Location::caller();
        for pattern in &rights.unmatched {
            let message = format!(
                "no stack that was described so far fits `{pattern}`: describe what deploys a system after the system"
            );
            self.report(logical_id, None, message, source);
        }
        for (kind, stack) in &rights.unknown {
            let message = format!(
                "the registry does not say what `{kind}` of the stack `{stack}` needs: say it with `rights.knowing(\"{kind}\", [..])`"
            );
            self.report(logical_id, None, message, source);
        }
        if rights.stacks.iter().any(|stack| stack == self.id()) {
            let message = format!(
                "a deploy that changes its own rights can do anything: leave `{}` to people, and describe it after `DeployRights::of`",
                self.id()
            );
            self.report(logical_id, None, message, source);
        }
        let of_app = || self.app_ref().boundary.clone();
        let boundary = rights.boundary.or_else(of_app);
        self.check_boundary(logical_id, &rights.stacks, boundary.as_ref(), source);
        let of_itself = self.own_changes(logical_id, role, &rights.needs);
        let statements = (rights.needs.statements(boundary).into_iter())
            .chain(rights.more)
            .chain(of_itself);
        // Statements on the same resources become one.
        let statements = PolicyDocument::new(statements).statements().to_vec();
        self.check_statements(logical_id, &statements, source);
        let policies = packed(statements);
        if policies.len() > MAX_POLICIES {
            let message = format!(
                "the rights fill {} managed policies and a role has at most {MAX_POLICIES}: deploy the stacks with several projects",
                policies.len()
            );
            self.report(logical_id, None, message, source);
        }
        if role.resource_id().stack() != self.id() {
            let message = "rights are given to a role of the same stack";
            self.report(logical_id, None, message, source);
        }
        for (position, statements) in policies.into_iter().enumerate() {
            let policy = cfn::ManagedPolicy {
                description: "What CloudFormation and stackctl need to deploy".into(),
                policy_document: PolicyDocument::new(statements).render().into(),
                roles: vec![role.name()].into(),
                ..cfn::ManagedPolicy::default()
            };
            let id = format!("{logical_id}{}", position + 1);
            self.insert(&id, Resource::of(&policy, source));
        }
    }
}

/// Distributes statements over as few policies as their order allows.
fn packed(statements: Vec<Statement>) -> Vec<Vec<Statement>> {
    let mut policies: Vec<Vec<Statement>> = Vec::new();
    let mut room = 0;
    for statement in statements {
        let size = size(&PolicyDocument::new([statement.clone()]).render());
        match policies.last_mut() {
            Some(policy) if size <= room => {
                policy.push(statement);
                room -= size;
            }
            _ => {
                policies.push(vec![statement]);
                room = ROOM.saturating_sub(size);
            }
        }
    }
    policies
}

/// Counts the characters that a document has at most: a token is as long as the longest region, account or partition,
/// or a good name.
fn size(document: &Expr) -> usize {
    let mut tokens = 0;
    document.walk(&mut |token| {
        tokens += match token {
            Token::Sub(_) => 0,
            Token::Pseudo(_) => 14,
            _ => 128,
        };
    });
    crate::iam::least_size(document) + tokens
}
