//! Rules of replication that copy less than they did.
//!
//! What counts is where the new objects of which filter go: how a copy is stored or measured is nothing that is missed. See
//! <https://docs.aws.amazon.com/AmazonS3/latest/userguide/replication-add-config.html>.

use serde_json::Value;

use super::super::super::Grade;
use super::super::super::canonical::alike;
use super::super::super::widen::{elements, is_unknown, text};
use super::super::{Finding, Seen, is};

/// Finds rules that copy nothing any more, elsewhere, or fewer objects: off, changed, or gone from among others. A bucket
/// without any is told of besides.
pub(super) fn find(seen: &Seen<'_>) -> Vec<Finding> {
    const RULES: &str = "/ReplicationConfiguration/Rules";
    let Some(rules) = seen.after(RULES).filter(|_| seen.stays()) else {
        return Vec::new();
    };
    let after: Vec<&Value> = elements(Some(rules))
        .into_iter()
        .filter(|rule| copies(rule))
        .collect();
    let before = elements(seen.before(RULES)).into_iter();
    before
        .filter(|rule| copies(rule))
        .filter_map(|rule| lost(rule, &after))
        .map(|reason| Finding::new(Grade::PermissionWidened, reason))
        .collect()
}

/// Says what a rule copied that none of others does.
fn lost(rule: &Value, after: &[&Value]) -> Option<String> {
    let (to, scope) = (bucket(rule), Scope::of(rule));
    let keeps = |now: &&Value| {
        let status = now.get("Status");
        alike(bucket(now), to)
            && Scope::of(now).covers(&scope)
            && (is(status, "Enabled") || alike(status, rule.get("Status")))
    };
    if after.iter().any(keeps) {
        return None;
    }
    let which = match rule.get("Id") {
        Some(id) => format!("the rule {}", text(id)),
        None => "a rule".to_owned(),
    };
    let place = to.map_or_else(|| "elsewhere".to_owned(), |to| format!("to {}", text(to)));
    let mut perhaps = after.iter().filter_map(|now| perhaps(now, to, &scope));
    if let Some(unknown) = perhaps.next().or_else(|| unknown_status(rule)) {
        return Some(format!(
            "{which} may no longer copy new objects {place}, as nobody knows what {} is",
            text(unknown)
        ));
    }
    let is_less = |now: &&Value| {
        let id = rule.get("Id");
        let is_one = id.is_some() && alike(id, now.get("Id"));
        alike(bucket(now), to) && (is_one || scope.covers(&Scope::of(now)))
    };
    let verb = if after.iter().any(is_less) {
        "copies fewer"
    } else {
        "no longer copies"
    };
    Some(format!("{which} {verb} new objects {place}"))
}

/// Returns what nobody knows of a rule that copies all that another one did, if that is so.
fn perhaps<'a>(now: &'a Value, to: Option<&Value>, scope: &Scope<'_>) -> Option<&'a Value> {
    let place = bucket(now);
    let own = Scope::of(now);
    // An attribute is that of another resource.
    let is_hidden = |place: &&Value| is_unknown(place) && place.get("Fn::GetAtt").is_none();
    let place = if alike(place, to) {
        None
    } else {
        Some(place.filter(is_hidden)?)
    };
    let filter = if own.covers(scope) {
        None
    } else {
        Some(own.unknown()?)
    };
    unknown_status(now).or(place).or(filter)
}

/// Returns the status of a rule of which nobody knows whether it copies.
fn unknown_status(rule: &Value) -> Option<&Value> {
    rule.get("Status").filter(|status| is_unknown(status))
}

/// Returns whether a rule copies, or may.
fn copies(rule: &Value) -> bool {
    is(rule.get("Status"), "Enabled") || unknown_status(rule).is_some()
}

/// Returns where a rule copies to.
fn bucket(rule: &Value) -> Option<&Value> {
    rule.get("Destination")?.get("Bucket")
}

/// Which objects a rule copies: those of a prefix that have all of some tags.
struct Scope<'a> {
    prefix: Option<&'a Value>,
    tags: Vec<&'a Value>,
    /// A filter that cannot be read here.
    made: Option<&'a Value>,
}

impl<'a> Scope<'a> {
    /// Reads the filter of a rule, or the prefix that takes its place.
    fn of(rule: &'a Value) -> Self {
        let filter = rule.get("Filter");
        let of = |pointer: &str| filter.and_then(|filter| filter.pointer(pointer));
        let prefix = rule.get("Prefix").or_else(|| of("/Prefix"));
        let mut tags: Vec<&Value> = of("/TagFilter").into_iter().collect();
        tags.extend(elements(of("/And/TagFilters")));
        Self {
            prefix: prefix.or_else(|| of("/And/Prefix")),
            tags,
            made: filter.filter(|it| is_unknown(it) || of("/And").is_some_and(is_unknown)),
        }
    }

    /// Returns whether all objects of another one are some of this one.
    fn covers(&self, other: &Self) -> bool {
        let prefix = match (self.prefix, other.prefix) {
            _ if self.is_whole() => true,
            (Some(Value::String(wide)), Some(Value::String(narrow))) => {
                wide == narrow || (!wide.contains("{{") && narrow.starts_with(wide.as_str()))
            }
            (wide, narrow) => alike(wide, narrow),
        };
        let mut tags = self.tags.iter();
        let tags = tags.all(|tag| {
            let mut others = other.tags.iter();
            others.any(|other| alike(Some(tag), Some(other)))
        });
        prefix && tags && alike(self.made, other.made)
    }

    /// Returns what of it nobody knows.
    fn unknown(&self) -> Option<&'a Value> {
        let prefix = self.prefix.filter(|prefix| is_unknown(prefix));
        self.made.or(prefix)
    }

    /// Returns whether it takes every prefix.
    fn is_whole(&self) -> bool {
        self.prefix.is_none_or(|prefix| is(Some(prefix), ""))
    }
}
