//! What a distribution lets in that it kept out.

use std::collections::BTreeSet;

use serde_json::Value;

use super::super::super::canonical::same;
use super::super::{covers, elements, text};

/// Returns what of a distribution more of the world can reach than before.
pub(super) fn unguarded(old: &Value, new: &Value) -> Vec<String> {
    let null = Value::Null;
    let part = |side: &'_ Value| side.get("DistributionConfig").cloned();
    let (old, new) = (part(old).unwrap_or_default(), part(new).unwrap_or_default());
    let mut found = Vec::new();
    let acl = |side: &'_ Value| side.get("WebACLId").filter(|acl| !is_empty(acl)).cloned();
    match (acl(&old), acl(&new)) {
        (Some(_), None) => {
            found.push("requests are no longer filtered by the web ACL".to_owned());
        }
        (Some(before), Some(after)) if !same(&before, &after) => found.push(format!(
            "requests are filtered by {} in place of {}",
            text(&after),
            text(&before)
        )),
        _ => {}
    }
    let countries = "/Restrictions/GeoRestriction";
    found.extend(answered(
        old.pointer(countries).unwrap_or(&null),
        new.pointer(countries).unwrap_or(&null),
    ));
    found.extend(unsigned(&old, &new));
    found
}

fn is_empty(value: &Value) -> bool {
    value.as_str().is_some_and(str::is_empty)
}

/// Says which countries are answered that were not.
fn answered(old: &Value, new: &Value) -> Option<String> {
    let kind = |side: &'_ Value| {
        let kind = side.get("RestrictionType").and_then(Value::as_str);
        kind.unwrap_or("none").to_ascii_lowercase()
    };
    let places = |side: &'_ Value| -> Vec<Value> {
        let places = elements(side.get("Locations")).into_iter();
        places.cloned().collect()
    };
    let (before, after) = (places(old), places(new));
    let listed = |these: &[Value]| these.iter().map(text).collect::<Vec<_>>().join(", ");
    let missing = |these: &[Value], others: &[Value]| -> Vec<Value> {
        let missing = these.iter().filter(|place| !others.contains(place));
        missing.cloned().collect()
    };
    let more = match (kind(old).as_str(), kind(new).as_str()) {
        ("whitelist", "whitelist") => missing(&after, &before),
        ("blacklist", "blacklist") => missing(&before, &after),
        ("blacklist", "whitelist") => {
            let both = after.iter().filter(|place| before.contains(place));
            both.cloned().collect()
        }
        ("blacklist", _) => before,
        ("whitelist", _) => {
            return Some(format!(
                "requests are answered from other countries than {} too",
                listed(&before)
            ));
        }
        _ => return None,
    };
    (!more.is_empty()).then(|| format!("requests from {} are answered", listed(&more)))
}

/// Returns the requests that are answered without encryption and were not; for a new distribution, `old` is `None`.
pub(super) fn plain(old: Option<&Value>, new: &Value) -> Vec<String> {
    let configuration = |side: &'_ Value| side.get("DistributionConfig").cloned();
    let old = old.and_then(configuration).unwrap_or_default();
    let new = configuration(new).unwrap_or_default();
    let (before, after) = (behaviors(&old), behaviors(&new));
    let answers = |behavior: Option<&Value>| {
        let policy = behavior.and_then(|it| it.get("ViewerProtocolPolicy"));
        policy.and_then(Value::as_str) == Some("allow-all")
    };
    paths(&before, &after)
        .into_iter()
        .filter(|path| answers(serving(&after, path)) && !answers(serving(&before, path)))
        .map(|path| match path {
            ANY => "requests over plain HTTP are answered".to_owned(),
            path => format!("requests for {path} over plain HTTP are answered"),
        })
        .collect()
}

/// Returns for which requests nobody has to sign any more, or others may.
fn unsigned(old: &Value, new: &Value) -> Vec<String> {
    let (before, after) = (behaviors(old), behaviors(new));
    let signers = |behavior: &'_ Value| -> Vec<Value> {
        let groups = elements(behavior.get("TrustedKeyGroups")).into_iter();
        let accounts = elements(behavior.get("TrustedSigners"));
        groups.chain(accounts).cloned().collect()
    };
    let of_path = |all: &[Behavior<'_>], path: &str| {
        let behavior = serving(all, path);
        behavior.map(signers).unwrap_or_default()
    };
    let mut found = Vec::new();
    for path in paths(&before, &after) {
        let (had, has) = (of_path(&before, path), of_path(&after, path));
        if had.is_empty() {
            continue;
        }
        if has.is_empty() {
            found.push(format!("requests for {path} need no signature any more"));
            continue;
        }
        let more: Vec<String> = has
            .iter()
            .filter(|one| !had.contains(one))
            .map(text)
            .collect();
        if !more.is_empty() {
            found.push(format!(
                "signatures by {} are taken for {path}",
                more.join(", ")
            ));
        }
    }
    found
}

/// The path of the default behavior.
const ANY: &str = "*";

/// A path, as a pattern, and what serves it.
type Behavior<'a> = (String, &'a Value);

/// Returns the behaviors of a distribution in the order in which they are asked, the default at the end.
///
/// See <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/DownloadDistValuesCacheBehavior.html>.
fn behaviors(distribution: &Value) -> Vec<Behavior<'_>> {
    let default = distribution.get("DefaultCacheBehavior");
    let default = default.map(|behavior| (ANY.to_owned(), behavior));
    let others = elements(distribution.get("CacheBehaviors")).into_iter();
    let others = others.filter_map(|behavior| {
        let path = behavior.get("PathPattern")?;
        Some((text(path), behavior))
    });
    others.chain(default).collect()
}

/// Returns the paths that behaviors of either side name.
fn paths<'a>(before: &'a [Behavior<'_>], after: &'a [Behavior<'_>]) -> BTreeSet<&'a str> {
    let both = before.iter().chain(after);
    both.map(|(path, _)| path.as_str()).collect()
}

/// Returns what serves a path: of several patterns the first one.
fn serving<'a>(all: &[Behavior<'a>], path: &str) -> Option<&'a Value> {
    // Patterns may begin with a slash or not.
    let bare = |path: &str| path.strip_prefix('/').unwrap_or(path).to_owned();
    let mut serving = all
        .iter()
        .filter(|(pattern, _)| covers(bare(pattern).as_bytes(), bare(path).as_bytes()));
    serving.next().map(|(_, behavior)| *behavior)
}
