//! Tables that fit the terminal; where there is none, a row is a line however long it is.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use comfy_table::{ContentArrangement, presets};

use super::{paint, palette, terminal};

/// A table without lines, as wide as the terminal at most.
#[derive(Debug)]
pub struct Table(comfy_table::Table);

impl Table {
    /// Makes a table with column titles.
    pub fn new(titles: &[&str]) -> Self {
        Self::of_width(titles, terminal::width())
    }

    fn of_width(titles: &[&str], width: Option<usize>) -> Self {
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_header(titles);
        if let Some(width) = width {
            table
                .set_content_arrangement(ContentArrangement::Dynamic)
                .set_width(u16::try_from(width).unwrap_or(u16::MAX));
        }
        // The last column is as long as it is: its cells are never followed by anything.
        Self(table)
    }

    /// Adds a row.
    pub fn row<I: Into<String>>(&mut self, cells: impl IntoIterator<Item = I>) {
        self.0
            .add_row(cells.into_iter().map(Into::into).collect::<Vec<String>>());
    }

    /// Renders the table.
    pub fn render(&self) -> String {
        self.0.lines().fold(String::new(), |mut text, line| {
            let _ = writeln!(text, "{}", line.trim_end());
            text
        })
    }
}

/// Renders the outputs of stacks, each stack with its own below it.
///
/// A value is never broken over lines: it is there to be pasted. One that does not fit beside its key stands on a line
/// of its own below it, on a terminal; elsewhere each output is one line.
pub fn outputs(stacks: &BTreeMap<String, BTreeMap<String, String>>) -> String {
    render_outputs(stacks, terminal::width())
}

fn render_outputs(
    stacks: &BTreeMap<String, BTreeMap<String, String>>,
    width: Option<usize>,
) -> String {
    let mut text = String::new();
    let mut silent = Vec::new();
    for (stack, values) in stacks {
        if values.is_empty() {
            silent.push(stack.as_str());
            continue;
        }
        let _ = writeln!(text, "{}", paint(palette::STRONG, stack));
        let keys = values.keys().map(|key| console::measure_text_width(key));
        let first = keys.max().unwrap_or_default();
        for (key, value) in values {
            let needed = first + 4 + console::measure_text_width(value);
            if width.is_none_or(|width| needed <= width) {
                let _ = writeln!(text, "  {key:first$}  {value}");
            } else {
                let _ = writeln!(text, "  {key}\n    {value}");
            }
        }
    }
    if !silent.is_empty() {
        let names = format!("no outputs: {}", silent.join(", "));
        let _ = writeln!(text, "{}", paint(palette::WEAK, names));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_stand_below_their_stack_and_values_are_never_broken() {
        let long = format!("https://{}.example.com", "x".repeat(80));
        let stacks = BTreeMap::from([
            ("intake-access-dev".to_owned(), BTreeMap::new()),
            (
                "intake-dev".to_owned(),
                BTreeMap::from([
                    ("ApiUrl".to_owned(), long.clone()),
                    ("QueueName".to_owned(), "orders".to_owned()),
                    ("Table".to_owned(), "name".to_owned()),
                ]),
            ),
            ("other-dev".to_owned(), BTreeMap::new()),
        ]);
        let text = anstream::adapter::strip_str(&render_outputs(&stacks, Some(60))).to_string();
        assert_eq!(
            text,
            format!(
                "intake-dev\n  \
                   ApiUrl\n    {long}\n  \
                   QueueName  orders\n  \
                   Table      name\n\
                 no outputs: intake-access-dev, other-dev\n"
            )
        );
        let text = anstream::adapter::strip_str(&render_outputs(&stacks, None)).to_string();
        assert!(text.contains(&format!("  ApiUrl     {long}\n")), "{text}");
        assert_eq!(render_outputs(&BTreeMap::new(), None), "");
    }

    #[test]
    fn rows_are_lines_where_there_is_no_terminal() {
        let name = "orders-".repeat(20);
        let rows = |width| {
            let mut table = Table::of_width(&["Stack", "Status"], width);
            table.row([name.as_str(), "CREATE_COMPLETE"]);
            table.render().lines().count()
        };
        assert_eq!(rows(None), 2);
        assert!(rows(Some(60)) > 2);
    }

    #[test]
    fn tables_have_no_trailing_space() {
        let mut table = Table::new(&["Stack", "Status"]);
        table.row(["intake-dev", "CREATE_COMPLETE"]);
        snapbox::assert_data_eq!(
            table.render(),
            snapbox::str![[r#"
 Stack       Status
 intake-dev  CREATE_COMPLETE

"#]]
        );
    }
}
