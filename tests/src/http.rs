//! Plain HTTP, as a user of a deployed system speaks it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use ureq::Agent;

/// An answer, whatever its status.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The headers, with their names in lower case; those that are no text are left out.
    pub headers: BTreeMap<String, String>,
    /// The body as text.
    pub body: String,
}

impl Answer {
    /// Returns a header by its name in lower case.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    /// Reads the body as JSON.
    ///
    /// # Panics
    ///
    /// Panics where the body is not JSON, and shows it.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body)
            .unwrap_or_else(|error| panic!("{error} in the answer {self:?}"))
    }
}

/// Sends a request with a body and some headers.
///
/// # Panics
///
/// Panics where there is no answer at all.
#[track_caller]
pub fn send(method: &str, url: &str, headers: &[(String, String)], body: &str) -> Answer {
    try_send(method, url, headers, body).unwrap_or_else(|error| panic!("{method} {url}: {error}"))
}

/// Posts a body of the given content type.
///
/// # Panics
///
/// Panics where there is no answer at all.
#[track_caller]
pub fn post(url: &str, content_type: &str, body: &str) -> Answer {
    let headers = [("content-type".to_owned(), content_type.to_owned())];
    send("POST", url, &headers, body)
}

/// Sends a request; `None` in place of a panic where nobody answers.
///
/// # Errors
///
/// Fails where there is no answer at all.
pub fn try_send(
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: &str,
) -> Result<Answer, ureq::Error> {
    let agent: Agent = Agent::config_builder()
        .http_status_as_error(false)
        .timeout_global(Some(Duration::from_mins(1)))
        .proxy(None)
        .build()
        .into();
    let mut request = ureq::http::Request::builder().method(method).uri(url);
    for (name, value) in headers {
        request = request.header(name, value);
    }
    let mut response = agent.run(request.body(body.to_owned())?)?;
    let headers = response.headers().iter();
    Ok(Answer {
        status: response.status().as_u16(),
        headers: headers
            .filter_map(|(name, value)| {
                Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
            })
            .collect(),
        body: response.body_mut().read_to_string()?,
    })
}
