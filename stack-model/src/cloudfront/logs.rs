//! Logs of requests.

use std::panic::Location;

use stack_model_cfn::logs as cfn;
use stack_model_cfn::{Pseudo, Token};

use super::DistributionRef;
use crate::acm::EDGE_REGION;
use crate::handle::{Handle, ResourceRef};
use crate::logs::LogGroupRef;
use crate::policy::{Principal, Statement};
use crate::resource::Resource;
use crate::s3::BucketRef;
use crate::stack::Stack;
use crate::text;

/// Where the requests of a distribution are logged.
#[derive(Clone, Copy, Debug)]
pub enum LogDestination<'a> {
    /// In a log group of this stack, as JSON.
    Group(&'a LogGroupRef),
    /// In a bucket of this stack, as JSON, below `AWSLogs/`.
    Bucket(&'a BucketRef),
}

impl Stack<'_> {
    /// Logs the requests of a distribution, with the children `<Id>Source` and `<Id>Destination`.
    ///
    /// The stack stands in `us-east-1`, as everything does that CloudFront logs with. See
    /// <https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/standard-logging.html>.
    #[track_caller]
    pub fn distribution_logs(
        &mut self,
        logical_id: &str,
        distribution: &DistributionRef,
        destination: LogDestination<'_>,
    ) -> ResourceRef {
        let source = Location::caller();
        if self.region() != EDGE_REGION {
            let message = format!(
                "CloudFront logs from {EDGE_REGION} and this stack is in {}: put the logs into a stack of their own with `stack.in_region(\"{EDGE_REGION}\")`",
                self.region()
            );
            self.report(logical_id, None, message, source);
        }
        let from = cfn::DeliverySource {
            log_type: "ACCESS_LOGS".into(),
            name: text!("{}-{}", self.name(), logical_id).into(),
            resource_arn: distribution.arn().into_text().into(),
            ..cfn::DeliverySource::default()
        };
        let from = self.insert(&format!("{logical_id}Source"), Resource::of(&from, source));
        let (to_arn, policy) = match destination {
            // The group's own policy is made by the service, which asks for the caller's rights alone.
            LogDestination::Group(group) => (group.plain_arn(), None),
            LogDestination::Bucket(bucket) => {
                let account = Token::Pseudo(Pseudo::AccountId);
                let write = Statement::allow(["s3:PutObject"])
                    .to(Principal::Service("delivery.logs.amazonaws.com".to_owned()))
                    .on(text!("{}/AWSLogs/{}/*", bucket.arn(), Pseudo::AccountId))
                    .when("StringEquals", "aws:SourceAccount", account)
                    .because("the names of log files are made at run time");
                self.attach_bucket_policy(bucket, [write], source);
                let policy = format!("{}Policy", bucket.resource_id().logical_id());
                (bucket.arn().into_text(), Some(self.resource_ref(&policy)))
            }
        };
        let to = cfn::DeliveryDestination {
            destination_resource_arn: to_arn.into(),
            name: text!("{}-{}", self.name(), logical_id).into(),
            output_format: "json".into(),
            ..cfn::DeliveryDestination::default()
        };
        let to = self.insert(
            &format!("{logical_id}Destination"),
            Resource::of(&to, source),
        );
        let delivery = cfn::Delivery {
            delivery_destination_arn: to.attribute("Arn").into(),
            delivery_source_name: from.reference().into(),
            ..cfn::Delivery::default()
        };
        let mut delivery = Resource::of(&delivery, source);
        delivery.depends_on.extend(policy.map(|policy| policy.id));
        self.insert(logical_id, delivery)
    }
}
