//! `diff --drift`: what is live beside what would change.
#![cfg(target_os = "linux")]

use serde_json::json;

use super::cloudformation::{Server, run};
use super::workspace::Workspace;

/// Puts the result of an action into the form in which CloudFormation answers.
fn answer(action: &str, result: &str) -> String {
    format!(
        "<{action}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><{action}Result>{result}</{action}Result></{action}Response>"
    )
}

/// Answers what has to do with drift, in the forms of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackDrift.html>,
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackDriftDetectionStatus.html> and
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResourceDrifts.html>.
fn about_drift(action: &str, status: &str, resources: &str) -> Option<String> {
    let result = match action {
        "DetectStackDrift" => "<StackDriftDetectionId>1</StackDriftDetectionId>".to_owned(),
        "DescribeStackDriftDetectionStatus" => format!(
            "<StackDriftDetectionId>1</StackDriftDetectionId><DetectionStatus>DETECTION_COMPLETE</DetectionStatus>\
             <StackDriftStatus>{status}</StackDriftStatus>"
        ),
        "DescribeStackResourceDrifts" => {
            format!("<StackResourceDrifts>{resources}</StackResourceDrifts>")
        }
        _ => return None,
    };
    Some(answer(action, &result))
}

/// A resource of the stack, and what of it somebody changed by hand.
fn resource(id: &str, kind: &str, status: &str, differences: &str) -> String {
    format!(
        "<member><StackId>arn:aws:cloudformation:us-east-1:123456789012:stack/orders-dev/1</StackId><LogicalResourceId>{id}</LogicalResourceId>\
         <PhysicalResourceId>{id}-1</PhysicalResourceId><ResourceType>{kind}</ResourceType>\
         <StackResourceDriftStatus>{status}</StackResourceDriftStatus>\
         <PropertyDifferences>{differences}</PropertyDifferences></member>"
    )
}

fn queue(status: &str, differences: &str) -> String {
    resource("Queue", "AWS::SQS::Queue", status, differences)
}

fn table() -> String {
    resource("Orders", "AWS::DynamoDB::Table", "IN_SYNC", "")
}

const BY_HAND: &str = "<member><PropertyPath>/DelaySeconds</PropertyPath><ExpectedValue>5</ExpectedValue>\
     <ActualValue>60</ActualValue><DifferenceType>NOT_EQUAL</DifferenceType></member>";

fn drifted(action: &str, _: &str) -> Option<String> {
    about_drift(action, "DRIFTED", &(table() + &queue("MODIFIED", BY_HAND)))
}

fn in_sync(action: &str, _: &str) -> Option<String> {
    about_drift(action, "IN_SYNC", &(table() + &queue("IN_SYNC", "")))
}

fn unreadable(action: &str, _: &str) -> Option<String> {
    about_drift(action, "IN_SYNC", &(table() + &queue("UNKNOWN", "")))
}

/// The server tells nobody anything of drift.
fn denied(_: &str, _: &str) -> Option<String> {
    None
}

/// A workspace that would deploy what is deployed, as the server tells it.
fn workspace() -> Workspace {
    let workspace = Workspace::valid();
    workspace.assembly(|template, manifest| {
        template["Resources"]["Orders"] = json!({"Type": "AWS::DynamoDB::Table"});
        manifest["stacks"][0]["resources"]["Orders"] =
            json!({"type": "AWS::DynamoDB::Table", "source": "stacks/main.rs:8:5"});
    });
    workspace
}

#[test]
fn what_somebody_changed_by_hand_is_told_with_what_becomes_of_it() {
    let server = Server::answering(Some("UPDATE_COMPLETE"), drifted);
    let workspace = workspace();
    let diff = |more: &[&str]| run("diff", &workspace, &server, more);
    let outcome = diff(&["--drift"]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let told = "live: DelaySeconds is \"60\" and not \"5\" as deployed; this deploy leaves it so";
    let words = outcome
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(words.contains(told), "{outcome:?}");
    assert!(words.contains("1 not as deployed"), "{outcome:?}");
    // Nothing would change, and all the same it is not as it was deployed.
    assert_eq!(diff(&["--exit-code"]).code, Some(0));
    assert_eq!(diff(&["--drift", "--exit-code"]).code, Some(3));
    let document = diff(&["--drift", "--json"]).json();
    let live = &document["stacks"][0]["live"];
    assert_eq!(live["status"], "DRIFTED", "{live}");
    assert_eq!(
        live["resources"][0]["properties"][0],
        json!({"path": "Properties.DelaySeconds", "deployed": "5", "live": "60", "fate": "left"})
    );
    // A change of the same property overwrites it.
    workspace.assembly(|template, _| {
        template["Resources"]["Queue"]["Properties"]["DelaySeconds"] = json!(10);
    });
    let outcome = diff(&["--drift"]);
    let words = outcome
        .stdout
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    assert!(
        words.contains("this deploy overwrites it with 10"),
        "{outcome:?}"
    );
    let reads =
        |action: &String| super::cloudformation::is_reading(action) || action.starts_with("Detect");
    assert!(server.actions().iter().all(reads), "{:?}", server.actions());
}

#[test]
fn what_nobody_could_look_at_is_not_taken_for_as_deployed() {
    for (answers, code) in [
        (in_sync as fn(&str, &str) -> Option<String>, 0),
        (unreadable, 3),
        (denied, 3),
    ] {
        let server = Server::answering(Some("UPDATE_COMPLETE"), answers);
        let outcome = run("diff", &workspace(), &server, &["--drift", "--exit-code"]);
        assert_eq!(outcome.code, Some(code), "{outcome:?}");
    }
}

#[test]
fn what_somebody_deleted_is_told_with_what_makes_it_anew() {
    fn deleted(action: &str, _: &str) -> Option<String> {
        about_drift(action, "DRIFTED", &(table() + &queue("DELETED", "")))
    }
    let (workspace, server) = (
        workspace(),
        Server::answering(Some("UPDATE_COMPLETE"), deleted),
    );
    let outcome = run("drift", &workspace, &server, &[]);
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    let told = format!(
        "`stackctl drift orders-dev --revert --stage dev --endpoint-url {}`",
        server.url()
    );
    assert!(outcome.stdout.contains(&told), "{outcome:?}");
}
