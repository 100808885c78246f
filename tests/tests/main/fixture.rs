//! A small workspace whose phases can be held: the stacks, the build of its function, and the stack itself.
//!
//! It depends on nothing, so that it compiles in a moment, and its stacks binary copies an assembly that the test wrote.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use system_tests::account::{Account, texts};
use system_tests::http;
use system_tests::poll::{PATIENCE, eventually};
use system_tests::sandbox::{Run, Running, Sandbox};

use crate::PROGRAM;
use crate::workspace::{COPY, Workspace, described, hash, hexadecimal};

/// The only stack of the workspace.
pub(crate) const STACK: &str = "slow-dev";

/// How many bytes of the function cannot be compressed, so that its artifact is larger than a small disk.
const NOISE: usize = 3 << 20;

const CONFIG: &str =
    "[workspace]\nstacks = \"slow-stacks\"\n\n[stages.dev]\nregion = \"us-east-1\"\n";

/// Waits while the file is there; says that it does so by making another one.
const WAIT: &str = r#"
fn wait_for(hold: &std::path::Path) {
    while hold.exists() {
        std::fs::write(hold.with_extension("reached"), "").expect("the directory can be written");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
}
"#;

/// A runtime of functions that depends on nothing: `serve` answers every event
/// (<https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>), and `send` calls whom it likes.
pub(crate) const RUNTIME: &str = r#"
use std::io::{BufRead, BufReader, Read, Write};

fn send(host: &str, method: &str, path: &str, body: &str) -> (String, String) {
    let mut stream = std::net::TcpStream::connect(host).expect("somebody listens");
    let length = body.len();
    let head = format!("{method} {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
    stream.write_all((head + body).as_bytes()).expect("it is sent");
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).expect("there is an answer");
        let line = line.trim().to_ascii_lowercase();
        if line.is_empty() {
            break;
        }
        if let Some(text) = line.strip_prefix("content-length:") {
            length = text.trim().parse().expect("it is a length");
        }
        head = head + &line + "\n";
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).expect("the answer is whole");
    (head, String::from_utf8(body).expect("it is text"))
}

fn serve(answer: impl Fn(&str) -> String) {
    let host = std::env::var("AWS_LAMBDA_RUNTIME_API").expect("it runs as a function");
    loop {
        let (head, event) = send(&host, "GET", "/2018-06-01/runtime/invocation/next", "");
        let id = head.lines().find_map(|line| line.strip_prefix("lambda-runtime-aws-request-id:"));
        let id = id.expect("an invocation has an id").trim();
        send(&host, "POST", &format!("/2018-06-01/runtime/invocation/{id}/response"), &answer(&event));
    }
}
"#;

/// The workspace and a sandbox to run the tool in.
pub(crate) struct Fixture {
    pub(crate) sandbox: Sandbox,
    workspace: Workspace,
}

/// A phase that waits for the test.
pub(crate) struct Held {
    file: PathBuf,
}

impl Fixture {
    /// Makes a workspace with one stack: a queue, a function, and whatever else is given.
    pub(crate) fn new(resources: &Value) -> Self {
        let workspace = Workspace::new("slow");
        let sandbox = Sandbox::new(PROGRAM, workspace.directory(), CONFIG).with_own_target();
        let fixture = Self { sandbox, workspace };
        fixture.write(
            "stacks/src/main.rs",
            &format!(
                "{WAIT}{COPY}\nfn main() {{\n    wait_for(\"hold-synth\".as_ref());\n    copy(\"assembly\");\n}}\n"
            ),
        );
        fixture.write(
            "worker/build.rs",
            &format!(
                r#"{WAIT}
fn main() {{
    println!("cargo::rerun-if-changed=version");
    wait_for("../hold-build".as_ref());
}}
"#
            ),
        );
        fixture.write("worker/version", "1");
        fixture.write(
            "worker/src/main.rs",
            "fn main() {\n    let noise: &[u8] = std::hint::black_box(include_bytes!(\"../noise\"));\n    \
             println!(\"{}\", noise.len());\n}\n",
        );
        fs::write(fixture.path("worker/noise"), noise()).expect("the workspace can be written");
        fixture.describe(resources);
        fixture
    }

    /// Makes a stack that is not done before the test says so.
    pub(crate) fn slow() -> Self {
        Self::new(&json!({
            "Handle": {"Type": "AWS::CloudFormation::WaitConditionHandle"},
            "Wait": {
                "Type": "AWS::CloudFormation::WaitCondition",
                "Properties": {"Handle": {"Ref": "Handle"}, "Timeout": "600"},
            },
        }))
    }

    /// Makes a stack whose deletion takes as long as [`Self::hold_delete`] holds it: a resource of it belongs to its function,
    /// which answers when it may
    /// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requests.html>).
    pub(crate) fn slow_to_delete() -> Self {
        let fixture = Self::new(&json!({
            "Slow": {"Type": "Custom::Slow", "Properties": {"ServiceToken": {"Fn::GetAtt": ["Worker", "Arn"]}}},
        }));
        let hold = fixture.path("hold-delete").display().to_string();
        fixture.write(
            "worker/src/main.rs",
            &format!(
                r#"{WAIT}{RUNTIME}
fn field<'a>(event: &'a str, name: &str) -> &'a str {{
    let (_, rest) = event.split_once(&format!("\"{{name}}\": \"")).expect("it is there");
    rest.split('"').next().expect("it ends")
}}

fn main() {{
    serve(|event| {{
        if field(event, "RequestType") == "Delete" {{
            wait_for({hold:?}.as_ref());
        }}
        let url = field(event, "ResponseURL").trim_start_matches("http://");
        let (host, path) = url.split_once('/').expect("it has a path");
        let answer = format!(
            "{{{{\"Status\": \"SUCCESS\", \"PhysicalResourceId\": \"slow\", \"StackId\": \"{{}}\", \"RequestId\": \"{{}}\", \"LogicalResourceId\": \"Slow\"}}}}",
            field(event, "StackId"), field(event, "RequestId"),
        );
        send(host, "PUT", &format!("/{{path}}"), &answer);
        "null".to_owned()
    }});
}}
"#
            ),
        );
        fixture
    }

    /// Replaces what the stack holds beside the queue and the function.
    pub(crate) fn describe(&self, resources: &Value) {
        self.describe_with(resources, &json!({}));
    }

    /// Does the same, and adds outputs to the stack's own.
    pub(crate) fn describe_with(&self, resources: &Value, more: &Value) {
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
        let mut all = json!({
            "Queue": {"Type": "AWS::SQS::Queue"},
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
            "Worker": {"Type": "AWS::Lambda::Function", "Properties": {
                "Runtime": "provided.al2023", "Handler": "bootstrap",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"S3Bucket": {"Ref": "ArtifactBucket"}, "S3Key": {"Ref": "WorkerArtifact"}},
            }},
        });
        for (id, resource) in resources.as_object().expect("resources are an object") {
            all[id] = resource.clone();
        }
        let types = described(&all);
        let mut outputs = json!({"QueueUrl": {"Value": {"Ref": "Queue"}}});
        let mut told = json!({"QueueUrl": {}});
        for (key, value) in more.as_object().expect("outputs are an object") {
            outputs[key] = json!({ "Value": value });
            told[key] = json!({});
        }
        let mut parameters =
            json!({"ArtifactBucket": {"Type": "String"}, "WorkerArtifact": {"Type": "String"}});
        let mut releases = json!({});
        if all.get("WorkerVersion").is_some() {
            parameters["WorkerRelease"] = json!({"Type": "String"});
            releases["WorkerRelease"] = json!("Worker");
        }
        let template = json!({
            "Parameters": parameters,
            "Resources": all,
            "Outputs": outputs,
        })
        .to_string();
        let manifest = json!({
            "format": 1, "stage": "dev", "contracts": {},
            "assets": {"worker": {"kind": "function", "package": "slow-worker", "binary": "slow-worker",
                                  "architecture": "arm64"}},
            "stacks": [{
                "name": STACK, "id": "slow", "template": format!("{STACK}.template.json"),
                "sha256": hash(&template),
                "artifacts": {"WorkerArtifact": "worker"}, "releases": releases, "capabilities": ["CAPABILITY_IAM"],
                "outputs": told, "resources": types,
            }],
        });
        self.write(&format!("assembly/{STACK}.template.json"), &template);
        self.write("assembly/manifest.json", &manifest.to_string());
    }

    /// Replaces the stack by one whose function is released under an alias, as the model describes it.
    pub(crate) fn describe_released(&self, timeout: u32, more: &Value) {
        let mut resources = json!({
            "Worker": {"Type": "AWS::Lambda::Function", "Properties": {
                "Runtime": "provided.al2023", "Handler": "bootstrap", "Timeout": timeout,
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"S3Bucket": {"Ref": "ArtifactBucket"}, "S3Key": {"Ref": "WorkerArtifact"}},
                "Environment": {"Variables": {"STACKCTL_RELEASE": {"Ref": "WorkerRelease"}}},
            }},
            "WorkerVersion": {
                "Type": "AWS::Lambda::Version", "DeletionPolicy": "Delete", "UpdateReplacePolicy": "Retain",
                "Properties": {"FunctionName": {"Ref": "Worker"}, "Description": {"Ref": "WorkerRelease"}},
            },
            "WorkerAlias": {"Type": "AWS::Lambda::Alias", "Properties": {
                "FunctionName": {"Ref": "Worker"}, "Name": "live",
                "FunctionVersion": {"Fn::GetAtt": ["WorkerVersion", "Version"]},
            }},
        });
        for (id, resource) in more.as_object().expect("resources are an object") {
            resources[id] = resource.clone();
        }
        self.describe(&resources);
    }

    /// Returns the template of the stack as it is described now.
    pub(crate) fn template(&self) -> Value {
        let path = self.path(&format!("assembly/{STACK}.template.json"));
        let text = fs::read_to_string(path).expect("the template was written");
        serde_json::from_str(&text).expect("it was written as JSON")
    }

    /// Changes the template and what the manifest says of the stack, whatever they are.
    pub(crate) fn edit(&self, change: impl FnOnce(&mut Value, &mut Value)) {
        let read = |name: &str| -> Value {
            let text = fs::read_to_string(self.path(name)).expect("there is an assembly");
            serde_json::from_str(&text).expect("it is JSON")
        };
        let file = format!("assembly/{STACK}.template.json");
        let (mut template, mut manifest) = (read(&file), read("assembly/manifest.json"));
        change(&mut template, &mut manifest["stacks"][0]);
        let template = template.to_string();
        manifest["stacks"][0]["sha256"] = hash(&template).into();
        self.write(&file, &template);
        self.write("assembly/manifest.json", &manifest.to_string());
    }

    /// Changes the code of the function.
    pub(crate) fn change_code(&self, text: &str) {
        let code = format!(
            "fn main() {{\n    let noise: &[u8] = std::hint::black_box(include_bytes!(\"../noise\"));\n    \
             println!(\"{{}} {text}\", noise.len());\n}}\n"
        );
        self.write("worker/src/main.rs", &code);
    }

    /// Returns the name of the artifact bucket.
    pub(crate) fn bucket(&self) -> String {
        let arguments = [("StackName", "stackctl-bootstrap")];
        let account = self.sandbox.account();
        let stack = account.query("cloudformation", "2010-05-15", "DescribeStacks", &arguments);
        texts(&stack, "OutputValue").concat()
    }

    /// Makes the artifact bucket, and lets callers other than the root user of the account in: its policy wants TLS, which the
    /// engine does not speak.
    pub(crate) fn open_bucket(&self) {
        self.sandbox
            .succeed(&["bootstrap", "--stage", "dev", "--local"]);
        let policy = format!("/{}?policy", self.bucket());
        let account = self.sandbox.account();
        let answer = account.request("s3", "DELETE", &policy, &[], "");
        assert_eq!(answer.status, 204, "{answer:?}");
    }

    /// Runs a command by an address that does not say that it is on this machine, so that nothing goes without consent.
    pub(crate) fn elsewhere(&self, arguments: &[&str]) -> Run {
        let engine = self.sandbox.engine();
        let url = engine.url().replace("127.0.0.1", "0.0.0.0");
        assert!(url.contains("0.0.0.0"), "{url}");
        let place = ["--stage", "dev", "--endpoint-url", &url];
        let mut command = self.sandbox.command(&[arguments, &place].concat());
        command.envs(engine.sdk_variables());
        Running::spawn(command).end()
    }

    /// Returns the account as a role sees it that may do everything.
    pub(crate) fn caller(&self, role: &str) -> Account {
        let everything = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "*", "Resource": "*"}]});
        self.sandbox.account().as_role(role, Some(&everything))
    }

    /// Returns the key of the artifact whose hash Lambda writes like this, in base64.
    pub(crate) fn artifact_of(&self, hash: &str) -> String {
        let answer = self
            .sandbox
            .account()
            .get("s3", &format!("/{}?list-type=2", self.bucket()));
        let keys = texts(&answer.body, "Key");
        let engine = base64(hash);
        let found = keys.into_iter().find(|key| key.contains(&engine));
        found.unwrap_or_else(|| panic!("no artifact {engine}"))
    }

    /// Holds the run of the stacks binary.
    pub(crate) fn hold_synth(&self) -> Held {
        self.hold("hold-synth")
    }

    /// Changes the function, and holds its build.
    pub(crate) fn hold_build(&self, version: &str) -> Held {
        self.write("worker/version", version);
        self.hold("hold-build")
    }

    /// Holds the deletion of a stack of [`Self::slow_to_delete`].
    pub(crate) fn hold_delete(&self) -> Held {
        self.hold("hold-delete")
    }

    fn hold(&self, name: &str) -> Held {
        self.write(name, "");
        Held {
            file: self.path(name),
        }
    }

    /// Ends the wait of a slow stack, as whatever it waits for would.
    pub(crate) fn signal(&self) {
        let account = self.sandbox.account();
        let url = eventually("the handle of the wait condition", PATIENCE, || {
            handle(&account)
        });
        let body = json!({"Status": "SUCCESS", "Reason": "done", "UniqueId": "1", "Data": "-"});
        let answer = http::send("PUT", &url, &[], &body.to_string());
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Returns the status of the stack; `None` where there is none.
    pub(crate) fn status(&self) -> Option<String> {
        status(&self.sandbox.account())
    }

    /// Returns the directory of the workspace.
    pub(crate) fn workspace(&self) -> &std::path::Path {
        self.workspace.directory()
    }

    fn path(&self, name: &str) -> PathBuf {
        self.workspace.path(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        self.workspace.write(name, text);
    }
}

impl Held {
    /// Waits until the phase has begun.
    pub(crate) fn reached(&self) {
        let marker = self.file.with_extension("reached");
        eventually("the held phase", PATIENCE * 2, || {
            marker.exists().then_some(())
        });
    }

    /// Lets the phase go on.
    pub(crate) fn release(self) {
        drop(self);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Gone already is as good as removed.
        let _ = fs::remove_file(&self.file);
    }
}

/// Returns the status of the stack; `None` where there is none.
fn status(account: &Account) -> Option<String> {
    let stacks = account.query("cloudformation", "2010-05-15", "DescribeStacks", &[]);
    let names = texts(&stacks, "StackName");
    let position = names.iter().position(|name| name == STACK)?;
    texts(&stacks, "StackStatus").get(position).cloned()
}

fn handle(account: &Account) -> Option<String> {
    let arguments = [("StackName", STACK), ("LogicalResourceId", "Handle")];
    let resources = account.query(
        "cloudformation",
        "2010-05-15",
        "DescribeStackResources",
        &arguments,
    );
    let url = texts(&resources, "PhysicalResourceId").into_iter().next();
    url.filter(|url| url.starts_with("http"))
}

/// Writes in hexadecimal what is written in base64.
fn base64(text: &str) -> String {
    const DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut bits = 0_u32;
    let mut count = 0;
    let mut bytes = Vec::new();
    for digit in text.bytes().filter(|byte| *byte != b'=') {
        let value = DIGITS.iter().position(|known| *known == digit);
        let value = value.expect("is base64");
        bits = (bits << 6) | u32::try_from(value).expect("is small");
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(((bits >> count) & 0xff) as u8);
        }
    }
    hexadecimal(&bytes)
}

/// Makes bytes that no compression shortens, the same in every run.
fn noise() -> Vec<u8> {
    let mut state: u64 = 0x9e37_79b9_7f4a_7c15;
    (0..NOISE)
        .map(|_| {
            // The xorshift generator of Marsaglia.
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        })
        .collect()
}
