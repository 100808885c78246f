//! Where albums and photos are kept, and what labels the photos.

use photos::{Album, OWN_OBJECTS, ProcessPhoto, ProcessPhotoWiring};
use stack_bindings::ServiceRegion;
use stack_model::dynamodb::{Billing, TableProps, TableRef};
use stack_model::lambda::{AsyncAttempts, AsyncInvocations};
use stack_model::s3::{BucketProps, BucketRef, CorsMaxAge, CorsMethod, CorsRule};
use stack_model::sqs::{DeadLetterQueue, MessageRetention, QueueProps};
use stack_model::{App, limit};

use super::{Variables, function_props};

/// What the other stacks need of this one.
pub(super) struct Data {
    pub(super) albums: TableRef<Album>,
    pub(super) photos: BucketRef,
}

/// The ends of the names of photos that can be labelled; Rekognition reads no other images.
const LABELLED: [&str; 2] = [".jpg", ".png"];

pub(super) fn describe(app: &mut App, variables: &Variables) -> Data {
    let stage = app.stage().name().to_owned();
    let mut stack = variables.stack(app, "photos-data");
    stack.describe("Keeps the albums and photos of people, and labels the photos");

    let albums = stack.table::<Album>(
        "Albums",
        TableProps {
            name: Some(variables.table_name(&stage).into()),
            billing: Billing::Provisioned {
                read: limit!(stack_model::dynamodb::CapacityUnits, 5),
                write: limit!(stack_model::dynamodb::CapacityUnits, 5),
            },
            ..TableProps::default()
        },
    );
    let photos = stack.bucket(
        "Photos",
        BucketProps {
            name: Some(variables.bucket_name(&stage).into()),
            // What somebody deletes is gone, in a protected stage too: nobody keeps photos of people who deleted them.
            versioned: Some(false),
            // Pages of any origin put photos here: what they may do, the credentials of the person who signed in say.
            cors: vec![CorsRule {
                origins: vec!["*".into()],
                methods: vec![
                    CorsMethod::Head,
                    CorsMethod::Get,
                    CorsMethod::Put,
                    CorsMethod::Post,
                    CorsMethod::Delete,
                ],
                headers: vec!["*".to_owned()],
                exposed_headers: [
                    "x-amz-server-side-encryption",
                    "x-amz-request-id",
                    "x-amz-id-2",
                    "ETag",
                ]
                .map(str::to_owned)
                .to_vec(),
                max_age: Some(limit!(CorsMaxAge, 3000)),
            }],
            ..BucketProps::default()
        },
    );

    // An object of which the API was never told, or that is no image, ends here after three tries.
    let unlabelled = stack.queue::<serde_json::Value>(
        "Unlabelled",
        QueueProps {
            retention: Some(limit!(MessageRetention, 14 * 24 * 3600)),
            ..QueueProps::default()
        },
    );
    stack.watch(&DeadLetterQueue::from(&unlabelled), &[]);
    let process = stack.function(
        "Process",
        ProcessPhoto::bind(ProcessPhotoWiring {
            albums: &albums,
            photos: &photos,
            labels: ServiceRegion::own(),
        }),
        function_props(&stack, "process", "Finds out what can be seen on photos"),
    );
    stack.async_invocations(
        &process,
        AsyncInvocations {
            // The photo is often there before its entry: Lambda tries again after one minute, and after two more.
            attempts: Some(limit!(AsyncAttempts, 2)),
            on_failure: Some((&unlabelled).into()),
            ..AsyncInvocations::default()
        },
    );
    for suffix in LABELLED {
        let arrivals = photos.objects_created().prefix(OWN_OBJECTS).suffix(suffix);
        stack.trigger(&process, arrivals);
    }

    stack
        .output("TableName", albums.name())
        .description("The table of albums, one item per person");
    stack
        .output("BucketName", photos.name())
        .description("The bucket of photos, under private/<person>/<name>");
    stack
        .output("UnlabelledQueueUrl", unlabelled.url())
        .description("Objects that could not be labelled");
    Data { albums, photos }
}
