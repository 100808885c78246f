//! The types that belong to another resource, and those that are kept to no resource at all.

use super::{Row, row};

/// What is made, changed and removed in the place of what it belongs to.
const fn within(kind: &'static str, place: &'static str, actions: [&'static str; 3]) -> Row {
    row(kind, place, place, actions)
}

pub(super) const ROWS: &[Row] = &[
    row(
        "AWS::ApiGateway::Authorizer",
        "apigateway:{r}::/restapis/{>RestApiId}/authorizers",
        "apigateway:{r}::/restapis/{>RestApiId}/authorizers/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGateway::BasePathMapping",
        "apigateway:{r}::/domainnames/{>DomainName}/basepathmappings",
        "apigateway:{r}::/domainnames/{>DomainName}/basepathmappings/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGateway::Deployment",
        "apigateway:{r}::/restapis/{>RestApiId}/deployments",
        "apigateway:{r}::/restapis/{>RestApiId}/deployments/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    within(
        "AWS::ApiGateway::GatewayResponse",
        "apigateway:{r}::/restapis/{>RestApiId}/gatewayresponses/{>ResponseType}",
        ["PUT", "PUT", "DELETE"],
    ),
    within(
        "AWS::ApiGateway::Method",
        "apigateway:{r}::/restapis/{>RestApiId}/resources/{>ResourceId}/methods/{>HttpMethod}",
        ["PUT", "PUT", "DELETE"],
    ),
    row(
        "AWS::ApiGateway::Model",
        "apigateway:{r}::/restapis/{>RestApiId}/models",
        "apigateway:{r}::/restapis/{>RestApiId}/models/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGateway::RequestValidator",
        "apigateway:{r}::/restapis/{>RestApiId}/requestvalidators",
        "apigateway:{r}::/restapis/{>RestApiId}/requestvalidators/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGateway::Resource",
        "apigateway:{r}::/restapis/{>RestApiId}/resources/{>ParentId}",
        "apigateway:{r}::/restapis/{>RestApiId}/resources/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGateway::Stage",
        "apigateway:{r}::/restapis/{>RestApiId}/stages",
        "apigateway:{r}::/restapis/{>RestApiId}/stages/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGateway::UsagePlanKey",
        "apigateway:{r}::/usageplans/{>UsagePlanId}/keys",
        "apigateway:{r}::/usageplans/{>UsagePlanId}/keys/{>KeyId}",
        ["POST", "", "DELETE"],
    ),
    row(
        "AWS::ApiGatewayV2::ApiMapping",
        "apigateway:{r}::/domainnames/{>DomainName}/apimappings",
        "apigateway:{r}::/domainnames/{>DomainName}/apimappings/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGatewayV2::Authorizer",
        "apigateway:{r}::/apis/{>ApiId}/authorizers",
        "apigateway:{r}::/apis/{>ApiId}/authorizers/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGatewayV2::Integration",
        "apigateway:{r}::/apis/{>ApiId}/integrations",
        "apigateway:{r}::/apis/{>ApiId}/integrations/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGatewayV2::Route",
        "apigateway:{r}::/apis/{>ApiId}/routes",
        "apigateway:{r}::/apis/{>ApiId}/routes/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGatewayV2::RouteResponse",
        "apigateway:{r}::/apis/{>ApiId}/routes/{>RouteId}/routeresponses",
        "apigateway:{r}::/apis/{>ApiId}/routes/{>RouteId}/routeresponses/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    row(
        "AWS::ApiGatewayV2::Stage",
        "apigateway:{r}::/apis/{>ApiId}/stages",
        "apigateway:{r}::/apis/{>ApiId}/stages/{}",
        ["POST", "PATCH", "DELETE"],
    ),
    within(
        "AWS::CloudFormation::CustomResource",
        "lambda:{r}:{a}:function:{>ServiceToken}",
        ["InvokeFunction", "InvokeFunction", "InvokeFunction"],
    ),
    within(
        "AWS::Cognito::IdentityPoolPrincipalTag",
        "cognito-identity:*",
        [
            "SetPrincipalTagAttributeMap",
            "SetPrincipalTagAttributeMap",
            "",
        ],
    ),
    within(
        "AWS::Cognito::IdentityPoolRoleAttachment",
        "cognito-identity:*",
        ["SetIdentityPoolRoles", "SetIdentityPoolRoles", ""],
    ),
    within(
        "AWS::Cognito::UserPoolClient",
        "cognito-idp:{r}:{a}:userpool/{>UserPoolId}",
        [
            "CreateUserPoolClient",
            "UpdateUserPoolClient",
            "DeleteUserPoolClient",
        ],
    ),
    within(
        "AWS::Cognito::UserPoolDomain",
        "cognito-idp:{r}:{a}:userpool/{>UserPoolId}",
        [
            "CreateUserPoolDomain",
            "UpdateUserPoolDomain",
            "DeleteUserPoolDomain",
        ],
    ),
    within(
        "AWS::Cognito::UserPoolGroup",
        "cognito-idp:{r}:{a}:userpool/{>UserPoolId}",
        ["CreateGroup", "UpdateGroup", "DeleteGroup"],
    ),
    within(
        "AWS::Cognito::UserPoolIdentityProvider",
        "cognito-idp:{r}:{a}:userpool/{>UserPoolId}",
        [
            "CreateIdentityProvider",
            "UpdateIdentityProvider",
            "DeleteIdentityProvider",
        ],
    ),
    within(
        "AWS::Events::EventBusPolicy",
        "events:*",
        ["PutPermission", "PutPermission", "RemovePermission"],
    ),
    within(
        "AWS::IAM::Policy",
        "iam::{a}:role/{>Roles}",
        ["PutRolePolicy", "PutRolePolicy", "DeleteRolePolicy"],
    ),
    within(
        "AWS::KMS::Alias",
        "kms:{r}:{a}:{>AliasName}",
        ["CreateAlias", "UpdateAlias", "DeleteAlias"],
    ),
    within(
        "AWS::Lambda::Alias",
        "lambda:{r}:{a}:function:{>FunctionName}",
        ["CreateAlias", "UpdateAlias", "DeleteAlias"],
    ),
    within(
        "AWS::Lambda::EventInvokeConfig",
        "lambda:{r}:{a}:function:{>FunctionName}",
        [
            "PutFunctionEventInvokeConfig",
            "UpdateFunctionEventInvokeConfig",
            "DeleteFunctionEventInvokeConfig",
        ],
    ),
    within(
        "AWS::Lambda::Permission",
        "lambda:{r}:{a}:function:{>FunctionName}",
        ["AddPermission", "", "RemovePermission"],
    ),
    within(
        "AWS::Lambda::Url",
        "lambda:{r}:{a}:function:{>TargetFunctionArn}",
        [
            "CreateFunctionUrlConfig",
            "UpdateFunctionUrlConfig",
            "DeleteFunctionUrlConfig",
        ],
    ),
    within(
        "AWS::Lambda::Version",
        "lambda:{r}:{a}:function:{>FunctionName}",
        ["PublishVersion", "", "DeleteFunction"],
    ),
    row(
        "AWS::Logs::Delivery",
        "logs:{r}:{a}:delivery-source:{>DeliverySourceName}",
        "logs:{r}:{a}:delivery:{}",
        [
            "CreateDelivery",
            "UpdateDeliveryConfiguration",
            "DeleteDelivery",
        ],
    ),
    within(
        "AWS::Logs::MetricFilter",
        "logs:{r}:{a}:log-group:{>LogGroupName}:*",
        ["PutMetricFilter", "PutMetricFilter", "DeleteMetricFilter"],
    ),
    within(
        "AWS::Logs::QueryDefinition",
        "logs:*",
        [
            "PutQueryDefinition",
            "PutQueryDefinition",
            "DeleteQueryDefinition",
        ],
    ),
    within(
        "AWS::Logs::ResourcePolicy",
        "logs:*",
        [
            "PutResourcePolicy",
            "PutResourcePolicy",
            "DeleteResourcePolicy",
        ],
    ),
    within(
        "AWS::Route53::RecordSet",
        "route53:::hostedzone/{>HostedZoneId}",
        [
            "ChangeResourceRecordSets",
            "ChangeResourceRecordSets",
            "ChangeResourceRecordSets",
        ],
    ),
    within(
        "AWS::S3::BucketPolicy",
        "s3:::{>Bucket}",
        ["PutBucketPolicy", "PutBucketPolicy", "DeleteBucketPolicy"],
    ),
    within(
        "AWS::SNS::Subscription",
        "sns:{r}:{a}:{>TopicArn}",
        ["Subscribe", "SetSubscriptionAttributes", "Unsubscribe"],
    ),
    within(
        "AWS::SNS::TopicPolicy",
        "sns:{r}:{a}:{>Topics}",
        [
            "SetTopicAttributes",
            "SetTopicAttributes",
            "SetTopicAttributes",
        ],
    ),
    within(
        "AWS::SQS::QueueInlinePolicy",
        "sqs:{r}:{a}:{>Queue}",
        [
            "SetQueueAttributes",
            "SetQueueAttributes",
            "SetQueueAttributes",
        ],
    ),
    within(
        "AWS::SQS::QueuePolicy",
        "sqs:{r}:{a}:{>Queues}",
        [
            "SetQueueAttributes",
            "SetQueueAttributes",
            "SetQueueAttributes",
        ],
    ),
    within(
        "AWS::WAFv2::WebACLAssociation",
        "wafv2:{r}:{a}:regional/webacl/{>WebACLArn}",
        ["AssociateWebACL", "", ""],
    ),
];
