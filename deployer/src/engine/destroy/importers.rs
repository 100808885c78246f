//! Who imports what a stack exports: while anybody does, CloudFormation deletes neither.

use std::collections::{BTreeMap, BTreeSet};

use stack_model::assembly::StackManifest;

use crate::aws::{AwsError, Clients, Fault, OrAws, texts};
use crate::engine::{
    Context, DeployedStack, StackError,
    stack::{aws, check_cancelled},
};
use crate::text::{agreeing, series};

/// The stacks that import from a stack, by the name of the export.
pub(in crate::engine) type Importers = BTreeMap<String, Vec<String>>;

/// Refuses the removal of a stack that others import from.
///
/// CloudFormation refuses it too, but only after the buckets are empty and the protection is gone.
pub(super) async fn check(
    context: &Context,
    stack: &StackManifest,
    deployed: &DeployedStack,
) -> Result<(), StackError> {
    check_cancelled(context, stack)?;
    let importers = match of(&context.clients, deployed).await {
        // That was said before the first stack was touched.
        Err(error) if matches!(error.fault(), Fault::Denied { .. }) => return Ok(()),
        found => found.map_err(|source| aws(stack, source))?,
    };
    if importers.is_empty() {
        return Ok(());
    }
    Err(StackError::InUse {
        stack: stack.name.clone(),
        reason: format!("{}; the stack is as it was", text(&importers)),
        hints: vec![hint(&importers)],
    })
}

/// Returns who imports what a stack exports.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListImports.html>.
pub(super) async fn of(clients: &Clients, deployed: &DeployedStack) -> Result<Importers, AwsError> {
    let mut found = Importers::new();
    for export in deployed.exports.values() {
        let importers = of_export(clients, export).await?;
        if !importers.is_empty() {
            found.insert(export.clone(), importers);
        }
    }
    Ok(found)
}

/// Returns the stacks that import an export.
pub(in crate::engine) async fn of_export(
    clients: &Clients,
    export: &str,
) -> Result<Vec<String>, AwsError> {
    let mut importers = Vec::new();
    let mut next = None;
    loop {
        let page = clients
            .cloudformation
            .list_imports()
            .export_name(export)
            .set_next_token(next)
            .send()
            .await
            .or_aws(clients, "ListImports");
        let page = match page {
            Err(error) if error.message().is_some_and(texts::says_not_imported) => {
                return Ok(importers);
            }
            page => page?,
        };
        importers.extend(page.imports.unwrap_or_default());
        next = page.next_token;
        if next.is_none() {
            return Ok(importers);
        }
    }
}

/// Takes out the importers that go as well, and returns them.
pub(super) fn take_going(importers: &mut Importers, going: &BTreeSet<&str>) -> BTreeSet<String> {
    let mut taken = BTreeSet::new();
    for stacks in importers.values_mut() {
        let goes = |stack: &String| going.contains(stack.as_str());
        taken.extend(stacks.iter().filter(|stack| goes(stack)).cloned());
        stacks.retain(|stack| !goes(stack));
    }
    importers.retain(|_, stacks| !stacks.is_empty());
    taken
}

/// Says who imports what.
pub(super) fn text(importers: &Importers) -> String {
    let lines = importers.iter().map(|(export, stacks)| {
        let import = agreeing(stacks, "imports", "import");
        format!("{} {import} its export {export}", series(stacks))
    });
    lines.collect::<Vec<_>>().join("; ")
}

/// Says what leads on.
pub(super) fn hint(importers: &Importers) -> String {
    let stacks: BTreeSet<&str> = importers.values().flatten().map(String::as_str).collect();
    let stacks = series(&Vec::from_iter(stacks));
    format!("destroy {stacks} first, or deploy what no longer imports it")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_agree_with_who_imports() {
        let of = |stacks: &[&str]| {
            let stacks = stacks.iter().map(|it| (*it).to_owned()).collect();
            Importers::from([("data-dev-Orders".to_owned(), stacks)])
        };
        let one = of(&["web-dev"]);
        let two = of(&["web-dev", "work-dev"]);
        assert_eq!(text(&one), "web-dev imports its export data-dev-Orders");
        assert_eq!(
            text(&two),
            "web-dev and work-dev import its export data-dev-Orders"
        );
        assert_eq!(
            hint(&two),
            "destroy web-dev and work-dev first, or deploy what no longer imports it"
        );
    }
}
