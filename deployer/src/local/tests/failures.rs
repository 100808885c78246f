//! What can go wrong, with an interpreter that is a shell script.

use std::fs::{self, File};
use std::io::Write;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::error::{Error, Kind};
use crate::local::clock::Clock;
use crate::local::error::{PortHolder, StartError, StateError, StopError};
use crate::local::{LocalEngine, LocalEvent, Port, Settings, Stopped};
use crate::toolchain::testing::write_script;
use crate::toolchain::{InstallError, Variables};

/// Stands for Python: `venv` copies the script, `pip` and the engine do what the test says.
struct Scripted {
    directory: TempDir,
    events: Arc<Mutex<Vec<LocalEvent>>>,
}

impl Scripted {
    fn new(pip: &str, engine: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        fs::create_dir(directory.path().join("bin")).unwrap();
        let root = directory.path().display();
        write_script(
            &directory.path().join("bin/python3"),
            &format!(
                "ROOT='{root}'
                 case \"$*\" in
                 '-I -c import os'*) echo \"cpython 3.12.1 venv $0\" ;;
                 '-I -m venv '*) mkdir -p \"$4/bin\" && cp \"$0\" \"$4/bin/python\" ;;
                 '-m pip install '*) echo run >> \"$ROOT/pip-runs\"
                 {pip}
                 ;;
                 *) HOME_OF_ENGINE=$6
                 {engine}
                 ;;
                 esac"
            ),
        );
        Self {
            directory,
            events: Arc::default(),
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn variables(&self) -> Variables {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        Variables::default()
            .with("PATH", path)
            .with("STACKCTL_CACHE_DIR", self.path("cache"))
    }

    fn engine(&self, port: Port) -> LocalEngine {
        self.engine_with(port, self.variables())
    }

    fn engine_with(&self, port: Port, variables: Variables) -> LocalEngine {
        let mut settings = Settings::new(&self.path("state"), None, variables).unwrap();
        settings.port = port;
        let events = Arc::clone(&self.events);
        let mut engine =
            LocalEngine::new(settings).with_events(move |event| events.lock().unwrap().push(event));
        engine.clock = Arc::new(FastClock(Mutex::new(Instant::now())));
        engine
    }

    fn start(&self) -> StartError {
        self.engine(Port::Any).start_blocking().unwrap_err()
    }

    fn pip_runs(&self) -> usize {
        fs::read_to_string(self.path("pip-runs")).map_or(0, |runs| runs.lines().count())
    }

    /// Makes the state directory as an engine of an earlier start left it.
    fn left_behind(&self, pid: u32) -> PathBuf {
        let local = self.path("state/local");
        fs::create_dir_all(&local).unwrap();
        let record = format!(
            "{{\"pid\": {pid}, \"port\": 4577, \"version\": \"1.5.33\", \"start_id\": \"stackctl-1\"}}"
        );
        fs::write(local.join("engine.json"), record).unwrap();
        fs::write(local.join("engine.lock"), "").unwrap();
        local
    }
}

/// Lets time fly: what would take a minute takes half a second.
struct FastClock(Mutex<Instant>);

impl Clock for FastClock {
    fn now(&self) -> Instant {
        *self.0.lock().unwrap()
    }

    fn sleep(&self, duration: Duration) {
        *self.0.lock().unwrap() += duration;
        std::thread::sleep(duration / 100);
    }
}

fn failed_install(error: &StartError) -> &InstallError {
    match error {
        StartError::Install(error) => error,
        other => panic!("{other:?}"),
    }
}

#[test]
fn without_python_the_hint_names_the_variable() {
    let scripted = Scripted::new("", "");
    let variables = scripted.variables().with("PATH", scripted.path("empty"));
    let error = scripted
        .engine_with(Port::Any, variables)
        .start_blocking()
        .unwrap_err();
    let report = Error::from(error);
    assert_eq!(report.kind(), Kind::Local);
    assert_eq!(
        report.to_string(),
        "cannot install the local engine: cannot install the engine without Python: no Python found on PATH"
    );
    assert!(
        report.hints()[0].contains("STACKCTL_PYTHON"),
        "{:?}",
        report.hints()
    );
}

#[test]
fn a_failed_download_shows_what_pip_said_and_is_tried_again() {
    let scripted = Scripted::new(
        "echo 'ERROR: Could not connect to the index' >&2; exit 1",
        "",
    );
    let error = scripted.start();
    assert!(failed_install(&error).hints()[0].contains("PIP_INDEX_URL"));
    let report = Error::from(error);
    assert_eq!(
        report.detail_text(),
        Some("ERROR: Could not connect to the index")
    );
    let left: Vec<_> = fs::read_dir(scripted.path("cache/python"))
        .unwrap()
        .flatten()
        .collect();
    assert!(
        left.iter().all(|entry| entry.path().is_file()),
        "only the lock may be left: {left:?}"
    );
    scripted.start();
    assert_eq!(scripted.pip_runs(), 2);
}

#[test]
fn a_full_disk_and_foreign_files_have_hints_of_their_own() {
    let full = Scripted::new("echo '[Errno 28] No space left on device'; exit 1", "");
    assert!(failed_install(&full.start()).hints()[0].starts_with("free about"));
    let foreign = Scripted::new(
        "echo 'ERROR: THESE PACKAGES DO NOT MATCH THE HASHES'; exit 1",
        "",
    );
    assert!(
        failed_install(&foreign.start()).hints()[0].contains("other files than the pinned ones")
    );
}

#[test]
fn an_unwritable_cache_is_reported_with_its_path() {
    let scripted = Scripted::new("", "");
    fs::write(scripted.path("file"), "").unwrap();
    let variables = scripted
        .variables()
        .with("STACKCTL_CACHE_DIR", scripted.path("file"));
    let error = scripted
        .engine_with(Port::Any, variables)
        .start_blocking()
        .unwrap_err();
    assert!(
        failed_install(&error).to_string().contains("file/python"),
        "{error:?}"
    );
}

#[test]
fn pip_sees_the_users_index_but_no_setting_that_moves_packages() {
    let scripted = Scripted::new("env > \"$ROOT/pip-environment\"", "exit 1");
    let variables = scripted
        .variables()
        .with("PIP_INDEX_URL", "https://mirror.example/simple")
        .with("HTTPS_PROXY", "http://proxy.example")
        .with("PIP_TARGET", "/elsewhere")
        .with("PYTHONPATH", "/elsewhere");
    scripted
        .engine_with(Port::Any, variables)
        .start_blocking()
        .unwrap_err();
    let seen = fs::read_to_string(scripted.path("pip-environment")).unwrap();
    assert!(
        seen.contains("PIP_INDEX_URL=https://mirror.example/simple")
            && seen.contains("HTTPS_PROXY="),
        "{seen}"
    );
    assert!(!seen.contains("/elsewhere"), "{seen}");
}

#[test]
fn an_interrupted_or_orphaned_environment_is_made_again() {
    let scripted = Scripted::new("", "exit 1");
    scripted.start();
    scripted.start();
    assert_eq!(
        scripted.pip_runs(),
        1,
        "a complete environment is used again"
    );
    let environment = fs::read_dir(scripted.path("cache/python"))
        .unwrap()
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.is_dir())
        .unwrap();
    fs::remove_file(environment.join("complete")).unwrap();
    scripted.start();
    assert_eq!(scripted.pip_runs(), 2, "an incomplete one is not");
    // What an upgrade of the system's Python leaves behind.
    fs::remove_file(environment.join("bin/python")).unwrap();
    std::os::unix::fs::symlink("/nowhere/python3.9", environment.join("bin/python")).unwrap();
    scripted.start();
    assert_eq!(scripted.pip_runs(), 3, "nor is one without its interpreter");
}

#[test]
fn an_engine_that_dies_at_once_shows_its_log() {
    let scripted = Scripted::new("", "echo 'Traceback: no such module'; exit 3");
    let error = scripted.start();
    assert!(matches!(error, StartError::Died { .. }), "{error:?}");
    assert!(error.to_string().contains("exit status: 3"), "{error}");
    let report = Error::from(error);
    assert_eq!(report.detail_text(), Some("Traceback: no such module"));
    assert!(report.hints()[0].ends_with("state/local/engine.log"));
}

#[test]
fn an_engine_that_never_answers_is_ended_with_its_functions() {
    let scripted = Scripted::new(
        "",
        "sleep 1000 &
         echo $$ $! > \"$HOME_OF_ENGINE/pids\"
         exec sleep 1000",
    );
    let error = scripted.start();
    assert!(
        matches!(error, StartError::NotReady { seconds: 60, .. }),
        "{error:?}"
    );
    let pids = fs::read_to_string(scripted.path("state/local/pids")).unwrap();
    let deadline = Instant::now() + Duration::from_secs(10);
    for pid in pids.split_whitespace() {
        while is_running(pid) {
            assert!(Instant::now() < deadline, "process {pid} is still there");
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A process that has ended, but that its adoptive parent has not waited for yet, does not run.
fn is_running(pid: &str) -> bool {
    let output = Command::new("ps")
        .args(["-o", "stat=", "-p", pid])
        .output()
        .unwrap();
    let state = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

#[test]
fn the_engine_gets_nothing_of_the_users_environment() {
    let scripted = Scripted::new("", "env > \"$HOME_OF_ENGINE/environment\"; exit 1");
    // The environment of this test holds what Cargo set, and variables of the settings hold this.
    assert!(std::env::var_os("CARGO_MANIFEST_DIR").is_some());
    let variables = scripted.variables().with("AWS_SECRET_ACCESS_KEY", "secret");
    scripted
        .engine_with(Port::Any, variables)
        .start_blocking()
        .unwrap_err();
    let seen = fs::read_to_string(scripted.path("state/local/environment")).unwrap();
    let of_shell = ["PWD", "OLDPWD", "SHLVL", "_"];
    let names: Vec<_> = seen
        .lines()
        .filter_map(|line| line.split_once('=').map(|(name, _)| name))
        .filter(|name| !of_shell.contains(name))
        .collect();
    let mut sorted = names.clone();
    sorted.sort_unstable();
    assert_eq!(
        sorted,
        [
            "AUTH",
            "AWS_ENDPOINT_URL",
            "BIND_HOST",
            "DOCKER_HOST",
            "GATEWAY_PORT",
            "HOME",
            "IOT_MTLS_ENABLED",
            "MINISTACK_EDITION",
            "PATH",
            "PERSIST_STATE",
            "S3_DATA_DIR",
            "S3_PERSIST",
            "STATE_DIR",
            "TMPDIR",
        ]
    );
    for expected in [
        "BIND_HOST=127.0.0.1",
        "AUTH=true",
        "IOT_MTLS_ENABLED=0",
        "PERSIST_STATE=1",
        "S3_PERSIST=1",
        "PATH=/usr/local/bin:/usr/bin:/bin",
    ] {
        assert!(
            seen.lines().any(|line| line == expected),
            "{expected} in {seen}"
        );
    }
}

#[test]
fn a_taken_port_is_named() {
    let scripted = Scripted::new("", "exit 1");
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let mut stream = stream;
            let _ = stream.write_all(b"SSH-2.0-OpenSSH\r\n");
        }
    });
    let error = scripted
        .engine(Port::Fixed(port))
        .start_blocking()
        .unwrap_err();
    assert!(
        matches!(
            error,
            StartError::PortTaken {
                holder: PortHolder::Unknown,
                ..
            }
        ),
        "{error:?}"
    );
    let report = Error::from(error);
    assert_eq!(
        report.to_string(),
        format!("port {port} is taken by another program")
    );
    assert!(report.hints()[0].contains("--port 0"));
}

#[test]
fn a_process_that_inherited_the_id_of_a_dead_engine_is_left_alone() {
    let scripted = Scripted::new("", "exit 1");
    scripted.left_behind(std::process::id());
    assert_eq!(
        scripted.engine(Port::Any).stop_blocking().unwrap(),
        Stopped::NotRunning
    );
    assert!(
        !scripted
            .engine(Port::Any)
            .status_blocking()
            .unwrap()
            .running
    );
}

#[test]
fn a_running_engine_whose_process_is_elsewhere_is_not_signalled() {
    let scripted = Scripted::new("", "exit 1");
    let mut bystander = Command::new("sleep").arg("1000").spawn().unwrap();
    let local = scripted.left_behind(bystander.id());
    let lock = File::open(local.join("engine.lock")).unwrap();
    lock.lock().unwrap();
    let error = scripted.engine(Port::Any).stop_blocking().unwrap_err();
    assert!(
        matches!(error, StopError::NotOurProcess { .. }),
        "{error:?}"
    );
    assert!(
        bystander.try_wait().unwrap().is_none(),
        "the bystander was ended"
    );
    bystander.kill().unwrap();
    bystander.wait().unwrap();
}

#[test]
fn a_running_engine_without_a_record_is_an_error() {
    let scripted = Scripted::new("", "exit 1");
    let local = scripted.left_behind(1);
    fs::write(local.join("engine.json"), "{half").unwrap();
    let lock = File::open(local.join("engine.lock")).unwrap();
    lock.lock().unwrap();
    let error = scripted.engine(Port::Any).start_blocking().unwrap_err();
    assert!(
        matches!(error, StartError::State(StateError::NoRecord { .. })),
        "{error:?}"
    );
}

#[test]
fn lost_state_is_told_unless_it_was_saved() {
    let scripted = Scripted::new("", "exit 1");
    let told_with = |saved: Option<&str>| {
        let local = scripted.left_behind(1);
        let file = local.join("saved.json");
        match saved {
            Some(start_id) => {
                fs::write(file, format!("{{\"start_id\": \"{start_id}\"}}")).unwrap();
            }
            None => assert!(!file.exists()),
        }
        scripted.start();
        std::mem::take(&mut *scripted.events.lock().unwrap()).contains(&LocalEvent::StateLost)
    };
    assert!(told_with(None));
    assert!(
        told_with(Some("stackctl-0")),
        "an earlier start saved, the last one did not"
    );
    assert!(!told_with(Some("stackctl-1")));
}

#[test]
fn two_installations_at_once_run_pip_once() {
    let scripted = Scripted::new("sleep 0.3", "exit 1");
    std::thread::scope(|scope| {
        for name in ["one", "two"] {
            let variables = scripted.variables();
            let settings = Settings::new(&scripted.path(name), None, variables).unwrap();
            scope.spawn(move || {
                let engine = LocalEngine::new(Settings {
                    port: Port::Any,
                    ..settings
                });
                engine.start_blocking().unwrap_err()
            });
        }
    });
    assert_eq!(scripted.pip_runs(), 1);
}

#[test]
fn nothing_to_stop_makes_no_directories() {
    let scripted = Scripted::new("", "exit 1");
    let engine = scripted.engine(Port::Any);
    assert_eq!(engine.stop_blocking().unwrap(), Stopped::NotRunning);
    assert_eq!(engine.reset_blocking().unwrap(), Stopped::NotRunning);
    assert!(!scripted.path("state").exists());
    assert!(Path::new(&engine.status_blocking().unwrap().state_dir).ends_with("state/local"));
}

#[test]
fn the_status_has_the_shape_of_the_contract() {
    let scripted = Scripted::new("", "exit 1");
    let status = scripted.engine(Port::Any).status_blocking().unwrap();
    let expected = serde_json::json!({
        "running": false,
        "endpoint": null,
        "version": crate::local::ENGINE_VERSION,
        "state_dir": scripted.path("state/local"),
    });
    assert_eq!(serde_json::to_value(status).unwrap(), expected);
}
