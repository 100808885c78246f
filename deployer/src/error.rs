//! The one error type of the command line: a kind, causes and hints.
//!
//! Modules report errors of their own; a command turns them into this type, which knows how it ends the
//! process. It is rendered by [`crate::ui`]: for people on standard error, and under `--json` as one document
//! on standard output.

use std::fmt;

use serde::Serialize;

use crate::repeat::Repeated;

/// What went wrong, as far as a script has to tell errors apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The command line is wrong: an unknown option, verb or stack.
    Usage,
    /// `stackctl.toml`, the workspace, or the account and region it leads to are wrong.
    Configuration,
    /// Something did not compile.
    Build,
    /// The stacks package ran and did not produce an assembly.
    Synth,
    /// The assembly is not what its manifest says.
    Assembly,
    /// There are no valid AWS credentials.
    Credentials,
    /// AWS refused a call or did not answer.
    Aws,
    /// A stack could not be brought to the state it should have.
    Deploy,
    /// A safety rule needs a consent that was not given.
    Refused,
    /// Another run holds the stage.
    Locked,
    /// The local engine could not be installed, started or stopped.
    Local,
    /// A build tool is missing or too old.
    Toolchain,
    /// A file could not be read or written.
    Io,
    /// The person at the keyboard stopped the run.
    Interrupted,
}

/// Every kind, its name under `--json`, its exit code, and what it means. The documentation of the exit codes is
/// made from this table.
pub const KINDS: &[(Kind, &str, u8, &str)] = &[
    (Kind::Usage, "usage", 2, "the command line is wrong"),
    (
        Kind::Configuration,
        "configuration",
        2,
        "stackctl.toml, the workspace or the account is wrong",
    ),
    (Kind::Build, "build", 1, "the code does not compile"),
    (
        Kind::Synth,
        "synth",
        1,
        "the stacks package did not produce an assembly",
    ),
    (
        Kind::Assembly,
        "assembly",
        1,
        "the assembly contradicts its manifest",
    ),
    (
        Kind::Credentials,
        "credentials",
        1,
        "there are no valid AWS credentials",
    ),
    (Kind::Aws, "aws", 1, "AWS refused a call or did not answer"),
    (Kind::Deploy, "deploy", 1, "a stack failed"),
    (
        Kind::Refused,
        "refused",
        4,
        "a safety rule needs a consent that was not given",
    ),
    (Kind::Locked, "locked", 1, "another run holds the stage"),
    (Kind::Local, "local", 1, "the local engine failed"),
    (
        Kind::Toolchain,
        "toolchain",
        1,
        "a build tool is missing or too old",
    ),
    (Kind::Io, "io", 1, "a file could not be read or written"),
    (Kind::Interrupted, "interrupted", 130, "the run was stopped"),
];

/// The exit code of `diff --exit-code` when there are changes.
pub const EXIT_CHANGES: u8 = 3;

/// The exit code of `diff --change-set` where CloudFormation refuses what would change: it would fail.
pub const EXIT_FAILED: u8 = 1;

impl Kind {
    /// Returns the exit code that ends the process.
    pub fn exit_code(self) -> u8 {
        self.row().2
    }

    /// Returns the name that `--json` prints.
    pub fn name(self) -> &'static str {
        self.row().1
    }

    fn row(self) -> &'static (Kind, &'static str, u8, &'static str) {
        KINDS
            .iter()
            .find(|row| row.0 == self)
            .expect("a test checks that the table holds every kind")
    }
}

/// An error as a person and a script see it.
///
/// The contents are boxed: results are passed through many hands, errors rarely.
#[derive(Clone, Debug)]
pub struct Error(Box<Contents>);

#[derive(Clone, Debug)]
struct Contents {
    kind: Kind,
    message: String,
    causes: Vec<String>,
    hints: Vec<String>,
    detail: Option<String>,
    /// Whether the detail says all that the causes do, and more.
    told: bool,
    fields: serde_json::Map<String, serde_json::Value>,
}

/// The result of a command or one of its steps.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// Makes an error of a kind with a message: a fragment without a full stop.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Self(Box::new(Contents {
            kind,
            message: message.into(),
            causes: Vec::new(),
            hints: Vec::new(),
            detail: None,
            told: false,
            fields: serde_json::Map::new(),
        }))
    }

    /// Makes an error whose message and causes are those of another error and its sources.
    pub fn from_source(kind: Kind, source: &dyn std::error::Error) -> Self {
        let mut error = Self::new(kind, source.to_string());
        error.add_chain(source.source());
        error
    }

    /// Adds an error and its sources as causes.
    #[must_use]
    pub fn caused_by(mut self, source: &dyn std::error::Error) -> Self {
        self.add_chain(Some(source));
        self
    }

    /// Adds one cause.
    #[must_use]
    pub fn cause(mut self, cause: impl Into<String>) -> Self {
        self.0.causes.push(cause.into());
        self
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hints.push(hint.into());
        self
    }

    /// Adds text that is shown as it is above the error, such as the diagnostics of the compiler.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        self.0.detail = (!detail.trim().is_empty()).then_some(detail);
        self
    }

    /// Adds text that is shown as it is in place of the causes, because it says them at length.
    #[must_use]
    pub fn told(mut self, detail: impl Into<String>) -> Self {
        self = self.detail(detail);
        self.0.told = self.0.detail.is_some();
        self
    }

    /// Returns the causes that the detail does not tell.
    pub fn untold_causes(&self) -> &[String] {
        if self.0.told { &[] } else { &self.0.causes }
    }

    /// Says which of several environments the error is of.
    #[must_use]
    pub fn within(mut self, environment: &str) -> Self {
        self.0.message = format!("{environment}: {}", self.0.message);
        self
    }

    /// Writes the options of the run into the commands that its hints and causes name.
    #[must_use]
    pub fn completed(mut self, options: &Repeated) -> Self {
        let Contents { causes, hints, .. } = &mut *self.0;
        for text in causes.iter_mut().chain(hints) {
            *text = options.complete(text);
        }
        self
    }

    /// Adds fields that stand beside `error` in the document of `--json`.
    #[must_use]
    pub fn with_fields(mut self, fields: serde_json::Map<String, serde_json::Value>) -> Self {
        self.0.fields.extend(fields);
        self
    }

    /// Returns the kind.
    pub fn kind(&self) -> Kind {
        self.0.kind
    }

    /// Returns the message without causes.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// Returns the causes, the nearest first.
    pub fn causes(&self) -> &[String] {
        &self.0.causes
    }

    /// Returns what the reader can do about it.
    pub fn hints(&self) -> &[String] {
        &self.0.hints
    }

    /// Returns the text that is shown as it is.
    pub fn detail_text(&self) -> Option<&str> {
        self.0.detail.as_deref()
    }

    /// Returns the document that `--json` prints.
    pub fn to_json(&self) -> serde_json::Value {
        let mut document = self.0.fields.clone();
        document.insert(
            "error".to_owned(),
            serde_json::json!({
                "kind": self.0.kind.name(),
                "message": self.0.message,
                "causes": self.0.causes,
                "hints": self.0.hints,
            }),
        );
        document.into()
    }

    /// Appends a chain of sources, leaving out texts that the line before already ends with: several libraries
    /// repeat their source in their own message.
    fn add_chain(&mut self, mut source: Option<&dyn std::error::Error>) {
        while let Some(error) = source {
            let text = error.to_string();
            let last = self.0.causes.last().unwrap_or(&self.0.message);
            if !text.is_empty() && !last.ends_with(&text) {
                self.0.causes.push(text);
            }
            source = error.source();
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.message)?;
        for cause in &self.0.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fails to compile when a kind is added, so that the table is not forgotten.
    fn every_kind() -> Vec<Kind> {
        use Kind::{
            Assembly, Aws, Build, Configuration, Credentials, Deploy, Interrupted, Io, Local,
            Locked, Refused, Synth, Toolchain, Usage,
        };
        match Usage {
            Usage | Configuration | Build | Synth | Assembly | Credentials | Aws | Deploy
            | Refused | Locked | Local | Toolchain | Io | Interrupted => {}
        }
        vec![
            Usage,
            Configuration,
            Build,
            Synth,
            Assembly,
            Credentials,
            Aws,
            Deploy,
            Refused,
            Locked,
            Local,
            Toolchain,
            Io,
            Interrupted,
        ]
    }

    #[test]
    fn exit_codes_are_the_contract() {
        for kind in every_kind() {
            let expected = match kind {
                Kind::Usage | Kind::Configuration => 2,
                Kind::Refused => 4,
                Kind::Interrupted => 130,
                _ => 1,
            };
            assert_eq!(kind.exit_code(), expected, "{kind:?}");
            assert_eq!(
                serde_json::to_value(kind).ok(),
                Some(kind.name().into()),
                "the table and serde name {kind:?} differently"
            );
        }
        assert_eq!(KINDS.len(), every_kind().len());
    }

    #[test]
    fn repeated_causes_are_said_once() {
        #[derive(Debug, thiserror::Error)]
        #[error("cannot read x: {0}")]
        struct Repeats(#[source] std::io::Error);

        let error = Error::from_source(
            Kind::Io,
            &Repeats(std::io::Error::other("the disk is gone")),
        );
        assert_eq!(error.message(), "cannot read x: the disk is gone");
        assert!(error.causes().is_empty());
    }

    #[test]
    fn json_has_the_shape_of_the_contract() {
        let error = Error::new(Kind::Usage, "no").cause("why").hint("do this");
        assert_eq!(
            error.to_json(),
            serde_json::json!({"error": {"kind": "usage", "message": "no", "causes": ["why"], "hints": ["do this"]}})
        );
    }
}
