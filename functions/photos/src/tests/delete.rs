use stack_bindings::Bucket;
use stack_bindings::sdk::s3;
use stack_bindings::sdk::s3::operation::delete_object::{DeleteObjectError, DeleteObjectOutput};

use super::*;
use crate::delete::delete;
use crate::functions::DeletePhoto;

const BUCKET: &str = "crpics2app-dev";

pub(super) fn client(rules: &[&Rule]) -> s3::Client {
    let config = s3::Config::builder()
        .behavior_version_latest()
        .region(s3::config::Region::new("us-west-2"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "tests"))
        .http_client(create_mock_http_client())
        .interceptor(scripted(rules, RuleMode::Sequential))
        .build();
    s3::Client::from_conf(config)
}

fn photos(rules: &[&Rule]) -> Bucket<stack_bindings::Delete> {
    Bucket::with_client(client(rules), BUCKET)
}

/// The object of the photo `b.png` is deleted.
fn deletes_object() -> Rule {
    mock!(s3::Client::delete_object)
        .match_requests(|request| {
            request.bucket() == Some(BUCKET)
                && request.key() == Some(&format!("private/{CALLER}/b.png"))
        })
        .then_output(|| DeleteObjectOutput::builder().build())
}

async fn ask(objects: &[&Rule], rules: &[&Rule], query: Value) -> (u16, Value) {
    let bindings = DeletePhoto {
        albums: albums(rules),
        photos: photos(objects),
        caller_identity: identity(),
    };
    let request = request(json!({"httpMethod": "DELETE", "queryStringParameters": query}));
    answer(delete(&bindings, request).await)
}

/// The removal of the photo `2` at a position.
fn removal(position: usize) -> Update {
    Update::new(
        &format!("REMOVE #photos[{position}]"),
        &format!("#photos[{position}].#id = :id"),
        json!({":id": "2"}),
    )
}

#[tokio::test]
async fn object_and_entry_go() {
    let object = deletes_object();
    let before = [photo("1", "a.png"), photo("2", "b.png")];
    let after = [photo("1", "a.png")];
    let rules = [finds(&before), removal(1).leaves(&after)];
    let answered = ask(&[&object], &rules.each_ref(), json!({"id": "2"})).await;
    assert_eq!(answered, (200, album(&after)));
    assert_eq!(object.num_calls(), 1);
}

#[tokio::test]
async fn an_entry_outlives_an_object_that_cannot_be_deleted() {
    let object = mock!(s3::Client::delete_object).then_error(|| {
        let error = s3::error::ErrorMetadata::builder()
            .code("AccessDenied")
            .build();
        DeleteObjectError::generic(error)
    });
    // Nothing is scripted after the read: an update would fail the test.
    let found = finds(&[photo("2", "b.png")]);
    let answered = ask(&[&object], &[&found], json!({"id": "2"})).await;
    assert_eq!(answered, refused("the photos cannot be reached"));
    assert_eq!(object.num_calls(), 1);
}

#[tokio::test]
async fn an_entry_that_has_moved_is_found_again() {
    let object = deletes_object();
    let rules = [
        finds(&[photo("1", "a.png"), photo("2", "b.png")]),
        removal(1).comes_too_late(),
        finds(&[photo("2", "b.png"), photo("3", "a.png")]),
        removal(0).leaves(&[photo("3", "a.png")]),
    ];
    let answered = ask(&[&object], &rules.each_ref(), json!({"id": "2"})).await;
    assert_eq!(answered, (200, album(&[photo("3", "a.png")])));
    assert_eq!(object.num_calls(), 1);
}

#[tokio::test]
async fn an_entry_that_somebody_else_removes_is_gone_too() {
    let object = deletes_object();
    let rules = [
        finds(&[photo("2", "b.png")]),
        removal(0).comes_too_late(),
        finds(&[]),
    ];
    let answered = ask(&[&object], &rules.each_ref(), json!({"id": "2"})).await;
    assert_eq!(answered, (200, album(&[])));
}

#[tokio::test]
async fn an_unknown_photo_is_not_found_and_deletes_nothing() {
    let found = finds(&[photo("1", "a.png")]);
    let answered = ask(&[], &[&found], json!({"id": "2"})).await;
    let body = json!({"error": "there is no photo with the id 2"});
    assert_eq!(answered, (404, body));
}

#[tokio::test]
async fn somebody_without_photos_has_none_to_delete() {
    let answered = ask(&[], &[&finds_nothing()], json!({"id": "2"})).await;
    assert_eq!(answered, refused("there are no photos"));
}

#[tokio::test]
async fn the_photo_has_to_be_named() {
    let missing = refused("the query parameter `id` is missing");
    for query in [
        Value::Null,
        json!({}),
        json!({"id": ""}),
        json!({"ID": "2"}),
    ] {
        assert_eq!(ask(&[], &[], query).await, missing);
    }
}

#[tokio::test]
async fn nobody_deletes() {
    let bindings = DeletePhoto {
        albums: albums(&[]),
        photos: photos(&[]),
        caller_identity: identity(),
    };
    let answered = delete(&bindings, anonymous()).await;
    assert_eq!(answer(answered), refused("the request has no caller"));
}
