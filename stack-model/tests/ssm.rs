//! Parameters of Parameter Store.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::kms::KeyProps;
use stack_model::ssm::{ParameterOperation, ParameterProps, ParameterRef, Tier};
use stack_model::{Parameter, Pseudo, text};

use crate::support::{actions, dev, resources, statements, template, violations};

#[test]
fn a_parameter_holds_a_text() {
    let resources = resources(dev(), |stack| {
        stack.ssm_parameter::<u32>("Size", "25", ParameterProps::default());
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Size": {
        "Properties": {
          "Name": "/orders-dev/Size",
          "Type": "String",
          "Value": "25"
        },
        "Type": "AWS::SSM::Parameter"
      }
    }
    "#);
}

#[test]
fn every_property_reaches_the_template() {
    let resources = resources(dev(), |stack| {
        stack.ssm_parameter::<u32>(
            "Size",
            "25",
            ParameterProps {
                name: Some("/orders/size".into()),
                description: Some("Orders per batch".to_owned()),
                allowed_pattern: Some("[0-9]+".to_owned()),
                tier: Tier::Advanced,
            },
        );
        let props = ParameterProps {
            tier: Tier::IntelligentTiering,
            ..ParameterProps::default()
        };
        stack.ssm_parameter::<u32>("Other", "25", props);
    });
    assert_json_snapshot!(resources["Size"]["Properties"], @r#"
    {
      "AllowedPattern": "[0-9]+",
      "Description": "Orders per batch",
      "Name": "/orders/size",
      "Tier": "Advanced",
      "Type": "String",
      "Value": "25"
    }
    "#);
    assert_eq!(
        resources["Other"]["Properties"]["Tier"],
        "Intelligent-Tiering"
    );
}

#[test]
fn every_operation_allows_its_action_and_no_other() {
    let cases = [
        (ParameterOperation::Get, "ssm:GetParameter"),
        (ParameterOperation::GetDecrypted, "ssm:GetParameter"),
        (ParameterOperation::Put, "ssm:PutParameter"),
    ];
    let parameter = ParameterRef::<String>::existing("/orders/size");
    for (operation, action) in cases {
        assert_eq!(actions(&parameter.statements(&[operation])), [[action]]);
    }
    assert!(parameter.statements(&[]).is_empty());
}

#[test]
fn an_arn_has_one_slash_after_parameter() {
    let named = |name: Option<stack_model::Value<String>>| {
        statements(dev(), |stack| {
            let props = ParameterProps {
                name,
                ..ParameterProps::default()
            };
            let parameter = stack.ssm_parameter::<u32>("Size", "25", props);
            parameter.statements(&[ParameterOperation::Get])
        })[0]["Resource"]
            .take()
    };
    let arns = [
        named(None),
        named(Some("size".into())),
        named(Some("/orders/size".into())),
        named(Some(text!("/{}/size", Pseudo::StackName))),
    ];
    assert_json_snapshot!(arns, @r#"
    [
      {
        "Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${Size}"
      },
      {
        "Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/${Size}"
      },
      {
        "Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${Size}"
      },
      {
        "Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${Size}"
      }
    ]
    "#);
}

#[test]
fn a_parameter_of_somebody_else_is_read_by_its_name() {
    let template = template(dev(), |stack| {
        let key = stack.key("TokenKey", KeyProps::default());
        let token = ParameterRef::<String>::existing_secure("/orders/token", Some(&key));
        let plain = ParameterRef::<String>::existing("size");
        assert!(token.resource().is_none());
        let database = stack.raw("Database", "AWS::RDS::DBInstance", serde_json::json!({}));
        stack.override_property(&database, "MasterUserPassword", token.value());
        stack.output("Size", plain.value());
        stack.output("Name", token.name());
        let statements = token.statements(&[ParameterOperation::GetDecrypted]);
        let props = stack_model::iam::ManagedPolicyProps {
            statements,
            ..Default::default()
        };
        stack.managed_policy("Reader", props);
    });
    assert_json_snapshot!(template["Outputs"], @r#"
    {
      "Name": {
        "Value": "/orders/token"
      },
      "Size": {
        "Value": "{{resolve:ssm:size}}"
      }
    }
    "#);
    assert_eq!(
        template["Resources"]["Database"]["Properties"]["MasterUserPassword"],
        "{{resolve:ssm-secure:/orders/token}}"
    );
    assert_json_snapshot!(template["Resources"]["Reader"]["Properties"]["PolicyDocument"]["Statement"], @r#"
    [
      {
        "Action": "ssm:GetParameter",
        "Effect": "Allow",
        "Resource": {
          "Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/orders/token"
        }
      },
      {
        "Action": "kms:Decrypt",
        "Condition": {
          "StringEquals": {
            "kms:ViaService": {
              "Fn::Sub": "ssm.${AWS::Region}.${AWS::URLSuffix}"
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
fn what_parameter_store_refuses_is_reported_together() {
    let found = violations(dev(), |stack| {
        let named = |name: &str| ParameterProps {
            name: Some(name.into()),
            ..ParameterProps::default()
        };
        stack.ssm_parameter::<String>("Empty", "", ParameterProps::default());
        stack.ssm_parameter::<String>("Large", "x".repeat(4097), ParameterProps::default());
        stack.ssm_parameter::<String>("Strange", "x", named("a b"));
        stack.ssm_parameter::<String>("Unrooted", "x", named("orders/size"));
        let props = ParameterProps {
            name: Some(text!("{}/size", Pseudo::StackName)),
            ..ParameterProps::default()
        };
        stack.ssm_parameter::<String>("Unknown", "x", props);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Empty / Properties.Value: the value has 0 bytes and a parameter of this tier takes 1 to 4096",
      "orders / Large / Properties.Value: the value has 4097 bytes and a parameter of this tier takes 1 to 4096",
      "orders / Strange / Properties.Name: `a b` holds ' '; AWS takes letters, digits and `.` `-` `_` `/`",
      "orders / Unrooted / Properties.Name: `orders/size` holds a `/` and does not start with one",
      "orders / Unknown / Properties.Name: the name starts with what only the deployment knows, so its ARN cannot be told: start it with a text, such as `/`"
    ]
    "#);
}

#[test]
fn the_advanced_tier_takes_more() {
    let found = violations(dev(), |stack| {
        let props = ParameterProps {
            tier: Tier::Advanced,
            ..ParameterProps::default()
        };
        stack.ssm_parameter::<String>("Large", "x".repeat(8192), props);
    });
    assert_eq!(found, [""; 0]);
}

#[test]
fn a_stack_publishes_what_others_find_it_by() {
    let names = resources(dev(), |stack| {
        let app = stack.parameter("AppName", Parameter::string().default("Serverlesspresso"));
        for (id, name) in [("EventBusName", "eventbusname"), ("UserPool", "userpool")] {
            let props = ParameterProps {
                name: Some(text!("/{}/core/{}", &app, name)),
                ..ParameterProps::default()
            };
            stack.ssm_parameter::<String>(id, "value", props);
        }
    });
    assert_eq!(
        names["EventBusName"]["Properties"]["Name"],
        json!({"Fn::Sub": "/${AppName}/core/eventbusname"})
    );
}

#[test]
fn a_list_has_commas_between_its_texts() {
    let properties = |values: &[&str]| {
        let mut resources = resources(dev(), |stack| {
            let props = ParameterProps::default();
            stack.ssm_parameter_list("Zones", values.iter().copied(), props);
        });
        resources["Zones"]["Properties"].take()
    };
    assert_eq!(
        properties(&["a", "b"]),
        json!({"Name": "/orders-dev/Zones", "Type": "StringList", "Value": "a,b"})
    );
    let found = violations(dev(), |stack| {
        stack.ssm_parameter_list("Zones", ["a,b"], ParameterProps::default());
    });
    assert_eq!(
        found,
        ["orders / Zones / Properties.Value: `a,b` holds a comma, which would make two of it"]
    );
}

#[test]
fn everything_below_a_path_is_read_where_the_path_is_named() {
    let statements = statements(dev(), |_| vec![stack_model::ssm::read_below("/CodeBuild/")]);
    assert_json_snapshot!(statements, @r#"
    [
      {
        "Action": [
          "ssm:GetParameter",
          "ssm:GetParameters",
          "ssm:GetParametersByPath"
        ],
        "Effect": "Allow",
        "Resource": {
          "Fn::Sub": "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/CodeBuild/*"
        }
      }
    ]
    "#);
    let found = violations(dev(), |stack| {
        let role = stack.role(
            "Role",
            stack_model::iam::RoleProps::for_service("codebuild.amazonaws.com"),
        );
        stack.grant(&role, [stack_model::ssm::read_below("/")]);
    });
    assert_eq!(
        found,
        [
            "orders / Role: the path `/` is above every parameter of the account: name one of your own"
        ]
    );
}
