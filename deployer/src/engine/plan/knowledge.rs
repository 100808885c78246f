//! What is known of resource types.

use stack_model_cfn::facts::{self, UpdateBehaviour};

use super::path::Step;

/// How CloudFormation applies a change of a property.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Update {
    /// To the resource as it is.
    InPlace,
    /// By a new resource.
    Replacement,
    /// By a new resource under conditions that only AWS knows.
    Conditional,
    /// Nobody knows: the type or the property is not in the registry's facts.
    Unknown,
}

/// What the comparison asks about resource types.
pub trait Knowledge {
    /// Returns how a change at a place in the properties is applied.
    fn update(&self, resource_type: &str, place: &[Step]) -> Update;

    /// Returns whether the order of the list at a place means nothing.
    fn is_unordered(&self, resource_type: &str, place: &[Step]) -> bool;
}

/// The facts of the CloudFormation registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct Registry;

impl Knowledge for Registry {
    /// Below what the registry describes, such as inside a policy, the innermost property that it does counts.
    fn update(&self, resource_type: &str, place: &[Step]) -> Update {
        let Some(resource) = facts::resource_type(resource_type) else {
            return Update::Unknown;
        };
        let known = (1..=place.len())
            .rev()
            .filter_map(|length| place.get(..length))
            .find_map(|outer| resource.update(&slashed(outer)));
        match known {
            Some(UpdateBehaviour::InPlace) => Update::InPlace,
            Some(UpdateBehaviour::Conditional) => Update::Conditional,
            Some(UpdateBehaviour::Replacement) => Update::Replacement,
            None => Update::Unknown,
        }
    }

    fn is_unordered(&self, resource_type: &str, place: &[Step]) -> bool {
        facts::resource_type(resource_type)
            .and_then(|resource| resource.property(&slashed(place)))
            .is_some_and(|property| !property.value().ordered())
    }
}

/// Writes a place as the facts take it: `KeySchema/0/AttributeName`.
fn slashed(place: &[Step]) -> String {
    let steps: Vec<String> = place
        .iter()
        .map(|step| match step {
            Step::Key(key) => key.clone(),
            Step::Position(position) => position.to_string(),
        })
        .collect();
    steps.join("/")
}

/// Resource types that hold data of their own: deleting one deletes what is in it.
const DATA_STORES: &[&str] = &[
    "AWS::Backup::BackupVault",
    "AWS::Cassandra::Table",
    "AWS::CodeCommit::Repository",
    "AWS::Cognito::IdentityPool",
    "AWS::Cognito::UserPool",
    "AWS::DSQL::Cluster",
    "AWS::DocDB::DBCluster",
    "AWS::DocDB::DBInstance",
    "AWS::DynamoDB::GlobalTable",
    "AWS::DynamoDB::Table",
    "AWS::EC2::Volume",
    "AWS::ECR::Repository",
    "AWS::EFS::FileSystem",
    "AWS::ElastiCache::CacheCluster",
    "AWS::ElastiCache::ReplicationGroup",
    "AWS::ElastiCache::ServerlessCache",
    "AWS::FSx::FileSystem",
    "AWS::KMS::Key",
    "AWS::Kinesis::Stream",
    "AWS::Logs::LogGroup",
    "AWS::MSK::Cluster",
    "AWS::MemoryDB::Cluster",
    "AWS::Neptune::DBCluster",
    "AWS::Neptune::DBInstance",
    "AWS::OpenSearchService::Domain",
    "AWS::OpenSearchServerless::Collection",
    "AWS::RDS::DBCluster",
    "AWS::RDS::DBInstance",
    "AWS::Redshift::Cluster",
    "AWS::S3::Bucket",
    "AWS::S3Express::DirectoryBucket",
    "AWS::S3Tables::TableBucket",
    "AWS::SQS::Queue",
    "AWS::SecretsManager::Secret",
    "AWS::Timestream::Database",
    "AWS::Timestream::Table",
];

/// Returns whether a resource of the type holds data of its own.
pub(crate) fn holds_data(resource_type: &str) -> bool {
    DATA_STORES.contains(&resource_type)
}
