//! Aliases of state machines.

use insta::assert_json_snapshot;
use stack_model::iam::RoleProps;
use stack_model::stepfunctions::{Shift, StateMachineAliasProps};

use super::add;
use super::machine::nothing;
use crate::support::{dev, resources, violations};

#[test]
fn an_alias_moves_to_each_new_version() {
    let resources = resources(dev(), |stack| {
        let machine = add(stack, nothing());
        let props = StateMachineAliasProps {
            description: Some("what customers start".to_owned()),
            shift: Shift::Canary {
                percentage: 10.into(),
                minutes: 5.into(),
            },
            alarms: vec!["failures".into()],
            ..StateMachineAliasProps::named("live")
        };
        let live = stack.state_machine_alias("Live", &machine, props);
        let role = stack.role("Caller", RoleProps::for_service("lambda.amazonaws.com"));
        stack.grant(&role, live.start_statements());
    });
    let of_alias = [
        &resources["LiveVersion"],
        &resources["Live"],
        &resources["Caller"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"],
    ];
    assert_json_snapshot!(of_alias, @r#"
    [
      {
        "DeletionPolicy": "RetainExceptOnCreate",
        "Properties": {
          "StateMachineArn": {
            "Ref": "Machine"
          },
          "StateMachineRevisionId": {
            "Fn::GetAtt": [
              "Machine",
              "StateMachineRevisionId"
            ]
          }
        },
        "Type": "AWS::StepFunctions::StateMachineVersion",
        "UpdateReplacePolicy": "Retain"
      },
      {
        "Properties": {
          "DeploymentPreference": {
            "Alarms": [
              "failures"
            ],
            "Interval": 5,
            "Percentage": 10,
            "StateMachineVersionArn": {
              "Ref": "LiveVersion"
            },
            "Type": "CANARY"
          },
          "Description": "what customers start",
          "Name": "live"
        },
        "Type": "AWS::StepFunctions::StateMachineAlias"
      },
      [
        {
          "Action": "states:StartExecution",
          "Effect": "Allow",
          "Resource": {
            "Ref": "Live"
          }
        }
      ]
    ]
    "#);
    let found = violations(dev(), |stack| {
        let machine = add(stack, nothing());
        let props = StateMachineAliasProps {
            shift: Shift::Linear {
                percentage: 100.into(),
                minutes: 0.into(),
            },
            ..StateMachineAliasProps::named("12")
        };
        stack.state_machine_alias("Live", &machine, props);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Live / Properties.Name: `12` is not the name of an alias: it has 1 to 80 letters, digits, `-`, `_` and `.`, and not only digits",
      "orders / Live / Properties.DeploymentPreference.Percentage: 100 is not between 1 and 99",
      "orders / Live / Properties.DeploymentPreference.Interval: 0 is not between 1 and 2100"
    ]
    "#);
}
