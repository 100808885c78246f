//! Resources of an API: the segments of its paths.

use std::panic::Location;

use stack_model_cfn::apigateway as cfn;
use stack_model_cfn::{Render, ResourceId, Value};

use super::authorizer::Authorization;
use super::cors::MethodCors;
use super::method::{HttpMethod, MethodProps};
use super::{Cors, RestApiRef};
use crate::handle::{Handle, ResourceRef, reference};
use crate::resource::{self, Resource};
use crate::stack::Stack;

/// One segment of a path.
///
/// A literal segment converts from its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestResourceProps {
    /// The segment: a text such as `orders`, a parameter such as `{id}`, or `{proxy+}` for the rest of the path.
    pub path_part: String,
    /// Which web pages may call the methods of this resource; none by default.
    pub cors: Option<Cors>,
}

impl From<&str> for RestResourceProps {
    fn from(path_part: &str) -> Self {
        Self {
            path_part: path_part.to_owned(),
            cors: None,
        }
    }
}

/// The handle of a resource of an API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestResourceRef {
    pub(super) api: RestApiRef,
    /// The resource, or `None` for `/`, which every API has.
    id: Option<ResourceId>,
    /// The path from the root, empty for the root itself.
    path: String,
    pub(super) cors: Option<Cors>,
    /// The method that answers the preflights of pages.
    preflight: Option<ResourceId>,
}

impl RestResourceRef {
    pub(super) fn root(api: RestApiRef) -> Self {
        Self {
            api,
            id: None,
            path: String::new(),
            cors: None,
            preflight: None,
        }
    }

    /// Returns the path, such as `/orders/{id}`.
    pub fn path(&self) -> &str {
        if self.path.is_empty() {
            "/"
        } else {
            &self.path
        }
    }

    /// Returns the API.
    pub fn api(&self) -> &RestApiRef {
        &self.api
    }

    /// Returns the physical id, with which another stack can add to the path.
    ///
    /// Within an app the handle itself is enough. For other tools it can be exported by a name of one's own:
    /// `stack.output("UserPath", user.rest_resource_id()).export("users-dev-UserPath")`; uses in other stacks of the app
    /// then import it by that name.
    pub fn rest_resource_id(&self) -> Value<String> {
        self.id
            .as_ref()
            .map_or_else(|| self.api.root_resource_id(), reference)
    }

    /// Returns the path as an ARN of a request has it, with a wildcard for each parameter.
    pub(super) fn path_in_arn(&self) -> String {
        let segments = self.path().split('/').map(|segment| {
            let parameter = segment.starts_with('{');
            if parameter { "*" } else { segment }
        });
        segments.collect::<Vec<_>>().join("/")
    }
}

impl Handle for RestResourceRef {
    /// Returns the id of the resource; the root is part of the API itself.
    fn resource_id(&self) -> &ResourceId {
        self.id.as_ref().unwrap_or_else(|| self.api.resource_id())
    }
}

impl Stack<'_> {
    /// Adds one segment to a path of an API, below the root or below another segment.
    ///
    /// With [`RestResourceProps::cors`] it gets the preflight `<Id>Preflight`.
    #[track_caller]
    pub fn rest_resource(
        &mut self,
        logical_id: &str,
        parent: &RestResourceRef,
        props: impl Into<RestResourceProps>,
    ) -> RestResourceRef {
        let source = Location::caller();
        let RestResourceProps { path_part, cors } = props.into();
        if let Some(message) = wrong_path_part(&path_part) {
            self.report(logical_id, Some("Properties.PathPart"), message, source);
        }
        if parent.path.ends_with("+}") {
            let message = format!(
                "nothing can follow `{}`, which takes the rest of the path",
                parent.path()
            );
            self.report(logical_id, Some("Properties.ParentId"), message, source);
        }
        let resource = cfn::Resource {
            parent_id: parent.rest_resource_id().into(),
            path_part: path_part.as_str().into(),
            rest_api_id: parent.api.rest_api_id().into(),
        };
        let id = self.insert(logical_id, Resource::of(&resource, source)).id;
        let handle = RestResourceRef {
            api: parent.api.clone(),
            id: Some(id),
            path: format!("{}/{path_part}", parent.path),
            cors,
            preflight: None,
        };
        self.add_preflight(logical_id, handle, source)
    }

    /// Lets web pages call the methods of a resource that was added without it, such as the root, and returns the
    /// handle to add those methods with.
    ///
    /// Adds the preflight `<Id>Preflight`.
    #[track_caller]
    pub fn rest_cors(
        &mut self,
        logical_id: &str,
        resource: &RestResourceRef,
        cors: Cors,
    ) -> RestResourceRef {
        let source = Location::caller();
        let handle = RestResourceRef {
            cors: Some(cors),
            ..resource.clone()
        };
        self.add_preflight(logical_id, handle, source)
    }

    fn add_preflight(
        &mut self,
        logical_id: &str,
        resource: RestResourceRef,
        source: &'static Location<'static>,
    ) -> RestResourceRef {
        let Some(cors) = &resource.cors else {
            return resource;
        };
        let preflight = format!("{logical_id}Preflight");
        self.check_rest_cors(&preflight, cors, source);
        // A browser sends its preflight without credentials, so nothing may be asked of it.
        let answer = cors.preflight(&[]);
        let mut props = MethodProps::new(HttpMethod::Options, Authorization::None, answer);
        // The preflight has all its headers already.
        props.cors = MethodCors::Closed;
        let bare = RestResourceRef {
            cors: None,
            ..resource.clone()
        };
        let method = self.add_method(&preflight, &bare, props, source);
        RestResourceRef {
            preflight: Some(method.resource_id().clone()),
            ..resource
        }
    }

    /// Reports what is wrong with what is said about pages.
    pub(super) fn check_rest_cors(&mut self, logical_id: &str, cors: &Cors, source: &Location<'_>) {
        if let Some(message) = cors.violation() {
            self.report(logical_id, None, message, source);
        }
        self.check_limit(logical_id, "Access-Control-Max-Age", cors.max_age, source);
    }

    /// Makes the preflight of a resource answer for a method that has headers of its own.
    pub(super) fn extend_preflight(
        &mut self,
        resource: &RestResourceRef,
        method: HttpMethod,
        own: &Cors,
        source: &Location<'_>,
    ) {
        let (Some(id), Some(cors)) = (&resource.preflight, &resource.cors) else {
            return;
        };
        let own_of = self.data().preflights.entry(id.logical_id().to_owned());
        let own_of = own_of.or_default();
        own_of.push((method, own.clone()));
        let integration = cors.preflight(own_of);
        let responses = integration.render_method_responses().render();
        let integration = integration.render(Vec::new()).render();
        self.change_at(&ResourceRef { id: id.clone() }, source, |preflight| {
            resource::set(&mut preflight.properties, "Integration", integration);
            resource::set(&mut preflight.properties, "MethodResponses", responses);
        });
    }
}

/// Says what is wrong with a segment, if anything; see
/// <https://docs.aws.amazon.com/apigateway/latest/api/API_Resource.html>.
fn wrong_path_part(path_part: &str) -> Option<String> {
    let name = path_part
        .strip_prefix('{')
        .and_then(|name| name.strip_suffix('}'))
        .map(|name| name.strip_suffix('+').unwrap_or(name));
    let fits = match name {
        Some(name) => {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "_-.".contains(c))
        }
        None => {
            !path_part.is_empty()
                && path_part
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || "-._~:!$&'()*+,;=@%".contains(c))
        }
    };
    (!fits).then(|| {
        format!(
            "`{path_part}` is not one segment of a path: use letters, digits and punctuation without a slash, a parameter such as {{id}}, or {{proxy+}}"
        )
    })
}

#[cfg(test)]
mod tests {
    use super::wrong_path_part;

    #[test]
    fn a_segment_is_a_text_or_a_parameter() {
        for fine in ["orders", "v1.0", "{id}", "{proxy+}", "a-b_c", "a:b"] {
            assert_eq!(wrong_path_part(fine), None, "{fine}");
        }
        for wrong in ["", "/orders", "a/b", "{}", "{+}", "{a b}", "{id", "über"] {
            assert!(wrong_path_part(wrong).is_some(), "{wrong}");
        }
    }
}
