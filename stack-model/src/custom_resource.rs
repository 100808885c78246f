//! Custom resources: what CloudFormation cannot do itself, done by a function.
