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

/// How a stack stands.
#[derive(Clone, Copy, Debug)]
pub struct Standing<'a> {
    /// The stack.
    pub stack: &'a str,
    /// Its status.
    pub status: &'a str,
    /// Whether nothing runs.
    pub settled: bool,
    /// The command that leads on.
    pub next: Option<&'a str>,
}

/// Renders how stacks stand.
///
/// A command is never broken over lines: it is there to be pasted. Where a line has no room for all, commands stand below the
/// table, each on a line of its own.
pub fn standings(stacks: &[Standing<'_>]) -> String {
    render_standings(stacks, terminal::width())
}

fn render_standings(stacks: &[Standing<'_>], width: Option<usize>) -> String {
    let titles = ["Stack", "Status", "Settled", "Next"];
    let rows: Vec<[&str; 4]> = stacks
        .iter()
        .map(|it| {
            let settled = if it.settled { "yes" } else { "no" };
            [it.stack, it.status, settled, it.next.unwrap_or_default()]
        })
        .collect();
    let needed: usize = (0..titles.len())
        .map(|column| {
            let cells = std::iter::once(&titles).chain(&rows);
            let widths = cells.filter_map(|row| row.get(column));
            // A blank stands on both sides of a column.
            2 + (widths.map(|cell| console::measure_text_width(cell)).max()).unwrap_or_default()
        })
        .sum();
    let is_beside = width.is_none_or(|width| needed <= width);
    let columns = if is_beside { 4 } else { 3 };
    let titles: Vec<&str> = titles.into_iter().take(columns).collect();
    let mut table = Table::of_width(&titles, width);
    for row in rows {
        table.row(row.into_iter().take(columns));
    }
    let mut text = table.render();
    for stack in stacks.iter().filter(|_| !is_beside) {
        if let Some(next) = stack.next {
            let label = format!("next for {}:", stack.stack);
            let _ = writeln!(text, " {}\n   {next}", paint(palette::HINT, label));
        }
    }
    text
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
    fn commands_stand_beside_their_stack_or_below_the_table_and_are_never_broken() {
        let next = "stackctl deploy data-dev --local --stage dev";
        let stacks = [
            Standing {
                stack: "data-dev",
                status: "UPDATE_ROLLBACK_COMPLETE",
                settled: true,
                next: Some(next),
            },
            Standing {
                stack: "web-dev",
                status: "CREATE_COMPLETE",
                settled: true,
                next: None,
            },
        ];
        let plain =
            |width| anstream::adapter::strip_str(&render_standings(&stacks, width)).to_string();
        let beside = plain(None);
        snapbox::assert_data_eq!(
            &beside,
            snapbox::str![[r#"
 Stack     Status                    Settled  Next
 data-dev  UPDATE_ROLLBACK_COMPLETE  yes      stackctl deploy data-dev --local --stage dev
 web-dev   CREATE_COMPLETE           yes

"#]]
        );
        snapbox::assert_data_eq!(
            plain(Some(80)),
            snapbox::str![[r#"
 Stack     Status                    Settled
 data-dev  UPDATE_ROLLBACK_COMPLETE  yes
 web-dev   CREATE_COMPLETE           yes
 next for data-dev:
   stackctl deploy data-dev --local --stage dev

"#]]
        );
        for width in 40..=120 {
            let lines = plain(Some(width));
            assert!(lines.lines().any(|line| line.ends_with(next)), "{lines}");
        }
        assert_eq!(plain(Some(120)), beside);
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
