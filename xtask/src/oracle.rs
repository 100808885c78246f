//! `cargo xtask oracle`: what the planner takes for a replacement, beside what somebody else says.
//!
//! The AWS CDK publishes what it knows of every resource type, with its own data about which changes replace what. Each
//! property that both know is compared, nested ones too. Where the two disagree, a file says why and who is right; the
//! task fails where it does not, and where it explains what is no longer so.
//!
//! What the planner takes for a replacement is what the registry says, and before that what rows of the planner's own say:
//! a test of the planner writes those into a file.

mod database;
mod explained;
mod package;
mod planner;
mod registry;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use stack_model_cfn::facts::{self, ResourceFacts, UpdateBehaviour, ValueFacts, ValueKind};

use explained::Explanations;
use planner::Rows;
use registry::Unpatched;

/// The pin of the package, and the explanations.
const DIRECTORY: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../stack-model/cfn/oracle");

/// The distilled facts.
const SPEC: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../stack-model/cfn/spec");

/// The page that says how much agrees.
const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/plan.md");

/// What to compare with.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Reads this archive of the package instead of downloading the pinned one.
    #[arg(long, value_name = "FILE")]
    package: Option<PathBuf>,
    /// Lists every disagreement, and every type and property that only one of the two knows.
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
    #[error("cannot read what the planner decides by itself")]
    Planner(#[from] planner::Error),
    #[error("cannot read what the registry says without the patches")]
    Unpatched(#[from] registry::Error),
    #[error("{} disagreements are explained nowhere in `{DIRECTORY}/explained.json`:\n{}", .0.len(), .0.join("\n"))]
    Unexplained(Vec<String>),
    #[error("{} explanations are of nothing that disagrees:\n{}", .0.len(), .0.join("\n"))]
    Vanished(Vec<String>),
    #[error("cannot read the page about the plan")]
    Page(#[source] crate::pinned::Error),
    #[error("`{PAGE}` does not say: {}", .0.join("; "))]
    NotOnPage(Vec<String>),
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

/// What is known of a comparison.
#[derive(Debug, Default)]
struct Compared {
    types: usize,
    /// How many properties each pair of verdicts is of: the planner's, and the oracle's.
    counts: BTreeMap<(Verdict, Verdict), usize>,
    found: Vec<Disagreement>,
    /// How many of the properties agree by the registry with its patches, and by the registry alone.
    patched: usize,
    unpatched: usize,
    only_ours: OneSided,
    only_theirs: OneSided,
}

/// What only one of the two knows.
#[derive(Debug, Default)]
struct OneSided {
    types: Vec<String>,
    /// Properties of types that both know.
    properties: Vec<String>,
}

impl OneSided {
    /// Enters the properties of one side that the other one has not.
    fn enter(&mut self, resource_type: &str, mine: &Verdicts, other: &Verdicts) {
        let alone = mine.keys().filter(|path| !other.contains_key(*path));
        self.properties
            .extend(alone.map(|path| format!("{resource_type} {path}")));
    }
}

impl Compared {
    fn count(&self) -> usize {
        self.counts.values().sum()
    }

    /// Returns how many properties have these verdicts here, and another one there.
    fn disagreeing(&self, ours: Verdict, theirs: &[Verdict]) -> usize {
        let counts = theirs
            .iter()
            .filter_map(|theirs| self.counts.get(&(ours, *theirs)));
        counts.sum()
    }

    /// Returns how many of a hundred properties these are.
    #[expect(
        clippy::cast_precision_loss,
        reason = "the counts are far below what a float holds"
    )]
    fn percent(&self, agreed: usize) -> String {
        format!("{:.2} %", agreed as f64 * 100.0 / self.count() as f64)
    }
}

/// Writes a number as people read it, with a mark at the thousands.
fn written(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (position, digit) in digits.chars().enumerate() {
        if position > 0 && (digits.len() - position).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Returns what the page has to say.
fn figures(compared: &Compared, unpatched: &Unpatched) -> Vec<String> {
    use Verdict::{Conditional, InPlace, Replacement};
    let found = compared.found.len();
    let of = |ours, theirs: &[Verdict]| written(compared.disagreeing(ours, theirs));
    let alone = |side: &OneSided| (written(side.types.len()), written(side.properties.len()));
    let (here, there) = (alone(&compared.only_ours), alone(&compared.only_theirs));
    vec![
        format!(
            "{} properties of {} types, of which {} agree",
            written(compared.count()),
            written(compared.types),
            compared.percent(compared.count() - found)
        ),
        format!(
            "Of the {} others, {} replace",
            written(found),
            of(Replacement, &[InPlace, Conditional])
        ),
        format!("{} may do so in the same way", of(Conditional, &[InPlace])),
        format!(
            "{} may by the planner and do",
            of(Conditional, &[Replacement])
        ),
        format!(
            "and {} stay as they are",
            of(InPlace, &[Conditional, Replacement])
        ),
        format!("of {} properties the registry says less", unpatched.added),
        format!(
            "By the registry alone, {} agree",
            compared.percent(compared.unpatched)
        ),
        format!(
            "{} types and {} properties of the others here",
            here.0, here.1
        ),
        format!("{} types and {} properties there", there.0, there.1),
    ]
}

/// Compares everything that both know.
pub(crate) fn run(args: &Args) -> Result<String, Error> {
    let directory = Path::new(DIRECTORY);
    let theirs = database::verdicts(&package::read(directory, args.package.as_deref())?);
    let explanations = Explanations::read(&directory.join("explained.json"))?;
    let rows = Rows::read(&directory.join("planner.json"))?;
    let unpatched = Unpatched::read(Path::new(SPEC))?;
    let compared = compare(&theirs, &rows, &unpatched);
    if compared.count() < 50_000 {
        return Err(Error::TooFew(compared.count()));
    }
    let judged = explanations.judge(&compared.found);
    if !judged.unexplained.is_empty() {
        return Err(Error::Unexplained(judged.unexplained));
    }
    if !judged.vanished.is_empty() {
        return Err(Error::Vanished(judged.vanished));
    }
    let page = crate::pinned::text(Path::new(PAGE)).map_err(Error::Page)?;
    let page = page.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut figures = figures(&compared, &unpatched);
    figures.retain(|said| !page.contains(said));
    if !figures.is_empty() {
        return Err(Error::NotOnPage(figures));
    }
    let mut report = report(&compared, &rows, &unpatched, &judged.table);
    if args.list {
        for disagreement in &compared.found {
            let _ = writeln!(report, "{disagreement}");
        }
        let (ours, theirs) = (&compared.only_ours, &compared.only_theirs);
        for (side, one) in [("here", ours), ("there", theirs)] {
            for what in one.types.iter().chain(&one.properties) {
                let _ = writeln!(report, "only {side}: {what}");
            }
        }
    }
    Ok(report.trim_end().to_owned())
}

fn compare(theirs: &BTreeMap<String, Verdicts>, rows: &Rows, unpatched: &Unpatched) -> Compared {
    let mut compared = Compared::default();
    let ours: BTreeMap<&str, &'static ResourceFacts> = facts::resource_types()
        .filter_map(|name| Some((name, facts::resource_type(name)?)))
        .collect();
    let unknown = theirs
        .keys()
        .filter(|name| !ours.contains_key(name.as_str()));
    compared.only_theirs.types.extend(unknown.cloned());
    for (name, known) in ours {
        let Some(theirs) = theirs.get(name) else {
            compared.only_ours.types.push(name.to_owned());
            continue;
        };
        compared.types += 1;
        let ours = verdicts(known);
        compared.only_ours.enter(name, &ours, theirs);
        compared.only_theirs.enter(name, theirs, &ours);
        for (path, registry) in &ours {
            let Some(theirs) = theirs.get(path) else {
                continue;
            };
            let ours = rows.verdict(name, path).unwrap_or(*registry);
            *compared.counts.entry((ours, *theirs)).or_default() += 1;
            compared.patched += usize::from(registry == theirs);
            compared.unpatched += usize::from(unpatched.verdict(name, path) == *theirs);
            if ours != *theirs {
                compared.found.push(Disagreement {
                    resource_type: name.to_owned(),
                    path: path.clone(),
                    ours,
                    theirs: *theirs,
                });
            }
        }
    }
    compared
}

fn report(compared: &Compared, rows: &Rows, unpatched: &Unpatched, table: &str) -> String {
    let all = compared.count();
    let (ours, theirs) = (&compared.only_ours, &compared.only_theirs);
    let mut report = format!(
        "{} resource types and {all} properties that both know\n\
         only here:  {:6} types, and {:6} properties of types that both know\n\
         only there: {:6} types, and {:6} properties of types that both know\n\
         {:>14} {:>14} {:>14} {:>14}\n",
        compared.types,
        ours.types.len(),
        ours.properties.len(),
        theirs.types.len(),
        theirs.properties.len(),
        "planner",
        "in place",
        "conditional",
        "replacement"
    );
    let verdicts = [Verdict::InPlace, Verdict::Conditional, Verdict::Replacement];
    for ours in verdicts {
        let _ = write!(report, "{:>14}", ours.to_string());
        for theirs in verdicts {
            let count = compared.counts.get(&(ours, theirs)).copied();
            let _ = write!(report, " {:>14}", count.unwrap_or_default());
        }
        report.push('\n');
    }
    let found = compared.found.len();
    let _ = write!(
        report,
        "{} agree by what the planner decides\n\
         {} by the registry with the patches, without what the planner decides by {} rows of its own\n\
         {} by the registry alone, without the {} properties that the patches add from the oracle's own data\n\
         {found} disagreements, all explained:\n",
        compared.percent(all - found),
        compared.percent(compared.patched),
        rows.count(),
        compared.percent(compared.unpatched),
        unpatched.added,
    );
    report + table
}

/// Lists what the registry says, with the patches, of every property that can be set.
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
    use super::{Verdict, facts, verdicts, written};

    #[test]
    fn thousands_are_marked() {
        let all = [0, 70, 226, 1_814, 19_570, 1_106_679].map(written);
        assert_eq!(all, ["0", "70", "226", "1,814", "19,570", "1,106,679"]);
    }

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
