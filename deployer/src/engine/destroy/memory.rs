//! What is left to do once stacks are gone, for a run that comes to it no more.

use std::{
    collections::BTreeSet,
    fs, io,
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

use super::{DestroyReport, contents::Contents};
use crate::{
    engine::{Context, Event},
    scratch,
};

/// Remembers what stacks hold whose removal has begun: in a directory of this machine that nobody else can read, or not
/// at all.
#[derive(Clone, Debug, Default)]
pub struct Memory(Option<PathBuf>);

impl Memory {
    /// Remembers in the state directory.
    #[must_use]
    pub fn in_state(state: &Path) -> Self {
        Self(Some(state.join(scratch::REMOVING)))
    }

    /// Forgets the stacks of a report that are gone and of which nothing is left to do. What they kept has to be told by
    /// now.
    pub fn forget(&self, context: &Context, report: &DestroyReport) -> io::Result<()> {
        let Some(directory) = &self.0 else {
            return Ok(());
        };
        for stack in &report.stacks {
            if !stack.outcome.is_good() || stack.left.unfinished {
                continue;
            }
            let context = context.in_region(stack.left.region.as_deref());
            let Some(file) = self.file(&context, &stack.stack) else {
                continue;
            };
            match fs::remove_file(file) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        // It stays where it holds anything.
        let _ = fs::remove_dir(directory);
        Ok(())
    }

    /// Returns the regions in which stacks of a stage are remembered, whatever their account is.
    pub fn regions(&self, stage: &str) -> BTreeSet<String> {
        let files = self.files().into_iter();
        files
            .filter(|[_, _, stack]| stack.ends_with(&format!("-{stage}")))
            .map(|[_, region, _]| region)
            .collect()
    }

    /// Returns the stacks of the caller's account whose removal began and was not seen to end: regions and names.
    pub(super) fn begun(&self, context: &Context) -> BTreeSet<(String, String)> {
        let own = &*context.clients.identity().account;
        let files = self.files().into_iter();
        files
            .filter(|[account, _, _]| account == own)
            .map(|[_, region, stack]| (region, stack))
            .collect()
    }

    /// Returns the account, the region and the stack of every file. Where nobody can list them, none is known: each is still
    /// found by who knows its name.
    fn files(&self) -> Vec<[String; 3]> {
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

    /// Writes down what a stack holds, before anything of it goes.
    pub(super) fn remember(
        &self,
        context: &Context,
        stack: &str,
        contents: &Contents,
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
        serde_json::to_writer(&mut sibling, contents)?;
        sibling.as_file().sync_data()?;
        // Temporary files are private, and so is what becomes of this one.
        sibling.persist(file)?;
        Ok(())
    }

    /// Returns what was written down of a stack of that name. What cannot be read is told, and kept aside: the removal goes on
    /// with what is known of the stack without it.
    pub(super) fn recall(&self, context: &Context, stack: &str) -> Option<Contents> {
        let file = self.file(context, stack)?;
        let contents = match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes).map_err(io::Error::from),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => Err(error),
        };
        let error = match contents {
            Ok(contents) => return Some(contents),
            Err(error) => error,
        };
        let place = match scratch::set_aside(&file) {
            Ok(aside) => format!("is kept in {}", aside.display()),
            Err(_) => format!("stays in {} until this one writes there", file.display()),
        };
        context.emit(Event::Warning {
            stack: stack.to_owned(),
            message: format!(
                "what an earlier removal wrote down cannot be read, and {place}; what that one did not come to may be left: \
                 {error}"
            ),
        });
        None
    }

    fn file(&self, context: &Context, stack: &str) -> Option<PathBuf> {
        let clients = &context.clients;
        let parts = [&*clients.identity().account, clients.region(), stack];
        let plain = |part: &&str| {
            let mut characters = part.chars();
            characters.all(|c| c.is_ascii_alphanumeric() || c == '-')
        };
        let directory = self.0.as_ref().filter(|_| parts.iter().all(plain))?;
        Some(directory.join(format!("{}.json", parts.join("."))))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        os::unix::fs::PermissionsExt as _,
        sync::{Arc, Mutex},
    };

    use super::*;
    use crate::engine::{DestroyedStack, EventSink, Left, Outcome, tests::Script};

    fn report(outcome: Outcome, unfinished: bool) -> DestroyReport {
        DestroyReport {
            stacks: vec![DestroyedStack {
                stack: "orders-dev".to_owned(),
                outcome,
                failure: None,
                retained: std::collections::BTreeMap::new(),
                left: Left {
                    unfinished,
                    ..Left::default()
                },
            }],
        }
    }

    #[test]
    fn what_is_remembered_is_private_and_goes_when_it_is_done() {
        let state = tempfile::tempdir().expect("a directory");
        let context = Script::new().play().context;
        let memory = Memory::in_state(state.path());
        assert_eq!(memory.recall(&context, "orders-dev"), None);
        let contents = Contents {
            stack_id: "arn:aws:cloudformation:eu-central-1:123456789012:stack/orders-dev/1".into(),
            ..Contents::default()
        };
        let write = || memory.remember(&context, "orders-dev", &contents);
        write().expect("it can be written");
        let directory = state.path().join("removing");
        let file = directory.join("123456789012.eu-central-1.orders-dev.json");
        let mode = |path: &Path| {
            let file = fs::metadata(path).expect("is there");
            file.permissions().mode() & 0o777
        };
        assert_eq!((mode(&directory), mode(&file)), (0o700, 0o600));
        // What was kept aside, and what a killed run left half written, is no stack.
        for other in [
            "123456789012.eu-central-1.web-dev.unreadable",
            ".stackctl-1",
        ] {
            fs::write(directory.join(other), "").expect("it can be written");
        }
        let other = "999999999999.eu-west-1.late-dev.json";
        fs::write(directory.join(other), "").expect("it can be written");
        let begun = memory.begun(&context);
        let own = ("eu-central-1".to_owned(), "orders-dev".to_owned());
        assert_eq!(begun, BTreeSet::from([own]));
        let regions = Vec::from_iter(memory.regions("dev"));
        assert_eq!(regions, ["eu-central-1", "eu-west-1"]);
        assert!(memory.regions("prod").is_empty());
        for entry in fs::read_dir(&directory).expect("is there").flatten() {
            if entry.path() != file {
                fs::remove_file(entry.path()).expect("it goes");
            }
        }
        assert_eq!(
            memory.recall(&context, "orders-dev"),
            Some(contents.clone())
        );
        for (outcome, unfinished) in [(Outcome::Failed, false), (Outcome::Deleted, true)] {
            let report = report(outcome, unfinished);
            memory.forget(&context, &report).expect("nothing goes");
            assert!(file.exists(), "{outcome:?}");
        }
        let done = report(Outcome::Deleted, false);
        memory.forget(&context, &done).expect("it goes");
        assert!(!directory.exists());
        memory.forget(&context, &done).expect("twice is fine");
    }

    #[test]
    fn what_cannot_be_read_is_told_and_kept_aside() {
        let state = tempfile::tempdir().expect("a directory");
        let told = Arc::new(Mutex::new(Vec::new()));
        let events = {
            let told = Arc::clone(&told);
            EventSink::new(move |event| told.lock().expect("no holder panics").push(event))
        };
        let context = &Context {
            events,
            ..Script::new().play().context
        };
        let memory = Memory::in_state(state.path());
        let contents = Contents::default();
        memory
            .remember(context, "orders-dev", &contents)
            .expect("it can be written");
        let directory = state.path().join("removing");
        let name = "123456789012.eu-central-1.orders-dev";
        let file = directory.join(format!("{name}.json"));
        fs::write(&file, "{").expect("it can be written");
        assert_eq!(memory.recall(context, "orders-dev"), None);
        let aside = directory.join(format!("{name}.unreadable"));
        assert_eq!(fs::read_to_string(&aside).expect("is there"), "{");
        assert!(!file.exists());
        let told = told.lock().expect("no holder panics");
        let [Event::Warning { stack, message }] = told.as_slice() else {
            panic!("one warning, not {told:?}");
        };
        assert_eq!(stack, "orders-dev");
        let place = format!("is kept in {}", aside.display());
        assert!(message.contains(&place), "{message}");
    }

    #[test]
    fn a_name_never_leads_out_of_the_directory() {
        let state = tempfile::tempdir().expect("a directory");
        let context = Script::new().play().context;
        let memory = Memory::in_state(&state.path().join("state"));
        let contents = Contents::default();
        memory
            .remember(&context, "../../orders", &contents)
            .expect("nothing is written");
        assert_eq!(memory.recall(&context, "../../orders"), None);
        assert!(!state.path().join("state").exists());
    }
}
