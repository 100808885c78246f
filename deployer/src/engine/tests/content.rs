//! Buckets that are filled with folders, and values from other regions.
//!
//! What S3 answers is on <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html> and the pages of the
//! other operations; metadata comes back as headers that start with `x-amz-meta-`.

mod large;

use std::{
    collections::BTreeMap,
    fs,
    path::Path,
    sync::{Arc, OnceLock},
};

use aws_sdk_cloudfront::Client as CloudFront;
use aws_sdk_s3::Client as S3;
use aws_smithy_mocks::{Rule, mock};
use stack_model::assembly::{ContentManifest, OutputReference};

use super::{
    answers::{self, Stack},
    script::{Answer, STACK, Script, TEMPLATE, http, names, one, stack},
};
use crate::{
    content::{self, Content},
    engine::{CancelHandle, DeployError, Event, Explained, Outcome, StackDeployment, deploy},
    error::{Error, Kind},
};

fn folder() -> tempfile::TempDir {
    let root = tempfile::tempdir().expect("a directory");
    let site = root.path().join("site");
    fs::create_dir(&site).expect("makes");
    fs::write(site.join("index.html"), "<p>hello").expect("writes");
    fs::write(site.join("app.js"), "let a").expect("writes");
    root
}

fn content(root: &Path, invalidate: Option<&str>) -> Content {
    let manifest = ContentManifest {
        bucket: "Site".to_owned(),
        folder: "site".to_owned(),
        invalidate: invalidate.map(str::to_owned),
        ..ContentManifest::default()
    };
    content::read(root, &manifest).expect("reads")
}

/// A stack that is as it should be, with a folder for its bucket.
fn unchanged(content: Content) -> StackDeployment {
    let mut stack = stack(STACK, &[]);
    stack.contents = BTreeMap::from([("Pages".to_owned(), content)]);
    stack
}

/// The calls up to the content: the stack is unchanged, and has a bucket and a distribution.
fn settled() -> Script {
    Script::new()
        .describe(STACK, Stack::new("UPDATE_COMPLETE").xml())
        .template(TEMPLATE)
        .resources(&[
            ("Site", "AWS::S3::Bucket", "site-bucket", "CREATE_COMPLETE"),
            (
                "Cdn",
                "AWS::CloudFront::Distribution",
                "E123",
                "CREATE_COMPLETE",
            ),
        ])
}

fn listed(keys: &'static [&'static str]) -> Rule {
    mock!(S3::list_objects_v2)
        .match_requests(|input| input.bucket() == Some("site-bucket"))
        .then_http_response(move || {
            let contents: Vec<String> = keys
                .iter()
                .map(|key| format!("<Contents><Key>{key}</Key><Size>1</Size></Contents>"))
                .collect();
            let contents = contents.concat();
            http(
                200,
                &format!("<ListBucketResult>{contents}</ListBucketResult>"),
            )
        })
}

fn head(key: &'static str, fingerprint: Option<String>) -> Rule {
    mock!(S3::head_object)
        .match_requests(move |input| input.key() == Some(key))
        .then_http_response(move || {
            let mut answer = http(200, "");
            if let Some(fingerprint) = &fingerprint {
                let headers = answer.headers_mut();
                headers.insert("x-amz-meta-stackctl-fingerprint", fingerprint.clone());
            }
            answer
        })
}

fn put(key: &'static str, content_type: &'static str) -> Rule {
    put_with(key, content_type, true)
}

/// An object that is to be written once more, when the distribution forgot what it had.
fn put_unsealed(key: &'static str, content_type: &'static str) -> Rule {
    put_with(key, content_type, false)
}

fn put_with(key: &'static str, content_type: &'static str, fingerprint: bool) -> Rule {
    mock!(S3::put_object)
        .match_requests(move |input| {
            input.key() == Some(key)
                && input.content_type() == Some(content_type)
                && input.checksum_sha256().is_some()
                && input
                    .metadata()
                    .and_then(|data| data.get("stackctl-fingerprint"))
                    .is_some_and(|found| (found != "pending") == fingerprint)
        })
        .then_http_response(|| http(200, ""))
}

fn invalidated() -> Rule {
    mock!(CloudFront::create_invalidation)
        .match_requests(|input| {
            let batch = input.invalidation_batch();
            let paths = batch.and_then(|batch| batch.paths());
            input.distribution_id() == Some("E123")
                && paths.is_some_and(|paths| paths.items() == ["/*"])
                && batch.is_some_and(|batch| batch.caller_reference().ends_with("-Pages"))
        })
        .then_http_response(|| {
            http(
                201,
                "<Invalidation><Id>I1</Id><Status>InProgress</Status><CreateTime>2024-01-02T03:04:05Z</CreateTime><InvalidationBatch><Paths><Quantity>1</Quantity></Paths><CallerReference>r</CallerReference></InvalidationBatch></Invalidation>",
            )
        })
}

#[tokio::test]
async fn what_is_new_is_uploaded_pages_last_and_the_rest_is_removed() {
    let root = folder();
    let deleted = mock!(S3::delete_objects)
        .match_requests(|input| {
            let objects = input.delete().map(aws_sdk_s3::types::Delete::objects);
            objects.is_some_and(|objects| objects.len() == 1 && objects[0].key() == "old.html")
        })
        .then_http_response(|| http(200, "<DeleteResult></DeleteResult>"));
    let played = settled()
        .s3(
            "list_objects_v2",
            listed(&["old.html", "uploads/of-a-user.png"]),
        )
        .s3("head_object", head("old.html", Some("earlier".to_owned())))
        .s3("head_object", head("uploads/of-a-user.png", None))
        .s3(
            "put_object",
            put("app.js", "text/javascript; charset=utf-8"),
        )
        .s3(
            "put_object",
            put_unsealed("index.html", "text/html; charset=utf-8"),
        )
        .s3("delete_objects", deleted)
        .cloudfront("create_invalidation", invalidated())
        .s3("put_object", put("index.html", "text/html; charset=utf-8"))
        .play();
    let deployment = one(unchanged(content(root.path(), Some("Cdn"))));
    let report = deploy(&played.context, deployment, Answer::never())
        .await
        .expect("is published");
    assert_eq!(report.stacks[0].outcome, Outcome::Unchanged);
    assert_eq!(
        names(&played.finish()),
        ["stack_started", "content_published", "finished unchanged"]
    );
}

#[tokio::test]
async fn what_is_published_already_is_left_alone() {
    let root = folder();
    let content = content(root.path(), Some("Cdn"));
    let fingerprint = |key: &str| Some(content.files[key].fingerprint());
    let played = settled()
        .s3("list_objects_v2", listed(&["app.js", "index.html"]))
        .s3("head_object", head("app.js", fingerprint("app.js")))
        .s3("head_object", head("index.html", fingerprint("index.html")))
        .play();
    deploy(&played.context, one(unchanged(content)), Answer::never())
        .await
        .expect("nothing to do");
    assert_eq!(
        names(&played.finish()),
        ["stack_started", "finished unchanged"]
    );
}

/// A run that ends before the distribution forgot what it had leaves a difference for the next one.
#[tokio::test]
async fn a_removal_is_not_done_before_the_distribution_forgot_it() {
    let root = folder();
    let content = content(root.path(), Some("Cdn"));
    let fingerprint = |key: &str| Some(content.files[key].fingerprint());
    let deleted =
        mock!(S3::delete_objects).then_http_response(|| http(200, "<DeleteResult></DeleteResult>"));
    let denied = mock!(CloudFront::create_invalidation).then_http_response(|| {
        http(
            403,
            "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>not you</Message></Error></ErrorResponse>",
        )
    });
    let played = settled()
        .s3(
            "list_objects_v2",
            listed(&["app.js", "index.html", "old.html"]),
        )
        .s3("head_object", head("app.js", fingerprint("app.js")))
        .s3("head_object", head("index.html", fingerprint("index.html")))
        .s3("head_object", head("old.html", Some("earlier".to_owned())))
        .s3(
            "put_object",
            put_unsealed("index.html", "text/html; charset=utf-8"),
        )
        .s3("delete_objects", deleted)
        .cloudfront("create_invalidation", denied)
        .play();
    deploy(&played.context, one(unchanged(content)), Answer::never())
        .await
        .expect_err("is denied");
    played.finish();
}

#[tokio::test]
async fn an_object_of_somebody_else_is_written_anew_and_others_can_be_kept() {
    let root = folder();
    let mut content = content(root.path(), None);
    content.manifest.keep_others = true;
    let fingerprint = Some(content.files["app.js"].fingerprint());
    let played = settled()
        .s3(
            "list_objects_v2",
            listed(&["app.js", "index.html", "kept.html"]),
        )
        .s3("head_object", head("app.js", fingerprint))
        .s3("head_object", head("index.html", None))
        .s3("put_object", put("index.html", "text/html; charset=utf-8"))
        .play();
    deploy(&played.context, one(unchanged(content)), Answer::never())
        .await
        .expect("is published");
    played.finish();
}

#[tokio::test]
async fn how_far_a_large_folder_is_is_told_at_each_hundred() {
    let root = tempfile::tempdir().expect("a directory");
    fs::create_dir(root.path().join("site")).expect("makes");
    for number in 0..150 {
        let file = root.path().join(format!("site/{number}.js"));
        fs::write(file, "let a").expect("writes");
    }
    let listed = mock!(S3::list_objects_v2).then_http_response(|| {
        let keys = (0..120)
            .map(|number| format!("<Contents><Key>old{number}.js</Key><Size>1</Size></Contents>"));
        let keys: String = keys.collect();
        http(200, &format!("<ListBucketResult>{keys}</ListBucketResult>"))
    });
    let mut script = settled().s3("list_objects_v2", listed);
    for _ in 0..120 {
        let ours = mock!(S3::head_object).then_http_response(|| {
            let mut answer = http(200, "");
            let headers = answer.headers_mut();
            headers.insert("x-amz-meta-stackctl-fingerprint", "earlier");
            answer
        });
        script = script.s3("head_object", ours);
    }
    for _ in 0..150 {
        let put = mock!(S3::put_object).then_http_response(|| http(200, ""));
        script = script.s3("put_object", put);
    }
    let deleted =
        mock!(S3::delete_objects).then_http_response(|| http(200, "<DeleteResult></DeleteResult>"));
    let played = script.s3("delete_objects", deleted).play();
    let deployment = one(unchanged(content(root.path(), None)));
    deploy(&played.context, deployment, Answer::never())
        .await
        .expect("is published");
    let told: Vec<String> = played
        .finish()
        .iter()
        .filter_map(|event| match event {
            Event::ContentProgress {
                content,
                step,
                done,
                total,
                ..
            } => Some(format!("{content} {step:?} {done}/{total}")),
            _ => None,
        })
        .collect();
    assert_eq!(
        told,
        [
            "Pages Looking 0/120",
            "Pages Looking 100/120",
            "Pages Looking 120/120",
            "Pages Writing 0/150",
            "Pages Writing 100/150",
            "Pages Writing 150/150",
            "Pages Removing 0/120",
            "Pages Removing 120/120",
        ]
    );
}

/// Ctrl-C while the first of two uploads is under way: it is finished, the next is not begun, and the next run does only
/// that.
#[tokio::test]
async fn stopping_ends_between_two_objects_and_the_next_run_goes_on() {
    let root = folder();
    let handle: Arc<OnceLock<CancelHandle>> = Arc::default();
    let pressed = Arc::clone(&handle);
    let interrupting = mock!(S3::put_object)
        .match_requests(|input| input.key() == Some("app.js"))
        .then_http_response(move || {
            pressed.get().expect("the run has begun").cancel();
            http(200, "")
        });
    let played = settled()
        .s3("list_objects_v2", listed(&["old.html"]))
        .s3("head_object", head("old.html", Some("earlier".to_owned())))
        .s3("put_object", interrupting)
        .play();
    handle.set(played.handle.clone()).expect("is set once");
    let deployment = one(unchanged(content(root.path(), Some("Cdn"))));
    let error = deploy(&played.context, deployment, Answer::never())
        .await
        .expect_err("was stopped");
    assert_eq!(error.kind(), Kind::Interrupted);
    let error = Error::from(error);
    assert_eq!(
        error.message(),
        "stack intake-dev is deployed, and `Pages` is not published"
    );
    assert_eq!(
        error.causes(),
        [
            "stopped after 1 of 2 uploads to bucket site-bucket; not uploaded: `index.html`; nothing was removed",
        ]
    );
    assert_eq!(names(&played.finish()), ["stack_started", "stack_failed"]);

    let content = content(root.path(), None);
    let fingerprint = Some(content.files["app.js"].fingerprint());
    let deleted =
        mock!(S3::delete_objects).then_http_response(|| http(200, "<DeleteResult></DeleteResult>"));
    let played = settled()
        .s3("list_objects_v2", listed(&["app.js", "old.html"]))
        .s3("head_object", head("app.js", fingerprint))
        .s3("head_object", head("old.html", Some("earlier".to_owned())))
        .s3("put_object", put("index.html", "text/html; charset=utf-8"))
        .s3("delete_objects", deleted)
        .play();
    deploy(&played.context, one(unchanged(content)), Answer::never())
        .await
        .expect("is published");
    played.finish();
}

#[tokio::test]
async fn a_bucket_that_cannot_be_filled_fails_the_stack() {
    let root = folder();
    let denied = mock!(S3::list_objects_v2).then_http_response(|| {
        http(
            403,
            "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>",
        )
    });
    let played = settled().s3("list_objects_v2", denied).play();
    let error = deploy(
        &played.context,
        one(unchanged(content(root.path(), None))),
        Answer::never(),
    )
    .await
    .expect_err("is denied");
    let DeployError::Failed(report) = error else {
        panic!("{error}");
    };
    let failure = report.stacks[0].failure.as_ref().expect("says why");
    assert!(
        failure.message.contains("`Pages` is not published"),
        "{failure:?}"
    );
    assert!(
        failure
            .hints
            .iter()
            .any(|hint| hint.starts_with("deploy again")),
        "{failure:?}"
    );
}

/// A stack that takes the certificate of a stack in another region. Scripted clients are the same in every region.
fn with_reference() -> StackDeployment {
    let mut stack = stack(STACK, &[]);
    let reference = OutputReference {
        stack: "site-certificate-dev".to_owned(),
        region: "us-east-1".to_owned(),
        output: "Arn".to_owned(),
    };
    stack.manifest.references = BTreeMap::from([("CertificateArn".to_owned(), reference)]);
    stack
}

#[tokio::test]
async fn a_value_that_another_region_does_not_have_is_named() {
    let played = Script::new()
        .describe(
            "site-certificate-dev",
            answers::absent("site-certificate-dev"),
        )
        .play();
    let error = deploy(&played.context, one(with_reference()), Answer::never())
        .await
        .expect_err("there is no certificate");
    let DeployError::Failed(report) = error else {
        panic!("{error}");
    };
    let failure = report.stacks[0].failure.as_ref().expect("says why");
    assert_eq!(failure.kind, Kind::Deploy);
    assert_eq!(
        failure.message,
        "stack intake-dev takes output `Arn` of stack site-certificate-dev in us-east-1, which has none"
    );
    assert_eq!(
        failure.hints,
        ["deploy site-certificate-dev first, or both together"]
    );
    played.finish();
}
