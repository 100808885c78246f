//! Questions to the Domain Name System: who serves a zone, and whether a name leads anywhere.
//!
//! The resolver of the system answers addresses alone. One question and its answer are a few bytes each
//! (<https://www.rfc-editor.org/rfc/rfc1035>), so they are written and read here.

use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
    time::{Duration, SystemTime},
};

/// How long one server is waited for.
const TIMEOUT: Duration = Duration::from_secs(2);

/// The most bytes of an answer that comes without being asked for more (RFC 1035, section 4.2.1).
const LONGEST: usize = 512;

/// What is asked for, by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// IPv4 addresses.
    A = 1,
    /// The servers of a zone.
    Ns = 2,
    /// IPv6 addresses.
    Aaaa = 28,
}

/// Returns the first servers that the system asks.
pub(crate) fn servers() -> Vec<SocketAddr> {
    let text = std::fs::read_to_string("/etc/resolv.conf").unwrap_or_default();
    configured(&text)
}

fn configured(text: &str) -> Vec<SocketAddr> {
    text.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            (words.next() == Some("nameserver")).then(|| words.next())?
        })
        .filter_map(|address| address.parse::<IpAddr>().ok())
        .map(|address| SocketAddr::new(address, 53))
        .take(2)
        .collect()
}

/// Asks the servers, one after the other, until one answers. Returns what stands for a name: names in lower case without
/// the last dot, addresses as text; nothing, where there is no such name or nothing of the kind.
pub(crate) async fn ask(
    servers: Vec<SocketAddr>,
    name: String,
    kind: Kind,
) -> io::Result<Vec<String>> {
    let asked = tokio::task::spawn_blocking(move || {
        let mut last = io::Error::new(io::ErrorKind::NotFound, "no server is configured");
        for server in servers {
            match ask_one(server, &name, kind) {
                Ok(found) => return Ok(found),
                Err(error) => last = error,
            }
        }
        Err(last)
    });
    asked.await.map_err(io::Error::other)?
}

fn ask_one(server: SocketAddr, name: &str, kind: Kind) -> io::Result<Vec<String>> {
    let any: IpAddr = match server {
        SocketAddr::V4(_) => std::net::Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => std::net::Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0))?;
    // Nobody else's answers are taken.
    socket.connect(server)?;
    socket.set_read_timeout(Some(TIMEOUT))?;
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
    let [.., high, low] = now.unwrap_or_default().subsec_nanos().to_be_bytes();
    let id = [high, low];
    let question = question(id, name, kind)
        .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "it is no name"))?;
    socket.send(&question)?;
    let mut buffer = [0; LONGEST];
    loop {
        let length = socket.recv(&mut buffer)?;
        let answer = buffer.get(..length).unwrap_or_default();
        if !answer.starts_with(&id) {
            continue;
        }
        return read(answer, kind);
    }
}

/// Writes a question: a header that asks for recursion, the name, and the kind in the class of the internet.
fn question(id: [u8; 2], name: &str, kind: Kind) -> Option<Vec<u8>> {
    let mut bytes = id.to_vec();
    bytes.extend([1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
    for label in name.trim_end_matches('.').split('.') {
        let length = u8::try_from(label.len())
            .ok()
            .filter(|it| (1..64).contains(it))?;
        bytes.push(length);
        bytes.extend(label.bytes());
    }
    bytes.extend([0, 0, kind as u8, 0, 1]);
    (bytes.len() <= LONGEST).then_some(bytes)
}

/// Reads an answer.
fn read(answer: &[u8], kind: Kind) -> io::Result<Vec<String>> {
    let broken = || io::Error::new(io::ErrorKind::InvalidData, "the answer is broken");
    match answer.get(3).ok_or_else(broken)? & 15 {
        0 => {}
        // There is no such name.
        3 => return Ok(Vec::new()),
        code => {
            return Err(io::Error::other(format!(
                "the server answers with code {code}"
            )));
        }
    }
    records(answer, kind).ok_or_else(broken)
}

fn records(answer: &[u8], kind: Kind) -> Option<Vec<String>> {
    let questions = number(answer, 4)?;
    let answers = number(answer, 6)?;
    let mut at = 12;
    for _ in 0..questions {
        at = name(answer, at)?.1 + 4;
    }
    let mut found = Vec::new();
    for _ in 0..answers {
        let start = name(answer, at)?.1;
        let record_kind = number(answer, start)?;
        let length = usize::from(number(answer, start + 8)?);
        let data = answer.get(start + 10..start + 10 + length)?;
        if record_kind == kind as u16 {
            found.push(match kind {
                Kind::A => IpAddr::from(<[u8; 4]>::try_from(data).ok()?).to_string(),
                Kind::Aaaa => IpAddr::from(<[u8; 16]>::try_from(data).ok()?).to_string(),
                Kind::Ns => name(answer, start + 10)?.0,
            });
        }
        at = start + 10 + length;
    }
    found.sort();
    Some(found)
}

fn number(bytes: &[u8], at: usize) -> Option<u16> {
    let pair = bytes.get(at..at + 2)?;
    Some(u16::from_be_bytes(pair.try_into().ok()?))
}

/// Reads a name, which may go on elsewhere (RFC 1035, section 4.1.4). Returns it with the place behind it.
fn name(bytes: &[u8], start: usize) -> Option<(String, usize)> {
    let (mut at, mut end) = (start, None);
    let mut labels: Vec<String> = Vec::new();
    // A name has at most 127 labels; one that leads to itself has more.
    for _ in 0..256 {
        let length = *bytes.get(at)?;
        match length {
            0 => return Some((labels.join("."), end.unwrap_or(at + 1))),
            1..64 => {
                let label = bytes.get(at + 1..at + 1 + usize::from(length))?;
                labels.push(String::from_utf8_lossy(label).to_ascii_lowercase());
                at += 1 + usize::from(length);
            }
            192.. => {
                end = end.or(Some(at + 2));
                at = usize::from(number(bytes, at)? & 0x3fff);
            }
            _ => return None,
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answer of a server: example.com is served by ns1.example.net and ns2.example.net.
    fn answer() -> Vec<u8> {
        let mut bytes = question([7, 7], "example.com.", Kind::Ns).expect("it is a name");
        bytes[2..8].copy_from_slice(&[0x81, 0x80, 0, 1, 0, 2]);
        // `net` of the first name is where the second goes on.
        let net = u8::try_from(bytes.len() + 12 + 4 + 8).expect("it is short");
        bytes.extend([192, 12, 0, 2, 0, 1, 0, 0, 0, 60, 0, 17]);
        bytes.extend(b"\x03ns2\x07EXAMPLE\x03net\0");
        bytes.extend([192, 12, 0, 2, 0, 1, 0, 0, 0, 60, 0, 14]);
        bytes.extend(b"\x03ns1\x07example");
        bytes.extend([192, net]);
        bytes
    }

    #[test]
    fn names_go_on_elsewhere() {
        let found = read(&answer(), Kind::Ns).expect("it is an answer");
        assert_eq!(found, ["ns1.example.net", "ns2.example.net"]);
        assert!(
            read(&answer(), Kind::A)
                .expect("it is an answer")
                .is_empty()
        );
    }

    #[test]
    fn an_answer_that_ends_early_or_leads_in_circles_is_broken() {
        let answer = answer();
        for length in 0..answer.len() {
            assert!(read(&answer[..length], Kind::Ns).is_err(), "{length}");
        }
        let mut circle = answer;
        let last = circle.len() - 1;
        circle[last] = u8::try_from(last - 1).expect("it is short");
        assert!(read(&circle, Kind::Ns).is_err());
    }

    #[test]
    fn no_such_name_is_an_answer_and_a_refusal_is_none() {
        let mut bytes = question([7, 7], "example.com", Kind::A).expect("it is a name");
        bytes[3] = 0x83;
        assert_eq!(read(&bytes, Kind::A).expect("it is an answer"), [""; 0]);
        bytes[3] = 0x85;
        assert!(read(&bytes, Kind::A).is_err());
    }

    #[test]
    fn servers_are_those_of_the_system() {
        let text = "# nameserver 9.9.9.9\nsearch example.com\nnameserver 127.0.0.53\nnameserver fe80::1%eth0\nnameserver ::1\n";
        let servers: Vec<String> = configured(text).iter().map(ToString::to_string).collect();
        assert_eq!(servers, ["127.0.0.53:53", "[::1]:53"]);
    }
}
