//! Secrets.

use std::collections::BTreeMap;

use insta::assert_json_snapshot;
use stack_model::contract::{Accepts, FunctionContract, Wired, event};
use stack_model::kms::KeyProps;
use stack_model::lambda::FunctionProps;
use stack_model::policy::{Principal, Statement};
use stack_model::secretsmanager::{
    Content, Password, RotationProps, SecretOperation, SecretProps, SecretRef, SecretReplica,
};
use stack_model::text;

use crate::support::{actions, dev, prod, property, resources, statements, violations};

#[test]
fn a_secret_is_made_up() {
    let resources = resources(dev(), |stack| {
        stack.secret::<String>("Token", SecretProps::default());
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Token": {
        "DeletionPolicy": "Delete",
        "Properties": {
          "GenerateSecretString": {}
        },
        "Type": "AWS::SecretsManager::Secret",
        "UpdateReplacePolicy": "Delete"
      }
    }
    "#);
}

#[test]
fn a_secret_of_a_protected_stage_outlives_its_stack() {
    let resources = resources(prod(), |stack| {
        stack.secret::<String>("Token", SecretProps::default());
    });
    assert_eq!(resources["Token"]["DeletionPolicy"], "RetainExceptOnCreate");
}

#[test]
fn every_property_reaches_the_template() {
    let resources = resources(dev(), |stack| {
        let key = stack.key("TokenKey", KeyProps::default());
        stack.secret::<BTreeMap<String, String>>(
            "Database",
            SecretProps {
                name: Some("orders/database".into()),
                description: Some("Login of the database".to_owned()),
                content: Content::GeneratedField {
                    fields: BTreeMap::from([("user".to_owned(), "orders".to_owned())]),
                    field: "password".to_owned(),
                    password: Password {
                        length: Some(40.into()),
                        without: "\"@/\\".to_owned(),
                        alphanumeric: true,
                    },
                },
                key: Some(key),
                replicas: vec![SecretReplica::in_region("eu-west-1")],
            },
        );
        let props = SecretProps {
            content: Content::Later,
            ..SecretProps::default()
        };
        stack.secret::<String>("Later", props);
    });
    assert_json_snapshot!(resources["Database"], @r#"
    {
      "DeletionPolicy": "Delete",
      "Properties": {
        "Description": "Login of the database",
        "GenerateSecretString": {
          "ExcludeCharacters": "\"@/\\",
          "ExcludePunctuation": true,
          "GenerateStringKey": "password",
          "PasswordLength": 40,
          "SecretStringTemplate": "{\"user\":\"orders\"}"
        },
        "KmsKeyId": {
          "Fn::GetAtt": [
            "TokenKey",
            "Arn"
          ]
        },
        "Name": "orders/database",
        "ReplicaRegions": [
          {
            "Region": "eu-west-1"
          }
        ]
      },
      "Type": "AWS::SecretsManager::Secret",
      "UpdateReplacePolicy": "Delete"
    }
    "#);
    assert_eq!(resources["Later"].get("Properties"), None);
}

#[test]
fn every_operation_allows_its_action_and_no_other() {
    let cases = [
        (SecretOperation::Read, "secretsmanager:GetSecretValue"),
        (SecretOperation::Write, "secretsmanager:PutSecretValue"),
        (SecretOperation::Describe, "secretsmanager:DescribeSecret"),
    ];
    let secret: SecretRef<String> = dev()
        .stack("orders")
        .secret("Token", SecretProps::default());
    for (operation, action) in cases {
        assert_eq!(actions(&secret.statements(&[operation])), [[action]]);
    }
    assert!(secret.statements(&[]).is_empty());
}

#[test]
fn a_customer_key_is_granted_to_readers() {
    let statements = statements(dev(), |stack| {
        let key = stack.key("TokenKey", KeyProps::default());
        let props = SecretProps {
            key: Some(key),
            ..SecretProps::default()
        };
        stack
            .secret::<String>("Token", props)
            .statements(&[SecretOperation::Read])
    });
    assert_json_snapshot!(statements, @r#"
    [
      {
        "Action": "secretsmanager:GetSecretValue",
        "Effect": "Allow",
        "Resource": {
          "Fn::GetAtt": [
            "Token",
            "Id"
          ]
        }
      },
      {
        "Action": "kms:Decrypt",
        "Condition": {
          "StringEquals": {
            "kms:ViaService": {
              "Fn::Sub": "secretsmanager.${AWS::Region}.${AWS::URLSuffix}"
            }
          }
        },
        "Effect": "Allow",
        "Resource": {
          "Fn::GetAtt": [
            "TokenKey",
            "Arn"
          ]
        }
      }
    ]
    "#);
}

#[test]
fn a_template_holds_references_and_no_values() {
    let properties = property(dev(), "Database", "MasterUserPassword", |stack| {
        let secret = stack.secret::<String>("Token", SecretProps::default());
        let database = stack.raw("Database", "AWS::RDS::DBInstance", serde_json::json!({}));
        let both = text!("{}{}", secret.value(), secret.field("password"));
        stack.override_property(&database, "MasterUserPassword", both);
    });
    assert_json_snapshot!(properties, @r#"
    {
      "Fn::Sub": [
        "${Value1}${Value2}",
        {
          "Value1": {
            "Fn::Sub": "{{resolve:secretsmanager:${Token.Id}:SecretString:}}"
          },
          "Value2": {
            "Fn::Sub": "{{resolve:secretsmanager:${Token.Id}:SecretString:password}}"
          }
        }
      ]
    }
    "#);
}

#[test]
fn passwords_that_cannot_be_made_up_are_reported_together() {
    let found = violations(dev(), |stack| {
        let password = |length: u32, alphanumeric| Password {
            length: Some(length.into()),
            alphanumeric,
            ..Password::default()
        };
        let props = |content| SecretProps {
            content,
            ..SecretProps::default()
        };
        stack.secret::<String>("Long", props(Content::Generated(password(4097, false))));
        stack.secret::<String>("Short", props(Content::Generated(password(3, false))));
        stack.secret::<String>("Fits", props(Content::Generated(password(3, true))));
        let twice = Content::GeneratedField {
            fields: BTreeMap::from([("password".to_owned(), "x".to_owned())]),
            field: "password".to_owned(),
            password: Password::default(),
        };
        stack.secret::<String>("Twice", props(twice));
        let named = SecretProps {
            name: Some("a b".into()),
            ..SecretProps::default()
        };
        stack.secret::<String>("Named", named);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Long / Properties.GenerateSecretString.PasswordLength: 4097 is not between 1 and 4096",
      "orders / Short / Properties.GenerateSecretString.PasswordLength: the password has one of 4 kinds of characters each, so it needs 4 at least",
      "orders / Twice / Properties.GenerateSecretString: `password` cannot hold the password: it is empty or another field",
      "orders / Named / Properties.Name: `a b` holds ' '; AWS takes letters, digits and `/` `_` `+` `=` `.` `@` `-`"
    ]
    "#);
}

/// A function that changes a secret; what it is invoked with is its own affair here.
struct Rotate;

impl FunctionContract for Rotate {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-rotate";
}

impl Accepts<event::Invocation<String>> for Rotate {}

#[test]
fn a_secret_is_changed_by_a_function_that_may_do_just_that() {
    let resources = resources(dev(), |stack| {
        let token = stack.secret::<String>("Token", SecretProps::default());
        let wired = Wired::<Rotate>::new(Vec::new());
        let rotate = stack.function("Rotate", wired, FunctionProps::default());
        let mut props = RotationProps::every(30);
        props.window_hours = Some(3.into());
        props.at_once = false;
        stack.secret_rotation("TokenRotation", &token, &rotate, props);
    });
    assert_json_snapshot!(resources["TokenRotation"], @r#"
    {
      "DependsOn": [
        "TokenRotationPermission"
      ],
      "Properties": {
        "RotateImmediatelyOnUpdate": false,
        "RotationLambdaARN": {
          "Fn::GetAtt": [
            "Rotate",
            "Arn"
          ]
        },
        "RotationRules": {
          "AutomaticallyAfterDays": 30,
          "Duration": "3h"
        },
        "SecretId": {
          "Fn::GetAtt": [
            "Token",
            "Id"
          ]
        }
      },
      "Type": "AWS::SecretsManager::RotationSchedule"
    }
    "#);
    assert_json_snapshot!(resources["TokenRotationPermission"]["Properties"], @r#"
    {
      "Action": "lambda:InvokeFunction",
      "FunctionName": {
        "Fn::GetAtt": [
          "Rotate",
          "Arn"
        ]
      },
      "Principal": "secretsmanager.amazonaws.com",
      "SourceAccount": {
        "Ref": "AWS::AccountId"
      },
      "SourceArn": {
        "Fn::GetAtt": [
          "Token",
          "Id"
        ]
      }
    }
    "#);
    let statements = &resources["RotateRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    assert_json_snapshot!(statements["Statement"], @r#"
    [
      {
        "Action": [
          "logs:CreateLogStream",
          "logs:PutLogEvents"
        ],
        "Effect": "Allow",
        "Resource": {
          "Fn::GetAtt": [
            "RotateLogs",
            "Arn"
          ]
        }
      },
      {
        "Action": [
          "secretsmanager:DescribeSecret",
          "secretsmanager:GetSecretValue",
          "secretsmanager:PutSecretValue",
          "secretsmanager:UpdateSecretVersionStage"
        ],
        "Effect": "Allow",
        "Resource": {
          "Fn::GetAtt": [
            "Token",
            "Id"
          ]
        }
      },
      {
        "Action": "secretsmanager:GetRandomPassword",
        "Effect": "Allow",
        "Resource": "*"
      }
    ]
    "#);
}

#[test]
fn others_may_read_a_secret_where_its_policy_says_so() {
    let resources = resources(dev(), |stack| {
        let token = stack.secret::<String>("Token", SecretProps::default());
        let reader = "arn:aws:iam::210987654321:role/reader".into();
        let read = Statement::allow([SecretOperation::Read.action()]).to(Principal::Aws(reader));
        stack.secret_policy(&token, [read]);
    });
    assert_json_snapshot!(resources["TokenPolicy"], @r#"
    {
      "Properties": {
        "BlockPublicPolicy": true,
        "ResourcePolicy": {
          "Statement": [
            {
              "Action": "secretsmanager:GetSecretValue",
              "Effect": "Allow",
              "Principal": {
                "AWS": "arn:aws:iam::210987654321:role/reader"
              },
              "Resource": "*"
            }
          ],
          "Version": "2012-10-17"
        },
        "SecretId": {
          "Ref": "Token"
        }
      },
      "Type": "AWS::SecretsManager::ResourcePolicy"
    }
    "#);
}

#[test]
fn copies_and_rotations_have_limits() {
    let found = violations(dev(), |stack| {
        let replicas = ["eu-west-1", "eu-west-1", "eu-central-1"].map(SecretReplica::in_region);
        let props = SecretProps {
            replicas: replicas.into(),
            ..SecretProps::default()
        };
        let token = stack.secret::<String>("Token", props);
        let wired = Wired::<Rotate>::new(Vec::new());
        let rotate = stack.function("Rotate", wired, FunctionProps::default());
        stack.secret_rotation("TokenRotation", &token, &rotate, RotationProps::every(0));
        let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:token-AbCdEf";
        let kept = SecretRef::<String>::existing(stack_model::Arn::parse(arn).unwrap());
        stack.secret_policy(&kept, [Statement::deny(["secretsmanager:DeleteSecret"])]);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Token / Properties.ReplicaRegions.1.Region: `eu-west-1`: there is a copy in this region already",
      "orders / Token / Properties.ReplicaRegions.2.Region: `eu-central-1`: the secret itself stands in this region",
      "orders / TokenRotation / Properties.RotationRules: 0 is not between 1 and 1000",
      "orders: the secret is kept by somebody else, who decides who reads it"
    ]
    "#);
}
