//! The pipelines: for each system a project of CodeBuild that tests, shows and deploys it, as `buildspec.yml` says.
//!
//! A stage has pipelines where its variables name a repository. Where people are to approve what a deploy would change, a
//! pipeline of CodePipeline runs the project twice: to show it, and, once somebody approved, to deploy it. The stack
//! `<system>-pipeline` keeps the project, its role and a bucket for what builds keep: the cache, and what each deploy
//! changed. A pipeline deploys its system and never itself: whoever may change a pipeline decides what it may do, so that
//! stays with people.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::de::IgnoredAny;
use stack_model::codebuild::{
    BuildArtifacts, BuildCache, BuildSource, BuildTimeout, BuildVariable, ComputeType,
    ConcurrentBuilds, DeployRights, GitHubSource, ProjectProps, ProjectRef, WebhookFilter,
};
use stack_model::codepipeline::{
    PipelineAction, PipelineProps, PipelineSource, PipelineStage, RunStart,
};
use stack_model::iam::ManagedPolicy;
use stack_model::s3::{BucketProps, BucketRef, Days, LifecycleRule};
use stack_model::sns::TopicProps;
use stack_model::ssm::ParameterRef;
use stack_model::{App, Stack, Violation, Violations, limit};

/// The variable that tells a build which part of its work to do.
const STEP: &str = "STACKCTL_STEP";

/// What the build that shows hands on to the one that deploys; `buildspec.yml` finds it by this name.
const CHANGES: &str = "Changes";

/// The systems that have a pipeline.
const SYSTEMS: [&str; 5] = ["coffee", "intake", "orders", "photos", "visitors"];

/// What a stage decides, in the table `[stages.<stage>.variables.pipelines]` of `stackctl.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Variables {
    /// The repository of GitHub that is built, such as `example/stackctl`; without one the stage has no pipelines.
    repository: Option<String>,
    /// The branch that is built; the default branch of the repository by default.
    branch: Option<String>,
    /// The ARN of the connection to GitHub; what the account is connected with by default. A pipeline with an approval
    /// needs it.
    connection: Option<String>,
    /// Whether a push to the branch starts a build.
    on_push: bool,
    /// Who decides that what was shown is deployed; people, where the stage is protected.
    approval: Option<Approval>,
    /// Where builds keep things.
    bucket: Bucket,
    /// The name of a managed policy that the roles of the builds do not go beyond, where it is another one than that of
    /// the stage, which all other roles have and which a build must give to the roles that it makes.
    build_boundary: Option<String>,
}

/// Who decides that what a build showed is deployed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Approval {
    /// Nobody: the build that shows it deploys it.
    None,
    /// A person, in CodePipeline.
    Manual,
}

/// Where builds keep things.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Bucket {
    /// In a bucket of the pipeline's own.
    #[default]
    Own,
    /// In a bucket that a parameter of Parameter Store names.
    Parameter(String),
}

/// Adds a stack `<system>-pipeline` for each system, where the stage has pipelines. Describe the systems before.
///
/// # Errors
///
/// Fails where the variables of the stage do not fit.
pub fn describe(app: &mut App) -> Result<(), Violations> {
    let variables: Variables = app.stage().variables("pipelines")?;
    let Some(repository) = variables.repository.clone() else {
        return Ok(());
    };
    for system in SYSTEMS {
        pipeline(app, system, &variables, &repository)?;
    }
    Ok(())
}

fn pipeline(
    app: &mut App,
    system: &str,
    variables: &Variables,
    repository: &str,
) -> Result<(), Violations> {
    let rights = DeployRights::of(app, &[&format!("{system}*")]);
    let parameters = parameters(app, system)?;
    let stacks = rights.stacks().join(" ");

    let region = region(app, system)?;
    let mut stack = app.stack(&format!("{system}-pipeline"));
    stack.describe(format!("Tests and deploys the stacks of {system}"));
    if let Some(region) = &region {
        stack.in_region(region);
    }
    let bucket = bucket(&mut stack, &variables.bucket);
    let approved = if variables.approved(&stack) {
        Some(variables.pipeline_source(repository)?)
    } else {
        None
    };
    let source = match &approved {
        Some(_) => BuildSource::CodePipeline,
        None => BuildSource::GitHub(variables.project_source(repository)),
    };
    let mut props = project(&stack, source, bucket);
    props.environment.variables = environment(&stack, system, &stacks, &parameters);
    props.description = Some(format!("Tests and deploys the stacks of {system}"));
    if approved.is_some() {
        // The pipeline keeps what its builds leave behind.
        props.artifacts = BuildArtifacts::Nothing;
    } else if variables.on_push {
        props.webhook = vec![WebhookFilter::push_to(variables.branch())];
    }
    let boundary = variables.build_boundary.as_deref();
    props.permissions_boundary = boundary.map(ManagedPolicy::existing);
    let project = stack.project("Project", props);
    stack.allow_deploy("DeployRights", project.role(), rights);

    if let Some(source) = approved {
        deploy_with_approval(&mut stack, system, source, &project, variables.on_push);
    } else {
        stack
            .output("ProjectName", project.name())
            .description("The project that deploys the system")
            .example("aws codebuild start-build --project-name {value}");
    }
    Ok(())
}

impl Variables {
    /// Says whether people decide. What is protected changes when somebody said so, unless the stage says otherwise.
    fn approved(&self, stack: &Stack<'_>) -> bool {
        match self.approval {
            Some(approval) => approval == Approval::Manual,
            None => stack.stage().is_protected(),
        }
    }

    fn branch(&self) -> &str {
        self.branch.as_deref().unwrap_or("main")
    }

    fn project_source(&self, repository: &str) -> GitHubSource {
        let mut source = GitHubSource::new(repository);
        source.branch.clone_from(&self.branch);
        source.connection = self.connection.clone().map(Into::into);
        source
    }

    fn pipeline_source(&self, repository: &str) -> Result<PipelineSource, Violation> {
        let connection = self.connection.clone().ok_or_else(|| {
            Violation::new(
                "the variable `approval` of pipelines: CodePipeline reads a repository through a connection and asks \
                 people only there: name it with `connection`, or say `approval = \"none\"`",
            )
        })?;
        Ok(PipelineSource::GitHub {
            connection: connection.into(),
            repository: repository.to_owned(),
            branch: self.branch().to_owned(),
        })
    }
}

/// Returns a project that keeps things in a bucket.
fn project(stack: &Stack<'_>, source: BuildSource, bucket: BucketRef) -> ProjectProps {
    let folder = stack.name();
    let mut props = ProjectProps::new(source);
    props.environment.compute = ComputeType::Medium;
    props.cache = BuildCache::S3 {
        bucket: bucket.clone(),
        prefix: format!("{folder}/cache"),
    };
    props.artifacts = BuildArtifacts::S3 {
        bucket,
        prefix: format!("{folder}/changes"),
    };
    props.timeout = Some(limit!(BuildTimeout, 60));
    // Two deploys of one system would only wait for each other.
    props.concurrency = Some(limit!(ConcurrentBuilds, 1));
    props
}

/// Returns what `buildspec.yml` reads from the environment of a build.
fn environment(
    stack: &Stack<'_>,
    system: &str,
    stacks: &str,
    parameters: &[(&'static str, &'static str)],
) -> BTreeMap<String, BuildVariable> {
    let stage = stack.stage().name().to_owned();
    let mut environment = BTreeMap::from([
        ("STACKCTL_STAGE", BuildVariable::plain(stage)),
        ("STACKCTL_STACKS", BuildVariable::plain(stacks.to_owned())),
    ]);
    // Which variable of the stage gets the value of which one of the environment.
    let keys: Vec<String> = parameters
        .iter()
        .map(|(name, key)| format!("{system}.{key}={name}"))
        .collect();
    if !keys.is_empty() {
        environment.insert("STACKCTL_VARIABLES", BuildVariable::plain(keys.join(" ")));
    }
    for (name, _) in parameters {
        let parameter = BuildVariable::parameter(format!("/CodeBuild/{name}"));
        environment.insert(name, parameter);
    }
    environment
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

/// Adds the pipeline that runs the project once to show what a deploy would change, asks, and runs it again to deploy.
/// The second run gets what the first one showed, and deploys nothing else.
fn deploy_with_approval(
    stack: &mut Stack<'_>,
    system: &str,
    source: PipelineSource,
    project: &ProjectRef,
    on_push: bool,
) {
    let people = stack.topic::<String>("Approvers", TopicProps::default());
    let question = format!(
        "Deploy the stacks of {system} to {}? The log of the build before says what would change.",
        stack.stage().name()
    );
    let show = PipelineAction::build("Show", project)
        .variable(STEP, "show")
        .leaving(CHANGES);
    let approve = PipelineAction::approval("Approve").asking(&people, question);
    let deploy = PipelineAction::build("Deploy", project)
        .variable(STEP, "deploy")
        .taking(CHANGES);
    let stages = [("Show", show), ("Approve", approve), ("Deploy", deploy)]
        .map(|(name, action)| PipelineStage::new(name, [action]));
    // A name that people know, and that scripts need not look up. Nothing else would replace a pipeline.
    let name = stack.name();
    let props = PipelineProps {
        name: Some(name.clone().into()),
        start: if on_push {
            RunStart::EveryPush
        } else {
            RunStart::ByHand
        },
        ..PipelineProps::default()
    };
    stack.pipeline("Pipeline", source, stages, props);
    // Not the handle's name: the local engine has no pipelines, and leaves out what nothing refers to.
    stack
        .output("PipelineName", name)
        .description("The pipeline that deploys the system when somebody approves")
        .example("aws codepipeline start-pipeline-execution --name {value}");
    stack
        .output("ApproversTopicArn", people.arn().into_text())
        .description("Who subscribes to it hears that an approval is waited for");
}

/// Returns the region of a system, where it is not that of the stage. Its pipeline stands there too: a stack whose value is
/// `{ parameter = ".." }` and the build that takes values from Parameter Store read the parameters of one region.
fn region(app: &App, system: &str) -> Result<Option<String>, Violations> {
    // The system itself has read the rest, and what it is.
    #[derive(Deserialize)]
    struct Place {
        region: Option<String>,
    }
    let place: Place = app.stage().variables(system)?;
    Ok(place.region)
}

/// Returns the variables of a system that builds take from Parameter Store: what the environment of a build calls each,
/// below `/CodeBuild/` in Parameter Store, and the key in the variables of the stage. Only what the stage has is set: a
/// domain, where it has one. The value of the API key is not among them: CloudFormation reads it while it deploys, and
/// a build never sees it.
fn parameters(app: &App, system: &str) -> Result<Vec<(&'static str, &'static str)>, Violations> {
    #[derive(Deserialize)]
    struct Domains {
        domain: Option<IgnoredAny>,
        site: Option<Site>,
    }
    #[derive(Deserialize)]
    struct Site {
        domain: Option<IgnoredAny>,
    }
    if system != "visitors" {
        return Ok(Vec::new());
    }
    let domains: Domains = app.stage().variables(system)?;
    let mut set = Vec::new();
    if domains.domain.is_some() {
        set.push(("CERTIFICATE_ARN", "domain.certificate_arn"));
        set.push(("ROUTE53_ZONE_ID", "domain.zone_id"));
    }
    if domains.site.is_some_and(|site| site.domain.is_some()) {
        set.push(("ROUTE53_ZONE_ID", "site.domain.zone_id"));
    }
    Ok(set)
}

fn bucket(stack: &mut Stack<'_>, bucket: &Bucket) -> BucketRef {
    match bucket {
        // What builds keep is made again by the next one, so it neither needs versions nor stays for long.
        Bucket::Own => stack.bucket(
            "Builds",
            BucketProps {
                versioned: Some(false),
                lifecycle: vec![LifecycleRule {
                    expire_after: Some(limit!(Days, 30)),
                    ..LifecycleRule::default()
                }],
                ..BucketProps::default()
            },
        ),
        Bucket::Parameter(name) => {
            BucketRef::existing(ParameterRef::<String>::existing(name).value())
        }
    }
}
