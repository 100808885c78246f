//! AWS Systems Manager: parameters of Parameter Store.
//!
//! CloudFormation makes texts and lists of texts, and no `SecureString`: such a one is put there by hand or by a
//! pipeline, and used through [`ParameterRef::existing_secure`].

use std::marker::PhantomData;
use std::panic::Location;

use stack_model_cfn::ssm as cfn;
use stack_model_cfn::{Part, Pseudo, ResourceId, Token, Value};

use crate::arn::Arn;
use crate::handle::{ResourceRef, get_att, reference};
use crate::kms::{self, KeyOperation, KeyRef};
use crate::name::NameRule;
use crate::policy::Statement;
use crate::resource::Resource;
use crate::stack::Stack;
use crate::text;

/// Marks the ARN of a parameter.
#[derive(Debug)]
pub enum Parameter {}

/// What a parameter is made of, beyond its value.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-ssm-parameter.html>.
#[derive(Clone, Debug, Default)]
pub struct ParameterProps {
    /// The physical name, such as `/orders/dev/endpoint`: at most 1,011 letters, digits, `.`, `-`, `_` and `/`,
    /// where a name with a `/` starts with one. By default it is made of the names of the stack and the resource:
    /// `/orders-dev/Endpoint`.
    pub name: Option<Value<String>>,
    /// What the parameter is for, at most 1,024 characters.
    pub description: Option<String>,
    /// A regular expression that the value matches.
    pub allowed_pattern: Option<String>,
    /// How large the value may be and what it costs; `Standard` by default, which is AWS's.
    pub tier: Tier,
}

/// How large a value may be and what it costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tier {
    /// At most 4 KB, at no cost.
    #[default]
    Standard,
    /// At most 8 KB.
    Advanced,
    /// Standard where the value fits, advanced where it does not.
    IntelligentTiering,
}

impl Tier {
    const fn max_bytes(self) -> usize {
        match self {
            Self::Standard => 4096,
            Self::Advanced | Self::IntelligentTiering => 8192,
        }
    }
}

/// What a caller may do with a parameter.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ParameterOperation {
    /// Reads the value.
    Get,
    /// Reads and decrypts the value of a `SecureString`.
    GetDecrypted,
    /// Changes the value.
    Put,
}

impl ParameterOperation {
    /// Returns the IAM action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Get | Self::GetDecrypted => "ssm:GetParameter",
            Self::Put => "ssm:PutParameter",
        }
    }

    /// Returns what the caller must be allowed to do with the parameter's key; see
    /// <https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html>.
    const fn key_operations(self) -> &'static [KeyOperation] {
        match self {
            Self::Get => &[],
            Self::GetDecrypted => &[KeyOperation::Decrypt],
            Self::Put => &[KeyOperation::Encrypt],
        }
    }
}

/// The handle of a parameter whose text is read as a `T`.
pub struct ParameterRef<T> {
    origin: Origin,
    arn: Value<Arn<Parameter>>,
    key: Option<KeyRef>,
    value: PhantomData<fn() -> T>,
}

/// Where a parameter comes from.
#[derive(Clone, Debug)]
enum Origin {
    Stack(ResourceId),
    Elsewhere { name: String, secure: bool },
}

impl<T> Clone for ParameterRef<T> {
    fn clone(&self) -> Self {
        Self {
            origin: self.origin.clone(),
            arn: self.arn.clone(),
            key: self.key.clone(),
            value: PhantomData,
        }
    }
}

impl<T> std::fmt::Debug for ParameterRef<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParameterRef")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

impl<T> ParameterRef<T> {
    /// Stands for a parameter that somebody else keeps, in the account and region of the stack.
    pub fn existing(name: impl Into<String>) -> Self {
        Self::elsewhere(name.into(), false, None)
    }

    /// Stands for a `SecureString` that somebody else keeps; CloudFormation cannot make one. Without a key, it is
    /// encrypted with the account's key for Systems Manager, `aws/ssm`.
    ///
    /// ```
    /// use stack_model::ssm::{ParameterOperation, ParameterRef};
    ///
    /// let token = ParameterRef::<String>::existing_secure("/orders/dev/token", None);
    /// let statements = token.statements(&[ParameterOperation::GetDecrypted]);
    /// assert_eq!(statements[0].actions(), ["ssm:GetParameter"]);
    /// ```
    pub fn existing_secure(name: impl Into<String>, key: Option<&KeyRef>) -> Self {
        Self::elsewhere(name.into(), true, key.cloned())
    }

    fn elsewhere(name: String, secure: bool, key: Option<KeyRef>) -> Self {
        Self {
            arn: arn(name.starts_with('/'), name.as_str().into()),
            origin: Origin::Elsewhere { name, secure },
            key,
            value: PhantomData,
        }
    }

    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Parameter>> {
        self.arn.clone()
    }

    /// Returns the physical name.
    pub fn name(&self) -> Value<String> {
        match &self.origin {
            Origin::Stack(id) => reference(id),
            Origin::Elsewhere { name, .. } => Value::Literal(name.clone()),
        }
    }

    /// Returns the value, as CloudFormation reads it while it deploys. A `SecureString` can be read so in few
    /// properties of few resource types; see
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-ssm-secure-strings.html>.
    pub fn value(&self) -> Value<String> {
        match &self.origin {
            Origin::Stack(id) => get_att(id, "Value"),
            Origin::Elsewhere { name, secure } => Value::Token(Token::SsmParameter {
                name: name.clone(),
                version: None,
                secure: *secure,
            }),
        }
    }

    /// Returns the handle of the resource, unless somebody else keeps the parameter.
    pub fn resource(&self) -> Option<ResourceRef> {
        match &self.origin {
            Origin::Stack(id) => Some(ResourceRef { id: id.clone() }),
            Origin::Elsewhere { .. } => None,
        }
    }

    /// Returns what a role must allow for the given operations: exactly their actions on this parameter, and on its
    /// key where it has one of the customer's own.
    pub fn statements(&self, operations: &[ParameterOperation]) -> Vec<Statement> {
        let operations = operations
            .iter()
            .map(|operation| (operation.action(), operation.key_operations()));
        kms::allow_with_key(operations, self.arn(), "ssm", self.key.as_ref())
    }
}

impl Stack<'_> {
    /// Adds a parameter with a text as its value. A secret does not belong here: everybody who may read the template
    /// would read it.
    ///
    /// ```
    /// use stack_model::ssm::ParameterProps;
    /// use stack_model::text;
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders");
    ///
    /// let batch = stack.ssm_parameter::<u32>("BatchSize", "25", ParameterProps {
    ///     name: Some(text!("/orders/{}/batch-size", stack.stage().name())),
    ///     ..ParameterProps::default()
    /// });
    /// stack.output("ParameterName", batch.name());
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn ssm_parameter<T>(
        &mut self,
        logical_id: &str,
        value: impl Into<Value<String>>,
        props: ParameterProps,
    ) -> ParameterRef<T> {
        let source = Location::caller();
        self.parameter_of("String", logical_id, value.into(), props, source)
    }

    /// Adds a parameter with a list of texts as its value, which is read as one text with commas between them.
    #[track_caller]
    pub fn ssm_parameter_list<T>(
        &mut self,
        logical_id: &str,
        values: impl IntoIterator<Item = T>,
        props: ParameterProps,
    ) -> ParameterRef<String>
    where
        T: Into<String>,
    {
        let source = Location::caller();
        let values: Vec<String> = values.into_iter().map(Into::into).collect();
        if let Some(value) = values.iter().find(|value| value.contains(',')) {
            let message = format!("`{value}` holds a comma, which would make two of it");
            self.report(logical_id, Some("Properties.Value"), message, source);
        }
        let value = values.join(",").into();
        self.parameter_of("StringList", logical_id, value, props, source)
    }

    fn parameter_of<T>(
        &mut self,
        kind: &str,
        logical_id: &str,
        value: Value<String>,
        props: ParameterProps,
        source: &Location<'_>,
    ) -> ParameterRef<T> {
        let name = props
            .name
            .clone()
            .unwrap_or_else(|| format!("/{}/{logical_id}", self.name()).into());
        let rooted = self.check_parameter(logical_id, &name, &value, &props, source);
        let tier = match props.tier {
            Tier::Standard => None,
            Tier::Advanced => Some("Advanced".to_owned()),
            Tier::IntelligentTiering => Some("Intelligent-Tiering".to_owned()),
        };
        let parameter = cfn::Parameter {
            allowed_pattern: props.allowed_pattern.into(),
            description: props.description.into(),
            name: name.into(),
            tier: tier.into(),
            type_: kind.into(),
            value: value.into(),
            ..cfn::Parameter::default()
        };
        let id = self.insert(logical_id, Resource::of(&parameter, source)).id;
        ParameterRef {
            arn: arn(rooted, reference(&id)),
            origin: Origin::Stack(id),
            key: None,
            value: PhantomData,
        }
    }

    /// Reports what Parameter Store would refuse, and returns whether the name starts with a `/`.
    fn check_parameter(
        &mut self,
        id: &str,
        name: &Value<String>,
        value: &Value<String>,
        props: &ParameterProps,
        source: &Location<'_>,
    ) -> bool {
        let (bytes, most) = (
            value.literal().map_or(0, String::len),
            props.tier.max_bytes(),
        );
        if value.literal().is_some_and(String::is_empty) || bytes > most {
            let message = format!(
                "the value has {bytes} bytes and a parameter of this tier takes 1 to {most}"
            );
            self.report(id, Some("Properties.Value"), message, source);
        }
        let path = "Properties.Name";
        self.check_name(id, path, Some(name), NAME, source);
        match name {
            Value::Literal(name) => {
                let rooted = name.starts_with('/');
                if name.contains('/') && !rooted {
                    let message = format!("`{name}` holds a `/` and does not start with one");
                    self.report(id, Some(path), message, source);
                }
                rooted
            }
            Value::Token(token) => {
                let start = match token {
                    Token::Sub(parts) => parts.first(),
                    _ => None,
                };
                if let Some(Part::Text(text)) = start {
                    return text.starts_with('/');
                }
                let message = "the name starts with what only the deployment knows, so its ARN cannot be told: start it with a text, such as `/`";
                self.report(id, Some(path), message, source);
                false
            }
        }
    }
}

/// Returns what a role must allow to read every parameter below a path, such as `/orders/dev`, in the account and region
/// of the stack. It reads more than a stack knows of; a handle's statements name one parameter.
///
/// ```
/// let statement = stack_model::ssm::read_below("/orders/dev");
/// assert_eq!(statement.actions().len(), 3);
/// ```
pub fn read_below(path: &str) -> Statement {
    let path = path.trim_matches('/');
    let below = text!(
        "arn:{}:ssm:{}:{}:parameter/{}/*",
        Pseudo::Partition,
        Pseudo::Region,
        Pseudo::AccountId,
        path
    );
    let statement = Statement::allow([
        "ssm:GetParameter",
        "ssm:GetParameters",
        "ssm:GetParametersByPath",
    ]);
    let statement = statement
        .on(below)
        .because("every parameter below the path is read");
    if path.is_empty() {
        statement
            .wrong("the path `/` is above every parameter of the account: name one of your own")
    } else {
        statement
    }
}

/// Makes the ARN of a parameter; a name that starts with a `/` brings the one after `parameter`. See
/// <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssystemsmanager.html>.
fn arn(rooted: bool, name: Value<String>) -> Value<Arn<Parameter>> {
    text!(
        "arn:{}:ssm:{}:{}:parameter{}{}",
        Pseudo::Partition,
        Pseudo::Region,
        Pseudo::AccountId,
        if rooted { "" } else { "/" },
        name
    )
    .map(Arn::composed)
}

/// See <https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-paramstore-su-create.html>.
const NAME: NameRule = NameRule {
    min: 1,
    max: 1011,
    others: ".-_/",
};

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/ssm.md")]
struct Guide;
