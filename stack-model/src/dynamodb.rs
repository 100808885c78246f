//! Amazon DynamoDB: tables.
//!
//! A table takes its keys and indexes from the type of its items, so the code that reads and writes items and the
//! table that holds them agree.

use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

use stack_model_cfn::dynamodb as cfn;
use stack_model_cfn::{Property, Pseudo, ResourceId, Value};

use crate::arn::Arn;
use crate::contract::TableItem;
use crate::handle::{get_att, reference, typed_handle};
use crate::kms::KeyRef;
use crate::limit::Limited;
use crate::name::NameRule;
use crate::resource::{Removal, Resource};
use crate::stack::Stack;
use crate::text;

mod check;
mod grant;
mod schema;

pub(crate) use check::check;
pub use grant::TableOperation;

/// Marks the ARN of a table.
#[derive(Debug)]
pub enum Table {}

/// Marks the ARN of a table's stream.
#[derive(Debug)]
pub enum TableStream {}

/// Reads or writes per second that a table is provisioned for.
pub type CapacityUnits = Limited<1, { u32::MAX }>;

/// How many days back a table can be restored.
pub type RecoveryDays = Limited<1, 35>;

/// What a table is made of, beyond the type of its items.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-dynamodb-table.html>.
#[derive(Clone, Debug, Default)]
pub struct TableProps {
    /// The physical name: 3 to 255 letters, digits, `-`, `_` and `.`. Leave it out unless something outside the
    /// stack needs it: a named table cannot be replaced.
    pub name: Option<Value<String>>,
    /// What is paid for; every request by default.
    pub billing: Billing,
    /// Records every change, for functions to read; off by default.
    pub stream: Option<StreamView>,
    /// How items are encrypted; with a key of DynamoDB by default.
    pub encryption: Encryption,
    /// Whether the table can be restored as it was at any second of the last 35 days; in protected stages by
    /// default, where AWS's default is never.
    pub point_in_time_recovery: Option<bool>,
    /// How far back the table can be restored; 35 days by default, which is AWS's.
    pub recovery_period: Option<RecoveryDays>,
    /// Whether DynamoDB refuses to delete the table; in protected stages by default, where AWS's default is never.
    pub deletion_protection: Option<bool>,
    /// What storing and reading cost; `Standard` by default, which is AWS's.
    pub class: TableClass,
}

/// What is paid for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Billing {
    /// Every request (`PAY_PER_REQUEST`).
    #[default]
    OnDemand,
    /// A fixed number of reads and writes per second, for the table and again for each global index.
    Provisioned {
        /// Reads per second.
        read: CapacityUnits,
        /// Writes per second.
        write: CapacityUnits,
    },
}

/// What a stream says of a changed item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamView {
    /// Its key.
    KeysOnly,
    /// The item after the change.
    NewImage,
    /// The item before the change.
    OldImage,
    /// The item before and after the change.
    NewAndOldImages,
}

impl StreamView {
    /// Returns the word that DynamoDB uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::KeysOnly => "KEYS_ONLY",
            Self::NewImage => "NEW_IMAGE",
            Self::OldImage => "OLD_IMAGE",
            Self::NewAndOldImages => "NEW_AND_OLD_IMAGES",
        }
    }
}

/// How the items of a table are encrypted. They always are.
///
/// See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// With a key that DynamoDB owns, at no cost.
    #[default]
    Owned,
    /// With the account's key for DynamoDB, `aws/dynamodb`, whose use can be seen in CloudTrail.
    AwsManaged,
    /// With a key of the customer's own. Readers and writers then need the key too, which [`TableRef::statements`]
    /// takes care of.
    CustomerKey(KeyRef),
}

/// What storing and reading cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TableClass {
    /// For tables that are read and written often.
    #[default]
    Standard,
    /// Cheaper to store and dearer to read, for tables whose storage costs most.
    StandardInfrequentAccess,
}

/// The handle of a table whose items are of type `T`.
pub struct TableRef<T> {
    id: ResourceId,
    facts: Arc<Facts>,
    /// Whether the table is named by the text of its name.
    by_name: bool,
    item: PhantomData<fn() -> T>,
}

/// What is known of a table before it is deployed.
#[derive(Debug)]
struct Facts {
    /// The physical name, where it is a text.
    name: Option<String>,
    indexes: Vec<String>,
    streams: bool,
    key: Option<KeyRef>,
}

typed_handle!(TableRef {
    id,
    facts,
    by_name,
    item,
});

impl<T> TableRef<T> {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Table>> {
        match self.text_of_name() {
            Some(name) => text!(
                "arn:{}:dynamodb:{}:{}:table/{}",
                Pseudo::Partition,
                Pseudo::Region,
                Pseudo::AccountId,
                name
            )
            .map(Arn::composed),
            None => get_att(&self.id, "Arn"),
        }
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        match self.text_of_name() {
            Some(name) => name.into(),
            None => reference(&self.id),
        }
    }

    /// Returns a handle for other stacks of the same region, with which they name the table by a text and import
    /// nothing.
    ///
    /// No export then keeps the table from being replaced, and nothing makes the other stack wait for the table. A
    /// table whose name CloudFormation chooses is imported all the same.
    #[must_use]
    pub fn by_name(&self) -> Self {
        Self {
            by_name: true,
            ..self.clone()
        }
    }

    fn text_of_name(&self) -> Option<&str> {
        self.facts.name.as_deref().filter(|_| self.by_name)
    }

    /// Returns the ARN of the stream, where the table has one.
    pub fn stream_arn(&self) -> Option<Value<Arn<TableStream>>> {
        let streams = self.facts.streams;
        streams.then(|| get_att(&self.id, "StreamArn"))
    }
}

impl Stack<'_> {
    /// Adds a table with the keys and indexes of its item type.
    ///
    /// In a protected stage it can be restored to any second, refuses to be deleted, and outlives its stack.
    ///
    /// ```
    /// use stack_model::contract::{KeyAttribute, KeyKind, TableItem, TableSchema};
    /// use stack_model::dynamodb::TableProps;
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders");
    ///
    /// // A function package derives this.
    /// struct Order;
    ///
    /// impl TableItem for Order {
    ///     fn schema() -> TableSchema {
    ///         TableSchema {
    ///             partition_key: KeyAttribute { name: "id".to_owned(), kind: KeyKind::String },
    ///             sort_key: None,
    ///             indexes: Vec::new(),
    ///             time_to_live: None,
    ///         }
    ///     }
    /// }
    ///
    /// let orders = stack.table::<Order>("OrdersTable", TableProps::default());
    /// stack.output("TableName", orders.name());
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn table<T: TableItem>(&mut self, logical_id: &str, props: TableProps) -> TableRef<T> {
        let source = Location::caller();
        let schema = T::schema();
        self.check_table(logical_id, &props, source);
        self.check_schema(logical_id, &schema, source);
        let protected = self.stage().is_protected();
        let recovery = props.point_in_time_recovery.unwrap_or(protected);
        let deletion_protection = props.deletion_protection.unwrap_or(protected);
        let name = props.name.as_ref().and_then(Value::literal).cloned();
        let key = match &props.encryption {
            Encryption::CustomerKey(key) => Some(key.clone()),
            Encryption::Owned | Encryption::AwsManaged => None,
        };
        let (billing_mode, throughput) = match props.billing {
            Billing::OnDemand => ("PAY_PER_REQUEST", None),
            Billing::Provisioned { read, write } => ("PROVISIONED", Some((read, write))),
        };
        let class = match props.class {
            TableClass::Standard => None,
            TableClass::StandardInfrequentAccess => Some("STANDARD_INFREQUENT_ACCESS".to_owned()),
        };
        let table = cfn::Table {
            attribute_definitions: schema::attributes(&schema).into(),
            billing_mode: billing_mode.into(),
            deletion_protection_enabled: deletion_protection.then_some(true).into(),
            global_secondary_indexes: schema::global_indexes(&schema, throughput).into(),
            key_schema: schema::keys(&schema.partition_key, schema.sort_key.as_ref()).into(),
            local_secondary_indexes: schema::local_indexes(&schema).into(),
            point_in_time_recovery_specification: recovery
                .then(|| cfn::table::PointInTimeRecoverySpecification {
                    point_in_time_recovery_enabled: true.into(),
                    recovery_period_in_days: props.recovery_period.map(Limited::number).into(),
                })
                .into(),
            provisioned_throughput: throughput.map(schema::throughput).into(),
            sse_specification: encryption(props.encryption).into(),
            stream_specification: props
                .stream
                .map(|view| cfn::table::StreamSpecification {
                    stream_view_type: view.name().into(),
                    ..cfn::table::StreamSpecification::default()
                })
                .into(),
            table_class: class.into(),
            table_name: props.name.into(),
            time_to_live_specification: schema
                .time_to_live
                .map(|attribute| cfn::table::TimeToLiveSpecification {
                    attribute_name: attribute.into(),
                    enabled: true.into(),
                })
                .into(),
            ..cfn::Table::default()
        };
        let handle = TableRef {
            id: self
                .insert_data(logical_id, Resource::of(&table, source))
                .id,
            facts: Arc::new(Facts {
                name,
                indexes: schema.indexes.into_iter().map(|index| index.name).collect(),
                streams: props.stream.is_some(),
                key,
            }),
            by_name: false,
            item: PhantomData,
        };
        if deletion_protection {
            // A roll-back of its creation could not delete the table either, and would leave the stack stuck.
            self.removal(&handle, Removal::Retain);
        }
        handle
    }

    fn check_table(&mut self, id: &str, props: &TableProps, source: &Location<'_>) {
        let name = props.name.as_ref();
        self.check_name(id, "Properties.TableName", name, NAME, source);
        if let Billing::Provisioned { read, write } = props.billing {
            let path = "Properties.ProvisionedThroughput.ReadCapacityUnits";
            self.check_limit(id, path, Some(read), source);
            let path = "Properties.ProvisionedThroughput.WriteCapacityUnits";
            self.check_limit(id, path, Some(write), source);
        }
        let path = "Properties.PointInTimeRecoverySpecification.RecoveryPeriodInDays";
        self.check_limit(id, path, props.recovery_period, source);
        let recovery = props.point_in_time_recovery;
        if props.recovery_period.is_some() && recovery == Some(false) {
            let message = "a recovery period needs point in time recovery";
            self.report(id, Some(path), message, source);
        }
    }
}

fn encryption(encryption: Encryption) -> Option<cfn::table::SSESpecification> {
    let key = match encryption {
        Encryption::Owned => return None,
        Encryption::AwsManaged => Property::Absent,
        Encryption::CustomerKey(key) => key.arn().into_text().into(),
    };
    Some(cfn::table::SSESpecification {
        kms_master_key_id: key,
        sse_enabled: true.into(),
        sse_type: "KMS".into(),
    })
}

/// See <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/HowItWorks.NamingRulesDataTypes.html>.
const NAME: NameRule = NameRule {
    min: 3,
    max: 255,
    others: "-_.",
};
