//! Which names are looked at, and what takes a resource over.

use std::collections::BTreeSet;

use stack_model_cfn::facts::{ResourceFacts, UpdateBehaviour};

use super::*;
use crate::engine::preflight::rendered_types;

/// Types with a property that looks like a name and is none that can be taken, with the reason.
const UNNAMED: [(&str, &[&str]); 4] = [
    (
        "the name is one of what it belongs to, which is told apart itself",
        &[
            "AWS::ApiGateway::BasePathMapping",
            "AWS::ApiGateway::Model",
            "AWS::ApiGateway::RequestValidator",
            "AWS::ApiGateway::Stage",
            "AWS::ApiGatewayV2::ApiMapping",
            "AWS::ApiGatewayV2::Stage",
            "AWS::Cognito::IdentityPoolPrincipalTag",
            "AWS::Cognito::UserPoolGroup",
            "AWS::Cognito::UserPoolIdentityProvider",
            "AWS::Events::EventBusPolicy",
            "AWS::Lambda::Alias",
            "AWS::Lambda::EventInvokeConfig",
            "AWS::Lambda::Permission",
            "AWS::Lambda::Version",
            "AWS::Logs::Delivery",
            "AWS::Logs::MetricFilter",
            "AWS::Route53::RecordSet",
        ],
    ),
    (
        "several may have one name",
        &[
            "AWS::ApiGateway::ApiKey",
            "AWS::CertificateManager::Certificate",
            "AWS::Route53::HostedZone",
        ],
    ),
    (
        "the service writes over what is there, and nobody documents that CloudFormation looks before",
        &[
            "AWS::CloudWatch::Dashboard",
            "AWS::Logs::DeliveryDestination",
            "AWS::Logs::DeliverySource",
            "AWS::Logs::ResourcePolicy",
        ],
    ),
    (
        "the model has no word for it: an example writes it down raw",
        &["AWS::ServiceDiscovery::HttpNamespace"],
    ),
];

/// A name is a text that nobody can change later.
#[test]
fn every_type_with_a_name_is_looked_at_or_has_a_reason() {
    let looks_named = |kind: &str| {
        let facts = facts::resource_type(kind);
        facts
            .into_iter()
            .flat_map(ResourceFacts::properties)
            .any(|it| {
                let is_name = ["Name", "Domain"]
                    .iter()
                    .any(|end| it.name().ends_with(end));
                is_name && it.update() == UpdateBehaviour::Replacement && !it.read_only()
            })
    };
    let unnamed: BTreeSet<&str> = UNNAMED
        .iter()
        .flat_map(|(_, kinds)| *kinds)
        .copied()
        .collect();
    let rendered = rendered_types();
    for kind in &rendered {
        let is_named = NAMED.iter().any(|(named, _)| named == kind);
        let has_reason = unnamed.contains(kind.as_str());
        assert!(!(is_named && has_reason), "{kind} has a reason too many");
        assert!(
            is_named || has_reason || !looks_named(kind),
            "enter {kind} in NAMED, or in UNNAMED with the reason"
        );
    }
    for kind in unnamed {
        assert!(
            rendered.contains(kind) && looks_named(kind),
            "{kind} needs no reason"
        );
    }
    for (kind, property) in NAMED {
        let facts = facts::resource_type(kind).expect(kind);
        assert!(
            facts.property(property).is_some(),
            "{kind} has no {property}"
        );
    }
}

#[test]
fn a_template_that_no_call_takes_goes_through_a_bucket() {
    let import = json!([{"LogicalResourceId": "Table"}]);
    let of = |is_long, capabilities: &[String]| {
        commands("eu-central-1", "orders-dev", &import, is_long, capabilities).join("\n")
    };
    let short = of(false, &[]);
    assert!(
        short.contains("--template-body file://orders-dev.import.json`"),
        "{short}"
    );
    assert!(!short.contains("s3"), "{short}");
    let long = of(true, &["CAPABILITY_IAM".to_owned()]);
    for part in [
        "aws s3 cp --region eu-central-1 orders-dev.import.json s3://BUCKET/orders-dev.import.json",
        "--template-url https://BUCKET.s3.eu-central-1.amazonaws.com/orders-dev.import.json --capabilities CAPABILITY_IAM`",
    ] {
        assert!(long.contains(part), "{long}");
    }
    assert!(!long.contains("--template-body"), "{long}");
}
