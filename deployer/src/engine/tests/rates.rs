//! Forty stacks at once: no API is asked more than it takes, whatever it takes, and all stacks come to their end.

use std::{
    collections::{BTreeMap, VecDeque},
    fmt::Write as _,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, SystemTime},
};

use aws_sdk_cloudformation::config::{
    BehaviorVersion, Credentials, Region,
    retry::{RetryConfig, RetryPartition},
};
use aws_smithy_runtime_api::client::{
    http::{
        HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
    },
    orchestrator::HttpRequest,
};

use super::{
    answers::{self, EventRow, Stack},
    script::{Answer, STACK, Script, http, one, stack},
    simulated::{field, fields},
    virtual_time::VirtualTime,
};
use crate::{
    aws::{Limited, patience},
    engine::{
        CONCURRENCY, Context, Deployment, DestroyRequest, DestroyedStack, Event, Outcome, Pace,
        StackReport, Timing, deploy, destroy,
    },
};

/// How many stacks there are.
const STACKS: usize = 40;

/// The calls of an API that it takes in one second, which is what the tool allows itself.
const USUAL: usize = 10;

/// How long every call takes.
const LATENCY: Duration = Duration::from_millis(80);

/// How long a change set is computed.
const COMPUTED: Duration = Duration::from_secs(3);

/// How often something happens to a resource of a stack.
const STEP: Duration = Duration::from_secs(2);

/// CloudFormation with many stacks, whose operations take their time and whose calls are rationed.
#[derive(Clone, Debug)]
struct Cloud(Arc<Mutex<Inner>>, VirtualTime);

#[derive(Debug)]
struct Inner {
    stacks: BTreeMap<String, Operation>,
    /// The calls of each operation that were let through in the last second.
    recent: BTreeMap<String, VecDeque<SystemTime>>,
    /// How many calls of an operation a second takes.
    allowed: usize,
    calls: Vec<(String, SystemTime)>,
    throttled: usize,
    /// The most operations at once.
    most: usize,
}

/// The last operation on a stack.
#[derive(Clone, Debug)]
struct Operation {
    deletes: bool,
    token: String,
    proposed: SystemTime,
    began: Option<SystemTime>,
    ends: SystemTime,
}

impl Cloud {
    fn new(clock: &VirtualTime, allowed: usize) -> Self {
        let inner = Inner {
            stacks: BTreeMap::new(),
            recent: BTreeMap::new(),
            allowed,
            calls: Vec::new(),
            throttled: 0,
            most: 0,
        };
        Self(Arc::new(Mutex::new(inner)), clock.clone())
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().expect("no holder panics")
    }

    fn context(&self, concurrency: usize) -> Context {
        let connector = SharedHttpConnector::new(self.clone());
        let client = SharedHttpClient::new(http_client_fn(move |_, _| connector.clone()));
        let cloudformation = aws_sdk_cloudformation::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("AKIA", "secret", None, None, "script"))
            .retry_config(RetryConfig::standard().with_max_attempts(6))
            // Of their own, where other tests of this process have retries too.
            .retry_partition(RetryPartition::new(format!("{:p}", Arc::as_ptr(&self.0))))
            .sleep_impl(self.1.clone())
            .stalled_stream_protection(patience())
            .http_client(Limited::new(client, Arc::new(self.1.clone())))
            .build();
        // Nothing but CloudFormation is asked.
        let mut context = Script::new().play().context;
        context.clients.cloudformation = aws_sdk_cloudformation::Client::from_conf(cloudformation);
        context.concurrency = NonZeroUsize::new(concurrency).expect("is not zero");
        context.timing = Arc::new(self.1.clone());
        context.pace = Pace::aws();
        context
    }

    /// Returns the most calls of one operation in any second, and which that is.
    fn busiest(&self) -> (usize, String) {
        let mut by_operation: BTreeMap<String, Vec<SystemTime>> = BTreeMap::new();
        for (operation, time) in &self.inner().calls {
            by_operation
                .entry(operation.clone())
                .or_default()
                .push(*time);
        }
        let busiest = by_operation.into_iter().map(|(operation, times)| {
            let within = |begin: SystemTime| {
                let second = begin..begin + Duration::from_secs(1);
                times.iter().filter(|time| second.contains(*time)).count()
            };
            let most = times.iter().map(|begin| within(*begin)).max();
            (most.unwrap_or_default(), operation)
        });
        busiest.max().expect("there were calls")
    }
}

impl HttpConnector for Cloud {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let cloud = self.clone();
        let body = request.body().bytes().unwrap_or_default();
        let fields = fields(&String::from_utf8_lossy(body));
        let answer = cloud.inner().answer(&fields, cloud.1.now());
        HttpConnectorFuture::new(async move {
            Timing::sleep(&cloud.1, LATENCY).await;
            Ok(http(answers::status_of(&answer), &answer))
        })
    }
}

impl Inner {
    fn answer(&mut self, fields: &BTreeMap<String, String>, now: SystemTime) -> String {
        let action = field(fields, "Action").to_owned();
        self.calls.push((action.clone(), now));
        let recent = self.recent.entry(action.clone()).or_default();
        while recent
            .front()
            .is_some_and(|time| *time + Duration::from_secs(1) <= now)
        {
            recent.pop_front();
        }
        if recent.len() >= self.allowed {
            self.throttled += 1;
            return answers::error("Throttling", "Rate exceeded");
        }
        recent.push_back(now);
        // `arn:..:stack/NAME/ID`, and change sets by `arn:..:changeSet/NAME/ID`.
        let named = ["StackName", "ChangeSetName"].map(|key| field(fields, key));
        let named = named.into_iter().find(|name| !name.is_empty());
        let named = named.unwrap_or_default();
        let name = named.split('/').nth(1).unwrap_or(named).to_owned();
        self.act(&action, &name, fields, now)
            .replace("changeSet/stackctl-x", &format!("changeSet/{name}"))
            .replace("intake-dev", &name)
    }

    fn act(
        &mut self,
        action: &str,
        name: &str,
        fields: &BTreeMap<String, String>,
        now: SystemTime,
    ) -> String {
        match action {
            "DescribeStacks" => match self.stacks.get(name).and_then(|stack| stack.status(now)) {
                Some(status) => Stack::new(status).xml(),
                None => answers::absent(name),
            },
            "CreateChangeSet" => {
                let operation = Operation {
                    deletes: false,
                    token: String::new(),
                    proposed: now,
                    began: None,
                    ends: now,
                };
                self.stacks.insert(name.to_owned(), operation);
                answers::CREATED_CHANGE_SET.to_owned()
            }
            "DescribeChangeSet" => {
                let ready = self.stacks[name].proposed + COMPUTED <= now;
                let status = if ready {
                    "CREATE_COMPLETE"
                } else {
                    "CREATE_IN_PROGRESS"
                };
                answers::change_set(status, "", answers::ADD_ORDERS, None)
            }
            "ExecuteChangeSet" | "DeleteStack" => {
                let steps =
                    5 + u32::try_from(name.len() + self.calls.len() % 20).expect("is small");
                let operation = self.stacks.get_mut(name).expect("it was made");
                operation.deletes = action == "DeleteStack";
                field(fields, "ClientRequestToken").clone_into(&mut operation.token);
                operation.began = Some(now);
                operation.ends = now + STEP * steps;
                let running = |stack: &&Operation| stack.began.is_some() && now < stack.ends;
                let running = self.stacks.values().filter(running).count();
                self.most = self.most.max(running);
                answers::empty(action)
            }
            "DescribeStackEvents" => self.stacks[name].events(now),
            "GetTemplate" => answers::template("{}"),
            "ListStackResources" => answers::resources(&[]),
            "ListChangeSets" => answers::change_sets(&[]),
            other => panic!("{other} of {name} was not expected"),
        }
    }
}

impl Operation {
    fn status(&self, now: SystemTime) -> Option<&'static str> {
        Some(match (self.began, self.deletes, now < self.ends) {
            (None, ..) => "REVIEW_IN_PROGRESS",
            (_, false, true) => "CREATE_IN_PROGRESS",
            (_, false, false) => "CREATE_COMPLETE",
            (_, true, true) => "DELETE_IN_PROGRESS",
            (_, true, false) => return None,
        })
    }

    /// Returns what happened so far, the newest first: one event for each step.
    fn events(&self, now: SystemTime) -> String {
        let (began, word) = match (self.began, self.deletes) {
            (Some(began), true) => (began, "DELETE"),
            (Some(began), false) => (began, "CREATE"),
            (None, _) => return answers::events(&[], "", None),
        };
        let event = |id: u32, logical_id: &str, kind: &str, status: &str| {
            format!(
                "<member><EventId>{word}{id}</EventId><StackId>{}</StackId><StackName>intake-dev</StackName>\
                 <LogicalResourceId>{logical_id}</LogicalResourceId><ResourceType>{kind}</ResourceType>\
                 <Timestamp>2026-07-28T06:00:00.000Z</Timestamp><ResourceStatus>{word}_{status}</ResourceStatus>\
                 <ClientRequestToken>{}</ClientRequestToken></member>",
                answers::STACK_ID,
                self.token
            )
        };
        let mut members = vec![event(
            0,
            "intake-dev",
            "AWS::CloudFormation::Stack",
            "IN_PROGRESS",
        )];
        let (mut time, mut id) = (began + STEP, 1);
        while time <= now.min(self.ends) {
            members.push(event(
                id,
                &format!("Queue{id}"),
                "AWS::SQS::Queue",
                "COMPLETE",
            ));
            (time, id) = (time + STEP, id + 1);
        }
        if self.ends <= now {
            members.push(event(
                id,
                "intake-dev",
                "AWS::CloudFormation::Stack",
                "COMPLETE",
            ));
        }
        let mut body = String::new();
        for member in members.iter().rev() {
            let _ = write!(body, "{member}");
        }
        answers::result(
            "DescribeStackEvents",
            &format!("<StackEvents>{body}</StackEvents>"),
        )
    }
}

/// Deploys stacks and removes them, and returns how long each of both took.
fn run(clock: &VirtualTime, cloud: &Cloud, stacks: usize, concurrency: usize) -> [Duration; 2] {
    let context = cloud.context(concurrency);
    let stacks: Vec<_> = (0..stacks)
        .map(|number| stack(&format!("part{number:02}-dev"), &[]))
        .collect();
    let manifests = stacks.iter().map(|stack| stack.manifest.clone()).collect();
    let deployment = Deployment {
        stage: "dev".to_owned(),
        stacks,
        ..Deployment::default()
    };
    let since = |begin: SystemTime| clock.now().duration_since(begin).expect("time passes");
    let begin = clock.now();
    let report = clock.run(deploy(&context, deployment, Answer::yes()));
    let report = report.unwrap_or_else(|error| panic!("{error}: {:#?}", error.report()));
    let created = |stack: &StackReport| stack.outcome == Outcome::Created;
    assert!(report.stacks.iter().all(created));
    let deployed = since(begin);

    let begin = clock.now();
    let request = DestroyRequest {
        stacks: manifests,
        ..DestroyRequest::default()
    };
    let report = clock.run(destroy(&context, request));
    let report = report.unwrap_or_else(|error| panic!("{error}: {:#?}", error.report()));
    let deleted = |stack: &DestroyedStack| stack.outcome == Outcome::Deleted;
    assert!(report.stacks.iter().all(deleted));
    [deployed, since(begin)]
}

#[test]
fn forty_stacks_at_once_never_ask_more_than_an_api_takes() {
    let clock = VirtualTime::new();
    let cloud = Cloud::new(&clock, USUAL);
    let took = run(&clock, &cloud, STACKS, STACKS);
    let (most, operation) = cloud.busiest();
    assert!(most <= USUAL, "{most} calls of {operation} in a second");
    assert_eq!(cloud.inner().throttled, 0);
    // They wait for their turns, and still not for each other.
    assert!(cloud.inner().most > STACKS / 2, "{}", cloud.inner().most);
    assert!(took.iter().all(|took| took.as_secs() < 180), "{took:?}");
}

#[test]
fn what_others_use_up_slows_the_calls_down_and_stops_nothing() {
    let clock = VirtualTime::new();
    let cloud = Cloud::new(&clock, 2);
    let took = run(&clock, &cloud, STACKS, STACKS);
    let inner = cloud.inner();
    let calls = inner.calls.len();
    assert!(inner.throttled > 0, "it takes less than the tool knows");
    assert!(
        inner.throttled * 4 < calls,
        "{} of {calls} calls were throttled",
        inner.throttled
    );
    assert!(took.iter().all(|took| took.as_secs() < 600), "{took:?}");
}

#[test]
fn as_many_stacks_are_worked_on_at_once_as_were_asked_for() {
    for concurrency in [1, CONCURRENCY.get()] {
        let clock = VirtualTime::new();
        let cloud = Cloud::new(&clock, USUAL);
        run(&clock, &cloud, concurrency + 2, concurrency);
        assert_eq!(cloud.inner().most, concurrency);
    }
}

/// What is asked of all stacks together grows as they do, and not faster: a list that is read again for each of them would.
#[test]
fn each_stack_takes_no_more_calls_among_forty_than_among_ten() {
    let calls = |stacks: usize| {
        let clock = VirtualTime::new();
        let cloud = Cloud::new(&clock, USUAL);
        run(&clock, &cloud, stacks, CONCURRENCY.get());
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (operation, _) in &cloud.inner().calls {
            *counts.entry(operation.clone()).or_default() += 1;
        }
        counts
    };
    let (ten, forty) = (calls(10), calls(STACKS));
    assert_eq!(
        ten.keys().collect::<Vec<_>>(),
        forty.keys().collect::<Vec<_>>()
    );
    for (operation, count) in forty {
        // How often it is asked for news depends on how long all of it takes.
        let limit = match operation.as_str() {
            "DescribeStackEvents" | "DescribeChangeSet" => ten[&operation] * 5,
            _ => ten[&operation] * STACKS / 10,
        };
        assert!(
            count <= limit,
            "{operation}: {count} calls, {} of ten",
            ten[&operation]
        );
    }
}

#[tokio::test]
async fn of_a_long_history_no_more_is_read_than_is_new() {
    const BEFORE: EventRow = ("1", STACK, "UPDATE_COMPLETE", "", "stackctl-earlier");
    const BEGUN: EventRow = ("2", STACK, "UPDATE_IN_PROGRESS", "User Initiated", "*");
    const ENDED: EventRow = ("6", STACK, "UPDATE_COMPLETE", "", "*");
    let page = |id: &'static str| (id, "Orders", "UPDATE_IN_PROGRESS", "", "*");
    // Every page but the last one says that there are older events, and a call that the script lacks fails.
    let played = Script::new()
        .describe(STACK, Stack::new("UPDATE_ROLLBACK_COMPLETE").xml())
        .executing(answers::ADD_ORDERS)
        // Events lag behind, so the newest may be the end of the operation before.
        .events_page(&[BEFORE], None, Some("older"))
        .events_page(&[BEGUN, BEFORE], None, Some("older"))
        .events_page(&[page("5"), page("4")], None, Some("next"))
        .events_page(&[page("3"), BEGUN], Some("next"), Some("older"))
        .events_page(&[ENDED, page("5")], None, Some("older"))
        .events_page(&[ENDED, page("5")], None, Some("older"))
        .describe(answers::STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
        .play();
    let report = deploy(&played.context, one(stack(STACK, &[])), Answer::yes()).await;
    let report = report.unwrap_or_else(|error| panic!("{error}: {:#?}", error.report()));
    assert_eq!(report.stacks[0].outcome, Outcome::Updated);
    let resources = played.finish().into_iter();
    let resources = resources.filter(|event| matches!(event, Event::Resource(_)));
    assert_eq!(resources.count(), 5);
}
