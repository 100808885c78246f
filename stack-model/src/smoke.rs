//! Smoke checks: what has to answer once a stack is deployed.
//!
//! CloudFormation knows whether resources were made, and not whether what they are made for works. A stack can name
//! requests and the status that each has to be answered with; the deployer sends them after every deploy that changed
//! the stack. The template knows nothing of them.
//!
//! ```
//! use stack_model::apigateway::HttpMethod;
//! use stack_model::apigatewayv2::{HttpApiProps, HttpIntegration, HttpStageProps, RouteAuthorization};
//! use stack_model::smoke::SmokeCheck;
//! use stack_model::route;
//! # use stack_model::{App, Stage};
//! # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
//! # let mut app = App::new(Stage::new(request));
//! # let mut stack = app.stack("orders");
//!
//! let api = stack.http_api("Api", HttpApiProps::default());
//! let live = stack.http_stage("Live", &api, HttpStageProps::default());
//! let order = HttpIntegration::http(HttpMethod::Get, "https://orders.example.com/{id}");
//! let order = stack.http_route("Order", &api, route!("GET /orders/{id}"), RouteAuthorization::None, order);
//!
//! // Nobody ordered this, and whoever says so is at work.
//! stack.smoke_check("OrdersAnswer", SmokeCheck::http(&live, &order).with("id", "none").answers(404));
//! # app.synth().unwrap();
//! ```

use std::collections::BTreeMap;
use std::panic::Location;

use stack_model_cfn::ResourceId;

use crate::apigateway::{RestMethodRef, StageRef};
use crate::apigatewayv2::{HttpRouteRef, HttpStageRef};
use crate::assembly::SmokeManifest;
use crate::handle::Handle;
use crate::stack::Stack;

/// A request to a route of an API, and the status that has to be answered: 200 unless said otherwise.
///
/// The request has no body and no credentials, so the status of a route that asks for some is 401 or 403: that the
/// route is there and refuses strangers can be checked, too. An API is asked at its own address in the stage, whatever
/// domain it has besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmokeCheck {
    api: ResourceId,
    stage: ResourceId,
    /// The API of the route, which should be that of the stage.
    of: ResourceId,
    method: &'static str,
    path: String,
    parameters: BTreeMap<String, String>,
    status: u16,
}

impl SmokeCheck {
    /// Asks a method of a REST API, in a stage of it.
    pub fn rest(stage: &StageRef, method: &RestMethodRef) -> Self {
        let (http_method, path) = method.asked();
        Self {
            api: stage.api().resource_id().clone(),
            stage: stage.resource_id().clone(),
            of: method.api().resource_id().clone(),
            method: asked_by(http_method.name()),
            path: path.to_owned(),
            parameters: BTreeMap::new(),
            status: 200,
        }
    }

    /// Asks a route of an HTTP API, in a stage of it. The route `$default` is asked for `/`.
    pub fn http(stage: &HttpStageRef, route: &HttpRouteRef) -> Self {
        let key = route.key().as_str();
        let (method, path) = key.split_once(' ').unwrap_or(("GET", "/"));
        Self {
            api: stage.api().resource_id().clone(),
            stage: stage.resource_id().clone(),
            of: route.api().resource_id().clone(),
            method: asked_by(method),
            path: path.to_owned(),
            parameters: BTreeMap::new(),
            status: 200,
        }
    }

    /// Gives a parameter of the path its value, which is sent as it is.
    #[must_use]
    pub fn with(mut self, parameter: impl Into<String>, value: impl Into<String>) -> Self {
        self.parameters.insert(parameter.into(), value.into());
        self
    }

    /// Says with which status the request has to be answered.
    #[must_use]
    pub fn answers(mut self, status: u16) -> Self {
        self.status = status;
        self
    }

    /// Puts the values into the path. Returns what is wrong with it besides.
    fn path(&self) -> (String, Vec<String>) {
        let mut problems = Vec::new();
        let mut used = 0;
        let segments = self.path.split('/').map(|segment| {
            let inner = segment
                .strip_prefix('{')
                .and_then(|inner| inner.strip_suffix('}'));
            let Some(inner) = inner else {
                return segment.to_owned();
            };
            let name = inner.strip_suffix('+').unwrap_or(inner);
            let rest = inner != name;
            match self.parameters.get(name) {
                Some(value) if is_sendable(value, rest) => {
                    used += 1;
                    value.clone()
                }
                Some(value) => {
                    used += 1;
                    problems.push(format!("`{value}` cannot stand in a path as it is: use letters, digits, `-`, `.`, `_`, `~` and escapes such as %20"));
                    String::new()
                }
                None => {
                    problems.push(format!(
                        "the parameter `{name}` of `{}` has no value: give it one by `with(\"{name}\", ..)`",
                        self.path
                    ));
                    String::new()
                }
            }
        });
        let path = segments.collect::<Vec<_>>().join("/");
        if used < self.parameters.len() {
            for name in self.parameters.keys() {
                let (one, rest) = (format!("{{{name}}}"), format!("{{{name}+}}"));
                if !self.path.split('/').any(|it| it == one || it == rest) {
                    problems.push(format!("`{}` has no parameter `{name}`", self.path));
                }
            }
        }
        (path, problems)
    }

    /// Returns everything that is wrong with a check of a stack.
    fn problems(&self, stack: &str) -> Vec<String> {
        let mut problems = Vec::new();
        for id in [&self.api, &self.stage] {
            if id.stack() != stack {
                problems.push(format!(
                    "`{}` is not of this stack: declare the check in the stack that holds the API and its stage",
                    id.logical_id()
                ));
            }
        }
        if self.of != self.api {
            problems.push(format!(
                "the route is one of `{}`, and the stage shows `{}`",
                self.of.logical_id(),
                self.api.logical_id()
            ));
        }
        if !matches!(self.method, "GET" | "HEAD" | "OPTIONS") {
            problems.push(format!(
                "{} may change something, and the check is sent with every deploy: ask a route of GET, HEAD or OPTIONS",
                self.method
            ));
        }
        if !(200..=599).contains(&self.status) {
            problems.push(format!(
                "nothing is answered with {}: the status of an answer is between 200 and 599",
                self.status
            ));
        }
        problems
    }
}

impl Stack<'_> {
    /// Sends a request after every deploy that changed the stack, and fails the deploy where it is not answered as it
    /// should.
    ///
    /// The name is a logical id of its own kind, by which reports call the check. Functions of the stack that are
    /// [released](crate::lambda::Release) under an alias are then led back to the version that they had before.
    #[track_caller]
    pub fn smoke_check(&mut self, name: &str, check: SmokeCheck) {
        let source = Location::caller();
        let (path, mut problems) = check.path();
        problems.extend(check.problems(self.id()));
        if let Some(message) = crate::logical_id::violation(name) {
            problems.push(message);
        }
        for message in problems {
            self.report(name, None, message, source);
        }
        let SmokeCheck {
            api,
            stage,
            method,
            status,
            ..
        } = check;
        let manifest = SmokeManifest {
            api: api.logical_id().to_owned(),
            stage: stage.logical_id().to_owned(),
            method: method.to_owned(),
            path,
            status,
        };
        if self
            .data()
            .smoke
            .insert(name.to_owned(), manifest)
            .is_some()
        {
            let message = format!("the smoke check `{name}` is declared twice");
            self.report(name, None, message, source);
        }
    }
}

/// Returns the method that a route is asked by.
fn asked_by(method: &str) -> &'static str {
    match method {
        "ANY" | "GET" => "GET",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "DELETE" => "DELETE",
        "PATCH" => "PATCH",
        "PUT" => "PUT",
        _ => "POST",
    }
}

/// Returns whether a value can stand in a path as it is, in one segment of it or in the rest.
fn is_sendable(value: &str, rest: bool) -> bool {
    !value.is_empty()
        && value
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "-._~%".contains(c) || (rest && c == '/'))
}
