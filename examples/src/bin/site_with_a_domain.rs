//! A folder of the workspace as a site: a private bucket behind CloudFront, under a domain of one's own. The certificate
//! stands in the one region from which CloudFront takes it.

use std::process::ExitCode;

use stack_model::acm::CertificateProps;
use stack_model::cloudfront::{Behavior, DistributionProps, ErrorPage, SiteDomains};
use stack_model::route53::{AliasTarget, HostedZoneRef};
use stack_model::s3::{BucketProps, Content};

fn main() -> ExitCode {
    examples::print(|app| {
        let zone = HostedZoneRef::existing("Z0123456789ABCDEFGHIJ", "example.com");
        let name = "www.example.com";
        let certificate = {
            let mut stack = app.stack("site-certificate");
            stack.in_region("us-east-1");
            stack.certificate("Certificate", CertificateProps::new(name, &zone))
        };

        let mut stack = app.stack("site");
        let pages = stack.bucket("Pages", BucketProps::default());
        let mut props = DistributionProps::new(Behavior::of_bucket(&pages));
        props.domains = Some(SiteDomains::new([name], &certificate));
        props.error_pages = vec![ErrorPage::show(403, 404, "/404.html")];
        let site = stack.distribution("Site", props);
        stack.alias("SiteAlias", &zone, name, AliasTarget::distribution(&site));
        // The deployer fills the bucket once the stack is there, and has CloudFront forget what changed.
        let folder = Content::folder("examples/site").refreshing(&site);
        stack.bucket_content("PagesContent", &pages, folder);
        stack.output("SiteUrl", site.url());
    })
}
