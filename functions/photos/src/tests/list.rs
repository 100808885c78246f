use super::*;
use crate::functions::ListPhotos;
use crate::list::list;

async fn ask(rules: &[&Rule], request: ApiRequest) -> (u16, Value) {
    let bindings = ListPhotos {
        albums: albums(rules),
        caller_identity: identity(),
    };
    answer(list(&bindings, request).await)
}

#[tokio::test]
async fn the_album_is_answered_as_it_is_stored() {
    let mut labelled = photo("1", "a.png");
    labelled["objects"] = json!([{"item": "Green", "score": "99.90799713134766"}]);
    let photos = [labelled, photo("2", "b.jpg")];
    let answered = ask(&[&finds(&photos)], request(json!({}))).await;
    assert_eq!(answered, (200, album(&photos)));
}

#[tokio::test]
async fn somebody_new_has_no_photos() {
    let answered = ask(&[&finds_nothing()], request(json!({}))).await;
    assert_eq!(answered, (200, json!({ "photos": [] })));
}

#[tokio::test]
async fn nobody_has_no_list() {
    let no_caller = refused("the request has no caller");
    assert_eq!(ask(&[], anonymous()).await, no_caller);
    let claims = json!({"requestContext": {"authorizer": {"claims": {"sub": CALLER}}}});
    assert_eq!(ask(&[], request(claims)).await, no_caller);
    let empty = json!({"requestContext": {"identity": {"cognitoIdentityId": ""}}});
    assert_eq!(ask(&[], request(empty)).await, no_caller);
}

#[tokio::test]
async fn with_a_user_pool_the_claim_counts() {
    let rule = finds(&[]);
    let bindings = ListPhotos {
        albums: albums(&[&rule]),
        caller_identity: Var::of(CallerIdentity::UserPool),
    };
    let context = json!({
        "authorizer": {"claims": {"sub": CALLER, "email": "ann@example.com"}},
        "identity": {"cognitoIdentityId": null},
    });
    let answered = list(&bindings, request(json!({ "requestContext": context }))).await;
    assert_eq!(answer(answered), (200, album(&[])));
    let identity = list(&bindings, request(json!({}))).await;
    assert_eq!(answer(identity), refused("the request has no caller"));
}

#[tokio::test]
async fn a_failure_of_the_table_is_answered_without_its_inside() {
    let answered = ask(&[&breaks()], request(json!({}))).await;
    assert_eq!(answered, refused("the photos cannot be reached"));
}
