//! Buckets.

use insta::assert_json_snapshot;
use stack_model::kms::KeyProps;
use stack_model::policy::Statement;
use stack_model::s3::{
    BucketOperation, BucketProps, BucketRef, CorsMethod, CorsRule, Encryption, LifecycleRule,
    StorageClass, Transition,
};

use crate::support::{actions, dev, prod, property, resources, statements, template, violations};

mod content;
mod golden;
mod notification;
mod storage;

#[test]
fn a_bucket_is_encrypted_private_and_reached_with_tls_only() {
    let resources = resources(dev(), |stack| {
        stack.bucket("Photos", BucketProps::default());
    });
    assert_json_snapshot!(resources, @r#"
    {
      "Photos": {
        "DeletionPolicy": "Delete",
        "Properties": {
          "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
              {
                "ServerSideEncryptionByDefault": {
                  "SSEAlgorithm": "AES256"
                }
              }
            ]
          },
          "OwnershipControls": {
            "Rules": [
              {
                "ObjectOwnership": "BucketOwnerEnforced"
              }
            ]
          },
          "PublicAccessBlockConfiguration": {
            "BlockPublicAcls": true,
            "BlockPublicPolicy": true,
            "IgnorePublicAcls": true,
            "RestrictPublicBuckets": true
          }
        },
        "Type": "AWS::S3::Bucket",
        "UpdateReplacePolicy": "Delete"
      },
      "PhotosPolicy": {
        "Properties": {
          "Bucket": {
            "Ref": "Photos"
          },
          "PolicyDocument": {
            "Statement": [
              {
                "Action": "s3:*",
                "Condition": {
                  "Bool": {
                    "aws:SecureTransport": "false"
                  }
                },
                "Effect": "Deny",
                "Principal": "*",
                "Resource": [
                  {
                    "Fn::GetAtt": [
                      "Photos",
                      "Arn"
                    ]
                  },
                  {
                    "Fn::Sub": "${Photos.Arn}/*"
                  }
                ]
              }
            ],
            "Version": "2012-10-17"
          }
        },
        "Type": "AWS::S3::BucketPolicy"
      }
    }
    "#);
}

#[test]
fn a_bucket_of_a_protected_stage_keeps_versions_and_outlives_its_stack() {
    let resources = resources(prod(), |stack| {
        stack.bucket("Photos", BucketProps::default());
        let props = BucketProps {
            versioned: Some(false),
            ..BucketProps::default()
        };
        stack.bucket("Thumbnails", props);
    });
    let photos = &resources["Photos"];
    assert_eq!(
        photos["Properties"]["VersioningConfiguration"]["Status"],
        "Enabled"
    );
    assert_eq!(photos["DeletionPolicy"], "RetainExceptOnCreate");
    let thumbnails = &resources["Thumbnails"]["Properties"];
    assert_eq!(thumbnails.get("VersioningConfiguration"), None);
}

#[test]
fn every_property_reaches_the_template() {
    let resources = resources(dev(), |stack| {
        let key = stack.key("PhotosKey", KeyProps::default());
        stack.bucket(
            "Photos",
            BucketProps {
                name: Some("photos-dev".into()),
                encryption: Encryption::CustomerKey(key),
                versioned: Some(true),
                cors: vec![CorsRule {
                    origins: vec!["https://example.com".into()],
                    methods: vec![CorsMethod::Get, CorsMethod::Put],
                    headers: vec!["*".to_owned()],
                    exposed_headers: vec!["ETag".to_owned()],
                    max_age: Some(300.into()),
                }],
                lifecycle: vec![LifecycleRule {
                    prefix: "raw/".to_owned(),
                    expire_after: Some(365.into()),
                    expire_noncurrent_after: Some(30.into()),
                    abort_incomplete_uploads_after: Some(7.into()),
                    transitions: vec![Transition {
                        after: 30.into(),
                        class: StorageClass::StandardInfrequentAccess,
                    }],
                }],
                event_bridge: true,
                ..BucketProps::default()
            },
        );
    });
    assert_json_snapshot!(resources["Photos"], @r#"
    {
      "DeletionPolicy": "Delete",
      "Properties": {
        "BucketEncryption": {
          "ServerSideEncryptionConfiguration": [
            {
              "BucketKeyEnabled": true,
              "ServerSideEncryptionByDefault": {
                "KMSMasterKeyID": {
                  "Fn::GetAtt": [
                    "PhotosKey",
                    "Arn"
                  ]
                },
                "SSEAlgorithm": "aws:kms"
              }
            }
          ]
        },
        "BucketName": "photos-dev",
        "CorsConfiguration": {
          "CorsRules": [
            {
              "AllowedHeaders": [
                "*"
              ],
              "AllowedMethods": [
                "GET",
                "PUT"
              ],
              "AllowedOrigins": [
                "https://example.com"
              ],
              "ExposedHeaders": [
                "ETag"
              ],
              "MaxAge": 300
            }
          ]
        },
        "LifecycleConfiguration": {
          "Rules": [
            {
              "AbortIncompleteMultipartUpload": {
                "DaysAfterInitiation": 7
              },
              "ExpirationInDays": 365,
              "NoncurrentVersionExpiration": {
                "NoncurrentDays": 30
              },
              "Prefix": "raw/",
              "Status": "Enabled",
              "Transitions": [
                {
                  "StorageClass": "STANDARD_IA",
                  "TransitionInDays": 30
                }
              ]
            }
          ]
        },
        "NotificationConfiguration": {
          "EventBridgeConfiguration": {
            "EventBridgeEnabled": true
          }
        },
        "OwnershipControls": {
          "Rules": [
            {
              "ObjectOwnership": "BucketOwnerEnforced"
            }
          ]
        },
        "PublicAccessBlockConfiguration": {
          "BlockPublicAcls": true,
          "BlockPublicPolicy": true,
          "IgnorePublicAcls": true,
          "RestrictPublicBuckets": true
        },
        "VersioningConfiguration": {
          "Status": "Enabled"
        }
      },
      "Type": "AWS::S3::Bucket",
      "UpdateReplacePolicy": "Delete"
    }
    "#);
}

#[test]
fn every_operation_allows_its_action_on_the_bucket_or_its_objects() {
    let cases = [
        (BucketOperation::Get, "s3:GetObject"),
        (BucketOperation::Put, "s3:PutObject"),
        (BucketOperation::Delete, "s3:DeleteObject"),
        (BucketOperation::List, "s3:ListBucket"),
    ];
    let bucket: BucketRef = dev()
        .stack("orders")
        .bucket("Photos", BucketProps::default());
    for (operation, action) in cases {
        assert_eq!(actions(&bucket.statements(&[operation])), [[action]]);
    }
    assert!(bucket.statements(&[]).is_empty());
    let statements = statements(dev(), |stack| {
        let bucket = stack.bucket("Photos", BucketProps::default());
        bucket.statements(&[
            BucketOperation::Get,
            BucketOperation::List,
            BucketOperation::Put,
        ])
    });
    assert_json_snapshot!(statements, @r#"
    [
      {
        "Action": [
          "s3:GetObject",
          "s3:PutObject"
        ],
        "Effect": "Allow",
        "Resource": {
          "Fn::Sub": "${Photos.Arn}/*"
        }
      },
      {
        "Action": "s3:ListBucket",
        "Effect": "Allow",
        "Resource": {
          "Fn::GetAtt": [
            "Photos",
            "Arn"
          ]
        }
      }
    ]
    "#);
}

#[test]
fn a_prefix_narrows_objects_and_listing() {
    let statements = statements(dev(), |stack| {
        let bucket = stack.bucket("Photos", BucketProps::default());
        bucket.statements_under("raw/", &[BucketOperation::Get, BucketOperation::List])
    });
    assert_json_snapshot!(statements, @r#"
    [
      {
        "Action": "s3:GetObject",
        "Effect": "Allow",
        "Resource": {
          "Fn::Sub": "${Photos.Arn}/raw/*"
        }
      },
      {
        "Action": "s3:ListBucket",
        "Condition": {
          "StringLike": {
            "s3:prefix": [
              "raw/",
              "raw/*"
            ]
          }
        },
        "Effect": "Allow",
        "Resource": {
          "Fn::GetAtt": [
            "Photos",
            "Arn"
          ]
        }
      }
    ]
    "#);
}

#[test]
fn a_customer_key_is_granted_for_what_the_operations_need() {
    let encrypted = |operation| {
        let mut app = dev();
        let mut stack = app.stack("orders");
        let key = stack.key("PhotosKey", KeyProps::default());
        let props = BucketProps {
            encryption: Encryption::CustomerKey(key),
            ..BucketProps::default()
        };
        actions(&stack.bucket("Photos", props).statements(&[operation]))
    };
    assert_eq!(encrypted(BucketOperation::Get)[1], ["kms:Decrypt"]);
    assert_eq!(
        encrypted(BucketOperation::Put)[1],
        ["kms:GenerateDataKey", "kms:Decrypt"]
    );
    assert_eq!(encrypted(BucketOperation::Delete).len(), 1);
    assert_eq!(encrypted(BucketOperation::List).len(), 1);
}

#[test]
fn statements_join_the_policy_of_the_bucket() {
    let document = property(dev(), "PhotosPolicy", "PolicyDocument", |stack| {
        let bucket = stack.bucket("Photos", BucketProps::default());
        let statement = Statement::allow(["s3:GetObject"])
            .to(stack_model::policy::Principal::Service(
                "cloudfront.amazonaws.com".to_owned(),
            ))
            .on(bucket.objects("public/*"))
            .because("whatever is public is served");
        stack.bucket_policy(&bucket, [statement]);
    });
    assert_json_snapshot!(document["Statement"][1], @r#"
    {
      "Action": "s3:GetObject",
      "Effect": "Allow",
      "Principal": {
        "Service": "cloudfront.amazonaws.com"
      },
      "Resource": {
        "Fn::Sub": "${Photos.Arn}/public/*"
      }
    }
    "#);
}

#[test]
fn names_are_those_of_buckets() {
    let named = |name: &str| {
        violations(dev(), |stack| {
            let props = BucketProps {
                name: Some(name.into()),
                ..BucketProps::default()
            };
            stack.bucket("Photos", props);
        })
    };
    for right in ["abc", "photos.example.com", "0-1"] {
        assert_eq!(named(right), [""; 0], "{right}");
    }
    for wrong in [
        "ab",
        "Photos",
        "photos-",
        "a..b",
        "under_score",
        &"a".repeat(64),
    ] {
        assert_eq!(named(wrong).len(), 1, "{wrong}: {:?}", named(wrong));
    }
}

#[test]
fn rules_that_say_nothing_or_contradict_are_reported_together() {
    let found = violations(dev(), |stack| {
        let bucket = stack.bucket(
            "Photos",
            BucketProps {
                cors: vec![
                    CorsRule::default(),
                    CorsRule {
                        origins: vec!["https://*.*.example.com".into()],
                        methods: vec![CorsMethod::Get],
                        ..CorsRule::default()
                    },
                ],
                lifecycle: vec![
                    LifecycleRule::default(),
                    LifecycleRule {
                        expire_after: Some(10.into()),
                        transitions: vec![Transition {
                            after: 20.into(),
                            class: StorageClass::OneZoneInfrequentAccess,
                        }],
                        ..LifecycleRule::default()
                    },
                    LifecycleRule {
                        expire_after: Some(0.into()),
                        ..LifecycleRule::default()
                    },
                ],
                ..BucketProps::default()
            },
        );
        stack.bucket_policy(&bucket, [Statement::deny(["s3:GetObject"])]);
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / Photos / Properties.CorsConfiguration.CorsRules.0: a rule needs an origin and a method",
      "orders / Photos / Properties.CorsConfiguration.CorsRules.1: `https://*.*.example.com` holds more than one `*`",
      "orders / Photos / Properties.LifecycleConfiguration.Rules.0: the rule does nothing: say what expires or moves, and when",
      "orders / Photos / Properties.LifecycleConfiguration.Rules.1: objects move to ONEZONE_IA after 20 days and S3 takes 30 at least",
      "orders / Photos / Properties.LifecycleConfiguration.Rules.1: objects expire before they move to cheaper storage",
      "orders / Photos / Properties.LifecycleConfiguration.Rules.2: 0 is not between 1 and 2147483647",
      "orders / PhotosPolicy: a statement of a bucket policy names the bucket with `arn()` or objects with `objects(..)`"
    ]
    "#);
}

#[test]
fn a_rule_for_pages_of_any_origin_says_all_that_browsers_ask() {
    let rules = property(dev(), "Photos", "CorsConfiguration", |stack| {
        stack.bucket(
            "Photos",
            BucketProps {
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
                    .into(),
                    max_age: Some(3000.into()),
                }],
                ..BucketProps::default()
            },
        );
    });
    assert_eq!(
        rules,
        serde_json::json!({"CorsRules": [{
            "AllowedHeaders": ["*"],
            "AllowedMethods": ["HEAD", "GET", "PUT", "POST", "DELETE"],
            "AllowedOrigins": ["*"],
            "ExposedHeaders": [
                "x-amz-server-side-encryption",
                "x-amz-request-id",
                "x-amz-id-2",
                "ETag",
            ],
            "MaxAge": 3000,
        }]})
    );
}

#[test]
fn a_bucket_kept_elsewhere_is_named_and_not_changed() {
    let statements = statements(dev(), |_| {
        BucketRef::existing("photos.example.com").statements(&[BucketOperation::Get])
    });
    assert_json_snapshot!(statements, @r#"
    [
      {
        "Action": "s3:GetObject",
        "Effect": "Allow",
        "Resource": {
          "Fn::Sub": "arn:${AWS::Partition}:s3:::photos.example.com/*"
        }
      }
    ]
    "#);
    let found = violations(dev(), |stack| {
        let bucket = BucketRef::existing("photos.example.com");
        stack.queue::<String>("Queue", stack_model::sqs::QueueProps::default());
        stack.bucket_policy(
            &bucket,
            [Statement::deny(["s3:PutObject"]).on(bucket.arn())],
        );
        stack.remove_property(&bucket, "BucketName");
    });
    assert_json_snapshot!(found, @r#"
    [
      "orders / photos.example.com: `photos.example.com` belongs to somebody else, and its policy can only be changed there",
      "orders / photos.example.com: `photos.example.com` is kept by somebody else, so no stack of this app can change it"
    ]
    "#);
}

#[test]
fn a_bucket_kept_elsewhere_is_in_a_region() {
    let template = template(dev(), |stack| {
        let here = BucketRef::existing("pages.example.com");
        let there = BucketRef::existing_in("eu-west-1", "pages.example.com");
        stack.output("Here", here.regional_domain_name());
        stack.output("There", there.regional_domain_name());
        stack.bucket("Photos", BucketProps::default());
    });
    let value = |output: &str| template["Outputs"][output]["Value"]["Fn::Sub"].as_str();
    assert_eq!(
        value("Here"),
        Some("pages.example.com.s3.${AWS::Region}.${AWS::URLSuffix}")
    );
    assert_eq!(
        value("There"),
        Some("pages.example.com.s3.eu-west-1.${AWS::URLSuffix}")
    );
}
