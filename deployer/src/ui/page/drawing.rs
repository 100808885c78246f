//! Graphs as pages, and as parts of pages.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use stack_graph::{Graph, Part};

use super::Page;
use crate::text::count;

/// What a drawing looks like in a page.
const STYLE: &str = include_str!("drawing.css");

/// What a page looks like that is a drawing.
const WHOLE: &str = include_str!("whole.css");

/// What moves drawings.
const SCRIPT: &str = include_str!("drawing.js");

/// Renders a graph as a page that shows it before, after, or both in one where something changes.
pub fn drawing(graph: &Graph, title: &str) -> String {
    let mut body = String::new();
    if !graph.marks().is_empty() || !graph.strokes().is_empty() {
        body.push_str("<fieldset class=\"views\"><legend>Show</legend>\n");
        for (key, words) in [
            ("both", "the change"),
            ("before", "before"),
            ("after", "after"),
        ] {
            let checked = if key == "both" { " checked" } else { "" };
            let _ = writeln!(
                body,
                "<label><input type=\"radio\" name=\"view\" id=\"v-{key}\"{checked}> {words}</label>"
            );
        }
        body.push_str("</fieldset>\n");
    }
    let part = Part {
        name: "d",
        links: &BTreeMap::new(),
    };
    figure(&mut body, graph, title, &part);
    let style = [&style(), WHOLE].concat();
    let body = body.replacen(
        "<figure class=\"drawing\"",
        "<figure class=\"drawing\" data-fills",
        1,
    );
    let page = Page {
        title,
        style: &style,
        script: Some(SCRIPT),
        body: &body,
    };
    page.html()
}

/// Writes a graph as a part of a page.
pub(super) fn figure(body: &mut String, graph: &Graph, title: &str, part: &Part<'_>) {
    let _ = write!(
        body,
        "<figure class=\"drawing\">\n{}",
        graph.svg_part(title, part)
    );
    if graph.undrawn() > 0 {
        let _ = write!(
            body,
            "<figcaption>Not drawn: {} of what only makes the rest work, such as roles and permissions.</figcaption>",
            count(graph.undrawn(), "harmless change")
        );
    }
    body.push_str("</figure>\n");
}

/// Returns what drawings look like in a page.
pub(super) fn style() -> String {
    format!(
        "{}\n@media screen and (prefers-color-scheme:dark){{{}}}\n{STYLE}",
        stack_graph::style(),
        stack_graph::dark_style()
    )
}
