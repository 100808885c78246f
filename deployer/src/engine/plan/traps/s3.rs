//! Traps of buckets.

mod replication;

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::Grade;
use super::super::canonical::same;
use super::super::widen::{elements, is_unknown, text};
use super::{Finding, Seen, Trap, is, number};

pub(super) const TRAPS: &[Trap] = &[
    Trap {
        types: &["AWS::S3::Bucket"],
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-expire-general-considerations.html",
        find: lifecycle,
    },
    Trap {
        types: &["AWS::S3::Bucket"],
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html",
        find: lock,
    },
    Trap {
        types: &["AWS::S3::Bucket"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-replicationrule.html",
        find: replication::find,
    },
];

/// The page about classes of which objects have to be restored before they are read.
const TRANSITIONS: &str = "https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html";

/// What a rule does, and with which objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Effect {
    Expire(Which),
    Freeze(Which),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Which {
    Objects,
    Versions,
}

impl Which {
    const fn words(self) -> &'static str {
        match self {
            Self::Objects => "objects",
            Self::Versions => "earlier versions of objects",
        }
    }
}

/// When a rule does what it does.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Due {
    Days(u64),
    /// On a day, as ISO 8601 writes it.
    Date(String),
    /// Nobody knows: what decides it.
    Unknown(String),
}

/// One thing that a rule does.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Step {
    due: Due,
    /// How many of the newest versions it leaves alone: a number, or what decides that.
    spared: Result<u64, String>,
    /// What decides whether the rule is on, where nobody knows.
    perhaps: Option<String>,
}

impl Step {
    /// Returns whether it takes all that another does, and no later.
    fn covers(&self, other: &Self) -> bool {
        let no_later = match (&self.due, &other.due) {
            (Due::Days(own), Due::Days(other)) => own <= other,
            (Due::Date(own), Due::Date(other)) => own <= other,
            (own, other) => own == other,
        };
        let spares_no_more = match (&self.spared, &other.spared) {
            (Ok(own), Ok(other)) => own <= other,
            (Ok(0), Err(_)) => true,
            (own, other) => own == other,
        };
        no_later && spares_no_more && (self.perhaps.is_none() || self.perhaps == other.perhaps)
    }

    fn when(&self) -> String {
        let when = match &self.due {
            Due::Days(days) => format!("after {days} days"),
            Due::Date(date) => format!("from {date} on"),
            Due::Unknown(what) => format!("after a time that nobody knows ({what})"),
        };
        match &self.spared {
            Ok(0) => when,
            Ok(newest) => format!("{when}, but for the newest {newest}"),
            Err(what) => format!("{when}, but for the newest {what}, which nobody knows"),
        }
    }

    /// Says what it was so far, beside what it becomes.
    fn so_far(&self, becomes: &Self) -> String {
        match (&self.due, &becomes.due, &self.spared) {
            (Due::Days(days), Due::Days(_), Ok(0)) if becomes.spared == Ok(0) => {
                format!(", so far {days}")
            }
            _ => format!(", so far {}", self.when()),
        }
    }
}

type Steps = BTreeMap<(Effect, String), Vec<Step>>;

/// Rules that delete objects, or delete more of them or earlier, and those that make them unreadable for a while.
fn lifecycle(seen: &Seen<'_>) -> Vec<Finding> {
    if !seen.stays() {
        return Vec::new();
    }
    let before = steps(seen.before("/LifecycleConfiguration/Rules"));
    let after = steps(seen.after("/LifecycleConfiguration/Rules"));
    // What expires in a bucket with versions is hidden, and its versions stay.
    let versions = is(seen.before("/VersioningConfiguration/Status"), "Enabled")
        && is(seen.after("/VersioningConfiguration/Status"), "Enabled");
    let mut found = Vec::new();
    for ((effect, filter), steps) in &after {
        let of_filter = |filter: &str| before.get(&(*effect, filter.to_owned()));
        // What a rule for all objects did, one for some does not begin.
        let known: Vec<&Step> = [of_filter(filter), of_filter("")]
            .into_iter()
            .flatten()
            .flatten()
            .collect();
        let Some(step) = steps
            .iter()
            .find(|step| !known.iter().any(|known| known.covers(step)))
        else {
            continue;
        };
        let of = if filter.is_empty() {
            String::new()
        } else {
            format!(" ({filter})")
        };
        let since = known
            .first()
            .map_or(String::new(), |known| known.so_far(step));
        let perhaps = step.perhaps.as_ref().map_or(String::new(), |what| {
            format!(", if {what} is so, which nobody knows")
        });
        let when = format!("{}{since}{perhaps}", step.when());
        found.push(match effect {
            Effect::Expire(Which::Objects) if versions => Finding::new(
                Grade::Interruption,
                format!("objects{of} are hidden {when}; their versions stay"),
            ),
            Effect::Expire(which) => Finding::new(
                Grade::DataLoss,
                format!("{}{of} are deleted {when}", which.words()),
            ),
            Effect::Freeze(which) => Finding::new(
                Grade::Interruption,
                format!(
                    "{}{of} are archived {when}: they cannot be read until they are restored",
                    which.words()
                ),
            )
            .citing(TRANSITIONS),
        });
    }
    found
}

/// Returns what rules do, the most dangerous first.
fn steps(rules: Option<&Value>) -> Steps {
    let mut found = Steps::new();
    for rule in rules.and_then(Value::as_array).into_iter().flatten() {
        let status = rule.get("Status");
        let perhaps = status.filter(|status| is_unknown(status)).map(text);
        if perhaps.is_none() && !is(status, "Enabled") {
            continue;
        }
        let filter = [
            "Prefix",
            "TagFilters",
            "ObjectSizeGreaterThan",
            "ObjectSizeLessThan",
        ]
        .into_iter()
        .filter_map(|key| Some((key, rule.get(key)?)))
        // An empty prefix is that of all objects.
        .filter(|(_, value)| value.as_str() != Some(""))
        .map(|(key, value)| format!("{key} {}", text(value)))
        .collect::<Vec<_>>()
        .join(", ");
        let mut add = |effect: Effect, due: Option<Due>, spared: Option<&Value>| {
            let Some(due) = due else { return };
            let spared = match spared {
                None => Ok(0),
                Some(value) => whole(value).ok_or_else(|| text(value)),
            };
            let perhaps = perhaps.clone();
            let of_filter = found.entry((effect, filter.clone())).or_default();
            of_filter.push(Step {
                due,
                spared,
                perhaps,
            });
        };
        let (expire, freeze) = (Effect::Expire, Effect::Freeze);
        let (objects, versions) = (Which::Objects, Which::Versions);
        add(expire(objects), due(rule.get("ExpirationInDays")), None);
        add(expire(objects), date(rule.get("ExpirationDate")), None);
        let noncurrent = rule.get("NoncurrentVersionExpirationInDays");
        add(expire(versions), due(noncurrent), None);
        if let Some(noncurrent) = rule.get("NoncurrentVersionExpiration") {
            let spared = noncurrent.get("NewerNoncurrentVersions");
            let days = noncurrent.get("NoncurrentDays");
            add(expire(versions), due(days), spared);
        }
        for (which, several, one) in [
            (objects, "Transitions", "Transition"),
            (
                versions,
                "NoncurrentVersionTransitions",
                "NoncurrentVersionTransition",
            ),
        ] {
            let several = elements(rule.get(several)).into_iter();
            for transition in several.chain(rule.get(one)).filter(|it| freezes(it)) {
                let spared = transition.get("NewerNoncurrentVersions");
                let days = due(transition.get("TransitionInDays"));
                let date = date(transition.get("TransitionDate"));
                add(freeze(which), days.or(date), spared);
            }
        }
    }
    for steps in found.values_mut() {
        steps.sort_by_key(|step| match step.due {
            Due::Days(days) => (1, days),
            Due::Date(_) => (2, 0),
            Due::Unknown(_) => (0, 0),
        });
    }
    found
}

/// Returns whether objects of the class of a transition cannot be read at once. CloudFormation takes `Glacier` for `GLACIER`.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-s3-bucket-transition.html>.
fn freezes(transition: &Value) -> bool {
    let Some(class) = transition.get("StorageClass") else {
        return false;
    };
    let frozen = ["GLACIER", "DEEP_ARCHIVE"];
    let is_frozen = |class: &str| frozen.iter().any(|name| class.eq_ignore_ascii_case(name));
    class.as_str().is_some_and(is_frozen) || is_unknown(class)
}

fn due(days: Option<&Value>) -> Option<Due> {
    let days = days?;
    Some(whole(days).map_or_else(|| Due::Unknown(text(days)), Due::Days))
}

fn date(date: Option<&Value>) -> Option<Due> {
    let date = date?;
    Some(match date.as_str().filter(|_| !is_unknown(date)) {
        Some(date) => Due::Date(date.to_owned()),
        None => Due::Unknown(text(date)),
    })
}

fn whole(value: &Value) -> Option<u64> {
    let number = number(Some(value))?;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "S3 counts whole days and versions, and a float is cut at the ends of the range"
    )]
    let number = number as u64;
    Some(number)
}

/// A lock of new objects that ends earlier, or that some may lift.
fn lock(seen: &Seen<'_>) -> Vec<Finding> {
    const RULE: &str = "/ObjectLockConfiguration/Rule/DefaultRetention";
    let (Some(before), Some(after)) = (seen.before(RULE), seen.after(RULE)) else {
        return Vec::new();
    };
    if !seen.stays() || same(before, after) {
        return Vec::new();
    }
    let mut found = Vec::new();
    let mut say = |reason: String| found.push(Finding::new(Grade::PermissionWidened, reason));
    if is(before.get("Mode"), "COMPLIANCE") && !is(after.get("Mode"), "COMPLIANCE") {
        say("new objects are no longer locked for everybody: who may bypass the governance deletes them".to_owned());
    }
    let time = |retention: &Value| {
        let days = retention.get("Days").map(|days| number(Some(days)));
        let years = retention.get("Years").map(|years| number(Some(years)));
        match (days, years) {
            (Some(days), _) => days,
            (None, Some(years)) => years.map(|years| years * 365.0),
            (None, None) => None,
        }
    };
    match (time(before), time(after)) {
        (Some(before), Some(after)) if after < before => {
            say(format!(
                "new objects are locked for {after} days by default, so far {before}"
            ));
        }
        (Some(_), None) => {
            let known = |key: &str| after.get(key).is_some_and(is_unknown);
            if known("Days") || known("Years") {
                say(
                    "new objects may be locked for less time, as nobody knows for how long"
                        .to_owned(),
                );
            }
        }
        _ => {}
    }
    found
}
