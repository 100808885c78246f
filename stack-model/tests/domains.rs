//! Domains of APIs.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::acm::{CertificateProps, CertificateRef};
use stack_model::apigateway::Credentials;
use stack_model::apigateway::{
    Authorization, HttpMethod, Integration, MethodProps, RestApiProps, StageProps, StageRef,
};
use stack_model::domains::{ApiDomainProps, BasePath, MutualTls, SecurityPolicy};
use stack_model::iam::RoleProps;
use stack_model::route53::{AliasTarget, HostedZoneRef};
use stack_model::s3::BucketRef;
use stack_model::sqs::QueueProps;
use stack_model::wafv2::WebAclProps;
use stack_model::{Arn, Stack};

use crate::support::{dev, property, resources, violations};

fn zone() -> HostedZoneRef {
    HostedZoneRef::existing("Z0123456789ABCDEFGHIJ", "example.com.")
}

fn kept(region: &str) -> CertificateRef {
    let arn = format!("arn:aws:acm:{region}:123456789012:certificate/1");
    CertificateRef::existing(Arn::parse(arn).unwrap())
}

fn live(stack: &mut Stack<'_>) -> StageRef {
    let queue = stack.queue::<String>("Queue", QueueProps::default());
    let role = stack.role("Sender", RoleProps::for_service("apigateway.amazonaws.com"));
    let api = stack.rest_api("Api", RestApiProps::default());
    let send = Integration::send_message(&queue, Credentials::granting(&role));
    let props = MethodProps::new(HttpMethod::Post, Authorization::None, send);
    stack.rest_method("Post", &api.root(), props);
    stack.rest_stage("Live", &api, StageProps::named("live"))
}

#[test]
fn a_regional_domain_answers_for_a_stage_under_a_name() {
    let resources = resources(dev(), |stack| {
        let live = live(stack);
        let certificate = CertificateProps::new("api.example.com", &zone());
        let certificate = stack.certificate("Certificate", certificate);
        let props = ApiDomainProps::regional("API.example.com.", &certificate);
        let domain = stack.api_domain("Domain", props);
        stack.map_base_path("DomainRoot", &domain, BasePath::Root, &live);
        stack.alias(
            "DomainAlias",
            &zone(),
            "api.example.com",
            AliasTarget::api(&domain),
        );
        stack.output("Url", domain.url());
    });
    assert_json_snapshot!(resources["Domain"]["Properties"], @r#"
    {
      "DomainName": "api.example.com",
      "EndpointConfiguration": {
        "Types": [
          "REGIONAL"
        ]
      },
      "RegionalCertificateArn": {
        "Ref": "Certificate"
      },
      "SecurityPolicy": "TLS_1_2"
    }
    "#);
    assert_json_snapshot!(resources["DomainRoot"]["Properties"], @r#"
    {
      "DomainName": {
        "Ref": "Domain"
      },
      "RestApiId": {
        "Ref": "Api"
      },
      "Stage": {
        "Ref": "Live"
      }
    }
    "#);
    assert_json_snapshot!(resources["DomainAliasA"]["Properties"], @r#"
    {
      "AliasTarget": {
        "DNSName": {
          "Fn::GetAtt": [
            "Domain",
            "RegionalDomainName"
          ]
        },
        "EvaluateTargetHealth": true,
        "HostedZoneId": {
          "Fn::GetAtt": [
            "Domain",
            "RegionalHostedZoneId"
          ]
        }
      },
      "HostedZoneId": "Z0123456789ABCDEFGHIJ",
      "Name": "api.example.com",
      "Type": "A"
    }
    "#);
    assert_eq!(resources["DomainAliasAaaa"]["Properties"]["Type"], "AAAA");
}

#[test]
fn an_edge_optimised_domain_stands_behind_cloudfront() {
    let resources = resources(dev(), |stack| {
        let live = live(stack);
        let mut props = ApiDomainProps::edge("api.example.com", &kept("us-east-1"));
        props.security = SecurityPolicy::Tls10;
        let domain = stack.api_domain("Domain", props);
        let path = BasePath::Step("v1".to_owned());
        stack.map_base_path("DomainV1", &domain, path, &live);
        stack.alias(
            "DomainAlias",
            &zone(),
            "api.example.com",
            AliasTarget::api(&domain),
        );
    });
    assert_json_snapshot!(resources["Domain"]["Properties"], @r#"
    {
      "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1",
      "DomainName": "api.example.com",
      "EndpointConfiguration": {
        "Types": [
          "EDGE"
        ]
      },
      "SecurityPolicy": "TLS_1_0"
    }
    "#);
    assert_eq!(resources["DomainV1"]["Properties"]["BasePath"], "v1");
    assert_json_snapshot!(resources["DomainAliasA"]["Properties"]["AliasTarget"], @r#"
    {
      "DNSName": {
        "Fn::GetAtt": [
          "Domain",
          "DistributionDomainName"
        ]
      },
      "EvaluateTargetHealth": false,
      "HostedZoneId": "Z2FDTNDATAQYW2"
    }
    "#);
}

#[test]
fn callers_prove_themselves_with_certificates() {
    let tls = property(dev(), "Domain", "MutualTlsAuthentication", |stack| {
        let mut trusted = MutualTls::trusting(&BucketRef::existing("trust"), "authorities.pem");
        trusted.version = Some("3".to_owned());
        let mut props = ApiDomainProps::regional("api.example.com", &kept("eu-central-1"));
        props.mutual_tls = Some(trusted);
        stack.api_domain("Domain", props);
    });
    assert_eq!(
        tls,
        json!({"TruststoreUri": "s3://trust/authorities.pem", "TruststoreVersion": "3"})
    );
}

#[test]
fn what_api_gateway_refuses_is_reported() {
    let found = violations(dev(), |stack| {
        let live = live(stack);
        let mut props = ApiDomainProps::edge("api", &kept("us-east-1"));
        props.mutual_tls = Some(MutualTls::trusting(&BucketRef::existing("trust"), "a.pem"));
        let domain = stack.api_domain("Domain", props);
        let path = BasePath::Step("v1/orders".to_owned());
        stack.map_base_path("Deep", &domain, path, &live);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Domain / Properties.DomainName: `api` is not the name of a domain: it has steps of 1 to 63 letters, digits and hyphens with dots between them, and at most 253 characters",
      "orders / Domain / Properties.MutualTlsAuthentication: an edge-optimised domain asks for no certificates of callers: make the domain regional",
      "orders / Deep / Properties.BasePath: `v1/orders` is not one step of a path: use letters, digits and `$-_.+!*'()`, without a `/`"
    ]
    "#);
}

fn both_kinds(stack: &mut Stack<'_>) {
    stack.describe("A stage of an API under a regional domain and under an edge-optimised one");
    let live = live(stack);
    let certificate = CertificateProps::new("api.example.com", &zone());
    let certificate = stack.certificate("Certificate", certificate);
    let regional = ApiDomainProps::regional("api.example.com", &certificate);
    let edge = ApiDomainProps::edge("old.example.com", &kept("us-east-1"));
    let firewall = stack.web_acl("Firewall", WebAclProps::recommended());
    stack.protect("FirewallOfLive", &firewall, &live);
    for (id, props) in [("Api", regional), ("Old", edge)] {
        let name = format!("{}.example.com", id.to_lowercase());
        let domain = stack.api_domain(&format!("{id}Domain"), props);
        stack.map_base_path(&format!("{id}Root"), &domain, BasePath::Root, &live);
        stack.alias(
            &format!("{id}Alias"),
            &zone(),
            name,
            AliasTarget::api(&domain),
        );
    }
}

#[test]
fn domains_of_both_kinds() {
    crate::golden::compare("domains.dev", dev(), both_kinds);
}
