//! Outputs of a stack, and imports of what others export.

use std::panic::Location;

use stack_model_cfn::{Expr, Token, Value};

use super::{OutputData, Stack};
use crate::resource::source_text;

impl Stack<'_> {
    /// Adds an output; the returned builder describes or exports it.
    #[track_caller]
    pub fn output(&mut self, key: &str, value: impl Into<Expr>) -> OutputBuilder<'_> {
        let output = OutputData {
            value: value.into(),
            description: None,
            export: None,
            example: None,
            links: false,
            source: source_text(Location::caller()),
        };
        if self.data_ref().outputs.contains_key(key) {
            self.violate(
                self.violation(format!("the output `{key}` is declared twice"))
                    .of(key)
                    .declared(&output.source),
            );
        }
        let entry = self.data().outputs.entry(key.to_owned());
        OutputBuilder {
            output: entry.insert_entry(output).into_mut(),
        }
    }

    /// Reads an export that another app or tool defines.
    ///
    /// Between stacks of one app no import is written: using a handle is enough.
    pub fn import(&self, export: impl Into<Value<String>>) -> Value<String> {
        Value::Token(Token::ImportValue(Box::new(export.into().into())))
    }
}

/// Describes an output that was just added.
#[derive(Debug)]
pub struct OutputBuilder<'stack> {
    output: &'stack mut OutputData,
}

impl OutputBuilder<'_> {
    /// Says what the value is for, in at most 1,024 bytes.
    pub fn description(&mut self, description: impl Into<String>) -> &mut Self {
        self.output.description = Some(description.into());
        self
    }

    /// Exports the value under a name that is unique in the account and region. Tokens of the same value in other
    /// stacks of the app import it by this name.
    pub fn export(&mut self, name: impl Into<String>) -> &mut Self {
        self.output.export = Some(name.into());
        self
    }

    /// Gives a command that tries the output out, printed after a deploy; `{value}` stands for the value.
    pub fn example(&mut self, command: impl Into<String>) -> &mut Self {
        self.output.example = Some(command.into());
        self
    }
}
