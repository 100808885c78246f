//! The only place that prints.
//!
//! What a command was asked for goes to standard output: text for people, or JSON. Everything else goes to standard
//! error: progress, questions, errors. Colours follow what `anstream` finds (`NO_COLOR`, `CLICOLOR_FORCE`, pipes);
//! progress is drawn on a terminal, and is plain lines that do not change their form otherwise.

mod activity;
mod crash;
mod drift;
mod explain;
mod history;
mod markdown;
mod page;
mod palette;
mod report;
mod said;
mod table;
mod task;
mod terminal;
mod timeline;
mod tree;
mod watch;
mod within;

use std::io::{self, IsTerminal as _, Write};
use std::sync::{Arc, Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressDrawTarget};
use serde::Serialize;
use serde_json::{Map, Value};

use crate::cli::{Color, Global};
use crate::error::{Error, Kind};
use crate::repeat::Repeated;

pub(crate) use activity::bytes;
pub use activity::{Activity, event_line, log_line};
pub(crate) use crash::tell_crashes;
pub use drift::drift;
pub use explain::{explanations, unproven};
pub use history::{WrittenRelease, given_fast, history};
pub use markdown::{COMMENT, markdown};
pub use page::{Compared, changes, drawing};
pub use palette::paint;
pub use report::{Trial, trials, violation};
pub use said::said;
pub use table::{Standing, Table, outputs, standings};
pub use task::Task;
pub use timeline::{html, timelines};
pub use tree::plan;
use within::Within;

/// Breaks text between words so that it fits the terminal; lines after the first begin with `indent` spaces.
pub(crate) fn wrap(text: &str, indent: usize) -> String {
    report::fitted(text, terminal::width(), indent)
}

/// The width of drawings and of what is shortened where there is no terminal to ask.
pub const WIDTH: usize = 80;

/// Prints. Clones print to the same terminal.
#[derive(Clone, Debug)]
pub struct Ui {
    json: bool,
    verbose: u8,
    bars: Option<MultiProgress>,
    /// The first failure to write to standard output, other than a reader that left.
    broken: Arc<Mutex<Option<io::Error>>>,
    /// Lets one question be asked at a time.
    asking: Arc<tokio::sync::Mutex<()>>,
    /// The environment that is printed for, where there are several.
    within: Option<Arc<Within>>,
    /// The options of the run, which commands get that people are told to type.
    options: Arc<Repeated>,
}

impl Ui {
    /// Makes the printer that the options ask for, and sets when colours are used.
    pub fn new(global: &Global) -> Self {
        let choice = match global.color {
            Color::Auto => anstream::ColorChoice::Auto,
            Color::Always => anstream::ColorChoice::Always,
            Color::Never => anstream::ColorChoice::Never,
        };
        choice.write_global();
        let options = Repeated::of(global);
        crash::remember(&options);
        let draw = io::stderr().is_terminal()
            && std::env::var_os("TERM").is_none_or(|terminal| terminal != "dumb");
        Self {
            json: global.json,
            verbose: global.verbose,
            bars: draw
                .then(|| MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10))),
            broken: Arc::default(),
            asking: Arc::default(),
            within: None,
            options: Arc::new(options),
        }
    }

    /// Returns a printer for one of several environments. Lines for people begin with its label, which is made as wide as
    /// all others are, JSON lines hold its fields, commands get its options, and a document is kept, for one document of all.
    #[must_use]
    pub fn within(
        &self,
        (label, width): (&str, usize),
        fields: Map<String, Value>,
        options: Repeated,
    ) -> Self {
        Self {
            within: Some(Arc::new(Within::new(label, width, fields))),
            options: Arc::new(options),
            ..self.clone()
        }
    }

    /// Returns the documents that were kept.
    pub fn documents(&self) -> Vec<Value> {
        let within = self.within.as_deref();
        within.map(Within::taken).unwrap_or_default()
    }

    /// Returns whether results are JSON.
    pub fn json(&self) -> bool {
        self.json
    }

    /// Returns how much more than usual is said.
    pub fn verbose(&self) -> u8 {
        self.verbose
    }

    /// Returns whether there is somebody to ask: input and errors are a terminal.
    pub fn can_ask(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Prints a line for people on standard error, above whatever progress is drawn. Commands of ours in it get the options of
    /// the run.
    pub fn line(&self, text: impl AsRef<str>) {
        let text = self.options.complete(text.as_ref());
        let text = match &self.within {
            Some(within) => within.lines(&text),
            None => text,
        };
        let print = || {
            // Nothing can be told where standard error is gone.
            let _ = writeln!(anstream::stderr().lock(), "{text}");
        };
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }

    /// Prints what was done, with the verb in front.
    pub fn done(&self, verb: &str, text: impl AsRef<str>) {
        self.labelled(verb, palette::GOOD, text.as_ref());
    }

    /// Prints something that deserves attention and is no error.
    pub fn warn(&self, text: impl AsRef<str>) {
        let text = self.options.complete(text.as_ref());
        let text = format!("{} {text}", paint(palette::WARNING, "warning:"));
        self.line(report::fitted(&text, self.width(), 2));
    }

    /// Prints a sentence for people, broken between words; what it begins with in blanks it keeps.
    pub fn tell(&self, text: impl AsRef<str>) {
        let text = self.options.complete(text.as_ref());
        let blanks = text.len() - text.trim_start_matches(' ').len();
        self.line(report::fitted(&text, self.width(), blanks + 2));
    }

    /// Says that a step begins, where nothing is drawn that says so: a log is to tell what is going on.
    pub fn begin(&self, verb: &str, text: impl AsRef<str>) {
        if self.bars.is_none() {
            let text = format!("{} ..", text.as_ref());
            self.labelled(verb, palette::ACTIVE, &text);
        }
    }

    /// Starts a step that takes time.
    pub fn task(&self, verb: &'static str, subject: impl Into<String>) -> Task {
        let subject = subject.into();
        self.begin(verb, &subject);
        Task::start(self.clone(), verb, subject)
    }

    /// Starts a step that may take time, and of which nobody needs to hear where nothing is drawn.
    pub fn spinner(&self, verb: &'static str, subject: impl Into<String>) -> Task {
        Task::start(self.clone(), verb, subject.into())
    }

    /// Prints text on standard output, under a heading where it is that of one of several environments.
    pub fn out(&self, text: impl AsRef<str>) {
        if let Some(heading) = self.within.as_ref().and_then(|within| within.heading()) {
            self.print(&heading);
        }
        self.print(text.as_ref());
    }

    /// Prints text on standard output as it is.
    pub fn print(&self, text: &str) {
        let print = || {
            let mut out = anstream::stdout().lock();
            if let Err(error) = out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
                self.note_broken(error);
            }
        };
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
    }

    /// Prints one JSON document on standard output.
    pub fn document(&self, value: &impl Serialize) {
        if let Some(within) = &self.within {
            if let Err(error) = within.keep(value) {
                self.note_broken(error.into());
            }
            return;
        }
        match serde_json::to_string_pretty(value) {
            Ok(text) => self.print(&(text + "\n")),
            Err(error) => self.note_broken(error.into()),
        }
    }

    /// Prints one JSON document on one line of standard output.
    pub fn json_line(&self, value: &impl Serialize) {
        let text = match &self.within {
            Some(within) => within.told(value).map(|value| value.to_string()),
            None => serde_json::to_string(value),
        };
        match text {
            Ok(text) => self.print(&(text + "\n")),
            Err(error) => self.note_broken(error.into()),
        }
    }

    /// Returns whether nobody reads standard output any more.
    pub fn is_closed(&self) -> bool {
        self.lock_broken()
            .as_ref()
            .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// Returns the error of a result that could not be printed. A reader that left had what it wanted.
    pub fn check(&self) -> Result<(), Error> {
        match self.lock_broken().take() {
            Some(error) if error.kind() != io::ErrorKind::BrokenPipe => {
                Err(Error::new(Kind::Io, "cannot write to standard output").caused_by(&error))
            }
            _ => Ok(()),
        }
    }

    /// Prints an error: for people on standard error, under `--json` as a document on standard output too.
    pub fn error(&self, error: &Error) {
        let error = &error.clone().completed(&self.options);
        self.line(report::error(error, self.width()).trim_end());
        if self.json {
            // One line, so that it ends a stream of JSON lines as well as it stands alone.
            self.json_line(&error.to_json());
        }
    }

    /// Prints an error as a document on standard output, where there is no printer yet.
    pub fn print_error_document(error: &Error) {
        // Nothing can be told where standard output is gone.
        let _ = writeln!(io::stdout().lock(), "{}", error.to_json());
    }

    /// Asks a question that is answered with yes or no; anything but a clear yes is no.
    ///
    /// The caller has made sure that there is somebody to ask. The answer is awaited without blocking, so that
    /// Ctrl-C is heard meanwhile.
    pub async fn confirm(&self, question: &str) -> bool {
        let answer = self.ask(&format!("{question} [y/N] ")).await;
        matches!(answer.to_ascii_lowercase().as_str(), "y" | "yes")
    }

    /// Asks for a line of text.
    pub async fn ask(&self, question: &str) -> String {
        let _one = self.asking.lock().await;
        let question = paint(palette::STRONG, question);
        let question = match &self.within {
            Some(within) => within.lines(&question),
            None => question,
        };
        let print = || {
            let mut stderr = anstream::stderr().lock();
            let _ = write!(stderr, "{question}").and_then(|()| stderr.flush());
        };
        match &self.bars {
            Some(bars) => bars.suspend(print),
            None => print(),
        }
        terminal::read_line().await.unwrap_or_default()
    }

    /// Returns how wide the terminal is that lines for people go to; nothing, where that is none: then whatever reads
    /// them wants each as a whole.
    fn width(&self) -> Option<usize> {
        self.bars.as_ref().map(|_| {
            terminal::width()
                .unwrap_or(WIDTH)
                .saturating_sub(self.indent())
        })
    }

    /// Returns how many columns stand before every line for people.
    fn indent(&self) -> usize {
        self.within.as_ref().map_or(0, |within| within.width())
    }

    /// Writes what stands before a line that is drawn: the environment, where there are several, and the verb.
    fn column(&self, verb: &str) -> String {
        let column = task::column(verb);
        match &self.within {
            Some(within) => within.lines(&column),
            None => column,
        }
    }

    fn bars(&self) -> Option<&MultiProgress> {
        self.bars.as_ref()
    }

    fn note_broken(&self, error: io::Error) {
        self.lock_broken().get_or_insert(error);
    }

    fn lock_broken(&self) -> std::sync::MutexGuard<'_, Option<io::Error>> {
        self.broken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
