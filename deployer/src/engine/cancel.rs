//! Stops an operation between two steps.

use tokio::sync::watch;

/// Tells an operation to stop; made by [`Cancel::new`].
#[derive(Clone, Debug)]
pub struct CancelHandle(watch::Sender<bool>);

/// Says whether the operation is to stop. Clones observe the same handle.
#[derive(Clone, Debug)]
pub struct Cancel(watch::Receiver<bool>);

impl Cancel {
    /// Makes a handle and what observes it.
    pub fn new() -> (CancelHandle, Self) {
        let (sender, receiver) = watch::channel(false);
        (CancelHandle(sender), Self(receiver))
    }

    /// Makes one that never says so.
    pub fn never() -> Self {
        Self::new().1
    }

    /// Returns whether to stop.
    pub fn is_cancelled(&self) -> bool {
        *self.0.borrow()
    }

    /// Waits until it is time to stop: for ever, where the handle is gone.
    pub async fn cancelled(&self) {
        let mut receiver = self.0.clone();
        if receiver.wait_for(|cancelled| *cancelled).await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}

impl CancelHandle {
    /// Tells every observer to stop. Saying it twice is the same as once.
    pub fn cancel(&self) {
        self.0.send_replace(true);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn observers_see_the_handle() {
        let (handle, cancel) = Cancel::new();
        let observer = cancel.clone();
        assert!(!observer.is_cancelled());
        handle.cancel();
        assert!(observer.is_cancelled());
        observer.cancelled().await;
    }

    #[tokio::test]
    async fn a_lost_handle_never_cancels() {
        let cancel = Cancel::never();
        assert!(!cancel.is_cancelled());
        let waited =
            tokio::time::timeout(std::time::Duration::from_millis(20), cancel.cancelled()).await;
        assert!(waited.is_err());
    }
}
