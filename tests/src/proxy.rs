//! A proxy between the tool and an engine: it counts the calls, holds one when a test asks for it, and lets one go wrong.
//!
//! The engine finishes most operations before anybody can look. To interrupt a deploy in the middle, a test holds the
//! call that begins the phase, does what it wants to do, and lets the call go on.

mod request;

pub use request::Request;

use std::collections::BTreeMap;
use std::io::{self, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use crate::faults::{self, Fault, Point};
use crate::poll::PATIENCE;

/// How long a slow answer waits for the tool to do something else; most of the time it does nothing.
const SLOW: Duration = Duration::from_millis(250);

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
    /// A header for requests to routes.
    header: Option<String>,
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
    /// The calls so far, by what they ask.
    points: Vec<Point>,
    counts: BTreeMap<String, usize>,
    disturbance: Option<Disturbance>,
}

/// What is to go wrong with one request.
struct Disturbance {
    point: Point,
    fault: Fault,
    is_met: bool,
    /// Whether the held request goes on, once that is decided.
    goes_on: Option<bool>,
}

impl Proxy {
    /// Starts a proxy in front of an endpoint such as `http://127.0.0.1:4577`.
    ///
    /// # Panics
    ///
    /// Panics where no port can be listened on.
    #[must_use]
    pub fn start(upstream: &str) -> Self {
        Self::listen(upstream, None)
    }

    /// Listens in front of an engine with several accounts: requests to routes of APIs, which nobody signs, go to those of
    /// this account.
    #[must_use]
    pub fn of_account(upstream: &str, number: &str) -> Self {
        // The engine reads nothing else from the header of a request to a route that is open to everybody.
        let header = format!(
            "authorization: AWS4-HMAC-SHA256 Credential={number}/20260101/us-east-1/execute-api/aws4_request, \
             SignedHeaders=host, Signature=0\r\n"
        );
        Self::listen(upstream, Some(header))
    }

    fn listen(upstream: &str, header: Option<String>) -> Self {
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine is free");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared {
            header,
            ..Shared::default()
        });
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

    /// Forgets the calls so far, and what was to go wrong with one.
    pub fn forget(&self) {
        let mut state = self.shared.lock();
        state.disturbance = None;
        state.calls.clear();
        state.points.clear();
        state.counts.clear();
    }

    /// Returns the calls so far as points, in the order in which they came.
    #[must_use]
    pub fn points(&self) -> Vec<Point> {
        self.shared.lock().points.clone()
    }

    /// Lets one of the calls to come go wrong, once.
    pub fn disturb(&self, point: Point, fault: Fault) {
        self.shared.lock().disturbance = Some(Disturbance {
            point,
            fault,
            is_met: false,
            goes_on: None,
        });
    }

    /// Returns whether the call has come that goes wrong; it is held where the fault says so.
    #[must_use]
    pub fn is_met(&self) -> bool {
        let state = self.shared.lock();
        state.disturbance.as_ref().is_some_and(|found| found.is_met)
    }

    /// Decides about the call that is held for its fault: it goes on, or its connection breaks.
    pub fn let_go(&self, goes_on: bool) {
        if let Some(disturbance) = &mut self.shared.lock().disturbance {
            disturbance.goes_on = Some(goes_on);
        }
        self.shared.changed.notify_all();
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

    /// Returns whether a call is held.
    #[must_use]
    pub fn is_reached(&self) -> bool {
        self.shared.lock().reached
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

    /// Notes a request among the points, and returns what goes wrong with it.
    fn arrive(&self, request: &Request) -> Option<Fault> {
        let mut state = self.lock();
        let request = request.name();
        let nth = state.counts.entry(request.clone()).or_default();
        *nth += 1;
        let point = Point { request, nth: *nth };
        state.points.push(point.clone());
        let disturbance = state.disturbance.as_mut();
        let met = disturbance.filter(|found| !found.is_met && found.point == point);
        let fault = met.map(|found| {
            found.is_met = true;
            found.fault
        });
        self.changed.notify_all();
        fault
    }

    /// Waits until the test has decided about the held request; returns whether it goes on.
    fn hold_here(&self) -> bool {
        let undecided = |state: &mut State| {
            let disturbance = state.disturbance.as_ref();
            !state.closed && disturbance.is_some_and(|found| found.goes_on.is_none())
        };
        let state = self.changed.wait_while(self.lock(), undecided);
        let state = state.unwrap_or_else(PoisonError::into_inner);
        let disturbance = state.disturbance.as_ref();
        disturbance.is_some_and(|found| found.goes_on == Some(true))
    }

    /// Waits until another request comes, or for a moment.
    fn wait_for_another(&self) {
        let state = self.lock();
        let before = state.points.len();
        // Both ends of the wait are as good as the other.
        let _ = self
            .changed
            .wait_timeout_while(state, SLOW, |state| state.points.len() == before);
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
    let Some(mut request) = Request::read(&mut reader, client)? else {
        return Ok(());
    };
    if let (true, Some(header)) = (request.is_to_route(), &shared.header) {
        request.head.push_str(header);
    }
    if !shared.pass(&request.call()) {
        return Ok(());
    }
    let Some(fault) = shared.arrive(&request) else {
        io::copy(&mut send(upstream, &request)?, &mut &*client)?;
        return client.shutdown(std::net::Shutdown::Both);
    };
    match fault {
        Fault::DroppedBefore => return Ok(()),
        Fault::Throttled => (&*client).write_all(faults::throttled(&request).as_bytes())?,
        Fault::Failed => (&*client).write_all(faults::failed(&request).as_bytes())?,
        _ if fault.holds() && !fault.is_obeyed() => {
            if !shared.hold_here() {
                return Ok(());
            }
            io::copy(&mut send(upstream, &request)?, &mut &*client)?;
        }
        _ => {
            let mut answer = Vec::new();
            send(upstream, &request)?.read_to_end(&mut answer)?;
            match fault {
                Fault::Truncated => (&*client).write_all(faults::truncated(&answer))?,
                Fault::Slow => {
                    shared.wait_for_another();
                    (&*client).write_all(&answer)?;
                }
                Fault::DroppedAfter => return Ok(()),
                _ => {
                    if !shared.hold_here() {
                        return Ok(());
                    }
                    (&*client).write_all(&answer)?;
                }
            }
        }
    }
    client.shutdown(std::net::Shutdown::Both)
}

/// Sends a request on; the answer ends with the connection.
fn send(upstream: &str, request: &Request) -> io::Result<TcpStream> {
    let mut server = TcpStream::connect(upstream)?;
    server.write_all(request.head.as_bytes())?;
    server.write_all(b"connection: close\r\n\r\n")?;
    server.write_all(&request.body)?;
    Ok(server)
}

#[cfg(test)]
mod tests {
    use std::io::BufRead as _;

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

    #[test]
    fn one_request_goes_wrong_and_its_repetition_does_not() {
        let proxy = Proxy::start(&echo_server());
        let point = || Point {
            request: "Two".to_owned(),
            nth: 2,
        };
        let post = |action: &str| {
            let headers = [("content-type".to_owned(), "text/plain".to_owned())];
            http::try_send("POST", &proxy.url(), &headers, &format!("Action={action}"))
                .map(|answer| (answer.status, answer.body))
                .ok()
        };
        let whole = || Some((200, "Action=Two".to_owned()));
        for fault in [Fault::DroppedBefore, Fault::DroppedAfter, Fault::Truncated] {
            proxy.forget();
            proxy.disturb(point(), fault);
            assert_eq!(post("Two"), whole(), "{fault:?}");
            assert!(post("One").is_some() && !proxy.is_met());
            assert_eq!(post("Two"), None, "{fault:?}");
            assert!(proxy.is_met());
            assert_eq!(post("Two"), whole(), "{fault:?}");
            assert_eq!(proxy.points().len(), 4);
        }
        for (fault, status) in [
            (Fault::Throttled, 400),
            (Fault::Failed, 500),
            (Fault::Slow, 200),
        ] {
            proxy.forget();
            proxy.disturb(point(), fault);
            assert_eq!(post("Two"), whole());
            assert_eq!(
                post("Two").map(|(status, _)| status),
                Some(status),
                "{fault:?}"
            );
            assert_eq!(post("Two"), whole());
        }
    }

    #[test]
    fn a_held_request_is_decided_by_the_test() {
        let proxy = Proxy::start(&echo_server());
        for (fault, goes_on) in [
            (Fault::KilledBefore, false),
            (Fault::KilledAfter, false),
            (Fault::Interrupted, true),
        ] {
            proxy.forget();
            let request = "One".to_owned();
            proxy.disturb(Point { request, nth: 1 }, fault);
            let url = proxy.url();
            let caller = thread::spawn(move || {
                http::try_send("POST", &url, &[], "Action=One").map(|answer| answer.body)
            });
            crate::poll::eventually("the request", PATIENCE, || proxy.is_met().then_some(()));
            assert!(!caller.is_finished());
            proxy.let_go(goes_on);
            let answer = caller.join().expect("does not panic").ok();
            assert_eq!(
                answer,
                goes_on.then(|| "Action=One".to_owned()),
                "{fault:?}"
            );
        }
    }
}
