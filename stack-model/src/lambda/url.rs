//! URLs of functions.

use std::panic::Location;

use stack_model_cfn::lambda as cfn;
use stack_model_cfn::{ResourceId, Value, list};

use super::FunctionRef;
use crate::contract::{Accepts, event};
use crate::handle::{Handle, get_att};
use crate::limit::Limited;
use crate::policy::Statement;
use crate::resource::Resource;
use crate::stack::Stack;

/// For how long a browser remembers what a URL allows, in seconds.
pub type UrlCorsAge = Limited<0, 86_400>;

/// What the URL of a function is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-url.html>.
#[derive(Clone, Debug, Default)]
pub struct FunctionUrlProps {
    /// Who may call it; callers with the right of IAM by default.
    pub access: UrlAccess,
    /// Which web sites may call it from a browser; none by default.
    pub cors: Option<UrlCors>,
}

/// Who may call the URL of a function.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum UrlAccess {
    /// Callers whose role allows it; see [`FunctionUrlRef::statements`].
    #[default]
    Iam,
    /// Everyone on the internet. Says why, as nothing else keeps anybody out.
    Public {
        /// Why everyone may call it.
        because: String,
    },
}

/// Which web sites may call a URL from a browser.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct UrlCors {
    /// The origins, such as `https://example.com`.
    pub origins: Vec<Value<String>>,
    /// The methods; all by default.
    pub methods: Vec<String>,
    /// The headers that a request may have.
    pub headers: Vec<String>,
    /// Whether the browser sends cookies and credentials.
    pub credentials: bool,
    /// For how long the browser remembers the answer.
    pub maximum_age: Option<UrlCorsAge>,
}

/// The handle of the URL of a function.
#[derive(Clone, Debug, PartialEq)]
pub struct FunctionUrlRef {
    id: ResourceId,
    function_arn: Value<String>,
}

impl FunctionUrlRef {
    /// Returns the URL, with a slash at its end.
    pub fn url(&self) -> Value<String> {
        get_att(&self.id, "FunctionUrl")
    }

    /// Returns what a caller's role must allow to call the URL, where IAM decides. See
    /// <https://docs.aws.amazon.com/lambda/latest/dg/urls-auth.html>.
    pub fn statements(&self) -> Vec<Statement> {
        vec![
            Statement::allow(["lambda:InvokeFunctionUrl"])
                .on(self.function_arn.clone())
                .when("StringEquals", "lambda:FunctionUrlAuthType", "AWS_IAM"),
            Statement::allow(["lambda:InvokeFunction"])
                .on(self.function_arn.clone())
                .when("Bool", "lambda:InvokedViaFunctionUrl", "true"),
        ]
    }
}

impl Handle for FunctionUrlRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}

impl Stack<'_> {
    /// Gives a function a URL, `<Function>Url`, which answers requests as an HTTP API does.
    ///
    /// A public one also gets the permissions `<Function>UrlPermission` and `<Function>UrlInvokePermission`, for
    /// everyone.
    #[track_caller]
    pub fn function_url<F: Accepts<event::HttpRequest>>(
        &mut self,
        function: &FunctionRef<F>,
        props: FunctionUrlProps,
    ) -> FunctionUrlRef {
        let source = Location::caller();
        let id = format!("{}Url", function.resource_id().logical_id());
        if let Some(cors) = &props.cors {
            self.check_limit(&id, "Properties.Cors.MaxAge", cors.maximum_age, source);
            let any = |origin: &Value<String>| origin.literal().is_some_and(|it| it == "*");
            if cors.credentials && cors.origins.iter().any(any) {
                let message =
                    "with credentials, the origins must be named: `*` is refused by browsers";
                let path = "Properties.Cors.AllowOrigins";
                self.report(&id, Some(path), message, source);
            }
        }
        let auth_type = match &props.access {
            UrlAccess::Iam => "AWS_IAM",
            UrlAccess::Public { because } => {
                if because.trim().is_empty() {
                    let message = "say why everyone may call the URL";
                    self.report(&id, Some("Properties.AuthType"), message, source);
                }
                self.let_everyone_in(&id, function, source);
                "NONE"
            }
        };
        let url = cfn::Url {
            auth_type: auth_type.into(),
            cors: props.cors.map(cors).into(),
            qualifier: function.qualifier().map(str::to_owned).into(),
            target_function_arn: function.latest_arn().into_text().into(),
            ..cfn::Url::default()
        };
        let mut url = Resource::of(&url, source);
        url.depends_on
            .extend(function.alias().map(|alias| alias.id));
        FunctionUrlRef {
            id: self.insert(&id, url).id,
            function_arn: function.arn().into_text(),
        }
    }

    /// Lets everyone call a URL, and invoke the function by way of it alone.
    fn let_everyone_in<F>(&mut self, url: &str, function: &FunctionRef<F>, source: &Location<'_>) {
        let call = cfn::Permission {
            action: "lambda:InvokeFunctionUrl".into(),
            function_name: function.arn().into_text().into(),
            function_url_auth_type: "NONE".into(),
            principal: "*".into(),
            ..cfn::Permission::default()
        };
        self.insert(&format!("{url}Permission"), Resource::of(&call, source));
        let invoke = cfn::Permission {
            action: "lambda:InvokeFunction".into(),
            function_name: function.arn().into_text().into(),
            invoked_via_function_url: true.into(),
            principal: "*".into(),
            ..cfn::Permission::default()
        };
        let id = format!("{url}InvokePermission");
        self.insert(&id, Resource::of(&invoke, source));
    }
}

fn cors(cors: UrlCors) -> cfn::url::Cors {
    let methods = if cors.methods.is_empty() {
        vec!["*".to_owned()]
    } else {
        cors.methods
    };
    cfn::url::Cors {
        allow_credentials: cors.credentials.then_some(true).into(),
        allow_headers: (!cors.headers.is_empty())
            .then(|| {
                cors.headers
                    .into_iter()
                    .map(Value::Literal)
                    .collect::<Vec<_>>()
            })
            .into(),
        allow_methods: list(methods),
        allow_origins: cors.origins.into(),
        max_age: cors.maximum_age.map(Limited::number).into(),
        ..cfn::url::Cors::default()
    }
}
