//! What cannot be deployed is known from the plan.
#![cfg(target_os = "linux")]

use serde_json::json;

use super::cloudformation::{Server, run};
use super::workspace::Workspace;

/// A region that exports nothing, in the form of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListExports.html>.
fn no_exports(action: &str, _: &str) -> Option<String> {
    (action == "ListExports").then(|| {
        "<ListExportsResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><ListExportsResult><Exports/>\
         </ListExportsResult></ListExportsResponse>"
            .to_owned()
    })
}

#[test]
fn an_export_that_is_missing_is_told_by_diff_as_by_deploy() {
    let server = Server::answering(None, no_exports);
    let workspace = Workspace::valid();
    workspace.assembly(|template, manifest| {
        template["Resources"]["Queue"]["Properties"]["QueueName"] =
            json!({"Fn::ImportValue": "data-dev-Name"});
        manifest["stacks"][0]["imports"] = json!(["data-dev-Name"]);
    });
    let missing = "stack orders-dev imports `data-dev-Name`, and nothing in us-east-1 exports it";
    let deploy = run("deploy", &workspace, &server, &["--yes"]);
    assert_eq!(deploy.code, Some(1), "{deploy:?}");
    assert!(deploy.stderr.contains(missing), "{deploy:?}");
    let diff = run("diff", &workspace, &server, &[]);
    assert_eq!(diff.code, Some(0), "{diff:?}");
    let told = format!("CANNOT BE DEPLOYED {missing}");
    assert!(diff.stdout.contains(&told), "{diff:?}");
    // Whoever keeps a plan wants to deploy it.
    let kept = run("diff", &workspace, &server, &["--out", "plan"]);
    assert_eq!(kept.code, Some(1), "{kept:?}");
    let told = format!("this cannot be deployed: orders-dev: {missing}");
    assert!(kept.stderr.contains(&told), "{kept:?}");
}
