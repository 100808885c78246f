//! Buckets with many objects: what they were found to hold is written down.

use aws_sdk_s3::operation::{head_object::HeadObjectOutput, put_object::PutObjectOutput};
use serde_json::json;

use super::*;
use crate::engine::{
    Deployment,
    tests::{publish::BUCKET, records},
};

/// A folder of forty files: large enough for what its bucket holds to be written down.
fn large(root: &Path) -> Content {
    fs::create_dir(root.join("site")).expect("makes");
    for number in 0..40 {
        fs::write(root.join(format!("site/{number:02}.js")), "let a").expect("writes");
    }
    content(root, None)
}

/// The same bytes in another state than the one in which `minute` was another.
fn large_listed(content: &Content, minute: impl Fn(&str) -> u32 + Send + Sync) -> Rule {
    let objects = content.files.keys().map(|key| {
        format!(
            "<Contents><Key>{key}</Key><ETag>&quot;e-{key}&quot;</ETag><LastModified>2026-07-28T06:{:02}:00.000Z</LastModified><Size>5</Size></Contents>",
            minute(key)
        )
    });
    let objects: String = objects.collect();
    let body = format!("<ListBucketResult>{objects}</ListBucketResult>");
    mock!(S3::list_objects_v2)
        .match_requests(|input| input.bucket() == Some("site-bucket"))
        .then_http_response(move || http(200, &body))
}

const KNOWN: &str = "intake-dev/content/Pages.json";

/// What an earlier run wrote down of the bucket at six o'clock.
fn known(content: &Content) -> serde_json::Value {
    let written: i64 = 1_785_218_400_000_000_000;
    let objects = content.files.iter().map(|(key, file)| {
        let object = json!({"etag": format!("e-{key}"), "written": written, "fingerprint": file.fingerprint()});
        (key.clone(), object)
    });
    let objects: serde_json::Map<_, _> = objects.collect();
    json!({"bucket": "site-bucket", "objects": objects})
}

fn read_known(known: &serde_json::Value) -> Rule {
    let known = known.to_string();
    mock!(S3::get_object)
        .match_requests(|input| input.bucket() == Some(BUCKET) && input.key() == Some(KNOWN))
        .then_http_response(move || http(200, &known))
}

fn write_known(known: serde_json::Value) -> Rule {
    mock!(S3::put_object)
        .match_requests(move |input| {
            let bytes = input.body().bytes().unwrap_or_default();
            input.key() == Some(KNOWN) && serde_json::from_slice(bytes).ok() == Some(known.clone())
        })
        .then_http_response(|| http(200, ""))
}

/// A stack that is as it was written down, in a region that has an artifact bucket.
async fn recorded() -> Script {
    let found = Stack::new("UPDATE_COMPLETE");
    let etag = records::etag(&found, TEMPLATE).await;
    records::begun(&[(records::MARK, &etag)])
        .describe(STACK, found.xml())
        .resources(&[("Site", "AWS::S3::Bucket", "site-bucket", "CREATE_COMPLETE")])
}

fn with_records(content: Content) -> Deployment {
    Deployment {
        records: true,
        ..one(unchanged(content))
    }
}

/// Two calls, however many files there are.
#[tokio::test]
async fn a_large_bucket_that_nobody_changed_is_listed_and_not_looked_at() {
    let root = tempfile::tempdir().expect("a directory");
    let content = large(root.path());
    let played = recorded()
        .await
        .s3("list_objects_v2", large_listed(&content, |_| 0))
        .s3("get_object", read_known(&known(&content)))
        .play();
    deploy(&played.context, with_records(content), Answer::never())
        .await
        .expect("nothing to do");
    assert_eq!(
        names(&played.finish()),
        ["stack_started", "finished unchanged"]
    );
}

/// Somebody wrote an object with the same bytes and other headers, put one beside the others and removed one.
#[tokio::test]
async fn what_somebody_changed_in_a_large_bucket_is_found_and_mended() {
    let root = tempfile::tempdir().expect("a directory");
    let content = large(root.path());
    let mut listed = content.clone();
    listed.files.remove("07.js");
    let file = content.files["03.js"].clone();
    listed.files.insert("theirs.png".to_owned(), file);
    // Objects are looked at and written abreast, in any order.
    let named = |key: Option<&str>| format!("\"e-{}\"", key.unwrap_or_default());
    let put = || {
        mock!(S3::put_object)
            .match_requests(|input| matches!(input.key(), Some("03.js" | "07.js")))
            .then_compute_output(move |input| {
                let e_tag = named(input.key());
                PutObjectOutput::builder().e_tag(e_tag).build()
            })
    };
    let head = || {
        mock!(S3::head_object)
            .match_requests(|input| matches!(input.key(), Some("03.js" | "theirs.png")))
            .then_compute_output(move |input| {
                let e_tag = named(input.key());
                HeadObjectOutput::builder().e_tag(e_tag).build()
            })
    };
    let mut after = content.clone();
    let theirs = after.files["03.js"].clone();
    after.files.insert("theirs.png".to_owned(), theirs);
    let mut then = known(&content);
    let minute: i64 = 60_000_000_000;
    for key in ["03.js", "07.js"] {
        let written = then["objects"][key]["written"].as_i64().expect("is there");
        then["objects"][key]["written"] = json!(written + 9 * minute);
    }
    let theirs =
        json!({"etag": "e-theirs.png", "written": 1_785_218_400_000_000_000_i64 + 5 * minute});
    then["objects"]["theirs.png"] = theirs;
    let at = |key: &str, ours: u32| match key {
        "03.js" | "07.js" => ours,
        "theirs.png" => 5,
        _ => 0,
    };
    let played = recorded()
        .await
        .s3(
            "list_objects_v2",
            large_listed(&listed, move |key| at(key, 5)),
        )
        .s3("get_object", read_known(&known(&content)))
        .s3("head_object", head())
        .s3("head_object", head())
        .s3("put_object", put())
        .s3("put_object", put())
        .s3(
            "list_objects_v2",
            large_listed(&after, move |key| at(key, 9)),
        )
        .s3("put_object", write_known(then))
        .play();
    deploy(&played.context, with_records(content), Answer::never())
        .await
        .expect("is published");
    let events = played.finish();
    let published = events.iter().find_map(|event| match event {
        Event::ContentPublished {
            added,
            changed,
            removed,
            ..
        } => Some((*added, *changed, *removed)),
        _ => None,
    });
    assert_eq!(published, Some((1, 1, 0)));
}

/// Where nothing is written down yet, each object is looked at, once.
#[tokio::test]
async fn what_a_large_bucket_was_found_to_hold_is_written_down() {
    let root = tempfile::tempdir().expect("a directory");
    let content = large(root.path());
    let absent = mock!(S3::get_object).then_http_response(|| {
        http(
            404,
            "<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>",
        )
    });
    let mut script = recorded()
        .await
        .s3("list_objects_v2", large_listed(&content, |_| 0))
        .s3("get_object", absent);
    for (key, file) in content.files.clone() {
        let head = mock!(S3::head_object)
            .match_requests(move |input| input.key() == Some(&key))
            .then_http_response({
                let fingerprint = file.fingerprint();
                let name = file
                    .path
                    .file_name()
                    .map(|name| name.to_string_lossy().into_owned());
                move || {
                    let mut answer = http(200, "");
                    let headers = answer.headers_mut();
                    headers.insert("x-amz-meta-stackctl-fingerprint", fingerprint.clone());
                    headers.insert(
                        "etag",
                        format!("\"e-{}\"", name.as_deref().unwrap_or_default()),
                    );
                    answer
                }
            });
        script = script.s3("head_object", head);
    }
    let played = script.s3("put_object", write_known(known(&content))).play();
    deploy(&played.context, with_records(content), Answer::never())
        .await
        .expect("nothing to do");
    assert_eq!(
        names(&played.finish()),
        ["stack_started", "finished unchanged"]
    );
}
