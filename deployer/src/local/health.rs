//! Asks whether an engine answers, with the little HTTP that a loopback address needs.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde::Deserialize;

/// An engine answers its health request within milliseconds; a busy one gets this long.
const TIMEOUT: Duration = Duration::from_secs(2);
/// The engine's answer is a few kilobytes; whoever sends more is not it.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// What an engine says about itself.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Health {
    /// Its version.
    pub(crate) version: String,
    /// A text the engine was given at its start and repeats; ours is the id of the start.
    pub(crate) edition: String,
}

/// Says what is on a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    /// Nobody listens.
    Nothing,
    /// Somebody listens, who is not an engine or does not answer in time.
    Stranger,
    /// An engine answers.
    Engine(Health),
}

/// Asks who is on a port of the loopback interface.
pub(crate) fn ask(port: u16) -> Answer {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    match TcpStream::connect_timeout(&address, TIMEOUT) {
        Ok(stream) => talk(stream, port)
            .and_then(|bytes| parse(&bytes))
            .map_or(Answer::Stranger, Answer::Engine),
        Err(_) => Answer::Nothing,
    }
}

fn talk(mut stream: TcpStream, port: u16) -> Option<Vec<u8>> {
    stream.set_read_timeout(Some(TIMEOUT)).ok()?;
    stream.set_write_timeout(Some(TIMEOUT)).ok()?;
    let request = format!(
        "GET /_ministack/health HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = Vec::new();
    stream.take(LONGEST_ANSWER).read_to_end(&mut answer).ok()?;
    Some(answer)
}

fn parse(answer: &[u8]) -> Option<Health> {
    let text = std::str::from_utf8(answer).ok()?;
    let (head, body) = text.split_once("\r\n\r\n")?;
    head.split(' ').nth(1).filter(|status| *status == "200")?;
    serde_json::from_str(body).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn serve_once(answer: &'static str) -> u16 {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let mut request = [0; 1024];
            let _ = stream.read(&mut request);
            let _ = stream.write_all(answer.as_bytes());
        });
        port
    }

    #[test]
    fn an_engine_is_recognised() {
        let port = serve_once(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n\
             {\"services\": {\"s3\": \"available\"}, \"edition\": \"light\", \"version\": \"1.5.33\"}",
        );
        let health = Health {
            version: "1.5.33".into(),
            edition: "light".into(),
        };
        assert_eq!(ask(port), Answer::Engine(health));
    }

    #[test]
    fn others_are_strangers() {
        for answer in [
            "HTTP/1.1 404 Not Found\r\n\r\n{\"edition\": \"light\", \"version\": \"1\"}",
            "HTTP/1.1 200 OK\r\n\r\n<html>",
            "SSH-2.0-OpenSSH\r\n",
            "",
        ] {
            assert_eq!(ask(serve_once(answer)), Answer::Stranger, "{answer}");
        }
    }

    #[test]
    fn an_unused_port_is_nothing() {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .unwrap()
            .local_addr()
            .unwrap()
            .port();
        assert_eq!(ask(port), Answer::Nothing);
    }
}
