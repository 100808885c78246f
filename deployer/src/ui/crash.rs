//! What is said where the program itself is at fault.
//!
//! A message that is made at run time may hold whatever the program worked on, values that are nobody's business included, so
//! that none is printed: only where it happened, and what stands in the source. A backtrace is names of functions and
//! lines; it comes where `RUST_BACKTRACE` asks for one, as in any program of Rust.

use std::any::Any;
use std::backtrace::{Backtrace, BacktraceStatus};
use std::io::Write as _;
use std::panic::Location;
use std::sync::OnceLock;

use crate::repeat::Repeated;

/// The options of the run, once they are known.
static OPTIONS: OnceLock<Repeated> = OnceLock::new();

/// Takes the options with which the command that is named works on the same stage and place.
pub(super) fn remember(options: &Repeated) {
    // A process is one run; the first to say so is the one that all others belong to.
    let _ = OPTIONS.set(options.clone());
}

/// Has crashes told so that they can be reported, without what may be secret.
pub(crate) fn tell_crashes() {
    std::panic::set_hook(Box::new(|crash| {
        let mut text = told(crash.payload(), crash.location());
        let backtrace = Backtrace::capture();
        if backtrace.status() == BacktraceStatus::Captured {
            text.extend([backtrace.to_string().as_str(), "\n"]);
        }
        // Nothing can be told where the terminal is gone.
        let _ = std::io::stderr().write_all(text.as_bytes());
    }));
}

/// Writes what is told of a crash.
fn told(payload: &(dyn Any + Send), location: Option<&Location<'_>>) -> String {
    let place = location.map_or_else(
        || "a place that is not known".to_owned(),
        ToString::to_string,
    );
    let mut text = format!(
        "error: stackctl {} ended at {place}, which is a mistake in it\n",
        env!("CARGO_PKG_VERSION")
    );
    // A text that was not put together at run time stands in the source.
    if let Some(said) = payload.downcast_ref::<&'static str>() {
        text.extend(["  cause: ", *said, "\n"]);
    }
    text += "  hint: report these lines and the verb to whoever maintains it; `RUST_BACKTRACE=1` adds how it got there\n  \
            hint: what CloudFormation was told goes on; the same command finishes it, and `stackctl status` shows it\n";
    match OPTIONS.get() {
        Some(options) => options.complete(&text),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crash_says_where_and_never_what_it_worked_on() {
        let secret = "correct horse battery staple";
        let crash = std::panic::catch_unwind(|| {
            let parsed: Result<u8, String> = Err(secret.to_owned());
            let value: Option<u8> = None;
            assert!(value.is_some() || parsed.is_ok(), "no number in {parsed:?}");
        })
        .expect_err("panics");
        let text = told(&*crash, Some(Location::caller()));
        assert!(!text.contains(secret), "{text}");
        assert!(text.contains("ui/crash.rs:"), "{text}");
        assert!(!text.contains("cause:"), "{text}");

        let crash = std::panic::catch_unwind(|| panic!("a graph has no cycles"));
        let text = told(&*crash.expect_err("panics"), None);
        assert!(text.contains("  cause: a graph has no cycles\n"), "{text}");
    }
}
