//! What buckets notify.

use insta::assert_json_snapshot;
use serde_json::{Value as Json, json};
use stack_model::contract::{Accepts, FunctionContract, Wired, WiredBinding, event};
use stack_model::kms::KeyProps;
use stack_model::lambda::{FunctionProps, FunctionRef};
use stack_model::s3::{BucketOperation, BucketProps, BucketRef, ObjectEvent};
use stack_model::sns::{self, TopicProps};
use stack_model::sqs::{Fifo, QueueProps};
use stack_model::{Pseudo, Stack, Value, text};

use crate::support::{dev, property, resources, texts, violations};

/// A function that labels photos.
struct Label;

impl FunctionContract for Label {
    const PACKAGE: &'static str = "photos";
    const BINARY: &'static str = "photos-label";
}

impl Accepts<event::ObjectChanges> for Label {}

fn named(name: impl Into<Value<String>>) -> BucketProps {
    BucketProps {
        name: Some(name.into()),
        ..BucketProps::default()
    }
}

/// Adds a function that reads what a bucket holds: its environment and its role name the bucket.
fn label(stack: &mut Stack<'_>, bucket: &BucketRef) -> FunctionRef<Label> {
    let wired = Wired::new(vec![WiredBinding {
        field: "photos",
        kind: "bucket",
        environment: "PHOTOS",
        value: bucket.name(),
        statements: bucket.statements(&[BucketOperation::Get]),
    }]);
    stack.function("Label", wired, FunctionProps::default())
}

#[test]
fn a_function_that_reads_its_bucket_names_it_and_the_bucket_waits_for_it() {
    let resources = resources(dev(), |stack| {
        let photos = stack.bucket("Photos", named("photos-dev"));
        let label = label(stack, &photos);
        stack.trigger(
            &label,
            photos.objects_created().prefix("private/").suffix(".jpg"),
        );
        stack.trigger(
            &label,
            photos.objects_created().prefix("private/").suffix(".png"),
        );
    });
    let photos = &resources["Photos"];
    assert_eq!(photos["DependsOn"], json!(["LabelPhotosPermission"]));
    assert_json_snapshot!(photos["Properties"]["NotificationConfiguration"], @r#"
    {
      "LambdaConfigurations": [
        {
          "Event": "s3:ObjectCreated:*",
          "Filter": {
            "S3Key": {
              "Rules": [
                {
                  "Name": "prefix",
                  "Value": "private/"
                },
                {
                  "Name": "suffix",
                  "Value": ".jpg"
                }
              ]
            }
          },
          "Function": {
            "Fn::GetAtt": [
              "Label",
              "Arn"
            ]
          }
        },
        {
          "Event": "s3:ObjectCreated:*",
          "Filter": {
            "S3Key": {
              "Rules": [
                {
                  "Name": "prefix",
                  "Value": "private/"
                },
                {
                  "Name": "suffix",
                  "Value": ".png"
                }
              ]
            }
          },
          "Function": {
            "Fn::GetAtt": [
              "Label",
              "Arn"
            ]
          }
        }
      ]
    }
    "#);
    assert_json_snapshot!(resources["LabelPhotosPermission"], @r#"
    {
      "Properties": {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {
          "Fn::GetAtt": [
            "Label",
            "Arn"
          ]
        },
        "Principal": "s3.amazonaws.com",
        "SourceAccount": {
          "Ref": "AWS::AccountId"
        },
        "SourceArn": {
          "Fn::Sub": "arn:${AWS::Partition}:s3:::photos-dev"
        }
      },
      "Type": "AWS::Lambda::Permission"
    }
    "#);
    let statements = &resources["LabelRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    assert_eq!(
        statements["Statement"][1]["Resource"],
        json!({"Fn::Sub": "arn:${AWS::Partition}:s3:::photos-dev/*"})
    );
    let variables = &resources["Label"]["Properties"]["Environment"]["Variables"];
    assert_eq!(variables, &json!({"PHOTOS": "photos-dev"}));
    // What the bucket does not wait for goes on to wait for the bucket.
    assert_eq!(
        resources["PhotosPolicy"]["Properties"]["Bucket"],
        json!({"Ref": "Photos"})
    );
}

#[test]
fn a_name_may_hold_what_only_the_deployment_knows() {
    let resources = resources(dev(), |stack| {
        let name = text!("photos-{}", Pseudo::AccountId);
        let photos = stack.bucket("Photos", named(name));
        let label = label(stack, &photos);
        stack.trigger(&label, photos.objects_created());
    });
    let arn = json!({"Fn::Sub": "arn:${AWS::Partition}:s3:::photos-${AWS::AccountId}"});
    let permission = &resources["LabelPhotosPermission"]["Properties"];
    assert_eq!(permission["SourceArn"], arn);
    let variables = &resources["Label"]["Properties"]["Environment"]["Variables"];
    assert_eq!(
        variables["PHOTOS"],
        json!({"Fn::Sub": "photos-${AWS::AccountId}"})
    );
}

#[test]
fn a_function_that_does_not_use_its_bucket_needs_no_name() {
    let resources = resources(dev(), |stack| {
        let photos = stack.bucket("Photos", BucketProps::default());
        let wired = Wired::<Label>::new(Vec::new());
        let label = stack.function("Label", wired, FunctionProps::default());
        stack.trigger(&label, photos.objects_removed());
    });
    let permission = &resources["LabelPhotosPermission"]["Properties"];
    assert_eq!(
        permission["SourceAccount"],
        json!({"Ref": "AWS::AccountId"})
    );
    assert_eq!(permission.get("SourceArn"), None);
}

#[test]
fn a_cycle_that_no_name_breaks_is_reported_once_for_each_that_closes_it() {
    let found = violations(dev(), |stack| {
        let photos = stack.bucket("Photos", BucketProps::default());
        let label = label(stack, &photos);
        stack.trigger(&label, photos.objects_created());
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Label: `Label` names the bucket `Photos`, which waits for it because of a notification: give the bucket a name (`BucketProps::name`), so that they need not wait for each other, such as text!(\"photos-{}\", Pseudo::AccountId)",
      "orders / LabelRole: `LabelRole` names the bucket `Photos`, which waits for it because of a notification: give the bucket a name (`BucketProps::name`), so that they need not wait for each other, such as text!(\"photos-{}\", Pseudo::AccountId)"
    ]
    "#);
}

#[test]
fn queues_and_topics_let_the_bucket_send() {
    let resources = resources(dev(), |stack| {
        let key = stack.key("Key", KeyProps::default());
        let photos = stack.bucket("Photos", named("photos-dev"));
        let queue = stack.queue::<String>(
            "Uploads",
            QueueProps {
                encryption: stack_model::sqs::Encryption::customer_key(&key),
                ..QueueProps::default()
            },
        );
        let topic = stack.topic::<String>(
            "Removals",
            TopicProps {
                encryption: sns::Encryption::CustomerKey(key),
                ..TopicProps::default()
            },
        );
        stack.notify(photos.objects_created(), &queue);
        stack.notify(photos.notification(ObjectEvent::Expired), &topic);
    });
    assert_json_snapshot!(resources["Photos"]["Properties"]["NotificationConfiguration"], @r#"
    {
      "QueueConfigurations": [
        {
          "Event": "s3:ObjectCreated:*",
          "Queue": {
            "Fn::GetAtt": [
              "Uploads",
              "Arn"
            ]
          }
        }
      ],
      "TopicConfigurations": [
        {
          "Event": "s3:LifecycleExpiration:*",
          "Topic": {
            "Ref": "Removals"
          }
        }
      ]
    }
    "#);
    assert_eq!(
        resources["Photos"]["DependsOn"],
        json!(["RemovalsPolicy", "UploadsPolicy"])
    );
    let statement = |id: &str, position: usize| -> Json {
        resources[id]["Properties"]["PolicyDocument"]["Statement"][position].clone()
    };
    assert_json_snapshot!(statement("UploadsPolicy", 1), @r#"
    {
      "Action": "sqs:SendMessage",
      "Condition": {
        "ArnEquals": {
          "aws:SourceArn": {
            "Fn::Sub": "arn:${AWS::Partition}:s3:::photos-dev"
          }
        },
        "StringEquals": {
          "aws:SourceAccount": {
            "Ref": "AWS::AccountId"
          }
        }
      },
      "Effect": "Allow",
      "Principal": {
        "Service": "s3.amazonaws.com"
      },
      "Resource": {
        "Fn::GetAtt": [
          "Uploads",
          "Arn"
        ]
      }
    }
    "#);
    assert_eq!(statement("RemovalsPolicy", 1)["Action"], "sns:Publish");
    let key = &resources["Key"]["Properties"]["KeyPolicy"]["Statement"];
    let admitted = key.as_array().unwrap().last().unwrap();
    assert_eq!(admitted["Principal"]["Service"], "s3.amazonaws.com");
    assert_eq!(
        admitted["Action"],
        json!(["kms:Decrypt", "kms:GenerateDataKey"])
    );
}

#[test]
fn notifications_that_one_object_matches_are_refused() {
    let found = |describe: &dyn Fn(&mut Stack<'_>, &BucketRef, &FunctionRef<Label>)| {
        violations(dev(), |stack| {
            let photos = stack.bucket("Photos", named("photos-dev"));
            let label = label(stack, &photos);
            describe(stack, &photos, &label);
        })
    };
    assert_json_snapshot!(found(&|stack, photos, label| {
        stack.trigger(label, photos.objects_created().suffix(".jpg"));
        stack.trigger(label, photos.notification(ObjectEvent::CreatedByPut).prefix("private/"));
    }), @r#"
    [
      "orders / Photos / Properties.NotificationConfiguration: `Label` (`s3:ObjectCreated:*`, suffix `.jpg`) and `Label` (`s3:ObjectCreated:Put`, prefix `private/`) could be told of one object, which S3 refuses: keep them apart by prefixes or suffixes, or publish to one topic that both subscribe to"
    ]
    "#);
    let apart = found(&|stack, photos, label| {
        stack.trigger(label, photos.objects_created().prefix("a/").suffix(".jpg"));
        stack.trigger(
            label,
            photos.objects_created().prefix("a/b/").suffix(".png"),
        );
        stack.trigger(label, photos.objects_created().prefix("c/"));
        stack.trigger(label, photos.objects_removed());
        let queue = stack.queue::<String>("Uploads", QueueProps::default());
        stack.notify(photos.notification(ObjectEvent::Restored), &queue);
    });
    assert_eq!(apart, [""; 0]);
}

#[test]
fn targets_that_s3_cannot_tell_are_reported() {
    let found = violations(dev(), |stack| {
        let photos = stack.bucket("Photos", named("photos-dev"));
        let topic = stack.topic::<String>("Removals", TopicProps::default());
        stack.notify(photos.objects_removed(), &topic);
        let fifo = QueueProps {
            fifo: Some(Fifo::default()),
            ..QueueProps::default()
        };
        let queue = stack.queue::<String>("Uploads", fifo);
        stack.notify(photos.objects_created().suffix("*.jpg"), &queue);
        let kept = BucketRef::existing("others");
        stack.notify(kept.objects_created(), &queue);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Uploads: S3 does not keep an order and sends to no FIFO queue",
      "orders / Photos / Properties.NotificationConfiguration: `*.jpg` holds a `*`, which is no wildcard here: keys start with a prefix and end with a suffix anyway",
      "orders / Uploads: the bucket `others` is kept by somebody else, who decides what it notifies: have it send its changes to EventBridge and take them from a rule",
      "orders / Photos / Properties.NotificationConfiguration: the topic `Removals` is encrypted with AWS's own key, which S3 may not use: encrypt it with a key of the customer's own or not at all"
    ]
    "#);
}

#[test]
fn a_bucket_of_another_stack_notifies_through_a_bus() {
    let mut app = dev();
    let photos = app.stack("data").bucket("Photos", named("photos-dev"));
    let mut stack = app.stack("orders");
    let label = label(&mut stack, &photos);
    stack.trigger(&label, photos.objects_created());
    let found = texts(&app.synth().unwrap_err());
    assert_json_snapshot!(found, @r#"
    [
      "orders / Label: the function `Label` and the bucket `Photos` that notifies it belong to one stack, which the notification is added to: put them into the stack `data`, or have the bucket send its changes to EventBridge (`BucketProps::event_bridge`) and take them from a rule"
    ]
    "#);
}

#[test]
fn a_bucket_sends_to_a_bus_and_to_functions() {
    let configuration = property(dev(), "Photos", "NotificationConfiguration", |stack| {
        let props = BucketProps {
            event_bridge: true,
            ..named("photos-dev")
        };
        let photos = stack.bucket("Photos", props);
        let label = label(stack, &photos);
        stack.trigger(&label, photos.objects_created());
    });
    let bridge = &configuration["EventBridgeConfiguration"];
    assert_eq!(bridge, &json!({"EventBridgeEnabled": true}));
    let functions = configuration["LambdaConfigurations"].as_array().unwrap();
    assert_eq!(functions.len(), 1);
}

#[test]
fn a_notification_written_by_hand_needs_a_permission_first() {
    let found = violations(dev(), |stack| {
        let photos = stack.bucket("Photos", named("photos-dev"));
        let label = label(stack, &photos);
        let path = "NotificationConfiguration.LambdaConfigurations";
        let entry = stack_model::Expr::map([
            ("Event", "s3:ObjectCreated:*".into()),
            ("Function", label.arn().into()),
        ]);
        stack.override_property(&photos, path, stack_model::Expr::list([entry]));
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Photos / Properties.NotificationConfiguration: S3 checks that it may invoke `Label` when the notification is set: make the bucket wait for a permission of `s3.amazonaws.com`, as `stack.trigger(&function, bucket.objects_created())` does"
    ]
    "#);
}

#[test]
fn a_cycle_in_raw_json_is_found() {
    let found = violations(dev(), |stack| {
        stack.raw(
            "Photos",
            "AWS::S3::Bucket",
            json!({"NotificationConfiguration": {"LambdaConfigurations": [
                {"Event": "s3:ObjectCreated:*", "Function": {"Fn::GetAtt": ["Label", "Arn"]}},
            ]}}),
        );
        let wired = Wired::<Label>::new(Vec::new());
        let label = stack.function("Label", wired, FunctionProps::default());
        let bucket = json!({"Ref": "Photos"});
        stack.override_property(&label, "Environment.Variables.PHOTOS", bucket);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Photos / Properties.NotificationConfiguration: S3 checks that it may invoke `Label` when the notification is set: make the bucket wait for a permission of `s3.amazonaws.com`, as `stack.trigger(&function, bucket.objects_created())` does",
      "orders / Label: `Label` names the bucket `Photos`, which waits for it because of a notification: give the bucket a name (`BucketProps::name`), so that they need not wait for each other, such as text!(\"photos-{}\", Pseudo::AccountId)",
      "orders / Label: the resources Label -> Photos -> Label need each other: cut the edge Photos -> Label, which comes from Properties.NotificationConfiguration.LambdaConfigurations.0.Function"
    ]
    "#);
}
