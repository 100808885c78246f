//! What a request asks of which API, and how often that may be asked.

use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

/// What AWS counts together: some calls of one service in one region.
///
/// The region is part of the host.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::aws) struct Api {
    host: String,
    calls: String,
}

/// How many calls are made.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Rate {
    /// In a second, when many are made.
    pub(super) per_second: f64,
    /// At once, after there were none for a while.
    pub(super) at_once: f64,
}

/// For every operation of CloudFormation, and of any service that nothing is said of here.
///
/// AWS does not publish the rates of CloudFormation and does not raise them; it advises to back off and to work on few stacks
/// at once (<https://repost.aws/knowledge-center/cloudformation-rate-exceeded-error>). What others report is 5 calls of
/// DescribeStacks a second (<https://github.com/aws/aws-sam-cli/issues/2671>), and throttling from 8 to 10 calls of
/// DescribeStackEvents on (<https://github.com/aws/aws-cdk-cli/issues/1709>). In no second are there more than ten calls here,
/// and over time half of that: other tools and the console are in the same account.
const OPERATION: Rate = Rate {
    per_second: 5.0,
    at_once: 5.0,
};

/// For all operations of Lambda together that work with functions and do not run them, where AWS allows 15 a second
/// (<https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>).
const FUNCTIONS: Rate = Rate {
    per_second: 7.0,
    at_once: 7.0,
};

/// For `GetFunction`, of which the same page allows 100 a second.
const GET_FUNCTION: Rate = Rate {
    per_second: 40.0,
    at_once: 40.0,
};

/// Services that are not limited here: S3 takes thousands of requests a second, and the others give credentials, which all
/// else waits for.
const UNLIMITED: [&str; 5] = ["s3", "sts", "sso", "oidc", "signin"];

impl Api {
    /// Returns what a request asks, and how often that may be asked; nothing, where it is not limited.
    pub(super) fn of(request: &HttpRequest) -> Option<(Self, Rate)> {
        let host = host(request.uri())?;
        let service = service(host)?;
        let (calls, rate) = if service == "lambda" {
            lambda(request)?
        } else {
            (operation(request), OPERATION)
        };
        let api = Self {
            host: host.to_owned(),
            calls,
        };
        Some((api, rate))
    }
}

fn host(uri: &str) -> Option<&str> {
    let rest = uri.split_once("://")?.1;
    let host = rest.split(['/', '?']).next()?;
    host.split(':').next()
}

/// Returns the service behind a host of AWS; nothing, where that is no host of AWS or its service is not limited.
///
/// See <https://docs.aws.amazon.com/general/latest/gr/rande.html>.
fn service(host: &str) -> Option<&str> {
    let of_aws = [".amazonaws.com", ".amazonaws.com.cn", ".api.aws"];
    let name = of_aws
        .into_iter()
        .find_map(|domain| host.strip_suffix(domain))?;
    // A bucket stands before its service: `bucket.s3.eu-central-1`.
    let unlimited = name
        .split('.')
        .any(|label| UNLIMITED.contains(&label) || label.starts_with("s3-"));
    let service = name.split('.').next()?;
    (!unlimited).then(|| service.trim_end_matches("-fips"))
}

fn lambda(request: &HttpRequest) -> Option<(String, Rate)> {
    let path = path(request.uri());
    let mut parts = path.trim_matches('/').split('/').skip(1);
    match (parts.next(), parts.next(), parts.next()) {
        (Some("functions"), Some(_), Some("invocations" | "response-streaming-invocations")) => {
            None
        }
        (Some("functions"), Some(_), None) if request.method() == "GET" => {
            Some(("GetFunction".to_owned(), GET_FUNCTION))
        }
        _ => Some((String::new(), FUNCTIONS)),
    }
}

fn path(uri: &str) -> &str {
    let rest = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let path = rest.find('/').and_then(|at| rest.get(at..));
    let path = path.unwrap_or_default();
    path.split('?').next().unwrap_or_default()
}

/// Returns the operation that a request names, in the query and the JSON protocols. Requests of others are taken together.
fn operation(request: &HttpRequest) -> String {
    if let Some(target) = request.headers().get("x-amz-target") {
        return target.to_owned();
    }
    let body = request.body().bytes().unwrap_or_default();
    let rest = body.strip_prefix(b"Action=").unwrap_or_default();
    let name = rest.split(|byte| *byte == b'&').next().unwrap_or_default();
    String::from_utf8_lossy(name).into_owned()
}

/// Returns the code in the body of a refusal: `<Code>` in XML, `__type` or `code` in JSON.
pub(super) fn code(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    if let Some((_, rest)) = text.split_once("<Code>") {
        return rest.split('<').next();
    }
    ["\"__type\"", "\"code\""].into_iter().find_map(|key| {
        let (_, rest) = text.split_once(key)?;
        let value = rest.trim_start().strip_prefix(':')?.trim_start();
        let value = value.strip_prefix('"')?.split('"').next()?;
        Some(bare(value))
    })
}

/// Takes off a code what services put around it: `com.amazonaws.x#Code`, `Code:http://..`.
pub(super) fn bare(code: &str) -> &str {
    let code = code.rsplit('#').next().unwrap_or(code);
    code.split(':').next().unwrap_or(code).trim()
}

#[cfg(test)]
mod tests {
    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
    use aws_smithy_types::body::SdkBody;

    use super::*;

    fn request(method: &str, uri: &str, body: &'static str) -> HttpRequest {
        let mut request = HttpRequest::new(SdkBody::from(body));
        request.set_method(method).expect("is a method");
        request.set_uri(uri).expect("is an address");
        request
    }

    fn of(method: &str, uri: &str, body: &'static str) -> Option<(String, Rate)> {
        Api::of(&request(method, uri, body)).map(|(api, rate)| (api.calls, rate))
    }

    #[test]
    fn operations_are_counted_by_host_and_name() {
        let uri = "https://cloudformation.eu-central-1.amazonaws.com/";
        let (api, rate) =
            Api::of(&request("POST", uri, "Action=DescribeStacks&Version=1")).expect("is limited");
        assert_eq!(api.host, "cloudformation.eu-central-1.amazonaws.com");
        assert_eq!((api.calls.as_str(), rate), ("DescribeStacks", OPERATION));

        let logs = "https://logs.eu-central-1.amazonaws.com";
        let mut request = request("POST", logs, "{}");
        let target = "Logs_20140328.FilterLogEvents";
        request.headers_mut().insert("x-amz-target", target);
        assert_eq!(Api::of(&request).expect("is limited").0.calls, target);

        let rest = "https://cloudfront.amazonaws.com/2020-05-31/distribution";
        assert_eq!(of("GET", rest, ""), Some((String::new(), OPERATION)));
    }

    #[test]
    fn lambda_counts_all_but_a_few_together_and_calls_of_functions_not_at_all() {
        let uri = |path: &str| {
            format!("https://lambda.us-east-1.amazonaws.com/2015-03-31/functions{path}")
        };
        let get = of("GET", &uri("/orders"), "").expect("is limited");
        assert_eq!(get, ("GetFunction".to_owned(), GET_FUNCTION));
        for (method, path) in [("PUT", "/orders/code"), ("GET", ""), ("DELETE", "/orders")] {
            let all = of(method, &uri(path), "").expect("is limited");
            assert_eq!(all, (String::new(), FUNCTIONS), "{method} {path}");
        }
        assert_eq!(of("POST", &uri("/orders/invocations"), "{}"), None);
    }

    #[test]
    fn objects_credentials_and_what_is_not_aws_are_not_limited() {
        for uri in [
            "https://bucket.s3.eu-central-1.amazonaws.com/key",
            "https://s3.eu-central-1.amazonaws.com/bucket/key",
            "https://sts.eu-central-1.amazonaws.com/",
            "https://portal.sso.us-east-1.amazonaws.com/federation/credentials",
            "http://169.254.169.254/latest/api/token",
            "http://127.0.0.1:4566/",
            "https://amazonaws.com.example.com/",
        ] {
            assert_eq!(of("POST", uri, "Action=DescribeStacks"), None, "{uri}");
        }
    }

    #[test]
    fn codes_are_found_in_every_protocol() {
        // <https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/CommonErrors.html>
        let xml = b"<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code></Error></ErrorResponse>";
        assert_eq!(code(xml), Some("Throttling"));
        let json =
            br#"{"__type": "com.amazonaws.logs#ThrottlingException", "message": "Rate exceeded"}"#;
        assert_eq!(code(json), Some("ThrottlingException"));
        assert_eq!(code(br#"{"message": "code"}"#), None);
        assert_eq!(code(&[0xff]), None);
        assert_eq!(
            bare("TooManyRequestsException:http://internal.amazon.com/"),
            "TooManyRequestsException"
        );
    }
}
