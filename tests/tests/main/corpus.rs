//! Changes that the plan judges, made in a local engine: whether the resource stays the one that it is, becomes another
//! one, or is refused, as the plan says.
//!
//! The engine is no AWS: `engine.toml` says which cases it cannot make, and where it does something else.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Write as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Deserialize;
use serde_json::{Map, Value, json};
use system_tests::account::{Account, texts};
use system_tests::poll::{PATIENCE, within};
use system_tests::support::TestEngine;

/// The cases are made in so many parts.
const PARTS: u64 = 8;

/// The seconds of a day.
const DAY: u64 = 24 * 60 * 60;

/// Which cases are made.
#[derive(Clone, Copy, Debug)]
enum Chosen {
    All,
    /// Every so many cases, from this one on.
    Part(u64),
}

impl Chosen {
    /// Reads what `CORPUS` asks for: `all`, or the number of a part. A usual run makes another part each day, so that all are
    /// made in some days, and a run can be repeated on another one.
    fn read() -> Self {
        match std::env::var("CORPUS") {
            Ok(asked) if asked == "all" => Self::All,
            Ok(asked) => match asked.parse() {
                Ok(part) if part < PARTS => Self::Part(part),
                _ => panic!("CORPUS is `all` or a number below {PARTS}, not {asked}"),
            },
            Err(_) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH);
                Self::Part(now.expect("it is past 1970").as_secs() / DAY % PARTS)
            }
        }
    }

    fn has(self, number: usize) -> bool {
        match self {
            Self::All => true,
            Self::Part(part) => number as u64 % PARTS == part,
        }
    }
}

impl fmt::Display for Chosen {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => formatter.write_str("all cases: CORPUS=all"),
            Self::Part(part) => write!(formatter, "one of {PARTS} parts: CORPUS={part}"),
        }
    }
}

#[derive(Deserialize)]
struct File {
    case: Vec<Case>,
}

/// A case of the corpus, as far as it is made here.
#[derive(Deserialize)]
struct Case {
    name: String,
    #[serde(rename = "type")]
    resource_type: String,
    before: Option<Value>,
    after: Option<Value>,
    #[serde(default)]
    attributes: Map<String, Value>,
    attributes_after: Option<Map<String, Value>>,
    #[serde(default)]
    beside: Map<String, Value>,
    beside_after: Option<Map<String, Value>>,
    action: String,
    grade: String,
}

/// What is known of the engine.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Known {
    /// Why it does something else than AWS, by case.
    differs: BTreeMap<String, String>,
    /// Why it does not make a case, by case.
    unable: BTreeMap<String, String>,
}

impl Case {
    fn template(
        &self,
        properties: &Value,
        attributes: &Map<String, Value>,
        beside: &Map<String, Value>,
    ) -> String {
        let mut resources = beside.clone();
        let mut body = attributes.clone();
        body.insert("Type".to_owned(), self.resource_type.clone().into());
        body.insert("Properties".to_owned(), properties.clone());
        resources.insert("Thing".to_owned(), Value::Object(body));
        resources.insert("Other".to_owned(), json!({"Type": "AWS::SNS::Topic"}));
        json!({ "Resources": resources }).to_string()
    }

    /// Says what the plan says of the change.
    fn planned(&self) -> &str {
        match (self.grade.as_str(), self.action.as_str()) {
            ("impossible", _) => "is refused",
            (_, "replace") => "becomes another",
            _ => "stays",
        }
    }
}

struct Stack<'a> {
    account: &'a Account,
    name: String,
}

impl Stack<'_> {
    fn ask(&self, action: &str, more: &[(&str, &str)]) -> (u16, String) {
        let mut form = format!("Action={action}&Version=2010-05-15&StackName={}", self.name);
        for (name, value) in more {
            form.extend(["&", name, "="]);
            for byte in value.bytes() {
                // Writing to a String cannot fail.
                let _ = write!(form, "%{byte:02X}");
            }
        }
        let headers = [(
            "content-type",
            "application/x-www-form-urlencoded".to_owned(),
        )];
        let answer = self
            .account
            .request("cloudformation", "POST", "/", &headers, &form);
        (answer.status, answer.body)
    }

    /// Creates or updates the stack, and returns the status that it ends in; nothing, where the call is refused or never ends:
    /// a custom resource waits for a function that nobody wrote.
    fn deploy(&self, action: &str, template: &str) -> Option<String> {
        let arguments = [
            ("TemplateBody", template),
            ("Capabilities.member.1", "CAPABILITY_NAMED_IAM"),
        ];
        if self.ask(action, &arguments).0 != 200 {
            return None;
        }
        within(PATIENCE, || {
            let (_, answer) = self.ask("DescribeStacks", &[]);
            let status = texts(&answer, "StackStatus").concat();
            (!status.ends_with("_IN_PROGRESS")).then_some(status)
        })
    }

    fn physical_id(&self) -> Option<String> {
        let (_, answer) = self.ask("DescribeStackResource", &[("LogicalResourceId", "Thing")]);
        let id = texts(&answer, "PhysicalResourceId").concat();
        (!id.is_empty()).then_some(id)
    }
}

/// Makes a change, and says what became of the resource; nothing, where the engine does not make it.
fn made(account: &Account, number: usize, case: &Case) -> Option<&'static str> {
    let stack = Stack {
        account,
        name: format!("case{number}"),
    };
    let attributes = &case.attributes;
    let old = case.template(case.before.as_ref()?, attributes, &case.beside);
    let new = case.template(
        case.after.as_ref()?,
        case.attributes_after.as_ref().unwrap_or(attributes),
        case.beside_after.as_ref().unwrap_or(&case.beside),
    );
    let created = stack.deploy("CreateStack", &old);
    let before = (created.as_deref() == Some("CREATE_COMPLETE"))
        .then(|| stack.physical_id())
        .flatten();
    let became = before.and_then(|before| {
        let updated = stack.deploy("UpdateStack", &new)?;
        Some(match updated.as_str() {
            "UPDATE_COMPLETE" if stack.physical_id() == Some(before) => "stays",
            "UPDATE_COMPLETE" => "becomes another",
            _ => "is refused",
        })
    });
    stack.ask("DeleteStack", &[]);
    became
}

#[test]
#[expect(clippy::print_stdout, reason = "the counts are for people")]
fn the_engine_does_what_the_plan_says() {
    let corpus = super::repository().join("deployer/corpus");
    let known: Known = read(&super::repository().join("tests/engine.toml"));
    let mut paths: Vec<_> = std::fs::read_dir(corpus)
        .expect("lists")
        .map(|entry| entry.expect("is there").path())
        .collect();
    paths.sort();
    let mut cases: Vec<(String, Case)> = Vec::new();
    for path in paths {
        let service = path
            .file_stem()
            .expect("has a name")
            .to_string_lossy()
            .into_owned();
        let file: File = read(&path);
        let pairs = file
            .case
            .into_iter()
            .filter(|case| case.before.is_some() && case.after.is_some());
        cases.extend(pairs.map(|case| (format!("{service}: {}", case.name), case)));
    }
    let names: BTreeSet<&String> = cases.iter().map(|(name, _)| name).collect();
    let unknown: Vec<&String> = known
        .differs
        .keys()
        .chain(known.unable.keys())
        .filter(|name| !names.contains(name))
        .collect();
    assert!(unknown.is_empty(), "no such cases: {unknown:?}");

    let chosen = Chosen::read();
    println!("{chosen}");
    let engine = TestEngine::start_blocking();
    let account = Account::root(engine.url());
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (number, (name, case)) in cases.iter().enumerate() {
        if !chosen.has(number) {
            continue;
        }
        let became = made(&account, number, case);
        let agrees = became == Some(case.planned());
        let (differs, unable) = (
            known.differs.contains_key(name),
            known.unable.contains_key(name),
        );
        let (outcome, expected) = match became {
            _ if agrees => (case.planned(), !differs && !unable),
            None | Some("is refused") if unable => ("cannot be made", true),
            None => ("cannot be made", false),
            Some(_) => ("differs", differs),
        };
        *counts.entry(outcome).or_default() += 1;
        if !expected {
            wrong.push(format!(
                "{name}: the plan says it {}, the engine {became:?}",
                case.planned()
            ));
        }
    }
    for (outcome, count) in &counts {
        println!("{count:4}  {outcome}");
    }
    assert!(wrong.is_empty(), "{chosen}\n{}", wrong.join("\n"));
}

fn read<T: serde::de::DeserializeOwned>(path: &Path) -> T {
    let text = std::fs::read_to_string(path).expect("reads");
    toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
