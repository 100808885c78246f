//! Switches that interrupt what a resource does.

use serde_json::Value;

use super::super::{is, is_on, number};

/// A switch that turns something off.
pub(in super::super) struct Switch {
    pub(in super::super) resource_type: &'static str,
    pub(in super::super) pointer: &'static str,
    pub(in super::super) is_off: fn(Option<&Value>) -> bool,
    pub(in super::super) says: &'static str,
    pub(in super::super) source: &'static str,
}

/// Switches that interrupt what a resource does.
pub(in super::super) const SWITCHES: &[Switch] = &[
    Switch {
        resource_type: "AWS::ApiGateway::ApiKey",
        pointer: "/Enabled",
        // A key is disabled where nothing is said.
        is_off: |value| !is_on(value),
        says: "callers with this key are refused",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-apikey.html",
    },
    Switch {
        resource_type: "AWS::ApiGateway::RestApi",
        pointer: "/DisableExecuteApiEndpoint",
        is_off: is_on,
        says: "callers of its own address are refused",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-restapi.html",
    },
    Switch {
        resource_type: "AWS::ApiGatewayV2::Api",
        pointer: "/DisableExecuteApiEndpoint",
        is_off: is_on,
        says: "callers of its own address are refused",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-api.html",
    },
    Switch {
        resource_type: "AWS::CloudFront::Distribution",
        pointer: "/DistributionConfig/Enabled",
        is_off: |value| !is_on(value),
        says: "it answers no request any more",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudfront-distribution.html",
    },
    Switch {
        resource_type: "AWS::CloudWatch::Alarm",
        pointer: "/ActionsEnabled",
        is_off: |value| value.is_some_and(|value| !is_on(Some(value)) && !value.is_object()),
        says: "nobody is told of the alarm any more",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-alarm.html",
    },
    Switch {
        resource_type: "AWS::CloudWatch::CompositeAlarm",
        pointer: "/ActionsEnabled",
        is_off: |value| value.is_some_and(|value| !is_on(Some(value)) && !value.is_object()),
        says: "nobody is told of the alarm any more",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudwatch-compositealarm.html",
    },
    Switch {
        resource_type: "AWS::Events::Rule",
        pointer: "/State",
        is_off: |value| is(value, "DISABLED"),
        says: "no event triggers its targets any more",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html",
    },
    Switch {
        resource_type: "AWS::IoT::TopicRule",
        pointer: "/TopicRulePayload/RuleDisabled",
        is_off: is_on,
        says: "no message triggers its actions any more",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iot-topicrule.html",
    },
    Switch {
        resource_type: "AWS::KMS::Key",
        pointer: "/Enabled",
        is_off: |value| value.is_some_and(|value| !is_on(Some(value)) && !value.is_object()),
        says: "what it encrypts cannot be read while it is disabled",
        source: "https://docs.aws.amazon.com/kms/latest/developerguide/enabling-keys.html",
    },
    Switch {
        resource_type: "AWS::Lambda::EventSourceMapping",
        pointer: "/Enabled",
        is_off: |value| value.is_some_and(|value| !is_on(Some(value)) && !value.is_object()),
        says: "the function gets no more of its events",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html",
    },
    Switch {
        resource_type: "AWS::Lambda::Function",
        pointer: "/ReservedConcurrentExecutions",
        is_off: |value| number(value) == Some(0.0),
        says: "no call of the function is let through",
        source: "https://docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html",
    },
    Switch {
        resource_type: "AWS::Pipes::Pipe",
        pointer: "/DesiredState",
        is_off: |value| is(value, "STOPPED"),
        says: "nothing flows through the pipe any more",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-pipes-pipe.html",
    },
    Switch {
        resource_type: "AWS::SNS::Topic",
        pointer: "/ContentBasedDeduplication",
        is_off: |value| !is_on(value),
        says: "who publishes without an id of deduplication is refused",
        source: "https://docs.aws.amazon.com/sns/latest/api/API_Publish.html",
    },
    Switch {
        resource_type: "AWS::SQS::Queue",
        pointer: "/ContentBasedDeduplication",
        is_off: |value| !is_on(value),
        says: "who sends without an id of deduplication is refused",
        source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessage.html",
    },
    Switch {
        resource_type: "AWS::SQS::Queue",
        pointer: "/RedrivePolicy",
        is_off: |value| value.is_none(),
        says: "messages that fail again and again are no longer set aside: they come back until they expire",
        source: "https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-dead-letter-queues.html",
    },
    Switch {
        resource_type: "AWS::Scheduler::Schedule",
        pointer: "/State",
        is_off: |value| is(value, "DISABLED"),
        says: "its target is no longer invoked",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-scheduler-schedule.html",
    },
];
