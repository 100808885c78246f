//! From the schema of an item type to the properties of a table.

use std::collections::{BTreeMap, BTreeSet};
use std::panic::Location;

use stack_model_cfn::dynamodb::table as cfn;
use stack_model_cfn::{List, Value};

use super::CapacityUnits;
use crate::contract::{IndexSchema, KeyAttribute, KeyKind, TableSchema};
use crate::stack::Stack;

/// The most indexes of a table; see
/// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html>.
const MAX_GLOBAL_INDEXES: usize = 20;
const MAX_LOCAL_INDEXES: usize = 5;

/// The reads and writes per second of a provisioned table.
pub(super) type Throughput = (CapacityUnits, CapacityUnits);

/// Returns every attribute that is part of a key, once.
pub(super) fn attributes(schema: &TableSchema) -> Vec<cfn::AttributeDefinition> {
    let attributes: BTreeMap<&str, KeyKind> = key_attributes(schema)
        .map(|attribute| (attribute.name.as_str(), attribute.kind))
        .collect();
    attributes
        .into_iter()
        .map(|(name, kind)| cfn::AttributeDefinition {
            attribute_name: name.into(),
            attribute_type: kind.letter().into(),
        })
        .collect()
}

/// Returns the key schema of a table or an index.
pub(super) fn keys(partition: &KeyAttribute, sort: Option<&KeyAttribute>) -> Vec<cfn::KeySchema> {
    [Some((partition, "HASH")), sort.map(|sort| (sort, "RANGE"))]
        .into_iter()
        .flatten()
        .map(|(attribute, role)| cfn::KeySchema {
            attribute_name: attribute.name.as_str().into(),
            key_type: role.into(),
        })
        .collect()
}

/// Returns the global indexes, where there are any.
pub(super) fn global_indexes(
    schema: &TableSchema,
    capacity: Option<Throughput>,
) -> Option<List<cfn::GlobalSecondaryIndex>> {
    let indexes = schema.indexes.iter().filter_map(|index| {
        let partition = index.partition_key.as_ref()?;
        Some(Value::Literal(cfn::GlobalSecondaryIndex {
            index_name: index.name.as_str().into(),
            key_schema: keys(partition, index.sort_key.as_ref()).into(),
            projection: all_attributes().into(),
            provisioned_throughput: capacity.map(throughput).into(),
            ..cfn::GlobalSecondaryIndex::default()
        }))
    });
    some(indexes.collect())
}

/// Returns the local indexes, where there are any.
pub(super) fn local_indexes(schema: &TableSchema) -> Option<List<cfn::LocalSecondaryIndex>> {
    let indexes = schema.indexes.iter().filter(|index| is_local(index));
    let indexes = indexes.map(|index| {
        Value::Literal(cfn::LocalSecondaryIndex {
            index_name: index.name.as_str().into(),
            key_schema: keys(&schema.partition_key, index.sort_key.as_ref()).into(),
            projection: all_attributes().into(),
        })
    });
    some(indexes.collect())
}

pub(super) fn throughput((read, write): Throughput) -> cfn::ProvisionedThroughput {
    cfn::ProvisionedThroughput {
        read_capacity_units: read.number().into(),
        write_capacity_units: write.number().into(),
    }
}

/// A typed item can be read from an index only if the index holds all of it.
fn all_attributes() -> cfn::Projection {
    cfn::Projection {
        projection_type: "ALL".into(),
        ..cfn::Projection::default()
    }
}

fn some<T>(elements: List<T>) -> Option<List<T>> {
    (!elements.is_empty()).then_some(elements)
}

fn is_local(index: &IndexSchema) -> bool {
    index.partition_key.is_none()
}

fn key_attributes(schema: &TableSchema) -> impl Iterator<Item = &KeyAttribute> {
    [Some(&schema.partition_key), schema.sort_key.as_ref()]
        .into_iter()
        .flatten()
        .chain(schema.indexes.iter().flat_map(index_keys))
}

fn index_keys(index: &IndexSchema) -> impl Iterator<Item = &KeyAttribute> {
    [index.partition_key.as_ref(), index.sort_key.as_ref()]
        .into_iter()
        .flatten()
}

impl Stack<'_> {
    /// Reports what no table can be made of.
    pub(super) fn check_schema(&mut self, id: &str, schema: &TableSchema, source: &Location<'_>) {
        let path = "Properties.AttributeDefinitions";
        let mut kinds: BTreeMap<&str, KeyKind> = BTreeMap::new();
        for attribute in key_attributes(schema) {
            let name = attribute.name.as_str();
            if name.is_empty() || name.len() > 255 {
                let message = format!("the key attribute `{name}` needs a name of 1 to 255 bytes");
                self.report(id, Some(path), message, source);
            }
            if kinds
                .insert(name, attribute.kind)
                .is_some_and(|kind| kind != attribute.kind)
            {
                let message = format!(
                    "the key attribute `{name}` has two types: an attribute has one type in the table and all its indexes"
                );
                self.report(id, Some(path), message, source);
            }
        }
        let mut names = BTreeSet::new();
        for index in &schema.indexes {
            let name = &index.name;
            let local = is_local(index);
            let path = if local {
                "Properties.LocalSecondaryIndexes"
            } else {
                "Properties.GlobalSecondaryIndexes"
            };
            if !names.insert(name) {
                let message = format!("the index `{name}` is declared twice");
                self.report(id, Some(path), message, source);
            }
            if local && index.sort_key.is_none() {
                let message = format!(
                    "the local index `{name}` needs a sort key: it shares the partition key of the table"
                );
                self.report(id, Some(path), message, source);
            }
            if local && schema.sort_key.is_none() {
                let message = format!(
                    "the local index `{name}` needs a table with a sort key: use a global index"
                );
                self.report(id, Some(path), message, source);
            }
        }
        let locals = schema
            .indexes
            .iter()
            .filter(|index| is_local(index))
            .count();
        let counted = [
            ("global", schema.indexes.len() - locals, MAX_GLOBAL_INDEXES),
            ("local", locals, MAX_LOCAL_INDEXES),
        ];
        for (what, count, most) in counted {
            if count > most {
                let message =
                    format!("the table has {count} {what} indexes and DynamoDB takes {most}");
                self.report(id, None, message, source);
            }
        }
    }
}
