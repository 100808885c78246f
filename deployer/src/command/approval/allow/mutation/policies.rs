//! Changes of policies and roles that let somebody do more.

use serde_json::{Value, json};

use super::access::added;
use super::{Class, Edit, Mutation, and, of_type, put, take, with, without};
use crate::engine::plan::Grade;

const ROLE: &[&str] = &["AWS::IAM::Role"];

/// Types that are the policy of other resources, or have one.
const POLICIES: &[&str] = &[
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IoT::Policy",
    "AWS::KMS::Key",
    "AWS::Logs::ResourcePolicy",
    "AWS::S3::BucketPolicy",
    "AWS::SNS::TopicPolicy",
    "AWS::SQS::QueuePolicy",
    "AWS::SecretsManager::ResourcePolicy",
];

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "a policy gets a statement",
        grade: Grade::PermissionWidened,
        find: |template| policies(template, |list, _| vec![and(list, allow("*", false))]),
    },
    Class {
        name: "a policy is for everybody",
        grade: Grade::ExposureWidened,
        find: |template| {
            policies(template, |list, of_resource| {
                let all = of_resource.then(|| and(list, allow("s3:*", true)));
                all.into_iter().collect()
            })
        },
    },
    Class {
        name: "a statement is about more",
        grade: Grade::PermissionWidened,
        find: |template| {
            policies(template, |list, _| {
                each(list, "Allow", |statement| {
                    let service = statement["Action"].as_array().and_then(|all| all.first());
                    let service = service
                        .unwrap_or(&statement["Action"])
                        .as_str()
                        .unwrap_or("a:b");
                    let service = service.split(':').next().unwrap_or("a");
                    let mut wider = vec![with(statement, "Action", json!(format!("{service}:*")))];
                    if statement["Resource"] != json!("*") {
                        wider.push(with(statement, "Resource", json!("*")));
                    }
                    wider.push(with(
                        statement,
                        "Action",
                        and(&statement["Action"], json!("iam:CreateAccessKey")),
                    ));
                    if statement.get("Condition").is_some() {
                        wider.push(with(statement, "Condition", json!({})));
                    }
                    wider.retain(|wider| wider != statement);
                    wider
                })
            })
        },
    },
    Class {
        name: "a statement no longer denies",
        grade: Grade::PermissionWidened,
        find: |template| {
            policies(template, |list, _| {
                each(list, "Deny", |statement| {
                    let other = json!("arn:aws:iam::123456789012:role/somebody-else");
                    vec![
                        with(statement, "Effect", json!("Allow")),
                        with(statement, "Action", json!("s3:DeleteBucket")),
                        with(statement, "Principal", json!({"AWS": other})),
                        json!({"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::other/*", "Principal": {"AWS": other}}),
                    ]
                })
            })
        },
    },
    Class {
        name: "a policy that denies goes",
        grade: Grade::ExposureWidened,
        find: |template| {
            let denies = |body: &&Value| body.to_string().contains("\"Deny\"");
            of_type(
                template,
                &[
                    "AWS::S3::BucketPolicy",
                    "AWS::SNS::TopicPolicy",
                    "AWS::SQS::QueuePolicy",
                ],
            )
            .filter(|(_, body)| denies(body))
            .map(|(id, _)| Mutation::new(id, vec![without(id)]))
            .collect()
        },
    },
    Class {
        name: "a policy that denies goes, and what it guards stays elsewhere",
        grade: Grade::ExposureWidened,
        find: |template| {
            let mut found = Vec::new();
            for (kind, place) in [
                ("AWS::S3::BucketPolicy", "/Properties/Bucket"),
                ("AWS::SNS::TopicPolicy", "/Properties/Topics"),
                ("AWS::SQS::QueuePolicy", "/Properties/Queues"),
            ] {
                for (id, body) in of_type(template, &[kind]) {
                    let account = json!({"StringNotEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}});
                    let deny = json!({"Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*", "Condition": account});
                    let denies = put(
                        id,
                        body,
                        "/Properties/PolicyDocument",
                        json!({"Statement": [deny]}),
                    );
                    let import = json!({"Fn::ImportValue": "elsewhere"});
                    let listed = body.pointer(place).is_some_and(Value::is_array);
                    let target = if listed { json!([import]) } else { import };
                    let given = vec![denies.clone(), put(id, body, place, target)];
                    found.push(Mutation::new(id, vec![without(id)]).given(given));
                    // What is retained leaves the stack with its policy, and is there.
                    let own = body.pointer(place).map(|own| own.get(0).unwrap_or(own));
                    if let Some(own) = own.and_then(|own| own["Ref"].as_str()) {
                        let retained = put(
                            own,
                            &template["Resources"][own],
                            "/DeletionPolicy",
                            json!("RetainExceptOnCreate"),
                        );
                        let both = vec![without(id), without(own)];
                        found.push(Mutation::new(id, both).given(vec![denies, retained]));
                    }
                }
            }
            found
        },
    },
    Class {
        name: "a role gets a policy",
        grade: Grade::PermissionWidened,
        find: |template| {
            let own = "/Properties/Policies";
            let managed = "/Properties/ManagedPolicyArns";
            of_type(template, ROLE)
                .flat_map(|(id, body)| {
                    let list = |place| body.pointer(place).unwrap_or(&Value::Null);
                    let policy = json!({"PolicyName": "more", "PolicyDocument": {"Statement": [allow("s3:*", false)]}});
                    let administrator = json!("arn:aws:iam::aws:policy/AdministratorAccess");
                    [
                        put(id, body, own, and(list(own), policy)),
                        put(id, body, managed, and(list(managed), administrator)),
                    ]
                    .map(|edit| Mutation::new(id, vec![edit]))
                })
                .collect()
        },
    },
    Class {
        name: "a role is trusted by another account",
        grade: Grade::PermissionWidened,
        find: |template| {
            let place = "/Properties/AssumeRolePolicyDocument/Statement";
            of_type(template, ROLE)
                .map(|(id, body)| {
                    let account = json!({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "210987654321"}});
                    let list = and(body.pointer(place).unwrap_or(&Value::Null), account);
                    Mutation::new(id, vec![put(id, body, place, list)])
                })
                .collect()
        },
    },
    Class {
        name: "what bounds a role is taken away",
        grade: Grade::PermissionWidened,
        find: |template| {
            let place = "/Properties/PermissionsBoundary";
            of_type(template, ROLE)
                .flat_map(|(id, body)| {
                    let given = vec![put(
                        id,
                        body,
                        place,
                        json!("arn:aws:iam::123456789012:policy/bounds"),
                    )];
                    [
                        take(id, place),
                        put(
                            id,
                            body,
                            place,
                            json!("arn:aws:iam::aws:policy/AdministratorAccess"),
                        ),
                    ]
                    .map(|edit| Mutation::new(id, vec![edit]).given(given.clone()))
                })
                .collect()
        },
    },
    Class {
        name: "a policy is given to another role",
        grade: Grade::PermissionWidened,
        find: |template| {
            let place = "/Properties/Roles";
            let given = role("Standing", &json!([]));
            of_type(template, &["AWS::IAM::ManagedPolicy", "AWS::IAM::Policy"])
                .map(|(id, body)| {
                    let roles = and(
                        body.pointer(place).unwrap_or(&Value::Null),
                        json!({"Ref": "Standing"}),
                    );
                    Mutation::new(id, vec![put(id, body, place, roles)]).given(vec![given.clone()])
                })
                .collect()
        },
    },
    Class {
        name: "somebody new",
        grade: Grade::PermissionWidened,
        find: |template| {
            let administrator = json!(["arn:aws:iam::aws:policy/AdministratorAccess"]);
            let mut all = vec![
                (
                    "AWS::IAM::User",
                    json!({"ManagedPolicyArns": administrator, "LoginProfile": {"Password": "p"}}),
                ),
                ("AWS::IAM::AccessKey", json!({"UserName": "ann"})),
                (
                    "AWS::IAM::UserToGroupAddition",
                    json!({"GroupName": "administrators", "Users": ["ann"]}),
                ),
                (
                    "AWS::IAM::OIDCProvider",
                    json!({"Url": "https://example.com"}),
                ),
                (
                    "AWS::IAM::SAMLProvider",
                    json!({"SamlMetadataDocument": "<EntityDescriptor/>"}),
                ),
                (
                    "AWS::Lambda::LayerVersionPermission",
                    json!({"Action": "lambda:GetLayerVersion", "LayerVersionArn": "arn:aws:lambda:eu-west-1:123456789012:layer:a:1", "Principal": "210987654321"}),
                ),
                (
                    "AWS::RAM::ResourceShare",
                    json!({"Name": "a", "Principals": ["210987654321"], "ResourceArns": ["arn:aws:ec2:eu-west-1:123456789012:subnet/a"]}),
                ),
            ];
            for (id, _) in of_type(template, &["AWS::Cognito::UserPool"]) {
                let provider = json!({"UserPoolId": {"Ref": id}, "ProviderName": "Google", "ProviderType": "Google", "ProviderDetails": {"client_id": "a"}});
                all.push(("AWS::Cognito::UserPoolIdentityProvider", provider));
            }
            for (id, _) in of_type(template, &["AWS::S3::Bucket"]) {
                let other = json!({"AWS": "arn:aws:iam::210987654321:root"});
                let read = json!([{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*", "Principal": other}]);
                let point = json!({"Bucket": {"Ref": id}, "Policy": {"Statement": read}});
                all.push(("AWS::S3::AccessPoint", point));
            }
            let all = all.into_iter();
            all.map(|(kind, properties)| {
                let body = json!({"Type": kind, "Properties": properties});
                Mutation::new("Somebody", vec![added("Somebody", body)])
            })
            .collect()
        },
    },
    Class {
        name: "a function takes a role that may do more",
        grade: Grade::PermissionWidened,
        find: |template| {
            let given = role("Mighty", &json!([allow("*", false)]));
            let arn = json!({"Fn::GetAtt": ["Mighty", "Arn"]});
            let kinds: [(&[&str], &str); 3] = [
                (&["AWS::Lambda::Function"], "/Properties/Role"),
                (
                    &[
                        "AWS::StepFunctions::StateMachine",
                        "AWS::CodePipeline::Pipeline",
                    ],
                    "/Properties/RoleArn",
                ),
                (&["AWS::CodeBuild::Project"], "/Properties/ServiceRole"),
            ];
            let mut found = Vec::new();
            for (types, place) in kinds {
                for (id, body) in of_type(template, types) {
                    for to in [
                        arn.clone(),
                        json!("arn:aws:iam::123456789012:role/somebody"),
                    ] {
                        let edit = put(id, body, place, to);
                        found.push(Mutation::new(id, vec![edit]).given(vec![given.clone()]));
                    }
                }
            }
            found
        },
    },
];

fn role(id: &str, statements: &Value) -> Edit {
    let trust = json!({"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}]});
    let policies = json!([{"PolicyName": "own", "PolicyDocument": {"Statement": statements}}]);
    let properties = json!({"AssumeRolePolicyDocument": trust, "Policies": policies});
    added(
        id,
        json!({"Type": "AWS::IAM::Role", "Properties": properties}),
    )
}

fn allow(action: &str, everybody: bool) -> Value {
    let mut statement = json!({"Effect": "Allow", "Action": action, "Resource": "*"});
    if everybody {
        statement["Principal"] = json!("*");
    }
    statement
}

/// Changes the statements of every policy document: `change` says what they may become, and is told whether they are of
/// a resource rather than of who acts.
fn policies(template: &Value, change: fn(&Value, bool) -> Vec<Value>) -> Vec<Mutation> {
    let mut found = Vec::new();
    for (id, body) in of_type(template, POLICIES) {
        let kind = body["Type"].as_str().unwrap_or_default();
        let of_resource = !kind.starts_with("AWS::IAM::") && !kind.starts_with("AWS::IoT::");
        for name in ["PolicyDocument", "KeyPolicy", "ResourcePolicy"] {
            let place = format!("/Properties/{name}");
            match body.pointer(&place) {
                Some(Value::Object(document)) if document.contains_key("Statement") => {
                    let place = format!("{place}/Statement");
                    let changed = change(&document["Statement"], of_resource).into_iter();
                    found.extend(
                        changed.map(|list| Mutation::new(id, vec![put(id, body, &place, list)])),
                    );
                }
                // A policy as text, with the statements in it.
                Some(Value::String(text)) => {
                    let document: Value = serde_json::from_str(text).expect("is JSON");
                    let changed = change(&document["Statement"], of_resource).into_iter();
                    found.extend(changed.map(|list| {
                        let text = with(&document, "Statement", list).to_string();
                        Mutation::new(id, vec![put(id, body, &place, json!(text))])
                    }));
                }
                _ => {}
            }
        }
    }
    for (id, body) in of_type(template, ROLE) {
        let own = body
            .pointer("/Properties/Policies")
            .and_then(Value::as_array);
        for (position, policy) in own.into_iter().flatten().enumerate() {
            let place = format!("/Properties/Policies/{position}/PolicyDocument/Statement");
            let changed = change(&policy["PolicyDocument"]["Statement"], false).into_iter();
            found.extend(changed.map(|list| Mutation::new(id, vec![put(id, body, &place, list)])));
        }
    }
    found
}

/// Changes each statement of an effect alone.
fn each(list: &Value, effect: &str, change: fn(&Value) -> Vec<Value>) -> Vec<Value> {
    let statements: Vec<Value> = match list {
        Value::Array(statements) => statements.clone(),
        one => vec![one.clone()],
    };
    let mut found = Vec::new();
    for (position, statement) in statements.iter().enumerate() {
        if statement["Effect"] != json!(effect) {
            continue;
        }
        for other in change(statement) {
            let mut statements = statements.clone();
            statements[position] = other;
            found.push(Value::Array(statements));
        }
    }
    found
}
