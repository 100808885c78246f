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
                multi_region: true,
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
          "MultiRegion": true,
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

#[test]
fn a_key_has_a_copy_in_another_region() {
    let mut app = dev();
    let props = KeyProps {
        multi_region: true,
        ..KeyProps::default()
    };
    let key = app.stack("orders").key("Key", props);
    let mut spare = app.stack("spare");
    spare.in_region("eu-west-1");
    spare.replica_key("Key", &key);
    let assembly = app.synth().unwrap();
    let template = assembly.template("spare").unwrap();
    let template: serde_json::Value = serde_json::from_str(template).unwrap();
    assert_json_snapshot!(template["Resources"], @r#"
    {
      "Key": {
        "DeletionPolicy": "Delete",
        "Properties": {
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
          },
          "PrimaryKeyArn": {
            "Ref": "OrdersKeyArn"
          }
        },
        "Type": "AWS::KMS::ReplicaKey",
        "UpdateReplacePolicy": "Delete"
      }
    }
    "#);

    let found = violations(dev(), |stack| {
        let key = stack.key("Key", KeyProps::default());
        stack.replica_key("Copy", &key);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Copy / Properties.PrimaryKeyArn: the key `Key` stands in eu-central-1 too: put the copy into a stack of another region",
      "orders / Copy / Properties.PrimaryKeyArn: `Key` is no key that can have copies: say so with `KeyProps::multi_region`"
    ]
    "#);
}

#[test]
fn a_key_of_somebody_else_is_named_and_not_changed() {
    let arn = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    let key = KeyRef::existing(stack_model::Arn::parse(arn).unwrap());
    let resources = resources(dev(), |stack| {
        let props = stack_model::s3::BucketProps {
            encryption: stack_model::s3::Encryption::CustomerKey(key.clone()),
            ..stack_model::s3::BucketProps::default()
        };
        stack.bucket("Photos", props);
    });
    let rules =
        &resources["Photos"]["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"];
    assert_eq!(
        rules[0]["ServerSideEncryptionByDefault"]["KMSMasterKeyID"],
        arn
    );
    let found = violations(dev(), |stack| {
        stack.key("Own", KeyProps::default());
        stack.key_policy(&key, [Statement::deny(["kms:Decrypt"])]);
    });
    assert_eq!(
        found,
        ["orders / Key: `Key` is kept by somebody else, so no stack of this app can change it"]
    );
}
