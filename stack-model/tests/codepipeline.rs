//! Pipelines.

use serde_json::json;
use stack_model::codebuild::{BuildSource, GitHubSource, ProjectProps};
use stack_model::codepipeline::{
    ExecutionMode, PipelineAction, PipelineOperation, PipelineProps, PipelineSource, PipelineStage,
    PushTrigger, RunStart,
};
use stack_model::iam::RoleProps;
use stack_model::policy::Statement;
use stack_model::s3::BucketRef;
use stack_model::sns::TopicProps;
use stack_model::{Stack, Value};

use crate::support::{dev, resources, violations};

const CONNECTION: &str = "arn:aws:codeconnections:eu-central-1:123456789012:connection/12345678-1234-1234-1234-123456789012";

fn from_github() -> PipelineSource {
    PipelineSource::GitHub {
        connection: Value::from(CONNECTION),
        repository: "example/orders".to_owned(),
        branch: "main".to_owned(),
    }
}

fn from_bucket() -> PipelineSource {
    PipelineSource::S3 {
        bucket: BucketRef::existing("sources"),
        key: "orders.zip".to_owned(),
    }
}

/// What the golden shows: a source, an approval that somebody is told of, and a build.
pub(crate) fn golden(stack: &mut Stack<'_>) {
    let people = stack.topic::<String>("Approvers", TopicProps::default());
    let deploy = stack.project("Deploy", ProjectProps::new(BuildSource::CodePipeline));
    let stages = [
        PipelineStage::new("Test", [PipelineAction::build("Test", &deploy)]),
        PipelineStage::new(
            "Deploy",
            [
                PipelineAction::approval("Approve").asking(&people, "Deploy?"),
                PipelineAction::build("Deploy", &deploy),
            ],
        ),
    ];
    let props = PipelineProps {
        start: RunStart::Pushes(vec![PushTrigger {
            branches: vec!["main".to_owned()],
            paths: vec!["stacks/**".to_owned()],
            ..PushTrigger::default()
        }]),
        variables: vec![("STAGE".to_owned(), Some("dev".to_owned()))],
        ..PipelineProps::default()
    };
    stack.pipeline("Pipeline", from_github(), stages, props);
}

#[test]
fn roles_may_do_what_their_actions_do() {
    let resources = resources(dev(), golden);
    let granted = |role: &str| {
        resources[role]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"].clone()
    };
    let artifacts = json!({"Fn::Sub": "${PipelineArtifacts.Arn}/*"});
    assert_eq!(
        granted("PipelineRole"),
        json!([
            {"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": artifacts},
            {
                "Effect": "Allow",
                "Action": ["codeconnections:UseConnection", "codestar-connections:UseConnection"],
                "Resource": CONNECTION,
            },
            {
                "Effect": "Allow",
                "Action": ["codebuild:BatchGetBuilds", "codebuild:StartBuild"],
                "Resource": {"Fn::GetAtt": ["Deploy", "Arn"]},
            },
            {"Effect": "Allow", "Action": "sns:Publish", "Resource": {"Ref": "Approvers"}},
        ])
    );
    assert_eq!(granted("DeployRole")[1]["Resource"], artifacts);
    assert_eq!(
        resources["Deploy"]["Properties"]["Artifacts"]["Type"],
        "CODEPIPELINE"
    );
}

#[test]
fn an_archive_is_read_with_its_version_and_nobody_polls_for_it() {
    let resources = resources(dev(), |stack| {
        let stages = [PipelineStage::new(
            "Approve",
            [PipelineAction::approval("Approve")],
        )];
        stack.pipeline("Pipeline", from_bucket(), stages, PipelineProps::default());
    });
    let source = &resources["Pipeline"]["Properties"]["Stages"][0]["Actions"][0];
    assert_eq!(
        source["Configuration"],
        json!({"PollForSourceChanges": "false", "S3Bucket": "sources", "S3ObjectKey": "orders.zip"})
    );
    let role = resources["PipelineRole"]["Properties"]["Policies"].to_string();
    assert!(role.contains("s3:GetObjectVersion") && role.contains("s3:GetBucketVersioning"));
}

/// One project tests and deploys, told by its environment which; the second build gets what the first one left.
#[test]
fn a_build_hands_on_to_a_later_one() {
    let resources = resources(dev(), |stack| {
        let project = stack.project("Deploy", ProjectProps::new(BuildSource::CodePipeline));
        let show = PipelineAction::build("Show", &project)
            .variable("STEP", "show \"it\"")
            .leaving("Changes");
        let deploy = PipelineAction::build("Deploy", &project).taking("Changes");
        let stages = [
            PipelineStage::new("Show", [show]),
            PipelineStage::new("Deploy", [deploy]),
        ];
        let props = PipelineProps {
            start: RunStart::ByHand,
            ..PipelineProps::default()
        };
        stack.pipeline("Pipeline", from_github(), stages, props);
    });
    let stages = &resources["Pipeline"]["Properties"]["Stages"];
    let action = |stage: usize| &stages[stage]["Actions"][0];
    assert_eq!(action(0)["Configuration"]["DetectChanges"], "false");
    assert_eq!(
        action(1)["Configuration"]["EnvironmentVariables"],
        r#"[{"name":"STEP","value":"show \"it\""}]"#
    );
    assert_eq!(action(1)["OutputArtifacts"], json!([{"Name": "Changes"}]));
    assert_eq!(
        action(2)["InputArtifacts"],
        json!([{"Name": "Source"}, {"Name": "Changes"}])
    );
    assert_eq!(action(2)["Configuration"]["PrimarySource"], "Source");
}

#[test]
fn what_cannot_be_is_refused_and_said() {
    let approval = || PipelineAction::approval("Approve");
    let with = |source: PipelineSource, stages: Vec<PipelineStage>, props: PipelineProps| {
        violations(dev(), |stack| {
            stack.pipeline("Pipeline", source, stages, props);
        })
        .join("\n")
    };
    let props = PipelineProps::default;
    let stage = |name: &str| PipelineStage::new(name, [approval()]);
    for (stages, part) in [
        (vec![], "give it a stage"),
        (vec![stage("Source")], "two stages are called `Source`"),
        (vec![PipelineStage::new("Empty", [])], "has no action"),
        (vec![stage("a b")], "' '"),
        (
            vec![PipelineStage::new("Twice", [approval(), approval()])],
            "two actions of the stage `Twice` are called `Approve`",
        ),
    ] {
        let found = with(from_github(), stages, props());
        assert!(found.contains(part), "{part:?} in {found:?}");
    }
    let found = violations(dev(), |stack| {
        let project = stack.project("Deploy", ProjectProps::new(BuildSource::CodePipeline));
        let build = |name: &str| PipelineAction::build(name, &project);
        let actions = [
            build("Early").taking("Changes"),
            build("One").leaving("Changes"),
            build("Two").leaving("Changes"),
            build("Three").leaving("a-b"),
        ];
        let stages = [PipelineStage::new("Build", actions)];
        stack.pipeline("Pipeline", from_github(), stages, props());
    })
    .join("\n");
    for part in [
        "the action `Early` takes `Changes`, which no action before it leaves",
        "two actions leave `Changes`",
        "`a-b` is not a name for an artifact",
    ] {
        assert!(found.contains(part), "{part:?} in {found:?}");
    }
    let nothing = PipelineProps {
        start: RunStart::Pushes(vec![PushTrigger::default()]),
        ..props()
    };
    let found = with(from_bucket(), vec![stage("Approve")], nothing);
    assert!(found.contains("only pushes to a repository"), "{found}");
    assert!(found.contains("name one"), "{found}");

    let found = violations(dev(), |stack| {
        let source = BuildSource::GitHub(GitHubSource::new("example/orders"));
        let project = stack.project("Deploy", ProjectProps::new(source));
        let stages = [PipelineStage::new(
            "Deploy",
            [PipelineAction::build("Deploy", &project)],
        )];
        stack.pipeline("Pipeline", from_github(), stages, props());
    });
    assert!(
        found
            .concat()
            .contains("give it `BuildSource::CodePipeline`"),
        "{found:?}"
    );
}

#[test]
fn every_choice_reaches_the_pipeline() {
    let resources = resources(dev(), |stack| {
        let create = json!({"ActionMode": "CREATE_UPDATE", "StackName": "legacy"});
        let allowed = Statement::allow(["cloudformation:DescribeStacks"])
            .on("arn:aws:cloudformation:eu-central-1:123456789012:stack/legacy/*")
            .because("the id of a stack ends with letters that nobody knows before");
        let stages = [PipelineStage::new(
            "Deploy",
            [
                PipelineAction::approval("Approve"),
                PipelineAction::cloudformation("Legacy", create, [allowed]),
            ],
        )];
        let props = PipelineProps {
            name: Some("orders".into()),
            execution: ExecutionMode::Superseded,
            start: RunStart::Pushes(vec![PushTrigger {
                tags: vec!["v*".to_owned()],
                ..PushTrigger::default()
            }]),
            variables: vec![("STAGE".to_owned(), None)],
            ..PipelineProps::default()
        };
        stack.pipeline("Pipeline", from_github(), stages, props);
    });
    insta::assert_json_snapshot!(resources["Pipeline"], @r#"
    {
      "Properties": {
        "ArtifactStore": {
          "Location": {
            "Ref": "PipelineArtifacts"
          },
          "Type": "S3"
        },
        "ExecutionMode": "SUPERSEDED",
        "Name": "orders",
        "PipelineType": "V2",
        "RoleArn": {
          "Fn::GetAtt": [
            "PipelineRole",
            "Arn"
          ]
        },
        "Stages": [
          {
            "Actions": [
              {
                "ActionTypeId": {
                  "Category": "Source",
                  "Owner": "AWS",
                  "Provider": "CodeStarSourceConnection",
                  "Version": "1"
                },
                "Configuration": {
                  "BranchName": "main",
                  "ConnectionArn": "arn:aws:codeconnections:eu-central-1:123456789012:connection/12345678-1234-1234-1234-123456789012",
                  "FullRepositoryId": "example/orders"
                },
                "Name": "Source",
                "OutputArtifacts": [
                  {
                    "Name": "Source"
                  }
                ]
              }
            ],
            "Name": "Source"
          },
          {
            "Actions": [
              {
                "ActionTypeId": {
                  "Category": "Approval",
                  "Owner": "AWS",
                  "Provider": "Manual",
                  "Version": "1"
                },
                "Name": "Approve",
                "RunOrder": 1
              },
              {
                "ActionTypeId": {
                  "Category": "Deploy",
                  "Owner": "AWS",
                  "Provider": "CloudFormation",
                  "Version": "1"
                },
                "Configuration": {
                  "ActionMode": "CREATE_UPDATE",
                  "StackName": "legacy"
                },
                "InputArtifacts": [
                  {
                    "Name": "Source"
                  }
                ],
                "Name": "Legacy",
                "RunOrder": 2
              }
            ],
            "Name": "Deploy"
          }
        ],
        "Triggers": [
          {
            "GitConfiguration": {
              "Push": [
                {
                  "Tags": {
                    "Includes": [
                      "v*"
                    ]
                  }
                }
              ],
              "SourceActionName": "Source"
            },
            "ProviderType": "CodeStarSourceConnection"
          }
        ],
        "Variables": [
          {
            "Name": "STAGE"
          }
        ]
      },
      "Type": "AWS::CodePipeline::Pipeline"
    }
    "#);
    let artifacts = &resources["PipelineArtifacts"]["Properties"];
    assert_eq!(
        artifacts["LifecycleConfiguration"]["Rules"][0]["ExpirationInDays"],
        30
    );
}

#[test]
fn runs_are_started_and_looked_at_by_who_may() {
    let statements = resources(dev(), |stack| {
        let stages = [PipelineStage::new(
            "Approve",
            [PipelineAction::approval("Approve")],
        )];
        let pipeline = stack.pipeline("Pipeline", from_bucket(), stages, PipelineProps::default());
        let role = stack.role("Starter", RoleProps::for_service("scheduler.amazonaws.com"));
        let operations = [PipelineOperation::Start, PipelineOperation::Read];
        stack.grant(&role, pipeline.statements(&operations));
    });
    assert_eq!(
        statements["Starter"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"],
        json!([{
            "Effect": "Allow",
            "Action": ["codepipeline:GetPipelineState", "codepipeline:StartPipelineExecution"],
            "Resource": {"Fn::Sub": "arn:${AWS::Partition}:codepipeline:${AWS::Region}:${AWS::AccountId}:${Pipeline}"},
        }])
    );
}

#[test]
fn names_and_triggers_that_choose_nothing_are_reported() {
    let found = violations(dev(), |stack| {
        let stages = [PipelineStage::new(
            "Approve",
            [PipelineAction::approval("a b")],
        )];
        let props = PipelineProps {
            name: Some("orders/dev".into()),
            start: RunStart::Pushes(Vec::new()),
            ..PipelineProps::default()
        };
        stack.pipeline("Pipeline", from_github(), stages, props);
    });
    assert_eq!(
        found,
        [
            "orders / Pipeline / Properties.Name: `orders/dev` holds '/'; AWS takes letters, digits and `.` `@` `-` `_`",
            "orders / Pipeline / Properties.Stages: `a b` holds ' '; AWS takes letters, digits and `.` `@` `-` `_`",
            "orders / Pipeline / Properties.Triggers: a trigger chooses by branches, tags or paths: name one",
            "orders / Pipeline / Properties.Stages.1.Actions.0.Name: `a b` does not match the pattern `^[A-Za-z0-9.@\\-_]{1,100}$`",
        ]
    );
}
