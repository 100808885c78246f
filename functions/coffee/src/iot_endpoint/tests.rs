//! What IoT Core is asked, and what becomes of its answers. That a handler's error reaches CloudFormation as `FAILED`,
//! with its text as the reason, is what `stack_bindings::provide` does and tests for every provider.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, channel};

use stack_bindings::sdk::dynamodb::config::{Credentials, SharedCredentialsProvider};
use stack_bindings::{IotEndpoint, Reason, ResourceRequest};

use super::*;

/// Answers every request with a status, an error type and a body, and tells what was asked for.
fn iot_core(
    status: u16,
    error_type: &'static str,
    body: &'static str,
) -> (GetIotEndpoint, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let (sender, receiver) = channel();
    std::thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut reader = BufReader::new(connection.try_clone().unwrap());
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap() > 2 {}
            let line = head.lines().next().unwrap_or_default().to_owned();
            let length = body.len();
            write!(
                connection,
                "HTTP/1.1 {status} X\r\nx-amzn-ErrorType: {error_type}\r\nContent-Length: {length}\r\n\
                 Connection: close\r\n\r\n{body}"
            )
            .unwrap();
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let credentials = Credentials::new("id", "secret", None, None, "tests");
    let credentials = SharedCredentialsProvider::new(credentials);
    let iot = IotEndpoint::at(base, "us-east-2", Some(credentials));
    (GetIotEndpoint { iot }, receiver)
}

fn resource(action: ResourceAction<()>) -> CustomResource<()> {
    CustomResource {
        action,
        request: ResourceRequest::of("arn:stack", "IotEndpoint"),
    }
}

fn create() -> ResourceAction<()> {
    ResourceAction::Create { properties: () }
}

fn update() -> ResourceAction<()> {
    ResourceAction::Update {
        physical_id: "IotEndpoint".to_owned(),
        properties: (),
        old_properties: Ok(()),
    }
}

/// The answer is that of <https://docs.aws.amazon.com/iot/latest/apireference/API_DescribeEndpoint.html>.
#[tokio::test]
async fn the_address_is_the_one_with_a_certificate_that_browsers_trust() {
    for action in [create(), update()] {
        let body = r#"{"endpointAddress": "abc-ats.iot.us-east-2.amazonaws.com"}"#;
        let (bindings, asked) = iot_core(200, "", body);
        let provided = handle(&bindings, resource(action)).await.unwrap();
        let expected = "abc-ats.iot.us-east-2.amazonaws.com";
        assert_eq!(
            provided,
            Provided::new().data("IotEndpointAddress", expected)
        );
        assert_eq!(
            asked.recv().unwrap(),
            "GET /endpoint?endpointType=iot%3AData-ATS HTTP/1.1"
        );
    }
}

#[tokio::test]
async fn a_refusal_fails_the_resource_and_says_why() {
    for action in [create(), update()] {
        let (bindings, asked) = iot_core(403, "AccessDeniedException", "{}");
        let error = handle(&bindings, resource(action)).await.unwrap_err();
        assert_eq!(error.reason(), Reason::AccessDenied);
        let text = error.to_string();
        assert!(text.contains("the data endpoint of IoT Core"), "{text}");
        assert!(asked.recv().unwrap().starts_with("GET /endpoint"));
    }
}

#[tokio::test]
async fn an_answer_without_an_address_fails_the_resource() {
    let (bindings, _asked) = iot_core(200, "", "{}");
    let error = handle(&bindings, resource(create())).await.unwrap_err();
    assert_eq!(error.reason(), Reason::Decode);
}

#[tokio::test]
async fn a_deletion_asks_nobody() {
    let (bindings, asked) = iot_core(403, "AccessDeniedException", "{}");
    let delete = resource(ResourceAction::Delete {
        physical_id: "IotEndpoint".to_owned(),
        properties: Ok(()),
    });
    assert_eq!(handle(&bindings, delete).await.unwrap(), Provided::new());
    assert!(asked.try_recv().is_err());
}
