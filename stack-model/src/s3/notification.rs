//! What is told of changes of objects.

use std::panic::Location;

use stack_model_cfn::{Expr, Pseudo, Token, Value};

use super::BucketRef;
use crate::contract::{Accepts, event};
use crate::handle::{ELSEWHERE, Handle, ResourceRef};
use crate::kms::{KeyOperation, KeyRef};
use crate::lambda::{FunctionRef, PermissionProps, Trigger};
use crate::policy::{Principal, Statement};
use crate::sns::{TopicOperation, TopicRef};
use crate::sqs::{QueueOperation, QueueRef};
use crate::stack::Stack;
use crate::text;

/// The principal that S3 notifies as.
const SERVICE: &str = "s3.amazonaws.com";

/// What happens to an object.
///
/// See
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-event-types-and-destinations.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ObjectEvent {
    /// It is written, in whatever way.
    Created,
    /// It is written with `PutObject`.
    CreatedByPut,
    /// It is written through a form.
    CreatedByPost,
    /// It is copied from another one.
    CreatedByCopy,
    /// It is written in parts.
    CreatedByMultipartUpload,
    /// It is deleted, in whatever way.
    Removed,
    /// It is deleted for good.
    RemovedByDelete,
    /// A marker hides it, in a versioned bucket.
    RemovedByDeleteMarker,
    /// A copy of an archived object is there.
    Restored,
    /// Its lifecycle deletes it.
    Expired,
    /// Its lifecycle moves it to other storage.
    Transitioned,
    /// Its tags change.
    Tagged,
}

impl ObjectEvent {
    const fn name(self) -> &'static str {
        match self {
            Self::Created => "s3:ObjectCreated:*",
            Self::CreatedByPut => "s3:ObjectCreated:Put",
            Self::CreatedByPost => "s3:ObjectCreated:Post",
            Self::CreatedByCopy => "s3:ObjectCreated:Copy",
            Self::CreatedByMultipartUpload => "s3:ObjectCreated:CompleteMultipartUpload",
            Self::Removed => "s3:ObjectRemoved:*",
            Self::RemovedByDelete => "s3:ObjectRemoved:Delete",
            Self::RemovedByDeleteMarker => "s3:ObjectRemoved:DeleteMarkerCreated",
            Self::Restored => "s3:ObjectRestore:Completed",
            Self::Expired => "s3:LifecycleExpiration:*",
            Self::Transitioned => "s3:LifecycleTransition",
            Self::Tagged => "s3:ObjectTagging:*",
        }
    }
}

/// Changes of the objects of a bucket: what [`Stack::trigger`] gives to a function and [`Stack::notify`] to a queue
/// or a topic.
///
/// S3 takes no two notifications of a bucket for the same event where an object could match both; the synth reports
/// them.
#[derive(Clone, Debug)]
pub struct ObjectNotification {
    bucket: BucketRef,
    event: ObjectEvent,
    prefix: Option<String>,
    suffix: Option<String>,
}

impl ObjectNotification {
    /// Tells of objects whose keys start like this, such as `private/`.
    #[must_use]
    pub fn prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = Some(prefix.into());
        self
    }

    /// Tells of objects whose keys end like this, such as `.jpg`.
    #[must_use]
    pub fn suffix(mut self, suffix: impl Into<String>) -> Self {
        self.suffix = Some(suffix.into());
        self
    }
}

impl BucketRef {
    /// Tells of objects that are written.
    pub fn objects_created(&self) -> ObjectNotification {
        self.notification(ObjectEvent::Created)
    }

    /// Tells of objects that are deleted.
    pub fn objects_removed(&self) -> ObjectNotification {
        self.notification(ObjectEvent::Removed)
    }

    /// Tells of what happens to objects.
    pub fn notification(&self, event: ObjectEvent) -> ObjectNotification {
        ObjectNotification {
            bucket: self.clone(),
            event,
            prefix: None,
            suffix: None,
        }
    }
}

impl<F: Accepts<event::ObjectChanges>> Trigger<F> for ObjectNotification {
    /// Adds the notification to the bucket, and the permission `<Function><Bucket>Permission`, which the bucket waits
    /// for. Several notifications of one bucket to one function share the permission.
    fn attach(
        self,
        stack: &mut Stack<'_>,
        function: &FunctionRef<F>,
        source: &'static Location<'static>,
    ) -> ResourceRef {
        let target = function.resource_id();
        let id = format!(
            "{}{}Permission",
            target.logical_id(),
            self.bucket.id.logical_id()
        );
        let here = stack.check_notified(&self.bucket, "the function", function, source);
        let permission = if stack.is_permission(&id) {
            stack.resource_ref(&id)
        } else {
            let props = PermissionProps::service(SERVICE, self.bucket.arn().into_text());
            stack.permission_from(&id, function, props.same_account(), source)
        };
        if here {
            let arn = function.arn().into_text();
            stack.add_notification(self, "Lambda", "Function", arn, &permission, source);
        }
        permission
    }
}

/// Something that S3 can tell of changes beside functions: a queue or a topic.
///
/// The messages are documents that S3 writes, so what they are read as must fit them.
#[diagnostic::on_unimplemented(
    message = "S3 cannot tell `{Self}` of changes of objects",
    label = "expected a queue or a topic",
    note = "a function is told with `stack.trigger(&function, bucket.objects_created())`"
)]
pub trait NotificationTarget: Handle {
    /// Lets S3 send, and returns the policy that does, the ARN, and the kind in the words of a bucket.
    #[doc(hidden)]
    fn admit(&self, stack: &mut Stack<'_>, bucket: &BucketRef, source: &Location<'_>) -> Admitted;
}

/// What a notification says of its target.
#[derive(Debug)]
pub struct Admitted {
    kind: &'static str,
    arn: Value<String>,
    policy: ResourceRef,
}

impl<M> NotificationTarget for QueueRef<M> {
    fn admit(&self, stack: &mut Stack<'_>, bucket: &BucketRef, source: &Location<'_>) -> Admitted {
        let id = self.resource_id().logical_id();
        if self.is_fifo() {
            let message = "S3 does not keep an order and sends to no FIFO queue";
            stack.report(id, None, message, source);
        }
        let statement = from_bucket(QueueOperation::Send.action(), bucket);
        stack.attach_queue_policy(self, [statement], source);
        stack.admit_to_key(self.key(), source);
        Admitted {
            kind: "Queue",
            arn: self.arn().into_text(),
            policy: stack.resource_ref(&format!("{id}Policy")),
        }
    }
}

impl<M> NotificationTarget for TopicRef<M> {
    fn admit(&self, stack: &mut Stack<'_>, bucket: &BucketRef, source: &Location<'_>) -> Admitted {
        let id = self.resource_id().logical_id();
        if self.is_fifo() {
            let message = "S3 does not keep an order and publishes to no FIFO topic";
            stack.report(id, None, message, source);
        }
        let statement = from_bucket(TopicOperation::Publish.action(), bucket);
        stack.attach_topic_policy(self, [statement], source);
        stack.admit_to_key(self.key(), source);
        Admitted {
            kind: "Topic",
            arn: self.arn().into_text(),
            policy: stack.resource_ref(&format!("{id}Policy")),
        }
    }
}

/// Lets S3 do something on behalf of one bucket; see
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html>.
fn from_bucket(action: &'static str, bucket: &BucketRef) -> Statement {
    Statement::allow([action])
        .to(Principal::Service(SERVICE.to_owned()))
        .when("ArnEquals", "aws:SourceArn", bucket.arn())
        .when(
            "StringEquals",
            "aws:SourceAccount",
            Token::Pseudo(Pseudo::AccountId),
        )
}

impl Stack<'_> {
    /// Tells a queue or a topic of changes of objects. It belongs to this stack, and so does the bucket.
    ///
    /// ```
    /// use stack_model::s3::BucketProps;
    /// use stack_model::sqs::QueueProps;
    /// use stack_model::text;
    /// # use stack_model::{App, Pseudo, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("photos");
    ///
    /// let uploads = stack.queue::<String>("Uploads", QueueProps::default());
    /// let photos = stack.bucket("Photos", BucketProps {
    ///     name: Some(text!("photos-{}-{}", stack.stage().name(), Pseudo::AccountId)),
    ///     ..BucketProps::default()
    /// });
    /// stack.notify(photos.objects_created().suffix(".jpg"), &uploads);
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn notify(&mut self, notification: ObjectNotification, target: &impl NotificationTarget) {
        let source = Location::caller();
        let what = "the queue or topic";
        if !self.check_notified(&notification.bucket, what, target, source) {
            return;
        }
        let admitted = target.admit(self, &notification.bucket, source);
        let (kind, arn, policy) = (admitted.kind, admitted.arn, &admitted.policy);
        self.add_notification(notification, kind, kind, arn, policy, source);
    }

    /// Reports a bucket or target that is not of this stack, and returns whether both are.
    fn check_notified(
        &mut self,
        bucket: &BucketRef,
        what: &str,
        target: &impl Handle,
        source: &Location<'_>,
    ) -> bool {
        let (bucket, target) = (bucket.resource_id(), target.resource_id());
        if bucket.stack() == target.stack() && bucket.stack() == self.id() {
            return true;
        }
        let name = bucket.logical_id();
        let message = if bucket.stack() == ELSEWHERE {
            format!(
                "the bucket `{name}` is kept by somebody else, who decides what it notifies: have it send its changes to EventBridge and take them from a rule"
            )
        } else {
            format!(
                "{what} `{}` and the bucket `{name}` that notifies it belong to one stack, which the notification is added to: put them into the stack `{}`, or have the bucket send its changes to EventBridge (`BucketProps::event_bridge`) and take them from a rule",
                target.logical_id(),
                bucket.stack()
            )
        };
        self.report(target.logical_id(), None, message, source);
        false
    }

    fn add_notification(
        &mut self,
        notification: ObjectNotification,
        kind: &str,
        target: &str,
        arn: Value<String>,
        after: &ResourceRef,
        source: &Location<'_>,
    ) {
        let rule = |name: &str, value: &str| {
            Expr::map([("Name", Expr::from(name)), ("Value", Expr::from(value))])
        };
        let ObjectNotification {
            bucket,
            event,
            prefix,
            suffix,
        } = notification;
        let mut rules = Vec::new();
        for (name, text) in [("prefix", prefix), ("suffix", suffix)] {
            let Some(text) = text.filter(|text| !text.is_empty()) else {
                continue;
            };
            if let Some(message) = wrong_filter(&text) {
                self.report(bucket.id.logical_id(), Some(PROPERTY), message, source);
            }
            rules.push(rule(name, &text));
        }
        let mut entry = vec![("Event", Expr::from(event.name())), (target, arn.into())];
        if !rules.is_empty() {
            let filter = Expr::map([("S3Key", Expr::map([("Rules", Expr::List(rules))]))]);
            entry.push(("Filter", filter));
        }
        let (list, entry) = (format!("{kind}Configurations"), Expr::map(entry));
        let after = after.id.clone();
        self.change_at(&bucket, source, |bucket| {
            bucket.depends_on.insert(after);
            if let Expr::Map(properties) = &mut bucket.properties
                && let Expr::Map(configuration) = properties
                    .entry("NotificationConfiguration".to_owned())
                    .or_insert_with(|| Expr::Map(std::collections::BTreeMap::new()))
                && let Expr::List(entries) = configuration
                    .entry(list)
                    .or_insert_with(|| Expr::List(Vec::new()))
            {
                entries.push(entry);
            }
        });
    }

    /// Lets S3 use the key of a queue or topic; see
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html#key-policy-sns-sqs>.
    fn admit_to_key(&mut self, key: Option<&KeyRef>, source: &Location<'_>) {
        let Some(key) = key.filter(|key| key.resource_id().stack() == self.id()) else {
            return;
        };
        let operations = [KeyOperation::GenerateDataKey, KeyOperation::Decrypt];
        let account = Token::Pseudo(Pseudo::AccountId);
        // The key cannot name the bucket, which may be encrypted with it.
        let statement = Statement::allow(operations.map(KeyOperation::action))
            .to(Principal::Service(SERVICE.to_owned()))
            .when(
                "ArnLike",
                "aws:SourceArn",
                text!("arn:{}:s3:::*", Pseudo::Partition),
            )
            .when("StringEquals", "aws:SourceAccount", account);
        self.key_policy_from(key, [statement], source);
    }
}

/// Where the notifications of a bucket stand.
pub(super) const PROPERTY: &str = "Properties.NotificationConfiguration";

/// Says what is wrong with a prefix or suffix; see
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html>.
fn wrong_filter(text: &str) -> Option<String> {
    if text.contains('*') {
        return Some(format!(
            "`{text}` holds a `*`, which is no wildcard here: keys start with a prefix and end with a suffix anyway"
        ));
    }
    // See <https://docs.aws.amazon.com/AmazonS3/latest/API/API_FilterRule.html>.
    (text.len() > 1024).then(|| format!("`{text}` is longer than 1,024 bytes"))
}
