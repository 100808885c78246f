//! The command line as a user meets it: the real binary in small workspaces of its own.
//!
//! Every workspace has no dependencies and a target directory of its own, so that a test takes a second and needs no
//! network. Nothing here talks to AWS or to an engine.

#![expect(
    clippy::needless_raw_string_hashes,
    reason = "snapbox writes snapshots with them"
)]

mod cli {
    mod apart;
    mod approval;
    mod build;
    mod cloudformation;
    mod configuration;
    mod crash;
    mod diff;
    mod drift;
    mod errors;
    mod graph;
    mod help;
    mod impossible;
    mod interrupt;
    mod lock;
    mod options;
    mod orphans;
    mod regions;
    mod revert;
    mod rollback;
    mod synth;
    mod workspace;
}

use std::collections::BTreeSet;
use std::path::Path;

/// A case in a file that no `mod` names would never run.
#[test]
fn no_file_is_forgotten() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let text = std::fs::read_to_string(directory.join("main.rs")).expect("is this file");
    let declared: BTreeSet<&str> = text
        .lines()
        .filter_map(|line| line.trim().strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    for folder in [directory.clone(), directory.join("cli")] {
        for file in std::fs::read_dir(&folder).expect("lists").flatten() {
            let name = file.file_name().into_string().expect("is text");
            if let Some(name) = name.strip_suffix(".rs")
                && name != "main"
            {
                assert!(
                    declared.contains(name),
                    "{}/{name}.rs is never run",
                    folder.display()
                );
            }
        }
    }
}
