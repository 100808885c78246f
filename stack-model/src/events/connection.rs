//! APIs outside AWS that rules call, and how they are authorized.

use std::panic::Location;

use stack_model_cfn::events as cfn;
use stack_model_cfn::events::connection as connection_cfn;
use stack_model_cfn::{ResourceId, Value};

use crate::arn::Arn;
use crate::handle::{Handle, get_att, reference};
use crate::limit::Limited;
use crate::policy::Statement;
use crate::resource::Resource;
use crate::stack::Stack;

/// Marks the ARN of a connection.
#[derive(Debug)]
pub enum Connection {}

/// Marks the ARN of an API destination.
#[derive(Debug)]
pub enum ApiDestination {}

/// How many calls an API takes in a second.
pub type InvocationRate = Limited<1, { i32::MAX.unsigned_abs() }>;

/// How calls to an API are authorized. The secret parts are references to a secret, as
/// [`SecretRef::value`](crate::secretsmanager::SecretRef::value) makes them, so that they never stand in a template.
#[derive(Clone, Debug, PartialEq)]
pub enum Authorization {
    /// With a key in a header.
    ApiKey {
        /// The name of the header.
        header: Value<String>,
        /// The key.
        key: Value<String>,
    },
    /// With a name and a password.
    Basic {
        /// The name.
        user: Value<String>,
        /// The password.
        password: Value<String>,
    },
    /// With a token that EventBridge gets from an OAuth endpoint with client credentials.
    ClientCredentials {
        /// The URL that hands out tokens.
        endpoint: Value<String>,
        /// The id of the client.
        client_id: Value<String>,
        /// The secret of the client.
        client_secret: Value<String>,
    },
}

/// The method of a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HttpMethod {
    /// `POST`.
    #[default]
    Post,
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
    /// `OPTIONS`.
    Options,
    /// `PUT`.
    Put,
    /// `PATCH`.
    Patch,
    /// `DELETE`.
    Delete,
}

impl HttpMethod {
    /// Returns the word that HTTP uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Post => "POST",
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Options => "OPTIONS",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// The handle of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectionRef {
    id: ResourceId,
}

impl ConnectionRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Connection>> {
        get_att(&self.id, "Arn")
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        reference(&self.id)
    }
}

impl Handle for ConnectionRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

/// What an API destination is made of, beyond its connection.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-events-apidestination.html>.
#[derive(Clone, Debug)]
pub struct ApiDestinationProps {
    /// The URL, which starts with `https://`.
    pub url: Value<String>,
    /// The method; `POST` by default.
    pub method: HttpMethod,
    /// How many calls the API takes in a second; 300 by default, which is AWS's.
    pub rate: Option<InvocationRate>,
    /// What the API is for, at most 512 characters.
    pub description: Option<String>,
}

impl ApiDestinationProps {
    /// Posts to a URL.
    pub fn post(url: impl Into<Value<String>>) -> Self {
        Self {
            url: url.into(),
            method: HttpMethod::Post,
            rate: None,
            description: None,
        }
    }
}

/// The handle of an API destination.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiDestinationRef {
    id: ResourceId,
}

impl ApiDestinationRef {
    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<ApiDestination>> {
        get_att(&self.id, "Arn")
    }

    /// Returns what a role must allow to call the API.
    pub fn invoke_statement(&self) -> Statement {
        let arn: Value<String> = get_att(&self.id, "ArnForPolicy");
        Statement::allow(["events:InvokeApiDestination"]).on(crate::text!("{}/*", arn)).because(
            "the ARN of an API destination ends with an id that changes whenever it is made anew",
        )
    }
}

impl Handle for ApiDestinationRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Adds a connection: how calls to an API are authorized.
    #[track_caller]
    pub fn connection(&mut self, logical_id: &str, authorization: Authorization) -> ConnectionRef {
        let source = Location::caller();
        let (kind, parameters) = match authorization {
            Authorization::ApiKey { header, key } => {
                let path = "Properties.AuthParameters.ApiKeyAuthParameters.ApiKeyValue";
                self.check_secret(logical_id, path, &key, source);
                let parameters = connection_cfn::AuthParameters {
                    api_key_auth_parameters: connection_cfn::ApiKeyAuthParameters {
                        api_key_name: header.into(),
                        api_key_value: key.into(),
                    }
                    .into(),
                    ..connection_cfn::AuthParameters::default()
                };
                ("API_KEY", parameters)
            }
            Authorization::Basic { user, password } => {
                let path = "Properties.AuthParameters.BasicAuthParameters.Password";
                self.check_secret(logical_id, path, &password, source);
                let parameters = connection_cfn::AuthParameters {
                    basic_auth_parameters: connection_cfn::BasicAuthParameters {
                        password: password.into(),
                        username: user.into(),
                    }
                    .into(),
                    ..connection_cfn::AuthParameters::default()
                };
                ("BASIC", parameters)
            }
            Authorization::ClientCredentials {
                endpoint,
                client_id,
                client_secret,
            } => {
                let path =
                    "Properties.AuthParameters.OAuthParameters.ClientParameters.ClientSecret";
                self.check_secret(logical_id, path, &client_secret, source);
                let parameters = connection_cfn::AuthParameters {
                    oauth_parameters: connection_cfn::OAuthParameters {
                        authorization_endpoint: endpoint.into(),
                        client_parameters: connection_cfn::ClientParameters {
                            client_id: client_id.into(),
                            client_secret: client_secret.into(),
                        }
                        .into(),
                        http_method: "POST".into(),
                        ..connection_cfn::OAuthParameters::default()
                    }
                    .into(),
                    ..connection_cfn::AuthParameters::default()
                };
                ("OAUTH_CLIENT_CREDENTIALS", parameters)
            }
        };
        let connection = cfn::Connection {
            auth_parameters: parameters.into(),
            authorization_type: kind.into(),
            ..cfn::Connection::default()
        };
        ConnectionRef {
            id: self
                .insert(logical_id, Resource::of(&connection, source))
                .id,
        }
    }

    /// Adds an API that rules call.
    ///
    /// ```
    /// use stack_model::events::{ApiDestinationProps, Authorization};
    /// use stack_model::secretsmanager::SecretProps;
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders");
    ///
    /// let key = stack.secret::<String>("PartnerKey", SecretProps::default());
    /// let partner = stack.connection("Partner", Authorization::ApiKey {
    ///     header: "x-api-key".into(),
    ///     key: key.value(),
    /// });
    /// let orders = stack.api_destination(
    ///     "PartnerOrders",
    ///     &partner,
    ///     ApiDestinationProps::post("https://partner.example.com/orders"),
    /// );
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn api_destination(
        &mut self,
        logical_id: &str,
        connection: &ConnectionRef,
        props: ApiDestinationProps,
    ) -> ApiDestinationRef {
        let source = Location::caller();
        let path = "Properties.InvocationRateLimitPerSecond";
        self.check_limit(logical_id, path, props.rate, source);
        if props
            .url
            .literal()
            .is_some_and(|url| !url.starts_with("https://"))
        {
            let message = "the URL does not start with `https://`";
            let path = "Properties.InvocationEndpoint";
            self.report(logical_id, Some(path), message, source);
        }
        let destination = cfn::ApiDestination {
            connection_arn: connection.arn().into_text().into(),
            description: props.description.into(),
            http_method: props.method.name().into(),
            invocation_endpoint: props.url.into(),
            invocation_rate_limit_per_second: props.rate.map(Limited::number).into(),
            ..cfn::ApiDestination::default()
        };
        ApiDestinationRef {
            id: self
                .insert(logical_id, Resource::of(&destination, source))
                .id,
        }
    }

    /// Reports a secret that stands in the template.
    fn check_secret(
        &mut self,
        logical_id: &str,
        path: &str,
        secret: &Value<String>,
        source: &Location<'_>,
    ) {
        if secret
            .literal()
            .is_some_and(|secret| !secret.starts_with("{{resolve:"))
        {
            let message = "a secret stands in the template: keep it in Secrets Manager and give `secret.value()`";
            self.report(logical_id, Some(path), message, source);
        }
    }
}
