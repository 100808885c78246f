//! Every path to an answer, against an address of our own.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use serde_json::json;

use super::*;
use crate::event::ResourceAction;

const PLENTY: Duration = Duration::from_secs(20);

/// What was put: the headers in lower case, and the body.
type Put = (String, Value);

/// Takes answers at a pre-signed address, and answers with the given statuses, the last one for ever.
fn address(statuses: &'static [u16]) -> (String, Receiver<Put>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "http://{}/bucket/answer%7C1?X-Amz-Signature=abc",
        listener.local_addr().unwrap()
    );
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for (position, connection) in listener.incoming().enumerate() {
            let mut connection = connection.unwrap();
            let mut reader = BufReader::new(connection.try_clone().unwrap());
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap() > 2 {}
            let head = head.to_ascii_lowercase();
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .unwrap();
            let mut body = vec![0; length.parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            let status = statuses[position.min(statuses.len() - 1)];
            write!(
                connection,
                "HTTP/1.1 {status} X\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
            )
            .unwrap();
            if sender
                .send((head, serde_json::from_slice(&body).unwrap()))
                .is_err()
            {
                return;
            }
        }
    });
    (url, receiver)
}

/// The request of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/crpg-ref-requests.html>.
fn request(url: &str, request_type: &str, physical_id: Option<&str>, properties: &Value) -> Value {
    let mut request = json!({
        "RequestType": request_type,
        "ServiceToken": "arn:aws:lambda:eu-west-1:123456789012:function:f",
        "ResponseURL": url,
        "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/core-dev/6e2e",
        "RequestId": "r1",
        "LogicalResourceId": "Endpoint",
        "ResourceType": "Custom::Endpoint",
        "ResourceProperties": properties,
    });
    request["ResourceProperties"]["ServiceToken"] = "arn:aws:lambda".into();
    if let Some(id) = physical_id {
        request["PhysicalResourceId"] = id.into();
    }
    request
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase", deny_unknown_fields)]
struct Properties {
    size: u32,
}

#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct Broken(String);

/// Answers one request, and returns what was put.
async fn put(
    payload: impl FnOnce(&str) -> Value,
    left: Duration,
    handle: impl AsyncFnOnce(CustomResource<Properties>) -> Result<Provided, Broken>,
) -> Put {
    let (url, receiver) = address(&[200]);
    let handle = |resource| async {
        handle(resource)
            .await
            .map_err(|failure| Failure::of_handler(&failure))
    };
    answer(&HttpClient::new(), payload(&url), left, handle)
        .await
        .unwrap();
    receiver.recv().unwrap()
}

#[tokio::test]
async fn success_carries_data_and_a_stable_id() {
    let (head, body) = put(
        |url| request(url, "Create", None, &json!({"Size": "7"})),
        PLENTY,
        async |resource| {
            let ResourceAction::Create { properties } = resource.action else {
                return Err(Broken("not a creation".to_owned()));
            };
            Ok(Provided::new()
                .data("Double", properties.size * 2)
                .data("Text", "grün"))
        },
    )
    .await;
    assert_eq!(
        body,
        json!({
            "Status": "SUCCESS",
            "PhysicalResourceId": "Endpoint/core-dev/6e2e",
            "StackId": "arn:aws:cloudformation:eu-west-1:123456789012:stack/core-dev/6e2e",
            "RequestId": "r1",
            "LogicalResourceId": "Endpoint",
            "Data": {"Double": 14, "Text": "grün"},
        })
    );
    assert!(
        head.starts_with("put /bucket/answer%7c1?x-amz-signature=abc http/1.1"),
        "{head}"
    );
    // The signature is of a request without a content type.
    assert!(
        !head.contains("content-type") || head.contains("content-type: \r\n"),
        "{head}"
    );
}

#[tokio::test]
async fn a_failure_says_why_and_hides_its_causes() {
    let (_, body) = put(
        |url| request(url, "Create", None, &json!({"Size": "7"})),
        PLENTY,
        async |_| Err(Broken("ä".repeat(2000))),
    )
    .await;
    assert_eq!(body["Status"], "FAILED");
    assert_eq!(body["Reason"].as_str().unwrap().len(), LONGEST_REASON);
    // The handler may have made something, so its deletion reaches the handler.
    assert_eq!(body["PhysicalResourceId"], "Endpoint/core-dev/6e2e");
}

#[tokio::test]
async fn what_the_handler_never_saw_is_deleted_without_it() {
    let unread = put(
        |url| request(url, "Create", None, &json!({"Size": "many"})),
        PLENTY,
        async |_| Ok(Provided::new()),
    );
    let (_, body) = unread.await;
    assert_eq!(body["Status"], "FAILED");
    let reason = body["Reason"].as_str().unwrap();
    assert!(reason.starts_with("invalid event: "), "{reason}");
    let id = body["PhysicalResourceId"].as_str().unwrap().to_owned();

    let (_, body) = put(
        |url| request(url, "Delete", Some(&id), &json!({"Size": "many"})),
        PLENTY,
        async |_| Err(Broken("asked".to_owned())),
    )
    .await;
    assert_eq!(body["Status"], "SUCCESS");
    assert_eq!(body["PhysicalResourceId"], id);
}

#[tokio::test]
async fn an_unknown_type_fails() {
    let (_, body) = put(
        |url| request(url, "Rename", Some("p"), &json!({"Size": 1})),
        PLENTY,
        async |_| Ok(Provided::new()),
    )
    .await;
    assert_eq!(body["Status"], "FAILED");
    assert_eq!(
        body["Reason"],
        "invalid event: the request type `Rename` is unknown"
    );
    assert_eq!(body["PhysicalResourceId"], "p");
}

#[tokio::test]
async fn an_update_shows_the_old_properties_and_may_replace() {
    let payload = |url: &str| {
        let mut payload = request(url, "Update", Some("old"), &json!({"Size": 2}));
        payload["OldResourceProperties"] = json!({"ServiceToken": "t", "Size": "1"});
        payload
    };
    let (_, body) = put(payload, PLENTY, async |resource| {
        let ResourceAction::Update {
            physical_id,
            properties,
            old_properties,
        } = resource.action
        else {
            return Err(Broken("not an update".to_owned()));
        };
        let old = old_properties.unwrap();
        Ok(Provided::new().physical_id(format!("{physical_id}-{}-{}", old.size, properties.size)))
    })
    .await;
    assert_eq!(body["PhysicalResourceId"], "old-1-2");

    let (_, body) = put(payload, PLENTY, async |_| Err(Broken("no".to_owned()))).await;
    assert_eq!(
        (&body["Status"], &body["PhysicalResourceId"]),
        (&json!("FAILED"), &json!("old"))
    );
}

#[tokio::test]
async fn a_deletion_keeps_the_id_and_reaches_the_handler_whatever_the_properties_are() {
    let (_, body) = put(
        |url| request(url, "Delete", Some("mine"), &json!({"Sizes": "x"})),
        PLENTY,
        async |resource| match resource.action {
            ResourceAction::Delete { properties, .. } if properties.is_err() => {
                Ok(Provided::new().physical_id("another"))
            }
            _ => Err(Broken("not such a deletion".to_owned())),
        },
    )
    .await;
    assert_eq!(
        (&body["Status"], &body["PhysicalResourceId"]),
        (&json!("SUCCESS"), &json!("mine"))
    );
}

#[tokio::test]
async fn a_handler_that_takes_too_long_is_answered_for_in_time() {
    let started = std::time::Instant::now();
    let (_, body) = put(
        |url| request(url, "Create", None, &json!({"Size": 1})),
        Duration::from_secs(2),
        async |_| std::future::pending().await,
    )
    .await;
    assert!(started.elapsed() < Duration::from_secs(2));
    assert_eq!(body["Status"], "FAILED");
    assert_eq!(
        body["Reason"],
        "the time of the function is up; give it a longer timeout"
    );
}

#[tokio::test]
async fn data_that_cloudformation_would_refuse_is_a_failure() {
    let (_, body) = put(
        |url| request(url, "Create", None, &json!({"Size": 1})),
        PLENTY,
        async |_| {
            // 2,100 characters, and more than 4 KB in bytes.
            let data = Provided::new().data("Text", "ä".repeat(2100));
            Ok(data.physical_id("made"))
        },
    )
    .await;
    assert_eq!(body["Status"], "FAILED");
    assert_eq!(body["PhysicalResourceId"], "made");
    assert!(body.get("Data").is_none());
    let reason = body["Reason"].as_str().unwrap();
    assert!(
        reason.ends_with("bytes and CloudFormation takes 4096: return less data"),
        "{reason}"
    );
}

#[tokio::test]
async fn hidden_data_says_so() {
    let (_, body) = put(
        |url| request(url, "Create", None, &json!({"Size": 1})),
        PLENTY,
        async |_| Ok(Provided::new().data("Token", "t").no_echo()),
    )
    .await;
    assert_eq!(body["NoEcho"], true);
}

/// Answers a request whose handler succeeds, at an address with the given statuses; returns whether it was answered
/// and how often it was tried.
async fn sent(statuses: &'static [u16]) -> (Result<(), Diagnostic>, usize) {
    let (url, receiver) = address(statuses);
    let payload = request(&url, "Create", None, &json!({"Size": 1}));
    let done = answer(
        &HttpClient::new(),
        payload,
        PLENTY,
        |_: CustomResource<Properties>| async { Ok(Provided::new()) },
    )
    .await;
    (done, receiver.try_iter().count())
}

#[tokio::test]
async fn an_answer_is_sent_again_until_it_arrives() {
    let (done, tries) = sent(&[503, 500, 200]).await;
    assert!(done.is_ok());
    assert_eq!(tries, 3);
}

#[tokio::test]
async fn an_address_that_is_no_longer_valid_is_not_tried_again() {
    let (done, tries) = sent(&[403]).await;
    let failure = done.unwrap_err();
    assert_eq!(
        failure.error_message,
        "CloudFormation refused the answer with the status 403"
    );
    assert_eq!(tries, 1);
}

#[tokio::test]
async fn a_missing_variable_is_an_answer_too() {
    let (url, receiver) = address(&[200]);
    let payload = request(&url, "Create", None, &json!({"Size": 1}));
    let handle = |_: CustomResource<Properties>| async {
        Err(Failure::before_handler("TABLE_NAME is not set".to_owned()))
    };
    answer(&HttpClient::new(), payload, PLENTY, handle)
        .await
        .unwrap();
    let (_, body) = receiver.recv().unwrap();
    assert_eq!(body["Reason"], "TABLE_NAME is not set");
    assert_eq!(body["PhysicalResourceId"], NEVER_MADE);
}

#[tokio::test]
async fn a_payload_without_an_address_is_an_error_of_the_function() {
    let handle = |_: CustomResource<Properties>| async { Ok(Provided::new()) };
    let failure = answer(&HttpClient::new(), json!({}), PLENTY, handle)
        .await
        .unwrap_err();
    assert_eq!(
        failure.error_message,
        "invalid event: it is no request of CloudFormation"
    );
}

#[test]
fn the_address_is_never_shown() {
    let payload = request("https://secret", "Create", None, &json!({}));
    let request = ResourceRequest::deserialize(&payload).unwrap();
    assert!(!format!("{request:?}").contains("secret"));
}
