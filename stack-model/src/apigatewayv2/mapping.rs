//! Which part of a domain a stage answers.

use std::panic::Location;

use stack_model_cfn::Value;
use stack_model_cfn::apigatewayv2 as cfn;

use super::stage::HttpStageRef;
use super::websocket::WebSocketStageRef;
use crate::domains::ApiDomainRef;
use crate::handle::ResourceRef;
use crate::resource::Resource;
use crate::stack::Stack;

/// The part of a domain that a stage of an HTTP or WebSocket API answers.
///
/// See <https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-mappings.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ApiPath {
    /// All of it that no other mapping names.
    #[default]
    Root,
    /// What begins with these steps, such as `orders/v1`.
    Below(String),
}

impl Stack<'_> {
    /// Has a stage of an HTTP API answer a part of a regional domain.
    #[track_caller]
    pub fn map_http_stage(
        &mut self,
        logical_id: &str,
        domain: &ApiDomainRef,
        path: ApiPath,
        stage: &HttpStageRef,
    ) -> ResourceRef {
        let api = stage.api().api_id();
        self.map_api(
            logical_id,
            domain,
            path,
            api,
            stage.name(),
            Location::caller(),
        )
    }

    /// Has a stage of a WebSocket API answer a part of a regional domain, which must not answer for APIs of other kinds.
    #[track_caller]
    pub fn map_websocket_stage(
        &mut self,
        logical_id: &str,
        domain: &ApiDomainRef,
        path: ApiPath,
        stage: &WebSocketStageRef,
    ) -> ResourceRef {
        let api = stage.api().api_id();
        self.map_api(
            logical_id,
            domain,
            path,
            api,
            stage.name(),
            Location::caller(),
        )
    }

    fn map_api(
        &mut self,
        logical_id: &str,
        domain: &ApiDomainRef,
        path: ApiPath,
        api: Value<String>,
        stage: Value<String>,
        source: &Location<'_>,
    ) -> ResourceRef {
        if !domain.is_regional() {
            let message =
                "an edge-optimised domain answers for REST APIs only: make the domain regional";
            self.report(logical_id, Some("Properties.DomainName"), message, source);
        }
        let key = match path {
            ApiPath::Root => None,
            ApiPath::Below(path) => {
                let fits = path.len() <= 300
                    && path.split('/').all(|step| {
                        !step.is_empty()
                            && step
                                .chars()
                                .all(|c| c.is_ascii_alphanumeric() || "$-_.+!*'()".contains(c))
                    });
                if !fits {
                    let message = format!(
                        "`{path}` is not the beginning of a path: write steps of letters, digits and `$-_.+!*'()` with a `/` between two"
                    );
                    self.report(
                        logical_id,
                        Some("Properties.ApiMappingKey"),
                        message,
                        source,
                    );
                }
                Some(path)
            }
        };
        let mapping = cfn::ApiMapping {
            api_id: api.into(),
            api_mapping_key: key.into(),
            domain_name: domain.name().into(),
            stage: stage.into(),
        };
        self.insert(logical_id, Resource::of(&mapping, source))
    }
}
