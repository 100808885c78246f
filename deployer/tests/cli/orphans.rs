//! What becomes of stacks that left the source, on AWS, for which a small server stands in.
#![cfg(target_os = "linux")]

use serde_json::{Value, json};

use super::cloudformation::{Server, field, is_reading, response, run, run_at};
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

/// What another branch deployed is in no source here, and consent is given before anybody reads its name.
#[test]
fn consent_beforehand_removes_no_stack_that_the_source_does_not_have() {
    let (workspace, server) = (workspace(), server());
    for consent in [&["--yes"][..], &["--confirm", "dev"]] {
        let outcome = run("destroy", &workspace, &server, consent);
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        assert_eq!(changing(&server), None, "{outcome:?}");
        let told = "late-dev is not in this source and stays";
        assert_eq!(outcome.stderr.matches(told).count(), 1, "{outcome:?}");
    }
    let outcome = run("destroy", &workspace, &server, &["--yes", "--json"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(last(&outcome)["orphans"][0]["stack"], "late-dev");
    // The server knows nothing of tags.
    assert_eq!(last(&outcome).get("survivors"), Some(&Value::Null));
    assert_eq!(changing(&server), None);
}

#[test]
fn who_names_the_stack_and_the_stage_removes_it() {
    let workspace = workspace();
    let rows: [(&[&str], bool); 4] = [
        (&[], false),
        (&["late-dev"], false),
        (&["late-dev", "--yes"], false),
        (&["late-dev", "--confirm", "dev"], true),
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

/// The stack of the source is in another region now, and what it was before has the same name.
#[test]
fn a_stack_that_has_the_name_of_one_in_another_region_is_named_with_its_own() {
    fn orders(action: &str, stack: &str) -> Option<String> {
        answers(action, &stack.replace("orders-dev", "late-dev"))
            .map(|it| it.replace("late-dev", "orders-dev"))
    }
    let workspace = workspace();
    workspace.write(".stackctl/regions/dev.json", r#"["us-west-2"]"#);
    let server = Server::answering(None, orders);
    let outcome = run("status", &workspace, &server, &["--json"]);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("is JSON");
    let stacks = document["stacks"].as_array().expect("are a list");
    let orphan = stacks
        .iter()
        .find(|it| it["orphan"] == true)
        .expect("is told");
    assert_eq!(orphan["region"], "us-west-2", "{document:#}");
    let next = orphan["next"].as_str().unwrap_or_default();
    assert!(
        next.starts_with("stackctl destroy orders-dev@us-west-2"),
        "{next}"
    );

    // What is told removes that one alone, and is asked about as that one.
    let own = ["orders-dev@us-west-2"];
    let refused = run("destroy", &workspace, &server, &own);
    assert_eq!(refused.code, Some(4), "{refused:?}");
    assert_eq!(deleted(&server), None);
    let removed = run(
        "destroy",
        &workspace,
        &server,
        &[own[0], "--confirm", "dev"],
    );
    assert!(removed.stderr.contains("us-west-2"), "{removed:?}");
    assert_eq!(server.count("DeleteStack"), 1, "{removed:?}");
    // Without names, and with the name alone, it is the stack of the source that goes.
    for arguments in [
        &["--confirm", "dev"][..],
        &["orders-dev", "--confirm", "dev"],
    ] {
        let server = Server::answering(None, orders);
        let outcome = run("destroy", &workspace, &server, arguments);
        assert_eq!(server.count("DeleteStack"), 1, "{outcome:?}");
        assert!(!outcome.stderr.contains("there twice"), "{outcome:?}");
    }
    let both = run(
        "destroy",
        &workspace,
        &server,
        &["orders-dev", own[0], "--confirm", "dev"],
    );
    assert_eq!(both.code, Some(2), "{both:?}");
    // That of the source has no region beside its name.
    let known = run(
        "destroy",
        &workspace,
        &server,
        &["orders-dev@us-east-1", "--confirm", "dev"],
    );
    assert_eq!(known.code, Some(2), "{known:?}");
    let told = "the source has the stack `orders-dev` of us-east-1";
    assert!(known.stderr.contains(told), "{known:?}");
}

/// What another app has is left alone with the rest, and refused where it is named.
#[test]
fn a_stack_of_another_app_keeps_no_other_from_being_removed() {
    fn taken(action: &str, stack: &str) -> Option<String> {
        let answer = answers(action, &stack.replace("orders-dev", "late-dev"))?;
        let theirs = answer.replace("late-dev", "orders-dev");
        Some(theirs.replace("<Value>shop</Value>", "<Value>club</Value>"))
    }
    let workspace = workspace();
    let server = Server::answering(None, taken);
    let all = run("destroy", &workspace, &server, &["--yes"]);
    assert_eq!(all.code, Some(0), "{all:?}");
    let told = "orders-dev is a stack of app `club` and stays";
    assert_eq!(all.stderr.matches(told).count(), 1, "{all:?}");
    let named = run("destroy", &workspace, &server, &["orders", "--yes"]);
    assert_eq!(named.code, Some(4), "{named:?}");
    let hint = "`stackctl deploy --allow owner:orders-dev";
    assert!(named.stderr.contains(hint), "{named:?}");
    assert_eq!(changing(&server), None);
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

/// What a killed run wrote down of a stack that is gone by now, which no source has.
fn begun(workspace: &Workspace) -> std::path::PathBuf {
    let file = ".stackctl/removing/123456789012.us-east-1.gone-dev.json";
    let stack = "arn:aws:cloudformation:us-east-1:123456789012:stack/gone-dev/1";
    let contents = json!({"stack_id": stack, "resources": [], "log_groups": [], "adoptions": []});
    workspace.write(file, &contents.to_string());
    workspace.path(file)
}

/// What was deployed from here when it was seen last.
fn seen(workspace: &Workspace, stack: &str) -> std::path::PathBuf {
    let file = format!(".stackctl/deployed/dev/us-east-1/{stack}.json");
    let snapshot = json!({"template": {"Resources": {}}, "parameters": {}, "tags": {}});
    workspace.write(&file, &json!({"version": 1, "stack": snapshot}).to_string());
    workspace.path(&file)
}

#[test]
fn a_removal_that_was_killed_once_its_stack_was_gone_is_told_and_finished() {
    let (workspace, server) = (workspace(), server());
    let note = begun(&workspace);
    let told = "gone-dev is gone, and its removal did not come to its end";
    let outcome = run("status", &workspace, &server, &[]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains(told), "{outcome:?}");
    let outcome = run("status", &workspace, &server, &["gone-dev", "--json"]);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("is JSON");
    let row = &document["stacks"][0];
    assert_eq!(row["status"], "DELETE_COMPLETE", "{document:#}");
    let next = row["next"].as_str().unwrap_or_default();
    assert!(next.starts_with("stackctl destroy gone-dev"), "{next}");
    // Nothing else can be said of it.
    let outcome = run("outputs", &workspace, &server, &["gone-dev"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(
        outcome.stderr.contains("did not come to its end"),
        "{outcome:?}"
    );

    let outcome = run("destroy", &workspace, &server, &["--yes"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains(told), "{outcome:?}");
    assert!(note.exists());
    let misspelt = run(
        "destroy",
        &workspace,
        &server,
        &["gome-dev", "--confirm", "dev"],
    );
    assert_eq!(misspelt.code, Some(2), "{misspelt:?}");
    let outcome = run(
        "destroy",
        &workspace,
        &server,
        &["gone-dev", "--confirm", "dev"],
    );
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(!note.exists());
    assert_eq!(changing(&server), None, "{outcome:?}");
    let outcome = run("status", &workspace, &server, &[]);
    assert!(!outcome.stderr.contains(told), "{outcome:?}");

    // One that was seen from here and removed elsewhere is not known to have left anything.
    let file = seen(&workspace, "seen-dev");
    let outcome = run("status", &workspace, &server, &[]);
    assert!(!outcome.stderr.contains("seen-dev"), "{outcome:?}");
    let outcome = run(
        "destroy",
        &workspace,
        &server,
        &["seen-dev", "--confirm", "dev"],
    );
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(!file.exists());
}

/// A stack of the source, too, may be gone before its removal came to its end.
#[test]
fn a_removal_of_a_stack_of_the_source_that_was_killed_is_told() {
    let (workspace, server) = (workspace(), Server::start());
    let file = begun(&workspace);
    let own = file.with_file_name("123456789012.us-east-1.orders-dev.json");
    std::fs::rename(file, own).expect("is there");
    let outcome = run("status", &workspace, &server, &["orders", "--json"]);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("is JSON");
    let row = &document["stacks"][0];
    assert_eq!(row["status"], "NOT_DEPLOYED", "{document:#}");
    let next = row["next"].as_str().unwrap_or_default();
    assert!(next.starts_with("stackctl destroy orders-dev"), "{next}");
    let told = "orders-dev is gone, and its removal did not come to its end";
    assert!(outcome.stderr.contains(told), "{outcome:?}");
}

#[test]
fn a_stack_that_left_the_source_is_told_where_it_is_named_alone() {
    let (workspace, server) = (workspace(), server());
    let outcome = run("status", &workspace, &server, &["late-dev", "--json"]);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("is JSON");
    assert_eq!(document["stacks"].as_array().map(Vec::len), Some(1));
    let row = &document["stacks"][0];
    assert_eq!(
        (&row["stack"], &row["orphan"]),
        (&json!("late-dev"), &json!(true))
    );
    let next = row["next"].as_str().unwrap_or_default();
    assert!(next.starts_with("stackctl destroy late-dev"), "{next}");
    let outcome = run("status", &workspace, &server, &["late-dev"]);
    assert!(
        outcome.stdout.contains("stackctl destroy late-dev"),
        "{outcome:?}"
    );
    let told = "not in this source: late-dev";
    assert!(outcome.stderr.contains(told), "{outcome:?}");
}

/// Its name without the stage is that of no stack of the source, which nobody needs credentials to know.
#[test]
fn a_short_name_that_left_the_source_is_answered_with_the_whole_one() {
    let (workspace, server) = (workspace(), server());
    for verb in ["status", "destroy", "events", "outputs"] {
        let outcome = run(verb, &workspace, &server, &["late"]);
        assert_eq!(outcome.code, Some(2), "{verb}: {outcome:?}");
        let hint = "a stack that left the source is named whole, which is `late-dev`";
        assert!(outcome.stderr.contains(hint), "{verb}: {outcome:?}");
    }
    seen(&workspace, "late-dev");
    for verb in ["status", "destroy", "events"] {
        let outcome = run(verb, &workspace, &server, &["late"]);
        assert_eq!(outcome.code, Some(2), "{verb}: {outcome:?}");
        let hint = "`late-dev` was deployed from here and is not in this source";
        assert!(outcome.stderr.contains(hint), "{verb}: {outcome:?}");
    }
    // No such stack can be deployed.
    let outcome = run("deploy", &workspace, &server, &["late", "--yes"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    assert!(!outcome.stderr.contains("late-dev"), "{outcome:?}");
    assert_eq!(server.actions(), Vec::<String>::new());
}

/// Consent comes before credentials, so a refusal says what it does not know.
#[test]
fn what_is_asked_for_is_what_is_known_to_go() {
    let (workspace, server) = (workspace(), server());
    let outcome = run("destroy", &workspace, &server, &["lat-dev"]);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    let reason = "`lat-dev` was never seen from here: whether there is such a stack is asked with consent alone";
    assert!(outcome.stderr.contains(reason), "{outcome:?}");
    seen(&workspace, "late-dev");
    let outcome = run("destroy", &workspace, &server, &["late-dev"]);
    let reason = "`late-dev` was deployed when it was seen last";
    assert!(outcome.stderr.contains(reason), "{outcome:?}");
    assert_eq!(server.actions(), Vec::<String>::new());
    // Nothing of the source is deployed, and that is what is asked about.
    let outcome = run("destroy", &workspace, &server, &[]);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    let danger = "this deletes late-dev in account 123456789012, us-east-1, and what is left of orders-dev, which is not deployed";
    assert!(outcome.stderr.contains(danger), "{outcome:?}");
    workspace.write(
        "stackctl.toml",
        &NAMED.replace(
            "[stages.dev]",
            "[stages.dev]\naccount = \"123456789012\"\nprotected = true",
        ),
    );
    let outcome = run("destroy", &workspace, &server, &["--yes"]);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    let danger = "this deletes what is deployed of `orders-dev`, and what is deployed of app `shop` and in the source no more";
    assert!(outcome.stderr.contains(danger), "{outcome:?}");
}

/// An account that has a stack of a stage that the configuration does not have any more.
fn strayed(action: &str, stack: &str) -> Option<String> {
    let all = answers(action, stack)?;
    let old = late()
        .replace("late-dev", "orders-old")
        .replace("<Value>dev</Value>", "<Value>old</Value>");
    let member = old.split_once("<Stacks>")?.1.split_once("</Stacks>")?.0;
    if action == "DescribeStacks" && stack.is_empty() {
        return Some(all.replace("<Stacks>", &format!("<Stacks>{member}")));
    }
    Some(all)
}

/// A stage that was renamed or removed leaves stacks that no stage has.
#[test]
fn stacks_of_a_stage_that_nobody_has_are_told_and_are_no_orphans_of_another() {
    let (workspace, server) = (workspace(), Server::answering(None, strayed));
    let told = format!(
        "of this app and of stage `old`, which stackctl.toml does not have: orders-old; with that stage in it again, \
         `stackctl destroy --stage old --endpoint-url {}` removes them",
        server.url()
    );
    let outcome = run("status", &workspace, &server, &[]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(outcome.stderr.contains(&told), "{outcome:?}");
    assert!(!outcome.stdout.contains("orders-old"), "{outcome:?}");
    let outcome = run("status", &workspace, &server, &["--json"]);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("is JSON");
    let stray = &document["strays"][0];
    assert_eq!(
        (&stray["stage"], &stray["stack"]),
        (&json!("old"), &json!("orders-old"))
    );
    assert_eq!(document["stacks"].as_array().map(Vec::len), Some(2));
    // It is no orphan of this stage, and a removal of everything leaves it alone.
    let outcome = run("destroy", &workspace, &server, &["--confirm", "dev"]);
    assert!(!outcome.stderr.contains("orders-old"), "{outcome:?}");
    let outcome = run(
        "destroy",
        &workspace,
        &server,
        &["orders-old", "--confirm", "dev"],
    );
    assert_eq!(outcome.code, Some(2), "{outcome:?}");

    let mut command = workspace.command(["doctor", "--json"]);
    command
        .env("AWS_ENDPOINT_URL", server.url())
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env(
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        );
    let outcome = workspace.finish(command);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("is JSON");
    let checks = document["checks"].as_array().expect("are a list");
    let mut checks = checks.iter().filter(|check| check["name"] == "stages");
    let check = checks.next().expect("is told");
    let mend = check["mend"][0].as_str().unwrap_or_default();
    // The endpoint is that of the environment here, which the command gets as well.
    let told = told.replace(&format!(" --endpoint-url {}", server.url()), "");
    assert!(mend.starts_with(&told), "{check:#}");
    assert_eq!(checks.next(), None);
}

/// An administrator with two stack sets of this app, in the forms of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackSets.html> and
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackSet.html>.
fn sets(action: &str, _: &str) -> Option<String> {
    let tags = [("stackctl:stage", "dev"), ("stackctl:app", "shop")];
    let tags =
        tags.map(|(key, value)| format!("<member><Key>{key}</Key><Value>{value}</Value></member>"));
    match action {
        "ListStackSets" => {
            let names = ["late-dev", "orders-dev"];
            let members = names.map(|name| {
                format!(
                    "<member><StackSetName>{name}</StackSetName><Status>ACTIVE</Status></member>"
                )
            });
            Some(response(
                action,
                &format!("<Summaries>{}</Summaries>", members.concat()),
            ))
        }
        "DescribeStackSet" => Some(response(
            action,
            &format!(
                "<StackSet><PermissionModel>SELF_MANAGED</PermissionModel><Status>ACTIVE</Status>\
                 <TemplateBody>{{}}</TemplateBody><Tags>{}</Tags></StackSet>",
                tags.concat()
            ),
        )),
        _ => None,
    }
}

#[test]
fn a_stack_set_that_left_the_source_is_told_and_removed_by_its_name() {
    let workspace = workspace();
    let sets_of =
        "[stages.dev.stacksets]\naccounts = [\"210987654321\"]\nregions = [\"us-east-1\"]\n";
    workspace.write("stackctl.toml", &format!("{NAMED}{sets_of}"));
    let server = Server::answering(Some("UPDATE_COMPLETE"), sets);
    let stackset = |arguments: &[&str]| run("stackset", &workspace, &server, arguments);
    let told = "stack set late-dev is not in this source: `stackctl stackset destroy late-dev";
    let outcome = stackset(&["status"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stderr.matches(told).count(), 1, "{outcome:?}");
    let outcome = stackset(&["status", "late-dev", "--json"]);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("is JSON");
    assert_eq!(document["stack_sets"][0]["stack_set"], "late-dev");
    assert_eq!(document["orphans"][0]["stack_set"], "late-dev");
    let outcome = stackset(&["destroy", "lost-dev", "--confirm", "dev"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    // No source says what it was.
    let outcome = stackset(&["destroy", "late-dev", "--yes"]);
    assert_eq!(outcome.code, Some(4), "{outcome:?}");
    assert_eq!(changing(&server), None, "{outcome:?}");
    let outcome = stackset(&["destroy", "late-dev", "--confirm", "dev"]);
    // This caller may not delete stack sets.
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    let request = server.request("DeleteStackSet").expect("it is asked for");
    assert_eq!(field(&request, "StackSetName"), "late-dev");
}
