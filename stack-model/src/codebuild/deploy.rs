//! What a deploy needs to be allowed, computed from the stacks that are deployed.
//!
//! `stackctl` calls CloudFormation as whoever runs it, and CloudFormation creates, reads, updates and deletes resources
//! with the rights of its caller. The registry says for each resource type which actions that takes. What a type's
//! handlers would call in another service is left out unless the stacks have something of that service.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;

use stack_model_cfn::iam as cfn;
use stack_model_cfn::{Expr, Part, Pseudo, Token, Value};

use crate::arn::Arn;
use crate::handle::Handle;
use crate::iam::{ManagedPolicy, RoleRef};
use crate::policy::{PolicyDocument, Statement};
use crate::resource::Resource;
use crate::stack::{App, Stack, StackData};
use crate::text::concatenate;

mod place;
mod registry;

use place::Place;

/// What a deploy of some stacks needs to be allowed: what `stackctl` calls itself, and what CloudFormation calls for the
/// resource types that the stacks contain.
///
/// Resources are named as narrowly as their ARNs allow: by their names, or by the name of their stack, which begins the
/// names that CloudFormation makes up. Where an ARN holds an id that AWS makes up, such as that of an API, all of the
/// account and region are meant. Roles can be passed on to the services that they trust, and to no others.
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

/// What the stacks need, by IAM service.
#[derive(Clone, Debug, Default)]
struct Needs {
    /// The regions and names of the stacks.
    stacks: BTreeSet<(String, String)>,
    /// What else `stackctl` itself calls.
    own: Vec<Statement>,
    actions: BTreeMap<String, BTreeSet<String>>,
    places: BTreeMap<String, BTreeSet<Place>>,
    /// The services that roles of the stacks trust.
    trusted: BTreeSet<String>,
    /// The roles that the stacks make.
    roles: BTreeSet<Place>,
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

    /// Lets the deploy make and change only roles that have this permissions boundary, and never take it away: whatever
    /// a template says, its roles stay within the boundary. The roles of the stacks must name it.
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
            if kind == "AWS::IAM::Role" {
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

    /// Returns all statements.
    fn statements(self) -> Vec<Statement> {
        let Needs {
            stacks,
            own,
            mut actions,
            places,
            trusted,
            roles,
        } = self.needs;
        let mut statements = of_stackctl(&stacks).to_vec();
        statements.extend(own);
        let mut take = |service: &str, names: &[&str]| -> Vec<String> {
            let Some(known) = actions.get_mut(service) else {
                return Vec::new();
            };
            let taken = names.iter().filter(|name| known.remove(**name));
            taken
                .map(|name| format!("{service}:{}", name.trim_end_matches('*')))
                .collect()
        };
        let on = |mut statement: Statement, places: &BTreeSet<Place>| {
            for place in places {
                statement = statement.on(place.arn(""));
            }
            statement.because(NAMES)
        };

        if !take("iam", &["PassRole"]).is_empty() && !roles.is_empty() && !trusted.is_empty() {
            let pass = Statement::allow(["iam:PassRole"]).when(
                "StringEquals",
                "iam:PassedToService",
                Expr::list(trusted.iter().map(String::as_str)),
            );
            statements.push(on(pass, &roles));
        }
        if !take("iam", &["CreateServiceLinkedRole"]).is_empty() {
            let linked = Place::new("iam", "", true, "role/aws-service-role/*");
            let create = Statement::allow(["iam:CreateServiceLinkedRole"]);
            let reason = "AWS fixes what these roles may do, and each service names its own";
            statements.push(create.on(linked.arn("")).because(reason));
        }
        // A mapping has an id that AWS makes up; the function that it feeds is known.
        let mappings = take("lambda", registry::MAPPINGS);
        if let Some(functions) = places.get("lambda").filter(|_| !mappings.is_empty()) {
            let functions = functions.iter().filter(|place| place.names_function());
            let functions = Expr::list(functions.map(|place| Expr::from(place.arn(""))));
            statements.push(
                Statement::allow(mappings)
                    .on_everything("the mapping is named by the function that it feeds")
                    .when("ArnLike", "lambda:FunctionArn", functions),
            );
        }
        if let Some(boundary) = self.boundary {
            take("iam", &["DeleteRolePermissionsBoundary"]);
            let bounded = take("iam", registry::BOUNDED);
            if !bounded.is_empty() {
                let bounded = Statement::allow(bounded).when(
                    "StringEquals",
                    "iam:PermissionsBoundary",
                    boundary,
                );
                statements.push(on(bounded, &roles));
            }
        }

        let mut everywhere = Vec::new();
        let nowhere = BTreeSet::new();
        for (service, names) in actions {
            let (unnamed, named): (Vec<String>, Vec<String>) = names
                .into_iter()
                .map(|name| format!("{service}:{name}"))
                .partition(|action| action.ends_with('*'));
            let unnamed = unnamed.iter().map(|action| action.trim_end_matches('*'));
            everywhere.extend(unnamed.map(str::to_owned));
            let places = places.get(&service).unwrap_or(&nowhere);
            if named.is_empty() {
                continue;
            }
            statements.push(if places.is_empty() {
                Statement::allow(named)
                    .on(Place::whole(&service))
                    .because(NAMES)
            } else {
                on(Statement::allow(named), places)
            });
        }
        if !everywhere.is_empty() {
            statements
                .push(Statement::allow(everywhere).on_everything("these actions name no resource"));
        }
        // Statements on the same resources become one.
        PolicyDocument::new(statements.into_iter().chain(self.more))
            .statements()
            .to_vec()
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
        let statements = rights.statements();
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

/// What `stackctl` calls to deploy stacks, by region and name; see `deployer/src/engine`.
fn of_stackctl(stacks: &BTreeSet<(String, String)>) -> [Statement; 3] {
    let id = "AWS makes up the id at the end";
    let mut deploys = Statement::allow([
        "cloudformation:CreateChangeSet",
        "cloudformation:DeleteChangeSet",
        "cloudformation:DeleteStack",
        "cloudformation:DescribeChangeSet",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStacks",
        "cloudformation:ExecuteChangeSet",
        "cloudformation:GetTemplate",
        "cloudformation:ListChangeSets",
        "cloudformation:ListStackResources",
        "cloudformation:TagResource",
        "cloudformation:UpdateTerminationProtection",
    ])
    .because(id);
    let mut finds = Statement::allow(["cloudformation:DescribeStacks"]).because(id);
    let of_stack = |region: &str, name: &str| {
        Place::new("cloudformation", region, true, &format!("stack/{name}/*")).arn("")
    };
    for (region, name) in stacks {
        deploys = deploys.on(of_stack(region, name));
    }
    let regions: BTreeSet<&String> = stacks.iter().map(|(region, _)| region).collect();
    for region in regions {
        finds = finds.on(of_stack(region, "stackctl-bootstrap"));
    }
    let bucket = Place::new("s3", "", false, "stackctl-bootstrap-*");
    let publishes = Statement::allow([
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:PutObject",
    ])
    .on(bucket.arn(""))
    .because("the artifact bucket has a name that CloudFormation makes up");
    [deploys, finds, publishes]
}

/// What CloudFormation reads while it deploys, because a template names it.
fn references(stack: &StackData, region: &str) -> Vec<Statement> {
    let mut parameters = BTreeSet::new();
    let mut secrets: Vec<Expr> = Vec::new();
    let mut find = |expr: &Expr| {
        expr.walk(&mut |token| match token {
            Token::SsmParameter { name, .. } => {
                parameters.insert(name.trim_start_matches('/').to_owned());
            }
            Token::Secret { id, .. } if !secrets.contains(id) => secrets.push((**id).clone()),
            _ => {}
        });
    };
    for resource in stack.resources.values() {
        find(&resource.rendered().0);
    }
    for output in stack.outputs.values() {
        find(&output.value);
    }
    let read = |name: &String| {
        let place = Place::new("ssm", region, true, &format!("parameter/{name}"));
        Statement::allow(["ssm:GetParameters"]).on(place.arn(""))
    };
    // The id of a secret of the stacks themselves is known to its own service.
    let named = secrets
        .into_iter()
        .filter(|id| id.as_str().is_some_and(|id| id.starts_with("arn:")))
        .map(|id| Statement::allow(["secretsmanager:GetSecretValue"]).on(id));
    parameters.iter().map(read).chain(named).collect()
}

/// Collects the services in a trust policy.
fn trusted(role: &Expr, found: &mut BTreeSet<String>) {
    fn services(expr: &Expr, found: &mut BTreeSet<String>) {
        match expr {
            Expr::List(elements) => elements.iter().for_each(|element| services(element, found)),
            Expr::Map(entries) => {
                for (key, value) in entries {
                    match (key.as_str(), value) {
                        ("Service", Expr::String(name)) => {
                            found.insert(name.clone());
                        }
                        ("Service", Expr::List(names)) => {
                            found.extend(names.iter().filter_map(Expr::as_str).map(str::to_owned));
                        }
                        (_, value) => services(value, found),
                    }
                }
            }
            _ => {}
        }
    }
    if let Expr::Map(properties) = role
        && let Some(trust) = properties.get("AssumeRolePolicyDocument")
    {
        services(trust, found);
    }
}

/// Puts text and pseudo parameters one after the other.
fn arn_of(service: &str, region: &str, account: bool, resource: &str) -> Value<String> {
    let text = |text: &str| Part::Text(text.to_owned());
    let pseudo = |pseudo| Part::Token(Token::Pseudo(pseudo));
    concatenate([
        text("arn:"),
        pseudo(Pseudo::Partition),
        text(&format!(":{service}:{region}:")),
        if account {
            pseudo(Pseudo::AccountId)
        } else {
            text("")
        },
        text(&format!(":{resource}")),
    ])
}
