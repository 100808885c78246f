//! Updates that change no resource.

use serde_json::{Value, json};
use system_tests::account::texts;
use system_tests::poll::{PATIENCE, eventually};

use super::Deployed;

/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/outputs-section-structure.html>: a template may
/// change its outputs alone, and one that changes nothing is refused.
#[test]
fn outputs_change_by_themselves() {
    let resources = json!({"Queue": {"Type": "AWS::SQS::Queue"}});
    let url = json!({"Value": {"Ref": "Queue"}});
    let deployed = Deployed::new(&resources, &json!({"Url": url}));
    let template = |outputs: &Value| json!({"Resources": resources, "Outputs": outputs});

    let exported = json!({"Url": url, "Name": {
        "Value": {"Fn::GetAtt": ["Queue", "QueueName"]}, "Export": {"Name": "name-of-queue"}}});
    let (status, _) = change(&deployed, "more", &template(&exported));
    assert_eq!(status, "CREATE_COMPLETE");
    call(&deployed, "ExecuteChangeSet", &[("ChangeSetName", "more")]);
    let described = eventually("the end of the update", PATIENCE, || {
        let answer = call(&deployed, "DescribeStacks", &[]);
        let status = texts(&answer, "StackStatus").concat();
        (status == "UPDATE_COMPLETE").then_some(answer)
    });
    assert_eq!(texts(&described, "ExportName"), ["name-of-queue"]);

    let (status, reason) = change(&deployed, "same", &template(&exported));
    assert_eq!(status, "FAILED");
    assert!(reason.contains("contain changes"), "{reason}");
}

/// Makes a change set of the stack, and returns its status and the reason of that.
fn change(deployed: &Deployed, name: &str, template: &Value) -> (String, String) {
    let template = template.to_string();
    let arguments = [("ChangeSetName", name), ("TemplateBody", template.as_str())];
    call(deployed, "CreateChangeSet", &arguments);
    let described = call(deployed, "DescribeChangeSet", &[("ChangeSetName", name)]);
    let text = |tag| texts(&described, tag).concat();
    (text("Status"), text("StatusReason"))
}

/// Calls CloudFormation about the stack.
fn call(deployed: &Deployed, action: &str, arguments: &[(&str, &str)]) -> String {
    let stack = [("StackName", "corrected")];
    let arguments = [&stack, arguments].concat();
    deployed
        .account
        .query("cloudformation", "2010-05-15", action, &arguments)
}
