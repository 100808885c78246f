//! What scripts are about: a small stack, and somebody who answers.

use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex},
    time::SystemTime,
};

use stack_model::assembly::{ResourceManifest, StackManifest};

use crate::engine::{
    Approve, CancelHandle, Decision, DeployedStack, Deployment, Finding, ProposedChanges,
    ResourceEvent, StackDeployment, StackStatus, plan::StackPlan,
};

/// Approves or declines everything, and remembers what it was shown.
#[derive(Default)]
pub(super) struct Answer {
    decline: bool,
    pub(super) shown: Mutex<Vec<ProposedChanges>>,
    /// The plans that were made anew.
    pub(super) anew: Mutex<Vec<StackPlan>>,
    /// What was found about change sets that are refused.
    pub(super) found: Mutex<Vec<Finding>>,
    /// The stacks in which nothing was found to change.
    pub(super) left: Mutex<Vec<String>>,
    cancel: Mutex<Option<CancelHandle>>,
}

impl Answer {
    pub(super) fn yes() -> Arc<Self> {
        Arc::default()
    }

    pub(super) fn no() -> Arc<Self> {
        Arc::new(Self {
            decline: true,
            ..Self::default()
        })
    }

    /// Stops the run instead of an answer.
    pub(super) fn ctrl_c(handle: &CancelHandle) -> Arc<Self> {
        Arc::new(Self {
            cancel: Mutex::new(Some(handle.clone())),
            ..Self::default()
        })
    }

    /// Fails where it was asked at all.
    pub(super) fn never() -> Arc<dyn Approve> {
        struct Never;
        impl Approve for Never {
            fn approve<'a>(
                &'a self,
                changes: &'a ProposedChanges,
            ) -> Pin<Box<dyn Future<Output = Decision> + Send + 'a>> {
                panic!("nothing was to be approved: {changes:?}")
            }
        }
        Arc::new(Never)
    }
}

impl Approve for Answer {
    fn approve<'a>(
        &'a self,
        changes: &'a ProposedChanges,
    ) -> Pin<Box<dyn Future<Output = Decision> + Send + 'a>> {
        self.shown
            .lock()
            .expect("no holder panics")
            .push(changes.clone());
        if let Some(handle) = &*self.cancel.lock().expect("no holder panics") {
            handle.cancel();
            return Box::pin(std::future::pending());
        }
        let decision = if self.decline {
            Decision::Decline
        } else {
            Decision::Execute
        };
        Box::pin(async move { decision })
    }

    fn approve_anew<'a>(
        &'a self,
        plan: &'a StackPlan,
    ) -> Pin<Box<dyn Future<Output = Decision> + Send + 'a>> {
        self.anew
            .lock()
            .expect("no holder panics")
            .push(plan.clone());
        let decision = if self.decline {
            Decision::Decline
        } else {
            Decision::Execute
        };
        Box::pin(async move { decision })
    }

    fn found(&self, _stack: &str, findings: &[Finding]) {
        let mut found = self.found.lock().expect("no holder panics");
        found.extend_from_slice(findings);
    }

    fn left_as_it_is(&self, stack: &str) {
        let mut left = self.left.lock().expect("no holder panics");
        left.push(stack.to_owned());
    }
}

/// A small template.
pub(super) const TEMPLATE: &str = r#"{"Resources":{"Orders":{"Type":"AWS::SQS::Queue"}}}"#;

/// A stack of the stage `dev` without artifacts.
pub(in crate::engine) fn stack(name: &str, depends_on: &[&str]) -> StackDeployment {
    StackDeployment {
        manifest: StackManifest {
            name: name.to_owned(),
            id: name.trim_end_matches("-dev").to_owned(),
            template: format!("{name}.template.json"),
            sha256: String::new(),
            region: None,
            depends_on: depends_on.iter().map(|name| (*name).to_owned()).collect(),
            parameters: BTreeMap::new(),
            artifacts: BTreeMap::new(),
            releases: BTreeMap::new(),
            tags: BTreeMap::from([("team".to_owned(), "blue".to_owned())]),
            capabilities: vec!["CAPABILITY_IAM".to_owned()],
            termination_protection: false,
            outputs: BTreeMap::new(),
            resources: BTreeMap::from([(
                "Orders".to_owned(),
                ResourceManifest {
                    resource_type: "AWS::SQS::Queue".to_owned(),
                    source: "stacks/src/intake.rs:12:9".to_owned(),
                },
            )]),
            moved: BTreeMap::new(),
            along: BTreeMap::new(),
            references: BTreeMap::new(),
            imports: BTreeSet::new(),
            contents: BTreeMap::new(),
            smoke: BTreeMap::new(),
        },
        template: TEMPLATE.to_owned(),
        contents: BTreeMap::new(),
    }
}

/// A stack as it is described, without anything in it.
pub(in crate::engine) fn described(status: &str) -> DeployedStack {
    DeployedStack {
        id: "arn".into(),
        status: StackStatus::new(status),
        reason: None,
        changed: Some(SystemTime::UNIX_EPOCH),
        parameters: BTreeMap::new(),
        tags: BTreeMap::new(),
        outputs: BTreeMap::new(),
        exports: BTreeMap::new(),
        termination_protection: false,
        express: false,
        removed: None,
    }
}

/// What happened to a queue of a stack.
pub(in crate::engine) fn event(logical_id: &str, physical_id: &str, status: &str) -> ResourceEvent {
    ResourceEvent {
        stack: "a-dev".to_owned(),
        logical_id: logical_id.to_owned(),
        resource_type: "AWS::SQS::Queue".to_owned(),
        physical_id: Some(physical_id.to_owned()),
        status: status.to_owned(),
        reason: None,
        time: String::new(),
        source: None,
    }
}

/// A deployment of one stack.
pub(super) fn one(stack: StackDeployment) -> Deployment {
    Deployment {
        stage: "dev".to_owned(),
        stacks: vec![stack],
        ..Deployment::default()
    }
}
