#[path = "../build/names.rs"]
mod generator;

use generator::{fields, snake};

#[test]
fn properties_become_fields() {
    for (property, field) in [
        ("QueueName", "queue_name"),
        (
            "KmsDataKeyReusePeriodSeconds",
            "kms_data_key_reuse_period_seconds",
        ),
        ("SSESpecification", "sse_specification"),
        ("KMSMasterKeyId", "kms_master_key_id"),
        ("SubnetIDs", "subnet_ids"),
        ("TargetARNs", "target_arns"),
        ("ARNs", "arns"),
        ("IPv6CidrBlock", "ipv6_cidr_block"),
        ("AssignIpv6Address", "assign_ipv6_address"),
        ("AllowedOAuthFlows", "allowed_oauth_flows"),
        ("S3Bucket", "s3_bucket"),
        ("MD5OfBody", "md5_of_body"),
        ("HTTPStatus", "http_status"),
        ("Type", "type_"),
        ("Ref", "ref_"),
        ("deadLetterTargetArn", "dead_letter_target_arn"),
        ("x-amazon", "x_amazon"),
        ("2xx", "n2xx"),
    ] {
        assert_eq!(snake(property), field);
    }
}

#[test]
fn fields_of_one_name_are_numbered() {
    assert_eq!(
        fields(["Ipv6", "IPv6", "Other"].into_iter()),
        ["ipv6", "ipv6_2", "other"]
    );
}
