//! A small server that stands in for AWS, and runs of the tool that call it.
//!
//! It listens on the loopback interface, but is called by an address that does not say so: a place that is plainly on
//! this machine needs no approval.
#![cfg(target_os = "linux")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

use serde_json::json;

use super::workspace::{Outcome, Workspace};

/// The form of <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>.
const IDENTITY: &str = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
<GetCallerIdentityResult><Arn>arn:aws:iam::123456789012:user/Alice</Arn><UserId>AIDACKCEVSQ6C2EXAMPLE</UserId>
<Account>123456789012</Account></GetCallerIdentityResult>
<ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId></ResponseMetadata>
</GetCallerIdentityResponse>"#;

/// A server that knows its caller and has no stacks, or one in a status.
pub(super) struct Server {
    port: u16,
    requests: Arc<Mutex<Vec<Request>>>,
}

/// What was asked for.
struct Request {
    /// The action of a form, the operation that a header names, or the method with the path.
    operation: String,
    body: String,
}

/// Stands in an answer for the token of the last change set that was executed, which marks the events of its operation.
pub(super) const LAST_TOKEN: &str = "[LAST TOKEN]";

/// Answers an operation, on a stack where it is one of CloudFormation, before the server does what it does otherwise.
pub(super) type Answers = fn(&str, &str) -> Option<String>;

impl Server {
    pub(super) fn start() -> Self {
        Self::start_with(None)
    }

    pub(super) fn start_with(status: Option<&'static str>) -> Self {
        Self::answering(status, |_, _| None)
    }

    pub(super) fn answering(status: Option<&'static str>, answers: Answers) -> Self {
        Self::told(status, move |_, action, stack| {
            answers(action, stack).map(|text| ("200 OK", text))
        })
    }

    /// Answers by regions, which the signatures name, as well: with a status and a body.
    pub(super) fn in_regions(
        answers: fn(&str, &str, &str) -> Option<(&'static str, String)>,
    ) -> Self {
        Self::told(None, answers)
    }

    /// Answers by what the test knows.
    pub(super) fn told(
        status: Option<&'static str>,
        answers: impl Fn(&str, &str, &str) -> Option<(&'static str, String)> + Send + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("binds");
        let port = listener.local_addr().expect("is bound").port();
        let requests = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&requests);
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                answer(stream, status, &answers, &seen);
            }
        });
        Self { port, requests }
    }

    /// Returns the URL of an address that does not say that it is on this machine.
    pub(super) fn url(&self) -> String {
        format!("http://0.0.0.0:{}", self.port)
    }

    /// Returns the URL of an address that says so.
    pub(super) fn loopback(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(super) fn actions(&self) -> Vec<String> {
        let requests = self.requests.lock().expect("is not poisoned");
        let actions = requests.iter().map(|it| field(&it.body, "Action"));
        actions.collect()
    }

    pub(super) fn count(&self, action: &str) -> usize {
        let actions = self.actions().into_iter();
        actions.filter(|it| it == action).count()
    }

    /// Returns the body of the first request of an operation.
    pub(super) fn request(&self, action: &str) -> Option<String> {
        let requests = self.requests.lock().expect("is not poisoned");
        let mut requests = requests.iter();
        let found = requests.find(|it| it.operation == action)?;
        Some(found.body.clone())
    }

    /// Returns the first operation that begins like this: the path of a request has more than a name in it.
    pub(super) fn operation(&self, start: &str) -> Option<String> {
        let requests = self.requests.lock().expect("is not poisoned");
        let mut operations = requests.iter().map(|it| &it.operation);
        operations.find(|it| it.starts_with(start)).cloned()
    }
}

pub(super) fn field(body: &str, name: &str) -> String {
    body.split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='))
        .unwrap_or_default()
        .to_owned()
}

/// The form of <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStacks.html>.
pub(super) fn stack(name: &str, status: &str) -> String {
    format!(
        "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeStacksResult><Stacks><member>\
         <StackName>{name}</StackName><StackId>arn:aws:cloudformation:us-east-1:123456789012:stack/{name}/1</StackId>\
         <CreationTime>2026-07-27T22:28:28.000Z</CreationTime><StackStatus>{status}</StackStatus>\
         </member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
    )
}

/// The same of an account without stacks.
fn no_stacks() -> String {
    "<DescribeStacksResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeStacksResult><Stacks/>\
     </DescribeStacksResult></DescribeStacksResponse>"
        .to_owned()
}

/// A stack with a table that the sources no longer have, in the form of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_GetTemplate.html>.
fn template() -> String {
    let body = json!({
        "Outputs": {"QueueUrl": {"Value": {"Ref": "Queue"}}},
        "Resources": {
            "Orders": {"Type": "AWS::DynamoDB::Table"},
            "Queue": {"Properties": {"DelaySeconds": 5}, "Type": "AWS::SQS::Queue"},
        },
    });
    format!(
        "<GetTemplateResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><GetTemplateResult>\
         <TemplateBody>{body}</TemplateBody></GetTemplateResult></GetTemplateResponse>"
    )
}

/// A stack set with that template in the account of its stage, in the form of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackSet.html>.
fn stack_set() -> String {
    let template = template();
    let body = template
        .split_once("<TemplateBody>")
        .and_then(|(_, rest)| rest.split_once("</TemplateBody>"))
        .expect("has a body")
        .0;
    format!(
        "<DescribeStackSetResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><DescribeStackSetResult><StackSet>\
         <StackSetName>orders-dev</StackSetName><PermissionModel>SELF_MANAGED</PermissionModel><Status>ACTIVE</Status>\
         <Tags><member><Key>stackctl:stage</Key><Value>dev</Value></member></Tags><TemplateBody>{body}</TemplateBody>\
         </StackSet></DescribeStackSetResult></DescribeStackSetResponse>"
    )
}

/// The status of a stack for which the server computes a change set.
pub(super) const PROPOSES: &str = "UPDATE_ROLLBACK_COMPLETE";

/// What becomes of a change set that replaces a queue which the plan leaves alone, in the forms of
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateChangeSet.html>,
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeChangeSet.html> and
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DeleteChangeSet.html>.
fn change_set(action: &str) -> String {
    const STACK: &str = "arn:aws:cloudformation:us-east-1:123456789012:stack/orders-dev/1";
    const CHANGE_SET: &str = "arn:aws:cloudformation:us-east-1:123456789012:changeSet/c/1";
    let change = |action: &str, id: &str, kind: &str, more: &str| {
        format!(
            "<member><Type>Resource</Type><ResourceChange><Action>{action}</Action><LogicalResourceId>{id}</LogicalResourceId>\
             <PhysicalResourceId>{id}-1</PhysicalResourceId><ResourceType>{kind}</ResourceType>{more}</ResourceChange></member>"
        )
    };
    let removed = change(
        "Remove",
        "Orders",
        "AWS::DynamoDB::Table",
        "<PolicyAction>Delete</PolicyAction>",
    );
    let replaced = change(
        "Modify",
        "Queue",
        "AWS::SQS::Queue",
        "<Replacement>True</Replacement><PolicyAction>ReplaceAndDelete</PolicyAction>",
    );
    let result = match action {
        "CreateChangeSet" => format!("<Id>{CHANGE_SET}</Id><StackId>{STACK}</StackId>"),
        "DescribeChangeSet" => format!(
            "<ChangeSetId>{CHANGE_SET}</ChangeSetId><StackId>{STACK}</StackId><StackName>orders-dev</StackName>\
             <Status>CREATE_COMPLETE</Status><ExecutionStatus>AVAILABLE</ExecutionStatus><Changes>{removed}{replaced}</Changes>"
        ),
        _ => String::new(),
    };
    format!(
        "<{action}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><{action}Result>{result}</{action}Result></{action}Response>"
    )
}

/// The answer to an action, around its result.
pub(super) fn response(action: &str, result: &str) -> String {
    format!(
        "<{action}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><{action}Result>{result}</{action}Result>\
         </{action}Response>"
    )
}

/// A list without an element, of what an action lists.
pub(super) fn nothing(action: &str) -> String {
    format!(
        "<{action}Response xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><{action}Result><Summaries/></{action}Result></{action}Response>"
    )
}

fn answer(
    mut stream: TcpStream,
    stack_status: Option<&str>,
    answers: &impl Fn(&str, &str, &str) -> Option<(&'static str, String)>,
    seen: &Mutex<Vec<Request>>,
) {
    let mut reader = BufReader::new(stream.try_clone().expect("clones"));
    let (mut length, mut region) = (0, String::new());
    let mut operation = String::new();
    if reader.read_line(&mut operation).expect("reads") == 0 {
        return;
    }
    // The method and the path, without the version.
    operation.truncate(operation.rfind(' ').unwrap_or_default());
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).expect("reads") == 0 {
            return;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().expect("is a number");
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("x-amz-target")
        {
            let target = value.trim().rsplit('.').next();
            target.unwrap_or_default().clone_into(&mut operation);
        }
        // The scope of a credential is its key, the day, the region and the service.
        if let Some((_, scope)) = line.split_once("Credential=") {
            let scope = scope.split('/').nth(2);
            scope.unwrap_or_default().clone_into(&mut region);
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("reads");
    let body = String::from_utf8(body).expect("is text");
    let action = field(&body, "Action");
    let name = field(&body, "StackName");
    if !action.is_empty() {
        operation.clone_from(&action);
    }
    let own = answers(&region, &operation, &name);
    let (status, text) = match (action.as_str(), stack_status) {
        _ if own.is_some() => own.unwrap_or_default(),
        ("GetCallerIdentity", _) => ("200 OK", IDENTITY.to_owned()),
        ("DescribeStacks", _) if name.is_empty() => ("200 OK", no_stacks()),
        ("DescribeStacks", Some(status)) => ("200 OK", stack(&name, status)),
        ("GetTemplate", Some("UPDATE_COMPLETE" | PROPOSES)) => ("200 OK", template()),
        ("CreateChangeSet" | "DescribeChangeSet" | "DeleteChangeSet", Some(PROPOSES)) => {
            ("200 OK", change_set(&action))
        }
        ("DescribeStackSet", Some("UPDATE_COMPLETE")) => ("200 OK", stack_set()),
        ("ListStackInstances" | "ListStackSetOperations", Some("UPDATE_COMPLETE")) => {
            ("200 OK", nothing(&action))
        }
        ("DescribeStacks", None) => (
            "400 Bad Request",
            error(
                "ValidationError",
                &format!("Stack with id {name} does not exist"),
            ),
        ),
        _ => (
            "403 Forbidden",
            error(
                "AccessDenied",
                &format!("User is not authorized to perform: cloudformation:{action}"),
            ),
        ),
    };
    let request = Request { operation, body };
    let token = {
        let mut seen = seen.lock().expect("is not poisoned");
        seen.push(request);
        let mut executed = seen.iter().filter(|it| it.operation == "ExecuteChangeSet");
        let last = executed.next_back();
        last.map(|it| field(&it.body, "ClientRequestToken"))
    };
    let text = text.replace(LAST_TOKEN, &token.unwrap_or_default());
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{text}",
        text.len()
    )
    .expect("writes");
}

/// The form of <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html>.
pub(super) fn error(code: &str, message: &str) -> String {
    format!(
        "<ErrorResponse xmlns=\"http://cloudformation.amazonaws.com/doc/2010-05-15/\"><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error><RequestId>1</RequestId></ErrorResponse>"
    )
}

/// Returns whether an action changes nothing, as AWS names them.
pub(super) fn is_reading(action: &str) -> bool {
    ["Describe", "Get", "List"]
        .iter()
        .any(|verb| action.starts_with(verb))
}

pub(super) fn run(verb: &str, workspace: &Workspace, server: &Server, more: &[&str]) -> Outcome {
    run_at(&server.url(), verb, workspace, more)
}

pub(super) fn run_at(url: &str, verb: &str, workspace: &Workspace, more: &[&str]) -> Outcome {
    let mut command = workspace.command([verb, "--stage", "dev", "--endpoint-url", url]);
    command
        .args(more)
        .env("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
        .env(
            "AWS_SECRET_ACCESS_KEY",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        );
    workspace.finish(command)
}
