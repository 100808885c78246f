//! Marks: which template a stack has, as long as nobody updates it.
//!
//! A stack that was not updated since a deploy has the template that the deploy gave it, and CloudFormation tells with the
//! description of a stack when it was updated last. So a deploy leaves a mark beside the artifacts: an object whose content
//! follows from the stack, the time of its last update, its status and the template alone. The next deploy knows what the
//! mark would be if the stack were as it should be, and the list of all marks of a region tells whether it is there: S3
//! lists objects with the MD5 of their content as the `ETag`
//! (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html>). Neither mark nor template has to be read.
//!
//! An update by anybody else moves the time, and the mark does not fit any more. Where the bucket is encrypted with a key
//! of KMS, an `ETag` is something else: no mark would ever fit there. The first that is written shows it, which is written
//! down too; from then on there are no marks, and templates are compared.

use md5::{Digest as _, Md5};
use serde_json::{Value, json};
use sha2::Sha256;

use super::sorted;
use crate::{
    aws::{AwsError, Clients, object},
    engine::{
        Context, DeployedStack,
        stack::rfc3339,
        state_key::{About, NO_MARKS},
    },
    text::hex,
};

/// What marks a stack that is as it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::engine) struct Mark {
    content: String,
    etag: String,
}

impl Mark {
    /// Makes the mark of a stack as it is now, if it has this template; none, where the stack has no good status or
    /// nothing tells when it was updated.
    pub(in crate::engine) fn of(deployed: &DeployedStack, template: &Value) -> Option<Self> {
        let state = state(deployed)?;
        let template = Sha256::digest(sorted(template).to_string());
        let content = json!({
            "state": state,
            "template": hex(&template),
        })
        .to_string();
        let etag = hex(&Md5::digest(&content));
        Some(Self { content, etag })
    }

    #[cfg(test)]
    pub(in crate::engine) fn etag(&self) -> &str {
        &self.etag
    }

    /// Returns whether an object with this `ETag` is this mark.
    pub(in crate::engine) fn is(&self, etag: &str) -> bool {
        etag.trim_matches('"') == self.etag
    }

    /// Writes the mark over the one that was listed with this `ETag`; where none was listed, only if there is none.
    ///
    /// The condition keeps a call that is repeated, because its answer was lost, from leaving one version too many. Whoever
    /// wrote meanwhile wrote a mark too.
    pub(in crate::engine) async fn write(
        self,
        context: &Context,
        bucket: &str,
        stack: &str,
        before: Option<&str>,
    ) -> Result<(), AwsError> {
        let clients = &context.clients;
        let etag = put(
            clients,
            bucket,
            &About::Mark.key(stack),
            self.content,
            before,
        )
        .await?;
        if etag.is_some_and(|etag| etag.trim_matches('"') != self.etag) {
            let body = json!({"reason": "the ETag of an object is not the MD5 of its content"});
            put(clients, bucket, NO_MARKS, body.to_string(), None).await?;
        }
        Ok(())
    }
}

/// Writes an object over the one with this `ETag`, or where there is none. Returns the new `ETag`; none, where somebody else
/// was first.
async fn put(
    clients: &Clients,
    bucket: &str,
    key: &str,
    content: String,
    before: Option<&str>,
) -> Result<Option<String>, AwsError> {
    let written = object::write_over(clients, bucket, key, content.into_bytes(), before).await;
    match written {
        Err(error) if is_overtaken(&error) => Ok(None),
        written => written,
    }
}

/// Returns whether an object says that there are no marks in its bucket.
pub(in crate::engine) fn says_none(key: &str) -> bool {
    key == NO_MARKS
}

/// Returns whether somebody else wrote or removed an object since it was looked at; see
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>.
pub(in crate::engine) fn is_overtaken(error: &AwsError) -> bool {
    matches!(
        error.code(),
        Some("PreconditionFailed" | "ConditionalRequestConflict" | "NoSuchKey")
    )
}

/// Says in which state a stack is: a text that changes whenever anybody creates or updates the stack. None, where its last
/// operation did not end well.
pub(super) fn state(deployed: &DeployedStack) -> Option<String> {
    any_state(deployed).filter(|_| deployed.status.is_good())
}

/// The same, however its last operation ended.
pub(in crate::engine) fn any_state(deployed: &DeployedStack) -> Option<String> {
    let changed = deployed.changed?;
    Some(format!(
        "{} {} {}",
        deployed.id,
        deployed.status,
        rfc3339(changed)
    ))
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;
    use crate::engine::tests::described;

    #[test]
    fn a_mark_fits_one_state_of_one_stack_with_one_template() {
        let template = json!({"Resources": {"A": {"Type": "T"}, "B": {"Type": "U"}}});
        let stack = described("UPDATE_COMPLETE");
        let mark = Mark::of(&stack, &template).expect("the status is good");
        let again = Mark::of(&stack, &template).expect("the status is good");
        assert!(mark.is(&format!("\"{}\"", again.etag)));
        let other = json!({"Resources": {"A": {"Type": "T"}}});
        let mut changed = vec![(stack.clone(), other)];
        let mut later = stack.clone();
        later.changed = Some(SystemTime::UNIX_EPOCH + Duration::from_millis(1));
        changed.push((later, template.clone()));
        let mut anew = stack.clone();
        anew.id = "another".to_owned();
        changed.push((anew, template.clone()));
        changed.push((described("IMPORT_COMPLETE"), template.clone()));
        for (stack, template) in changed {
            let other = Mark::of(&stack, &template).expect("the status is good");
            assert!(!mark.is(&other.etag), "{stack:?}");
        }
        let rolled_back = described("UPDATE_ROLLBACK_COMPLETE");
        assert_eq!(Mark::of(&rolled_back, &template), None);
        assert_ne!(any_state(&rolled_back), any_state(&stack));
        assert_eq!(mark.content.lines().count(), 1);
    }

    #[test]
    fn the_etag_is_that_of_s3() {
        let mark = Mark {
            content: String::new(),
            etag: hex(&Md5::digest("abc")),
        };
        // RFC 1321, A.5.
        assert!(mark.is("\"900150983cd24fb0d6963f7d28e17f72\""));
    }
}
