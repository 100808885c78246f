//! The services that are called so, and how each takes its operations.

use serde_json::Value;

use super::{Home, Request, encoded, suffix};
use crate::aws::{AwsError, Clients, Fault, xml::Element};

/// A service that takes its operations as JSON: its name in signatures and hosts, what stands before the name of an
/// operation, and the version of its protocol.
#[derive(Clone, Copy, Debug)]
pub(crate) struct JsonService {
    name: &'static str,
    target: &'static str,
    version: &'static str,
}

/// Certificate Manager (<https://docs.aws.amazon.com/acm/latest/APIReference/Welcome.html>).
pub(crate) const ACM: JsonService = JsonService {
    name: "acm",
    target: "CertificateManager",
    version: "1.1",
};

/// Cloud Control (<https://docs.aws.amazon.com/cloudcontrolapi/latest/APIReference/Welcome.html>).
pub(crate) const CLOUD_CONTROL: JsonService = JsonService {
    name: "cloudcontrolapi",
    target: "CloudApiService",
    version: "1.0",
};

/// CodeBuild (<https://docs.aws.amazon.com/codebuild/latest/APIReference/Welcome.html>).
pub(crate) const CODE_BUILD: JsonService = JsonService {
    name: "codebuild",
    target: "CodeBuild_20161006",
    version: "1.1",
};

/// DynamoDB (<https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/Welcome.html>).
pub(crate) const DYNAMODB: JsonService = JsonService {
    name: "dynamodb",
    target: "DynamoDB_20120810",
    version: "1.0",
};

/// Secrets Manager (<https://docs.aws.amazon.com/secretsmanager/latest/apireference/Welcome.html>).
pub(crate) const SECRETS: JsonService = JsonService {
    name: "secretsmanager",
    target: "secretsmanager",
    version: "1.1",
};

/// Step Functions (<https://docs.aws.amazon.com/step-functions/latest/apireference/Welcome.html>).
pub(crate) const STATES: JsonService = JsonService {
    name: "states",
    target: "AWSStepFunctions",
    version: "1.0",
};

/// User pools of Cognito (<https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/Welcome.html>).
pub(crate) const USER_POOLS: JsonService = JsonService {
    name: "cognito-idp",
    target: "AWSCognitoIdentityProviderService",
    version: "1.1",
};

/// WAF (<https://docs.aws.amazon.com/waf/latest/APIReference/Welcome.html>).
pub(crate) const WEB_ACLS: JsonService = JsonService {
    name: "wafv2",
    target: "AWSWAF_20190729",
    version: "1.1",
};

/// Service Quotas (<https://docs.aws.amazon.com/servicequotas/2019-06-24/apireference/Welcome.html>).
pub(crate) const QUOTAS: JsonService = JsonService {
    name: "servicequotas",
    target: "ServiceQuotasV20190624",
    version: "1.1",
};

impl Clients {
    /// Calls an operation of a service that speaks JSON, in a region.
    pub(crate) async fn json(
        &self,
        service: JsonService,
        region: &str,
        operation: &'static str,
        input: &Value,
    ) -> Result<Value, AwsError> {
        let JsonService {
            name,
            target,
            version,
        } = service;
        let host = format!("https://{name}.{region}.{}", suffix(region));
        let body = self
            .signed(Request {
                operation,
                service: name,
                region,
                method: "POST",
                url: self.address(&host, "/"),
                headers: vec![
                    ("content-type", format!("application/x-amz-json-{version}")),
                    ("x-amz-target", format!("{target}.{operation}")),
                ],
                body: input.to_string(),
            })
            .await?;
        serde_json::from_str(&body).map_err(|error| {
            AwsError::without_answer(operation, Fault::Unknown, Some(error.into()))
        })
    }

    /// Reads from the second version of API Gateway, in this region
    /// (<https://docs.aws.amazon.com/apigatewayv2/latest/api-reference/api-reference.html>).
    pub(crate) async fn api_gateway_v2(
        &self,
        operation: &'static str,
        path: &str,
    ) -> Result<Value, AwsError> {
        let region = self.region();
        let host = format!("https://apigateway.{region}.{}", suffix(region));
        let body = self
            .signed(Request {
                operation,
                service: "apigateway",
                region,
                method: "GET",
                url: self.address(&host, path),
                headers: Vec::new(),
                body: String::new(),
            })
            .await?;
        serde_json::from_str(&body).map_err(|error| {
            AwsError::without_answer(operation, Fault::Unknown, Some(error.into()))
        })
    }

    /// Calls an operation of IAM, which is one for all regions of a partition
    /// (<https://docs.aws.amazon.com/general/latest/gr/iam-service.html>).
    pub(crate) async fn iam(
        &self,
        operation: &'static str,
        input: &[(String, String)],
    ) -> Result<Element, AwsError> {
        let region = Home::of(self.region()).iam;
        let host = match region {
            "cn-north-1" => "https://iam.cn-north-1.amazonaws.com.cn",
            "us-gov-west-1" => "https://iam.us-gov.amazonaws.com",
            _ => "https://iam.amazonaws.com",
        };
        let fixed = [("Action", operation), ("Version", "2010-05-08")];
        let fixed = fixed
            .iter()
            .map(|(key, value)| format!("{key}={}", encoded(value)));
        let given = input
            .iter()
            .map(|(key, value)| format!("{key}={}", encoded(value)));
        let body: Vec<String> = fixed.chain(given).collect();
        let answer = self
            .signed(Request {
                operation,
                service: "iam",
                region,
                method: "POST",
                url: self.address(host, "/"),
                headers: vec![(
                    "content-type",
                    "application/x-www-form-urlencoded".to_owned(),
                )],
                body: body.join("&"),
            })
            .await?;
        Element::parse(&answer).ok_or_else(|| AwsError::incomplete(operation, "document"))
    }

    /// Reads from Route 53, which is one for all regions of a partition
    /// (<https://docs.aws.amazon.com/general/latest/gr/r53.html>).
    pub(crate) async fn route53(
        &self,
        operation: &'static str,
        path: &str,
    ) -> Result<Element, AwsError> {
        let region = Home::of(self.region()).edge;
        let host = match region {
            "cn-northwest-1" => "https://route53.amazonaws.com.cn",
            "us-gov-west-1" => "https://route53.us-gov.amazonaws.com",
            _ => "https://route53.amazonaws.com",
        };
        let answer = self
            .signed(Request {
                operation,
                service: "route53",
                region,
                method: "GET",
                url: self.address(host, &format!("/2013-04-01{path}")),
                headers: Vec::new(),
                body: String::new(),
            })
            .await?;
        Element::parse(&answer).ok_or_else(|| AwsError::incomplete(operation, "document"))
    }

    /// Returns where a request goes: to the endpoint that replaces those of AWS, where there is one.
    fn address(&self, host: &str, path: &str) -> String {
        let host = self.signer().endpoint_url.as_deref().unwrap_or(host);
        format!("{}{path}", host.trim_end_matches('/'))
    }
}
