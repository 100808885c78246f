//! What the terminal tells.

use std::io;

use super::WIDTH;

/// The widest that text is laid out, however wide the terminal: longer lines are hard to read.
const MAX_WIDTH: usize = 120;

/// The narrowest that text is laid out; below it lines wrap.
const MIN_WIDTH: usize = 40;

/// Returns the width of the terminal on standard output, or [`WIDTH`] where it is none.
pub(super) fn width() -> usize {
    console::Term::stdout()
        .size_checked()
        .map_or(WIDTH, |(_, columns)| {
            usize::from(columns).clamp(MIN_WIDTH, MAX_WIDTH)
        })
}

/// Reads a line from standard input without blocking the caller.
///
/// The thread that waits for it cannot be stopped; it ends with the process.
pub(super) async fn read_line() -> io::Result<String> {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut line = String::new();
        let read = io::stdin()
            .read_line(&mut line)
            .map(|_| line.trim().to_owned());
        // The receiver is gone where the question was interrupted.
        let _ = sender.send(read);
    });
    receiver
        .await
        .unwrap_or_else(|_| Err(io::ErrorKind::UnexpectedEof.into()))
}
