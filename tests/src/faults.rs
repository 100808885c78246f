//! What can go wrong with one request of a run, and how AWS words it.

use std::fmt;

use crate::proxy::Request;

/// What the [kind](Point::kind) of all requests ends with that change nothing.
pub const READS: &str = "(reads)";

/// One request of a run, under a name that is the same in every run: what AWS made up for this one is left out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Point {
    /// What is asked, such as `cloudformation CreateChangeSet work-dev`.
    pub request: String,
    /// Which of the requests that ask this, counted from 1.
    pub nth: usize,
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// The tool is killed before anybody sees the request.
    KilledBefore,
    /// The tool is killed after the request was obeyed, before it gets the answer.
    KilledAfter,
    /// The connection breaks before anybody sees the request.
    DroppedBefore,
    /// The connection breaks after the request was obeyed.
    DroppedAfter,
    /// The service asks to slow down.
    Throttled,
    /// The service fails.
    Failed,
    /// The answer waits until the tool has sent something else, or for a moment.
    Slow,
    /// The answer ends in the middle.
    Truncated,
    /// Ctrl-C, while the answer is awaited.
    Interrupted,
    /// Ctrl-C twice, while the answer is awaited.
    InterruptedTwice,
}

impl Point {
    /// Returns what kind of request it is: of which service, and what it changes, such as `cloudformation CreateChangeSet`.
    /// All that change nothing are of one kind.
    #[must_use]
    pub fn kind(&self) -> String {
        let mut words = self.request.split(' ');
        let service = words.next().unwrap_or_default();
        let action = words.next().unwrap_or_default();
        let reads = ["Describe", "Get", "List", "GET", "HEAD"];
        let is_read = reads.iter().any(|start| action.starts_with(start));
        let action = if is_read { READS } else { action };
        format!("{service} {action}")
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} #{}", self.request, self.nth)
    }
}

impl Fault {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::KilledAfter,
        Self::DroppedAfter,
        Self::Throttled,
        Self::Interrupted,
        Self::KilledBefore,
        Self::Truncated,
        Self::Failed,
        Self::InterruptedTwice,
        Self::DroppedBefore,
        Self::Slow,
    ];

    /// Returns whether the proxy holds the request until whoever runs the tool has done something to it.
    #[must_use]
    pub fn holds(self) -> bool {
        matches!(
            self,
            Self::KilledBefore | Self::KilledAfter | Self::Interrupted | Self::InterruptedTwice
        )
    }

    /// Returns whether the request is obeyed before it is held.
    #[must_use]
    pub fn is_obeyed(self) -> bool {
        matches!(self, Self::KilledAfter)
    }
}

/// Answers as a service does that has had too many requests: an error that every SDK tries again.
///
/// The routes of APIs: <https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html>;
/// `Throttling` of the query protocol: <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html>;
/// `SlowDown` of S3: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html>; `TooManyRequestsException` of
/// Lambda: <https://docs.aws.amazon.com/lambda/latest/api/CommonErrors.html>.
pub(crate) fn throttled(request: &Request) -> String {
    match request.service.as_str() {
        "s3" => s3(
            request,
            "503 Slow Down",
            "SlowDown",
            "Please reduce your request rate.",
        ),
        "lambda" => json(
            "429 Too Many Requests",
            "TooManyRequestsException",
            r#"{"Reason":"CallerRateLimitExceeded","Type":"User","message":"Rate exceeded"}"#,
        ),
        "execute-api" => json(
            "429 Too Many Requests",
            "TooManyRequestsException",
            r#"{"message":"Too Many Requests"}"#,
        ),
        "logs" | "dynamodb" | "sqs" | "tagging" => json(
            "400 Bad Request",
            "ThrottlingException",
            r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#,
        ),
        _ => query("400 Bad Request", "Sender", "Throttling", "Rate exceeded"),
    }
}

/// Answers as a service does that has failed: the same pages name `InternalFailure` and `InternalError`.
pub(crate) fn failed(request: &Request) -> String {
    match request.service.as_str() {
        "s3" => s3(
            request,
            "500 Internal Server Error",
            "InternalError",
            "We encountered an internal error. Please try again.",
        ),
        "lambda" => json(
            "500 Internal Server Error",
            "ServiceException",
            r#"{"Type":"Service","message":"An error occurred and the request cannot be processed."}"#,
        ),
        "execute-api" => json(
            "502 Bad Gateway",
            "InternalServerErrorException",
            r#"{"message":"Internal server error"}"#,
        ),
        "logs" | "dynamodb" | "sqs" | "tagging" => json(
            "500 Internal Server Error",
            "InternalFailure",
            r#"{"__type":"InternalFailure"}"#,
        ),
        _ => query(
            "500 Internal Server Error",
            "Receiver",
            "InternalFailure",
            "An internal error has occurred",
        ),
    }
}

fn query(status: &str, fault: &str, code: &str, message: &str) -> String {
    let body = format!(
        "<ErrorResponse><Error><Type>{fault}</Type><Code>{code}</Code><Message>{message}</Message></Error>\
         <RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"
    );
    answer(status, "text/xml", "", &body)
}

/// An answer to HEAD has no body: the status is all it says.
fn s3(request: &Request, status: &str, code: &str, message: &str) -> String {
    let body = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message>\
         <RequestId>0000000000000000</RequestId></Error>"
    );
    let body = if request.method == "HEAD" { "" } else { &body };
    answer(status, "application/xml", "", body)
}

fn json(status: &str, code: &str, body: &str) -> String {
    let header = format!("x-amzn-errortype: {code}\r\n");
    answer(status, "application/json", &header, body)
}

fn answer(status: &str, content_type: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-type: {content_type}\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// Cuts an answer in the middle of its body, or of its head where it has none.
pub(crate) fn truncated(answer: &[u8]) -> &[u8] {
    let head = answer.windows(4).position(|window| window == b"\r\n\r\n");
    let head = head.map_or(answer.len(), |position| position + 4);
    let body = answer.len().saturating_sub(head);
    let kept = if body > 1 { head + body / 2 } else { head / 2 };
    answer.get(..kept).unwrap_or(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_that_change_nothing_are_of_one_kind() {
        let kind = |request: &str| {
            Point {
                request: request.to_owned(),
                nth: 1,
            }
            .kind()
        };
        assert_eq!(kind("s3 HEAD? b-*/k"), kind("s3 GET?list-type b-*/"));
        assert_eq!(kind("s3 PUT? b-*/k"), "s3 PUT?");
        assert_eq!(
            kind("cloudformation DeleteStack work-dev"),
            "cloudformation DeleteStack"
        );
    }

    #[test]
    fn an_answer_is_cut_where_it_cannot_be_taken_for_whole() {
        let whole = b"HTTP/1.1 200 OK\r\ncontent-length: 8\r\n\r\n<a>b</a>";
        assert!(truncated(whole).ends_with(b"\r\n\r\n<a>b"));
        let empty = b"HTTP/1.1 204 No Content\r\n\r\n";
        assert_eq!(truncated(empty), b"HTTP/1.1 204 ");
    }

    #[test]
    fn a_head_request_gets_no_body() {
        let mut request = Request {
            method: "HEAD".to_owned(),
            service: "s3".to_owned(),
            ..Request::default()
        };
        assert!(throttled(&request).ends_with("\r\n\r\n"));
        request.method = "PUT".to_owned();
        assert!(throttled(&request).contains("<Code>SlowDown</Code>"));
        request.service = "cloudformation".to_owned();
        assert!(throttled(&request).contains("<Code>Throttling</Code>"));
    }
}
