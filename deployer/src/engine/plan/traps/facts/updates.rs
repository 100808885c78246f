//! What AWS says of updates beyond the registry.

use serde_json::Value;

use super::super::super::Update;
use super::super::{dynamodb, is, is_on};

/// What a page of AWS says of a property beyond the registry.
pub(in super::super) struct UpdateFact {
    pub(in super::super) resource_type: &'static str,
    pub(in super::super) property: &'static str,
    pub(in super::super) source: &'static str,
    /// Says how the change is applied: from the property before and after, and the new resource.
    pub(in super::super) update: fn(Option<&Value>, Option<&Value>, &Value) -> Update,
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

/// Properties whose change AWS describes in more detail than the registry, or otherwise. Where the registry knows of no
/// replacement and the page does, it may be needed.
pub(in super::super) const UPDATES: &[UpdateFact] = &[
    // To say what is so by default makes another API, as the page warns; nobody can change either in one that is there.
    UpdateFact {
        resource_type: "AWS::AppSync::GraphQLApi",
        property: "ApiType",
        source: GRAPHQL,
        update: |before, after, _| said_at_last(before, after, "GRAPHQL"),
    },
    UpdateFact {
        resource_type: "AWS::AppSync::GraphQLApi",
        property: "Visibility",
        source: GRAPHQL,
        update: |before, after, _| said_at_last(before, after, "GLOBAL"),
    },
    UpdateFact {
        resource_type: "AWS::CertificateManager::Certificate",
        property: "ValidationMethod",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-certificatemanager-certificate.html",
        update: |_, _, _| Update::Replacement,
    },
    UpdateFact {
        resource_type: "AWS::DynamoDB::GlobalTable",
        property: "AttributeDefinitions",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html",
        update: dynamodb::attributes,
    },
    UpdateFact {
        resource_type: "AWS::DynamoDB::GlobalTable",
        property: "KeySchema",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html",
        update: |_, _, _| Update::Replacement,
    },
    UpdateFact {
        resource_type: "AWS::DynamoDB::GlobalTable",
        property: "LocalSecondaryIndexes",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-globaltable.html",
        update: |_, _, _| Update::Replacement,
    },
    UpdateFact {
        resource_type: "AWS::DynamoDB::Table",
        property: "AttributeDefinitions",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html",
        update: dynamodb::attributes,
    },
    UpdateFact {
        resource_type: "AWS::DynamoDB::Table",
        property: "KeySchema",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html",
        update: |_, _, _| Update::Replacement,
    },
    // Local indexes are made with the table and with nothing else.
    UpdateFact {
        resource_type: "AWS::DynamoDB::Table",
        property: "LocalSecondaryIndexes",
        source: "https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/LSI.html",
        update: |_, _, _| Update::Replacement,
    },
    UpdateFact {
        resource_type: "AWS::Events::EventBus",
        property: "EventSourceName",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-eventbus.html",
        update: |_, _, _| Update::Conditional,
    },
    // Nothing and the default bus are the same, and no rule moves between two others.
    UpdateFact {
        resource_type: "AWS::Events::Rule",
        property: "EventBusName",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-rule.html",
        update: bus,
    },
    UpdateFact {
        resource_type: "AWS::IoT::ThingType",
        property: "ThingTypeProperties",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-iot-thingtype.html",
        update: |_, _, _| Update::Conditional,
    },
    UpdateFact {
        resource_type: "AWS::Lambda::EventSourceMapping",
        property: "AmazonManagedKafkaEventSourceConfig",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html",
        update: |_, _, _| Update::Conditional,
    },
    UpdateFact {
        resource_type: "AWS::Lambda::EventSourceMapping",
        property: "SelfManagedKafkaEventSourceConfig",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html",
        update: |_, _, _| Update::Conditional,
    },
    UpdateFact {
        resource_type: "AWS::Route53::RecordSet",
        property: "Name",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-route53-recordset.html",
        update: |_, _, _| Update::Replacement,
    },
    UpdateFact {
        resource_type: "AWS::S3::Bucket",
        property: "ObjectLockEnabled",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html",
        update: |_, _, _| Update::Conditional,
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
fn bus(before: Option<&Value>, after: Option<&Value>, _: &Value) -> Update {
    let is_default = |bus: Option<&Value>| bus.is_none() || is(bus, "default");
    if is_default(before) && is_default(after) {
        Update::InPlace
    } else {
        Update::Replacement
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::super::super::{Knowledge as _, Registry, Step};
    use super::*;

    fn weight(update: Update) -> u8 {
        match update {
            Update::InPlace => 0,
            Update::Conditional | Update::Unknown => 1,
            Update::Replacement => 2,
        }
    }

    /// The oracle compares what the registry says with data of the CDK, and knows nothing of these rows: where one says
    /// less, the explanations have to tell why.
    #[test]
    fn what_says_less_than_the_registry_is_explained_to_the_oracle() {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("../stack-model/cfn/oracle/explained.json");
        let text = std::fs::read_to_string(path).expect("reads");
        let explained: Value = serde_json::from_str(&text).expect("is JSON");
        let is_explained = |row: &UpdateFact| {
            let mut all = explained.as_array().expect("is a list").iter();
            all.any(|one| {
                let names = one["properties"][row.resource_type].as_array();
                let mut names = names.into_iter().flatten();
                names.any(|name| name == row.property || name == "*")
            })
        };
        let attributes = |kind: &str| json!([{"AttributeName": "id", "AttributeType": kind}]);
        let texts = ["default", "a", "b"].map(Value::from);
        let values = [
            attributes("S"),
            attributes("N"),
            json!({"A": 1}),
            json!(true),
            json!(1),
        ];
        let sides: Vec<Option<&Value>> = [None]
            .into_iter()
            .chain(texts.iter().chain(&values).map(Some))
            .collect();
        let resource =
            json!({"Properties": {"KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}});
        let mut less = Vec::new();
        for row in UPDATES {
            let place = [Step::Key(row.property.to_owned())];
            let known = Registry.update(row.resource_type, &place);
            let says_less = |before: Option<&Value>| {
                let mut after = sides.iter();
                after.any(|after| weight((row.update)(before, *after, &resource)) < weight(known))
            };
            if sides.iter().copied().any(says_less) && !is_explained(row) {
                less.push((row.resource_type, row.property));
            }
        }
        assert_eq!(less, []);
    }
}
