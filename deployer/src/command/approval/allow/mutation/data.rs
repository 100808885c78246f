//! Changes that lose data, or leave it behind.

use serde_json::{Value, json};
use stack_model_cfn::facts::{self, UpdateBehaviour, ValueKind};

use super::{Class, Mutation, of_type, put, take, without};
use crate::engine::plan::{Grade, Knowledge as _, Registry, holds_data};

const TABLE: &[&str] = &["AWS::DynamoDB::Table"];
const BUCKET: &[&str] = &["AWS::S3::Bucket"];

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "what holds data is deleted",
        grade: Grade::DataLoss,
        find: |template| {
            let delete = |id: &str, body: &Value| put(id, body, "/DeletionPolicy", json!("Delete"));
            stores(template)
                .map(|(id, body)| {
                    Mutation::new(id, vec![without(id)]).given(vec![delete(id, body)])
                })
                .collect()
        },
    },
    Class {
        name: "what holds data gets a condition that may not hold",
        grade: Grade::DataLoss,
        find: |template| {
            let conditions = super::Edit {
                place: "/Conditions".to_owned(),
                after: Some(json!({
                    "Never": {"Fn::Equals": ["one", "another"]},
                    "Perhaps": {"Fn::Equals": [{"Ref": "AWS::AccountId"}, "123456789012"]},
                })),
            };
            stores(template)
                .flat_map(|(id, body)| {
                    let delete = put(id, body, "/DeletionPolicy", json!("Delete"));
                    let given = vec![delete, conditions.clone()];
                    ["Never", "Perhaps"].map(|name| {
                        Mutation::new(id, vec![put(id, body, "/Condition", json!(name))])
                            .given(given.clone())
                    })
                })
                .collect()
        },
    },
    Class {
        name: "what holds data is replaced",
        grade: Grade::DataLoss,
        find: |template| replacements(template, "Delete"),
    },
    Class {
        name: "what holds data is replaced by an empty one",
        grade: Grade::Replacement,
        find: |template| replacements(template, "Retain"),
    },
    Class {
        name: "the keys of a table are others",
        grade: Grade::DataLoss,
        find: |template| {
            of_type(template, TABLE)
                .map(|(id, body)| {
                    let edits = vec![
                        put(
                            id,
                            body,
                            "/Properties/KeySchema",
                            json!([{"AttributeName": "other", "KeyType": "HASH"}]),
                        ),
                        take(id, "/Properties/TableName"),
                    ];
                    Mutation::new(id, edits).given(vec![put(
                        id,
                        body,
                        "/UpdateReplacePolicy",
                        json!("Delete"),
                    )])
                })
                .collect()
        },
    },
    Class {
        name: "recovery is switched off",
        grade: Grade::DataLoss,
        find: |template| {
            let place = "/Properties/PointInTimeRecoverySpecification";
            let on = json!({"PointInTimeRecoveryEnabled": true});
            of_type(template, TABLE)
                .flat_map(|(id, body)| {
                    let given = vec![put(id, body, place, on.clone())];
                    let off = json!({"PointInTimeRecoveryEnabled": false});
                    [put(id, body, place, off), take(id, place)]
                        .map(|edit| Mutation::new(id, vec![edit]).given(given.clone()))
                })
                .collect()
        },
    },
    Class {
        name: "items expire from now on",
        grade: Grade::DataLoss,
        find: |template| {
            let place = "/Properties/TimeToLiveSpecification";
            let on = json!({"AttributeName": "TIMEOUT", "Enabled": true});
            of_type(template, TABLE)
                .map(|(id, body)| {
                    Mutation::new(id, vec![put(id, body, place, on.clone())])
                        .given(vec![take(id, place)])
                })
                .collect()
        },
    },
    Class {
        name: "logs and messages are kept for less time",
        grade: Grade::DataLoss,
        find: |template| {
            let logs = "/Properties/RetentionInDays";
            let messages = "/Properties/MessageRetentionPeriod";
            let of_logs = of_type(template, &["AWS::Logs::LogGroup"]).flat_map(|(id, body)| {
                [Some(json!(30)), None].map(|before| {
                    let given = match before {
                        Some(before) => put(id, body, logs, before),
                        None => take(id, logs),
                    };
                    Mutation::new(id, vec![put(id, body, logs, json!(7))]).given(vec![given])
                })
            });
            let of_messages = of_type(template, &["AWS::SQS::Queue"])
                .map(|(id, body)| Mutation::new(id, vec![put(id, body, messages, json!(60))]));
            of_logs.chain(of_messages).collect()
        },
    },
    Class {
        name: "objects expire from now on",
        grade: Grade::DataLoss,
        find: |template| {
            let rules = "/Properties/LifecycleConfiguration";
            let versions = "/Properties/VersioningConfiguration/Status";
            let rule = |what: Value| json!({"Rules": [{"Status": "Enabled", "Id": "out", "NoncurrentVersionExpiration": what["old"], "ExpirationInDays": what["days"]}]});
            of_type(template, BUCKET)
                .flat_map(|(id, body)| {
                    [
                        ("Suspended", json!({"days": 1})),
                        ("Enabled", json!({"old": {"NoncurrentDays": 1}})),
                    ]
                    .map(|(status, what)| {
                        let given = vec![take(id, rules), put(id, body, versions, json!(status))];
                        Mutation::new(id, vec![put(id, body, rules, rule(what))]).given(given)
                    })
                })
                .collect()
        },
    },
    Class {
        name: "a time that nobody knows",
        grade: Grade::DataLoss,
        find: |template| {
            let hidden = json!({"Ref": "Hidden"});
            let mut found = Vec::new();
            for (kind, place, before) in [
                (
                    "AWS::Logs::LogGroup",
                    "/Properties/RetentionInDays",
                    json!(365),
                ),
                (
                    "AWS::SQS::Queue",
                    "/Properties/MessageRetentionPeriod",
                    json!(1_209_600),
                ),
                (
                    "AWS::DynamoDB::Table",
                    "/Properties/TimeToLiveSpecification/Enabled",
                    json!(false),
                ),
            ] {
                for (id, body) in of_type(template, &[kind]) {
                    // Another attribute of the time to live is refused.
                    let given = if kind == "AWS::DynamoDB::Table" {
                        let off = json!({"AttributeName": "TIMEOUT", "Enabled": before});
                        put(id, body, "/Properties/TimeToLiveSpecification", off)
                    } else {
                        put(id, body, place, before.clone())
                    };
                    let edit = super::Edit {
                        place: format!("/Resources/{id}{place}"),
                        after: Some(hidden.clone()),
                    };
                    found.push(Mutation::new(id, vec![edit]).given(vec![given]));
                }
            }
            let rules = "/Properties/LifecycleConfiguration";
            let versions = "/Properties/VersioningConfiguration/Status";
            let rule = |status: &Value, days: &Value| json!({"Rules": [{"Status": status, "Id": "out", "ExpirationInDays": days}]});
            for (id, body) in of_type(template, BUCKET) {
                let off = put(id, body, versions, json!("Suspended"));
                let on = rule(&json!("Enabled"), &json!(365));
                for (before, after) in [
                    (on, rule(&json!("Enabled"), &hidden)),
                    (
                        rule(&json!("Disabled"), &json!(365)),
                        rule(&hidden, &json!(365)),
                    ),
                ] {
                    let given = vec![off.clone(), put(id, body, rules, before)];
                    let edit = put(id, body, rules, after);
                    found.push(Mutation::new(id, vec![edit]).given(given));
                }
            }
            found
        },
    },
    Class {
        name: "fewer versions of objects are kept",
        grade: Grade::DataLoss,
        find: |template| {
            let place = "/Properties/LifecycleConfiguration";
            let rule = |kept: Value| json!({"Rules": [{"Status": "Enabled", "Id": "old", "NoncurrentVersionExpiration": kept}]});
            of_type(template, BUCKET)
                .flat_map(|(id, body)| {
                    let many = json!({"NoncurrentDays": 7, "NewerNoncurrentVersions": 10});
                    let given = vec![put(id, body, place, rule(many))];
                    [
                        json!({"NoncurrentDays": 7}),
                        json!({"NoncurrentDays": 7, "NewerNoncurrentVersions": 1}),
                    ]
                    .map(|kept| {
                        Mutation::new(id, vec![put(id, body, place, rule(kept))])
                            .given(given.clone())
                    })
                })
                .collect()
        },
    },
];

/// Lists the resources that hold data.
pub(super) fn stores(template: &Value) -> impl Iterator<Item = (&String, &Value)> {
    template["Resources"]
        .as_object()
        .expect("has resources")
        .iter()
        .filter(|(_, body)| holds_data(body["Type"].as_str().unwrap_or_default()))
}

/// Changes every property of what holds data that the registry says cannot change, its name with it.
fn replacements(template: &Value, policy: &str) -> Vec<Mutation> {
    let mut found = Vec::new();
    for (id, body) in stores(template) {
        let kind = body["Type"].as_str().unwrap_or_default();
        let names = Registry.name(kind);
        let known = facts::resource_type(kind).expect("is a type");
        for property in known.properties() {
            let text = matches!(property.value().kind(), ValueKind::Text);
            if property.read_only() || !text || property.update() != UpdateBehaviour::Replacement {
                continue;
            }
            // A stream or a queue with another name in a property that decides about the name.
            let place = format!("/Properties/{}", property.name());
            let mut edits = vec![put(id, body, &place, json!("another-one"))];
            for name in names.iter().filter(|name| **name != property.name()) {
                edits.push(take(id, &format!("/Properties/{name}")));
            }
            let given = vec![put(id, body, "/UpdateReplacePolicy", json!(policy))];
            found.push(Mutation::new(id, edits).given(given));
        }
    }
    found
}
