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
pub(super) struct Notes(Option<PathBuf>);

/// A note that nobody can read.
#[derive(Debug)]
pub(super) struct Unreadable {
    pub(super) error: io::Error,
    /// Where it is kept aside, or stays until another is written there.
    pub(super) place: String,
}

impl Notes {
    pub(super) fn in_directory(directory: PathBuf) -> Self {
        Self(Some(directory))
    }

    /// Writes a note of a stack in the region of a context. A name that leads elsewhere gets none.
    pub(super) fn write(
        &self,
        context: &Context,
        stack: &str,
        note: &impl Serialize,
    ) -> io::Result<()> {
        let (Some(directory), Some(file)) = (&self.0, self.file(context, stack)) else {
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
        sibling.persist(file)?;
        Ok(())
    }

    /// Reads what was noted of a stack. What cannot be read is kept aside.
    pub(super) fn read<T: DeserializeOwned>(
        &self,
        context: &Context,
        stack: &str,
    ) -> Result<Option<T>, Unreadable> {
        let Some(file) = self.file(context, stack) else {
            return Ok(None);
        };
        let note = match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => Err(error),
        };
        note.map_err(|error| Unreadable {
            error,
            place: match scratch::set_aside(&file) {
                Ok(aside) => format!("is kept in {}", aside.display()),
                Err(_) => format!("stays in {} until this one writes there", file.display()),
            },
        })
    }

    /// Removes what was noted of a stack.
    pub(super) fn remove(&self, context: &Context, stack: &str) -> io::Result<()> {
        let Some(file) = self.file(context, stack) else {
            return Ok(());
        };
        match fs::remove_file(file) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if let Some(directory) = &self.0 {
            // It stays where it holds anything.
            let _ = fs::remove_dir(directory);
        }
        Ok(())
    }

    /// Returns the account, the region and the stack of every note. Where nobody can list them, none is known: each is still
    /// found by who knows its name.
    pub(super) fn all(&self) -> Vec<[String; 3]> {
        let entries = self
            .0
            .as_ref()
            .and_then(|directory| fs::read_dir(directory).ok());
        let names = entries.into_iter().flatten().flatten();
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

    fn file(&self, context: &Context, stack: &str) -> Option<PathBuf> {
        let clients = &context.clients;
        let parts = [&*clients.identity().account, clients.region(), stack];
        let plain = |part: &&str| {
            let mut characters = part.chars();
            characters.all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        let directory: &Path = self.0.as_deref().filter(|_| parts.iter().all(plain))?;
        Some(directory.join(format!("{}.json", parts.join("."))))
    }
}
