//! Hosts that are not reached, and how often those that are reached are asked.

use std::time::Duration;

use super::*;

/// A stack with so many queues that have names.
fn queues(number: usize) -> StackDeployment {
    let queue = |at: usize| {
        let properties = json!({"QueueName": format!("queue-{at}")});
        let queue = json!({"Type": "AWS::SQS::Queue", "Properties": properties});
        (format!("Queue{at}"), queue)
    };
    named(&Value::Object((0..number).map(queue).collect()))
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_waited_for_once() {
    let soon = Duration::from_millis(50);
    for (signed, tries) in [
        (may_do_all().silent("GetResource").waiting(soon), 1),
        (may_do_all().refused("GetResource"), 3),
    ] {
        let played = signed.with(absent().play_in_any_order());
        let concerns = preflight(&played.context, &[queues(40)]).await;
        signed.finish();
        assert_eq!(signed.asked("GetResource").len(), tries);
        let [concern] = &concerns[..] else {
            panic!("{concerns:?}");
        };
        assert_eq!(concern.weight, Weight::Unknown);
        assert_eq!(concern.subject, "intake-dev/Queue0");
        // After some time it is asked again.
        played.context.timing.sleep(Duration::from_mins(1)).await;
        preflight(&played.context, &[queues(40)]).await;
        assert_eq!(signed.asked("GetResource").len(), 2 * tries);
    }
}

#[tokio::test]
async fn looks_that_take_too_long_end_with_a_warning_and_what_was_found_is_told() {
    let mut stack = queues(2);
    let mut template: Value = serde_json::from_str(&stack.template).expect("it is JSON");
    let arn = "arn:aws:acm:eu-west-1:123456789012:certificate/1";
    template["Resources"]["Elsewhere"] =
        json!({"Type": "AWS::ApiGateway::DomainName", "Properties": {"CertificateArn": arn}});
    stack.template = template.to_string();
    let signed = may_do_all()
        .silent("GetResource")
        .json(
            "ListResources",
            "",
            200,
            &json!({"ResourceDescriptions": []}),
        )
        .json(
            "GetServiceQuota",
            "",
            200,
            &json!({"Quota": {"Value": 120.0}}),
        );
    let played = signed.with(absent().play_in_any_order());
    let until = Instant::now() + Duration::from_secs(2);
    let concerns = engine::preflight(&played.context, &[stack], until).await;
    signed.finish();
    assert_eq!(
        told(&concerns),
        [
            (Weight::Warning, "eu-central-1: names that are taken were not looked at to the end: that took more than 60 seconds".to_owned()),
            (Weight::Refused, "intake-dev/Elsewhere: its certificate is in eu-west-1, and has to be in us-east-1".to_owned()),
        ]
    );
}

#[tokio::test]
async fn many_names_are_asked_for_at_the_rate_of_their_api() {
    let free = json!({"__type": "ResourceNotFoundException"});
    let signed = may_do_all().json("GetResource", "", 400, &free);
    let played = signed.with(absent().play_in_any_order());
    assert_eq!(preflight(&played.context, &[queues(7)]).await, []);
    assert_eq!(signed.asked("GetResource").len(), 7);
    // Five at once, and each of the others after a wait.
    assert_eq!(played.waits().len(), 2);
}
