//! Batches of messages to a queue: how they are split, and what becomes of the answers.
//!
//! The answers are those of
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>: a call may
//! succeed for some messages and fail for others.

use std::error::Error;
use std::time::Duration;

use aws_smithy_mocks::{Rule, mock};
use stack_bindings::sdk::sqs;
use stack_bindings::sdk::sqs::operation::send_message_batch::SendMessageBatchOutput;
use stack_bindings::sdk::sqs::types::{
    BatchResultErrorEntry, SendMessageBatchRequestEntry, SendMessageBatchResultEntry,
};
use stack_bindings::{BatchMessage, Queue, Reason, Send};

use crate::support::scripted;

fn queue(client: sqs::Client) -> Queue<String, Send> {
    let url = "https://sqs.eu-west-1.amazonaws.com/123456789012/orders";
    Queue::with_client(client, url)
}

fn sent(id: &str) -> SendMessageBatchResultEntry {
    SendMessageBatchResultEntry::builder()
        .id(id)
        .message_id(format!("m{id}"))
        .md5_of_message_body("d41d8cd98f00b204e9800998ecf8427e")
        .build()
        .unwrap()
}

fn refused(id: &str) -> BatchResultErrorEntry {
    BatchResultErrorEntry::builder()
        .id(id)
        .code("InternalError")
        .sender_fault(false)
        .build()
        .unwrap()
}

/// Takes a call with the given ids, and answers that some were sent and the others refused.
fn call(
    ids: impl IntoIterator<Item = usize>,
    answered: &'static [&'static str],
    failed: &'static [&'static str],
) -> Rule {
    let ids: Vec<String> = ids.into_iter().map(|id| id.to_string()).collect();
    mock!(sqs::Client::send_message_batch)
        .match_requests(move |request| {
            let entries = request.entries().iter();
            entries.map(SendMessageBatchRequestEntry::id).eq(&ids)
        })
        .then_output(move || {
            SendMessageBatchOutput::builder()
                .set_successful(Some(answered.iter().copied().map(sent).collect()))
                .set_failed(Some(failed.iter().copied().map(refused).collect()))
                .build()
                .unwrap()
        })
}

#[tokio::test]
async fn a_batch_tells_which_messages_were_refused() {
    let first = call(
        0..10,
        &["0", "1", "2", "3", "5", "6", "7", "8", "9"],
        &["4"],
    );
    let second = call([10], &[], &["10"]);
    let messages: Vec<String> = (0..11).map(|number| number.to_string()).collect();
    let batch = queue(scripted!(sqs, [&first, &second]))
        .send_batch(&messages)
        .await
        .unwrap();
    let (positions, ids): (Vec<_>, Vec<_>) = batch
        .sent
        .iter()
        .map(|(position, sent)| (*position, sent.message_id.as_str()))
        .unzip();
    assert_eq!(positions, [0, 1, 2, 3, 5, 6, 7, 8, 9]);
    assert_eq!(ids, ["m0", "m1", "m2", "m3", "m5", "m6", "m7", "m8", "m9"]);
    let refused: Vec<_> = batch.failed.iter().map(ToString::to_string).collect();
    assert_eq!(
        refused,
        [
            "message 4 was refused: InternalError: ",
            "message 10 was refused: InternalError: "
        ]
    );
}

/// The bodies of one call have 1,048,576 bytes at most; each of these has two more than its text, the quotes.
#[tokio::test]
async fn a_call_holds_no_more_bytes_than_sqs_takes() {
    let fits = call([0, 1], &["0", "1"], &[]);
    let over = call([2, 3], &["2", "3"], &[]);
    let half = "h".repeat(524_286);
    let messages = [half.clone(), half.clone(), half, "é".to_owned()];
    let batch = queue(scripted!(sqs, [&fits, &over]))
        .send_batch(&messages)
        .await
        .unwrap();
    assert_eq!(batch.sent.len(), 4);
}

#[tokio::test]
async fn a_message_that_no_call_can_hold_stops_the_batch_before_it_starts() {
    let never = call([0], &["0"], &[]);
    let messages = ["small".to_owned(), "h".repeat(1_048_575)];
    let error = queue(scripted!(sqs, [&never]))
        .send_batch(&messages)
        .await
        .unwrap_err();
    assert_eq!(error.reason(), Reason::Invalid);
    assert_eq!(
        error.source().unwrap().to_string(),
        "message 1 has 1048577 bytes and a call takes 1048576 at most"
    );
    assert_eq!(never.num_calls(), 0);
}

#[tokio::test]
async fn messages_of_a_fifo_queue_have_groups() {
    let rule = mock!(sqs::Client::send_message_batch)
        .match_requests(|request| {
            let [first, second] = request.entries() else {
                return false;
            };
            first.message_group_id() == Some("latte")
                && first.message_deduplication_id() == Some("d")
                && first.delay_seconds().is_none()
                && second.message_group_id() == Some("mocha")
                && second.message_deduplication_id().is_none()
                && second.delay_seconds() == Some(2)
        })
        .then_output(|| {
            SendMessageBatchOutput::builder()
                .successful(sent("0"))
                .successful(sent("1"))
                .set_failed(Some(Vec::new()))
                .build()
                .unwrap()
        });
    let (latte, mocha) = ("latte".to_owned(), "mocha".to_owned());
    let batch = queue(scripted!(sqs, [&rule]))
        .send_batch([
            BatchMessage::new(&latte).group("latte").deduplication("d"),
            BatchMessage::new(&mocha)
                .group("mocha")
                .delay(Duration::from_millis(1500)),
        ])
        .await
        .unwrap();
    assert_eq!(batch.sent.len(), 2);
}

#[tokio::test]
async fn an_answer_that_leaves_a_message_open_is_an_error() {
    let messages = ["a".to_owned(), "b".to_owned()];
    for (answered, problem) in [
        (
            &["0", "x"],
            "the answer tells of a message `x` that the call does not hold, or twice",
        ),
        (
            &["0", "0"],
            "the answer tells of a message `0` that the call does not hold, or twice",
        ),
    ] {
        let rule = call(0..2, answered, &[]);
        let error = queue(scripted!(sqs, [&rule]))
            .send_batch(&messages)
            .await
            .unwrap_err();
        assert_eq!(error.reason(), Reason::Decode);
        assert_eq!(error.source().unwrap().to_string(), problem);
    }
    let rule = call(0..2, &["1"], &[]);
    let error = queue(scripted!(sqs, [&rule]))
        .send_batch(&messages)
        .await
        .unwrap_err();
    assert_eq!(
        error.source().unwrap().to_string(),
        "the answer does not tell what became of message 0"
    );
}
