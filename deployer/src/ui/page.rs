//! Pages that need nothing but themselves: no font, no image, no address of anybody.

mod changes;
mod drawing;
#[cfg(test)]
pub(super) mod tests;
mod value;

use sha2::{Digest as _, Sha256};

pub use changes::{Compared, changes};
pub use drawing::drawing;

/// What every page looks like, in light, in dark and on paper.
const BASE: &str = include_str!("page/base.css");

/// A page.
#[derive(Debug)]
pub(super) struct Page<'a> {
    /// What it is called, in the window and as its heading.
    pub(super) title: &'a str,
    /// What it looks like, beyond what every page does.
    pub(super) style: &'a str,
    /// What runs in it: the page has to be readable without.
    pub(super) script: Option<&'a str>,
    /// What stands below the heading, escaped.
    pub(super) body: &'a str,
}

impl Page<'_> {
    /// Writes the page as HTML. Its policy lets nothing be fetched and no script run but its own: whatever a template says
    /// would do nothing, even if it were not shown as text.
    pub(super) fn html(&self) -> String {
        let title = escape(self.title);
        let (style, body) = (self.style, self.body);
        let (allowed, script) = match self.script {
            Some(script) => {
                // What stands between the tags is what is hashed, to the last line break.
                let hash = aws_smithy_types::base64::encode(Sha256::digest(script));
                let element = format!("<script>{script}</script>\n");
                (format!("; script-src 'sha256-{hash}'"), element)
            }
            None => Default::default(),
        };
        format!(
            "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; base-uri 'none'; form-action 'none'; \
             style-src 'unsafe-inline'{allowed}\">\n\
             <meta name=\"referrer\" content=\"no-referrer\">\n\
             <title>{title}</title>\n<style>\n{BASE}{style}</style>\n</head>\n<body>\n<h1>{title}</h1>\n{body}{script}</body>\n</html>\n"
        )
    }
}

/// Writes a text so that it is a text wherever it stands in a page: nothing in it is a tag, ends an attribute, is not seen
/// or turns the order of what is.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        let written = match c {
            '&' => "&amp;",
            '<' => "&lt;",
            '>' => "&gt;",
            '"' => "&quot;",
            '\'' => "&#39;",
            '\n' | '\t' => {
                escaped.push(c);
                continue;
            }
            c if c.is_control() || is_format(c) => {
                escaped.extend(c.escape_unicode());
                continue;
            }
            c => {
                escaped.push(c);
                continue;
            }
        };
        escaped.push_str(written);
    }
    escaped
}

/// Returns whether a character is not seen and changes how others are: see <https://www.unicode.org/reports/tr9/>.
const fn is_format(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
