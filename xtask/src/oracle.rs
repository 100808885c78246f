//! `cargo xtask oracle`: what the planner takes for a replacement, beside what somebody else says.
//!
//! The AWS CDK publishes what it knows of every resource type, with its own data about which changes replace what. Each
//! property that both know is compared, nested ones too. Where the two disagree, a file says why and who is right; the
//! task fails where it does not, and where it explains what is no longer so.

mod database;
mod explained;
mod package;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use stack_model_cfn::facts::{self, ResourceFacts, UpdateBehaviour, ValueFacts, ValueKind};

use explained::Explanations;

/// The pin of the package, and the explanations.
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../stack-model/cfn/oracle");

/// What to compare with.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Reads this archive of the package instead of downloading the pinned one.
    #[arg(long, value_name = "FILE")]
    package: Option<PathBuf>,
    /// Lists every disagreement.
    #[arg(long)]
    list: bool,
}

/// Why nothing could be compared, or what disagrees.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("cannot read the package")]
    Package(#[from] package::Error),
    #[error("cannot read the explanations")]
    Explanations(#[from] crate::pinned::Error),
    #[error("{} disagreements are explained nowhere in `{DIRECTORY}/explained.json`:\n{}", .0.len(), .0.join("\n"))]
    Unexplained(Vec<String>),
    #[error("{} explanations are of nothing that disagrees:\n{}", .0.len(), .0.join("\n"))]
    Vanished(Vec<String>),
    #[error("only {0} properties are known to both: something of the package is read wrongly")]
    TooFew(usize),
}

/// What a change of a property does to its resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Verdict {
    InPlace,
    Conditional,
    Replacement,
}

impl From<UpdateBehaviour> for Verdict {
    fn from(update: UpdateBehaviour) -> Self {
        match update {
            UpdateBehaviour::InPlace => Self::InPlace,
            UpdateBehaviour::Conditional => Self::Conditional,
            UpdateBehaviour::Replacement => Self::Replacement,
        }
    }
}

impl std::fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(match self {
            Self::InPlace => "in place",
            Self::Conditional => "conditional",
            Self::Replacement => "replacement",
        })
    }
}

/// The verdicts about the properties of one type, by their path with `*` for positions and keys.
pub(crate) type Verdicts = BTreeMap<String, Verdict>;

/// One property about which the two disagree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Disagreement {
    pub(crate) resource_type: String,
    pub(crate) path: String,
    pub(crate) ours: Verdict,
    pub(crate) theirs: Verdict,
}

impl std::fmt::Display for Disagreement {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self {
            resource_type,
            path,
            ours,
            theirs,
        } = self;
        write!(
            formatter,
            "{resource_type} {path}: {ours}, and the oracle {theirs}"
        )
    }
}

/// Properties that are not in a list of properties by the type that has it: no deeper than this.
const DEPTH: usize = 12;

/// Compares everything that both know.
pub(crate) fn run(args: &Args) -> Result<String, Error> {
    let directory = Path::new(DIRECTORY);
    let theirs = database::verdicts(&package::read(directory, args.package.as_deref())?);
    let explanations = Explanations::read(&directory.join("explained.json"))?;

    let mut counts: BTreeMap<(Verdict, Verdict), usize> = BTreeMap::new();
    let mut found = Vec::new();
    let (mut types, mut only_ours, mut only_theirs) = (0, 0, 0);
    for name in facts::resource_types() {
        let (Some(known), Some(theirs)) = (facts::resource_type(name), theirs.get(name)) else {
            continue;
        };
        types += 1;
        let ours = verdicts(known);
        for (path, ours) in &ours {
            let Some(theirs) = theirs.get(path) else {
                only_ours += 1;
                continue;
            };
            *counts.entry((*ours, *theirs)).or_default() += 1;
            if ours != theirs {
                found.push(Disagreement {
                    resource_type: name.to_owned(),
                    path: path.clone(),
                    ours: *ours,
                    theirs: *theirs,
                });
            }
        }
        only_theirs += theirs
            .keys()
            .filter(|path| !ours.contains_key(*path))
            .count();
    }
    let compared: usize = counts.values().sum();
    if compared < 50_000 {
        return Err(Error::TooFew(compared));
    }
    let judged = explanations.judge(&found);
    if !judged.unexplained.is_empty() {
        return Err(Error::Unexplained(judged.unexplained));
    }
    if !judged.vanished.is_empty() {
        return Err(Error::Vanished(judged.vanished));
    }
    let mut report = format!(
        "{types} resource types and {compared} properties that both know; {only_ours} only here, {only_theirs} only there\n\
         {:>14} {:>14} {:>14} {:>14}\n",
        "planner", "in place", "conditional", "replacement"
    );
    let all = [Verdict::InPlace, Verdict::Conditional, Verdict::Replacement];
    for ours in all {
        let _ = write!(report, "{:>14}", ours.to_string());
        for theirs in all {
            let count = counts.get(&(ours, theirs)).copied().unwrap_or_default();
            let _ = write!(report, " {count:>14}");
        }
        report.push('\n');
    }
    let agreed = compared - found.len();
    #[expect(
        clippy::cast_precision_loss,
        reason = "the counts are far below what a float holds"
    )]
    let percent = agreed as f64 * 100.0 / compared as f64;
    let _ = writeln!(
        report,
        "{percent:.2} % agree; {} disagreements, all explained:",
        found.len()
    );
    report.push_str(&judged.table);
    if args.list {
        for disagreement in &found {
            let _ = writeln!(report, "{disagreement}");
        }
    }
    Ok(report.trim_end().to_owned())
}

/// Lists what the planner says of every property that can be set.
fn verdicts(known: &'static ResourceFacts) -> Verdicts {
    let mut found = Verdicts::new();
    for property in known.properties() {
        walk(known, property.path(), &mut Vec::new(), &mut found);
    }
    found
}

fn walk(
    known: &'static ResourceFacts,
    path: &str,
    within: &mut Vec<&'static str>,
    found: &mut Verdicts,
) {
    let Some(property) = known.property(path) else {
        return;
    };
    if property.read_only() {
        return;
    }
    found.insert(path.to_owned(), property.update().into());
    let (path, value) = innermost(path.to_owned(), property.value());
    if let ValueKind::Shape(shape) = value.kind()
        && !within.contains(&shape.name())
        && within.len() < DEPTH
    {
        within.push(shape.name());
        for (name, _) in shape.properties() {
            walk(known, &format!("{path}/{name}"), within, found);
        }
        within.pop();
    }
}

/// Returns what a list or map holds, with its path.
fn innermost(mut path: String, mut value: ValueFacts) -> (String, ValueFacts) {
    while let ValueKind::List(inner) | ValueKind::Map(inner) = value.kind() {
        path.push_str("/*");
        value = inner;
    }
    (path, value)
}

#[cfg(test)]
mod tests {
    use super::{Verdict, facts, verdicts};

    #[test]
    fn nested_properties_are_compared_too() {
        let table = facts::resource_type("AWS::DynamoDB::Table").expect("is a type");
        let verdicts = verdicts(table);
        assert_eq!(verdicts["TableName"], Verdict::Replacement);
        assert_eq!(
            verdicts["GlobalSecondaryIndexes/*/IndexName"],
            Verdict::InPlace
        );
        assert!(!verdicts.contains_key("StreamArn"), "{verdicts:?}");
    }
}
