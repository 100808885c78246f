//! Changes that CloudFormation refuses.

use serde_json::{Value, json};

use super::data::stores;
use super::{Class, Mutation, and, of_type, put, take};
use crate::engine::plan::{Grade, Knowledge as _, Registry};

const TABLE: &[&str] = &["AWS::DynamoDB::Table"];
const POOL: &[&str] = &["AWS::Cognito::UserPool"];

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "CloudFormation refuses another type",
        grade: Grade::Impossible,
        find: |template| {
            stores(template)
                .map(|(id, body)| {
                    Mutation::new(
                        id,
                        vec![put(id, body, "/Type", json!("AWS::SSM::Parameter"))],
                    )
                })
                .collect()
        },
    },
    Class {
        name: "CloudFormation refuses other keys under the same name",
        grade: Grade::Impossible,
        find: |template| {
            of_type(template, TABLE)
                .map(|(id, body)| {
                    let keys = json!([{"AttributeName": "other", "KeyType": "HASH"}]);
                    Mutation::new(id, vec![put(id, body, "/Properties/KeySchema", keys)]).given(
                        vec![put(id, body, "/Properties/TableName", json!("orders"))],
                    )
                })
                .collect()
        },
    },
    Class {
        name: "CloudFormation refuses a name that another logical id has",
        grade: Grade::Impossible,
        find: |template| {
            let mut found = Vec::new();
            for (id, body) in stores(template) {
                let kind = body["Type"].as_str().unwrap_or_default();
                let [name] = Registry.name(kind)[..] else {
                    continue;
                };
                let given = put(id, body, &format!("/Properties/{name}"), json!("orders"));
                let mut again = body.clone();
                again["Properties"][name] = json!("orders");
                let other = format!("{id}Again");
                let edit = put(&other, &json!({}), "", again);
                found.push(Mutation::new(&other, vec![edit]).given(vec![given]));
            }
            found
        },
    },
    Class {
        name: "CloudFormation refuses several indexes at once",
        grade: Grade::Impossible,
        find: |template| {
            let place = "/Properties/GlobalSecondaryIndexes";
            let index = |name: &str| json!({"IndexName": name, "KeySchema": [], "Projection": {}});
            of_type(template, TABLE)
                .map(|(id, body)| {
                    let first = and(body.pointer(place).unwrap_or(&Value::Null), index("first"));
                    let both = and(&first, index("second"));
                    Mutation::new(id, vec![put(id, body, place, both)])
                })
                .collect()
        },
    },
    Class {
        name: "Cognito refuses other attributes",
        grade: Grade::Impossible,
        find: |template| {
            let place = "/Properties/Schema";
            let schema = json!([{"Name": "level", "AttributeDataType": "Number", "Mutable": true}]);
            of_type(template, POOL)
                .flat_map(|(id, body)| {
                    let sign_in = "/Properties/UsernameAttributes";
                    let given = vec![put(id, body, place, schema.clone())];
                    [
                        take(id, place),
                        put(
                            id,
                            body,
                            place,
                            json!([{"Name": "level", "AttributeDataType": "String"}]),
                        ),
                        put(id, body, sign_in, json!(["phone_number"])),
                    ]
                    .map(|edit| Mutation::new(id, vec![edit]).given(given.clone()))
                })
                .collect()
        },
    },
];
