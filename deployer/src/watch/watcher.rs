//! Waits until files have changed and stay as they are.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::scan::{Scope, Snapshot, difference};

/// How long to wait between two looks while nothing happens.
const LOOK: Duration = Duration::from_millis(300);

/// How long nothing may change before a change is worked on: an editor that saves several files, and a version control
/// system that changes many, take a moment.
const SETTLE: Duration = Duration::from_millis(100);

/// How many times longer to wait than a look took: one part in twenty of a processor is what looks may take.
const REST: u32 = 20;

/// Watches files.
#[derive(Debug, Default)]
pub(crate) struct Watcher {
    scope: Scope,
    seen: Snapshot,
}

impl Watcher {
    /// Watches these files from now on. One that was watched before keeps what was seen of it, so that no change is lost.
    pub(crate) async fn watch(&mut self, scope: Scope) {
        if scope == self.scope {
            return;
        }
        let (now, _) = look(&scope).await;
        self.seen.retain(|path, _| scope.covers(path));
        let before = std::mem::replace(&mut self.scope, scope);
        // A file that is watched for the first time has not changed.
        let first = now.into_iter().filter(|(path, _)| !before.covers(path));
        self.seen.extend(first);
    }

    /// Returns how many files there are.
    pub(crate) fn files(&self) -> usize {
        self.seen.len()
    }

    /// Waits until files have changed since the last answer, or since they are watched, and stay as they are for a
    /// moment. What changes between two calls is told by the second.
    pub(crate) async fn changes(&mut self) -> BTreeSet<PathBuf> {
        let scope = self.scope.clone();
        changes(
            &mut self.seen,
            async || look(&scope).await,
            tokio::time::sleep,
        )
        .await
    }
}

async fn changes<S: Future<Output = ()>>(
    seen: &mut Snapshot,
    mut look: impl AsyncFnMut() -> (Snapshot, Duration),
    mut sleep: impl FnMut(Duration) -> S,
) -> BTreeSet<PathBuf> {
    loop {
        let (mut now, took) = look().await;
        if difference(seen, &now).is_empty() {
            sleep(LOOK.max(took * REST)).await;
            continue;
        }
        loop {
            sleep(SETTLE.max(took)).await;
            let (later, _) = look().await;
            if later == now {
                break;
            }
            now = later;
        }
        // What came and went again is no change.
        let changed = difference(seen, &now);
        *seen = now;
        if !changed.is_empty() {
            return changed;
        }
    }
}

/// Looks at the files without blocking whoever waits, and says how long that took.
async fn look(scope: &Scope) -> (Snapshot, Duration) {
    let scope = scope.clone();
    let began = Instant::now();
    match tokio::task::spawn_blocking(move || scope.look()).await {
        Ok(snapshot) => (snapshot, began.elapsed()),
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::fs;

    use super::*;

    /// Makes what a look at one file sees that was written so many times; none, where it is not there.
    fn state(version: usize) -> Snapshot {
        let directory = tempfile::tempdir().expect("a directory");
        let mut scope = Scope::default();
        let file = directory.path().join("file");
        if version > 0 {
            fs::write(&file, "x".repeat(version)).expect("is written");
        }
        scope.files.insert(file);
        let seen = scope.look().into_values();
        seen.map(|stamp| (PathBuf::from("file"), stamp)).collect()
    }

    /// Answers with these states, one look after the other, and returns how often was slept and how long.
    async fn told(before: usize, looks: &[usize], took: Duration) -> (Vec<Duration>, usize) {
        let states: Vec<Snapshot> = (0..6).map(state).collect();
        let mut seen = states[before].clone();
        let mut looks: VecDeque<usize> = looks.iter().copied().collect();
        let mut slept = Vec::new();
        let changed = changes(
            &mut seen,
            async || {
                let look = looks.pop_front().expect("nobody looks so often");
                (states[look].clone(), took)
            },
            |time| {
                slept.push(time);
                std::future::ready(())
            },
        )
        .await;
        assert_eq!(
            changed.into_iter().collect::<Vec<_>>(),
            [PathBuf::from("file")]
        );
        let last = states.iter().position(|state| *state == seen);
        (slept, last.expect("is a state"))
    }

    #[tokio::test]
    async fn a_change_is_told_when_it_has_settled() {
        let (slept, last) = told(1, &[1, 1, 2, 3, 4, 4], Duration::ZERO).await;
        assert_eq!(slept, [LOOK, LOOK, SETTLE, SETTLE, SETTLE]);
        assert_eq!(
            last, 4,
            "what was seen last is what the next change is one to"
        );
    }

    #[tokio::test]
    async fn what_came_and_went_is_no_change() {
        let (slept, last) = told(0, &[5, 0, 0, 0, 1, 1], Duration::ZERO).await;
        assert_eq!(slept, [SETTLE, SETTLE, LOOK, SETTLE]);
        assert_eq!(last, 1);
    }

    #[tokio::test]
    async fn looks_that_take_long_are_rare() {
        let took = Duration::from_secs(1);
        let (slept, _) = told(1, &[1, 2, 2], took).await;
        assert_eq!(slept, [took * REST, took]);
    }

    /// While a change is worked on nobody waits for the next, which is told afterwards.
    #[tokio::test]
    async fn what_changes_meanwhile_is_told_afterwards() {
        let directory = tempfile::tempdir().expect("a directory");
        let path = |name: &str| directory.path().join(name);
        fs::write(path("a.rs"), "").expect("is written");
        let scope = |folders: &[&str]| Scope {
            sources: folders.iter().map(|folder| path(folder)).collect(),
            root: directory.path().to_owned(),
            ..Scope::default()
        };
        let mut watcher = Watcher::default();
        watcher.watch(scope(&[""])).await;
        assert_eq!(watcher.files(), 1);
        fs::write(path("b.rs"), "").expect("is written");
        assert_eq!(watcher.changes().await, BTreeSet::from([path("b.rs")]));
        fs::write(path("a.rs"), "changed").expect("is written");
        // Other folders are watched after a round; what changed during it is still told.
        let other = tempfile::tempdir().expect("a directory");
        fs::write(other.path().join("new.rs"), "").expect("is written");
        let mut wider = scope(&[""]);
        wider.sources.insert(other.path().to_owned());
        watcher.watch(wider).await;
        assert_eq!(watcher.changes().await, BTreeSet::from([path("a.rs")]));
        // What is no longer watched is not gone.
        watcher.watch(scope(&[""])).await;
        fs::remove_file(path("b.rs")).expect("is removed");
        assert_eq!(watcher.changes().await, BTreeSet::from([path("b.rs")]));
    }
}
