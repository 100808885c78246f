//! The tests of the model, in one binary.

#![expect(
    clippy::unwrap_used,
    reason = "Clippy allows it in tests, but not in what they call"
)]

mod core {
    mod agree;
    mod along;
    mod app;
    mod conditions;
    mod imports;
    mod limits;
    mod links;
    mod output;
    mod policy;
    mod secrets;
    mod tokens;
    mod violations;
}

mod apigateway {
    mod authorizer;
    mod call;
    mod check;
    mod cors;
    mod deployment;
    mod gateway_response;
    mod golden;
    mod integration;
    mod key;
    mod mapping;
    mod method;
    mod several_stacks;
    mod stage;
    mod support;
    mod velocity;
}

mod cognito {
    mod client;
    mod golden;
    mod identity;
    mod pool;
    mod provider;
    mod trigger;
}

mod iot {
    mod golden;
    mod rule;
    mod thing;
    mod topic;
}

mod acm;
mod apigatewayv2;
mod boundary;
mod cloudfront;
mod cloudwatch;
mod codebuild;
mod codepipeline;
mod compile_fail;
mod custom_resource;
mod domains;
mod dynamodb;
mod events;
mod golden;
mod iam;
mod kms;
mod lambda;
mod logs;
mod pipes;
mod route53;
mod s3;
mod scheduler;
mod secretsmanager;
mod smoke;
mod sns;
mod sqs;
mod ssm;
mod stepfunctions;
mod support;
mod wafv2;
