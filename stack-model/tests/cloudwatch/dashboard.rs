use serde_json::Value as Json;
use stack_model::cloudwatch::{
    AlarmProps, Dashboard, FunctionMetric, MetricMath, QueueMetric, Statistic, Widget,
};
use stack_model::sqs::QueueProps;
use stack_model::text;

use super::work;
use crate::support::{dev, property};

#[test]
fn a_dashboard_is_json_with_tokens_in_it() {
    let body = property(dev(), "Dashboard", "DashboardBody", |stack| {
        let function = work(stack);
        let queue = stack.queue::<String>("Orders", QueueProps::default());
        let errors = function.metric(FunctionMetric::Errors);
        let alarm = stack.alarm("Errors", errors.clone().above(1), AlarmProps::default());
        let share = MetricMath::new(
            "errors / all",
            [
                ("errors", errors.clone()),
                ("all", function.metric(FunctionMetric::Invocations)),
            ],
        );
        let slow = function
            .metric(FunctionMetric::Duration)
            .statistic(Statistic::Percentile(99.9))
            .label("p99.9");
        let dashboard = Dashboard::default()
            .row([Widget::text(text!("# \"{}\"", function.name()))])
            .row([
                Widget::graph("Errors", [errors]),
                Widget::stacked("Share", [share.label("Share")]),
                Widget::numbers("Waiting", [queue.metric(QueueMetric::Visible)]).tall(3),
            ])
            .row([
                Widget::graph("Slow", [slow]),
                Widget::alarms("Alarms", [&alarm]),
                Widget::logs("Log", [function.log_group()], "filter level = \"ERROR\""),
            ]);
        stack.dashboard("Dashboard", dashboard);
    });
    let text = body["Fn::Sub"].as_str().unwrap();
    let parsed: Json = serde_json::from_str(text).unwrap();
    insta::assert_json_snapshot!(parsed, @r##"
    {
      "widgets": [
        {
          "height": 2,
          "properties": {
            "markdown": "# \"${Work}\""
          },
          "type": "text",
          "width": 24,
          "x": 0,
          "y": 0
        },
        {
          "height": 6,
          "properties": {
            "metrics": [
              [
                "AWS/Lambda",
                "Errors",
                "FunctionName",
                "${Work}",
                {
                  "period": 300,
                  "stat": "Sum"
                }
              ]
            ],
            "region": "${AWS::Region}",
            "stacked": false,
            "title": "Errors",
            "view": "timeSeries"
          },
          "type": "metric",
          "width": 8,
          "x": 0,
          "y": 2
        },
        {
          "height": 6,
          "properties": {
            "metrics": [
              [
                {
                  "expression": "errors_1 / all_1",
                  "id": "result_1",
                  "label": "Share"
                }
              ],
              [
                "AWS/Lambda",
                "Errors",
                "FunctionName",
                "${Work}",
                {
                  "id": "errors_1",
                  "period": 300,
                  "stat": "Sum",
                  "visible": false
                }
              ],
              [
                "AWS/Lambda",
                "Invocations",
                "FunctionName",
                "${Work}",
                {
                  "id": "all_1",
                  "period": 300,
                  "stat": "Sum",
                  "visible": false
                }
              ]
            ],
            "region": "${AWS::Region}",
            "stacked": true,
            "title": "Share",
            "view": "timeSeries"
          },
          "type": "metric",
          "width": 8,
          "x": 8,
          "y": 2
        },
        {
          "height": 6,
          "properties": {
            "metrics": [
              [
                "AWS/SQS",
                "ApproximateNumberOfMessagesVisible",
                "QueueName",
                "${Orders.QueueName}",
                {
                  "period": 300,
                  "stat": "Maximum"
                }
              ]
            ],
            "region": "${AWS::Region}",
            "stacked": false,
            "title": "Waiting",
            "view": "singleValue"
          },
          "type": "metric",
          "width": 8,
          "x": 16,
          "y": 2
        },
        {
          "height": 6,
          "properties": {
            "metrics": [
              [
                "AWS/Lambda",
                "Duration",
                "FunctionName",
                "${Work}",
                {
                  "label": "p99.9",
                  "period": 300,
                  "stat": "p99.9"
                }
              ]
            ],
            "region": "${AWS::Region}",
            "stacked": false,
            "title": "Slow",
            "view": "timeSeries"
          },
          "type": "metric",
          "width": 8,
          "x": 0,
          "y": 8
        },
        {
          "height": 6,
          "properties": {
            "alarms": [
              "${Errors.Arn}"
            ],
            "title": "Alarms"
          },
          "type": "alarm",
          "width": 8,
          "x": 8,
          "y": 8
        },
        {
          "height": 6,
          "properties": {
            "query": "SOURCE '${WorkLogs}' | filter level = \"ERROR\"",
            "region": "${AWS::Region}",
            "title": "Log",
            "view": "table"
          },
          "type": "log",
          "width": 8,
          "x": 16,
          "y": 8
        }
      ]
    }
    "##);
}
