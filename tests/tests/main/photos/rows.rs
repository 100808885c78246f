//! What the API promises, row by row.

use serde_json::{Value, json};
use system_tests::http::{self, Answer};

use super::people::{Person, allow_passwords, signed as signed_request};
use super::{Deployed, objects, text};

/// How somebody calls the API.
pub(super) type Call = fn(&Person, &Deployed, &str, &str, &str) -> Answer;

/// Every row where requests are signed.
pub(super) fn signed(system: &Deployed) {
    allow_passwords(system);
    let [ann, bob] = ["ann", "bob"].map(|name| Person::sign_in(system, name));

    let unsigned = http::send("GET", &system.url, &[], "");
    assert_eq!(
        (unsigned.status, unsigned.json()),
        (403, json!({"message": "Missing Authentication Token"}))
    );
    readable_by_pages(&unsigned);
    // A token of the user pool is no signature, and whoever the API is not allowed to gets nowhere.
    let token = ann.show_token(system, "GET", "", "");
    assert_eq!(token.status, 403, "{token:?}");
    let stranger = system.account.as_role("stranger", None);
    let refused = signed_request(&stranger, system, "GET", "", "");
    assert_eq!(refused.status, 403, "{refused:?}");
    // Somebody of the account who may call the API is nobody whose photos it keeps.
    let nobody = signed_request(&system.account, system, "GET", "", "");
    assert_eq!(
        (nobody.status, nobody.json()),
        (400, json!({"error": "the request has no caller"}))
    );
    stranger_is_gone(system);

    albums_are_kept_apart(
        system,
        Person::sign,
        (&ann, &ann.identity),
        (&bob, &bob.identity),
    );
    preflights_ask_nobody(system);
}

/// Every row where requests carry a token.
pub(super) fn with_token(system: &Deployed) {
    allow_passwords(system);
    let [ann, bob] = ["ann", "bob"].map(|name| Person::sign_in(system, name));

    let unauthorized = (401, json!({"message": "Unauthorized"}));
    let without = http::send("GET", &system.url, &[], "");
    assert_eq!((without.status, without.json()), unauthorized);
    readable_by_pages(&without);
    let forged = [("authorization".to_owned(), format!("{}x", ann.id_token))];
    let forged = http::send("GET", &system.url, &forged, "");
    assert_eq!((forged.status, forged.json()), unauthorized);
    let bearer = [(
        "authorization".to_owned(),
        format!("Bearer {}", ann.id_token),
    )];
    let bearer = http::send("GET", &system.url, &bearer, "");
    assert_eq!((bearer.status, bearer.json()), (200, json!({"photos": []})));
    // The signature of the same person is no token.
    let signed = ann.sign(system, "GET", "", "");
    assert_eq!(signed.status, 401, "{signed:?}");

    albums_are_kept_apart(
        system,
        Person::show_token,
        (&ann, &ann.subject),
        (&bob, &bob.subject),
    );
    preflights_ask_nobody(system);
}

/// What people do with their albums, whichever way they call. Each is given with the id by which the system knows them.
fn albums_are_kept_apart(
    system: &Deployed,
    call: Call,
    (ann, ann_id): (&Person, &str),
    (bob, bob_id): (&Person, &str),
) {
    let get = |person| ok(&call(person, system, "GET", "", ""));
    let post = |person, name: &str| {
        ok(&call(
            person,
            system,
            "POST",
            "",
            &json!({"name": name}).to_string(),
        ))
    };

    // Somebody new has no photos.
    assert_eq!(get(ann), json!({"photos": []}));

    // The same name twice is one photo, with a new id.
    let first = post(ann, "a.png");
    assert_eq!(first["id"], ann_id);
    let second = post(ann, "a.png");
    assert_eq!(second["photos"].as_array().map(Vec::len), Some(1));
    let (old, new) = (&first["photos"][0], &second["photos"][0]);
    assert_eq!(
        (&old["name"], &new["name"]),
        (&json!("a.png"), &json!("a.png"))
    );
    assert_ne!(old["id"], new["id"]);
    assert_eq!(text(&new["id"]).len(), 36);
    assert_eq!(text(&new["date"]).len(), "2021-05-04T12:34:56.789012".len());
    assert_eq!(get(ann), second);

    // Nobody sees the photos of somebody else, neither in the list nor in the bucket.
    assert_eq!(get(bob), json!({"photos": []}));
    objects::are_kept_apart(system, (ann, ann_id), (bob, bob_id));

    // Deleting takes the entry and the object, one that nobody labels here.
    post(ann, "b c+ü.gif");
    let key = format!("private/{ann_id}/b c+ü.gif");
    assert_eq!(objects::put(&ann.account, system, &key).status, 200);
    let listed = get(ann);
    let id = text(&listed["photos"][1]["id"]);
    let elsewhere = call(bob, system, "DELETE", &format!("?id={id}"), "");
    assert_eq!(refusal(&elsewhere), (400, "there are no photos".to_owned()));
    assert!(objects::exists(system, &key));
    let left = ok(&call(ann, system, "DELETE", &format!("?id={id}"), ""));
    assert_eq!(left, second);
    assert_eq!(get(ann), second);
    assert!(!objects::exists(system, &key), "the object is gone too");
    let again = call(ann, system, "DELETE", &format!("?id={id}"), "");
    assert_eq!(
        refusal(&again),
        (404, format!("there is no photo with the id {id}"))
    );

    // What is wrong is answered, and changes nothing.
    let missing = call(ann, system, "DELETE", "", "");
    assert_eq!(
        refusal(&missing),
        (400, "the query parameter `id` is missing".to_owned())
    );
    for body in ["{}", "", "no JSON", r#"{"name": "a/b.png"}"#] {
        let (status, _) = refusal(&call(ann, system, "POST", "", body));
        assert_eq!(status, 400, "{body}");
    }
    assert_eq!(get(ann), second);

    // Uploads at the same time are all kept.
    std::thread::scope(|scope| {
        for number in 0..4 {
            scope.spawn(move || {
                ok(&call(
                    bob,
                    system,
                    "POST",
                    "",
                    &format!("{{\"name\": \"{number}.png\"}}"),
                ))
            });
        }
    });
    let mut names: Vec<String> = get(bob)["photos"]
        .as_array()
        .expect("there are photos")
        .iter()
        .map(|photo| text(&photo["name"]))
        .collect();
    names.sort();
    assert_eq!(names, ["0.png", "1.png", "2.png", "3.png"]);
}

/// A page asks before it sends, without any proof of who sends it.
fn preflights_ask_nobody(system: &Deployed) {
    let headers = [
        ("origin".to_owned(), "https://pics2.example.com".to_owned()),
        (
            "access-control-request-method".to_owned(),
            "DELETE".to_owned(),
        ),
    ];
    let answer = http::send("OPTIONS", &system.url, &headers, "");
    assert_eq!(answer.status, 200, "{answer:?}");
    for (header, value) in [
        ("access-control-allow-origin", "*"),
        ("access-control-allow-methods", "OPTIONS,POST,DELETE,GET"),
        (
            "access-control-allow-headers",
            "Content-Type,X-Amz-Date,Authorization,X-Api-Key,X-Amz-Security-Token,X-Amz-User-Agent",
        ),
    ] {
        assert_eq!(answer.header(header), Some(value), "{answer:?}");
    }
}

/// Pages of any origin may read the answer.
fn readable_by_pages(answer: &Answer) {
    let origin = answer.header("access-control-allow-origin");
    assert_eq!(origin, Some("*"), "{answer:?}");
    // Browsers refuse it beside the origin `*`.
    let credentials = answer.header("access-control-allow-credentials");
    assert_eq!(credentials, None, "{answer:?}");
}

fn ok(answer: &Answer) -> Value {
    assert_eq!(answer.status, 200, "{answer:?}");
    readable_by_pages(answer);
    answer.json()
}

fn refusal(answer: &Answer) -> (u16, String) {
    readable_by_pages(answer);
    (answer.status, text(&answer.json()["error"]))
}

fn stranger_is_gone(system: &Deployed) {
    let role = [("RoleName", "stranger")];
    system
        .account
        .query("iam", "2010-05-08", "DeleteRole", &role);
}
