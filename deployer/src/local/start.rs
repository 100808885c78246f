//! Starting an engine, or joining the one that runs.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::Child;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use sha2::{Digest, Sha256};

use super::error::{PortHolder, StartError};
use super::health::{self, Answer};
use super::process::{self, Signal};
use super::state::{Record, StateDir};
use super::{DEFAULT_PORT, ENGINE_VERSION, Endpoint, LocalEngine, LocalEvent, Port, REQUIREMENTS};
use crate::text::hex;

/// An idle machine needs about a second, a loaded one several.
const START_LIMIT: Duration = Duration::from_mins(1);
/// How long a running engine may take to answer before it is called unresponsive.
const JOIN_LIMIT: Duration = Duration::from_secs(15);
const POLL: Duration = Duration::from_millis(20);
/// How many ports are tried where any will do.
const ATTEMPTS: usize = 5;

impl LocalEngine {
    pub(crate) fn start_blocking(&self) -> Result<Endpoint, StartError> {
        let state = self.state();
        state.create()?;
        let _lock = state.lock(&self.cancel)?;
        if let Some(record) = state.running()? {
            return self.join(&record);
        }
        // Installed before anything is decided about ports: it may take a minute.
        let environment = REQUIREMENTS.install(&self.settings.variables, &self.cancel, |into| {
            self.emit(LocalEvent::Installing {
                version: ENGINE_VERSION.to_owned(),
                into: into.display().to_string(),
            });
        })?;
        if self.cancel.is_cancelled() {
            return Err(StartError::Interrupted);
        }
        let mut port = self.choose_port()?;
        if state.lost_state()? {
            self.emit(LocalEvent::StateLost);
        }
        state.clear_temporary()?;
        let mut attempts = 1;
        loop {
            self.emit(LocalEvent::Starting { port });
            match self.launch(&environment.python(), &state, port) {
                // Somebody else took it between the choice and the start.
                Err(StartError::Died { .. })
                    if self.settings.port == Port::Any && attempts < ATTEMPTS && is_taken(port) =>
                {
                    attempts += 1;
                    port = self.choose_port()?;
                }
                ended => return ended,
            }
        }
    }

    fn join(&self, record: &Record) -> Result<Endpoint, StartError> {
        if let Port::Fixed(wanted) = self.settings.port
            && wanted != record.port
        {
            return Err(StartError::RunningElsewhere {
                running: record.port,
                wanted,
            });
        }
        // The one who started it may have been killed before it answered.
        let deadline = self.clock.now() + JOIN_LIMIT;
        while !answers(record) {
            if self.cancel.is_cancelled() {
                return Err(StartError::Interrupted);
            }
            if self.clock.now() >= deadline {
                let pid = record.pid.unwrap_or_default();
                return Err(StartError::Unresponsive {
                    pid,
                    port: record.port,
                });
            }
            self.clock.sleep(POLL);
        }
        let endpoint = Endpoint::at(record.port);
        self.emit(LocalEvent::Joined {
            url: endpoint.url.clone(),
        });
        Ok(endpoint)
    }

    fn choose_port(&self) -> Result<u16, StartError> {
        let port = match self.settings.port {
            Port::Any => {
                let listener =
                    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).map_err(StartError::NoPort)?;
                return Ok(listener.local_addr().map_err(StartError::NoPort)?.port());
            }
            Port::Fixed(port) => port,
            Port::Default => DEFAULT_PORT,
        };
        let taken = |holder| StartError::PortTaken { port, holder };
        // Binding alone does not tell: on some systems it succeeds beside a listener on every interface.
        match health::ask(port) {
            Answer::Engine(health) => {
                return Err(taken(PortHolder::Engine {
                    version: health.version,
                }));
            }
            Answer::Stranger => return Err(taken(PortHolder::Unknown)),
            Answer::Nothing => {}
        }
        match TcpListener::bind((Ipv4Addr::LOCALHOST, port)) {
            Ok(_) => Ok(port),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                Err(taken(PortHolder::Unknown))
            }
            Err(error) => Err(StartError::NoPort(error)),
        }
    }

    fn launch(&self, python: &Path, state: &StateDir, port: u16) -> Result<Endpoint, StartError> {
        let record = Record {
            pid: None,
            port,
            version: ENGINE_VERSION.to_owned(),
            start_id: new_start_id(state),
        };
        let log = state.open_log()?;
        let program = state.write_program(process::PROGRAM)?;
        let mut child = process::spawn(
            python,
            &program,
            state,
            &record,
            self.settings.lifetime,
            log,
        )
        .map_err(|source| StartError::Spawn {
            program: python.to_owned(),
            source,
        })?;
        if let Err(error) = self.wait_until_ready(&mut child, state, &record) {
            // Nothing was kept in it yet, so the next start need not mourn it.
            state.forget(&record.start_id)?;
            return Err(error);
        }
        // Whoever keeps running after this, a test for example, must not keep the engine as a zombie; and must keep
        // the pipe open that an engine of its own lifetime reads from.
        std::thread::spawn(move || {
            let pipe = child.stdin.take();
            let status = child.wait();
            drop(pipe);
            status
        });
        let endpoint = Endpoint::at(port);
        self.emit(LocalEvent::Started {
            url: endpoint.url.clone(),
            version: record.version,
        });
        Ok(endpoint)
    }

    fn wait_until_ready(
        &self,
        child: &mut Child,
        state: &StateDir,
        record: &Record,
    ) -> Result<(), StartError> {
        let deadline = self.clock.now() + START_LIMIT;
        loop {
            let ended = child.try_wait().map_err(|source| StartError::Spawn {
                program: state.log(),
                source,
            })?;
            if let Some(status) = ended {
                return Err(StartError::Died {
                    status: status.to_string(),
                    log_tail: state.log_tail(),
                    log: state.log(),
                });
            }
            if answers(record) {
                return Ok(());
            }
            let cancelled = self.cancel.is_cancelled();
            if cancelled || self.clock.now() >= deadline {
                // It is our own child and has not been waited for, so its id cannot belong to anybody else. Failing to
                // end it changes nothing about the error.
                let _ = process::signal(child.id(), Signal::Kill);
                let _ = child.wait();
                if cancelled {
                    return Err(StartError::Interrupted);
                }
                return Err(StartError::NotReady {
                    seconds: START_LIMIT.as_secs(),
                    log_tail: state.log_tail(),
                    log: state.log(),
                });
            }
            self.clock.sleep(POLL);
        }
    }
}

fn is_taken(port: u16) -> bool {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    bound.is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

/// Tells whether the engine of this very start answers on its port.
fn answers(record: &Record) -> bool {
    matches!(health::ask(record.port), Answer::Engine(health) if health.edition == record.start_id)
}

/// Makes a text that no other start has: it is compared, never sorted or parsed.
fn new_start_id(state: &StateDir) -> String {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let digest = Sha256::new()
        .chain_update(now.as_nanos().to_le_bytes())
        .chain_update(std::process::id().to_le_bytes())
        .chain_update(state.root().as_os_str().as_encoded_bytes())
        .finalize();
    let hash = hex(&digest);
    format!("stackctl-{hash:.24}")
}
