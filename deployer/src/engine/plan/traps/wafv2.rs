//! Traps of web ACLs: what their logs show.

use serde_json::Value;

use super::super::Grade;
use super::super::canonical::alike;
use super::super::widen::{elements, is_unknown, text};
use super::{Finding, Seen, Trap, is};

pub(super) const TRAPS: &[Trap] = &[Trap {
    types: &["AWS::WAFv2::WebACL"],
    source: "https://docs.aws.amazon.com/waf/latest/APIReference/API_DataProtection.html",
    find: shown,
}];

/// Finds what was replaced or hashed before it is shown, and is shown then, or only hashed: who knows what may be in it can
/// tell what was.
fn shown(seen: &Seen<'_>) -> Vec<Finding> {
    const PROTECTIONS: &str = "/DataProtectionConfig/DataProtections";
    if !seen.stays() {
        return Vec::new();
    }
    let after = elements(seen.after(PROTECTIONS));
    let mut found = Vec::new();
    for before in elements(seen.before(PROTECTIONS)) {
        let field = before.get("Field");
        let name = name(field);
        let now = after.iter().find(|now| alike(field, now.get("Field")));
        let action = now.and_then(|now| now.get("Action"));
        let reason = match (now, action) {
            (None, _) => format!("logs, metrics and samples show {name} as it is"),
            (Some(_), action) if is(before.get("Action"), "HASH") || is(action, "SUBSTITUTION") => {
                continue;
            }
            (Some(_), action) if alike(before.get("Action"), action) => continue,
            (Some(_), Some(action)) if is_unknown(action) => format!(
                "logs, metrics and samples may show a hash of {name}, as nobody knows what {} is",
                text(action)
            ),
            (Some(_), _) => format!("logs, metrics and samples show a hash of {name}"),
        };
        found.push(Finding::new(Grade::PermissionWidened, reason));
    }
    found
}

/// Names a field of requests.
fn name(field: Option<&Value>) -> String {
    let kind = field.and_then(|field| field.get("FieldType"));
    let kind = kind.map_or_else(|| "a field".to_owned(), text);
    let keys = elements(field.and_then(|field| field.get("FieldKeys")));
    let keys: Vec<String> = keys.into_iter().map(text).collect();
    if keys.is_empty() {
        kind
    } else {
        format!("{kind} {}", keys.join(", "))
    }
}
