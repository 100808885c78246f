//! Which state of the source is deployed.

use std::path::Path;
use std::process::Stdio;

use tokio::process::Command;

use crate::engine::Revision;

/// Asks git for the commit of the workspace and whether files differ from it. Outside of a repository, and without git,
/// there is nothing to tell.
pub(super) async fn of(root: &Path) -> Revision {
    let Some(commit) = git(root, &["rev-parse", "--verify", "--quiet", "HEAD"]).await else {
        return Revision::default();
    };
    let status = git(root, &["status", "--porcelain", "--", "."]).await;
    Revision {
        commit: Some(commit.trim().to_owned()),
        // What cannot be known is not called clean.
        dirty: status.is_none_or(|status| !status.trim().is_empty()),
    }
}

async fn git(root: &Path, arguments: &[&str]) -> Option<String> {
    let output = Command::new("git")
        .arg("-C")
        .arg(root)
        .args(arguments)
        // A look must not write to the repository, as `git status` does by itself.
        .env("GIT_OPTIONAL_LOCKS", "0")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    output.status.success().then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn run(root: &Path, arguments: &[&str]) {
        let set = ["-c", "user.name=a", "-c", "user.email=a@example.com"];
        let arguments = [&set[..], arguments].concat();
        assert!(git(root, &arguments).await.is_some(), "{arguments:?}");
    }

    #[tokio::test]
    async fn the_commit_and_whether_files_differ_are_known() {
        let root = tempfile::tempdir().expect("a directory can be made");
        let root = root.path();
        // A directory inside of no repository, wherever tests run.
        assert_eq!(of(&root.join("absent")).await, Revision::default());
        run(root, &["init", "--quiet"]).await;
        assert_eq!(of(root).await, Revision::default(), "there is no commit");
        std::fs::write(root.join("a"), "1").expect("writes");
        run(root, &["add", "a"]).await;
        run(root, &["commit", "--quiet", "--no-gpg-sign", "-m", "one"]).await;
        let clean = of(root).await;
        assert_eq!(clean.commit.as_ref().map(String::len), Some(40));
        assert!(!clean.dirty);
        std::fs::write(root.join("b"), "2").expect("writes");
        assert!(of(root).await.dirty);
    }
}
