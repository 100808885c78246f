//! Narrow ports to the AWS services, and their adapters over the SDK.
