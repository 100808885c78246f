//! How buckets keep objects: locks, archives, logs of access, websites.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::kms::KeyProps;
use stack_model::s3::{
    BucketAccessLogs, BucketProps, Encryption, IntelligentTiering, LockMode, LockRetention,
    ObjectLock, Website,
};

use crate::support::{dev, property, resources, violations};

#[test]
fn every_kind_of_storage_reaches_the_template() {
    let resources = resources(dev(), |stack| {
        let logs = stack.bucket("Logs", BucketProps::default());
        stack.bucket(
            "Photos",
            BucketProps {
                object_lock: Some(ObjectLock {
                    default_retention: Some(LockRetention {
                        mode: LockMode::Governance,
                        days: 30.into(),
                    }),
                }),
                intelligent_tiering: vec![IntelligentTiering {
                    id: "old".to_owned(),
                    prefix: Some("raw/".to_owned()),
                    archive_after: Some(90.into()),
                    deep_archive_after: Some(180.into()),
                }],
                access_logs: Some(BucketAccessLogs::to(&logs, "photos/")),
                transfer_acceleration: true,
                ..BucketProps::default()
            },
        );
    });
    let photos = &resources["Photos"]["Properties"];
    assert_eq!(
        photos["AccelerateConfiguration"],
        json!({"AccelerationStatus": "Enabled"})
    );
    assert_eq!(photos["ObjectLockEnabled"], true);
    assert_json_snapshot!(photos["ObjectLockConfiguration"], @r#"
    {
      "ObjectLockEnabled": "Enabled",
      "Rule": {
        "DefaultRetention": {
          "Days": 30,
          "Mode": "GOVERNANCE"
        }
      }
    }
    "#);
    // A lock keeps versions.
    assert_eq!(photos["VersioningConfiguration"]["Status"], "Enabled");
    assert_json_snapshot!(photos["IntelligentTieringConfigurations"], @r#"
    [
      {
        "Id": "old",
        "Prefix": "raw/",
        "Status": "Enabled",
        "Tierings": [
          {
            "AccessTier": "ARCHIVE_ACCESS",
            "Days": 90
          },
          {
            "AccessTier": "DEEP_ARCHIVE_ACCESS",
            "Days": 180
          }
        ]
      }
    ]
    "#);
    assert_eq!(
        photos["LoggingConfiguration"],
        json!({"DestinationBucketName": {"Ref": "Logs"}, "LogFilePrefix": "photos/"})
    );
    assert_json_snapshot!(resources["LogsPolicy"]["Properties"]["PolicyDocument"]["Statement"][1], @r#"
    {
      "Action": "s3:PutObject",
      "Condition": {
        "ArnEquals": {
          "aws:SourceArn": {
            "Fn::GetAtt": [
              "Photos",
              "Arn"
            ]
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
        "Service": "logging.s3.amazonaws.com"
      },
      "Resource": {
        "Fn::Sub": "${Logs.Arn}/photos/*"
      }
    }
    "#);
}

#[test]
fn a_website_is_public_for_a_reason_and_a_redirect_is_not() {
    let resources = resources(dev(), |stack| {
        stack.bucket(
            "Site",
            BucketProps {
                website: Some(Website::Pages {
                    index: "index.html".to_owned(),
                    error: Some("404.html".to_owned()),
                    because: "the site is for everybody".to_owned(),
                }),
                ..BucketProps::default()
            },
        );
        stack.bucket(
            "Bare",
            BucketProps {
                website: Some(Website::Redirect {
                    host: "www.example.com".into(),
                }),
                ..BucketProps::default()
            },
        );
    });
    let site = &resources["Site"]["Properties"];
    assert_eq!(
        site["WebsiteConfiguration"],
        json!({"ErrorDocument": "404.html", "IndexDocument": "index.html"})
    );
    let access = &site["PublicAccessBlockConfiguration"];
    assert_eq!(access["BlockPublicPolicy"], false);
    assert_eq!(access["BlockPublicAcls"], true);
    let statements = &resources["SitePolicy"]["Properties"]["PolicyDocument"]["Statement"];
    assert_eq!(
        statements,
        &json!([{
            "Action": "s3:GetObject",
            "Effect": "Allow",
            "Principal": "*",
            "Resource": {"Fn::Sub": "${Site.Arn}/*"},
        }])
    );
    let bare = &resources["Bare"]["Properties"];
    assert_eq!(
        bare["WebsiteConfiguration"]["RedirectAllRequestsTo"],
        json!({"HostName": "www.example.com", "Protocol": "https"})
    );
    assert_eq!(
        bare["PublicAccessBlockConfiguration"]["BlockPublicPolicy"],
        true
    );
}

#[test]
fn logs_may_start_with_any_prefix() {
    let logging = property(dev(), "Photos", "LoggingConfiguration", |stack| {
        let logs = stack.bucket("Logs", BucketProps::default());
        let props = BucketProps {
            access_logs: Some(BucketAccessLogs::to(&logs, "")),
            ..BucketProps::default()
        };
        stack.bucket("Photos", props);
    });
    assert_eq!(logging["LogFilePrefix"], "");
}

#[test]
fn contradictions_are_reported_together() {
    let found = violations(dev(), |stack| {
        let key = stack.key("Key", KeyProps::default());
        let logs = stack.bucket(
            "Logs",
            BucketProps {
                encryption: Encryption::CustomerKey(key.clone()),
                ..BucketProps::default()
            },
        );
        stack.bucket(
            "Photos",
            BucketProps {
                name: Some("photos.example.com".into()),
                versioned: Some(false),
                object_lock: Some(ObjectLock {
                    default_retention: Some(LockRetention {
                        mode: LockMode::Compliance,
                        days: 0.into(),
                    }),
                }),
                intelligent_tiering: vec![
                    IntelligentTiering::default(),
                    IntelligentTiering {
                        id: "old".to_owned(),
                        archive_after: Some(365.into()),
                        deep_archive_after: Some(180.into()),
                        ..IntelligentTiering::default()
                    },
                ],
                access_logs: Some(BucketAccessLogs::to(&logs, "photos/")),
                transfer_acceleration: true,
                encryption: Encryption::CustomerKey(key),
                website: Some(Website::Redirect {
                    host: "example.com".into(),
                }),
                ..BucketProps::default()
            },
        );
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Photos / Properties.VersioningConfiguration: a lock keeps versions, so the bucket needs them: leave `versioned` out",
      "orders / Photos / Properties.ObjectLockConfiguration.Rule.DefaultRetention.Days: 0 is not between 1 and 36500",
      "orders / Photos / Properties.IntelligentTieringConfigurations.0: the rule does nothing: say when objects are archived",
      "orders / Photos / Properties.IntelligentTieringConfigurations.1: objects are archived deeply before they are archived",
      "orders / Photos / Properties.BucketName: the name of a bucket with transfer acceleration has no dots",
      "orders / Photos / Properties.BucketEncryption: a website is read by anybody, and nobody without an identity may use a key: encrypt it with keys of S3",
      "orders / Photos / Properties.LoggingConfiguration: S3 writes no access logs to a bucket with a key of the customer's own: encrypt that one with keys of S3"
    ]
    "#);
}
