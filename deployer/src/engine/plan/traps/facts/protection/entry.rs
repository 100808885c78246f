//! What keeps out whoever should not come in: sign-ins, callers, and what stands in front of an origin.

use serde_json::Value;

use super::{OLD_TLS, Protection, Unsaid, asks_for_tls};
use crate::engine::plan::traps::{is, is_on};

/// The page about what passwords have to be.
const PASSWORDS: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cognito-userpool-passwordpolicy.html";

const POOL: &str = "AWS::Cognito::UserPool";

/// The page about the protection of sign-ins that functions decide about.
const CUSTOM_FLOWS: &str = "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cognito-userpool-advancedsecurityadditionalflows.html";

/// What may happen where passwords may be simpler.
const SIMPLER: &str = "passwords that are easier to guess are taken";

const fn required(pointer: &'static str) -> Protection {
    Protection {
        resource_type: POOL,
        pointer,
        protects: is_on,
        unsaid: Unsaid::Either,
        without: SIMPLER,
        source: PASSWORDS,
    }
}

const fn header(pointer: &'static str, protects: fn(Option<&Value>) -> bool) -> Protection {
    Protection {
        resource_type: "AWS::CloudFront::ResponseHeadersPolicy",
        pointer,
        protects,
        unsaid: Unsaid::Read,
        without: "browsers allow what this header forbids",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudfront-responseheaderspolicy-securityheadersconfig.html",
    }
}

const fn secret(pointer: &'static str) -> Protection {
    Protection {
        resource_type: "AWS::Events::Connection",
        pointer,
        protects: |value| value.is_none() || is_on(value),
        unsaid: Unsaid::Read,
        without: "who may read the connection reads the value",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-events-connection-parameter.html",
    }
}

pub(super) const ROWS: &[Protection] = &[
    Protection {
        resource_type: "AWS::AppSync::GraphQLApi",
        pointer: "/IntrospectionConfig",
        protects: |value| is(value, "DISABLED"),
        unsaid: Unsaid::Read,
        without: "whoever calls it reads what its schema has",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-appsync-graphqlapi.html",
    },
    Protection {
        resource_type: "AWS::ApiGateway::DomainName",
        pointer: "/MutualTlsAuthentication",
        protects: |value| value.is_some(),
        unsaid: Unsaid::Read,
        without: "callers need no certificate any more",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-apigateway-domainname-mutualtlsauthentication.html",
    },
    Protection {
        resource_type: "AWS::ApiGateway::Stage",
        pointer: "/ClientCertificateId",
        protects: |value| value.is_some(),
        unsaid: Unsaid::Read,
        without: "what is behind the API can no longer tell who calls",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-stage.html",
    },
    Protection {
        resource_type: "AWS::ApiGatewayV2::DomainName",
        pointer: "/MutualTlsAuthentication",
        protects: |value| value.is_some(),
        unsaid: Unsaid::Read,
        without: "callers need no certificate any more",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigatewayv2-domainname.html",
    },
    Protection {
        resource_type: "AWS::CloudFront::OriginAccessControl",
        pointer: "/OriginAccessControlConfig/SigningBehavior",
        protects: |value| is(value, "always"),
        unsaid: Unsaid::Read,
        without: "requests reach the origin that CloudFront did not sign",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudfront-originaccesscontrol-originaccesscontrolconfig.html",
    },
    Protection {
        resource_type: "AWS::Cognito::IdentityPool",
        pointer: "/AllowClassicFlow",
        protects: |value| !is_on(value),
        unsaid: Unsaid::Read,
        without: "apps choose themselves as which role they act",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-identitypool.html",
    },
    Protection {
        resource_type: "AWS::Cognito::IdentityPool",
        pointer: "/CognitoIdentityProviders/*/ServerSideTokenCheck",
        protects: is_on,
        unsaid: Unsaid::Read,
        without: "who was signed out everywhere, or deleted, still gets credentials",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cognito-identitypool-cognitoidentityprovider.html",
    },
    Protection {
        resource_type: POOL,
        pointer: "/DeviceConfiguration/ChallengeRequiredOnNewDevice",
        protects: |value| !is_on(value),
        unsaid: Unsaid::Read,
        without: "a device that is remembered takes the place of the second factor",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cognito-userpool-deviceconfiguration.html",
    },
    required("/Policies/PasswordPolicy/RequireLowercase"),
    required("/Policies/PasswordPolicy/RequireNumbers"),
    required("/Policies/PasswordPolicy/RequireSymbols"),
    required("/Policies/PasswordPolicy/RequireUppercase"),
    Protection {
        resource_type: POOL,
        pointer: "/UserPoolAddOns/AdvancedSecurityMode",
        protects: |value| is(value, "AUDIT") || is(value, "ENFORCED"),
        unsaid: Unsaid::Read,
        without: "sign-ins that look stolen are not even recorded",
        source: "https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-threat-protection.html",
    },
    Protection {
        resource_type: POOL,
        pointer: "/UserPoolAddOns/AdvancedSecurityAdditionalFlows/CustomAuthMode",
        protects: |value| is(value, "ENFORCED"),
        unsaid: Unsaid::Read,
        without: "sign-ins by challenges of one's own that look stolen are let through",
        source: CUSTOM_FLOWS,
    },
    Protection {
        resource_type: POOL,
        pointer: "/UserPoolAddOns/AdvancedSecurityAdditionalFlows/CustomAuthMode",
        protects: |value| is(value, "AUDIT") || is(value, "ENFORCED"),
        unsaid: Unsaid::Read,
        without: "sign-ins by challenges of one's own that look stolen are not even recorded",
        source: CUSTOM_FLOWS,
    },
    Protection {
        resource_type: "AWS::Cognito::UserPoolClient",
        pointer: "/AnalyticsConfiguration/UserDataShared",
        protects: |value| !is_on(value),
        unsaid: Unsaid::Read,
        without: "the events that Pinpoint gets hold data of users",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cognito-userpoolclient-analyticsconfiguration.html",
    },
    Protection {
        resource_type: "AWS::Cognito::UserPoolClient",
        pointer: "/EnableTokenRevocation",
        protects: |value| value.is_none() || is_on(value),
        unsaid: Unsaid::Read,
        without: "a token that was stolen cannot be revoked",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolclient.html",
    },
    Protection {
        resource_type: "AWS::Cognito::UserPoolDomain",
        pointer: "/CustomDomainConfig/SecurityPolicy",
        protects: asks_for_tls,
        unsaid: Unsaid::Read,
        without: OLD_TLS,
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cognito-userpooldomain-customdomainconfigtype.html",
    },
    Protection {
        resource_type: "AWS::Lambda::CodeSigningConfig",
        pointer: "/CodeSigningPolicies/UntrustedArtifactOnDeployment",
        protects: |value| is(value, "Enforce"),
        unsaid: Unsaid::Read,
        without: "code is taken that nobody signed",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-codesigningconfig-codesigningpolicies.html",
    },
    Protection {
        resource_type: "AWS::Logs::LogGroup",
        pointer: "/BearerTokenAuthenticationEnabled",
        protects: |value| !is_on(value),
        unsaid: Unsaid::Read,
        without: "who holds a token writes to it, without a signature",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-logs-loggroup.html",
    },
    Protection {
        resource_type: "AWS::ApiGateway::RequestValidator",
        pointer: "/ValidateRequestBody",
        protects: is_on,
        unsaid: Unsaid::Read,
        without: "what no model allows reaches the integration",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-requestvalidator.html",
    },
    Protection {
        resource_type: "AWS::ApiGateway::RequestValidator",
        pointer: "/ValidateRequestParameters",
        protects: is_on,
        unsaid: Unsaid::Read,
        without: "requests without their parameters reach the integration",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-apigateway-requestvalidator.html",
    },
    Protection {
        resource_type: "AWS::CloudFront::Distribution",
        pointer: "/DistributionConfig/ViewerMtlsConfig/Mode",
        protects: |value| is(value, "required"),
        unsaid: Unsaid::Read,
        without: "viewers need no certificate any more",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudfront-distribution-viewermtlsconfig.html",
    },
    Protection {
        resource_type: "AWS::CloudFront::Distribution",
        pointer: "/DistributionConfig/ViewerMtlsConfig/TrustStoreConfig/IgnoreCertificateExpiry",
        protects: |value| !is_on(value),
        unsaid: Unsaid::Read,
        without: "certificates of viewers are taken that have expired",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudfront-distribution-truststoreconfig.html",
    },
    header(
        "/ResponseHeadersPolicyConfig/SecurityHeadersConfig/ContentSecurityPolicy",
        |value| value.is_some(),
    ),
    header(
        "/ResponseHeadersPolicyConfig/SecurityHeadersConfig/ContentTypeOptions",
        |value| value.is_some(),
    ),
    header(
        "/ResponseHeadersPolicyConfig/SecurityHeadersConfig/FrameOptions",
        |value| value.is_some(),
    ),
    header(
        "/ResponseHeadersPolicyConfig/SecurityHeadersConfig/ReferrerPolicy",
        |value| value.is_some(),
    ),
    header(
        "/ResponseHeadersPolicyConfig/SecurityHeadersConfig/StrictTransportSecurity",
        |value| value.is_some(),
    ),
    header(
        "/ResponseHeadersPolicyConfig/SecurityHeadersConfig/XSSProtection",
        |value| value.is_some(),
    ),
    header(
        "/ResponseHeadersPolicyConfig/SecurityHeadersConfig/StrictTransportSecurity/IncludeSubdomains",
        is_on,
    ),
    header(
        "/ResponseHeadersPolicyConfig/SecurityHeadersConfig/XSSProtection/Protection",
        is_on,
    ),
    Protection {
        resource_type: POOL,
        pointer: "/WebAuthnFactorConfiguration",
        protects: |value| !is(value, "MULTI_FACTOR_WITH_USER_VERIFICATION"),
        unsaid: Unsaid::Read,
        without: "a passkey counts as both factors",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html",
    },
    Protection {
        resource_type: "AWS::Cognito::UserPoolClient",
        pointer: "/AllowedOAuthFlowsUserPoolClient",
        protects: |value| !is_on(value),
        unsaid: Unsaid::Read,
        without: "people sign in by OAuth",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpoolclient.html",
    },
    Protection {
        resource_type: "AWS::Cognito::UserPoolClient",
        pointer: "/RefreshTokenRotation/Feature",
        protects: |value| is(value, "ENABLED"),
        unsaid: Unsaid::Read,
        without: "a token to refresh with stays the same until it expires",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cognito-userpoolclient-refreshtokenrotation.html",
    },
    secret("/AuthParameters/InvocationHttpParameters/BodyParameters/*/IsValueSecret"),
    secret("/AuthParameters/InvocationHttpParameters/HeaderParameters/*/IsValueSecret"),
    secret("/AuthParameters/InvocationHttpParameters/QueryStringParameters/*/IsValueSecret"),
    secret("/AuthParameters/OAuthParameters/OAuthHttpParameters/BodyParameters/*/IsValueSecret"),
    secret("/AuthParameters/OAuthParameters/OAuthHttpParameters/HeaderParameters/*/IsValueSecret"),
    secret(
        "/AuthParameters/OAuthParameters/OAuthHttpParameters/QueryStringParameters/*/IsValueSecret",
    ),
    Protection {
        resource_type: "AWS::Events::Rule",
        pointer: "/Targets/*/EcsParameters/EnableExecuteCommand",
        protects: |value| !is_on(value),
        unsaid: Unsaid::Read,
        without: "whoever may run a command in its containers does so",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-events-rule-ecsparameters.html",
    },
    Protection {
        resource_type: "AWS::Pipes::Pipe",
        pointer: "/TargetParameters/EcsTaskParameters/EnableExecuteCommand",
        protects: |value| !is_on(value),
        unsaid: Unsaid::Read,
        without: "whoever may run a command in its containers does so",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-pipes-pipe-pipetargetecstaskparameters.html",
    },
    Protection {
        resource_type: "AWS::Scheduler::Schedule",
        pointer: "/Target/EcsParameters/EnableExecuteCommand",
        protects: |value| !is_on(value),
        unsaid: Unsaid::Read,
        without: "whoever may run a command in its containers does so",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-scheduler-schedule-ecsparameters.html",
    },
    Protection {
        resource_type: "AWS::Events::Rule",
        pointer: "/Targets/*/EcsParameters/NetworkConfiguration/AwsVpcConfiguration/AssignPublicIp",
        protects: |value| !is(value, "ENABLED"),
        unsaid: Unsaid::Read,
        without: "its tasks have public addresses",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-events-rule-awsvpcconfiguration.html",
    },
    Protection {
        resource_type: "AWS::Pipes::Pipe",
        pointer: "/TargetParameters/EcsTaskParameters/NetworkConfiguration/AwsvpcConfiguration/AssignPublicIp",
        protects: |value| !is(value, "ENABLED"),
        unsaid: Unsaid::Read,
        without: "its tasks have public addresses",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-pipes-pipe-awsvpcconfiguration.html",
    },
    Protection {
        resource_type: "AWS::Scheduler::Schedule",
        pointer: "/Target/EcsParameters/NetworkConfiguration/AwsvpcConfiguration/AssignPublicIp",
        protects: |value| !is(value, "ENABLED"),
        unsaid: Unsaid::Read,
        without: "its tasks have public addresses",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-scheduler-schedule-awsvpcconfiguration.html",
    },
    Protection {
        resource_type: "AWS::Lambda::Function",
        pointer: "/RuntimeManagementConfig/UpdateRuntimeOn",
        protects: |value| !is(value, "Manual"),
        unsaid: Unsaid::Read,
        without: "versions of its runtime that mend a weakness are not taken by themselves",
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-lambda-function-runtimemanagementconfig.html",
    },
];
