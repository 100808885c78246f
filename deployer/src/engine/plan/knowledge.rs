//! What is known of resource types.

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
    /// Returns how a change of the property at a path such as `Code.S3Key` is applied.
    fn update(&self, resource_type: &str, path: &[&str]) -> Update;

    /// Returns whether the order of a list means nothing.
    fn is_unordered(&self, resource_type: &str, path: &[&str]) -> bool;
}

/// The facts of the CloudFormation registry.
#[derive(Clone, Copy, Debug, Default)]
pub struct Registry;

impl Knowledge for Registry {
    fn update(&self, _resource_type: &str, _path: &[&str]) -> Update {
        Update::Unknown
    }

    fn is_unordered(&self, _resource_type: &str, _path: &[&str]) -> bool {
        false
    }
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
pub(super) fn holds_data(resource_type: &str) -> bool {
    DATA_STORES.contains(&resource_type)
}
