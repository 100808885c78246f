//! What protects resources and what is in them.

mod element;
mod entry;
mod kept;

use serde_json::Value;

use super::super::super::canonical::alike;
use super::super::super::{Grade, widen};
use super::super::{Finding, Seen, is, is_on, shown};

/// What protects a resource or what is in it.
pub(in super::super) struct Protection {
    pub(in super::super) resource_type: &'static str,
    /// Where it stands; `*` is every element of a list.
    pub(in super::super) pointer: &'static str,
    /// Whether it protects as it is written.
    pub(in super::super) protects: fn(Option<&Value>) -> bool,
    /// What counts where nothing is written.
    pub(in super::super) unsaid: Unsaid,
    /// What may happen without it.
    pub(in super::super) without: &'static str,
    pub(in super::super) source: &'static str,
}

/// What counts where a template says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Unsaid {
    /// What `protects` says of it: a page tells the default.
    Read,
    /// The worse of both: it protected before, and does not any more.
    Either,
}

/// What may happen where no new version of TLS is asked for.
const OLD_TLS: &str = "connections with a version of TLS that nobody should use any more are taken";

/// Returns whether a security policy takes nothing older than TLS 1.2: `TLSv1.2_2021`, `TLS_1_2`, `TLS_V1_2_2021`, or one of those that API
/// Gateway calls enhanced, such as `SecurityPolicy_TLS13_1_3_2025_09`.
fn asks_for_tls(value: Option<&Value>) -> bool {
    let names = [
        "TLSv1.2",
        "TLSv1.3",
        "TLS_1_2",
        "TLS_V1_2",
        "TLS_V1_3",
        "SecurityPolicy_TLS",
    ];
    let name = value.and_then(Value::as_str).unwrap_or_default();
    names.iter().any(|start| name.starts_with(start))
}

/// Protections: taking one away lets somebody do what nobody could before.
const GENERAL: &[Protection] = &[
    Protection {
        resource_type: "AWS::ApiGateway::DomainName",
        pointer: "/SecurityPolicy",
        protects: asks_for_tls,
        unsaid: Unsaid::Read,
        without: OLD_TLS,
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html",
    },
    Protection {
        resource_type: "AWS::ApiGatewayV2::DomainName",
        pointer: "/DomainNameConfigurations/0/SecurityPolicy",
        protects: asks_for_tls,
        unsaid: Unsaid::Read,
        without: OLD_TLS,
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigatewayv2-domainname-domainnameconfiguration.html",
    },
    Protection {
        resource_type: "AWS::CloudFront::Distribution",
        pointer: "/DistributionConfig/ViewerCertificate/MinimumProtocolVersion",
        protects: asks_for_tls,
        unsaid: Unsaid::Read,
        without: OLD_TLS,
        source: "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/secure-connections-supported-viewer-protocols-ciphers.html",
    },
    Protection {
        resource_type: "AWS::Cognito::UserPool",
        pointer: "/DeletionProtection",
        protects: |value| is(value, "ACTIVE"),
        unsaid: Unsaid::Read,
        without: "whoever may delete pools may delete it with its users",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html",
    },
    Protection {
        resource_type: "AWS::Cognito::UserPool",
        pointer: "/UserPoolAddOns/AdvancedSecurityMode",
        protects: |value| is(value, "ENFORCED"),
        unsaid: Unsaid::Read,
        without: "sign-ins that look stolen are let through",
        source: "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-threat-protection.html",
    },
    Protection {
        resource_type: "AWS::Cognito::UserPoolClient",
        pointer: "/PreventUserExistenceErrors",
        protects: |value| is(value, "ENABLED"),
        unsaid: Unsaid::Read,
        without: "whoever signs in learns who has an account",
        source: "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-managing-errors.html",
    },
    Protection {
        resource_type: "AWS::DynamoDB::Table",
        pointer: "/DeletionProtectionEnabled",
        protects: is_on,
        unsaid: Unsaid::Read,
        without: "whoever may delete tables may delete it with its items",
        source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/WorkingWithTables.Basics.html",
    },
    Protection {
        resource_type: "AWS::DynamoDB::Table",
        pointer: "/SSESpecification/KMSMasterKeyId",
        protects: is_own_key,
        unsaid: Unsaid::Read,
        without: "who may read the table needs no right to its key",
        source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.howitworks.html",
    },
    Protection {
        resource_type: "AWS::KMS::Key",
        pointer: "/EnableKeyRotation",
        protects: is_on,
        unsaid: Unsaid::Read,
        without: "its material stays the same from then on",
        source: "https://docs.aws.amazon.com/kms/latest/developerguide/rotate-keys.html",
    },
    Protection {
        resource_type: "AWS::Kinesis::Stream",
        pointer: "/StreamEncryption",
        protects: |value| value.is_some(),
        unsaid: Unsaid::Read,
        without: "its records are written without encryption",
        source: "https://docs.aws.amazon.com/streams/latest/dev/server-side-encryption.html",
    },
    Protection {
        resource_type: "AWS::Lambda::Function",
        pointer: "/CodeSigningConfigArn",
        protects: |value| value.is_some(),
        unsaid: Unsaid::Read,
        without: "code is taken that nobody signed",
        source: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-codesigning.html",
    },
    Protection {
        resource_type: "AWS::Lambda::Function",
        pointer: "/KmsKeyArn",
        protects: is_own_key,
        unsaid: Unsaid::Read,
        without: "who may read the function needs no right to the key of its variables",
        source: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars-encryption.html",
    },
    Protection {
        resource_type: "AWS::Logs::LogGroup",
        pointer: "/DataProtectionPolicy",
        protects: |value| value.is_some(),
        unsaid: Unsaid::Read,
        without: "what it masks is shown",
        source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/mask-sensitive-log-data.html",
    },
    Protection {
        resource_type: "AWS::Logs::LogGroup",
        pointer: "/DeletionProtectionEnabled",
        protects: is_on,
        unsaid: Unsaid::Read,
        without: "whoever may delete log groups may delete it with its logs",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html",
    },
    Protection {
        resource_type: "AWS::Logs::LogGroup",
        pointer: "/KmsKeyId",
        protects: is_own_key,
        unsaid: Unsaid::Read,
        without: "who may read the logs needs no right to their key",
        source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html",
    },
    Protection {
        resource_type: "AWS::RDS::DBCluster",
        pointer: "/DeletionProtection",
        protects: is_on,
        unsaid: Unsaid::Read,
        without: "whoever may delete databases may delete it",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbcluster.html",
    },
    Protection {
        resource_type: "AWS::RDS::DBInstance",
        pointer: "/DeletionProtection",
        protects: is_on,
        unsaid: Unsaid::Read,
        without: "whoever may delete databases may delete it",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-rds-dbinstance.html",
    },
    Protection {
        resource_type: "AWS::S3::Bucket",
        pointer: "/BucketEncryption/ServerSideEncryptionConfiguration/0/ServerSideEncryptionByDefault/KMSMasterKeyID",
        protects: is_own_key,
        unsaid: Unsaid::Read,
        without: "who may read new objects needs no right to their key",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html",
    },
    Protection {
        resource_type: "AWS::S3::Bucket",
        pointer: "/ObjectLockConfiguration/Rule",
        protects: |value| value.is_some(),
        unsaid: Unsaid::Read,
        without: "new objects are no longer locked by default",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html",
    },
    Protection {
        resource_type: "AWS::S3::Bucket",
        pointer: "/VersioningConfiguration/Status",
        protects: |value| is(value, "Enabled"),
        unsaid: Unsaid::Read,
        without: "whoever writes or deletes an object loses what was there",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/Versioning.html",
    },
    Protection {
        resource_type: "AWS::SNS::Topic",
        pointer: "/KmsMasterKeyId",
        protects: is_own_key,
        unsaid: Unsaid::Read,
        without: "who may publish or subscribe needs no right to its key",
        source: "https://docs.aws.amazon.com/sns/latest/dg/sns-server-side-encryption.html",
    },
    Protection {
        resource_type: "AWS::SQS::Queue",
        pointer: "/KmsMasterKeyId",
        protects: is_own_key,
        unsaid: Unsaid::Read,
        without: "who may receive its messages needs no right to their key",
        source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-server-side-encryption.html",
    },
    Protection {
        resource_type: "AWS::SecretsManager::ResourcePolicy",
        pointer: "/BlockPublicPolicy",
        protects: is_on,
        unsaid: Unsaid::Read,
        without: "a policy for everybody is taken",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-resourcepolicy.html",
    },
    Protection {
        resource_type: "AWS::SecretsManager::Secret",
        pointer: "/KmsKeyId",
        protects: is_own_key,
        unsaid: Unsaid::Read,
        without: "who may read the secret needs no right to its key",
        source: "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html",
    },
];

/// Returns all protections.
pub(in super::super) fn protections() -> impl Iterator<Item = &'static Protection> {
    GENERAL.iter().chain(entry::ROWS).chain(kept::ROWS)
}

/// Finds the protections that a change takes away.
pub(super) fn unprotected(resource_type: &str, seen: &Seen<'_>) -> Vec<Finding> {
    let rows = protections().filter(|row| row.resource_type == resource_type);
    rows.flat_map(|row| {
        let reasons = if let Some((list, inner)) = row.pointer.split_once("/*/") {
            element::unprotected(row, seen, list, &format!("/{inner}"))
        } else {
            let sides = [seen.before(row.pointer), seen.after(row.pointer)];
            Vec::from_iter(taken(row, &shown(row.pointer), sides))
        };
        let findings = reasons.into_iter();
        findings.map(|reason| Finding::new(Grade::PermissionWidened, reason).citing(row.source))
    })
    .collect()
}

/// Says that a protection at a path is taken away, where it was one before.
fn taken(row: &Protection, path: &str, sides: [Option<&Value>; 2]) -> Option<String> {
    let [before, after] = sides;
    // What was a protection or none before is that still.
    if alike(before, after) {
        return None;
    }
    let either = row.unsaid == Unsaid::Either;
    let protected = (either && before.is_none()) || (row.protects)(before);
    // What only the deployment decides may be no protection.
    let unknown = after.filter(|after| widen::is_unknown(after));
    let unprotected = (either && after.is_none()) || !(row.protects)(after);
    if !protected || !(unknown.is_some() || unprotected) {
        return None;
    }
    let without = row.without;
    Some(match (unknown, after) {
        (Some(value), _) => format!(
            "{path} may be taken away, as nobody knows what {} is: {without}",
            widen::text(value)
        ),
        (None, Some(after)) if is_on(Some(after)) => {
            format!("{path} is switched on: {without}")
        }
        (None, Some(after)) if before.is_none() => {
            format!("{path} becomes {}: {without}", widen::text(after))
        }
        (None, _) => format!("{path} is taken away: {without}"),
    })
}

/// Returns whether a value names a key of one's own: of those of AWS, everybody in the account has the use.
fn is_own_key(value: Option<&Value>) -> bool {
    value.is_some_and(|key| {
        let text = key.as_str();
        text != Some("") && !text.is_some_and(|text| text.contains("alias/aws/"))
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn versions_of_tls_that_protect_are_known_by_all_names() {
        for (policy, protects) in [
            ("TLSv1.2_2021", true),
            ("TLSv1.3_2025", true),
            ("TLS_1_2", true),
            ("TLS_V1_2_2021", true),
            ("TLS_V1_3_2025", true),
            ("SecurityPolicy_TLS13_1_3_2025_09", true),
            ("TLSv1.1_2016", false),
            ("TLSv1_2016", false),
            ("TLS_1_0", false),
            ("TLS_V1", false),
            ("SSLv3", false),
        ] {
            assert_eq!(asks_for_tls(Some(&json!(policy))), protects, "{policy}");
        }
        assert!(!asks_for_tls(None));
        let asking = protections().filter(|row| row.without == OLD_TLS);
        assert_eq!(asking.count(), 4);
    }
}
