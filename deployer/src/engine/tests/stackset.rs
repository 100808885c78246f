//! Stack sets, against answers as the API reference gives them.

mod orphans;
mod removal;

use aws_sdk_cloudformation::{
    Client as CloudFormation,
    types::{
        AccountFilterType, AutoDeployment, CallAs, ConcurrencyMode, DeploymentTargets,
        ManagedExecution, PermissionModels,
    },
};
use aws_smithy_mocks::mock;

use super::{
    answers,
    script::{Played, STACK, Script, TEMPLATE, http, stack},
};
use crate::engine::{
    Context, Event, EventSink, Explained as _, InstanceResult, Outcome, StackSetError,
    StackSetRequest, StackSetSettings, Targets, deploy_stack_set, removal_plan, remove_stack_set,
    stack_set_plan,
};
use crate::error::Kind;

const ONE: &str = "111111111111";
const TWO: &str = "222222222222";
const UNIT: &str = "ou-ab12-12345678";

fn accounts(regions: &[&str]) -> StackSetSettings {
    StackSetSettings {
        targets: Targets::Accounts {
            accounts: vec![ONE.into(), TWO.into()],
            administration_role: None,
            execution_role: None,
        },
        regions: regions.iter().map(ToString::to_string).collect(),
        concurrency: 1,
        failures: 0,
        parallel_regions: false,
        delegated: false,
    }
}

fn unit() -> StackSetSettings {
    StackSetSettings {
        targets: Targets::Units {
            units: vec![UNIT.into()],
            auto_deploy: true,
            retain: true,
        },
        concurrency: 5,
        failures: 2,
        delegated: true,
        ..accounts(&["us-east-1", "eu-west-1"])
    }
}

fn request(settings: StackSetSettings) -> StackSetRequest {
    StackSetRequest {
        stage: "dev".into(),
        manifest: stack(STACK, &[]).manifest,
        template: TEMPLATE.into(),
        settings,
    }
}

/// `DescribeStackSet` where there is none
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackSet.html>: 404).
fn absent(script: Script) -> Script {
    let body = answers::error(
        "StackSetNotFoundException",
        &format!("StackSet {STACK} not found"),
    );
    script.cloudformation(
        "describe_stack_set",
        mock!(CloudFormation::describe_stack_set)
            .match_requests(|input| input.stack_set_name() == Some(STACK))
            .then_http_response(move || http(404, &body)),
    )
}

/// `DescribeStackSet` of one that we made, with its instances.
fn there(script: Script, template: &str, model: &str, tags: &str, instances: &str) -> Script {
    let template = template.replace('"', "&quot;");
    let body = answers::result(
        "DescribeStackSet",
        &format!(
            "<StackSet><StackSetName>{STACK}</StackSetName>\
             <StackSetId>{STACK}:22f04391-472b-4e36-b11a-727example</StackSetId><Status>ACTIVE</Status>\
             <TemplateBody>{template}</TemplateBody><Parameters/><Capabilities><member>CAPABILITY_IAM</member></Capabilities><Tags>{tags}</Tags>\
             <PermissionModel>{model}</PermissionModel></StackSet>"
        ),
    );
    let script = script.cloudformation(
        "describe_stack_set",
        mock!(CloudFormation::describe_stack_set)
            .match_requests(|input| input.stack_set_name() == Some(STACK))
            .then_http_response(move || http(200, &body)),
    );
    // <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackInstances.html>
    let body = answers::result(
        "ListStackInstances",
        &format!("<Summaries>{instances}</Summaries>"),
    );
    script.cloudformation(
        "list_stack_instances",
        mock!(CloudFormation::list_stack_instances)
            .match_requests(|input| input.stack_set_name() == Some(STACK))
            .then_http_response(move || http(200, &body)),
    )
}

const OURS: &str = "<member><Key>stackctl:stage</Key><Value>dev</Value></member>\
     <member><Key>team</Key><Value>blue</Value></member>";

fn instance(account: &str, region: &str, status: &str) -> String {
    format!(
        "<member><StackSetId>{STACK}:22f04391-472b-4e36-b11a-727example</StackSetId><Account>{account}</Account>\
         <Region>{region}</Region><OrganizationalUnitId>{UNIT}</OrganizationalUnitId><Status>{status}</Status></member>"
    )
}

/// `ListStackSetOperations`
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackSetOperations.html>).
fn operations(script: Script, operations: &[(&str, &str)]) -> Script {
    let members: Vec<String> = operations
        .iter()
        .map(|(id, status)| {
            format!(
                "<member><OperationId>{id}</OperationId><Action>UPDATE</Action><Status>{status}</Status></member>"
            )
        })
        .collect();
    let body = answers::result(
        "ListStackSetOperations",
        &format!("<Summaries>{}</Summaries>", members.concat()),
    );
    script.cloudformation(
        "list_stack_set_operations",
        mock!(CloudFormation::list_stack_set_operations)
            .match_requests(|input| input.stack_set_name() == Some(STACK))
            .then_http_response(move || http(200, &body)),
    )
}

/// One look at an operation: `DescribeStackSetOperation`, and `ListStackSetOperationResults` with account, region, status and
/// reason
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_ListStackSetOperationResults.html>).
fn look(
    script: Script,
    id: &'static str,
    action: &str,
    status: &str,
    results: &[(&str, &str, &str, &str)],
) -> Script {
    let body = answers::result(
        "DescribeStackSetOperation",
        &format!(
            "<StackSetOperation><OperationId>{id}</OperationId><Action>{action}</Action><Status>{status}</Status>\
             <CreationTimestamp>2017-12-13T22:22:04.747Z</CreationTimestamp></StackSetOperation>"
        ),
    );
    let script = script.cloudformation(
        "describe_stack_set_operation",
        mock!(CloudFormation::describe_stack_set_operation)
            .match_requests(move |input| input.operation_id() == Some(id))
            .then_http_response(move || http(200, &body)),
    );
    let members: Vec<String> = results
        .iter()
        .map(|(account, region, status, reason)| {
            let reason = if reason.is_empty() {
                String::new()
            } else {
                format!("<StatusReason>{reason}</StatusReason>")
            };
            format!(
                "<member><Account>{account}</Account><Region>{region}</Region><Status>{status}</Status>{reason}\
                 <AccountGateResult><Status>SKIPPED</Status></AccountGateResult></member>"
            )
        })
        .collect();
    let body = answers::result(
        "ListStackSetOperationResults",
        &format!("<Summaries>{}</Summaries>", members.concat()),
    );
    script.cloudformation(
        "list_stack_set_operation_results",
        mock!(CloudFormation::list_stack_set_operation_results)
            .match_requests(move |input| input.operation_id() == Some(id))
            .then_http_response(move || http(200, &body)),
    )
}

fn began(operation: &str, id: &str) -> String {
    answers::result(operation, &format!("<OperationId>{id}</OperationId>"))
}

async fn deploy(
    played: &Played,
    settings: StackSetSettings,
) -> Result<crate::engine::StackSetReport, StackSetError> {
    let request = request(settings);
    let plan = stack_set_plan(&played.context, &request).await?;
    deploy_stack_set(&played.context, &request, &plan).await
}

#[tokio::test]
async fn a_stack_set_is_made_and_gets_its_instances_in_one_operation() {
    let script = absent(Script::new());
    let body = answers::result(
        "CreateStackSet",
        &format!("<StackSetId>{STACK}:22f04391-472b-4e36-b11a-727example</StackSetId>"),
    );
    let script = script.cloudformation(
        "create_stack_set",
        mock!(CloudFormation::create_stack_set)
            .match_requests(|input| {
                input.template_body() == Some(TEMPLATE)
                    && input.permission_model() == Some(&PermissionModels::ServiceManaged)
                    && input.call_as() == Some(&CallAs::DelegatedAdmin)
                    && input.auto_deployment().and_then(AutoDeployment::enabled) == Some(true)
                    && input
                        .auto_deployment()
                        .and_then(AutoDeployment::retain_stacks_on_account_removal)
                        == Some(true)
                    && input.managed_execution().and_then(ManagedExecution::active) == Some(true)
                    && input
                        .tags()
                        .iter()
                        .any(|tag| tag.key() == Some("stackctl:stage"))
            })
            .then_http_response(move || http(200, &body)),
    );
    let body = began("CreateStackInstances", "op-1");
    let script = script.cloudformation(
        "create_stack_instances",
        mock!(CloudFormation::create_stack_instances)
            .match_requests(|input| {
                let preferences = input.operation_preferences().expect("are given");
                input.accounts().is_empty()
                    && input
                        .deployment_targets()
                        .map(DeploymentTargets::organizational_unit_ids)
                        == Some(&[UNIT.to_owned()])
                    && input.regions() == ["eu-west-1", "us-east-1"]
                    && preferences.region_order() == ["us-east-1", "eu-west-1"]
                    && preferences.failure_tolerance_count() == Some(2)
                    && preferences.max_concurrent_count() == Some(5)
                    && preferences.concurrency_mode()
                        == Some(&ConcurrencyMode::SoftFailureTolerance)
            })
            .then_http_response(move || http(200, &body)),
    );
    let done = (ONE, "us-east-1", "SUCCEEDED", "");
    let script = look(
        script,
        "op-1",
        "CREATE",
        "RUNNING",
        &[done, (TWO, "us-east-1", "PENDING", "")],
    );
    let other = (ONE, "eu-west-1", "SUCCEEDED", "");
    let played = look(script, "op-1", "CREATE", "SUCCEEDED", &[done, other]).play();
    let report = deploy(&played, unit()).await.expect("succeeds");
    assert_eq!(report.outcome, Outcome::Created);
    assert_eq!(report.operations.len(), 1);
    assert_eq!(report.operations[0].results.len(), 2);
    let events = played.finish_as("stackset");
    let told: Vec<&str> = events
        .iter()
        .filter_map(|event| match event {
            Event::StackSetInstance { result, .. } => Some(result.region.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(told, ["us-east-1", "eu-west-1"], "each is told once");
}

#[tokio::test]
async fn a_stack_set_that_is_as_it_should_be_is_left_alone() {
    let instances = instance(ONE, "us-east-1", "CURRENT") + &instance(TWO, "us-east-1", "CURRENT");
    let script = there(Script::new(), TEMPLATE, "SELF_MANAGED", OURS, &instances);
    let played = operations(script, &[("op-0", "SUCCEEDED"), ("op-00", "FAILED")]).play();
    let report = deploy(&played, accounts(&["us-east-1"]))
        .await
        .expect("succeeds");
    assert_eq!(
        (report.outcome, report.operations.len()),
        (Outcome::Unchanged, 0)
    );
    played.finish_as("stackset");
}

#[tokio::test]
async fn what_an_earlier_run_began_is_waited_for_and_what_it_left_behind_is_taken_along() {
    let before = instance(ONE, "us-east-1", "CURRENT");
    let script = there(Script::new(), TEMPLATE, "SELF_MANAGED", OURS, &before);
    let script = operations(script, &[("op-1", "RUNNING"), ("op-0", "SUCCEEDED")]);
    // It fails, which is not what this run did.
    let failure = (TWO, "us-east-1", "FAILED", "no role");
    let script = look(script, "op-1", "UPDATE", "RUNNING", &[]);
    let script = look(script, "op-1", "UPDATE", "FAILED", &[failure]);
    let after = before + &instance(TWO, "us-east-1", "OUTDATED");
    let script = there(script, TEMPLATE, "SELF_MANAGED", OURS, &after);
    let body = began("UpdateStackSet", "op-2");
    let script = script.cloudformation(
        "update_stack_set",
        mock!(CloudFormation::update_stack_set)
            // Nothing narrows it down, so that all instances are updated.
            .match_requests(|input| {
                input.accounts().is_empty()
                    && input.regions().is_empty()
                    && input
                        .operation_id()
                        .is_some_and(|id| id.starts_with("stackctl-"))
            })
            .then_http_response(move || http(200, &body)),
    );
    let script = look(
        script,
        "op-2",
        "UPDATE",
        "SUCCEEDED",
        &[(TWO, "us-east-1", "SUCCEEDED", "")],
    );
    let played = script.play();
    let report = deploy(&played, accounts(&["us-east-1"]))
        .await
        .expect("succeeds");
    assert_eq!(report.outcome, Outcome::Updated);
    assert_eq!(report.operations.len(), 1);
    played.finish_as("stackset");
}

#[tokio::test]
async fn a_failure_is_told_with_its_account_and_region_also_where_it_is_within_the_budget() {
    for (status, results, details) in [
        (
            "FAILED",
            vec![
                (ONE, "us-east-1", "FAILED", "no execution role"),
                (TWO, "us-east-1", "CANCELLED", ""),
            ],
            vec![
                "111111111111/us-east-1: no execution role",
                "1 more were not tried, because too many had failed",
            ],
        ),
        (
            "SUCCEEDED",
            vec![
                (ONE, "us-east-1", "FAILED", ""),
                (TWO, "us-east-1", "SUCCEEDED", ""),
            ],
            vec!["111111111111/us-east-1: no reason is given"],
        ),
    ] {
        let script = there(Script::new(), TEMPLATE, "SELF_MANAGED", OURS, "");
        let script = operations(script, &[]);
        let body = began("CreateStackInstances", "op-1");
        let script = script.cloudformation(
            "create_stack_instances",
            mock!(CloudFormation::create_stack_instances)
                .match_requests(|input| {
                    input.accounts() == [ONE, TWO] && input.deployment_targets().is_none()
                })
                .then_http_response(move || http(200, &body)),
        );
        let played = look(script, "op-1", "CREATE", status, &results).play();
        let error = deploy(&played, accounts(&["us-east-1"]))
            .await
            .expect_err("fails");
        assert_eq!(error.kind(), Kind::Deploy);
        assert_eq!(error.details(), details);
        played.finish_as("stackset");
    }
}

#[tokio::test]
async fn what_is_not_ours_or_of_the_other_kind_is_left_alone() {
    for (model, tags, kind) in [
        ("SELF_MANAGED", "", Kind::Refused),
        ("SERVICE_MANAGED", OURS, Kind::Configuration),
    ] {
        let script = there(Script::new(), TEMPLATE, model, tags, "");
        let played = operations(script, &[]).play();
        let error = deploy(&played, accounts(&["us-east-1"]))
            .await
            .expect_err("is refused");
        assert_eq!(error.kind(), kind);
        played.finish_as("stackset");
    }
    let broken = instance(ONE, "us-east-1", "INOPERABLE");
    let script = there(Script::new(), TEMPLATE, "SELF_MANAGED", OURS, &broken);
    let played = operations(script, &[]).play();
    let error = deploy(&played, accounts(&["us-east-1"]))
        .await
        .expect_err("is refused");
    assert!(
        error.to_string().ends_with("111111111111/us-east-1"),
        "{error}"
    );
    played.finish_as("stackset");
}

#[tokio::test]
async fn only_missing_instances_are_added_and_strays_are_named() {
    let instances = instance(ONE, "us-east-1", "CURRENT") + &instance(ONE, "sa-east-1", "CURRENT");
    let script = there(Script::new(), TEMPLATE, "SELF_MANAGED", OURS, &instances);
    let played = operations(script, &[]).play();
    let request = request(accounts(&["us-east-1", "eu-west-1"]));
    let plan = stack_set_plan(&played.context, &request)
        .await
        .expect("is made");
    assert!(!plan.update && !plan.create);
    let add: Vec<(&str, Vec<&str>)> = plan
        .add
        .iter()
        .map(|(region, names)| (region.as_str(), names.iter().map(String::as_str).collect()))
        .collect();
    assert_eq!(
        add,
        [("eu-west-1", vec![ONE, TWO]), ("us-east-1", vec![TWO])]
    );
    assert_eq!(plan.untargeted, ["111111111111/sa-east-1"]);
    played.finish_as("stackset");
}

/// `CreateStackInstances`, which begins an operation.
fn adds(script: Script) -> Script {
    let body = began("CreateStackInstances", "op-1");
    script.cloudformation(
        "create_stack_instances",
        mock!(CloudFormation::create_stack_instances)
            .match_requests(|_| true)
            .then_http_response(move || http(200, &body)),
    )
}

/// An operation that never ends: none of these is the status of one that has
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_StackSetOperation.html>).
#[tokio::test]
async fn a_run_that_is_stopped_names_what_goes_on() {
    for status in ["RUNNING", "QUEUED", "STOPPING"] {
        let script = there(Script::new(), TEMPLATE, "SELF_MANAGED", OURS, "");
        let mut script = adds(operations(script, &[]));
        for _ in 0..12 {
            script = look(script, "op-1", "CREATE", status, &[]);
        }
        let played = script.play();
        let handle = played.handle.clone();
        played.at_wait(12, move || handle.cancel());
        let error = deploy(&played, accounts(&["us-east-1"]))
            .await
            .expect_err("is stopped");
        assert_eq!(error.kind(), Kind::Interrupted, "{status}");
        assert!(error.to_string().contains("op-1"), "{error}");
        played.finish_as("stackset");
    }
}

#[tokio::test]
async fn a_run_that_waits_for_what_others_began_can_be_stopped() {
    let script = there(Script::new(), TEMPLATE, "SELF_MANAGED", OURS, "");
    let script = operations(script, &[("theirs", "QUEUED")]);
    let script = look(script, "theirs", "UPDATE", "QUEUED", &[]);
    let played = look(script, "theirs", "UPDATE", "QUEUED", &[]).play();
    let handle = played.handle.clone();
    played.at_wait(2, move || handle.cancel());
    let error = deploy(&played, accounts(&["us-east-1"]))
        .await
        .expect_err("is stopped");
    assert_eq!(error.kind(), Kind::Interrupted);
    assert!(error.to_string().contains("theirs"), "{error}");
    played.finish_as("stackset");
}

/// The operation ends just when the run is stopped: the next one is not begun.
#[tokio::test]
async fn a_run_that_is_stopped_begins_nothing_more() {
    let missing = there(Script::new(), TEMPLATE, "SELF_MANAGED", OURS, "");
    let played = operations(missing, &[]).play();
    played.handle.cancel();
    let error = deploy(&played, accounts(&["us-east-1"]))
        .await
        .expect_err("is stopped");
    assert!(matches!(error, StackSetError::Stopped(_)), "{error}");
    assert_eq!(error.kind(), Kind::Interrupted);
    played.finish_as("stackset");

    // The instances are gone, and the stack set stays for the same command.
    let instances = instance(ONE, "us-east-1", "CURRENT");
    let script = there(Script::new(), TEMPLATE, "SELF_MANAGED", OURS, &instances);
    let body = began("DeleteStackInstances", "op-1");
    let script = operations(script, &[]).cloudformation(
        "delete_stack_instances",
        mock!(CloudFormation::delete_stack_instances)
            .match_requests(|_| true)
            .then_http_response(move || http(200, &body)),
    );
    let script = look(script, "op-1", "DELETE", "RUNNING", &[]);
    let gone = (ONE, "us-east-1", "SUCCEEDED", "");
    let played = look(script, "op-1", "DELETE", "SUCCEEDED", &[gone]).play();
    let handle = played.handle.clone();
    // The clock that never waits is faster than the signal here.
    let settings = accounts(&["us-east-1"]);
    let plan = removal_plan(&played.context, STACK, &settings, false)
        .await
        .expect("is made");
    let events = EventSink::new(move |event| {
        if matches!(event, Event::StackSetInstance { .. }) {
            handle.cancel();
        }
    });
    let context = Context {
        events,
        ..played.context.clone()
    };
    let error = remove_stack_set(&context, STACK, &settings, &plan, false)
        .await
        .expect_err("is stopped");
    assert!(matches!(error, StackSetError::Stopped(_)), "{error}");
    played.finish_as("stackset");
}

#[tokio::test]
async fn an_update_goes_also_to_the_regions_that_are_no_targets_any_more() {
    let stray = instance(ONE, "sa-east-1", "CURRENT");
    let instances =
        instance(ONE, "us-east-1", "OUTDATED") + &instance(TWO, "us-east-1", "CURRENT") + &stray;
    let script = there(Script::new(), TEMPLATE, "SELF_MANAGED", OURS, &instances);
    let script = operations(script, &[]);
    let body = began("UpdateStackSet", "op-1");
    let script = script.cloudformation(
        "update_stack_set",
        mock!(CloudFormation::update_stack_set)
            .match_requests(|input| {
                let preferences = input.operation_preferences().expect("are given");
                preferences.region_order() == ["us-east-1", "sa-east-1"]
            })
            .then_http_response(move || http(200, &body)),
    );
    let done = (ONE, "sa-east-1", "SUCCEEDED", "");
    let played = look(script, "op-1", "UPDATE", "SUCCEEDED", &[done]).play();
    let report = deploy(&played, accounts(&["us-east-1"]))
        .await
        .expect("succeeds");
    assert_eq!(report.outcome, Outcome::Updated);
    played.finish_as("stackset");
}
