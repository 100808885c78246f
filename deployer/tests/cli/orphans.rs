//! What becomes of stacks that left the source, on AWS, for which a small server stands in.
#![cfg(target_os = "linux")]

use serde_json::Value;

use super::cloudformation::{Server, field, is_reading, run, run_at};
use super::workspace::{Outcome, Workspace};

const NAMED: &str = "[workspace]\nname = \"shop\"\n\n[stages.dev]\nregion = \"us-east-1\"\n";

/// The stack that no source has, in the form of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>.
fn late() -> String {
    let tags = [("stackctl:stage", "dev"), ("stackctl:app", "shop")];
    let tags =
        tags.map(|(key, value)| format!("<member><Key>{key}</Key><Value>{value}</Value></member>"));
    response(
        "DescribeStacks",
        &format!(
            "<Stacks><member><StackName>late-dev</StackName>\
             <StackId>arn:aws:cloudformation:us-east-1:123456789012:stack/late-dev/1</StackId>\
             <CreationTime>2026-07-27T22:28:28.000Z</CreationTime><StackStatus>UPDATE_COMPLETE</StackStatus>\
             <Tags>{}</Tags></member></Stacks>",
            tags.concat()
        ),
    )
}

fn response(action: &str, result: &str) -> String {
    format!(
        "<{action}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><{action}Result>{result}</{action}Result>\
         </{action}Response>"
    )
}

/// An account that has the orphan, which exports nothing and holds nothing.
fn answers(action: &str, stack: &str) -> Option<String> {
    // By its name or by its ARN, as a form writes it.
    let is_late = stack.contains("late-dev");
    match action {
        "DescribeStacks" if stack.is_empty() || is_late => Some(late()),
        "GetTemplate" if is_late => Some(response(
            action,
            "<TemplateBody>{\"Resources\": {}}</TemplateBody>",
        )),
        "ListStackResources" if is_late => Some(response(action, "<StackResourceSummaries/>")),
        _ => None,
    }
}

fn server() -> Server {
    Server::answering(None, answers)
}

fn workspace() -> Workspace {
    let workspace = Workspace::valid();
    workspace.write("stackctl.toml", NAMED);
    workspace
}

/// Returns the stack that was to be deleted; none, where nothing was.
fn deleted(server: &Server) -> Option<String> {
    let request = server.request("DeleteStack")?;
    Some(field(&request, "StackName"))
}

fn changing(server: &Server) -> Option<String> {
    let mut actions = server.actions().into_iter();
    // Calls whose action is in no form have none here: those of this run are searches by tags.
    actions.find(|action| !action.is_empty() && !is_reading(action))
}

fn last(outcome: &Outcome) -> Value {
    let line = outcome.stdout.lines().last().expect("has lines");
    serde_json::from_str(line).expect("is JSON")
}

/// What another branch deployed is in no source here, and `--yes` is said before anybody reads its name.
#[test]
fn a_yes_beforehand_removes_no_stack_that_the_source_does_not_have() {
    let (workspace, server) = (workspace(), server());
    let outcome = run("destroy", &workspace, &server, &["--yes"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(changing(&server), None, "{outcome:?}");
    let told = "late-dev is not in this source and stays";
    assert_eq!(outcome.stderr.matches(told).count(), 1, "{outcome:?}");
    let outcome = run("destroy", &workspace, &server, &["--yes", "--json"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(last(&outcome)["orphans"][0]["stack"], "late-dev");
    assert_eq!(changing(&server), None);
}

#[test]
fn who_names_the_stage_removes_all_of_the_app() {
    let workspace = workspace();
    let rows: [(&[&str], bool); 5] = [
        (&[], false),
        (&["late-dev"], false),
        (&["late-dev", "--yes"], false),
        (&["late-dev", "--confirm", "dev"], true),
        (&["--confirm", "dev"], true),
    ];
    for (arguments, is_removed) in rows {
        let server = server();
        let outcome = run("destroy", &workspace, &server, arguments);
        if is_removed {
            // This caller may not delete stacks.
            assert_eq!(outcome.code, Some(1), "{arguments:?}: {outcome:?}");
            let stack = deleted(&server).unwrap_or_default();
            assert!(stack.contains("late-dev"), "{arguments:?}: {outcome:?}");
        } else {
            assert_eq!(outcome.code, Some(4), "{arguments:?}: {outcome:?}");
            assert!(outcome.stderr.contains("--confirm dev"), "{outcome:?}");
            assert!(outcome.stderr.contains("late-dev"), "{outcome:?}");
            assert_eq!(changing(&server), None, "{arguments:?}: {outcome:?}");
        }
    }
}

/// The stacks of an old synth are no reason to remove what the source may have.
#[test]
fn a_stack_that_is_in_no_old_synth_is_not_told_to_be_removed() {
    let (workspace, server) = (workspace(), server());
    let fresh = run("status", &workspace, &server, &[]);
    assert_eq!(fresh.code, Some(0), "{fresh:?}");
    assert!(
        fresh.stdout.contains("stackctl destroy late-dev"),
        "{fresh:?}"
    );
    assert!(
        fresh.stderr.contains("not in this source: late-dev"),
        "{fresh:?}"
    );
    // Somebody pulled, and nothing was rendered since.
    workspace.write("stackctl.toml", NAMED);
    let old = run("status", &workspace, &server, &[]);
    assert!(old.stdout.contains("late-dev"), "{old:?}");
    assert!(!old.stdout.contains("destroy"), "{old:?}");
    assert!(
        old.stderr.contains("not in the last synth, of 2"),
        "{old:?}"
    );
    let document = run("status", &workspace, &server, &["--json"]).stdout;
    let document: Value = serde_json::from_str(&document).expect("is JSON");
    assert_eq!(document["stacks"][1]["stack"], "late-dev");
    assert_eq!(document["stacks"][1]["next"], Value::Null);
}

/// A tunnel to AWS has an address of this machine, where nothing is asked: there has to be an engine behind it.
#[test]
fn an_address_of_this_machine_is_no_way_around_the_guards() {
    let (workspace, server) = (workspace(), server());
    for (verb, arguments) in [
        ("destroy", &["--yes"][..]),
        ("deploy", &["--yes"]),
        ("rollback", &[]),
        ("status", &[]),
    ] {
        let outcome = run_at(&server.loopback(), verb, &workspace, arguments);
        assert_eq!(outcome.code, Some(4), "{verb}: {outcome:?}");
        let reason = "leads to account 123456789012, and not to an engine";
        assert!(outcome.stderr.contains(reason), "{verb}: {outcome:?}");
    }
    let actions = server.actions();
    let mut others = actions
        .iter()
        .filter(|action| *action != "GetCallerIdentity");
    assert_eq!(others.next(), None);
}
