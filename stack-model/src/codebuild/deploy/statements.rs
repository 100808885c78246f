//! From what stacks need to the statements that allow it.

use std::collections::{BTreeMap, BTreeSet};

use stack_model_cfn::{Expr, Token, Value};

use super::NAMES;
use super::place::Place;
use super::registry;
use crate::arn::Arn;
use crate::iam::ManagedPolicy;
use crate::policy::Statement;
use crate::stack::StackData;

/// What the stacks need, by IAM service.
#[derive(Clone, Debug, Default)]
pub(super) struct Needs {
    /// The regions and names of the stacks.
    pub(super) stacks: BTreeSet<(String, String)>,
    /// What else `stackctl` itself calls.
    pub(super) own: Vec<Statement>,
    pub(super) actions: BTreeMap<String, BTreeSet<String>>,
    pub(super) places: BTreeMap<String, BTreeSet<Place>>,
    /// The services that roles of the stacks trust.
    pub(super) trusted: BTreeSet<String>,
    /// The roles and users that the stacks make.
    pub(super) roles: BTreeSet<Place>,
}

/// Returns an action of IAM.
pub(super) fn of_iam(name: &str) -> String {
    format!("iam:{name}")
}

impl Needs {
    /// Returns whether the stacks have something that IAM keeps.
    pub(super) fn touches_iam(&self) -> bool {
        self.actions.contains_key("iam")
    }

    /// Returns all statements; roles and users that are made stay within the boundary.
    pub(super) fn statements(self, boundary: Option<Value<Arn<ManagedPolicy>>>) -> Vec<Statement> {
        let Self {
            stacks,
            own,
            mut actions,
            places,
            trusted,
            roles,
        } = self;
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
        if let Some(boundary) = boundary {
            take("iam", &registry::UNBOUND);
            let bounded = take("iam", registry::BOUNDED);
            if !bounded.is_empty() {
                let bounded = Statement::allow(bounded).when(
                    "StringEquals",
                    "iam:PermissionsBoundary",
                    boundary.clone(),
                );
                statements.push(on(bounded, &roles));
            }
            statements.push(Statement::deny(registry::POLICY_EDITS.map(of_iam)).on(boundary));
            statements.push(Statement::deny(registry::UNBOUND.map(of_iam)).on("*"));
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
        statements
    }
}

/// What `stackctl` calls to look at stacks, to plan, to deploy and to prove what it did, by region and name. What only
/// other commands call is none of a deploy: `destroy`, `prune`, `rollback` and those that operate.
///
/// `deployer/src/aws/rights.rs` holds this against the calls in the source.
fn of_stackctl(stacks: &BTreeSet<(String, String)>) -> [Statement; 6] {
    let id = "AWS makes up the id at the end";
    let mut deploys = Statement::allow([
        "cloudformation:CreateChangeSet",
        "cloudformation:CreateStackRefactor",
        "cloudformation:DeleteChangeSet",
        "cloudformation:DeleteStack",
        "cloudformation:DescribeChangeSet",
        "cloudformation:DescribeChangeSetHooks",
        "cloudformation:DescribeEvents",
        "cloudformation:DescribeStackEvents",
        "cloudformation:DescribeStackRefactor",
        "cloudformation:DescribeStacks",
        "cloudformation:ExecuteChangeSet",
        "cloudformation:ExecuteStackRefactor",
        "cloudformation:GetStackPolicy",
        "cloudformation:GetTemplate",
        "cloudformation:ListChangeSets",
        "cloudformation:ListStackResources",
        "cloudformation:SetStackPolicy",
        "cloudformation:TagResource",
        "cloudformation:UpdateTerminationProtection",
    ])
    .because(id);
    let mut finds = Statement::allow(["cloudformation:DescribeStacks"]).because(id);
    let mut early = Statement::allow(["cloudformation:DescribeEvents"]).because(id);
    let on = |region: &str, rest: &str| Place::new("cloudformation", region, true, rest).arn("");
    for (region, name) in stacks {
        deploys = deploys.on(on(region, &format!("stack/{name}/*")));
    }
    let regions: BTreeSet<&String> = stacks.iter().map(|(region, _)| region).collect();
    for region in regions {
        finds = finds.on(on(region, "stack/stackctl-bootstrap/*"));
        early = early.on(on(region, "changeSet/stackctl-*"));
    }
    let bucket = Place::new("s3", "", false, "stackctl-bootstrap-*");
    let publishes = Statement::allow([
        "s3:GetBucketPublicAccessBlock",
        "s3:GetEncryptionConfiguration",
        "s3:GetObject",
        "s3:GetObjectVersion",
        "s3:ListBucket",
        "s3:PutObject",
    ])
    .on(bucket.arn(""))
    .because("the artifact bucket has a name that CloudFormation makes up");
    // What was given to functions past CloudFormation is forgotten when a deploy gives them their code back.
    let forgets = Statement::allow(["s3:DeleteObject"])
        .on(bucket.arn("/state/*.fast.json"))
        .because("the artifact bucket has a name that CloudFormation makes up");
    let unnamed = Statement::allow([
        // Of a resource that is to be imported, and of a template that is no stack's.
        "cloudformation:GetResource",
        "cloudformation:GetTemplateSummary",
        "cloudformation:ListExports",
        "cloudformation:ListImports",
        "lambda:GetAccountSettings",
    ])
    .on_everything("these actions name no resource");
    [deploys, finds, early, publishes, forgets, unnamed]
}

/// What CloudFormation reads while it deploys, because a template names it.
pub(super) fn references(stack: &StackData, region: &str) -> Vec<Statement> {
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
pub(super) fn trusted(role: &Expr, found: &mut BTreeSet<String>) {
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
