//! A web page that follows topics of the broker: MQTT 3.1.1 over a WebSocket, as far as that needs it.
//!
//! See <https://docs.oasis-open.org/mqtt/mqtt/v3.1.1/os/mqtt-v3.1.1-os.html> and
//! <https://docs.aws.amazon.com/iot/latest/developerguide/protocols.html>, under MQTT over WSS.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    SessionTokenMode, SignableBody, SignableRequest, SignatureLocation, SigningSettings, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use serde_json::Value;
use system_tests::websocket::{Frame, WebSocket};

/// What a message of MQTT is, in the upper four bits of its first byte.
mod packet {
    pub(super) const CONNECT: u8 = 0x10;
    pub(super) const CONNACK: u8 = 0x20;
    pub(super) const PUBLISH: u8 = 0x30;
    pub(super) const PUBACK: u8 = 0x40;
    pub(super) const SUBSCRIBE: u8 = 0x82;
    pub(super) const SUBACK: u8 = 0x90;
}

/// How many pages were opened.
static PAGES: AtomicUsize = AtomicUsize::new(0);

type Messages = Arc<Mutex<Vec<(String, Value)>>>;

/// A page that follows topics until it is dropped.
pub(super) struct Follower {
    connection: Connection,
    messages: Messages,
}

impl Follower {
    /// Connects with credentials and follows topics; `None` where the broker does not let the page follow one of them, and
    /// so ends the connection.
    ///
    /// # Panics
    ///
    /// Panics where the broker does not let the page in.
    pub(super) fn connect(
        endpoint: &str,
        address: &str,
        region: &str,
        credentials: &Credentials,
        topics: &[&str],
    ) -> Option<Self> {
        let mut connection = Connection::open(endpoint, address, region, credentials);
        // The broker ends the connection of a page when another one comes with its name.
        let number = PAGES.fetch_add(1, Ordering::Relaxed);
        let client = format!("serverlesspresso-tests-{number}");
        // The name and the version of the protocol, a clean session, and no heartbeat.
        let mut body = b"\x00\x04MQTT\x04\x02\x00\x00".to_vec();
        body.extend(length(client.as_bytes()));
        body.extend(client.as_bytes());
        connection.send(packet::CONNECT, &body);
        let (kind, answer) = connection.receive().expect("the broker answers");
        assert_eq!((kind, answer.as_slice()), (packet::CONNACK, &[0, 0][..]));

        let mut body = vec![0, 1];
        for topic in topics {
            body.extend(length(topic.as_bytes()));
            body.extend(topic.as_bytes());
            body.push(1);
        }
        connection.send(packet::SUBSCRIBE, &body);
        let (kind, _) = connection.receive()?;
        assert_eq!(kind, packet::SUBACK);

        let messages = Messages::default();
        let mut reader = connection.another();
        let into = Arc::clone(&messages);
        thread::spawn(move || {
            while let Some((kind, body)) = reader.receive() {
                if kind & 0xf0 == packet::PUBLISH {
                    let (message, acknowledgement) = read_message(kind, &body);
                    if let Some(id) = acknowledgement {
                        reader.send(packet::PUBACK, &id);
                    }
                    into.lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .push(message);
                }
            }
        });
        Some(Self {
            connection,
            messages,
        })
    }

    /// Returns what was published to a topic so far.
    pub(super) fn messages(&self, topic: &str) -> Vec<Value> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let of_topic = messages.iter().filter(|(name, _)| name == topic);
        of_topic.map(|(_, message)| message.clone()).collect()
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        // This ends the thread that reads.
        self.connection.socket.close();
    }
}

/// A WebSocket, and what came of the next packet.
struct Connection {
    socket: WebSocket,
    buffer: Vec<u8>,
}

impl Connection {
    fn open(endpoint: &str, address: &str, region: &str, credentials: &Credentials) -> Self {
        let target = format!("/mqtt?{}", presigned(address, region, credentials));
        Self {
            socket: WebSocket::open(endpoint, address, &target, Some("mqtt")),
            buffer: Vec::new(),
        }
    }

    /// Returns another handle of the connection, which goes on where this one stopped reading.
    fn another(&mut self) -> Self {
        Self {
            socket: self.socket.another(),
            buffer: std::mem::take(&mut self.buffer),
        }
    }

    /// Sends one packet in one frame.
    fn send(&mut self, kind: u8, body: &[u8]) {
        let mut packet = vec![kind];
        let mut rest = body.len();
        loop {
            let (more, digit) = (rest / 128, rest % 128);
            let continued = if more > 0 { 0x80 } else { 0 };
            packet.push(continued | low_byte(digit));
            rest = more;
            if rest == 0 {
                break;
            }
        }
        packet.extend(body);
        self.socket.send(Frame::Binary, &packet);
    }

    /// Receives one packet: its first byte and its body. `None` where the connection has ended.
    fn receive(&mut self) -> Option<(u8, Vec<u8>)> {
        loop {
            if let Some((kind, body, whole)) = first_packet(&self.buffer) {
                self.buffer.drain(..whole);
                return Some((kind, body));
            }
            self.buffer.extend(self.socket.receive()?);
        }
    }
}

/// Reads the first packet of a buffer: its first byte, its body, and how long all of it is.
fn first_packet(buffer: &[u8]) -> Option<(u8, Vec<u8>, usize)> {
    let (mut size, mut shift, mut at) = (0, 0, 1);
    loop {
        let digit = *buffer.get(at)?;
        size |= usize::from(digit & 0x7f) << shift;
        (shift, at) = (shift + 7, at + 1);
        if digit & 0x80 == 0 {
            break;
        }
    }
    let body = buffer.get(at..at + size)?;
    Some((buffer[0], body.to_vec(), at + size))
}

/// Reads a published message, and the id by which it is acknowledged.
fn read_message(kind: u8, body: &[u8]) -> ((String, Value), Option<[u8; 2]>) {
    let (size, rest) = body.split_at(2);
    let (topic, rest) = rest.split_at(number(size));
    let quality = (kind >> 1) & 3;
    let (id, payload) = match rest {
        [first, second, payload @ ..] if quality > 0 => (Some([*first, *second]), payload),
        payload => (None, payload),
    };
    let topic = String::from_utf8(topic.to_vec()).expect("topics are text");
    let message = serde_json::from_slice(payload).expect("the system publishes JSON");
    ((topic, message), id)
}

fn length(bytes: &[u8]) -> [u8; 2] {
    u16::try_from(bytes.len())
        .expect("it is short")
        .to_be_bytes()
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | usize::from(*byte))
}

fn low_byte(number: usize) -> u8 {
    u8::try_from(number).expect("it is less than 128")
}

/// Signs the request for the upgrade; the token of the session is added to what is signed, not signed with it.
fn presigned(address: &str, region: &str, credentials: &Credentials) -> String {
    let mut settings = SigningSettings::default();
    settings.signature_location = SignatureLocation::QueryParams;
    settings.session_token_mode = SessionTokenMode::Exclude;
    settings.expires_in = Some(Duration::from_mins(5));
    let identity = credentials.clone().into();
    let parameters = SigningParams::builder()
        .identity(&identity)
        .region(region)
        .name("iotdevicegateway")
        .time(SystemTime::now())
        .settings(settings)
        .build()
        .expect("all parts of the signature are given")
        .into();
    let url = format!("http://{address}/mqtt");
    let signable = SignableRequest::new("GET", &url, std::iter::empty(), SignableBody::Bytes(b""))
        .expect("the request can be signed");
    let (instructions, _) = sign(signable, &parameters)
        .expect("the request can be signed")
        .into_parts();
    let pairs: Vec<String> = instructions
        .params()
        .iter()
        .map(|(name, value)| format!("{name}={}", percent_encoded(value)))
        .collect();
    pairs.join("&")
}

fn percent_encoded(value: &str) -> String {
    let encoded = value.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    encoded.collect()
}
