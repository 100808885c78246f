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

/// Renders the outputs of stacks as one table.
///
/// A value is never broken over lines: it is there to be pasted. One that does not fit in its column stands on a line of
/// its own below its key.
pub fn outputs(stacks: &BTreeMap<String, BTreeMap<String, String>>) -> String {
    render_outputs(stacks, terminal::width())
}

fn render_outputs(stacks: &BTreeMap<String, BTreeMap<String, String>>, width: usize) -> String {
    if stacks.is_empty() {
        return String::new();
    }
    let widest = |title: &str, cells: &mut dyn Iterator<Item = &String>| {
        cells
            .map(|cell| console::measure_text_width(cell))
            .fold(title.len(), usize::max)
    };
    let first = widest("Stack", &mut stacks.keys());
    let second = widest("Output", &mut stacks.values().flat_map(BTreeMap::keys));
    let mut text = format!(" {:first$}  {:second$}  Value\n", "Stack", "Output");
    for (stack, values) in stacks {
        let name = paint(palette::STRONG, format_args!("{stack:first$}"));
        if values.is_empty() {
            let _ = writeln!(text, " {name}  {}", paint(palette::WEAK, "no outputs"));
        }
        for (key, value) in values {
            if first + second + 5 + console::measure_text_width(value) <= width {
                let _ = writeln!(text, " {name}  {key:second$}  {value}");
            } else {
                let _ = writeln!(text, " {name}  {key}\n   {value}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_are_a_table_whose_values_are_never_broken() {
        let long = format!("https://{}.example.com", "x".repeat(80));
        let stacks = BTreeMap::from([
            (
                "intake-dev".to_owned(),
                BTreeMap::from([
                    ("ApiUrl".to_owned(), long.clone()),
                    ("QueueName".to_owned(), "orders".to_owned()),
                ]),
            ),
            ("other-dev".to_owned(), BTreeMap::new()),
        ]);
        let text = anstream::adapter::strip_str(&render_outputs(&stacks, 60)).to_string();
        assert_eq!(
            text,
            format!(
                " Stack       Output     Value\n \
                 intake-dev  ApiUrl\n   {long}\n \
                 intake-dev  QueueName  orders\n \
                 other-dev   no outputs\n"
            )
        );
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
