//! What became of stack sets.

use serde_json::{Map, Value, json};

use crate::command::Session;
use crate::engine::{Explained as _, StackSetError, StackSetReport};
use crate::error::{Error, Kind, Result};

/// What became of the stack sets so far.
#[derive(Default)]
pub(super) struct Reports {
    done: Vec<StackSetReport>,
    failed: Vec<(String, StackSetError)>,
}

impl Reports {
    pub(super) fn take(&mut self, name: &str, result: Result<StackSetReport, StackSetError>) {
        match result {
            Ok(report) => self.done.push(report),
            Err(error) => self.failed.push((name.to_owned(), error)),
        }
    }

    pub(super) fn interrupted(&self) -> bool {
        self.failed
            .iter()
            .any(|(_, error)| error.kind() == Kind::Interrupted)
    }

    pub(super) fn finish(self, session: &Session) -> Result<u8> {
        let mut sets: Vec<Value> = self.done.iter().map(|report| json!(report)).collect();
        sets.extend(self.failed.iter().map(|(name, error)| {
            let operations: Vec<_> = error.operation().into_iter().collect();
            json!({"stack_set": name, "outcome": "failed", "operations": operations})
        }));
        let mut fields = Map::new();
        fields.insert("type".to_owned(), "summary".into());
        fields.insert("stack_sets".to_owned(), sets.into());
        if !session.ui.json() {
            for report in &self.done {
                let word = serde_json::to_value(report.outcome).unwrap_or_default();
                session
                    .ui
                    .done(word.as_str().unwrap_or("done"), &report.stack_set);
            }
        }
        let mut failed = self.failed.into_iter();
        let Some((_, first)) = failed.next() else {
            if session.ui.json() {
                session.ui.json_line(&fields);
            }
            return Ok(0);
        };
        let error = failed.fold(Error::from(first), |error, (_, next)| {
            let next = Error::from(next);
            let error = error.cause(next.message());
            next.causes().iter().cloned().fold(error, Error::cause)
        });
        Err(error.with_fields(fields))
    }
}
