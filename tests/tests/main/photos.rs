//! The photos system: deployed, used by two people in both ways of proving who they are, removed.

mod objects;
mod people;
mod rekognition;
mod rows;

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
    sandbox.deploy(&["photos-*"]);
    let outputs = sandbox.outputs("photos-*");
    let output = |stack: &str, key: &str| outputs.text(&format!("photos-{stack}-dev"), key);
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
    let before = account.inventory_of_systems();
    let system = deploy(&sandbox, "us-west-2");

    rows::signed(&system);
    objects::are_labelled(&system, Person::sign, |person| &person.identity);

    sandbox.destroy(&["photos-*"]);
    assert_eq!(account.inventory_of_systems(), before);
}

/// Callers send a token, and the API answers at a domain of its own too.
#[test]
fn tokens_work_from_the_first_deploy_to_nothing_left() {
    let sandbox = shipped(&config(&format!(
        "authorization = \"user-pool\"\ndomain = {{ name = \"{DOMAIN}\", zone = \"pics2.example.com\", \
         zone_id = \"{ZONE}\" }}"
    )));
    let account = sandbox.account();
    let before = account.inventory_of_systems();
    let system = deploy(&sandbox, "us-east-1");

    rows::with_token(&system);
    objects::are_labelled(&system, Person::show_token, |person| &person.subject);
    answers_at_its_domain(&sandbox, &system);

    sandbox.destroy(&["photos-*"]);
    assert_eq!(account.inventory_of_systems(), before);
}

/// The domain is mapped to the stage of the API, and its name leads there. No name of this machine leads to the engine,
/// so what the services say of the domain has to do.
fn answers_at_its_domain(sandbox: &Sandbox, system: &Deployed) {
    assert_eq!(
        sandbox
            .outputs("photos-api")
            .text("photos-api-dev", "DomainUrl"),
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
