//! Log groups.

use insta::assert_json_snapshot;
use stack_model::kms::KeyProps;
use stack_model::logs::{LogGroupClass, LogGroupProps, LogGroupRef, LogOperation, Retention};

use crate::support::{actions, dev, prod, resources, statements, violations};

#[test]
fn a_log_group_forgets_after_a_month() {
    let resources = resources(dev(), |stack| {
        stack.log_group("Audit", LogGroupProps::default());
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Audit": {
        "DeletionPolicy": "Delete",
        "Properties": {
          "RetentionInDays": 30
        },
        "Type": "AWS::Logs::LogGroup",
        "UpdateReplacePolicy": "Delete"
      }
    }
    "#);
}

#[test]
fn a_log_group_of_a_protected_stage_outlives_its_stack() {
    let resources = resources(prod(), |stack| {
        stack.log_group("Audit", LogGroupProps::default());
    });
    assert_eq!(resources["Audit"]["DeletionPolicy"], "RetainExceptOnCreate");
}

#[test]
fn every_property_reaches_the_template() {
    let resources = resources(dev(), |stack| {
        let key = stack.key("AuditKey", KeyProps::default());
        stack.log_group(
            "Audit",
            LogGroupProps {
                name: Some("/orders/audit".into()),
                retention: Retention::TenYears,
                class: LogGroupClass::InfrequentAccess,
                key: Some(key),
            },
        );
        stack.log_group(
            "Kept",
            LogGroupProps {
                retention: Retention::Forever,
                ..LogGroupProps::default()
            },
        );
    });
    assert_json_snapshot!(resources["Audit"], @r#"
    {
      "DeletionPolicy": "Delete",
      "Properties": {
        "KmsKeyId": {
          "Fn::GetAtt": [
            "AuditKey",
            "Arn"
          ]
        },
        "LogGroupClass": "INFREQUENT_ACCESS",
        "LogGroupName": "/orders/audit",
        "RetentionInDays": 3653
      },
      "Type": "AWS::Logs::LogGroup",
      "UpdateReplacePolicy": "Delete"
    }
    "#);
    assert_eq!(resources["Kept"].get("Properties"), None);
    assert_json_snapshot!(resources["AuditKey"]["Properties"]["KeyPolicy"]["Statement"][1], @r#"
    {
      "Action": [
        "kms:Decrypt",
        "kms:DescribeKey",
        "kms:Encrypt",
        "kms:GenerateDataKey",
        "kms:ReEncryptFrom",
        "kms:ReEncryptTo"
      ],
      "Condition": {
        "ArnLike": {
          "kms:EncryptionContext:aws:logs:arn": {
            "Fn::Sub": "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:*"
          }
        }
      },
      "Effect": "Allow",
      "Principal": {
        "Service": "logs.eu-central-1.amazonaws.com"
      },
      "Resource": "*"
    }
    "#);
}

#[test]
fn every_operation_allows_its_action_and_no_other() {
    let cases = [
        (LogOperation::CreateStream, "logs:CreateLogStream"),
        (LogOperation::Write, "logs:PutLogEvents"),
        (LogOperation::Read, "logs:GetLogEvents"),
        (LogOperation::Filter, "logs:FilterLogEvents"),
        (LogOperation::DescribeStreams, "logs:DescribeLogStreams"),
    ];
    let group: LogGroupRef = dev()
        .stack("orders")
        .log_group("Audit", LogGroupProps::default());
    for (operation, action) in cases {
        assert_eq!(actions(&group.statements(&[operation])), [[action]]);
    }
    assert!(group.statements(&[]).is_empty());
}

#[test]
fn writing_is_allowed_on_the_group_and_its_streams() {
    let statements = statements(dev(), |stack| {
        vec![
            stack
                .log_group("Audit", LogGroupProps::default())
                .write_statement(),
        ]
    });
    assert_json_snapshot!(statements, @r#"
    [
      {
        "Action": [
          "logs:CreateLogStream",
          "logs:PutLogEvents"
        ],
        "Effect": "Allow",
        "Resource": {
          "Fn::GetAtt": [
            "Audit",
            "Arn"
          ]
        }
      }
    ]
    "#);
}

#[test]
fn names_are_checked() {
    let found = violations(dev(), |stack| {
        stack.log_group(
            "Audit",
            LogGroupProps {
                name: Some("orders audit".into()),
                ..LogGroupProps::default()
            },
        );
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Audit / Properties.LogGroupName: `orders audit` holds ' '; AWS takes letters, digits and `.` `_` `-` `/` `#`"
    ]
    "#);
}
