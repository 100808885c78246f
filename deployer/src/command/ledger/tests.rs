use std::os::unix::fs::PermissionsExt as _;

use clap::Parser as _;

use super::*;
use crate::engine::{Left, Outcome};

const ACCOUNT: &str = "123456789012";

fn ui() -> Ui {
    let cli = crate::cli::Cli::try_parse_from(["stackctl", "destroy"]).expect("is right");
    Ui::new(&cli.global)
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
        adopt: Vec::new(),
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
    for physical_id in ["orders-1", "orders-2", "orders-2"] {
        let ledger = read(&ui(), &file).expect("it can be read");
        enter(&kept, &file, ledger, &report(physical_id)).expect("it can be written");
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
    assert_eq!(read(&ui(), &file).expect("nothing is there"), Ledger::new());
    fs::write(&file, "{\"orders-prod\": [").expect("is written");
    assert_eq!(read(&ui(), &file).expect("is moved"), Ledger::new());
    assert!(!file.exists());
    let aside = fs::read_to_string(directory.path().join("prod.unreadable"));
    assert_eq!(aside.expect("is there"), "{\"orders-prod\": [");
}

/// A run that is killed comes to nothing that is done in the end.
#[test]
fn what_leaves_a_stack_for_good_is_entered_right_then() {
    let directory = tempfile::tempdir().expect("a directory");
    let project = Project::of_test(directory.path(), "[stages.dev]\nregion = \"us-east-1\"\n");
    let context = crate::engine::tests::Script::new().play().context;
    let context = entering(context, &ui(), &project, "dev");
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
