//! The pipelines: for each system a project of CodeBuild that tests, shows and deploys it, as `buildspec.yml` says.
//!
//! A stage has pipelines where its variables name a repository. The stack `<system>-pipeline` keeps the project, its role
//! and a bucket for what builds keep: the cache, and what each deploy changed. A pipeline deploys its system and never
//! itself: whoever may change a pipeline decides what it may do, so that stays with people.

use std::collections::BTreeMap;

use serde::Deserialize;
use stack_model::codebuild::{
    BuildArtifacts, BuildCache, BuildSource, BuildTimeout, BuildVariable, ComputeType,
    ConcurrentBuilds, DeployRights, GitHubSource, ProjectProps, WebhookFilter,
};
use stack_model::iam::ManagedPolicy;
use stack_model::s3::{BucketProps, BucketRef, Days, LifecycleRule};
use stack_model::ssm::ParameterRef;
use stack_model::{App, Stack, Violations, limit};

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
    /// The ARN of the connection to GitHub; what the account is connected with by default.
    connection: Option<String>,
    /// Whether a push to the branch deploys.
    on_push: bool,
    /// Where builds keep things.
    bucket: Bucket,
    /// The name of a managed policy that no role of the systems goes beyond, where the account has one. The stacks must
    /// give it to their roles.
    permissions_boundary: Option<String>,
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
    let mut rights = DeployRights::of(app, &[&format!("{system}*")]);
    if let Some(boundary) = &variables.permissions_boundary {
        rights = rights.within(ManagedPolicy::existing(boundary.as_str()));
    }
    let parameters = parameters(app, system)?;
    let stacks = rights.stacks().join(" ");

    let mut stack = app.stack(&format!("{system}-pipeline"));
    stack.describe(format!("Tests and deploys the stacks of {system}"));
    let bucket = bucket(&mut stack, &variables.bucket);
    let folder = stack.name();

    let mut source = GitHubSource::new(repository);
    source.branch.clone_from(&variables.branch);
    source.connection = variables.connection.clone().map(Into::into);
    let mut props = ProjectProps::new(BuildSource::GitHub(source));
    props.description = Some(format!("Tests and deploys the stacks of {system}"));
    props.environment.compute = ComputeType::Medium;
    let stage = stack.stage().name().to_owned();
    let mut environment = BTreeMap::from([
        ("STACKCTL_STAGE", BuildVariable::plain(stage)),
        ("STACKCTL_STACKS", BuildVariable::plain(stacks)),
    ]);
    // `buildspec.yml` reads which variable of the stage gets the value of which one of the environment.
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
    props.environment.variables = environment
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect();
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
    if variables.on_push {
        let branch = variables.branch.as_deref().unwrap_or("main");
        props.webhook = vec![WebhookFilter::push_to(branch)];
    }
    let project = stack.project("Project", props);
    stack.allow_deploy("DeployRights", project.role(), rights);

    stack
        .output("ProjectName", project.name())
        .description("The project that deploys the system")
        .example("aws codebuild start-build --project-name {value}");
    Ok(())
}

/// Returns the variables of a system that builds take from Parameter Store: what the environment of a build calls each,
/// below `/CodeBuild/` in Parameter Store, and the key in the variables of the stage. Only what the stage has is set: a
/// domain, where it has one. The value of the API key is not among them: CloudFormation reads it while it deploys, and
/// a build never sees it.
fn parameters(app: &App, system: &str) -> Result<Vec<(&'static str, &'static str)>, Violations> {
    let settings: serde_json::Value = app.stage().variables(system)?;
    let known: &[_] = match system {
        "visitors" => &[
            ("CERTIFICATE_ARN", "domain.certificate_arn", "/domain"),
            ("ROUTE53_ZONE_ID", "domain.zone_id", "/domain"),
            ("ROUTE53_ZONE_ID", "site.domain.zone_id", "/site/domain"),
        ],
        _ => &[],
    };
    let set = known
        .iter()
        .filter(|(.., table)| settings.pointer(table).is_some());
    Ok(set.map(|(name, key, _)| (*name, *key)).collect())
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
