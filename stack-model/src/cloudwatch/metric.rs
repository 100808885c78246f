//! Metrics, and what is computed of them.

use stack_model_cfn::cloudwatch::alarm as cfn;
use stack_model_cfn::{Expr, Value};

use super::alarm::{Comparison, MissingData, Threshold};

/// One metric: what is measured of what, and how the measurements of a period become one number.
///
/// See <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct Metric {
    namespace: String,
    name: String,
    dimensions: Vec<(String, Value<String>)>,
    statistic: Statistic,
    period: u32,
    label: Option<String>,
    pub(super) missing: MissingData,
    problem: Option<String>,
}

/// How the measurements of a period become one number.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Statistic {
    /// Their sum.
    Sum,
    /// Their average.
    Average,
    /// The largest.
    Maximum,
    /// The smallest.
    Minimum,
    /// How many there are.
    SampleCount,
    /// The one that so many percent of them are not above, such as 99.
    Percentile(f64),
}

impl Statistic {
    /// Returns the word that CloudWatch uses.
    pub(super) fn name(self) -> String {
        match self {
            Self::Sum => "Sum".to_owned(),
            Self::Average => "Average".to_owned(),
            Self::Maximum => "Maximum".to_owned(),
            Self::Minimum => "Minimum".to_owned(),
            Self::SampleCount => "SampleCount".to_owned(),
            Self::Percentile(percent) => format!("p{percent}"),
        }
    }

    const fn is_percentile(self) -> bool {
        matches!(self, Self::Percentile(_))
    }
}

impl Metric {
    /// Names a metric of an application's own, or of a service that has no method for it.
    ///
    /// It is summed over five minutes unless something else is said.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
            dimensions: Vec::new(),
            statistic: Statistic::Sum,
            period: 300,
            label: None,
            missing: MissingData::Missing,
            problem: None,
        }
    }

    /// Adds a dimension: one thing that the measurements are about.
    #[must_use]
    pub fn dimension(mut self, name: impl Into<String>, value: impl Into<Value<String>>) -> Self {
        self.dimensions.push((name.into(), value.into()));
        self
    }

    /// Says how the measurements of a period become one number.
    #[must_use]
    pub fn statistic(mut self, statistic: Statistic) -> Self {
        self.statistic = statistic;
        self
    }

    /// Says how long a period is, in seconds: 1, 5, 10, 20, 30, or minutes.
    #[must_use]
    pub fn every(mut self, seconds: u32) -> Self {
        self.period = seconds;
        self
    }

    /// Names the line in a graph.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    /// Says what no measurement means: for a metric that is only there when something happens, that nothing did.
    #[must_use]
    pub(super) fn missing_is(mut self, missing: MissingData) -> Self {
        self.missing = missing;
        self
    }

    /// Says that the metric is only there when something happens, so that no measurement means that all is well.
    #[must_use]
    pub fn sparse(self) -> Self {
        self.missing_is(MissingData::NotBreaching)
    }

    /// Says that the metric cannot be right; the synth reports it where the metric is used.
    #[must_use]
    pub(super) fn wrong(mut self, problem: impl Into<String>) -> Self {
        self.problem = Some(problem.into());
        self
    }

    /// Returns what is wrong with the metric.
    fn violations(&self) -> Vec<String> {
        let name = &self.name;
        let mut found: Vec<String> = self.problem.iter().cloned().collect();
        let whole_minutes = self.period > 0 && self.period.is_multiple_of(60);
        if !whole_minutes && ![1, 5, 10, 20, 30].contains(&self.period) {
            found.push(format!(
                "the period of `{name}` is {} s: use 1, 5, 10, 20, 30, or a multiple of 60",
                self.period
            ));
        }
        if let Statistic::Percentile(percent) = self.statistic
            && !(0.0..=100.0).contains(&percent)
        {
            found.push(format!(
                "the percentile {percent} of `{name}` is not between 0 and 100"
            ));
        }
        if self.dimensions.len() > 30 {
            found.push(format!("`{name}` has more than 30 dimensions"));
        }
        if self.namespace.is_empty() || self.namespace.starts_with(':') {
            found.push(format!(
                "`{name}` needs a namespace, which does not begin with a colon"
            ));
        }
        found
    }

    fn dimensions(&self) -> Vec<cfn::Dimension> {
        let dimension = |(name, value): &(String, Value<String>)| cfn::Dimension {
            name: name.as_str().into(),
            value: value.clone().into(),
        };
        self.dimensions.iter().map(dimension).collect()
    }

    fn stat(&self) -> cfn::MetricStat {
        cfn::MetricStat {
            metric: cfn::Metric {
                dimensions: (!self.dimensions.is_empty())
                    .then(|| {
                        self.dimensions()
                            .into_iter()
                            .map(Value::Literal)
                            .collect::<Vec<_>>()
                    })
                    .into(),
                metric_name: self.name.as_str().into(),
                namespace: self.namespace.as_str().into(),
            }
            .into(),
            period: i64::from(self.period).into(),
            stat: self.statistic.name().into(),
            ..cfn::MetricStat::default()
        }
    }

    /// Returns the metric as dashboards write it: a list of its names, and how it is shown.
    fn widget(&self, id: Option<&str>, visible: bool) -> Expr {
        let mut line = vec![
            Expr::from(self.namespace.as_str()),
            Expr::from(self.name.as_str()),
        ];
        for (name, value) in &self.dimensions {
            line.push(Expr::from(name.as_str()));
            line.push(value.clone().into());
        }
        let mut options = vec![
            ("stat", Expr::from(self.statistic.name())),
            ("period", Expr::from(self.period)),
        ];
        options.extend(self.label.as_deref().map(|label| ("label", label.into())));
        options.extend(id.map(|id| ("id", id.into())));
        if !visible {
            options.push(("visible", false.into()));
        }
        line.push(Expr::map(options));
        Expr::List(line)
    }
}

/// A number that is computed of metrics, such as a rate.
///
/// ```
/// use stack_model::cloudwatch::{Metric, MetricMath};
///
/// let rate = MetricMath::new(
///     "100 * failed / sent",
///     [("failed", Metric::new("Shop", "Failed")), ("sent", Metric::new("Shop", "Sent"))],
/// )
/// .label("Failed, %");
/// ```
///
/// See <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct MetricMath {
    expression: String,
    metrics: Vec<(String, Metric)>,
    label: Option<String>,
}

impl MetricMath {
    /// Takes an expression, and the metrics in it by their names there: letters, digits and `_`, a small letter first.
    pub fn new<N: Into<String>>(
        expression: impl Into<String>,
        metrics: impl IntoIterator<Item = (N, Metric)>,
    ) -> Self {
        Self {
            expression: expression.into(),
            metrics: metrics
                .into_iter()
                .map(|(name, metric)| (name.into(), metric))
                .collect(),
            label: None,
        }
    }

    /// Names the line in a graph.
    #[must_use]
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = Some(label.into());
        self
    }

    fn violations(&self) -> Vec<String> {
        let mut found = Vec::new();
        if self.metrics.is_empty() {
            found.push("an expression needs a metric at least".to_owned());
        }
        // See <https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html>.
        if self.metrics.len() > 10 {
            found.push(format!(
                "the expression has {} metrics and an alarm takes 10",
                self.metrics.len()
            ));
        }
        for (position, (name, metric)) in self.metrics.iter().enumerate() {
            let right = name.starts_with(|c: char| c.is_ascii_lowercase())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !right {
                found.push(format!(
                    "`{name}` is no name in an expression: use letters, digits and `_`, a small letter first"
                ));
            }
            let earlier = self.metrics.iter().take(position);
            if earlier.clone().any(|(other, _)| other == name) {
                found.push(format!("the expression has two metrics `{name}`"));
            }
            found.extend(metric.violations());
        }
        found
    }
}

/// A line of numbers: of a metric, or computed of some.
#[derive(Clone, Debug, PartialEq)]
pub enum Series {
    /// One metric.
    Metric(Metric),
    /// A number that is computed of metrics.
    Math(MetricMath),
}

impl From<Metric> for Series {
    fn from(metric: Metric) -> Self {
        Self::Metric(metric)
    }
}

impl From<MetricMath> for Series {
    fn from(math: MetricMath) -> Self {
        Self::Math(math)
    }
}

impl Series {
    pub(super) fn violations(&self) -> Vec<String> {
        match self {
            Self::Metric(metric) => metric.violations(),
            Self::Math(math) => math.violations(),
        }
    }

    /// Returns whether CloudFront measures any of it, which it does in `us-east-1` alone.
    pub(super) fn is_of_cloudfront(&self) -> bool {
        let is = |metric: &Metric| metric.namespace == "AWS/CloudFront";
        match self {
            Self::Metric(metric) => is(metric),
            Self::Math(math) => math.metrics.iter().any(|(_, metric)| is(metric)),
        }
    }

    /// Returns what no measurement means.
    pub(super) fn missing(&self) -> MissingData {
        match self {
            Self::Metric(metric) => metric.missing,
            // What is computed of metrics that are only there when something happens is so, too.
            Self::Math(math) => math
                .metrics
                .first()
                .map_or(MissingData::Missing, |(_, metric)| metric.missing),
        }
    }

    /// Fills in what an alarm looks at.
    pub(super) fn fill(self, alarm: &mut stack_model_cfn::cloudwatch::Alarm) {
        match self {
            Self::Metric(metric) => {
                if !metric.dimensions.is_empty() {
                    alarm.dimensions = metric.dimensions().into();
                }
                alarm.metric_name = metric.name.as_str().into();
                alarm.namespace = metric.namespace.as_str().into();
                alarm.period = i64::from(metric.period).into();
                if metric.statistic.is_percentile() {
                    alarm.extended_statistic = metric.statistic.name().into();
                } else {
                    alarm.statistic = metric.statistic.name().into();
                }
            }
            Self::Math(math) => {
                let mut queries = vec![cfn::MetricDataQuery {
                    expression: math.expression.as_str().into(),
                    id: RESULT.into(),
                    label: math.label.clone().into(),
                    return_data: true.into(),
                    ..cfn::MetricDataQuery::default()
                }];
                for (name, metric) in &math.metrics {
                    queries.push(cfn::MetricDataQuery {
                        id: name.as_str().into(),
                        metric_stat: metric.stat().into(),
                        return_data: false.into(),
                        ..cfn::MetricDataQuery::default()
                    });
                }
                alarm.metrics = queries.into();
            }
        }
    }

    /// Returns the lines of a widget; `number` tells the names of several expressions apart.
    pub(super) fn widget(&self, number: usize) -> Vec<Expr> {
        match self {
            Self::Metric(metric) => vec![metric.widget(None, true)],
            Self::Math(math) => {
                let mut expression = math.expression.clone();
                let mut lines = Vec::new();
                for (name, metric) in &math.metrics {
                    let unique = format!("{name}_{number}");
                    expression = rename(&expression, name, &unique);
                    lines.push(metric.widget(Some(&unique), false));
                }
                let mut options = vec![
                    ("expression", Expr::from(expression)),
                    ("id", Expr::from(format!("{RESULT}_{number}"))),
                ];
                options.extend(math.label.as_deref().map(|label| ("label", label.into())));
                lines.insert(0, Expr::List(vec![Expr::map(options)]));
                lines
            }
        }
    }
}

/// The name of the result of an expression.
const RESULT: &str = "result";

/// Renames one metric of an expression, wherever its name stands as a whole word.
fn rename(expression: &str, from: &str, to: &str) -> String {
    let is_word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let mut renamed = String::new();
    let mut word = String::new();
    let put = |word: &mut String, renamed: &mut String| {
        renamed.push_str(if word == from { to } else { word });
        word.clear();
    };
    for character in expression.chars() {
        if is_word(character) {
            word.push(character);
        } else {
            put(&mut word, &mut renamed);
            renamed.push(character);
        }
    }
    put(&mut word, &mut renamed);
    renamed
}

macro_rules! thresholds {
    ($($series:ty),*) => {$(
        impl $series {
            /// Alarms when the number is above this one.
            #[must_use]
            pub fn above(self, number: impl Into<f64>) -> Threshold {
                Threshold::new(self, Comparison::Above, number.into())
            }

            /// Alarms when the number is this one or above.
            #[must_use]
            pub fn at_least(self, number: impl Into<f64>) -> Threshold {
                Threshold::new(self, Comparison::AtLeast, number.into())
            }

            /// Alarms when the number is below this one.
            #[must_use]
            pub fn below(self, number: impl Into<f64>) -> Threshold {
                Threshold::new(self, Comparison::Below, number.into())
            }

            /// Alarms when the number is this one or below.
            #[must_use]
            pub fn at_most(self, number: impl Into<f64>) -> Threshold {
                Threshold::new(self, Comparison::AtMost, number.into())
            }
        }
    )*};
}

thresholds!(Metric, MetricMath);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_renamed_as_a_whole_word() {
        assert_eq!(
            rename("m / m1 + FILL(m,0)", "m", "m_1"),
            "m_1 / m1 + FILL(m_1,0)"
        );
    }
}
