//! Where a command works: AWS, the local engine, or an endpoint of the user's own.

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;

use super::{Session, environments, interrupt};
use crate::aws::{self, ENGINE_ACCOUNT, StaticCredentials, Target};
use crate::config::{Project, Stage, list};
use crate::engine::{Cancel, CancelHandle, Context, EventSink};
use crate::error::{Error, Kind, Result};
use crate::local::{Endpoint, LocalEngine, LocalEvent, Settings};
use crate::repeat::Repeated;
use crate::toolchain::Variables;

/// Where a command works.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// AWS itself.
    Aws,
    /// The engine that this tool manages.
    Engine,
    /// An engine of the user's own on this machine.
    Own(String),
    /// Another endpoint that stands in for AWS.
    Remote(String),
}

impl Place {
    /// Reads the options.
    pub(super) fn of(session: &Session) -> Self {
        match &session.global.endpoint_url {
            Some(url) if is_loopback(url) => Self::Own(url.trim_end_matches('/').to_owned()),
            Some(url) => Self::Remote(url.trim_end_matches('/').to_owned()),
            None if session.global.local => Self::Engine,
            None => Self::Aws,
        }
    }

    /// Returns whether functions run on this machine and nothing that is deployed is worth a question.
    pub(super) fn is_local(&self) -> bool {
        matches!(self, Self::Engine | Self::Own(_))
    }
}

/// Returns whether a URL leads to this machine.
fn is_loopback(url: &str) -> bool {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    let host = if authority.starts_with('[') {
        authority
            .split(']')
            .next()
            .unwrap_or_default()
            .trim_start_matches('[')
    } else {
        authority.split(':').next().unwrap_or_default()
    };
    host == "localhost"
        || host.ends_with(".localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

/// Returns the workspace's engine, which tells the terminal what it does.
pub(super) fn engine(
    session: &Session,
    project: &Project,
    port: Option<u16>,
) -> Result<LocalEngine> {
    let variables = Variables::of_process();
    let settings = Settings::new(&project.state_dir, port, variables)?;
    let ui = session.ui.clone();
    Ok(LocalEngine::new(settings).with_events(move |event| match event {
        LocalEvent::Installing { version, into } => ui.done(
            "install",
            if ui.verbose() > 0 {
                format!("local engine {version}, once, into {into}")
            } else {
                format!("local engine {version}, once per machine")
            },
        ),
        LocalEvent::Starting { .. } => ui.begin("engine", "starting the local engine"),
        LocalEvent::StateLost => ui.warn(
            "the local engine was killed the last time: what it held since it was stopped before is gone, and `deploy` makes it again",
        ),
        LocalEvent::Started { url, version } => {
            ui.done("engine", format!("{version} started on {url}"));
        }
        LocalEvent::Joined { url } => {
            if ui.verbose() > 0 {
                ui.done("engine", format!("running on {url}"));
            }
        }
        LocalEvent::Stopping => ui.done("engine", "saving its state and stopping"),
        LocalEvent::Killed => {
            ui.warn("the local engine did not stop in time and was killed: its state is lost");
        }
    }))
}

/// Makes sure that the engine runs, where the place is the engine.
pub(super) async fn ensure(
    session: &Session,
    project: &Project,
    place: &Place,
) -> Result<Option<Endpoint>> {
    if *place != Place::Engine {
        return Ok(None);
    }
    let task = session.ui.spinner("engine", "starting the local engine");
    let endpoint = start(session, engine(session, project, None)?).await?;
    drop(task);
    Ok(Some(endpoint))
}

/// Starts an engine. A run that is stopped, or that fails elsewhere meanwhile, ends what was begun for it.
pub(super) async fn start(session: &Session, engine: LocalEngine) -> Result<Endpoint> {
    let (stop, cancel) = Cancel::new();
    let stop = StopOnDrop(stop);
    let engine = engine
        .with_cancel(cancel)
        .with_working(session.working.clone());
    let mut started = pin!(engine.ensure_started());
    let result = tokio::select! {
        biased;
        result = &mut started => result,
        () = session.cancel.cancelled() => {
            stop.0.cancel();
            started.await
        }
    };
    result.map_err(|error| {
        let error = Error::from(error);
        if error.kind() == Kind::Interrupted {
            interrupt::error("the local engine was not started, and nothing was changed")
        } else {
            error
        }
    })
}

/// Tells work on another thread to stop when nobody awaits it any more.
struct StopOnDrop(CancelHandle);

impl Drop for StopOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

/// Makes sure that the place can be worked with, and makes its clients.
pub(super) async fn open(
    session: &Session,
    project: &Project,
    stage: &Stage,
    place: &Place,
    events: EventSink,
) -> Result<(Context, Option<Endpoint>)> {
    let endpoint = ensure(session, project, place).await?;
    let context = session
        .guard(connect(session, stage, place, endpoint.as_ref(), events))
        .await??;
    Ok((context.of_app(project.config.workspace.name()), endpoint))
}

/// Makes the clients of the place and checks who is calling.
pub(super) async fn connect(
    session: &Session,
    stage: &Stage,
    place: &Place,
    endpoint: Option<&Endpoint>,
    events: EventSink,
) -> Result<Context> {
    let target = target(stage, place, endpoint);
    // The future of the SDK is large, and every verb would carry it.
    let clients = Box::pin(aws::connect(&target)).await?;
    if let Place::Own(url) = place {
        let key = std::env::var("AWS_ACCESS_KEY_ID").ok();
        refuse_account(url, &clients.identity().account, key.as_deref())?;
    }
    Ok(Context::new(clients, events, session.cancel.clone())
        .with_options(Repeated::of(&session.global)))
}

/// Refuses an address of this machine behind which there is no engine: a tunnel to AWS would lose every guard, as nothing is
/// asked there and no account is compared. An engine with several accounts has each where the access key is the account's
/// number, which no key of AWS is
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-unique-ids>).
fn refuse_account(url: &str, account: &str, access_key_id: Option<&str>) -> Result<()> {
    if account == ENGINE_ACCOUNT || access_key_id == Some(account) {
        return Ok(());
    }
    Err(Error::new(
        Kind::Refused,
        format!("{url} leads to account {account}, and not to an engine, whose account is {ENGINE_ACCOUNT}"),
    )
    .cause("at an address of this machine nothing is asked, and the account of the stage is not compared")
    .hint("name the endpoint by another address of this machine than a loopback one: then it is guarded as AWS is"))
}

/// Returns where the calls go and as whom.
pub(super) fn target(stage: &Stage, place: &Place, endpoint: Option<&Endpoint>) -> Target {
    let region = stage.region.as_str().to_owned();
    match place {
        Place::Aws => Target {
            region,
            profile: stage.profile.clone(),
            account: stage
                .account
                .as_ref()
                .map(|account| account.as_str().to_owned()),
            protected: stage.protected,
            ..Target::default()
        },
        Place::Engine => Target {
            region,
            endpoint_url: endpoint.map(|endpoint| endpoint.url.clone()),
            credentials: endpoint.map(|endpoint| StaticCredentials {
                access_key_id: endpoint.access_key_id.to_owned(),
                secret_access_key: endpoint.secret_access_key.to_owned(),
            }),
            ..Target::default()
        },
        // An engine of the user's own has accounts of its own, and mostly takes any credentials.
        Place::Own(url) => Target {
            region,
            endpoint_url: Some(url.clone()),
            credentials: std::env::var_os("AWS_ACCESS_KEY_ID").is_none().then(|| {
                StaticCredentials {
                    access_key_id: "test".to_owned(),
                    secret_access_key: "test".to_owned(),
                }
            }),
            ..Target::default()
        },
        Place::Remote(url) => Target {
            endpoint_url: Some(url.clone()),
            ..self::target(stage, &Place::Aws, None)
        },
    }
}

/// Refuses to work in several environments of one region on this machine: its engine has one account.
pub(super) fn refuse_several_accounts(place: &Place, chosen: &[&Stage]) -> Result<()> {
    let regions: BTreeSet<&str> = chosen.iter().map(|stage| stage.region.as_str()).collect();
    if !place.is_local() || regions.len() == chosen.len() {
        return Ok(());
    }
    let labels = chosen.iter().map(|stage| environments::label(stage));
    Err(Error::new(
        Kind::Usage,
        "environments of one region are one and the same on this machine",
    )
    .hint(format!(
        "choose among {} with `--region`",
        list(&labels.collect::<Vec<_>>())
    )))
}

/// Returns the base URL at which the APIs of a local place answer.
pub(super) fn api_base(place: &Place, endpoint: Option<&Endpoint>) -> Option<Arc<str>> {
    match place {
        Place::Engine => endpoint.map(|endpoint| endpoint.url.as_str().into()),
        Place::Own(url) => Some(url.as_str().into()),
        Place::Aws | Place::Remote(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_on_this_machine_but_an_engine_goes_without_guards() {
        let url = "http://127.0.0.1:4566";
        assert!(refuse_account(url, ENGINE_ACCOUNT, Some("test")).is_ok());
        let numbered = "100000000001";
        assert!(refuse_account(url, numbered, Some(numbered)).is_ok());
        let error = refuse_account(url, "123456789012", Some("AKIAIOSFODNN7EXAMPLE"))
            .expect_err("is a tunnel");
        assert_eq!(error.kind(), Kind::Refused);
        assert!(error.message().contains("123456789012"));
    }

    #[test]
    fn loopback_is_recognised() {
        for url in [
            "http://127.0.0.1:4566",
            "http://localhost:4566/",
            "http://x.localhost",
            "http://[::1]:1/x",
            "127.0.0.1:80",
        ] {
            assert!(is_loopback(url), "{url}");
        }
        for url in [
            "https://example.com",
            "http://10.0.0.1:4566",
            "http://localhost.example.com",
            "http://[fe80::1]",
        ] {
            assert!(!is_loopback(url), "{url}");
        }
    }
}
