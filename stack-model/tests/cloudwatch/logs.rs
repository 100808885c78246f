use serde_json::json;
use stack_model::cloudwatch::AlarmProps;
use stack_model::events::ArnTarget;
use stack_model::logs::{LogGroupProps, MetricFilterProps};
use stack_model::policy::Statement;

use super::work;
use crate::support::{dev, resources};

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
            resources["ToFirehoseRole"]["Properties"],
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
        "AssumeRolePolicyDocument": {
          "Statement": [
            {
              "Action": "sts:AssumeRole",
              "Condition": {
                "StringLike": {
                  "aws:SourceArn": {
                    "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"
                  }
                }
              },
              "Effect": "Allow",
              "Principal": {
                "Service": "logs.amazonaws.com"
              }
            }
          ],
          "Version": "2012-10-17"
        },
        "Policies": [
          {
            "PolicyDocument": {
              "Statement": [
                {
                  "Action": "firehose:PutRecord",
                  "Effect": "Allow",
                  "Resource": "arn:aws:firehose:eu-central-1:123456789012:deliverystream/audit"
                }
              ],
              "Version": "2012-10-17"
            },
            "PolicyName": "granted"
          }
        ]
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
    "#,
    );
}
