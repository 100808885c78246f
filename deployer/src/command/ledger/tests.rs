use std::os::unix::fs::PermissionsExt as _;

use clap::Parser as _;

use std::fs;

use serde_json::{Value, json};

use super::book::{Ledger, enter, read_or_begin, sweep, taken_back};
use super::*;
use crate::command::lock;
use crate::engine::{Adoption, Context};

const ACCOUNT: &str = "123456789012";

fn ui() -> Ui {
    let cli = crate::cli::Cli::try_parse_from(["stackctl", "destroy"]).expect("is right");
    Ui::new(&cli.global)
}

fn context() -> Context {
    crate::engine::tests::Script::new().play().context
}

fn report(physical_id: &str) -> DestroyReport {
    let retained = Retained {
        logical_id: "Orders".to_owned(),
        resource_type: "AWS::DynamoDB::Table".to_owned(),
        physical_id: physical_id.to_owned(),
        account: ACCOUNT.to_owned(),
        region: "us-east-1".to_owned(),
        remove: vec![format!(
            "aws dynamodb delete-table --table-name {physical_id}"
        )],
    };
    DestroyReport {
        stacks: vec![DestroyedStack {
            stack: "orders-prod".to_owned(),
            outcome: Outcome::Deleted,
            failure: None,
            retained: BTreeMap::new(),
            left: Left {
                ledger: vec![retained],
                ..Left::default()
            },
        }],
    }
}

#[test]
fn what_was_left_before_stays_written_down_and_nobody_else_reads_it() {
    let directory = tempfile::tempdir().expect("a directory");
    let kept = directory.path().join("retained");
    lock::make_private(&kept).expect("it can be made");
    let file = kept.join("prod.json");
    let context = context();
    for physical_id in ["orders-1", "orders-2", "orders-2"] {
        let ledger = read_or_begin(&ui(), &file).expect("it can be read");
        enter(&kept, &file, &context, ledger, &report(physical_id)).expect("it can be written");
    }
    let text = fs::read(&file).expect("is there");
    let ledger: Ledger = serde_json::from_slice(&text).expect("is JSON");
    let ids: Vec<_> = ledger["orders-prod"]
        .iter()
        .map(|entry| entry["physical_id"].as_str().unwrap_or_default())
        .collect();
    assert_eq!(ids, ["orders-1", "orders-2"]);
    let mode = |path: &Path| {
        let file = fs::metadata(path).expect("is there");
        file.permissions().mode() & 0o777
    };
    assert_eq!((mode(&kept), mode(&file)), (0o700, 0o600));
}

#[test]
fn what_cannot_be_read_is_kept_aside() {
    let directory = tempfile::tempdir().expect("a directory");
    let file = directory.path().join("prod.json");
    let read = |file: &Path| read_or_begin(&ui(), file);
    assert_eq!(read(&file).expect("nothing is there"), Ledger::new());
    fs::write(&file, "{\"orders-prod\": [").expect("is written");
    assert_eq!(read(&file).expect("is moved"), Ledger::new());
    assert!(!file.exists());
    let aside = fs::read_to_string(directory.path().join("prod.unreadable"));
    assert_eq!(aside.expect("is there"), "{\"orders-prod\": [");
}

/// A run that is killed comes to nothing that is done in the end.
#[test]
fn what_leaves_a_stack_for_good_is_entered_right_then() {
    let directory = tempfile::tempdir().expect("a directory");
    let project = Project::of_test(directory.path(), "[stages.dev]\nregion = \"us-east-1\"\n");
    let config = project.stage("dev").expect("is there");
    let stage = config.environments().first().expect("there is one");
    let context = entering(context(), &ui(), &project, ("dev", stage));
    for physical_id in ["orders-1", "orders-2"] {
        let left = report(physical_id).stacks.remove(0).left;
        let entered = context.leave_aside("orders-dev", left);
        entered.expect("it can be written");
        let text = fs::read(file(&project, "dev")).expect("is there");
        let ledger: Ledger = serde_json::from_slice(&text).expect("is JSON");
        let mut entries = ledger["orders-dev"].iter();
        assert!(entries.any(|entry| entry["physical_id"] == physical_id));
    }
    // Whoever cannot write is told so.
    fs::remove_dir_all(&project.state_dir).expect("it goes");
    fs::write(&project.state_dir, "").expect("it can be written");
    let left = report("orders-3").stacks.remove(0).left;
    let refused = context.leave_aside("orders-dev", left);
    let refused = refused.expect_err("there is no such directory");
    assert!(refused.contains("cannot write"), "{refused}");
}

/// What takes back tables that left a stack of an account together.
fn together(account: &str, ids: &[&str]) -> Adoption {
    let name = |id: &str| id.replace('-', "");
    let resources = ids.iter().map(|id| {
        let table = json!({
            "Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain", "UpdateReplacePolicy": "Retain",
            "Properties": {"KeySchema": []},
        });
        (name(id), table)
    });
    let imports = ids.iter().map(|id| {
        json!({
            "ResourceType": "AWS::DynamoDB::Table", "LogicalResourceId": name(id), "ResourceIdentifier": {"TableName": id},
        })
    });
    serde_json::from_value(json!({
        "stack_id": format!("arn:aws:cloudformation:us-east-1:{account}:stack/orders-prod/1"),
        "template": {"Resources": resources.collect::<serde_json::Map<String, Value>>()},
        "imports": imports.collect::<Vec<_>>(),
        "tags": {"stackctl:stage": "prod"},
    }))
    .expect("it can be read")
}

fn together_report(account: &str, ids: &[&str]) -> DestroyReport {
    let mut all = DestroyReport {
        stacks: vec![report("none").stacks.remove(0)],
    };
    let left = &mut all.stacks[0].left;
    left.ledger = (ids.iter())
        .flat_map(|id| report(id).stacks.remove(0).left.ledger)
        .collect();
    left.adoptions = vec![together(account, ids)];
    all
}

#[test]
fn what_comes_back_together_is_written_down_once_and_no_more_than_is_there() {
    let directory = tempfile::tempdir().expect("a directory");
    let project = Project::of_test(directory.path(), "[stages.prod]\nregion = \"us-east-1\"\n");
    let entered = |ids: &[&str]| {
        let mut report = together_report("123456789012", ids);
        let file = keep(&ui(), &project, &context(), "prod", &mut report);
        let file = file.expect("it can be written").expect("there is some");
        let text = fs::read(&file).expect("is there");
        let ledger: Ledger = serde_json::from_slice(&text).expect("is JSON");
        (report, ledger["orders-prod"].clone())
    };
    let templates = || {
        let names = fs::read_dir(project.state_dir.join("retained")).expect("is there");
        let names = names.map(|entry| entry.expect("is one").file_name());
        let names = names.filter_map(|name| name.into_string().ok());
        let mut names: Vec<_> = names.filter(|name| name.contains(".import.")).collect();
        names.sort();
        names
    };
    let (report, entries) = entered(&["orders-1", "orders-2"]);
    assert_eq!(entries.len(), 3, "{entries:?}");
    let back = taken_back(&entries[2]).expect("it is how they come back");
    assert_eq!(report.stacks[0].left.adopt, std::slice::from_ref(&back));
    assert!(back.adopt[0].contains("orders-1") && back.adopt[0].contains("orders-2"));
    assert_eq!(templates(), ["orders-prod.import.json"]);
    // Told once more, it is the same.
    assert_eq!(entered(&["orders-1", "orders-2"]).1, entries);
    // One came back and left again, with another.
    let (_, entries) = entered(&["orders-2", "orders-3"]);
    let backs: Vec<_> = entries.iter().filter_map(taken_back).collect();
    let [first, second] = backs.as_slice() else {
        panic!("{entries:?}")
    };
    assert!(first.takes("AWS::DynamoDB::Table", "orders-1"));
    assert!(!first.takes("AWS::DynamoDB::Table", "orders-2"));
    assert!(second.takes("AWS::DynamoDB::Table", "orders-2"));
    assert_eq!(
        templates(),
        ["orders-prod.2.import.json", "orders-prod.3.import.json"],
        "nobody needs the first any more"
    );
}

/// A stage that was in another account, or on an engine, may have left the same names there.
#[test]
fn what_another_account_has_comes_back_as_before() {
    let directory = tempfile::tempdir().expect("a directory");
    let project = Project::of_test(directory.path(), "[stages.prod]\nregion = \"us-east-1\"\n");
    let entered = |account: &str, ids: &[&str]| {
        let mut report = together_report(account, ids);
        let file = keep(&ui(), &project, &context(), "prod", &mut report);
        let file = file.expect("it can be written").expect("there is some");
        let text = fs::read(&file).expect("is there");
        let ledger: Ledger = serde_json::from_slice(&text).expect("is JSON");
        let backs = ledger["orders-prod"].iter().filter_map(taken_back);
        backs.collect::<Vec<_>>()
    };
    let before = entered("999999999999", &["orders-1", "orders-2"]);
    let after = entered("123456789012", &["orders-2"]);
    assert_eq!(after.len(), 2, "{after:?}");
    assert_eq!(after[0], before[0]);
    assert!(after[0].template.exists());
}

/// Files that earlier runs left behind go as well, but not where nobody knows what names them.
#[test]
fn a_template_that_nothing_names_goes() {
    let directory = tempfile::tempdir().expect("a directory");
    let at = |name: &str| directory.path().join(name);
    let write = |name: &str, text: &str| fs::write(at(name), text).expect("is written");
    write("orders-prod.import.json", "{}");
    write("orders-prod.2.import.json", "{}");
    write("orders-prod.3.import.json", "{}");
    write("prod.json", "file:///state/orders-prod.2.import.json ");
    write(
        "prod.unreadable",
        "{ file:///state/orders-prod.3.import.json",
    );
    sweep(directory.path()).expect("it goes");
    assert!(!at("orders-prod.import.json").exists());
    assert!(at("orders-prod.2.import.json").exists());
    assert!(at("orders-prod.3.import.json").exists());
}

/// A stage that had one region and has several, or the other way round, finds what its runs noted before.
#[test]
fn what_runs_noted_before_the_stage_had_other_regions_is_found() {
    for (stage, own, lost) in [
        (
            "regions = [\"eu-central-1\", \"eu-west-1\"]",
            "prod.eu-central-1",
            &["prod", "prod.us-east-1"][..],
        ),
        (
            "region = \"eu-central-1\"",
            "prod",
            &["prod.eu-central-1", "prod.eu-west-1", "prod.us-east-1"],
        ),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let project = Project::of_test(directory.path(), &format!("[stages.prod]\n{stage}\n"));
        let leaving = project.state_dir.join(scratch::LEAVING);
        for key in [
            "prod",
            "prod.eu-central-1",
            "prod.eu-west-1",
            "prod.us-east-1",
            "production",
        ] {
            fs::create_dir_all(leaving.join(key)).expect("a directory");
        }
        let config = project.stage("prod").expect("is there");
        let stage = config.environments().first().expect("there is one");
        let (found, others) = notes(&project, "prod", stage);
        assert_eq!(found, leaving.join(own));
        let expected: Vec<PathBuf> = lost.iter().map(|key| leaving.join(key)).collect();
        assert_eq!(others, expected);
    }
}
