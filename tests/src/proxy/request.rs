//! A request as it comes from the tool.

use std::io::{self, BufRead, Write};

/// What paths begin with where the local engine serves the routes of APIs; the id of the API follows. Nobody signs these.
const ROUTES: &str = "/_aws/execute-api/";

/// A request of the tool.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The method.
    pub method: String,
    /// The path with the query.
    pub path: String,
    /// The service that it is signed for, or `execute-api` where it goes to a route; empty where nobody knows.
    pub service: String,
    /// The lines of the head, without those about this connection.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// Reads one request; `None` where the caller closed the connection instead.
    pub(super) fn read(
        reader: &mut impl BufRead,
        mut client: impl Write,
    ) -> io::Result<Option<Self>> {
        let mut request = Self::default();
        let mut length = 0;
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            let header = line.trim_end();
            if header.is_empty() {
                break;
            }
            let (name, value) = header.split_once(':').unwrap_or((header, ""));
            if request.method.is_empty() {
                let mut words = header.split(' ').map(str::to_owned);
                request.method = words.next().unwrap_or_default();
                request.path = words.next().unwrap_or_default();
                request.head.push_str(&line);
            } else if name.eq_ignore_ascii_case("content-length") {
                length = value.trim().parse().unwrap_or(0);
                request.head.push_str(&line);
            } else if name.eq_ignore_ascii_case("expect") {
                client.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
            } else if !name.eq_ignore_ascii_case("connection") {
                if name.eq_ignore_ascii_case("authorization") {
                    request.service = signed_for(value).unwrap_or_default().to_owned();
                }
                // The host stays what the caller signed.
                request.head.push_str(&line);
            }
        }
        if request.is_to_route() {
            "execute-api".clone_into(&mut request.service);
        }
        request.body = vec![0; length];
        reader.read_exact(&mut request.body)?;
        Ok(Some(request))
    }

    /// Returns whether it goes to a route of an API.
    pub(super) fn is_to_route(&self) -> bool {
        self.path.starts_with(ROUTES)
    }

    /// Returns what a person calls it, such as `POST / Action=CreateChangeSet` or `PUT /bucket/key`.
    pub(super) fn call(&self) -> String {
        let action = self.field("Action");
        let action = action.map_or(String::new(), |action| format!(" Action={action}"));
        format!("{} {}{action}", self.method, self.path)
    }

    /// Returns what it asks, without anything that AWS made up for one run: the random ends of names, ids, hashes.
    #[must_use]
    pub fn name(&self) -> String {
        let service = &self.service;
        if let Some((_, action)) = self.target().and_then(|target| target.rsplit_once('.')) {
            return format!("{service} {action}");
        }
        if let Some(route) = self.path.strip_prefix(ROUTES) {
            let route = route.split_once('/').map_or("", |(_, route)| route);
            return format!("{service} {}? {route}", self.method);
        }
        if let Some(action) = self.field("Action") {
            let stack = self.field("StackName").unwrap_or_default();
            // An ARN is `arn%3Aaws%3A..%3Astack%2FNAME%2FID`.
            let stack = stack.split("%3Astack%2F").last().unwrap_or_default();
            let stack = stack.split("%2F").next().unwrap_or_default();
            return format!("{service} {action} {stack}").trim().to_owned();
        }
        let (path, query) = self.path.split_once('?').unwrap_or((&self.path, ""));
        let mut flags: Vec<&str> = query
            .split('&')
            .filter_map(|field| field.split('=').next())
            .filter(|name| !name.is_empty() && *name != "x-id")
            .collect();
        flags.sort_unstable();
        let flags = flags.join("&");
        let steps: Vec<String> = path
            .trim_start_matches('/')
            .split('/')
            .enumerate()
            .map(|(position, step)| {
                // A function may be named by its ARN, which ends with the name.
                let step = step.rsplit("%3A").next().unwrap_or_default();
                let is_function = service == "lambda" && step.contains("-dev-");
                let is_made_up = service == "cloudfront" || position == 0 || is_function;
                if is_made_up {
                    without_end(step)
                } else {
                    without_hash(step)
                }
            })
            .collect();
        let steps = steps.join("/");
        format!("{service} {}?{flags} {steps}", self.method)
    }

    /// Returns what the protocols that send documents of JSON ask for, such as `Logs_20140328.DescribeLogGroups`.
    fn target(&self) -> Option<&str> {
        let headers = self.head.lines().filter_map(|line| line.split_once(':'));
        let mut targets = headers.filter(|(name, _)| name.eq_ignore_ascii_case("x-amz-target"));
        targets.next().map(|(_, target)| target.trim())
    }

    fn field(&self, name: &str) -> Option<String> {
        let text = std::str::from_utf8(&self.body).ok()?;
        text.split('&').find_map(|field| {
            let (key, value) = field.split_once('=')?;
            (key == name).then(|| value.to_owned())
        })
    }
}

/// Returns the service in `AWS4-HMAC-SHA256 Credential=KEY/DATE/REGION/SERVICE/aws4_request, ..`.
fn signed_for(authorization: &str) -> Option<&str> {
    let (_, credential) = authorization.split_once("Credential=")?;
    credential.split('/').nth(3)
}

/// Takes the random end off a name such as `stackctl-bootstrap-artifacts-0a1b2c3d`, or off an id.
fn without_end(name: &str) -> String {
    match name.rsplit_once('-') {
        Some((start, _)) if !start.starts_with("20") => format!("{start}-*"),
        _ if name.chars().any(|c| c.is_ascii_digit()) => "*".to_owned(),
        _ => name.to_owned(),
    }
}

/// Takes the hash of a package off its name, and that of a state off the name of a release, such as
/// `000001-0123456789abcdef.json`.
fn without_hash(step: &str) -> String {
    let (hash, extension) = step.split_once('.').unwrap_or((step, ""));
    if hash.len() == 64 {
        return format!("*.{extension}");
    }
    match hash.split_once('-') {
        Some((number, hash)) if hash.len() == 16 && number.parse::<u64>().is_ok() => {
            format!("{number}-*.{extension}")
        }
        _ => step.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> String {
        let request = Request::read(&mut text.as_bytes(), Vec::new());
        request.expect("is read").expect("is one").name()
    }

    #[test]
    fn the_same_request_of_two_runs_has_one_name() {
        let form = |stack: &str| {
            let body = format!("Action=DeleteStack&StackName={stack}&Version=1");
            name(&format!(
                "POST / HTTP/1.1\r\nauthorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/cloudformation/aws4_request, S\r\ncontent-length: {}\r\n\r\n{body}",
                body.len()
            ))
        };
        assert_eq!(form("work-dev"), "cloudformation DeleteStack work-dev");
        let arn = "arn%3Aaws%3Acloudformation%3Aus-east-1%3A1%3Astack%2Fwork-dev%2F0a";
        assert_eq!(form(arn), "cloudformation DeleteStack work-dev");

        let sign = |service: &str| {
            format!(
                "authorization: AWS4-HMAC-SHA256 Credential=t/20260101/r/{service}/aws4_request, S\r\n"
            )
        };
        let target = format!(
            "POST / HTTP/1.1\r\n{}X-Amz-Target: Logs_20140328.DescribeLogGroups\r\n\r\n",
            sign("logs")
        );
        assert_eq!(name(&target), "logs DescribeLogGroups");
        for function in [
            "work-dev-Front-0A1B2C3D",
            "arn%3Aaws%3Alambda%3Ar%3A1%3Afunction%3Awork-dev-Front-9Z8Y",
        ] {
            let get = format!(
                "GET /2015-03-31/functions/{function}/aliases/live HTTP/1.1\r\n{}\r\n",
                sign("lambda")
            );
            assert_eq!(
                name(&get),
                "lambda GET? */functions/work-dev-Front-*/aliases/live"
            );
        }

        let route = name("GET /_aws/execute-api/0a1b2c3d/live/orders HTTP/1.1\r\n\r\n");
        assert_eq!(route, "execute-api GET? live/orders");

        let hash = "0".repeat(64);
        let put = format!(
            "PUT /stackctl-artifacts-0a1b/work-dev/worker/{hash}.zip?x-id=PutObject HTTP/1.1\r\nauthorization: A Credential=t/2/r/s3/a\r\n\r\n"
        );
        assert_eq!(
            name(&put),
            "s3 PUT? stackctl-artifacts-*/work-dev/worker/*.zip"
        );
        assert_eq!(
            without_hash("000001-0123456789abcdef.json"),
            "000001-*.json"
        );
        assert_eq!(without_hash("work-dev.mark.json"), "work-dev.mark.json");
    }
}
