//! One stack of CloudFormation that behaves: calls change its status as the API reference says, refused where AWS refuses.
//!
//! Other than a script it is not told which calls come, so one test can run every operation against every status.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard},
};

use aws_sdk_cloudformation::config::{BehaviorVersion, Credentials, Region, retry::RetryConfig};
use aws_smithy_runtime_api::client::{
    http::{HttpConnector, HttpConnectorFuture, SharedHttpConnector, http_client_fn},
    orchestrator::HttpRequest,
};

use super::{
    answers::{self, EventRow, Stack},
    script::{NoSleep, STACK, http},
};

/// How many looks an operation takes: one that is to be cancelled must not be over before.
const LOOKS: usize = 4;

/// Event ids; no operation of a test has more events.
const IDS: [&str; 12] = [
    "00", "01", "02", "03", "04", "05", "06", "07", "08", "09", "10", "11",
];

/// What the template of the deployed stack says: not what any test deploys.
const DEPLOYED: &str =
    r#"{"Resources":{"Orders":{"Type":"AWS::SQS::Queue","Properties":{"DelaySeconds":1}}}}"#;

/// The stack, and what was done to it.
#[derive(Clone, Debug)]
pub(super) struct Simulated(Arc<Mutex<Inner>>);

#[derive(Debug)]
struct Inner {
    /// The status; none, where there is no such stack.
    status: Option<&'static str>,
    ours: bool,
    express: bool,
    /// The token of the last operation.
    token: String,
    /// Looks until the running operation ends.
    looks: usize,
    events: Vec<(&'static str, String)>,
    change_sets: Vec<&'static str>,
    calls: Vec<String>,
}

impl Simulated {
    /// Makes a stack in a status, or none. The operation that runs, if any, was begun with the token.
    pub(super) fn new(
        status: Option<&'static str>,
        ours: bool,
        express: bool,
        token: &str,
    ) -> Self {
        let mut inner = Inner {
            status,
            ours,
            express,
            token: token.to_owned(),
            looks: LOOKS,
            events: Vec::new(),
            change_sets: Vec::new(),
            calls: Vec::new(),
        };
        match status {
            Some("REVIEW_IN_PROGRESS") => {
                inner.change_sets = vec![if ours { "stackctl-0123" } else { "by-hand" }];
            }
            Some(status) => inner.record(status),
            None => {}
        }
        Self(Arc::new(Mutex::new(inner)))
    }

    /// Makes the client that talks to it.
    pub(super) fn client(&self) -> aws_sdk_cloudformation::Client {
        let connector = SharedHttpConnector::new(self.clone());
        let config = aws_sdk_cloudformation::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("AKIA", "secret", None, None, "script"))
            .retry_config(RetryConfig::disabled())
            .sleep_impl(NoSleep)
            .http_client(http_client_fn(move |_, _| connector.clone()))
            .build();
        aws_sdk_cloudformation::Client::from_conf(config)
    }

    /// Returns the calls that changed something, each with what matters of it.
    pub(super) fn calls(&self) -> Vec<String> {
        self.inner().calls.clone()
    }

    /// Returns the status.
    pub(super) fn status(&self) -> Option<&'static str> {
        self.inner().status
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no holder panics")
    }
}

impl HttpConnector for Simulated {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let body = request.body().bytes().unwrap_or_default();
        let fields = fields(&String::from_utf8_lossy(body));
        let body = self.inner().answer(&fields);
        HttpConnectorFuture::ready(Ok(http(answers::status_of(&body), &body)))
    }
}

impl Inner {
    fn record(&mut self, status: &'static str) {
        self.events.push((status, self.token.clone()));
    }

    fn begin(&mut self, status: &'static str, fields: &BTreeMap<String, String>) {
        self.status = Some(status);
        self.token = field(fields, "ClientRequestToken").to_owned();
        self.looks = LOOKS;
        self.record(status);
    }

    /// Lets some time pass.
    fn look(&mut self) {
        let Some(end) = self.status.and_then(end) else {
            return;
        };
        self.looks -= 1;
        if self.looks == 0 {
            self.status = Some(end);
            self.record(end);
        }
    }

    fn answer(&mut self, fields: &BTreeMap<String, String>) -> String {
        let action = field(fields, "Action");
        match action {
            "DescribeStacks" => self.describe(field(fields, "StackName")),
            "DescribeStackEvents" => {
                let rows: Vec<EventRow> = self
                    .events
                    .iter()
                    .zip(IDS)
                    .rev()
                    .map(|((status, token), id)| (id, STACK, *status, "", &*token.clone().leak()))
                    .collect();
                self.look();
                answers::events(&rows, "", None)
            }
            "ListStackResources" => {
                // One that failed for a reason of its own, one that was cancelled because of it.
                let failed = match self.status {
                    Some("UPDATE_ROLLBACK_FAILED") => "UPDATE_FAILED",
                    Some("DELETE_FAILED") => "DELETE_FAILED",
                    _ => "CREATE_COMPLETE",
                };
                answers::resources_with_reasons(&[
                    ("Orders", "AWS::SQS::Queue", "q", failed, "it is stuck"),
                    (
                        "Other",
                        "AWS::SQS::Queue",
                        "o",
                        failed,
                        "Resource update cancelled",
                    ),
                ])
            }
            "ListChangeSets" => {
                let rows: Vec<(&str, u64)> =
                    self.change_sets.iter().map(|name| (*name, 0)).collect();
                answers::change_sets(&rows)
            }
            "GetTemplate" => answers::template(DEPLOYED),
            "DescribeChangeSet" => {
                answers::change_set("CREATE_COMPLETE", "", answers::ADD_ORDERS, None)
            }
            _ => self.change(action, fields),
        }
    }

    fn describe(&mut self, name: &str) -> String {
        let status = match self.status {
            Some(status) if name == answers::STACK_ID => status,
            Some(status) if name == STACK && status != "DELETE_COMPLETE" => status,
            _ => return answers::absent(name),
        };
        let mut stack = Stack::new(status);
        stack.express = self.express;
        if !self.ours {
            stack.tags = vec![("team", "blue")];
        }
        self.look();
        stack.xml()
    }

    /// Answers a call that changes something.
    fn change(&mut self, action: &str, fields: &BTreeMap<String, String>) -> String {
        let mut call = action.to_owned();
        for (key, value) in fields {
            let told = key == "ChangeSetType"
                || key.starts_with("RetainResources")
                || key.starts_with("ResourcesToSkip");
            if told {
                call.extend([" ", value]);
            }
        }
        self.calls.push(call);
        let status = self.status.unwrap_or("DELETE_COMPLETE");
        let refused = || {
            answers::error(
                "ValidationError",
                &format!("{action} cannot be called from current stack status {status}"),
            )
        };
        match (action, status) {
            ("CreateChangeSet", "DELETE_COMPLETE" | "REVIEW_IN_PROGRESS")
                if field(fields, "ChangeSetType") == "CREATE" =>
            {
                self.status = Some("REVIEW_IN_PROGRESS");
                self.ours = true;
                answers::CREATED_CHANGE_SET.to_owned()
            }
            (
                "CreateChangeSet",
                "CREATE_COMPLETE"
                | "UPDATE_COMPLETE"
                | "UPDATE_ROLLBACK_COMPLETE"
                | "IMPORT_COMPLETE"
                | "IMPORT_ROLLBACK_COMPLETE",
            ) if field(fields, "ChangeSetType") == "UPDATE" => {
                answers::CREATED_CHANGE_SET.to_owned()
            }
            ("ExecuteChangeSet", "REVIEW_IN_PROGRESS") => {
                self.begin("CREATE_IN_PROGRESS", fields);
                answers::empty(action)
            }
            ("ExecuteChangeSet", _) => {
                self.begin("UPDATE_IN_PROGRESS", fields);
                answers::empty(action)
            }
            ("DeleteChangeSet", "REVIEW_IN_PROGRESS") => {
                self.change_sets.clear();
                answers::empty(action)
            }
            ("DeleteStack", "DELETE_COMPLETE") => answers::empty(action),
            ("DeleteStack", _)
                if status != "DELETE_FAILED"
                    && fields.keys().any(|key| key.starts_with("RetainResources")) =>
            {
                refused()
            }
            ("DeleteStack", _) => {
                self.begin("DELETE_IN_PROGRESS", fields);
                answers::empty(action)
            }
            ("RollbackStack", "CREATE_FAILED" | "UPDATE_FAILED") if self.express => answers::error(
                "ValidationError",
                "RollbackStack is not supported for stacks that were last updated using EXPRESS deployment mode and are in a failed state",
            ),
            ("RollbackStack", "CREATE_FAILED") => {
                self.begin("ROLLBACK_IN_PROGRESS", fields);
                answers::empty(action)
            }
            ("RollbackStack", "UPDATE_FAILED")
            | ("ContinueUpdateRollback", "UPDATE_ROLLBACK_FAILED")
            | ("CancelUpdateStack", "UPDATE_IN_PROGRESS") => {
                self.begin("UPDATE_ROLLBACK_IN_PROGRESS", fields);
                answers::empty(action)
            }
            _ => refused(),
        }
    }
}

/// Returns the status in which an operation ends well.
fn end(status: &'static str) -> Option<&'static str> {
    Some(match status {
        "CREATE_IN_PROGRESS" => "CREATE_COMPLETE",
        "ROLLBACK_IN_PROGRESS" => "ROLLBACK_COMPLETE",
        "UPDATE_IN_PROGRESS"
        | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS"
        | "SOMETHING_NEW_IN_PROGRESS" => "UPDATE_COMPLETE",
        "UPDATE_ROLLBACK_IN_PROGRESS" | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS" => {
            "UPDATE_ROLLBACK_COMPLETE"
        }
        "DELETE_IN_PROGRESS" => "DELETE_COMPLETE",
        "IMPORT_IN_PROGRESS" => "IMPORT_COMPLETE",
        "IMPORT_ROLLBACK_IN_PROGRESS" => "IMPORT_ROLLBACK_COMPLETE",
        _ => return None,
    })
}

pub(super) fn field<'a>(fields: &'a BTreeMap<String, String>, key: &str) -> &'a str {
    fields.get(key).map(String::as_str).unwrap_or_default()
}

/// Reads a form.
pub(super) fn fields(body: &str) -> BTreeMap<String, String> {
    body.split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (decoded(key), decoded(value)))
        .collect()
}

fn decoded(text: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let digits: Vec<u8> = rest.by_ref().take(2).collect();
                let digits = String::from_utf8_lossy(&digits);
                u8::from_str_radix(&digits, 16).expect("the SDK writes forms well")
            }
            other => other,
        });
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
