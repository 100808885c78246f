//! Which events of a repository start a build.

use stack_model_cfn::Value;
use stack_model_cfn::codebuild::project as cfn;

use super::{BuildSource, Wrong, wrong};

/// One condition of an event; a build starts where all conditions of a group hold.
///
/// See <https://docs.aws.amazon.com/codebuild/latest/userguide/github-webhook.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum WebhookFilter {
    /// The event is one of these.
    Events(Vec<WebhookEvent>),
    /// The branch or tag that is pushed matches a regular expression, such as `^refs/heads/main$`.
    HeadRef(String),
    /// The branch that is pulled into matches a regular expression.
    BaseRef(String),
    /// A changed file matches a regular expression.
    FilePath(String),
    /// The message of the commit matches a regular expression.
    CommitMessage(String),
    /// The id of the account of GitHub that did it matches a regular expression.
    Actor(String),
    /// Another condition does not hold.
    Not(Box<WebhookFilter>),
}

impl WebhookFilter {
    /// Holds where something is pushed to a branch.
    pub fn push_to(branch: &str) -> Vec<Self> {
        vec![
            Self::Events(vec![WebhookEvent::Push]),
            Self::HeadRef(format!("^refs/heads/{}$", escaped(branch))),
        ]
    }

    fn render(&self) -> cfn::WebhookFilter {
        let (kind, pattern) = match self {
            Self::Events(events) => {
                let names: Vec<&str> = events.iter().map(|event| event.name()).collect();
                ("EVENT", names.join(","))
            }
            Self::HeadRef(pattern) => ("HEAD_REF", pattern.clone()),
            Self::BaseRef(pattern) => ("BASE_REF", pattern.clone()),
            Self::FilePath(pattern) => ("FILE_PATH", pattern.clone()),
            Self::CommitMessage(pattern) => ("COMMIT_MESSAGE", pattern.clone()),
            Self::Actor(pattern) => ("ACTOR_ACCOUNT_ID", pattern.clone()),
            Self::Not(filter) => {
                let mut filter = filter.render();
                filter.exclude_matched_pattern = true.into();
                return filter;
            }
        };
        cfn::WebhookFilter {
            pattern: pattern.into(),
            type_: kind.into(),
            ..cfn::WebhookFilter::default()
        }
    }
}

/// Something that happens in a repository.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum WebhookEvent {
    /// Commits or tags are pushed.
    Push,
    /// A pull request is opened.
    PullRequestCreated,
    /// Commits are added to a pull request.
    PullRequestUpdated,
    /// A closed pull request is opened again.
    PullRequestReopened,
    /// A pull request is merged.
    PullRequestMerged,
    /// A pull request is closed without being merged.
    PullRequestClosed,
    /// A release is published.
    Released,
}

impl WebhookEvent {
    const fn name(self) -> &'static str {
        match self {
            Self::Push => "PUSH",
            Self::PullRequestCreated => "PULL_REQUEST_CREATED",
            Self::PullRequestUpdated => "PULL_REQUEST_UPDATED",
            Self::PullRequestReopened => "PULL_REQUEST_REOPENED",
            Self::PullRequestMerged => "PULL_REQUEST_MERGED",
            Self::PullRequestClosed => "PULL_REQUEST_CLOSED",
            Self::Released => "RELEASED",
        }
    }
}

pub(super) fn render(groups: &[Vec<WebhookFilter>]) -> Option<cfn::ProjectTriggers> {
    let group = |filters: &Vec<WebhookFilter>| {
        let filters = filters.iter().map(WebhookFilter::render);
        Value::Literal(filters.map(Value::Literal).collect())
    };
    (!groups.is_empty()).then(|| cfn::ProjectTriggers {
        filter_groups: groups.iter().map(group).collect::<Vec<_>>().into(),
        webhook: true.into(),
        ..cfn::ProjectTriggers::default()
    })
}

pub(super) fn violations(groups: &[Vec<WebhookFilter>], source: &BuildSource) -> Vec<Wrong> {
    let mut found = Vec::new();
    if !groups.is_empty() && !matches!(source, BuildSource::GitHub(_)) {
        let message =
            "only a repository has events: take the source from GitHub, or leave the webhook out";
        found.push(wrong("Triggers", message));
    }
    for (position, group) in groups.iter().enumerate() {
        let events = |filter: &WebhookFilter| matches!(filter, WebhookFilter::Events(events) if !events.is_empty());
        if group.iter().filter(|filter| events(filter)).count() != 1 {
            let message = "a group needs one `WebhookFilter::Events(..)` that names an event";
            found.push(wrong(format!("Triggers.FilterGroups.{position}"), message));
        }
        if builds_every_push(group) {
            let message = "a push to any branch or tag would be built with the rights of the project: say which with `WebhookFilter::push_to(\"main\")`, or that all are meant with `WebhookFilter::HeadRef(\"^refs/heads/\")`";
            found.push(wrong(format!("Triggers.FilterGroups.{position}"), message));
        }
        if runs_code_of_strangers(group) {
            let message = "anybody may open a pull request, and the build would run their code with the rights of the project: say whose are built with `WebhookFilter::Actor(..)`";
            found.push(wrong(format!("Triggers.FilterGroups.{position}"), message));
        }
    }
    found
}

/// Returns whether a build starts for every push, whatever it is to: whoever may push a branch may then do what the
/// project may.
fn builds_every_push(group: &[WebhookFilter]) -> bool {
    let of_pushes = group.iter().any(|filter| match filter {
        WebhookFilter::Events(events) => events.contains(&WebhookEvent::Push),
        _ => false,
    });
    let of_some = group
        .iter()
        .any(|filter| matches!(filter, WebhookFilter::HeadRef(_)));
    of_pushes && !of_some
}

/// Returns whether a build starts for commits of a pull request, whoever opened it.
///
/// See "Filter by GitHub account" on
/// <https://docs.aws.amazon.com/codebuild/latest/userguide/github-webhook.html>.
fn runs_code_of_strangers(group: &[WebhookFilter]) -> bool {
    let of_requests = group.iter().any(|filter| match filter {
        WebhookFilter::Events(events) => events.iter().any(|event| {
            matches!(
                event,
                WebhookEvent::PullRequestCreated
                    | WebhookEvent::PullRequestUpdated
                    | WebhookEvent::PullRequestReopened
            )
        }),
        _ => false,
    });
    let of_known = group
        .iter()
        .any(|filter| matches!(filter, WebhookFilter::Actor(_)));
    of_requests && !of_known
}

/// Takes the meaning from what regular expressions read as more than themselves.
fn escaped(text: &str) -> String {
    let mut result = String::new();
    for character in text.chars() {
        if !character.is_alphanumeric() && !"/-_".contains(character) {
            result.push('\\');
        }
        result.push(character);
    }
    result
}
