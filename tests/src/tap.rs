//! A tap between the tool and an engine: it passes everything on and keeps what the tool sent.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

/// A tap on a free port of this machine. Its threads end with the connections.
pub struct Tap {
    address: SocketAddr,
    sent: Arc<Mutex<Vec<u8>>>,
}

impl Tap {
    /// Listens in front of an endpoint such as `http://127.0.0.1:4577`.
    ///
    /// # Panics
    ///
    /// Panics where no port can be listened on.
    #[must_use]
    pub fn start(upstream: &str) -> Self {
        let upstream = upstream.trim_start_matches("http://").to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port of this machine is free");
        let address = listener.local_addr().expect("a listener has an address");
        let sent = Arc::<Mutex<Vec<u8>>>::default();
        let of_listener = Arc::clone(&sent);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (upstream, sent) = (upstream.clone(), Arc::clone(&of_listener));
                // A connection that cannot be passed on is one that the tool reports.
                thread::spawn(move || pass(&client, &upstream, &sent));
            }
        });
        Self { address, sent }
    }

    /// Returns the endpoint to give to the tool.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Returns every byte that was sent so far, of all connections.
    #[must_use]
    pub fn sent(&self) -> Vec<u8> {
        self.sent
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

fn pass(client: &TcpStream, upstream: &str, sent: &Arc<Mutex<Vec<u8>>>) -> io::Result<()> {
    let server = TcpStream::connect(upstream)?;
    let (mut back_from, mut back_to) = (server.try_clone()?, client.try_clone()?);
    thread::spawn(move || {
        let _ = io::copy(&mut back_from, &mut back_to);
        let _ = back_to.shutdown(Shutdown::Both);
    });
    let (mut from, mut to) = (client, &server);
    let mut buffer = [0; 16 << 10];
    loop {
        let read = from.read(&mut buffer)?;
        if read == 0 {
            return server.shutdown(Shutdown::Write);
        }
        let bytes = buffer.get(..read).unwrap_or_default();
        sent.lock()
            .unwrap_or_else(PoisonError::into_inner)
            .extend_from_slice(bytes);
        to.write_all(bytes)?;
    }
}
