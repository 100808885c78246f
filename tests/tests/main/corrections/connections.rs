//! WebSocket APIs, whose functions are told where the connections are.

use serde_json::{Value, json};
use system_tests::websocket::{Frame, WebSocket};

use super::{Deployed, role};

/// Answers with the connection and the address that the function is given for it.
const CODE: &str = "import json, os\ndef handler(event, context):\n    \
    answer = {'id': event['requestContext']['connectionId'], 'url': os.environ['CONNECTIONS_URL'], \
    'foreign': os.environ['FOREIGN']}\n    return {'statusCode': 200, 'body': json.dumps(answer)}\n";

/// An API of somebody else.
const FOREIGN: &str = "https://abcdefghij.execute-api.us-east-1.amazonaws.com/live";

fn resources() -> Value {
    let api = json!({"Ref": "Api"});
    json!({
        "FunctionRole": role("lambda.amazonaws.com", &Value::Null),
        "Function": {"Type": "AWS::Lambda::Function", "Properties": {
            "Runtime": "python3.12", "Handler": "index.handler", "Timeout": 60,
            "Role": {"Fn::GetAtt": ["FunctionRole", "Arn"]}, "Code": {"ZipFile": CODE},
            "Environment": {"Variables": {
                "CONNECTIONS_URL": {"Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/live"},
                "FOREIGN": FOREIGN,
            }},
        }},
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {
            "Name": "talk", "ProtocolType": "WEBSOCKET", "RouteSelectionExpression": "$request.body.action"}},
        "Integration": {"Type": "AWS::ApiGatewayV2::Integration", "Properties": {
            "ApiId": api, "IntegrationType": "AWS_PROXY",
            "IntegrationUri": {"Fn::Sub":
                "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Function.Arn}/invocations"},
        }},
        "Route": {"Type": "AWS::ApiGatewayV2::Route", "Properties": {
            "ApiId": api, "RouteKey": "$default", "RouteResponseSelectionExpression": "$default",
            "Target": {"Fn::Sub": "integrations/${Integration}"},
        }},
        "Stage": {"Type": "AWS::ApiGatewayV2::Stage", "Properties": {
            "ApiId": api, "StageName": "live", "AutoDeploy": true}},
    })
}

/// See
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html>.
#[test]
fn a_function_reaches_the_connections_of_its_api() {
    let system = Deployed::new(&resources(), &json!({"Api": {"Value": {"Ref": "Api"}}}));
    let endpoint = system.account.endpoint();
    let path = format!("/_aws/execute-api/{}/live", system.output("Api"));
    let host = endpoint.trim_start_matches("http://");
    let mut socket = WebSocket::open(endpoint, host, &path, None);
    socket.send(Frame::Text, b"{}");
    let told: Value = received(&socket);
    assert_eq!(told["url"], format!("{endpoint}{path}"));
    assert_eq!(told["foreign"], FOREIGN);

    let id = told["id"]
        .as_str()
        .expect("the function is told who speaks");
    let connection = format!("{path}/@connections/{id}");
    let call = |method: &str| {
        let answer =
            system
                .account
                .request("execute-api", method, &connection, &[], "{\"said\": 1}");
        answer.status
    };
    assert_eq!(call("POST"), 200);
    assert_eq!(received(&socket), json!({"said": 1}));
    assert_eq!(call("GET"), 200);
    assert_eq!(call("DELETE"), 204);
    assert_eq!(socket.receive(), None);
    assert_eq!(call("POST"), 410, "the connection has ended");
}

fn received(socket: &WebSocket) -> Value {
    let message = socket.receive().expect("the engine answers");
    serde_json::from_slice(&message).expect("it is JSON")
}
