//! AWS KMS: keys of the customer's own.
//!
//! The services encrypt with keys of AWS's own by default. A key of the customer's own costs money and calls; it is
//! for data whose use must be seen, limited or ended through the key. Every service of this crate that takes one
//! adds the key's actions to what its handle grants.

use std::panic::Location;

use stack_model_cfn::kms as cfn;
use stack_model_cfn::{Expr, Pseudo, ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{Handle, elsewhere, get_att, reference};
use crate::limit::Limited;
use crate::name::NameRule;
use crate::policy::{Principal, Statement, allow_on};
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

/// Marks the ARN of a key.
#[derive(Debug)]
pub enum Key {}

/// How many days pass between two rotations of a key.
pub type RotationDays = Limited<90, 2560>;

/// How many days a key that is deleted can still be brought back.
pub type PendingWindowDays = Limited<7, 30>;

/// What a symmetric key is made of.
///
/// Keys for signatures and other uses are added with [`stack_model_cfn::kms::Key`] and
/// [`Stack::add`](crate::Stack::add). See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-kms-key.html>.
#[derive(Clone, Debug, Default)]
pub struct KeyProps {
    /// What the key is for, at most 8,192 characters.
    pub description: Option<String>,
    /// A name for the key, without `alias/`: at most 250 letters, digits, `/`, `_` and `-`. It is unique in the account and
    /// region, and becomes the resource `<Id>Alias`.
    pub alias: Option<Value<String>>,
    /// How often the key material changes; yearly by default, where AWS's default is never.
    pub rotation: Rotation,
    /// How long a deleted key can be brought back; 30 days by default, which is AWS's.
    pub pending_window: Option<PendingWindowDays>,
    /// Whether keys of other regions can be copies of this one, with the same material: [`Stack::replica_key`]. It is
    /// decided once and for all.
    pub multi_region: bool,
    /// What the key policy allows beyond the account itself, which is always there: without it nobody could change
    /// the key any more. [`Stack::key_policy`] adds to it.
    pub statements: Vec<Statement>,
}

/// How often the material of a key changes. Old material stays, so nothing has to be encrypted anew.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Rotation {
    /// Every 365 days.
    #[default]
    Yearly,
    /// Every so many days.
    Every(RotationDays),
    /// Never.
    Off,
}

/// What a caller may do with a key.
///
/// See <https://docs.aws.amazon.com/kms/latest/developerguide/kms-api-permissions-reference.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyOperation {
    /// Encrypts up to 4 KB.
    Encrypt,
    /// Decrypts what was encrypted with the key.
    Decrypt,
    /// Makes a data key, in plain text and encrypted.
    GenerateDataKey,
    /// Decrypts what another call encrypts anew.
    ReEncryptFrom,
    /// Encrypts what another call decrypts.
    ReEncryptTo,
    /// Reads what the key is.
    Describe,
}

impl KeyOperation {
    /// Returns the IAM action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Encrypt => "kms:Encrypt",
            Self::Decrypt => "kms:Decrypt",
            Self::GenerateDataKey => "kms:GenerateDataKey",
            Self::ReEncryptFrom => "kms:ReEncryptFrom",
            Self::ReEncryptTo => "kms:ReEncryptTo",
            Self::Describe => "kms:DescribeKey",
        }
    }
}

/// The handle of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRef {
    id: ResourceId,
    /// The ARN, where somebody else keeps the key.
    kept: Option<Value<Arn<Key>>>,
    /// Whether keys of other regions can be copies of this one, as far as that is known.
    copied: bool,
}

impl KeyRef {
    /// Stands for a key that somebody else keeps, by its ARN; an alias will not do, since policies name keys. Its
    /// policy must allow what the stack does with it.
    ///
    /// ```
    /// use stack_model::Arn;
    /// use stack_model::kms::{KeyOperation, KeyRef};
    ///
    /// let arn = "arn:aws:kms:us-east-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
    /// let key = KeyRef::existing(Arn::parse(arn)?);
    /// let statements = key.statements(&[KeyOperation::Decrypt]);
    /// assert_eq!(statements[0].actions(), ["kms:Decrypt"]);
    /// # Ok::<(), stack_model::ArnError>(())
    /// ```
    pub fn existing(arn: impl Into<Value<Arn<Key>>>) -> Self {
        Self {
            id: elsewhere("Key"),
            kept: Some(arn.into()),
            copied: true,
        }
    }

    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Key>> {
        self.kept
            .clone()
            .unwrap_or_else(|| get_att(&self.id, "Arn"))
    }

    /// Returns the key id, a UUID, or the ARN where somebody else keeps the key: AWS takes either.
    pub fn key_id(&self) -> Value<String> {
        match &self.kept {
            Some(arn) => arn.clone().into_text(),
            None => reference(&self.id),
        }
    }

    /// Returns what a role must allow for the given operations.
    pub fn statements(&self, operations: &[KeyOperation]) -> Vec<Statement> {
        let actions = operations.iter().map(|operation| operation.action());
        allow_on(actions, self.arn()).into_iter().collect()
    }

    /// Returns what a role must allow so that a service may use the key for it, and for nothing else; see
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/conditions-kms.html#conditions-kms-via-service>.
    pub(crate) fn through(
        &self,
        service: &str,
        operations: impl IntoIterator<Item = KeyOperation>,
    ) -> Option<Statement> {
        let actions = operations.into_iter().map(KeyOperation::action);
        let service = text!("{}.{}.{}", service, Pseudo::Region, Pseudo::UrlSuffix);
        Some(allow_on(actions, self.arn())?.when("StringEquals", "kms:ViaService", service))
    }
}

/// Returns what a role must allow for operations on something that may be encrypted with a key of the customer's own:
/// the action of each on the resource, and through the service what each does with the key.
pub(crate) fn allow_with_key(
    operations: impl Iterator<Item = (&'static str, &'static [KeyOperation])> + Clone,
    resource: impl Into<Expr>,
    service: &str,
    key: Option<&KeyRef>,
) -> Vec<Statement> {
    let on_key = operations.clone().flat_map(|(_, on_key)| on_key).copied();
    let on_key = key.and_then(|key| key.through(service, on_key));
    let actions = operations.map(|(action, _)| action);
    allow_on(actions, resource)
        .into_iter()
        .chain(on_key)
        .collect()
}

impl Handle for KeyRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a symmetric key that rotates, and its alias `<Id>Alias` where one is given.
    ///
    /// In a protected stage it outlives its stack, as the data does that only it can decrypt.
    ///
    /// ```
    /// use stack_model::kms::KeyProps;
    /// use stack_model::sqs::{Encryption, QueueProps};
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders");
    ///
    /// let key = stack.key("OrdersKey", KeyProps::default());
    /// let orders = stack.queue::<String>("Orders", QueueProps {
    ///     encryption: Encryption::customer_key(&key),
    ///     ..QueueProps::default()
    /// });
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn key(&mut self, logical_id: &str, props: KeyProps) -> KeyRef {
        let source = Location::caller();
        let (rotates, period) = match props.rotation {
            Rotation::Yearly => (true, None),
            Rotation::Every(days) => (true, Some(days)),
            Rotation::Off => (false, None),
        };
        self.check_limit(
            logical_id,
            "Properties.RotationPeriodInDays",
            period,
            source,
        );
        let window = props.pending_window;
        self.check_limit(logical_id, "Properties.PendingWindowInDays", window, source);
        let key = cfn::Key {
            description: props.description.into(),
            enable_key_rotation: rotates.into(),
            multi_region: props.multi_region.then_some(true).into(),
            pending_window_in_days: window.map(Limited::number).into(),
            rotation_period_in_days: period.map(Limited::number).into(),
            ..cfn::Key::default()
        };
        let resource = Resource::of(&key, source).with_policy_at("KeyPolicy");
        let handle = KeyRef {
            id: self.insert_data(logical_id, resource).id,
            kept: None,
            copied: props.multi_region,
        };
        self.add_statements(&handle, [account_statement()], source);
        self.key_policy_from(&handle, props.statements, source);
        if let Some(alias) = props.alias {
            let id = format!("{logical_id}Alias");
            self.check_name(&id, "Properties.AliasName", Some(&alias), ALIAS, source);
            let alias = cfn::Alias {
                alias_name: text!("alias/{}", alias).into(),
                target_key_id: handle.key_id().into(),
            };
            self.insert(&id, Resource::of(&alias, source));
        }
        handle
    }

    /// Adds a copy of a multi-region key of another region, with the same material and a policy of its own. What was
    /// encrypted with one is decrypted with the other.
    ///
    /// ```
    /// use stack_model::kms::KeyProps;
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    ///
    /// let props = KeyProps { multi_region: true, ..KeyProps::default() };
    /// let key = app.stack("orders").key("Key", props);
    /// let mut spare = app.stack("orders-spare");
    /// spare.in_region("us-west-2");
    /// spare.replica_key("Key", &key);
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn replica_key(&mut self, logical_id: &str, of: &KeyRef) -> KeyRef {
        let source = Location::caller();
        let owner = of.resource_id().stack();
        if self.region_of(owner).as_deref() == Some(self.region()) {
            let message = format!(
                "the key `{}` stands in {} too: put the copy into a stack of another region",
                of.resource_id().logical_id(),
                self.region()
            );
            self.report(
                logical_id,
                Some("Properties.PrimaryKeyArn"),
                message,
                source,
            );
        }
        if !of.copied {
            let message = format!(
                "`{}` is no key that can have copies: say so with `KeyProps::multi_region`",
                of.resource_id().logical_id()
            );
            self.report(
                logical_id,
                Some("Properties.PrimaryKeyArn"),
                message,
                source,
            );
        }
        let replica = cfn::ReplicaKey {
            primary_key_arn: of.arn().into_text().into(),
            ..cfn::ReplicaKey::default()
        };
        let resource = Resource::of(&replica, source).with_policy_at("KeyPolicy");
        let handle = KeyRef {
            id: self.insert_data(logical_id, resource).id,
            kept: None,
            copied: false,
        };
        self.add_statements(&handle, [account_statement()], source);
        handle
    }

    /// Adds statements to the policy of a key. They need no resource: in a key policy, it is always the key.
    #[track_caller]
    pub fn key_policy(&mut self, key: &KeyRef, statements: impl IntoIterator<Item = Statement>) {
        self.key_policy_from(key, statements, Location::caller());
    }

    /// Adds statements to the policy of a key on behalf of a resource declared at `source`.
    pub(crate) fn key_policy_from(
        &mut self,
        key: &KeyRef,
        statements: impl IntoIterator<Item = Statement>,
        source: &Location<'_>,
    ) {
        let statements = statements
            .into_iter()
            .map(|statement| statement.or_on("*").because(OWN_KEY));
        self.add_statements(key, statements, source);
    }
}

/// Lets the account decide about a key with policies of its own.
fn account_statement() -> Statement {
    let root = text!("arn:{}:iam::{}:root", Pseudo::Partition, Pseudo::AccountId);
    Statement::allow(["kms:*"])
        .to(Principal::Aws(root))
        .on_everything(OWN_KEY)
}

/// Why `*` is right in a key policy.
const OWN_KEY: &str = "in a key policy, `*` is the key that the policy belongs to";

/// The alias without its prefix `alias/`, which counts as six of 256 characters; see
/// <https://docs.aws.amazon.com/kms/latest/APIReference/API_CreateAlias.html>.
const ALIAS: NameRule = NameRule {
    min: 1,
    max: 250,
    others: "/_-",
};

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/kms.md")]
struct Guide;
