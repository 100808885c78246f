//! A typed model of AWS stacks that renders CloudFormation.

pub mod assembly;
