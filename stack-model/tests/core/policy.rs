//! Policies: what is merged, what is refused.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::iam::RoleProps;
use stack_model::policy::{Principal, Statement};
use stack_model::sqs::{QueueOperation, QueueProps};
use stack_model::{Expr, Pseudo, Token, text};

use crate::support::{dev, property, violations};

#[test]
fn grants_on_one_resource_become_one_statement() {
    let policies = property(dev(), "Worker", "Policies", |stack| {
        let queue = stack.queue::<String>("Orders", QueueProps::default());
        let role = stack.role("Worker", RoleProps::for_service("lambda.amazonaws.com"));
        stack.grant(&role, queue.statements(&[QueueOperation::Send]));
        stack.grant(&role, queue.statements(&[QueueOperation::Receive]));
        stack.grant(&role, queue.statements(&[QueueOperation::Send]));
    });
    assert_json_snapshot!(policies, @r#"
    [
      {
        "PolicyDocument": {
          "Statement": [
            {
              "Action": [
                "sqs:ReceiveMessage",
                "sqs:SendMessage"
              ],
              "Effect": "Allow",
              "Resource": {
                "Fn::GetAtt": [
                  "Orders",
                  "Arn"
                ]
              }
            }
          ],
          "Version": "2012-10-17"
        },
        "PolicyName": "granted"
      }
    ]
    "#);
}

#[test]
fn a_wildcard_needs_a_reason() {
    let found = violations(dev(), |stack| {
        let role = stack.role("Worker", RoleProps::for_service("lambda.amazonaws.com"));
        stack.grant(
            &role,
            [
                Statement::allow(["sqs:*"]).on("arn:aws:sqs:us-east-1:123456789012:orders"),
                Statement::allow(["sqs:ListQueues"]).on("*"),
                Statement::allow(["sns:Publish"])
                    .on("arn:aws:sns:us-east-1:123456789012:a")
                    .to(Principal::Anyone),
                Statement::allow(["SendMessage"]).on("arn:aws:sqs:us-east-1:123456789012:orders"),
                Statement::allow([""; 0]),
                Statement::allow(["sqs:ListQueues"]).on_everything("ListQueues names no queue"),
                Statement::deny(["sqs:*"]).on("*"),
            ],
        );
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Worker: the action `sqs:*` is a wildcard: name exactly what is needed, or say why it must be with `because(\"..\")`",
      "orders / Worker: the resource `*` is a wildcard: name exactly what is needed, or say why it must be with `because(\"..\")`",
      "orders / Worker: the principal `*` is a wildcard: name exactly what is needed, or say why it must be with `because(\"..\")`",
      "orders / Worker: `SendMessage` is not an IAM action: it needs the form service:Action",
      "orders / Worker: a policy statement names no action"
    ]
    "#);
}

#[test]
fn a_wildcard_hides_nowhere() {
    let region = || Pseudo::Region;
    let wildcard = |resource: Expr| {
        let found = violations(dev(), |stack| {
            let role = stack.role("Worker", RoleProps::for_service("lambda.amazonaws.com"));
            let statement = || Statement::allow(["s3:GetObject"]).on(resource.clone());
            stack.grant(&role, [statement()]);
            stack.grant(&role, [statement().because("the names are not known")]);
        });
        assert!(found.len() < 2, "{found:?}");
        found.concat()
    };
    let list = Token::Join {
        delimiter: ":".to_owned(),
        list: Box::new(Expr::list(["arn", "aws", "s3", "", "", "*"])),
    };
    let hidden: [Expr; 6] = [
        "arn:aws:s3:::*".into(),
        "arn:aws:s3:::order?/a".into(),
        text!("arn:aws:dynamodb:{}:*:table/orders", region()).into(),
        Expr::list(["arn:aws:s3:::orders/a", "*"]),
        list.into(),
        json!({"Fn::Sub": "arn:aws:s3:::${AWS::Region}/*"}).into(),
    ];
    for resource in hidden {
        let found = wildcard(resource.clone());
        assert!(found.contains("is a wildcard"), "{resource:?}: {found}");
    }
    let named = text!("arn:aws:dynamodb:{}:123456789012:table/orders", region());
    assert_eq!(wildcard(named.into()), "");
}

#[test]
fn every_account_is_everyone() {
    let found = violations(dev(), |stack| {
        let queue = stack.queue::<String>("Orders", QueueProps::default());
        let everyone = || Principal::Aws("*".into());
        let statement = || Statement::allow(["sqs:SendMessage"]).to(everyone());
        stack.queue_policy(&queue, [statement()]);
        stack.queue_policy(&queue, [statement().because("the queue is public")]);
    });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("the principal `*`"), "{found:?}");
}

#[test]
fn a_role_of_another_stack_is_never_changed() {
    let mut app = dev();
    let role = app
        .stack("data")
        .role("Worker", RoleProps::for_service("lambda.amazonaws.com"));
    let mut stack = app.stack("orders");
    let queue = stack.queue::<String>("Orders", QueueProps::default());
    stack.grant(&role, queue.statements(&[QueueOperation::Send]));
    let found = crate::support::texts(&app.synth().unwrap_err());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("`Worker` belongs to the stack `data`"),
        "{found:?}"
    );
}

#[test]
fn principals_of_a_kind_stand_together() {
    let document = property(dev(), "OrdersPolicy", "PolicyDocument", |stack| {
        let queue = stack.queue::<String>("Orders", QueueProps::default());
        let role = stack.role("Worker", RoleProps::for_service("lambda.amazonaws.com"));
        let statement = Statement::allow(["sqs:SendMessage"])
            .to(Principal::Service("sns.amazonaws.com".to_owned()))
            .to(role.principal())
            .to(Principal::Aws("arn:aws:iam::123456789012:root".into()))
            .when("ArnEquals", "aws:SourceArn", json!(["a", "b"]));
        stack.queue_policy(&queue, [statement]);
    });
    assert_json_snapshot!(document["Statement"][1], @r#"
    {
      "Action": "sqs:SendMessage",
      "Condition": {
        "ArnEquals": {
          "aws:SourceArn": [
            "a",
            "b"
          ]
        }
      },
      "Effect": "Allow",
      "Principal": {
        "AWS": [
          {
            "Fn::GetAtt": [
              "Worker",
              "Arn"
            ]
          },
          "arn:aws:iam::123456789012:root"
        ],
        "Service": "sns.amazonaws.com"
      },
      "Resource": {
        "Fn::GetAtt": [
          "Orders",
          "Arn"
        ]
      }
    }
    "#);
}
