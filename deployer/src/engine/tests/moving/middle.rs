//! What else knows of a stack in the middle of a rename by import: what looks at it, and what removes it.

use super::*;
use crate::engine::{DestroyReport, DestroyRequest, destroy, drift, explain, outputs, status};

/// Lets a run die after so many calls. Returns nothing where it came to its end.
async fn died_after(life: usize) -> Option<Shared> {
    let account = account();
    account.lock().expect("no holder panics").life = life;
    let ended = deploy(&play(&account).context, one(moved()), Answer::yes()).await;
    account.lock().expect("no holder panics").life = usize::MAX;
    ended.is_err().then_some(account)
}

/// Wherever a run died, whoever looks at the stack is told, and nobody sees what is there for the rename only.
#[tokio::test]
async fn whoever_looks_is_told() {
    let mut seen = BTreeSet::new();
    for life in 0.. {
        let Some(account) = died_after(life).await else {
            break;
        };
        let played = play(&account);
        let is_marked = account.lock().expect("no holder panics").template["Outputs"]
            .get("StackctlMoving")
            .is_some();
        let report = status(&played.context, &[target()]).await.expect("is read");
        let stack = &report.stacks[0];
        assert_eq!(stack.renaming.is_some(), is_marked, "after {life} calls");
        let found = outputs(&played.context, &[target()])
            .await
            .expect("is read");
        let keys: Vec<&String> = found[STACK].keys().collect();
        assert_eq!(keys, ["Url"], "after {life} calls");
        let drift = drift(&played.context, &target(), None)
            .await
            .expect("is read");
        assert_eq!(drift.is_uncertain(), is_marked, "after {life} calls");
        let explained = explain(&played.context, &target(), None, None).await;
        let hints = explained.expect("is read").hints.join("\n");
        if !is_marked {
            assert!(!hints.contains("rename"), "{hints}");
            continue;
        }
        assert_eq!(stack.renaming.as_deref(), Some("Inbox becomes Orders"));
        assert_eq!(stack.next.as_deref(), Some("stackctl deploy intake-dev"));
        assert!(hints.contains("`stackctl deploy intake-dev"), "{hints}");
        let parts = [
            "nothing has left the stack",
            "belongs to none at the moment, and is to come back as Orders",
            "is done but for what names the resources",
        ];
        seen.extend(parts.into_iter().filter(|part| hints.contains(part)));
        assert_eq!(
            hints.contains("belongs to none"),
            hints.contains(URL),
            "{hints}"
        );
    }
    assert_eq!(seen.len(), 3, "{seen:?}");
}

/// Removes the stack of an account where a run died after so many calls. Returns what was called, too.
async fn removed(account: &Shared, life: usize) -> (DestroyReport, BTreeSet<&'static str>) {
    let request = DestroyRequest {
        stacks: vec![moved().manifest],
        unprotect: true,
        ..DestroyRequest::default()
    };
    let played = play(account);
    let report = destroy(&played.context, request).await;
    let report = report.unwrap_or_else(|error| panic!("after {life} calls: {error:?}"));
    (report, played.called().collect())
}

/// A stage that keeps nothing keeps nothing because of a rename either, but for what is out of the stack: that is written
/// down.
#[tokio::test]
async fn a_removal_leaves_nothing_behind_that_its_own_template_deletes() {
    let mut ways = BTreeSet::new();
    let mut called = BTreeSet::new();
    for life in 0.. {
        let Some(account) = died_after(life).await else {
            break;
        };
        let (report, calls) = removed(&account, life).await;
        called.extend(calls);
        let account = account.lock().expect("no holder panics");
        let away = account.done.contains(&"Inbox leaves".to_owned());
        let back = account.done.contains(&"IMPORT".to_owned());
        ways.insert((away, back));
        let kept: Vec<&String> = account
            .done
            .iter()
            .filter(|it| it.ends_with("stays"))
            .collect();
        assert!(kept.is_empty(), "after {life} calls: {kept:?}");
        let retained: Vec<&String> = report.stacks[0].retained.keys().collect();
        if away && !back {
            assert_eq!(retained, ["Orders"], "after {life} calls");
        } else {
            assert!(retained.is_empty(), "after {life} calls: {retained:?}");
            let queue = if back { "Orders" } else { "Inbox" };
            assert!(
                account.done.contains(&format!("{queue} deleted")),
                "after {life} calls"
            );
        }
    }
    assert_eq!(ways.len(), 3, "{ways:?}");
    crate::aws::rights::covers_renaming(called.into_iter());
}

/// A stack policy, say, keeps an update from its end and no deletion
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/protect-stack-resources.html>).
#[tokio::test]
async fn a_removal_comes_to_its_end_where_what_was_retained_cannot_be_taken_back() {
    let mut failed = 0;
    for life in 0.. {
        let Some(account) = died_after(life).await else {
            break;
        };
        {
            let mut account = account.lock().expect("no holder panics");
            account.fails = Some(account.executed);
        }
        let (report, _) = removed(&account, life).await;
        let account = account.lock().expect("no holder panics");
        assert_eq!(account.status, "DELETE_COMPLETE", "after {life} calls");
        failed += usize::from(account.done.contains(&"UPDATE fails".to_owned()));
        // What stays is written down.
        let done = account.done.iter();
        for id in done.filter_map(|it| it.strip_suffix(" stays")) {
            let retained = &report.stacks[0].retained;
            assert!(
                retained.contains_key(id),
                "after {life} calls: {retained:?}"
            );
        }
    }
    assert!(failed > 0);
}
