//! The Validator service: codes that a display shows and customers scan.

use coffee::{GetQrCode, GetQrCodeWiring, VerifyQrCode, VerifyQrCodeWiring};
use stack_model::apigateway::{
    Authorization, HttpMethod, Integration, MethodProps, RestApiProps, RestResourceProps,
    StageProps,
};
use stack_model::{Stack, Value};

use super::bus::Bus;
use super::identity::Identity;
use super::tables::Tables;
use super::{API_STAGE, Settings};
use crate::pages;

/// Adds the service and returns the address of its API.
pub(super) fn add(
    stack: &mut Stack<'_>,
    settings: &Settings,
    tables: &Tables,
    bus: &Bus,
    identity: &Identity,
) -> Value<String> {
    let variables = &settings.variables;
    let show = stack.function(
        "GetQrCode",
        GetQrCode::bind(GetQrCodeWiring {
            table: &tables.codes,
            time_interval: i64::from(variables.time_interval).into(),
            code_length: i64::from(variables.code_length).into(),
            tokens_per_bucket: i64::from(variables.tokens_per_bucket).into(),
        }),
        settings.function("Shows the code of these minutes", 15),
    );
    let verify = stack.function(
        "VerifyQrCode",
        VerifyQrCode::bind(VerifyQrCodeWiring {
            table: &tables.codes,
            time_interval: i64::from(variables.time_interval).into(),
            bus: &bus.handle,
            source: settings.source(),
        }),
        settings.function("Takes one drink from a code and starts an order", 10),
    );

    let api = stack.rest_api("ValidatorApi", RestApiProps::default());
    let users = stack.rest_user_pool_authorizer("ValidatorApiUsers", &api, [&identity.users]);
    let users = Authorization::scopes(&users, ["aws.cognito.signin.user.admin"]);
    // Browsers take `*` for every header but `Authorization`, which has to be named; see
    // <https://fetch.spec.whatwg.org/#cors-non-wildcard-request-header-name>.
    let cors = pages::cors(
        [HttpMethod::Get, HttpMethod::Post, HttpMethod::Options],
        ["*", "Authorization"],
    );
    let code = stack.rest_resource(
        "QrCode",
        &api.root(),
        RestResourceProps {
            path_part: "qr-code".to_owned(),
            cors: Some(cors.clone()),
        },
    );
    let show = Integration::lambda_proxy(&show);
    let show = MethodProps::new(HttpMethod::Get, users.clone(), show);
    stack.rest_method("ShowCode", &code, show);
    let verify = Integration::lambda_proxy(&verify);
    let verify = MethodProps::new(HttpMethod::Post, users, verify);
    stack.rest_method("ScanCode", &code, verify);

    stack.rest_error_cors("ValidatorApiErrors", &api, &cors);
    let live = stack.rest_stage("ValidatorApiStage", &api, StageProps::named(API_STAGE));
    live.url(&api.root())
}
