//! What destroys left in the account, as long as the workspace remembers it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use super::lock;
use crate::config::Project;
use crate::engine::{DestroyReport, Retained, Survivor};
use crate::error::{Error, Kind, Result};
use crate::ui::Ui;

/// What every stack left, by its name.
type Ledger = BTreeMap<String, Vec<serde_json::Value>>;

/// Enters what the stacks of a report retained. Returns the file, where there is anything to enter.
pub(super) fn keep(
    project: &Project,
    stage: &str,
    report: &DestroyReport,
) -> Result<Option<PathBuf>> {
    let kept: BTreeMap<&str, &[Retained]> = report
        .stacks
        .iter()
        .filter(|stack| !stack.left.ledger.is_empty())
        .map(|stack| (stack.stack.as_str(), stack.left.ledger.as_slice()))
        .collect();
    if kept.is_empty() {
        return Ok(None);
    }
    let directory = project.state_dir.join("retained");
    let file = directory.join(format!("{stage}.json"));
    enter(&directory, &file, &kept).map_err(|error| {
        Error::new(Kind::Io, format!("cannot write {}", file.display())).caused_by(&error)
    })?;
    Ok(Some(file))
}

/// Adds to the file. A stack that is removed for the second time may have left something each time.
fn enter(directory: &Path, file: &Path, kept: &BTreeMap<&str, &[Retained]>) -> io::Result<()> {
    lock::make_private(directory)?;
    // One that cannot be read is no ledger of ours: it is begun anew.
    let mut ledger: Ledger = fs::read(file)
        .ok()
        .and_then(|bytes| serde_json::from_slice(&bytes).ok())
        .unwrap_or_default();
    for (stack, resources) in kept {
        let entries = ledger.entry((*stack).to_owned()).or_default();
        for resource in *resources {
            let entry = serde_json::to_value(resource)?;
            if !entries.contains(&entry) {
                entries.push(entry);
            }
        }
    }
    // Temporary files are private, and so is what becomes of this one.
    let mut sibling = tempfile::NamedTempFile::new_in(directory)?;
    serde_json::to_writer_pretty(&mut sibling, &ledger)?;
    sibling.write_all(b"\n")?;
    sibling.persist(file)?;
    Ok(())
}

/// Tells what is left, and what can be done about it.
pub(super) fn show(ui: &Ui, report: &DestroyReport, survivors: &[Survivor], file: Option<&Path>) {
    for stack in &report.stacks {
        for Retained {
            logical_id,
            physical_id,
            remove,
            adopt,
            ..
        } in &stack.left.ledger
        {
            ui.warn(format!(
                "{}/{logical_id} is retained and still exists: {physical_id}",
                stack.stack
            ));
            for command in remove {
                ui.line(format!("  to remove it: {command}"));
            }
            if let Some(adopt) = adopt.as_ref().filter(|_| ui.verbose() > 0) {
                ui.line(format!("  to take it back: {adopt}"));
            }
        }
    }
    if let Some(file) = file {
        ui.line(format!(
            "  written down in {}, with the commands that take it back",
            file.display()
        ));
    }
    for Survivor { stack, arn } in survivors {
        ui.warn(format!(
            "{stack} is gone, and {arn} still carries its tags: the index of tags may lag, or it is left"
        ));
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn retained(physical_id: &str) -> Retained {
        Retained {
            logical_id: "Orders".to_owned(),
            resource_type: "AWS::DynamoDB::Table".to_owned(),
            physical_id: physical_id.to_owned(),
            remove: vec![format!(
                "aws dynamodb delete-table --table-name {physical_id}"
            )],
            adopt: None,
        }
    }

    #[test]
    fn what_was_left_before_stays_written_down_and_nobody_else_reads_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let (kept, file) = (directory.path().join("retained"), "prod.json");
        let file = kept.join(file);
        for physical_id in ["orders-1", "orders-2", "orders-2"] {
            let resources = [retained(physical_id)];
            let stacks = BTreeMap::from([("orders-prod", resources.as_slice())]);
            enter(&kept, &file, &stacks).expect("it can be written");
        }
        let text = fs::read(&file).expect("is there");
        let ledger: Ledger = serde_json::from_slice(&text).expect("is JSON");
        let ids: Vec<_> = ledger["orders-prod"]
            .iter()
            .map(|entry| entry["physical_id"].as_str().unwrap_or_default())
            .collect();
        assert_eq!(ids, ["orders-1", "orders-2"]);
        let mode = |path: &Path| {
            let file = fs::metadata(path).expect("is there");
            file.permissions().mode() & 0o777
        };
        assert_eq!((mode(&kept), mode(&file)), (0o700, 0o600));
    }
}
