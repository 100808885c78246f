//! The permissions boundary of all roles of an app.

use serde_json::{Value as Json, json};
use stack_model::codebuild::{BuildSource, GitHubSource, ProjectProps};
use stack_model::iam::{ManagedPolicy, ManagedPolicyProps, RoleProps};
use stack_model::{App, Stack, Stage, cfn};

use crate::support::{dev, texts};

fn worker() -> RoleProps {
    RoleProps::for_service("lambda.amazonaws.com")
}

/// Makes an app of a stage with a boundary.
fn bounded(boundary: &str) -> App {
    let request = json!({
        "name": "dev",
        "region": "eu-central-1",
        "architecture": "arm64",
        "permissions_boundary": boundary,
    });
    App::new(Stage::new(serde_json::from_value(request).unwrap()))
}

/// Returns the boundary of a resource of the stack `orders`, once all is described.
fn boundary(mut app: App, id: &str, describe: impl FnOnce(&mut Stack<'_>)) -> Json {
    describe(&mut app.stack("orders"));
    let assembly = app
        .synth()
        .unwrap_or_else(|violations| panic!("{violations}"));
    let template: Json = serde_json::from_str(assembly.template("orders").unwrap()).unwrap();
    template["Resources"][id]["Properties"]["PermissionsBoundary"].clone()
}

fn existing(name: &str) -> Json {
    json!({"Fn::Sub": format!("arn:${{AWS::Partition}}:iam::${{AWS::AccountId}}:policy/{name}")})
}

/// However a role came to be, it has the boundary of its app; one of its own stays.
#[test]
fn every_role_has_the_boundary_of_its_app() {
    let describe = |stack: &mut Stack<'_>| {
        stack.role("Plain", worker());
        let source = BuildSource::GitHub(GitHubSource::new("example/orders"));
        stack.project("Build", ProjectProps::new(source));
        let role = cfn::iam::Role {
            assume_role_policy_document: json!({"Statement": []}).into(),
            ..cfn::iam::Role::default()
        };
        stack.add("Added", &role);
        stack.raw(
            "Raw",
            "AWS::IAM::Role",
            json!({"AssumeRolePolicyDocument": {"Statement": []}}),
        );
        stack.raw("Person", "AWS::IAM::User", json!({}));
        let own = RoleProps {
            permissions_boundary: Some(ManagedPolicy::existing("own")),
            ..worker()
        };
        stack.role("Own", own);
        let free = stack.role("Free", worker());
        stack.remove_property(&free, "PermissionsBoundary");
        let other = stack.role("Other", worker());
        stack.override_property(&other, "PermissionsBoundary", "arn:aws:iam::1:policy/other");
    };
    for (id, expected) in [
        ("Plain", existing("team/boundary")),
        ("BuildRole", existing("team/boundary")),
        ("Added", existing("team/boundary")),
        ("Raw", existing("team/boundary")),
        ("Person", existing("team/boundary")),
        ("Own", existing("own")),
        ("Free", Json::Null),
        ("Other", json!("arn:aws:iam::1:policy/other")),
    ] {
        assert_eq!(
            boundary(bounded("team/boundary"), id, describe),
            expected,
            "{id}"
        );
    }
    let without = boundary(dev(), "Plain", |stack| {
        stack.role("Plain", worker());
    });
    assert_eq!(without, Json::Null);
}

#[test]
fn the_app_decides_over_the_stage_and_an_arn_is_taken_as_it_is() {
    let plain = |stack: &mut Stack<'_>| {
        stack.role("Plain", worker());
    };
    let mut app = bounded("of-stage");
    app.permissions_boundary(ManagedPolicy::existing("of-app"));
    assert_eq!(boundary(app, "Plain", plain), existing("of-app"));
    let arn = "arn:aws:iam::aws:policy/PowerUserAccess";
    assert_eq!(boundary(bounded(arn), "Plain", plain), json!(arn));
}

/// The policy may stand in another stack of the app, and is there before the roles.
#[test]
fn a_boundary_of_the_app_is_handed_over() {
    let mut app = dev();
    let policy = app
        .stack("guard")
        .managed_policy("Boundary", ManagedPolicyProps::default());
    app.permissions_boundary(policy.arn());
    app.stack("orders").role("Plain", worker());
    let assembly = app
        .synth()
        .unwrap_or_else(|violations| panic!("{violations}"));
    let orders = &assembly.manifest().stacks[1];
    assert_eq!(orders.depends_on, ["guard-dev"]);
}

#[test]
fn what_is_no_policy_is_refused() {
    for wrong in [
        "",
        "two words",
        "/leading",
        "trailing/",
        "arn:aws:iam::123456789012:role/boundary",
        "arn:aws:iam::123456789012:policy/",
        "arn:aws:s3:::policy/boundary",
    ] {
        let mut app = bounded(wrong);
        app.stack("orders").role("Plain", worker());
        let found = texts(&app.synth().unwrap_err()).join("\n");
        assert!(
            found.contains(&format!("`{wrong}` is no permissions boundary")),
            "{wrong:?}: {found}"
        );
    }
}
