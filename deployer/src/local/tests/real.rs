//! The real engine: installed once into the cache of all tests, started on free ports with a state of its own.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::variables;
use crate::engine::Cancel;
use crate::local::error::{PortHolder, StartError};
use crate::local::health::{self, Answer};
use crate::local::process::{self, Signal};
use crate::local::{
    ENGINE_VERSION, Lifetime, LocalEngine, LocalEvent, Port, REQUIREMENTS, Settings, Stopped,
};

struct Workspace {
    directory: TempDir,
    events: Arc<Mutex<Vec<LocalEvent>>>,
}

impl Workspace {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
            events: Arc::default(),
        }
    }

    fn engine(&self, port: Port) -> LocalEngine {
        let settings = Settings::new(self.directory.path(), None, variables()).unwrap();
        let settings = Settings {
            port,
            lifetime: Lifetime::OfProcess,
            ..settings
        };
        let events = Arc::clone(&self.events);
        LocalEngine::new(settings).with_events(move |event| events.lock().unwrap().push(event))
    }

    fn local(&self) -> PathBuf {
        self.directory.path().join("local")
    }

    fn pid(&self) -> u32 {
        self.engine(Port::Any)
            .state()
            .running()
            .unwrap()
            .unwrap()
            .pid
            .unwrap()
    }

    fn take_events(&self) -> Vec<LocalEvent> {
        std::mem::take(&mut self.events.lock().unwrap())
    }
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !done() {
        assert!(Instant::now() < deadline, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

/// Many engines start at once where many tests run.
#[tokio::test]
async fn a_port_that_somebody_takes_meanwhile_is_left_to_them() {
    let workspace = Workspace::new();
    let taken = Arc::new(Mutex::new(Vec::new()));
    let holding = Arc::clone(&taken);
    let engine = workspace.engine(Port::Any).with_events(move |event| {
        let mut holding = holding.lock().unwrap();
        if let LocalEvent::Starting { port } = event
            && holding.is_empty()
        {
            holding.push(TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap());
        }
    });
    let endpoint = engine.ensure_started().await.unwrap();
    let other = taken.lock().unwrap()[0].local_addr().unwrap().port();
    assert_ne!(endpoint.url, format!("http://127.0.0.1:{other}"));
    engine.stop().await.unwrap();
}

#[tokio::test]
async fn an_engine_lives_is_joined_and_saves_its_state() {
    let workspace = Workspace::new();
    let engine = workspace.engine(Port::Any);
    let endpoint = engine.ensure_started().await.unwrap();
    assert!(matches!(
        workspace.take_events().as_slice(),
        [.., LocalEvent::Starting { .. }, LocalEvent::Started { .. }]
    ));

    let Answer::Engine(health) = health::ask(endpoint.port) else {
        panic!("no engine on {}", endpoint.url)
    };
    assert_eq!(health.version, ENGINE_VERSION);
    let status = engine.status().await.unwrap();
    assert_eq!(
        (status.running, status.endpoint.as_deref()),
        (true, Some(endpoint.url.as_str()))
    );

    assert_eq!(engine.ensure_started().await.unwrap(), endpoint);
    assert_eq!(
        workspace.take_events(),
        [LocalEvent::Joined {
            url: endpoint.url.clone()
        }]
    );

    let elsewhere = workspace.engine(Port::Fixed(endpoint.port.wrapping_add(1).max(1024)));
    let error = elsewhere.ensure_started().await.unwrap_err();
    assert!(
        matches!(error, StartError::RunningElsewhere { .. }),
        "{error:?}"
    );

    let other = Workspace::new();
    let error = other
        .engine(Port::Fixed(endpoint.port))
        .ensure_started()
        .await
        .unwrap_err();
    let expected = PortHolder::Engine {
        version: ENGINE_VERSION.to_owned(),
    };
    assert!(
        matches!(&error, StartError::PortTaken { holder, .. } if *holder == expected),
        "{error:?}"
    );

    let local = workspace.local();
    for directory in ["", "state", "s3", "tmp"] {
        assert_eq!(mode(&local.join(directory)), 0o700, "{directory}");
    }
    for file in ["engine.log", "engine.json", "engine.lock", "start.lock"] {
        assert_eq!(mode(&local.join(file)), 0o600, "{file}");
    }

    assert_eq!(engine.stop().await.unwrap(), Stopped::Saved);
    assert_eq!(workspace.take_events(), [LocalEvent::Stopping]);
    assert!(!engine.status().await.unwrap().running);
    assert_eq!(engine.stop().await.unwrap(), Stopped::NotRunning);

    engine.ensure_started().await.unwrap();
    assert!(!workspace.take_events().contains(&LocalEvent::StateLost));
    assert_eq!(engine.reset().await.unwrap(), Stopped::Saved);
    assert!(!local.join("state").exists() && !local.join("s3").exists());
}

#[tokio::test]
async fn two_starts_at_once_yield_one_engine() {
    let workspace = Workspace::new();
    let (one, two) = (workspace.engine(Port::Any), workspace.engine(Port::Any));
    let (one, two) = tokio::join!(one.ensure_started(), two.ensure_started());
    assert_eq!(one.unwrap(), two.unwrap());
    let events = workspace.take_events();
    let count =
        |wanted: fn(&LocalEvent) -> bool| events.iter().filter(|event| wanted(event)).count();
    assert_eq!(
        count(|event| matches!(event, LocalEvent::Started { .. })),
        1,
        "{events:?}"
    );
    assert_eq!(
        count(|event| matches!(event, LocalEvent::Joined { .. })),
        1,
        "{events:?}"
    );
    workspace.engine(Port::Any).stop().await.unwrap();
}

#[tokio::test]
async fn a_killed_engine_is_started_again_and_its_loss_is_told() {
    let workspace = Workspace::new();
    let engine = workspace.engine(Port::Any);
    engine.ensure_started().await.unwrap();
    process::signal(workspace.pid(), Signal::Kill).unwrap();
    wait_until("the end of the engine", || {
        !engine.state().is_alive().unwrap()
    });
    assert!(!engine.status().await.unwrap().running);
    workspace.take_events();
    engine.ensure_started().await.unwrap();
    assert_eq!(
        workspace.take_events().first(),
        Some(&LocalEvent::StateLost)
    );
    assert_eq!(engine.stop().await.unwrap(), Stopped::Saved);
}

#[tokio::test]
async fn an_engine_that_ignores_the_request_to_end_is_killed_and_that_is_told() {
    let workspace = Workspace::new();
    let mut engine = workspace.engine(Port::Any);
    engine.ensure_started().await.unwrap();
    // A stopped process cannot react to SIGTERM, only to SIGKILL.
    let status = std::process::Command::new("kill")
        .args(["-STOP", &workspace.pid().to_string()])
        .status()
        .unwrap();
    assert!(status.success());
    engine.clock = Arc::new(Impatient(Instant::now()));
    workspace.take_events();
    assert_eq!(engine.stop().await.unwrap(), Stopped::Unsaved);
    assert_eq!(
        workspace.take_events(),
        [LocalEvent::Stopping, LocalEvent::Killed]
    );
}

/// Runs sixty times as fast.
struct Impatient(Instant);

impl crate::local::clock::Clock for Impatient {
    fn now(&self) -> Instant {
        self.0 + self.0.elapsed() * 60
    }

    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration / 60);
    }
}

#[tokio::test]
async fn an_engine_of_a_process_ends_with_it() {
    let workspace = Workspace::new();
    let engine = workspace.engine(Port::Any);
    let state = engine.state();
    state.create().unwrap();
    let python = REQUIREMENTS
        .install(&variables(), &Cancel::never(), |_| {})
        .unwrap()
        .python();
    let record = crate::local::state::Record {
        pid: None,
        port: std::net::TcpListener::bind("127.0.0.1:0")
            .unwrap()
            .local_addr()
            .unwrap()
            .port(),
        version: ENGINE_VERSION.to_owned(),
        start_id: "stackctl-test".to_owned(),
    };
    let log = state.open_log().unwrap();
    let program = state.write_program(process::PROGRAM).unwrap();
    let mut child =
        process::spawn(&python, &program, &state, &record, Lifetime::OfProcess, log).unwrap();
    wait_until("the start of the engine", || {
        matches!(health::ask(record.port), Answer::Engine(_))
    });
    // The kernel closes the pipe when the process ends.
    drop(child.stdin.take());
    wait_until("the end of the engine", || !state.is_alive().unwrap());
    child.wait().unwrap();
    assert!(!state.lost_state().unwrap(), "it ends in good order");
}

#[test]
fn the_requirements_pin_the_engine_and_every_hash() {
    let text = REQUIREMENTS.text;
    assert!(
        text.contains(&format!("ministack=={ENGINE_VERSION} ")),
        "the version of the engine"
    );
    let lines: Vec<_> = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'))
        .collect();
    for (index, line) in lines
        .iter()
        .enumerate()
        .filter(|(_, line)| !line.starts_with(' '))
    {
        assert!(
            line.contains("==") && line.ends_with('\\'),
            "{line} is not pinned"
        );
        assert!(
            lines[index + 1].contains("--hash=sha256:"),
            "{line} has no hash"
        );
    }
}
