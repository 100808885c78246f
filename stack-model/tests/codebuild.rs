//! Projects of CodeBuild, and the rights of a deploy.

use serde_json::{Value as Json, json};
use stack_model::codebuild::{
    BuildArtifacts, BuildCache, BuildEnvironment, BuildImage, BuildNetwork, BuildProcessor,
    BuildSource, BuildSpec, BuildVariable, ComputeType, DeployRights, GitHubSource, LocalCache,
    ProjectOperation, ProjectProps, ReportGroupProps, ReportKind, WebhookEvent, WebhookFilter,
};
use stack_model::contract::{KeyAttribute, KeyKind, TableItem, TableSchema};
use stack_model::dynamodb::TableProps;
use stack_model::iam::{ManagedPolicy, RoleProps};
use stack_model::kms::KeyProps;
use stack_model::policy::Statement;
use stack_model::s3::{BucketProps, BucketRef};
use stack_model::secretsmanager::SecretProps;
use stack_model::sqs::QueueProps;
use stack_model::ssm::ParameterRef;
use stack_model::{App, Stack, cfn};

use crate::support::{dev, resources, texts, violations};

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

fn from_github() -> ProjectProps {
    ProjectProps::new(BuildSource::GitHub(GitHubSource::new("example/orders")))
}

fn with_variable(name: &str, variable: BuildVariable) -> ProjectProps {
    let mut props = from_github();
    props
        .environment
        .variables
        .insert(name.to_owned(), variable);
    props
}

#[test]
fn a_project_has_logs_that_end_and_a_role_for_them_alone() {
    let resources = resources(dev(), |stack| {
        stack.project("Build", from_github());
    });
    assert_eq!(
        resources["Build"]["Properties"],
        json!({
            "Artifacts": {"Type": "NO_ARTIFACTS"},
            "Environment": {
                "ComputeType": "BUILD_GENERAL1_SMALL",
                "Image": "aws/codebuild/amazonlinux-aarch64-standard:3.0",
                "PrivilegedMode": false,
                "Type": "ARM_CONTAINER",
            },
            "LogsConfig": {"CloudWatchLogs": {"GroupName": {"Ref": "BuildLogs"}, "Status": "ENABLED"}},
            "ServiceRole": {"Fn::GetAtt": ["BuildRole", "Arn"]},
            "Source": {
                "GitCloneDepth": 1,
                "Location": "https://github.com/example/orders.git",
                "ReportBuildStatus": true,
                "Type": "GITHUB",
            },
        })
    );
    assert_eq!(
        resources["BuildLogs"]["Properties"],
        json!({"RetentionInDays": 30})
    );
    let role = &resources["BuildRole"]["Properties"];
    let trusted = &role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"];
    assert_eq!(*trusted, json!({"Service": "codebuild.amazonaws.com"}));
    assert_eq!(
        role["Policies"][0]["PolicyDocument"]["Statement"],
        json!([{
            "Effect": "Allow",
            "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": {"Fn::GetAtt": ["BuildLogs", "Arn"]},
        }])
    );
}

/// What the golden shows: a project with every choice, and what deploys the rest of the app.
pub(crate) fn golden(stack: &mut Stack<'_>) {
    let bucket = stack.bucket("Builds", BucketProps::default());
    let secret = stack.secret::<String>("Secret", SecretProps::default());
    let key = stack.key("Key", KeyProps::default());
    let mut source = GitHubSource::new("example/orders");
    source.connection = Some(CONNECTION.into());
    source.branch = Some("main".to_owned());
    let environment = BuildEnvironment {
        image: BuildImage::AmazonLinux(BuildProcessor::X86_64),
        compute: ComputeType::Large,
        privileged_because: Some("builds images".to_owned()),
        variables: [
            ("STAGE", BuildVariable::plain("dev")),
            ("ZONE", BuildVariable::parameter("/CodeBuild/ZONE")),
            ("TOKEN", BuildVariable::secret_field(&secret, "token")),
        ]
        .map(|(name, variable)| (name.to_owned(), variable))
        .into(),
    };
    let props = ProjectProps {
        build_spec: BuildSpec::File("ci/buildspec.yml".to_owned()),
        name: Some("orders".into()),
        description: Some("Deploys".to_owned()),
        environment,
        cache: BuildCache::S3 {
            bucket: bucket.clone(),
            prefix: "cache".to_owned(),
        },
        artifacts: BuildArtifacts::S3 {
            bucket,
            prefix: "changes".to_owned(),
        },
        timeout: Some(30.into()),
        queued_timeout: Some(60.into()),
        concurrency: Some(1.into()),
        retries: Some(2.into()),
        key: Some(key),
        network: Some(BuildNetwork {
            vpc: "vpc-12345678".into(),
            subnets: vec!["subnet-12345678".into()],
            security_groups: vec!["sg-12345678".into()],
        }),
        webhook: vec![
            WebhookFilter::push_to("release/1.0"),
            vec![
                WebhookFilter::Events(vec![
                    WebhookEvent::PullRequestCreated,
                    WebhookEvent::PullRequestUpdated,
                ]),
                WebhookFilter::Not(Box::new(WebhookFilter::FilePath("^docs/".to_owned()))),
                WebhookFilter::Actor("^12345$".to_owned()),
            ],
        ],
        permissions_boundary: Some(ManagedPolicy::existing("boundary")),
        ..ProjectProps::new(BuildSource::GitHub(source))
    };
    stack.project("Build", props);
}

const CONNECTION: &str = "arn:aws:codeconnections:eu-central-1:123456789012:connection/12345678-1234-1234-1234-123456789012";

#[test]
fn what_cannot_be_is_refused_and_said() {
    let refused = |props: ProjectProps| {
        violations(dev(), |stack: &mut Stack<'_>| {
            stack.project("Build", props);
        })
        .join("\n")
    };
    let nothing = || ProjectProps::new(BuildSource::Nothing);
    let with = |change: fn(&mut ProjectProps)| {
        let mut props = from_github();
        change(&mut props);
        props
    };
    for (props, part) in [
        (
            nothing(),
            "give the build spec with `BuildSpec::Inline(..)`",
        ),
        (
            ProjectProps::new(BuildSource::GitHub(GitHubSource::new("orders"))),
            "as in `example/orders`",
        ),
        (
            with(|props| props.timeout = Some(4.into())),
            "4 is not between 5",
        ),
        (
            with(|props| props.cache = BuildCache::Local(Vec::new())),
            "keeps at least one thing",
        ),
        (
            with(|props| props.webhook = vec![vec![WebhookFilter::HeadRef("x".to_owned())]]),
            "a group needs one `WebhookFilter::Events(..)`",
        ),
        (
            with(|props| {
                let opened = WebhookFilter::Events(vec![WebhookEvent::PullRequestCreated]);
                let actor = WebhookFilter::Actor("^1$".to_owned());
                // Everybody but one is still anybody.
                props.webhook = vec![vec![opened, WebhookFilter::Not(Box::new(actor))]];
            }),
            "anybody may open a pull request",
        ),
        (
            ProjectProps {
                webhook: vec![WebhookFilter::push_to("main")],
                build_spec: BuildSpec::Inline("version: 0.2".to_owned()),
                ..nothing()
            },
            "only a repository has events",
        ),
        (
            ProjectProps {
                artifacts: BuildArtifacts::S3 {
                    bucket: BucketRef::existing("builds"),
                    prefix: String::new(),
                },
                ..ProjectProps::new(BuildSource::CodePipeline)
            },
            "gives its artifacts to the pipeline",
        ),
        (
            with_variable("CODEBUILD_STAGE", BuildVariable::plain("dev")),
            "CodeBuild keeps for itself",
        ),
        (
            with_variable("1ST", BuildVariable::plain("dev")),
            "no digit first",
        ),
    ] {
        let found = refused(props);
        assert!(found.contains(part), "{part:?} in {found:?}");
    }
}

#[test]
fn a_secret_is_named_and_never_given() {
    for (name, value) in [
        ("GITHUB_TOKEN", "x"),
        ("DbPassword", "x"),
        ("HARMLESS", "AKIAIOSFODNN7EXAMPLE"),
        ("HARMLESS", "-----BEGIN PRIVATE KEY-----"),
    ] {
        let found = violations(dev(), |stack| {
            stack.project("Build", with_variable(name, BuildVariable::plain(value)));
        });
        assert!(
            found.concat().contains("looks like a secret"),
            "{name}: {found:?}"
        );
    }
    for name in ["TOKEN_ARN", "SECRET_NAME", "STAGE"] {
        let found = violations(dev(), |stack| {
            stack.project("Build", with_variable(name, BuildVariable::plain("x")));
        });
        assert_eq!(found, [""; 0], "{name}");
    }
    // What CloudFormation would fill in is as readable as what stands there.
    let found = violations(dev(), |stack| {
        let secret = stack.secret::<String>("Secret", SecretProps::default());
        let value = BuildVariable::plain(secret.value());
        stack.project("Build", with_variable("STAGE", value));
    });
    assert!(
        found.concat().contains("a secret would be readable here"),
        "{found:?}"
    );
}

#[test]
fn reports_are_written_by_whom_they_are_granted_to() {
    let resources = resources(dev(), |stack| {
        let bucket = stack.bucket("Reports", BucketProps::default());
        let props = ReportGroupProps {
            kind: ReportKind::Coverage,
            kept_in: Some(bucket),
            ..ReportGroupProps::default()
        };
        let group = stack.report_group("Coverage", props);
        let mut props = from_github();
        props.cache = BuildCache::Local(vec![LocalCache::Source, LocalCache::Custom]);
        let project = stack.project("Build", props);
        stack.grant(project.role(), [group.write_statement()]);
        let starter = stack.role("Starter", RoleProps::for_service("states.amazonaws.com"));
        let operations = [ProjectOperation::Start, ProjectOperation::Read];
        stack.grant(&starter, project.statements(&operations));
    });
    let granted = |role: &str| {
        resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].clone()
    };
    assert_eq!(
        granted("BuildRole")[1],
        json!({
            "Effect": "Allow",
            "Action": ["codebuild:BatchPutCodeCoverages", "codebuild:CreateReport", "codebuild:UpdateReport"],
            "Resource": {"Ref": "Coverage"},
        })
    );
    assert_eq!(
        granted("Starter")[0]["Action"],
        json!(["codebuild:BatchGetBuilds", "codebuild:StartBuild"])
    );
    assert_eq!(
        resources["Coverage"]["Properties"],
        json!({
            "DeleteReports": true,
            "ExportConfig": {
                "ExportConfigType": "S3",
                "S3Destination": {"Bucket": {"Ref": "Reports"}, "Packaging": "ZIP"},
            },
            "Type": "CODE_COVERAGE",
        })
    );
    assert_eq!(
        resources["Build"]["Properties"]["Cache"],
        json!({"Type": "LOCAL", "Modes": ["LOCAL_SOURCE_CACHE", "LOCAL_CUSTOM_CACHE"]})
    );
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
    statements.iter().find(|statement| {
        statement["Action"] == action
            || statement["Action"]
                .as_array()
                .is_some_and(|actions| actions.iter().any(|named| named == action))
    })
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
        arn("kms:eu-central-1:${AWS::AccountId}:*")
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
