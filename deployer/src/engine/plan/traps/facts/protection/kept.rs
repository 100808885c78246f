//! What keeps data, and whatever handles it: encryption, copies, and what stops what runs away.

use super::{Protection, Unsaid, is_own_key};
use crate::engine::plan::traps::{is, is_on};

/// What may happen where builds leave something unencrypted.
const PLAIN: &str = "what builds leave there is not encrypted";

const PROJECT: &str = "AWS::CodeBuild::Project";

const fn encrypted(pointer: &'static str) -> Protection {
    Protection {
        resource_type: PROJECT,
        pointer,
        protects: |value| !is_on(value),
        unsaid: Unsaid::Read,
        without: PLAIN,
        source: "https://docs.aws.amazon.com/codebuild/latest/userguide/security-encryption.html",
    }
}

const fn verified(pointer: &'static str) -> Protection {
    Protection {
        resource_type: PROJECT,
        pointer,
        protects: |value| !is_on(value),
        unsaid: Unsaid::Read,
        without: "nobody makes sure where the source comes from",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-codebuild-project-source.html",
    }
}

pub(super) const ROWS: &[Protection] = &[
    encrypted("/Artifacts/EncryptionDisabled"),
    encrypted("/LogsConfig/S3Logs/EncryptionDisabled"),
    encrypted("/SecondaryArtifacts/*/EncryptionDisabled"),
    Protection {
        resource_type: PROJECT,
        pointer: "/Environment/PrivilegedMode",
        protects: |value| !is_on(value),
        unsaid: Unsaid::Read,
        without: "builds run with all rights on the machine",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-codebuild-project-environment.html",
    },
    verified("/SecondarySources/*/InsecureSsl"),
    verified("/Source/InsecureSsl"),
    Protection {
        resource_type: "AWS::Events::EventBus",
        pointer: "/KmsKeyIdentifier",
        protects: is_own_key,
        unsaid: Unsaid::Read,
        without: "who may read its events needs no right to their key",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbus.html",
    },
    Protection {
        resource_type: "AWS::KMS::Key",
        pointer: "/BypassPolicyLockoutSafetyCheck",
        protects: |value| !is_on(value),
        unsaid: Unsaid::Read,
        without: "a policy is taken that leaves nobody who may change it, and the key cannot be managed then",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html",
    },
    Protection {
        resource_type: "AWS::Lambda::Function",
        pointer: "/RecursiveLoop",
        protects: |value| !is(value, "Allow"),
        unsaid: Unsaid::Read,
        without: "calls that run in a circle are not stopped",
        source: "https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionRecursionConfig.html",
    },
    // A bucket that nobody says anything of is made without lists; one that loses its rule has lists again.
    Protection {
        resource_type: "AWS::S3::Bucket",
        pointer: "/OwnershipControls/Rules/0/ObjectOwnership",
        protects: |value| is(value, "BucketOwnerEnforced"),
        unsaid: Unsaid::Either,
        without: "lists of access decide again who may read an object, whatever the policy says",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html",
    },
    Protection {
        resource_type: "AWS::S3::Bucket",
        pointer: "/ReplicationConfiguration",
        protects: |value| value.is_some(),
        unsaid: Unsaid::Read,
        without: "new objects are no longer copied elsewhere",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html",
    },
    Protection {
        resource_type: "AWS::SNS::Topic",
        pointer: "/DataProtectionPolicy",
        protects: |value| value.is_some(),
        unsaid: Unsaid::Read,
        without: "what it keeps back is sent",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sns-topic.html",
    },
    Protection {
        resource_type: "AWS::SNS::Topic",
        pointer: "/SignatureVersion",
        protects: |value| is(value, "2") || value.and_then(serde_json::Value::as_u64) == Some(2),
        unsaid: Unsaid::Read,
        without: "messages are signed with SHA-1, which can be forged",
        // It says which hash each version is of, and that topics have the first where nothing is said.
        source: "https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html",
    },
    Protection {
        resource_type: "AWS::StepFunctions::StateMachine",
        pointer: "/EncryptionConfiguration/KmsKeyId",
        protects: is_own_key,
        unsaid: Unsaid::Read,
        without: "who may read its executions needs no right to their key",
        source: "https://docs.aws.amazon.com/step-functions/latest/apireference/API_EncryptionConfiguration.html",
    },
];
