//! What was changed behind CloudFormation's back, found and told.

mod revert;

use std::sync::Arc;

use aws_sdk_cloudformation::Client as CloudFormation;
use aws_smithy_mocks::mock;
use serde_json::json;

use super::{
    answers::{self, Stack},
    script::{Answer, STACK, Script, http, stack},
};
use crate::engine::plan::{
    Basis, Deployed, Fate, Live, Path, PropertyChange, ResourceChange, Snapshot, StackPlan,
};
use crate::engine::{Outcome, ResourceDrift, StackDrift, StackTarget, drift, live, revert};

const DETECTION: &str = "2f2b2d60-df86-11e7-bea1-500c2example";

fn target() -> StackTarget {
    StackTarget {
        name: STACK.into(),
        region: None,
    }
}

/// `DetectStackDrift`
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DetectStackDrift.html>).
fn detect(script: Script) -> Script {
    let body = answers::result(
        "DetectStackDrift",
        &format!("<StackDriftDetectionId>{DETECTION}</StackDriftDetectionId>"),
    );
    script.cloudformation(
        "detect_stack_drift",
        mock!(CloudFormation::detect_stack_drift)
            .match_requests(|input| input.stack_name() == Some(STACK))
            .then_http_response(move || http(200, &body)),
    )
}

/// `DescribeStackDriftDetectionStatus`
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackDriftDetectionStatus.html>).
fn detected(script: Script, status: &str, more: &str) -> Script {
    let body = answers::result(
        "DescribeStackDriftDetectionStatus",
        &format!(
            "<StackId>{}</StackId><StackDriftDetectionId>{DETECTION}</StackDriftDetectionId>\
             <DetectionStatus>{status}</DetectionStatus>{more}\
             <Timestamp>2017-12-13T22:22:04.747Z</Timestamp>",
            answers::STACK_ID
        ),
    );
    script.cloudformation(
        "describe_stack_drift_detection_status",
        mock!(CloudFormation::describe_stack_drift_detection_status)
            .match_requests(|input| input.stack_drift_detection_id() == Some(DETECTION))
            .then_http_response(move || http(200, &body)),
    )
}

/// A page of `DescribeStackResourceDrifts`
/// (<https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_DescribeStackResourceDrifts.html>).
fn drifts(script: Script, page: Option<&'static str>, members: &str, next: Option<&str>) -> Script {
    let next = next.map_or_else(String::new, |next| format!("<NextToken>{next}</NextToken>"));
    let body = answers::result(
        "DescribeStackResourceDrifts",
        &format!("<StackResourceDrifts>{members}</StackResourceDrifts>{next}"),
    );
    script.cloudformation(
        "describe_stack_resource_drifts",
        mock!(CloudFormation::describe_stack_resource_drifts)
            .match_requests(move |input| input.next_token() == page)
            .then_http_response(move || http(200, &body)),
    )
}

fn member(logical_id: &str, status: &str, more: &str) -> String {
    format!(
        "<member><StackId>{}</StackId><LogicalResourceId>{logical_id}</LogicalResourceId>\
         <PhysicalResourceId>{logical_id}-1</PhysicalResourceId><ResourceType>AWS::SQS::Queue</ResourceType>\
         <StackResourceDriftStatus>{status}</StackResourceDriftStatus>{more}\
         <Timestamp>2017-12-13T22:22:04.747Z</Timestamp></member>",
        answers::STACK_ID
    )
}

fn difference(path: &str, kind: &str, expected: &str, actual: &str) -> String {
    format!(
        "<member><PropertyPath>{path}</PropertyPath><DifferenceType>{kind}</DifferenceType>\
         <ExpectedValue>{expected}</ExpectedValue><ActualValue>{actual}</ActualValue></member>"
    )
}

#[tokio::test]
async fn what_differs_is_told_property_by_property() {
    let differences = format!(
        "<PropertyDifferences>{}{}{}{}</PropertyDifferences>",
        difference(
            "/RedrivePolicy",
            "NOT_EQUAL",
            "{&quot;maxReceiveCount&quot;:10}",
            "{&quot;maxReceiveCount&quot;:12}"
        ),
        difference("/DelaySeconds", "NOT_EQUAL", "0", "5"),
        difference("/Tags/1", "ADD", "", "by hand"),
        difference("/KmsMasterKeyId", "NOT_EQUAL", "kept", "a secret"),
    );
    let script = Script::new().describe(STACK, Stack::new("UPDATE_COMPLETE").xml());
    let script = detected(detect(script), "DETECTION_IN_PROGRESS", "");
    let script = detected(
        script,
        "DETECTION_COMPLETE",
        "<StackDriftStatus>DRIFTED</StackDriftStatus>\
         <DriftedStackResourceCount>2</DriftedStackResourceCount>",
    );
    let first = member("Orders", "MODIFIED", &differences) + &member("Bus", "IN_SYNC", "");
    let script = drifts(script, None, &first, Some("more"));
    let rest = member("Letters", "DELETED", "") + &member("Api", "NOT_CHECKED", "");
    let template = json!({
        "Parameters": {"Key": {"Type": "String", "NoEcho": true}},
        "Resources": {"Orders": {"Properties": {
            "DelaySeconds": 0, "KmsMasterKeyId": {"Ref": "Key"},
        }}},
    });
    let played = drifts(script, Some("more"), &rest, None)
        .template(&template.to_string())
        .play();
    let manifest = stack(STACK, &[]).manifest;
    let drift = drift(&played.context, &target(), Some(&manifest))
        .await
        .expect("everything is read");
    assert_eq!(
        serde_json::to_value(&drift).expect("it is plain data"),
        json!({
            "stack": "intake-dev",
            "status": "DRIFTED",
            "resources": [
                {
                    "logical_id": "Letters",
                    "resource_type": "AWS::SQS::Queue",
                    "physical_id": "Letters-1",
                    "status": "DELETED",
                    "properties": [],
                },
                {
                    "logical_id": "Orders",
                    "resource_type": "AWS::SQS::Queue",
                    "physical_id": "Orders-1",
                    "status": "MODIFIED",
                    "properties": [
                        {"path": "/DelaySeconds", "expected": "0", "actual": "5"},
                        {"path": "/KmsMasterKeyId", "expected": "****", "actual": "****"},
                        {
                            "path": "/RedrivePolicy",
                            "expected": {"maxReceiveCount": 10},
                            "actual": {"maxReceiveCount": 12},
                        },
                        {"path": "/Tags/1", "expected": null, "actual": "by hand"},
                    ],
                    "source": "stacks/src/intake.rs:12:9",
                },
            ],
            "in_sync": 1,
        })
    );
    assert_eq!(played.waits().len(), 1);
    played.finish_as("drift");
}

#[tokio::test]
async fn a_detection_that_fails_tells_what_it_could_read() {
    let script = Script::new().describe(STACK, Stack::new("UPDATE_COMPLETE").xml());
    let script = detected(
        detect(script),
        "DETECTION_FAILED",
        "<StackDriftStatus>DRIFTED</StackDriftStatus>\
         <DetectionStatusReason>Failed to detect drift on resources [Bus]</DetectionStatusReason>",
    );
    let members = member("Orders", "DELETED", "")
        + &member(
            "Bus",
            "UNKNOWN",
            "<DriftStatusReason>not authorized to perform: events:DescribeEventBus</DriftStatusReason>",
        );
    let played = drifts(script, None, &members, None).play();
    let drift = drift(&played.context, &target(), None)
        .await
        .expect("what can be read is read");
    assert!(drift.is_drifted());
    assert_eq!(
        drift.incomplete.as_deref(),
        Some("Failed to detect drift on resources [Bus]")
    );
    let statuses: Vec<_> = drift
        .resources
        .iter()
        .map(|resource| (resource.status.as_str(), resource.reason.as_deref()))
        .collect();
    assert_eq!(
        statuses,
        [
            (
                "UNKNOWN",
                Some("not authorized to perform: events:DescribeEventBus")
            ),
            ("DELETED", None),
        ]
    );
    played.finish_as("drift");
}

/// The plan of a stack in a status, which gives its queue another delay.
fn plan(status: &str) -> StackPlan {
    let template = json!({"Resources": {
        "Orders": {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": 5}},
        "Letters": {"Type": "AWS::SQS::Queue"},
        "Other": {"Type": "Custom::Other"},
    }});
    StackPlan {
        stack: STACK.to_owned(),
        changes: vec![ResourceChange {
            logical_id: "Orders".to_owned(),
            properties: vec![PropertyChange {
                path: Path::new("Properties").key("DelaySeconds"),
                before: Some(json!(5)),
                after: Some(json!(10)),
            }],
            ..ResourceChange::default()
        }],
        basis: Some(Basis {
            deployed: Some(Deployed {
                status: status.to_owned(),
                ..Deployed::default()
            }),
            before: Some(Arc::new(Snapshot {
                template: Some(template),
                ..Snapshot::default()
            })),
            ..Basis::default()
        }),
        ..StackPlan::default()
    }
}

/// Detects what is live beside the plan of a stack in a status.
async fn beside(script: Script, status: &str) -> Option<Live> {
    let wanted = json!({"Resources": {"Orders": {"Properties": {"DelaySeconds": 10}}}});
    let played = script.play();
    let manifest = stack(STACK, &[]).manifest;
    let live = live(&played.context, &manifest, &plan(status), &wanted)
        .await
        .expect("it is told");
    played.finish_as("drift");
    live
}

#[tokio::test]
async fn what_is_live_stands_beside_the_plan() {
    let script = Script::new().describe(STACK, Stack::new("UPDATE_COMPLETE").xml());
    let script = detected(
        detect(script),
        "DETECTION_COMPLETE",
        "<StackDriftStatus>DRIFTED</StackDriftStatus>\
         <DriftedStackResourceCount>1</DriftedStackResourceCount>",
    );
    let differences = format!(
        "<PropertyDifferences>{}</PropertyDifferences>",
        difference("/DelaySeconds", "NOT_EQUAL", "5", "60")
    );
    let members = member("Orders", "MODIFIED", &differences) + &member("Letters", "IN_SYNC", "");
    let script = drifts(script, None, &members, None)
        .template(r#"{"Resources":{"Orders":{"Properties":{"DelaySeconds":5}}}}"#);
    // The third of the template may have a condition that does not hold; what is there counts.
    let row = |id| (id, id, "AWS::SQS::Queue", "UPDATE_COMPLETE");
    let script = script.resources(&[row("Orders"), row("Letters"), row("Alarm")]);
    let live = beside(script, "UPDATE_COMPLETE")
        .await
        .expect("it is there");
    assert!(live.is_drifted() && !live.uncertain);
    assert_eq!(live.resources[0].properties[0].fate, Fate::Overwritten);
    assert_eq!(
        live.resources[0].lines(usize::MAX),
        ["DelaySeconds is \"60\" and not \"5\" as deployed; this deploy overwrites it with 10"]
    );
    assert_eq!(
        live.incomplete,
        ["1 of 3 resources are of types that CloudFormation does not compare"]
    );
}

#[tokio::test]
async fn a_stack_that_cannot_be_looked_at_says_so() {
    let busy = beside(Script::new(), "UPDATE_IN_PROGRESS").await;
    let live = busy.expect("it is told");
    assert_eq!(
        (live.status.as_str(), live.incomplete.as_slice()),
        ("NOT_CHECKED", &["it is UPDATE_IN_PROGRESS".to_owned()][..])
    );
    // What CloudFormation says of others is told as it is.
    for (code, said, told) in [
        (
            "ValidationError",
            "it cannot be looked at now",
            "it cannot be looked at now",
        ),
        (
            "AccessDenied",
            "User is not authorized to perform: cloudformation:DetectStackDrift",
            "cloudformation:DetectStackDrift",
        ),
    ] {
        let refused = answers::error(code, said);
        let script = Script::new()
            .describe(STACK, Stack::new("ROLLBACK_COMPLETE").xml())
            .cloudformation(
                "detect_stack_drift",
                mock!(CloudFormation::detect_stack_drift)
                    .then_http_response(move || http(400, &refused)),
            );
        let live = beside(script, "ROLLBACK_COMPLETE").await;
        let live = live.expect("it is told");
        assert!(live.uncertain);
        let incomplete = live.incomplete;
        assert!(incomplete[0].contains(told), "{incomplete:?}");
    }
}

#[tokio::test]
async fn a_stack_that_is_not_there_has_no_drift() {
    let played = Script::new()
        .describe(STACK, answers::absent(STACK))
        .describe(STACK, answers::absent(STACK))
        .play();
    let drift = drift(&played.context, &target(), None)
        .await
        .expect("that is no failure");
    assert_eq!(drift.status, "NOT_DEPLOYED");
    assert!(!drift.is_drifted());
    let manifest = Arc::new(stack(STACK, &[]).manifest);
    let outcome = revert(&played.context, &manifest, Answer::never().as_ref())
        .await
        .expect("that is no failure");
    assert_eq!(outcome, Outcome::Absent);
    played.finish_as("drift");
}

#[tokio::test]
async fn a_detection_that_never_ends_is_not_waited_for() {
    let mut script = detect(Script::new().describe(STACK, Stack::new("UPDATE_COMPLETE").xml()));
    // Half an hour of one, two and then four seconds.
    for _ in 0..451 {
        script = detected(script, "DETECTION_IN_PROGRESS", "");
    }
    let played = drifts(script, None, "", None).play();
    let drift = drift(&played.context, &target(), None)
        .await
        .expect("it is told");
    played.finish_as("drift");
    assert_eq!(drift.status, "UNKNOWN");
    assert_eq!(
        drift.incomplete.as_deref(),
        Some("the detection was not done after 30 minutes")
    );
    assert!(drift.is_uncertain());
}

#[test]
fn what_nobody_could_look_at_is_not_clean() {
    let drift = |status: &str, incomplete: Option<&str>, resource: Option<&str>| StackDrift {
        stack: STACK.to_owned(),
        status: status.to_owned(),
        incomplete: incomplete.map(str::to_owned),
        resources: resource
            .map(|status| ResourceDrift {
                logical_id: "Orders".to_owned(),
                resource_type: "AWS::SQS::Queue".to_owned(),
                physical_id: None,
                status: status.to_owned(),
                reason: None,
                properties: Vec::new(),
                source: None,
                sides: None,
            })
            .into_iter()
            .collect(),
        in_sync: 1,
    };
    assert!(!drift("IN_SYNC", None, None).is_uncertain());
    assert!(!drift("DRIFTED", None, Some("MODIFIED")).is_uncertain());
    assert!(!drift("NOT_DEPLOYED", None, None).is_uncertain());
    assert!(drift("NOT_CHECKED", None, None).is_uncertain());
    assert!(drift("UNKNOWN", None, None).is_uncertain());
    assert!(drift("IN_SYNC", Some("it failed"), None).is_uncertain());
    assert!(drift("IN_SYNC", None, Some("UNKNOWN")).is_uncertain());
}

#[tokio::test]
async fn what_is_renamed_is_told_by_its_new_name() {
    let script = Script::new().describe(STACK, Stack::new("UPDATE_COMPLETE").xml());
    let script = detected(
        detect(script),
        "DETECTION_COMPLETE",
        "<StackDriftStatus>DRIFTED</StackDriftStatus>\
         <DriftedStackResourceCount>1</DriftedStackResourceCount>",
    );
    let differences = format!(
        "<PropertyDifferences>{}</PropertyDifferences>",
        difference("/DelaySeconds", "NOT_EQUAL", "5", "60")
    );
    let row = ("Letters", "letters", "AWS::SQS::Queue", "UPDATE_COMPLETE");
    let played = drifts(
        script,
        None,
        &member("Letters", "MODIFIED", &differences),
        None,
    )
    .template(r#"{"Resources":{"Letters":{"Properties":{"DelaySeconds":5}}}}"#)
    .resources(&[row])
    .play();
    let mut manifest = stack(STACK, &[]).manifest;
    manifest
        .moved
        .insert("Letters".to_owned(), "Orders".to_owned());
    let mut plan = plan("UPDATE_COMPLETE");
    plan.changes[0].moved_from = Some("Letters".to_owned());
    let wanted = json!({"Resources": {"Orders": {"Properties": {"DelaySeconds": 10}}}});
    let live = live(&played.context, &manifest, &plan, &wanted)
        .await
        .expect("it is told")
        .expect("it is there");
    played.finish_as("drift");
    let resource = &live.resources[0];
    assert_eq!(resource.logical_id, "Orders");
    assert_eq!(resource.properties[0].fate, Fate::Overwritten);
}
