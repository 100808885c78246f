//! The site of a system: pages in a private bucket, which CloudFront serves.

use serde::Deserialize;
use stack_model::acm::{CertificateProps, CertificateRef, EDGE_REGION};
use stack_model::cloudfront::{Behavior, DistributionProps, ErrorPage, PriceClass, SiteDomains};
use stack_model::route53::{AliasTarget, HostedZoneRef};
use stack_model::s3::{BucketProps, Content};
use stack_model::{App, Stack};

/// What a stage decides about the site of a system, in the table `site` of the system's variables.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct SiteVariables {
    /// The folder of the pages, where it is not `stacks/content/<system>`.
    content: Option<String>,
    /// The domain of the site; the name that CloudFront makes up is all there is by default.
    domain: Option<SiteDomain>,
}

/// A domain of one's own.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SiteDomain {
    /// The name, such as `www.example.com`, or `example.com` itself.
    name: String,
    /// The domain of the hosted zone that the name lies in.
    zone: String,
    /// The id of the hosted zone.
    zone_id: String,
}

/// What the sites of the systems do not have in common.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Site<'a> {
    /// The system, whose name the names of the stacks begin with.
    pub(crate) system: &'a str,
    /// What the site shows, as the description of its stack.
    pub(crate) description: &'a str,
    /// The region of the system, where it is not that of the stage.
    pub(crate) region: Option<&'a str>,
    /// From where callers are answered.
    pub(crate) price_class: PriceClass,
}

impl Site<'_> {
    /// Adds the stack `<system>-site`, and before it `<system>-site-certificate` where the stage has a domain for the
    /// site.
    ///
    /// CloudFront takes certificates of one region only, wherever the rest of the site is, so that the certificate
    /// has a stack of its own there.
    pub(crate) fn describe(self, app: &mut App, variables: &SiteVariables) {
        let system = self.system;
        let domain = variables.domain.as_ref().map(|domain| {
            let zone = HostedZoneRef::existing(domain.zone_id.as_str(), domain.zone.as_str());
            let mut stack = app.stack(&format!("{system}-site-certificate"));
            stack.describe(format!("The certificate of the site of {system}"));
            stack.in_region(EDGE_REGION);
            let certificate =
                stack.certificate("Certificate", CertificateProps::new(&domain.name, &zone));
            (domain.name.as_str(), zone, certificate)
        });

        let mut stack = app.stack(&format!("{system}-site"));
        stack.describe(self.description);
        if let Some(region) = self.region {
            stack.in_region(region);
        }
        let folder = variables.content.clone();
        let folder = folder.unwrap_or_else(|| format!("stacks/content/{system}"));
        self.serve(&mut stack, &folder, domain);
    }

    fn serve(
        self,
        stack: &mut Stack<'_>,
        folder: &str,
        domain: Option<(&str, HostedZoneRef, CertificateRef)>,
    ) {
        // The pages stand in the repository, earlier ones too.
        let pages = stack.bucket(
            "Pages",
            BucketProps {
                versioned: Some(false),
                ..BucketProps::default()
            },
        );
        let mut props = DistributionProps::new(Behavior::of_bucket(&pages));
        props.comment = Some(format!(
            "The site of {}, stage {}",
            self.system,
            stack.stage().name()
        ));
        // CloudFront may not list the bucket, so S3 answers it 403 for what is not there.
        props.error_pages = vec![ErrorPage::show(403, 404, "/404.html")];
        props.price_class = self.price_class;
        props.domains = domain
            .as_ref()
            .map(|(name, _, certificate)| SiteDomains::new([*name], certificate));
        let site = stack.distribution("Site", props);
        // The names of the files stay the same when they change, so that nobody may keep them for long.
        let content = Content::folder(folder)
            .cache("**", "public, max-age=300")
            .refreshing(&site);
        stack.bucket_content("PagesContent", &pages, content);

        stack
            .output("SiteUrl", site.url())
            .description("Where CloudFront serves the site");
        if let Some((name, zone, _)) = domain {
            stack.alias("SiteAlias", &zone, name, AliasTarget::distribution(&site));
            stack
                .output("CustomUrl", format!("https://{name}"))
                .description("The same under a domain of one's own");
        }
        stack
            .output("BucketName", pages.name())
            .description("The bucket of the pages, which nobody but CloudFront reads");
        stack
            .output("DistributionId", site.distribution_id())
            .description("The id of the distribution");
    }
}
