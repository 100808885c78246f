//! Flows inside of states.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::s3::BucketProps;
use stack_model::stepfunctions::{
    ChildExecutions, Expression, Flow, ItemReader, Map, Parallel, Pass, Retry, Succeed, context,
    errors,
};
use stack_model::{path, payload};

use super::{add, flow_of};
use crate::support::{dev, resources};

/// A flow of one state that ends.
fn one(name: &str) -> Flow {
    let mut flow = Flow::new();
    flow.add(name, Succeed::new());
    flow
}

#[test]
fn flows_stand_in_flows() {
    let mut inner = Flow::new();
    inner.add("Inner", Pass::new().end());
    let mut flow = Flow::new();
    flow.add(
        "Both",
        Parallel::of([inner, one("Other")])
            .parameters(payload!({ "id": path!("$.id") }))
            .result_selector(payload!({ "first": path!("$[0]") }))
            .retry(Retry {
                interval: Some(1.into()),
                max_attempts: Some(2.into()),
                backoff_rate: Some(1.5),
                max_delay: Some(60.into()),
                jitter: true,
                ..Retry::on([errors::BRANCH_FAILED])
            }),
    );
    flow.add(
        "Each",
        Map::each(one("Element"))
            .items(path!("$.list"))
            .item_selector(payload!({ "value": context::MAP_ITEM_VALUE }))
            .max_concurrency(5)
            .end(),
    );
    assert_json_snapshot!(flow_of(flow)["States"], @r#"
    {
      "Both": {
        "Branches": [
          {
            "StartAt": "Inner",
            "States": {
              "Inner": {
                "End": true,
                "Type": "Pass"
              }
            }
          },
          {
            "StartAt": "Other",
            "States": {
              "Other": {
                "Type": "Succeed"
              }
            }
          }
        ],
        "Next": "Each",
        "Parameters": {
          "id.$": "$.id"
        },
        "ResultSelector": {
          "first.$": "$[0]"
        },
        "Retry": [
          {
            "BackoffRate": 1.5,
            "ErrorEquals": [
              "States.BranchFailed"
            ],
            "IntervalSeconds": 1,
            "JitterStrategy": "FULL",
            "MaxAttempts": 2,
            "MaxDelaySeconds": 60
          }
        ],
        "Type": "Parallel"
      },
      "Each": {
        "End": true,
        "ItemProcessor": {
          "ProcessorConfig": {
            "Mode": "INLINE"
          },
          "StartAt": "Element",
          "States": {
            "Element": {
              "Type": "Succeed"
            }
          }
        },
        "ItemSelector": {
          "value.$": "$$.Map.Item.Value"
        },
        "ItemsPath": "$.list",
        "MaxConcurrency": 5,
        "Type": "Map"
      }
    }
    "#);
}

#[test]
fn a_distributed_map_starts_executions_of_its_own_state_machine() {
    let resources = resources(dev(), |stack| {
        let bucket = stack.bucket("Photos", BucketProps::default());
        let mut flow = Flow::new();
        flow.add(
            "Each",
            Map::distributed(one("Element"), ChildExecutions::Express)
                .reader(ItemReader::csv(&bucket, path!("$.key")))
                .results_to(&bucket, "results/")
                .tolerated_failure_percentage(5)
                .batches_of(10)
                .end(),
        );
        add(stack, flow);
    });
    assert_json_snapshot!(super::read(&resources["Machine"])["States"]["Each"], @r#"
    {
      "End": true,
      "ItemBatcher": {
        "MaxItemsPerBatch": 10
      },
      "ItemProcessor": {
        "ProcessorConfig": {
          "ExecutionType": "EXPRESS",
          "Mode": "DISTRIBUTED"
        },
        "StartAt": "Element",
        "States": {
          "Element": {
            "Type": "Succeed"
          }
        }
      },
      "ItemReader": {
        "Parameters": {
          "Bucket": "${Photos}",
          "Key.$": "$.key"
        },
        "ReaderConfig": {
          "CSVHeaderLocation": "FIRST_ROW",
          "InputType": "CSV"
        },
        "Resource": "arn:aws:states:::s3:getObject"
      },
      "ResultWriter": {
        "Parameters": {
          "Bucket": "${Photos}",
          "Prefix": "results/"
        },
        "Resource": "arn:aws:states:::s3:putObject"
      },
      "ToleratedFailurePercentage": 5,
      "Type": "Map"
    }
    "#);
    assert_eq!(
        resources["MachineSelfPolicy"]["Properties"]["PolicyDocument"]["Statement"],
        json!([
            {
                "Effect": "Allow",
                "Action": "states:StartExecution",
                "Resource": {"Ref": "Machine"},
            },
            {
                "Effect": "Allow",
                "Action": ["states:DescribeExecution", "states:StopExecution"],
                "Resource": {"Fn::Sub": "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${Machine.Name}:*"},
            },
        ])
    );
}

#[test]
fn a_reader_in_jsonata_has_arguments() {
    let each = resources(dev(), |stack| {
        let bucket = stack.bucket("Photos", BucketProps::default());
        let mut element = Flow::jsonata();
        element.add("Element", Succeed::new());
        let mut flow = Flow::jsonata();
        let key = Expression::jsonata("$states.input.key");
        flow.add(
            "Each",
            Map::distributed(element, ChildExecutions::Standard)
                .reader(ItemReader::json_lines(&bucket, key))
                .results_to(&bucket, "results/")
                .end(),
        );
        add(stack, flow);
    });
    let each = &super::read(&each["Machine"])["States"]["Each"];
    assert_eq!(
        each["ItemReader"],
        json!({
            "Resource": "arn:aws:states:::s3:getObject",
            "ReaderConfig": {"InputType": "JSONL"},
            "Arguments": {"Bucket": "${Photos}", "Key": "{% $states.input.key %}"},
        })
    );
    assert_eq!(each["ResultWriter"].get("Parameters"), None);
    assert_eq!(each["ResultWriter"]["Arguments"]["Prefix"], "results/");
}
