//! Dashboards.

use std::panic::Location;

use stack_model_cfn::cloudwatch as cfn;
use stack_model_cfn::{Expr, Pseudo, ResourceId, Token, Value};

use super::{AlarmRef, Series};
use crate::handle::{Handle, reference};
use crate::logs::LogGroupRef;
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text::{IntoPart, concatenate, json};

/// How many columns the grid of a dashboard has.
const COLUMNS: usize = 24;

/// The most widgets of a dashboard; see
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html>.
const MAX_WIDGETS: usize = 500;

/// What a dashboard shows: rows of widgets, which share the width of their row.
///
/// See
/// <https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/CloudWatch-Dashboard-Body-Structure.html>.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dashboard {
    rows: Vec<Vec<Widget>>,
}

impl Dashboard {
    /// Adds a row of 1 to 24 widgets.
    #[must_use]
    pub fn row(mut self, widgets: impl IntoIterator<Item = Widget>) -> Self {
        self.rows.push(widgets.into_iter().collect());
        self
    }

    fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        let widgets: usize = self.rows.iter().map(Vec::len).sum();
        if widgets > MAX_WIDGETS {
            found.push(format!(
                "the dashboard has {widgets} widgets and CloudWatch takes {MAX_WIDGETS}"
            ));
        }
        for (number, row) in self.rows.iter().enumerate() {
            if row.is_empty() || row.len() > COLUMNS {
                found.push(format!(
                    "row {} has {} widgets: a row has 1 to {COLUMNS}",
                    number + 1,
                    row.len()
                ));
            }
            for widget in row {
                if let Content::Graph { series, .. } = &widget.content {
                    found.extend(series.iter().flat_map(Series::violations));
                }
            }
        }
        found
    }

    fn render(self) -> Expr {
        let mut widgets = Vec::new();
        let mut y = 0;
        for row in self.rows {
            let width = COLUMNS / row.len().max(1);
            let height = row.iter().map(|widget| widget.height).max().unwrap_or(0);
            for (position, widget) in row.iter().enumerate() {
                let (kind, properties) = widget.content.render();
                widgets.push(Expr::map([
                    ("type", Expr::from(kind)),
                    ("x", columns(position * width)),
                    ("y", Expr::from(y)),
                    ("width", columns(width)),
                    ("height", Expr::from(height)),
                    ("properties", properties),
                ]));
            }
            y += height;
        }
        Expr::map([("widgets", Expr::List(widgets))])
    }
}

/// Writes a number of columns, of which there are 24.
fn columns(number: usize) -> Expr {
    Expr::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// One widget of a dashboard.
#[derive(Clone, Debug, PartialEq)]
pub struct Widget {
    content: Content,
    height: u32,
}

#[derive(Clone, Debug, PartialEq)]
enum Content {
    Graph {
        title: String,
        series: Vec<Series>,
        view: &'static str,
        stacked: bool,
    },
    Text(Value<String>),
    Alarms {
        title: String,
        alarms: Vec<AlarmRef>,
    },
    Logs {
        title: String,
        groups: Vec<LogGroupRef>,
        query: String,
    },
}

impl Widget {
    /// Draws lines over time.
    pub fn graph<S: Into<Series>>(
        title: impl Into<String>,
        series: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::metrics(title, series, "timeSeries", false)
    }

    /// Draws areas over time, one on the other.
    pub fn stacked<S: Into<Series>>(
        title: impl Into<String>,
        series: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::metrics(title, series, "timeSeries", true)
    }

    /// Shows the newest numbers.
    pub fn numbers<S: Into<Series>>(
        title: impl Into<String>,
        series: impl IntoIterator<Item = S>,
    ) -> Self {
        Self::metrics(title, series, "singleValue", false)
    }

    fn metrics<S: Into<Series>>(
        title: impl Into<String>,
        series: impl IntoIterator<Item = S>,
        view: &'static str,
        stacked: bool,
    ) -> Self {
        Self::of(Content::Graph {
            title: title.into(),
            series: series.into_iter().map(Into::into).collect(),
            view,
            stacked,
        })
    }

    /// Shows text in Markdown, which may hold attributes of handles.
    pub fn text(markdown: impl Into<Value<String>>) -> Self {
        Self::of(Content::Text(markdown.into())).tall(2)
    }

    /// Shows how alarms are.
    pub fn alarms<'a>(
        title: impl Into<String>,
        alarms: impl IntoIterator<Item = &'a AlarmRef>,
    ) -> Self {
        Self::of(Content::Alarms {
            title: title.into(),
            alarms: alarms.into_iter().cloned().collect(),
        })
    }

    /// Shows what a query of CloudWatch Logs Insights finds.
    pub fn logs<'a>(
        title: impl Into<String>,
        groups: impl IntoIterator<Item = &'a LogGroupRef>,
        query: impl Into<String>,
    ) -> Self {
        Self::of(Content::Logs {
            title: title.into(),
            groups: groups.into_iter().cloned().collect(),
            query: query.into(),
        })
    }

    /// Says how tall the widget is, in lines of the grid; 6 by default, and 2 for text. The tallest of a row decides.
    #[must_use]
    pub fn tall(mut self, lines: u32) -> Self {
        self.height = lines;
        self
    }

    fn of(content: Content) -> Self {
        Self { content, height: 6 }
    }
}

impl Content {
    fn render(&self) -> (&'static str, Expr) {
        let region = || Expr::Token(Token::Pseudo(Pseudo::Region));
        match self {
            Self::Graph {
                title,
                series,
                view,
                stacked,
            } => {
                let lines = series
                    .iter()
                    .enumerate()
                    .flat_map(|(number, series)| series.widget(number + 1));
                let properties = Expr::map([
                    ("title", Expr::from(title.as_str())),
                    ("region", region()),
                    ("view", Expr::from(*view)),
                    ("stacked", Expr::from(*stacked)),
                    ("metrics", Expr::list(lines)),
                ]);
                ("metric", properties)
            }
            Self::Text(markdown) => ("text", Expr::map([("markdown", markdown.clone().into())])),
            Self::Alarms { title, alarms } => {
                let properties = Expr::map([
                    ("title", Expr::from(title.as_str())),
                    ("alarms", Expr::list(alarms.iter().map(AlarmRef::arn))),
                ]);
                ("alarm", properties)
            }
            Self::Logs {
                title,
                groups,
                query,
            } => {
                let sources = groups.iter().flat_map(|group| {
                    [
                        "SOURCE '".into_part(),
                        group.name().into_part(),
                        "' | ".into_part(),
                    ]
                });
                let query = concatenate(sources.chain([query.into_part()]));
                let properties = Expr::map([
                    ("title", Expr::from(title.as_str())),
                    ("region", region()),
                    ("view", Expr::from("table")),
                    ("query", query.into()),
                ]);
                ("log", properties)
            }
        }
    }
}

/// The handle of a dashboard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DashboardRef {
    id: ResourceId,
}

impl DashboardRef {
    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for DashboardRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a dashboard.
    #[track_caller]
    pub fn dashboard(&mut self, logical_id: &str, dashboard: Dashboard) -> DashboardRef {
        let source = Location::caller();
        for message in dashboard.violations() {
            let path = "Properties.DashboardBody";
            self.report(logical_id, Some(path), message, source);
        }
        let properties = cfn::Dashboard {
            dashboard_body: json(&dashboard.render()).into(),
            ..cfn::Dashboard::default()
        };
        DashboardRef {
            id: self
                .insert(logical_id, Resource::of(&properties, source))
                .id,
        }
    }
}
