//! The stage that an app is rendered for.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use serde::de::DeserializeOwned;

use crate::assembly::{Architecture, StageRequest};
use crate::error::{Violation, Violations};

/// The stage that an app is rendered for, with its variables.
///
/// Clones are the same stage: what one of them reads counts as read for all.
#[derive(Clone, Debug)]
pub struct Stage {
    request: StageRequest,
    /// The tables of variables that were read; one that nobody reads is a mistake in `stackctl.toml`.
    read: Arc<Mutex<BTreeSet<String>>>,
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
    /// Fails with the name of the variable that is missing, unknown or of the wrong type. A variable that `T` has no
    /// field for is unknown, with or without `deny_unknown_fields`.
    pub fn variables<T: DeserializeOwned>(&self, name: &str) -> Result<T, Violations> {
        self.read
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(name.to_owned());
        let table = self.request.variables.get(name);
        let variables = table.cloned();
        let variables =
            variables.unwrap_or_else(|| serde_json::Value::Object(serde_json::Map::new()));

        // The error alone says that a text stands where a number belongs, and not where.
        let mut track = serde_path_to_error::Track::new();
        let mut unknown = Vec::new();
        let read = T::deserialize(serde_ignored::Deserializer::new(
            serde_path_to_error::Deserializer::new(variables, &mut track),
            &mut |path: serde_ignored::Path<'_>| unknown.push(path.to_string()),
        ));
        let problem = match read {
            Ok(variables) if unknown.is_empty() => return Ok(variables),
            Ok(_) => format!("nothing reads `{}`", unknown.join("`, `")),
            Err(error) => match track.path().to_string().as_str() {
                "." => error.to_string(),
                path => format!("`{path}`: {error}"),
            },
        };
        Err(Violation::new(format!(
            "the variables of `{name}` do not fit: {problem}; {}",
            self.origin(name, table.is_some())
        ))
        .into())
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

    /// Reports tables of variables that no stack read: most likely their name is mistyped.
    pub(crate) fn unread_variables(&self) -> Vec<Violation> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        let tables = self.request.variables.keys();
        tables
            .filter(|table| !read.contains(*table))
            .map(|table| {
                let known: Vec<&str> = read.iter().map(String::as_str).collect();
                Violation::new(format!(
                    "no stack reads the variables [stages.{}.variables.{table}] of stackctl.toml: {}",
                    self.name(),
                    match known.as_slice() {
                        [] => "the stacks read none at all".to_owned(),
                        known => format!("the stacks read those of {}", known.join(", ")),
                    }
                ))
            })
            .collect()
    }
}
