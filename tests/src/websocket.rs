//! WebSockets, as a page speaks them; see <https://www.rfc-editor.org/rfc/rfc6455>.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// A WebSocket, of which another thread can have another handle.
pub struct WebSocket {
    stream: TcpStream,
    reader: Arc<Mutex<BufReader<TcpStream>>>,
}

/// What a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A text.
    Text = 1,
    /// Bytes.
    Binary = 2,
}

impl WebSocket {
    /// Opens a socket at an engine, under the name by which it is known.
    ///
    /// # Panics
    ///
    /// Panics where the engine refuses.
    #[must_use]
    pub fn open(endpoint: &str, host: &str, target: &str, protocol: Option<&str>) -> Self {
        let server = endpoint.strip_prefix("http://").expect("plain HTTP");
        let mut stream = TcpStream::connect(server).expect("the engine is there");
        let protocol = protocol.map_or_else(String::new, |it| {
            format!("Sec-WebSocket-Protocol: {it}\r\n")
        });
        // The key is any 16 bytes; the answer to it only matters to those who do not know whom they talk to.
        let request = format!(
            "GET {target} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{protocol}\r\n"
        );
        stream
            .write_all(request.as_bytes())
            .expect("the engine listens");
        let mut reader = BufReader::new(stream.try_clone().expect("a socket can be shared"));
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            let read = reader.read_line(&mut head).expect("the engine answers");
            assert!(read > 0, "the engine ended the connection after {head:?}");
        }
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        Self {
            stream,
            reader: Arc::new(Mutex::new(reader)),
        }
    }

    /// Returns another handle of the socket.
    ///
    /// # Panics
    ///
    /// Panics where the system has no more of them.
    #[must_use]
    pub fn another(&self) -> Self {
        Self {
            stream: self.stream.try_clone().expect("a socket can be shared"),
            reader: Arc::clone(&self.reader),
        }
    }

    /// Sends a message in one frame.
    ///
    /// # Panics
    ///
    /// Panics where the message is longer than 65,535 bytes, or the other side has gone.
    pub fn send(&mut self, kind: Frame, message: &[u8]) {
        // A frame that is whole has the upper bit; a client masks what it sends, here with zeros.
        let mut frame = vec![0x80 | kind as u8];
        if let Ok(short @ 0..126) = u8::try_from(message.len()) {
            frame.push(0x80 | short);
        } else {
            // The length follows in two bytes.
            let length = u16::try_from(message.len()).expect("the message is short");
            frame.push(0xfe);
            frame.extend(length.to_be_bytes());
        }
        frame.extend([0; 4]);
        frame.extend(message);
        self.stream.write_all(&frame).expect("the engine listens");
    }

    /// Waits for a message; `None` where the connection has ended.
    pub fn receive(&self) -> Option<Vec<u8>> {
        let mut reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
        let mut take = |count: usize| -> Option<Vec<u8>> {
            let mut bytes = vec![0; count];
            reader.read_exact(&mut bytes).ok()?;
            Some(bytes)
        };
        loop {
            let head = take(2)?;
            let count = match head[1] & 0x7f {
                126 => number(&take(2)?),
                127 => number(&take(8)?),
                short => usize::from(short),
            };
            let payload = take(count)?;
            match head[0] & 0x0f {
                0..=2 => return Some(payload),
                8 => return None,
                // Questions whether this side is still there.
                _ => {}
            }
        }
    }

    /// Ends the connection, and whoever waits for a message.
    pub fn close(&self) {
        // A connection that is closed already is as good.
        let _ = self.stream.shutdown(Shutdown::Both);
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .fold(0, |number, byte| number << 8 | usize::from(*byte))
}
