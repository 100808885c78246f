//! A typed model of AWS stacks that renders CloudFormation.

pub mod apigateway;
mod arn;
pub mod assembly;
pub mod contract;
pub mod dynamodb;
mod entry;
mod error;
mod handle;
pub mod iam;
pub mod kms;
pub mod lambda;
mod limit;
mod logical_id;
pub mod logs;
mod name;
mod parameter;
pub mod policy;
mod resource;
pub mod s3;
pub mod secretsmanager;
pub mod sns;
pub mod sqs;
pub mod ssm;
mod stack;
mod stage;
mod synth;
mod template;
mod text;
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
