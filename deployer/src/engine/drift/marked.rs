//! What changing drift back does to the mark of a stack that was found to do what it should.
//!
//! The mark fits as long as nobody updates the stack, and changing drift back is an update. What was found good is there
//! again afterwards, so the mark is made to fit again, but where an alias goes back to the version that was deployed: somebody
//! led it away from that, and nobody looked at it since. The tags, whose stack it is among them, stay as they are: a change
//! set that says nothing of tags leaves them alone.

use std::time::SystemTime;

use serde_json::Value;

use super::inspect::{self, present};
use crate::aws::{AwsError, OrAws};
use crate::engine::{
    Context, DeployedStack, Event, bootstrap, change_set::Change, release::mark::Mark,
    state_key::About,
};

/// The mark of a stack that nobody updated since it was found to do what it should.
pub(super) struct Marked {
    bucket: String,
    template: Value,
    etag: String,
}

/// Reads the mark of a stack; none, where none fits. Whoever may not read it is no worse off than without one.
pub(super) async fn of(context: &Context, deployed: &DeployedStack) -> Option<Marked> {
    read(context, deployed).await.ok().flatten()
}

async fn read(context: &Context, deployed: &DeployedStack) -> Result<Option<Marked>, AwsError> {
    let clients = &context.clients;
    let Some(bucket) = bootstrap::existing(context).await? else {
        return Ok(None);
    };
    let template = inspect::template(clients, &deployed.id).await?;
    let template = template.and_then(|text| serde_json::from_str(&text).ok());
    let Some(template) = template else {
        return Ok(None);
    };
    let head = clients
        .s3
        .head_object()
        .bucket(&bucket)
        .key(About::Mark.key(deployed.name()))
        .expected_bucket_owner(&clients.identity().account)
        .send()
        .await
        .or_aws(clients, "HeadObject")?;
    let fits = |etag: &String| Mark::of(deployed, &template).is_some_and(|mark| mark.is(etag));
    Ok(present(head.e_tag).filter(fits).map(|etag| Marked {
        bucket,
        template,
        etag,
    }))
}

impl Marked {
    /// Makes the mark fit again once these changes were made and their update `ended`.
    pub(super) async fn keep(
        self,
        context: &Context,
        stack: &str,
        changes: &[Change],
        ended: Option<SystemTime>,
    ) {
        let aliases = changes
            .iter()
            .filter(|change| change.resource_type == "AWS::Lambda::Alias");
        let aliases: Vec<&str> = aliases.map(|change| change.logical_id.as_str()).collect();
        let message = if aliases.is_empty() {
            match self.write(context, stack, ended).await {
                Ok(()) => return,
                Err(error) => format!("the next deploy looks at all of it again: {error}"),
            }
        } else {
            format!(
                "{} went back to what was deployed, and nobody has looked at that since it was led away from there: the next \
                 deploy does",
                aliases.join(", ")
            )
        };
        context.emit(Event::Warning {
            stack: stack.to_owned(),
            message,
        });
    }

    async fn write(
        self,
        context: &Context,
        stack: &str,
        ended: Option<SystemTime>,
    ) -> Result<(), AwsError> {
        let deployed = inspect::describe(&context.clients, stack).await?;
        // What somebody made of the stack since is another template than the one that was found good.
        let is_of_others = |deployed: &DeployedStack| {
            ended
                .zip(deployed.changed)
                .is_some_and(|(ended, changed)| changed > ended)
        };
        let deployed = deployed.filter(|deployed| !is_of_others(deployed));
        let mark = deployed.and_then(|deployed| Mark::of(&deployed, &self.template));
        match mark {
            Some(mark) => {
                mark.write(context, &self.bucket, stack, Some(&self.etag))
                    .await
            }
            // Somebody is at it again.
            None => Ok(()),
        }
    }
}
