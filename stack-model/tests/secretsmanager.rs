//! Secrets.

use std::collections::BTreeMap;

use insta::assert_json_snapshot;
use stack_model::kms::KeyProps;
use stack_model::secretsmanager::{Content, Password, SecretOperation, SecretProps, SecretRef};
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
        "Name": "orders/database"
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
