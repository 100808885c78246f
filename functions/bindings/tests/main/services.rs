//! Buses, state machines, IoT topics and labels: what is sent, and what becomes of the answers.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;

use aws_smithy_mocks::mock;
use serde::{Deserialize, Serialize};
use serde_json::json;
use stack_bindings::sdk::config::Region;
use stack_bindings::sdk::{
    apigatewaymanagement, config::SdkConfig, eventbridge, iotdataplane, rekognition, sfn,
};
use stack_bindings::{
    Bucket, Connect, Connections, Delete, Detail, Environment, EventBus, Get, ImageLabels, IotData,
    IotEndpoint, IotTopic, IotTopicFamily, Label, Publish, PublishRetained, Reason, Send,
    SendTaskFailure, SendTaskHeartbeat, SendTaskSuccess, Start, StartSync, StateMachine,
};

use crate::support::scripted;

#[derive(Debug, PartialEq, Serialize, Deserialize, Detail)]
#[detail(type = "Orders.Placed")]
struct Placed {
    id: u32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Detail)]
#[detail(type = "Orders.Paid")]
struct Paid {
    id: u32,
}

fn bus(client: eventbridge::Client) -> EventBus<(Placed, Paid)> {
    EventBus::with_client(client, "orders")
}

/// Answers as <https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutEvents.html> does: the ids of the
/// events that were taken, and the codes of those that were not, in the order of the request.
fn put_events_output(
    entries: &[Result<&str, &str>],
) -> eventbridge::operation::put_events::PutEventsOutput {
    use eventbridge::operation::put_events::PutEventsOutput;
    use eventbridge::types::PutEventsResultEntry;

    let failed = entries.iter().filter(|entry| entry.is_err()).count();
    let entries = entries.iter().map(|entry| match entry {
        Ok(id) => PutEventsResultEntry::builder().event_id(*id).build(),
        Err(code) => PutEventsResultEntry::builder()
            .error_code(*code)
            .error_message("why")
            .build(),
    });
    PutEventsOutput::builder()
        .failed_entry_count(i32::try_from(failed).unwrap())
        .set_entries(Some(entries.collect()))
        .build()
}

#[tokio::test]
async fn an_event_is_put_with_its_type_and_source() {
    let rule = mock!(eventbridge::Client::put_events)
        .match_requests(|request| {
            let entry = &request.entries()[0];
            entry.event_bus_name() == Some("orders")
                && entry.source() == Some("shop")
                && entry.detail_type() == Some("Orders.Paid")
                && entry.detail() == Some(r#"{"id":7}"#)
                && entry.resources() == ["arn:f"]
        })
        .then_output(|| put_events_output(&[Ok("e1")]));
    let bus = bus(scripted!(eventbridge, [&rule]));
    let id = bus.put("shop", &Paid { id: 7 }).resource("arn:f").await;
    assert_eq!(id.unwrap(), "e1");
}

#[tokio::test]
async fn an_event_that_was_not_taken_is_an_error() {
    let rule = mock!(eventbridge::Client::put_events)
        .then_output(|| put_events_output(&[Err("MalformedDetail")]));
    let bus = bus(scripted!(eventbridge, [&rule]));
    let error = bus.put("shop", &Placed { id: 1 }).await.unwrap_err();
    assert_eq!(error.code(), Some("MalformedDetail"));
    assert_eq!(
        error.to_string(),
        "could not put an event on bus `orders`: the service finds the request invalid (MalformedDetail)"
    );
}

#[tokio::test]
async fn what_is_throttled_is_put_again_alone() {
    let first = mock!(eventbridge::Client::put_events)
        .match_requests(|request| request.entries().len() == 10)
        .then_output(|| {
            let mut entries: Vec<_> = (0..10).map(|_| Ok("first")).collect();
            entries[3] = Err("ThrottlingException");
            put_events_output(&entries)
        });
    let again = mock!(eventbridge::Client::put_events)
        .match_requests(|request| {
            let entries = request.entries();
            entries.len() == 1 && entries[0].detail() == Some(r#"{"id":3}"#)
        })
        .then_output(|| put_events_output(&[Ok("again")]));
    let rest = mock!(eventbridge::Client::put_events)
        .match_requests(|request| request.entries().len() == 2)
        .then_output(|| put_events_output(&[Ok("rest"), Ok("rest")]));
    let bus = bus(scripted!(eventbridge, [&first, &again, &rest]));
    let events: Vec<_> = (0..12).map(|id| bus.put("shop", &Placed { id })).collect();
    let ids = bus.put_all(events).await.unwrap();
    assert_eq!(ids.len(), 12);
    assert_eq!([&ids[2], &ids[3], &ids[10]], ["first", "again", "rest"]);
    assert_eq!(rest.num_calls(), 1);
}

type EveryOperation = (
    Start,
    StartSync,
    SendTaskSuccess,
    SendTaskFailure,
    SendTaskHeartbeat,
);

const MACHINE: &str = "arn:aws:states:eu-west-1:123456789012:stateMachine:orders";

fn machine(client: sfn::Client) -> StateMachine<Vec<u32>, EveryOperation> {
    StateMachine::with_client(client, MACHINE)
}

#[tokio::test]
async fn an_execution_starts_with_its_input_as_json() {
    use sfn::operation::start_execution::StartExecutionOutput;
    use sfn::primitives::DateTime;

    let rule = mock!(sfn::Client::start_execution)
        .match_requests(|request| {
            request.state_machine_arn() == Some(MACHINE)
                && request.input() == Some("[1,2]")
                && request.name() == Some("once")
        })
        .then_output(|| {
            StartExecutionOutput::builder()
                .execution_arn("arn:execution")
                .start_date(DateTime::from_secs(0))
                .build()
                .unwrap()
        });
    let machine = machine(scripted!(sfn, [&rule]));
    let arn = machine.start(&vec![1, 2]).name("once").await.unwrap();
    assert_eq!(arn, "arn:execution");
}

/// The answer of
/// <https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartSyncExecution.html>: a failed execution is
/// no failed call.
#[tokio::test]
async fn an_execution_that_fails_is_an_error_with_its_cause() {
    use sfn::operation::start_sync_execution::StartSyncExecutionOutput;
    use sfn::primitives::DateTime;
    use sfn::types::SyncExecutionStatus;

    let output = |status: SyncExecutionStatus| {
        StartSyncExecutionOutput::builder()
            .execution_arn("arn:execution")
            .start_date(DateTime::from_secs(0))
            .stop_date(DateTime::from_secs(1))
            .status(status)
    };
    let good = mock!(sfn::Client::start_sync_execution).then_output(move || {
        output(SyncExecutionStatus::Succeeded)
            .output("[3]")
            .build()
            .unwrap()
    });
    let bad = mock!(sfn::Client::start_sync_execution).then_output(move || {
        output(SyncExecutionStatus::Failed)
            .error("Closed")
            .cause("nobody is there")
            .build()
            .unwrap()
    });
    let machine = machine(scripted!(sfn, [&good, &bad]));
    let sum: Vec<u32> = machine.start_sync(&vec![1, 2]).await.unwrap();
    assert_eq!(sum, [3]);
    let error = machine
        .start_sync::<Vec<u32>, _>(&vec![])
        .await
        .unwrap_err();
    let cause = std::error::Error::source(&error).unwrap().to_string();
    assert_eq!(
        cause,
        "the execution ended as FAILED: nobody is there (Closed)"
    );
}

#[tokio::test]
async fn a_task_is_answered_by_its_token() {
    use sfn::operation::send_task_failure::SendTaskFailureOutput;
    use sfn::operation::send_task_heartbeat::{SendTaskHeartbeatError, SendTaskHeartbeatOutput};
    use sfn::operation::send_task_success::SendTaskSuccessOutput;
    use sfn::types::error::TaskTimedOut;

    let success = mock!(sfn::Client::send_task_success)
        .match_requests(|request| {
            request.task_token() == Some("t") && request.output() == Some("{}")
        })
        .then_output(|| SendTaskSuccessOutput::builder().build());
    let failure = mock!(sfn::Client::send_task_failure)
        .match_requests(|request| request.error() == Some("E") && request.cause() == Some("c"))
        .then_output(|| SendTaskFailureOutput::builder().build());
    let heartbeat = mock!(sfn::Client::send_task_heartbeat)
        .then_output(|| SendTaskHeartbeatOutput::builder().build());
    let late = mock!(sfn::Client::send_task_heartbeat).then_error(|| {
        SendTaskHeartbeatError::TaskTimedOut(
            TaskTimedOut::builder()
                .meta(
                    eventbridge::error::ErrorMetadata::builder()
                        .code("TaskTimedOut")
                        .build(),
                )
                .build(),
        )
    });
    let machine = machine(scripted!(sfn, [&success, &failure, &heartbeat, &late]));
    machine.send_task_success("t", &json!({})).await.unwrap();
    machine.send_task_failure("t", "E", "c").await.unwrap();
    machine.send_task_heartbeat("t").await.unwrap();
    let error = machine.send_task_heartbeat("t").await.unwrap_err();
    assert_eq!(error.reason(), Reason::NotFound);
}

#[tokio::test]
async fn a_message_goes_to_its_topic_at_least_once() {
    use iotdataplane::operation::publish::PublishOutput;

    let one = mock!(iotdataplane::Client::publish)
        .match_requests(|request| {
            request.topic() == Some("user-u1")
                && request.qos() == Some(1)
                && request.retain().is_none()
                && request.payload().unwrap().as_ref() == b"[1]"
        })
        .then_output(|| PublishOutput::builder().build());
    let kept = mock!(iotdataplane::Client::publish)
        .match_requests(|request| request.retain() == Some(true))
        .then_output(|| PublishOutput::builder().build());
    let iot = IotData::with_client(scripted!(iotdataplane, [&one, &kept]));
    let users: IotTopicFamily<Vec<u8>> = IotTopicFamily::starting_with("user-");
    iot.publish(&users.topic("u1"), &vec![1]).await.unwrap();
    let all: IotTopic<Vec<u8>, (Publish, PublishRetained)> = IotTopic::named("all");
    iot.publish_retained(&all, &vec![2]).await.unwrap();
    assert_eq!((one.num_calls(), kept.num_calls()), (1, 1));
    let error = iot.publish(&users.topic("#"), &vec![1]).await.unwrap_err();
    assert_eq!(error.reason(), Reason::Invalid);
}

/// The answer of <https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectLabels.html>.
#[tokio::test]
async fn labels_are_found_in_an_object_of_a_bucket() {
    use rekognition::operation::detect_labels::DetectLabelsOutput;
    use rekognition::types;

    let rule = mock!(rekognition::Client::detect_labels)
        .match_requests(|request| {
            let object = request.image().and_then(|image| image.s3_object()).unwrap();
            object.bucket() == Some("photos")
                && object.name() == Some("private/1/a b.png")
                && request.max_labels() == Some(10)
        })
        .then_output(|| {
            let label = types::Label::builder()
                .name("Plant")
                .confidence(96.5)
                .build();
            DetectLabelsOutput::builder().labels(label).build()
        });
    let labels = ImageLabels::with_client(scripted!(rekognition, [&rule]));
    let bucket: Bucket<Get> = Bucket::with_client(scripted!(s3, []), "photos");
    let found = labels
        .detect(&bucket, "private/1/a b.png")
        .limit(10)
        .await
        .unwrap();
    let plant = Label {
        name: "Plant".to_owned(),
        confidence: 96.5,
    };
    assert_eq!(found, [plant]);
}

/// Answers one request after the other, and returns the requests' first lines and headers.
fn serve(answers: Vec<&'static str>) -> (String, std::thread::JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let mut requests = Vec::new();
        for answer in answers {
            let (mut connection, _) = listener.accept().unwrap();
            let mut reader = BufReader::new(connection.try_clone().unwrap());
            let mut request = String::new();
            while reader.read_line(&mut request).unwrap() > 2 {}
            connection.write_all(answer.as_bytes()).unwrap();
            requests.push(request);
        }
        requests
    });
    (address, server)
}

fn environment(endpoint: &str) -> Environment {
    use stack_bindings::sdk::config::BehaviorVersion;
    use stack_bindings::sdk::s3::config::{Credentials, SharedCredentialsProvider};

    let credentials = Credentials::new("AKIDEXAMPLE", "secret", Some("token".into()), None, "test");
    let sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new("eu-west-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    Environment::new(Vec::<(String, String)>::new(), sdk)
}

/// The request and answer of <https://docs.aws.amazon.com/iot/latest/apireference/API_DescribeEndpoint.html>.
#[tokio::test]
async fn the_endpoint_is_asked_for_with_a_signature() {
    let (address, server) = serve(vec![
        "HTTP/1.1 503 Service Unavailable\r\nx-amzn-ErrorType: ServiceUnavailableException\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 39\r\nConnection: close\r\n\r\n{\"endpointAddress\":\"x-ats.iot.example\"}",
    ]);
    let endpoint = IotEndpoint::connect(&environment(&address), "eu-west-1").unwrap();
    assert_eq!(endpoint.data_ats().await.unwrap(), "x-ats.iot.example");
    let requests = server.join().unwrap();
    let request = requests[1].to_ascii_lowercase();
    assert!(
        request.starts_with("get /endpoint?endpointtype=iot%3adata-ats http/1.1"),
        "{request}"
    );
    assert!(
        request.contains("/eu-west-1/iot/aws4_request, signedheaders="),
        "{request}"
    );
    assert!(request.contains("x-amz-security-token: token"), "{request}");
}

#[tokio::test]
async fn an_endpoint_that_is_denied_is_not_asked_for_again() {
    let (address, server) = serve(vec![
        "HTTP/1.1 403 Forbidden\r\nx-amzn-ErrorType: AccessDeniedException:http://internal\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}",
    ]);
    let endpoint = IotEndpoint::connect(&environment(&address), "eu-west-1").unwrap();
    let error = endpoint.data_ats().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not ask for the data endpoint of IoT Core: access is denied (AccessDeniedException)"
    );
    server.join().unwrap();
}

#[tokio::test]
async fn an_endpoint_of_ones_own_carries_the_messages() {
    let (address, server) = serve(vec![
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
    ]);
    let iot = IotData::connect(&environment(&address), "x-ats.iot.example");
    let topic: IotTopic<u32> = IotTopic::named("all");
    iot.unwrap().publish(&topic, &1).await.unwrap();
    let requests = server.join().unwrap();
    assert!(
        requests[0].starts_with("POST /topics/all?qos=1 "),
        "{}",
        requests[0]
    );
}

/// The answers of <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>:
/// a connection that has ended is gone, with the status 410.
#[tokio::test]
async fn a_message_goes_to_its_connection_while_there_is_one() {
    use apigatewaymanagement::Client;
    use apigatewaymanagement::error::ErrorMetadata;
    use apigatewaymanagement::operation::delete_connection::DeleteConnectionOutput;
    use apigatewaymanagement::operation::get_connection::GetConnectionError;
    use apigatewaymanagement::operation::post_to_connection::PostToConnectionOutput;
    use apigatewaymanagement::types::error::GoneException;

    let post = mock!(Client::post_to_connection)
        .match_requests(|request| {
            request.connection_id() == Some("c1") && request.data().unwrap().as_ref() == b"7"
        })
        .then_output(|| PostToConnectionOutput::builder().build());
    let end =
        mock!(Client::delete_connection).then_output(|| DeleteConnectionOutput::builder().build());
    let gone = mock!(Client::get_connection).then_error(|| {
        let meta = ErrorMetadata::builder().code("GoneException").build();
        GetConnectionError::GoneException(GoneException::builder().meta(meta).build())
    });
    let client = scripted!(apigatewaymanagement, [&post, &end, &gone]);
    let connections: Connections<u32, (Send, Get, Delete)> = Connections::with_client(client);
    connections.send("c1", &7).await.unwrap();
    connections.delete("c1").await.unwrap();
    assert!(!connections.is_there("c1").await.unwrap());
}
