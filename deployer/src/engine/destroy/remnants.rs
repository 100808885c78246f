//! Stacks that are gone and whose removal did not come to its end: CloudFormation knows nothing of them any more, and no
//! source has their names.

use std::collections::{BTreeMap, BTreeSet};

use super::Memory;
use crate::engine::{
    Context, Found, Orphan, StackTarget, StatusReport, Territory, graph, hint, inspect, orphan,
};

/// Finds stacks of a stage that the source does not have, that are gone, and of which this machine still knows: those whose
/// removal began here, and those that were `seen` from here while they were deployed, wherever they were. Only those of a name
/// are meant, where one is given, in the region that stands after an `@`, or in every one.
///
/// Removing such a stack does what is left to do: its logs, what was published for it, and the notes of what it kept. Whatever
/// may be in a region that does not tell is not gone.
pub async fn remnants(
    context: &Context,
    territory: &Territory,
    memory: &Memory,
    seen: &BTreeSet<String>,
    named: Option<&str>,
) -> Found {
    let (only, all) = named.map_or_else(
        || (None, territory.regions.clone()),
        |named| {
            let (name, regions) = territory.of(named);
            (Some(name), regions)
        },
    );
    let end = format!("-{}", territory.stage);
    let is_meant = |stack: &str| stack.ends_with(&end) && only.is_none_or(|only| only == stack);
    let mut regions: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut begun: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (region, stack) in memory.begun(context) {
        let is_known = territory.known.contains(&(region.clone(), stack.clone()));
        if is_meant(&stack) && all.contains(&region) && !is_known {
            begun.entry(stack).or_default().insert(region);
        }
    }
    for stack in seen {
        let is_known = territory.known.iter().any(|(_, known)| known == stack);
        if is_meant(stack) && !is_known && !begun.contains_key(stack) {
            regions.insert(stack.clone(), all.clone());
        }
    }
    regions.extend(begun.clone());
    let looks = regions.iter().flat_map(|(stack, regions)| {
        regions.iter().map(move |region| {
            let clients = context.clients.in_region(Some(region));
            async move { (stack, region, inspect::describe(&clients, stack).await) }
        })
    });
    let mut absent: BTreeSet<(&String, &String)> = BTreeSet::new();
    let mut unseen = BTreeMap::new();
    for (stack, region, looked) in graph::abreast(context.concurrency, looks.collect()).await {
        match looked {
            Ok(Some(_)) => {}
            Ok(None) => {
                absent.insert((stack, region));
            }
            Err(error) => {
                unseen.insert(region.clone(), error);
            }
        }
    }
    let mut gone = Vec::new();
    for (stack, regions) in &regions {
        let is_absent = |region: &&String| absent.contains(&(stack, *region));
        if begun.contains_key(stack) {
            let regions = regions.iter().filter(is_absent);
            gone.extend(regions.map(|region| Orphan::gone(context, region, stack)));
        } else if regions.iter().all(|region| is_absent(&region)) {
            // Nobody knows in which of several it was.
            let region = match Vec::from_iter(regions).as_slice() {
                [region] => region.as_str(),
                _ => context.clients.region(),
            };
            gone.push(Orphan::gone(context, region, stack));
        }
    }
    orphan::found(context, territory, named.unwrap_or_default(), gone, unseen)
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
