//! What happens to objects with time.

use std::panic::Location;

use stack_model_cfn::s3::bucket as cfn;

use crate::limit::Limited;
use crate::stack::Stack;

/// A number of days after which something happens to an object.
pub type Days = Limited<1, { i32::MAX as u32 }>;

/// What happens to the objects under a prefix.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LifecycleRule {
    /// How the keys of the objects start; the rule is for all objects by default.
    pub prefix: String,
    /// When objects are deleted. In a versioned bucket, they become earlier versions instead.
    pub expire_after: Option<Days>,
    /// When earlier versions are deleted, counted from the day they were replaced.
    pub expire_noncurrent_after: Option<Days>,
    /// When uploads in parts that were never finished are deleted.
    pub abort_incomplete_uploads_after: Option<Days>,
    /// When objects move to cheaper storage.
    pub transitions: Vec<Transition>,
}

/// When objects move to which storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// Counted from the day the object was written.
    pub after: Days,
    /// Where it moves.
    pub class: StorageClass,
}

/// Storage that is cheaper to keep objects in and dearer to read them from.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StorageClass {
    /// Moves objects by how often they are read.
    IntelligentTiering,
    /// Read less than once a month; kept at least 30 days.
    StandardInfrequentAccess,
    /// As before, in one availability zone.
    OneZoneInfrequentAccess,
    /// Read once a quarter, at once.
    GlacierInstantRetrieval,
    /// Read within minutes to hours.
    GlacierFlexibleRetrieval,
    /// Read within twelve hours.
    DeepArchive,
}

impl StorageClass {
    const fn name(self) -> &'static str {
        match self {
            Self::IntelligentTiering => "INTELLIGENT_TIERING",
            Self::StandardInfrequentAccess => "STANDARD_IA",
            Self::OneZoneInfrequentAccess => "ONEZONE_IA",
            Self::GlacierInstantRetrieval => "GLACIER_IR",
            Self::GlacierFlexibleRetrieval => "GLACIER",
            Self::DeepArchive => "DEEP_ARCHIVE",
        }
    }

    /// Returns the days that an object spends in the standard class at least; see
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/lifecycle-transition-general-considerations.html>.
    const fn earliest(self) -> u32 {
        match self {
            Self::StandardInfrequentAccess | Self::OneZoneInfrequentAccess => 30,
            _ => 0,
        }
    }
}

pub(super) fn render(rules: Vec<LifecycleRule>) -> Option<cfn::LifecycleConfiguration> {
    if rules.is_empty() {
        return None;
    }
    let rules: Vec<cfn::Rule> = rules.into_iter().map(rule).collect();
    Some(cfn::LifecycleConfiguration {
        rules: rules.into(),
        ..cfn::LifecycleConfiguration::default()
    })
}

fn rule(rule: LifecycleRule) -> cfn::Rule {
    let transitions: Vec<cfn::Transition> = rule
        .transitions
        .into_iter()
        .map(|transition| cfn::Transition {
            storage_class: transition.class.name().into(),
            transition_in_days: transition.after.number().into(),
            ..cfn::Transition::default()
        })
        .collect();
    cfn::Rule {
        abort_incomplete_multipart_upload: rule
            .abort_incomplete_uploads_after
            .map(|days| cfn::AbortIncompleteMultipartUpload {
                days_after_initiation: days.number().into(),
            })
            .into(),
        expiration_in_days: rule.expire_after.map(Limited::number).into(),
        noncurrent_version_expiration: rule
            .expire_noncurrent_after
            .map(|days| cfn::NoncurrentVersionExpiration {
                noncurrent_days: days.number().into(),
                ..cfn::NoncurrentVersionExpiration::default()
            })
            .into(),
        prefix: rule.prefix.into(),
        status: "Enabled".into(),
        transitions: if transitions.is_empty() {
            stack_model_cfn::Property::Absent
        } else {
            transitions.into()
        },
        ..cfn::Rule::default()
    }
}

impl Stack<'_> {
    pub(super) fn check_lifecycle(
        &mut self,
        id: &str,
        rules: &[LifecycleRule],
        source: &Location<'_>,
    ) {
        for (position, rule) in rules.iter().enumerate() {
            let path = format!("Properties.LifecycleConfiguration.Rules.{position}");
            let spans = [
                rule.expire_after,
                rule.expire_noncurrent_after,
                rule.abort_incomplete_uploads_after,
            ];
            let transitions = rule.transitions.iter().map(|transition| transition.after);
            for span in spans.into_iter().flatten().chain(transitions) {
                self.check_limit(id, &path, Some(span), source);
            }
            if spans == [None; 3] && rule.transitions.is_empty() {
                let message = "the rule does nothing: say what expires or moves, and when";
                self.report(id, Some(&path), message, source);
            }
            for transition in &rule.transitions {
                let (after, earliest) = (transition.after.get(), transition.class.earliest());
                if after < earliest {
                    let message = format!(
                        "objects move to {} after {after} days and S3 takes {earliest} at least",
                        transition.class.name()
                    );
                    self.report(id, Some(&path), message, source);
                }
                if rule
                    .expire_after
                    .is_some_and(|expiry| expiry <= transition.after)
                {
                    let message = "objects expire before they move to cheaper storage";
                    self.report(id, Some(&path), message, source);
                }
            }
        }
    }
}
