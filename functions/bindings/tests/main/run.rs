//! A function from its start to its answers, against a runtime API like Lambda's.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde_json::{Value, json};
use stack_bindings::{Bindings, Invocation, Var};

/// Set in a process that is to be the function.
const AS_FUNCTION: &str = "STACK_BINDINGS_TEST_FUNCTION";

/// How long the function may take to answer.
const PATIENCE: Duration = Duration::from_secs(30);

#[derive(Bindings)]
#[function(binary = "greeter", accepts(Invocation<String>))]
struct Greeter {
    greeting: Var<String>,
}

#[derive(Debug, thiserror::Error)]
enum GreetError {
    #[error("nobody is called \"{0}\"")]
    Nobody(String, #[source] std::fmt::Error),
}

async fn greet(bindings: &Greeter, name: Invocation<String>) -> Result<String, GreetError> {
    match name.as_str() {
        "" => Err(GreetError::Nobody(name.0, std::fmt::Error)),
        "nobody at all" => panic!("there must be somebody"),
        "who?" => Ok(stack_bindings::InvocationContext::current()
            .map(|context| format!("{} {}", context.request_id, context.function_arn))
            .unwrap_or_default()),
        name => Ok(format!("{} {name}", *bindings.greeting)),
    }
}

/// The function itself, when the tests below start this program once more.
#[test]
#[expect(
    clippy::print_stdout,
    reason = "a test has no exit code of its own to show"
)]
fn as_function() {
    if std::env::var_os(AS_FUNCTION).is_some() {
        println!("exit: {:?}", stack_bindings::run(greet));
    }
}

fn function() -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "run::as_function", "--nocapture"])
        .env_clear()
        .env(AS_FUNCTION, "1")
        .env("HOME", "/nonexistent")
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    command
}

/// A function that is stopped when the test ends.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}

/// Sends the events one after the other, as
/// <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html> says, and passes on what is posted.
fn serve(listener: &TcpListener, events: &[Value], posted: &Sender<(String, Value)>) {
    let mut events = events.iter().enumerate();
    for connection in listener.incoming() {
        let mut connection = connection.unwrap();
        let (request, body) = read(&connection);
        let answer = if request.starts_with("GET /2018-06-01/runtime/invocation/next ") {
            // Without events left, Lambda lets the function wait.
            let Some((id, event)) = events.next() else {
                return;
            };
            let event = event.to_string();
            format!(
                "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: r{id}\r\n\
                 Lambda-Runtime-Deadline-Ms: 4102444800000\r\n\
                 Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-west-1:123456789012:function:greeter\r\n\
                 Content-Length: {}\r\nConnection: close\r\n\r\n{event}",
                event.len()
            )
        } else {
            let path = request.split(' ').nth(1).unwrap();
            posted.send((path.to_owned(), body)).unwrap();
            "HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".to_owned()
        };
        connection.write_all(answer.as_bytes()).unwrap();
    }
}

/// Reads a request: its first line, and its body as JSON.
fn read(connection: &TcpStream) -> (String, Value) {
    let mut reader = BufReader::new(connection);
    let mut request = String::new();
    reader.read_line(&mut request).unwrap();
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).unwrap();
        let header = header.trim_end().to_ascii_lowercase();
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if header.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    (request, serde_json::from_slice(&body).unwrap_or_default())
}

/// Starts a function and hands it the events; what it posts arrives at the receiver.
fn started(events: Vec<Value>) -> (Running, Receiver<(String, Value)>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, receiver) = channel();
    std::thread::spawn(move || serve(&listener, &events, &sender));
    let child = function()
        .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
        .env("AWS_LAMBDA_FUNCTION_NAME", "greeter")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_REGION", "eu-west-1")
        .env("GREETING", "hello")
        .spawn()
        .unwrap();
    (Running(child), receiver)
}

#[test]
fn events_are_answered_and_errors_keep_their_type_and_text() {
    let events = vec![
        json!("who?"),
        json!("you"),
        json!(""),
        json!({"no": "text"}),
        json!("nobody at all"),
    ];
    let (mut function, posted) = started(events);
    let next = || posted.recv_timeout(PATIENCE).unwrap();
    assert_eq!(
        next().1,
        json!("r0 arn:aws:lambda:eu-west-1:123456789012:function:greeter")
    );
    assert_eq!(
        next(),
        (
            "/2018-06-01/runtime/invocation/r1/response".to_owned(),
            json!("hello you")
        )
    );
    assert_eq!(
        next(),
        (
            "/2018-06-01/runtime/invocation/r2/error".to_owned(),
            json!({"errorType": "GreetError", "errorMessage": "nobody is called \"\""})
        )
    );
    assert_eq!(
        next(),
        (
            "/2018-06-01/runtime/invocation/r3/error".to_owned(),
            json!({
                "errorType": "EventError",
                "errorMessage": "invalid event: invalid type: map, expected a string"
            })
        )
    );
    assert_eq!(
        next().1["errorMessage"],
        "Lambda panicked: there must be somebody"
    );
    function.0.kill().unwrap();
    let mut output = String::new();
    let mut stdout = function.0.stdout.take().unwrap();
    stdout.read_to_string(&mut output).unwrap();
    let lines: Vec<Value> = output
        .lines()
        .filter_map(|line| serde_json::from_str(line.get(line.find('{')?..)?).ok())
        .collect();
    // One line for each failure, and nothing that says the same again.
    let failed: Vec<&Value> = lines
        .iter()
        .filter(|line| line["level"] == "ERROR")
        .collect();
    let invocations: Vec<&Value> = failed
        .iter()
        .map(|line| &line["span"]["requestId"])
        .collect();
    assert_eq!(invocations, ["r2", "r3", "r4"], "{output}");
    assert_eq!(failed[2]["message"], "user handler panicked");
    let failure = failed[0];
    assert_eq!(failure["error_type"], "GreetError");
    assert_eq!(failure["level"], "ERROR");
    assert_eq!(failure["message"], "the invocation failed");
    assert_eq!(
        failure["error"],
        format!("nobody is called \"\": {}", std::fmt::Error)
    );
    assert_eq!(failure["span"]["requestId"], "r2");
}

/// Runs a function that cannot start, and returns what it logs.
fn refused(mut command: Command) -> String {
    let output = command.output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(
        output.contains(&format!("exit: {:?}", std::process::ExitCode::FAILURE)),
        "{output}"
    );
    output
}

#[test]
fn a_function_says_which_variables_it_misses() {
    let mut command = function();
    command
        .env("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9")
        .env("AWS_LAMBDA_FUNCTION_NAME", "greeter")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128");
    let output = refused(command);
    assert!(
        output.contains("GREETING (the variable `greeting`) is not set"),
        "{output}"
    );
}

#[test]
fn a_function_started_by_hand_says_that_it_is_one() {
    let output = refused(function());
    assert!(output.contains("this is a Lambda function"), "{output}");
    assert!(output.contains("AWS_LAMBDA_RUNTIME_API"), "{output}");
}
