//! A permissions boundary that every role of an app has, and that a deploy in CodeBuild cannot step over.

use std::process::ExitCode;

use stack_model::codebuild::{BuildSource, DeployRights, GitHubSource, ProjectProps};
use stack_model::iam::{ManagedPolicy, ManagedPolicyProps, RoleProps};
use stack_model::policy::Statement;
use stack_model::sqs::{QueueOperation, QueueProps};
use stack_model::{App, Arn, Value};

fn main() -> ExitCode {
    examples::print(|app| {
        let boundary = boundary(app);
        app.permissions_boundary(boundary);

        let mut orders = app.stack("orders");
        let queue = orders.queue::<String>("Queue", QueueProps::default());
        let worker = orders.role("Worker", RoleProps::for_service("lambda.amazonaws.com"));
        orders.grant(&worker, queue.statements(&[QueueOperation::Receive]));

        let rights = DeployRights::of(app, &["orders"]);
        let mut pipeline = app.stack("orders-pipeline");
        let source = BuildSource::GitHub(GitHubSource::new("example/orders"));
        let project = pipeline.project("Deploy", ProjectProps::new(source));
        pipeline.allow_deploy("DeployRights", project.role(), rights);
    })
}

/// Adds a boundary in a stack of its own, which people deploy.
fn boundary(app: &mut App) -> Value<Arn<ManagedPolicy>> {
    let boundary = ManagedPolicy::existing("boundary");
    let most = "a boundary says what can be allowed at most, and roles say what they need";
    let services = [
        "cloudformation",
        "cloudwatch",
        "codebuild",
        "dynamodb",
        "events",
        "lambda",
        "logs",
        "s3",
        "sns",
        "sqs",
        "ssm",
        "states",
        "xray",
    ];
    let services = Statement::allow(services.map(|service| format!("{service}:*")));
    let bounded = Statement::allow([
        "iam:AttachRolePolicy",
        "iam:CreateRole",
        "iam:DeleteRolePolicy",
        "iam:DetachRolePolicy",
        "iam:PutRolePermissionsBoundary",
        "iam:PutRolePolicy",
    ]);
    // Whoever may pass on any role, or change who takes it on, may act as any role.
    let named = Statement::allow([
        "iam:DeleteRole",
        "iam:PassRole",
        "iam:TagRole",
        "iam:UntagRole",
        "iam:UpdateAssumeRolePolicy",
        "iam:UpdateRole",
        "iam:UpdateRoleDescription",
    ]);
    let roles = "arn:aws:iam::*:role/orders-*";
    let statements = vec![
        services.on_everything(most),
        // Roles that builds make are within the boundary, too.
        bounded.on(roles).because(most).when(
            "StringEquals",
            "iam:PermissionsBoundary",
            boundary.clone(),
        ),
        named.on(roles).because(most),
        Statement::allow(["iam:Get*", "iam:List*"]).on_everything(most),
    ];
    app.stack("guard").managed_policy(
        "Boundary",
        ManagedPolicyProps {
            name: Some("boundary".into()),
            description: Some("The most that roles of this account can be allowed".to_owned()),
            statements,
            ..ManagedPolicyProps::default()
        },
    );
    boundary
}
