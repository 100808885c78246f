//! Amazon S3: buckets, what they notify, and what fills them.
//!
//! A bucket is added with [`Stack::bucket`]; its children have these logical ids:
//!
//! | child | logical id |
//! |---|---|
//! | the policy of a bucket | `<Bucket>Policy` |
//! | the permission to invoke a function that the bucket notifies | `<Function><Bucket>Permission` |
//!
//! A bucket tells a function of its objects with [`Stack::trigger`], and a queue or a topic with [`Stack::notify`].
//! S3 checks its targets when a notification is set, so the bucket waits for them. Where a target names the bucket
//! in turn, as the role of a function does that reads its objects, it does so by what the bucket is called: such a
//! bucket needs [`BucketProps::name`].

use std::panic::Location;

use stack_model_cfn::s3 as cfn;
use stack_model_cfn::{Property, Pseudo, ResourceId, Token, Value};

use crate::arn::Arn;
use crate::handle::{Handle, elsewhere, get_att, reference};
use crate::kms::KeyRef;
use crate::name::NameRule;
use crate::policy::Statement;
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

mod content;
mod cors;
mod grant;
mod lifecycle;
mod notification;
mod storage;
mod untangle;
mod website;

pub use content::Content;
pub use cors::{CorsMaxAge, CorsMethod, CorsRule};
pub use grant::BucketOperation;
pub use lifecycle::{Days, LifecycleRule, StorageClass, Transition};
pub use notification::{Admitted, NotificationTarget, ObjectEvent, ObjectNotification};
pub use storage::{
    ArchiveDays, BucketAccessLogs, DeepArchiveDays, IntelligentTiering, LockDays, LockMode,
    LockRetention, ObjectLock,
};
pub(crate) use untangle::untangle;
pub use website::Website;

/// Marks the ARN of a bucket.
#[derive(Debug)]
pub enum Bucket {}

/// What a bucket is made of.
///
/// Public access is blocked unless [`Website::Pages`] says why not, and access control lists are off, always; what is
/// to be public is best served by CloudFront. Inventories, replication and other properties that this module has no
/// words for are set with [`Stack::override_property`].
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-s3-bucket.html>.
#[derive(Clone, Debug, Default)]
pub struct BucketProps {
    /// The physical name, unique in the world: 3 to 63 lower case letters, digits, `.` and `-`. Leave it out unless
    /// something outside the stack needs it: a named bucket cannot be replaced.
    pub name: Option<Value<String>>,
    /// How objects are encrypted; with keys of S3 by default.
    pub encryption: Encryption,
    /// Whether earlier versions of objects are kept; in protected stages by default, where AWS's default is never.
    pub versioned: Option<bool>,
    /// Which web pages of other origins may reach the bucket; none by default.
    pub cors: Vec<CorsRule>,
    /// What happens to objects with time; nothing by default.
    pub lifecycle: Vec<LifecycleRule>,
    /// Whether changes are sent to the account's default event bus.
    pub event_bridge: bool,
    /// Keeps versions from being deleted; off by default.
    pub object_lock: Option<ObjectLock>,
    /// When objects that nobody reads are archived; never by default.
    pub intelligent_tiering: Vec<IntelligentTiering>,
    /// Where requests are logged; nowhere by default.
    pub access_logs: Option<BucketAccessLogs>,
    /// Whether uploads and downloads may take a faster way through the edge locations of CloudFront, for a price.
    pub transfer_acceleration: bool,
    /// What the bucket answers browsers over plain HTTP; nothing by default.
    pub website: Option<Website>,
}

/// How the objects of a bucket are encrypted. They always are.
///
/// See <https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Encryption {
    /// With keys that S3 manages (`AES256`), at no cost.
    #[default]
    S3,
    /// With a key of the customer's own, through a key of the bucket that saves calls. Readers and writers then need
    /// the key too, which [`BucketRef::statements`] takes care of.
    CustomerKey(KeyRef),
}

/// The handle of a bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BucketRef {
    id: ResourceId,
    key: Option<KeyRef>,
    kept: Option<Box<Kept>>,
}

/// What is known of a bucket that somebody else keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Kept {
    /// The physical name.
    name: Value<String>,
    /// The region, where it is not that of the stack.
    region: Option<Value<String>>,
}

impl BucketRef {
    /// Stands for a bucket that somebody else keeps, by its name. Its policy must not deny what the stack does with it.
    ///
    /// ```
    /// use stack_model::s3::{BucketOperation, BucketRef};
    ///
    /// let photos = BucketRef::existing("photos.example.com");
    /// let statements = photos.statements(&[BucketOperation::Get]);
    /// assert_eq!(statements[0].actions(), ["s3:GetObject"]);
    /// ```
    pub fn existing(name: impl Into<Value<String>>) -> Self {
        Self::kept(name.into(), None)
    }

    fn kept(name: Value<String>, region: Option<Value<String>>) -> Self {
        Self {
            id: elsewhere(name.literal().map_or("Bucket", String::as_str)),
            key: None,
            kept: Some(Box::new(Kept { name, region })),
        }
    }

    /// Stands for a bucket in another region that somebody else keeps, by its name.
    ///
    /// ```
    /// use stack_model::s3::BucketRef;
    ///
    /// let photos = BucketRef::existing_in("eu-west-1", "photos.example.com");
    /// assert_ne!(photos, BucketRef::existing("photos.example.com"));
    /// ```
    pub fn existing_in(region: impl Into<Value<String>>, name: impl Into<Value<String>>) -> Self {
        Self::kept(name.into(), Some(region.into()))
    }

    /// Stands for a bucket that somebody else keeps, whose objects are encrypted with a key of the customer's own.
    pub fn existing_with_key(name: impl Into<Value<String>>, key: &KeyRef) -> Self {
        Self {
            key: Some(key.clone()),
            ..Self::existing(name)
        }
    }

    /// Returns the ARN of the bucket itself; that of its objects is [`objects`](Self::objects).
    pub fn arn(&self) -> Value<Arn<Bucket>> {
        match &self.kept {
            Some(kept) => text!("arn:{}:s3:::{}", Pseudo::Partition, &kept.name).map(Arn::composed),
            None => get_att(&self.id, "Arn"),
        }
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        match &self.kept {
            Some(kept) => kept.name.clone(),
            None => reference(&self.id),
        }
    }

    /// Returns the ARN of the objects whose keys match a pattern, such as `photos/*`.
    pub fn objects(&self, pattern: &str) -> Value<String> {
        text!("{}/{}", self.arn(), pattern)
    }

    /// Returns the host name in the bucket's region, as an origin of CloudFront wants it. A bucket that somebody else
    /// keeps is in the region of the stack, unless [`existing_in`](Self::existing_in) says where.
    pub fn regional_domain_name(&self) -> Value<String> {
        let Some(Kept { name, region }) = self.kept.as_deref() else {
            return get_att(&self.id, "RegionalDomainName");
        };
        let region = region
            .clone()
            .unwrap_or(Value::Token(Token::Pseudo(Pseudo::Region)));
        text!("{}.s3.{}.{}", name, region, Pseudo::UrlSuffix)
    }

    /// Returns the key of the customer's own that objects are encrypted with.
    pub(crate) fn key(&self) -> Option<&KeyRef> {
        self.key.as_ref()
    }

    /// Returns the address of the website that [`BucketProps::website`] makes, which starts with `http://`.
    pub fn website_url(&self) -> Value<String> {
        get_att(&self.id, "WebsiteURL")
    }
}

impl Handle for BucketRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a bucket, encrypted, private and, through its policy `<Id>Policy`, reached with TLS only.
    ///
    /// In a protected stage it keeps earlier versions and outlives its stack.
    ///
    /// ```
    /// use stack_model::limit;
    /// use stack_model::s3::{BucketProps, Days, LifecycleRule};
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("photos");
    ///
    /// let photos = stack.bucket("Photos", BucketProps {
    ///     lifecycle: vec![LifecycleRule {
    ///         prefix: "thumbnails/".to_owned(),
    ///         expire_after: Some(limit!(Days, 30)),
    ///         ..LifecycleRule::default()
    ///     }],
    ///     ..BucketProps::default()
    /// });
    /// stack.output("BucketName", photos.name());
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn bucket(&mut self, logical_id: &str, props: BucketProps) -> BucketRef {
        let source = Location::caller();
        self.check_bucket_name(logical_id, props.name.as_ref(), source);
        self.check_cors(logical_id, &props.cors, source);
        self.check_lifecycle(logical_id, &props.lifecycle, source);
        self.check_storage(logical_id, &props, source);
        let versioned =
            props.object_lock.is_some() || props.versioned.unwrap_or(self.stage().is_protected());
        let public = props.website.as_ref().and_then(Website::public_because);
        let public = public.map(str::to_owned);
        let (algorithm, key) = match props.encryption {
            Encryption::S3 => ("AES256", None),
            Encryption::CustomerKey(key) => ("aws:kms", Some(key)),
        };
        let bucket = cfn::Bucket {
            accelerate_configuration: props
                .transfer_acceleration
                .then(|| cfn::bucket::AccelerateConfiguration {
                    acceleration_status: "Enabled".into(),
                })
                .into(),
            bucket_encryption: cfn::bucket::BucketEncryption {
                server_side_encryption_configuration: [cfn::bucket::ServerSideEncryptionRule {
                    bucket_key_enabled: key.as_ref().map(|_| true).into(),
                    server_side_encryption_by_default: cfn::bucket::ServerSideEncryptionByDefault {
                        kms_master_key_id: key.as_ref().map(|key| key.arn().into_text()).into(),
                        sse_algorithm: algorithm.into(),
                    }
                    .into(),
                    ..cfn::bucket::ServerSideEncryptionRule::default()
                }]
                .into(),
            }
            .into(),
            bucket_name: props.name.into(),
            cors_configuration: cors::render(props.cors).into(),
            intelligent_tiering_configurations: storage::tiering(props.intelligent_tiering)
                .map_or(Property::Absent, Property::from),
            lifecycle_configuration: lifecycle::render(props.lifecycle).into(),
            logging_configuration: props
                .access_logs
                .as_ref()
                .map(BucketAccessLogs::render)
                .into(),
            notification_configuration: props
                .event_bridge
                .then(|| cfn::bucket::NotificationConfiguration {
                    event_bridge_configuration: cfn::bucket::EventBridgeConfiguration {
                        event_bridge_enabled: true.into(),
                    }
                    .into(),
                    ..cfn::bucket::NotificationConfiguration::default()
                })
                .into(),
            object_lock_configuration: props.object_lock.map(storage::lock).into(),
            object_lock_enabled: props.object_lock.map(|_| true).into(),
            ownership_controls: cfn::bucket::OwnershipControls {
                rules: [cfn::bucket::OwnershipControlsRule {
                    object_ownership: "BucketOwnerEnforced".into(),
                }]
                .into(),
            }
            .into(),
            public_access_block_configuration: cfn::bucket::PublicAccessBlockConfiguration {
                block_public_acls: true.into(),
                block_public_policy: public.is_none().into(),
                ignore_public_acls: true.into(),
                restrict_public_buckets: public.is_none().into(),
            }
            .into(),
            versioning_configuration: versioned
                .then(|| cfn::bucket::VersioningConfiguration {
                    status: "Enabled".into(),
                })
                .into(),
            website_configuration: props.website.map(Website::render).into(),
            ..cfn::Bucket::default()
        };
        let handle = BucketRef {
            id: self
                .insert_data(logical_id, Resource::of(&bucket, source))
                .id,
            key,
            kept: None,
        };
        // The address of a website knows no TLS.
        let statement = if let Some(because) = public {
            website::public(&handle, &because)
        } else {
            let resources = [handle.arn().into(), handle.objects("*").into()];
            Statement::tls_only("s3:*", resources)
        };
        self.attach_bucket_policy(&handle, [statement], source);
        if let Some(logs) = props.access_logs {
            self.admit_logs(&handle, &logs, source);
        }
        handle
    }

    /// Adds statements to the policy of a bucket. Each names the bucket by [`BucketRef::arn`] or objects by
    /// [`BucketRef::objects`]: S3 refuses a statement whose actions do not fit what it names.
    #[track_caller]
    pub fn bucket_policy(
        &mut self,
        bucket: &BucketRef,
        statements: impl IntoIterator<Item = Statement>,
    ) {
        self.attach_bucket_policy(bucket, statements, Location::caller());
    }

    /// Adds statements to the policy of a bucket on behalf of a resource declared at `source`.
    pub(crate) fn attach_bucket_policy(
        &mut self,
        bucket: &BucketRef,
        statements: impl IntoIterator<Item = Statement>,
        source: &Location<'_>,
    ) {
        let statements = statements.into_iter().map(|statement| {
            if statement.names_resource() {
                statement
            } else {
                statement.wrong(
                    "a statement of a bucket policy names the bucket with `arn()` or objects with `objects(..)`",
                )
            }
        });
        self.attach_resource_policy(bucket, statements, source, || {
            let policy = cfn::BucketPolicy {
                bucket: bucket.name().into(),
                ..cfn::BucketPolicy::default()
            };
            Resource::of(&policy, source).with_policy_at("PolicyDocument")
        });
    }

    /// Reports a name that S3 would refuse; see
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>.
    fn check_bucket_name(&mut self, id: &str, name: Option<&Value<String>>, source: &Location<'_>) {
        let Some(name) = name.and_then(Value::literal) else {
            return;
        };
        let rule = NameRule {
            min: 3,
            max: 63,
            others: "-.",
        };
        let ends = |edge: Option<char>| edge.is_some_and(|c| c.is_ascii_alphanumeric());
        let message = rule.violation(name).or_else(|| {
            let fits = !name.chars().any(|c| c.is_ascii_uppercase())
                && ends(name.chars().next())
                && ends(name.chars().last())
                && !name.contains("..");
            (!fits).then(|| {
                format!(
                    "`{name}` is not the name of a bucket: it has lower case letters only, starts and ends with a letter or digit, and has no two dots in a row"
                )
            })
        });
        if let Some(message) = message {
            self.report(id, Some("Properties.BucketName"), message, source);
        }
    }
}

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/s3.md")]
struct Guide;
