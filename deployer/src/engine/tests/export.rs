//! What is imported from other apps.

use std::collections::BTreeSet;

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_smithy_mocks::{Rule, mock};

use super::{
    answers,
    given::stack,
    script::{Script, http},
};
use crate::aws::Fault;
use crate::engine::{MissingExport, StackDeployment, missing_exports};

/// One page of `ListExports`, as
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListExports.html> shows it.
fn page(after: Option<&'static str>, names: &[&str], next: Option<&str>) -> Rule {
    let exports: Vec<String> = names
        .iter()
        .map(|name| format!("<member><ExportingStackId>arn:aws:cloudformation:eu-central-1:123456789012:stack/network/1</ExportingStackId><Name>{name}</Name><Value>x</Value></member>"))
        .collect();
    let next = next.map(|next| format!("<NextToken>{next}</NextToken>"));
    let body = format!(
        "<Exports>{}</Exports>{}",
        exports.concat(),
        next.unwrap_or_default()
    );
    let body = answers::result("ListExports", &body);
    mock!(CloudFormation::list_exports)
        .match_requests(move |input| input.next_token() == after)
        .then_http_response(move || http(200, &body))
}

fn importing(names: &[&str]) -> StackDeployment {
    let mut stack = stack("api-dev", &[]);
    stack.manifest.imports = names.iter().map(|name| (*name).to_owned()).collect();
    stack
}

#[tokio::test]
async fn a_missing_export_is_found_across_pages() {
    let script = Script::new()
        .cloudformation("list_exports", page(None, &["zone-id", "other"], Some("2")))
        .cloudformation("list_exports", page(Some("2"), &["vpc-id"], None));
    let played = script.play();
    let stack = importing(&["vpc-id", "zone-id", "certificate"]);
    let missing = missing_exports(&played.context, [&stack.manifest]).await;
    assert_eq!(
        missing.expect("CloudFormation answers"),
        [MissingExport {
            export: "certificate".to_owned(),
            stack: "api-dev".to_owned(),
            region: "eu-central-1".to_owned(),
        }]
    );
    played.finish();
}

#[tokio::test]
async fn no_page_is_read_that_is_not_needed() {
    // A second call would not be answered.
    let script = Script::new().cloudformation("list_exports", page(None, &["zone-id"], Some("2")));
    let played = script.play();
    let stack = importing(&["zone-id"]);
    let missing = missing_exports(&played.context, [&stack.manifest]).await;
    assert_eq!(missing.expect("CloudFormation answers"), []);
    played.finish();

    let played = Script::new().play();
    let stack = importing(&[]);
    assert_eq!(stack.manifest.imports, BTreeSet::new());
    let missing = missing_exports(&played.context, [&stack.manifest]).await;
    assert_eq!(missing.expect("nobody is asked"), []);
}

#[tokio::test]
async fn who_may_not_list_exports_is_told_so() {
    let body = answers::error(
        "AccessDenied",
        "User: arn:aws:iam::123456789012:user/dev is not authorized to perform: cloudformation:ListExports",
    );
    let denied = mock!(CloudFormation::list_exports).then_http_response(move || http(403, &body));
    let played = Script::new().cloudformation("list_exports", denied).play();
    let stack = importing(&["zone-id"]);
    let error = missing_exports(&played.context, [&stack.manifest]).await;
    let error = error.expect_err("the call is denied");
    assert!(matches!(error.fault(), Fault::Denied { .. }), "{error:?}");
}
