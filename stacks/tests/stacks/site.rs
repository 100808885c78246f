//! What the sites of the systems promise, stated apart from their goldens.

use serde_json::{Value, json};
use stack_model::Assembly;
use stack_model::assembly::StackManifest;

use crate::golden::{stage, synth};

fn assembly(variables: &Value) -> Assembly {
    synth(stage("dev", false, variables))
}

fn stack<'a>(assembly: &'a Assembly, id: &str) -> Option<&'a StackManifest> {
    assembly
        .manifest()
        .stacks
        .iter()
        .find(|stack| stack.id == id)
}

fn template(assembly: &Assembly, id: &str) -> Value {
    serde_json::from_str(assembly.template(id).unwrap()).unwrap()
}

fn domain(name: &str) -> Value {
    json!({"site": {"domain": {"name": name, "zone": "example.com", "zone_id": "Z0123456789ABCDEFGHIJ"}}})
}

#[test]
fn nobody_but_the_distribution_reads_the_pages() {
    let assembly = assembly(&json!({}));
    for id in ["visitors-site", "photos-site"] {
        let template = template(&assembly, id);
        let resources = &template["Resources"];
        let block = &resources["Pages"]["Properties"]["PublicAccessBlockConfiguration"];
        let block: Vec<_> = block.as_object().unwrap().values().collect();
        assert_eq!(block, [&json!(true); 4]);
        let statements = &resources["PagesPolicy"]["Properties"]["PolicyDocument"]["Statement"];
        let allowed: Vec<&Value> = statements
            .as_array()
            .unwrap()
            .iter()
            .filter(|statement| statement["Effect"] == "Allow")
            .collect();
        let arn = "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/${Site.Id}";
        assert_eq!(
            allowed,
            [&json!({
                "Effect": "Allow",
                "Principal": {"Service": "cloudfront.amazonaws.com"},
                "Action": "s3:GetObject",
                "Resource": {"Fn::Sub": "${Pages.Arn}/*"},
                "Condition": {"StringEquals": {"AWS:SourceArn": {"Fn::Sub": arn}}},
            })]
        );
        let site = &resources["Site"]["Properties"]["DistributionConfig"];
        let origin = &site["Origins"][0];
        assert_eq!(
            origin["OriginAccessControlId"],
            json!({"Fn::GetAtt": ["SitePagesAccess", "Id"]})
        );
        assert_eq!(site["DefaultRootObject"], "index.html");
        let behavior = &site["DefaultCacheBehavior"];
        assert_eq!(behavior["ViewerProtocolPolicy"], "redirect-to-https");
        // The managed policy `SecurityHeadersPolicy`.
        assert_eq!(
            behavior["ResponseHeadersPolicyId"],
            "67f7725c-6f97-4210-82d7-5512b31e9d03"
        );
        let class = (id == "photos-site").then(|| json!("PriceClass_100"));
        assert_eq!(site.get("PriceClass"), class.as_ref());
    }
}

#[test]
fn a_site_without_a_domain_is_at_cloudfront_alone() {
    let assembly = assembly(&json!({}));
    for system in ["visitors", "photos"] {
        assert_eq!(
            stack(&assembly, &format!("{system}-site-certificate")),
            None
        );
        let template = template(&assembly, &format!("{system}-site"));
        let resources = template["Resources"].as_object().unwrap();
        let ids: Vec<&str> = resources.keys().map(String::as_str).collect();
        assert_eq!(ids, ["Pages", "PagesPolicy", "Site", "SitePagesAccess"]);
        let site = &template["Resources"]["Site"]["Properties"]["DistributionConfig"];
        assert_eq!(site.get("Aliases"), None);
        assert_eq!(template["Outputs"].get("CustomUrl"), None);
    }
}

/// Exports end at the border of a region: the deployer carries the ARN of the certificate over it.
#[test]
fn the_certificate_stands_in_the_region_that_cloudfront_takes_it_from() {
    let mut photos = domain("photos.example.com");
    photos["region"] = json!("us-west-2");
    let assembly = assembly(&json!({ "photos": photos }));
    let certificate = stack(&assembly, "photos-site-certificate").unwrap();
    assert_eq!(certificate.region.as_deref(), Some("us-east-1"));
    let site = stack(&assembly, "photos-site").unwrap();
    assert_eq!(site.region.as_deref(), Some("us-west-2"));
    assert_eq!(site.depends_on, ["photos-site-certificate-dev"]);
    let (parameter, reference) = site.references.first_key_value().unwrap();
    assert_eq!(
        (reference.stack.as_str(), reference.region.as_str()),
        ("photos-site-certificate-dev", "us-east-1")
    );
    let template = template(&assembly, "photos-site");
    let resources = &template["Resources"];
    let config = &resources["Site"]["Properties"]["DistributionConfig"];
    assert_eq!(
        config["ViewerCertificate"]["AcmCertificateArn"],
        json!({ "Ref": parameter })
    );
    assert_eq!(config["Aliases"], json!(["photos.example.com"]));
    for (id, kind) in [("SiteAliasA", "A"), ("SiteAliasAaaa", "AAAA")] {
        let record = &resources[id]["Properties"];
        assert_eq!(
            (&record["Name"], &record["Type"]),
            (&json!("photos.example.com"), &json!(kind))
        );
        assert_eq!(
            record["AliasTarget"]["DNSName"],
            json!({"Fn::GetAtt": ["Site", "DomainName"]})
        );
    }
}

#[test]
fn a_site_in_the_same_region_takes_the_certificate_as_an_export() {
    let assembly = assembly(&json!({ "visitors": domain("example.com") }));
    let site = stack(&assembly, "visitors-site").unwrap();
    assert_eq!(site.depends_on, ["visitors-site-certificate-dev"]);
    assert!(site.references.is_empty());
}

#[test]
fn the_pages_of_a_system_are_in_a_folder_that_a_stage_may_replace() {
    let other = json!({ "visitors": {"site": {"content": "sites/visitors"}} });
    for (variables, folder) in [
        (json!({}), "stacks/content/visitors"),
        (other, "sites/visitors"),
    ] {
        let assembly = assembly(&variables);
        let contents = &stack(&assembly, "visitors-site").unwrap().contents;
        let content = &contents["PagesContent"];
        assert_eq!(
            (content.folder.as_str(), content.bucket.as_str()),
            (folder, "Pages")
        );
        assert_eq!(content.invalidate.as_deref(), Some("Site"));
    }
}
