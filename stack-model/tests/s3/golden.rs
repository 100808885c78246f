//! Buckets as a whole template.

use stack_model::Stack;
use stack_model::contract::{Accepts, FunctionContract, Wired, WiredBinding, event};
use stack_model::lambda::FunctionProps;
use stack_model::s3::{
    BucketAccessLogs, BucketOperation, BucketProps, IntelligentTiering, LifecycleRule, ObjectLock,
    StorageClass, Transition, Website,
};
use stack_model::sqs::QueueProps;

use crate::golden::compare;
use crate::support::prod;

struct Label;

impl FunctionContract for Label {
    const PACKAGE: &'static str = "photos";
    const BINARY: &'static str = "photos-label";
}

impl Accepts<event::ObjectChanges> for Label {}

fn buckets(stack: &mut Stack<'_>) {
    stack.describe("Buckets that notify, keep, log and redirect");
    let logs = stack.bucket("AccessLogs", BucketProps::default());
    let photos = stack.bucket(
        "Photos",
        BucketProps {
            name: Some("photos-prod".into()),
            lifecycle: vec![LifecycleRule {
                prefix: "raw/".to_owned(),
                transitions: vec![Transition {
                    after: 1.into(),
                    class: StorageClass::IntelligentTiering,
                }],
                ..LifecycleRule::default()
            }],
            object_lock: Some(ObjectLock::default()),
            intelligent_tiering: vec![IntelligentTiering {
                id: "old".to_owned(),
                archive_after: Some(90.into()),
                ..IntelligentTiering::default()
            }],
            access_logs: Some(BucketAccessLogs::to(&logs, "photos/")),
            transfer_acceleration: true,
            event_bridge: true,
            ..BucketProps::default()
        },
    );
    let wired = Wired::<Label>::new(vec![WiredBinding {
        field: "photos",
        kind: "bucket",
        environment: "PHOTOS",
        value: photos.name(),
        statements: photos.statements(&[BucketOperation::Get]),
    }]);
    let label = stack.function("Label", wired, FunctionProps::default());
    stack.trigger(&label, photos.objects_created().suffix(".jpg"));
    stack.trigger(&label, photos.objects_created().suffix(".png"));
    let removed = stack.queue::<String>("Removed", QueueProps::default());
    stack.notify(photos.objects_removed(), &removed);
    let redirect = Website::Redirect {
        host: "www.example.com".into(),
    };
    stack.bucket(
        "Bare",
        BucketProps {
            website: Some(redirect),
            ..BucketProps::default()
        },
    );
}

#[test]
fn buckets_of_a_protected_stage() {
    compare("buckets.prod", prod(), buckets);
}
