//! Projects of CodeBuild, and the rights of a deploy.

use serde_json::json;
use stack_model::Stack;
use stack_model::codebuild::{
    BuildArtifacts, BuildCache, BuildEnvironment, BuildImage, BuildNetwork, BuildProcessor,
    BuildSource, BuildSpec, BuildVariable, ComputeType, GitHubSource, LocalCache, ProjectOperation,
    ProjectProps, ReportGroupProps, ReportKind, WebhookEvent, WebhookFilter,
};
use stack_model::iam::{ManagedPolicy, RoleProps};
use stack_model::kms::KeyProps;
use stack_model::s3::{BucketProps, BucketRef};
use stack_model::secretsmanager::SecretProps;

use crate::support::{dev, resources, violations};

mod rights;

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
    let trust = &role["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(
        trust["Principal"],
        json!({"Service": "codebuild.amazonaws.com"})
    );
    assert_eq!(
        trust["Condition"],
        json!({"StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}})
    );
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
                let pushed = WebhookFilter::Events(vec![WebhookEvent::Push]);
                let main = WebhookFilter::HeadRef("^refs/heads/main$".to_owned());
                // Every branch but one is nearly every branch.
                props.webhook = vec![vec![pushed, WebhookFilter::Not(Box::new(main))]];
            }),
            "a push to any branch or tag would be built",
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
