//! Roles and policies.

use std::collections::BTreeMap;

use serde_json::json;
use stack_model::iam::{
    ManagedPolicy, ManagedPolicyProps, OidcProviderProps, Role, RoleProps, RoleRef, SessionSeconds,
};
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
                name: Some("readers".into()),
                path: Some("/orders/".to_owned()),
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
                "ManagedPolicyName": "readers",
                "Path": "/orders/",
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

#[test]
fn a_role_is_changed_from_the_props_of_a_constructor() {
    let resources = resources(dev(), |stack| {
        stack.role(
            "Worker",
            RoleProps {
                path: Some("/orders/".to_owned()),
                managed_policies: vec![
                    ManagedPolicy::aws("service-role/AWSLambdaBasicExecutionRole"),
                    ManagedPolicy::existing("audit"),
                ],
                policies: BTreeMap::from([(
                    "orderProcessorWFPolicy".to_owned(),
                    vec![Statement::allow(["events:PutEvents"]).on("arn:aws:events:::bus")],
                )]),
                statements: vec![Statement::allow(["sts:AssumeRole"]).on(Role::existing("ops"))],
                ..RoleProps::for_service("states.amazonaws.com")
            },
        );
    });
    let properties = &resources["Worker"]["Properties"];
    assert_eq!(properties["Path"], "/orders/");
    assert_eq!(
        properties["ManagedPolicyArns"],
        json!([
            {"Fn::Sub": "arn:${AWS::Partition}:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"},
            {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:policy/audit"},
        ])
    );
    let policy = |name: &str, action: &str, resource: serde_json::Value| {
        let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
        json!({
            "PolicyName": name,
            "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        })
    };
    assert_eq!(
        properties["Policies"],
        json!([
            policy(
                "orderProcessorWFPolicy",
                "events:PutEvents",
                json!("arn:aws:events:::bus")
            ),
            policy(
                "granted",
                "sts:AssumeRole",
                json!({"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/ops"}),
            ),
        ])
    );
}

#[test]
fn named_policies_are_checked_and_leave_the_name_of_the_granted_one() {
    let found = violations(dev(), |stack| {
        stack.role(
            "Worker",
            changed(|props| {
                let statement = Statement::allow(["sqs:SendMessage"]).on("*");
                props.policies = BTreeMap::from([("granted".to_owned(), vec![statement])]);
                props.managed_policies = vec![ManagedPolicy::aws("ReadOnlyAccess"); 21];
            }),
        );
    });
    assert_eq!(
        found[..3],
        [
            "orders / Worker / Properties.ManagedPolicyArns: the role has 21 managed policies and IAM takes at most 20",
            "orders / Worker: the resource `*` is a wildcard: name exactly what is needed, or say why it must be with `because(\"..\")`",
            "orders / Worker / Properties.Policies: `granted` is the policy of what is granted to the role: choose another name",
        ]
    );
}

/// Statements whose document has a little more than `characters` characters.
fn large(characters: usize) -> Vec<Statement> {
    let resource =
        |number: usize| format!("arn:aws:sqs:eu-central-1:123456789012:queue-{number:055}");
    let mut statement = Statement::allow(["sqs:SendMessage"]);
    for number in 0..=characters / 100 {
        statement = statement.on(resource(number));
    }
    vec![statement]
}

#[test]
fn policies_are_no_larger_than_iam_takes() {
    let found = violations(dev(), |stack| {
        let role = stack.role("Worker", changed(|props| props.statements = large(5000)));
        stack.policy("More", &role, large(5500));
        let few = stack.role("Few", changed(|props| props.statements = large(9000)));
        stack.policy("Little", &few, large(500));
        let props = ManagedPolicyProps {
            statements: large(6200),
            ..ManagedPolicyProps::default()
        };
        stack.managed_policy("Managed", props);
        let props = ManagedPolicyProps {
            statements: large(5500),
            ..ManagedPolicyProps::default()
        };
        stack.managed_policy("Fitting", props);
    });
    assert_eq!(found.len(), 2, "{found:?}");
    let managed = "orders / Managed / Properties.PolicyDocument: the policy has at least 6";
    assert!(found[0].starts_with(managed), "{}", found[0]);
    let inline =
        "orders / Worker / Properties.Policies: the inline policies of the role have at least 11";
    assert!(found[1].starts_with(inline), "{}", found[1]);
}

#[test]
fn a_build_service_takes_a_role_on_without_a_key() {
    let resources = resources(dev(), |stack| {
        let builds = stack.oidc_provider(
            "Builds",
            OidcProviderProps::new(
                "https://token.actions.githubusercontent.com",
                "sts.amazonaws.com",
            ),
        );
        stack.role("Deploy", builds.role_of("repo:example/orders:*"));
    });
    assert_eq!(
        resources,
        json!({
            "Builds": {
                "Type": "AWS::IAM::OIDCProvider",
                "Properties": {
                    "ClientIdList": ["sts.amazonaws.com"],
                    "Url": "https://token.actions.githubusercontent.com",
                },
            },
            "Deploy": {
                "Type": "AWS::IAM::Role",
                "Properties": {"AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [{
                        "Effect": "Allow",
                        "Action": "sts:AssumeRoleWithWebIdentity",
                        "Principal": {"Federated": {"Ref": "Builds"}},
                        "Condition": {
                            "StringEquals": {
                                "token.actions.githubusercontent.com:aud": "sts.amazonaws.com",
                            },
                            "StringLike": {
                                "token.actions.githubusercontent.com:sub": "repo:example/orders:*",
                            },
                        },
                    }],
                }},
            },
        })
    );
}

#[test]
fn strangers_take_no_role_on() {
    let found = violations(dev(), |stack| {
        let props = OidcProviderProps::new("http://builds.example.com:80", "deploy");
        let builds = stack.oidc_provider("Builds", props);
        stack.role("Deploy", builds.role_of("repo:*"));
        // A question mark stands for any character, so this is the owner of a name of six.
        stack.role("Guess", builds.role_of("repo:??????/orders:*"));
    });
    assert_eq!(
        found,
        [
            "orders / Builds / Properties.Url: `http://builds.example.com:80` is not the URL of an issuer: it starts with `https://` and has neither a port nor a query",
            "orders / Deploy: `repo:*` would let strangers take the role on: name at least the owner, as `repo:example/orders:*` does",
            "orders / Guess: `repo:??????/orders:*` would let strangers take the role on: name at least the owner, as `repo:example/orders:*` does",
        ]
    );
}

#[test]
fn a_role_of_somebody_else_is_used_and_not_changed() {
    let mut app = dev();
    let mut stack = app.stack("orders");
    let deploy = RoleRef::existing("operators/deploy");
    let worker = stack.role(
        "Worker",
        RoleProps::trusting(Statement::allow(["sts:AssumeRole"]).to(deploy.principal())),
    );
    stack.policy(
        "DeployMay",
        &deploy,
        [Statement::allow(["iam:PassRole"]).on(worker.arn())],
    );
    let template = app.synth().unwrap();
    let template: serde_json::Value =
        serde_json::from_str(template.template("orders").unwrap()).unwrap();
    assert_eq!(
        template["Resources"]["DeployMay"]["Properties"]["Roles"],
        json!(["deploy"])
    );
    let trust = &template["Resources"]["Worker"]["Properties"]["AssumeRolePolicyDocument"];
    assert_eq!(
        trust["Statement"][0]["Principal"]["AWS"],
        json!({"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/operators/deploy"})
    );
    let found = violations(dev(), |stack| {
        let queue = stack.queue::<String>("Orders", QueueProps::default());
        stack.grant(&deploy, queue.statements(&[QueueOperation::Send]));
    });
    assert_eq!(
        found,
        [
            "orders / operators/deploy: `operators/deploy` is kept by somebody else, so no stack of this app can change it"
        ]
    );
}
