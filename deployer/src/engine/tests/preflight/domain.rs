//! Zones and certificates.

use super::*;

const ZONE: &str = "Z0123456789ABCDEFGHIJ";
const NS: u16 = 2;

/// `GetHostedZone` (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html>).
fn zone(private: bool) -> String {
    format!(
        "<?xml version=\"1.0\"?><GetHostedZoneResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\">\
         <HostedZone><Id>/hostedzone/{ZONE}</Id><Name>example.com.</Name><CallerReference>1</CallerReference>\
         <Config><PrivateZone>{private}</PrivateZone></Config></HostedZone><DelegationSet><NameServers>\
         <NameServer>ns-1.awsdns-01.org</NameServer><NameServer>NS-2.awsdns-02.net</NameServer>\
         </NameServers></DelegationSet></GetHostedZoneResponse>"
    )
}

fn served(found: &[&'static str]) -> Signed {
    may_do_all()
        .text(
            "/2013-04-01/hostedzone/Z0123456789ABCDEFGHIJ",
            "",
            200,
            &zone(false),
        )
        .name("example.com", NS, found)
}

fn certificate() -> StackDeployment {
    let mut stack = named(&json!({
        "Alias": {"Type": "AWS::Route53::RecordSet", "Properties": {"HostedZoneId": ZONE}},
        "Certificate": {"Type": "AWS::CertificateManager::Certificate", "Properties": {
            "DomainName": "api.example.com",
            "DomainValidationOptions": [{"DomainName": "api.example.com", "HostedZoneId": {"Ref": "Zone"}}],
        }},
    }));
    stack.manifest.parameters = [("Zone".to_owned(), ZONE.to_owned())].into();
    stack
}

async fn looked(signed: &Signed, stack: StackDeployment) -> Vec<Concern> {
    let played = signed.with(absent().play_in_any_order());
    let concerns = preflight(&played.context, &[stack]).await;
    signed.finish();
    concerns
}

#[tokio::test]
async fn a_zone_that_the_world_asks_is_nothing_to_tell() {
    let signed = served(&["ns-2.awsdns-02.net", "ns-1.awsdns-01.org"]);
    assert_eq!(looked(&signed, certificate()).await, []);
}

#[tokio::test]
async fn a_zone_that_nobody_asks_holds_up_its_certificates() {
    let of = "intake-dev/Certificate: the zone example.com (Z0123456789ABCDEFGHIJ) is served by ns-1.awsdns-01.org, ns-2.awsdns-02.net, and public DNS names";
    let then = "a certificate is not issued before that is right, and CloudFormation waits for it";
    let nobody = looked(&served(&[]), certificate()).await;
    assert_eq!(
        told(&nobody),
        [(Weight::Warning, format!("{of} no servers for it: {then}"))]
    );
    assert_eq!(
        nobody[0].hints,
        [
            "enter its servers where example.com is registered, or as the NS record of example.com in the zone above"
        ]
    );
    let others = looked(&served(&["ns1.example.net"]), certificate()).await;
    assert_eq!(
        told(&others),
        [(
            Weight::Warning,
            format!("{of} ns1.example.net for it: {then}")
        )]
    );
    // No such name at all.
    let signed = may_do_all().text(
        "/2013-04-01/hostedzone/Z0123456789ABCDEFGHIJ",
        "",
        200,
        &zone(false),
    );
    let gone = looked(&signed, certificate()).await;
    assert_eq!(
        told(&gone),
        [(Weight::Warning, format!("{of} no servers for it: {then}"))]
    );

    let records = named(&json!({
        "Alias": {"Type": "AWS::Route53::RecordSet", "Properties": {"HostedZoneId": ZONE}},
    }));
    let signed = may_do_all()
        .text(
            "/2013-04-01/hostedzone/Z0123456789ABCDEFGHIJ",
            "",
            200,
            &zone(false),
        )
        .name("example.com", NS, &[]);
    let records = looked(&signed, records).await;
    assert_eq!(records[0].subject, "intake-dev/Alias");
    assert!(
        records[0]
            .message
            .ends_with("nobody sees its records before that is right")
    );
}

#[tokio::test]
async fn a_zone_that_is_not_there_is_refused_and_a_private_one_validates_nothing() {
    let missing = "<ErrorResponse xmlns=\"https://route53.amazonaws.com/doc/2013-04-01/\"><Error><Type>Sender</Type>\
                   <Code>NoSuchHostedZone</Code><Message>No hosted zone found</Message></Error></ErrorResponse>";
    let signed = may_do_all().text(
        "/2013-04-01/hostedzone/Z0123456789ABCDEFGHIJ",
        "",
        404,
        missing,
    );
    assert_eq!(
        told(&looked(&signed, certificate()).await),
        [(
            Weight::Refused,
            format!("intake-dev/Certificate: there is no hosted zone {ZONE}")
        )]
    );
    let signed = may_do_all().text(
        "/2013-04-01/hostedzone/Z0123456789ABCDEFGHIJ",
        "",
        200,
        &zone(true),
    );
    let private = looked(&signed, certificate()).await;
    assert_eq!(private[0].weight, Weight::Warning);
    assert!(
        private[0].message.contains("which is private"),
        "{private:?}"
    );
}

#[tokio::test]
async fn a_certificate_in_a_zone_of_the_same_deploy_waits() {
    let stack = named(&json!({
        "Certificate": {"Type": "AWS::CertificateManager::Certificate", "Properties": {
            "DomainValidationOptions": [{"DomainName": "example.com", "HostedZoneId": {"Ref": "Zone"}}],
        }},
        "Zone": {"Type": "AWS::Route53::HostedZone", "Properties": {"Name": "example.com"}},
    }));
    assert_eq!(
        told(&looked(&may_do_all(), stack).await),
        [(
            Weight::Warning,
            "intake-dev/Certificate: it is validated in the zone Zone, which is new: CloudFormation waits until the zone above names its servers".to_owned()
        )]
    );
}

const REGIONAL: &str = "arn:aws:acm:eu-central-1:123456789012:certificate/1";

fn domain(arn: &str) -> StackDeployment {
    named(&json!({
        "Domain": {"Type": "AWS::ApiGateway::DomainName", "Properties": {
            "DomainName": {"Fn::Sub": "api.${Zone}"}, "RegionalCertificateArn": arn,
        }},
        "Named": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": {
            "Aliases": ["www.example.com"], "ViewerCertificate": {"AcmCertificateArn": arn},
        }}},
    }))
}

/// `DescribeCertificate` (<https://docs.aws.amazon.com/acm/latest/APIReference/API_DescribeCertificate.html>).
fn described(status: &str, kind: &str, end: f64) -> Value {
    json!({"Certificate": {
        "CertificateArn": REGIONAL, "DomainName": "example.com", "SubjectAlternativeNames": ["example.com", "*.api.example.com"],
        "Status": status, "Type": kind, "NotAfter": end,
    }})
}

#[tokio::test]
async fn a_domain_needs_a_certificate_of_its_region_that_is_issued_for_its_name() {
    let domain_and_room = |signed: Signed| {
        signed
            .json(
                "ListResources",
                "AWS::ApiGateway::DomainName",
                200,
                &json!({"ResourceDescriptions": []}),
            )
            .json(
                "GetServiceQuota",
                "L-A93447B8",
                200,
                &json!({"Quota": {"Value": 120.0}}),
            )
    };
    // The clock of scripts stands at 1,790,000,000.
    let soon = 1_790_000_000.0 + 86_400.0 * 10.5;
    let cases = [
        (described("ISSUED", "AMAZON_ISSUED", soon), 200, vec![]),
        (
            described("ISSUED", "IMPORTED", soon),
            200,
            vec![(
                Weight::Warning,
                "its certificate ends in 10 days, and was imported: AWS does not renew it",
            )],
        ),
        // A time that no clock has is none.
        (described("ISSUED", "IMPORTED", 1e19), 200, vec![]),
        (
            described("PENDING_VALIDATION", "AMAZON_ISSUED", soon),
            200,
            vec![(
                Weight::Refused,
                "its certificate is not issued yet: it waits for its validation",
            )],
        ),
        (
            json!({"__type": "ResourceNotFoundException", "message": "Could not find certificate"}),
            400,
            vec![(
                Weight::Refused,
                "there is no certificate arn:aws:acm:eu-central-1:123456789012:certificate/1",
            )],
        ),
    ];
    for (answer, status, expected) in cases {
        let signed =
            domain_and_room(may_do_all()).json("DescribeCertificate", REGIONAL, status, &answer);
        let concerns = looked(&signed, domain(REGIONAL)).await;
        let mut expected: Vec<_> = expected
            .into_iter()
            .map(|(weight, text)| (weight, format!("intake-dev/Domain: {text}")))
            .collect();
        expected.push((
            Weight::Refused,
            "intake-dev/Named: its certificate is in eu-central-1, and has to be in us-east-1"
                .to_owned(),
        ));
        assert_eq!(told(&concerns), expected);
    }

    let edge = "arn:aws:acm:us-east-1:123456789012:certificate/2";
    let signed = domain_and_room(may_do_all()).json(
        "DescribeCertificate",
        edge,
        200,
        &described("ISSUED", "AMAZON_ISSUED", soon),
    );
    assert_eq!(
        told(&looked(&signed, domain(edge)).await),
        [
            (Weight::Refused, "intake-dev/Domain: its certificate is in us-east-1, and has to be in eu-central-1".to_owned()),
            (Weight::Refused, "intake-dev/Named: its certificate is for example.com, *.api.example.com, example.com, and not for www.example.com".to_owned()),
        ]
    );
}

#[tokio::test]
async fn what_is_there_already_is_a_warning() {
    let stack = named(&json!({
        "Domain": {"Type": "AWS::ApiGateway::DomainName", "Properties": {"RegionalCertificateArn": REGIONAL}},
    }));
    let template = serde_json::from_str(&stack.template).expect("it is JSON");
    let rows = [(
        "Domain",
        "AWS::ApiGateway::DomainName",
        "api.example.com",
        "CREATE_COMPLETE",
    )];
    let signed = Signed::new().json(
        "DescribeCertificate",
        REGIONAL,
        200,
        &described("EXPIRED", "IMPORTED", 1.0),
    );
    let played = signed.with(present(&rows, &template).play_in_any_order());
    let concerns = preflight(&played.context, &[stack]).await;
    signed.finish();
    assert_eq!(
        told(&concerns),
        [(
            Weight::Warning,
            "intake-dev/Domain: its certificate is EXPIRED".to_owned()
        )]
    );
}

#[tokio::test]
async fn what_cloudformation_looks_up_is_not_taken_for_the_value() {
    let mut stack = named(&json!({
        "Alias": {"Type": "AWS::Route53::RecordSet", "Properties": {"HostedZoneId": {"Ref": "Zone"}}},
        "Given": {"Type": "AWS::Route53::RecordSet", "Properties": {"HostedZoneId": {"Ref": "GivenZone"}}},
        "Photos": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "{{resolve:ssm:/photos/bucket}}"}},
        "Secret": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": {"Ref": "Name"}}},
    }));
    let mut template: Value = serde_json::from_str(&stack.template).expect("it is JSON");
    let zone = "AWS::SSM::Parameter::Value<AWS::Route53::HostedZone::Id>";
    template["Parameters"] = json!({
        "Zone": {"Type": zone, "Default": "/dns/zone"},
        "GivenZone": {"Type": zone},
        "Name": {"Type": "String", "Default": "{{resolve:ssm:/photos/secret}}"},
    });
    stack.template = template.to_string();
    stack.manifest.parameters = [("GivenZone".to_owned(), "/dns/given".to_owned())].into();
    // Nobody is asked for any of it.
    let concerns = looked(&Signed::new(), stack).await;
    assert_eq!(
        told(&concerns),
        [unasked("AWS::Route53::RecordSet and AWS::S3::Bucket")]
    );
}
