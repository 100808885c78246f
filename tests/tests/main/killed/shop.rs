//! A small app of three stacks in four versions, whose binaries are built once.
//!
//! One stack exports what the two others import, and its policy guards its tables. One of the others has functions, the last
//! a folder that fills a bucket and a distribution that forgets what it had; these two are deployed at the same time. Of
//! the functions, one is released under an alias and answers a route that is asked after each deploy, and nobody declared its
//! log group; the other is given code past CloudFormation in the third version, which differs in nothing else from the second.
//! In the fourth version the stack with the functions has left the source.

use serde_json::{Value, json};

use super::app::{App, Phase};
use crate::fixture::RUNTIME;

/// The version in which a stack has left the source.
const LATE: u32 = 4;

/// The commands that follow each other.
const PHASES: &[Phase] = &[
    Phase::disturbed(&["deploy"], 1),
    Phase::disturbed(&["deploy"], 2),
    Phase::disturbed(&["deploy", "--fast"], 3),
    // CloudFormation finds nothing to do, and the function gets its code back.
    Phase::disturbed(&["deploy"], 2),
    // One of the stacks has left the source, so that only its tags tell whose it is, and once it is gone, this machine alone.
    Phase::disturbed(&["destroy"], LATE),
];

pub(super) fn app() -> App {
    let app = App::new("shop", PHASES);
    for version in [1, 2, 3, 4] {
        describe(&app, version);
    }
    for version in [1, 2, 3] {
        app.write(
            &format!("worker/src/bin/worker-{version}.rs"),
            &format!("fn main() {{\n    println!(\"version {version}\");\n}}\n"),
        );
    }
    for version in [1, 2] {
        app.write(
            &format!("worker/src/bin/front-{version}.rs"),
            &format!(
                "{RUNTIME}\nfn main() {{\n    serve(|_| r#\"{{\"statusCode\": 200, \"body\": \"{version}\"}}\"#.to_owned());\n}}\n"
            ),
        );
        let folder = format!("pages-{version}");
        app.write(
            &format!("{folder}/index.html"),
            &format!("<p>{version}</p>"),
        );
        app.write(&format!("{folder}/same.css"), "p { color: black }");
        app.write(&format!("{folder}/only-{version}.txt"), "here");
    }
    app
}

fn describe(app: &App, version: u32) {
    // The third version is the second with other code, and the fourth the second without the stack that has code.
    let (code, version) = (version, version.min(2));
    let mut store = json!({
        "Resources": {
            "Jobs": {"Type": "AWS::SQS::Queue", "Properties": {"VisibilityTimeout": 30 * version}},
            format!("Log{version}"): {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": 7}},
            "Rows": {"Type": "AWS::DynamoDB::Table", "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
            }},
        },
        "Outputs": {"Jobs": {
            "Value": {"Fn::GetAtt": ["Jobs", "Arn"]},
            "Export": {"Name": "store-dev:Jobs"},
        }},
    });
    if version == 1 {
        // The policy of the stack has to be opened for the update that deletes it.
        store["Resources"]["Old"] = store["Resources"]["Rows"].clone();
    }
    let jobs = json!({"Fn::ImportValue": "store-dev:Jobs"});
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}]});
    let work = json!({
        "Parameters": {
            "ArtifactBucket": {"Type": "String"}, "WorkerArtifact": {"Type": "String"},
            "FrontArtifact": {"Type": "String"}, "FrontRelease": {"Type": "String"},
        },
        "Resources": {
            "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
            "Worker": {"Type": "AWS::Lambda::Function", "Properties": {
                "Runtime": "provided.al2023", "Handler": "bootstrap",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"S3Bucket": {"Ref": "ArtifactBucket"}, "S3Key": {"Ref": "WorkerArtifact"}},
                "Environment": {"Variables": {"JOBS": jobs, "VERSION": version.to_string()}},
            }},
            "WorkerLogs": {"Type": "AWS::Logs::LogGroup", "Properties": {
                "LogGroupName": {"Fn::Sub": "/aws/lambda/${Worker}"}, "RetentionInDays": 7,
            }},
            "Front": {"Type": "AWS::Lambda::Function", "Properties": {
                "Runtime": "provided.al2023", "Handler": "bootstrap",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"S3Bucket": {"Ref": "ArtifactBucket"}, "S3Key": {"Ref": "FrontArtifact"}},
                "Environment": {"Variables": {"STACKCTL_RELEASE": {"Ref": "FrontRelease"}}},
            }},
            "FrontVersion": {
                "Type": "AWS::Lambda::Version", "DeletionPolicy": "Delete", "UpdateReplacePolicy": "Retain",
                "Properties": {"FunctionName": {"Ref": "Front"}, "Description": {"Ref": "FrontRelease"}},
            },
            "FrontAlias": {"Type": "AWS::Lambda::Alias", "Properties": {
                "FunctionName": {"Ref": "Front"}, "Name": "live",
                "FunctionVersion": {"Fn::GetAtt": ["FrontVersion", "Version"]},
            }},
            "FrontPermission": {"Type": "AWS::Lambda::Permission", "Properties": {
                "FunctionName": {"Ref": "FrontAlias"}, "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
            }},
            "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "work-dev"}},
            "ApiRoot": {"Type": "AWS::ApiGateway::Method", "Properties": {
                "RestApiId": {"Ref": "Api"}, "ResourceId": {"Fn::GetAtt": ["Api", "RootResourceId"]},
                "HttpMethod": "GET", "AuthorizationType": "NONE",
                "Integration": {
                    "Type": "AWS_PROXY", "IntegrationHttpMethod": "POST",
                    "Uri": {"Fn::Sub": "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${FrontAlias}/invocations"},
                },
            }},
            "ApiDeployment": {
                "Type": "AWS::ApiGateway::Deployment", "DependsOn": ["ApiRoot", "FrontPermission"],
                "Properties": {"RestApiId": {"Ref": "Api"}},
            },
            "ApiStage": {"Type": "AWS::ApiGateway::Stage", "Properties": {
                "RestApiId": {"Ref": "Api"}, "DeploymentId": {"Ref": "ApiDeployment"}, "StageName": "live",
            }},
        },
        "Outputs": {"Worker": {"Value": {"Ref": "Worker"}}},
    });
    let site = json!({
        "Resources": {
            "Pages": {"Type": "AWS::S3::Bucket", "Properties": {
                "Tags": [{"Key": "jobs", "Value": jobs}],
            }},
            "Site": {"Type": "AWS::CloudFront::Distribution", "Properties": {"DistributionConfig": {
                "Enabled": true,
                "Origins": [{
                    "Id": "pages", "DomainName": {"Fn::GetAtt": ["Pages", "RegionalDomainName"]},
                    "S3OriginConfig": {"OriginAccessIdentity": ""},
                }],
                "DefaultCacheBehavior": {
                    "TargetOriginId": "pages", "ViewerProtocolPolicy": "https-only",
                    "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
                },
            }}},
        },
        // Too large for a call, so that it goes through the artifact bucket.
        "Metadata": {"Padding": "x".repeat(52_000)},
        "Outputs": {"Pages": {"Value": {"Ref": "Pages"}}, "Version": {"Value": version.to_string()}},
    });

    let needs_store = json!(["store-dev"]);
    let worker = |binary: String| json!({"kind": "function", "package": "shop-worker", "binary": binary, "architecture": "arm64"});
    let mut assets = json!({
        "worker": worker(format!("worker-{code}")),
        "front": worker(format!("front-{version}")),
    });
    let stack =
        |name: &str, template: &Value, parts: Value| app.stack(code, name, template, &parts);
    let mut stacks = vec![
        stack(
            "store",
            &store,
            json!({
                "termination_protection": true, "tags": {"version": version.to_string()},
            }),
        ),
        stack(
            "work",
            &work,
            json!({
                "depends_on": needs_store,
                "artifacts": {"WorkerArtifact": "worker", "FrontArtifact": "front"},
                "releases": {"FrontRelease": "Front"},
                "smoke": {"FrontAnswers": {
                    "api": "Api", "stage": "ApiStage", "method": "GET", "path": "/", "status": 200,
                }},
            }),
        ),
        stack(
            "site",
            &site,
            json!({
                "depends_on": needs_store,
                "contents": {"pages": {
                    "bucket": "Pages", "folder": format!("pages-{version}"), "invalidate": "Site",
                }},
            }),
        ),
    ];
    if code == LATE {
        assets = json!({});
        stacks.retain(|stack| stack["id"] != "work");
    }
    app.describe(code, &assets, &stacks);
}
