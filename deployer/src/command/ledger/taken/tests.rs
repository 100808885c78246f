use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::*;
use crate::command::ledger::book;
use crate::engine::tests::{Script, Signed};

const ACCOUNT: &str = "123456789012";

/// Where the scripted clients are.
const REGION: &str = "eu-central-1";

const TABLE: &str = "AWS::DynamoDB::Table";

fn entry(physical_id: &str) -> Value {
    json!({
        "logical_id": "Orders", "resource_type": TABLE, "physical_id": physical_id,
        "account": ACCOUNT, "region": REGION, "remove": [],
    })
}

fn project(directory: &Path, stage: &str) -> Project {
    Project::of_test(directory, &format!("[stages.prod]\n{stage}\n"))
}

/// Writes a file of the ledger, and returns its bytes.
fn written(project: &Project, key: &str, entries: &[Value]) -> Vec<u8> {
    let directory = project.state_dir.join(scratch::RETAINED);
    let ledger: Ledger = BTreeMap::from([("orders-prod".to_owned(), entries.to_vec())]);
    let file = book::file(project, key);
    drop(hold(&directory).expect("is held"));
    store(&directory, &file, &ledger).expect("is written");
    fs::read(file).expect("is there")
}

/// Settles what is written down of the only environment, after a run that changed these stacks. Whatever AWS is asked for by its id is
/// there.
async fn after(script: Script, project: &Project, changed: &[&str]) -> Vec<Settled> {
    let there = Signed::new().json("GetResource", "", 200, &json!({}));
    let none = BTreeSet::new();
    after_telling(script, &there, project, (changed, &none)).await
}

async fn after_telling(
    script: Script,
    signed: &Signed,
    project: &Project,
    (changed, told): (&[&str], &BTreeSet<LiveResource>),
) -> Vec<Settled> {
    let config = project.stage("prod").expect("is there");
    let stage = config.environments().first().expect("there is one");
    let files = files(project, "prod", stage);
    let directory = project.state_dir.join(scratch::RETAINED);
    let changed = changed.iter().map(|stack| StackTarget {
        name: (*stack).to_owned(),
        region: None,
    });
    let played = signed.with(script.play_in_any_order());
    let known = (changed.collect(), told);
    let settled = settled(&played.context, &directory, &files, known).await;
    played.finish();
    settled
}

fn one_region(directory: &Path) -> Project {
    project(directory, "region = \"eu-central-1\"")
}

fn ids(ledger: &[u8]) -> Vec<String> {
    let ledger: Ledger = serde_json::from_slice(ledger).expect("is JSON");
    let entries = ledger.values().flatten();
    let ids = entries.map(|entry| entry["physical_id"].as_str().unwrap_or_default().to_owned());
    ids.collect()
}

#[tokio::test]
async fn nobody_is_asked_where_nothing_is_written_down() {
    let directory = tempfile::tempdir().expect("a directory");
    let project = one_region(directory.path());
    let settled = after(Script::new(), &project, &["orders-prod"]).await;
    assert!(settled.is_empty(), "{settled:?}");
}

/// The script knows the two stacks alone: any other would be an answer that nobody wrote.
#[tokio::test]
async fn the_stacks_that_were_changed_and_those_that_were_removed_are_asked_and_no_others() {
    let directory = tempfile::tempdir().expect("a directory");
    let project = one_region(directory.path());
    written(&project, "prod", &[entry("orders-1"), entry("orders-2")]);
    let script = Script::new()
        .refuse_resources(
            "orders-prod",
            400,
            "ValidationError",
            "Stack with id orders-prod does not exist",
        )
        .stacks_of(&[])
        .resources_of(
            "archive-prod",
            &[("Old", TABLE, "orders-1", "IMPORT_COMPLETE")],
        );
    let settled = after(script, &project, &["archive-prod"]).await;
    assert!(
        matches!(&settled[..], [Settled::Taken(ids)] if ids == &["orders-1"]),
        "{settled:?}"
    );
    let file = book::file(&project, "prod");
    assert_eq!(ids(&fs::read(&file).expect("is there")), ["orders-2"]);

    // A run that was killed took back the rest: the next one changes nothing, and asks the stack that was removed.
    let script = Script::new().stacks_of(&[]).resources_of(
        "orders-prod",
        &[("Orders", TABLE, "orders-2", "IMPORT_COMPLETE")],
    );
    let settled = after(script, &project, &[]).await;
    assert!(matches!(&settled[..], [Settled::Taken(_)]), "{settled:?}");
    assert!(!file.exists());
}

/// Somebody imported it into a stack that is no business of this run.
#[tokio::test]
async fn whatever_stack_has_it_again_is_found_by_what_it_has() {
    let absent = |script: Script| {
        script.refuse_resources(
            "orders-prod",
            400,
            "ValidationError",
            "Stack with id orders-prod does not exist",
        )
    };
    // CloudFormation tells of stacks that were deleted, too, and a stack may have something else of that id.
    let row = |kind| [("Kept", kind, "orders-1", "IMPORT_COMPLETE")];
    for (rows, expected) in [
        (&row(TABLE)[..], Some("orders-1")),
        (&row("AWS::SQS::Queue"), None),
        (&[], None),
    ] {
        let directory = tempfile::tempdir().expect("a directory");
        let project = one_region(directory.path());
        written(&project, "prod", &[entry("orders-1"), entry("orders-2")]);
        let script = absent(Script::new())
            .stacks_of(&[("orders-1", "reports")])
            .resources_of("reports", rows);
        let settled = after(script, &project, &[]).await;
        let taken = settled.iter().map(|settled| match settled {
            Settled::Taken(ids) => ids.join(" "),
            other => panic!("{other:?}"),
        });
        assert_eq!(taken.collect::<Vec<_>>(), Vec::from_iter(expected));
    }
    // Who may not ask that finds what the stacks have that were removed.
    let directory = tempfile::tempdir().expect("a directory");
    let project = one_region(directory.path());
    written(&project, "prod", &[entry("orders-1"), entry("orders-2")]);
    let script = Script::new().refuse_stacks_of().resources_of(
        "orders-prod",
        &[("Orders", TABLE, "orders-2", "IMPORT_COMPLETE")],
    );
    let settled = after(script, &project, &[]).await;
    assert!(
        matches!(&settled[..], [Settled::Unknown(..), Settled::Taken(ids)] if ids == &["orders-2"]),
        "{settled:?}"
    );
}

/// The answers of <https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/API_GetResource.html>.
#[tokio::test]
async fn what_is_gone_is_written_down_no_more_nor_what_takes_it_back() {
    let directory = tempfile::tempdir().expect("a directory");
    let project = one_region(directory.path());
    let retained = project.state_dir.join(scratch::RETAINED);
    let template = retained.join("orders-prod.import.json");
    let imports = ["orders-1", "orders-2"].map(|id| {
        json!({"ResourceType": TABLE, "LogicalResourceId": id.replace('-', ""), "ResourceIdentifier": {"TableName": id}})
    });
    let back = json!({
        "stack_id": "arn:aws:cloudformation:eu-central-1:123456789012:stack/orders-prod/1",
        "imports": imports, "template": template, "adopt": [format!("aws {}", template.display())],
    });
    // Nobody knows by which identifier this is found.
    let mut unknown = entry("rule");
    unknown["resource_type"] = "AWS::Events::Rule".into();
    // What another account has by that name is none of what is gone, and keeps nothing of this one.
    let mut theirs = entry("orders-1");
    theirs["account"] = "999999999999".into();
    let all = ["orders-1", "orders-2", "orders-3"].map(entry);
    let all = [&all[..], &[unknown, theirs, back]].concat();
    written(&project, "prod", &all);
    let table = json!({"Type": TABLE, "Properties": {"KeySchema": []}});
    let resources = json!({"Resources": {"orders1": table, "orders2": table}});
    fs::write(&template, resources.to_string()).expect("is written");
    let file = book::file(&project, "prod");
    let says = |code: &str| json!({"__type": code, "message": "no"});
    let absent = || {
        Script::new().refuse_resources(
            "orders-prod",
            400,
            "ValidationError",
            "Stack with id orders-prod does not exist",
        )
    };
    let script = || absent().stacks_of(&[]);
    let signed = Signed::new()
        .json(
            "GetResource",
            "orders-1",
            400,
            &says("ResourceNotFoundException"),
        )
        .json("GetResource", "orders-2", 200, &json!({}))
        .json(
            "GetResource",
            "orders-3",
            400,
            &says("AccessDeniedException"),
        );
    let none = BTreeSet::new();
    let settled = after_telling(script(), &signed, &project, (&[], &none)).await;
    signed.finish();
    assert!(
        matches!(&settled[..], [Settled::Unseen(..), Settled::Gone(ids)] if ids == &["orders-1"]),
        "{settled:?}"
    );
    let ledger: Ledger =
        serde_json::from_slice(&fs::read(&file).expect("is there")).expect("is JSON");
    let entries = &ledger["orders-prod"];
    let kept: Vec<_> = entries
        .iter()
        .filter_map(|it| it["physical_id"].as_str())
        .collect();
    assert_eq!(kept, ["orders-2", "orders-3", "rule", "orders-1"]);
    let backs: Vec<_> = entries.iter().filter_map(book::taken_back).collect();
    let [back] = backs.as_slice() else {
        panic!("{entries:?}")
    };
    assert!(back.takes(TABLE, "orders-2") && !back.takes(TABLE, "orders-1"));
    assert!(!back.adopt[0].contains("orders-1"), "{back:?}");
    assert!(!template.exists() && back.template.exists(), "{back:?}");

    // What this run just left is looked for by nobody.
    let told = ["orders-2", "orders-3"].map(|id| (REGION.to_owned(), TABLE.to_owned(), id.into()));
    let rule = (REGION.into(), "AWS::Events::Rule".into(), "rule".into());
    let told: BTreeSet<LiveResource> = told.into_iter().chain([rule]).collect();
    let settled = after_telling(absent(), &Signed::new(), &project, (&[], &told)).await;
    assert!(settled.is_empty(), "{settled:?}");

    // The last of what came back together takes the template along.
    let gone = says("ResourceNotFoundException");
    let signed = Signed::new().json("GetResource", "", 400, &gone);
    let settled = after_telling(script(), &signed, &project, (&[], &none)).await;
    assert!(matches!(&settled[..], [Settled::Gone(_)]), "{settled:?}");
    let left = fs::read(&file).expect("is there");
    assert_eq!(ids(&left), ["rule", "orders-1"]);
    assert!(!back.template.exists());
}

/// The code is one of <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html>.
#[tokio::test]
async fn a_caller_who_may_not_look_is_told_so_and_nothing_is_taken_out() {
    let directory = tempfile::tempdir().expect("a directory");
    let project = one_region(directory.path());
    let before = written(&project, "prod", &[entry("orders-1")]);
    let script = Script::new().stacks_of(&[]).refuse_resources(
        "orders-prod",
        403,
        "AccessDenied",
        "User is not authorized to perform: cloudformation:ListStackResources",
    );
    let settled = after(script, &project, &[]).await;
    assert!(
        matches!(&settled[..], [Settled::Unknown(..)]),
        "{settled:?}"
    );
    let file = book::file(&project, "prod");
    assert_eq!(fs::read(file).expect("is there"), before);
}

#[tokio::test]
async fn what_is_of_another_account_is_asked_of_nobody_and_stays() {
    let directory = tempfile::tempdir().expect("a directory");
    let project = one_region(directory.path());
    let mut other = entry("orders-1");
    other["account"] = "210987654321".into();
    let before = written(&project, "prod", &[other.clone()]);
    let settled = after(Script::new(), &project, &["orders-prod"]).await;
    assert!(settled.is_empty(), "{settled:?}");
    let file = book::file(&project, "prod");
    assert_eq!(fs::read(&file).expect("is there"), before);

    // Beside one of this account that a stack has again, it is what stays.
    written(&project, "prod", &[other, entry("orders-1")]);
    let script = Script::new().stacks_of(&[]).resources_of(
        "orders-prod",
        &[("Orders", TABLE, "orders-1", "IMPORT_COMPLETE")],
    );
    let settled = after(script, &project, &[]).await;
    assert!(matches!(&settled[..], [Settled::Taken(_)]), "{settled:?}");
    assert_eq!(fs::read(&file).expect("is there"), before);
}

#[tokio::test]
async fn a_file_that_nobody_can_read_is_told_and_stays() {
    let directory = tempfile::tempdir().expect("a directory");
    let project = one_region(directory.path());
    written(&project, "prod", &[entry("orders-1")]);
    let file = book::file(&project, "prod");
    fs::write(&file, "{\"orders-prod\": [").expect("is written");
    let settled = after(Script::new(), &project, &["orders-prod"]).await;
    assert!(
        matches!(&settled[..], [Settled::Unreadable(..)]),
        "{settled:?}"
    );
    assert_eq!(fs::read(&file).expect("is there"), b"{\"orders-prod\": [");
}

/// The stage had one region, then these two, and had another one in between.
#[tokio::test]
async fn what_was_written_down_before_the_stage_had_other_regions_is_found() {
    let directory = tempfile::tempdir().expect("a directory");
    let project = project(
        directory.path(),
        "regions = [\"eu-central-1\", \"eu-west-1\"]",
    );
    let mut placeless = entry("orders-0");
    placeless.as_object_mut().expect("is one").remove("region");
    written(&project, "prod", &[entry("orders-1"), placeless]);
    written(&project, "prod.us-east-1", &[entry("orders-2")]);
    written(&project, "prod.eu-central-1", &[entry("orders-3")]);
    // Those are somebody else's: another environment's, another stage's, and no entries.
    let theirs = written(&project, "prod.eu-west-1", &[entry("orders-1")]);
    written(&project, "production", &[entry("orders-5")]);
    let retained = project.state_dir.join(scratch::RETAINED);
    fs::write(retained.join("prod.import.json"), "{\"Resources\": {}}").expect("is written");

    let cli = <crate::cli::Cli as clap::Parser>::parse_from(["stackctl", "destroy"]);
    let ui = Ui::new(&cli.global);
    let config = project.stage("prod").expect("is there");
    let [stage, _] = config.environments() else {
        panic!("there are two")
    };
    let kept = super::super::kept(&ui, &project, ("prod", stage), None);
    let expected = ["orders-0", "orders-1", "orders-2", "orders-3"];
    assert_eq!(Vec::from_iter(kept), expected);

    let rows: Vec<_> = expected
        .iter()
        .map(|id| ("Orders", TABLE, *id, "IMPORT_COMPLETE"))
        .collect();
    let script = Script::new()
        .stacks_of(&[])
        .resources_of("orders-prod", &rows);
    let settled = after(script, &project, &[]).await;
    let taken: Vec<&String> = settled
        .iter()
        .flat_map(|settled| match settled {
            Settled::Taken(ids) => ids.iter(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(taken, ["orders-3", "orders-1", "orders-2"]);
    // Nobody knows which region the stage had when that was written down.
    let left = fs::read(book::file(&project, "prod")).expect("is there");
    assert_eq!(ids(&left), ["orders-0"]);
    let file = book::file(&project, "prod.eu-west-1");
    assert_eq!(fs::read(file).expect("is there"), theirs);
}

/// A run on AWS and one on the local engine hold different locks of the stage, and write to the same files.
#[test]
fn a_run_waits_for_another_that_writes() {
    let directory = tempfile::tempdir().expect("a directory");
    let held = hold(directory.path()).expect("is held");
    let path = directory.path().to_owned();
    let (sender, receiver) = std::sync::mpsc::channel();
    let other = std::thread::spawn(move || {
        let held = hold(&path).expect("is held");
        sender.send(()).expect("somebody listens");
        drop(held);
    });
    let file = fs::File::open(directory.path().join("lock")).expect("is there");
    assert!(file.try_lock().is_err(), "it is taken");
    assert!(receiver.try_recv().is_err(), "nobody else has it");
    drop(held);
    receiver.recv().expect("the other one has it then");
    other.join().expect("it ends");
}

/// Before accounts were written down, all that was retained was on AWS, where names are not chosen anew at every start.
#[test]
fn an_entry_without_an_account_is_of_no_engine() {
    let old = json!({"physical_id": "orders"});
    assert!(is_of(&old, ACCOUNT) && !is_of(&old, ENGINE_ACCOUNT));
    let own = json!({"physical_id": "orders", "account": ACCOUNT});
    assert!(is_of(&own, ACCOUNT) && !is_of(&own, "210987654321"));
}

#[test]
fn what_a_stack_took_back_is_written_down_no_more() {
    let live = |region: &str, kind: &str, id: &str| {
        BTreeSet::from([(region.to_owned(), kind.to_owned(), id.to_owned())])
    };
    let entries = vec![entry("orders-1"), entry("orders-2")];
    let mut ledger: Ledger = BTreeMap::from([("orders-prod".to_owned(), entries)]);
    for (account, live) in [
        ("210987654321", live(REGION, TABLE, "orders-1")),
        (ACCOUNT, live("eu-west-1", TABLE, "orders-1")),
        (ACCOUNT, live(REGION, "AWS::S3::Bucket", "orders-1")),
        (ACCOUNT, live(REGION, TABLE, "orders-3")),
    ] {
        let taken = take(&mut ledger, (account, Some(REGION)), &live);
        assert_eq!(taken, [""; 0], "{account} {live:?}");
    }
    let here = (ACCOUNT, Some(REGION));
    let taken = take(&mut ledger, here, &live(REGION, TABLE, "orders-1"));
    assert_eq!(taken, ["orders-1"]);
    assert_eq!(ledger["orders-prod"].len(), 1);
    // It was written down when nobody wrote down where it is.
    for entry in ledger.values_mut().flatten() {
        let fields = entry.as_object_mut().expect("is one");
        fields.remove("account");
        fields.remove("region");
    }
    let there = live("eu-west-1", TABLE, "orders-2");
    assert_eq!(take(&mut ledger, here, &there), [""; 0]);
    let here_again = live(REGION, TABLE, "orders-2");
    assert_eq!(take(&mut ledger, (ACCOUNT, None), &here_again), [""; 0]);
    take(&mut ledger, here, &here_again);
    assert!(ledger.is_empty());
}

#[test]
fn verbs_agree_with_what_is_taken_out() {
    let told = |ids: &[&str]| {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        struck(&ids, "is gone", "are gone")
    };
    assert_eq!(
        told(&["a"]),
        "a is gone, and is not among what is retained any more"
    );
    assert_eq!(
        told(&["a", "b"]),
        "a and b are gone, and are not among what is retained any more"
    );
}
