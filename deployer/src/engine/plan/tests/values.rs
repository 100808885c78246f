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
