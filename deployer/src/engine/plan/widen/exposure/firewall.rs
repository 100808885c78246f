//! What a firewall lets through that it held back.
//!
//! Rules are compared by their names. Of a rule that asks for something else nobody can tell whether it matches less, but
//! for a limit, a list of countries, and the exceptions of a group: it counts as less.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::super::canonical::same;
use super::super::super::compare::type_of;
use super::super::super::references::names;
use super::super::{elements, text};
use super::addresses::Range;
use super::properties;

/// Returns what a web ACL or a group of rules lets through that it did not before.
pub(super) fn rules(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for before in elements(old.get("Rules")) {
        let held = strength(before);
        let Some(name) = name(before).filter(|_| held > 0) else {
            continue;
        };
        match named(new, name) {
            Some(after) if strength(after) >= held => {
                found.extend(less(name, before, after));
            }
            _ => found.push(format!("what the rule {name} blocks is let through")),
        }
    }
    found.extend(allowing(old, new));
    found
}

/// Types of what rules take, with where its elements stand.
const SETS: &[(&str, &str)] = &[
    ("AWS::WAFv2::IPSet", "Addresses"),
    ("AWS::WAFv2::RegexPatternSet", "RegularExpressionList"),
];

/// Returns what another set of addresses or patterns lets through. What comes to a set that only blocks is blocked besides, and
/// what leaves one that only allows is held back; where nobody knows what its rules do, both may be let through. `resources`
/// are those of its template.
///
/// See <https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statement-type-ipset-match.html>.
pub(in super::super::super) fn sets(
    id: &str,
    old: &Value,
    new: &Value,
    resources: &BTreeMap<String, Value>,
) -> Vec<String> {
    let kind = type_of(new);
    let Some((_, property)) = SETS.iter().find(|(of, _)| *of == kind) else {
        return Vec::new();
    };
    let list = |side: &'_ Value| -> Vec<Value> {
        let all = elements(properties(side).get(*property)).into_iter();
        all.cloned().collect()
    };
    let (before, after) = (list(old), list(new));
    let missing = |these: &[Value], others: &[Value]| {
        let missing = these
            .iter()
            .filter(|one| !others.iter().any(|other| holds(other, one)));
        missing.map(text).collect::<Vec<_>>().join(", ")
    };
    let (gone, come) = (missing(&before, &after), missing(&after, &before));
    let (blocks, allows) = uses(id, resources);
    let mut found = Vec::new();
    if blocks && !gone.is_empty() {
        found.push(format!(
            "what is no longer in it may be let through: {gone}"
        ));
    }
    if allows && !come.is_empty() {
        found.push(format!("what comes to it may be let through: {come}"));
    }
    found
}

/// Returns whether an element of a set is or holds another one.
fn holds(wide: &Value, narrow: &Value) -> bool {
    let range = |one: &Value| one.as_str().and_then(Range::of);
    match (range(wide), range(narrow)) {
        (Some(wide), Some(narrow)) => wide.covers(narrow),
        _ => same(wide, narrow),
    }
}

/// Returns whether rules may block, and whether they may allow, what is in a set.
fn uses(id: &str, resources: &BTreeMap<String, Value>) -> (bool, bool) {
    let (mut blocks, mut allows, mut is_used) = (false, false, false);
    let rules = resources
        .values()
        .flat_map(|resource| elements(properties(resource).get("Rules")));
    for rule in rules {
        let Some(statement) = statement(rule) else {
            continue;
        };
        let mut taken = Vec::new();
        takes(statement, id, true, &mut taken);
        for is_plain in taken {
            is_used = true;
            let allowing = rule.pointer("/Action/Allow").is_some();
            let known = is_plain && (allowing || strength(rule) > 0);
            blocks |= !known || !allowing;
            allows |= !known || allowing;
        }
    }
    // Rules of other stacks may do anything.
    (blocks || !is_used, allows || !is_used)
}

/// Lists where a statement takes a set, each with whether more in the set is more that the rule is about.
fn takes(statement: &Value, id: &str, is_plain: bool, found: &mut Vec<bool>) {
    match statement {
        Value::Array(elements) => {
            for element in elements {
                takes(element, id, is_plain, found);
            }
        }
        Value::Object(entries) => {
            for (key, entry) in entries {
                match key.as_str() {
                    "IPSetReferenceStatement" | "RegexPatternSetReferenceStatement" => {
                        found.extend(names(entry).contains(id).then_some(is_plain));
                    }
                    "AndStatement" | "OrStatement" | "Statements" => {
                        takes(entry, id, is_plain, found);
                    }
                    _ => takes(entry, id, false, found),
                }
            }
        }
        _ => {}
    }
}

fn name(rule: &Value) -> Option<&str> {
    rule.get("Name").and_then(Value::as_str)
}

/// Returns what a rule asks for. A canonical list of statements is that of a policy, and here one of one.
fn statement(rule: &Value) -> Option<&Value> {
    elements(rule.get("Statement")).into_iter().next()
}

fn named<'a>(acl: &'a Value, wanted: &str) -> Option<&'a Value> {
    let rules = elements(acl.get("Rules")).into_iter();
    rules.into_iter().find(|rule| name(rule) == Some(wanted))
}

/// Returns how much a rule holds back: nothing, who does not pass a test, or everybody.
fn strength(rule: &Value) -> u8 {
    let action = |name: &str| rule.pointer(&format!("/Action/{name}")).is_some();
    if action("Block") || rule.pointer("/OverrideAction/None").is_some() {
        2
    } else {
        u8::from(action("Captcha") || action("Challenge"))
    }
}

/// Says what a rule that still blocks blocks no more.
fn less(name: &str, before: &Value, after: &Value) -> Vec<String> {
    let (Some(old), Some(new)) = (statement(before), statement(after)) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    let (mut old, mut new) = (old.clone(), new.clone());
    let limit = "/RateBasedStatement/Limit";
    let number = |side: &Value| match side.pointer(limit)? {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    };
    if let (Some(was), Some(is)) = (number(&old), number(&new)) {
        if is > was {
            found.push(format!(
                "the rule {name} blocks from {is} requests on, so far {was}"
            ));
        }
        level(&mut old, &mut new, limit);
    }
    let countries = "/GeoMatchStatement/CountryCodes";
    if let (Some(Value::Array(was)), Some(Value::Array(is))) = (
        old.pointer(countries).cloned(),
        new.pointer(countries).cloned(),
    ) {
        let gone: Vec<String> = was
            .iter()
            .filter(|one| !is.contains(one))
            .map(text)
            .collect();
        if !gone.is_empty() {
            found.push(format!(
                "the rule {name} lets requests from {} through",
                gone.join(", ")
            ));
        }
        level(&mut old, &mut new, countries);
    }
    for (key, blocks) in [
        ("RuleActionOverrides", "ActionToUse/Block"),
        ("ExcludedRules", "-"),
    ] {
        for group in ["ManagedRuleGroupStatement", "RuleGroupReferenceStatement"] {
            let place = format!("/{group}/{key}");
            let of = |side: &Value| -> Vec<Value> {
                let list = elements(side.pointer(&place)).into_iter();
                list.cloned().collect()
            };
            let (was, is) = (of(&old), of(&new));
            for exception in is.iter().filter(|one| !was.contains(one)) {
                if exception.pointer(&format!("/{blocks}")).is_none() {
                    let inner = exception.get("Name").map_or_else(|| text(exception), text);
                    found.push(format!(
                        "what {inner} of the rule {name} blocks is let through"
                    ));
                }
            }
            // An exception that blocks more than the group does goes.
            let gone = was.iter().filter(|one| {
                let still = is.iter().any(|it| it.get("Name") == one.get("Name"));
                !still && one.pointer(&format!("/{blocks}")).is_some()
            });
            for exception in gone {
                let inner = exception.get("Name").map_or_else(|| text(exception), text);
                found.push(format!(
                    "what {inner} of the rule {name} blocks may be let through"
                ));
            }
            for side in [&mut old, &mut new] {
                if let Some(Value::Object(entries)) = side.get_mut(group) {
                    entries.remove(key);
                }
            }
        }
    }
    if !same(&old, &new) {
        found.push(format!(
            "what the rule {name} blocks may be let through, as it asks for something else"
        ));
    }
    found
}

/// Makes what stands at a place the same in both.
fn level(old: &mut Value, new: &mut Value, place: &str) {
    if let (Some(old), Some(new)) = (old.pointer_mut(place), new.pointer_mut(place)) {
        *old = new.clone();
    }
}

/// Returns the rules that let through what a later rule, or the default, would have held back.
fn allowing(old: &Value, new: &Value) -> Vec<String> {
    let allows = |rule: &&Value| rule.pointer("/Action/Allow").is_some();
    let rank = |rule: &Value| match rule.get("Priority") {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    // Where nobody knows, it stands in front.
    let ahead = |one: &Value, other: &Value| match (rank(one), rank(other)) {
        (Some(one), Some(other)) => one < other,
        _ => true,
    };
    // What a group lets through passes the whole web ACL, whatever follows it.
    let is_group = new.get("DefaultAction").is_none();
    let blocked = is_group || new.pointer("/DefaultAction/Block").is_some();
    let rules = elements(new.get("Rules"));
    let blocking = || {
        let blocking = rules.iter().copied().filter(|rule| strength(rule) > 0);
        blocking.filter(|rule| {
            name(rule)
                .and_then(|name| named(old, name))
                .is_some_and(|it| strength(it) > 0)
        })
    };
    let mut found = Vec::new();
    for rule in rules.iter().copied().filter(allows) {
        let Some(own) = name(rule) else { continue };
        let before = named(old, own).filter(allows).filter(|before| {
            let statements = statement(before).zip(statement(rule));
            statements.is_none_or(|(old, new)| same(old, new))
        });
        let wider = match before {
            None => blocked || blocking().any(|other| ahead(rule, other)),
            Some(before) => blocking().any(|other| {
                let then = name(other).and_then(|name| named(old, name));
                ahead(rule, other) && then.is_some_and(|then| !ahead(before, then))
            }),
        };
        if wider {
            found.push(format!(
                "what the rule {own} allows passes the rules behind it"
            ));
        }
    }
    found
}
