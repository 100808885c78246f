//! The sites: pages that come into a private bucket, change, and go.
//!
//! The engine has no edge locations, so that what CloudFront would serve is looked at in the bucket and in what the
//! services say of each other.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use system_tests::account::{Account, Inventory, texts};
use system_tests::sandbox::{Outputs, Sandbox};
use tempfile::TempDir;

use crate::{repository, shipped};

/// The domain of the site.
const DOMAIN: &str = "dev.pics2.example.com";

/// The hosted zone in which the domain lies, which somebody else keeps.
const ZONE: &str = "Z0123456789ABCDEFGHIJ";

const DEPLOY: [&str; 5] = ["deploy", "*-site*", "--stage", "dev", "--local"];

/// A folder of pages in the workspace, out of sight of its repository.
struct Pages {
    directory: TempDir,
}

impl Pages {
    fn new() -> Self {
        let ignored = repository().join("target");
        fs::create_dir_all(&ignored).expect("the directory can be made");
        let directory = TempDir::with_prefix_in("stackctl-pages-", ignored);
        let pages = Self {
            directory: directory.expect("a directory can be made"),
        };
        pages.write("index.html", "<!doctype html><title>One</title>");
        pages.write("404.html", "<!doctype html><title>None</title>");
        pages.write("parts/look.css", "main { margin: auto }");
        pages
    }

    fn path(&self, file: &str) -> PathBuf {
        self.directory.path().join(file)
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path(file);
        let above = path.parent().expect("it lies in the folder");
        fs::create_dir_all(above).expect("the directory can be made");
        fs::write(path, text).expect("the file can be written");
    }

    /// Returns the folder as a stage names it.
    fn folder(&self) -> String {
        let folder = self.directory.path().strip_prefix(repository());
        folder
            .map(Path::to_string_lossy)
            .expect("it lies in the workspace")
            .into_owned()
    }
}

/// The site of visitors is in the region of the stage and has no domain; that of photos is in another one and has one.
fn config(visitors: &Pages) -> String {
    format!(
        r#"
[stages.dev]
region = "us-east-1"

[stages.dev.variables.visitors.site]
content = "{}"

[stages.dev.variables.photos]
region = "us-west-2"
site.domain = {{ name = "{DOMAIN}", zone = "pics2.example.com", zone_id = "{ZONE}" }}
"#,
        visitors.folder()
    )
}

#[test]
fn sites_come_change_and_go() {
    let pages = Pages::new();
    let sandbox = shipped(&config(&pages));
    let account = sandbox.account();
    let west = account.in_region("us-west-2");
    let before = (everything(&account), everything(&west));

    sandbox.succeed(&DEPLOY);
    let outputs = sandbox.outputs("*-site*");
    let visitors = outputs.text("visitors-site-dev", "BucketName");
    let photos = outputs.text("photos-site-dev", "BucketName");

    objects_say_what_they_are(&account, &visitors);
    shipped_pages_are_complete(&west, &photos);
    the_certificate_of_another_region_serves(&account, &outputs);
    a_deploy_without_changes_writes_nothing(&sandbox, &account, &visitors);
    changes_are_uploaded_and_removals_deleted(&sandbox, &account, &visitors, &pages);
    a_lost_object_comes_back(&sandbox, &account, &visitors);

    sandbox.destroy(&["*-site*"]);
    assert_eq!((everything(&account), everything(&west)), before);
}

fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

fn objects_say_what_they_are(account: &Account, bucket: &str) {
    let keys: Vec<String> = account.objects(bucket).into_keys().collect();
    assert_eq!(keys, ["404.html", "index.html", "parts/look.css"]);
    for (key, content_type, body) in [
        (
            "index.html",
            "text/html; charset=utf-8",
            "<!doctype html><title>One</title>",
        ),
        (
            "parts/look.css",
            "text/css; charset=utf-8",
            "main { margin: auto }",
        ),
    ] {
        let object = account.get("s3", &format!("/{bucket}/{key}"));
        assert_eq!(object.status, 200, "{object:?}");
        assert_eq!(object.body, body);
        assert_eq!(object.header("content-type"), Some(content_type));
        assert_eq!(object.header("cache-control"), Some("public, max-age=300"));
        let fingerprint = object.header("x-amz-meta-stackctl-fingerprint");
        assert_eq!(fingerprint.map(str::len), Some(64), "{object:?}");
    }
}

/// The folder that ships is what the bucket holds.
fn shipped_pages_are_complete(account: &Account, bucket: &str) {
    let folder = repository().join("stacks/content/photos");
    let mut files: Vec<String> = fs::read_dir(folder)
        .expect("there is a folder")
        .map(|entry| entry.expect("it can be listed").file_name())
        .map(|name| name.into_string().expect("it is a text"))
        .collect();
    files.sort();
    assert!(files.contains(&"index.html".to_owned()), "{files:?}");
    let keys: Vec<String> = account.objects(bucket).into_keys().collect();
    assert_eq!(keys, files);
}

/// The ARN comes from the stack in the one region to that in the other, and the name leads to the distribution.
fn the_certificate_of_another_region_serves(account: &Account, outputs: &Outputs) {
    let certificates = account.call("acm", "CertificateManager.ListCertificates", &json!({}));
    let certificate = &certificates["CertificateSummaryList"][0];
    assert_eq!(certificate["DomainName"], DOMAIN, "{certificates}");
    let arn = text(&certificate["CertificateArn"]);
    assert!(arn.contains(":acm:us-east-1:"), "{arn}");

    let id = outputs.text("photos-site-dev", "DistributionId");
    let path = format!("/2020-05-31/distribution/{id}");
    let distribution = account.get("cloudfront", &path).body;
    assert_eq!(texts(&distribution, "ACMCertificateArn"), [arn]);
    assert!(
        distribution.contains(&format!("<CNAME>{DOMAIN}</CNAME>")),
        "{distribution}"
    );
    assert_eq!(texts(&distribution, "PriceClass"), ["PriceClass_100"]);

    let host = texts(&distribution, "DomainName");
    let host = host.iter().find(|name| name.ends_with(".cloudfront.net"));
    let host = host.expect("the distribution has a name");
    assert_eq!(
        outputs.text("photos-site-dev", "SiteUrl"),
        format!("https://{host}")
    );
    let path = format!("/2013-04-01/hostedzone/{ZONE}/rrset");
    let records = account.get("route53", &path).body;
    for kind in ["A", "AAAA"] {
        let alias = texts(&records, "ResourceRecordSet")
            .into_iter()
            .find(|record| {
                record.contains(&format!("<Name>{DOMAIN}.</Name>"))
                    && record.contains(&format!("<Type>{kind}</Type>"))
            })
            .unwrap_or_else(|| panic!("no record {kind} in {records}"));
        assert!(alias.contains(host), "{alias}");
    }
}

fn a_deploy_without_changes_writes_nothing(sandbox: &Sandbox, account: &Account, bucket: &str) {
    let before = (account.objects(bucket), invalidations(sandbox, account));
    let run = sandbox.succeed(&DEPLOY);
    assert!(!run.stderr.contains("added"), "{run:?}");
    let after = (account.objects(bucket), invalidations(sandbox, account));
    assert_eq!(after, before);
}

fn changes_are_uploaded_and_removals_deleted(
    sandbox: &Sandbox,
    account: &Account,
    bucket: &str,
    pages: &Pages,
) {
    let (before, forgotten) = (account.objects(bucket), invalidations(sandbox, account));
    pages.write("index.html", "<!doctype html><title>Two</title>");
    pages.write("parts/new.js", "export const two = 2;");
    fs::remove_file(pages.path("parts/look.css")).expect("it can be removed");
    let diff = sandbox.succeed(&["diff", "visitors-site", "--stage", "dev", "--local"]);
    for what in ["added to", "changed in", "removed from"] {
        let line = format!("  1 file {what} PagesContent");
        assert!(diff.stdout.contains(&line), "{diff:?}");
    }
    assert_eq!(account.objects(bucket), before, "a diff changes nothing");

    sandbox.succeed(&DEPLOY);
    let after = account.objects(bucket);
    let keys: Vec<&str> = after.keys().map(String::as_str).collect();
    assert_eq!(keys, ["404.html", "index.html", "parts/new.js"]);
    assert_eq!(after["404.html"], before["404.html"], "written again");
    let index = account.get("s3", &format!("/{bucket}/index.html"));
    assert_eq!(index.body, "<!doctype html><title>Two</title>");
    let script = account.get("s3", &format!("/{bucket}/parts/new.js"));
    assert_eq!(
        script.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
    assert_eq!(invalidations(sandbox, account), forgotten + 1);
}

/// Somebody deletes an object by hand.
fn a_lost_object_comes_back(sandbox: &Sandbox, account: &Account, bucket: &str) {
    let path = format!("/{bucket}/404.html");
    let answer = account.request("s3", "DELETE", &path, &[], "");
    assert_eq!(answer.status, 204, "{answer:?}");
    sandbox.succeed(&DEPLOY);
    assert_eq!(account.get("s3", &path).status, 200);
}

/// Returns how often the distribution of visitors was told to forget something.
fn invalidations(sandbox: &Sandbox, account: &Account) -> usize {
    let outputs = sandbox.outputs("visitors-site");
    let id = outputs.text("visitors-site-dev", "DistributionId");
    let path = format!("/2020-05-31/distribution/{id}/invalidation");
    texts(
        &account.get("cloudfront", &path).body,
        "InvalidationSummary",
    )
    .len()
}

/// Returns what the sites could leave behind.
fn everything(account: &Account) -> Inventory {
    let mut all = account.inventory_of_systems();
    for (kind, path, tag) in [
        ("distributions", "distribution", "Id"),
        ("origin access controls", "origin-access-control", "Id"),
    ] {
        let answer = account.get("cloudfront", &format!("/2020-05-31/{path}"));
        assert_eq!(answer.status, 200, "{answer:?}");
        all.insert(kind, texts(&answer.body, tag));
    }
    let certificates = account.call("acm", "CertificateManager.ListCertificates", &json!({}));
    let certificates = certificates["CertificateSummaryList"].as_array().cloned();
    let arns = certificates.unwrap_or_default();
    let arns = arns.iter().map(|it| text(&it["CertificateArn"]));
    all.insert("certificates", arns.collect());
    all
}
