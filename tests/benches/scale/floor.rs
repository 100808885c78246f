//! The calls that CloudFormation needs for many stacks, as a bare loop.

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use aws_sdk_cloudformation::types::{Capability, ChangeSetType, Parameter, Tag};
use deployer::aws::{Clients, StaticCredentials, Target, connect};
use deployer::engine::CONCURRENCY;
use serde_json::Value;
use system_tests::sandbox::Sandbox;
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinSet;

/// A stack, and the names of those it needs.
pub(crate) struct Part {
    name: String,
    template: String,
    needs: Vec<String>,
}

/// The loop.
pub(crate) struct Floor {
    runtime: Runtime,
    clients: Clients,
    /// The parameters and the tags that the tool gave the stacks.
    given: Vec<(Vec<Parameter>, Vec<Tag>)>,
}

impl Floor {
    pub(crate) fn new(sandbox: &Sandbox) -> Self {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime starts");
        let endpoint = sandbox.engine().endpoint();
        let target = Target {
            region: "us-east-1".to_owned(),
            endpoint_url: Some(endpoint.url.clone()),
            credentials: Some(StaticCredentials {
                access_key_id: endpoint.access_key_id.to_owned(),
                secret_access_key: endpoint.secret_access_key.to_owned(),
            }),
            ..Target::default()
        };
        let clients = runtime
            .block_on(connect(&target))
            .expect("the engine answers");
        Self {
            runtime,
            clients,
            given: Vec::new(),
        }
    }

    /// Remembers what the tool gave the stacks.
    pub(crate) fn remember(&mut self, parts: &[Part]) {
        let cloudformation = &self.clients.cloudformation;
        let given = parts.iter().map(|part| {
            let asked = cloudformation.describe_stacks().stack_name(&part.name);
            let answer = self.runtime.block_on(asked.send());
            let answer = answer.expect("the stack is deployed");
            let stack = &answer.stacks()[0];
            (stack.parameters().to_vec(), stack.tags().to_vec())
        });
        self.given = given.collect();
    }

    /// Makes, reads and executes a change set for every stack.
    pub(crate) fn deploy(&self, parts: &Arc<Vec<Part>>, create: bool) {
        self.each(parts, false, |clients, parts, number| {
            let (parameters, tags) = self.given[number].clone();
            async move {
                let (client, part) = (clients.cloudformation, &parts[number]);
                let kind = if create {
                    ChangeSetType::Create
                } else {
                    ChangeSetType::Update
                };
                let made = client
                    .create_change_set()
                    .stack_name(&part.name)
                    .change_set_name(format!("floor-{}-{}", parts.len(), kind.as_str()))
                    .change_set_type(kind)
                    .capabilities(Capability::CapabilityNamedIam)
                    .set_parameters(Some(parameters))
                    .set_tags(Some(tags));
                let made = made.template_body(&part.template).send().await;
                let made = made.expect("the change set is made");
                let id = made.id().expect("it has an id");
                let read = client.describe_change_set().change_set_name(id).send();
                read.await.expect("it can be read");
                let executed = client.execute_change_set().change_set_name(id).send();
                executed.await.expect("it is executed");
                let seen = client.describe_stack_events().stack_name(&part.name).send();
                seen.await.expect("there are events");
            }
        });
    }

    /// Reads every stack and its template.
    pub(crate) fn look(&self, parts: &Arc<Vec<Part>>) {
        self.each(parts, false, |clients, parts, number| async move {
            let (client, name) = (clients.cloudformation, &parts[number].name);
            let described = client.describe_stacks().stack_name(name).send();
            described.await.expect("the stack is deployed");
            let template = client.get_template().stack_name(name).send();
            template.await.expect("it has a template");
        });
    }

    /// Deletes every stack.
    pub(crate) fn destroy(&self, parts: &Arc<Vec<Part>>) {
        self.each(parts, true, |clients, parts, number| async move {
            let (client, name) = (clients.cloudformation, &parts[number].name);
            let deleted = client.delete_stack().stack_name(name).send();
            deleted.await.expect("it is deleted");
        });
    }

    /// Works on every stack, as many at once as the tool does, after those it needs or before them.
    fn each<W: Future<Output = ()> + Send + 'static>(
        &self,
        parts: &Arc<Vec<Part>>,
        backwards: bool,
        work: impl Fn(Clients, Arc<Vec<Part>>, usize) -> W,
    ) {
        let mut waiting: Vec<usize> = (0..parts.len()).collect();
        let mut done = vec![false; parts.len()];
        let mut running = JoinSet::new();
        self.runtime.block_on(async {
            loop {
                waiting.retain(|&number| {
                    let holds_up = |other: usize| {
                        let (first, second) = if backwards {
                            (number, other)
                        } else {
                            (other, number)
                        };
                        !done[other] && parts[second].needs.contains(&parts[first].name)
                    };
                    let waits =
                        running.len() >= CONCURRENCY.get() || (0..parts.len()).any(holds_up);
                    if !waits {
                        let work = work(self.clients.clone(), Arc::clone(parts), number);
                        running.spawn(async move {
                            work.await;
                            number
                        });
                    }
                    waits
                });
                match running.join_next().await {
                    Some(number) => done[number.expect("no call panics")] = true,
                    None => return,
                }
            }
        });
    }
}

/// Reads the stacks of an assembly, in their order.
pub(crate) fn read(assembly: &Path) -> Arc<Vec<Part>> {
    let json = |name: &str| -> Value {
        let text = std::fs::read(assembly.join(name)).expect("the assembly was written");
        serde_json::from_slice(&text).expect("it is JSON")
    };
    let manifest = json("manifest.json");
    let text = |value: &Value| value.as_str().expect("it is text").to_owned();
    let stacks = manifest["stacks"].as_array().expect("there are stacks");
    let parts = stacks.iter().map(|stack| Part {
        name: text(&stack["name"]),
        // Without its line breaks a template fits in a call; the tool puts it into the artifact bucket as it is.
        template: json(&text(&stack["template"])).to_string(),
        needs: stack["depends_on"]
            .as_array()
            .into_iter()
            .flatten()
            .map(text)
            .collect(),
    });
    Arc::new(parts.collect())
}
