//! Traps of APIs.

use serde_json::Value;

use super::super::canonical::same;
use super::super::compare::type_of;
use super::super::knowledge::{Knowledge as _, Registry, Update};
use super::super::path::Step;
use super::super::references::{names, refers};
use super::super::{Action, Grade, widen};
use super::{Finding, Seen, Trap, is_on};

pub(super) const TRAPS: &[Trap] = &[
    Trap {
        types: &["AWS::ApiGateway::Stage"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigateway-stage-methodsetting.html",
        find: |seen| cached_plainly(seen, "/MethodSettings"),
    },
    Trap {
        types: &["AWS::ApiGateway::Deployment"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigateway-deployment-methodsetting.html",
        find: |seen| cached_plainly(seen, "/StageDescription/MethodSettings"),
    },
    Trap {
        types: &[
            "AWS::ApiGateway::Authorizer",
            "AWS::ApiGateway::GatewayResponse",
            "AWS::ApiGateway::Method",
            "AWS::ApiGateway::Model",
            "AWS::ApiGateway::RequestValidator",
            "AWS::ApiGateway::Resource",
            "AWS::ApiGateway::RestApi",
        ],
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/updating-api.html",
        find: |seen| undeployed(seen, "RestApiId", &REST),
    },
    Trap {
        types: &[
            "AWS::ApiGatewayV2::Authorizer",
            "AWS::ApiGatewayV2::Integration",
            "AWS::ApiGatewayV2::Route",
        ],
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-stages.html",
        find: |seen| undeployed(seen, "ApiId", &HTTP),
    },
    // What WebSocket APIs alone have, and the API itself, which says how they choose a route.
    Trap {
        types: &[
            "AWS::ApiGatewayV2::Api",
            "AWS::ApiGatewayV2::IntegrationResponse",
            "AWS::ApiGatewayV2::Model",
            "AWS::ApiGatewayV2::RouteResponse",
        ],
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-set-up-websocket-deployment.html",
        find: |seen| undeployed(seen, "ApiId", &HTTP),
    },
];

/// Finds methods whose responses were encrypted where they are cached, and are not any more.
fn cached_plainly(seen: &Seen<'_>, place: &str) -> Vec<Finding> {
    const ENCRYPTED: &str = "CacheDataEncrypted";
    let which = |setting: &Value| {
        let part = |name: &str| setting.get(name).map(widen::text).unwrap_or_default();
        let which = format!("{} {}", part("HttpMethod"), part("ResourcePath"));
        which.trim().to_owned()
    };
    let after = widen::elements(seen.after(place));
    let before = widen::elements(seen.before(place)).into_iter();
    let encrypted = before.filter(|setting| is_on(setting.get(ENCRYPTED)));
    let lost = encrypted.filter_map(|setting| {
        let name = which(setting);
        let now = after.iter().find(|now| which(now) == name)?;
        let caches = now
            .get("CachingEnabled")
            .is_none_or(|it| is_on(Some(it)) || it.is_object());
        (caches && !is_on(now.get(ENCRYPTED))).then_some(name)
    });
    lost.map(|which| {
        let of = if which.is_empty() {
            which
        } else {
            format!(" of {which}")
        };
        Finding::new(
            Grade::PermissionWidened,
            format!("responses{of} are cached without encryption"),
        )
    })
    .collect()
}

/// The types that serve an API of one kind.
struct Kind {
    api: &'static str,
    stage: &'static str,
    deployment: &'static str,
    /// What of an API itself is part of a deployment.
    deployed: &'static [&'static str],
}

const REST: Kind = Kind {
    api: "AWS::ApiGateway::RestApi",
    stage: "AWS::ApiGateway::Stage",
    deployment: "AWS::ApiGateway::Deployment",
    deployed: &[
        "ApiKeySourceType",
        "BinaryMediaTypes",
        "Body",
        "BodyS3Location",
        "MinimumCompressionSize",
        "Policy",
    ],
};

const HTTP: Kind = Kind {
    api: "AWS::ApiGatewayV2::Api",
    stage: "AWS::ApiGatewayV2::Stage",
    deployment: "AWS::ApiGatewayV2::Deployment",
    deployed: &[
        "ApiKeySelectionExpression",
        "Body",
        "BodyS3Location",
        "RouteSelectionExpression",
    ],
};

/// A stage serves the deployment that it names: what is changed without another one is not what callers meet.
fn undeployed(seen: &Seen<'_>, property: &str, kind: &Kind) -> Vec<Finding> {
    let own = seen.change.resource_type == kind.api;
    if own && !(seen.stays() && kind.deployed.iter().any(|name| seen.touches(name))) {
        return Vec::new();
    }
    let api = if own {
        Some(seen.change.logical_id.clone())
    } else {
        let pointer = format!("/{property}");
        let value = seen.after(&pointer).or_else(|| seen.before(&pointer));
        value.and_then(|value| names(value).into_iter().next())
    };
    // Everything of a new API is in its first deployment.
    let Some(api) = api.filter(|api| seen.both.old.contains_key(api)) else {
        return Vec::new();
    };
    // An API that goes takes its stages with it.
    if !seen.both.new.contains_key(&api) || seen.change.action == Action::Retain {
        return Vec::new();
    }
    seen.both
        .of_type(kind.stage)
        .filter(|(_, stage)| {
            let of_api = stage
                .get("Properties")
                .and_then(|all| all.get(property))
                .is_some_and(|value| refers(value, &api));
            of_api && !is_on(stage.get("Properties").and_then(|all| all.get("AutoDeploy")))
        })
        .filter(|(id, stage)| keeps_deployment(seen, id, stage, kind))
        .map(|(id, _)| {
            Finding::new(
                Grade::None,
                format!(
                    "callers see nothing of it: the stage {id} keeps its deployment, and needs a new one of the API"
                ),
            )
        })
        .collect()
}

/// Returns whether a stage serves a deployment that was there before.
fn keeps_deployment(seen: &Seen<'_>, stage: &str, body: &Value, kind: &Kind) -> bool {
    let deployment = |body: &Value| body.get("Properties")?.get("DeploymentId").cloned();
    let Some(now) = deployment(body) else {
        return false;
    };
    let named = names(&now);
    let old_one = named.iter().any(|id| {
        let there = |all: &std::collections::BTreeMap<String, Value>| {
            all.get(id)
                .is_some_and(|body| type_of(body) == kind.deployment)
        };
        there(seen.both.old)
            && there(seen.both.new)
            && seen
                .both
                .old
                .get(id)
                .zip(seen.both.new.get(id))
                .is_some_and(|(old, new)| is_the_same(old, new))
    });
    let literal = named.is_empty()
        && seen
            .both
            .old
            .get(stage)
            .and_then(deployment)
            .is_some_and(|before| same(&before, &now));
    old_one || literal
}

/// Returns whether a deployment stays the one that it is: an API is deployed anew by another resource, not by another
/// description of one.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-deployment.html>.
fn is_the_same(old: &Value, new: &Value) -> bool {
    let none = serde_json::Map::new();
    let entries = |body: &'_ Value| body.get("Properties").and_then(Value::as_object).cloned();
    let (old_ones, new_ones) = (
        entries(old).unwrap_or_else(|| none.clone()),
        entries(new).unwrap_or(none),
    );
    let mut keys = old_ones.keys().chain(new_ones.keys());
    type_of(old) == type_of(new)
        && !keys.any(|key| {
            let differs = match (old_ones.get(key), new_ones.get(key)) {
                (Some(old), Some(new)) => !same(old, new),
                (old, new) => old.is_some() || new.is_some(),
            };
            let place = [Step::Key(key.clone())];
            differs && Registry.update(type_of(new), &place) == Update::Replacement
        })
}
