//! Queues, buckets, topics, secrets and parameters: what is sent, and what becomes of the answers.

use std::time::Duration;

use aws_smithy_mocks::mock;
use serde::Deserialize;
use stack_bindings::sdk::{s3, secretsmanager, sns, sqs, ssm};
use stack_bindings::{
    Bucket, ChangeVisibility, Delete, Get, GetAttributes, GetDecrypted, List, Parameter, Put,
    Queue, Reason, Receive, Secret, Send, Topic,
};

use crate::support::scripted;

const URL: &str = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders";

type EveryQueueOperation = (Send, Receive, Delete, ChangeVisibility, GetAttributes);

fn queue(client: sqs::Client) -> Queue<Vec<u8>, EveryQueueOperation> {
    Queue::with_client(client, URL)
}

#[tokio::test]
async fn send_writes_the_message_as_json() {
    use sqs::operation::send_message::SendMessageOutput;

    let rule = mock!(sqs::Client::send_message)
        .match_requests(|request| {
            request.queue_url() == Some(URL)
                && request.message_body() == Some("[1,2]")
                && request.delay_seconds() == Some(2)
                && request.message_group_id() == Some("g")
                && request.message_deduplication_id() == Some("d")
        })
        .then_output(|| {
            SendMessageOutput::builder()
                .message_id("m1")
                .sequence_number("18849496460467696128")
                .build()
        });
    let sent = queue(scripted!(sqs, [&rule]))
        .send(&vec![1, 2])
        .delay(Duration::from_millis(1500))
        .group("g")
        .deduplication("d")
        .await
        .unwrap();
    assert_eq!(sent.message_id, "m1");
    assert_eq!(
        sent.sequence_number.as_deref(),
        Some("18849496460467696128")
    );
}

#[tokio::test]
async fn a_received_message_can_be_kept_or_deleted() {
    use sqs::operation::change_message_visibility::ChangeMessageVisibilityOutput;
    use sqs::operation::delete_message::DeleteMessageOutput;
    use sqs::operation::receive_message::ReceiveMessageOutput;
    use sqs::types::{Message, MessageSystemAttributeName};

    let receive = mock!(sqs::Client::receive_message)
        .match_requests(|request| {
            request.max_number_of_messages() == Some(10) && request.wait_time_seconds() == Some(20)
        })
        .then_output(|| {
            let message = |id: &str, body: &str| {
                Message::builder()
                    .message_id(id)
                    .receipt_handle(format!("receipt-{id}"))
                    .body(body)
                    .attributes(MessageSystemAttributeName::ApproximateReceiveCount, "2")
                    .build()
            };
            ReceiveMessageOutput::builder()
                .messages(message("m1", "[7]"))
                .messages(message("m2", "no json"))
                .build()
        });
    let keep = mock!(sqs::Client::change_message_visibility)
        .match_requests(|request| {
            request.receipt_handle() == Some("receipt-m2")
                && request.visibility_timeout() == Some(0)
        })
        .then_output(|| ChangeMessageVisibilityOutput::builder().build());
    let delete = mock!(sqs::Client::delete_message)
        .match_requests(|request| request.receipt_handle() == Some("receipt-m1"))
        .then_output(|| DeleteMessageOutput::builder().build());
    let queue = queue(scripted!(sqs, [&receive, &keep, &delete]));
    let messages = queue.receive(99, Duration::from_mins(1)).await.unwrap();
    assert_eq!(messages[0].body.as_ref().unwrap(), &[7]);
    assert_eq!(messages[0].attributes["ApproximateReceiveCount"], "2");
    assert!(messages[1].body.is_err());
    queue
        .change_visibility(&messages[1], Duration::ZERO)
        .await
        .unwrap();
    queue.delete(&messages[0]).await.unwrap();
    assert_eq!(delete.num_calls(), 1);
}

#[tokio::test]
async fn a_queue_tells_how_many_messages_wait() {
    use sqs::operation::get_queue_attributes::GetQueueAttributesOutput;
    use sqs::types::QueueAttributeName;

    let rule = mock!(sqs::Client::get_queue_attributes).then_output(|| {
        GetQueueAttributesOutput::builder()
            .attributes(QueueAttributeName::ApproximateNumberOfMessages, "12")
            .build()
    });
    let attributes = queue(scripted!(sqs, [&rule])).attributes().await.unwrap();
    assert_eq!(attributes.waiting(), Some(12));
}

/// The code that SQS answers with for a queue that is not there, in the form of its query protocol; see
/// <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html>.
#[tokio::test]
async fn a_queue_that_is_gone_is_not_found() {
    use sqs::error::ErrorMetadata;
    use sqs::operation::send_message::SendMessageError;

    let rule = mock!(sqs::Client::send_message).then_error(|| {
        SendMessageError::generic(
            ErrorMetadata::builder()
                .code("AWS.SimpleQueueService.NonExistentQueue")
                .build(),
        )
    });
    let error = queue(scripted!(sqs, [&rule]))
        .send(&vec![])
        .await
        .unwrap_err();
    assert_eq!(error.reason(), Reason::NotFound);
}

fn bucket(client: s3::Client) -> Bucket<(Get, Put, Delete, List)> {
    Bucket::with_client(client, "photos")
}

#[tokio::test]
async fn an_object_is_read_whole_or_is_absent() {
    use s3::operation::get_object::{GetObjectError, GetObjectOutput};
    use s3::primitives::ByteStream;
    use s3::types::error::NoSuchKey;

    let found = mock!(s3::Client::get_object)
        .match_requests(|request| request.bucket() == Some("photos") && request.key() == Some("a"))
        .then_output(|| {
            GetObjectOutput::builder()
                .body(ByteStream::from_static(b"bytes"))
                .content_type("image/png")
                .e_tag("\"1\"")
                .build()
        });
    // See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html#API_GetObject_Errors>.
    let absent = mock!(s3::Client::get_object)
        .then_error(|| GetObjectError::NoSuchKey(NoSuchKey::builder().build()));
    let bucket = bucket(scripted!(s3, [&found, &absent]));
    let object = bucket.get("a").await.unwrap().unwrap();
    assert_eq!(object.bytes, b"bytes");
    assert_eq!(object.content_type.as_deref(), Some("image/png"));
    assert_eq!(bucket.get("b").await.unwrap(), None);
}

#[tokio::test]
async fn an_object_is_put_where_there_is_none() {
    use s3::operation::put_object::{PutObjectError, PutObjectOutput};

    let put = mock!(s3::Client::put_object)
        .match_requests(|request| {
            request.key() == Some("a")
                && request.content_type() == Some("image/png")
                && request.if_none_match() == Some("*")
                && request.body().bytes() == Some(b"bytes".as_slice())
        })
        .then_output(|| PutObjectOutput::builder().e_tag("\"1\"").build());
    // See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>.
    let refused = mock!(s3::Client::put_object).then_error(|| {
        PutObjectError::generic(
            s3::error::ErrorMetadata::builder()
                .code("PreconditionFailed")
                .build(),
        )
    });
    let bucket = bucket(scripted!(s3, [&put, &refused]));
    let tag = bucket
        .put("a", *b"bytes")
        .content_type("image/png")
        .if_absent()
        .await
        .unwrap();
    assert_eq!(tag.as_deref(), Some("\"1\""));
    let error = bucket.put("a", *b"").if_absent().await.unwrap_err();
    assert_eq!(error.reason(), Reason::ConditionFailed);
    assert_eq!(
        error.to_string(),
        "could not put object `a` of bucket `photos`: its condition does not hold (PreconditionFailed)"
    );
}

#[tokio::test]
async fn objects_are_listed_page_by_page() {
    use s3::operation::list_objects_v2::ListObjectsV2Output;
    use s3::types::Object;

    let page = |key: &str| {
        ListObjectsV2Output::builder().contents(Object::builder().key(key).size(3).build())
    };
    let first = mock!(s3::Client::list_objects_v2)
        .match_requests(|request| {
            request.prefix() == Some("2026/")
                && request.max_keys() == Some(1)
                && request.continuation_token().is_none()
        })
        .then_output(move || page("2026/a").next_continuation_token("t").build());
    let second = mock!(s3::Client::list_objects_v2)
        .match_requests(|request| request.continuation_token() == Some("t"))
        .then_output(move || page("2026/b").build());
    let objects = bucket(scripted!(s3, [&first, &second]))
        .list("2026/")
        .limit(1)
        .all()
        .await
        .unwrap();
    let keys: Vec<_> = objects.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(keys, ["2026/a", "2026/b"]);
    assert_eq!(objects[0].size, 3);
}

#[tokio::test]
async fn a_presigned_url_names_the_object_and_how_long_it_is_valid() {
    let config = s3::Config::builder()
        .behavior_version(stack_bindings::sdk::config::BehaviorVersion::v2026_01_12())
        .region(s3::config::Region::new("eu-west-1"))
        .credentials_provider(s3::config::Credentials::new(
            "AKIDEXAMPLE",
            "secret",
            None,
            None,
            "test",
        ))
        .build();
    let bucket = bucket(s3::Client::from_conf(config));
    for url in [
        bucket.presigned_get("a/b", Duration::from_mins(1)).await,
        bucket.presigned_put("a/b", Duration::from_mins(1)).await,
    ] {
        let url = url.unwrap();
        assert!(
            url.starts_with("https://photos.s3.eu-west-1.amazonaws.com/a/b?"),
            "{url}"
        );
        assert!(url.contains("X-Amz-Expires=60"), "{url}");
    }
    let error = bucket
        .presigned_get("a", Duration::from_hours(24 * 8))
        .await
        .unwrap_err();
    assert_eq!(error.reason(), Reason::Invalid);
}

#[tokio::test]
async fn delete_of_an_object() {
    use s3::operation::delete_object::DeleteObjectOutput;

    let rule = mock!(s3::Client::delete_object)
        .match_requests(|request| request.bucket() == Some("photos") && request.key() == Some("a"))
        .then_output(|| DeleteObjectOutput::builder().build());
    bucket(scripted!(s3, [&rule])).delete("a").await.unwrap();
    assert_eq!(rule.num_calls(), 1);
}

#[tokio::test]
async fn publish_writes_the_message_as_json() {
    use sns::operation::publish::PublishOutput;

    let rule = mock!(sns::Client::publish)
        .match_requests(|request| {
            request.topic_arn() == Some("arn:aws:sns:eu-west-1:123456789012:orders")
                && request.message() == Some("\"latte\"")
                && request.subject() == Some("Order")
                && request
                    .message_attributes()
                    .and_then(|attributes| attributes["kind"].string_value())
                    == Some("drink")
        })
        .then_output(|| PublishOutput::builder().message_id("m1").build());
    let topic: Topic<String> = Topic::with_client(
        scripted!(sns, [&rule]),
        "arn:aws:sns:eu-west-1:123456789012:orders",
    );
    let id = topic
        .publish(&"latte".to_owned())
        .subject("Order")
        .attribute("kind", "drink")
        .await
        .unwrap();
    assert_eq!(id, "m1");
}

#[derive(Debug, Deserialize)]
struct Credentials {
    user: String,
    password: String,
}

const SECRET: &str = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:database-AbCdEf";

fn secret_value(text: &str) -> secretsmanager::operation::get_secret_value::GetSecretValueOutput {
    secretsmanager::operation::get_secret_value::GetSecretValueOutput::builder()
        .arn(SECRET)
        .secret_string(text)
        .build()
}

#[tokio::test]
async fn a_secret_is_read_once_and_kept() {
    let rule = mock!(secretsmanager::Client::get_secret_value)
        .match_requests(|request| request.secret_id() == Some(SECRET))
        .then_output(|| secret_value(r#"{"user": "u", "password": "hunter2"}"#));
    let rotated = mock!(secretsmanager::Client::get_secret_value)
        .then_output(|| secret_value(r#"{"user": "u", "password": "hunter3"}"#));
    let secret: Secret<Credentials> =
        Secret::with_client(scripted!(secretsmanager, [&rule, &rotated]), SECRET);
    let (one, other) = tokio::join!(secret.read(), secret.read());
    assert_eq!(one.unwrap().expose().user, "u");
    assert_eq!(other.unwrap().expose().password, "hunter2");
    assert_eq!((rule.num_calls(), rotated.num_calls()), (1, 0));
    assert_eq!(secret.refresh().await.unwrap().expose().password, "hunter3");
    assert_eq!(secret.read().await.unwrap().expose().password, "hunter3");
}

#[tokio::test]
async fn a_secret_is_read_again_when_its_time_is_over() {
    let first = mock!(secretsmanager::Client::get_secret_value).then_output(|| secret_value("a"));
    let second = mock!(secretsmanager::Client::get_secret_value).then_output(|| secret_value("b"));
    let secret: Secret = Secret::with_client(scripted!(secretsmanager, [&first, &second]), SECRET)
        .time_to_live(Duration::ZERO);
    assert_eq!(secret.read().await.unwrap().expose(), "a");
    assert_eq!(secret.read().await.unwrap().expose(), "b");
}

#[tokio::test]
async fn no_secret_shows_in_debug_output_or_errors() {
    let rule = mock!(secretsmanager::Client::get_secret_value)
        .then_output(|| secret_value(r#"{"user": "hunter2"}"#));
    let text =
        mock!(secretsmanager::Client::get_secret_value).then_output(|| secret_value("hunter2"));
    let client = scripted!(secretsmanager, [&rule, &text]);
    let credentials: Secret<Credentials> = Secret::with_client(client.clone(), SECRET);
    let error = credentials.read().await.unwrap_err();
    assert_eq!(error.reason(), Reason::Decode);
    let secret: Secret = Secret::with_client(client, SECRET);
    let value = secret.read().await.unwrap();
    let shown = format!("{secret:?} {value:?} {error:?} {error}");
    assert!(!shown.contains("hunter2"), "{shown}");
    assert_eq!(value.expose(), "hunter2");
}

#[tokio::test]
async fn a_parameter_is_read_as_its_type_and_kept() {
    use ssm::operation::get_parameter::GetParameterOutput;

    let value = |text: &str| {
        GetParameterOutput::builder()
            .parameter(ssm::types::Parameter::builder().value(text).build())
            .build()
    };
    let plain = mock!(ssm::Client::get_parameter)
        .match_requests(|request| {
            request.name() == Some("/orders/limit") && request.with_decryption().is_none()
        })
        .then_output(move || value("5"));
    let decrypted = mock!(ssm::Client::get_parameter)
        .match_requests(|request| request.with_decryption() == Some(true))
        .then_output(move || value("six"));
    let parameter: Parameter<u32, (Get, GetDecrypted)> =
        Parameter::with_client(scripted!(ssm, [&plain, &decrypted]), "/orders/limit");
    assert_eq!(*parameter.get().await.unwrap(), 5);
    assert_eq!(*parameter.get().await.unwrap(), 5);
    assert_eq!(plain.num_calls(), 1);
    let error = parameter.get_decrypted().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not read parameter `/orders/limit`: the answer cannot be decoded"
    );
}
