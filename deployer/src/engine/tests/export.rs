//! What is imported from other apps.

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_smithy_mocks::{Rule, mock};
use serde_json::{Value, json};

use super::{
    answers,
    given::stack,
    script::{Script, http},
};
use crate::aws::Fault;
use crate::engine::{Import, MissingExport, imports, missing_exports};

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

fn importing(names: &[&str]) -> Vec<Import> {
    let mut stack = stack("api-dev", &[]).manifest;
    stack.imports = names.iter().map(|name| (*name).to_owned()).collect();
    imports(&[(&stack, &Value::Null)], &[0])
}

#[tokio::test]
async fn a_missing_export_is_found_across_pages() {
    let script = Script::new()
        .cloudformation("list_exports", page(None, &["zone-id", "other"], Some("2")))
        .cloudformation("list_exports", page(Some("2"), &["vpc-id"], None));
    let played = script.play();
    let wanted = importing(&["vpc-id", "zone-id", "certificate"]);
    let missing = missing_exports(&played.context, &wanted).await;
    assert_eq!(
        missing.expect("CloudFormation answers"),
        [MissingExport {
            import: Import {
                export: "certificate".to_owned(),
                stack: "api-dev".to_owned(),
                exporter: None,
                region: None,
            },
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
    let missing = missing_exports(&played.context, &importing(&["zone-id"])).await;
    assert_eq!(missing.expect("CloudFormation answers"), []);
    played.finish();

    let played = Script::new().play();
    let missing = missing_exports(&played.context, &importing(&[])).await;
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
    let error = missing_exports(&played.context, &importing(&["zone-id"])).await;
    let error = error.expect_err("the call is denied");
    assert!(matches!(error.fault(), Fault::Denied { .. }), "{error:?}");
}

#[test]
fn what_stacks_of_the_app_export_counts_where_they_are_not_deployed_too() {
    let exporting =
        |name: &str| json!({"Outputs": {"Id": {"Value": "x", "Export": {"Name": name}}}});
    let importing = json!({"Resources": {"A": {"Type": "T", "Properties": {"Of": [
        {"Fn::ImportValue": "api-id"},
        {"Fn::Join": ["/", [{"Fn::ImportValue": "user-id"}, "x"]]},
        {"Fn::ImportValue": {"Fn::Sub": "${Name}-id"}},
    ]}}}});
    let [api, user, mut order] =
        ["api-dev", "user-dev", "order-dev"].map(|name| stack(name, &[]).manifest);
    order.imports.insert("zone-id".to_owned());
    let (of_api, of_user) = (exporting("api-id"), exporting("user-id"));
    let stacks = [(&api, &of_api), (&user, &of_user), (&order, &importing)];
    let found = |selected: &[usize]| -> Vec<(String, Option<String>)> {
        let imports = imports(&stacks, selected).into_iter();
        imports
            .map(|found| (found.export, found.exporter))
            .collect()
    };
    let own = |export: &str, exporter: &str| (export.to_owned(), Some(exporter.to_owned()));
    let zone = ("zone-id".to_owned(), None);
    assert_eq!(
        found(&[2]),
        [
            own("api-id", "api-dev"),
            own("user-id", "user-dev"),
            zone.clone()
        ]
    );
    assert_eq!(found(&[0, 2]), [own("user-id", "user-dev"), zone.clone()]);
    assert_eq!(found(&[0, 1, 2]), [zone]);
    assert_eq!(found(&[0, 1]), []);
}
