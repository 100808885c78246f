//! Topics, and policies about them.

use serde_json::json;
use stack_model::Value;
use stack_model::iot::{
    IotOperation, IotPolicyProps, TopicFamilyRef, TopicRef, clients, topic_filters, topics,
};
use stack_model::policy::{PolicyVariable, Statement};
use stack_model::{Pseudo, text};

use crate::support::{dev, property, resources, statements, violations};

fn arn(rest: &str) -> serde_json::Value {
    json!({"Fn::Sub": format!("arn:${{AWS::Partition}}:iot:${{AWS::Region}}:${{AWS::AccountId}}:{rest}")})
}

#[test]
fn publishing_is_allowed_on_one_topic() {
    let granted = statements(dev(), |_| {
        TopicRef::<String>::named("serverlesspresso-admin").statements(&[IotOperation::Publish])
    });
    assert_eq!(
        granted,
        json!([{
            "Effect": "Allow",
            "Action": "iot:Publish",
            "Resource": arn("topic/serverlesspresso-admin"),
        }])
    );
}

#[test]
fn a_family_is_all_topics_that_start_alike() {
    let users = TopicFamilyRef::<String>::starting_with("serverlesspresso-user-");
    let granted = statements(dev(), |_| {
        users.statements(&[
            IotOperation::PublishRetained,
            IotOperation::Subscribe,
            IotOperation::Publish,
            IotOperation::Receive,
        ])
    });
    assert_eq!(
        granted,
        json!([
            {
                "Effect": "Allow",
                "Action": ["iot:Publish", "iot:Receive", "iot:RetainPublish"],
                "Resource": arn("topic/serverlesspresso-user-*"),
            },
            {
                "Effect": "Allow",
                "Action": "iot:Subscribe",
                "Resource": arn("topicfilter/serverlesspresso-user-*"),
            },
        ])
    );
    assert_eq!(
        users.topic("u1").name(),
        Value::Literal("serverlesspresso-user-u1".to_owned())
    );
}

#[test]
fn a_topic_without_a_fixed_name_can_be_granted() {
    let granted = statements(dev(), |_| {
        TopicRef::<String>::named(text!("{}-admin", Pseudo::StackName))
            .statements(&[IotOperation::Publish])
    });
    assert_eq!(granted[0]["Resource"], arn("topic/${AWS::StackName}-admin"));
}

#[test]
fn names_that_no_topic_has_are_reported_where_they_are_granted() {
    let found = violations(dev(), |stack| {
        let mut granted = TopicRef::<String>::named("users/+").statements(&[IotOperation::Publish]);
        let all = TopicFamilyRef::<String>::starting_with("");
        granted.extend(all.statements(&[IotOperation::Publish]));
        stack.iot_policy(
            "Devices",
            IotPolicyProps {
                statements: granted,
                ..IotPolicyProps::default()
            },
        );
    });
    assert_eq!(
        found,
        [
            "`users/+` holds `+`: a topic has no wildcard, and many topics are a `TopicFamilyRef`",
            "a family without a prefix would be every topic of the account",
        ]
        .map(|text| format!("orders / Devices: {text}"))
    );
}

#[test]
fn a_policy_names_the_client_and_the_thing() {
    let resources = resources(dev(), |stack| {
        let policy = stack.iot_policy(
            "Devices",
            IotPolicyProps {
                name: Some("devices".into()),
                statements: vec![
                    Statement::allow(["iot:Connect"])
                        .on(clients(text!("{}", PolicyVariable::IotThing))),
                    Statement::allow(["iot:Subscribe"])
                        .on(topic_filters(text!("shop/{}/#", PolicyVariable::IotClient))),
                    Statement::allow(["iot:Receive"])
                        .on(topics("shop/*"))
                        .because("displays hear everything"),
                ],
            },
        );
        let certificate = "arn:aws:iot:eu-central-1:123456789012:cert/1";
        stack.attach_iot_policy("DisplayMay", &policy, certificate);
    });
    assert_eq!(
        resources,
        json!({
            "Devices": {
                "Type": "AWS::IoT::Policy",
                "Properties": {
                    "PolicyName": "devices",
                    "PolicyDocument": {
                        "Version": "2012-10-17",
                        "Statement": [
                            {
                                "Effect": "Allow",
                                "Action": "iot:Connect",
                                "Resource": arn("client/${!iot:Connection.Thing.ThingName}"),
                            },
                            {
                                "Effect": "Allow",
                                "Action": "iot:Subscribe",
                                "Resource": arn("topicfilter/shop/${!iot:ClientId}/#"),
                            },
                            {
                                "Effect": "Allow",
                                "Action": "iot:Receive",
                                "Resource": arn("topic/shop/*"),
                            },
                        ],
                    },
                },
            },
            "DisplayMay": {
                "Type": "AWS::IoT::PolicyPrincipalAttachment",
                "Properties": {
                    "PolicyName": {"Ref": "Devices"},
                    "Principal": "arn:aws:iot:eu-central-1:123456789012:cert/1",
                },
            },
        })
    );
}

#[test]
fn a_policy_is_no_larger_than_the_broker_takes() {
    let large = |count: usize| {
        violations(dev(), |stack| {
            let topics = (0..count).map(|number| topics(format!("shop/{number:090}")));
            let statement = topics.fold(Statement::allow(["iot:Receive"]), Statement::on);
            let props = IotPolicyProps {
                statements: vec![statement],
                ..IotPolicyProps::default()
            };
            stack.iot_policy("Devices", props);
        })
    };
    assert!(large(15).is_empty());
    let found = large(30);
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("AWS IoT takes 2048"), "{found:?}");
}

#[test]
fn everything_may_be_named_with_a_reason() {
    let document = property(dev(), "Devices", "PolicyDocument", |stack| {
        let everything = Statement::allow(["iot:Subscribe"]).on_everything("the shop is public");
        let props = IotPolicyProps {
            statements: vec![everything],
            ..IotPolicyProps::default()
        };
        stack.iot_policy("Devices", props);
    });
    assert_eq!(document["Statement"][0]["Resource"], "*");
}
