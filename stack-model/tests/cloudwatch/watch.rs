use serde_json::{Value as Json, json};
use stack_model::Stack;
use stack_model::apigateway::{
    Authorization, HttpMethod, Integration, MethodProps, RestApiProps, StageProps,
};
use stack_model::apigatewayv2::{
    HttpApiProps, HttpStageProps, WebSocketApiProps, WebSocketStageProps,
};
use stack_model::cloudfront::{Behavior, DistributionProps};
use stack_model::cloudwatch::{AlarmAction, AlarmProps, RestStageMetric};
use stack_model::dynamodb::TableProps;
use stack_model::events::{Delivery, EventBusProps, EventBusRef, EventPattern, RuleProps};
use stack_model::logs::LogGroupProps;
use stack_model::s3::BucketProps;
use stack_model::sqs::{DeadLetterQueue, QueueProps};

use super::{Item, alerts, work};
use crate::support::{dev, property, resources, violations};

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
fn stages_of_http_and_websocket_apis_are_watched() {
    let resources = resources(dev(), |stack| {
        let api = stack.http_api("Api", HttpApiProps::default());
        let live = stack.http_stage("Live", &api, HttpStageProps::default());
        let chat = stack.websocket_api("Chat", WebSocketApiProps::default());
        let talk = stack.websocket_stage("Talk", &chat, WebSocketStageProps::named("live"));
        stack.watch(&live, &[]);
        stack.watch(&talk, &[]);
    });
    let of = |api: &str, stage: &str| {
        json!([
            {"Name": "ApiId", "Value": {"Ref": api}},
            {"Name": "Stage", "Value": {"Ref": stage}},
        ])
    };
    let reached = "GreaterThanOrEqualToThreshold";
    let well = "notBreaching";
    assert_eq!(
        alarms(&resources),
        json!({
            "LiveErrorsAlarm": ["5xx", "Average", 300, 1, reached, 0.01, well, of("Api", "Live")],
            "LiveLatencyAlarm": ["Latency", "p99", 300, 3, reached, 5000, well, of("Api", "Live")],
            "TalkExecutionErrorsAlarm": ["ExecutionError", "Sum", 300, 1, reached, 1, well, of("Chat", "Talk")],
            "TalkIntegrationErrorsAlarm": ["IntegrationError", "Sum", 300, 1, reached, 10, well, of("Chat", "Talk")],
        })
    );
}

#[test]
fn a_distribution_is_watched_where_cloudfront_measures() {
    let watch = |stack: &mut Stack<'_>| {
        let pages = stack.bucket("Pages", BucketProps::default());
        let site = stack.distribution("Site", DistributionProps::new(Behavior::of_bucket(&pages)));
        stack.watch(&site, &[]);
    };
    let resources = resources(dev(), |stack| {
        stack.in_region("us-east-1");
        watch(stack);
    });
    assert_eq!(
        alarms(&resources),
        json!({
            "SiteErrorsAlarm": [
                "5xxErrorRate", "Average", 300, 3, "GreaterThanOrEqualToThreshold", 1, "notBreaching",
                [
                    {"Name": "DistributionId", "Value": {"Fn::GetAtt": ["Site", "Id"]}},
                    {"Name": "Region", "Value": "Global"},
                ],
            ],
        })
    );
    assert_eq!(
        violations(dev(), watch),
        [
            "orders / SiteErrorsAlarm / Properties.Namespace: CloudFront writes what it measures in us-east-1, and an alarm in eu-central-1 would never see it: put it into a stack that is there (`stack.in_region(\"us-east-1\")`)"
        ]
    );
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
