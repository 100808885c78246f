//! What a caller gets: the answers of an integration, told apart and mapped to statuses.

use std::collections::{BTreeMap, BTreeSet};

use stack_model_cfn::Value;
use stack_model_cfn::apigateway::method as cfn;

use super::template::MappingTemplate;
use crate::limit::Limited;

/// An HTTP status that a method answers with.
pub type StatusCode = Limited<200, 599>;

/// The media type of mapped bodies.
pub(super) const JSON: &str = "application/json";

/// One answer of an integration and the status it becomes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Response {
    pub(super) status: StatusCode,
    /// The regular expression that the whole error message or status must match; the answer without one is for
    /// everything that matches no other.
    pub(super) selection: Option<String>,
    /// How the body is mapped; without a template it is handed on as it is.
    pub(super) template: Option<MappingTemplate>,
    /// Headers with fixed values.
    pub(super) headers: BTreeMap<String, String>,
    /// Headers that are handed on as the integration sends them.
    pub(super) handed_on: Vec<&'static str>,
    /// Headers that the template sets for some requests.
    pub(super) set_by_template: BTreeSet<String>,
}

impl Response {
    pub(super) fn new(
        status: StatusCode,
        selection: Option<String>,
        template: Option<MappingTemplate>,
    ) -> Self {
        Self {
            status,
            selection,
            template,
            headers: BTreeMap::new(),
            handed_on: Vec::new(),
            set_by_template: BTreeSet::new(),
        }
    }

    pub(super) fn render_integration(&self) -> Value<cfn::IntegrationResponse> {
        let parameters: BTreeMap<String, Value<String>> = self
            .headers
            .iter()
            .map(|(name, value)| (header(name), format!("'{value}'").into()))
            .chain(self.handed_on.iter().map(|name| {
                let source = format!("integration.response.header.{name}");
                (header(name), source.into())
            }))
            .collect();
        let templates = self
            .template
            .iter()
            .map(|template| (JSON.to_owned(), template.text.clone()));
        let templates: BTreeMap<String, Value<String>> = templates.collect();
        Value::Literal(cfn::IntegrationResponse {
            response_parameters: (!parameters.is_empty()).then_some(parameters).into(),
            response_templates: (!templates.is_empty()).then_some(templates).into(),
            selection_pattern: self.selection.clone().into(),
            status_code: self.status.get().to_string().into(),
            ..Default::default()
        })
    }

    pub(super) fn render_method(&self) -> Value<cfn::MethodResponse> {
        let parameters: BTreeMap<String, Value<bool>> = self
            .headers
            .keys()
            .chain(&self.set_by_template)
            .map(String::as_str)
            .chain(self.handed_on.iter().copied())
            .map(|name| (header(name), true.into()))
            .collect();
        Value::Literal(cfn::MethodResponse {
            response_parameters: (!parameters.is_empty()).then_some(parameters).into(),
            status_code: self.status.get().to_string().into(),
            ..Default::default()
        })
    }
}

fn header(name: &str) -> String {
    format!("method.response.header.{name}")
}

/// How the errors of a function become statuses, for an integration that is no proxy.
///
/// Without it every error would be answered with 200 and the error as the body: API Gateway calls such an
/// invocation a success. An error is told by its message. See
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/handle-errors-in-lambda-integration.html>.
///
/// ```
/// use stack_model::apigateway::{ErrorResponses, MappingTemplate};
///
/// let errors = ErrorResponses::otherwise(500, MappingTemplate::message("Internal server error"))
///     .when("Invalid .*", 400, MappingTemplate::error_message());
/// # let _ = errors;
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorResponses {
    otherwise: (StatusCode, MappingTemplate),
    cases: Vec<(String, StatusCode, MappingTemplate)>,
}

impl ErrorResponses {
    /// Answers every error with one status, but for those that [`when`](Self::when) tells apart.
    pub fn otherwise(status: impl Into<StatusCode>, body: MappingTemplate) -> Self {
        Self {
            otherwise: (status.into(), body),
            cases: Vec::new(),
        }
    }

    /// Answers errors whose whole message matches a regular expression of Java with a status of their own.
    ///
    /// A status can be given once, because it is what identifies the answer: join the patterns that lead to the same
    /// one with `|`. A `.` does not match a line feed.
    #[must_use]
    pub fn when(
        mut self,
        pattern: impl Into<String>,
        status: impl Into<StatusCode>,
        body: MappingTemplate,
    ) -> Self {
        self.cases.push((pattern.into(), status.into(), body));
        self
    }

    pub(super) fn responses(self) -> Vec<Response> {
        // Where several patterns match, nothing says which one wins, so the last one matches what no other does.
        // An error without a message does not exist: the runtime always sends one.
        let mut rest = String::new();
        if !self.cases.is_empty() {
            let patterns: Vec<&str> = self
                .cases
                .iter()
                .map(|(pattern, ..)| pattern.as_str())
                .collect();
            rest = format!(r"(?!(?:{})\z)", patterns.join("|"));
        }
        rest.push_str(r"(?:.|\n)+");
        let (status, body) = self.otherwise;
        self.cases
            .into_iter()
            .map(|(pattern, status, body)| Response::new(status, Some(pattern), Some(body)))
            .chain([Response::new(status, Some(rest), Some(body))])
            .collect()
    }
}

/// How the answers of an AWS service become statuses: 200, 400 where the service found the request wrong, and 500 for
/// every other error, such as a role that may not make the call.
#[derive(Clone, Debug, PartialEq)]
pub struct ServiceResponses {
    /// The body that goes with 200.
    pub success: MappingTemplate,
    /// The body that goes with 400, where the service answered 400.
    pub refused: MappingTemplate,
    /// The body that goes with 500, where the service answered another 4xx or any 5xx.
    pub failed: MappingTemplate,
    cases: Vec<(u32, StatusCode, MappingTemplate)>,
}

impl ServiceResponses {
    /// Answers 200 with the given body, and errors with a message that tells nothing of the inside.
    pub fn answering(success: MappingTemplate) -> Self {
        Self {
            success,
            refused: MappingTemplate::message("Bad request"),
            failed: MappingTemplate::message("Internal server error"),
            cases: Vec::new(),
        }
    }

    /// Answers one status of the service, from 400 on, with a status and body of its own.
    #[must_use]
    pub fn when(
        mut self,
        status_of_service: u32,
        status: impl Into<StatusCode>,
        body: MappingTemplate,
    ) -> Self {
        self.cases.push((status_of_service, status.into(), body));
        self
    }

    pub(super) fn responses(self) -> Vec<Response> {
        let case = |status: u32, pattern: Option<&str>, body| {
            Response::new(status.into(), pattern.map(str::to_owned), Some(body))
        };
        let others = r"4(?:0[1-9]|[1-9]\d)|5\d{2}";
        let taken: Vec<String> = self
            .cases
            .iter()
            .map(|(status, ..)| status.to_string())
            .collect();
        let others = if taken.is_empty() {
            others.to_owned()
        } else {
            format!(r"(?!(?:{})\z)(?:{others})", taken.join("|"))
        };
        let mut responses = vec![
            case(200, None, self.success),
            case(400, Some("400"), self.refused),
            case(500, Some(&others), self.failed),
        ];
        for (status_of_service, status, body) in self.cases {
            if status_of_service == 400 {
                responses.retain(|response| response.selection.as_deref() != Some("400"));
            }
            responses.push(Response::new(
                status,
                Some(status_of_service.to_string()),
                Some(body),
            ));
        }
        responses
    }
}
