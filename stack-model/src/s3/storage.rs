//! How objects are kept: locks, archives and logs of access.

use std::panic::Location;

use stack_model_cfn::s3::bucket as cfn;
use stack_model_cfn::{Pseudo, Token, Value};

use super::{BucketProps, BucketRef, Encryption};
use crate::handle::Handle;
use crate::limit::Limited;
use crate::policy::{Principal, Statement};
use crate::stack::Stack;

/// Keeps versions of objects from being deleted or overwritten.
///
/// It can be turned on at any time and never off again, and needs versions. See
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lock.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ObjectLock {
    /// How long every new version is kept; as long as its writer says by default.
    pub default_retention: Option<LockRetention>,
}

/// How long every new version of an object is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LockRetention {
    /// Who may shorten it.
    pub mode: LockMode,
    /// The days, counted from the day the version was written.
    pub days: LockDays,
}

/// The days that a version is kept at least, up to 100 years.
pub type LockDays = Limited<1, 36_500>;

/// Who may delete a locked version before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LockMode {
    /// Whoever is allowed `s3:BypassGovernanceRetention`.
    Governance,
    /// Nobody, the account's owner included; the bucket cannot be emptied before.
    Compliance,
}

/// When objects of the storage class `INTELLIGENT_TIERING` that nobody reads are archived.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/intelligent-tiering-overview.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IntelligentTiering {
    /// The name of the rule, unique in the bucket.
    pub id: String,
    /// How the keys of the objects start; the rule is for all objects by default.
    pub prefix: Option<String>,
    /// When objects move where reading takes minutes to hours.
    pub archive_after: Option<ArchiveDays>,
    /// When objects move where reading takes up to twelve hours.
    pub deep_archive_after: Option<DeepArchiveDays>,
}

/// The days after which an object that nobody reads is archived.
pub type ArchiveDays = Limited<90, 730>;

/// The days after which an object that nobody reads is archived deeply.
pub type DeepArchiveDays = Limited<180, 730>;

/// Where S3 writes a line per request, within hours.
///
/// The bucket of the logs belongs to the same stack, is encrypted with keys of S3 and has no lock by default. Its
/// policy lets S3 write on behalf of this bucket alone. See
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketAccessLogs {
    bucket: BucketRef,
    prefix: String,
}

impl BucketAccessLogs {
    /// Writes logs to a bucket, with keys that start with a prefix, such as `photos/`.
    pub fn to(bucket: &BucketRef, prefix: impl Into<String>) -> Self {
        Self {
            bucket: bucket.clone(),
            prefix: prefix.into(),
        }
    }

    pub(super) fn render(&self) -> cfn::LoggingConfiguration {
        cfn::LoggingConfiguration {
            destination_bucket_name: self.bucket.name().into(),
            log_file_prefix: self.prefix.as_str().into(),
            ..cfn::LoggingConfiguration::default()
        }
    }
}

pub(super) fn lock(lock: ObjectLock) -> cfn::ObjectLockConfiguration {
    cfn::ObjectLockConfiguration {
        object_lock_enabled: "Enabled".into(),
        rule: lock
            .default_retention
            .map(|retention| cfn::ObjectLockRule {
                default_retention: cfn::DefaultRetention {
                    days: retention.days.number().into(),
                    mode: match retention.mode {
                        LockMode::Governance => "GOVERNANCE",
                        LockMode::Compliance => "COMPLIANCE",
                    }
                    .into(),
                    ..cfn::DefaultRetention::default()
                }
                .into(),
            })
            .into(),
    }
}

pub(super) fn tiering(
    rules: Vec<IntelligentTiering>,
) -> Option<Vec<cfn::IntelligentTieringConfiguration>> {
    let rule = |rule: IntelligentTiering| {
        let tiers = [
            ("ARCHIVE_ACCESS", rule.archive_after.map(Limited::number)),
            (
                "DEEP_ARCHIVE_ACCESS",
                rule.deep_archive_after.map(Limited::number),
            ),
        ];
        let tiers = tiers.into_iter().filter_map(|(tier, days)| {
            Some(cfn::Tiering {
                access_tier: tier.into(),
                days: days?.into(),
            })
        });
        cfn::IntelligentTieringConfiguration {
            id: rule.id.into(),
            prefix: rule.prefix.into(),
            status: "Enabled".into(),
            tierings: tiers.collect::<Vec<_>>().into(),
            ..cfn::IntelligentTieringConfiguration::default()
        }
    };
    (!rules.is_empty()).then(|| rules.into_iter().map(rule).collect())
}

impl Stack<'_> {
    pub(super) fn check_storage(&mut self, id: &str, props: &BucketProps, source: &Location<'_>) {
        if props.object_lock.is_some() && props.versioned == Some(false) {
            let message = "a lock keeps versions, so the bucket needs them: leave `versioned` out";
            self.report(
                id,
                Some("Properties.VersioningConfiguration"),
                message,
                source,
            );
        }
        let retention = props.object_lock.and_then(|lock| lock.default_retention);
        let path = "Properties.ObjectLockConfiguration.Rule.DefaultRetention.Days";
        self.check_limit(id, path, retention.map(|it| it.days), source);
        for (position, rule) in props.intelligent_tiering.iter().enumerate() {
            let path = format!("Properties.IntelligentTieringConfigurations.{position}");
            self.check_limit(id, &path, rule.archive_after, source);
            self.check_limit(id, &path, rule.deep_archive_after, source);
            let message = match (rule.archive_after, rule.deep_archive_after) {
                (None, None) => "the rule does nothing: say when objects are archived",
                (Some(archive), Some(deep)) if deep.get() <= archive.get() => {
                    "objects are archived deeply before they are archived"
                }
                _ if rule.id.is_empty() || rule.id.len() > 64 => {
                    "the rule needs an id of 1 to 64 characters"
                }
                _ => continue,
            };
            self.report(id, Some(&path), message, source);
        }
        let dotted = props.name.as_ref().and_then(Value::literal);
        if props.transfer_acceleration && dotted.is_some_and(|name| name.contains('.')) {
            let message = "the name of a bucket with transfer acceleration has no dots";
            self.report(id, Some("Properties.BucketName"), message, source);
        }
        if props.website.is_some() && matches!(props.encryption, Encryption::CustomerKey(_)) {
            let message = "a website is read by anybody, and nobody without an identity may use a key: encrypt it with keys of S3";
            self.report(id, Some("Properties.BucketEncryption"), message, source);
        }
    }

    /// Lets S3 write the logs of a bucket to another one.
    pub(super) fn admit_logs(
        &mut self,
        of: &BucketRef,
        logs: &BucketAccessLogs,
        source: &Location<'_>,
    ) {
        let id = of.id.logical_id();
        let path = Some("Properties.LoggingConfiguration");
        if logs.bucket.id.logical_id() == id {
            let message =
                "a bucket that logs into itself logs its own logs: give them a bucket of their own";
            return self.report(id, path, message, source);
        }
        if logs.bucket.key.is_some() {
            let message = "S3 writes no access logs to a bucket with a key of the customer's own: encrypt that one with keys of S3";
            self.report(id, path, message, source);
        }
        if logs.bucket.resource_id().stack() != self.id() {
            let message = format!(
                "the bucket `{}` of the logs needs a policy that its own stack adds: put both into one stack",
                logs.bucket.id.logical_id()
            );
            return self.report(id, path, message, source);
        }
        let statement = Statement::allow(["s3:PutObject"])
            .to(Principal::Service("logging.s3.amazonaws.com".to_owned()))
            .on(logs.bucket.objects(&format!("{}*", logs.prefix)))
            .when("ArnEquals", "aws:SourceArn", of.arn())
            .when(
                "StringEquals",
                "aws:SourceAccount",
                Token::Pseudo(Pseudo::AccountId),
            )
            .because("the names of log files are made at run time");
        self.attach_bucket_policy(&logs.bucket, [statement], source);
    }
}
