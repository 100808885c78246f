//! Stands for Rekognition, which the engine does not have.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use serde_json::{Value, json};

/// A server on a free port of this machine, which finds the same labels in every image until it is told others.
///
/// The shapes are those of <https://docs.aws.amazon.com/rekognition/latest/APIReference/API_DetectLabels.html>.
pub(super) struct Rekognition {
    url: String,
    seen: Arc<Mutex<Seen>>,
}

struct Seen {
    requests: Vec<Value>,
    /// What is found in images: a list of `{"Name", "Confidence"}`.
    labels: Value,
}

impl Rekognition {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine is free");
        let address = listener.local_addr().expect("a listener has an address");
        let seen = Arc::new(Mutex::new(Seen {
            requests: Vec::new(),
            labels: json!([
                {"Name": "Green", "Confidence": 99.907_997_131_347_66, "Instances": [], "Parents": []},
                {"Name": "Plant", "Confidence": 96.513_824_462_890_62, "Instances": [], "Parents": []},
            ]),
        }));
        let server = Self {
            url: format!("http://{address}"),
            seen: Arc::clone(&seen),
        };
        // The thread waits for calls until the process of the tests ends.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A caller that hangs up gets no answer, and tries again.
                let _ = answer(client, &seen);
            }
        });
        server
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// Finds something else in the images that come from now on.
    pub(super) fn sees(&self, name: &str, confidence: f64) {
        let labels =
            json!([{"Name": name, "Confidence": confidence, "Instances": [], "Parents": []}]);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.labels = labels;
    }

    /// Returns what was asked about an object.
    pub(super) fn request_for(&self, key: &str) -> Value {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let requests = &seen.requests;
        let request = requests
            .iter()
            .find(|request| request["Image"]["S3Object"]["Name"] == key);
        request
            .unwrap_or_else(|| panic!("nobody asked about {key}: {requests:?}"))
            .clone()
    }
}

fn answer(client: TcpStream, seen: &Mutex<Seen>) -> io::Result<()> {
    let mut reader = BufReader::new(client);
    let (mut length, mut target) = (0, String::new());
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap_or(0),
                "x-amz-target" => value.trim().clone_into(&mut target),
                _ => {}
            }
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let (status, answer) = if target == "RekognitionService.DetectLabels" {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.requests.push(serde_json::from_slice(&body)?);
        let labels = json!({"LabelModelVersion": "3.0", "Labels": seen.labels});
        ("200 OK", labels)
    } else {
        ("400 Bad Request", json!({"__type": "InvalidAction"}))
    };
    let answer = answer.to_string();
    write!(
        reader.get_mut(),
        "HTTP/1.1 {status}\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{answer}",
        answer.len()
    )
}
