//! What IAM and AWS IoT fill in for each request.

use stack_model_cfn::{Expr, Part};

use crate::text::IntoPart;

/// A variable that stands in a policy as it is, and is filled in when a request is decided.
///
/// It is no placeholder of a template: CloudFormation leaves it alone.
///
/// ```
/// use stack_model::policy::{PolicyVariable, Statement};
/// use stack_model::text;
/// # use stack_model::{App, Stage, s3::BucketProps};
/// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
/// # let mut app = App::new(Stage::new(request));
/// # let mut stack = app.stack("photos");
/// # let photos = stack.bucket("Photos", BucketProps::default());
///
/// let own = Statement::allow(["s3:GetObject"])
///     .on(text!("{}/private/{}/*", photos.arn(), PolicyVariable::CognitoIdentity))
///     .because("every caller has objects of their own");
/// ```
///
/// See <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html> and, for AWS IoT,
/// <https://docs.aws.amazon.com/iot/latest/developerguide/iot-policy-variables.html>.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyVariable {
    /// The identity of the caller in an identity pool: `${cognito-identity.amazonaws.com:sub}`.
    CognitoIdentity,
    /// The identity pool of the caller: `${cognito-identity.amazonaws.com:aud}`.
    CognitoIdentityPool,
    /// A tag of the calling role or session: `${aws:PrincipalTag/key}`.
    PrincipalTag(String),
    /// The account of the caller: `${aws:PrincipalAccount}`.
    PrincipalAccount,
    /// The client id of a connection, in a policy of AWS IoT: `${iot:ClientId}`.
    IotClient,
    /// The thing of a connection, in a policy of AWS IoT: `${iot:Connection.Thing.ThingName}`.
    IotThing,
    /// An attribute of the thing of a connection, in a policy of AWS IoT: `${iot:Connection.Thing.Attributes[key]}`.
    IotThingAttribute(String),
}

impl PolicyVariable {
    /// Returns the variable as a policy holds it.
    pub fn text(&self) -> String {
        match self {
            Self::CognitoIdentity => "${cognito-identity.amazonaws.com:sub}".to_owned(),
            Self::CognitoIdentityPool => "${cognito-identity.amazonaws.com:aud}".to_owned(),
            Self::PrincipalTag(key) => format!("${{aws:PrincipalTag/{key}}}"),
            Self::PrincipalAccount => "${aws:PrincipalAccount}".to_owned(),
            Self::IotClient => "${iot:ClientId}".to_owned(),
            Self::IotThing => "${iot:Connection.Thing.ThingName}".to_owned(),
            Self::IotThingAttribute(key) => {
                format!("${{iot:Connection.Thing.Attributes[{key}]}}")
            }
        }
    }
}

impl IntoPart for PolicyVariable {
    fn into_part(self) -> Part {
        Part::Text(self.text())
    }
}

impl From<PolicyVariable> for Expr {
    fn from(variable: PolicyVariable) -> Self {
        Self::String(variable.text())
    }
}
