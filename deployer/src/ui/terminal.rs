//! What the terminal tells.

use std::io;

/// The widest that text is laid out, however wide the terminal: longer lines are hard to read.
const MAX_WIDTH: usize = 120;

/// The narrowest that text is laid out; below it lines wrap.
const MIN_WIDTH: usize = 40;

/// Returns the width of the terminal on standard output; nothing, where that is none: then whatever reads it wants each
/// line as a whole.
pub(super) fn width() -> Option<usize> {
    console::Term::stdout()
        .size_checked()
        .map(|(_, columns)| usize::from(columns).clamp(MIN_WIDTH, MAX_WIDTH))
}

/// Breaks text between words so that no line is wider than `width`; lines after the first begin with `indent` spaces.
///
/// A word that is wider is not broken: it may be a path or an address that is there to be pasted.
pub(super) fn wrapped(text: &str, width: usize, indent: usize) -> String {
    let mut result = String::with_capacity(text.len());
    let mut column = 0;
    let mut begun = false;
    for (position, word) in text.split(' ').enumerate() {
        let length = console::measure_text_width(word);
        if begun && column + 1 + length > width {
            result.push('\n');
            result.push_str(&" ".repeat(indent));
            column = indent;
            begun = false;
        } else if position > 0 {
            result.push(' ');
            column += 1;
        }
        result.push_str(word);
        column += length;
        begun |= length > 0;
    }
    result
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_only() {
        assert_eq!(wrapped("one two three", 80, 2), "one two three");
        assert_eq!(wrapped("one two three", 7, 2), "one two\n  three");
        assert_eq!(wrapped("x  three four", 8, 2), "x  three\n  four");
        assert_eq!(
            wrapped("at /a/very/long/path here", 8, 2),
            "at\n  /a/very/long/path\n  here"
        );
        assert_eq!(
            wrapped("\u{1b}[32mgreen\u{1b}[0m sea", 9, 1),
            "\u{1b}[32mgreen\u{1b}[0m sea",
            "colours take no room"
        );
        assert_eq!(wrapped("", 8, 2), "");
        assert_eq!(wrapped("  one two three", 9, 2), "  one two\n  three");
    }
}
