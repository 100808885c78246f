//! Who began an operation, and with what: told to CloudFormation in the operation's token, which all of its events
//! repeat for the 90 days that AWS keeps them.
//!
//! Tags would change every resource of the stack with each deploy, an object beside the artifacts would need a bucket and
//! somebody to remove it, and change sets go with the next one: the token costs nothing and is there for every stack.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{Context, change_set::PREFIX, owner};

/// The most characters that CloudFormation takes for a token and for the name of a change set.
const LONGEST: usize = 128;

/// The number of characters of a commit that are kept.
const COMMIT: usize = 12;

/// Stands before the version in the token of a step of a rename.
pub(super) const RENAMING: &str = "-rename";

/// Returns whether an operation with this token is a step of a rename, which no update shows by itself.
pub(super) fn is_renaming(token: &str) -> bool {
    let rest = token.strip_prefix(PREFIX);
    let parts = rest.and_then(|rest| rest.split_once("-v"));
    parts.is_some_and(|(attempt, _)| attempt.ends_with(RENAMING))
}

/// The state of the source that is deployed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Revision {
    /// The commit, where the source is in a repository that has one.
    pub commit: Option<String>,
    /// Whether files differ from the commit.
    pub dirty: bool,
}

/// Who began an operation, with what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Origin {
    /// Whether it was a run of stackctl.
    pub ours: bool,
    /// The version of stackctl.
    pub version: Option<String>,
    /// The commit, shortened.
    pub commit: Option<String>,
    /// Whether files differed from the commit, where one is known.
    pub dirty: Option<bool>,
    /// The caller: the last parts of the ARN, with `…` for what a token has no room for.
    pub by: Option<String>,
}

impl Origin {
    /// Returns what a run of ours would write into its tokens, in full.
    pub(super) fn of(context: &Context) -> Self {
        let Revision { commit, dirty } = &*context.revision;
        Self {
            ours: true,
            version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            commit: commit
                .as_deref()
                .and_then(|commit| commit.get(..COMMIT))
                .map(str::to_owned),
            dirty: commit.as_ref().map(|_| *dirty),
            by: Some(owner::principal(&context.clients.identity().arn).to_owned()),
        }
    }

    /// Reads the token of an operation. That of somebody else, and one of an older stackctl, tells nothing more.
    pub(crate) fn read(token: Option<&str>) -> Self {
        let Some(rest) = token.and_then(|token| token.strip_prefix(PREFIX)) else {
            return Self::default();
        };
        let mut origin = Self {
            ours: true,
            ..Self::default()
        };
        let Some((_, rest)) = rest.split_once("-v") else {
            return origin;
        };
        let (rest, by) = match rest.split_once("-by-") {
            Some((rest, by)) => (rest, Some(by.to_owned())),
            None => (rest, None),
        };
        let (version, commit) = match rest.split_once("-g") {
            Some((version, commit)) => (version, Some(commit)),
            None => (rest, None),
        };
        origin.by = by.filter(|by| !by.is_empty()).map(|by| owner::read(&by));
        origin.version = Some(version.replace('-', "."));
        if let Some(commit) = commit {
            let clean = commit.strip_suffix("-dirty");
            origin.dirty = Some(clean.is_some());
            origin.commit = Some(clean.unwrap_or(commit).to_owned());
        }
        origin
    }
}

/// Adds to the token of an operation who begins it, with what.
pub(super) fn sign(mut token: String, revision: &Revision, arn: &str) -> String {
    // Writing to a String cannot fail.
    let version = env!("CARGO_PKG_VERSION").replace(|c: char| !c.is_ascii_alphanumeric(), "-");
    let _ = write!(token, "-v{version}");
    let commit = revision.commit.as_deref().unwrap_or_default();
    if commit.len() >= COMMIT && commit.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        let _ = write!(token, "-g{}", &commit[..COMMIT]);
        if revision.dirty {
            token.push_str("-dirty");
        }
    }
    token.push_str("-by-");
    let room = LONGEST.saturating_sub(token.len());
    token.push_str(&owner::write(owner::principal(arn), room));
    token
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "stackctl-0123456789abcdef0123";

    fn signed(commit: Option<&str>, dirty: bool, arn: &str) -> String {
        let revision = Revision {
            commit: commit.map(str::to_owned),
            dirty,
        };
        sign(TOKEN.to_owned(), &revision, arn)
    }

    #[test]
    fn a_token_tells_who_began_with_what() {
        let token = signed(
            Some("0fe8a21b3c4d5e6f708192a3b4c5d6e7f8091a2b"),
            true,
            "arn:aws:sts::123456789012:assumed-role/Admin/alice@example.com",
        );
        assert_eq!(
            Origin::read(Some(&token)),
            Origin {
                ours: true,
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
                commit: Some("0fe8a21b3c4d".to_owned()),
                dirty: Some(true),
                by: Some("assumed-role/Admin/alice@example.com".to_owned()),
            }
        );
        let outside = signed(None, true, "arn:aws:iam::123456789012:user/path/alice");
        let origin = Origin::read(Some(&outside));
        assert_eq!((origin.commit, origin.dirty), (None, None));
        assert_eq!(origin.by.as_deref(), Some("user/path/alice"));
    }

    #[test]
    fn a_token_is_what_cloudformation_takes() {
        let long = format!("arn:aws:iam::1:user/{}", "ä/".repeat(100));
        for arn in ["", "arn:aws:iam::1:root", "no arn", &long] {
            let token = signed(Some(&"0".repeat(40)), true, arn);
            assert!(token.len() <= LONGEST, "{token}");
            assert!(
                token
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b == b'-'),
                "{token}"
            );
        }
    }

    #[test]
    fn other_tokens_tell_nothing() {
        assert_eq!(Origin::read(None), Origin::default());
        assert!(!Origin::read(Some("Console-ExecuteChangeSet-1")).ours);
        let older = Origin::read(Some(TOKEN));
        assert!(older.ours);
        assert_eq!(older.version, None);
    }
}
