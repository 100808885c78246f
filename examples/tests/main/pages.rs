//! The pages of the guide, and what this workspace reads in Markdown.

use std::path::{Path, PathBuf};

/// A page of the guide or a README.
pub(crate) struct Page {
    /// The path within the workspace, such as `docs/model.md`.
    pub(crate) path: PathBuf,
    text: String,
}

/// A piece of code on a page.
pub(crate) struct Block {
    /// The number of the line with which it begins, from 1.
    pub(crate) line: usize,
    /// What stands behind the opening fence, such as `rust`.
    pub(crate) info: String,
    pub(crate) lines: Vec<String>,
}

/// Returns the folder of the workspace.
pub(crate) fn workspace() -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    package.parent().expect("a workspace").to_owned()
}

/// Reads the pages of the guide, and the READMEs that lead to it.
pub(crate) fn pages() -> Vec<Page> {
    let workspace = workspace();
    let mut paths = Vec::new();
    files_below(&workspace.join("docs"), "md", &mut paths);
    paths.extend(["README.md", "examples/README.md"].map(|name| workspace.join(name)));
    paths.sort();
    paths
        .into_iter()
        .map(|path| Page {
            text: std::fs::read_to_string(&path).expect("a page is text"),
            path: path
                .strip_prefix(&workspace)
                .expect("a page of the workspace")
                .to_owned(),
        })
        .collect()
}

/// Collects the files below a folder that have an extension, leaving out what is built.
pub(crate) fn files_below(folder: &Path, extension: &str, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("it can be listed").path();
        if path.is_dir() {
            if !path.ends_with("target") {
                files_below(&path, extension, found);
            }
        } else if path.extension().is_some_and(|found| found == extension) {
            found.push(path);
        }
    }
}

impl Page {
    /// Returns the fenced pieces of code.
    pub(crate) fn blocks(&self) -> Vec<Block> {
        let mut blocks = Vec::new();
        let mut open: Option<Block> = None;
        for (position, line) in self.text.lines().enumerate() {
            match (line.strip_prefix("```"), open.take()) {
                (Some(info), None) => {
                    open = Some(Block {
                        line: position + 1,
                        info: info.to_owned(),
                        lines: Vec::new(),
                    });
                }
                (Some(_), Some(block)) => blocks.push(block),
                (None, Some(mut block)) => {
                    block.lines.push(line.to_owned());
                    open = Some(block);
                }
                (None, None) => {}
            }
        }
        assert!(
            open.is_none(),
            "{}: a fence is not closed",
            self.path.display()
        );
        blocks
    }

    /// Returns the lines that are no code, with their numbers.
    fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let mut fenced = false;
        self.text.lines().enumerate().filter_map(move |(at, line)| {
            if line.starts_with("```") {
                fenced = !fenced;
                return None;
            }
            (!fenced && !line.starts_with("    ")).then_some((at + 1, line))
        })
    }

    /// Returns where the links and pictures lead, with the numbers of their lines.
    pub(crate) fn targets(&self) -> Vec<(usize, String)> {
        let mut targets = Vec::new();
        for (number, line) in self.prose() {
            // What stands between backticks is no link.
            let text: String = line.split('`').step_by(2).collect::<Vec<_>>().join("x");
            for piece in text.split("](").skip(1) {
                let target = piece.split(')').next().unwrap_or_default();
                targets.push((number, target.to_owned()));
            }
        }
        targets
    }

    /// Returns the anchors of the headings, as code hosts and mdBook form them.
    pub(crate) fn anchors(&self) -> Vec<String> {
        self.prose()
            .filter(|(_, line)| line.starts_with('#'))
            .map(|(_, line)| {
                let heading = line.trim_start_matches('#').trim().to_lowercase();
                heading
                    .chars()
                    .filter(|char| char.is_alphanumeric() || " -_".contains(*char))
                    .map(|char| if char == ' ' { '-' } else { char })
                    .collect()
            })
            .collect()
    }
}
