//! AWS Secrets Manager: secrets.
//!
//! No secret value stands in a template. Secrets Manager makes it up, or somebody puts it there once the stack is
//! deployed.
//!
//! | child | logical id |
//! |---|---|
//! | the policy of a secret | `<Secret>Policy` |
//! | the permission to invoke the function of a rotation | `<Rotation>Permission` |

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::panic::Location;

use stack_model_cfn::secretsmanager as cfn;
use stack_model_cfn::{Property, ResourceId, Token, Value};

use crate::arn::Arn;
use crate::handle::{ResourceRef, get_att};
use crate::kms::{self, KeyOperation, KeyRef};
use crate::limit::Limited;
use crate::name::NameRule;
use crate::policy::Statement;
use crate::resource::Resource;
use crate::stack::Stack;

mod rotation;

pub use rotation::{RotationDays, RotationHours, RotationProps, SecretReplica};

/// Marks the ARN of a secret.
#[derive(Debug)]
pub enum Secret {}

/// The length of a password that Secrets Manager makes up.
pub type PasswordLength = Limited<1, 4096>;

/// What a secret is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-secretsmanager-secret.html>.
#[derive(Clone, Debug, Default)]
pub struct SecretProps {
    /// The physical name: 1 to 512 letters, digits and `/_+=.@-`. Leave it out unless something outside the stack
    /// needs it: the name of a deleted secret is taken for up to 30 days.
    pub name: Option<Value<String>>,
    /// What the secret is for, at most 2,048 characters.
    pub description: Option<String>,
    /// Where the value comes from; Secrets Manager makes it up by default.
    pub content: Content,
    /// A key of the customer's own; the account's key for Secrets Manager, `aws/secretsmanager`, by default.
    pub key: Option<KeyRef>,
    /// Copies in other regions; none by default.
    pub replicas: Vec<SecretReplica>,
}

/// Where the value of a secret comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Secrets Manager makes up a password, which is the whole value.
    Generated(Password),
    /// Secrets Manager makes up a password and puts it into a JSON object.
    GeneratedField {
        /// The other fields of the object, none of them secret.
        fields: BTreeMap<String, String>,
        /// The field that holds the password.
        field: String,
        /// The password.
        password: Password,
    },
    /// Somebody puts the value there once the stack is deployed; until then, reading it fails.
    Later,
}

impl Default for Content {
    fn default() -> Self {
        Self::Generated(Password::default())
    }
}

/// What a password that Secrets Manager makes up looks like.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Password {
    /// How long it is; 32 characters by default, which is AWS's.
    pub length: Option<PasswordLength>,
    /// Characters that it does not have, such as `"@/\`.
    pub without: String,
    /// Whether it has letters and digits only.
    pub alphanumeric: bool,
}

/// What a caller may do with a secret.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/list_awssecretsmanager.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretOperation {
    /// Reads the value.
    Read,
    /// Writes a new value.
    Write,
    /// Reads what the secret is, but not its value.
    Describe,
}

impl SecretOperation {
    /// Returns the IAM action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::Read => "secretsmanager:GetSecretValue",
            Self::Write => "secretsmanager:PutSecretValue",
            Self::Describe => "secretsmanager:DescribeSecret",
        }
    }

    /// Returns what the caller must be allowed to do with the secret's key; see
    /// <https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html>.
    const fn key_operations(self) -> &'static [KeyOperation] {
        match self {
            Self::Read => &[KeyOperation::Decrypt],
            Self::Write => &[KeyOperation::GenerateDataKey, KeyOperation::Decrypt],
            Self::Describe => &[],
        }
    }
}

/// The handle of a secret whose value is read as a `T`.
pub struct SecretRef<T> {
    /// The resource, unless somebody else keeps the secret.
    id: Option<ResourceId>,
    arn: Value<Arn<Secret>>,
    key: Option<KeyRef>,
    value: PhantomData<fn() -> T>,
}

impl<T> Clone for SecretRef<T> {
    fn clone(&self) -> Self {
        Self {
            id: self.id.clone(),
            arn: self.arn.clone(),
            key: self.key.clone(),
            value: PhantomData,
        }
    }
}

impl<T> std::fmt::Debug for SecretRef<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SecretRef")
            .field("arn", &self.arn)
            .finish_non_exhaustive()
    }
}

impl<T> SecretRef<T> {
    /// Stands for a secret that somebody else keeps. The ARN is the complete one, with the six characters at its
    /// end: a role is allowed exactly what it names.
    ///
    /// ```
    /// use stack_model::Arn;
    /// use stack_model::secretsmanager::{SecretOperation, SecretRef};
    ///
    /// let arn = Arn::parse("arn:aws:secretsmanager:us-east-1:123456789012:secret:token-AbCdEf")?;
    /// let token = SecretRef::<String>::existing(arn);
    /// let statements = token.statements(&[SecretOperation::Read]);
    /// assert_eq!(statements[0].actions(), ["secretsmanager:GetSecretValue"]);
    /// # Ok::<(), stack_model::ArnError>(())
    /// ```
    pub fn existing(arn: impl Into<Value<Arn<Secret>>>) -> Self {
        Self {
            id: None,
            arn: arn.into(),
            key: None,
            value: PhantomData,
        }
    }

    /// Stands for a secret that somebody else keeps, encrypted with a key of the customer's own.
    pub fn existing_with_key(arn: impl Into<Value<Arn<Secret>>>, key: &KeyRef) -> Self {
        Self {
            key: Some(key.clone()),
            ..Self::existing(arn)
        }
    }

    /// Returns the ARN.
    pub fn arn(&self) -> Value<Arn<Secret>> {
        self.arn.clone()
    }

    /// Returns the handle of the resource, unless somebody else keeps the secret.
    pub fn resource(&self) -> Option<ResourceRef> {
        self.id.clone().map(|id| ResourceRef { id })
    }

    /// Returns the whole value, as CloudFormation reads it while it deploys; it never stands in the template.
    ///
    /// Functions read a secret at run time instead, through a binding. See
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html>.
    pub fn value(&self) -> Value<String> {
        self.dynamic_reference(None)
    }

    /// Returns one field of a value that is a JSON object, as CloudFormation reads it while it deploys.
    pub fn field(&self, key: impl Into<String>) -> Value<String> {
        self.dynamic_reference(Some(key.into()))
    }

    fn dynamic_reference(&self, json_key: Option<String>) -> Value<String> {
        let id = self.arn().into_text();
        Value::Token(Token::Secret {
            id: Box::new(id.into()),
            json_key,
        })
    }

    /// Returns what a role must allow for the given operations: exactly their actions on this secret, and on its key
    /// where it has one of the customer's own.
    pub fn statements(&self, operations: &[SecretOperation]) -> Vec<Statement> {
        let operations = operations
            .iter()
            .map(|operation| (operation.action(), operation.key_operations()));
        kms::allow_with_key(operations, self.arn(), "secretsmanager", self.key.as_ref())
    }
}

impl Stack<'_> {
    /// Adds a secret. In a protected stage it outlives its stack.
    ///
    /// ```
    /// use stack_model::secretsmanager::{Content, SecretProps};
    /// # use stack_model::{App, Stage};
    /// # let request = serde_json::from_str(r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#).unwrap();
    /// # let mut app = App::new(Stage::new(request));
    /// # let mut stack = app.stack("orders");
    ///
    /// let token = stack.secret::<String>("PaymentToken", SecretProps {
    ///     content: Content::Later,
    ///     ..SecretProps::default()
    /// });
    /// stack.output("PaymentTokenArn", token.arn());
    /// # app.synth().unwrap();
    /// ```
    #[track_caller]
    pub fn secret<T>(&mut self, logical_id: &str, props: SecretProps) -> SecretRef<T> {
        let source = Location::caller();
        let name = props.name.as_ref();
        self.check_name(logical_id, "Properties.Name", name, NAME, source);
        self.check_content(logical_id, &props.content, source);
        self.check_replicas(logical_id, &props.replicas, source);
        let replicas = props.replicas.into_iter().map(SecretReplica::render);
        let replicas: Vec<_> = replicas.collect();
        let secret = cfn::Secret {
            description: props.description.into(),
            generate_secret_string: generate(props.content).into(),
            kms_key_id: props.key.as_ref().map(|key| key.arn().into_text()).into(),
            name: props.name.into(),
            replica_regions: if replicas.is_empty() {
                Property::Absent
            } else {
                replicas.into()
            },
            ..cfn::Secret::default()
        };
        let id = self
            .insert_data(logical_id, Resource::of(&secret, source))
            .id;
        SecretRef {
            arn: get_att(&id, "Id"),
            id: Some(id),
            key: props.key,
            value: PhantomData,
        }
    }

    fn check_content(&mut self, id: &str, content: &Content, source: &Location<'_>) {
        let path = "Properties.GenerateSecretString";
        let (Content::Generated(password) | Content::GeneratedField { password, .. }) = content
        else {
            return;
        };
        let length_path = format!("{path}.PasswordLength");
        self.check_limit(id, &length_path, password.length, source);
        // One of each included kind is required, which AWS cannot do in fewer characters.
        let kinds = if password.alphanumeric { 3 } else { 4 };
        if password.length.is_some_and(|length| length.get() < kinds) {
            let message = format!(
                "the password has one of {kinds} kinds of characters each, so it needs {kinds} at least"
            );
            self.report(id, Some(&length_path), message, source);
        }
        if let Content::GeneratedField { fields, field, .. } = content
            && (field.is_empty() || fields.contains_key(field))
        {
            let message =
                format!("`{field}` cannot hold the password: it is empty or another field");
            self.report(id, Some(path), message, source);
        }
    }
}

fn generate(content: Content) -> Option<cfn::secret::GenerateSecretString> {
    let (password, key, template) = match content {
        Content::Generated(password) => (password, None, None),
        Content::GeneratedField {
            fields,
            field,
            password,
        } => {
            let template: serde_json::Map<_, _> = fields
                .into_iter()
                .map(|(name, value)| (name, serde_json::Value::String(value)))
                .collect();
            let template = serde_json::Value::Object(template).to_string();
            (password, Some(field), Some(template))
        }
        Content::Later => return None,
    };
    let without = match password.without.as_str() {
        "" => Property::Absent,
        characters => characters.into(),
    };
    Some(cfn::secret::GenerateSecretString {
        exclude_characters: without,
        exclude_punctuation: password.alphanumeric.then_some(true).into(),
        generate_string_key: key.into(),
        password_length: password.length.map(Limited::number).into(),
        secret_string_template: template.into(),
        ..cfn::secret::GenerateSecretString::default()
    })
}

/// See <https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html>.
const NAME: NameRule = NameRule {
    min: 1,
    max: 512,
    others: "/_+=.@-",
};

#[cfg(doctest)]
#[doc = include_str!("../../docs/services/secretsmanager.md")]
struct Guide;

#[cfg(test)]
mod tests {
    use super::*;

    const ARN: &str = "arn:aws:secretsmanager:us-east-1:123456789012:secret:orders/token-AbCdEf";

    #[test]
    fn a_secret_kept_elsewhere_is_named_by_its_arn() {
        let secret = SecretRef::<String>::existing(Arn::parse(ARN).unwrap());
        assert_eq!(secret.arn().literal().map(Arn::as_str), Some(ARN));
        assert_eq!(secret.resource(), None);
        let Value::Token(Token::Secret { id, json_key }) = secret.field("password") else {
            panic!("a field is read by CloudFormation");
        };
        assert_eq!(*id, stack_model_cfn::Expr::String(ARN.to_owned()));
        assert_eq!(json_key.as_deref(), Some("password"));
    }

    #[test]
    fn a_key_of_its_own_is_allowed_beside_a_secret_kept_elsewhere() {
        let stage = r#"{"name": "dev", "region": "us-east-1", "architecture": "arm64"}"#;
        let mut app = crate::App::new(crate::Stage::new(serde_json::from_str(stage).unwrap()));
        let key = app
            .stack("orders")
            .key("Key", crate::kms::KeyProps::default());
        let arn = Arn::parse(ARN).unwrap();
        let secret = SecretRef::<String>::existing_with_key(arn, &key);
        let statements = secret.statements(&[SecretOperation::Read]);
        let actions: Vec<_> = statements.iter().map(Statement::actions).collect();
        assert_eq!(
            actions,
            [["secretsmanager:GetSecretValue"], ["kms:Decrypt"]]
        );
    }
}
