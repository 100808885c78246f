//! Certificates.

use insta::assert_json_snapshot;
use serde_json::{Value as Json, json};
use stack_model::Arn;
use stack_model::acm::{CertificateProps, CertificateRef, KeyAlgorithm};
use stack_model::domains::ApiDomainProps;
use stack_model::route53::HostedZoneRef;

use crate::support::{dev, resources, texts, violations};

fn zone() -> HostedZoneRef {
    HostedZoneRef::existing("Z0123456789ABCDEFGHIJ", "Example.com.")
}

#[test]
fn names_are_proved_in_their_zones() {
    let resources = resources(dev(), |stack| {
        let other = HostedZoneRef::existing("Z9876543210ABCDEFGHIJ", "example.org");
        let mut props = CertificateProps::new("example.com", &zone())
            .and("*.Example.com.", &zone())
            .and("www.example.org", &other);
        props.key_algorithm = KeyAlgorithm::EcPrime256v1;
        stack.certificate("Certificate", props);
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Certificate": {
        "Properties": {
          "DomainName": "example.com",
          "DomainValidationOptions": [
            {
              "DomainName": "example.com",
              "HostedZoneId": "Z0123456789ABCDEFGHIJ"
            },
            {
              "DomainName": "*.example.com",
              "HostedZoneId": "Z0123456789ABCDEFGHIJ"
            },
            {
              "DomainName": "www.example.org",
              "HostedZoneId": "Z9876543210ABCDEFGHIJ"
            }
          ],
          "KeyAlgorithm": "EC_prime256v1",
          "SubjectAlternativeNames": [
            "*.example.com",
            "www.example.org"
          ],
          "ValidationMethod": "DNS"
        },
        "Type": "AWS::CertificateManager::Certificate"
      }
    }
    "#);
}

#[test]
fn names_lie_in_their_zones_and_come_once() {
    let found = violations(dev(), |stack| {
        let props = CertificateProps::new(format!("{}.example.com", "a".repeat(60)), &zone())
            .and("example.org", &zone())
            .and("notexample.com", &zone())
            .and("www.example.com", &zone())
            .and("WWW.example.com", &zone())
            .and("a b.example.com", &zone());
        stack.certificate("Certificate", props);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Certificate / Properties.DomainName: `example.org` does not lie in the hosted zone `example.com`",
      "orders / Certificate / Properties.DomainName: `notexample.com` does not lie in the hosted zone `example.com`",
      "orders / Certificate / Properties.DomainName: `www.example.com` is named twice",
      "orders / Certificate / Properties.DomainName: `a b.example.com` is not the name of a domain: it has steps of 1 to 63 letters, digits and hyphens with dots between them, and at most 253 characters",
      "orders / Certificate / Properties.DomainName: the first name has 72 characters and a certificate takes 64: begin with a shorter one"
    ]
    "#);
}

#[test]
fn a_certificate_of_another_region_is_carried_over() {
    let mut app = dev();
    let mut certificates = app.stack("certificates");
    certificates.in_region("us-east-1");
    let props = CertificateProps::new("api.example.com", &zone());
    let certificate = certificates.certificate("Certificate", props);
    assert_eq!(certificate.region(), Some("us-east-1"));
    let props = ApiDomainProps::edge("api.example.com", &certificate);
    app.stack("orders").api_domain("Domain", props);
    let assembly = app.synth().unwrap();
    let template: Json = serde_json::from_str(assembly.template("orders").unwrap()).unwrap();
    assert_eq!(
        template["Resources"]["Domain"]["Properties"]["CertificateArn"],
        json!({"Ref": "CertificatesCertificate"})
    );
    let stack = &assembly.manifest().stacks[1];
    let reference = &stack.references["CertificatesCertificate"];
    assert_eq!(reference.stack, "certificates-dev");
    assert_eq!(reference.output, "PassedCertificate");
}

#[test]
fn the_region_of_a_certificate_fits_what_uses_it() {
    let mut app = dev();
    let certificate = app.stack("certificates").certificate(
        "Certificate",
        CertificateProps::new("*.example.com", &zone()),
    );
    let arn = "arn:aws:acm:us-east-1:123456789012:certificate/1";
    let kept = CertificateRef::existing(Arn::parse(arn).unwrap());
    let mut stack = app.stack("orders");
    // Stages are in eu-central-1.
    stack.api_domain(
        "Right",
        ApiDomainProps::regional("a.example.com", &certificate),
    );
    stack.api_domain("Kept", ApiDomainProps::edge("anything.example.org", &kept));
    stack.api_domain("Edge", ApiDomainProps::edge("b.example.com", &certificate));
    stack.api_domain("Regional", ApiDomainProps::regional("c.example.com", &kept));
    stack.api_domain(
        "Other",
        ApiDomainProps::regional("a.b.example.com", &certificate),
    );
    stack.api_domain(
        "Bare",
        ApiDomainProps::regional("example.com", &certificate),
    );
    assert_json_snapshot!(texts(&app.synth().unwrap_err()), @r#"
    [
      "orders / Edge / Properties.CertificateArn: the certificate stands in eu-central-1 and an edge-optimised domain takes one from us-east-1: put it into a stack of its own with `stack.in_region(\"us-east-1\")`",
      "orders / Regional / Properties.RegionalCertificateArn: the certificate stands in us-east-1 and a regional domain takes one from eu-central-1: name one of eu-central-1",
      "orders / Other / Properties.RegionalCertificateArn: the certificate is for *.example.com and not for `a.b.example.com`: add the name to it",
      "orders / Bare / Properties.RegionalCertificateArn: the certificate is for *.example.com and not for `example.com`: add the name to it"
    ]
    "#);
}
