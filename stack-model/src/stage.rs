//! The stage that an app is rendered for.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;

use crate::assembly::{Architecture, StageRequest, own_tags};
use crate::error::{Violation, Violations};

/// What the keys of the tags begin with that tell whose a stack is.
pub(crate) const OWN_TAGS: &str = "stackctl:";

/// The stage that an app is rendered for, with its variables.
///
/// Clones are the same stage: what one of them reads counts as read for all.
#[derive(Clone, Debug)]
pub struct Stage {
    request: StageRequest,
    /// The tables of variables that were read, and what no reader had a field for: mistakes in `stackctl.toml`.
    read: Arc<Mutex<BTreeMap<String, BTreeSet<String>>>>,
}

impl Stage {
    /// Takes a stage as the deployer hands it over.
    pub fn new(request: StageRequest) -> Self {
        Self {
            request,
            read: Arc::default(),
        }
    }

    /// Returns the name, such as `dev`.
    pub fn name(&self) -> &str {
        &self.request.name
    }

    /// Returns the name of the app, where `stackctl.toml` gives it one.
    pub fn app(&self) -> Option<&str> {
        self.request.app.as_deref()
    }

    /// Returns the tags that tell whose a stack is; no app gives them itself.
    pub(crate) fn tags(&self) -> BTreeMap<String, String> {
        own_tags(self.name(), self.app())
    }

    /// Returns the region that stacks are deployed to unless they say otherwise.
    pub fn region(&self) -> &str {
        &self.request.region
    }

    /// Returns the account that the stage is pinned to.
    pub fn account(&self) -> Option<&str> {
        self.request.account.as_deref()
    }

    /// Returns whether data is retained and stacks are protected against deletion.
    pub fn is_protected(&self) -> bool {
        self.request.protected
    }

    /// Returns the managed policy that roles must not go beyond, by its name or its ARN, where the stage has one.
    ///
    /// The synth gives it to the roles; see [`App::permissions_boundary`](crate::App::permissions_boundary).
    pub fn permissions_boundary(&self) -> Option<&str> {
        self.request.permissions_boundary.as_deref()
    }

    /// Returns the processor that functions are built for.
    pub fn architecture(&self) -> Architecture {
        self.request.architecture
    }

    /// Reads the variables under `name` as a type of the stacks' own.
    ///
    /// They are the table `[stages.<stage>.variables.<name>]` of `stackctl.toml`; a table that is not there reads as
    /// an empty one, so a type whose fields all have defaults needs no entry.
    ///
    /// # Errors
    ///
    /// Fails with the name of the variable that is missing, of the wrong type, or unknown to a type that denies unknown
    /// fields. Several places may read one table, each with a type of what it needs: what none of them has a field for
    /// is an error of the synth.
    pub fn variables<T: DeserializeOwned>(&self, name: &str) -> Result<T, Violations> {
        let table = self.request.variables.get(name);
        let variables = table.cloned();
        let variables =
            variables.unwrap_or_else(|| serde_json::Value::Object(serde_json::Map::new()));

        // The error alone says that a text stands where a number belongs, and not where.
        let mut track = serde_path_to_error::Track::new();
        let mut unknown = BTreeSet::new();
        let read = T::deserialize(serde_ignored::Deserializer::new(
            serde_path_to_error::Deserializer::new(variables, &mut track),
            // An optional table stands in the path as a question mark.
            &mut |path: serde_ignored::Path<'_>| {
                unknown.insert(path.to_string().replace("?.", ""));
            },
        ));
        self.read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entry(name.to_owned())
            .and_modify(|before| *before = unknown_to_both(before, &unknown))
            .or_insert(unknown);
        read.map_err(|error| {
            let problem = match track.path().to_string().as_str() {
                "." => error.to_string(),
                path => format!("`{path}`: {error}"),
            };
            Violation::new(format!(
                "the variables of `{name}` do not fit: {problem}; {}",
                self.origin(name, table.is_some())
            ))
            .into()
        })
    }

    /// Says where the variables under `name` come from, or where they were looked for.
    fn origin(&self, name: &str, present: bool) -> String {
        let place = format!("[stages.{}.variables.{name}] of stackctl.toml", self.name());
        if present {
            return format!("they come from {place}, or from `--var {name}.KEY=VALUE`");
        }
        let tables: Vec<&str> = self.request.variables.keys().map(String::as_str).collect();
        match tables.as_slice() {
            [] => format!("there is no {place}"),
            tables => format!("there is no {place}, only those of {}", tables.join(", ")),
        }
    }

    /// Checks what the names of stacks are made from.
    pub(crate) fn violations(&self) -> Vec<Violation> {
        let name = self.name();
        let mut characters = name.chars();
        let valid = characters.next().is_some_and(|c| c.is_ascii_lowercase())
            && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && name.len() <= 32;
        if valid {
            Vec::new()
        } else {
            vec![Violation::new(format!(
                "`{name}` is not the name of a stage: use 1 to 32 lower case letters, digits and hyphens, a letter first"
            ))]
        }
    }

    /// Reports tables of variables, and variables of tables, that no stack read: most likely their name is mistyped.
    pub(crate) fn unread_variables(&self) -> Vec<Violation> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let mut violations = Vec::new();
        for table in self.request.variables.keys() {
            match read.get(table) {
                None => violations.push(self.unread_table(table, &read)),
                Some(unknown) if unknown.is_empty() => {}
                Some(unknown) => {
                    let names: Vec<&str> = unknown.iter().map(String::as_str).collect();
                    violations.push(Violation::new(format!(
                        "no stack reads `{}` of the variables of `{table}`: {}",
                        names.join("`, `"),
                        self.origin(table, true)
                    )));
                }
            }
        }
        violations
    }

    /// Reports a table of variables that no stack read.
    fn unread_table(&self, table: &str, read: &BTreeMap<String, BTreeSet<String>>) -> Violation {
        let known: Vec<&str> = read.keys().map(String::as_str).collect();
        Violation::new(format!(
            "no stack reads variables of `{table}`, whether of [stages.{}.variables.{table}] in stackctl.toml or of `--var`: {}",
            self.name(),
            match known.as_slice() {
                [] => "the stacks read none at all".to_owned(),
                known => format!("the stacks read those of {}", known.join(", ")),
            }
        ))
    }
}

/// Returns the paths of variables that neither of two readers of a table has a field for.
fn unknown_to_both(one: &BTreeSet<String>, other: &BTreeSet<String>) -> BTreeSet<String> {
    // Who has no field for a table has none for what is in it.
    let covers = |set: &BTreeSet<String>, path: &str| {
        set.iter().any(|known| {
            path.strip_prefix(known.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    };
    let of_one = one.iter().filter(|path| covers(other, path));
    let of_other = other.iter().filter(|path| covers(one, path));
    of_one.chain(of_other).cloned().collect()
}
