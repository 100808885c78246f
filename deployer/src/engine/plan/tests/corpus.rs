//! Changes of every service of the model, with what AWS says that they do.
//!
//! The cases are data in `corpus`, a file per service. Each names the page of AWS that says what the update does.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use stack_model_cfn::facts;

use super::super::path::Step;
use super::super::traps::{Row, deciding, finding, refined, sources};
use super::super::{Knowledge as _, Registry, ResourceChange, Side, StackPlan, compare};

/// The cases of one service.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

/// A change of one resource, which others may stand beside.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    /// What happens, for people.
    name: String,
    /// The page of AWS that says what the update does.
    source: String,
    /// The type of the resource that is judged.
    #[serde(rename = "type")]
    resource_type: String,
    /// Its properties before; there is none before, where this is missing.
    before: Option<Value>,
    /// Its properties after; there is none after, where this is missing.
    after: Option<Value>,
    /// Its attributes beside the properties, such as a deletion policy, in both templates.
    #[serde(default)]
    attributes: Map<String, Value>,
    /// The same after, where they change.
    attributes_after: Option<Map<String, Value>>,
    /// Other resources of the template before, by logical id; of both, where nothing is said of those after.
    #[serde(default)]
    beside: Map<String, Value>,
    /// Other resources of the template after.
    beside_after: Option<Map<String, Value>>,
    /// The action, in the word of the JSON report; nothing, where the resource does not change.
    action: String,
    grade: String,
    /// All reasons, in their order.
    #[serde(default)]
    reasons: Vec<String>,
}

/// The logical id of the resource that is judged.
const ID: &str = "Thing";

impl Case {
    fn template(
        &self,
        properties: Option<&Value>,
        attributes: &Map<String, Value>,
        beside: &Map<String, Value>,
    ) -> Value {
        let mut resources = beside.clone();
        if let Some(properties) = properties {
            let mut body = attributes.clone();
            body.insert("Type".to_owned(), self.resource_type.clone().into());
            body.insert("Properties".to_owned(), properties.clone());
            resources.insert(ID.to_owned(), Value::Object(body));
        }
        // A stack has something, also where what is judged is all that it has.
        resources.insert("Other".to_owned(), json!({"Type": "AWS::SNS::Topic"}));
        json!({ "Resources": resources })
    }

    fn templates(&self) -> [Value; 2] {
        let old = self.template(self.before.as_ref(), &self.attributes, &self.beside);
        let new = self.template(
            self.after.as_ref(),
            self.attributes_after.as_ref().unwrap_or(&self.attributes),
            self.beside_after.as_ref().unwrap_or(&self.beside),
        );
        [old, new]
    }

    fn plan(&self) -> StackPlan {
        let [old, new] = self.templates();
        let side = |template| Side {
            template: Some(template),
            ..Side::default()
        };
        compare(
            "corpus-dev",
            &side(&old),
            &side(&new),
            &BTreeMap::new(),
            &Registry,
        )
    }

    /// Returns the change of the resource that is judged.
    fn change(&self) -> Option<ResourceChange> {
        let mut changes = self.plan().changes.into_iter();
        changes.find(|change| change.logical_id == ID)
    }

    /// Returns what the plan says of the change, as the case does.
    fn found(&self) -> (String, String, Vec<String>) {
        let Some(change) = self.change() else {
            return ("nothing".to_owned(), "none".to_owned(), Vec::new());
        };
        let word = |value: Value| value.as_str().unwrap_or_default().to_owned();
        (
            word(json!(change.action)),
            word(json!(change.grade)),
            change.reasons,
        )
    }

    /// Returns whether a change of a property is applied otherwise than the registry alone would have it.
    fn decides(&self, property: &str) -> bool {
        let [old, new] = self.templates();
        let [old, new] = [&old, &new].map(|template| template["Resources"].get(ID));
        let changes = self.change().map(|change| change.properties);
        changes.into_iter().flatten().any(|change| {
            let place = change.path.property().unwrap_or_default();
            let is_of_it = matches!(place, [Step::Key(first), ..] if first == property);
            let said = new.and_then(|new| refined(&self.resource_type, &change, old, new));
            is_of_it
                && said.is_some_and(|it| it.update != Registry.update(&self.resource_type, place))
        })
    }
}

/// Returns the plans of all cases.
pub(crate) fn plans() -> Vec<StackPlan> {
    let cases = cases().into_values().flatten();
    cases.map(|case| case.plan()).collect()
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// Returns the cases by the name of their file.
fn cases() -> BTreeMap<String, Vec<Case>> {
    std::fs::read_dir(directory())
        .expect("lists")
        .map(|entry| {
            let path = entry.expect("is there").path();
            let name = path.file_stem().expect("has a name").to_string_lossy();
            let text = std::fs::read_to_string(&path).expect("reads");
            let file: File =
                toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
            (name.into_owned(), file.case)
        })
        .collect()
}

#[test]
#[expect(clippy::print_stdout, reason = "the table of counts is for people")]
fn every_case_is_judged_as_aws_says() {
    let cases = cases();
    let mut wrong = String::new();
    let mut counts: BTreeMap<&str, BTreeMap<&str, usize>> = BTreeMap::new();
    for (service, cases) in &cases {
        let mut names = BTreeSet::new();
        for case in cases {
            assert!(
                names.insert(&case.name),
                "{service}: {} is there twice",
                case.name
            );
            *counts
                .entry(service)
                .or_default()
                .entry(&case.grade)
                .or_default() += 1;
            let (action, grade, reasons) = case.found();
            let expected = (&case.action, &case.grade, &case.reasons);
            if (&action, &grade, &reasons) != expected {
                let _ = writeln!(
                    wrong,
                    "{service}: {}\n  expected {} {} {:#?}\n  found    {action} {grade} {reasons:#?}",
                    case.name, case.action, case.grade, case.reasons
                );
            }
        }
    }
    let grades: Vec<&str> = [
        "none",
        "update_in_place",
        "interruption",
        "replacement",
        "permission_widened",
        "exposure_widened",
        "data_loss",
        "impossible",
    ]
    .to_vec();
    let mut table = format!("{:16}", "");
    for grade in &grades {
        let _ = write!(table, " {grade:>18}");
    }
    table.push('\n');
    for (service, counts) in &counts {
        let _ = write!(table, "{service:16}");
        for grade in &grades {
            let _ = write!(
                table,
                " {:>18}",
                counts.get(grade).copied().unwrap_or_default()
            );
        }
        table.push('\n');
    }
    let total: usize = counts.values().flat_map(BTreeMap::values).sum();
    println!("{table}{total} cases");
    assert_eq!(wrong, "");
    assert!(total >= 120, "{total} cases");
}

/// A case asks for the reasons of its change, so whoever takes a row away, or says less in it, fails one.
#[test]
fn every_row_of_the_tables_of_traps_is_what_some_case_rests_on() {
    let cases: Vec<Case> = cases().into_values().flatten().collect();
    let changes: Vec<ResourceChange> = cases.iter().filter_map(Case::change).collect();
    let finds = |row: &Row| {
        let [begins, holds] = &row.finds;
        changes.iter().any(|change| {
            // What is said of custom resources is said of each of their types.
            let of_type = change.resource_type == row.resource_type
                || (row.resource_type == "AWS::CloudFormation::CustomResource"
                    && change.resource_type.starts_with("Custom::"));
            let mut reasons = change.reasons.iter();
            of_type
                && change.sources.contains(&row.source)
                && reasons.any(|reason| reason.starts_with(begins) && reason.contains(holds))
        })
    };
    let mut missing: Vec<String> = finding()
        .filter(|row| !finds(row))
        .map(|row| format!("{row:?}"))
        .collect();
    missing.extend(
        deciding()
            .filter(|(kind, property, _)| {
                let mut of_type = cases.iter().filter(|case| case.resource_type == *kind);
                !of_type.any(|case| case.decides(property))
            })
            .map(|(kind, property, _)| format!("{kind} {property} is as the registry says")),
    );
    assert!(missing.is_empty(), "{}: {missing:#?}", missing.len());
    assert!(finding().count() > 120, "{} rows", finding().count());
}

#[test]
fn every_property_of_a_case_is_one_that_its_type_has() {
    for (service, cases) in cases() {
        for case in cases {
            // A custom resource has the properties of its function.
            if case.resource_type.starts_with("Custom::") {
                continue;
            }
            let known = facts::resource_type(&case.resource_type)
                .unwrap_or_else(|| panic!("{service}: {} is no type", case.resource_type));
            let sides = [case.before.as_ref(), case.after.as_ref()];
            let objects = sides.into_iter().flatten().filter_map(Value::as_object);
            for name in objects.flat_map(Map::keys) {
                assert!(
                    known.property(name).is_some(),
                    "{service}, {}: {} has no {name}",
                    case.name,
                    case.resource_type
                );
            }
        }
    }
}

/// What `tests/engine.toml` says of the local engine, by case.
#[derive(Deserialize)]
struct Engine {
    differs: BTreeMap<String, String>,
    unable: BTreeMap<String, String>,
}

#[test]
fn the_page_says_how_much_of_the_corpus_the_engine_does() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(directory.join(path)).expect("reads");
    let engine: Engine = toml::from_str(&read("../tests/engine.toml")).expect("is TOML");
    let is_known =
        |name: &String| engine.differs.contains_key(name) || engine.unable.contains_key(name);
    let (mut all, mut done, mut refused) = (0, 0, 0);
    for (service, cases) in cases() {
        let pairs = cases
            .iter()
            .filter(|it| it.before.is_some() && it.after.is_some());
        for case in pairs {
            all += 1;
            if !is_known(&format!("{service}: {}", case.name)) {
                done += 1;
                refused += usize::from(case.grade == "impossible");
            }
        }
    }
    let said = format!(
        "Of {all} changes the engine does {done} as the plan says, {refused} refusals among them. `tests/engine.toml` says of \
         the others why the engine does not make {} of them, and what it does otherwise than AWS in {}.",
        engine.unable.len(),
        engine.differs.len()
    );
    assert_eq!(all, done + engine.unable.len() + engine.differs.len());
    let page = read("../docs/plan.md");
    let page: Vec<&str> = page.split_whitespace().collect();
    assert!(page.join(" ").contains(&said), "{said}");
}

#[test]
fn every_source_is_a_page_of_aws() {
    let corpus = cases();
    let of_cases = corpus.values().flatten().map(|case| case.source.clone());
    for source in of_cases.chain(sources().map(str::to_owned)) {
        let page = source.split('#').next().unwrap_or_default();
        assert!(
            page.starts_with("https://docs.aws.amazon.com/")
                && Path::new(page)
                    .extension()
                    .is_some_and(|kind| kind.eq_ignore_ascii_case("html")),
            "{source}"
        );
    }
}

/// Returns the types that the model renders: each is in one of its golden templates.
pub(super) fn of_model() -> BTreeSet<String> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../stack-model/tests/golden");
    let mut types = BTreeSet::new();
    for entry in std::fs::read_dir(golden).expect("lists") {
        let text = std::fs::read_to_string(entry.expect("is there").path()).expect("reads");
        let Ok(template) = serde_json::from_str::<Value>(&text) else {
            continue;
        };
        let resources = template["Resources"].as_object().into_iter().flatten();
        let found = resources.filter_map(|(_, body)| body["Type"].as_str());
        types.extend(found.map(str::to_owned));
    }
    types
}

#[test]
fn every_service_of_the_model_has_cases() {
    let corpus: BTreeSet<String> = cases().into_keys().collect();
    let mut services: BTreeSet<String> = BTreeSet::from(["cloudformation".to_owned()]);
    services.extend(of_model().iter().filter_map(|kind| {
        let service = kind.strip_prefix("AWS::")?.split("::").next()?;
        Some(match service {
            "CertificateManager" => "acm".to_owned(),
            other => other.to_lowercase(),
        })
    }));
    assert!(services.len() > 20, "{services:?}");
    let missing: Vec<&String> = services.difference(&corpus).collect();
    assert!(missing.is_empty(), "{missing:?}");
}
