//! Answers signed requests and questions for names.

use std::{
    net::{Ipv4Addr, SocketAddr, UdpSocket},
    sync::{Arc, Mutex},
    thread,
    time::Duration,
};

use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector},
    orchestrator::HttpRequest,
    result::ConnectorError,
};
use serde_json::Value;

use super::script::{Played, http};

/// An answer: to which operation, with what in the request, the status and the body.
type Rule = (&'static str, &'static str, u16, String);

/// Answers signed requests, each as often as it is asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Signed {
    rules: Vec<Rule>,
    /// Every request: the operation and the body.
    asked: Arc<Mutex<Vec<(String, String)>>>,
    names: Vec<(&'static str, u16, Vec<&'static str>)>,
    /// Operations that nobody answers: there is no connection, or nothing comes over it.
    unanswered: Vec<(&'static str, bool)>,
    /// How long an answer is waited for, where that is not as usual.
    timeout: Option<Duration>,
}

impl Signed {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Answers an operation whose request has this in its body with JSON.
    pub(crate) fn json(
        self,
        operation: &'static str,
        with: &'static str,
        status: u16,
        body: &Value,
    ) -> Self {
        self.text(operation, with, status, &body.to_string())
    }

    /// The same with a text. A path stands for what is read.
    pub(crate) fn text(
        mut self,
        operation: &'static str,
        with: &'static str,
        status: u16,
        body: &str,
    ) -> Self {
        self.rules.push((operation, with, status, body.to_owned()));
        self
    }

    /// Refuses the connection of an operation.
    pub(super) fn refused(mut self, operation: &'static str) -> Self {
        self.unanswered.push((operation, true));
        self
    }

    /// Never answers an operation.
    pub(super) fn silent(mut self, operation: &'static str) -> Self {
        self.unanswered.push((operation, false));
        self
    }

    /// Waits for answers for so long.
    pub(super) fn waiting(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Says what stands for a name in the Domain Name System, by the number of its kind.
    pub(super) fn name(mut self, name: &'static str, kind: u16, found: &[&'static str]) -> Self {
        self.names.push((name, kind, found.to_vec()));
        self
    }

    /// Answers a script that is played.
    pub(crate) fn with(&self, mut played: Played) -> Played {
        let connector = SharedHttpConnector::new(self.clone());
        let dns = serve(self.names.clone());
        played.context.clients = played.context.clients.with_signed(
            connector,
            Arc::clone(&played.context.timing),
            self.timeout,
            dns,
        );
        played
    }

    /// Returns the bodies of the requests of an operation.
    pub(crate) fn asked(&self, operation: &str) -> Vec<String> {
        let asked = self.asked.lock().expect("no holder panics");
        let of = asked.iter().filter(|(it, _)| it == operation);
        of.map(|(_, body)| body.clone()).collect()
    }

    /// Checks that nothing was asked that the script has no answer for, and everything that it has one for.
    #[track_caller]
    pub(crate) fn finish(&self) {
        let asked = self.asked.lock().expect("no holder panics");
        let fits = |rule: &Rule, request: &(String, String)| {
            rule.0 == request.0 && request.1.contains(rule.1)
        };
        for request in asked.iter() {
            let unanswered = self.unanswered.iter().any(|(it, _)| *it == request.0);
            let known = unanswered || self.rules.iter().any(|rule| fits(rule, request));
            assert!(known, "nobody answers {request:?}");
        }
        for rule in &self.rules {
            let came = asked.iter().any(|request| fits(rule, request));
            assert!(came, "never came: {rule:?}");
        }
    }
}

impl HttpConnector for Signed {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let signed = request.headers().get("authorization");
        let signed = signed.expect("it is signed");
        assert!(signed.starts_with("AWS4-HMAC-SHA256 "), "{signed}");
        let scope = scope(request.uri());
        assert!(signed.contains(&scope), "{scope}: {signed}");
        let body = request.body().bytes().unwrap_or_default();
        let body = String::from_utf8_lossy(body).into_owned();
        let operation = match request.headers().get("x-amz-target") {
            Some(target) => target.rsplit('.').next().unwrap_or(target).to_owned(),
            None => {
                if let Some(form) = body.strip_prefix("Action=") {
                    form.split('&').next().unwrap_or(form).to_owned()
                } else {
                    let path = request.uri().splitn(4, '/').nth(3).unwrap_or_default();
                    format!("/{path}")
                }
            }
        };
        let rule = self
            .rules
            .iter()
            .find(|(it, with, ..)| *it == operation && body.contains(with));
        let answer = match rule {
            Some((_, _, status, body)) => http(*status, body),
            None => http(400, r#"{"__type":"NotInTheScript"}"#),
        };
        let unanswered = self.unanswered.iter().find(|(it, _)| *it == operation);
        let mut asked = self.asked.lock().expect("no holder panics");
        asked.push((operation, body));
        match unanswered {
            Some((_, true)) => {
                HttpConnectorFuture::ready(Err(ConnectorError::io("connection refused".into())))
            }
            Some((_, false)) => HttpConnectorFuture::new(std::future::pending()),
            None => HttpConnectorFuture::ready(Ok(answer)),
        }
    }
}

/// Returns what a request to an address is signed for: services without a region in their host are signed for one
/// (<https://docs.aws.amazon.com/general/latest/gr/iam-service.html>).
fn scope(uri: &str) -> String {
    let host = uri.split('/').nth(2).unwrap_or_default();
    let mut labels = host.split('.');
    let service = labels.next().unwrap_or_default();
    let region = labels.next().filter(|it| *it != "amazonaws");
    format!("/{}/{service}/aws4_request", region.unwrap_or("us-east-1"))
}

/// Answers questions for names on the loopback interface, until nobody asks any more.
fn serve(names: Vec<(&'static str, u16, Vec<&'static str>)>) -> SocketAddr {
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
    let address = socket.local_addr().expect("it is bound");
    thread::spawn(move || {
        let mut buffer = [0; 512];
        while let Ok((length, from)) = socket.recv_from(&mut buffer) {
            let answer = answer(&buffer[..length], &names);
            let _ = socket.send_to(&answer, from);
        }
    });
    address
}

fn answer(question: &[u8], names: &[(&'static str, u16, Vec<&'static str>)]) -> Vec<u8> {
    let mut at = 12;
    let mut labels = Vec::new();
    while question[at] != 0 {
        let length = usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..at + 1 + length]).into_owned());
        at += length + 1;
    }
    let kind = u16::from_be_bytes([question[at + 1], question[at + 2]]);
    let name = labels.join(".");
    let found = names
        .iter()
        .find(|(it, of, _)| *it == name && *of == kind)
        .map_or(&[][..], |(.., found)| found);
    let known = names.iter().any(|(it, ..)| *it == name);
    let mut answer = question[..at + 5].to_vec();
    answer[2..8].copy_from_slice(&[0x81, if known { 0x80 } else { 0x83 }, 0, 1, 0, 0]);
    answer[7] = u8::try_from(found.len()).expect("they are few");
    for value in found {
        let data: Vec<u8> = match value.parse::<Ipv4Addr>() {
            Ok(address) => address.octets().to_vec(),
            Err(_) => value
                .split('.')
                .flat_map(|label| {
                    let length = u8::try_from(label.len()).expect("it is short");
                    std::iter::once(length).chain(label.bytes())
                })
                .chain([0])
                .collect(),
        };
        answer.extend([192, 12]);
        answer.extend(kind.to_be_bytes());
        answer.extend([0, 1, 0, 0, 0, 60]);
        answer.extend(
            u16::try_from(data.len())
                .expect("it is short")
                .to_be_bytes(),
        );
        answer.extend(data);
    }
    answer
}
