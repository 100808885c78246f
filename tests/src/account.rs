//! The account of a local engine, looked at from outside the tool: signed calls of the AWS APIs.
//!
//! What the tool says about its own work proves little, so the tests ask the services themselves.

use std::collections::BTreeMap;
use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4::SigningParams;
use serde_json::{Value, json};

use crate::http::{self, Answer};

/// What is in an account, by kind.
pub type Inventory = BTreeMap<&'static str, Vec<String>>;

/// The region of all tests that do not say otherwise.
pub const REGION: &str = "us-east-1";

/// The account of a local engine, as one caller sees it.
#[derive(Clone, Debug)]
pub struct Account {
    endpoint: String,
    region: String,
    credentials: Credentials,
}

impl Account {
    /// Takes the engine at an endpoint, as its root user.
    pub fn root(endpoint: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            region: REGION.to_owned(),
            credentials: Credentials::new("test", "test", None, None, "tests"),
        }
    }

    /// Returns the account as it is in another region.
    #[must_use]
    pub fn in_region(&self, region: &str) -> Self {
        Self {
            region: region.to_owned(),
            ..self.clone()
        }
    }

    /// Returns another account of the engine, which takes a key of twelve digits for the root user of the account.
    #[must_use]
    pub fn numbered(&self, number: &str) -> Self {
        Self {
            credentials: Credentials::new(number, "test", None, None, "tests"),
            ..self.clone()
        }
    }

    /// Returns the account as it is seen with temporary credentials.
    #[must_use]
    pub fn with_session(&self, access_key_id: &str, secret_key: &str, token: &str) -> Self {
        let token = Some(token.to_owned());
        Self {
            credentials: Credentials::new(access_key_id, secret_key, token, None, "tests"),
            ..self.clone()
        }
    }

    /// Returns the variables with which a program calls as this caller.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let mut variables = vec![
            (
                "AWS_ACCESS_KEY_ID",
                self.credentials.access_key_id().to_owned(),
            ),
            (
                "AWS_SECRET_ACCESS_KEY",
                self.credentials.secret_access_key().to_owned(),
            ),
        ];
        if let Some(token) = self.credentials.session_token() {
            variables.push(("AWS_SESSION_TOKEN", token.to_owned()));
        }
        variables
    }

    /// Returns the endpoint.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Makes a role that anyone in the account may assume, with the given policy, and returns the account as that role
    /// sees it.
    ///
    /// # Panics
    ///
    /// Panics where the engine refuses.
    #[must_use]
    pub fn as_role(&self, name: &str, policy: Option<&Value>) -> Self {
        let trust = json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::000000000000:root"}, "Action": "sts:AssumeRole"}]});
        let trust = trust.to_string();
        self.query(
            "iam",
            "2010-05-08",
            "CreateRole",
            &[("RoleName", name), ("AssumeRolePolicyDocument", &trust)],
        );
        if let Some(policy) = policy {
            let policy = policy.to_string();
            let arguments = [
                ("RoleName", name),
                ("PolicyName", "all"),
                ("PolicyDocument", &policy),
            ];
            self.query("iam", "2010-05-08", "PutRolePolicy", &arguments);
        }
        let arn = format!("arn:aws:iam::000000000000:role/{name}");
        let answer = self.query(
            "sts",
            "2011-06-15",
            "AssumeRole",
            &[("RoleArn", &arn), ("RoleSessionName", "tests")],
        );
        let part = |tag: &str| {
            texts(&answer, tag)
                .into_iter()
                .next()
                .expect("STS answers with credentials")
        };
        self.with_session(
            &part("AccessKeyId"),
            &part("SecretAccessKey"),
            &part("SessionToken"),
        )
    }

    /// Calls a service with a protocol of JSON documents, such as DynamoDB, and returns the answer.
    ///
    /// # Panics
    ///
    /// Panics where the service refuses.
    #[track_caller]
    pub fn call(&self, service: &str, target: &str, arguments: &Value) -> Value {
        let answer = self.attempt(service, target, arguments);
        assert_eq!(answer.status, 200, "{target}: {}", answer.body);
        answer.json()
    }

    /// Calls a service with a protocol of JSON documents, and returns whatever it answers.
    #[track_caller]
    pub fn attempt(&self, service: &str, target: &str, arguments: &Value) -> Answer {
        let version = if service == "sqs" || service == "dynamodb" {
            "1.0"
        } else {
            "1.1"
        };
        let headers = [
            ("content-type", format!("application/x-amz-json-{version}")),
            ("x-amz-target", target.to_owned()),
        ];
        self.request(service, "POST", "/", &headers, &arguments.to_string())
    }

    /// Calls a service with the query protocol, such as IAM, and returns the XML that it answers.
    ///
    /// # Panics
    ///
    /// Panics where the service refuses.
    #[track_caller]
    pub fn query(
        &self,
        service: &str,
        version: &str,
        action: &str,
        arguments: &[(&str, &str)],
    ) -> String {
        let mut form = format!("Action={action}&Version={version}");
        for (name, value) in arguments {
            form.extend(["&", name, "=", &percent_encoded(value)]);
        }
        let headers = [(
            "content-type",
            "application/x-www-form-urlencoded".to_owned(),
        )];
        let answer = self.request(service, "POST", "/", &headers, &form);
        assert_eq!(answer.status, 200, "{action}: {}", answer.body);
        answer.body
    }

    /// Reads a resource of a service with paths, such as Lambda, and returns whatever it answers.
    #[track_caller]
    pub fn get(&self, service: &str, path: &str) -> Answer {
        self.request(service, "GET", path, &[], "")
    }

    /// Sends one signed request.
    ///
    /// # Panics
    ///
    /// Panics where nobody answers.
    #[track_caller]
    pub fn request(
        &self,
        service: &str,
        method: &str,
        path: &str,
        headers: &[(&str, String)],
        body: &str,
    ) -> Answer {
        let url = format!("{}{path}", self.endpoint);
        let identity = self.credentials.clone().into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region(&self.region)
            .name(service)
            .time(SystemTime::now())
            .settings(settings(service))
            .build()
            .expect("all parts of the signature are given")
            .into();
        let signable = SignableRequest::new(
            method,
            &url,
            headers.iter().map(|(name, value)| (*name, value.as_str())),
            SignableBody::Bytes(body.as_bytes()),
        )
        .expect("the request can be signed");
        let (instructions, _) = sign(signable, &parameters)
            .expect("the request can be signed")
            .into_parts();
        let mut all: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        for (name, value) in instructions.headers() {
            all.push((name.to_owned(), value.to_owned()));
        }
        http::send(method, &url, &all, body)
    }

    /// Returns everything in the account that a deploy can leave behind, without what belongs to the account and stays: the
    /// stack and the bucket in which the tool keeps artifacts.
    pub fn inventory_of_systems(&self) -> Inventory {
        let mut inventory = self.inventory();
        for kind in ["stacks", "buckets"] {
            if let Some(names) = inventory.get_mut(kind) {
                names.retain(|name| !name.starts_with("stackctl-"));
            }
        }
        inventory
    }

    /// Returns everything in the account that a deploy can leave behind.
    pub fn inventory(&self) -> Inventory {
        let json_names = |answer: Value, list: &str, name: Option<&str>| -> Vec<String> {
            let entries = answer[list].as_array().cloned().unwrap_or_default();
            entries
                .iter()
                .filter_map(|entry| match name {
                    Some(name) => entry[name].as_str(),
                    None => entry.as_str(),
                })
                .map(str::to_owned)
                .collect()
        };
        let stacks = self.query("cloudformation", "2010-05-15", "DescribeStacks", &[]);
        BTreeMap::from([
            ("stacks", texts(&stacks, "StackName")),
            (
                "tables",
                json_names(
                    self.call("dynamodb", "DynamoDB_20120810.ListTables", &json!({})),
                    "TableNames",
                    None,
                ),
            ),
            (
                "queues",
                json_names(
                    self.call("sqs", "AmazonSQS.ListQueues", &json!({})),
                    "QueueUrls",
                    None,
                ),
            ),
            (
                "log groups",
                json_names(
                    self.call("logs", "Logs_20140328.DescribeLogGroups", &json!({})),
                    "logGroups",
                    Some("logGroupName"),
                ),
            ),
            (
                "functions",
                json_names(
                    self.get("lambda", "/2015-03-31/functions/").json(),
                    "Functions",
                    Some("FunctionName"),
                ),
            ),
            (
                "event source mappings",
                json_names(
                    self.get("lambda", "/2015-03-31/event-source-mappings/")
                        .json(),
                    "EventSourceMappings",
                    Some("UUID"),
                ),
            ),
            (
                "APIs",
                json_names(
                    self.get("apigateway", "/restapis").json(),
                    "item",
                    Some("id"),
                ),
            ),
            (
                "roles",
                texts(
                    &self.query("iam", "2010-05-08", "ListRoles", &[]),
                    "RoleName",
                ),
            ),
            (
                "policies",
                texts(
                    &self.query("iam", "2010-05-08", "ListPolicies", &[("Scope", "Local")]),
                    "PolicyName",
                ),
            ),
            ("buckets", texts(&self.get("s3", "/").body, "Name")),
        ])
    }

    /// Returns the objects of a bucket: key to what changes when the object is written again.
    pub fn objects(&self, bucket: &str) -> BTreeMap<String, String> {
        let listing = self.get("s3", &format!("/{bucket}?list-type=2")).body;
        let keys = texts(&listing, "Key");
        let times = texts(&listing, "LastModified");
        keys.into_iter().zip(times).collect()
    }

    /// Returns every version of every object of a bucket whose key begins with a prefix, delete markers included.
    pub fn versions(&self, bucket: &str, prefix: &str) -> Vec<String> {
        let listing = self.get("s3", &format!("/{bucket}?versions")).body;
        let keys = texts(&listing, "Key").into_iter();
        keys.filter(|key| key.starts_with(prefix)).collect()
    }
}

/// Returns how requests to a service are signed: S3 signs the path as it is sent, and wants to see the digest of the body.
fn settings(service: &str) -> SigningSettings {
    let mut settings = SigningSettings::default();
    if service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    settings
}

/// Returns the texts of all elements of that name.
///
/// The answers of the engine are flat enough for this, and a parser for XML would serve nothing else here.
pub fn texts(xml: &str, tag: &str) -> Vec<String> {
    let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
    xml.split(&open)
        .skip(1)
        .filter_map(|rest| rest.split_once(&close))
        .map(|(text, _)| text.to_owned())
        .collect()
}

/// Encodes a value of a form.
fn percent_encoded(value: &str) -> String {
    value
        .bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
