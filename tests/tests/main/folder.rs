//! A folder with many files that fills a bucket: what costs a call for each file, and what does not.

use std::fs;

use serde_json::json;
use system_tests::account::texts;
use system_tests::proxy::Proxy;

use crate::fixture::{Fixture, STACK};

/// How many files the folder has.
const FILES: usize = 150;

#[test]
fn a_large_folder_is_looked_at_only_where_somebody_wrote_its_bucket() {
    let fixture = Fixture::new(&json!({}));
    fs::create_dir(fixture.workspace().join("site")).expect("the workspace can be written");
    for number in 0..FILES {
        fixture.write(
            &format!("site/{number:04}.js"),
            &format!("let a = {number}"),
        );
    }
    fixture.edit(|template, stack| {
        template["Resources"]["Site"] = json!({"Type": "AWS::S3::Bucket"});
        stack["contents"] = json!({"Pages": {"bucket": "Site", "folder": "site"}});
    });
    let proxy = Proxy::start(fixture.sandbox.engine().url());
    let url = proxy.url();
    let place = ["--stage", "dev", "--endpoint-url", &url];
    let deploy = [&["deploy"], &place[..]].concat();
    let run = fixture.sandbox.succeed(&deploy);
    let told = format!("slow-dev/Pages: {FILES} added, 0 changed, 0 removed");
    assert!(run.stderr.contains(&told), "{run}");
    // A log hears of it on the way: each tenth, as far as hundreds tell it.
    let told = format!("slow-dev/Pages: writing, 100 of {FILES} done");
    assert!(run.stderr.contains(&told), "{run}");

    let account = fixture.sandbox.account();
    let arguments = [("StackName", STACK), ("LogicalResourceId", "Site")];
    let resources = account.query(
        "cloudformation",
        "2010-05-15",
        "DescribeStackResources",
        &arguments,
    );
    let bucket = texts(&resources, "PhysicalResourceId").concat();
    let looks = || proxy.count("HEAD /");
    let written = || proxy.count(&format!("PUT /{bucket}/"));

    proxy.forget();
    let run = fixture.sandbox.succeed(&deploy);
    assert!(run.stderr.contains("unchanged"), "{run}");
    assert_eq!((looks(), written()), (0, 0), "{:#?}", proxy.calls());
    let diff = [&["diff"], &place[..]].concat();
    let run = fixture.sandbox.succeed(&diff);
    assert!(run.stdout.contains("nothing would change"), "{run}");
    assert_eq!(looks(), 0, "{:#?}", proxy.calls());

    // Somebody writes an object with the same bytes and another type, and removes another.
    let path = |number: usize| format!("/{bucket}/{number:04}.js");
    let headers = [("content-type", "text/plain".to_owned())];
    let answer = account.request("s3", "PUT", &path(3), &headers, "let a = 3");
    assert_eq!(answer.status, 200, "{answer:?}");
    let answer = account.request("s3", "DELETE", &path(7), &[], "");
    assert_eq!(answer.status, 204, "{answer:?}");
    let run = fixture.sandbox.succeed(&diff);
    assert!(
        run.stdout.contains("1 file added to Pages") && run.stdout.contains("1 file changed in"),
        "{run}"
    );
    proxy.forget();
    let run = fixture.sandbox.succeed(&deploy);
    let told = "slow-dev/Pages: 1 added, 1 changed, 0 removed";
    assert!(run.stderr.contains(told), "{run}");
    assert_eq!((looks(), written()), (1, 2), "{:#?}", proxy.calls());
    assert_eq!(account.objects(&bucket).len(), FILES);

    proxy.forget();
    fixture.sandbox.succeed(&deploy);
    assert_eq!((looks(), written()), (0, 0), "{:#?}", proxy.calls());

    // Nothing of it is left.
    let destroy = [&["destroy"], &place[..]].concat();
    fixture.sandbox.succeed(&destroy);
    let left = account.objects(&fixture.bucket());
    assert!(left.keys().all(|key| !key.starts_with(STACK)), "{left:?}");
}
