//! What a user pool of this app knows of its users, as it was declared.

use std::collections::BTreeMap;

use stack_model_cfn::Expr;

use super::UserPoolRef;
use super::attribute::StandardAttribute;
use crate::handle::Handle;
use crate::stack::Stack;

/// The attributes that Cognito writes itself.
const READ_ONLY: [&str; 2] = ["email_verified", "phone_number_verified"];

/// The attributes of a user pool, by the names that applications know them by: `email`, `custom:tenant`.
#[derive(Debug)]
pub(super) struct Schema {
    declared: BTreeMap<String, Declared>,
}

#[derive(Clone, Copy, Debug)]
struct Declared {
    required: bool,
    mutable: bool,
}

impl Schema {
    /// Returns the attributes that every user has.
    pub(super) fn required(&self) -> impl Iterator<Item = &str> {
        let required = self.declared.iter().filter(|(_, it)| it.required);
        required.map(|(name, _)| name.as_str())
    }

    /// Returns whether the attribute can be changed after the user signed up.
    pub(super) fn is_mutable(&self, name: &str) -> bool {
        self.declared.get(name).is_none_or(|it| it.mutable)
    }

    /// Says what is wrong with the name of an attribute of the pool, if anything.
    pub(super) fn unknown(&self, name: &str) -> Option<String> {
        let is_custom = name.starts_with("custom:");
        if is_standard(name) || (is_custom && self.declared.contains_key(name)) {
            return None;
        }
        Some(if is_custom {
            format!("the user pool has no attribute `{name}`: add it to `attributes` of the pool")
        } else if self.declared.contains_key(&format!("custom:{name}")) {
            format!(
                "`{name}` is an attribute of the pool's own, which is named `custom:{name}` here"
            )
        } else {
            format!(
                "`{name}` is not an attribute that every user pool has, and those of its own are named `custom:<name>`"
            )
        })
    }
}

/// Returns whether Cognito alone writes an attribute.
pub(super) fn is_read_only(name: &str) -> bool {
    READ_ONLY.contains(&name)
}

fn is_standard(name: &str) -> bool {
    StandardAttribute::ALL
        .iter()
        .any(|standard| standard.name() == name)
}

impl Stack<'_> {
    /// Returns the attributes of a user pool of this app.
    pub(super) fn schema_of(&self, pool: &UserPoolRef) -> Option<Schema> {
        let Expr::Map(properties) = &self.resource_of(pool.resource_id())?.properties else {
            return None;
        };
        let mut declared = BTreeMap::new();
        if let Some(Expr::List(attributes)) = properties.get("Schema") {
            for attribute in attributes {
                let Expr::Map(attribute) = attribute else {
                    continue;
                };
                let Some(name) = attribute.get("Name").and_then(Expr::as_str) else {
                    continue;
                };
                let name = if is_standard(name) {
                    name.to_owned()
                } else {
                    format!("custom:{name}")
                };
                let says = |property: &str| attribute.get(property) == Some(&Expr::Bool(true));
                let (required, mutable) = (says("Required"), says("Mutable"));
                declared.insert(name, Declared { required, mutable });
            }
        }
        Some(Schema { declared })
    }
}
