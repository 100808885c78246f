use std::cell::RefCell;

use stack_bindings::sdk::rekognition;
use stack_bindings::sdk::rekognition::operation::detect_labels::DetectLabelsOutput;
use stack_bindings::{Bucket, ImageLabels, ObjectChanges};

use super::*;
use crate::album::Label;
use crate::functions::ProcessPhoto;
use crate::process::{ProcessError, process, process_with};

/// An event of S3, with keys as S3 writes them.
fn created(keys: &[&str]) -> ObjectChanges {
    let records: Vec<Value> = keys
        .iter()
        .map(|key| {
            json!({
                "eventSource": "aws:s3",
                "eventName": "ObjectCreated:Put",
                "eventTime": "2021-05-04T12:34:56.789Z",
                "s3": {"bucket": {"name": "crpics2app-dev"}, "object": {"key": key, "size": 3, "eTag": "e"}},
            })
        })
        .collect();
    ObjectChanges::decode(json!({ "Records": records })).expect("is an event")
}

/// The key of the photo `lawnFairyIcon.png`, as S3 writes it.
fn key() -> String {
    format!("private/{}/lawnFairyIcon.png", CALLER.replace(':', "%3A"))
}

fn labels() -> Value {
    json!([
        {"item": "Green", "score": "99.90799713134766"},
        {"item": "Plant", "score": "96.51382446289062"},
    ])
}

fn writing(position: usize) -> Update {
    Update::new(
        &format!("SET #photos[{position}].#objects = :objects"),
        &format!("#photos[{position}].#id = :id"),
        json!({":id": "2", ":objects": labels()}),
    )
}

/// Processes an event, and returns the keys on which labels were looked for too.
async fn run(rules: &[&Rule], event: ObjectChanges) -> (Result<(), ProcessError>, Vec<String>) {
    let asked = RefCell::new(Vec::new());
    let outcome = process_with(&albums(rules), event, async |key: &str| {
        asked.borrow_mut().push(key.to_owned());
        let labels: Vec<Label> = serde_json::from_value(labels())?;
        Ok::<_, serde_json::Error>(labels)
    })
    .await;
    (outcome, asked.into_inner())
}

#[tokio::test]
async fn the_entry_of_the_object_gains_labels() {
    let photos = [photo("1", "a.png"), photo("2", "lawnFairyIcon.png")];
    let rules = [finds(&photos), writing(1).leaves(&photos)];
    let (outcome, asked) = run(&rules.each_ref(), created(&[&key()])).await;
    outcome.expect("is labelled");
    assert_eq!(asked, [format!("private/{CALLER}/lawnFairyIcon.png")]);
}

#[tokio::test]
async fn a_key_is_decoded_as_a_form() {
    let photos = [photo("2", "a b+c.png")];
    let rules = [finds(&photos), writing(0).leaves(&photos)];
    let key = format!("private/{CALLER}/a+b%2Bc.png");
    let (outcome, asked) = run(&rules.each_ref(), created(&[&key])).await;
    outcome.expect("is labelled");
    assert_eq!(asked, [format!("private/{CALLER}/a b+c.png")]);
}

/// The object may be there before the person has an album, or the album has the photo; Lambda then tries again.
#[tokio::test]
async fn an_object_without_an_entry_is_tried_again_later() {
    for rule in [finds_nothing(), finds(&[photo("1", "a.png")])] {
        let (outcome, asked) = run(&[&rule], created(&[&key()])).await;
        let error = outcome.expect_err("is tried again");
        assert_eq!(
            error.to_string(),
            format!("there is no entry for the object private/{CALLER}/lawnFairyIcon.png yet")
        );
        assert!(asked.is_empty(), "nothing is paid for in vain");
    }
}

#[tokio::test]
async fn an_entry_that_has_moved_is_found_again() {
    let before = [photo("1", "a.png"), photo("2", "lawnFairyIcon.png")];
    let after = [photo("2", "lawnFairyIcon.png")];
    let rules = [
        finds(&before),
        writing(1).comes_too_late(),
        finds(&after),
        writing(0).leaves(&after),
    ];
    let (outcome, asked) = run(&rules.each_ref(), created(&[&key()])).await;
    outcome.expect("is labelled");
    assert_eq!(asked.len(), 1);
}

#[tokio::test]
async fn an_entry_that_is_removed_meanwhile_gets_no_labels() {
    let rules = [
        finds(&[photo("2", "lawnFairyIcon.png")]),
        writing(0).comes_too_late(),
        finds(&[]),
    ];
    let (outcome, _) = run(&rules.each_ref(), created(&[&key()])).await;
    assert!(matches!(outcome, Err(ProcessError::NoEntry(_))));
}

#[tokio::test]
async fn one_failure_fails_the_event_and_spares_the_rest() {
    let photos = [photo("2", "lawnFairyIcon.png")];
    let rules = [finds(&photos), finds(&photos), writing(0).leaves(&photos)];
    let missing = format!("private/{CALLER}/missing.png");
    let (outcome, asked) = run(&rules.each_ref(), created(&[&missing, &key()])).await;
    assert!(matches!(outcome, Err(ProcessError::NoEntry(key)) if key.ends_with("missing.png")));
    assert_eq!(asked.len(), 1);
}

#[tokio::test]
async fn labels_that_cannot_be_had_fail_the_event() {
    let found = finds(&[photo("2", "lawnFairyIcon.png")]);
    let outcome = process_with(&albums(&[&found]), created(&[&key()]), async |_: &str| {
        Err::<Vec<Label>, _>(std::io::Error::other("no labels"))
    })
    .await;
    assert!(matches!(outcome, Err(ProcessError::Labels(..))));
}

#[tokio::test]
async fn objects_of_nobody_are_passed_over() {
    let event = created(&["a.png", "private/owner/album/a.png", "public/owner/a.png"]);
    let (outcome, asked) = run(&[], event).await;
    outcome.expect("there is nothing to do");
    assert!(asked.is_empty());
}

/// Rekognition is asked for ten labels of the object in the function's bucket, and their scores are kept as texts with
/// all digits that it gave.
#[tokio::test]
async fn rekognition_knows_the_labels() {
    let detection = mock!(rekognition::Client::detect_labels)
        .match_requests(|request| {
            let object = request.image().and_then(|image| image.s3_object());
            object.is_some_and(|object| {
                object.bucket() == Some("crpics2app-dev")
                    && object.name() == Some(&format!("private/{CALLER}/lawnFairyIcon.png"))
            }) && request.max_labels() == Some(10)
        })
        .then_output(|| {
            let label = |name: &str, confidence: f32| {
                rekognition::types::Label::builder()
                    .name(name)
                    .confidence(confidence)
                    .build()
            };
            // The numbers of the answer on the wire are 99.90799713134766 and 96.51382446289062.
            DetectLabelsOutput::builder()
                .labels(label("Green", 99.908))
                .labels(label("Plant", 96.513_824))
                .build()
        });
    let config = rekognition::Config::builder()
        .behavior_version_latest()
        .region(rekognition::config::Region::new("us-west-2"))
        .credentials_provider(Credentials::new("id", "secret", None, None, "tests"))
        .http_client(create_mock_http_client())
        .interceptor(scripted(&[&detection], RuleMode::Sequential))
        .build();
    let photos = [photo("1", "a.png"), photo("2", "lawnFairyIcon.png")];
    let rules = [finds(&photos), writing(1).leaves(&photos)];
    let bindings = ProcessPhoto {
        albums: albums(&rules.each_ref()),
        photos: Bucket::with_client(delete::client(&[]), "crpics2app-dev"),
        labels: ImageLabels::with_client(rekognition::Client::from_conf(config)),
    };
    process(&bindings, created(&[&key()]))
        .await
        .expect("is labelled");
    assert_eq!(detection.num_calls(), 1);
}
