//! An HTTP API that lets in who shows a token of a user pool, and a function behind it that answers.

use std::process::ExitCode;

use stack_bindings::{Bindings, HttpRequest};
use stack_model::apigatewayv2::{
    HttpApiProps, HttpIntegration, HttpStageProps, JwtAuthorizerProps, RouteAuthorization,
};
use stack_model::cognito::{UserPoolClientProps, UserPoolProps};
use stack_model::lambda::FunctionProps;
use stack_model::route;

/// Says who calls; the claims of the token arrive with the request.
#[derive(Bindings)]
#[function(binary = "whoami", accepts(HttpRequest))]
pub struct WhoAmI {}

fn main() -> ExitCode {
    examples::print(|app| {
        let mut stack = app.stack("whoami");
        let users = stack.user_pool("Users", UserPoolProps::default());
        let web = stack.user_pool_client("Web", &users, UserPoolClientProps::default());
        let who = stack.function(
            "WhoAmI",
            WhoAmI::bind(WhoAmIWiring {}),
            FunctionProps::default(),
        );

        let api = stack.http_api("Api", HttpApiProps::default());
        let signed_in = stack.jwt_authorizer("SignedIn", &api, JwtAuthorizerProps::users(&web));
        stack.http_route(
            "GetMe",
            &api,
            route!("GET /me"),
            RouteAuthorization::jwt(&signed_in),
            HttpIntegration::lambda(&who),
        );
        let live = stack.http_stage("Live", &api, HttpStageProps::default());
        stack.output("Url", live.url());
    })
}
