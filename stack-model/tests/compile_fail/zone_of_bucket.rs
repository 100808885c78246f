//! A bucket, where what a name stands for belongs: the website of a bucket is served by a distribution.

use stack_model::Stack;
use stack_model::route53::HostedZoneRef;
use stack_model::s3::BucketRef;

fn publish(stack: &mut Stack<'_>, zone: &HostedZoneRef, site: &BucketRef) {
    stack.alias("Site", zone, "www.example.com", site);
}

fn main() {}
