//! Whether what the index of tags names is there: the index lags, and names for a while what is gone.

use std::collections::BTreeSet;

use super::{Evidence, Survivor};
use crate::aws::{AwsError, signed::suffix};
use crate::engine::{
    Context, LiveResource, Retained,
    inspect::DeployedResource,
    live::{self, Presence},
};

/// Looks at what was found by its tags, each with the region in whose index it stands. What is gone for sure is left out, and what
/// is there is found by more than its tags. Returns the rest as it was, and why nobody knows of some of it.
pub(super) async fn sift(
    context: &Context,
    found: Vec<(String, Survivor)>,
) -> (Vec<Survivor>, Option<AwsError>) {
    let known = |(index, survivor): &(String, Survivor)| resource(&survivor.arn, index);
    let asked: BTreeSet<LiveResource> = found.iter().filter_map(known).collect();
    let (present, unknown) = live::presence(context, &asked).await;
    let sifted = found.into_iter().filter_map(|found| {
        let resource = known(&found);
        let (_, mut survivor) = found;
        let presence = resource.as_ref().and_then(|it| present.get(it));
        match (resource, presence) {
            (_, Some(Presence::Gone)) => return None,
            (Some(resource), Some(Presence::There)) => {
                survivor.evidence = there(context, resource);
            }
            _ => {}
        }
        Some(survivor)
    });
    (sifted.collect(), unknown)
}

fn there(context: &Context, (region, resource_type, physical_id): LiveResource) -> Evidence {
    let resource = DeployedResource {
        logical_id: String::new(),
        resource_type,
        physical_id,
    };
    let retained = Retained::new(&context.in_region(Some(&region)), &resource);
    Evidence::There {
        remark: retained.remark(),
        remove: retained.remove,
    }
}

/// Returns the resource that an ARN names, where its form tells the type and how CloudFormation calls the resource
/// (<https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html>).
///
/// A key and a secret are not among them: they are there for days after they were deleted.
fn resource(arn: &str, index: &str) -> Option<LiveResource> {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    let ["arn", _, service, region, account, rest] = parts.as_slice() else {
        return None;
    };
    let name = |prefix: &str| {
        let name = rest.strip_prefix(prefix)?;
        (!name.is_empty() && !name.contains(['/', ':'])).then(|| name.to_owned())
    };
    let (resource_type, physical_id) = match *service {
        "s3" => ("AWS::S3::Bucket", name("")?),
        "dynamodb" => ("AWS::DynamoDB::Table", name("table/")?),
        "sqs" => {
            let name = name("")?;
            let host = suffix(region);
            let url = format!("https://sqs.{region}.{host}/{account}/{name}");
            ("AWS::SQS::Queue", url)
        }
        "sns" => name("").map(|_| ("AWS::SNS::Topic", arn.to_owned()))?,
        "lambda" => ("AWS::Lambda::Function", name("function:")?),
        "kinesis" => ("AWS::Kinesis::Stream", name("stream/")?),
        "cognito-idp" => ("AWS::Cognito::UserPool", name("userpool/")?),
        "events" => ("AWS::Events::EventBus", name("event-bus/")?),
        "route53" => ("AWS::Route53::HostedZone", name("hostedzone/")?),
        "apigateway" => ("AWS::ApiGateway::RestApi", name("/restapis/")?),
        "logs" => {
            let group = rest.strip_prefix("log-group:")?.trim_end_matches(":*");
            let plain = !group.is_empty() && !group.contains(':');
            ("AWS::Logs::LogGroup", plain.then(|| group.to_owned())?)
        }
        _ => return None,
    };
    // What is in no region has none in its ARN, nor has a bucket.
    let region = if region.is_empty() { index } else { region };
    Some((region.to_owned(), resource_type.to_owned(), physical_id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_tells_what_it_is_of_where_its_form_does() {
        let here = "eu-central-1";
        let of = |rest: &str| {
            let found = resource(&format!("arn:aws:{rest}"), here)?;
            let (region, resource_type, physical_id) = found;
            assert_eq!(region, here, "{rest}");
            Some(format!("{resource_type} {physical_id}"))
        };
        for (rest, expected) in [
            ("s3:::uploads-1", "AWS::S3::Bucket uploads-1"),
            (
                "dynamodb:eu-central-1:1:table/orders",
                "AWS::DynamoDB::Table orders",
            ),
            (
                "sqs:eu-central-1:1:q",
                "AWS::SQS::Queue https://sqs.eu-central-1.amazonaws.com/1/q",
            ),
            (
                "sns:eu-central-1:1:t",
                "AWS::SNS::Topic arn:aws:sns:eu-central-1:1:t",
            ),
            (
                "lambda:eu-central-1:1:function:f",
                "AWS::Lambda::Function f",
            ),
            ("kinesis:eu-central-1:1:stream/s", "AWS::Kinesis::Stream s"),
            (
                "cognito-idp:eu-central-1:1:userpool/eu-central-1_a",
                "AWS::Cognito::UserPool eu-central-1_a",
            ),
            (
                "events:eu-central-1:1:event-bus/orders",
                "AWS::Events::EventBus orders",
            ),
            ("route53:::hostedzone/Z1", "AWS::Route53::HostedZone Z1"),
            (
                "apigateway:eu-central-1::/restapis/a1",
                "AWS::ApiGateway::RestApi a1",
            ),
            (
                "logs:eu-central-1:1:log-group:/aws/lambda/f:*",
                "AWS::Logs::LogGroup /aws/lambda/f",
            ),
        ] {
            assert_eq!(of(rest).as_deref(), Some(expected));
        }
        for rest in [
            "s3:::uploads-1/key",
            "dynamodb:eu-central-1:1:table/orders/index/by-day",
            "lambda:eu-central-1:1:function:f:3",
            "lambda:eu-central-1:1:event-source-mapping:0a1b",
            "sns:eu-central-1:1:t:0a1b",
            "apigateway:eu-central-1::/restapis/a1/stages/live",
            "kms:eu-central-1:1:key/0a1b",
            "secretsmanager:eu-central-1:1:secret:s-0a1b",
            "logs:eu-central-1:1:log-group:",
        ] {
            assert_eq!(of(rest), None, "{rest}");
        }
        assert_eq!(resource("uploads-1", here), None);
    }
}
