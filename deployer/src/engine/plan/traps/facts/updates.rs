//! What AWS says of updates beyond the registry.

use serde_json::Value;

use super::super::super::Update;
use super::super::{dynamodb, is, is_on};

/// What a page of AWS says of a property beyond the registry.
pub(in super::super) struct UpdateFact {
    pub(in super::super) resource_type: &'static str,
    pub(in super::super) property: &'static str,
    pub(in super::super) source: &'static str,
    /// Says how the change is applied: from the property before and after.
    pub(in super::super) update: fn(Option<&Value>, Option<&Value>) -> Update,
}

/// A property whose change makes another resource, which is empty, unless an entry of the update policy is `true`.
pub(in super::super) struct AllowedFact {
    pub(in super::super) resource_type: &'static str,
    pub(in super::super) property: &'static str,
    /// The entry of the policy.
    pub(in super::super) policy: &'static str,
    pub(in super::super) source: &'static str,
}

impl AllowedFact {
    /// Says how the change is applied to a resource as it is wanted.
    pub(in super::super) fn update(&self, resource: &Value) -> Update {
        let policies = resource.get("UpdatePolicy");
        match policies.and_then(|policies| policies.get(self.policy)) {
            Some(Value::Object(_)) => Update::Conditional,
            allowed if is_on(allowed) => Update::InPlace,
            _ => Update::Replacement,
        }
    }
}

/// The page about groups of ElastiCache.
const REPLICATION: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticache-replicationgroup.html";

/// The page about APIs of AppSync.
const GRAPHQL: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-appsync-graphqlapi.html";

/// Properties that change as the update policy of the resource says.
pub(in super::super) const ALLOWED: &[AllowedFact] = &[
    AllowedFact {
        resource_type: "AWS::ElastiCache::ReplicationGroup",
        property: "NodeGroupConfiguration",
        policy: "UseOnlineResharding",
        source: REPLICATION,
    },
    AllowedFact {
        resource_type: "AWS::ElastiCache::ReplicationGroup",
        property: "NumNodeGroups",
        policy: "UseOnlineResharding",
        source: REPLICATION,
    },
    AllowedFact {
        resource_type: "AWS::Elasticsearch::Domain",
        property: "ElasticsearchVersion",
        policy: "EnableVersionUpgrade",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-elasticsearch-domain.html",
    },
    AllowedFact {
        resource_type: "AWS::OpenSearchService::Domain",
        property: "EngineVersion",
        policy: "EnableVersionUpgrade",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-opensearchservice-domain.html",
    },
];

/// Properties whose change AWS describes in more detail than the registry, or otherwise. What the registry's facts say alone,
/// with the patches, has no row.
pub(in super::super) const UPDATES: &[UpdateFact] = &[
    // To say what is so by default makes another API, as the page warns; nobody can change either in one that is there.
    UpdateFact {
        resource_type: "AWS::AppSync::GraphQLApi",
        property: "ApiType",
        source: GRAPHQL,
        update: |before, after| said_at_last(before, after, "GRAPHQL"),
    },
    UpdateFact {
        resource_type: "AWS::AppSync::GraphQLApi",
        property: "Visibility",
        source: GRAPHQL,
        update: |before, after| said_at_last(before, after, "GLOBAL"),
    },
    UpdateFact {
        resource_type: "AWS::DynamoDB::GlobalTable",
        property: "AttributeDefinitions",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html",
        update: dynamodb::attributes,
    },
    UpdateFact {
        resource_type: "AWS::DynamoDB::Table",
        property: "AttributeDefinitions",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html",
        update: dynamodb::attributes,
    },
    // Local indexes are made with the table and with nothing else.
    UpdateFact {
        resource_type: "AWS::DynamoDB::Table",
        property: "LocalSecondaryIndexes",
        source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html",
        update: |_, _| Update::Replacement,
    },
    // Nothing and the default bus are the same, and no rule moves between two others.
    UpdateFact {
        resource_type: "AWS::Events::Rule",
        property: "EventBusName",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html",
        update: bus,
    },
];

/// Returns how an API changes of which a template says what it is: for sure it is made anew where that is the default and
/// nothing was said before.
fn said_at_last(before: Option<&Value>, after: Option<&Value>, default: &str) -> Update {
    if before.is_none() && is(after, default) {
        Update::Replacement
    } else {
        Update::Conditional
    }
}

/// Returns how a rule changes that is told another bus.
fn bus(before: Option<&Value>, after: Option<&Value>) -> Update {
    let is_default = |bus: Option<&Value>| bus.is_none() || is(bus, "default");
    if is_default(before) && is_default(after) {
        Update::InPlace
    } else {
        Update::Replacement
    }
}
