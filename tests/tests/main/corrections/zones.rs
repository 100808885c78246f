//! Hosted zones, which are older than the stacks that put records into them.

use serde_json::{Value, json};

use super::{Deployed, deploy};

/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-route53-recordset.html>.
#[test]
fn a_zone_that_is_named_by_its_id_is_there_and_no_other() {
    let record = |zone: &Value, name: &str| {
        let mut record = json!({"Type": "AWS::Route53::RecordSet", "Properties": {
            "Name": name, "Type": "CNAME", "TTL": "60", "ResourceRecords": ["elsewhere.example.com"]}});
        for (key, value) in zone.as_object().into_iter().flatten() {
            record["Properties"][key] = value.clone();
        }
        record
    };
    let zone = json!({"HostedZoneId": "Z0123456789ABCDEFGHIJ"});
    let resources = json!({
        "One": record(&zone, "one.bar.example.com"),
        "Two": record(&zone, "two.bar.example.com"),
    });
    let deployed = Deployed::new(&resources, &json!({}));
    let path = "/2013-04-01/hostedzone/Z0123456789ABCDEFGHIJ";
    let records = deployed
        .account
        .get("route53", &format!("{path}/rrset"))
        .body;
    for name in ["one", "two"] {
        assert!(
            records.contains(&format!("<Name>{name}.bar.example.com.</Name>")),
            "{records}"
        );
    }
    let found = deployed.account.get("route53", path).body;
    assert!(found.contains("<Name>bar.example.com.</Name>"), "{found}");

    let by_name = json!({"HostedZoneName": "gone.example.com."});
    let resources = json!({"One": record(&by_name, "one.gone.example.com")});
    let (status, _) = deploy(&deployed.account, "by-name", &resources, &json!({}));
    assert_eq!(status, "ROLLBACK_COMPLETE");
}
