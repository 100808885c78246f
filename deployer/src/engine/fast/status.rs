//! Which stacks were given something past CloudFormation.

use std::collections::BTreeMap;

use super::{Record, Records};
use crate::{
    aws::AwsError,
    engine::{Context, StackStatusReport, StackTarget, StatusReport, bootstrap},
};

/// Adds to a report what its stacks were given past CloudFormation, or why nobody knows. `stacks` are those that the report
/// is about, in its order.
pub async fn given_fast(context: &Context, stacks: &[StackTarget], report: &mut StatusReport) {
    let mut regions: BTreeMap<Option<&str>, Vec<&mut StackStatusReport>> = BTreeMap::new();
    for (target, stack) in stacks.iter().zip(&mut report.stacks) {
        if stack.id.is_some() {
            let region = target.region.as_deref();
            regions.entry(region).or_default().push(stack);
        }
    }
    let mut unknown = Vec::new();
    for (region, stacks) in regions {
        let own = context.in_region(region);
        if let Err(error) = of_region(&own, stacks).await {
            unknown.push(format!(
                "nobody knows what was changed with `deploy --fast` in {}: {error}",
                own.clients.region()
            ));
        }
    }
    report.unknown = unknown;
}

/// Reads what the artifact bucket of a region says of stacks; where there is none, nothing was given.
async fn of_region(context: &Context, stacks: Vec<&mut StackStatusReport>) -> Result<(), AwsError> {
    let Some(bucket) = bootstrap::existing(context).await? else {
        return Ok(());
    };
    let records = Records::list(context, &bucket).await?;
    for stack in stacks {
        if let (Some(id), true) = (&stack.id, records.has(&stack.stack)) {
            let record = Record::read(&context.clients, &bucket, &stack.stack, id).await?;
            stack.fast = record.given().cloned().collect();
        }
    }
    Ok(())
}
