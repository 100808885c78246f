//! Tables, buckets, and definitions that a service refuses.

use super::Entry;

pub(super) const ENTRIES: &[Entry] = &[
    Entry {
        resource_type: "AWS::DynamoDB::",
        reason: &["more than one gsi"],
        unless: &[],
        title: "several indexes of a table would change at once",
        remedy: "DynamoDB adds or removes one index per update: deploy them one after the other",
        source: "https://github.com/aws-amplify/amplify-cli/issues/12826",
    },
    Entry {
        resource_type: "AWS::DynamoDB::",
        reason: &[
            "keyschema does not exactly match number of attributes defined in attributedefinitions",
        ],
        unless: &[],
        title: "the table defines attributes that are no keys",
        remedy: "define those attributes only that the keys of the table and its indexes name; an item type does so by itself",
        source: "https://github.com/pulumi/pulumi-aws-native/issues/729",
    },
    Entry {
        resource_type: "",
        reason: &["currently protected against deletion"],
        unless: &[],
        title: "the table is protected against deletion",
        remedy: "turn deletion protection of the table off and deploy that first, or retain the table",
        source: "https://github.com/aws-bench/aws-bench/pull/41",
    },
    Entry {
        resource_type: "AWS::DynamoDB::",
        reason: &["subscriber limit exceeded"],
        unless: &[],
        title: "too many tables change at once",
        remedy: "deploy again: what is done already stays, and fewer tables are left to change",
        source: "https://github.com/serverless/serverless/issues/2622",
    },
    Entry {
        resource_type: "AWS::S3::Bucket",
        reason: &["not empty"],
        unless: &[],
        title: "the bucket holds objects",
        remedy: "somebody wrote to the bucket while it was being deleted: stop the writers and run `stackctl destroy` again",
        source: "https://github.com/aws/aws-cdk/issues/21776",
    },
    Entry {
        resource_type: "AWS::S3::Bucket",
        reason: &["unable to validate the following destination configurations"],
        unless: &[],
        title: "the bucket may not notify its destination",
        remedy: "let the permission, or the policy of the queue or topic, come before the bucket, and leave the bucket's own ARN out of it where that makes a circle",
        source: "https://github.com/serverless/serverless/issues/10247",
    },
    Entry {
        resource_type: "AWS::S3::BucketPolicy",
        reason: &["denied"],
        unless: &["not authorized"],
        title: "S3 refuses the policy of the bucket",
        remedy: "a policy that lets everybody in is refused while public access is blocked, for the bucket or for the account: name who may, or serve the bucket through CloudFront",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/configuring-block-public-access-account.html",
    },
    Entry {
        resource_type: "AWS::S3::Bucket",
        reason: &["bucket cannot have acls set"],
        unless: &[],
        title: "the bucket takes no ACLs",
        remedy: "leave `AccessControl` out and use a bucket policy; for logs of old kinds, set the object ownership to `ObjectWriter`",
        source: "https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html",
    },
    Entry {
        resource_type: "",
        reason: &["conflicting conditional operation is currently in progress"],
        unless: &[],
        title: "S3 is still busy with the bucket",
        remedy: "deploy again in some minutes: a bucket of that name was deleted or changed a moment ago",
        source: "https://github.com/aws-cloudformation/cloudformation-coverage-roadmap/issues/1954",
    },
    Entry {
        resource_type: "",
        reason: &["invalid state machine definition"],
        unless: &[],
        title: "the definition of the state machine is wrong",
        remedy: "mend the state that the reason names; the definition is that of the template, with its substitutions filled in",
        source: "https://github.com/aws-cloudformation/cfn-lint/issues/4073",
    },
];
