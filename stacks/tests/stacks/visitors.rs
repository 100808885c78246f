//! What the stack of the visitors system promises, stated apart from its golden.

use serde_json::{Value, json};
use stack_model::{App, Stage};

use crate::golden::{stage, synth};

fn template(variables: &Value) -> Value {
    let assembly = synth(stage("dev", false, &json!({ "visitors": variables })));
    serde_json::from_str(assembly.template("visitors-api").unwrap()).unwrap()
}

fn properties<'a>(template: &'a Value, id: &str) -> &'a Value {
    &template["Resources"][id]["Properties"]
}

fn of_type<'a>(template: &'a Value, kind: &str) -> Vec<&'a str> {
    let resources = template["Resources"].as_object().unwrap();
    resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == kind)
        .map(|(id, _)| id.as_str())
        .collect()
}

#[test]
fn a_visit_needs_a_key_and_its_preflight_none() {
    let template = template(&json!({}));
    assert_eq!(
        of_type(&template, "AWS::ApiGateway::Method"),
        ["CountOfUserPreflight", "GetCount"]
    );
    let get = properties(&template, "GetCount");
    assert_eq!(
        (&get["HttpMethod"], &get["ApiKeyRequired"]),
        (&json!("GET"), &json!(true))
    );
    assert_eq!(get["Integration"]["Type"], "AWS_PROXY");
    assert_eq!(properties(&template, "Counts")["PathPart"], "count");
    assert_eq!(properties(&template, "CountOfUser")["PathPart"], "{userId}");
    assert_eq!(
        properties(&template, "GetCountPermission")["SourceArn"],
        json!({"Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*/GET/count/*"})
    );

    let preflight = properties(&template, "CountOfUserPreflight");
    assert_eq!(preflight["HttpMethod"], "OPTIONS");
    assert_eq!(preflight.get("ApiKeyRequired"), None);
    let response = &preflight["Integration"]["IntegrationResponses"][0];
    assert_eq!(response["StatusCode"], "200");
    assert_eq!(
        response["ResponseParameters"],
        json!({
            "method.response.header.Access-Control-Allow-Headers": "'*'",
            "method.response.header.Access-Control-Allow-Methods": "'GET,OPTIONS'",
            "method.response.header.Access-Control-Allow-Origin": "'*'",
            "method.response.header.Access-Control-Max-Age": "'600'",
        })
    );
}

#[test]
fn pages_can_read_what_the_gateway_refuses() {
    let template = template(&json!({}));
    for (id, kind) in [("Errors4xx", "DEFAULT_4XX"), ("Errors5xx", "DEFAULT_5XX")] {
        let response = properties(&template, id);
        assert_eq!(response["ResponseType"], kind);
        assert_eq!(
            response["ResponseParameters"],
            json!({
                "gatewayresponse.header.Access-Control-Allow-Headers": "'*'",
                "gatewayresponse.header.Access-Control-Allow-Origin": "'*'",
            })
        );
        // The status and the message stay those of API Gateway.
        assert_eq!(
            (
                response.get("StatusCode"),
                response.get("ResponseTemplates")
            ),
            (None, None)
        );
    }
}

/// A plan and a key know a stage by its name; a reference makes them wait for the stage that has it.
#[test]
fn the_key_may_call_the_stage_a_thousand_times_a_month() {
    let dev = template(&json!({}));
    assert_eq!(properties(&dev, "ApiStage")["StageName"], "Prod");
    assert_eq!(
        properties(&dev, "UsagePlan"),
        &json!({
            "ApiStages": [{"ApiId": {"Ref": "Api"}, "Stage": {"Ref": "ApiStage"}}],
            "Quota": {"Limit": 1000, "Period": "MONTH"},
            "UsagePlanName": "visitors-api-dev-usage-plan",
        })
    );
    assert_eq!(
        properties(&dev, "ApiKeyInUsagePlan"),
        &json!({"KeyId": {"Ref": "ApiKey"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "UsagePlan"}})
    );
    let few = template(&json!({"quota_limit": 3}));
    assert_eq!(properties(&few, "UsagePlan")["Quota"]["Limit"], 3);
}

#[test]
fn the_value_of_the_key_never_stands_in_the_template() {
    let arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:visitors/key-AbCdEf";
    for (variables, value) in [
        (json!({}), None),
        (
            json!({"api_key_value": {"parameter": "/CodeBuild/API_KEY"}}),
            Some("{{resolve:ssm:/CodeBuild/API_KEY}}".to_owned()),
        ),
        (
            json!({"api_key_value": {"secret": arn}}),
            Some(format!(
                "{{{{resolve:secretsmanager:{arn}:SecretString:}}}}"
            )),
        ),
    ] {
        let template = template(&variables);
        let key = properties(&template, "ApiKey");
        assert_eq!(key.get("Value").and_then(Value::as_str), value.as_deref());
        assert_eq!(key["Enabled"], true);
        // A key with a name could not be replaced, and a new value is a new key.
        assert_eq!(key.get("Name"), None);
    }
}

#[test]
fn a_domain_of_ones_own_leads_to_the_stage() {
    let certificate =
        "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012";
    let domain = |certificate: &str| {
        json!({"domain": {
            "name": "api.example.com", "zone": "example.com", "zone_id": "Z0123456789ABCDEFGHIJ",
            "certificate_arn": certificate,
        }})
    };
    let with = template(&domain(certificate));
    let properties = |id| properties(&with, id);
    assert_eq!(
        properties("Domain"),
        &json!({
            "CertificateArn": certificate,
            "DomainName": "api.example.com",
            "EndpointConfiguration": {"Types": ["EDGE"]},
            "SecurityPolicy": "TLS_1_2",
        })
    );
    assert_eq!(
        properties("DomainRoot"),
        &json!({"DomainName": {"Ref": "Domain"}, "RestApiId": {"Ref": "Api"}, "Stage": {"Ref": "ApiStage"}})
    );
    for (id, kind) in [("DomainAliasA", "A"), ("DomainAliasAaaa", "AAAA")] {
        let record = properties(id);
        assert_eq!(
            (&record["Name"], &record["Type"]),
            (&json!("api.example.com"), &json!(kind))
        );
        assert_eq!(record["HostedZoneId"], "Z0123456789ABCDEFGHIJ");
        // Every distribution of CloudFront has this zone.
        assert_eq!(record["AliasTarget"]["HostedZoneId"], "Z2FDTNDATAQYW2");
        let name = json!({"Fn::GetAtt": ["Domain", "DistributionDomainName"]});
        assert_eq!(record["AliasTarget"]["DNSName"], name);
    }
    assert_eq!(
        with["Outputs"]["CustomUrl"]["Value"],
        json!({"Fn::Sub": "https://${Domain}"})
    );

    let without = template(&json!({}));
    assert_eq!(without["Resources"].get("Domain"), None);
    assert_eq!(without["Outputs"].get("CustomUrl"), None);

    let elsewhere = certificate.replace("us-east-1", "eu-central-1");
    for (certificate, complaint) in [
        (elsewhere.as_str(), "us-east-1"),
        ("swordfish", "is not an ARN"),
    ] {
        let variables = json!({"visitors": domain(certificate)});
        let mut app = App::new(Stage::new(stage("dev", false, &variables)));
        let outcome = stacks::visitors::describe(&mut app).and_then(|()| app.synth().map(drop));
        let violations = outcome.unwrap_err().to_string();
        assert!(violations.contains(complaint), "{violations}");
    }
}

#[test]
fn the_function_may_count_in_the_table_and_nothing_else() {
    let template = template(&json!({}));
    let policies = &properties(&template, "CountRole")["Policies"];
    let statements = &policies[0]["PolicyDocument"]["Statement"];
    assert_eq!(
        statements,
        &json!([
            {
                "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
                "Effect": "Allow",
                "Resource": {"Fn::GetAtt": ["CountLogs", "Arn"]},
            },
            {
                "Action": "dynamodb:UpdateItem",
                "Effect": "Allow",
                "Resource": {"Fn::GetAtt": ["UsersTable", "Arn"]},
            },
        ])
    );
    assert_eq!(
        properties(&template, "UsersTable"),
        &json!({
            "AttributeDefinitions": [{"AttributeName": "userId", "AttributeType": "S"}],
            "BillingMode": "PROVISIONED",
            "KeySchema": [{"AttributeName": "userId", "KeyType": "HASH"}],
            "ProvisionedThroughput": {"ReadCapacityUnits": 5, "WriteCapacityUnits": 5},
            "TableName": "usersTable-dev",
        })
    );
}

/// The certificates alone stand where CloudFront takes them from.
#[test]
fn the_system_is_in_its_region() {
    let domain = json!({"name": "visitors.example.com", "zone": "visitors.example.com", "zone_id": "Z0123456789ABCDEFGHIJ"});
    let variables = json!({"region": "eu-central-1", "site": {"domain": domain}});
    let assembly = synth(stage("dev", false, &json!({ "visitors": variables })));
    let regions: Vec<_> = assembly
        .manifest()
        .stacks
        .iter()
        .filter(|stack| stack.id.starts_with("visitors-"))
        .map(|stack| (stack.id.as_str(), stack.region.as_deref()))
        .collect();
    assert_eq!(
        regions,
        [
            ("visitors-api", Some("eu-central-1")),
            ("visitors-site-certificate", Some("us-east-1")),
            ("visitors-site", Some("eu-central-1")),
        ]
    );
}

#[test]
fn variables_that_do_not_fit_are_refused() {
    for (variables, complaint) in [
        (json!({"quota": 5}), "quota"),
        (json!({"quota_limit": 0}), "0 is not between 1"),
        (json!({"api_key_value": "swordfish"}), "swordfish"),
        (
            json!({"api_key_value": {"secret": "swordfish"}}),
            "is not an ARN",
        ),
    ] {
        let mut app = App::new(Stage::new(stage(
            "dev",
            false,
            &json!({ "visitors": variables }),
        )));
        let outcome = stacks::visitors::describe(&mut app).and_then(|()| app.synth().map(drop));
        let violations = outcome.unwrap_err().to_string();
        assert!(violations.contains(complaint), "{violations}");
    }
}
