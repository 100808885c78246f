//! Changes that let more of the world in.

use serde_json::{Value, json};

use super::{Class, Edit, Mutation, and, of_type, put, take, with, without};
use crate::engine::plan::Grade;

const METHOD: &[&str] = &["AWS::ApiGateway::Method"];
const ROUTE: &[&str] = &["AWS::ApiGatewayV2::Route"];
const ROUTE_KEY: &str = "/Properties/RouteKey";
const BUCKET: &[&str] = &["AWS::S3::Bucket"];
const PERMISSION: &[&str] = &["AWS::Lambda::Permission"];

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "a route asks for no authorization",
        grade: Grade::ExposureWidened,
        find: |template| {
            let place = "/Properties/AuthorizationType";
            let guarded = |body: &Value| body["Properties"]["HttpMethod"] != json!("OPTIONS");
            let methods = of_type(template, METHOD).filter(|(_, body)| guarded(body));
            methods
                .chain(routes(template))
                .flat_map(|(id, body)| {
                    let given = vec![put(id, body, place, json!("AWS_IAM"))];
                    [
                        take(id, place),
                        put(id, body, place, json!("NONE")),
                        put(
                            id,
                            body,
                            place,
                            json!({"Fn::If": ["Perhaps", "AWS_IAM", "NONE"]}),
                        ),
                    ]
                    .map(|edit| Mutation::new(id, vec![edit]).given(given.clone()))
                })
                .collect()
        },
    },
    Class {
        name: "somebody else may call a route",
        grade: Grade::ExposureWidened,
        find: |template| {
            let kind = "/Properties/AuthorizationType";
            let by = "/Properties/AuthorizerId";
            let methods = of_type(template, METHOD).map(|one| (one, "COGNITO_USER_POOLS"));
            let routes = routes(template).map(|one| (one, "JWT"));
            methods
                .chain(routes)
                .flat_map(|((id, body), tokens)| {
                    let signed = vec![put(id, body, kind, json!("AWS_IAM")), take(id, by)];
                    let of = |authorizer: &str| {
                        let kind = put(id, body, kind, json!(tokens));
                        vec![kind, put(id, body, by, json!(authorizer))]
                    };
                    [
                        Mutation::new(id, of("one")).given(signed),
                        Mutation::new(id, of("another")).given(of("one")),
                    ]
                })
                .collect()
        },
    },
    Class {
        name: "a route asks for no key or scope",
        grade: Grade::ExposureWidened,
        find: |template| {
            let key = "/Properties/ApiKeyRequired";
            let scopes = "/Properties/AuthorizationScopes";
            of_type(template, METHOD)
                .chain(routes(template))
                .flat_map(|(id, body)| {
                    let asks = vec![put(id, body, key, json!(true))];
                    let limited = vec![put(id, body, scopes, json!(["orders/read"]))];
                    [
                        (take(id, key), &asks),
                        (put(id, body, key, json!(false)), &asks),
                        (
                            put(id, body, key, json!({"Fn::If": ["Perhaps", true, false]})),
                            &asks,
                        ),
                        (take(id, scopes), &limited),
                        (put(id, body, scopes, json!([])), &limited),
                    ]
                    .map(|(edit, given)| Mutation::new(id, vec![edit]).given(given.clone()))
                })
                .collect()
        },
    },
    Class {
        name: "a new route asks for no authorization",
        grade: Grade::ExposureWidened,
        find: |template| {
            of_type(template, METHOD)
                .filter(|(_, body)| body["Properties"]["HttpMethod"] != json!("OPTIONS"))
                .map(|(_, body)| {
                    let mut open = body.clone();
                    open["Properties"]["AuthorizationType"] = json!("NONE");
                    open["Properties"]["HttpMethod"] = json!("PATCH");
                    if let Some(all) = open["Properties"].as_object_mut() {
                        all.remove("ApiKeyRequired");
                    }
                    Mutation::new("Opened", vec![added("Opened", open)])
                })
                .collect()
        },
    },
    Class {
        name: "nobody asks who connects",
        grade: Grade::ExposureWidened,
        find: |template| {
            let connections = of_type(template, ROUTE)
                .filter(|(_, body)| body["Properties"]["RouteKey"] == json!("$connect"));
            let gone = connections.flat_map(|(id, body)| {
                [without(id), put(id, body, ROUTE_KEY, json!("jump"))]
                    .map(|edit| Mutation::new(id, vec![edit]))
            });
            let message = json!({"ApiId": {"Ref": "Bare"}, "RouteKey": "move"});
            let message = json!({"Type": ROUTE[0], "Properties": message});
            let bare =
                of_type(template, &["AWS::ApiGatewayV2::Api"]).filter(|(id, _)| *id == "Bare");
            gone.chain(
                bare.map(|_| Mutation::new("Opened", vec![added("Opened", message.clone())])),
            )
            .collect()
        },
    },
    Class {
        name: "what is open takes more",
        grade: Grade::ExposureWidened,
        find: |template| {
            let kind = "/Properties/AuthorizationType";
            let routes = routes(template).flat_map(|(id, body)| {
                let given = [(kind, "NONE"), (ROUTE_KEY, "GET /health")]
                    .map(|(place, value)| put(id, body, place, json!(value)));
                ["ANY /health", "GET /{proxy+}", "$default"].map(|key| {
                    let edit = put(id, body, ROUTE_KEY, json!(key));
                    Mutation::new(id, vec![edit]).given(given.to_vec())
                })
            });
            let verb = "/Properties/HttpMethod";
            let methods = of_type(template, METHOD).map(|(id, body)| {
                let given = vec![
                    put(id, body, kind, json!("NONE")),
                    put(id, body, verb, json!("GET")),
                    put(id, body, "/Properties/ApiKeyRequired", json!(false)),
                ];
                Mutation::new(id, vec![put(id, body, verb, json!("ANY"))]).given(given)
            });
            let paths = "/Properties/DistributionConfig/CacheBehaviors";
            let sites = of_type(template, &["AWS::CloudFront::Distribution"]).map(|(id, body)| {
                let behaviors = |admin: &str| {
                    let behavior = |path: &str, policy: &str| json!({"PathPattern": path, "TargetOriginId": "a", "ViewerProtocolPolicy": policy});
                    json!([behavior("/open/*", "allow-all"), behavior("/admin/*", admin)])
                };
                Mutation::new(id, vec![put(id, body, paths, behaviors("allow-all"))])
                    .given(vec![put(id, body, paths, behaviors("https-only"))])
            });
            let ingress = "/Properties/SecurityGroupIngress";
            let groups = of_type(template, &["AWS::EC2::SecurityGroup"]).flat_map(|(id, body)| {
                let rule = |addresses: &str, to: u16| {
                    let rule = json!({"CidrIp": addresses, "IpProtocol": "tcp", "FromPort": 443, "ToPort": to});
                    put(id, body, ingress, json!([rule]))
                };
                [
                    (rule("0.0.0.0/0", 443), rule("0.0.0.0/0", 65535)),
                    (rule("10.0.0.0/8", 443), rule("52.0.0.0/8", 443)),
                ]
                .map(|(given, edit)| Mutation::new(id, vec![edit]).given(vec![given]))
            });
            routes.chain(methods).chain(sites).chain(groups).collect()
        },
    },
    Class {
        name: "anybody may call a function",
        grade: Grade::ExposureWidened,
        find: |template| {
            let mut found: Vec<Mutation> = of_type(template, PERMISSION)
                .flat_map(|(id, body)| {
                    let given = vec![put(
                        id,
                        body,
                        "/Properties/SourceArn",
                        json!("arn:aws:sns:eu-west-1:123456789012:one"),
                    )];
                    [
                        take(id, "/Properties/SourceArn"),
                        put(id, body, "/Properties/Principal", json!("*")),
                    ]
                    .map(|edit| Mutation::new(id, vec![edit]).given(given.clone()))
                })
                .collect();
            for (id, _) in of_type(template, &["AWS::Lambda::Function"]) {
                let function = json!({"Fn::GetAtt": [id, "Arn"]});
                let permission = json!({"Action": "lambda:InvokeFunction", "Principal": "*", "FunctionName": function});
                for (kind, properties) in [
                    ("AWS::Lambda::Permission", permission),
                    (
                        "AWS::Lambda::Url",
                        json!({"AuthType": "NONE", "TargetFunctionArn": function}),
                    ),
                ] {
                    let body = json!({"Type": kind, "Properties": properties});
                    found.push(Mutation::new("Opened", vec![added("Opened", body)]));
                }
            }
            found
        },
    },
    Class {
        name: "a bucket is public",
        grade: Grade::ExposureWidened,
        find: |template| {
            let place = "/Properties/PublicAccessBlockConfiguration";
            let parts = [
                "BlockPublicAcls",
                "BlockPublicPolicy",
                "IgnorePublicAcls",
                "RestrictPublicBuckets",
            ];
            let on = json!({parts[0]: true, parts[1]: true, parts[2]: true, parts[3]: true});
            let mut found = Vec::new();
            for (id, body) in of_type(template, BUCKET) {
                let given = vec![put(id, body, place, on.clone())];
                let mut edits = vec![
                    take(id, place),
                    put(id, body, "/Properties/AccessControl", json!("PublicRead")),
                ];
                for part in parts {
                    let perhaps = json!({"Fn::If": ["Perhaps", true, false]});
                    for value in [json!(false), json!("false"), perhaps] {
                        edits.push(put(id, body, place, with(&on, part, value)));
                    }
                }
                found.extend(
                    edits
                        .into_iter()
                        .map(|edit| Mutation::new(id, vec![edit]).given(given.clone())),
                );
            }
            found
        },
    },
    Class {
        name: "any web page may call",
        grade: Grade::ExposureWidened,
        find: |template| {
            let buckets = of_type(template, BUCKET).map(|(id, body)| {
                let place = "/Properties/CorsConfiguration";
                let rule = |origin: &str| json!({"CorsRules": [{"AllowedMethods": ["GET"], "AllowedOrigins": [origin]}]});
                Mutation::new(id, vec![put(id, body, place, rule("*"))])
                    .given(vec![put(id, body, place, rule("https://example.com"))])
            });
            let answers = of_type(template, &["AWS::ApiGateway::GatewayResponse"]).map(|(id, body)| {
                let place = "/Properties/ResponseParameters";
                let header = |origin: &str| json!({"gatewayresponse.header.Access-Control-Allow-Origin": origin});
                Mutation::new(id, vec![put(id, body, place, header("'*'"))])
                    .given(vec![put(id, body, place, header("'https://example.com'"))])
            });
            buckets.chain(answers).collect()
        },
    },
    Class {
        name: "more web pages may call",
        grade: Grade::ExposureWidened,
        find: |template| {
            let place = "/Properties/CorsConfiguration";
            let one = "https://www.example.com";
            let buckets = of_type(template, BUCKET).flat_map(|(id, body)| {
                let rule = |origins: Value| {
                    let rule = json!({"AllowedMethods": ["GET"], "AllowedOrigins": origins});
                    put(id, body, place, json!({"CorsRules": [rule]}))
                };
                let more = [
                    json!(["https://*.example.com"]),
                    json!([one, "https://example.org"]),
                ];
                more.map(|more| Mutation::new(id, vec![rule(more)]).given(vec![rule(json!([one]))]))
            });
            let apis = of_type(template, &["AWS::ApiGatewayV2::Api"]).flat_map(|(id, body)| {
                let from = |origin: &str| put(id, body, place, json!({"AllowOrigins": [origin]}));
                ["https://*", "http://*", "https://example.org"]
                    .map(|more| Mutation::new(id, vec![from(more)]).given(vec![from(one)]))
            });
            buckets.chain(apis).collect()
        },
    },
    Class {
        name: "anybody may sign up or come as a guest",
        grade: Grade::ExposureWidened,
        find: |template| {
            let kinds: [(&str, &str, Value, Value); 3] = [
                (
                    "AWS::Cognito::UserPool",
                    "/Properties/AdminCreateUserConfig/AllowAdminCreateUserOnly",
                    json!(true),
                    json!(false),
                ),
                (
                    "AWS::Cognito::UserPool",
                    "/Properties/MfaConfiguration",
                    json!("ON"),
                    json!("OPTIONAL"),
                ),
                (
                    "AWS::Cognito::IdentityPool",
                    "/Properties/AllowUnauthenticatedIdentities",
                    json!(false),
                    json!(true),
                ),
            ];
            let mut found = Vec::new();
            for (kind, place, closed, open) in kinds {
                for (id, body) in of_type(template, &[kind]) {
                    let given = vec![put(id, body, place, closed.clone())];
                    found.push(
                        Mutation::new(id, vec![put(id, body, place, open.clone())]).given(given),
                    );
                }
            }
            found
        },
    },
    Class {
        name: "a distribution answers plain HTTP",
        grade: Grade::ExposureWidened,
        find: |template| {
            let place = "/Properties/DistributionConfig/DefaultCacheBehavior/ViewerProtocolPolicy";
            of_type(template, &["AWS::CloudFront::Distribution"])
                .map(|(id, body)| Mutation::new(id, vec![put(id, body, place, json!("allow-all"))]))
                .collect()
        },
    },
    Class {
        name: "a distribution lets in whom it kept out",
        grade: Grade::ExposureWidened,
        find: |template| {
            let acl = "/Properties/DistributionConfig/WebACLId";
            let countries = "/Properties/DistributionConfig/Restrictions/GeoRestriction";
            let only = |these: Value| json!({"RestrictionType": "whitelist", "Locations": these});
            let groups = "/Properties/DistributionConfig/DefaultCacheBehavior/TrustedKeyGroups";
            of_type(template, &["AWS::CloudFront::Distribution"])
                .flat_map(|(id, body)| {
                    let filtered = put(id, body, acl, json!("arn:one"));
                    let limited = put(id, body, countries, only(json!(["DE"])));
                    let signed = put(id, body, groups, json!(["one"]));
                    [
                        (take(id, acl), &filtered),
                        (put(id, body, acl, json!("arn:another")), &filtered),
                        (take(id, countries), &limited),
                        (
                            put(id, body, countries, only(json!(["DE", "FR"]))),
                            &limited,
                        ),
                        (take(id, groups), &signed),
                        (put(id, body, groups, json!({"Ref": "Hidden"})), &signed),
                    ]
                    .map(|(edit, given)| Mutation::new(id, vec![edit]).given(vec![given.clone()]))
                })
                .collect()
        },
    },
    Class {
        name: "guests get a role",
        grade: Grade::ExposureWidened,
        find: |_| {
            let roles = |roles: Value| json!({"Type": "AWS::Cognito::IdentityPoolRoleAttachment", "Properties": {"IdentityPoolId": "eu-west-1:a", "Roles": roles}});
            let arn = |name: &str| json!(format!("arn:aws:iam::123456789012:role/{name}"));
            let given = roles(json!({"authenticated": arn("people")}));
            let wanted =
                roles(json!({"authenticated": arn("people"), "unauthenticated": arn("guests")}));
            let edit = added("Attached", wanted);
            vec![Mutation::new("Attached", vec![edit]).given(vec![added("Attached", given)])]
        },
    },
    Class {
        name: "tokens of others are taken",
        grade: Grade::ExposureWidened,
        find: |template| {
            let place = "/Properties/CallbackURLs";
            let client = of_type(template, &["AWS::Cognito::UserPoolClient"]).map(|(id, body)| {
                let given = vec![put(id, body, place, json!(["https://example.com"]))];
                let more = json!(["https://example.com", "https://example.org"]);
                Mutation::new(id, vec![put(id, body, place, more)]).given(given)
            });
            let authorizer = |issuer: &str, audience: &[&str]| {
                let tokens = json!({"Issuer": issuer, "Audience": audience});
                let properties = json!({"ApiId": "a", "Name": "tokens", "AuthorizerType": "JWT", "JwtConfiguration": tokens});
                json!({"Type": "AWS::ApiGatewayV2::Authorizer", "Properties": properties})
            };
            let given = added("Tokens", authorizer("https://one", &["one"]));
            let others = [
                authorizer("https://another", &["one"]),
                authorizer("https://one", &["one", "another"]),
            ]
            .map(|wanted| {
                Mutation::new("Tokens", vec![added("Tokens", wanted)]).given(vec![given.clone()])
            });
            client.chain(others).collect()
        },
    },
    Class {
        name: "an API answers where it did not",
        grade: Grade::ExposureWidened,
        find: |template| {
            let own = "/Properties/DisableExecuteApiEndpoint";
            let kinds = "/Properties/EndpointConfiguration";
            of_type(template, &["AWS::ApiGateway::RestApi"])
                .flat_map(|(id, body)| {
                    let off = vec![put(id, body, own, json!(true))];
                    let private = vec![put(id, body, kinds, json!({"Types": ["PRIVATE"]}))];
                    [
                        (put(id, body, own, json!(false)), &off),
                        (take(id, own), &off),
                        (
                            put(id, body, kinds, json!({"Types": ["REGIONAL"]})),
                            &private,
                        ),
                    ]
                    .map(|(edit, given)| Mutation::new(id, vec![edit]).given(given.clone()))
                })
                .collect()
        },
    },
    Class {
        name: "a web ACL blocks less or nothing",
        grade: Grade::ExposureWidened,
        find: |template| {
            let rules = "/Properties/Rules";
            let acls = of_type(template, &["AWS::WAFv2::WebACL"]).flat_map(|(id, body)| {
                [
                    put(id, body, "/Properties/DefaultAction", json!({"Allow": {}})),
                    take(id, rules),
                    put(id, body, "/Properties/Rules/0/Action", json!({"Count": {}})),
                ]
                .map(|edit| Mutation::new(id, vec![edit]))
            });
            let limit = "/Properties/Rules/0/Statement/RateBasedStatement/Limit";
            let limited = of_type(template, &["AWS::WAFv2::WebACL"])
                .filter(|(_, body)| body.pointer(limit).is_some())
                .map(|(id, body)| Mutation::new(id, vec![put(id, body, limit, json!(20_000_000))]));
            let passing = of_type(template, &["AWS::WAFv2::WebACL"]).map(|(id, body)| {
                let all = json!({"Name": "Friends", "Priority": -1, "Action": {"Allow": {}}, "Statement": {"GeoMatchStatement": {"CountryCodes": ["DE"]}}});
                let list = and(body.pointer(rules).unwrap_or(&Value::Null), all);
                Mutation::new(id, vec![put(id, body, rules, list)])
            });
            let associations =
                of_type(template, &["AWS::WAFv2::WebACLAssociation"]).flat_map(|(id, body)| {
                    let other = json!("arn:aws:apigateway:eu-west-1::/restapis/other/stages/prod");
                    [without(id), put(id, body, "/Properties/ResourceArn", other)]
                        .map(|edit| Mutation::new(id, vec![edit]))
                });
            acls.chain(limited)
                .chain(passing)
                .chain(associations)
                .collect()
        },
    },
    Class {
        name: "any address reaches it",
        grade: Grade::ExposureWidened,
        find: |template| {
            let groups = of_type(template, &["AWS::EC2::SecurityGroup"]).map(|(id, body)| {
                let rules = json!([{"CidrIp": "0.0.0.0/0", "IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}]);
                Mutation::new(id, vec![put(id, body, "/Properties/SecurityGroupIngress", rules)])
            });
            let databases = of_type(template, &["AWS::RDS::DBInstance"]).map(|(id, body)| {
                Mutation::new(
                    id,
                    vec![put(id, body, "/Properties/PubliclyAccessible", json!(true))],
                )
            });
            groups.chain(databases).collect()
        },
    },
];

/// Lists the routes that ask who calls, or could: those of messages cannot.
fn routes(template: &Value) -> impl Iterator<Item = (&String, &Value)> {
    of_type(template, ROUTE).filter(|(_, body)| {
        let key = body["Properties"]["RouteKey"].as_str().unwrap_or_default();
        key == "$connect" || key.contains(' ')
    })
}

pub(super) fn added(id: &str, body: Value) -> Edit {
    Edit {
        place: format!("/Resources/{id}"),
        after: Some(body),
    }
}
