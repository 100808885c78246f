//! The resources of a state machine.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::iam::RoleProps;
use stack_model::kms::KeyProps;
use stack_model::logs::{LogGroupProps, Retention};
use stack_model::policy::Statement;
use stack_model::stepfunctions::{
    Definition, ExecutionRole, ExecutionStatus, Flow, LogLevel, Logging, StateMachineOperation,
    StateMachineProps, StateMachineRef, Succeed, Task,
};
use stack_model::{App, Stage, text};

use super::{Input, add, express, read};
use crate::support::{actions, dev, property, resources, statements, violations};

pub(super) fn nothing() -> Flow {
    let mut flow = Flow::new();
    flow.add("Done", Succeed::new());
    flow
}

/// A flow that is allowed something on another resource and on the state machine itself.
fn busy() -> Flow {
    let mut flow = Flow::new();
    let statement = Statement::allow(["sts:GetCallerIdentity"]).on_everything("it has no resource");
    flow.add(
        "Ask",
        Task::aws_sdk(
            "sts",
            "getCallerIdentity",
            stack_model::payload!({}),
            [statement],
        ),
    );
    flow.add(
        "List",
        Task::list_own_executions(ExecutionStatus::Running, 10).end(),
    );
    flow
}

#[test]
fn a_state_machine_has_a_role_that_only_its_account_gives() {
    let resources = resources(dev(), |stack| {
        add(stack, nothing());
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Machine": {
        "Properties": {
          "DefinitionString": {
            "Fn::Join": [
              "\n",
              [
                "{",
                "  \"StartAt\": \"Done\",",
                "  \"States\": {",
                "    \"Done\": {",
                "      \"Type\": \"Succeed\"",
                "    }",
                "  }",
                "}"
              ]
            ]
          },
          "RoleArn": {
            "Fn::GetAtt": [
              "MachineRole",
              "Arn"
            ]
          }
        },
        "Type": "AWS::StepFunctions::StateMachine"
      },
      "MachineRole": {
        "Properties": {
          "AssumeRolePolicyDocument": {
            "Statement": [
              {
                "Action": "sts:AssumeRole",
                "Condition": {
                  "StringEquals": {
                    "aws:SourceAccount": {
                      "Ref": "AWS::AccountId"
                    }
                  }
                },
                "Effect": "Allow",
                "Principal": {
                  "Service": "states.amazonaws.com"
                }
              }
            ],
            "Version": "2012-10-17"
          }
        },
        "Type": "AWS::IAM::Role"
      }
    }
    "#);
}

#[test]
fn every_property_reaches_the_template() {
    let resources = resources(dev(), |stack| {
        let key = stack.key("Key", KeyProps::default());
        let _: StateMachineRef<Input> = stack.state_machine(
            "Machine",
            nothing(),
            StateMachineProps {
                name: Some("machine".into()),
                comment: Some("does nothing".to_owned()),
                timeout: Some(60.into()),
                logging: Some(Logging {
                    execution_data: true,
                    retention: Retention::OneYear,
                    ..Logging::of(LogLevel::All)
                }),
                tracing: true,
                key: Some(key),
                data_key_reuse: Some(600.into()),
                ..express()
            },
        );
    });
    let machine = &resources["Machine"];
    assert_eq!(read(machine)["Comment"], "does nothing");
    assert_eq!(read(machine)["TimeoutSeconds"], 60);
    let properties = machine["Properties"].as_object().unwrap();
    let others: serde_json::Map<_, _> = properties
        .iter()
        .filter(|(name, _)| *name != "DefinitionString")
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    assert_json_snapshot!(others, @r#"
    {
      "EncryptionConfiguration": {
        "KmsDataKeyReusePeriodSeconds": 600,
        "KmsKeyId": {
          "Fn::GetAtt": [
            "Key",
            "Arn"
          ]
        },
        "Type": "CUSTOMER_MANAGED_KMS_KEY"
      },
      "LoggingConfiguration": {
        "Destinations": [
          {
            "CloudWatchLogsLogGroup": {
              "LogGroupArn": {
                "Fn::GetAtt": [
                  "MachineLogs",
                  "Arn"
                ]
              }
            }
          }
        ],
        "IncludeExecutionData": true,
        "Level": "ALL"
      },
      "RoleArn": {
        "Fn::GetAtt": [
          "MachineRole",
          "Arn"
        ]
      },
      "StateMachineName": "machine",
      "StateMachineType": "EXPRESS",
      "TracingConfiguration": {
        "Enabled": true
      }
    }
    "#);
    assert_eq!(
        resources["MachineLogs"]["Properties"],
        json!({
            "LogGroupName": "/aws/vendedlogs/states/orders-dev-Machine",
            "RetentionInDays": 365,
        })
    );
    let granted = &resources["MachineRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    let actions: Vec<_> = granted["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .map(|statement| &statement["Action"])
        .collect();
    assert_eq!(
        actions,
        [
            &json!([
                "logs:CreateLogDelivery",
                "logs:DeleteLogDelivery",
                "logs:DescribeLogGroups",
                "logs:DescribeResourcePolicies",
                "logs:GetLogDelivery",
                "logs:ListLogDeliveries",
                "logs:PutResourcePolicy",
                "logs:UpdateLogDelivery",
                "xray:GetSamplingRules",
                "xray:GetSamplingTargets",
                "xray:PutTelemetryRecords",
                "xray:PutTraceSegments",
            ]),
            &json!(["kms:Decrypt", "kms:GenerateDataKey"]),
        ]
    );
}

#[test]
fn an_express_state_machine_records_its_errors() {
    let logging = property(dev(), "Machine", "LoggingConfiguration", |stack| {
        let _: StateMachineRef<Input> = stack.state_machine("Machine", nothing(), express());
    });
    assert_eq!(logging["Level"], "ERROR");
    let resources = resources(dev(), |stack| {
        let audit = stack.log_group("Audit", LogGroupProps::default());
        let logging = Logging {
            log_group: Some(audit),
            ..Logging::of(LogLevel::Fatal)
        };
        let props = StateMachineProps {
            logging: Some(logging),
            ..express()
        };
        let _: StateMachineRef<Input> = stack.state_machine("Machine", nothing(), props);
        let props = StateMachineProps {
            logging: Some(Logging::of(LogLevel::Off)),
            ..express()
        };
        let _: StateMachineRef<Input> = stack.state_machine("Silent", nothing(), props);
    });
    let destination =
        &resources["Machine"]["Properties"]["LoggingConfiguration"]["Destinations"][0];
    assert_eq!(
        destination["CloudWatchLogsLogGroup"]["LogGroupArn"],
        json!({"Fn::GetAtt": ["Audit", "Arn"]})
    );
    assert_eq!(resources.get("MachineLogs"), None);
    assert_eq!(
        resources["Silent"]["Properties"].get("LoggingConfiguration"),
        None
    );
}

#[test]
fn a_given_role_is_granted_what_the_tasks_do_or_left_alone() {
    let template = |role: fn(stack_model::iam::RoleRef) -> ExecutionRole| {
        resources(dev(), move |stack| {
            let given = stack.role("Given", RoleProps::for_service("states.amazonaws.com"));
            let props = StateMachineProps {
                role: role(given),
                ..StateMachineProps::default()
            };
            let _: StateMachineRef<Input> = stack.state_machine("Machine", busy(), props);
        })
    };
    let granted = template(ExecutionRole::Granting);
    assert_eq!(
        granted["Given"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"],
        "sts:GetCallerIdentity"
    );
    assert_eq!(
        granted["MachineSelfPolicy"]["Properties"]["Roles"],
        json!([{"Ref": "Given"}])
    );
    assert_eq!(granted.get("MachineRole"), None);
    let left = template(ExecutionRole::AllowedElsewhere);
    assert_eq!(left["Given"]["Properties"].get("Policies"), None);
    assert_eq!(left.get("MachineSelfPolicy"), None);
}

#[test]
fn operations_are_allowed_on_the_state_machine_its_executions_or_tokens() {
    let statements = statements(dev(), |stack| {
        let key = stack.key("Key", KeyProps::default());
        let props = StateMachineProps {
            key: Some(key),
            ..StateMachineProps::default()
        };
        let machine: StateMachineRef<Input> = stack.state_machine("Machine", nothing(), props);
        machine.statements(&[
            StateMachineOperation::Start,
            StateMachineOperation::ListExecutions,
            StateMachineOperation::StopExecution,
            StateMachineOperation::SendTaskSuccess,
        ])
    });
    assert_json_snapshot!(statements, @r#"
    [
      {
        "Action": [
          "states:ListExecutions",
          "states:StartExecution"
        ],
        "Effect": "Allow",
        "Resource": {
          "Ref": "Machine"
        }
      },
      {
        "Action": "states:StopExecution",
        "Effect": "Allow",
        "Resource": {
          "Fn::Sub": "arn:${AWS::Partition}:states:${AWS::Region}:${AWS::AccountId}:execution:${Machine.Name}:*"
        }
      },
      {
        "Action": "states:SendTaskSuccess",
        "Effect": "Allow",
        "Resource": "*"
      },
      {
        "Action": [
          "kms:Decrypt",
          "kms:GenerateDataKey"
        ],
        "Condition": {
          "StringEquals": {
            "kms:ViaService": {
              "Fn::Sub": "states.${AWS::Region}.${AWS::URLSuffix}"
            }
          }
        },
        "Effect": "Allow",
        "Resource": {
          "Fn::GetAtt": [
            "Key",
            "Arn"
          ]
        }
      }
    ]
    "#);
    let machine = add(&mut dev().stack("orders"), nothing());
    assert!(machine.statements(&[]).is_empty());
    let only = machine.statements(&[StateMachineOperation::GetHistory]);
    assert_eq!(actions(&only), [["states:GetExecutionHistory"]]);
}

#[test]
fn integrations_are_named_in_the_partition_of_the_region() {
    let request = json!({"name": "dev", "region": "cn-north-1", "architecture": "arm64"});
    let app = App::new(Stage::new(serde_json::from_value(request).unwrap()));
    let definition = super::definition(app, |stack| {
        add(stack, busy());
    });
    assert_eq!(
        definition["States"]["Ask"]["Resource"],
        "arn:aws-cn:states:::aws-sdk:sts:getCallerIdentity"
    );
}

#[test]
fn a_definition_from_elsewhere_may_hold_tokens() {
    let resources = resources(dev(), |stack| {
        let queue = stack.queue::<String>("Queue", stack_model::sqs::QueueProps::default());
        let mut definition = stack_model::Expr::from(json!({
            "StartAt": "Send",
            "States": {"Send": {
                "Type": "Task",
                "Resource": "arn:aws:states:::sqs:sendMessage",
                "Parameters": {"MessageBody.$": "$"},
                "End": true,
            }},
        }));
        if let stack_model::Expr::Map(machine) = &mut definition {
            machine.insert(
                "Comment".to_owned(),
                text!("sends to {}", queue.url()).into(),
            );
        }
        let statements = queue.statements(&[stack_model::sqs::QueueOperation::Send]);
        add(stack, Definition::json(definition, statements));
    });
    let properties = &resources["Machine"]["Properties"];
    assert_eq!(read(&resources["Machine"])["Comment"], "sends to ${Queue}");
    assert_eq!(
        properties["DefinitionSubstitutions"],
        json!({"Queue": {"Ref": "Queue"}})
    );
    assert_eq!(
        resources["MachineRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"][0]["Action"],
        "sqs:SendMessage"
    );
}

#[test]
fn what_no_state_machine_can_have_is_reported() {
    let found = violations(dev(), |stack| {
        let _: StateMachineRef<Input> = stack.state_machine(
            "Named",
            nothing(),
            StateMachineProps {
                name: Some("a b".into()),
                timeout: Some(0.into()),
                data_key_reuse: Some(5.into()),
                logging: Some(Logging {
                    execution_data: true,
                    ..Logging::of(LogLevel::Off)
                }),
                ..StateMachineProps::default()
            },
        );
        let _: StateMachineRef<Input> = stack.state_machine(
            "Listed",
            Definition::json(json!([]), []),
            StateMachineProps::default(),
        );
        let mut large = Flow::new();
        large.add("Large", Succeed::new().comment("x".repeat(1_048_576)));
        let _: StateMachineRef<Input> =
            stack.state_machine("Large", large, StateMachineProps::default());
    });
    let expected = [
        "orders / Named / Properties.StateMachineName: `a b` holds ' '; AWS takes letters, digits and `-` `_`",
        "orders / Named / Properties.DefinitionString: 0 is not between 1 and 99999999",
        "orders / Named / Properties.EncryptionConfiguration.KmsDataKeyReusePeriodSeconds: 5 is not between 60 and 900",
        "orders / Named / Properties.LoggingConfiguration: the logging is off and says more: choose a level, or take the rest out",
        "orders / Listed / Properties.DefinitionString: the definition is not a JSON object",
    ];
    for message in expected {
        assert!(
            found.iter().any(|found| found == message),
            "{message}\n{found:#?}"
        );
    }
    assert!(
        found
            .iter()
            .any(|found| found.contains("and Step Functions takes 1048576")),
        "{found:#?}"
    );
}

#[test]
fn another_stack_starts_the_state_machine_through_an_import() {
    let mut app = dev();
    let machine = add(&mut app.stack("flows"), nothing());
    let mut stack = app.stack("orders");
    let role = stack.role("Caller", RoleProps::for_service("lambda.amazonaws.com"));
    stack.grant(&role, machine.statements(&[StateMachineOperation::Start]));
    let assembly = app.synth().unwrap();
    let template: serde_json::Value =
        serde_json::from_str(assembly.template("orders").unwrap()).unwrap();
    assert_eq!(
        template["Resources"]["Caller"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
            [0]["Resource"],
        json!({"Fn::ImportValue": "flows-dev-Machine"})
    );
}
