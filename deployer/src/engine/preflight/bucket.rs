//! The artifact bucket: whether it is what its stack says.

use super::{Bucket, Check, Concern, Weight, head, unknown};
use crate::{
    aws::{Clients, OrAws},
    engine::{BOOTSTRAP_STACK, bootstrap::BUCKET_OUTPUT, inspect},
};

/// Looks at the bucket of a region, where there is one: a deploy makes one that is missing.
pub(super) async fn check(clients: &Clients) -> Vec<Concern> {
    let of = |weight, bucket: &str, message: String, hints| Concern {
        check: Check::ArtifactBucket,
        weight,
        subject: bucket.to_owned(),
        message,
        hints,
    };
    let deployed = match inspect::describe(clients, BOOTSTRAP_STACK).await {
        Ok(deployed) => deployed,
        Err(error) => return vec![unknown(Check::ArtifactBucket, BOOTSTRAP_STACK, &error)],
    };
    let Some(bucket) = deployed.and_then(|mut stack| stack.outputs.remove(BUCKET_OUTPUT)) else {
        return Vec::new();
    };
    let region = clients.region();
    match head(clients, &bucket, true).await {
        Ok(Bucket::Here(Some(other))) if other != region => {
            let message = format!(
                "the artifact bucket is in {other}, and Lambda takes code from buckets of {region} alone"
            );
            return vec![of(Weight::Refused, &bucket, message, remake(region))];
        }
        Ok(Bucket::Here(_)) => {}
        Ok(Bucket::Free) => {
            let message =
                format!("stack {BOOTSTRAP_STACK} names it, and there is no such bucket any more");
            return vec![of(Weight::Refused, &bucket, message, remake(region))];
        }
        Ok(Bucket::Closed) => {
            let message =
                "the artifact bucket is another account's, or not the caller's to look at"
                    .to_owned();
            return vec![of(Weight::Warning, &bucket, message, Vec::new())];
        }
        Err(error) => return vec![unknown(Check::ArtifactBucket, &bucket, &error)],
    }
    let mut concerns = Vec::new();
    let answer = clients
        .s3
        .get_public_access_block()
        .bucket(&bucket)
        .send()
        .await
        .or_aws(clients, "GetPublicAccessBlock");
    let closed = match answer {
        Ok(answer) => answer
            .public_access_block_configuration
            .is_some_and(|block| {
                [
                    block.block_public_acls,
                    block.block_public_policy,
                    block.ignore_public_acls,
                    block.restrict_public_buckets,
                ]
                .iter()
                .all(|on| *on == Some(true))
            }),
        // The bucket says nothing of it
        // (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetPublicAccessBlock.html>).
        Err(error) if error.code() == Some("NoSuchPublicAccessBlockConfiguration") => false,
        Err(error) => {
            concerns.push(unknown(Check::ArtifactBucket, &bucket, &error));
            true
        }
    };
    if !closed {
        let message = "the artifact bucket does not block public access any more".to_owned();
        let hint = format!(
            "aws s3api put-public-access-block --region {region} --bucket {bucket} --public-access-block-configuration BlockPublicAcls=true,IgnorePublicAcls=true,BlockPublicPolicy=true,RestrictPublicBuckets=true"
        );
        concerns.push(of(Weight::Warning, &bucket, message, vec![hint]));
    }
    let answer = clients
        .s3
        .get_bucket_encryption()
        .bucket(&bucket)
        .send()
        .await
        .or_aws(clients, "GetBucketEncryption");
    match answer {
        Ok(_) => {}
        // (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetBucketEncryption.html>)
        Err(error) if error.code() == Some("ServerSideEncryptionConfigurationNotFoundError") => {
            let message = "the artifact bucket has no default encryption any more".to_owned();
            concerns.push(of(Weight::Warning, &bucket, message, Vec::new()));
        }
        Err(error) => concerns.push(unknown(Check::ArtifactBucket, &bucket, &error)),
    }
    concerns
}

/// Says how a region gets a new artifact bucket.
fn remake(region: &str) -> Vec<String> {
    vec![
        format!(
            "remove its stack: `aws cloudformation delete-stack --region {region} --stack-name {BOOTSTRAP_STACK}`"
        ),
        "the next deploy makes both anew".to_owned(),
    ]
}
