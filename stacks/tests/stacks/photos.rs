//! What the stacks of the photos system promise, stated apart from their goldens.

use serde_json::{Value, json};
use stack_model::{App, Stage};

use crate::golden::{stage, synth};

/// The three templates of the system.
struct System {
    data: Value,
    identity: Value,
    api: Value,
}

fn system_of(name: &str, variables: &Value) -> System {
    let assembly = synth(stage(name, name == "prod", &json!({ "photos": variables })));
    let template = |id: &str| serde_json::from_str(assembly.template(id).unwrap()).unwrap();
    System {
        data: template("photos-data"),
        identity: template("photos-identity"),
        api: template("photos-api"),
    }
}

fn system(variables: &Value) -> System {
    system_of("dev", variables)
}

fn properties<'a>(template: &'a Value, id: &str) -> &'a Value {
    &template["Resources"][id]["Properties"]
}

/// Returns the statements of a role but the one about its log group.
fn granted(template: &Value, role: &str) -> Vec<Value> {
    let policies = &properties(template, role)["Policies"];
    let statements = policies[0]["PolicyDocument"]["Statement"]
        .as_array()
        .unwrap();
    let (logs, others): (Vec<&Value>, Vec<&Value>) = statements
        .iter()
        .partition(|statement| statement["Action"][0] == "logs:CreateLogStream");
    assert_eq!(logs.len(), usize::from(role != "Person"), "{role}");
    others.into_iter().cloned().collect()
}

fn allowed(actions: impl Into<Value>, resource: impl Into<Value>) -> Value {
    let (actions, resource) = (actions.into(), resource.into());
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

fn imported(name: &str) -> Value {
    json!({"Fn::ImportValue": format!("photos-data-dev-{name}")})
}

#[test]
fn names_are_those_of_the_stage() {
    for (stage, table, bucket) in [
        ("dev", "devPhotoUsers", "crpics2app-dev"),
        ("prod", "photoUsers", "crpics2app"),
        ("test", "testPhotoUsers", "crpics2app-test"),
    ] {
        let system = system_of(stage, &json!({}));
        assert_eq!(properties(&system.data, "Albums")["TableName"], table);
        assert_eq!(properties(&system.data, "Photos")["BucketName"], bucket);
        let api = &system.api;
        assert_eq!(properties(api, "Api")["Name"], format!("photos-{stage}"));
        assert_eq!(properties(api, "ApiStage")["StageName"], stage);
        for (template, id, name) in [
            (&system.data, "Process", "process"),
            (api, "List", "list"),
            (api, "Upload", "upload"),
            (api, "Delete", "delete"),
        ] {
            let function = properties(template, id);
            assert_eq!(function["FunctionName"], format!("photos-{stage}-{name}"));
            assert_eq!(function["MemorySize"], 1024);
            assert_eq!(function["Timeout"], 30);
            let logs = properties(template, &format!("{id}Logs"));
            assert_eq!(logs["RetentionInDays"], 5);
        }
    }
    let named = json!({"table_name": "albums", "bucket_name": "our-photos"});
    let system = system(&named);
    assert_eq!(properties(&system.data, "Albums")["TableName"], "albums");
    assert_eq!(
        properties(&system.data, "Photos")["BucketName"],
        "our-photos"
    );
}

/// Each function reaches the table and the bucket of its own stage, and of those only what its work needs.
#[test]
fn every_function_may_do_its_work_and_nothing_else() {
    for authorization in ["iam", "user-pool"] {
        let system = system(&json!({ "authorization": authorization }));
        let albums = imported("Albums-Arn");
        let change = json!(["dynamodb:GetItem", "dynamodb:UpdateItem"]);
        assert_eq!(
            granted(&system.api, "ListRole"),
            [allowed("dynamodb:GetItem", albums.clone())]
        );
        assert_eq!(
            granted(&system.api, "UploadRole"),
            [allowed(change.clone(), albums.clone())]
        );
        let objects = json!({"Fn::Sub": ["${Value1}/*", {"Value1": imported("Photos-Arn")}]});
        assert_eq!(
            granted(&system.api, "DeleteRole"),
            [
                allowed(change.clone(), albums),
                allowed("s3:DeleteObject", objects)
            ]
        );
        let own_objects = json!({"Fn::Sub": "arn:${AWS::Partition}:s3:::crpics2app-dev/*"});
        assert_eq!(
            granted(&system.data, "ProcessRole"),
            [
                allowed(change, json!({"Fn::GetAtt": ["Albums", "Arn"]})),
                allowed("s3:GetObject", own_objects),
                // Rekognition has no resources.
                allowed("rekognition:DetectLabels", "*"),
                allowed(
                    "sqs:SendMessage",
                    json!({"Fn::GetAtt": ["Unlabelled", "Arn"]})
                ),
            ]
        );
    }
}

#[test]
fn people_reach_their_own_objects_by_the_id_that_the_api_knows_them_by() {
    for (authorization, id) in [
        ("iam", "${!cognito-identity.amazonaws.com:sub}"),
        ("user-pool", "${!aws:PrincipalTag/sub}"),
    ] {
        let system = system(&json!({ "authorization": authorization }));
        let own = json!({"Fn::Sub": [
            format!("${{Value1}}/private/{id}/*"),
            {"Value1": imported("Photos-Arn")},
        ]});
        let actions = json!(["s3:DeleteObject", "s3:GetObject", "s3:PutObject"]);
        assert_eq!(granted(&system.identity, "Person"), [allowed(actions, own)]);
        let trust = &properties(&system.identity, "Person")["AssumeRolePolicyDocument"];
        for statement in trust["Statement"].as_array().unwrap() {
            let pool =
                &statement["Condition"]["StringEquals"]["cognito-identity.amazonaws.com:aud"];
            assert_eq!(pool, &json!({"Ref": "Identities"}));
        }
        // Credentials carry the claim as a tag only where it is needed, and the role then has to allow that.
        let tagged = authorization == "user-pool";
        let tags = properties(&system.identity, "IdentityTags");
        assert_eq!(tags["PrincipalTags"] == json!({"sub": "sub"}), tagged);
        let actions: Vec<&Value> = trust["Statement"]
            .as_array()
            .unwrap()
            .iter()
            .map(|statement| &statement["Action"])
            .collect();
        assert_eq!(actions.contains(&&json!("sts:TagSession")), tagged);
    }
}

#[test]
fn people_sign_up_by_mail_whatever_its_case() {
    let system = system(&json!({}));
    let users = properties(&system.identity, "Users");
    assert_eq!(users["UsernameAttributes"], json!(["email"]));
    assert_eq!(users["UsernameConfiguration"]["CaseSensitive"], false);
    assert_eq!(
        users["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"],
        false
    );
    let web = properties(&system.identity, "Web");
    assert_eq!(web["ClientName"], "Web");
    assert_eq!(web.get("GenerateSecret"), None);
    let identities = properties(&system.identity, "Identities");
    assert_eq!(identities["AllowUnauthenticatedIdentities"], false);
    let providers = identities["CognitoIdentityProviders"].as_array().unwrap();
    assert_eq!(providers.len(), 1);
    assert_eq!(providers[0]["ClientId"], json!({"Ref": "Web"}));
}

#[test]
fn callers_sign_unless_the_stage_says_otherwise() {
    let iam = system(&json!({})).api;
    let user_pool = system(&json!({"authorization": "user-pool"})).api;
    for (method, function) in [
        ("PhotosGet", "List"),
        ("PhotosPost", "Upload"),
        ("PhotosDelete", "Delete"),
    ] {
        let identity = |api: &Value| {
            properties(api, function)["Environment"]["Variables"]["CALLER_IDENTITY"].clone()
        };
        assert_eq!(properties(&iam, method)["AuthorizationType"], "AWS_IAM");
        assert_eq!(identity(&iam), "identity-pool");
        let with_token = properties(&user_pool, method);
        assert_eq!(with_token["AuthorizationType"], "COGNITO_USER_POOLS");
        assert_eq!(with_token["AuthorizerId"], json!({"Ref": "Users"}));
        // Without scopes, API Gateway takes ID tokens.
        assert_eq!(with_token.get("AuthorizationScopes"), None);
        assert_eq!(identity(&user_pool), "user-pool");
    }
    // People who sign may call the three methods of this stage; people who send a token need no permission for that.
    let call = properties(&iam, "CallApi");
    assert_eq!(
        call["Roles"],
        json!([{"Fn::ImportValue": "photos-identity-dev-Person"}])
    );
    let statements = call["PolicyDocument"]["Statement"].as_array().unwrap();
    let methods = ["GET", "POST", "DELETE"].map(|method| {
        json!({"Fn::Sub": format!(
            "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/dev/{method}/photos"
        )})
    });
    assert_eq!(statements, &[allowed("execute-api:Invoke", json!(methods))]);
    assert_eq!(user_pool["Resources"].get("CallApi"), None);
}

#[test]
fn pages_of_any_origin_may_call_and_read_errors() {
    let system = system(&json!({}));
    let rules = properties(&system.data, "Photos")["CorsConfiguration"]["CorsRules"].clone();
    assert_eq!(
        rules,
        json!([{
            "AllowedOrigins": ["*"],
            "AllowedHeaders": ["*"],
            "AllowedMethods": ["HEAD", "GET", "PUT", "POST", "DELETE"],
            "ExposedHeaders": ["x-amz-server-side-encryption", "x-amz-request-id", "x-amz-id-2", "ETag"],
            "MaxAge": 3000,
        }])
    );
    for (id, kind) in [("Errors4xx", "DEFAULT_4XX"), ("Errors5xx", "DEFAULT_5XX")] {
        let response = properties(&system.api, id);
        assert_eq!(response["ResponseType"], kind);
        assert_eq!(
            response["ResponseParameters"],
            json!({
                "gatewayresponse.header.Access-Control-Allow-Headers": "'*'",
                "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
            })
        );
    }
    assert_eq!(
        properties(&system.api, "PhotosPreflight")["AuthorizationType"],
        "NONE"
    );
}

/// S3 tells the function of images in people's folders and of nothing else, and only this bucket may.
#[test]
fn images_that_arrive_are_labelled() {
    let system = system(&json!({}));
    let photos = &system.data["Resources"]["Photos"];
    let notifications = &photos["Properties"]["NotificationConfiguration"]["LambdaConfigurations"];
    let arrival = |suffix: &str| {
        json!({
            "Event": "s3:ObjectCreated:*",
            "Filter": {"S3Key": {"Rules": [
                {"Name": "prefix", "Value": "private/"},
                {"Name": "suffix", "Value": suffix},
            ]}},
            "Function": {"Fn::GetAtt": ["Process", "Arn"]},
        })
    };
    assert_eq!(notifications, &json!([arrival(".jpg"), arrival(".png")]));
    // S3 tries the permission when the notification is set, so the bucket waits for it.
    assert_eq!(photos["DependsOn"], json!(["ProcessPhotosPermission"]));
    let permission = properties(&system.data, "ProcessPhotosPermission");
    assert_eq!(
        permission["SourceAccount"],
        json!({"Ref": "AWS::AccountId"})
    );
    assert_eq!(
        permission["SourceArn"],
        json!({"Fn::Sub": "arn:${AWS::Partition}:s3:::crpics2app-dev"})
    );
    let retries = properties(&system.data, "ProcessAsyncInvocations");
    assert_eq!(retries["MaximumRetryAttempts"], 2);
    assert_eq!(
        retries["DestinationConfig"]["OnFailure"]["Destination"],
        json!({"Fn::GetAtt": ["Unlabelled", "Arn"]})
    );
}

#[test]
fn a_table_is_provisioned_and_kept_where_the_stage_is_protected() {
    for (stage, kept) in [("dev", false), ("prod", true)] {
        let system = system_of(stage, &json!({}));
        let albums = &system.data["Resources"]["Albums"];
        assert_eq!(
            albums["Properties"]["ProvisionedThroughput"],
            json!({"ReadCapacityUnits": 5, "WriteCapacityUnits": 5})
        );
        let key = &albums["Properties"]["KeySchema"];
        assert_eq!(key, &json!([{"AttributeName": "id", "KeyType": "HASH"}]));
        for (template, id) in [
            (&system.data, "Albums"),
            (&system.data, "Photos"),
            (&system.identity, "Users"),
        ] {
            let policy = &template["Resources"][id]["DeletionPolicy"];
            assert_eq!(
                policy.as_str().unwrap().starts_with("Retain"),
                kept,
                "{id} {policy}"
            );
        }
    }
}

#[test]
fn a_domain_is_regional_with_a_certificate_of_its_region() {
    let domain = json!({
        "name": "dev.api.pics2.example.com",
        "zone": "pics2.example.com",
        "zone_id": "Z0123456789ABCDEFGHIJ",
    });
    let with_domain = system(&json!({ "domain": domain }));
    let api = &with_domain.api;
    let domain = properties(api, "Domain");
    assert_eq!(
        domain["EndpointConfiguration"]["Types"],
        json!(["REGIONAL"])
    );
    assert_eq!(
        domain["RegionalCertificateArn"],
        json!({"Ref": "Certificate"})
    );
    assert_eq!(domain["SecurityPolicy"], "TLS_1_2");
    let certificate = properties(api, "Certificate");
    assert_eq!(certificate["DomainName"], "dev.api.pics2.example.com");
    assert_eq!(certificate["ValidationMethod"], "DNS");
    let mapping = properties(api, "DomainRoot");
    assert_eq!(mapping["Stage"], json!({"Ref": "ApiStage"}));
    assert_eq!(mapping.get("BasePath"), None);
    let alias = properties(api, "DomainAlias");
    assert_eq!(alias["Type"], "A");
    assert_eq!(
        alias["AliasTarget"],
        json!({
            "DNSName": {"Fn::GetAtt": ["Domain", "RegionalDomainName"]},
            "HostedZoneId": {"Fn::GetAtt": ["Domain", "RegionalHostedZoneId"]},
            "EvaluateTargetHealth": true,
        })
    );
    let without = system(&json!({})).api;
    for id in ["Certificate", "Domain", "DomainAlias", "DomainRoot"] {
        assert_eq!(without["Resources"].get(id), None);
    }
}

/// Each stack is deployed after those it needs, all of them where the system is to be.
#[test]
fn stacks_follow_one_another_in_the_region_of_the_system() {
    for authorization in ["iam", "user-pool"] {
        let variables = json!({"authorization": authorization, "region": "us-west-2"});
        let assembly = synth(stage("dev", false, &json!({ "photos": variables })));
        let stacks = &assembly.manifest().stacks;
        let photos: Vec<_> = stacks
            .iter()
            .filter(|stack| stack.id.starts_with("photos-"))
            .collect();
        let ids: Vec<&str> = photos.iter().map(|stack| stack.id.as_str()).collect();
        assert_eq!(
            ids,
            [
                "photos-data",
                "photos-identity",
                "photos-api",
                "photos-site"
            ]
        );
        assert_eq!(photos[0].depends_on, [""; 0]);
        assert_eq!(photos[1].depends_on, ["photos-data-dev"]);
        assert_eq!(
            photos[2].depends_on,
            ["photos-data-dev", "photos-identity-dev"]
        );
        for stack in photos {
            assert_eq!(stack.region.as_deref(), Some("us-west-2"));
        }
    }
}

#[test]
fn unknown_variables_are_refused() {
    for (variables, complaint) in [
        (json!({"authorisation": "iam"}), "authorisation"),
        (json!({"authorization": "none"}), "none"),
        (json!({"domain": {"name": "api.example.com"}}), "zone"),
    ] {
        let request = stage("dev", false, &json!({ "photos": variables }));
        let mut app = App::new(Stage::new(request));
        let violations = stacks::describe(&mut app).unwrap_err().to_string();
        assert!(violations.contains(complaint), "{violations}");
        assert!(
            violations.contains("[stages.dev.variables.photos]"),
            "{violations}"
        );
    }
}
