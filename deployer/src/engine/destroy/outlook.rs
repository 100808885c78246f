//! What a removal takes along: data, what no template names, and what it makes useless of what stays.

use std::{collections::BTreeSet, fmt};

use stack_model::assembly::StackManifest;

use super::{contents::Contents, contents::LosesKey, ledger::Fate, traces};
use crate::{
    aws::{AwsError, Fault},
    engine::{Context, graph, inspect, plan::holds_data},
};

/// What whoever consents to a removal might overlook.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outlook {
    /// What holds data, and goes or stays.
    pub data: Vec<Data>,
    /// The log groups that services made by themselves and that go: stacks and names.
    pub log_groups: Vec<(String, String)>,
    /// What stays in the account and cannot be read any more.
    pub unreadable: Vec<Unreadable>,
    /// The stacks that are not deployed.
    pub absent: BTreeSet<String>,
}

/// A resource that holds data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Data {
    stack: String,
    logical_id: String,
    resource_type: String,
    physical_id: String,
    fate: Fate,
}

impl Data {
    /// Returns whether the data is lost, or may be: nobody knows what a template says that somebody else wrote.
    pub fn is_lost(&self) -> bool {
        self.fate != Fate::Kept
    }
}

impl fmt::Display for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            stack,
            logical_id,
            resource_type,
            physical_id,
            fate,
        } = self;
        let becomes = match fate {
            Fate::Deleted => "goes with all data in it",
            Fate::Kept => "stays, outside of any stack",
            Fate::Unknown => {
                "may go with all data in it: nobody knows what the template says of it"
            }
        };
        write!(
            f,
            "{stack}/{logical_id} ({resource_type}, {physical_id}) {becomes}"
        )
    }
}

/// A resource that stays, encrypted with a key that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    stack: String,
    lost: LosesKey,
}

impl fmt::Display for Unreadable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            stack,
            lost: LosesKey { logical_id, key },
        } = self;
        write!(
            f,
            "{stack}/{logical_id} stays, and nobody can read it once its key {stack}/{key} is gone: AWS deletes a key days \
             after that is asked for, and `aws kms cancel-key-deletion` stops it"
        )
    }
}

/// Looks at stacks that are about to be removed. What the caller may not look at is left out: the removal tells of it.
pub async fn outlook(
    context: &Context,
    stacks: &[StackManifest],
    retain: &BTreeSet<String>,
) -> Result<Outlook, AwsError> {
    let mut outlook = Outlook::default();
    let looks = stacks.iter().map(|stack| look(context, stack, retain));
    for looked in graph::abreast(context.concurrency, looks.collect()).await {
        let Outlook {
            data,
            log_groups,
            unreadable,
            absent,
        } = match looked {
            Err(error) if matches!(error.fault(), Fault::Denied { .. }) => continue,
            looked => looked?,
        };
        outlook.data.extend(data);
        outlook.log_groups.extend(log_groups);
        outlook.unreadable.extend(unreadable);
        outlook.absent.extend(absent);
    }
    Ok(outlook)
}

async fn look(
    context: &Context,
    stack: &StackManifest,
    retain: &BTreeSet<String>,
) -> Result<Outlook, AwsError> {
    let context = &context.in_region(stack.region.as_deref());
    let Some(deployed) = inspect::describe(&context.clients, &stack.name).await? else {
        return Ok(Outlook {
            absent: BTreeSet::from([stack.name.clone()]),
            ..Outlook::default()
        });
    };
    if deployed.status.is_review() {
        return Ok(Outlook::default());
    }
    let (contents, template) = Contents::read(context, &deployed, retain).await?;
    let lost = contents.losing_keys(&template).into_iter();
    let unreadable = lost.map(|lost| Unreadable {
        stack: stack.name.clone(),
        lost,
    });
    let data = contents.resources.iter();
    let data = data.filter(|resource| holds_data(&resource.deployed.resource_type));
    let data = data.map(|resource| Data {
        stack: stack.name.clone(),
        logical_id: resource.deployed.logical_id.clone(),
        resource_type: resource.deployed.resource_type.clone(),
        physical_id: resource.deployed.physical_id.clone(),
        fate: resource.fate,
    });
    let data = data.collect();
    let groups = traces::find(&context.clients, &stack.name, &contents).await?;
    let log_groups = groups.into_iter().map(|group| (stack.name.clone(), group));
    Ok(Outlook {
        data,
        log_groups: log_groups.collect(),
        unreadable: unreadable.collect(),
        absent: BTreeSet::new(),
    })
}
