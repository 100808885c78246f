//! What a deploy may do.

use serde_json::{Value as Json, json};
use stack_model::codebuild::DeployRights;
use stack_model::contract::{KeyAttribute, KeyKind, TableItem, TableSchema};
use stack_model::dynamodb::TableProps;
use stack_model::iam::{ManagedPolicy, ManagedPolicyProps, RoleProps};
use stack_model::kms::KeyProps;
use stack_model::policy::Statement;
use stack_model::s3::BucketProps;
use stack_model::sqs::QueueProps;
use stack_model::ssm::ParameterRef;
use stack_model::{App, cfn};

use super::from_github;
use crate::support::{dev, texts};

struct Order;

impl TableItem for Order {
    fn schema() -> TableSchema {
        TableSchema {
            partition_key: KeyAttribute {
                name: "id".to_owned(),
                kind: KeyKind::String,
            },
            sort_key: None,
            indexes: Vec::new(),
            time_to_live: None,
        }
    }
}

/// Describes stacks and a pipeline that deploys them, and returns the statements of its rights.
fn rights(describe: impl FnOnce(&mut App), change: fn(DeployRights) -> DeployRights) -> Vec<Json> {
    let mut app = dev();
    describe(&mut app);
    let rights = change(DeployRights::of(&app, &["orders-*"]));
    let mut stack = app.stack("pipeline");
    let project = stack.project("Build", from_github());
    stack.allow_deploy("Rights", project.role(), rights);
    let assembly = app
        .synth()
        .unwrap_or_else(|violations| panic!("{violations}"));
    let template: Json = serde_json::from_str(assembly.template("pipeline").unwrap()).unwrap();
    let resources = template["Resources"].as_object().unwrap().values();
    resources
        .filter(|resource| resource["Type"] == "AWS::IAM::ManagedPolicy")
        .flat_map(|policy| {
            let document = &policy["Properties"]["PolicyDocument"];
            assert!(
                document.to_string().len() < 6144 + 2000,
                "the policy has room"
            );
            document["Statement"].as_array().unwrap().clone()
        })
        .collect()
}

/// Returns the statement that allows an action.
fn allowing<'a>(statements: &'a [Json], action: &str) -> Option<&'a Json> {
    statements
        .iter()
        .find(|statement| statement["Effect"] == "Allow" && names(statement, action))
}

/// Returns the statements that deny an action.
fn denying<'a>(statements: &'a [Json], action: &str) -> Vec<&'a Json> {
    statements
        .iter()
        .filter(|statement| statement["Effect"] == "Deny" && names(statement, action))
        .collect()
}

fn names(statement: &Json, action: &str) -> bool {
    statement["Action"] == action
        || statement["Action"]
            .as_array()
            .is_some_and(|actions| actions.iter().any(|named| named == action))
}

fn arn(rest: &str) -> Json {
    json!({"Fn::Sub": format!("arn:${{AWS::Partition}}:{rest}")})
}

fn two_stacks(app: &mut App) {
    let mut data = app.stack("orders-data");
    data.in_region("us-west-2");
    data.queue::<String>("Queue", QueueProps::default());
    data.queue::<String>(
        "Named",
        QueueProps {
            name: Some("orders".into()),
            ..QueueProps::default()
        },
    );
    let mut api = app.stack("orders-api");
    let worker = api.role("Worker", RoleProps::for_service("lambda.amazonaws.com"));
    let function = cfn::lambda::Function {
        code: cfn::lambda::function::Code {
            zip_file: "exports.handler = async () => {}".into(),
            ..cfn::lambda::function::Code::default()
        }
        .into(),
        handler: "index.handler".into(),
        role: worker.arn().into_text().into(),
        runtime: "nodejs24.x".into(),
        ..cfn::lambda::Function::default()
    };
    api.add("Work", &function);
    let parameter = ParameterRef::<String>::existing("/orders/limit");
    api.output("Limit", parameter.value());
    app.stack("other").bucket("Bucket", BucketProps::default());
}

#[test]
fn a_deploy_may_do_what_its_types_need_on_what_its_stacks_are_called() {
    let statements = rights(two_stacks, |rights| rights);
    let queue = allowing(&statements, "sqs:CreateQueue").unwrap();
    assert_eq!(
        queue["Resource"],
        json!([
            arn("sqs:us-west-2:${AWS::AccountId}:orders"),
            arn("sqs:us-west-2:${AWS::AccountId}:orders-data-dev-*"),
        ])
    );
    assert_eq!(
        allowing(&statements, "iam:CreateRole").unwrap()["Resource"],
        arn("iam::${AWS::AccountId}:role/orders-api-dev-*")
    );
    assert_eq!(
        *allowing(&statements, "iam:PassRole").unwrap(),
        json!({
            "Effect": "Allow",
            "Action": "iam:PassRole",
            "Resource": arn("iam::${AWS::AccountId}:role/orders-api-dev-*"),
            "Condition": {"StringEquals": {"iam:PassedToService": ["lambda.amazonaws.com"]}},
        })
    );
    assert_eq!(
        allowing(&statements, "cloudformation:ExecuteChangeSet").unwrap()["Resource"],
        json!([
            arn("cloudformation:eu-central-1:${AWS::AccountId}:stack/orders-api-dev/*"),
            arn("cloudformation:us-west-2:${AWS::AccountId}:stack/orders-data-dev/*"),
        ])
    );
    assert_eq!(
        allowing(&statements, "ssm:GetParameters").unwrap()["Resource"],
        arn("ssm:eu-central-1:${AWS::AccountId}:parameter/orders/limit")
    );
    // The other stack is somebody else's, and nothing makes or empties its bucket.
    assert_eq!(allowing(&statements, "s3:CreateBucket"), None);
    assert_eq!(allowing(&statements, "sqs:ReceiveMessage"), None);
    assert_eq!(allowing(&statements, "dynamodb:CreateTable"), None);
}

#[test]
fn what_types_would_call_in_services_that_are_not_there_is_left_out() {
    let table = |app: &mut App| {
        let name = TableProps {
            name: Some("orders".into()),
            ..TableProps::default()
        };
        app.stack("orders-data").table::<Order>("Table", name);
    };
    let without = rights(table, |rights| rights);
    assert_eq!(allowing(&without, "kms:Decrypt"), None);
    assert_eq!(allowing(&without, "kinesis:PutRecords"), None);
    assert_eq!(allowing(&without, "dynamodb:Scan"), None);
    let with = rights(
        |app| {
            table(app);
            app.stack("orders-data").key("Key", KeyProps::default());
        },
        |rights| rights,
    );
    assert_eq!(
        allowing(&with, "kms:Decrypt").unwrap()["Resource"],
        arn("kms:eu-central-1:${AWS::AccountId}:key/*")
    );
}

#[test]
fn roles_stay_within_a_boundary_where_one_is_given() {
    let statements = rights(two_stacks, |rights| {
        rights.within(ManagedPolicy::existing("boundary"))
    });
    let create = allowing(&statements, "iam:CreateRole").unwrap();
    assert_eq!(
        create["Condition"],
        json!({"StringEquals": {"iam:PermissionsBoundary": arn("iam::${AWS::AccountId}:policy/boundary")}})
    );
    assert_eq!(allowing(&statements, "iam:PutRolePolicy").unwrap(), create);
    assert_eq!(
        allowing(&statements, "iam:DeleteRolePermissionsBoundary"),
        None
    );
    assert_eq!(
        allowing(&statements, "iam:GetRole")
            .unwrap()
            .get("Condition"),
        None
    );
    let kept = denying(&statements, "iam:DeleteRolePermissionsBoundary");
    assert!(
        kept.iter().any(|denied| denied["Resource"] == "*"),
        "{kept:?}"
    );
    let unchanged = denying(&statements, "iam:CreatePolicyVersion");
    let boundary = arn("iam::${AWS::AccountId}:policy/boundary");
    assert!(
        unchanged
            .iter()
            .any(|denied| denied["Resource"] == boundary),
        "{unchanged:?}"
    );
}

/// The one setting of a stage does both: the roles have the boundary, and the deploy makes no others.
#[test]
fn the_boundary_of_the_app_is_that_of_the_rights() {
    let statements = rights(
        |app| {
            app.permissions_boundary(ManagedPolicy::existing("of-app"));
            two_stacks(app);
        },
        |rights| rights,
    );
    assert_eq!(
        allowing(&statements, "iam:CreateRole").unwrap()["Condition"],
        json!({"StringEquals": {"iam:PermissionsBoundary": arn("iam::${AWS::AccountId}:policy/of-app")}})
    );
    let without = rights(two_stacks, |rights| rights);
    assert_eq!(
        allowing(&without, "iam:CreateRole").unwrap()["Condition"],
        Json::Null
    );
}

/// The names of long stacks begin alike, so that a pattern for the roles of one may fit the role of the pipeline.
#[test]
fn a_deploy_changes_neither_its_role_nor_its_rights() {
    let statements = rights(two_stacks, |rights| rights);
    let role = denying(&statements, "iam:PutRolePolicy");
    assert_eq!(
        role[0]["Resource"],
        json!({"Fn::GetAtt": ["BuildRole", "Arn"]})
    );
    assert_eq!(denying(&statements, "iam:UpdateAssumeRolePolicy"), role);
    assert_eq!(
        denying(&statements, "iam:CreatePolicyVersion")[0]["Resource"],
        arn("iam::${AWS::AccountId}:policy/pipeline-dev-*Rights*")
    );
}

#[test]
fn a_deploy_of_itself_and_of_its_boundary_is_refused() {
    let mut app = dev();
    app.stack("pipeline");
    let policy = app
        .stack("guard")
        .managed_policy("Boundary", ManagedPolicyProps::default());
    app.permissions_boundary(policy.arn());
    let rights = DeployRights::of(&app, &["*"]);
    let mut stack = app.stack("pipeline");
    let project = stack.project("Build", from_github());
    stack.allow_deploy("Rights", project.role(), rights);
    let found = texts(&app.synth().unwrap_err()).join("\n");
    for part in [
        "a deploy that changes its own rights can do anything: leave `pipeline` to people",
        "the permissions boundary stands in `guard`, which the deploy changes",
    ] {
        assert!(found.contains(part), "{part:?} in {found}");
    }
}

/// What is made up was seen on AWS: parameters begin with `CFN-`, and what IAM keeps has its path before the name.
#[test]
fn names_that_cloudformation_makes_up_and_paths_are_met() {
    let statements = rights(
        |app| {
            let mut stack = app.stack("orders-data");
            let parameter = cfn::ssm::Parameter {
                type_: "String".into(),
                value: "5".into(),
                ..cfn::ssm::Parameter::default()
            };
            stack.add("Limit", &parameter);
            let worker = RoleProps {
                path: Some("/orders/".to_owned()),
                ..RoleProps::for_service("lambda.amazonaws.com")
            };
            stack.role("Worker", worker);
            let policy = ManagedPolicyProps {
                name: Some("readers".into()),
                path: Some("/orders/".to_owned()),
                statements: vec![Statement::deny(["s3:DeleteBucket"]).on("*")],
                ..ManagedPolicyProps::default()
            };
            stack.managed_policy("Readers", policy);
            stack.raw("Person", "AWS::IAM::User", json!({"UserName": "person"}));
        },
        |rights| rights,
    );
    assert_eq!(
        allowing(&statements, "ssm:PutParameter").unwrap()["Resource"],
        arn("ssm:eu-central-1:${AWS::AccountId}:parameter/CFN-Limit-*")
    );
    assert_eq!(
        allowing(&statements, "iam:CreateRole").unwrap()["Resource"],
        json!([
            arn("iam::${AWS::AccountId}:policy/orders/readers"),
            arn("iam::${AWS::AccountId}:role/orders/orders-data-dev-*"),
            arn("iam::${AWS::AccountId}:user/person"),
        ])
    );
}

#[test]
fn a_type_that_nobody_knows_is_named_and_can_be_told() {
    let unknown = |app: &mut App| {
        let mut stack = app.stack("orders-data");
        stack.raw("Crystal", "AWS::Braket::Device", json!({}));
    };
    let mut app = dev();
    unknown(&mut app);
    let rights_of = DeployRights::of(&app, &["orders-*", "coffee-core"]);
    let mut stack = app.stack("pipeline");
    let project = stack.project("Build", from_github());
    stack.allow_deploy("Rights", project.role(), rights_of);
    let found = texts(&app.synth().unwrap_err()).join("\n");
    assert!(
        found.contains("no stack that was described so far fits `coffee-core`"),
        "{found}"
    );
    assert!(
        found.contains("say it with `rights.knowing(\"AWS::Braket::Device\", [..])`"),
        "{found}"
    );

    let mut app = dev();
    unknown(&mut app);
    let reason = "devices have no names";
    let create = Statement::allow(["braket:CreateDevice"]).on_everything(reason);
    let told = DeployRights::of(&app, &["orders-*"]).knowing("AWS::Braket::Device", [create]);
    assert_eq!(told.stacks(), ["orders-data"]);
    let mut stack = app.stack("pipeline");
    let project = stack.project("Build", from_github());
    stack.allow_deploy("Rights", project.role(), told);
    let found = app
        .synth()
        .map(drop)
        .map_err(|found| texts(&found).join("\n"));
    // The type itself is not in the registry; the rights are no reason to complain.
    assert!(!found.unwrap_err().contains("knowing"));
}
