//! The photos system: deployed, used by two people in both ways of proving who they are, removed.

mod objects;
mod people;
mod rekognition;
mod rows;

use std::collections::BTreeMap;

use serde_json::Value;
use system_tests::account::Account;
use system_tests::sandbox::Sandbox;

use self::people::Person;
use crate::shipped;

/// The domain of the API, where it has one.
const DOMAIN: &str = "dev.api.pics2.example.com";

/// The hosted zone in which the domain lies, which somebody else keeps.
const ZONE: &str = "Z0123456789ABCDEFGHIJ";

/// The deployed system.
struct Deployed {
    /// The account in the region of the system, as its administrator sees it.
    account: Account,
    region: &'static str,
    url: String,
    table: String,
    bucket: String,
    unlabelled_queue_url: String,
    user_pool: String,
    user_pool_client: String,
    identity_pool: String,
}

/// Returns the configuration of a stage with variables of photos.
fn config(variables: &str) -> String {
    format!("[stages.dev]\nregion = \"us-east-1\"\n\n[stages.dev.variables.photos]\n{variables}\n")
}

/// Deploys the three stacks, and returns what the tool says that was deployed.
fn deploy(sandbox: &Sandbox, region: &'static str) -> Deployed {
    sandbox.succeed(&["deploy", "photos-*", "--stage", "dev", "--local"]);
    let outputs = outputs(sandbox);
    let output = |stack: &str, key: &str| text(&outputs[format!("photos-{stack}-dev")][key]);
    Deployed {
        account: sandbox.account().in_region(region),
        region,
        url: output("api", "ApiUrl"),
        table: output("data", "TableName"),
        bucket: output("data", "BucketName"),
        unlabelled_queue_url: output("data", "UnlabelledQueueUrl"),
        user_pool: output("identity", "UserPoolId"),
        user_pool_client: output("identity", "UserPoolClientId"),
        identity_pool: output("identity", "IdentityPoolId"),
    }
}

fn outputs(sandbox: &Sandbox) -> Value {
    let verb = ["outputs", "photos-*", "--stage", "dev", "--local", "--json"];
    sandbox.succeed(&verb).json()
}

fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

/// Callers sign their requests, in a region that is not the stage's.
#[test]
fn signed_requests_work_from_the_first_deploy_to_nothing_left() {
    let sandbox = shipped(&config("authorization = \"iam\"\nregion = \"us-west-2\""));
    let account = sandbox.account().in_region("us-west-2");
    let before = account.inventory();
    let system = deploy(&sandbox, "us-west-2");

    rows::signed(&system);
    objects::are_labelled(&system, Person::sign, |person| &person.identity);

    sandbox.succeed(&["destroy", "photos-*", "--stage", "dev", "--local"]);
    leaves_nothing(&account, &before);
}

/// Callers send a token, and the API answers at a domain of its own too.
#[test]
fn tokens_work_from_the_first_deploy_to_nothing_left() {
    let sandbox = shipped(&config(&format!(
        "authorization = \"user-pool\"\ndomain = {{ name = \"{DOMAIN}\", zone = \"pics2.example.com\", \
         zone_id = \"{ZONE}\" }}"
    )));
    let account = sandbox.account();
    let before = account.inventory();
    let system = deploy(&sandbox, "us-east-1");

    rows::with_token(&system);
    objects::are_labelled(&system, Person::show_token, |person| &person.subject);
    answers_at_its_domain(&sandbox, &system);

    sandbox.succeed(&["destroy", "photos-*", "--stage", "dev", "--local"]);
    leaves_nothing(&account, &before);
}

/// The domain is mapped to the stage of the API, and its name leads there. No name of this machine leads to the engine,
/// so what the services say of the domain has to do.
fn answers_at_its_domain(sandbox: &Sandbox, system: &Deployed) {
    let outputs = outputs(sandbox);
    assert_eq!(
        outputs["photos-api-dev"]["DomainUrl"],
        format!("https://{DOMAIN}/photos")
    );
    let account = &system.account;
    let domain = account
        .get("apigateway", &format!("/domainnames/{DOMAIN}"))
        .json();
    assert_eq!(domain["endpointConfiguration"]["types"][0], "REGIONAL");
    assert_eq!(domain["securityPolicy"], "TLS_1_2");
    let certificate = text(&domain["regionalCertificateArn"]);
    assert!(
        certificate.contains(&format!(":acm:{}:", system.region)),
        "{certificate}"
    );
    let mappings = account
        .get(
            "apigateway",
            &format!("/domainnames/{DOMAIN}/basepathmappings"),
        )
        .json();
    let mapping = &mappings["item"][0];
    assert_eq!(mapping["stage"], "dev", "{mappings}");
    assert!(
        system.url.contains(&text(&mapping["restApiId"])),
        "{mappings}"
    );
    let records = account
        .get("route53", &format!("/2013-04-01/hostedzone/{ZONE}/rrset"))
        .body;
    let target = text(&domain["regionalDomainName"]);
    let alias = records
        .split("<ResourceRecordSet>")
        .find(|record| {
            record.contains(&format!("<Name>{DOMAIN}.</Name>")) && record.contains("<Type>A</Type>")
        })
        .unwrap_or_else(|| panic!("no record in {records}"));
    assert!(alias.contains(&target), "{alias}");
    assert!(
        alias.contains("<EvaluateTargetHealth>true</EvaluateTargetHealth>"),
        "{alias}"
    );
}

/// Whatever the deploy made is gone; the artifact bucket belongs to the account and stays.
fn leaves_nothing(account: &Account, before: &BTreeMap<&'static str, Vec<String>>) {
    let mut after = account.inventory();
    for kind in ["stacks", "buckets"] {
        let left = after.get_mut(kind).expect("it is listed");
        left.retain(|name| !name.starts_with("stackctl-"));
    }
    assert_eq!(&after, before);
}
