//! Ctrl-C in every phase: the run ends with 130, says what that means, and the next run finishes the work.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;
use system_tests::proxy::Proxy;
use system_tests::sandbox::{Run, Running, Sandbox};

use crate::fixture::{Fixture, Held};
use crate::told::Told;

const DEPLOY: [&str; 4] = ["deploy", "--stage", "dev", "--local"];

/// A run that is to be stopped, and what had happened to the stacks before it began.
struct Begun<'a> {
    fixture: &'a Fixture,
    before: Told,
    running: Running,
}

impl<'a> Begun<'a> {
    fn spawn(fixture: &'a Fixture, arguments: &[&str]) -> Self {
        Self {
            fixture,
            before: Told::so_far(&fixture.sandbox.account()),
            running: fixture.sandbox.spawn(arguments),
        }
    }

    /// Interrupts the run and lets go of what held it, once it has noticed. What it says of the stacks is what the account says.
    fn interrupt(self, release: impl FnOnce()) -> Run {
        let run = interrupt(self.running, release);
        let contradictions = self
            .before
            .contradictions(&self.fixture.sandbox.account(), &run);
        assert_eq!(contradictions, [""; 0], "{run}");
        run
    }
}

/// Interrupts a run and lets go of what held it, once the run has noticed.
fn interrupt(running: Running, release: impl FnOnce()) -> Run {
    running.interrupt();
    running.says("stopping");
    release();
    let run = running.end_soon();
    assert_eq!(run.code, Some(130), "{run}");
    run
}

/// Runs the deploy again, without anything in its way.
#[track_caller]
fn converges(fixture: &Fixture) {
    fixture.sandbox.succeed(&DEPLOY);
    let status = fixture.status();
    assert!(
        status
            .as_deref()
            .is_some_and(|status| status.ends_with("_COMPLETE")),
        "{status:?}"
    );
    let again = fixture.sandbox.succeed(&DEPLOY);
    assert!(again.stderr.contains("unchanged"), "{again}");
    // No change set is left that nobody will execute.
    let listed = fixture.sandbox.account().query(
        "cloudformation",
        "2010-05-15",
        "ListChangeSets",
        &[("StackName", crate::fixture::STACK)],
    );
    assert!(!listed.contains("<ExecutionStatus>AVAILABLE<"), "{listed}");
    assert!(
        !listed.contains("<ExecutionStatus>UNAVAILABLE<"),
        "{listed}"
    );
}

#[test]
fn the_work_before_the_first_change_can_be_stopped() {
    let fixture = Fixture::new(&serde_json::json!({}));

    let held = fixture.hold_synth();
    let running = Begun::spawn(&fixture, &DEPLOY);
    held.reached();
    // The run does not wait for the stacks binary: it is ended with it.
    let run = running.interrupt(|| {});
    assert!(run.stderr.contains("nothing was changed"), "{run}");
    held.release();
    assert_eq!(fixture.status(), None);

    let held = fixture.hold_build("2");
    let running = Begun::spawn(&fixture, &DEPLOY);
    held.reached();
    let run = running.interrupt(|| {});
    assert!(run.stderr.contains("nothing was changed"), "{run}");
    held.release();
    assert_eq!(fixture.status(), None);

    converges(&fixture);
}

/// A terminal sends its Ctrl-C to the whole process group: the run says the same as if it alone had got it, and not that
/// something it started has failed.
#[test]
fn a_terminal_interrupts_the_whole_group() {
    let fixture = Fixture::new(&serde_json::json!({}));
    let stop = |held: Held| {
        let running = Running::spawn_group(fixture.sandbox.command(&DEPLOY));
        held.reached();
        running.interrupt_group();
        let run = running.end_soon();
        assert_eq!(run.code, Some(130), "{run}");
        assert!(run.stderr.contains("nothing was changed"), "{run}");
        assert!(!run.stderr.contains("failed"), "{run}");
        assert_eq!(fixture.status(), None);
        held.release();
    };
    stop(fixture.hold_synth());
    stop(fixture.hold_build("2"));
    converges(&fixture);
}

/// An engine that the run itself started serves later runs too: the Ctrl-C of a terminal does not reach it.
#[test]
fn an_engine_outlives_the_interrupted_run_that_started_it() {
    let fixture = Fixture::slow();
    let engine = OwnEngine {
        sandbox: &fixture.sandbox,
        state: fixture.sandbox.directory().join("own-state"),
    };
    let running = Running::spawn_group(engine.command(&DEPLOY));
    running.says("Handle");
    let pid = engine.pid();
    running.interrupt_group();
    let run = running.end_soon();
    assert_eq!(run.code, Some(130), "{run}");
    assert!(run.stderr.contains("CREATE_IN_PROGRESS"), "{run}");

    let status = engine.command(&["status", "--stage", "dev", "--local", "--json"]);
    let status = Running::spawn(status).end();
    let stack = &status.json()["stacks"][0];
    assert_eq!(stack["status"], "CREATE_IN_PROGRESS", "{status}");
    assert_eq!(engine.pid(), pid, "{status}");
}

/// An engine that the tool starts for a state directory of its own, and that is stopped with the test.
struct OwnEngine<'a> {
    sandbox: &'a Sandbox,
    state: PathBuf,
}

impl OwnEngine<'_> {
    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.sandbox.command(arguments);
        command.env("STACKCTL_STATE_DIR", &self.state);
        command
    }

    /// Returns the process that runs the engine.
    fn pid(&self) -> Value {
        let record = std::fs::read_to_string(self.state.join("local/engine.json"));
        let record: Value = serde_json::from_str(&record.expect("the engine left a record"))
            .expect("the record is JSON");
        record["pid"].clone()
    }
}

impl Drop for OwnEngine<'_> {
    fn drop(&mut self) {
        // A stop would wait for the deploy. A second panic would hide the first.
        if !std::thread::panicking() || self.state.join("local/engine.json").exists() {
            let pid = self.pid().to_string();
            let killed = Command::new("kill").args(["-KILL", &pid]).status();
            assert!(
                killed.is_ok_and(|status| status.success()) || std::thread::panicking(),
                "the engine was gone"
            );
        }
    }
}

#[test]
fn an_upload_can_be_stopped() {
    stopped_at("PUT /", None);
}

#[test]
fn a_change_set_can_be_stopped() {
    stopped_at("Action=CreateChangeSet", None);
}

/// Stops a run while one call is held.
fn stopped_at(call: &str, status: Option<&str>) {
    let fixture = Fixture::new(&serde_json::json!({}));
    // The artifact bucket has a stack and a change set of its own; it is there when the test begins.
    fixture
        .sandbox
        .succeed(&["bootstrap", "--stage", "dev", "--local"]);
    let proxy = Proxy::start(fixture.sandbox.engine().url());
    let hold = proxy.hold(call);
    let url = proxy.url();
    let running = Begun::spawn(
        &fixture,
        &["deploy", "--stage", "dev", "--endpoint-url", &url],
    );
    hold.reached();
    let run = running.interrupt(|| hold.release());
    assert!(run.stderr.contains("slow-dev"), "{run}");
    assert_eq!(proxy.count("Action=ExecuteChangeSet"), 0, "{run}");
    assert_eq!(fixture.status().as_deref(), status, "{run}");
    converges(&fixture);
}

#[test]
fn an_execution_goes_on_without_the_run_and_the_next_run_joins_it() {
    let fixture = Fixture::slow();
    let running = Begun::spawn(&fixture, &DEPLOY);
    // The handle exists: CloudFormation is busy, and waits for the signal.
    running.running.says("Handle");
    let run = running.interrupt(|| {});
    assert!(run.stderr.contains("CREATE_IN_PROGRESS"), "{run}");
    assert_eq!(fixture.status().as_deref(), Some("CREATE_IN_PROGRESS"));

    let running = fixture.sandbox.spawn(&DEPLOY);
    running.says("CREATE_IN_PROGRESS");
    fixture.signal();
    let run = running.end_soon();
    assert_eq!(run.code, Some(0), "{run}");
    converges(&fixture);
}

#[test]
fn a_destroy_can_be_stopped_before_it_deletes() {
    let fixture = Fixture::new(&serde_json::json!({}));
    fixture.sandbox.succeed(&DEPLOY);
    let proxy = Proxy::start(fixture.sandbox.engine().url());
    let hold = proxy.hold("Action=DescribeStacks");
    let url = proxy.url();
    let destroy = ["destroy", "--stage", "dev", "--endpoint-url", &url];
    let running = Begun::spawn(&fixture, &destroy);
    hold.reached();
    running.interrupt(|| hold.release());
    assert_eq!(proxy.count("Action=DeleteStack"), 0);
    assert_eq!(fixture.status().as_deref(), Some("CREATE_COMPLETE"));
    fixture.sandbox.succeed(&destroy);
    assert_eq!(fixture.status(), None);
}

#[test]
fn a_removal_goes_on_without_the_run_and_the_next_run_joins_it() {
    let fixture = Fixture::slow_to_delete();
    fixture.sandbox.succeed(&DEPLOY);
    let deletion = fixture.hold_delete();
    let destroy = ["destroy", "--stage", "dev", "--local"];
    let running = Begun::spawn(&fixture, &destroy);
    deletion.reached();
    let run = running.interrupt(|| {});
    assert!(
        run.stderr.contains("DELETE_IN_PROGRESS")
            && run.stderr.contains("run the same command again"),
        "{run}"
    );
    assert_eq!(fixture.status().as_deref(), Some("DELETE_IN_PROGRESS"));

    // The next run follows it. A second Ctrl-C does not wait for the answer that it is waiting for.
    let proxy = Proxy::start(fixture.sandbox.engine().url());
    let hold = proxy.hold("Action=DescribeStackEvents");
    let url = proxy.url();
    let running = fixture
        .sandbox
        .spawn(&["destroy", "--stage", "dev", "--endpoint-url", &url]);
    hold.reached();
    running.interrupt();
    running.says("stopping");
    running.interrupt();
    let run = running.end_soon();
    assert_eq!(run.code, Some(130), "{run}");
    assert_eq!(proxy.count("Action=DeleteStack"), 0);
    hold.release();
    assert_eq!(fixture.status().as_deref(), Some("DELETE_IN_PROGRESS"));

    let running = fixture.sandbox.spawn(&destroy);
    running.says("DELETE_IN_PROGRESS");
    deletion.release();
    let run = running.end_soon();
    assert_eq!(run.code, Some(0), "{run}");
    assert_eq!(fixture.status(), None);
    // The function was called, and so it has logged.
    let inventory = fixture.sandbox.account().inventory_of_systems();
    for (kind, names) in inventory {
        assert_eq!(names, [""; 0], "{kind}");
    }
}

/// Whoever began an operation goes on with it; anybody else is told who did, and may wait.
#[test]
fn of_two_callers_one_goes_on_and_the_other_is_told_who_is_at_work() {
    let fixture = Fixture::slow();
    fixture.open_bucket();
    let callers = ["alice", "bob"].map(|name| fixture.caller(name));
    let url = fixture.sandbox.engine().url().to_owned();
    let deploy = |caller: usize, more: &[&str]| {
        let arguments = [&["deploy", "--stage", "dev", "--endpoint-url", &url], more].concat();
        let mut command = fixture.sandbox.command(&arguments);
        let state = fixture
            .sandbox
            .directory()
            .join(format!("state-of-{caller}"));
        command
            .env("STACKCTL_STATE_DIR", state)
            .envs(callers[caller].environment());
        Running::spawn(command)
    };
    let running = deploy(0, &[]);
    running.says("Handle");
    let run = interrupt(running, || {});
    assert!(run.stderr.contains("CREATE_IN_PROGRESS"), "{run}");

    let run = deploy(1, &[]).end();
    assert_eq!(run.code, Some(1), "{run}");
    assert!(
        run.stderr
            .contains("arn:aws:sts::000000000000:assumed-role/alice/tests"),
        "{run}"
    );
    assert_eq!(fixture.status().as_deref(), Some("CREATE_IN_PROGRESS"));

    let waiting = deploy(1, &["--wait"]);
    waiting.says("assumed-role/alice/tests");
    let joined = deploy(0, &[]);
    joined.says("CREATE_IN_PROGRESS");
    fixture.signal();
    for running in [joined, waiting] {
        let run = running.end();
        assert_eq!(run.code, Some(0), "{run}");
    }
    assert_eq!(fixture.status().as_deref(), Some("CREATE_COMPLETE"));
}

#[test]
fn a_second_interrupt_ends_the_run_at_once() {
    let fixture = Fixture::new(&serde_json::json!({}));
    fixture
        .sandbox
        .succeed(&["bootstrap", "--stage", "dev", "--local"]);
    let proxy = Proxy::start(fixture.sandbox.engine().url());
    let hold = proxy.hold("PUT /");
    let url = proxy.url();
    let running = fixture
        .sandbox
        .spawn(&["deploy", "--stage", "dev", "--endpoint-url", &url]);
    hold.reached();
    running.interrupt();
    running.says("stopping");
    running.interrupt();
    // The call is still held: only giving up on it ends the run.
    let run = running.end_soon();
    assert_eq!(run.code, Some(130), "{run}");
    hold.release();
    converges(&fixture);
}
