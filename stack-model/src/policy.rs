//! IAM policies as data.
//!
//! A policy is a list of [`Statement`]s; grants of handles make them, and services fill in their own. A wildcard is
//! accepted only with a written reason. See
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements.html>.

use std::collections::BTreeMap;

use stack_model_cfn::{Expr, Value};

mod attach;
mod variable;
mod wildcard;

pub use variable::PolicyVariable;

/// The version of the policy language.
const VERSION: &str = "2012-10-17";

/// Whether a statement allows or denies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// The statement allows what it names.
    Allow,
    /// The statement denies what it names, whatever else allows it.
    Deny,
}

/// Who a statement of a resource policy or a trust policy is about.
#[derive(Clone, Debug, PartialEq)]
pub enum Principal {
    /// An AWS service, such as `lambda.amazonaws.com`.
    Service(String),
    /// An account, role or user, by its ARN.
    Aws(Value<String>),
    /// A federated identity provider, such as `cognito-identity.amazonaws.com`.
    Federated(Value<String>),
    /// Everyone, anonymous callers included. Needs a reason unless the statement denies.
    Anyone,
}

impl Principal {
    /// Returns whether callers that nobody named are among those meant.
    fn is_wildcard(&self) -> bool {
        match self {
            Self::Anyone => true,
            Self::Aws(arn) => wildcard::find(&arn.clone().into()).is_some(),
            Self::Service(_) | Self::Federated(_) => false,
        }
    }
}

/// One statement of a policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Statement {
    effect: Effect,
    actions: Vec<String>,
    resources: Vec<Expr>,
    principals: Vec<Principal>,
    conditions: BTreeMap<String, BTreeMap<String, Expr>>,
    reason: Option<String>,
    problem: Option<String>,
}

impl Statement {
    /// Allows the given actions, such as `sqs:SendMessage`.
    pub fn allow<A: Into<String>>(actions: impl IntoIterator<Item = A>) -> Self {
        Self::new(Effect::Allow, actions)
    }

    /// Denies the given actions, whatever else allows them.
    pub fn deny<A: Into<String>>(actions: impl IntoIterator<Item = A>) -> Self {
        Self::new(Effect::Deny, actions)
    }

    fn new<A: Into<String>>(effect: Effect, actions: impl IntoIterator<Item = A>) -> Self {
        Self {
            effect,
            actions: actions.into_iter().map(Into::into).collect(),
            resources: Vec::new(),
            principals: Vec::new(),
            conditions: BTreeMap::new(),
            reason: None,
            problem: None,
        }
    }

    /// Denies an action on resources to callers without TLS.
    ///
    /// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>, under
    /// `aws:SecureTransport`.
    pub(crate) fn tls_only(action: &str, resources: impl IntoIterator<Item = Expr>) -> Self {
        let mut statement =
            Self::deny([action])
                .to(Principal::Anyone)
                .when("Bool", "aws:SecureTransport", "false");
        statement.resources.extend(resources);
        statement
    }

    /// Names a resource that the statement is about, by its ARN.
    #[must_use]
    pub fn on(mut self, resource: impl Into<Expr>) -> Self {
        self.resources.push(resource.into());
        self
    }

    /// Makes the statement about every resource, and says why nothing narrower will do.
    #[must_use]
    pub fn on_everything(self, reason: impl Into<String>) -> Self {
        self.on("*").because(reason)
    }

    /// Says who the statement is about, in a resource policy or a trust policy.
    #[must_use]
    pub fn to(mut self, principal: Principal) -> Self {
        self.principals.push(principal);
        self
    }

    /// Adds a condition: an operator such as `ArnEquals`, a key such as `aws:SourceArn`, and a value or a list.
    #[must_use]
    pub fn when(
        mut self,
        operator: impl Into<String>,
        key: impl Into<String>,
        value: impl Into<Expr>,
    ) -> Self {
        self.conditions
            .entry(operator.into())
            .or_default()
            .insert(key.into(), value.into());
        self
    }

    /// Says why the statement needs its wildcards.
    #[must_use]
    pub fn because(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }

    /// Names a resource where the statement names none yet.
    pub(crate) fn or_on(self, resource: impl Into<Expr>) -> Self {
        if self.resources.is_empty() {
            self.on(resource)
        } else {
            self
        }
    }

    /// Returns whether the statement names a resource.
    pub(crate) fn names_resource(&self) -> bool {
        !self.resources.is_empty()
    }

    /// Says that the statement cannot be right; the synth reports it where the statement is used.
    pub(crate) fn wrong(mut self, problem: impl Into<String>) -> Self {
        self.problem = Some(problem.into());
        self
    }

    /// Returns whether the statement allows something to a service.
    pub(crate) fn allows_service(&self, service: &str) -> bool {
        let principal = Principal::Service(service.to_owned());
        self.effect == Effect::Allow && self.principals.contains(&principal)
    }

    /// Returns the actions.
    pub fn actions(&self) -> &[String] {
        &self.actions
    }

    /// Returns what is wrong with the statement, if anything: a wildcard without a reason, or nothing to allow.
    pub(crate) fn violation(&self) -> Option<String> {
        if let Some(problem) = &self.problem {
            return Some(problem.clone());
        }
        if self.actions.is_empty() {
            return Some("a policy statement names no action".to_owned());
        }
        if let Some(action) = self
            .actions
            .iter()
            .find(|action| *action != "*" && !is_action(action))
        {
            return Some(format!(
                "`{action}` is not an IAM action: it needs the form service:Action"
            ));
        }
        if self.effect == Effect::Deny || self.reason.is_some() {
            return None;
        }
        let wildcard = self
            .actions
            .iter()
            .find(|action| action.contains('*'))
            .map(|action| format!("the action `{action}`"))
            .or_else(|| {
                self.resources
                    .iter()
                    .find_map(wildcard::find)
                    .map(|text| format!("the resource `{text}`"))
            })
            .or_else(|| {
                self.principals
                    .iter()
                    .any(Principal::is_wildcard)
                    .then(|| "the principal `*`".to_owned())
            })?;
        Some(format!(
            "{wildcard} is a wildcard: name exactly what is needed, or say why it must be with `because(\"..\")`"
        ))
    }

    pub(crate) fn render(&self) -> Expr {
        let effect = match self.effect {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        };
        let mut entries = BTreeMap::from([
            ("Effect".to_owned(), Expr::from(effect)),
            (
                "Action".to_owned(),
                one_or_many(self.actions.iter().map(|action| action.as_str().into())),
            ),
        ]);
        if !self.resources.is_empty() {
            entries.insert(
                "Resource".to_owned(),
                one_or_many(self.resources.iter().cloned()),
            );
        }
        if !self.principals.is_empty() {
            entries.insert("Principal".to_owned(), principals(&self.principals));
        }
        if !self.conditions.is_empty() {
            let conditions = self.conditions.iter().map(|(operator, keys)| {
                let keys = keys
                    .iter()
                    .map(|(key, value)| (key.as_str(), value.clone()));
                (operator.as_str(), Expr::map(keys))
            });
            entries.insert("Condition".to_owned(), Expr::map(conditions));
        }
        Expr::Map(entries)
    }
}

/// Allows the given actions on one resource, each named once; nothing where there is no action.
pub(crate) fn allow_on(
    actions: impl IntoIterator<Item = &'static str>,
    resource: impl Into<Expr>,
) -> Option<Statement> {
    let mut named: Vec<&'static str> = Vec::new();
    for action in actions {
        if !named.contains(&action) {
            named.push(action);
        }
    }
    (!named.is_empty()).then(|| Statement::allow(named).on(resource))
}

fn is_action(action: &str) -> bool {
    action.split_once(':').is_some_and(|(service, name)| {
        !service.is_empty()
            && service
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '*')
    })
}

/// Renders a single element as itself and several as a list, as AWS's own policies are written.
fn one_or_many(elements: impl Iterator<Item = Expr>) -> Expr {
    let mut elements: Vec<Expr> = elements.collect();
    match elements.pop() {
        Some(only) if elements.is_empty() => only,
        Some(last) => {
            elements.push(last);
            Expr::List(elements)
        }
        None => Expr::List(elements),
    }
}

fn principals(principals: &[Principal]) -> Expr {
    if principals.contains(&Principal::Anyone) {
        return Expr::from("*");
    }
    let mut kinds: BTreeMap<&str, Vec<Expr>> = BTreeMap::new();
    for principal in principals {
        let (kind, name) = match principal {
            Principal::Service(name) => ("Service", Expr::from(name.as_str())),
            Principal::Aws(arn) => ("AWS", arn.clone().into()),
            Principal::Federated(provider) => ("Federated", provider.clone().into()),
            Principal::Anyone => continue,
        };
        kinds.entry(kind).or_default().push(name);
    }
    Expr::map(
        kinds
            .into_iter()
            .map(|(kind, names)| (kind, one_or_many(names.into_iter()))),
    )
}

/// A policy document: statements in the order they were added.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PolicyDocument {
    statements: Vec<Statement>,
}

impl PolicyDocument {
    /// Makes a document of the given statements.
    pub fn new(statements: impl IntoIterator<Item = Statement>) -> Self {
        let mut document = Self::default();
        statements
            .into_iter()
            .for_each(|statement| document.add(statement));
        document
    }

    /// Adds a statement. One that differs from an earlier one in its actions alone is merged into it, so that two
    /// bindings to one table make one statement.
    pub fn add(&mut self, statement: Statement) {
        let same = self.statements.iter_mut().find(|earlier| {
            earlier.effect == statement.effect
                && earlier.resources == statement.resources
                && earlier.principals == statement.principals
                && earlier.conditions == statement.conditions
                && earlier.reason.is_some() == statement.reason.is_some()
        });
        match same {
            Some(earlier) => {
                for action in statement.actions {
                    if !earlier.actions.contains(&action) {
                        earlier.actions.push(action);
                    }
                }
            }
            None => self.statements.push(statement),
        }
    }

    /// Returns whether the document says nothing.
    pub fn is_empty(&self) -> bool {
        self.statements.is_empty()
    }

    /// Returns the statements.
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// Returns what is wrong with the statements.
    pub(crate) fn violations(&self) -> impl Iterator<Item = String> {
        self.statements.iter().filter_map(Statement::violation)
    }

    /// Renders the document with sorted actions.
    pub fn render(&self) -> Expr {
        let statements = self.statements.iter().map(|statement| {
            let mut statement = statement.clone();
            statement.actions.sort();
            statement.render()
        });
        Expr::map([
            ("Version", Expr::from(VERSION)),
            ("Statement", Expr::list(statements)),
        ])
    }
}
