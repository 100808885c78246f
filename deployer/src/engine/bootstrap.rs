//! The artifact bucket: one stack per account and region.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde_json::{Value, json};
use stack_model::assembly::StackManifest;
use tokio::sync::{Mutex, Semaphore};

use super::{
    Approve, Context, DeployError, DeployReport, Failure, StackError, StackReport, content,
    deploy::{report, verdict},
    event::Outcome,
    handover::Handovers,
    inspect, publish,
    recover::STAGE_TAG,
    stack::{Agreed, Run, Told, Work},
    turns::Turns,
};
use crate::aws::AwsError;

/// The name of the stack that holds the artifact bucket.
pub const BOOTSTRAP_STACK: &str = "stackctl-bootstrap";

/// The output that names the bucket.
pub(super) const BUCKET_OUTPUT: &str = "ArtifactBucket";

/// The tag that holds the version of the bucket's template. A newer one is left alone, so that an older stackctl never
/// takes back what a newer one did.
const VERSION_TAG: &str = "stackctl:bootstrap-version";

/// The version of the bucket's template; it grows with every change of [`template`].
const VERSION: u32 = 1;

/// Deploys the stack that holds the artifact bucket, where it is absent or out of date.
///
/// [`deploy()`](super::deploy()) does the same where it needs the bucket; its change set is approved like any other.
pub async fn bootstrap(
    context: &Context,
    region: Option<&str>,
    approve: Arc<dyn Approve>,
) -> Result<StackReport, DeployError> {
    let run = Run {
        context: context.clone(),
        stage: "bootstrap".into(),
        artifacts: BTreeMap::new(),
        approve,
        agreed: Agreed::default(),
        approving: Mutex::new(()),
        uploads: Arc::new(Semaphore::new(publish::UPLOADS)),
        handovers: Handovers::default(),
        turns: Turns::default(),
        express: BTreeSet::new(),
        back_to: BTreeMap::new(),
        unwritten: Told::default(),
        filled: content::Filled::default(),
    };
    let report = match current(&run.context, region).await {
        Ok(Some(outputs)) => StackReport {
            stack: BOOTSTRAP_STACK.into(),
            outcome: Outcome::Unchanged,
            outputs,
            failure: None,
        },
        Ok(None) => report(&run, &work(region)).await,
        Err(error) => failed(&run.context, &error),
    };
    if report.outcome.is_good() {
        Ok(report)
    } else {
        Err(verdict(DeployReport {
            stacks: vec![report],
        }))
    }
}

/// Returns the name of the artifact bucket, and makes the bucket where there is none. A bucket that is up to date costs
/// one call.
pub(super) async fn ensure(run: &Run, region: Option<&str>) -> Result<String, StackReport> {
    match current(&run.context, region).await {
        Ok(Some(mut outputs)) => {
            if let Some(bucket) = outputs.remove(BUCKET_OUTPUT) {
                return Ok(bucket);
            }
        }
        Ok(None) => {}
        Err(error) => return Err(failed(&run.context, &error)),
    }
    let report = report(run, &work(region)).await;
    match report.outputs.get(BUCKET_OUTPUT) {
        Some(bucket) if report.outcome.is_good() => Ok(bucket.clone()),
        _ if report.outcome.is_good() => Err(failed(
            &run.context,
            &StackError::NoBucket {
                stack: run.stage.clone(),
                bootstrap: BOOTSTRAP_STACK,
                output: BUCKET_OUTPUT,
            },
        )),
        _ => Err(report),
    }
}

/// Returns the name of the artifact bucket of a region, where there is one.
pub(super) async fn existing(context: &Context) -> Result<Option<String>, AwsError> {
    let deployed = inspect::describe(&context.clients, BOOTSTRAP_STACK).await?;
    Ok(deployed.and_then(|mut stack| stack.outputs.remove(BUCKET_OUTPUT)))
}

/// Returns the outputs of the stack where it is there and up to date.
async fn current(
    context: &Context,
    region: Option<&str>,
) -> Result<Option<BTreeMap<String, String>>, StackError> {
    let context = context.in_region(region);
    let deployed = inspect::describe(&context.clients, BOOTSTRAP_STACK)
        .await
        .map_err(|source| StackError::Aws {
            stack: BOOTSTRAP_STACK.into(),
            source,
        })?;
    Ok(deployed
        .filter(|stack| stack.status.is_updatable() && is_current(&stack.tags))
        .map(|stack| stack.outputs)
        .filter(|outputs| outputs.contains_key(BUCKET_OUTPUT)))
}

fn is_current(tags: &BTreeMap<String, String>) -> bool {
    tags.get(VERSION_TAG)
        .and_then(|version| version.parse::<u32>().ok())
        .is_some_and(|version| version >= VERSION)
}

pub(super) fn failed(context: &Context, error: &StackError) -> StackReport {
    StackReport {
        stack: BOOTSTRAP_STACK.into(),
        outcome: Outcome::Failed,
        outputs: BTreeMap::new(),
        failure: Some(Failure::of(context, error, error.first_cause())),
    }
}

fn work(region: Option<&str>) -> Work {
    let manifest = StackManifest {
        name: BOOTSTRAP_STACK.into(),
        id: BOOTSTRAP_STACK.into(),
        template: String::new(),
        sha256: String::new(),
        region: region.map(str::to_owned),
        depends_on: Vec::new(),
        parameters: BTreeMap::new(),
        artifacts: BTreeMap::new(),
        releases: BTreeMap::new(),
        // The stack belongs to no stage.
        tags: BTreeMap::from([
            (STAGE_TAG.to_owned(), "bootstrap".to_owned()),
            (VERSION_TAG.to_owned(), VERSION.to_string()),
        ]),
        capabilities: Vec::new(),
        termination_protection: false,
        outputs: BTreeMap::new(),
        resources: BTreeMap::new(),
        moved: BTreeMap::new(),
        along: BTreeMap::new(),
        references: BTreeMap::new(),
        imports: BTreeSet::new(),
        contents: BTreeMap::new(),
        smoke: BTreeMap::new(),
    };
    Work {
        manifest: Arc::new(manifest),
        template: template().to_string(),
        contents: BTreeMap::new(),
        bucket: None,
        direct: false,
        archive: None,
    }
}

/// Returns the template of the bucket.
///
/// The bucket is encrypted with keys of S3, which cost nothing and need no permission; reached over TLS only; private;
/// owned by the account whoever writes to it; versioned, with old versions and broken uploads removed after a while;
/// and kept when the stack is deleted, because a rollback of any stack may need an artifact.
pub(super) fn template() -> Value {
    json!({
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The artifacts that stackctl deploys",
        "Resources": {
            "Artifacts": {
                "Type": "AWS::S3::Bucket",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {
                    "BucketEncryption": {
                        "ServerSideEncryptionConfiguration": [
                            {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
                        ]
                    },
                    "LifecycleConfiguration": {
                        "Rules": [
                            {
                                "Id": "old-versions",
                                "Status": "Enabled",
                                "NoncurrentVersionExpiration": {"NoncurrentDays": 30},
                                "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 1}
                            }
                        ]
                    },
                    "OwnershipControls": {
                        "Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]
                    },
                    "PublicAccessBlockConfiguration": {
                        "BlockPublicAcls": true,
                        "BlockPublicPolicy": true,
                        "IgnorePublicAcls": true,
                        "RestrictPublicBuckets": true
                    },
                    "VersioningConfiguration": {"Status": "Enabled"}
                }
            },
            "ArtifactsPolicy": {
                "Type": "AWS::S3::BucketPolicy",
                "DeletionPolicy": "Retain",
                "UpdateReplacePolicy": "Retain",
                "Properties": {
                    "Bucket": {"Ref": "Artifacts"},
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Sid": "TlsOnly",
                                "Effect": "Deny",
                                "Principal": "*",
                                "Action": "s3:*",
                                "Resource": [
                                    {"Fn::GetAtt": ["Artifacts", "Arn"]},
                                    {"Fn::Sub": "${Artifacts.Arn}/*"}
                                ],
                                "Condition": {"Bool": {"aws:SecureTransport": "false"}}
                            }
                        ]
                    }
                }
            }
        },
        "Outputs": {
            BUCKET_OUTPUT: {
                "Description": "The name of the bucket",
                "Value": {"Ref": "Artifacts"}
            }
        }
    })
}
