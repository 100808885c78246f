//! Certificates that a stack is handed: by an export, an output, or what is stored.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{App, Registry};
use super::app::manifest;
use super::{Grade, Side};

/// Plans a distribution that takes a certificate by an expression, where another stack of a region has the certificate, and
/// returns the grade of the distribution. `value` is what that stack hands on, and `known` what its export is known to be.
fn grade(region: &str, value: &Value, expression: &Value, known: Option<&str>) -> Grade {
    let given = json!({
        "Resources": {
            "Certificate": {"Type": "AWS::CertificateManager::Certificate", "Properties": {"DomainName": "example.com"}},
            "Other": {"Type": "AWS::SNS::Topic"},
            "Stored": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/certificate", "Type": "String", "Value": value}},
        },
        "Outputs": {"Arn": {"Value": value, "Export": {"Name": "given-Arn"}}},
    });
    let distribution = |configuration: Value| {
        json!({
            "Parameters": {
                "Default": {"Type": "String"},
                "Handed": {"Type": "String"},
                "Looked": {"Type": "AWS::SSM::Parameter::Value<String>"},
            },
            "Resources": {"Site": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": configuration}}},
        })
    };
    let before = distribution(json!({"Enabled": true}));
    let after = distribution(
        json!({"Enabled": true, "ViewerCertificate": {"AcmCertificateArn": expression}}),
    );
    let side = |template| Side {
        template: Some(template),
        parameters: BTreeMap::from(
            [
                ("AWS::Region", region),
                (
                    "Default",
                    "arn:aws:acm:eu-west-1:123456789012:certificate/a",
                ),
                ("Looked", "/certificate"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned())),
        ),
        ..Side::default()
    };
    let none = BTreeMap::new();
    let mut app = App::default();
    let first = manifest(&json!({"name": "given-dev"}));
    let given_plan = app.compare(&first, &none, &side(&given), &side(&given), &Registry);
    let own = manifest(&json!({"name": "site-dev", "references": {
        "Handed": {"stack": "given-dev", "region": region, "output": "Arn"},
    }}));
    app.known(
        &own,
        known.map(|known| ("given-Arn".to_owned(), known.to_owned())),
    );
    let plan = app.compare(&own, &none, &side(&before), &side(&after), &Registry);
    let plan = app.finish(vec![given_plan, plan]);
    plan.stacks[1].changes[0].grade
}

#[test]
fn a_certificate_that_is_handed_on_stands_where_its_stack_does() {
    let own = json!({"Ref": "Certificate"});
    for expression in [
        json!({"Fn::ImportValue": "given-Arn"}),
        json!({"Ref": "Handed"}),
        json!({"Ref": "Looked"}),
        json!("{{resolve:ssm:/certificate}}"),
    ] {
        assert_eq!(
            grade("eu-central-1", &own, &expression, None),
            Grade::Impossible,
            "{expression}"
        );
        assert_eq!(
            grade("us-east-1", &own, &expression, None),
            Grade::UpdateInPlace,
            "{expression}"
        );
        let another = json!({"Ref": "Other"});
        assert_eq!(
            grade("eu-central-1", &another, &expression, None),
            Grade::UpdateInPlace,
            "{expression}"
        );
        // What is written out counts, wherever the stack is.
        let written = json!("arn:aws:acm:us-east-1:123456789012:certificate/a");
        assert_eq!(
            grade("eu-central-1", &written, &expression, None),
            Grade::UpdateInPlace,
            "{expression}"
        );
    }
}

#[test]
fn a_certificate_whose_arn_is_known_stands_where_that_says() {
    let another = json!({"Ref": "Other"});
    let given = json!({"Ref": "Default"});
    assert_eq!(
        grade("us-east-1", &another, &given, None),
        Grade::Impossible
    );
    let imported = json!({"Fn::ImportValue": "given-Arn"});
    for (known, wanted) in [
        (
            "arn:aws:acm:eu-west-1:123456789012:certificate/a",
            Grade::Impossible,
        ),
        (
            "arn:aws:acm:us-east-1:123456789012:certificate/a",
            Grade::UpdateInPlace,
        ),
    ] {
        assert_eq!(
            grade("us-east-1", &another, &imported, Some(known)),
            wanted,
            "{known}"
        );
    }
}
