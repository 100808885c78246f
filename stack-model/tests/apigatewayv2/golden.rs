//! An HTTP and a WebSocket API as a whole template.

use stack_model::Stack;
use stack_model::acm::CertificateProps;
use stack_model::apigateway::{CorsOrigin, HttpMethod, Throttle};
use stack_model::apigatewayv2::{
    ApiPath, ConnectAuthorization, ConnectionOperation, HttpAccessLogs, HttpApiProps, HttpCors,
    HttpFunctionAuthorizerProps, HttpIntegration, HttpStageProps, JwtAuthorizerProps, LogFormat,
    RequestPart, RouteAuthorization, RouteSettings, WebSocketApiProps, WebSocketRoute,
    WebSocketStageProps,
};
use stack_model::cognito::{UserPoolClientProps, UserPoolProps};
use stack_model::domains::ApiDomainProps;
use stack_model::logs::LogGroupProps;
use stack_model::route;
use stack_model::route53::{AliasTarget, HostedZoneRef};
use stack_model::sqs::QueueProps;

use super::answer;

/// Describes both kinds of API.
pub(crate) fn apis(stack: &mut Stack<'_>) {
    stack.describe("An HTTP API with a domain of its own, and a WebSocket API");
    let answer = answer(stack);
    let queue = stack.queue::<String>("Queue", QueueProps::default());
    let pool = stack.user_pool("Users", UserPoolProps::default());
    let client = stack.user_pool_client("Client", &pool, UserPoolClientProps::default());

    let page = CorsOrigin::One {
        origin: "https://www.example.com".to_owned(),
        credentials: true,
    };
    let api = stack.http_api(
        "Api",
        HttpApiProps {
            cors: Some(HttpCors {
                headers: vec!["authorization".to_owned(), "content-type".to_owned()],
                ..HttpCors::new(page, [HttpMethod::Get, HttpMethod::Post])
            }),
            ..HttpApiProps::default()
        },
    );
    let users = stack.jwt_authorizer("ByUsers", &api, JwtAuthorizerProps::users(&client));
    let asked = HttpFunctionAuthorizerProps::default();
    let asked = stack.http_function_authorizer("Asked", &api, &answer, asked);
    let read = HttpIntegration::lambda(&answer);
    let read = stack.http_route(
        "Read",
        &api,
        route!("GET /orders/{id}"),
        RouteAuthorization::jwt(&users),
        read,
    );
    let send = HttpIntegration::send_message(&queue, RequestPart::body());
    stack.http_route(
        "Submit",
        &api,
        route!("POST /orders"),
        RouteAuthorization::function(&asked),
        send,
    );
    let group = stack.log_group("Requests", LogGroupProps::default());
    let props = HttpStageProps {
        routes: vec![(
            read,
            RouteSettings {
                throttle: Some(Throttle {
                    rate: 10.0,
                    burst: 5.into(),
                }),
                metrics: false,
            },
        )],
        access_logs: Some(HttpAccessLogs {
            group,
            format: LogFormat::Json,
        }),
        ..HttpStageProps::default()
    };
    let live = stack.http_stage("Live", &api, props);
    let zone = HostedZoneRef::existing("Z0123456789ABCDEFGHIJ", "example.com");
    let certificate = stack.certificate(
        "Certificate",
        CertificateProps::new("api.example.com", &zone),
    );
    let domain = stack.api_domain(
        "Domain",
        ApiDomainProps::regional("api.example.com", &certificate),
    );
    stack.map_http_stage("DomainRoot", &domain, ApiPath::Root, &live);
    stack.alias(
        "DomainAlias",
        &zone,
        "api.example.com",
        AliasTarget::api(&domain),
    );
    stack.output("Url", live.url());

    let chat = stack.websocket_api("Chat", WebSocketApiProps::default());
    let connect = WebSocketRoute::Connect(ConnectAuthorization::Iam);
    stack.websocket_route("ChatConnect", &chat, connect, &answer);
    let say = WebSocketRoute::Action("say".to_owned());
    stack.websocket_answer("ChatSay", &chat, say, &answer);
    let talk = stack.websocket_stage("ChatLive", &chat, WebSocketStageProps::named("live"));
    stack.grant(answer.role(), talk.statements(&[ConnectionOperation::Post]));
    stack.output("ChatUrl", talk.url());
    stack.output("ConnectionsUrl", talk.connections_url());
}
