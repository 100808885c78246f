//! What goes with a stack: the objects of its buckets, and what was published for it.

use super::*;

/// Two pages of versions; the second holds a delete marker only
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>).
const VERSIONS: [&str; 2] = [
    "<?xml version=\"1.0\"?><ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
     <IsTruncated>true</IsTruncated><NextKeyMarker>a</NextKeyMarker><NextVersionIdMarker>v1</NextVersionIdMarker>\
     <Version><Key>a</Key><VersionId>v2</VersionId><IsLatest>true</IsLatest></Version>\
     <Version><Key>a</Key><VersionId>v1</VersionId><IsLatest>false</IsLatest></Version></ListVersionsResult>",
    "<?xml version=\"1.0\"?><ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
     <IsTruncated>false</IsTruncated>\
     <DeleteMarker><Key>b</Key><VersionId>v3</VersionId><IsLatest>true</IsLatest></DeleteMarker></ListVersionsResult>",
];

const NO_VERSIONS: &str = "<?xml version=\"1.0\"?><ListVersionsResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
     <IsTruncated>false</IsTruncated></ListVersionsResult>";

fn lists(
    script: Script,
    bucket: &'static str,
    prefix: Option<&'static str>,
    marker: Option<&'static str>,
    body: &'static str,
) -> Script {
    script.s3(
        "list_object_versions",
        mock!(S3::list_object_versions)
            .match_requests(move |input| {
                input.bucket() == Some(bucket)
                    && input.prefix() == prefix
                    && input.key_marker() == marker
            })
            .then_http_response(move || http(200, body)),
    )
}

fn deletes(
    script: Script,
    versions: &'static [(&'static str, &'static str)],
    body: &'static str,
) -> Script {
    script.s3(
        "delete_objects",
        mock!(S3::delete_objects)
            .match_requests(move |input| {
                let objects: Vec<_> = input
                    .delete()
                    .map(Delete::objects)
                    .unwrap_or_default()
                    .iter()
                    .map(|object| (object.key(), object.version_id().unwrap_or_default()))
                    .collect();
                objects == versions
            })
            .then_http_response(move || http(200, body)),
    )
}

const DELETED: &str =
    "<?xml version=\"1.0\"?><DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\"/>";

#[tokio::test]
async fn buckets_that_are_deleted_are_emptied_and_others_are_kept() {
    let template = r#"{"Resources":{
        "Photos":{"Type":"AWS::S3::Bucket"},
        "Kept":{"Type":"AWS::S3::Bucket","DeletionPolicy":"Retain"},
        "Gone":{"Type":"AWS::S3::Bucket"}}}"#;
    let mut script = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(template)
        .resources(&[
            ("Photos", "AWS::S3::Bucket", "photos-1", "CREATE_COMPLETE"),
            ("Kept", "AWS::S3::Bucket", "kept-1", "CREATE_COMPLETE"),
            ("Gone", "AWS::S3::Bucket", "gone-1", "DELETE_COMPLETE"),
        ]);
    script = lists(script, "photos-1", None, None, VERSIONS[0]);
    script = deletes(script, &[("a", "v2"), ("a", "v1")], DELETED);
    script = lists(script, "photos-1", None, Some("a"), VERSIONS[1]);
    script = deletes(script, &[("b", "v3")], DELETED);
    let played = gone(script).play();
    let report = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect("the stack is gone");
    assert_eq!(report.stacks[0].retained["Kept"], "kept-1");
    assert_eq!(report.stacks[0].retained.len(), 1);
    assert_eq!(
        names(&played.finish_as("destroy"))[1..3],
        ["bucket_emptying", "bucket_emptied"]
    );
}

#[tokio::test]
async fn an_object_that_may_not_be_deleted_ends_the_removal() {
    let mut script = Script::new()
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .describe(STACK, Stack::new("CREATE_COMPLETE").xml())
        .template(r#"{"Resources":{"Photos":{"Type":"AWS::S3::Bucket"}}}"#)
        .resources(&[("Photos", "AWS::S3::Bucket", "photos-1", "CREATE_COMPLETE")]);
    script = lists(script, "photos-1", None, None, VERSIONS[1]);
    script = deletes(
        script,
        &[("b", "v3")],
        "<?xml version=\"1.0\"?><DeleteResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Error><Key>b</Key><Code>AccessDenied</Code><Message>Access Denied</Message></Error></DeleteResult>",
    );
    let played = script.play();
    let error = destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect_err("an object stays");
    assert_eq!(
        Error::from(error).causes(),
        [
            "a call for stack intake-dev failed",
            "AWS denied the call: b: Access Denied (DeleteObjects: AccessDenied)"
        ]
    );
    played.finish_as("destroy");
}

#[tokio::test]
async fn the_artifacts_of_a_stack_go_with_it() {
    let mut bucket = Stack::new("CREATE_COMPLETE");
    bucket.name = BOOTSTRAP_STACK;
    bucket.outputs = vec![("ArtifactBucket", "artifacts-1")];
    let mut script = Script::new()
        .describe(STACK, answers::absent(STACK))
        .describe(STACK, answers::absent(STACK))
        .describe(BOOTSTRAP_STACK, bucket.xml());
    script = lists(
        script,
        "artifacts-1",
        Some("intake-dev/"),
        None,
        NO_VERSIONS,
    );
    script = lists(
        script,
        "artifacts-1",
        Some("state/intake-dev."),
        None,
        NO_VERSIONS,
    );
    let played = script.play();
    destroy(&played.context, request(&[(STACK, &[])]))
        .await
        .expect("nothing is left");
    played.finish_as("destroy");
}
