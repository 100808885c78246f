//! Stacks that are gone and whose removal did not come to its end: CloudFormation knows nothing of them any more, and no
//! source has their names.

use std::collections::{BTreeMap, BTreeSet};

use super::Memory;
use crate::{
    aws::AwsError,
    engine::{Context, Orphan, StackTarget, StatusReport, Territory, graph, hint, inspect},
};

/// Finds stacks of a stage that the source does not have, that are gone, and of which this machine still knows: those whose
/// removal began here, and those that were `seen` from here while they were deployed, wherever they were.
///
/// Removing such a stack does what is left to do: its logs, what was published for it, and the notes of what it kept.
pub async fn remnants(
    context: &Context,
    territory: &Territory,
    memory: &Memory,
    seen: &BTreeSet<String>,
) -> Result<Vec<Orphan>, AwsError> {
    let end = format!("-{}", territory.stage);
    let mut regions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut begun: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (region, stack) in memory.begun(context) {
        let is_known = territory.known.contains(&(region.clone(), stack.clone()));
        if stack.ends_with(&end) && territory.regions.contains(&region) && !is_known {
            begun.entry(stack).or_default().insert(region);
        }
    }
    for stack in seen {
        let is_known = territory.known.iter().any(|(_, known)| known == stack);
        if stack.ends_with(&end) && !is_known && !begun.contains_key(stack) {
            regions.insert(stack.clone(), territory.regions.clone());
        }
    }
    regions.extend(begun.clone());
    let looks = regions.iter().flat_map(|(stack, regions)| {
        regions.iter().map(move |region| {
            let clients = context.clients.in_region(Some(region));
            async move { (stack, region, inspect::describe(&clients, stack).await) }
        })
    });
    let mut there: BTreeSet<(&String, &String)> = BTreeSet::new();
    for (stack, region, looked) in graph::abreast(context.concurrency, looks.collect()).await {
        match looked {
            Ok(Some(_)) => {
                there.insert((stack, region));
            }
            Err(error) if !territory.guessed.contains(region) => return Err(error),
            Ok(None) | Err(_) => {}
        }
    }
    let mut found = Vec::new();
    for (stack, regions) in &regions {
        match begun.get(stack) {
            Some(begun) => {
                let gone = begun
                    .iter()
                    .filter(|region| !there.contains(&(stack, region)));
                found.extend(gone.map(|region| Orphan::gone(context, region, stack)));
            }
            // Nobody knows in which of them it was.
            None if regions
                .iter()
                .all(|region| !there.contains(&(stack, region))) =>
            {
                let own = context.clients.region();
                found.push(Orphan::gone(context, own, stack));
            }
            None => {}
        }
    }
    Ok(found)
}

/// Returns the stacks of the source that are gone and whose removal did not come to its end, and gives their rows the command
/// that goes on with it.
pub fn unfinished(
    context: &Context,
    memory: &Memory,
    targets: &[StackTarget],
    report: &mut StatusReport,
) -> Vec<String> {
    let begun = memory.begun(context);
    let mut found = Vec::new();
    for (target, row) in targets.iter().zip(&mut report.stacks) {
        let region = target.region.as_deref();
        let region = region
            .unwrap_or_else(|| context.clients.region())
            .to_owned();
        if row.id.is_none() && begun.contains(&(region, target.name.clone())) {
            let command = format!("stackctl destroy {}", target.name);
            row.next = Some(hint::command(context, &command));
            found.push(target.name.clone());
        }
    }
    found
}
