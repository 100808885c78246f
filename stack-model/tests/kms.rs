//! Keys.

use insta::assert_json_snapshot;
use stack_model::kms::{KeyOperation, KeyProps, KeyRef, Rotation};
use stack_model::policy::{Principal, Statement};

use crate::support::{actions, dev, prod, property, resources, violations};

#[test]
fn a_key_rotates_and_belongs_to_the_account() {
    let resources = resources(dev(), |stack| {
        stack.key("Orders", KeyProps::default());
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Orders": {
        "DeletionPolicy": "Delete",
        "Properties": {
          "EnableKeyRotation": true,
          "KeyPolicy": {
            "Statement": [
              {
                "Action": "kms:*",
                "Effect": "Allow",
                "Principal": {
                  "AWS": {
                    "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"
                  }
                },
                "Resource": "*"
              }
            ],
            "Version": "2012-10-17"
          }
        },
        "Type": "AWS::KMS::Key",
        "UpdateReplacePolicy": "Delete"
      }
    }
    "#);
}

#[test]
fn a_key_of_a_protected_stage_outlives_its_stack() {
    let resources = resources(prod(), |stack| {
        stack.key("Orders", KeyProps::default());
    });
    assert_eq!(
        resources["Orders"]["DeletionPolicy"],
        "RetainExceptOnCreate"
    );
}

#[test]
fn every_property_reaches_the_template() {
    let resources = resources(dev(), |stack| {
        let service = Principal::Service("events.amazonaws.com".to_owned());
        stack.key(
            "Orders",
            KeyProps {
                description: Some("Encrypts orders".to_owned()),
                alias: Some("orders/dev".into()),
                rotation: Rotation::Every(90.into()),
                pending_window: Some(7.into()),
                statements: vec![Statement::allow(["kms:Decrypt"]).to(service)],
            },
        );
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Orders": {
        "DeletionPolicy": "Delete",
        "Properties": {
          "Description": "Encrypts orders",
          "EnableKeyRotation": true,
          "KeyPolicy": {
            "Statement": [
              {
                "Action": "kms:*",
                "Effect": "Allow",
                "Principal": {
                  "AWS": {
                    "Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"
                  }
                },
                "Resource": "*"
              },
              {
                "Action": "kms:Decrypt",
                "Effect": "Allow",
                "Principal": {
                  "Service": "events.amazonaws.com"
                },
                "Resource": "*"
              }
            ],
            "Version": "2012-10-17"
          },
          "PendingWindowInDays": 7,
          "RotationPeriodInDays": 90
        },
        "Type": "AWS::KMS::Key",
        "UpdateReplacePolicy": "Delete"
      },
      "OrdersAlias": {
        "Properties": {
          "AliasName": "alias/orders/dev",
          "TargetKeyId": {
            "Ref": "Orders"
          }
        },
        "Type": "AWS::KMS::Alias"
      }
    }
    "#);
}

#[test]
fn rotation_can_be_off() {
    let rotates = property(dev(), "Orders", "EnableKeyRotation", |stack| {
        let props = KeyProps {
            rotation: Rotation::Off,
            ..KeyProps::default()
        };
        stack.key("Orders", props);
    });
    assert_eq!(rotates, false);
}

#[test]
fn every_operation_allows_its_action_and_no_other() {
    let cases = [
        (KeyOperation::Encrypt, "kms:Encrypt"),
        (KeyOperation::Decrypt, "kms:Decrypt"),
        (KeyOperation::GenerateDataKey, "kms:GenerateDataKey"),
        (KeyOperation::ReEncryptFrom, "kms:ReEncryptFrom"),
        (KeyOperation::ReEncryptTo, "kms:ReEncryptTo"),
        (KeyOperation::Describe, "kms:DescribeKey"),
    ];
    let key: KeyRef = dev().stack("orders").key("Orders", KeyProps::default());
    for (operation, action) in cases {
        assert_eq!(actions(&key.statements(&[operation])), [[action]]);
    }
    assert!(key.statements(&[]).is_empty());
}

#[test]
fn limits_and_names_are_checked() {
    let found = violations(dev(), |stack| {
        stack.key(
            "Orders",
            KeyProps {
                alias: Some("or ders".into()),
                rotation: Rotation::Every(89.into()),
                pending_window: Some(31.into()),
                ..KeyProps::default()
            },
        );
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Orders / Properties.RotationPeriodInDays: 89 is not between 90 and 2560",
      "orders / Orders / Properties.PendingWindowInDays: 31 is not between 7 and 30",
      "orders / OrdersAlias / Properties.AliasName: `or ders` holds ' '; AWS takes letters, digits and `/` `_` `-`"
    ]
    "#);
}
