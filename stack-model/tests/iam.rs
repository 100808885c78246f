//! Roles and policies.

use serde_json::json;
use stack_model::iam::{ManagedPolicy, ManagedPolicyProps, RoleProps, SessionSeconds};
use stack_model::policy::{Principal, Statement};
use stack_model::sqs::{QueueOperation, QueueProps};
use stack_model::{Arn, limit};

use crate::support::{dev, property, resources, texts, violations};

/// A role of Lambda with some of its fields changed.
fn changed(change: impl FnOnce(&mut RoleProps)) -> RoleProps {
    let mut props = RoleProps::for_service("lambda.amazonaws.com");
    change(&mut props);
    props
}

#[test]
fn a_role_is_trusted_by_its_service_and_allowed_nothing() {
    let resources = resources(dev(), |stack| {
        stack.role("Worker", RoleProps::for_service("lambda.amazonaws.com"));
    });
    assert_eq!(
        resources,
        json!({"Worker": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Action": "sts:AssumeRole",
                        "Principal": {"Service": "lambda.amazonaws.com"},
                    }],
                },
            },
        }})
    );
}

#[test]
fn every_property_of_a_role_reaches_the_template() {
    let resources = resources(dev(), |stack| {
        let policy = stack.managed_policy(
            "Readers",
            ManagedPolicyProps {
                description: Some("Who may read".to_owned()),
                statements: vec![
                    Statement::allow(["sqs:ReceiveMessage"])
                        .on("arn:aws:sqs:eu-central-1:123456789012:q"),
                ],
            },
        );
        let boundary = Arn::<ManagedPolicy>::parse("arn:aws:iam::123456789012:policy/boundary");
        stack.role(
            "Worker",
            changed(|props| {
                props.description = Some("Works".to_owned());
                props.name = Some("worker".into());
                props.managed_policies = vec![policy.arn()];
                props.permissions_boundary = Some(boundary.unwrap().into());
                props.max_session = Some(limit!(SessionSeconds, 43_200));
                props.statements =
                    vec![Statement::deny(["s3:DeleteBucket"]).on("arn:aws:s3:::orders")];
            }),
        );
    });
    assert_eq!(
        resources["Readers"],
        json!({
            "Type": "AWS::IAM::ManagedPolicy",
            "Properties": {
                "Description": "Who may read",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Action": "sqs:ReceiveMessage",
                        "Resource": "arn:aws:sqs:eu-central-1:123456789012:q",
                    }],
                },
            },
        })
    );
    assert_eq!(
        resources["Worker"]["Properties"],
        json!({
            "AssumeRolePolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{
                    "Effect": "Allow",
                    "Action": "sts:AssumeRole",
                    "Principal": {"Service": "lambda.amazonaws.com"},
                }],
            },
            "Description": "Works",
            "ManagedPolicyArns": [{"Ref": "Readers"}],
            "MaxSessionDuration": 43200,
            "PermissionsBoundary": "arn:aws:iam::123456789012:policy/boundary",
            "Policies": [{
                "PolicyName": "granted",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Deny",
                        "Action": "s3:DeleteBucket",
                        "Resource": "arn:aws:s3:::orders",
                    }],
                },
            }],
            "RoleName": "worker",
        })
    );
}

#[test]
fn a_session_lasts_one_to_twelve_hours() {
    let lasting = |seconds: u32| {
        violations(dev(), |stack| {
            stack.role(
                "Worker",
                changed(|props| props.max_session = Some(seconds.into())),
            );
        })
    };
    assert_eq!(lasting(3600), [""; 0]);
    assert_eq!(lasting(43_200), [""; 0]);
    let path = "orders / Worker / Properties.MaxSessionDuration";
    for seconds in [3599, 43_201] {
        let message = format!("{path}: {seconds} is not between 3600 and 43200");
        assert_eq!(lasting(seconds), [message]);
    }
}

#[test]
fn an_identity_provider_takes_a_role_on() {
    let provider = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com";
    let trust = property(dev(), "Release", "AssumeRolePolicyDocument", |stack| {
        let statement = Statement::allow(["sts:AssumeRoleWithWebIdentity"])
            .to(Principal::Federated(provider.into()))
            .when(
                "StringEquals",
                "token.actions.githubusercontent.com:aud",
                "sts.amazonaws.com",
            );
        stack.role("Release", RoleProps::trusting(statement));
    });
    assert_eq!(
        trust["Statement"],
        json!([{
            "Effect": "Allow",
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Principal": {"Federated": provider},
            "Condition": {"StringEquals": {
                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
            }},
        }])
    );
}

#[test]
fn principals_of_several_kinds_stand_under_their_kinds() {
    let trust = property(dev(), "Worker", "AssumeRolePolicyDocument", |stack| {
        let statement = Statement::allow(["sts:AssumeRole"])
            .to(Principal::Service("lambda.amazonaws.com".to_owned()))
            .to(Principal::Aws("arn:aws:iam::123456789012:root".into()))
            .to(Principal::Service("ecs-tasks.amazonaws.com".to_owned()));
        stack.role("Worker", RoleProps::trusting(statement));
    });
    assert_eq!(
        trust["Statement"][0]["Principal"],
        json!({
            "AWS": "arn:aws:iam::123456789012:root",
            "Service": ["lambda.amazonaws.com", "ecs-tasks.amazonaws.com"],
        })
    );
}

#[test]
fn a_role_is_the_principal_of_another_resource() {
    let document = property(dev(), "OrdersPolicy", "PolicyDocument", |stack| {
        let role = stack.role("Worker", RoleProps::for_service("lambda.amazonaws.com"));
        let queue = stack.queue::<String>("Orders", QueueProps::default());
        let statement = Statement::allow(["sqs:SendMessage"]).to(role.principal());
        stack.queue_policy(&queue, [statement]);
    });
    assert_eq!(
        document["Statement"][1]["Principal"],
        json!({"AWS": {"Fn::GetAtt": ["Worker", "Arn"]}})
    );
}

#[test]
fn grants_join_the_inline_policy_of_a_role() {
    let policies = property(dev(), "Worker", "Policies", |stack| {
        let role = stack.role(
            "Worker",
            changed(|props| {
                let lists = Statement::allow(["sqs:ListQueues"]).on_everything("it lists");
                props.statements.push(lists);
            }),
        );
        let queue = stack.queue::<String>("Orders", QueueProps::default());
        stack.grant(&role, queue.statements(&[QueueOperation::Send]));
        stack.grant(&role, queue.statements(&[QueueOperation::Receive]));
    });
    assert_eq!(
        policies,
        json!([{
            "PolicyName": "granted",
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"},
                    {
                        "Effect": "Allow",
                        "Action": ["sqs:ReceiveMessage", "sqs:SendMessage"],
                        "Resource": {"Fn::GetAtt": ["Orders", "Arn"]},
                    },
                ],
            },
        }])
    );
}

#[test]
fn a_policy_of_its_own_is_attached_to_its_role() {
    let policy = resources(dev(), |stack| {
        let role = stack.role("Worker", RoleProps::for_service("lambda.amazonaws.com"));
        let queue = stack.queue::<String>("Orders", QueueProps::default());
        stack.policy("Sending", &role, queue.statements(&[QueueOperation::Send]));
    })["Sending"]
        .take();
    assert_eq!(
        policy,
        json!({
            "Type": "AWS::IAM::Policy",
            "Properties": {
                "PolicyName": "Sending",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Action": "sqs:SendMessage",
                        "Resource": {"Fn::GetAtt": ["Orders", "Arn"]},
                    }],
                },
                "Roles": [{"Ref": "Worker"}],
            },
        })
    );
}

#[test]
fn wrong_statements_are_reported_wherever_they_stand() {
    let wrong = || Statement::allow(["everything"]).on("arn:aws:s3:::orders");
    let found = violations(dev(), |stack| {
        let mut props = RoleProps::trusting(wrong());
        props.statements.push(wrong());
        let role = stack.role("Worker", props);
        stack.policy("Own", &role, [wrong()]);
        let props = ManagedPolicyProps {
            statements: vec![wrong()],
            ..ManagedPolicyProps::default()
        };
        stack.managed_policy("Managed", props);
    });
    let message = "`everything` is not an IAM action: it needs the form service:Action";
    assert_eq!(
        found,
        ["Worker", "Worker", "Own", "Managed"].map(|id| format!("orders / {id}: {message}"))
    );
}

#[test]
fn a_role_of_another_stack_is_not_granted_more() {
    let mut app = dev();
    let role = app
        .stack("roles")
        .role("Worker", RoleProps::for_service("lambda.amazonaws.com"));
    let mut stack = app.stack("orders");
    let queue = stack.queue::<String>("Orders", QueueProps::default());
    stack.grant(&role, queue.statements(&[QueueOperation::Send]));
    let found = texts(&app.synth().unwrap_err());
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("`Worker`") && found[0].contains("`roles`"),
        "{found:?}"
    );
}
