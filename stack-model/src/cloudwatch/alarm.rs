//! Alarms of one series.

use std::panic::Location;

use stack_model_cfn::cloudwatch as cfn;
use stack_model_cfn::{ResourceId, Value};

use super::{AlarmAction, Series};
use crate::arn::Arn;
use crate::handle::{Handle, get_att, reference};
use crate::limit::Limited;
use crate::resource::Resource;
use crate::stack::Stack;

/// Marks the ARN of an alarm.
#[derive(Debug)]
pub enum Alarm {}

/// How many periods an alarm looks at.
pub type EvaluationPeriods = Limited<1, 1440>;

/// When a series alarms.
#[derive(Clone, Debug, PartialEq)]
pub struct Threshold {
    pub(super) series: Series,
    pub(super) comparison: Comparison,
    pub(super) number: f64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Comparison {
    Above,
    AtLeast,
    Below,
    AtMost,
}

impl Comparison {
    const fn name(self) -> &'static str {
        match self {
            Self::Above => "GreaterThanThreshold",
            Self::AtLeast => "GreaterThanOrEqualToThreshold",
            Self::Below => "LessThanThreshold",
            Self::AtMost => "LessThanOrEqualToThreshold",
        }
    }
}

impl Threshold {
    pub(super) fn new(series: impl Into<Series>, comparison: Comparison, number: f64) -> Self {
        Self {
            series: series.into(),
            comparison,
            number,
        }
    }
}

/// What a period without a measurement means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MissingData {
    /// Nothing is known; many of them make the alarm say so.
    Missing,
    /// Nothing happened, so all is well.
    NotBreaching,
    /// What measures is down, so all is not well.
    Breaching,
    /// The alarm stays as it is.
    Ignore,
}

impl MissingData {
    const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::NotBreaching => "notBreaching",
            Self::Breaching => "breaching",
            Self::Ignore => "ignore",
        }
    }
}

/// What an alarm is made of, beyond its threshold.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html>.
#[derive(Clone, Debug, Default)]
pub struct AlarmProps {
    /// The physical name, at most 255 characters. Leave it out unless something outside the stack needs it: a named
    /// alarm cannot be replaced.
    pub name: Option<Value<String>>,
    /// What the alarm means, and what to do about it, at most 1,024 characters.
    pub description: Option<String>,
    /// How many periods the alarm looks at; one by default.
    pub periods: Option<EvaluationPeriods>,
    /// How many of them must alarm; all by default.
    pub breaching_periods: Option<EvaluationPeriods>,
    /// What a period without a measurement means; by default what it means for the metric.
    pub missing: Option<MissingData>,
    /// Who is told when the alarm goes off.
    pub actions: Vec<AlarmAction>,
    /// Who is told when all is well again.
    pub ok_actions: Vec<AlarmAction>,
    /// Who is told when too little is known.
    pub insufficient_data_actions: Vec<AlarmAction>,
}

/// The handle of an alarm.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlarmRef {
    pub(super) id: ResourceId,
}

impl AlarmRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Alarm>> {
        get_att(&self.id, "Arn")
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for AlarmRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds an alarm. Topics and functions of this stack that it tells let CloudWatch in.
    #[track_caller]
    pub fn alarm(&mut self, logical_id: &str, threshold: Threshold, props: AlarmProps) -> AlarmRef {
        self.alarm_from(logical_id, threshold, props, Location::caller())
    }

    /// Adds an alarm on behalf of what is declared at `source`.
    pub(super) fn alarm_from(
        &mut self,
        logical_id: &str,
        threshold: Threshold,
        props: AlarmProps,
        source: &'static Location<'static>,
    ) -> AlarmRef {
        for message in threshold.series.violations() {
            self.report(logical_id, Some("Properties.Metrics"), message, source);
        }
        self.check_alarm(logical_id, &threshold, &props, source);
        let periods = props.periods.map_or(1, Limited::number);
        let missing = props.missing.unwrap_or(threshold.series.missing());
        let Threshold {
            series,
            comparison,
            number,
        } = threshold;
        let mut alarm = cfn::Alarm {
            alarm_actions: AlarmAction::arns(&props.actions).into(),
            alarm_description: props.description.into(),
            alarm_name: props.name.into(),
            comparison_operator: comparison.name().into(),
            datapoints_to_alarm: props.breaching_periods.map(Limited::number).into(),
            evaluation_periods: periods.into(),
            insufficient_data_actions: AlarmAction::arns(&props.insufficient_data_actions).into(),
            ok_actions: AlarmAction::arns(&props.ok_actions).into(),
            threshold: number.into(),
            treat_missing_data: missing.name().into(),
            ..cfn::Alarm::default()
        };
        series.fill(&mut alarm);
        let handle = AlarmRef {
            id: self.insert(logical_id, Resource::of(&alarm, source)).id,
        };
        let actions = [
            props.actions,
            props.ok_actions,
            props.insufficient_data_actions,
        ];
        for action in actions.concat() {
            self.let_alarm_in(&handle, &action, source);
        }
        handle
    }

    fn check_alarm(
        &mut self,
        id: &str,
        threshold: &Threshold,
        props: &AlarmProps,
        source: &Location<'_>,
    ) {
        self.check_limit(id, "Properties.EvaluationPeriods", props.periods, source);
        let breaching = props.breaching_periods;
        self.check_limit(id, "Properties.DatapointsToAlarm", breaching, source);
        let periods = props.periods.map_or(1, Limited::get);
        if let Some(breaching) = breaching.map(Limited::get)
            && breaching > periods
        {
            let message = format!(
                "{breaching} periods must alarm and the alarm looks at {periods}, so it never goes off"
            );
            self.report(id, Some("Properties.DatapointsToAlarm"), message, source);
        }
        // See <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/monitoring-using-cloudwatch.html>.
        if threshold.series.is_of_cloudfront() && self.region() != "us-east-1" {
            let message = format!(
                "CloudFront writes what it measures in us-east-1, and an alarm in {} would never see it: put it into a stack that is there (`stack.in_region(\"us-east-1\")`)",
                self.region()
            );
            self.report(id, Some("Properties.Namespace"), message, source);
        }
        if !threshold.number.is_finite() {
            let message = "the threshold is no number";
            self.report(id, Some("Properties.Threshold"), message, source);
        }
        let description = props.description.as_ref();
        if description.is_some_and(|text| text.chars().count() > 1024) {
            let message = "the description is longer than 1,024 characters";
            self.report(id, Some("Properties.AlarmDescription"), message, source);
        }
        for (path, actions) in [
            ("Properties.AlarmActions", &props.actions),
            ("Properties.OKActions", &props.ok_actions),
            (
                "Properties.InsufficientDataActions",
                &props.insufficient_data_actions,
            ),
        ] {
            if actions.len() > 5 {
                let message = format!("the alarm has {} actions and AWS takes 5", actions.len());
                self.report(id, Some(path), message, source);
            }
        }
    }
}
