//! What a plan changes, as a graph.

use std::collections::BTreeMap;

use stack_graph::{Change, Changed, Danger, Graph, Place, Template};

use super::{Action, Grade, Plan, ResourceChange};

/// Returns the graph of what is deployed and of what would be, in one. `wanted` are the templates of the stacks.
pub fn picture(plan: &Plan, wanted: &[Template<'_>]) -> Graph {
    let before: Vec<Template<'_>> = plan
        .stacks
        .iter()
        .filter_map(|stack| {
            Some(Template {
                stack: &stack.stack,
                json: stack.before.as_ref()?,
            })
        })
        .collect();
    let mut changes = BTreeMap::new();
    for stack in &plan.stacks {
        for change in &stack.changes {
            let place = Place {
                stack: stack.stack.clone(),
                logical_id: change.logical_id.clone(),
            };
            changes.insert(place, changed(change));
        }
    }
    Graph::compared(&before, wanted, &changes)
}

fn changed(change: &ResourceChange) -> Changed<'_> {
    Changed {
        resource_type: &change.resource_type,
        change: match change.action {
            Action::Create => Change::New,
            Action::Update => Change::Changed,
            Action::Replace => Change::Replaced,
            Action::Delete => Change::Removed,
            Action::Import => Change::Imported,
            Action::Retain => Change::Kept,
        },
        danger: danger(change.grade),
        values: change
            .properties
            .iter()
            .map(|property| (property.before.as_ref(), property.after.as_ref()))
            .collect(),
    }
}

const fn danger(grade: Grade) -> Option<Danger> {
    match grade {
        Grade::None | Grade::UpdateInPlace => None,
        Grade::Interruption => Some(Danger::Interruption),
        Grade::Replacement => Some(Danger::Replacement),
        Grade::PermissionWidened => Some(Danger::PermissionWidened),
        Grade::ExposureWidened => Some(Danger::ExposureWidened),
        Grade::DataLoss => Some(Danger::DataLoss),
        Grade::Impossible => Some(Danger::Impossible),
    }
}
