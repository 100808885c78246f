//! Traps of user pools.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::canonical::same;
use super::super::{Grade, widen};
use super::{Finding, Seen, Trap, number};

pub(super) const TRAPS: &[Trap] = &[
    Trap {
        types: &["AWS::Cognito::UserPool"],
        source: "https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html",
        find: schema,
    },
    Trap {
        types: &["AWS::Cognito::UserPoolClient"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolclient.html",
        find: tokens,
    },
];

/// How long tokens are good where nothing is said: the property, the entry with its unit, the number and the unit.
const TOKENS: [(&str, &str, f64, &str); 3] = [
    ("AccessTokenValidity", "AccessToken", 1.0, "hours"),
    ("IdTokenValidity", "IdToken", 1.0, "hours"),
    ("RefreshTokenValidity", "RefreshToken", 30.0, "days"),
];

/// Tokens that are good for longer: whoever stole one is too.
fn tokens(seen: &Seen<'_>) -> Vec<Finding> {
    if !seen.stays() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for (property, of_unit, default, default_unit) in TOKENS {
        let place = format!("/{property}");
        let unit_place = format!("/TokenValidityUnits/{of_unit}");
        let written = [
            (seen.before(&place), seen.before(&unit_place)),
            (seen.after(&place), seen.after(&unit_place)),
        ];
        let seconds = |(value, unit): (Option<&Value>, Option<&Value>)| {
            let value = match value {
                None => Some(default),
                value => number(value),
            }?;
            let unit = match unit {
                None => Some(default_unit),
                Some(unit) => unit.as_str(),
            }?;
            // Zero is what nothing is.
            let (value, unit) = if value == 0.0 {
                (default, default_unit)
            } else {
                (value, unit)
            };
            Some(
                value
                    * match unit {
                        "seconds" => 1.0,
                        "minutes" => 60.0,
                        "hours" => 3600.0,
                        "days" => 86_400.0,
                        _ => return None,
                    },
            )
        };
        let reason = match written.map(seconds) {
            [Some(before), Some(after)] if after > before => format!(
                "{property} becomes longer, {} after {}: who stole a token acts with it for longer",
                span(after),
                span(before)
            ),
            [Some(_), Some(_)] => continue,
            _ if written[0] == written[1] => continue,
            _ => {
                let [(before, before_unit), (after, after_unit)] = written;
                let mut sides = [after, after_unit, before, before_unit]
                    .into_iter()
                    .flatten();
                let Some(unknown) = sides.find(|side| widen::is_unknown(side)) else {
                    continue;
                };
                format!(
                    "{property} may become longer, as nobody knows what {} is: who stole a token acts with it for longer",
                    widen::text(unknown)
                )
            }
        };
        found.push(Finding::new(Grade::PermissionWidened, reason));
    }
    found
}

/// Writes a time in the largest unit that it is a whole number of.
fn span(seconds: f64) -> String {
    let units = [(86_400.0, "d"), (3600.0, "h"), (60.0, "min"), (1.0, "s")];
    let unit = units.iter().find(|(length, _)| seconds % length == 0.0);
    let (length, name) = unit.unwrap_or(&(1.0, "s"));
    format!("{} {name}", seconds / length)
}

/// Attributes can be added, and neither changed nor removed; what is added cannot be required.
fn schema(seen: &Seen<'_>) -> Vec<Finding> {
    if !seen.stays() {
        return Vec::new();
    }
    let of = |list: Option<&Value>| -> BTreeMap<String, Value> {
        list.and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|attribute| {
                Some((
                    attribute.get("Name")?.as_str()?.to_owned(),
                    meant(attribute),
                ))
            })
            .collect()
    };
    let (before, after) = (of(seen.before("/Schema")), of(seen.after("/Schema")));
    let mut found: Vec<Finding> = before
        .iter()
        .filter_map(|(name, old)| match after.get(name) {
            None => Some(format!(
                "the attribute {name} of the users cannot be removed: leave it where it is"
            )),
            Some(new) if !same(old, new) => Some(format!(
                "the attribute {name} of the users cannot be changed: add one of another name"
            )),
            Some(_) => None,
        })
        .map(|reason| Finding::new(Grade::Impossible, reason))
        .collect();
    let required = after.iter().filter(|(name, attribute)| {
        !before.contains_key(*name) && super::is_on(attribute.get("Required"))
    });
    found.extend(required.map(|(name, _)| {
        Finding::new(
            Grade::Impossible,
            format!("the attribute {name} cannot be required: the users that are there have none"),
        )
    }));
    found
}

/// What an attribute is where nothing is said; see
/// <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SchemaAttributeType.html>.
const DEFAULTS: [(&str, bool); 3] = [
    ("DeveloperOnlyAttribute", false),
    ("Mutable", true),
    ("Required", false),
];

/// Attributes that every pool has, but for those with limits of their own: texts of up to 2048 characters. What people add has
/// no limit where none is said.
///
/// See <https://docs.aws.amazon.com/cli/latest/reference/cognito-idp/describe-user-pool.html>.
const STANDARD: [&str; 15] = [
    "address",
    "email",
    "family_name",
    "gender",
    "given_name",
    "locale",
    "middle_name",
    "name",
    "nickname",
    "phone_number",
    "picture",
    "preferred_username",
    "profile",
    "website",
    "zoneinfo",
];

/// Returns the limits that an attribute has where none are said, each with where it stands.
fn limits(name: &str) -> &'static [(&'static str, &'static str, &'static str)] {
    const TEXT: &str = "StringAttributeConstraints";
    const NUMBER: &str = "NumberAttributeConstraints";
    match name {
        "birthdate" => &[(TEXT, "MinLength", "10"), (TEXT, "MaxLength", "10")],
        "sub" => &[(TEXT, "MinLength", "1"), (TEXT, "MaxLength", "2048")],
        "updated_at" => &[(NUMBER, "MinValue", "0")],
        _ if STANDARD.contains(&name) => &[(TEXT, "MinLength", "0"), (TEXT, "MaxLength", "2048")],
        _ => &[],
    }
}

/// Returns an attribute without what it is anyway.
fn meant(attribute: &Value) -> Value {
    let mut attribute = attribute.clone();
    let Value::Object(entries) = &mut attribute else {
        return attribute;
    };
    for (name, default) in DEFAULTS {
        let is = entries
            .get(name)
            .is_some_and(|it| same(it, &Value::Bool(default)));
        if is {
            entries.remove(name);
        }
    }
    let name = entries.get("Name").and_then(Value::as_str);
    for (outer, inner, default) in limits(name.unwrap_or_default()) {
        if let Some(Value::Object(limits)) = entries.get_mut(*outer)
            && limits
                .get(*inner)
                .is_some_and(|it| same(it, &Value::from(*default)))
        {
            limits.remove(*inner);
        }
    }
    entries.retain(|_, entry| entry.as_object().is_none_or(|entry| !entry.is_empty()));
    attribute
}
