//! One environment among several: whose lines are whose.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use serde::Serialize;
use serde_json::{Map, Value};

use super::{paint, palette};

/// What a printer knows of the environment it prints for, where there are several.
#[derive(Debug)]
pub(super) struct Within {
    /// Stands before every line for people, as wide as those of the other environments.
    label: String,
    /// Stand in every JSON line.
    fields: Map<String, Value>,
    /// Whether the heading of what goes to standard output was printed.
    headed: AtomicBool,
    /// The documents that wait for those of the other environments.
    documents: Mutex<Vec<Value>>,
}

impl Within {
    pub(super) fn new(label: &str, width: usize, fields: Map<String, Value>) -> Self {
        Self {
            label: format!("{label:width$}"),
            fields,
            headed: AtomicBool::new(false),
            documents: Mutex::default(),
        }
    }

    /// Returns how many columns the label takes.
    pub(super) fn width(&self) -> usize {
        self.label.chars().count() + 1
    }

    /// Writes the label before every line.
    pub(super) fn lines(&self, text: &str) -> String {
        let label = paint(palette::STRONG, &self.label);
        let lines: Vec<String> = text.lines().map(|line| format!("{label} {line}")).collect();
        lines.join("\n")
    }

    /// Returns the heading of what goes to standard output, once.
    pub(super) fn heading(&self) -> Option<String> {
        let headed = self.headed.swap(true, Ordering::Relaxed);
        (!headed).then(|| {
            format!(
                "{}\n",
                paint(palette::STRONG, format_args!("{}:", self.label.trim_end()))
            )
        })
    }

    /// Says in a JSON line which environment it is about.
    pub(super) fn told(&self, value: &impl Serialize) -> serde_json::Result<Value> {
        let mut value = serde_json::to_value(value)?;
        if let Value::Object(entries) = &mut value {
            for (key, field) in &self.fields {
                // A stack in a region of its own says so itself.
                entries.entry(key.clone()).or_insert_with(|| field.clone());
            }
        }
        Ok(value)
    }

    /// Keeps a document until all are there.
    pub(super) fn keep(&self, value: &impl Serialize) -> serde_json::Result<()> {
        let value = serde_json::to_value(value)?;
        self.documents().push(value);
        Ok(())
    }

    /// Returns the documents.
    pub(super) fn taken(&self) -> Vec<Value> {
        std::mem::take(&mut self.documents())
    }

    fn documents(&self) -> std::sync::MutexGuard<'_, Vec<Value>> {
        self.documents
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}
