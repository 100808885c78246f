//! A stack that somebody else changes after its plan was agreed to gets a new plan, which is agreed to anew.
//!
//! What AWS does: each operation moves `LastUpdatedTime`
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_Stack.html>), and makes every other change set
//! of the stack one that cannot be executed
//! (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ExecuteChangeSet.html>).

use std::collections::BTreeMap;

use super::said::{hooks, nothing_found};
use super::{
    answers::{self, CHANGE_SET_ID, REPLACE_ORDERS, STACK_ID, Stack},
    script::{Answer, Played, STACK, Script, one, stack},
};
use crate::engine::plan::{self, Action, Plan, Registry, Wanted};
use crate::engine::{DeployError, Deployment, Outcome, StackDeployment, deploy};

/// What was deployed when the plan was made.
const BEFORE: &str =
    r#"{"Resources":{"Orders":{"Type":"AWS::SQS::Queue","Properties":{"DelaySeconds":5}}}}"#;

/// What somebody else deployed meanwhile: there is a table now, which the template of this run does not have.
const MOVED: &str = r#"{"Resources":{"Orders":{"Type":"AWS::SQS::Queue"},"Table":{"Type":"AWS::DynamoDB::Table"}}}"#;

const FIRST: &str = "2026-07-28T06:00:00.000Z";
const LATER: &str = "2026-07-28T07:00:00.000Z";

/// What a run of somebody else with this tool begins an operation with.
const EVE: &str = "stackctl-0123456789abcdef0123-v0-1-0-by--keve";

fn updated(at: &'static str) -> String {
    let mut stack = Stack::new("UPDATE_ROLLBACK_COMPLETE");
    stack.updated = at;
    stack.xml()
}

/// The calls of a plan.
fn planned(script: Script, at: &'static str, template: &str) -> Script {
    script.describe(STACK, updated(at)).template(template)
}

/// The calls that compute a change set of the stack as it is since then.
fn computed(script: Script) -> Script {
    script.proposing(REPLACE_ORDERS)
}

/// The calls that ask what else is said of a change set.
fn asked(script: Script) -> Script {
    script
        .cloudformation("describe_events", nothing_found())
        .cloudformation("describe_change_set_hooks", hooks("PLANNED", ""))
}

/// The calls that ask what else is said of the change set, and execute it to its end.
fn executed(script: Script) -> Script {
    asked(script)
        .execute()
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "UPDATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("UPDATE_COMPLETE").xml())
}

/// Makes the plan of the stack, which is agreed to.
pub(super) async fn agreed(played: &Played) -> Deployment {
    agreed_to(played, stack(STACK, &[])).await
}

/// Makes the plan of a stack, which is agreed to.
pub(super) async fn agreed_to(played: &Played, stack: StackDeployment) -> Deployment {
    let template = serde_json::from_str(&stack.template).expect("is JSON");
    let none = BTreeMap::new();
    let wanted = Wanted {
        manifest: &stack.manifest,
        template: &template,
        contracts: &BTreeMap::new(),
        contents: &none,
    };
    let agreed = plan::plan(&played.context, &[wanted], &BTreeMap::new(), &Registry)
        .await
        .expect("it is planned");
    Deployment {
        agreed,
        ..one(stack)
    }
}

fn actions(plan: &plan::StackPlan) -> Vec<(&str, Action)> {
    plan.changes
        .iter()
        .map(|change| (change.logical_id.as_str(), change.action))
        .collect()
}

#[tokio::test]
async fn what_stays_as_it_was_planned_is_not_asked_about_twice() {
    let script = planned(Script::new(), FIRST, BEFORE).describe(STACK, updated(FIRST));
    let script = computed(script).describe(STACK_ID, updated(FIRST));
    let played = executed(script).play();
    let answer = Answer::yes();
    let deployment = agreed(&played).await;
    deploy(&played.context, deployment, answer.clone())
        .await
        .expect("it is deployed");
    assert!(answer.anew.lock().expect("no holder panics").is_empty());
    played.finish();
}

#[tokio::test]
async fn a_stack_that_was_changed_before_the_look_is_planned_anew() {
    let script = planned(Script::new(), FIRST, BEFORE).describe(STACK, updated(LATER));
    let script = computed(planned(script, LATER, MOVED)).describe(STACK_ID, updated(LATER));
    let played = executed(script).play();
    let answer = Answer::yes();
    let deployment = agreed(&played).await;
    assert_eq!(
        actions(&deployment.agreed.stacks[0]),
        [("Orders", Action::Update)]
    );
    deploy(&played.context, deployment, answer.clone())
        .await
        .expect("it is deployed");
    let anew = answer.anew.lock().expect("no holder panics");
    assert_eq!(anew.len(), 1);
    assert_eq!(actions(&anew[0]), [("Table", Action::Delete)]);
    played.finish();
}

#[tokio::test]
async fn a_new_plan_that_nobody_agrees_to_is_not_executed() {
    let script = planned(Script::new(), FIRST, BEFORE).describe(STACK, updated(LATER));
    let played = planned(script, LATER, MOVED).play();
    let deployment = agreed(&played).await;
    let error = deploy(&played.context, deployment, Answer::no())
        .await
        .expect_err("it is declined");
    assert!(matches!(error, DeployError::Declined(_)), "{error:?}");
    played.finish();
}

/// Nothing else tells of an update between the look at the stack and its change set, which is that of the new stack.
#[tokio::test]
async fn a_stack_that_is_changed_while_the_change_set_is_made_is_planned_anew() {
    let script = planned(Script::new(), FIRST, BEFORE).describe(STACK, updated(FIRST));
    let script = computed(script)
        .describe(STACK_ID, updated(LATER))
        .delete_change_set(CHANGE_SET_ID)
        .describe(STACK, updated(LATER));
    let script = computed(planned(script, LATER, MOVED)).describe(STACK_ID, updated(LATER));
    let played = executed(script).play();
    let answer = Answer::yes();
    let deployment = agreed(&played).await;
    deploy(&played.context, deployment, answer.clone())
        .await
        .expect("it is deployed");
    assert_eq!(answer.anew.lock().expect("no holder panics").len(), 1);
    // The first change set was shown to nobody.
    assert_eq!(answer.shown.lock().expect("no holder panics").len(), 1);
    played.finish();
}

#[tokio::test]
async fn a_change_set_that_became_obsolete_is_planned_anew() {
    let obsolete = "ChangeSet [stackctl-x] cannot be executed in its current status of [OBSOLETE]";
    for (code, message) in [
        ("InvalidChangeSetStatus", obsolete),
        ("ChangeSetNotFound", "ChangeSet [stackctl-x] does not exist"),
    ] {
        let script = planned(Script::new(), FIRST, BEFORE).describe(STACK, updated(FIRST));
        let script = computed(script).describe(STACK_ID, updated(FIRST));
        let script = asked(script)
            .refuse_execution(code, message)
            .events(&[
                ("2", STACK, "UPDATE_COMPLETE", "", EVE),
                ("1", STACK, "UPDATE_IN_PROGRESS", "", EVE),
            ])
            .describe(STACK, updated(LATER));
        let script = computed(planned(script, LATER, MOVED)).describe(STACK_ID, updated(LATER));
        let played = executed(script).play();
        let answer = Answer::yes();
        let deployment = agreed(&played).await;
        let report = deploy(&played.context, deployment, answer.clone())
            .await
            .expect("it is deployed");
        assert_eq!(report.stacks[0].outcome, Outcome::Updated, "{code}");
        assert_eq!(answer.anew.lock().expect("no holder panics").len(), 1);
        // What is executed is what was approved, so the second change set is approved too.
        assert_eq!(answer.shown.lock().expect("no holder panics").len(), 2);
        played.finish();
    }
}

#[tokio::test]
async fn a_stack_that_is_changed_again_and_again_is_left_alone() {
    let times = ["01", "02", "03", "04"].map(|hour| {
        let text: &'static str = format!("2026-07-29T{hour}:00:00.000Z").leak();
        text
    });
    let mut script = planned(Script::new(), FIRST, BEFORE).describe(STACK, updated(times[0]));
    for pair in times.windows(2) {
        script = computed(planned(script, pair[0], MOVED))
            .describe(STACK_ID, updated(pair[1]))
            .delete_change_set(CHANGE_SET_ID)
            .describe(STACK, updated(pair[1]));
    }
    let played = script.play();
    let deployment = agreed(&played).await;
    let error = deploy(&played.context, deployment, Answer::yes())
        .await
        .expect_err("it never rests");
    let error = crate::error::Error::from(error);
    assert_eq!(
        error.causes(),
        ["stack intake-dev was changed by somebody else 4 times while its plan was agreed to"]
    );
    played.finish();
}

/// A first deploy that failed is removed by this run: its plan was made as if there were nothing.
#[tokio::test]
async fn what_this_run_removes_itself_is_no_change_of_somebody_else() {
    let failed = Stack::new("ROLLBACK_COMPLETE").xml();
    let script = Script::new()
        .describe(STACK, failed.clone())
        .describe(STACK, failed)
        .resources(&[])
        .delete_stack()
        .events(&[("4", STACK, "DELETE_COMPLETE", "", "*")])
        .events(&[("4", STACK, "DELETE_COMPLETE", "", "*")])
        .describe(STACK, answers::absent(STACK))
        .create_change_set(|_| true)
        .change_set("CREATE_COMPLETE", "", answers::ADD_ORDERS)
        .cloudformation("describe_events", nothing_found())
        .cloudformation("describe_change_set_hooks", hooks("PLANNED", ""))
        .execute()
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .events(&[("9", STACK, "CREATE_COMPLETE", "", "*")])
        .describe(STACK_ID, Stack::new("CREATE_COMPLETE").xml());
    let played = script.play();
    let answer = Answer::yes();
    let deployment = agreed(&played).await;
    let report = deploy(&played.context, deployment, answer.clone())
        .await
        .expect("it is created");
    assert_eq!(report.stacks[0].outcome, Outcome::Created);
    assert!(answer.anew.lock().expect("no holder panics").is_empty());
    played.finish();
}

/// What an earlier run began is waited for; the plan that was made meanwhile may miss what that changes.
#[tokio::test]
async fn a_plan_of_a_stack_in_motion_is_made_anew_once_it_rests() {
    const ME: &str = "stackctl-0123456789abcdef0123-v0-1-0-by--kdev";
    let running = Stack::new("UPDATE_IN_PROGRESS").xml();
    let script = Script::new()
        .describe(STACK, running.clone())
        .template(BEFORE)
        .describe(STACK, running)
        .events(&[("2", STACK, "UPDATE_IN_PROGRESS", "User Initiated", ME)])
        .events(&[("3", STACK, "UPDATE_ROLLBACK_COMPLETE", "", ME)])
        .events(&[("3", STACK, "UPDATE_ROLLBACK_COMPLETE", "", ME)])
        .describe(STACK, updated(FIRST));
    let script = computed(planned(script, FIRST, BEFORE)).describe(STACK_ID, updated(FIRST));
    let played = executed(script).play();
    let answer = Answer::yes();
    let deployment = agreed(&played).await;
    let before: Plan = deployment.agreed.clone();
    deploy(&played.context, deployment, answer.clone())
        .await
        .expect("it is deployed");
    let anew = answer.anew.lock().expect("no holder panics");
    assert_eq!(anew.len(), 1);
    assert_eq!(anew[0].changes, before.stacks[0].changes);
    played.finish();
}
