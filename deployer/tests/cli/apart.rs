//! Stacks of one name in several regions, of which one may be told from the others, and regions that do not tell what they have.
#![cfg(target_os = "linux")]

use serde_json::{Value, json};

use super::cloudformation::{Server, error, field, run};
use super::workspace::{Outcome, Workspace};

const NAMED: &str = "[workspace]\nname = \"shop\"\n\n[stages.dev]\nregion = \"us-east-1\"\n";

fn workspace(regions: &Value) -> Workspace {
    let workspace = Workspace::valid();
    workspace.write("stackctl.toml", NAMED);
    workspace.write(".stackctl/regions/dev.json", &regions.to_string());
    workspace
}

/// What a killed run wrote down of a stack, before that was gone.
fn begun(workspace: &Workspace, region: &str, stack: &str) -> std::path::PathBuf {
    let file = format!(".stackctl/removing/123456789012.{region}.{stack}.json");
    let id = format!("arn:aws:cloudformation:{region}:123456789012:stack/{stack}/1");
    let contents = json!({"stack_id": id, "resources": [], "log_groups": [], "adoptions": []});
    workspace.write(&file, &contents.to_string());
    workspace.path(&file)
}

fn response(action: &str, result: &str) -> (&'static str, String) {
    let text = format!(
        "<{action}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><{action}Result>{result}</{action}Result>\
         </{action}Response>"
    );
    ("200 OK", text)
}

/// An empty stack of the app, in the forms of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>,
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html> and
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackResources.html>.
fn there(region: &str, action: &str, name: &str) -> Option<(&'static str, String)> {
    let tags = [("stackctl:stage", "dev"), ("stackctl:app", "shop")];
    let tags =
        tags.map(|(key, value)| format!("<member><Key>{key}</Key><Value>{value}</Value></member>"));
    let id = format!("arn:aws:cloudformation:{region}:123456789012:stack/{name}/1");
    match action {
        "DescribeStacks" => Some(response(
            action,
            &format!(
                "<Stacks><member><StackName>{name}</StackName><StackId>{id}</StackId>\
                 <CreationTime>2026-07-27T22:28:28.000Z</CreationTime><StackStatus>UPDATE_COMPLETE</StackStatus>\
                 <Tags>{}</Tags></member></Stacks>",
                tags.concat()
            ),
        )),
        "GetTemplate" => Some(response(
            action,
            "<TemplateBody>{\"Resources\": {}}</TemplateBody>",
        )),
        "ListStackResources" => Some(response(action, "<StackResourceSummaries/>")),
        _ => None,
    }
}

/// The name in a request, which may be an ARN in a form.
fn plain(stack: &str) -> &str {
    let name = stack.split("%2F").nth(1);
    name.unwrap_or(stack)
}

fn destroy(workspace: &Workspace, server: &Server, names: &[&str]) -> Outcome {
    run(
        "destroy",
        workspace,
        server,
        &[names, &["--confirm", "dev"]].concat(),
    )
}

/// The stacks of a document that the source does not have: their regions and the beginnings of what removes them.
fn next(document: &Value) -> Vec<(String, String)> {
    let rows = document["stacks"].as_array().expect("are a list").iter();
    let orphans = rows.filter(|row| row["orphan"] == true);
    let text = |value: &Value| value.as_str().unwrap_or("us-east-1").to_owned();
    let next = |row: &Value| {
        let command = text(&row["next"]);
        let words: Vec<&str> = command.split(' ').take(3).collect();
        words.join(" ")
    };
    orphans
        .map(|row| (text(&row["region"]), next(row)))
        .collect()
}

/// The stack of the source went to another region, and the removal of the one before was killed once that was gone.
#[test]
fn what_a_removal_left_is_never_finished_by_removing_the_stack_of_the_source() {
    fn moved(region: &str, action: &str, stack: &str) -> Option<(&'static str, String)> {
        let is_it = plain(stack) == "orders-dev" && region == "us-east-1";
        is_it.then(|| there(region, action, "orders-dev")).flatten()
    }
    let workspace = workspace(&json!(["us-west-2"]));
    let note = begun(&workspace, "us-west-2", "orders-dev");
    let server = Server::in_regions(moved);
    let command = "stackctl destroy orders-dev@us-west-2";
    let outcome = run("status", &workspace, &server, &["--json"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let document: Value = serde_json::from_str(&outcome.stdout).expect("is JSON");
    let left = ("us-west-2".to_owned(), command.to_owned());
    assert_eq!(next(&document), [left], "{document:#}");
    let told = format!(
        "orders-dev (us-west-2) is gone, and its removal did not come to its end: `{command}"
    );
    assert!(outcome.stderr.contains(&told), "{outcome:?}");

    // A removal of all takes that of the source, which this caller may not delete.
    let all = destroy(&workspace, &server, &[]);
    assert_eq!(all.code, Some(1), "{all:?}");
    let request = server.request("DeleteStack").expect("it is asked for");
    assert!(
        field(&request, "StackName").contains("us-east-1"),
        "{request}"
    );
    // Where that is gone, too, it tells of the other.
    let all = destroy(&workspace, &Server::start(), &[]);
    assert_eq!(all.code, Some(0), "{all:?}");
    assert!(all.stderr.contains(&told), "{all:?}");
    assert!(note.exists());
    let server = Server::in_regions(moved);
    let outcome = destroy(&workspace, &server, &["orders-dev@us-west-2"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(server.count("DeleteStack"), 0, "{outcome:?}");
    assert!(!note.exists());
}

#[test]
fn two_stacks_of_one_name_keep_no_other_from_being_removed() {
    fn two(region: &str, action: &str, stack: &str) -> Option<(&'static str, String)> {
        let is_here = ["us-west-1", "us-west-2"].contains(&region);
        let is_it = ["", "late-dev"].contains(&plain(stack));
        (is_here && is_it)
            .then(|| there(region, action, "late-dev"))
            .flatten()
    }
    let workspace = workspace(&json!(["us-west-1", "us-west-2"]));
    let server = Server::in_regions(two);
    let outcome = run("status", &workspace, &server, &["--json"]);
    let document: Value = serde_json::from_str(&outcome.stdout).expect("is JSON");
    let expected = ["us-west-1", "us-west-2"].map(|region| {
        let command = format!("stackctl destroy late-dev@{region}");
        (region.to_owned(), command)
    });
    assert_eq!(next(&document), expected, "{document:#}");
    let all = destroy(&workspace, &server, &[]);
    assert_eq!(all.code, Some(0), "{all:?}");
    assert_eq!(server.count("DeleteStack"), 0);
    for both in [
        &["late-dev"][..],
        &["late-dev@us-west-1", "late-dev@us-west-2"],
    ] {
        let refused = destroy(&workspace, &server, both);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        assert!(!refused.stderr.contains("there twice"), "{refused:?}");
    }
    let refused = destroy(&workspace, &server, &["late-dev"]);
    for (_, command) in expected {
        assert!(refused.stderr.contains(&command), "{refused:?}");
    }
    // This caller may not delete stacks.
    let one = destroy(&workspace, &server, &["late-dev@us-west-2"]);
    assert_eq!(one.code, Some(1), "{one:?}");
    let request = server.request("DeleteStack").expect("it is asked for");
    assert!(
        field(&request, "StackName").contains("us-west-2"),
        "{request}"
    );
}

/// A policy of the organisation denies whatever is done in a region, as
/// <https://docs.aws.amazon.com/organizations/latest/userguide/orgs_manage_policies_scps.html> has it.
fn denied() -> (&'static str, String) {
    let message = "User is not authorized to perform: cloudformation:DescribeStacks with an explicit deny in a service control policy";
    ("403 Forbidden", error("AccessDenied", message))
}

#[test]
fn a_region_that_may_not_be_read_hides_nothing_of_the_others() {
    fn partly(region: &str, action: &str, stack: &str) -> Option<(&'static str, String)> {
        match region {
            "us-west-1" if action != "GetCallerIdentity" => Some(denied()),
            "us-west-2" if ["", "late-dev"].contains(&plain(stack)) => {
                there(region, action, "late-dev")
            }
            _ => None,
        }
    }
    let workspace = workspace(&json!(["us-west-1", "us-west-2"]));
    // It was seen from here, and may be where nobody can look.
    let file = ".stackctl/deployed/dev/us-east-1/seen-dev.json";
    let snapshot = json!({"template": {"Resources": {}}, "parameters": {}, "tags": {}});
    workspace.write(file, &json!({"version": 1, "stack": snapshot}).to_string());
    let note = begun(&workspace, "us-west-1", "gone-dev");
    let server = Server::in_regions(partly);
    let warning =
        "nobody knows whether stacks are deployed in us-west-1 that the source does not have";
    let outcome = run("status", &workspace, &server, &[]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(outcome.stderr.matches(warning).count(), 1, "{outcome:?}");
    assert!(!outcome.stderr.contains("gone-dev"), "{outcome:?}");
    for named in ["seen-dev", "gone-dev"] {
        let outcome = destroy(&workspace, &server, &[named]);
        assert_eq!(outcome.code, Some(2), "{named}: {outcome:?}");
        let cause = "nobody knows what is deployed in us-west-1";
        assert!(outcome.stderr.contains(cause), "{named}: {outcome:?}");
    }
    assert!(note.exists());
    assert!(workspace.path(file).exists());
    // The other region has one, which this caller may not delete.
    let outcome = destroy(&workspace, &server, &["late-dev"]);
    assert_eq!(outcome.stderr.matches(warning).count(), 1, "{outcome:?}");
    assert_eq!(server.count("DeleteStack"), 1, "{outcome:?}");
    // Who names a region asks that one.
    let outcome = destroy(&workspace, &server, &["late-dev@us-west-1"]);
    assert_eq!(outcome.code, Some(1), "{outcome:?}");
    assert!(
        outcome.stderr.contains("service control policy"),
        "{outcome:?}"
    );
    let outcome = destroy(&workspace, &server, &["seen-dev@us-east-1"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert!(!workspace.path(file).exists());
}

#[test]
fn a_region_that_nobody_thought_of_is_looked_at_where_it_is_named() {
    fn far(region: &str, action: &str, stack: &str) -> Option<(&'static str, String)> {
        let is_it = region == "ap-south-2" && plain(stack) == "late-dev";
        is_it.then(|| there(region, action, "late-dev")).flatten()
    }
    let workspace = workspace(&json!([]));
    let server = Server::in_regions(far);
    let outcome = destroy(&workspace, &server, &["late-dev"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
    let outcome = run(
        "status",
        &workspace,
        &server,
        &["late-dev@ap-south-2", "--json"],
    );
    let document: Value = serde_json::from_str(&outcome.stdout).expect("is JSON");
    let command = "stackctl destroy late-dev@ap-south-2";
    let row = ("ap-south-2".to_owned(), command.to_owned());
    assert_eq!(next(&document), [row], "{document:#}");
    let outcome = destroy(&workspace, &server, &["late-dev@ap-south-2"]);
    assert_eq!(server.count("DeleteStack"), 1, "{outcome:?}");
    let outcome = destroy(&workspace, &server, &["late-dev@ap-south-1"]);
    assert_eq!(outcome.code, Some(2), "{outcome:?}");
}
