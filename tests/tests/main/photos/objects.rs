//! What people put into the bucket, and what happens to it there.

use serde_json::{Value, json};
use system_tests::account::Account;
use system_tests::http::Answer;
use system_tests::poll::{PATIENCE, eventually};

use super::people::Person;
use super::rekognition::Rekognition;
use super::rows::Call;
use super::{Deployed, text};

/// The smallest of images would do; nobody looks at it.
const IMAGE: &str = "an image";

/// Everybody reaches objects of their own, and nobody else's.
pub(super) fn are_kept_apart(
    system: &Deployed,
    (ann, ann_id): (&Person, &str),
    (bob, bob_id): (&Person, &str),
) {
    let key = format!("private/{ann_id}/mine.gif");
    assert_eq!(put(&ann.account, system, &key).status, 200);
    assert_eq!(ask(&ann.account, system, "GET", &key, "").body, IMAGE);
    for method in ["GET", "PUT", "DELETE"] {
        let answer = ask(&bob.account, system, method, &key, IMAGE);
        assert_eq!(answer.status, 403, "{method}: {answer:?}");
    }
    for elsewhere in [
        "mine.gif",
        "private/mine.gif",
        &format!("public/{bob_id}/mine.gif"),
    ] {
        let answer = put(&bob.account, system, elsewhere);
        assert_eq!(answer.status, 403, "{elsewhere}: {answer:?}");
    }
    assert!(exists(system, &key));
    assert!(ask(&ann.account, system, "DELETE", &key, "").status < 300);
    assert!(!exists(system, &key));
}

/// Images that arrive are labelled, other objects are nobody's business, and what cannot be labelled is kept in mind.
///
/// The engine has no Rekognition, so the function is told another address for it once it is deployed; what it then asks
/// and gets is what Rekognition's reference says.
pub(super) fn are_labelled(system: &Deployed, call: Call, id: fn(&Person) -> &str) {
    let person = Person::sign_in(system, "eve");
    let key = |name: &str| format!("private/{}/{name}", id(&person));
    let register = |name: &str| {
        let body = json!({"name": name}).to_string();
        let answer = call(&person, system, "POST", "", &body);
        assert_eq!(answer.status, 200, "{answer:?}");
    };

    // Of an image that the API is never told of, a message is left after three tries. Had any object before it been
    // taken for an image, there would be a message of that too.
    for name in ["a.gif", "a.jpeg", "jpg", "a.png.txt", "lost.jpg"] {
        assert_eq!(put(&person.account, system, &key(name)).status, 200);
    }
    assert_eq!(put(&system.account, system, "elsewhere/b.jpg").status, 200);
    assert_eq!(unlabelled(system), key("lost.jpg"));

    let rekognition = Rekognition::start();
    ask_at(system, rekognition.url());

    // The usual order: the object is there, and then its entry.
    let name = "lawn Fairy+Icon ü.png";
    assert_eq!(put(&person.account, system, &key(name)).status, 200);
    register(name);
    // The other order, and the other kind of image.
    register("late.jpg");
    assert_eq!(put(&person.account, system, &key("late.jpg")).status, 200);

    let labels_of = |name: &str| {
        let album = call(&person, system, "GET", "", "").json();
        let photos = album["photos"].as_array()?.clone();
        photos
            .into_iter()
            .find(|photo| photo["name"] == name)?
            .get("objects")
            .cloned()
    };
    for name in [name, "late.jpg"] {
        let what = format!("labels of {name}");
        let labels = eventually(&what, PATIENCE, || labels_of(name));
        assert_eq!(
            labels,
            json!([
                {"item": "Green", "score": "99.90799713134766"},
                {"item": "Plant", "score": "96.51382446289062"},
            ])
        );
        let request = rekognition.request_for(&key(name));
        assert_eq!(
            request,
            json!({"Image": {"S3Object": {"Bucket": system.bucket, "Name": key(name)}}, "MaxLabels": 10})
        );
    }

    // Another photo of a name that is there, in both orders. The event of an object that comes first is spent on the entry
    // whose place the new one then takes, and the labels stay.
    let has = |name: &str, label: &str| {
        let labels = labels_of(name).filter(|labels| labels[0]["item"] == label);
        labels.map(|labels| assert_eq!(labels, json!([{"item": label, "score": "88.5"}])))
    };
    rekognition.sees("Cat", 88.5);
    assert_eq!(put(&person.account, system, &key(name)).status, 200);
    eventually("labels of the second object", PATIENCE, || has(name, "Cat"));
    register(name);
    assert_eq!(has(name, "Cat"), Some(()));
    rekognition.sees("Dog", 88.5);
    register("late.jpg");
    assert_eq!(put(&person.account, system, &key("late.jpg")).status, 200);
    eventually("labels of the second entry", PATIENCE, || {
        has("late.jpg", "Dog")
    });

    // Nothing else was left behind meanwhile.
    assert_eq!(waiting(system), None);
}

/// Puts an object.
pub(super) fn put(account: &Account, system: &Deployed, key: &str) -> Answer {
    ask(account, system, "PUT", key, IMAGE)
}

/// Returns whether there is an object.
pub(super) fn exists(system: &Deployed, key: &str) -> bool {
    let answer = ask(&system.account, system, "GET", key, "");
    assert!(matches!(answer.status, 200 | 404), "{answer:?}");
    answer.status == 200
}

fn ask(account: &Account, system: &Deployed, method: &str, key: &str, body: &str) -> Answer {
    let path = format!("/{}/{}", system.bucket, encoded(key));
    account.request("s3", method, &path, &[], body)
}

/// Encodes a key for a path, as S3 wants it signed.
fn encoded(key: &str) -> String {
    key.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}

/// Waits for an object that could not be labelled, and returns its key.
fn unlabelled(system: &Deployed) -> String {
    let failure = eventually("an object that cannot be labelled", PATIENCE, || {
        waiting(system)
    });
    let record: Value = serde_json::from_str(&text(&failure["Body"])).expect("Lambda writes JSON");
    assert_eq!(record["requestContext"]["condition"], "RetriesExhausted");
    assert_eq!(record["responsePayload"]["errorType"], "ProcessError");
    // S3 writes keys as forms do, but these have nothing to encode beside the colon.
    text(&record["requestPayload"]["Records"][0]["s3"]["object"]["key"]).replace("%3A", ":")
}

fn waiting(system: &Deployed) -> Option<Value> {
    let url = &system.unlabelled_queue_url;
    let request = json!({"QueueUrl": url, "WaitTimeSeconds": 1, "MaxNumberOfMessages": 10});
    let answer = system
        .account
        .call("sqs", "AmazonSQS.ReceiveMessage", &request);
    let messages = answer["Messages"].as_array().cloned().unwrap_or_default();
    assert!(messages.len() < 2, "{messages:#?}");
    messages.into_iter().next()
}

/// Tells the function where to find Rekognition.
fn ask_at(system: &Deployed, url: &str) {
    let path = "/2015-03-31/functions/photos-dev-process/configuration";
    let configuration = system.account.get("lambda", path).json();
    let mut variables = configuration["Environment"]["Variables"].clone();
    assert_eq!(variables["DYNAMODB_TABLE"], system.table);
    assert_eq!(variables["S3_PHOTO_BUCKET"], system.bucket);
    variables["AWS_ENDPOINT_URL_REKOGNITION"] = json!(url);
    let change = json!({"Environment": {"Variables": variables}}).to_string();
    let headers = [("content-type", "application/json".to_owned())];
    let answer = system
        .account
        .request("lambda", "PUT", path, &headers, &change);
    assert_eq!(answer.status, 200, "{answer:?}");
}
