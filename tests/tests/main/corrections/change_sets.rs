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
    let stack = Stack(&deployed, "corrected");
    let (status, _) = stack.change("more", &template(&exported));
    assert_eq!(status, "CREATE_COMPLETE");
    stack.call("ExecuteChangeSet", &[("ChangeSetName", "more")]);
    let described = stack.ended("UPDATE_COMPLETE");
    assert_eq!(texts(&described, "ExportName"), ["name-of-queue"]);

    let (status, reason) = stack.change("same", &template(&exported));
    assert_eq!(status, "FAILED");
    assert!(reason.contains("contain changes"), "{reason}");
}

/// What AWS advises where an export is in use: the stack that imports it takes its value from elsewhere first
/// (<https://repost.aws/knowledge-center/cloudformation-stack-export-name-error>).
#[test]
fn who_imports_takes_the_same_value_from_elsewhere() {
    let export = |name: &str| json!({"Value": {"Fn::GetAtt": ["Queue", "QueueName"]}, "Export": {"Name": name}});
    let deployed = Deployed::new(
        &json!({"Queue": {"Type": "AWS::SQS::Queue"}}),
        &json!({"First": export("first"), "Second": export("second")}),
    );
    let template = |from: &str| {
        let value = json!({"Fn::ImportValue": from});
        let properties = json!({"Type": "String", "Value": value});
        json!({"Resources": {"Name": {"Type": "AWS::SSM::Parameter", "Properties": properties}}})
    };
    let stack = Stack(&deployed, "importing");
    let first = template("first").to_string();
    stack.call("CreateStack", &[("TemplateBody", &first)]);
    stack.ended("CREATE_COMPLETE");
    let (status, reason) = stack.change("same", &template("first"));
    assert_eq!(status, "FAILED", "{reason}");

    let (status, reason) = stack.change("other", &template("second"));
    assert_eq!(status, "CREATE_COMPLETE", "{reason}");
    stack.call("ExecuteChangeSet", &[("ChangeSetName", "other")]);
    stack.ended("UPDATE_COMPLETE");
    let importers = stack.call("ListImports", &[("ExportName", "second")]);
    assert!(importers.contains("importing"), "{importers}");
}

/// A stack by its name.
struct Stack<'a>(&'a Deployed, &'a str);

impl Stack<'_> {
    /// Makes a change set, and returns its status and the reason of that.
    fn change(&self, name: &str, template: &Value) -> (String, String) {
        let template = template.to_string();
        let arguments = [("ChangeSetName", name), ("TemplateBody", template.as_str())];
        self.call("CreateChangeSet", &arguments);
        let described = self.call("DescribeChangeSet", &[("ChangeSetName", name)]);
        let text = |tag| texts(&described, tag).concat();
        (text("Status"), text("StatusReason"))
    }

    /// Waits for a status, and returns what the stack is then.
    fn ended(&self, status: &str) -> String {
        eventually(status, PATIENCE, || {
            let answer = self.call("DescribeStacks", &[]);
            (texts(&answer, "StackStatus").concat() == status).then_some(answer)
        })
    }

    /// Calls CloudFormation about the stack.
    fn call(&self, action: &str, arguments: &[(&str, &str)]) -> String {
        let Self(deployed, name) = self;
        let stack = [("StackName", *name)];
        let arguments = [&stack, arguments].concat();
        let account = &deployed.account;
        account.query("cloudformation", "2010-05-15", action, &arguments)
    }
}
