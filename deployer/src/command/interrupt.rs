//! Ctrl-C: once stops between two steps, twice stops at once.

use crate::engine::Cancel;
use crate::error::{Error, Kind};
use crate::ui::Ui;

/// Listens for Ctrl-C and for a request to terminate, from now on.
pub(super) fn listen(ui: &Ui) -> Cancel {
    let (handle, cancel) = Cancel::new();
    let ui = ui.clone();
    tokio::spawn(async move {
        if !signalled().await {
            return;
        }
        handle.cancel();
        ui.line("stopping; press Ctrl-C again to stop at once");
        if signalled().await {
            std::process::exit(i32::from(Kind::Interrupted.exit_code()));
        }
    });
    cancel
}

/// Waits for a signal; returns `false` where none can be received, and the system's own ways apply.
#[cfg(unix)]
async fn signalled() -> bool {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (
        signal(SignalKind::interrupt()),
        signal(SignalKind::terminate()),
    ) else {
        return false;
    };
    tokio::select! {
        received = interrupt.recv() => received.is_some(),
        received = terminate.recv() => received.is_some(),
    }
}

#[cfg(not(unix))]
async fn signalled() -> bool {
    tokio::signal::ctrl_c().await.is_ok()
}

/// Makes the error of a run that was stopped, with what that means for the system.
pub(super) fn error(consequence: &str) -> Error {
    Error::new(Kind::Interrupted, "interrupted").hint(consequence)
}
