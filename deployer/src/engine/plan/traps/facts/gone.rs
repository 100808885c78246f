//! What is gone for good with a resource.

/// What goes with a resource.
pub(in super::super) struct Gone {
    pub(in super::super) resource_type: &'static str,
    pub(in super::super) says: &'static str,
    pub(in super::super) source: &'static str,
}

/// What more than itself is gone with a resource that is deleted or replaced.
pub(in super::super) const GONE: &[Gone] = &[
    Gone {
        resource_type: "AWS::ApiGateway::ApiKey",
        says: "the value of the key goes with it, unless another one is given the same",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-apikey.html",
    },
    Gone {
        resource_type: "AWS::ApiGateway::RestApi",
        says: "its address goes with it: a new API has another id",
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/how-to-call-api.html",
    },
    Gone {
        resource_type: "AWS::ApiGatewayV2::Api",
        says: "its address goes with it: a new API has another id",
        source: "https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-publish.html",
    },
    Gone {
        resource_type: "AWS::AppSync::GraphQLApi",
        says: "its address goes with it: a new API has another one",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-appsync-graphqlapi.html",
    },
    Gone {
        resource_type: "AWS::CloudFront::Distribution",
        says: "its address goes with it: a new distribution has another domain name",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudfront-distribution.html",
    },
    Gone {
        resource_type: "AWS::Cognito::UserPool",
        says: "its users go with it, and cannot sign in to another pool",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html",
    },
    Gone {
        resource_type: "AWS::Cognito::UserPoolClient",
        says: "its client id goes with it: apps that know it cannot sign anybody in",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolclient.html",
    },
    Gone {
        resource_type: "AWS::Cognito::UserPoolDomain",
        says: "the address of the sign-in pages goes with it",
        source: "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-assign-domain.html",
    },
    Gone {
        resource_type: "AWS::KMS::Key",
        says: "what it encrypts can never be read again once the key is deleted",
        source: "https://docs.aws.amazon.com/kms/latest/developerguide/deleting-keys.html",
    },
    Gone {
        resource_type: "AWS::Lambda::Url",
        says: "its address goes with it: a new URL has another id",
        source: "https://docs.aws.amazon.com/lambda/latest/dg/urls-configuration.html",
    },
    Gone {
        resource_type: "AWS::Route53::HostedZone",
        says: "its name servers go with it: the domain is not found until it is delegated anew",
        source: "https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DeleteHostedZone.html",
    },
    Gone {
        resource_type: "AWS::StepFunctions::StateMachine",
        says: "its running executions end with it",
        source: "https://docs.aws.amazon.com/step-functions/latest/apireference/API_DeleteStateMachine.html",
    },
];
