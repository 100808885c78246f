use serde_json::json;
use stack_model::cloudwatch::{
    AlarmAction, AlarmProps, AlarmRule, CompositeAlarmProps, Dashboard, FunctionMetric, Metric,
    MetricMath, MissingData, Statistic,
};
use stack_model::logs::{LogGroupProps, MetricFilterProps};

use super::{alerts, work};
use crate::support::{dev, property, resources, texts, violations};

#[test]
fn an_alarm_tells_a_topic_that_lets_it() {
    let resources = resources(dev(), |stack| {
        let alerts = alerts(stack);
        let function = work(stack);
        let props = AlarmProps {
            name: Some("errors".into()),
            description: Some("Look at the log".to_owned()),
            periods: Some(3.into()),
            breaching_periods: Some(2.into()),
            missing: Some(MissingData::Ignore),
            actions: vec![(&alerts).into()],
            ok_actions: vec![(&alerts).into()],
            insufficient_data_actions: vec![AlarmAction::arn(
                "arn:aws:automate:eu-central-1:ec2:stop",
            )],
        };
        let errors = function.metric(FunctionMetric::Errors).every(60);
        stack.alarm("Errors", errors.above(0.5), props);
    });
    assert_eq!(
        resources["Errors"]["Properties"],
        json!({
            "AlarmActions": [{"Ref": "Alerts"}],
            "AlarmDescription": "Look at the log",
            "AlarmName": "errors",
            "ComparisonOperator": "GreaterThanThreshold",
            "DatapointsToAlarm": 2,
            "Dimensions": [{"Name": "FunctionName", "Value": {"Ref": "Work"}}],
            "EvaluationPeriods": 3,
            "InsufficientDataActions": ["arn:aws:automate:eu-central-1:ec2:stop"],
            "MetricName": "Errors",
            "Namespace": "AWS/Lambda",
            "OKActions": [{"Ref": "Alerts"}],
            "Period": 60,
            "Statistic": "Sum",
            "Threshold": 0.5,
            "TreatMissingData": "ignore",
        })
    );
    let statements = &resources["AlertsPolicy"]["Properties"]["PolicyDocument"]["Statement"];
    assert_eq!(
        statements.as_array().unwrap()[1..],
        [json!({
            "Effect": "Allow",
            "Action": "sns:Publish",
            "Resource": {"Ref": "Alerts"},
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Condition": {"ArnLike": {"aws:SourceArn": {
                "Fn::Sub": "arn:${AWS::Partition}:cloudwatch:${AWS::Region}:${AWS::AccountId}:alarm:*"
            }}},
        })]
    );
}

#[test]
fn an_alarm_can_invoke_a_function() {
    let resources = resources(dev(), |stack| {
        let function = work(stack);
        let props = AlarmProps {
            actions: vec![(&function).into()],
            ok_actions: vec![(&function).into()],
            ..AlarmProps::default()
        };
        stack.alarm("Few", Metric::new("Shop", "Orders").at_most(1), props);
    });
    assert_eq!(
        resources["FewWorkPermission"]["Properties"],
        json!({
            "Action": "lambda:InvokeFunction",
            "FunctionName": {"Fn::GetAtt": ["Work", "Arn"]},
            "Principal": "lambda.alarms.cloudwatch.amazonaws.com",
            "SourceArn": {"Fn::GetAtt": ["Few", "Arn"]},
        })
    );
}

#[test]
fn a_topic_of_another_stack_has_to_let_alarms_in_there() {
    let make = |lets: bool| {
        let mut app = dev();
        let mut shared = app.stack("alerts");
        let topic = alerts(&mut shared);
        if lets {
            shared.let_alarms_publish(&topic);
        }
        let mut stack = app.stack("orders");
        let props = AlarmProps {
            actions: vec![(&topic).into()],
            ..AlarmProps::default()
        };
        stack.alarm("Few", Metric::new("Shop", "Orders").below(1), props);
        app.synth()
    };
    assert!(make(true).is_ok());
    assert_eq!(
        texts(&make(false).unwrap_err()),
        [
            "orders / Few / Properties.AlarmActions: the topic `Alerts` of the stack `alerts` does not let alarms publish: call `let_alarms_publish` where it is made"
        ]
    );
}

#[test]
fn alarms_of_alarms_have_a_rule() {
    let resources = resources(dev(), |stack| {
        let alerts = alerts(stack);
        let mut alarm = |id: &str| {
            let metric = Metric::new("Shop", id);
            stack.alarm(id, metric.above(1), AlarmProps::default())
        };
        let (errors, traffic, deploying) = (alarm("Errors"), alarm("Traffic"), alarm("Deploying"));
        let rule = AlarmRule::all([
            AlarmRule::any([AlarmRule::alarm(&errors), AlarmRule::ok(&traffic)]),
            AlarmRule::not(AlarmRule::alarm(&deploying)),
        ]);
        let props = CompositeAlarmProps {
            actions: vec![(&alerts).into()],
            ..CompositeAlarmProps::default()
        };
        stack.composite_alarm("Broken", &rule, props);
    });
    assert_eq!(
        resources["Broken"]["Properties"],
        json!({
            "AlarmActions": [{"Ref": "Alerts"}],
            "AlarmRule": {"Fn::Sub": "((ALARM(\"${Errors.Arn}\") OR OK(\"${Traffic.Arn}\")) AND NOT (ALARM(\"${Deploying.Arn}\")))"},
        })
    );
}

#[test]
fn numbers_can_be_computed_of_metrics() {
    let metrics = property(dev(), "Share", "Metrics", |stack| {
        let function = work(stack);
        let share = MetricMath::new(
            "100 * errors / all",
            [
                ("errors", function.metric(FunctionMetric::Errors)),
                ("all", function.metric(FunctionMetric::Invocations)),
            ],
        );
        stack.alarm(
            "Share",
            share.label("Share").above(5),
            AlarmProps::default(),
        );
    });
    insta::assert_json_snapshot!(metrics, @r#"
    [
      {
        "Expression": "100 * errors / all",
        "Id": "result",
        "Label": "Share",
        "ReturnData": true
      },
      {
        "Id": "errors",
        "MetricStat": {
          "Metric": {
            "Dimensions": [
              {
                "Name": "FunctionName",
                "Value": {
                  "Ref": "Work"
                }
              }
            ],
            "MetricName": "Errors",
            "Namespace": "AWS/Lambda"
          },
          "Period": 300,
          "Stat": "Sum"
        },
        "ReturnData": false
      },
      {
        "Id": "all",
        "MetricStat": {
          "Metric": {
            "Dimensions": [
              {
                "Name": "FunctionName",
                "Value": {
                  "Ref": "Work"
                }
              }
            ],
            "MetricName": "Invocations",
            "Namespace": "AWS/Lambda"
          },
          "Period": 300,
          "Stat": "Sum"
        },
        "ReturnData": false
      }
    ]
    "#);
}

#[test]
fn what_is_wrong_with_alarms_and_dashboards_is_reported() {
    let found = violations(dev(), |stack| {
        let group = stack.log_group("Audit", LogGroupProps::default());
        let metric = Metric::new("Shop", "Orders").every(90);
        let props = AlarmProps {
            periods: Some(1.into()),
            breaching_periods: Some(2.into()),
            ..AlarmProps::default()
        };
        stack.alarm("Never", metric.above(f64::NAN), props);
        let math = MetricMath::new(
            "A",
            [
                (
                    "A",
                    Metric::new("", "x").statistic(Statistic::Percentile(101.0)),
                ),
                ("A", Metric::new("Shop", "x")),
            ],
        );
        stack.alarm("Math", math.above(1), AlarmProps::default());
        let rule = AlarmRule::any([]);
        stack.composite_alarm("Empty", &rule, CompositeAlarmProps::default());
        stack.dashboard("Dashboard", Dashboard::default().row([]));
        let filter = MetricFilterProps {
            value: "many".to_owned(),
            ..MetricFilterProps::count("{ $.a = 1", "AWS/Lambda", "Errors")
        };
        stack.metric_filter("Filter", &group, filter);
    });
    assert_eq!(
        found[..13],
        [
            "orders / Never / Properties.Metrics: the period of `Orders` is 90 s: use 1, 5, 10, 20, 30, or a multiple of 60",
            "orders / Never / Properties.DatapointsToAlarm: 2 periods must alarm and the alarm looks at 1, so it never goes off",
            "orders / Never / Properties.Threshold: the threshold is no number",
            "orders / Math / Properties.Metrics: `A` is no name in an expression: use letters, digits and `_`, a small letter first",
            "orders / Math / Properties.Metrics: the percentile 101 of `x` is not between 0 and 100",
            "orders / Math / Properties.Metrics: `x` needs a namespace, which does not begin with a colon",
            "orders / Math / Properties.Metrics: `A` is no name in an expression: use letters, digits and `_`, a small letter first",
            "orders / Math / Properties.Metrics: the expression has two metrics `A`",
            "orders / Empty / Properties.AlarmRule: a list of rules is empty",
            "orders / Dashboard / Properties.DashboardBody: row 1 has 0 widgets: a row has 1 to 24",
            "orders / Filter / Properties.FilterPattern: a pattern for JSON stands in braces, such as `{ $.level = \"ERROR\" }`",
            "orders / Filter / Properties.MetricTransformations: the namespace `AWS/Lambda` belongs to AWS: choose one of the application",
            "orders / Filter / Properties.MetricTransformations: `many` is neither a number nor a field such as `$.duration`",
        ]
    );
}
