//! Renames by import of somebody who may not set stack policies: the way on is told, and whoever may goes on from there.

use super::*;
use crate::engine::Event;

#[tokio::test]
async fn who_may_not_set_the_policy_is_told_and_another_goes_on() {
    let mut stopped = 0;
    for denies in 0.. {
        let account = account();
        account.lock().expect("no holder panics").denies = Some(denies);
        let played = play(&account);
        let ended = deploy(&played.context, one(moved()), Answer::yes()).await;
        let told = match ended {
            Ok(_) => {
                let warnings = played.events().into_iter().filter_map(|event| match event {
                    Event::Warning { message, .. } => Some(message),
                    _ => None,
                });
                warnings.collect::<Vec<_>>().join("\n")
            }
            Err(error) => {
                stopped += 1;
                let hints = error.hints().join("\n");
                let report = error.report().expect("something was begun");
                let failure = serde_json::to_string(&report.stacks[0].failure);
                format!("{}\n{hints}", failure.expect("is JSON"))
            }
        };
        {
            let account = account.lock().expect("no holder panics");
            if account.settings <= denies {
                break;
            }
            assert!(
                told.contains("cloudformation:SetStackPolicy"),
                "setting {denies}: {told}"
            );
            assert!(account.change_set.is_none(), "setting {denies}");
        }
        account.lock().expect("no holder panics").denies = None;
        deploy(&play(&account).context, one(moved()), Answer::yes())
            .await
            .unwrap_or_else(|error| panic!("setting {denies}: {error:?}"));
        check(&account);
    }
    // Only the policy that stands against the removal stops it.
    assert_eq!(stopped, 1);
}
