//! What no deploy can do without, as a bare loop.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use aws_sdk_cloudformation::types::{Capability, ChangeSetType, Parameter};
use aws_sdk_s3::primitives::ByteStream;
use deployer::aws::{Clients, StaticCredentials, Target, connect};
use serde_json::json;
use system_tests::sandbox::Sandbox;
use system_tests::support::target_dir;
use tokio::runtime::{Builder, Runtime};

/// The stack that is deployed.
const STACK: &str = "intake-dev";

/// The change set of the floor.
const CHANGE_SET: &str = "floor";

/// The parts of the floor.
pub(crate) struct Floor {
    runtime: Runtime,
    target: Target,
    clients: Clients,
    workspace: PathBuf,
    out: PathBuf,
}

/// What a deploy left: the template and the parameters that the floor deploys again.
pub(crate) struct Snapshot {
    template: String,
    parameters: Vec<Parameter>,
    artifact: Vec<u8>,
}

impl Floor {
    pub(crate) fn new(sandbox: &Sandbox, workspace: &Path) -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime starts");
        let endpoint = sandbox.engine().endpoint();
        let target = Target {
            region: "us-east-1".to_owned(),
            profile: None,
            endpoint_url: Some(endpoint.url.clone()),
            account: None,
            protected: false,
            credentials: Some(StaticCredentials {
                access_key_id: endpoint.access_key_id.to_owned(),
                secret_access_key: endpoint.secret_access_key.to_owned(),
            }),
        };
        let clients = runtime
            .block_on(connect(&target))
            .expect("the engine answers");
        let out = sandbox.directory().join("floor");
        std::fs::create_dir_all(&out).expect("the directory can be made");
        Self {
            runtime,
            target,
            clients,
            workspace: workspace.to_owned(),
            out,
        }
    }

    /// Lets cargo find that everything is up to date.
    pub(crate) fn build(&self, sandbox: &Sandbox) {
        for package in ["stacks", "intake"] {
            let mut command = sandbox.engine().command("cargo");
            // What the outer cargo says about the benchmark would make the SDK's build scripts look stale.
            for (name, _) in std::env::vars_os() {
                let text = name.to_string_lossy();
                let kept = ["CARGO_HOME", "CARGO_TARGET_DIR", "CARGO_NET_OFFLINE"];
                if text.starts_with("CARGO") && !kept.contains(&&*text) {
                    command.env_remove(&name);
                }
            }
            command
                .current_dir(&self.workspace)
                .args(["build", "--quiet", "--package", package]);
            if package == "intake" {
                command.args(["--bin", "intake-operations"]);
            }
            succeed(&mut command, "");
        }
    }

    /// Lets the stacks binary render.
    pub(crate) fn render(&self, mode: &str) {
        let mut command = Command::new(target_dir().join("debug/stacks"));
        command.arg("synth").arg("--out").arg(&self.out);
        let request = json!({"format": 1, "stage": {
            "name": "dev", "region": "us-east-1", "architecture": "x86_64",
            "variables": {"intake": {"mode": mode}},
        }});
        succeed(&mut command, &request.to_string());
    }

    /// Remembers what is deployed.
    pub(crate) fn snapshot(&self) -> Snapshot {
        self.runtime.block_on(async {
            let cloudformation = &self.clients.cloudformation;
            let template = cloudformation.get_template().stack_name(STACK).send().await;
            let stacks = cloudformation
                .describe_stacks()
                .stack_name(STACK)
                .send()
                .await;
            let stacks = stacks.expect("the stack is deployed");
            let parameters = stacks.stacks()[0].parameters().to_vec();
            let value = |name: &str| {
                let mut parameters = parameters.iter();
                let found = parameters.find(|parameter| parameter.parameter_key() == Some(name));
                found
                    .and_then(Parameter::parameter_value)
                    .expect("the parameter has a value")
            };
            let get = self.clients.s3.get_object().bucket(value("ArtifactBucket"));
            let artifact = get.key(value("OperationsArtifact")).send().await;
            let artifact = artifact.expect("it is published").body.collect().await;
            Snapshot {
                artifact: artifact.expect("it can be read").to_vec(),
                template: template
                    .expect("the stack is deployed")
                    .template_body()
                    .expect("it has a template")
                    .to_owned(),
                parameters,
            }
        })
    }

    /// Makes the calls again, in their order and one after the other.
    pub(crate) fn call(&self, calls: &[String], snapshot: &Snapshot, fresh: bool) {
        self.runtime.block_on(async {
            for call in calls {
                self.one(call, snapshot, fresh).await;
            }
        });
    }

    async fn one(&self, call: &str, snapshot: &Snapshot, fresh: bool) {
        let cloudformation = &self.clients.cloudformation;
        let action = call
            .split("Action=")
            .nth(1)
            .unwrap_or_else(|| call.split(' ').next().unwrap_or_default());
        // A stack that is not there yet is an error to the SDK and an answer to the tool.
        match action {
            "GetCallerIdentity" => {
                let _ = connect(&self.target).await.expect("the engine answers");
            }
            "DescribeStacks" => {
                let _ = cloudformation
                    .describe_stacks()
                    .stack_name(STACK)
                    .send()
                    .await;
            }
            "GetTemplate" => {
                let _ = cloudformation.get_template().stack_name(STACK).send().await;
            }
            "ListChangeSets" => {
                let _ = cloudformation
                    .list_change_sets()
                    .stack_name(STACK)
                    .send()
                    .await;
            }
            "DescribeStackEvents" => {
                let _ = cloudformation
                    .describe_stack_events()
                    .stack_name(STACK)
                    .send()
                    .await;
            }
            "CreateChangeSet" => {
                let kind = if fresh {
                    ChangeSetType::Create
                } else {
                    ChangeSetType::Update
                };
                cloudformation
                    .create_change_set()
                    .stack_name(STACK)
                    .change_set_name(CHANGE_SET)
                    .change_set_type(kind)
                    .capabilities(Capability::CapabilityNamedIam)
                    .template_body(&snapshot.template)
                    .set_parameters(Some(snapshot.parameters.clone()))
                    .send()
                    .await
                    .expect("the change set is made");
            }
            "DescribeChangeSet" => {
                let describe = cloudformation.describe_change_set().stack_name(STACK);
                describe
                    .change_set_name(CHANGE_SET)
                    .send()
                    .await
                    .expect("it is there");
            }
            "ExecuteChangeSet" => {
                let execute = cloudformation.execute_change_set().stack_name(STACK);
                execute
                    .change_set_name(CHANGE_SET)
                    .send()
                    .await
                    .expect("it is executed");
            }
            "HEAD" => {
                let (bucket, key) = object(call);
                // An artifact that is not there yet is an answer too.
                let _ = self
                    .clients
                    .s3
                    .head_object()
                    .bucket(bucket)
                    .key(key)
                    .send()
                    .await;
            }
            "PUT" => {
                let (bucket, key) = object(call);
                let body = ByteStream::from(snapshot.artifact.clone());
                let put = self
                    .clients
                    .s3
                    .put_object()
                    .bucket(bucket)
                    .key(key)
                    .body(body);
                put.send().await.expect("the artifact is published");
            }
            other => panic!("the floor does not know the call {other}"),
        }
    }
}

/// Takes the bucket and key out of a call such as `PUT /bucket/key?x-id=PutObject`.
fn object(call: &str) -> (&str, &str) {
    let path = call.split(['/', '?']).next().unwrap_or_default();
    let path = call.get(path.len() + 1..).unwrap_or_default();
    let path = path.split('?').next().unwrap_or_default();
    path.split_once('/').expect("an object is named")
}

fn succeed(command: &mut Command, input: &str) {
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit());
    let mut child = command.spawn().expect("the command starts");
    let mut stdin = child.stdin.take().expect("it was asked for");
    // A command that does not read its input may close it early.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let status = child.wait().expect("it ends");
    assert!(status.success(), "{command:?} failed: {status}");
}
