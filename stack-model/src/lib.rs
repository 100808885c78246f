//! A typed model of AWS stacks that renders CloudFormation.

pub mod acm;
pub mod apigateway;
pub mod apigatewayv2;
mod arn;
pub mod assembly;
pub mod cloudfront;
pub mod cloudwatch;
pub mod codebuild;
pub mod codepipeline;
pub mod cognito;
pub mod contract;
pub mod custom_resource;
pub mod domains;
pub mod dynamodb;
mod entry;
mod error;
pub mod events;
mod handle;
pub mod iam;
pub mod iot;
pub mod kms;
pub mod lambda;
mod limit;
mod logical_id;
pub mod logs;
mod name;
mod parameter;
pub mod pipes;
pub mod policy;
mod resource;
pub mod route53;
pub mod s3;
pub mod scheduler;
pub mod secretsmanager;
pub mod smoke;
pub mod sns;
pub mod sqs;
pub mod ssm;
mod stack;
mod stage;
pub mod stepfunctions;
mod synth;
mod template;
mod text;
pub mod wafv2;
#[cfg(feature = "yaml")]
pub mod yaml;

pub use arn::{Arn, ArnError};
pub use entry::main;
pub use error::{Violation, Violations};
pub use handle::{Handle, ResourceRef};
pub use limit::Limited;
pub use parameter::{Condition, ConditionRef, MappingRef, Parameter};
pub use resource::Removal;
pub use stack::{App, OutputBuilder, Stack};
pub use stack_model_cfn as cfn;
pub use stack_model_cfn::{Expr, Part, Property, Pseudo, ResourceId, Token, Value};
pub use stage::Stage;
pub use synth::Assembly;
pub use text::{IntoPart, interpolate, placeholders};

#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
