//! Certificates that stand in another region than the one that takes them.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::compare::type_of;
use super::super::references::names;
use super::super::stored::dynamic;
use super::super::{Grade, Side};
use super::{Finding, Seen, Trap};
use crate::engine::certificate::{EDGE, PLACES, Place};

pub(super) const TRAPS: &[Trap] = &[
    Trap {
        types: &["AWS::CloudFront::Distribution"],
        source: "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/cnames-and-https-requirements.html",
        find: |seen| misplaced(seen, true),
    },
    Trap {
        types: &["AWS::Cognito::UserPoolDomain"],
        source: "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-add-custom-domain.html",
        find: |seen| misplaced(seen, true),
    },
    Trap {
        types: &["AWS::AppSync::DomainName"],
        source: "https://docs.aws.amazon.com/appsync/latest/devguide/custom-domain-name.html",
        find: |seen| misplaced(seen, true),
    },
    Trap {
        types: &["AWS::ApiGateway::DomainName"],
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-edge-optimized-custom-domain-name.html",
        find: |seen| {
            if is_at_edge(seen) {
                misplaced(seen, true)
            } else {
                Vec::new()
            }
        },
    },
    Trap {
        types: &[
            "AWS::ApiGateway::DomainName",
            "AWS::ApiGatewayV2::DomainName",
        ],
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-regional-api-custom-domain-create.html",
        find: |seen| misplaced(seen, false),
    },
];

/// Finds certificates that stand elsewhere than what takes them asks for: at the edge, or in the region of the stack.
fn misplaced(seen: &Seen<'_>, edge: bool) -> Vec<Finding> {
    // A certificate that is there already was taken.
    if seen.wanted().is_none() {
        return Vec::new();
    }
    let kind = seen.change.resource_type.as_str();
    let places = PLACES
        .iter()
        .filter(|place| place.edge == edge && place.resource_type == kind);
    places.filter_map(|place| elsewhere(seen, place)).collect()
}

fn elsewhere(seen: &Seen<'_>, place: &Place) -> Option<Finding> {
    let certificate = seen.after(place.certificate)?;
    let wanted = if place.edge { EDGE } else { seen.both.region? };
    // What another stack or a parameter hands on is known where its value is.
    let known = seen.both.known.resolve(certificate);
    let handed = || seen.both.certificates.get(&known.to_string());
    let region = region(&known)
        .or_else(|| beside(seen, certificate))
        .or_else(|| handed().map(String::as_str))?;
    let taker = if place.edge { "the edge" } else { "the domain" };
    (region != wanted).then(|| {
        Finding::new(
            Grade::Impossible,
            format!("the certificate stands in {region}, and {taker} takes one from {wanted}"),
        )
    })
}

/// Where certificates stand that a stack is handed: the region, by the expression that stands for one.
pub(in super::super) type Certificates = BTreeMap<String, String>;

/// What of a stack another one may be handed, each with the region of the certificate that it stands for: exports and what is
/// stored in Systems Manager as the expressions that take them, and outputs by their keys.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in super::super) struct Handed {
    pub(in super::super) expressions: Certificates,
    pub(in super::super) outputs: BTreeMap<String, String>,
}

impl Handed {
    /// Finds what a stack of a region hands on. `export` names the export of an output, and `canonical` brings a value of the
    /// template to its form.
    pub(in super::super) fn of(
        side: &Side<'_>,
        canonical: impl Fn(&Value) -> Value,
        export: impl Fn(&Value) -> Option<String>,
    ) -> Self {
        let section = |name: &str| {
            let section = side.template.and_then(|template| template.get(name));
            section.and_then(Value::as_object).into_iter().flatten()
        };
        let own = side.parameters.get("AWS::Region");
        let certificate = "AWS::CertificateManager::Certificate";
        let own_ones = section("Resources").filter(|(_, body)| type_of(body) == certificate);
        let own_ones: Vec<&String> = own_ones.map(|(id, _)| id).collect();
        let stands = |value: &Value| {
            let value = canonical(value);
            let named = names(&value);
            let is_own = value.is_object() && own_ones.iter().any(|id| named.contains(*id));
            let region = region(&value).map(str::to_owned);
            region.or_else(|| own.filter(|_| is_own).cloned())
        };
        let mut handed = Self::default();
        for (key, output) in section("Outputs") {
            let Some(region) = output.get("Value").and_then(stands) else {
                continue;
            };
            if let Some(name) = export(output) {
                let expression = json!({ "Fn::ImportValue": name }).to_string();
                handed.expressions.insert(expression, region.clone());
            }
            handed.outputs.insert(key.clone(), region);
        }
        for (_, body) in section("Resources").filter(|(_, it)| type_of(it) == "AWS::SSM::Parameter")
        {
            let part = |name: &str| body.get("Properties").and_then(|all| all.get(name));
            let name = part("Name").map(&canonical);
            if let (Some(Value::String(name)), Some(region)) =
                (name, part("Value").and_then(stands))
            {
                let expression = Value::from(dynamic(&name)).to_string();
                handed.expressions.insert(expression, region);
            }
        }
        handed
    }
}

/// An edge-optimised domain, which one is where nothing is said, is a distribution of CloudFront.
fn is_at_edge(seen: &Seen<'_>) -> bool {
    match seen.after("/EndpointConfiguration/Types") {
        None => true,
        Some(types) => types
            .as_array()
            .is_some_and(|types| types.iter().any(|kind| kind.as_str() == Some("EDGE"))),
    }
}

/// Returns the region of a certificate of the same stack.
fn beside<'a>(seen: &Seen<'a>, certificate: &Value) -> Option<&'a str> {
    let named = names(certificate);
    let mut own = seen
        .both
        .of_type("AWS::CertificateManager::Certificate")
        .map(|(id, _)| id);
    own.any(|id| named.contains(id))
        .then_some(seen.both.region)?
}

/// Returns the region of an ARN that a template writes out.
fn region(arn: &Value) -> Option<&str> {
    let mut parts = arn.as_str()?.split(':');
    let service = parts.nth(2)?;
    let region = parts.next()?;
    (service == "acm").then_some(region)
}
