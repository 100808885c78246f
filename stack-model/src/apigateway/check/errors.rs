//! Errors of an integration that would be answered as successes.
//!
//! An integration that is no proxy is answered with its default response, unless a selection pattern says otherwise.
//! The pattern is compared with the status that the service or server answered, and with the message of the error
//! where a Lambda function is invoked. See
//! <https://docs.aws.amazon.com/apigateway/latest/api/API_IntegrationResponse.html>.

use stack_model_cfn::{Expr, Part, Token, facts};

use super::{elements, get};

/// The statuses that say a request was wrong, and those that say it failed; see
/// <https://www.iana.org/assignments/http-status-codes/http-status-codes.xhtml>.
const CLASSES: [(&[&str], &str); 2] = [
    (
        &[
            "400", "401", "402", "403", "404", "405", "406", "407", "408", "409", "410", "411",
            "412", "413", "414", "415", "416", "417", "421", "422", "423", "424", "425", "426",
            "428", "429", "431", "451",
        ],
        r"`4\d{2}`",
    ),
    (
        &[
            "500", "501", "502", "503", "504", "505", "506", "507", "508", "511",
        ],
        r"`5\d{2}`",
    ),
];

/// One integration response, as far as it is known before the deployment.
struct Response<'a> {
    selects: Selects<'a>,
    /// The status, where it is a literal.
    status: Option<u64>,
}

/// Which answers of the service an integration response is for.
enum Selects<'a> {
    /// Those that no other is for.
    Rest,
    /// Those whose status or message matches; the pattern is read where it can be.
    Matching(&'a str, Option<facts::WholePattern>),
    /// Those that a token tells.
    Unknown,
}

impl<'a> Response<'a> {
    fn read(response: &'a Expr) -> Self {
        Self {
            selects: match get(response, "SelectionPattern") {
                None => Selects::Rest,
                Some(Expr::String(pattern)) if pattern.is_empty() => Selects::Rest,
                Some(Expr::String(pattern)) => {
                    Selects::Matching(pattern, facts::WholePattern::new(pattern))
                }
                Some(_) => Selects::Unknown,
            },
            status: match get(response, "StatusCode") {
                Some(Expr::String(status)) => status.parse().ok(),
                Some(Expr::Number(status)) => status.as_u64(),
                _ => None,
            },
        }
    }

    fn is_default(&self) -> bool {
        matches!(self.selects, Selects::Rest)
    }

    /// Returns whether the caller is told that something failed. A status that nobody knows yet may say so.
    fn fails(&self) -> bool {
        self.status.is_none_or(|status| status >= 300)
    }

    /// Returns whether the response answers for a status of the service, on purpose: as an error, or as a success
    /// because the pattern names exactly that status.
    fn answers(&self, status: &str) -> bool {
        match &self.selects {
            Selects::Rest => false,
            Selects::Matching(_, Some(pattern)) if self.fails() => pattern.matches(status),
            Selects::Matching(text, _) => self.fails() || *text == status,
            Selects::Unknown => self.fails(),
        }
    }
}

/// Says which errors of a method's integration would be answered as successes, if any.
pub(super) fn unmapped(method: &Expr) -> Option<String> {
    let kind = get(method, "Integration.Type").and_then(Expr::as_str);
    if !matches!(kind, Some("AWS" | "HTTP")) {
        return None;
    }
    let responses: Vec<Response<'_>> = elements(get(method, "Integration.IntegrationResponses"))
        .map(Response::read)
        .collect();
    let default = responses.iter().find(|response| response.is_default());
    if default.is_some_and(Response::fails) {
        return None;
    }
    let as_what = match default.and_then(|response| response.status) {
        Some(status) => format!("with {status}"),
        None => "as a success".to_owned(),
    };
    if kind == Some("AWS") && invokes_function(get(method, "Integration.Uri")) {
        let told = responses
            .iter()
            .any(|response| !response.is_default() && response.fails());
        return (!told).then(|| format!(
            "every error of the function would be answered {as_what}: add a response whose selection pattern matches the messages of errors, such as `(.|\\n)+`, and whose status says that it failed"
        ));
    }
    let slips = |status: &&&str| !responses.iter().any(|response| response.answers(status));
    let missing: Vec<(&str, &str)> = CLASSES
        .iter()
        .filter_map(|(statuses, pattern)| Some((*statuses.iter().find(slips)?, *pattern)))
        .collect();
    let (which, patterns) = match missing.as_slice() {
        [] => return None,
        [("400", refused), (_, failed)] => (
            "every error of the integration".to_owned(),
            format!("{refused} and one with {failed}"),
        ),
        [(status, pattern), rest @ ..] => (
            format!("an error {status} of the integration"),
            rest.iter()
                .fold((*pattern).to_owned(), |patterns, (_, pattern)| {
                    format!("{patterns} and one with {pattern}")
                }),
        ),
    };
    Some(format!(
        "{which} would be answered {as_what}: add a response with the selection pattern {patterns}, and statuses that say it failed"
    ))
}

/// Returns whether the URI is that of an invocation of a Lambda function.
fn invokes_function(uri: Option<&Expr>) -> bool {
    const ACTION: &str = ":lambda:path/";
    match uri {
        Some(Expr::String(text)) => text.contains(ACTION),
        Some(Expr::Token(Token::Sub(parts))) => parts
            .iter()
            .any(|part| matches!(part, Part::Text(text) if text.contains(ACTION))),
        Some(Expr::Token(Token::Join { list, .. })) => invokes_function(Some(list)),
        Some(Expr::List(elements)) => elements
            .iter()
            .any(|element| invokes_function(Some(element))),
        Some(Expr::Map(entries)) => entries
            .values()
            .any(|argument| invokes_function(Some(argument))),
        _ => false,
    }
}
