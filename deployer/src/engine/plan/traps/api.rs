//! Traps of APIs.

use std::collections::BTreeSet;

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
        find: |seen| cached_plainly(seen, None, "/MethodSettings"),
    },
    Trap {
        types: &["AWS::ApiGateway::Deployment"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigateway-deployment-methodsetting.html",
        find: |seen| {
            const STAGE: &str = "/StageDescription";
            cached_plainly(seen, Some(STAGE), "/StageDescription/MethodSettings")
        },
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

/// The settings of methods, each with its verb and path.
struct Settings<'a>(Vec<(String, &'a Value)>);

impl<'a> Settings<'a> {
    /// How a setting of all methods is called, and what is said of all of them beside the settings.
    const ALL: [&'static str; 2] = ["* /*", ""];

    fn of(settings: Option<&'a Value>, stage: Option<&'a Value>) -> Self {
        let settings = widen::elements(settings).into_iter().chain(stage);
        let named = settings.map(|setting| {
            let part = |name: &str| setting.get(name).map(widen::text).unwrap_or_default();
            let name = format!("{} {}", part("HttpMethod"), part("ResourcePath"));
            (name.trim().to_owned(), setting)
        });
        Self(named.collect())
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// Returns what counts for a method: its own setting, or that of all.
    fn find(&self, method: &str) -> Option<&'a Value> {
        let own = self.0.iter().find(|(name, _)| name == method);
        let all = |name: &str| Self::ALL.contains(&name);
        let found = own.or_else(|| self.0.iter().find(|(name, _)| all(name)));
        found.map(|(_, setting)| *setting)
    }
}

/// Finds methods whose responses were encrypted where they are cached, and are not any more. `stage` may have what is said of
/// a whole stage.
fn cached_plainly(seen: &Seen<'_>, stage: Option<&str>, settings: &str) -> Vec<Finding> {
    const ENCRYPTED: &str = "CacheDataEncrypted";
    const CACHED: &str = "CachingEnabled";
    const CLUSTER: &str = "/CacheClusterEnabled";
    let cluster = stage.map_or_else(|| CLUSTER.to_owned(), |stage| format!("{stage}{CLUSTER}"));
    let is_off = |value: Option<&Value>| value.is_some_and(|value| same(value, &false.into()));
    if is_off(seen.after(&cluster)) {
        return Vec::new();
    }
    // What a deployment said of its stage counts as long as nobody says anything else, or as little as the stage would say:
    // nobody knows which.
    let is_silent = |stage: &str| {
        seen.before(stage).is_some() && seen.after(stage).is_none() && seen.wanted().is_some()
    };
    let is_silent = stage.is_some_and(is_silent) && !is_off(seen.before(&cluster));
    let before = Settings::of(
        seen.before(settings),
        stage.and_then(|stage| seen.before(stage)),
    );
    let after = Settings::of(
        seen.after(settings),
        stage.and_then(|stage| seen.after(stage)),
    );
    let names: BTreeSet<&str> = before.names().chain(after.names()).collect();
    if is_silent {
        let was_cached = |which: &&str| {
            before.find(which).is_some_and(|was| {
                is_on(was.get(ENCRYPTED)) && !was.get(CACHED).is_some_and(|it| is_off(Some(it)))
            })
        };
        let lost = names.into_iter().filter(was_cached);
        return lost
            .map(|which| {
                let of = of_method(which);
                let reason = format!(
                    "responses{of} may be cached without encryption, as the deployment says nothing of its stage any more"
                );
                Finding::new(Grade::PermissionWidened, reason)
            })
            .collect();
    }
    let lost = names.into_iter().filter_map(|which| {
        let (was, now) = (before.find(which)?, after.find(which)?);
        let cached = now.get(CACHED);
        let may_cache = cached.is_none_or(|it| is_on(Some(it)) || it.is_object());
        let is_lost = is_on(was.get(ENCRYPTED)) && may_cache && !is_on(now.get(ENCRYPTED));
        let mut unknown = [cached, now.get(ENCRYPTED)].into_iter().flatten();
        is_lost.then(|| (which, unknown.find(|value| widen::is_unknown(value))))
    });
    lost.map(|(which, unknown)| {
        let of = of_method(which);
        let reason = match unknown {
            Some(value) => format!(
                "responses{of} may be cached without encryption, as nobody knows what {} is",
                widen::text(value)
            ),
            None => format!("responses{of} are cached without encryption"),
        };
        Finding::new(Grade::PermissionWidened, reason)
    })
    .collect()
}

/// Says of which method something is, where it is of one.
fn of_method(which: &str) -> String {
    if which.is_empty() {
        String::new()
    } else {
        format!(" of {which}")
    }
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
