//! Metrics, alarms and dashboards.

use serde_json::{Value as Json, json};
use stack_model::apigateway::{
    Authorization, HttpMethod, Integration, MethodProps, RestApiProps, StageProps,
};
use stack_model::cloudwatch::{
    AlarmAction, AlarmProps, AlarmRule, CompositeAlarmProps, Dashboard, FunctionMetric, Metric,
    MetricMath, MissingData, QueueMetric, RestStageMetric, Statistic, Widget,
};
use stack_model::contract::{
    Accepts, FunctionContract, KeyAttribute, KeyKind, TableItem, TableSchema, Wired, event,
};
use stack_model::dynamodb::TableProps;
use stack_model::events::{
    ArnTarget, Delivery, EventBusProps, EventBusRef, EventPattern, RuleProps,
};
use stack_model::lambda::{FunctionProps, FunctionRef};
use stack_model::logs::{LogGroupProps, MetricFilterProps};
use stack_model::policy::Statement;
use stack_model::sns::{self, TopicProps, TopicRef};
use stack_model::sqs::{DeadLetterQueue, QueueProps};
use stack_model::{Stack, text};

use crate::support::{dev, property, resources, texts, violations};

struct Item;

impl TableItem for Item {
    fn schema() -> TableSchema {
        TableSchema {
            partition_key: KeyAttribute {
                name: "id".to_owned(),
                kind: KeyKind::String,
            },
            sort_key: None,
            indexes: Vec::new(),
            time_to_live: None,
        }
    }
}

struct Work;

impl FunctionContract for Work {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-work";
}

impl Accepts<event::Invocation<Json>> for Work {}
impl Accepts<event::ApiRequest> for Work {}

fn work(stack: &mut Stack<'_>) -> FunctionRef<Work> {
    let props = FunctionProps {
        timeout: Some(10.into()),
        ..FunctionProps::default()
    };
    stack.function("Work", Wired::new(Vec::new()), props)
}

fn alerts(stack: &mut Stack<'_>) -> TopicRef<String> {
    let props = TopicProps {
        encryption: sns::Encryption::Off,
        ..TopicProps::default()
    };
    stack.topic("Alerts", props)
}

/// Returns what the alarms of a stack look at, by their logical ids.
fn alarms(resources: &Json) -> Json {
    let alarm = |properties: &Json| {
        let metric = if properties["MetricName"].is_null() {
            properties["Metrics"][0]["Expression"].clone()
        } else {
            properties["MetricName"].clone()
        };
        let statistic = properties["Statistic"].as_str();
        let statistic = statistic.or_else(|| properties["ExtendedStatistic"].as_str());
        json!([
            metric,
            statistic,
            properties["Period"],
            properties["EvaluationPeriods"],
            properties["ComparisonOperator"],
            properties["Threshold"],
            properties["TreatMissingData"],
            properties["Dimensions"],
        ])
    };
    resources
        .as_object()
        .unwrap()
        .iter()
        .filter(|(_, resource)| resource["Type"] == "AWS::CloudWatch::Alarm")
        .map(|(id, resource)| (id.clone(), alarm(&resource["Properties"])))
        .collect()
}

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
fn what_is_watched_has_the_alarms_that_fit_it() {
    let resources = resources(dev(), |stack| {
        let alerts = [AlarmAction::from(&alerts(stack))];
        let function = work(stack);
        let dead = stack.queue::<String>("Dead", QueueProps::default());
        let queue = stack.queue::<String>("Orders", QueueProps::default());
        let table = stack.table::<Item>("Table", TableProps::default());
        let bus = stack.event_bus("Bus", EventBusProps::default());
        let pattern = EventPattern::source("shop");
        let rule = stack.rule("Rule", &bus, pattern.clone(), RuleProps::default());
        let of_account = EventBusRef::of_account();
        let default = stack.rule("Default", &of_account, pattern, RuleProps::default());
        let log = stack.log_group("Log", LogGroupProps::default());
        stack.target(&rule, &log, Delivery::event());
        stack.target(&default, &log, Delivery::event());
        let group = stack.schedule_group("Schedules");
        stack.watch(&function, &alerts);
        stack.watch(&queue, &alerts);
        stack.watch(&DeadLetterQueue::from(&dead), &alerts);
        stack.watch(&table, &alerts);
        stack.watch(&rule, &alerts);
        stack.watch(&default, &alerts);
        stack.watch(&group, &alerts);
    });
    insta::assert_json_snapshot!(alarms(&resources), @r#"
    {
      "DeadNotEmptyAlarm": [
        "ApproximateNumberOfMessagesVisible",
        "Maximum",
        60,
        1,
        "GreaterThanOrEqualToThreshold",
        1,
        "notBreaching",
        [
          {
            "Name": "QueueName",
            "Value": {
              "Fn::GetAtt": [
                "Dead",
                "QueueName"
              ]
            }
          }
        ]
      ],
      "DefaultFailedAlarm": [
        "FailedInvocations",
        "Sum",
        300,
        1,
        "GreaterThanOrEqualToThreshold",
        1,
        "notBreaching",
        [
          {
            "Name": "RuleName",
            "Value": {
              "Fn::Select": [
                1,
                {
                  "Fn::Split": [
                    "/",
                    {
                      "Fn::GetAtt": [
                        "Default",
                        "Arn"
                      ]
                    }
                  ]
                }
              ]
            }
          }
        ]
      ],
      "OrdersAgeAlarm": [
        "ApproximateAgeOfOldestMessage",
        "Maximum",
        300,
        1,
        "GreaterThanOrEqualToThreshold",
        900,
        "notBreaching",
        [
          {
            "Name": "QueueName",
            "Value": {
              "Fn::GetAtt": [
                "Orders",
                "QueueName"
              ]
            }
          }
        ]
      ],
      "RuleFailedAlarm": [
        "FailedInvocations",
        "Sum",
        300,
        1,
        "GreaterThanOrEqualToThreshold",
        1,
        "notBreaching",
        [
          {
            "Name": "EventBusName",
            "Value": {
              "Ref": "Bus"
            }
          },
          {
            "Name": "RuleName",
            "Value": {
              "Fn::Select": [
                2,
                {
                  "Fn::Split": [
                    "/",
                    {
                      "Fn::GetAtt": [
                        "Rule",
                        "Arn"
                      ]
                    }
                  ]
                }
              ]
            }
          }
        ]
      ],
      "SchedulesDroppedAlarm": [
        "InvocationDroppedCount",
        "Sum",
        300,
        1,
        "GreaterThanOrEqualToThreshold",
        1,
        "notBreaching",
        [
          {
            "Name": "ScheduleGroup",
            "Value": {
              "Ref": "Schedules"
            }
          }
        ]
      ],
      "TableSystemErrorsAlarm": [
        "SUM(METRICS())",
        null,
        null,
        1,
        "GreaterThanOrEqualToThreshold",
        1,
        "notBreaching",
        null
      ],
      "TableThrottlesAlarm": [
        "FILL(reads, 0) + FILL(writes, 0)",
        null,
        null,
        1,
        "GreaterThanOrEqualToThreshold",
        10,
        "notBreaching",
        null
      ],
      "WorkDurationAlarm": [
        "Duration",
        "p99",
        300,
        3,
        "GreaterThanOrEqualToThreshold",
        9000,
        "notBreaching",
        [
          {
            "Name": "FunctionName",
            "Value": {
              "Ref": "Work"
            }
          }
        ]
      ],
      "WorkErrorsAlarm": [
        "Errors",
        "Sum",
        300,
        1,
        "GreaterThanOrEqualToThreshold",
        1,
        "notBreaching",
        [
          {
            "Name": "FunctionName",
            "Value": {
              "Ref": "Work"
            }
          }
        ]
      ],
      "WorkThrottlesAlarm": [
        "Throttles",
        "Sum",
        300,
        1,
        "GreaterThanOrEqualToThreshold",
        1,
        "notBreaching",
        [
          {
            "Name": "FunctionName",
            "Value": {
              "Ref": "Work"
            }
          }
        ]
      ]
    }
    "#);
    insta::assert_json_snapshot!(resources["TableThrottlesAlarm"]["Properties"], @r#"
    {
      "AlarmActions": [
        {
          "Ref": "Alerts"
        }
      ],
      "AlarmDescription": "Reads or writes of the table were refused: look for a hot partition, or raise the capacity",
      "ComparisonOperator": "GreaterThanOrEqualToThreshold",
      "EvaluationPeriods": 1,
      "Metrics": [
        {
          "Expression": "FILL(reads, 0) + FILL(writes, 0)",
          "Id": "result",
          "ReturnData": true
        },
        {
          "Id": "reads",
          "MetricStat": {
            "Metric": {
              "Dimensions": [
                {
                  "Name": "TableName",
                  "Value": {
                    "Ref": "Table"
                  }
                }
              ],
              "MetricName": "ReadThrottleEvents",
              "Namespace": "AWS/DynamoDB"
            },
            "Period": 300,
            "Stat": "Sum"
          },
          "ReturnData": false
        },
        {
          "Id": "writes",
          "MetricStat": {
            "Metric": {
              "Dimensions": [
                {
                  "Name": "TableName",
                  "Value": {
                    "Ref": "Table"
                  }
                }
              ],
              "MetricName": "WriteThrottleEvents",
              "Namespace": "AWS/DynamoDB"
            },
            "Period": 300,
            "Stat": "Sum"
          },
          "ReturnData": false
        }
      ],
      "Threshold": 10,
      "TreatMissingData": "notBreaching"
    }
    "#);
}

#[test]
fn an_api_is_measured_under_its_name() {
    let dimensions = property(dev(), "Errors", "Dimensions", |stack| {
        let props = RestApiProps {
            name: Some("shop".into()),
            ..RestApiProps::default()
        };
        let api = stack.rest_api("Api", props);
        let function = work(stack);
        let integration = Integration::lambda_proxy(&function);
        let props = MethodProps::new(HttpMethod::Get, Authorization::Iam, integration);
        stack.rest_method("Get", &api.root(), props);
        let stage = stack.rest_stage("Live", &api, StageProps::named("live"));
        let errors = stack.rest_stage_metric(&stage, RestStageMetric::ServerErrors);
        stack.alarm("Errors", errors.above(1), AlarmProps::default());
    });
    assert_eq!(
        dimensions,
        json!([
            {"Name": "ApiName", "Value": "shop"},
            {"Name": "Stage", "Value": {"Ref": "Live"}},
        ])
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

#[test]
fn metrics_and_events_are_made_of_logs() {
    let resources = resources(dev(), |stack| {
        let function = work(stack);
        let group = stack.log_group("Audit", LogGroupProps::default());
        let refused = MetricFilterProps::count("{ $.outcome = \"refused\" }", "Orders", "Refused");
        let refused = stack.metric_filter("Refused", &group, refused);
        stack.alarm("ManyRefused", refused.above(10), AlarmProps::default());
        stack.log_subscription("ToFunction", &group, "", &function);
        let arn = "arn:aws:firehose:eu-central-1:123456789012:deliverystream/audit";
        let put = Statement::allow(["firehose:PutRecord"]).on(arn);
        stack.log_subscription(
            "ToFirehose",
            &group,
            "ERROR",
            &ArnTarget::new("F", arn, [put]),
        );
        stack.query_definition(
            "Slow",
            "orders/slow",
            [function.log_group()],
            "sort @duration desc",
        );
    });
    assert_eq!(
        resources["ManyRefused"]["Properties"]["TreatMissingData"],
        "notBreaching"
    );
    insta::assert_json_snapshot!(
        json!([
            resources["Refused"]["Properties"],
            resources["ToFunction"],
            resources["ToFunctionPermission"]["Properties"],
            resources["ToFirehose"]["Properties"],
            resources["Slow"]["Properties"],
        ]),
        @r#"
    [
      {
        "FilterPattern": "{ $.outcome = \"refused\" }",
        "LogGroupName": {
          "Ref": "Audit"
        },
        "MetricTransformations": [
          {
            "MetricName": "Refused",
            "MetricNamespace": "Orders",
            "MetricValue": "1"
          }
        ]
      },
      {
        "DependsOn": [
          "ToFunctionPermission"
        ],
        "Properties": {
          "DestinationArn": {
            "Fn::GetAtt": [
              "Work",
              "Arn"
            ]
          },
          "FilterPattern": "",
          "LogGroupName": {
            "Ref": "Audit"
          }
        },
        "Type": "AWS::Logs::SubscriptionFilter"
      },
      {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {
          "Fn::GetAtt": [
            "Work",
            "Arn"
          ]
        },
        "Principal": "logs.amazonaws.com",
        "SourceArn": {
          "Fn::GetAtt": [
            "Audit",
            "Arn"
          ]
        }
      },
      {
        "DestinationArn": "arn:aws:firehose:eu-central-1:123456789012:deliverystream/audit",
        "FilterPattern": "ERROR",
        "LogGroupName": {
          "Ref": "Audit"
        },
        "RoleArn": {
          "Fn::GetAtt": [
            "ToFirehoseRole",
            "Arn"
          ]
        }
      },
      {
        "LogGroupNames": [
          {
            "Ref": "WorkLogs"
          }
        ],
        "Name": "orders/slow",
        "QueryString": "sort @duration desc"
      }
    ]
    "#
    );
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

/// What somebody on call needs of a small system.
fn monitoring(stack: &mut Stack<'_>) {
    stack.describe("What somebody on call needs of a small system");
    let topic = alerts(stack);
    let alerts = [AlarmAction::from(&topic)];
    let function = work(stack);
    let dead = stack.queue::<String>("Dead", QueueProps::default());
    let queue = stack.queue::<String>(
        "Orders",
        QueueProps {
            redrive: Some(dead.after(5)),
            ..QueueProps::default()
        },
    );
    let table = stack.table::<Item>("Table", TableProps::default());
    let of_function = stack.watch(&function, &alerts);
    stack.watch(&queue, &alerts);
    stack.watch(&DeadLetterQueue::from(&dead), &alerts);
    stack.watch(&table, &alerts);
    let broken = AlarmRule::any(of_function.iter().map(AlarmRule::alarm));
    let props = CompositeAlarmProps {
        actions: alerts.to_vec(),
        ..CompositeAlarmProps::default()
    };
    stack.composite_alarm("Broken", &broken, props);
    let panics = MetricFilterProps::count("panicked", "Orders", "Panics");
    let panics = stack.metric_filter("Panics", function.log_group(), panics);
    stack.alarm(
        "Panicked",
        panics.clone().at_least(1),
        AlarmProps::default(),
    );
    let share = MetricMath::new(
        "100 * errors / all",
        [
            ("errors", function.metric(FunctionMetric::Errors)),
            ("all", function.metric(FunctionMetric::Invocations)),
        ],
    );
    let dashboard = Dashboard::default()
        .row([Widget::text(text!("# Orders in {}", stack.stage().name()))])
        .row([
            Widget::graph("Errors, %", [share]),
            Widget::graph("Panics", [panics]),
            Widget::graph("Waiting orders", [queue.metric(QueueMetric::Visible)]),
        ])
        .row([
            Widget::alarms("Alarms", &of_function),
            Widget::logs("Errors", [function.log_group()], "filter level = 'ERROR'"),
        ]);
    stack.dashboard("Dashboard", dashboard);
    stack.query_definition(
        "Slow",
        "orders/slow",
        [function.log_group()],
        "sort @duration desc",
    );
}

#[test]
fn what_somebody_on_call_needs() {
    crate::golden::compare("monitoring.prod", crate::support::prod(), monitoring);
}
