//! Whose an operation is: ours, if an earlier run of the same caller began it, or somebody else's, who is named.
//!
//! CloudFormation writes the token of an operation on each of its events and lets one operation run on a stack at a
//! time, so nothing else has to be locked or cleaned up: the token of every change set and operation of ours ends with
//! the caller, and whoever finds the stack busy reads from the newest event who is at work. Tokens take letters, digits
//! and dashes alone (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html>), so
//! that anything else is written as a dash and a letter.

use super::{change_set::PREFIX, origin::Origin};
use crate::aws::Identity;

/// What a token cannot hold, or has no room for in full, and the letter that stands for it after a dash.
const ESCAPES: [(&str, char); 12] = [
    ("assumed-role/", 'r'),
    ("user/", 'k'),
    (CUT, 'm'),
    ("-", '-'),
    ("/", 's'),
    (".", 'd'),
    ("_", 'u'),
    ("@", 'a'),
    ("+", 'p'),
    ("=", 'e'),
    (",", 'c'),
    (":", 'o'),
];

/// Stands for characters that no identity has.
const OTHER: char = 'x';

/// Stands for what was left out.
const CUT: &str = "…";

/// What the console begins its tokens with
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackEvent.html>).
const CONSOLE: &str = "Console-";

/// What names of sessions begin with that nobody chose: the SDKs and CodeBuild make a new one for each run. `-` and
/// something else follow.
const MADE: [&str; 5] = [
    "AWSCodeBuild",
    "assume-role-from-profile",
    "assume-role-provider",
    "botocore-session",
    "web-identity-token",
];

/// Returns the part of an ARN that names the caller, and is the same for each of its runs.
pub(super) fn principal(arn: &str) -> &str {
    let principal = arn.splitn(6, ':').nth(5).unwrap_or_default();
    let Some((role, session)) = principal.rsplit_once('/') else {
        return principal;
    };
    let made = MADE.iter().find(|made| {
        let rest = session.strip_prefix(**made);
        role.starts_with("assumed-role/") && rest.is_some_and(|rest| rest.starts_with('-'))
    });
    made.map_or(principal, |made| &principal[..role.len() + 1 + made.len()])
}

/// Writes a caller for a token. Where the room does not suffice, the middle is left out: the end is the name of the
/// session, which tells most.
pub(super) fn write(principal: &str, room: usize) -> String {
    let whole = escaped(principal);
    if whole.len() <= room {
        return whole;
    }
    let (mut head, mut tail) = principal.rsplit_once('/').unwrap_or((principal, ""));
    loop {
        let cut = escaped(&format!("{head}{CUT}{tail}"));
        if cut.len() <= room {
            return cut;
        }
        if let Some((last, _)) = head.char_indices().next_back() {
            head = &head[..last];
        } else if let Some(first) = tail.chars().next() {
            tail = &tail[first.len_utf8()..];
        } else {
            return String::new();
        }
    }
}

/// Reads what [`write`] wrote.
pub(super) fn read(written: &str) -> String {
    let mut principal = String::new();
    let mut characters = written.chars();
    while let Some(character) = characters.next() {
        if character != '-' {
            principal.push(character);
            continue;
        }
        let escape = characters.next();
        let plain = ESCAPES.iter().find(|(_, found)| Some(*found) == escape);
        principal.push_str(plain.map_or("?", |(plain, _)| plain));
    }
    principal
}

/// Returns whether an operation with this token was begun by a run of ours as the same caller: an earlier run, then,
/// that somebody stopped or that another terminal shows. A token without a caller is an older version's.
pub(super) fn is_ours(token: &str, caller: &Identity) -> bool {
    let origin = Origin::read(Some(token));
    let me = principal(&caller.arn);
    origin.ours
        && origin.by.is_none_or(|by| match by.split_once(CUT) {
            Some((head, tail)) => me.starts_with(head) && me.ends_with(tail),
            None => by == me,
        })
}

/// Says who began an operation: the ARN of the caller, where a run of ours did, and what else is known otherwise.
pub(super) fn name(token: Option<&str>, caller: &Identity) -> String {
    let Some(token) = token else {
        return "somebody who left no token".to_owned();
    };
    if token.starts_with(CONSOLE) {
        return "somebody in the console".to_owned();
    }
    if !token.starts_with(PREFIX) {
        return format!("somebody with the token {token}");
    }
    let Some(principal) = Origin::read(Some(token)).by else {
        return "stackctl, as a caller who is not known".to_owned();
    };
    // The account is that of the stack, and so is the partition.
    let partition = caller.arn.split(':').nth(1).unwrap_or("aws");
    let service = match principal.split('/').next() {
        Some("assumed-role" | "federated-user") => "sts",
        _ => "iam",
    };
    format!("arn:{partition}:{service}::{}:{principal}", caller.account)
}

fn escaped(text: &str) -> String {
    let mut written = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let mut taken = first.len_utf8();
        let escape = ESCAPES.iter().find(|(plain, _)| rest.starts_with(plain));
        if let Some((plain, letter)) = escape {
            written.extend(['-', *letter]);
            taken = plain.len();
        } else if first.is_ascii_alphanumeric() {
            written.push(first);
        } else {
            written.extend(['-', OTHER]);
        }
        rest = &rest[taken..];
    }
    written
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Revision, origin::sign};

    const ATTEMPT: &str = "stackctl-0123456789abcdef0123";

    fn caller(arn: &str) -> Identity {
        Identity {
            account: "123456789012".into(),
            arn: arn.into(),
        }
    }

    fn token(arn: &str, revision: &Revision) -> String {
        sign(ATTEMPT.to_owned(), revision, arn)
    }

    #[test]
    fn a_token_tells_who_began() {
        for arn in [
            "arn:aws:iam::123456789012:user/dev",
            "arn:aws:iam::123456789012:root",
            "arn:aws:iam::123456789012:user/team/a.b_c-d",
            "arn:aws:sts::123456789012:federated-user/bob",
            "arn:aws-cn:sts::123456789012:assumed-role/Admin_0a1b/user/alice@example.com",
        ] {
            let caller = caller(arn);
            let token = token(arn, &Revision::default());
            assert_eq!(name(Some(&token), &caller), arn);
            assert!(is_ours(&token, &caller));
            let other = self::caller("arn:aws:iam::123456789012:user/eve");
            assert!(!is_ours(&token, &other));
        }
    }

    #[test]
    fn sessions_that_nobody_named_are_one_caller() {
        let arn =
            |session: &str| format!("arn:aws:sts::123456789012:assumed-role/Deploy/{session}");
        for [one, other] in [
            ["AWSCodeBuild-0b1c", "AWSCodeBuild-9f8e"],
            [
                "assume-role-from-profile-1763",
                "assume-role-from-profile-1764",
            ],
        ] {
            let token = token(&arn(one), &Revision::default());
            assert!(is_ours(&token, &caller(&arn(other))), "{token}");
            let elsewhere = arn(other).replace("Deploy", "Admin");
            assert!(!is_ours(&token, &caller(&elsewhere)), "{token}");
        }
        let token = token(&arn("alice-1"), &Revision::default());
        assert!(!is_ours(&token, &caller(&arn("alice-2"))), "{token}");
    }

    #[test]
    fn a_long_name_loses_its_middle_and_is_still_recognised() {
        let arn = |session: &str| {
            format!(
                "arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_AdministratorAccess_{}/{session}",
                "0".repeat(16)
            )
        };
        let dirty = Revision {
            commit: Some("0".repeat(40)),
            dirty: true,
        };
        let token = token(&arn("alice@example.com"), &dirty);
        assert!(token.len() <= 128, "{token}");
        let me = caller(&arn("alice@example.com"));
        assert!(is_ours(&token, &me));
        assert!(!is_ours(&token, &caller(&arn("bob@example.com"))));
        let name = name(Some(&token), &me);
        assert!(
            name.starts_with("arn:aws:sts::123456789012:assumed-role/AWSReserved")
                && name.ends_with("…alice@example.com"),
            "{name}"
        );
    }

    #[test]
    fn operations_of_others_are_named_as_far_as_they_are_known() {
        let me = caller("arn:aws:iam::123456789012:user/dev");
        let rows = [
            (None, "somebody who left no token", false),
            (
                Some("Console-UpdateStack-7f59c3cf"),
                "somebody in the console",
                false,
            ),
            (
                Some("terraform-1"),
                "somebody with the token terraform-1",
                false,
            ),
            (
                Some("stackctl-0123"),
                "stackctl, as a caller who is not known",
                true,
            ),
        ];
        for (token, expected, ours) in rows {
            assert_eq!(name(token, &me), expected);
            assert_eq!(token.is_some_and(|token| is_ours(token, &me)), ours);
        }
    }
}
