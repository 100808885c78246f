//! Change sets that are made for what they say, and executed by nobody.

use std::collections::BTreeMap;

use super::{
    anew::agreed,
    answers::{self, CHANGE_SET_ID, REPLACE_ORDERS, Stack},
    said::{hooks, nothing_found},
    script::{STACK, Script, TEMPLATE},
};
use crate::engine::{Proposed, propose};

/// What was deployed when the plan was made.
const BEFORE: &str =
    r#"{"Resources":{"Orders":{"Type":"AWS::SQS::Queue","Properties":{"DelaySeconds":5}}}}"#;

/// Returns what is said of the plan of a script.
async fn asked(script: Script) -> BTreeMap<String, Proposed> {
    let played = script.play();
    let deployment = agreed(&played).await;
    let proposed = propose(
        &played.context,
        "dev",
        &deployment.stacks,
        &deployment.agreed,
    )
    .await
    .expect("it is asked");
    played.finish_as("diff");
    proposed
}

fn planned(status: &'static str, template: &str) -> Script {
    Script::new()
        .describe(STACK, Stack::new(status).xml())
        .template(template)
}

#[tokio::test]
async fn a_change_set_is_read_and_removed() {
    let script = planned("UPDATE_COMPLETE", BEFORE)
        .create_change_set(|input| {
            let tags = input.tags().iter().filter_map(|tag| tag.key());
            tags.collect::<Vec<_>>() == ["stackctl:stage", "team"]
        })
        .change_set("CREATE_COMPLETE", "", REPLACE_ORDERS)
        .cloudformation("describe_events", nothing_found())
        .cloudformation("describe_change_set_hooks", hooks("PLANNED", ""))
        .delete_change_set(CHANGE_SET_ID);
    let proposed = asked(script).await;
    let Proposed::Changes(changes) = &proposed[STACK] else {
        panic!("{proposed:?}")
    };
    assert_eq!(changes.changes[0].logical_id, "Orders");
}

#[tokio::test]
async fn a_new_stack_is_gone_again_and_a_refusal_is_told() {
    let script = Script::new()
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|_| true)
        .change_set("FAILED", "it is wrong", "")
        .delete_change_set(CHANGE_SET_ID)
        .nothing_else_waits()
        .delete_stack();
    let refused = Proposed::Refused {
        reason: "it is wrong".to_owned(),
        findings: Vec::new(),
    };
    assert_eq!(asked(script).await[STACK], refused);
}

#[tokio::test]
async fn nobody_is_asked_about_what_cannot_be_updated_or_does_not_change() {
    let unchanged = planned("UPDATE_COMPLETE", TEMPLATE);
    assert!(asked(unchanged).await.is_empty());
    let stuck = planned("UPDATE_ROLLBACK_FAILED", BEFORE);
    let text = "it is UPDATE_ROLLBACK_FAILED".to_owned();
    assert_eq!(asked(stuck).await[STACK], Proposed::Unasked(text));
}
