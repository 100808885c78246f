//! The pages of the services: each has an example, which is compiled and rendered.

mod contracts;
mod included;

use std::collections::BTreeSet;

use serde_json::json;
use stack_model::App;

use crate::pages::{files_below, workspace};

/// An example of a page.
struct Example {
    /// The file of the page, without its extension.
    page: &'static str,
    describe: fn(&mut App),
    /// The stack in which the resources stand.
    stack: &'static str,
    /// The resource types that the example is about.
    types: &'static [&'static str],
}

/// Every page, with what it shows.
const EXAMPLES: &[Example] = &[
    Example {
        page: "acm",
        describe: included::acm::page,
        stack: "site-certificate",
        types: &["AWS::CertificateManager::Certificate"],
    },
    Example {
        page: "cloudfront",
        describe: included::cloudfront::page,
        stack: "guide",
        types: &[
            "AWS::CloudFront::Distribution",
            "AWS::Route53::RecordSet",
            "AWS::S3::Bucket",
        ],
    },
    Example {
        page: "cloudwatch",
        describe: included::cloudwatch::page,
        stack: "guide",
        types: &["AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard"],
    },
    Example {
        page: "codebuild",
        describe: included::codebuild::page,
        stack: "pipeline",
        types: &["AWS::CodeBuild::Project"],
    },
    Example {
        page: "codepipeline",
        describe: included::codepipeline::page,
        stack: "guide",
        types: &["AWS::CodePipeline::Pipeline"],
    },
    Example {
        page: "cognito",
        describe: included::cognito::page,
        stack: "guide",
        types: &[
            "AWS::Cognito::IdentityPool",
            "AWS::Cognito::IdentityPoolRoleAttachment",
            "AWS::Cognito::UserPool",
            "AWS::Cognito::UserPoolClient",
        ],
    },
    Example {
        page: "domains",
        describe: included::domains::page,
        stack: "guide",
        types: &[
            "AWS::ApiGateway::DomainName",
            "AWS::ApiGateway::BasePathMapping",
            "AWS::Route53::RecordSet",
        ],
    },
    Example {
        page: "iam",
        describe: included::iam::page,
        stack: "guide",
        types: &["AWS::IAM::Role"],
    },
    Example {
        page: "kms",
        describe: included::kms::page,
        stack: "guide",
        types: &["AWS::KMS::Key"],
    },
    Example {
        page: "logs",
        describe: included::logs::page,
        stack: "guide",
        types: &[
            "AWS::Logs::LogGroup",
            "AWS::Logs::MetricFilter",
            "AWS::Logs::QueryDefinition",
        ],
    },
    Example {
        page: "pipes",
        describe: included::pipes::page,
        stack: "guide",
        types: &["AWS::Pipes::Pipe"],
    },
    Example {
        page: "route53",
        describe: included::route53::page,
        stack: "guide",
        types: &["AWS::Route53::RecordSet"],
    },
    Example {
        page: "s3",
        describe: included::s3::page,
        stack: "guide",
        types: &["AWS::S3::Bucket"],
    },
    Example {
        page: "scheduler",
        describe: included::scheduler::page,
        stack: "guide",
        types: &["AWS::Scheduler::Schedule"],
    },
    Example {
        page: "secretsmanager",
        describe: included::secretsmanager::page,
        stack: "guide",
        types: &[
            "AWS::SecretsManager::Secret",
            "AWS::SecretsManager::RotationSchedule",
        ],
    },
    Example {
        page: "sns",
        describe: included::sns::page,
        stack: "guide",
        types: &["AWS::SNS::Topic", "AWS::SNS::Subscription"],
    },
    Example {
        page: "sqs",
        describe: included::sqs::page,
        stack: "guide",
        types: &["AWS::SQS::Queue"],
    },
    Example {
        page: "ssm",
        describe: included::ssm::page,
        stack: "guide",
        types: &["AWS::SSM::Parameter"],
    },
    Example {
        page: "stepfunctions",
        describe: included::stepfunctions::page,
        stack: "guide",
        types: &["AWS::StepFunctions::StateMachine"],
    },
    Example {
        page: "waf",
        describe: included::waf::page,
        stack: "guide",
        types: &["AWS::WAFv2::WebACL", "AWS::WAFv2::WebACLAssociation"],
    },
    Example {
        page: "apigateway",
        describe: |app| contracts::rest_api::services(&mut app.stack("guide")),
        stack: "guide",
        types: &["AWS::ApiGateway::Deployment"],
    },
    Example {
        page: "apigateway",
        describe: |app| contracts::rest_api::functions(&mut app.stack("guide")),
        stack: "guide",
        types: &["AWS::ApiGateway::Authorizer"],
    },
    Example {
        page: "cognito",
        describe: |app| contracts::cognito::users(&mut app.stack("guide")),
        stack: "guide",
        types: &["AWS::Cognito::UserPool"],
    },
    Example {
        page: "custom-resources",
        describe: |app| contracts::custom_resources::endpoint(&mut app.stack("guide")),
        stack: "guide",
        types: &["Custom::Endpoint"],
    },
    Example {
        page: "custom-resources",
        describe: |app| contracts::seeds::seeds(&mut app.stack("guide")),
        stack: "guide",
        types: &["Custom::Seed"],
    },
    Example {
        page: "dynamodb",
        describe: |app| drop(contracts::dynamodb::orders(&mut app.stack("guide"))),
        stack: "guide",
        types: &["AWS::DynamoDB::Table"],
    },
    Example {
        page: "eventbridge",
        describe: |app| contracts::events::events(&mut app.stack("guide")),
        stack: "guide",
        types: &["AWS::Events::Rule"],
    },
    Example {
        page: "http-api",
        describe: |app| contracts::http_api::orders(&mut app.stack("guide")),
        stack: "guide",
        types: &["AWS::ApiGatewayV2::Authorizer"],
    },
    Example {
        page: "http-api",
        describe: |app| contracts::http_api::chat(&mut app.stack("guide")),
        stack: "guide",
        types: &["AWS::ApiGatewayV2::Route"],
    },
    Example {
        page: "iot",
        describe: |app| contracts::iot::broker(&mut app.stack("guide")),
        stack: "guide",
        types: &["AWS::IoT::TopicRule"],
    },
    Example {
        page: "lambda",
        describe: |app| contracts::lambda::work(&mut app.stack("guide")),
        stack: "guide",
        types: &["AWS::Lambda::EventInvokeConfig"],
    },
];

#[test]
fn the_examples_of_the_services_are_rendered() {
    for example in EXAMPLES {
        let types = super::render(json!({}), example.stack, |app| {
            (example.describe)(app);
            Ok(())
        });
        for wanted in example.types {
            assert!(
                types.iter().any(|found| found == wanted),
                "{}: {wanted} in {types:?}",
                example.page
            );
        }
    }
}

#[test]
fn every_page_of_a_service_has_an_example_that_is_rendered() {
    let mut paths = Vec::new();
    files_below(&workspace().join("docs/services"), "md", &mut paths);
    let pages: BTreeSet<&str> = paths
        .iter()
        .filter_map(|path| path.file_stem()?.to_str())
        .collect();
    let rendered: BTreeSet<&str> = EXAMPLES.iter().map(|example| example.page).collect();
    assert_eq!(rendered, pages);
    assert!(EXAMPLES.iter().all(|example| !example.types.is_empty()));
}
