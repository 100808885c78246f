//! What the values of parameters, of the region and of lists decide.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::super::{Grade, Registry, Side, StackPlan, compare};

fn compared(old: &Value, new: &Value, parameters: &[(&str, &str)]) -> StackPlan {
    let parameters: BTreeMap<String, String> = parameters
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    let side = |template| Side {
        template: Some(template),
        parameters: parameters.clone(),
        ..Side::default()
    };
    compare(
        "values-dev",
        &side(old),
        &side(new),
        &BTreeMap::new(),
        &Registry,
    )
}

fn api(origins: &Value) -> Value {
    json!({
        "Parameters": {
            "Hidden": {"Type": "String", "NoEcho": true},
            "Listed": {"Type": "CommaDelimitedList"},
            "Text": {"Type": "String"},
        },
        "Resources": {"Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {
            "Name": "a", "ProtocolType": "HTTP", "CorsConfiguration": {"AllowOrigins": origins},
        }}},
    })
}

#[test]
fn a_list_is_what_it_is_split_from() {
    let values = [("Text", "https://a,*"), ("Listed", "https://a, *")];
    let closed = api(&json!(["https://a"]));
    let opened = "opens: any web page may call it (CORS origin `*`)";
    for open in [
        json!({"Fn::Split": [",", {"Ref": "Text"}]}),
        json!({"Ref": "Listed"}),
        json!([{"Fn::Select": [1, {"Fn::Split": [",", {"Ref": "Text"}]}]}]),
        json!([{"Fn::Select": ["1", {"Ref": "Listed"}]}]),
    ] {
        let plan = compared(&closed, &api(&open), &values);
        let change = plan.changes.first().expect("is a change");
        assert_eq!(change.grade, Grade::ExposureWidened, "{open}");
        assert_eq!(change.reasons, [opened], "{open}");
    }
    // What nobody knows may be anything, each part of it too.
    let nobody = format!("{opened}, as nobody knows what ");
    for open in [
        json!({"Fn::Split": [",", {"Ref": "Hidden"}]}),
        json!([{"Fn::Select": [0, {"Fn::Split": [",", {"Ref": "Hidden"}]}]}]),
    ] {
        let plan = compared(&closed, &api(&open), &values);
        let change = plan.changes.first().expect("is a change");
        assert_eq!(change.grade, Grade::ExposureWidened, "{open}");
        assert!(
            change.reasons[0].starts_with(&nobody),
            "{:?}",
            change.reasons
        );
    }
    // A list and what says the same are the same.
    let written = api(&json!(["https://a", "*"]));
    for same in [
        json!({"Fn::Split": [",", {"Ref": "Text"}]}),
        json!({"Fn::Split": [",", {"Fn::Join": [",", {"Ref": "Listed"}]}]}),
        json!({"Ref": "Listed"}),
    ] {
        let plan = compared(&written, &api(&same), &values);
        assert!(plan.changes.is_empty(), "{same}: {:?}", plan.changes);
    }
}

#[test]
fn a_certificate_of_the_stack_stands_in_its_region() {
    let old = json!({"Resources": {
        "Certificate": {"Type": "AWS::CertificateManager::Certificate", "Properties": {"DomainName": "example.com"}},
        "Site": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": {"Enabled": true}}},
    }});
    let mut new = old.clone();
    new["Resources"]["Site"]["Properties"]["DistributionConfig"]["ViewerCertificate"] =
        json!({"AcmCertificateArn": {"Ref": "Certificate"}});
    let grades = |region: &[(&str, &str)]| -> Vec<Grade> {
        let plan = compared(&old, &new, region);
        plan.changes.iter().map(|change| change.grade).collect()
    };
    assert_eq!(
        grades(&[("AWS::Region", "eu-central-1")]),
        [Grade::Impossible]
    );
    assert_eq!(
        grades(&[("AWS::Region", "us-east-1")]),
        [Grade::UpdateInPlace]
    );
    assert_eq!(grades(&[]), [Grade::UpdateInPlace]);
}

#[test]
fn a_regional_domain_takes_a_certificate_of_its_region() {
    let arn = |region: &str| format!("arn:aws:acm:{region}:123456789012:certificate/a");
    let domains = |region: &str| {
        json!({"Resources": {
            "Rest": {"Type": "AWS::ApiGateway::DomainName", "Properties": {
                "DomainName": "a.example.com", "RegionalCertificateArn": arn(region),
                "EndpointConfiguration": {"Types": ["REGIONAL"]},
            }},
            "Http": {"Type": "AWS::ApiGatewayV2::DomainName", "Properties": {
                "DomainName": "b.example.com", "DomainNameConfigurations": [{"CertificateArn": arn(region)}],
            }},
        }})
    };
    let told = |wanted: &Value, region: &[(&str, &str)]| -> Vec<(Grade, String)> {
        let plan = compared(&json!({"Resources": {}}), wanted, region);
        let changes = plan.changes.into_iter();
        changes
            .map(|it| (it.grade, it.reasons[0].clone()))
            .collect()
    };
    let here = [("AWS::Region", "eu-west-1")];
    let reason = "the certificate stands in us-east-1, and the domain takes one from eu-west-1";
    assert_eq!(
        told(&domains("us-east-1"), &here),
        [
            (Grade::Impossible, reason.to_owned()),
            (Grade::Impossible, reason.to_owned())
        ]
    );
    let calm = told(&domains("eu-west-1"), &here);
    assert!(
        calm.iter().all(|(grade, _)| *grade == Grade::None),
        "{calm:?}"
    );
    // Nobody knows where it is to stand.
    let calm = told(&domains("us-east-1"), &[]);
    assert!(
        calm.iter().all(|(grade, _)| *grade == Grade::None),
        "{calm:?}"
    );
    // That of the stack itself is in its region.
    let mut own = domains("eu-west-1");
    own["Resources"]["Certificate"] = json!({"Type": "AWS::CertificateManager::Certificate"});
    own["Resources"]["Rest"]["Properties"]["RegionalCertificateArn"] =
        json!({"Ref": "Certificate"});
    let calm = told(&own, &here);
    assert!(
        calm.iter().all(|(grade, _)| *grade == Grade::None),
        "{calm:?}"
    );
}

/// A WebSocket API chooses its routes as its deployment says.
#[test]
fn another_way_to_choose_a_route_needs_a_deployment() {
    let template = |property: &str, value: &str| {
        json!({"Resources": {
            "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"ProtocolType": "WEBSOCKET", property: value}},
            "Deployment": {"Type": "AWS::ApiGatewayV2::Deployment", "Properties": {"ApiId": {"Ref": "Api"}}},
            "Live": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": {
                "ApiId": {"Ref": "Api"}, "DeploymentId": {"Ref": "Deployment"},
            }},
        }})
    };
    let told = |property: &str| {
        let (old, new) = (template(property, "a"), template(property, "b"));
        let plan = compared(&old, &new, &[]);
        assert_eq!(plan.changes.len(), 1);
        plan.changes[0].reasons.join("; ")
    };
    let unseen = "callers see nothing of it: the stage Live keeps its deployment, and needs a new one of the API";
    assert_eq!(told("RouteSelectionExpression"), unseen);
    assert_eq!(told("ApiKeySelectionExpression"), unseen);
    assert_eq!(told("Description"), "");
}

#[test]
fn a_deployment_with_another_description_is_no_other_one() {
    let template = |of: &str, method: &str, description: &str| {
        json!({"Resources": {
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "a"}},
            of: {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "Api"}, "Description": description}},
            "Stage": {"Type": "AWS::ApiGateway::Stage", "Properties": {"RestApiId": {"Ref": "Api"}, "DeploymentId": {"Ref": of}, "StageName": "live"}},
            "Read": {"Type": "AWS::ApiGateway::Method", "Properties": {
                "RestApiId": {"Ref": "Api"}, "ResourceId": "r", "HttpMethod": "GET", "AuthorizationType": "AWS_IAM", "OperationName": method,
            }},
        }})
    };
    let unseen = |new: &Value| {
        let plan = compared(&template("First", "a", "one"), new, &[]);
        let read = plan
            .changes
            .iter()
            .find(|change| change.logical_id == "Read");
        let reasons = &read.expect("changes").reasons;
        reasons
            .iter()
            .any(|reason| reason.starts_with("callers see nothing of it"))
    };
    assert!(unseen(&template("First", "b", "one")));
    assert!(unseen(&template("First", "b", "another")));
    assert!(!unseen(&template("Second", "b", "one")));
}
