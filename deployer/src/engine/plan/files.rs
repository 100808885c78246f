//! What becomes of the files of a folder that fills a bucket, in words.

use super::{PropertyChange, path::Path};
use crate::text::{count, thousands};

impl Path {
    /// Returns the path of how many files of a folder are `added`, `changed` or `removed`.
    pub(super) fn files(folder: &str, what: &str) -> Self {
        Self::new("Content").key(folder).key(what)
    }
}

impl PropertyChange {
    /// Says what becomes of the files of a folder, where this counts them: `1,500 files added to Pages`.
    pub fn files(&self) -> Option<String> {
        let number = self.after.as_ref()?.as_u64()?;
        let path = self.path.to_string();
        let (folder, what) = path.strip_prefix("Content.")?.rsplit_once('.')?;
        let what = match what {
            "added" => "added to",
            "changed" => "changed in",
            "removed" => "removed from",
            _ => return None,
        };
        let files = match number {
            1 => count(1, "file"),
            _ => format!("{} files", thousands(number)),
        };
        Some(format!("{files} {what} {folder}"))
    }

    /// Says in short what changes besides resources: what becomes of files, and how much of anything else.
    pub fn besides(changes: &[&Self]) -> Vec<String> {
        let mut parts: Vec<String> = changes.iter().filter_map(|change| change.files()).collect();
        let others = changes.len() - parts.len();
        if others > 0 {
            parts.push(format!("{others} besides resources"));
        }
        parts
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn files_are_counted_in_words() {
        let change = |path, after| PropertyChange {
            path,
            before: None,
            after: Some(after),
        };
        let added = change(Path::files("Pages", "added"), json!(1500));
        let changed = change(Path::files("Pages", "changed"), json!(1));
        let removed = change(Path::files("Pages", "removed"), json!(2));
        // A folder that says where it comes from is no count.
        let prefix = change(Path::files("Pages", "prefix"), json!("v2/"));
        let output = change(Path::new("Outputs").key("added"), json!(3));
        assert_eq!(added.files().as_deref(), Some("1,500 files added to Pages"));
        assert_eq!(
            removed.files().as_deref(),
            Some("2 files removed from Pages")
        );
        assert_eq!(prefix.files(), None);
        assert_eq!(output.files(), None);
        assert_eq!(
            PropertyChange::besides(&[&added, &changed, &prefix, &output]),
            [
                "1,500 files added to Pages",
                "1 file changed in Pages",
                "2 besides resources"
            ]
        );
    }
}
