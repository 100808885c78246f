//! Every link of the guide leads somewhere, on a code host and in the book.

use std::path::{Component, Path, PathBuf};

use crate::pages::{pages, workspace};

/// Resolves `..` in a path without looking at the disk.
fn resolve(path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                assert!(resolved.pop(), "{} leaves the workspace", path.display());
            }
            Component::CurDir => {}
            other => resolved.push(other),
        }
    }
    resolved
}

#[test]
fn every_link_leads_somewhere() {
    let workspace = workspace();
    let pages = pages();
    let mut wrong = Vec::new();
    for page in &pages {
        let folder = page.path.parent().expect("a page has a folder");
        for (line, target) in page.targets() {
            if target.contains("://") {
                continue;
            }
            let (file, anchor) = target.split_once('#').unwrap_or((&target, ""));
            let path = match file {
                "" => page.path.clone(),
                file => resolve(&folder.join(file)),
            };
            let mut say = |problem: &str| {
                wrong.push(format!(
                    "{}:{line}: {target}: {problem}",
                    page.path.display()
                ));
            };
            if !workspace.join(&path).exists() {
                say("there is no such file");
            }
            if page.path.starts_with("docs") && !path.starts_with("docs") {
                say("the book has the folder docs alone; name the file in backticks instead");
            }
            if !anchor.is_empty() {
                let found = pages
                    .iter()
                    .filter(|other| other.path == path)
                    .any(|other| other.anchors().iter().any(|heading| heading == anchor));
                if !found {
                    say("there is no such heading");
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_page_stands_in_the_contents_once() {
    let pages = pages();
    let summary = pages
        .iter()
        .find(|page| page.path == Path::new("docs/SUMMARY.md"))
        .expect("the book has contents");
    let mut listed: Vec<PathBuf> = summary
        .targets()
        .into_iter()
        .map(|(_, target)| Path::new("docs").join(target))
        .collect();
    listed.sort();
    let written: Vec<PathBuf> = pages
        .iter()
        .map(|page| page.path.clone())
        .filter(|path| path.starts_with("docs") && !path.ends_with("SUMMARY.md"))
        .collect();
    assert_eq!(listed, written);
}
