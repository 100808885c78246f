//! Removal of stack sets and of some of their stacks.

use aws_sdk_cloudformation::operation::delete_stack_instances::DeleteStackInstancesInput;

use super::*;
use crate::engine::StackSetReport;

/// The calls up to the removal of instances that look like this.
fn deletes(
    permissions: &str,
    instances: &str,
    matches: impl Fn(&DeleteStackInstancesInput) -> bool + Send + Sync + 'static,
) -> Script {
    let script = there(Script::new(), TEMPLATE, permissions, OURS, instances);
    let body = began("DeleteStackInstances", "op-1");
    operations(script, &[]).cloudformation(
        "delete_stack_instances",
        mock!(CloudFormation::delete_stack_instances)
            .match_requests(matches)
            .then_http_response(move || http(200, &body)),
    )
}

/// Plans a removal and does it.
async fn removed(
    context: &Context,
    settings: &StackSetSettings,
    strays: bool,
    retain: bool,
) -> StackSetReport {
    let plan = removal_plan(context, STACK, settings, strays)
        .await
        .expect("is made");
    remove_stack_set(context, STACK, settings, &plan, retain)
        .await
        .expect("succeeds")
}

#[tokio::test]
async fn a_removal_takes_the_instances_first_and_then_the_stack_set() {
    let instances = instance(ONE, "us-east-1", "CURRENT") + &instance(TWO, "us-east-1", "CURRENT");
    let script = deletes("SELF_MANAGED", &instances, |input| {
        input.accounts() == [ONE, TWO]
            && input.regions() == ["us-east-1"]
            && input.retain_stacks() == Some(true)
    });
    let script = look(
        script,
        "op-1",
        "DELETE",
        "SUCCEEDED",
        &[(ONE, "us-east-1", "SUCCEEDED", "")],
    );
    let body = answers::empty("DeleteStackSet");
    let script = script.cloudformation(
        "delete_stack_set",
        mock!(CloudFormation::delete_stack_set)
            .match_requests(|input| input.stack_set_name() == Some(STACK))
            .then_http_response(move || http(200, &body)),
    );
    let played = script.play();
    let settings = accounts(&["us-east-1"]);
    let report = removed(&played.context, &settings, false, true).await;
    assert_eq!(report.outcome, Outcome::Deleted);
    assert_eq!(
        report.operations[0].results,
        [InstanceResult {
            region: "us-east-1".into(),
            account: ONE.into(),
            status: "SUCCEEDED".into(),
            reason: None,
        }]
    );
    played.finish_as("stackset");
}

#[tokio::test]
async fn a_removal_of_strays_leaves_the_rest_and_one_of_nothing_calls_nothing() {
    let instances = instance(ONE, "us-east-1", "CURRENT") + &instance(ONE, "sa-east-1", "CURRENT");
    let script = deletes("SELF_MANAGED", &instances, |input| {
        input.accounts() == [ONE] && input.regions() == ["sa-east-1"]
    });
    let played = look(script, "op-1", "DELETE", "SUCCEEDED", &[]).play();
    let settings = accounts(&["us-east-1"]);
    let report = removed(&played.context, &settings, true, false).await;
    assert_eq!(report.outcome, Outcome::Updated);
    played.finish_as("stackset");

    let played = absent(Script::new()).play();
    let report = removed(&played.context, &settings, false, false).await;
    assert_eq!(report.outcome, Outcome::Absent);
    played.finish_as("stackset");
}

/// A unit alone means all accounts below it: "CloudFormation will delete stacks from both the specified target OUs and their
/// child OUs"
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/stackinstances-delete.html>).
#[tokio::test]
async fn a_removal_in_units_takes_the_accounts_that_were_listed_and_no_others() {
    const ROOT: &str = "r-ab12";
    // The target was the root; one of its accounts is below the unit that is the target now.
    let instances = instance(ONE, "us-east-1", "CURRENT").replace(UNIT, ROOT)
        + &instance(ONE, "us-east-1", "CURRENT")
        + &instance(TWO, "us-east-1", "CURRENT").replace(UNIT, ROOT);
    let script = deletes("SERVICE_MANAGED", &instances, |input| {
        let targets = input.deployment_targets().expect("are given");
        targets.organizational_unit_ids() == [ROOT]
            && targets.accounts() == [TWO]
            && targets.account_filter_type() == Some(&AccountFilterType::Intersection)
            && input.accounts().is_empty()
    });
    let played = look(script, "op-1", "DELETE", "SUCCEEDED", &[]).play();
    removed(&played.context, &unit(), true, false).await;
    played.finish_as("stackset");
}
