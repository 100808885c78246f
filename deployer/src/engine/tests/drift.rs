//! What was changed behind CloudFormation's back, found and changed back.

use std::sync::Arc;

use aws_sdk_cloudformation::{
    Client as CloudFormation,
    types::{ChangeSetType, DeploymentMode},
};
use aws_sdk_s3::{
    Client as S3,
    operation::{head_object::HeadObjectOutput, put_object::PutObjectOutput},
};
use aws_smithy_mocks::mock;
use serde_json::json;

use super::{
    answers::{self, ADD_ORDERS, CHANGE_SET_ID, REPLACE_ORDERS, Stack},
    publish::bucket_stack,
    script::{Answer, STACK, Script, TEMPLATE, http, stack},
};
use crate::engine::plan::{
    Basis, Deployed, Fate, Live, Path, PropertyChange, ResourceChange, Snapshot, StackPlan,
};
use crate::engine::{
    BOOTSTRAP_STACK, Event, Outcome, ResourceDrift, StackDrift, StackError, StackTarget,
    deployed as deployed_stack, drift, live, release::mark::Mark, revert,
};

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
    played.finish();
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
    played.finish();
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
    played.finish();
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
    played.finish();
}

/// A stack with a parameter and the change set that is to bring back what it says.
fn reverting() -> Script {
    let mut deployed = Stack::new("UPDATE_COMPLETE");
    deployed.parameters = vec![("Size", "3".to_owned())];
    Script::new()
        .describe(STACK, deployed.xml())
        .create_change_set(|input| {
            let parameters = input.parameters();
            input.deployment_mode() == Some(&DeploymentMode::RevertDrift)
                && input.change_set_type() == Some(&ChangeSetType::Update)
                && input.use_previous_template() == Some(true)
                && input.template_body().is_none()
                && input.tags.is_none()
                && parameters.len() == 1
                && parameters[0].parameter_key() == Some("Size")
                && parameters[0].use_previous_value() == Some(true)
                && parameters[0].parameter_value().is_none()
        })
}

/// The end of a change back.
fn reverted(script: Script) -> Script {
    script
        .execute()
        .events(&[("1", STACK, "UPDATE_IN_PROGRESS", "User Initiated", "*")])
        .events(&[
            ("2", STACK, "UPDATE_COMPLETE", "", "*"),
            ("1", STACK, "UPDATE_IN_PROGRESS", "User Initiated", "*"),
        ])
        .events(&[
            ("2", STACK, "UPDATE_COMPLETE", "", "*"),
            ("1", STACK, "UPDATE_IN_PROGRESS", "User Initiated", "*"),
        ])
}

async fn is_reverted(script: Script) -> Vec<String> {
    let played = script.play();
    let manifest = Arc::new(stack(STACK, &[]).manifest);
    let outcome = revert(&played.context, &manifest, Answer::yes().as_ref())
        .await
        .expect("it succeeds");
    assert_eq!(outcome, Outcome::Updated);
    let events = played.finish();
    let warnings = events.into_iter().filter_map(|event| match event {
        Event::Warning { message, .. } => Some(message),
        _ => None,
    });
    warnings.collect()
}

#[tokio::test]
async fn what_is_approved_is_changed_back() {
    let script = reverting()
        .change_set("CREATE_COMPLETE", "", ADD_ORDERS)
        .describe(BOOTSTRAP_STACK, answers::absent(BOOTSTRAP_STACK));
    assert!(is_reverted(reverted(script)).await.is_empty());
}

/// The mark of a stack that was found good, of its state and its template.
async fn etag(deployed: &Stack) -> String {
    let played = Script::new().describe(STACK, deployed.xml()).play();
    let found = deployed_stack(&played.context, &target()).await;
    let found = found.expect("is answered").expect("is there");
    let template = serde_json::from_str(TEMPLATE).expect("is JSON");
    let mark = Mark::of(&found, &template).expect("the status is good");
    format!("\"{}\"", mark.etag())
}

/// `HeadObject` of the mark
/// (<https://docs.aws.amazon.com/AmazonS3/latest/API/API_HeadObject.html>).
fn marked(script: Script, etag: String) -> Script {
    let head = mock!(S3::head_object)
        .match_requests(|input| input.key() == Some("state/intake-dev.mark.json"))
        .then_output(move || HeadObjectOutput::builder().e_tag(etag.clone()).build());
    script
        .describe(BOOTSTRAP_STACK, bucket_stack().xml())
        .template(TEMPLATE)
        .s3("head_object", head)
}

#[tokio::test]
async fn a_stack_that_was_found_good_is_marked_as_it_is_afterwards() {
    let (mut before, mut after) = (Stack::new("UPDATE_COMPLETE"), Stack::new("UPDATE_COMPLETE"));
    after.updated = "2026-07-29T06:00:00.000Z";
    for stack in [&mut before, &mut after] {
        stack.parameters = vec![("Size", "3".to_owned())];
    }
    let (old, new) = (etag(&before).await, etag(&after).await);
    assert_ne!(old, new);
    let proposed = || reverting().change_set("CREATE_COMPLETE", "", ADD_ORDERS);
    let listed = old.clone();
    let put = mock!(S3::put_object)
        .match_requests(move |input| {
            input.key() == Some("state/intake-dev.mark.json") && input.if_match() == Some(&listed)
        })
        .then_output(move || PutObjectOutput::builder().e_tag(new.clone()).build());
    let script = reverted(marked(proposed(), old.clone()))
        .describe(STACK, after.xml())
        .s3("put_object", put);
    assert!(is_reverted(script).await.is_empty());
    // One that somebody updated since is not marked anew, and neither is one whose alias goes back.
    let script = reverted(marked(proposed(), etag(&after).await));
    assert!(is_reverted(script).await.is_empty());
    let alias = ADD_ORDERS.replace("AWS::SQS::Queue", "AWS::Lambda::Alias");
    assert_ne!(alias, ADD_ORDERS);
    let script = reverting().change_set("CREATE_COMPLETE", "", &alias);
    let warnings = is_reverted(reverted(marked(script, old))).await;
    assert!(
        warnings[0].starts_with("Orders went back to what was deployed"),
        "{warnings:?}"
    );
}

#[tokio::test]
async fn what_is_declined_leaves_no_change_set() {
    let played = reverting()
        .change_set("CREATE_COMPLETE", "", REPLACE_ORDERS)
        .delete_change_set(CHANGE_SET_ID)
        .play();
    let manifest = Arc::new(stack(STACK, &[]).manifest);
    let outcome = revert(&played.context, &manifest, Answer::no().as_ref())
        .await
        .expect("that is no failure");
    assert_eq!(outcome, Outcome::Declined);
    played.finish();
}

#[tokio::test]
async fn a_change_set_that_changes_nothing_or_fails_is_removed() {
    let played = reverting()
        .change_set(
            "FAILED",
            "The submitted information didn't contain changes. Submit different information to create a change set.",
            "",
        )
        .delete_change_set(CHANGE_SET_ID)
        .play();
    let manifest = Arc::new(stack(STACK, &[]).manifest);
    let outcome = revert(&played.context, &manifest, Answer::never().as_ref())
        .await
        .expect("that is no failure");
    assert_eq!(outcome, Outcome::Unchanged);
    played.finish();

    let played = reverting()
        .change_set("FAILED", "Bus cannot be read", "")
        .delete_change_set(CHANGE_SET_ID)
        .play();
    let error = revert(&played.context, &manifest, Answer::never().as_ref())
        .await
        .expect_err("the change set fails");
    assert!(
        matches!(&error, StackError::ChangeSet { reason, .. } if reason == "Bus cannot be read"),
        "{error:?}"
    );
    played.finish();
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
    played.finish();
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
    let wanted = json!({"Resources": {"Orders": {"Properties": {"DelaySeconds": 10}}}});
    let live = live(
        &played.context,
        &manifest,
        &plan("UPDATE_COMPLETE"),
        &wanted,
    )
    .await
    .expect("it is told")
    .expect("it is there");
    played.finish();
    let resource = &live.resources[0];
    assert_eq!(resource.logical_id, "Orders");
    assert_eq!(resource.properties[0].fate, Fate::Overwritten);
}
