//! The API: what people do with their albums.

use photos::{
    DeletePhoto, DeletePhotoWiring, ListPhotos, ListPhotosWiring, UploadPhoto, UploadPhotoWiring,
};
use stack_model::acm::CertificateProps;
use stack_model::apigateway::{
    Authorization as MethodAuthorization, Endpoint, HttpMethod, Integration, MethodProps,
    RestApiProps, RestResourceProps, StageProps, StageRef,
};
use stack_model::domains::{ApiDomainProps, ApiDomainRef, BasePath};
use stack_model::policy::Statement;
use stack_model::route53::{AliasTarget, AliasVersion, HostedZoneRef, Record, RecordProps};
use stack_model::{App, Stack, text};

use super::data::Data;
use super::identity::Identity;
use super::{Authorization, Domain, Variables, function_props};
use crate::pages::{self, AWS_HEADERS, USER_AGENT};

pub(super) fn describe(app: &mut App, variables: &Variables, data: &Data, identity: &Identity) {
    let stage = app.stage().name().to_owned();
    let mut stack = variables.stack(app, "photos-api");
    stack.describe("Lists, adds and removes the photos of the person who calls");
    let caller_identity = variables.authorization.caller_identity();

    let props = function_props(&stack, "list", "Lists the photos of the caller");
    let list = stack.function(
        "List",
        ListPhotos::bind(ListPhotosWiring {
            albums: &data.albums,
            caller_identity: caller_identity.into(),
        }),
        props,
    );
    let props = function_props(&stack, "upload", "Adds a photo to the caller's album");
    let upload = stack.function(
        "Upload",
        UploadPhoto::bind(UploadPhotoWiring {
            albums: &data.albums,
            caller_identity: caller_identity.into(),
        }),
        props,
    );
    let props = function_props(&stack, "delete", "Removes a photo of the caller");
    let delete = stack.function(
        "Delete",
        DeletePhoto::bind(DeletePhotoWiring {
            albums: &data.albums,
            photos: &data.photos,
            caller_identity: caller_identity.into(),
        }),
        props,
    );

    let api = stack.rest_api(
        "Api",
        RestApiProps {
            name: Some(format!("photos-{stage}").into()),
            endpoint: Endpoint::EdgeOptimized,
            ..RestApiProps::default()
        },
    );
    let authorization = match variables.authorization {
        Authorization::Iam => MethodAuthorization::Iam,
        Authorization::UserPool => {
            let users = stack.rest_user_pool_authorizer("Users", &api, [&identity.users]);
            MethodAuthorization::users(&users)
        }
    };
    let photos = stack.rest_resource(
        "Photos",
        &api.root(),
        RestResourceProps {
            path_part: "photos".to_owned(),
            cors: Some(pages::cors(
                [
                    HttpMethod::Options,
                    HttpMethod::Post,
                    HttpMethod::Delete,
                    HttpMethod::Get,
                ],
                AWS_HEADERS.into_iter().chain([USER_AGENT]),
            )),
        },
    );
    for (id, method, integration) in [
        (
            "PhotosGet",
            HttpMethod::Get,
            Integration::lambda_proxy(&list),
        ),
        (
            "PhotosPost",
            HttpMethod::Post,
            Integration::lambda_proxy(&upload),
        ),
        (
            "PhotosDelete",
            HttpMethod::Delete,
            Integration::lambda_proxy(&delete),
        ),
    ] {
        let props = MethodProps::new(method, authorization.clone(), integration);
        stack.rest_method(id, &photos, props);
    }
    stack.rest_error_cors("Errors", &api, &pages::cors([HttpMethod::Get], ["*"]));
    let live = stack.rest_stage("ApiStage", &api, StageProps::named(stage.clone()));

    if variables.authorization == Authorization::Iam {
        let calls = ["GET", "POST", "DELETE"]
            .map(|method| api.execute_arn(stage.as_str(), method, "/photos"));
        let call = calls
            .into_iter()
            .fold(Statement::allow(["execute-api:Invoke"]), Statement::on);
        stack.policy("CallApi", &identity.person, [call]);
    }

    if let Some(domain) = &variables.domain {
        let root = answer_at(&mut stack, domain, &live);
        stack
            .output("DomainUrl", text!("{}/photos", root.url()))
            .description("The same under the domain of the stage");
    }
    stack
        .output("ApiUrl", live.url(&photos))
        .description("Lists (GET), adds (POST) and removes (DELETE) photos of the caller");
}

/// Lets the API answer at a domain.
///
/// The domain is regional, so its certificate stands in the region of the API; that of a web page, which CloudFront
/// serves, would not do.
fn answer_at(stack: &mut Stack<'_>, domain: &Domain, live: &StageRef) -> ApiDomainRef {
    let zone = HostedZoneRef::existing(domain.zone_id.as_str(), domain.zone.as_str());
    let certificate = stack.certificate("Certificate", CertificateProps::new(&domain.name, &zone));
    let props = ApiDomainProps::regional(&domain.name, &certificate);
    let api_domain = stack.api_domain("Domain", props);
    stack.map_base_path("DomainRoot", &api_domain, BasePath::Root, live);
    let target = AliasTarget::api(&api_domain).evaluating_health();
    let alias = Record::Alias(target, AliasVersion::A);
    stack.record("DomainAlias", &zone, &domain.name, RecordProps::new(alias));
    api_domain
}
