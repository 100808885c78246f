//! Files that are there only while something runs.
//!
//! A thread goes round the directories as fast as it can, opens every file that is new, and keeps it open: what is written to it
//! afterwards is read from it in the end, also where it is gone by then.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// How long the thread leaves the processor to others between two rounds.
const ROUND: Duration = Duration::from_millis(1);

/// A watch over directories that goes on until it is ended.
pub(super) struct Fleeting {
    is_over: Arc<AtomicBool>,
    round: JoinHandle<Kept>,
}

/// The files that came, by the numbers of the system, which no other file gets while they are open.
type Kept = BTreeMap<u64, (PathBuf, File)>;

impl Fleeting {
    /// Begins to watch directories, and whatever is below them.
    pub(super) fn watch(directories: Vec<PathBuf>) -> Self {
        let mut before = BTreeSet::new();
        for directory in &directories {
            each(directory, &mut |path, number| {
                before.insert((path.to_owned(), number));
            });
        }
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        let round = thread::spawn(move || {
            let mut kept = Kept::new();
            loop {
                // Read first: what came until then is seen by one more round.
                let is_last = ends.load(Ordering::Acquire);
                for directory in &directories {
                    each(directory, &mut |path, number| {
                        if !kept.contains_key(&number)
                            && !before.contains(&(path.to_owned(), number))
                            && let Ok(file) = File::open(path)
                            && let Ok(metadata) = file.metadata()
                        {
                            kept.insert(metadata.ino(), (path.to_owned(), file));
                        }
                    });
                }
                if is_last {
                    return kept;
                }
                thread::sleep(ROUND);
            }
        });
        Self { is_over, round }
    }

    /// Ends the watch, and returns every file that came meanwhile, as it was when it was closed.
    pub(super) fn end(self) -> Vec<(PathBuf, Vec<u8>)> {
        self.is_over.store(true, Ordering::Release);
        let kept = self.round.join().expect("the round does not panic");
        kept.into_values()
            .map(|(path, mut file)| {
                let mut bytes = Vec::new();
                file.read_to_end(&mut bytes).expect("it can be read");
                (path, bytes)
            })
            .collect()
    }
}

/// Calls something for each file below a directory. What goes meanwhile is passed over.
fn each(directory: &Path, call: &mut impl FnMut(&Path, u64)) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        let Ok(metadata) = fs::symlink_metadata(&path) else {
            continue;
        };
        if metadata.is_file() {
            call(&path, metadata.ino());
        } else if metadata.is_dir() && !is_of_others(&path) {
            each(&path, call);
        }
    }
}

/// Returns whether a directory is one in which the compiler or the engine works.
fn is_of_others(directory: &Path) -> bool {
    let name = directory.file_name().unwrap_or_default().to_string_lossy();
    let is_of_engine = |kept: &str| directory.ends_with(Path::new("local").join(kept));
    name.starts_with("rustc") || ["state", "s3", "tmp"].into_iter().any(is_of_engine)
}

#[test]
fn what_comes_and_goes_is_read_as_it_was_last() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let file = |name: &str| directory.path().join(name);
    fs::write(file("before"), "old").expect("it can be written");
    let fleeting = Fleeting::watch(vec![directory.path().to_owned()]);
    let deep = file("deep");
    fs::create_dir(&deep).expect("a directory can be made");
    let path = deep.join("gone");
    fs::write(&path, "one").expect("it can be written");
    // It is opened in some round, and nothing but the access to it tells of that.
    system_tests::poll::eventually("a round", system_tests::poll::PATIENCE, || {
        let open = fs::read_dir("/proc/self/fd").expect("it can be listed");
        let mut open = open
            .flatten()
            .filter_map(|it| fs::read_link(it.path()).ok());
        open.any(|it| it == path).then_some(())
    });
    fs::write(&path, "two").expect("it can be written");
    fs::remove_file(&path).expect("it is there");
    assert_eq!(fleeting.end(), [(path, b"two".to_vec())]);
}
