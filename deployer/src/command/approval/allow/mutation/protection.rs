//! Changes that take away what protects data, or what is done with it.

use serde_json::{Value, json};

use super::data::stores;
use super::{Class, Mutation, of_type, put, take};
use crate::engine::plan::Grade;

const TABLE: &[&str] = &["AWS::DynamoDB::Table"];
const BUCKET: &[&str] = &["AWS::S3::Bucket"];
const POOL: &[&str] = &["AWS::Cognito::UserPool"];

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "a policy no longer keeps data",
        grade: Grade::PermissionWidened,
        find: |template| {
            stores(template)
                .flat_map(|(id, body)| {
                    ["/DeletionPolicy", "/UpdateReplacePolicy"]
                        .into_iter()
                        .flat_map(move |policy| {
                            let given = vec![put(id, body, policy, json!("Retain"))];
                            [take(id, policy), put(id, body, policy, json!("Delete"))]
                                .map(|edit| Mutation::new(id, vec![edit]).given(given.clone()))
                        })
                })
                .collect()
        },
    },
    Class {
        name: "protection from deletion is taken away",
        grade: Grade::PermissionWidened,
        find: |template| {
            let kinds = [
                (
                    TABLE,
                    "/Properties/DeletionProtectionEnabled",
                    json!(true),
                    json!(false),
                ),
                (
                    POOL,
                    "/Properties/DeletionProtection",
                    json!("ACTIVE"),
                    json!("INACTIVE"),
                ),
                (
                    &["AWS::RDS::DBInstance"],
                    "/Properties/DeletionProtection",
                    json!(true),
                    json!(false),
                ),
            ];
            let mut found = Vec::new();
            for (types, place, on, off) in kinds {
                for (id, body) in of_type(template, types) {
                    let given = vec![put(id, body, place, on.clone())];
                    for edit in [take(id, place), put(id, body, place, off.clone())] {
                        found.push(Mutation::new(id, vec![edit]).given(given.clone()));
                    }
                    let perhaps = json!({"Fn::If": ["Perhaps", on, off]});
                    found.push(Mutation::new(id, vec![put(id, body, place, perhaps)]).given(given));
                }
            }
            found
        },
    },
    Class {
        name: "a protection goes with what has it",
        grade: Grade::PermissionWidened,
        find: |template| {
            // Another name makes another one.
            let kinds = [
                (TABLE, "TableName", "DeletionProtectionEnabled", json!(true)),
                (
                    &["AWS::SNS::Topic"],
                    "TopicName",
                    "KmsMasterKeyId",
                    json!("alias/own"),
                ),
                (
                    &["AWS::SQS::Queue"],
                    "QueueName",
                    "KmsMasterKeyId",
                    json!("alias/own"),
                ),
            ];
            let mut found = Vec::new();
            for (types, name, protection, on) in kinds {
                for (id, body) in of_type(template, types) {
                    let place = |name: &str| format!("/Properties/{name}");
                    let fifo = body["Properties"]["FifoQueue"] == json!(true)
                        || body["Properties"]["FifoTopic"] == json!(true);
                    let ending = if fifo { ".fifo" } else { "" };
                    let called =
                        |text: &str| put(id, body, &place(name), json!(format!("{text}{ending}")));
                    let given = vec![
                        called("earlier"),
                        put(id, body, &place(protection), on.clone()),
                    ];
                    let edits = vec![called("later"), take(id, &place(protection))];
                    found.push(Mutation::new(id, edits).given(given));
                }
            }
            found
        },
    },
    Class {
        name: "what protects does so less",
        grade: Grade::PermissionWidened,
        find: |template| {
            let kinds: [(&[&str], &str, Value, Value); 8] = [
                (
                    &["AWS::KMS::Key"],
                    "/PendingWindowInDays",
                    json!(30),
                    json!(7),
                ),
                (
                    &["AWS::IAM::Role"],
                    "/MaxSessionDuration",
                    json!(3600),
                    json!(43_200),
                ),
                (
                    POOL,
                    "/Policies/PasswordPolicy/MinimumLength",
                    json!(12),
                    json!(8),
                ),
                (
                    POOL,
                    "/Policies/PasswordPolicy/RequireSymbols",
                    json!(true),
                    json!(false),
                ),
                (
                    &["AWS::Cognito::UserPoolClient"],
                    "/AccessTokenValidity",
                    json!(1),
                    json!(12),
                ),
                (
                    &["AWS::Cognito::UserPoolClient"],
                    "/EnableTokenRevocation",
                    json!(true),
                    json!(false),
                ),
                (
                    BUCKET,
                    "/OwnershipControls/Rules",
                    json!([{"ObjectOwnership": "BucketOwnerEnforced"}]),
                    json!([{"ObjectOwnership": "ObjectWriter"}]),
                ),
                (
                    &["AWS::Lambda::Function"],
                    "/RecursiveLoop",
                    json!("Terminate"),
                    json!("Allow"),
                ),
            ];
            let mut found = Vec::new();
            for (types, place, strict, loose) in kinds {
                let place = format!("/Properties{place}");
                for (id, body) in of_type(template, types) {
                    let mut given = vec![put(id, body, &place, strict.clone())];
                    if place.ends_with("AccessTokenValidity") {
                        given.push(take(id, "/Properties/TokenValidityUnits"));
                    }
                    let perhaps = json!({"Fn::If": ["Perhaps", strict, loose]});
                    for after in [loose.clone(), perhaps] {
                        let edit = super::Edit {
                            place: format!("/Resources/{id}{place}"),
                            after: Some(after),
                        };
                        found.push(Mutation::new(id, vec![edit]).given(given.clone()));
                    }
                }
            }
            for (id, body) in of_type(template, &["AWS::SQS::Queue"]) {
                let (key, own) = (
                    "/Properties/KmsMasterKeyId",
                    "/Properties/SqsManagedSseEnabled",
                );
                let given = vec![take(id, key), put(id, body, own, json!(true))];
                let edit = put(id, body, own, json!(false));
                found.push(Mutation::new(id, vec![edit]).given(given));
            }
            found
        },
    },
    Class {
        name: "versions of objects are no longer kept",
        grade: Grade::PermissionWidened,
        find: |template| {
            let place = "/Properties/VersioningConfiguration";
            let on = json!({"Status": "Enabled"});
            of_type(template, BUCKET)
                .flat_map(|(id, body)| {
                    let given = vec![put(id, body, place, on.clone())];
                    [
                        take(id, place),
                        put(id, body, place, json!({"Status": "Suspended"})),
                    ]
                    .map(|edit| Mutation::new(id, vec![edit]).given(given.clone()))
                })
                .collect()
        },
    },
];
