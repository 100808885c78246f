//! What is left to do once stacks are gone, for a run that comes to it no more.

use std::{collections::BTreeSet, io, path::Path};

use super::{DestroyReport, contents::Contents};
use crate::{
    engine::{Context, Event, notes::Notes},
    scratch,
};

/// Remembers what stacks hold whose removal has begun: in a directory of this machine that nobody else can read, or not
/// at all.
#[derive(Clone, Debug, Default)]
pub struct Memory(Notes);

impl Memory {
    /// Remembers in the state directory.
    #[must_use]
    pub fn in_state(state: &Path) -> Self {
        Self(Notes::in_directory(state.join(scratch::REMOVING)))
    }

    /// Forgets the stacks of a report that are gone and of which nothing is left to do. What they kept has to be told by
    /// now.
    pub fn forget(&self, context: &Context, report: &DestroyReport) -> io::Result<()> {
        for stack in &report.stacks {
            if !stack.outcome.is_good() || stack.left.unfinished {
                continue;
            }
            let context = context.in_region(stack.left.region.as_deref());
            self.0.remove(&context, &stack.stack)?;
        }
        Ok(())
    }

    /// Returns the regions in which stacks of a stage are remembered, whatever their account is.
    pub fn regions(&self, stage: &str) -> BTreeSet<String> {
        let notes = self.0.all().into_iter();
        notes
            .filter(|[_, _, stack]| stack.ends_with(&format!("-{stage}")))
            .map(|[_, region, _]| region)
            .collect()
    }

    /// Returns the stacks of the caller's account whose removal began and was not seen to end: regions and names.
    pub(super) fn begun(&self, context: &Context) -> BTreeSet<(String, String)> {
        let own = &*context.clients.identity().account;
        let notes = self.0.all().into_iter();
        notes
            .filter(|[account, _, _]| account == own)
            .map(|[_, region, stack]| (region, stack))
            .collect()
    }

    /// Writes down what a stack holds, before anything of it goes.
    pub(super) fn remember(
        &self,
        context: &Context,
        stack: &str,
        contents: &Contents,
    ) -> io::Result<()> {
        self.0.write(context, stack, contents)
    }

    /// Returns what was written down of a stack of that name. What cannot be read is told, and kept aside: the removal goes on
    /// with what is known of the stack without it.
    pub(super) fn recall(&self, context: &Context, stack: &str) -> Option<Contents> {
        match self.0.read(context, stack) {
            Ok(contents) => contents,
            Err(unreadable) => {
                context.emit(Event::Warning {
                    stack: stack.to_owned(),
                    message: format!(
                        "what an earlier removal wrote down cannot be read, and {}; what that one did not come to may be left: \
                         {}",
                        unreadable.place, unreadable.error
                    ),
                });
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{
        fs,
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
