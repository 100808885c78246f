//! Tables that fit the terminal.

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
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic)
            .set_width(u16::try_from(terminal::width()).unwrap_or(u16::MAX))
            .set_header(titles);
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
/// of its own below it.
pub fn outputs(stacks: &BTreeMap<String, BTreeMap<String, String>>) -> String {
    render_outputs(stacks, terminal::width())
}

fn render_outputs(stacks: &BTreeMap<String, BTreeMap<String, String>>, width: usize) -> String {
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
            if first + 4 + console::measure_text_width(value) <= width {
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
        let text = anstream::adapter::strip_str(&render_outputs(&stacks, 60)).to_string();
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
        assert_eq!(render_outputs(&BTreeMap::new(), 60), "");
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
