//! Plans that are kept in a file, to be executed later and elsewhere, or not at all.
//!
//! The file has a line for what it is, one for what it is of, and one for each stack. It is the user's alone. Neither the
//! assembly nor the packages are in it: whoever executes the plan makes them from the same source, and what differs is
//! refused by name.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::Path;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use sha2::{Digest as _, Sha256};

use crate::engine::BOOTSTRAP_STACK;
use crate::engine::plan::{Basis, Plan, Seal};
use crate::error::{Error, Kind, Result};
use crate::text::hex;

/// The version of the form; another one is refused.
const VERSION: u32 = 1;

/// The first line.
#[derive(Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Header {
    stackctl_plan: u32,
    /// The SHA-256 of all that follows.
    sha256: String,
}

/// The second line: what the plan is of.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Of {
    stage: String,
    /// The patterns that selected the stacks.
    select: Vec<String>,
}

/// Any other line: a stack in an environment.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    environment: String,
    seal: Seal,
}

/// A plan that is kept, or to be kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Saved {
    of: Of,
    entries: Vec<Entry>,
}

impl Saved {
    /// Begins one for the stacks that patterns select.
    pub(super) fn new(stage: &str, select: &[String]) -> Self {
        let of = Of {
            stage: stage.to_owned(),
            select: select.to_vec(),
        };
        Self {
            of,
            entries: Vec::new(),
        }
    }

    /// Adds the plan of an environment.
    pub(super) fn add(&mut self, environment: &str, plan: &Plan) {
        self.entries.extend(plan.stacks.iter().map(|stack| Entry {
            environment: environment.to_owned(),
            seal: Seal::of(stack),
        }));
    }

    /// Returns the patterns that selected the stacks.
    pub(super) fn select(&self) -> &[String] {
        &self.of.select
    }

    /// Writes the file whole or not at all, for the user alone.
    pub(super) fn write(&self, file: &Path) -> Result<()> {
        let failed = |error: &dyn std::error::Error| {
            Error::new(Kind::Io, format!("cannot write {}", file.display())).caused_by(error)
        };
        let mut rest = line(&self.of).map_err(|error| failed(&error))?;
        for entry in &self.entries {
            rest += &line(entry).map_err(|error| failed(&error))?;
        }
        let header = Header {
            stackctl_plan: VERSION,
            sha256: hex(&Sha256::digest(&rest)),
        };
        let text = line(&header).map_err(|error| failed(&error))? + &rest;
        let directory = match file.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        // A temporary file is the user's alone, and stays so under its last name.
        let mut temporary =
            tempfile::NamedTempFile::new_in(directory).map_err(|error| failed(&error))?;
        temporary
            .write_all(text.as_bytes())
            .map_err(|error| failed(&error))?;
        temporary.persist(file).map_err(|error| failed(&error))?;
        Ok(())
    }

    /// Reads a file that holds a plan of a stage.
    pub(super) fn read(file: &Path, stage: &str) -> Result<Self> {
        let text = std::fs::read_to_string(file).map_err(|error| {
            Error::new(Kind::Io, format!("cannot read {}", file.display())).caused_by(&error)
        })?;
        let saved = Self::parse(&text).map_err(|why| {
            Error::new(
                Kind::Refused,
                format!("{} is no plan that can be executed", file.display()),
            )
            .cause(why)
            .hint("make it again with `stackctl diff --out FILE`")
        })?;
        if saved.of.stage != stage {
            return Err(Error::new(
                Kind::Refused,
                format!(
                    "{} is a plan of stage `{}`, and not of `{stage}`",
                    file.display(),
                    saved.of.stage
                ),
            ));
        }
        Ok(saved)
    }

    fn parse(text: &str) -> Result<Self, String> {
        let (first, rest) = text.split_once('\n').unwrap_or((text, ""));
        // Whatever a later version writes, it says which one it is.
        let version = serde_json::from_str::<serde_json::Value>(first)
            .ok()
            .and_then(|header| header.get("stackctl_plan")?.as_u64())
            .ok_or("it does not begin as one")?;
        if version != u64::from(VERSION) {
            return Err(format!(
                "it has version {version}, and this tool reads version {VERSION}"
            ));
        }
        let header: Header = read(first)?;
        if header.sha256 != hex(&Sha256::digest(rest)) {
            return Err("it was changed or cut off after it was made".to_owned());
        }
        let mut lines = rest.lines();
        let of = read(lines.next().unwrap_or_default())?;
        let entries = lines.map(read).collect::<Result<_, _>>()?;
        Ok(Self { of, entries })
    }

    /// Refuses a plan that is not the one that was kept, and says what moved.
    pub(super) fn check(&self, environment: &str, plan: &Plan) -> Result<()> {
        let kept: Vec<&Seal> = self
            .entries
            .iter()
            .filter(|entry| entry.environment == environment)
            .map(|entry| &entry.seal)
            .collect();
        if is_done(&kept, plan) {
            return Err(Error::new(
                Kind::Refused,
                "the plan was executed already: what it leads to is deployed",
            )
            .hint("`stackctl history` tells when, and by whom; whether it does what it should, `stackctl deploy` without the plan looks once more"));
        }
        let mut moved = Vec::new();
        let mut seen = BTreeSet::new();
        for now in plan.stacks.iter().map(Seal::of) {
            seen.insert(now.stack.clone());
            match kept.iter().find(|then| then.stack == now.stack) {
                Some(then) => {
                    let differences = then.moved(&now).into_iter();
                    moved.extend(differences.map(|text| format!("{}: {text}", now.stack)));
                }
                None => moved.push(format!("{} was not in the plan", now.stack)),
            }
        }
        for then in kept {
            // Where the stack for artifacts was to be made and is there now, nothing is left to do for it.
            if then.stack != BOOTSTRAP_STACK && !seen.contains(&then.stack) {
                moved.push(format!("{} is not there any more", then.stack));
            }
        }
        if moved.is_empty() {
            return Ok(());
        }
        let error = Error::new(
            Kind::Refused,
            "the plan cannot be executed: something moved since it was made",
        );
        let error = moved.into_iter().fold(error, Error::cause);
        Err(error.hint(
            "read what would change now with `stackctl diff --out FILE`, and deploy that plan",
        ))
    }
}

/// Returns whether what a plan was to change is as it was to become, and nothing else is to change.
fn is_done(kept: &[&Seal], plan: &Plan) -> bool {
    let all: Vec<Seal> = plan.stacks.iter().map(Seal::of).collect();
    let leads_to = |seal: &Seal| {
        // What is deployed moved because the plan was executed, and nothing else did.
        seal.basis.clone().map(|basis| Basis {
            deployed: None,
            ..basis
        })
    };
    let changes = |seal: &Seal| !seal.changes.is_empty() || !seal.other.is_empty();
    kept.iter().any(|then| changes(then))
        && !all.iter().any(changes)
        && kept
            .iter()
            .filter(|then| then.stack != BOOTSTRAP_STACK)
            .all(|then| {
                let mut now = all.iter().filter(|now| now.stack == then.stack);
                now.next()
                    .is_some_and(|now| leads_to(now) == leads_to(then))
            })
}

fn line(value: &impl Serialize) -> Result<String, serde_json::Error> {
    serde_json::to_string(value).map(|text| text + "\n")
}

fn read<T: DeserializeOwned>(line: &str) -> Result<T, String> {
    serde_json::from_str(line).map_err(|error| format!("it cannot be understood: {error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::{ResourceChange, StackPlan};

    fn plan(stacks: &[&str]) -> Plan {
        let stacks = stacks.iter().map(|stack| StackPlan {
            stack: (*stack).to_owned(),
            basis: (*stack != BOOTSTRAP_STACK).then(Basis::default),
            ..StackPlan::default()
        });
        Plan {
            stacks: stacks.collect(),
        }
    }

    fn saved(stacks: &[&str]) -> Saved {
        let mut saved = Saved::new("dev", &["orders*".to_owned()]);
        saved.add("us-east-1", &plan(stacks));
        saved
    }

    #[test]
    fn a_file_is_private_and_read_as_it_was_written() {
        let directory = tempfile::tempdir().expect("is made");
        let file = directory.path().join("plan");
        let saved = saved(&["orders-dev", "other-dev"]);
        saved.write(&file).expect("is written");
        assert_eq!(Saved::read(&file, "dev").expect("is read"), saved);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = file.metadata().expect("is there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        let error = Saved::read(&file, "prod").expect_err("is of another stage");
        assert_eq!(error.kind(), Kind::Refused);
    }

    #[test]
    fn what_is_not_whole_is_no_plan() {
        let directory = tempfile::tempdir().expect("is made");
        let file = directory.path().join("plan");
        saved(&["orders-dev"]).write(&file).expect("is written");
        let text = std::fs::read_to_string(&file).expect("is read");
        for (text, expected) in [
            (text.replace("orders-dev", "others-dev"), "was changed"),
            (
                text.lines().next().unwrap_or_default().to_owned(),
                "was changed",
            ),
            (text.replacen(":1", ":2", 1), "it has version 2"),
            ("{}".to_owned(), "does not begin as one"),
            (String::new(), "does not begin as one"),
        ] {
            std::fs::write(&file, text).expect("is written");
            let error = Saved::read(&file, "dev").expect_err("is refused");
            assert_eq!(error.kind(), Kind::Refused);
            assert!(error.causes()[0].contains(expected), "{:?}", error.causes());
        }
    }

    #[test]
    fn a_plan_that_was_executed_is_told_in_one_sentence() {
        let plan = |change: Option<&str>, template: &str| Plan {
            stacks: vec![StackPlan {
                stack: "orders-dev".to_owned(),
                changes: change
                    .into_iter()
                    .map(|logical_id| ResourceChange {
                        logical_id: logical_id.to_owned(),
                        ..ResourceChange::default()
                    })
                    .collect(),
                basis: Some(Basis {
                    template: template.to_owned(),
                    ..Basis::default()
                }),
                ..StackPlan::default()
            }],
        };
        let mut kept = Saved::new("dev", &[]);
        kept.add("us-east-1", &plan(Some("Queue"), "new"));
        let refused = |plan: &Plan| kept.check("us-east-1", plan).expect_err("is not that plan");
        let error = refused(&plan(None, "new"));
        assert_eq!(
            error.message(),
            "the plan was executed already: what it leads to is deployed"
        );
        assert_eq!(error.causes(), [""; 0]);
        // The source moved on, or what is deployed did not become that.
        for now in [plan(None, "newer"), plan(Some("Other"), "new")] {
            assert!(refused(&now).message().contains("something moved"));
        }
    }

    #[test]
    fn stacks_that_come_and_go_are_named() {
        let kept = saved(&[BOOTSTRAP_STACK, "orders-dev", "old-dev"]);
        let causes = |plan: &Plan| match kept.check("us-east-1", plan) {
            Ok(()) => Vec::new(),
            Err(error) => error.causes().to_vec(),
        };
        assert_eq!(
            causes(&plan(&[BOOTSTRAP_STACK, "orders-dev", "old-dev"])),
            [""; 0]
        );
        assert_eq!(causes(&plan(&["orders-dev", "old-dev"])), [""; 0]);
        assert_eq!(
            causes(&plan(&["orders-dev", "new-dev"])),
            [
                "new-dev was not in the plan",
                "old-dev is not there any more"
            ]
        );
        // A plan of one environment says nothing of another.
        let error = kept.check("eu-west-1", &plan(&["orders-dev"]));
        assert_eq!(
            error.expect_err("is refused").causes(),
            ["orders-dev was not in the plan"]
        );
    }
}
