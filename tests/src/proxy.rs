//! A proxy between the tool and an engine: it counts the calls, and holds one when a test asks for it.
//!
//! The engine finishes most operations before anybody can look. To interrupt a deploy in the middle, a test holds the
//! call that begins the phase, does what it wants to do, and lets the call go on.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::poll::PATIENCE;

/// A proxy on a free port of this machine. It stops answering when dropped.
pub struct Proxy {
    address: SocketAddr,
    shared: Arc<Shared>,
}

/// A held call.
pub struct Hold {
    shared: Arc<Shared>,
    pattern: String,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    calls: Vec<String>,
    /// The pattern of the call to hold, until it is let go.
    hold: Option<String>,
    reached: bool,
    /// Whether the held calls are dropped when they are let go.
    abandoned: bool,
    closed: bool,
}

impl Proxy {
    /// Starts a proxy in front of an endpoint such as `http://127.0.0.1:4577`.
    ///
    /// # Panics
    ///
    /// Panics where no port can be listened on.
    #[must_use]
    pub fn start(upstream: &str) -> Self {
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine is free");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared::default());
        let of_listener = Arc::clone(&shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if of_listener.lock().closed {
                    return;
                }
                let shared = Arc::clone(&of_listener);
                let upstream = upstream.clone();
                // A call that cannot be passed on is an answer that never comes: the tool reports it.
                thread::spawn(move || serve(&client, &upstream, &shared));
            }
        });
        Self { address, shared }
    }

    /// Returns the endpoint to give to the tool.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns the calls so far, such as `POST / Action=CreateChangeSet` or `PUT /bucket/key`.
    #[must_use]
    pub fn calls(&self) -> Vec<String> {
        self.shared.lock().calls.clone()
    }

    /// Returns how many calls so far contain the text.
    #[must_use]
    pub fn count(&self, pattern: &str) -> usize {
        let calls = self.calls();
        calls.iter().filter(|call| call.contains(pattern)).count()
    }

    /// Forgets the calls so far.
    pub fn forget(&self) {
        self.shared.lock().calls.clear();
    }

    /// Holds the next calls that contain the text, before the engine sees them.
    #[must_use]
    pub fn hold(&self, pattern: &str) -> Hold {
        let mut state = self.shared.lock();
        state.hold = Some(pattern.to_owned());
        state.reached = false;
        state.abandoned = false;
        drop(state);
        Hold {
            shared: Arc::clone(&self.shared),
            pattern: pattern.to_owned(),
        }
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_all();
        // Wakes the listener, which then finds that it is closed; where it is gone already, nothing is to be done.
        let _ = TcpStream::connect(self.address);
    }
}

impl Hold {
    /// Waits until a call is held.
    ///
    /// # Panics
    ///
    /// Panics where none comes in time.
    pub fn reached(&self) {
        let state = self.shared.lock();
        let (state, timeout) = self
            .shared
            .changed
            .wait_timeout_while(state, PATIENCE * 4, |state| !state.reached)
            .unwrap_or_else(PoisonError::into_inner);
        assert!(
            !timeout.timed_out(),
            "no call with {} came; there were {:#?}",
            self.pattern,
            state.calls
        );
    }

    /// Lets the held calls go on; those that come later are not held.
    pub fn release(self) {
        drop(self);
    }

    /// Drops the held calls: the engine never sees them.
    pub fn abandon(self) {
        self.shared.lock().abandoned = true;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.shared.lock().hold = None;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        // A test that panicked while it held the lock leaves a state that is still whole.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a call, waits while it is to be held, and returns whether it goes on.
    fn pass(&self, call: &str) -> bool {
        let mut state = self.lock();
        let held = |state: &State| state.hold.as_ref().is_some_and(|hold| call.contains(hold));
        state.calls.push(call.to_owned());
        if !held(&state) {
            return true;
        }
        state.reached = true;
        self.changed.notify_all();
        while held(&state) && !state.closed {
            state = self
                .changed
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
        !state.abandoned
    }
}

/// Passes one call on, and its answer back; each call has a connection of its own.
fn serve(client: &TcpStream, upstream: &str, shared: &Shared) -> io::Result<()> {
    client.set_read_timeout(Some(Duration::from_mins(2)))?;
    let mut reader = BufReader::new(client.try_clone()?);
    let mut head = String::new();
    let mut length = 0;
    let mut first = String::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let header = line.trim_end();
        if header.is_empty() {
            break;
        }
        let name = header.split(':').next().unwrap_or_default();
        if first.is_empty() {
            header.clone_into(&mut first);
            head.push_str(&line);
        } else if name.eq_ignore_ascii_case("content-length") {
            length = header
                .split(':')
                .nth(1)
                .and_then(|text| text.trim().parse().ok())
                .unwrap_or(0);
            head.push_str(&line);
        } else if name.eq_ignore_ascii_case("expect") {
            (&*client).write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        } else if !name.eq_ignore_ascii_case("connection") {
            // The host stays what the caller signed.
            head.push_str(&line);
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;

    let text = String::from_utf8_lossy(&body);
    let action = text
        .split('&')
        .find(|field| field.starts_with("Action="))
        .unwrap_or_default();
    let target = first.trim_end_matches(" HTTP/1.1");
    if !shared.pass(format!("{target} {action}").trim_end()) {
        return Ok(());
    }

    let mut server = TcpStream::connect(upstream)?;
    server.write_all(head.as_bytes())?;
    server.write_all(b"connection: close\r\n\r\n")?;
    server.write_all(&body)?;
    io::copy(&mut server, &mut &*client)?;
    client.shutdown(std::net::Shutdown::Both)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http;

    /// Answers every call with the body that it sent.
    fn echo_server() -> String {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let mut reader = BufReader::new(&stream);
                let mut length = 0;
                let mut line = String::new();
                while reader.read_line(&mut line).is_ok_and(|_| line != "\r\n") {
                    if let Some(text) = line.to_lowercase().strip_prefix("content-length:") {
                        length = text.trim().parse().expect("a length");
                    }
                    line.clear();
                }
                let mut body = vec![0; length];
                reader.read_exact(&mut body).expect("the body arrives");
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
                (&stream).write_all(head.as_bytes()).expect("is read");
                (&stream).write_all(&body).expect("is read");
            }
        });
        url
    }

    #[test]
    fn calls_pass_and_are_noted() {
        let proxy = Proxy::start(&echo_server());
        let answer = http::post(&proxy.url(), "text/plain", "Action=CreateChangeSet&x=1");
        assert_eq!(answer.body, "Action=CreateChangeSet&x=1");
        assert_eq!(proxy.calls(), ["POST / Action=CreateChangeSet"]);
        proxy.forget();
        assert_eq!(proxy.count("CreateChangeSet"), 0);
    }

    #[test]
    fn a_held_call_goes_on_when_it_is_released() {
        let proxy = Proxy::start(&echo_server());
        let hold = proxy.hold("Action=One");
        let url = proxy.url();
        let caller = thread::spawn(move || http::post(&url, "text/plain", "Action=One").body);
        hold.reached();
        assert_eq!(
            http::post(&proxy.url(), "text/plain", "Action=Two").body,
            "Action=Two"
        );
        assert!(!caller.is_finished());
        hold.release();
        assert_eq!(caller.join().expect("does not panic"), "Action=One");
    }
}
