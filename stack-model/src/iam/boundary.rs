//! The permissions boundary that all roles of an app have.

use stack_model_cfn::{Expr, Value};

use super::ManagedPolicy;
use crate::arn::Arn;
use crate::error::Violation;
use crate::stack::{App, StackData};
use crate::stage::Stage;

/// The types of what can have a boundary.
pub(crate) const BOUNDED: [&str; 2] = ["AWS::IAM::Role", "AWS::IAM::User"];

const PROPERTY: &str = "PermissionsBoundary";

impl App {
    /// Gives every role and user of the app that has none of its own this permissions boundary: a managed policy that
    /// says the most that they can ever be allowed. That of the stage is the default:
    ///
    /// ```toml
    /// [stages.prod]
    /// permissions_boundary = "operators/boundary"   # or an ARN
    /// ```
    ///
    /// It holds for roles that services make, such as those of functions, for roles from
    /// [`Stack::add`](crate::Stack::add) and [`Stack::raw`](crate::Stack::raw), and for stacks that were described before
    /// and after. A deploy in [CodeBuild](crate::codebuild::DeployRights) then makes and changes only roles that have it.
    /// Leave one role out with [`Stack::remove_property`](crate::Stack::remove_property).
    ///
    /// ```
    /// use stack_model::iam::{ManagedPolicy, RoleProps};
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    ///
    /// app.permissions_boundary(ManagedPolicy::existing("boundary"));
    /// let mut stack = app.stack("orders");
    /// stack.role("Worker", RoleProps::for_service("lambda.amazonaws.com"));
    /// # let template = app.synth().unwrap();
    /// # assert!(template.template("orders").unwrap().contains("policy/boundary"));
    /// ```
    ///
    /// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/access_policies_boundaries.html>.
    pub fn permissions_boundary(&mut self, boundary: impl Into<Value<Arn<ManagedPolicy>>>) {
        self.boundary = Some(boundary.into());
    }
}

/// Reads the boundary of a stage.
pub(crate) fn of_stage(
    stage: &Stage,
    violations: &mut Vec<Violation>,
) -> Option<Value<Arn<ManagedPolicy>>> {
    let given = stage.permissions_boundary()?;
    let policy = if given.starts_with("arn:") {
        Arn::parse(given)
            .ok()
            .filter(|_| names_policy(given))
            .map(Value::Literal)
    } else {
        is_name(given).then(|| ManagedPolicy::existing(given))
    };
    if policy.is_none() {
        violations.push(Violation::new(format!(
            "`{given}` is no permissions boundary: give the name of a managed policy, with its path where it has one, or its ARN, under [stages.{}] of stackctl.toml",
            stage.name()
        )));
    }
    policy
}

/// Gives a boundary to what has none.
pub(crate) fn bound(stacks: &mut [StackData], boundary: &Value<Arn<ManagedPolicy>>) {
    let resources = stacks
        .iter_mut()
        .flat_map(|stack| stack.resources.values_mut());
    for resource in resources.filter(|it| BOUNDED.contains(&it.kind.as_str())) {
        if let Expr::Map(properties) = &mut resource.properties {
            properties
                .entry(PROPERTY.to_owned())
                .or_insert_with(|| boundary.clone().into());
        }
    }
}

/// Returns whether an ARN is that of a managed policy.
fn names_policy(arn: &str) -> bool {
    let mut parts = arn.splitn(6, ':').skip(2);
    parts.next() == Some("iam")
        && parts
            .nth(2)
            .and_then(|resource| resource.strip_prefix("policy/"))
            .is_some_and(is_name)
}

/// Returns whether a text is the name of a managed policy, with its path; see
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreatePolicy.html>.
fn is_name(text: &str) -> bool {
    let word = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+=,.@_-".contains(c))
    };
    text.split('/').all(word)
        && text
            .rsplit('/')
            .next()
            .is_some_and(|name| name.len() <= 128)
}
