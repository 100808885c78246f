//! What runs note of stacks for later runs, in files of this machine that nobody else can read.

use std::{
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use serde::{Serialize, de::DeserializeOwned};

use super::Context;
use crate::scratch;

/// Notes of one kind, each of a stack in its account and region; kept in a directory, or not at all.
#[derive(Clone, Debug, Default)]
pub(super) struct Notes {
    directory: Option<PathBuf>,
    /// Where earlier runs kept them, under another name of the same directory.
    earlier: Vec<PathBuf>,
}

/// A note that nobody can read.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) error: io::Error,
    /// Where it is kept aside, or stays until another is written there.
    pub(super) place: String,
}

impl Notes {
    pub(super) fn in_directory(directory: PathBuf) -> Self {
        Self {
            directory: Some(directory),
            earlier: Vec::new(),
        }
    }

    /// Finds what was noted in other directories, too; nothing is written there any more.
    pub(super) fn found_in(mut self, earlier: Vec<PathBuf>) -> Self {
        self.earlier = earlier;
        self
    }

    /// Writes a note of a stack in the region of a context. A name that leads elsewhere gets none.
    pub(super) fn write(
        &self,
        context: &Context,
        stack: &str,
        note: &impl Serialize,
    ) -> io::Result<()> {
        let (Some(directory), Some(name)) = (&self.directory, name(context, stack)) else {
            return Ok(());
        };
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(directory)?;
        let mut sibling = tempfile::Builder::new()
            .prefix(scratch::SIBLING)
            .tempfile_in(directory)?;
        serde_json::to_writer(&mut sibling, note)?;
        sibling.as_file().sync_data()?;
        // Temporary files are private, and so is what becomes of this one.
        sibling.persist(directory.join(name))?;
        Ok(())
    }

    /// Reads what was noted of a stack. What cannot be read is kept aside.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        context: &Context,
        stack: &str,
    ) -> Result<Option<T>, Unreadable> {
        let Some(name) = name(context, stack) else {
            return Ok(None);
        };
        for directory in self.places() {
            let file = directory.join(&name);
            let note = match fs::read(&file) {
                Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => Err(error),
            };
            return note.map(Some).map_err(|error| Unreadable {
                error,
                place: match scratch::set_aside(&file) {
                    Ok(aside) => format!("is kept in {}", aside.display()),
                    Err(_) => format!("stays in {} until this one writes there", file.display()),
                },
            });
        }
        Ok(None)
    }

    /// Removes what was noted of a stack.
    pub(super) fn remove(&self, context: &Context, stack: &str) -> io::Result<()> {
        let Some(name) = name(context, stack) else {
            return Ok(());
        };
        for directory in self.places() {
            match fs::remove_file(directory.join(&name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            // It stays where it holds anything.
            let _ = fs::remove_dir(directory);
        }
        Ok(())
    }

    /// Returns the account, the region and the stack of every note. Where nobody can list them, none is known: each is still
    /// found by who knows its name.
    pub(super) fn all(&self) -> Vec<[String; 3]> {
        let entries = self.places().flat_map(fs::read_dir);
        let names = entries.flatten().flatten();
        names
            .filter_map(|entry| {
                let name = entry.file_name().into_string().ok()?;
                let mut parts = name.strip_suffix(".json")?.split('.').map(str::to_owned);
                let parts = [parts.next()?, parts.next()?, parts.next()?, parts.collect()];
                let [account, region, stack, rest] = parts;
                let is_one = rest.is_empty() && !account.is_empty();
                is_one.then_some([account, region, stack])
            })
            .collect()
    }

    /// Returns where notes may be, the place of new ones first.
    fn places(&self) -> impl Iterator<Item = &Path> {
        let all = self.directory.iter().chain(&self.earlier);
        all.map(PathBuf::as_path)
    }
}

/// Returns the name of the file that holds the note of a stack; nothing, where that leads elsewhere.
fn name(context: &Context, stack: &str) -> Option<String> {
    let clients = &context.clients;
    let parts = [&*clients.identity().account, clients.region(), stack];
    let plain = |part: &&str| {
        let mut characters = part.chars();
        characters.all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    (parts.iter().all(plain)).then(|| format!("{}.json", parts.join(".")))
}
