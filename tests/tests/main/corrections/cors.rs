//! HTTP APIs, which pages of other origins call.

use serde_json::json;
use system_tests::http;

use super::Deployed;

/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html>: the API answers preflights by
/// itself.
#[test]
fn an_http_api_answers_the_pages_that_it_allows() {
    let resources = json!({
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {
            "Name": "pages", "ProtocolType": "HTTP", "CorsConfiguration": {
                "AllowOrigins": ["https://shop.example"], "AllowMethods": ["GET", "PUT"],
                "AllowHeaders": ["authorization"], "MaxAge": 300,
            },
        }},
        "Stage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": {
            "ApiId": {"Ref": "Api"}, "StageName": "$default", "AutoDeploy": true}},
    });
    let system = Deployed::new(&resources, &json!({"Api": {"Value": {"Ref": "Api"}}}));
    let endpoint = system.account.endpoint();
    let url = format!(
        "{endpoint}/_aws/execute-api/{}/$default/orders",
        system.output("Api")
    );
    let ask = |method: &str, origin: &str| {
        let headers = [("origin", origin), ("access-control-request-method", "PUT")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()));
        http::send(method, &url, &headers, "")
    };
    let preflight = ask("OPTIONS", "https://shop.example");
    assert_eq!(preflight.status, 204, "{preflight:?}");
    for (name, expected) in [
        ("access-control-allow-origin", "https://shop.example"),
        ("access-control-allow-methods", "GET,PUT"),
        ("access-control-allow-headers", "authorization"),
        ("access-control-max-age", "300"),
    ] {
        assert_eq!(preflight.header(name), Some(expected), "{preflight:?}");
    }
    let stranger = ask("OPTIONS", "https://other.example");
    assert_eq!(
        stranger.header("access-control-allow-origin"),
        None,
        "{stranger:?}"
    );
}
