use super::*;
use crate::functions::UploadPhoto;
use crate::upload::{Stamp, TRIES, upload};

const CHANGE: &str = "SET #photos = :photos";
const UNCHANGED: &str = "#photos = :seen";
const NEW: &str = "attribute_not_exists(#photos) OR #photos = :seen";

fn stamp() -> Stamp {
    Stamp {
        date: "2021-05-04T12:34:56.789012".to_owned(),
        id: "new".to_owned(),
    }
}

async fn send(rules: &[&Rule], body: &str) -> (u16, Value) {
    let bindings = UploadPhoto {
        albums: albums(rules),
        caller_identity: identity(),
    };
    let request = request(json!({"httpMethod": "POST", "body": body}));
    answer(upload(&bindings, request, stamp()).await)
}

#[tokio::test]
async fn the_first_photo_makes_the_album() {
    let after = [photo("new", "a.png")];
    let update = Update::new(CHANGE, NEW, json!({":photos": after, ":seen": []}));
    let answered = send(
        &[&finds_nothing(), &update.leaves(&after)],
        r#"{"name": "a.png"}"#,
    )
    .await;
    assert_eq!(answered, (200, album(&after)));
}

#[tokio::test]
async fn a_photo_takes_the_place_of_one_with_its_name_at_the_end() {
    let before = [photo("1", "a.png"), photo("2", "b.png")];
    let after = [photo("2", "b.png"), photo("new", "a.png")];
    let update = Update::new(
        CHANGE,
        UNCHANGED,
        json!({":photos": after, ":seen": before}),
    );
    let answered = send(
        &[&finds(&before), &update.leaves(&after)],
        r#"{"name": "a.png"}"#,
    )
    .await;
    assert_eq!(answered, (200, album(&after)));
}

/// The object comes first and then the request, so the labels of the new object are those of the old entry already; nothing
/// tells of that object again.
#[tokio::test]
async fn a_photo_keeps_the_labels_of_the_one_whose_place_it_takes() {
    let labels = json!([{"item": "Plant", "score": "96.5"}]);
    let mut labelled = photo("1", "a.png");
    labelled["objects"] = labels.clone();
    let mut replaced = photo("new", "a.png");
    replaced["objects"] = labels;
    let before = [labelled, photo("2", "b.png")];
    let after = [photo("2", "b.png"), replaced];
    let update = Update::new(
        CHANGE,
        UNCHANGED,
        json!({":photos": after, ":seen": before}),
    );
    let answered = send(
        &[&finds(&before), &update.leaves(&after)],
        r#"{"name": "a.png"}"#,
    )
    .await;
    assert_eq!(answered, (200, album(&after)));
}

#[tokio::test]
async fn what_happens_meanwhile_is_not_lost() {
    let mut labelled = photo("1", "a.png");
    labelled["objects"] = json!([{"item": "Plant", "score": "96.5"}]);
    let first = [photo("1", "a.png")];
    let second = [labelled.clone(), photo("2", "b.png")];
    let after = [labelled, photo("2", "b.png"), photo("new", "c.png")];
    let late = Update::new(
        CHANGE,
        UNCHANGED,
        json!({":photos": [photo("1", "a.png"), photo("new", "c.png")], ":seen": first}),
    );
    let in_time = Update::new(
        CHANGE,
        UNCHANGED,
        json!({":photos": after, ":seen": second}),
    );
    let rules = [
        finds(&first),
        late.comes_too_late(),
        finds(&second),
        in_time.leaves(&after),
    ];
    let answered = send(&rules.each_ref(), r#"{"name": "c.png"}"#).await;
    assert_eq!(answered, (200, album(&after)));
}

#[tokio::test]
async fn an_album_that_never_rests_is_left_alone() {
    let after = [photo("new", "a.png")];
    let update = Update::new(CHANGE, NEW, json!({":photos": after, ":seen": []}));
    let rules: Vec<Rule> = (0..TRIES)
        .flat_map(|_| [finds_nothing(), update.clone().comes_too_late()])
        .collect();
    let rules: Vec<&Rule> = rules.iter().collect();
    let answered = send(&rules, r#"{"name": "a.png"}"#).await;
    assert_eq!(
        answered,
        refused("the photos are being changed elsewhere, try again")
    );
}

#[tokio::test]
async fn an_album_has_an_end() {
    let after = [photo("new", "a.png")];
    let update = Update::new(CHANGE, NEW, json!({":photos": after, ":seen": []}));
    let rules = [finds_nothing(), update.fails("ValidationException")];
    let answered = send(&rules.each_ref(), r#"{"name": "a.png"}"#).await;
    assert_eq!(answered, refused("there are too many photos"));
}

#[tokio::test]
async fn only_names_are_taken() {
    let missing = refused("the name is missing");
    for body in ["", "{}", r#"{"name": ""}"#] {
        assert_eq!(send(&[], body).await, missing, "{body}");
    }
    let unfit = refused("the body must be a JSON object with a `name`");
    for body in ["name=a.png", "[]", "null", r#"{"name": 1}"#] {
        assert_eq!(send(&[], body).await, unfit, "{body}");
    }
    let path = refused("the name must not contain `/`, and must not be `.` or `..`");
    for body in [r#"{"name": "a/b.png"}"#, r#"{"name": ".."}"#] {
        assert_eq!(send(&[], body).await, path, "{body}");
    }
}

#[tokio::test]
async fn nobody_uploads() {
    let bindings = UploadPhoto {
        albums: albums(&[]),
        caller_identity: identity(),
    };
    let answered = upload(&bindings, anonymous(), stamp()).await;
    assert_eq!(answer(answered), refused("the request has no caller"));
}

#[test]
fn every_stamp_is_another() {
    let (one, other) = (Stamp::now(), Stamp::now());
    assert_ne!(one.id, other.id);
    let id = uuid::Uuid::parse_str(&one.id).expect("is a UUID");
    assert_eq!(id.get_version_num(), 4);
    // Six digits of the second and no zone, as in `2021-05-04T12:34:56.789012`.
    assert_eq!(one.date.len(), 26, "{}", one.date);
    assert_eq!(one.date.as_bytes()[10], b'T');
}
