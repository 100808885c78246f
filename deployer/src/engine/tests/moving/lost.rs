//! Renames by import of which AWS does more than the run hears, or does less than it said.

use super::*;

/// Whatever AWS did last before the run died without hearing of it, the next run finishes what was begun.
#[tokio::test]
async fn a_run_that_does_not_hear_what_was_done_is_finished_by_the_next() {
    let mut deaths = 0;
    for life in 1.. {
        let account = account();
        {
            let mut account = account.lock().expect("no holder panics");
            account.life = life;
            account.lost = Some(Lost::Dying);
        }
        let died = deploy(&play(&account).context, one(moved()), Answer::yes()).await;
        {
            let mut account = account.lock().expect("no holder panics");
            account.life = usize::MAX;
            account.lost = None;
        }
        let report = deploy(&play(&account).context, one(moved()), Answer::yes()).await;
        report.unwrap_or_else(|error| panic!("after {life} calls: {error:?}"));
        check(&account);
        if died.is_ok() {
            break;
        }
        deaths += 1;
    }
    assert!(deaths > 30, "{deaths}");
}

/// A call that is repeated because its answer was lost does nothing twice, and stops nothing.
#[tokio::test]
async fn an_answer_that_is_lost_stops_nothing() {
    for life in 1.. {
        let account = account();
        {
            let mut account = account.lock().expect("no holder panics");
            account.life = life;
            account.lost = Some(Lost::Repeated);
        }
        let report = deploy(&play(&account).context, one(moved()), Answer::yes()).await;
        report.unwrap_or_else(|error| panic!("call {life}: {error:?}"));
        check(&account);
        let account = account.lock().expect("no holder panics");
        assert_eq!(account.executed, 4, "call {life}: {:?}", account.done);
        if account.life != usize::MAX {
            break;
        }
    }
}

/// Whichever step fails while it is executed, it is rolled back alone, and the next run takes it again.
#[tokio::test]
async fn a_step_that_fails_is_taken_again() {
    for fails in 0..4 {
        let account = account();
        account.lock().expect("no holder panics").fails = Some(fails);
        let error = deploy(&play(&account).context, one(moved()), Answer::yes())
            .await
            .expect_err("a step fails");
        assert!(error.report().is_some(), "step {fails}");
        deploy(&play(&account).context, one(moved()), Answer::yes())
            .await
            .unwrap_or_else(|error| panic!("step {fails}: {error:?}"));
        check(&account);
    }
}
