//! User pools.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::cognito::{
    Alias, Attribute, CharacterKind, Contact, Email, EmailMessage, Invitation, Mfa, MfaMethods,
    PasswordPolicy, Plan, Recovery, SignIn, SignUp, Sms, StandardAttribute, ThreatProtection,
    UserPoolOperation, UserPoolProps, UserPoolRef, Verification,
};

use crate::support::{actions, dev, prod, property, resources, statements, violations};

#[test]
fn a_pool_is_signed_in_to_by_mail_and_filled_by_administrators() {
    let resources = resources(dev(), |stack| {
        stack.user_pool("Users", UserPoolProps::default());
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Users": {
        "DeletionPolicy": "Delete",
        "Properties": {
          "AccountRecoverySetting": {
            "RecoveryMechanisms": [
              {
                "Name": "verified_email",
                "Priority": 1
              }
            ]
          },
          "AdminCreateUserConfig": {
            "AllowAdminCreateUserOnly": true
          },
          "AutoVerifiedAttributes": [
            "email"
          ],
          "MfaConfiguration": "OFF",
          "Policies": {
            "PasswordPolicy": {
              "MinimumLength": 8,
              "RequireLowercase": true,
              "RequireNumbers": true,
              "RequireSymbols": true,
              "RequireUppercase": true
            }
          },
          "UserAttributeUpdateSettings": {
            "AttributesRequireVerificationBeforeUpdate": [
              "email"
            ]
          },
          "UsernameAttributes": [
            "email"
          ],
          "UsernameConfiguration": {
            "CaseSensitive": false
          }
        },
        "Type": "AWS::Cognito::UserPool",
        "UpdateReplacePolicy": "Delete"
      }
    }
    "#);
}

#[test]
fn the_pool_of_the_coffee_shop() {
    let resources = resources(dev(), |stack| {
        stack.user_pool(
            "Users",
            UserPoolProps {
                name: Some("ServerlesspressoUserPool".into()),
                attributes: vec![
                    Attribute::standard(StandardAttribute::Email)
                        .required()
                        .immutable(),
                ],
                verification: Verification::Code {
                    email: EmailMessage::new("Serverlesspresso workshop code", "Code: {####}"),
                    sms: None,
                },
                sign_up: SignUp::Anyone,
                password: PasswordPolicy::at_least(6),
                ..UserPoolProps::default()
            },
        );
    });
    assert_json_snapshot!(resources["Users"]["Properties"], @r#"
    {
      "AccountRecoverySetting": {
        "RecoveryMechanisms": [
          {
            "Name": "verified_email",
            "Priority": 1
          }
        ]
      },
      "AdminCreateUserConfig": {
        "AllowAdminCreateUserOnly": false
      },
      "AutoVerifiedAttributes": [
        "email"
      ],
      "MfaConfiguration": "OFF",
      "Policies": {
        "PasswordPolicy": {
          "MinimumLength": 6,
          "RequireLowercase": false,
          "RequireNumbers": false,
          "RequireSymbols": false,
          "RequireUppercase": false
        }
      },
      "Schema": [
        {
          "AttributeDataType": "String",
          "Mutable": false,
          "Name": "email",
          "Required": true
        }
      ],
      "UserPoolName": "ServerlesspressoUserPool",
      "UsernameAttributes": [
        "email"
      ],
      "UsernameConfiguration": {
        "CaseSensitive": false
      },
      "VerificationMessageTemplate": {
        "DefaultEmailOption": "CONFIRM_WITH_CODE",
        "EmailMessage": "Code: {####}",
        "EmailSubject": "Serverlesspresso workshop code"
      }
    }
    "#);
}

#[test]
fn every_property_reaches_the_template() {
    let resources = resources(dev(), |stack| {
        stack.user_pool(
            "Users",
            UserPoolProps {
                name: Some("orders".into()),
                sign_in: SignIn::Username {
                    aliases: vec![Alias::Email, Alias::Phone, Alias::PreferredUsername],
                },
                case_sensitive: true,
                attributes: vec![
                    Attribute::text("tenant", 1, 36).immutable(),
                    Attribute::number("seats", 0, 500),
                    Attribute::boolean("vip"),
                    Attribute::date_time("since"),
                    Attribute::standard(StandardAttribute::UpdatedAt),
                ],
                verified: Some(vec![Contact::Phone]),
                verify_before_update: false,
                verification: Verification::Link {
                    email: EmailMessage::new("Welcome", "It is {##you##}, isn't it?"),
                },
                sign_up: SignUp::Invited {
                    invitation: Invitation {
                        email: Some(EmailMessage::new("Hello", "{username}: {####}")),
                        sms: Some("{username}: {####}".to_owned()),
                    },
                },
                password: PasswordPolicy {
                    minimum_length: 12.into(),
                    kinds: [CharacterKind::Digit].into(),
                    temporary_days: Some(1.into()),
                    history: Some(5.into()),
                },
                mfa: Mfa::Required(MfaMethods {
                    app: true,
                    sms: true,
                    email: true,
                }),
                recovery: Some(Recovery::AdministratorOnly),
                email: Email::Ses {
                    identity: "arn:aws:ses:eu-central-1:123456789012:identity/example.com".into(),
                    from: "Orders <orders@example.com>".into(),
                    reply_to: Some("help@example.com".into()),
                    configuration_set: Some("watched".into()),
                },
                sms: Sms::OwnRole,
                plan: Plan::Plus {
                    threat_protection: ThreatProtection::Enforced,
                },
                deletion_protection: Some(true),
            },
        );
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Users": {
        "DeletionPolicy": "Retain",
        "Properties": {
          "AccountRecoverySetting": {
            "RecoveryMechanisms": [
              {
                "Name": "admin_only",
                "Priority": 1
              }
            ]
          },
          "AdminCreateUserConfig": {
            "AllowAdminCreateUserOnly": true,
            "InviteMessageTemplate": {
              "EmailMessage": "{username}: {####}",
              "EmailSubject": "Hello",
              "SMSMessage": "{username}: {####}"
            }
          },
          "AliasAttributes": [
            "email",
            "phone_number",
            "preferred_username"
          ],
          "AutoVerifiedAttributes": [
            "phone_number"
          ],
          "DeletionProtection": "ACTIVE",
          "EmailConfiguration": {
            "ConfigurationSet": "watched",
            "EmailSendingAccount": "DEVELOPER",
            "From": "Orders <orders@example.com>",
            "ReplyToEmailAddress": "help@example.com",
            "SourceArn": "arn:aws:ses:eu-central-1:123456789012:identity/example.com"
          },
          "EnabledMfas": [
            "EMAIL_OTP",
            "SMS_MFA",
            "SOFTWARE_TOKEN_MFA"
          ],
          "MfaConfiguration": "ON",
          "Policies": {
            "PasswordPolicy": {
              "MinimumLength": 12,
              "PasswordHistorySize": 5,
              "RequireLowercase": false,
              "RequireNumbers": true,
              "RequireSymbols": false,
              "RequireUppercase": false,
              "TemporaryPasswordValidityDays": 1
            }
          },
          "Schema": [
            {
              "AttributeDataType": "String",
              "Mutable": false,
              "Name": "tenant",
              "StringAttributeConstraints": {
                "MaxLength": "36",
                "MinLength": "1"
              }
            },
            {
              "AttributeDataType": "Number",
              "Mutable": true,
              "Name": "seats",
              "NumberAttributeConstraints": {
                "MaxValue": "500",
                "MinValue": "0"
              }
            },
            {
              "AttributeDataType": "Boolean",
              "Mutable": true,
              "Name": "vip"
            },
            {
              "AttributeDataType": "DateTime",
              "Mutable": true,
              "Name": "since"
            },
            {
              "AttributeDataType": "Number",
              "Mutable": true,
              "Name": "updated_at"
            }
          ],
          "SmsConfiguration": {
            "ExternalId": "orders-dev-Users",
            "SnsCallerArn": {
              "Fn::GetAtt": [
                "UsersSmsRole",
                "Arn"
              ]
            }
          },
          "UserPoolAddOns": {
            "AdvancedSecurityMode": "ENFORCED"
          },
          "UserPoolName": "orders",
          "UserPoolTier": "PLUS",
          "UsernameConfiguration": {
            "CaseSensitive": true
          },
          "VerificationMessageTemplate": {
            "DefaultEmailOption": "CONFIRM_WITH_LINK",
            "EmailMessageByLink": "It is {##you##}, isn't it?",
            "EmailSubjectByLink": "Welcome"
          }
        },
        "Type": "AWS::Cognito::UserPool",
        "UpdateReplacePolicy": "Retain"
      },
      "UsersSmsRole": {
        "Properties": {
          "AssumeRolePolicyDocument": {
            "Statement": [
              {
                "Action": "sts:AssumeRole",
                "Condition": {
                  "StringEquals": {
                    "sts:ExternalId": "orders-dev-Users"
                  }
                },
                "Effect": "Allow",
                "Principal": {
                  "Service": "cognito-idp.amazonaws.com"
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
                    "Action": "sns:Publish",
                    "Effect": "Allow",
                    "Resource": "*"
                  }
                ],
                "Version": "2012-10-17"
              },
              "PolicyName": "granted"
            }
          ]
        },
        "Type": "AWS::IAM::Role"
      }
    }
    "#);
}

#[test]
fn a_pool_of_a_protected_stage_cannot_be_deleted() {
    let resources = resources(prod(), |stack| {
        stack.user_pool("Users", UserPoolProps::default());
        let props = UserPoolProps {
            deletion_protection: Some(false),
            ..UserPoolProps::default()
        };
        stack.user_pool("Others", props);
    });
    assert_eq!(resources["Users"]["DeletionPolicy"], "Retain");
    assert_eq!(
        resources["Users"]["Properties"]["DeletionProtection"],
        "ACTIVE"
    );
    assert_eq!(
        resources["Others"]["DeletionPolicy"],
        "RetainExceptOnCreate"
    );
    assert_eq!(
        resources["Others"]["Properties"].get("DeletionProtection"),
        None
    );
}

#[test]
fn a_forgotten_password_is_replaced_over_what_is_verified() {
    let recovery = |sign_in: SignIn| {
        property(dev(), "Users", "AccountRecoverySetting", |stack| {
            let props = UserPoolProps {
                sign_in,
                sms: Sms::OwnRole,
                ..UserPoolProps::default()
            };
            stack.user_pool("Users", props);
        })
    };
    let ways = |names: &[&str]| {
        let options = (1..)
            .zip(names)
            .map(|(priority, name): (u32, _)| json!({"Name": name, "Priority": priority}));
        json!({"RecoveryMechanisms": options.collect::<Vec<_>>()})
    };
    assert_eq!(recovery(SignIn::Phone), ways(&["verified_phone_number"]));
    assert_eq!(
        recovery(SignIn::EmailOrPhone),
        ways(&["verified_email", "verified_phone_number"])
    );
}

fn wrong(props: UserPoolProps) -> Vec<String> {
    violations(dev(), |stack| {
        stack.user_pool("Users", props);
    })
}

#[test]
fn attributes_are_checked() {
    let long = "a-name-of-21-letters-";
    let found = wrong(UserPoolProps {
        attributes: vec![
            Attribute::text("custom:tenant", 1, 36),
            Attribute::text(long, 1, 36),
            Attribute::boolean("vip").required(),
            Attribute::boolean("vip"),
            Attribute::number("seats", 5, 4),
            Attribute::text("story", 0, 2049),
        ],
        ..UserPoolProps::default()
    });
    assert_eq!(
        found,
        [
            "0.Name: `custom:tenant` is named without the `custom:` here, which Cognito puts before it",
            "1.Name: `a-name-of-21-letters-` does not fit: the name of an attribute has 1 to 20 characters",
            "2.Name: `vip` is a custom attribute and cannot be required: check it when users sign up",
            "3.Name: the attribute `vip` is there twice",
            "4.Name: `seats` is between 5 and 4: nothing is",
            "5.Name: `story` may have 2049 characters and Cognito takes at most 2048",
        ]
        .map(|text| format!("orders / Users / Properties.Schema.{text}"))
    );
}

#[test]
fn messages_say_where_the_code_stands() {
    let found = wrong(UserPoolProps {
        verification: Verification::Code {
            email: EmailMessage::new("Code", "Your code"),
            sms: None,
        },
        sign_up: SignUp::Invited {
            invitation: Invitation {
                email: Some(EmailMessage::new("Hello", "Password: {####}")),
                sms: None,
            },
        },
        ..UserPoolProps::default()
    });
    assert_eq!(
        found,
        [
            "orders / Users / Properties.VerificationMessageTemplate.EmailMessage: the message does not say where `{####}` stands",
            "orders / Users / Properties.AdminCreateUserConfig.InviteMessageTemplate.EmailMessage: `Password: {####}` needs both `{username}` and `{####}`, the temporary password",
        ]
    );
}

#[test]
fn a_pool_needs_what_reaches_its_users() {
    let found = wrong(UserPoolProps {
        sign_in: SignIn::Phone,
        recovery: Some(Recovery::Email),
        mfa: Mfa::Optional(MfaMethods {
            app: false,
            sms: true,
            email: true,
        }),
        plan: Plan::Lite,
        password: PasswordPolicy {
            history: Some(3.into()),
            minimum_length: 5.into(),
            ..PasswordPolicy::default()
        },
        ..UserPoolProps::default()
    });
    assert_eq!(
        found,
        [
            "Policies.PasswordPolicy.MinimumLength: 5 is not between 6 and 99",
            "Policies.PasswordPolicy.PasswordHistorySize: the plan `Lite` remembers no passwords: choose another, or leave the history out",
            "AutoVerifiedAttributes: a phone number is verified by a text message, and the pool sends none: set `sms`, or say what is `verified`",
            "AccountRecoverySetting: a forgotten password is replaced over the mail address, and no address is verified",
            "EnabledMfas: codes in text messages need a pool that sends them: set `sms`",
            "EnabledMfas: codes in mails need mails that Amazon SES sends: set `email`",
            "EnabledMfas: the plan `Lite` has no codes in mails: choose another",
        ]
        .map(|text| format!("orders / Users / Properties.{text}"))
    );
}

#[test]
fn one_phone_is_not_both_factors() {
    let found = wrong(UserPoolProps {
        sign_in: SignIn::Phone,
        sms: Sms::OwnRole,
        mfa: Mfa::Required(MfaMethods {
            app: false,
            sms: true,
            email: false,
        }),
        ..UserPoolProps::default()
    });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("the same phone"), "{found:?}");
}

#[test]
fn operations_are_allowed_on_the_pool_alone() {
    let granted = statements(dev(), |stack| {
        let users = stack.user_pool("Users", UserPoolProps::default());
        users.statements(&[
            UserPoolOperation::AdminGetUser,
            UserPoolOperation::AdminListGroupsForUser,
        ])
    });
    assert_eq!(
        granted,
        json!([{
            "Effect": "Allow",
            "Action": ["cognito-idp:AdminGetUser", "cognito-idp:AdminListGroupsForUser"],
            "Resource": {"Fn::GetAtt": ["Users", "Arn"]},
        }])
    );
    let existing = UserPoolRef::existing("eu-central-1_Example");
    assert!(actions(&existing.statements(&[])).is_empty());
}
