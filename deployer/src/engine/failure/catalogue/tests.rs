//! Every entry against the text that its source shows, or that AWS is seen to send for it.

use std::collections::BTreeSet;

use super::{Entry, entries, find, matching};

/// A part of the title, the resource type, and the reason.
const TEXTS: &[(&str, &str, &str)] = &[
    (
        "name of the bucket is taken",
        "AWS::S3::Bucket",
        "Resource of type 'AWS::S3::Bucket' with identifier 'test-early-validation-20251218181322-1' already exists.",
    ),
    (
        "log group is there already",
        "AWS::Logs::LogGroup",
        r#"Resource handler returned message: "Resource of type 'AWS::Logs::LogGroup' with identifier '{"/properties/LogGroupName":"xxx"}' already exists." (RequestToken: 258db5a1-23c6-5e4b-4d23-7a469fc2de96, HandlerErrorCode: AlreadyExists)"#,
    ),
    (
        "taken by a resource outside of the stack",
        "AWS::Lambda::Function",
        "Resource of type 'AWS::Lambda::Function' with identifier 'my-lambda-function' already exists.",
    ),
    (
        "belongs to another stack",
        "AWS::Logs::LogGroup",
        "/aws/lambda/development-get-stat already exists in stack arn:aws:cloudformation:us-east-1:1:stack/alertgraph-development/1",
    ),
    (
        "deleted a moment ago",
        "AWS::SQS::Queue",
        r#"Resource handler returned message: "You must wait 60 seconds after deleting a queue before you can create another with the same name. (Service: Sqs, Status Code: 400, Request ID: 7503e9ea)" (RequestToken: 1, HandlerErrorCode: Throttling)"#,
    ),
    (
        "deleted secret",
        "Custom::EC2-Key-Pair",
        "Failed to create resource. You can't create this secret because a secret with this name is already scheduled for deletion.",
    ),
    (
        "fixed name would be replaced",
        "AWS::EMR::SecurityConfiguration",
        "CloudFormation cannot update a stack when a custom-named resource requires replacing. Rename dev_emr_cluster_security_configuration and update the stack again.",
    ),
    (
        "exports under that name",
        "AWS::CloudFormation::Stack",
        "Export with name PostUserTable:Name is already exported by stack amplify-api-PostUserTable. Rollback requested by user.",
    ),
    (
        "imports what would go",
        "AWS::CloudFormation::Stack",
        "Export foo-ci-docker-vpc-EcsCluster cannot be deleted as it is in use by foo-ci-docker-events",
    ),
    (
        "imports what would go",
        "AWS::CloudFormation::Stack",
        "Delete canceled. Cannot delete export dev-vpc-stack:ExportsOutputFnGetAtt480918FACidrBlock07D1D2D0 as it is in use by dev-eks-cluster",
    ),
    (
        "not exported",
        "AWS::CloudFormation::Stack",
        "No export named example-vpc-dev-PublicSubnet2ID found",
    ),
    (
        "another API has that path",
        "AWS::ApiGateway::BasePathMapping",
        "Base path already exists for this domain name (Service: AmazonApiGateway; Status Code: 409; Error Code: ConflictException; Request ID: 79b05492-4cd1-4575-aa20-f5fa34e186f9)",
    ),
    (
        "mapping without a base path",
        "AWS::ApiGateway::BasePathMapping",
        "Only one base path mapping is allowed if the base path is empty. (Service: AmazonApiGateway; Status Code: 409; Error Code: ConflictException; Request ID: e2877d5c; Proxy: null)",
    ),
    (
        "domain prefix",
        "AWS::Cognito::UserPoolDomain",
        "Domain already associated with another user pool. (Service: AWSCognitoIdentityProviderService; Status Code: 400; Error Code: InvalidParameterException; Request ID: c3d74165; Proxy: null)",
    ),
    (
        "another distribution serves",
        "AWS::CloudFront::Distribution",
        r#"Resource handler returned message: "Invalid request provided: One or more of the CNAMEs you provided are already associated with a different resource. (Service: CloudFront, Status Code: 409, Request ID: 04c3eb61)""#,
    ),
    (
        "DNS record",
        "AWS::Route53::RecordSet",
        "[Tried to create resource record set [name='www.example.com.', type='A'] but it already exists]",
    ),
    (
        "reads from that source already",
        "AWS::Lambda::EventSourceMapping",
        "The event source arn (arn:aws:kinesis:us-east-1:1:stream/events) and function (hndlr-dev) provided mapping already exists. Please update or delete the existing mapping with UUID 106257e3-ec6a-4fb2-af2d-f26f163a603d",
    ),
    (
        "cannot assume the role",
        "AWS::Lambda::Function",
        r#"Resource handler returned message: "The role defined for the function cannot be assumed by Lambda. (Service: Lambda, Status Code: 400, Request ID: b3ca3772, Extended Request ID: null)""#,
    ),
    (
        "no concurrency left",
        "AWS::Lambda::Function",
        r#"Resource handler returned message: "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [50]. (Service: Lambda, Status Code: 400, Request ID: b26c3792)" (RequestToken: 0800020a, HandlerErrorCode: InvalidRequest)"#,
    ),
    (
        "code of the function is not in the bucket",
        "AWS::Lambda::Function",
        r#"Resource handler returned message: "Error occurred while GetObject. S3 Error Code: NoSuchKey. S3 Error Message: The specified key does not exist. (Service: Lambda, Status Code: 400, Request ID: ad9bb8d6)" (RequestToken: fe23dc9c, HandlerErrorCode: InvalidRequest)"#,
    ),
    (
        "code of the function is in another region",
        "AWS::Lambda::Function",
        r#"Resource handler returned message: "Error occurred while GetObject. S3 Error Code: PermanentRedirect. S3 Error Message: The bucket is in this region: us-east-1. Please use this region to retry the request (Service: Lambda, Status Code: 400, Request ID: 61242b39, Extended Request ID: null)" (RequestToken: 5f8b59fa, HandlerErrorCode: InvalidRequest)"#,
    ),
    (
        "function is too large",
        "AWS::Lambda::Function",
        r#"Resource handler returned message: "Unzipped size must be smaller than 262144000 bytes (Service: Lambda, Status Code: 400, Request ID: 69b4c29e, Extended Request ID: null)" (RequestToken: 282abe5b, HandlerErrorCode: InvalidRequest)"#,
    ),
    (
        "before the function is done",
        "AWS::Lambda::EventSourceMapping",
        r#"Resource handler returned message: "Invalid request provided: Queue visibility timeout: 30 seconds is less than Function timeout: 120 seconds (Service: Lambda, Status Code: 400, Request ID: 14ed7a5c)" (RequestToken: cabb6d1e, HandlerErrorCode: InvalidRequest)"#,
    ),
    (
        "may not read from its source",
        "AWS::Lambda::EventSourceMapping",
        "The provided execution role does not have permissions to call ReceiveMessage on SQS (Service: AWSLambda; Status Code: 400; Error Code: InvalidParameterValueException; Request ID: 19af6e68)",
    ),
    (
        "may not enter its network",
        "AWS::Lambda::Function",
        r#"Resource handler returned message: "The provided execution role does not have permissions to call CreateNetworkInterface on EC2 (Service: Lambda, Status Code: 400, Request ID: b8d705e6, Extended Request ID: null)" (RequestToken: 457b169c, HandlerErrorCode: InvalidRequest)"#,
    ),
    (
        "name that Lambda keeps",
        "AWS::Lambda::Function",
        r#"Resource handler returned message: "Lambda was unable to configure your environment variables because the environment variables you have provided contains reserved keys that are currently not supported for modification. Reserved keys used in this request: AWS_DEFAULT_REGION"#,
    ),
    (
        "environment variables are too large",
        "AWS::Lambda::Function",
        r#"Resource handler returned message: "Lambda was unable to configure your environment variables because the environment variables you have provided exceeded the 4KB limit. Measured size: 4232 bytes (Service: Lambda, Status Code: 400, Request ID: a433f547) (SDK Attempt Count: 1)" (RequestToken: fb908823, HandlerErrorCode: InvalidRequest)"#,
    ),
    (
        "updating the function",
        "AWS::Lambda::Function",
        "The operation cannot be performed at this time. An update is in progress for resource: arn:aws:lambda:us-east-1:1:function:f",
    ),
    (
        "copies of the function",
        "AWS::Lambda::Function",
        r#"Resource handler returned message: "Lambda was unable to delete arn:aws:lambda:us-east-1:1:function:f:1 because it is a replicated function. Please see our documentation for Deleting Lambda@Edge Functions and Replicas. (Service: Lambda, Status Code: 400, Request ID: 58deb957, Extended Request ID: null)" (RequestToken: 9af66a2e, HandlerErrorCode: InvalidRequest)"#,
    ),
    (
        "keeps too much code",
        "AWS::Lambda::Function",
        "Code storage limit exceeded. (Service: AWSLambdaInternal; Status Code: 400; Error Code: CodeStorageExceededException; Request ID: 1)",
    ),
    (
        "may not write logs in this region",
        "AWS::ApiGateway::Stage",
        r#"Resource handler returned message: "CloudWatch Logs role ARN must be set in account settings to enable logging (Service: ApiGateway, Status Code: 400, Request ID: REDACTED) (SDK Attempt Count: 1)" (RequestToken: REDACTED, HandlerErrorCode: InvalidRequest)"#,
    ),
    (
        "before it had a method",
        "AWS::ApiGateway::Deployment",
        r#"Resource handler returned message: "The REST API doesn't contain any methods (Service: ApiGateway, Status Code: 400, Request ID: 1)""#,
    ),
    (
        "stage still serves",
        "AWS::ApiGateway::Deployment",
        "Active stages pointing to this deployment must be moved or deleted",
    ),
    (
        "API Gateway was asked too much",
        "AWS::ApiGateway::Resource",
        "Too Many Requests (Service: ApiGateway, Status Code: 429, Request ID: XXXXXX, Extended Request ID: null)",
    ),
    (
        "resource policy of CloudWatch Logs is full",
        "AWS::ApiGatewayV2::Stage",
        "Cannot enable logging. Policy document length breaking Cloudwatch Logs Constraints, either < 1 or > 5120 (Service: AmazonApiGatewayV2; Status Code: 400; Error Code: BadRequestException; Request ID: 60e2fc0c; Proxy: null)",
    ),
    (
        "no room for the state machine",
        "AWS::StepFunctions::StateMachine",
        r#"Resource handler returned message: "Invalid Logging Configuration: The CloudWatch Logs Resource Policy size was exceeded. We suggest prefixing your CloudWatch log group name with /aws/vendedlogs/states/. (Service: AWSStepFunctions; Status Code: 400; Error Code: InvalidLoggingConfiguration; Request ID: 11e1fbc6; Proxy: null)" (RequestToken: c7058b8c, HandlerErrorCode: InvalidRequest)"#,
    ),
    (
        "cannot use the certificate",
        "AWS::CloudFront::Distribution",
        "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a valid certificate chain. (Service: AmazonCloudFront; Status Code: 400; Error Code: InvalidViewerCertificate; Request ID: 31551d3c; Proxy: null)",
    ),
    (
        "does not let Amazon issue",
        "AWS::CertificateManager::Certificate",
        r#"The status of this certificate request is "Failed". One or more domain names have failed validation due to a Certificate Authority Authentication error."#,
    ),
    (
        "may not write its log",
        "AWS::StepFunctions::StateMachine",
        r#"Resource handler returned message: "The state machine IAM Role is not authorized to access the Log Destination (Service: AWSStepFunctions; Status Code: 400; Error Code: AccessDeniedException; Request ID: 3dde30f8; Proxy: null)" (RequestToken: 43782337, HandlerErrorCode: AccessDenied)"#,
    ),
    (
        "may not invoke the function",
        "AWS::Logs::SubscriptionFilter",
        r#"Resource handler returned message: "Could not execute the lambda function. Make sure you have given CloudWatch Logs permission to execute your function. (Service: CloudWatchLogs, Status Code: 400, Request ID: ***)" (RequestToken: ***, HandlerErrorCode: InternalFailure)"#,
    ),
    (
        "several indexes",
        "AWS::DynamoDB::Table",
        r#"Resource handler returned message: "Cannot perform more than one GSI creation or deletion in a single update" (RequestToken: a993b865, HandlerErrorCode: InvalidRequest)"#,
    ),
    (
        "attributes that are no keys",
        "AWS::DynamoDB::Table",
        "Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions",
    ),
    (
        "table is protected",
        "AWS::DynamoDB::Table",
        "Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first",
    ),
    (
        "too many tables",
        "AWS::DynamoDB::Table",
        "Subscriber limit exceeded: Only 10 tables can be created, updated, or deleted simultaneously (Service: AmazonDynamoDBv2; Status Code: 400; Error Code: LimitExceededException",
    ),
    (
        "holds objects",
        "AWS::S3::Bucket",
        "The bucket you tried to delete is not empty (Service: Amazon S3; Status Code: 409; Error Code: BucketNotEmpty; Request ID: 13B5WKE8TCT9VS8K; Proxy: null)",
    ),
    (
        "may not notify its destination",
        "AWS::S3::Bucket",
        "Unable to validate the following destination configurations (Service: Amazon S3; Status Code: 400; Error Code: InvalidArgument; Request ID: 6CYB6R5W6P0HJ0D9; Proxy: null)",
    ),
    (
        "refuses the policy of the bucket",
        "AWS::S3::BucketPolicy",
        r#"Resource handler returned message: "Access Denied (Service: S3, Status Code: 403, Request ID:XXX, Extended Request ID: XXX" (RequestToken: XXXX, HandlerErrorCode: AccessDenied)"#,
    ),
    (
        "takes no ACLs",
        "AWS::S3::Bucket",
        "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting (Service: Amazon S3; Status Code: 400; Error Code: InvalidBucketAclWithObjectOwnership; Request ID: P93EQDAT9W9CQ1Q9; Proxy: null)",
    ),
    (
        "still busy with the bucket",
        "AWS::S3::BucketPolicy",
        r#"Resource handler returned message: "A conflicting conditional operation is currently in progress against this resource. Please try again. (Service: S3, Status Code: 409, Request ID: <REDACTED>, Extended Request ID: <REDACTED>)" (RequestToken: <REDACTED>, HandlerErrorCode: GeneralServiceException)"#,
    ),
    (
        "definition of the state machine",
        "AWS::StepFunctions::StateMachine",
        r#"Resource handler returned message: "Invalid State Machine Definition: 'MISSING_TRANSITION_TARGET: State "Unreachable pass" is not reachable. at /States/Unreachable pass' (Service: Sfn, Status Code: 400)""#,
    ),
    (
        "hand a role to a service",
        "AWS::CodePipeline::Pipeline",
        "API: cloudFormation User: arn:aws:sts::1:assumed-role/sdlf-cicd-team-engineering/AWSCloudFormation is not authorized to perform: iam:PassRole on resource: arn:aws:iam::1:role/sdlf-cicd-team-engineering because no identity-based policy allows the iam:PassRole action",
    ),
    (
        "denies the deploy an action",
        "AWS::IAM::Role",
        "API: iam:CreateRole User: arn:aws:sts::1:assumed-role/Owner/me is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::1:role/analyzerRole-30U2WSAK4KID with an explicit deny",
    ),
    (
        "may not do what it needs to",
        "AWS::IAM::Role",
        "API: iam:CreateRole User: arn:aws:sts::1:assumed-role/CodeStarWorker-test-CloudFormation/AWSCloudFormation is not authorized to perform: iam:CreateRole on resource: arn:aws:iam::1:role/awscodestar-test-lambda-helloWorldRole-V5QUHYDCDRBA",
    ),
    (
        "may not do what it needs to",
        "AWS::S3::Bucket",
        "API: s3:PutPublicAccessBlock Access Denied",
    ),
    (
        "somebody who does not exist",
        "AWS::IAM::Role",
        r#"Resource handler returned message: "Invalid principal in policy: "AWS":"arn:aws::iam::<redacted>:root" (Service: Iam, Status Code: 400, Request ID: <redacted>) (SDK Attempt Count: 1)" (RequestToken: <redacted>, HandlerErrorCode: InvalidRequest)"#,
    ),
    (
        "own policies are too large",
        "AWS::IAM::Policy",
        "Maximum policy size of 10240 bytes exceeded for role xxx-CodeBuildRole (Service: AmazonIdentityManagement; Status Code: 409; Error Code: LimitExceeded; Request ID: 1)",
    ),
    (
        "managed policy is too large",
        "AWS::IAM::ManagedPolicy",
        r#"Resource handler returned message: "Cannot exceed quota for PolicySize: 6144 (Service: Iam, Status Code: 409, Request ID: <id>)" (RequestToken: <token>, HandlerErrorCode: ServiceLimitExceeded)"#,
    ),
    (
        "quota of IAM",
        "AWS::IAM::Role",
        "LimitExceeded: Cannot exceed quota for RolesPerAccount: 1000",
    ),
    (
        "attached policies to the role by hand",
        "AWS::IAM::Role",
        "Cannot delete entity, must detach all policies first. (Service: AmazonIdentityManagement; Status Code: 409; Error Code: DeleteConflict; Request ID: 4f90bba5; Proxy: null)",
    ),
    (
        "lock everybody out",
        "AWS::KMS::Key",
        r#"Resource handler returned message: "The new key policy will not allow you to update the key policy in the future. (Service: Kms, Status Code: 400, Request ID: <REDACTED>) (SDK Attempt Count: 1)" (RequestToken: <REDACTED>, HandlerErrorCode: InvalidRequest)"#,
    ),
    (
        "credentials expired",
        "AWS::Lambda::Function",
        "api error ExpiredToken: The security token included in the request is expired",
    ),
    (
        "needs a capability",
        "",
        "Requires capabilities : [CAPABILITY_NAMED_IAM]",
    ),
    (
        "AWS was asked too much at once",
        "AWS::Lambda::EventSourceMapping",
        "Rate exceeded for operation 'Rate exceeded (Service: Lambda, Status Code: 429, Request ID: 2d5768a1, Extended Request ID: null)'.",
    ),
    (
        "quota of the account is used up",
        "AWS::Logs::SubscriptionFilter",
        "Resource limit exceeded. (Service: AWSLogs; Status Code: 400; Error Code: LimitExceededException; Request ID: 7f91c669)",
    ),
    (
        "resources need each other",
        "",
        "Circular dependency between resources: [MyHttpApiApiGatewayDefaultStage, MyHttpApi, MyHttpApiRole]",
    ),
    (
        "found beforehand",
        "",
        "The following hook(s)/validation failed: [AWS::EarlyValidation::ResourceExistenceCheck]. To troubleshoot Early Validation errors, use the DescribeEvents API for detailed failure information.",
    ),
    (
        "not ready in time",
        "AWS::CodePipeline::Webhook",
        r#"Resource handler returned message: "Exceeded attempts to wait" (RequestToken: 34894148-5a50-f236-994f-d42e72f8eec0, HandlerErrorCode: NotStabilized)"#,
    ),
    (
        "did not come to rest",
        "AWS::S3::Bucket",
        "Bucket mythicalmysfitsstreamings-clicksdestinationbucket-1nz7d080seuj did not stabilize",
    ),
    (
        "did not answer",
        "Custom::Vpc",
        "CloudFormation did not receive a response from your Custom Resource. Please check your logs for requestId [1]. If you are using the Python cfn-response module, you may need to update your Lambda function code so that CloudFormation can attach the updated version.",
    ),
    (
        "within its time",
        "AWS::CloudFormation::CustomResource",
        "Custom Resource failed to stabilize in expected time",
    ),
    (
        "function of a custom resource failed",
        "Custom::InitFunction",
        "Received response status [FAILED] from custom resource. Message returned: See the details in CloudWatch Log Stream: 2021/11/24/[$LATEST]9eb97a77 (RequestId: a27e899d)",
    ),
    (
        "function of a custom resource failed",
        "Custom::SSTEdgeLambdaVersion",
        "Received response status [FAILED] from custom resource. Message returned: The operation cannot be performed at this time. An update is in progress for resource: arn:aws:lambda:us-east-1:1:function:f",
    ),
    (
        "parameter of Parameter Store",
        "",
        "Parameters: [ssm:/xxxx/blueprintId] cannot be found.",
    ),
    (
        "AWS failed by itself",
        "AWS::CertificateManager::Certificate",
        r#"Resource handler returned message: "Connection pool shut down" (HandlerErrorCode: InternalFailure)"#,
    ),
    (
        "template is too large",
        "",
        "Template may not exceed 1000000 bytes in size.",
    ),
];

#[test]
fn every_text_is_known_by_one_entry() {
    for (title, resource_type, reason) in TEXTS {
        let titles: Vec<_> = matching(resource_type, reason)
            .map(|entry| entry.title)
            .collect();
        let [found] = titles.as_slice() else {
            panic!("{resource_type}: {reason}\nis known by {titles:?}");
        };
        assert!(found.contains(title), "{reason}\nis taken for: {found}");
    }
}

#[test]
fn every_entry_has_a_text_and_a_source() {
    let key = |entry: &Entry| (entry.title, entry.remedy);
    let tested: BTreeSet<_> = TEXTS
        .iter()
        .flat_map(|(_, resource_type, reason)| matching(resource_type, reason))
        .map(key)
        .collect();
    for entry in entries() {
        assert!(tested.contains(&key(entry)), "no text for {}", entry.title);
        assert!(entry.source.starts_with("https://"), "{}", entry.title);
        for part in entry.reason.iter().chain(entry.unless) {
            assert_eq!(*part, part.to_lowercase(), "would never match");
        }
        for fragment in [entry.title, entry.remedy] {
            assert!(!fragment.ends_with('.'), "{fragment}");
        }
    }
    assert!(entries().count() >= 50);
}

#[test]
fn what_is_not_known_is_nothing() {
    assert_eq!(find("AWS::IAM::Role", "something new"), None);
    assert_eq!(find("", ""), None);
}
