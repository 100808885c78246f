//! What a build runs in: an image, a machine and variables.

use std::collections::BTreeMap;

use stack_model_cfn::codebuild::project as cfn;
use stack_model_cfn::{Property, Value};

use super::{Wrong, wrong};
use crate::arn::Arn;
use crate::kms::{KeyOperation, KeyRef};
use crate::policy::{Statement, allow_on};
use crate::secretsmanager::{Secret, SecretOperation, SecretRef};
use crate::ssm::ParameterRef;

/// What a build runs in: Amazon Linux on arm64 with 4 GiB by default, without a Docker daemon.
///
/// See <https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref.html>.
#[derive(Clone, Debug, Default)]
pub struct BuildEnvironment {
    /// The image.
    pub image: BuildImage,
    /// The machine.
    pub compute: ComputeType,
    /// What the commands find in their environment, by name.
    pub variables: BTreeMap<String, BuildVariable>,
    /// Why builds need a Docker daemon, and with it all rights on their machine; they get none by default.
    pub privileged_because: Option<String>,
}

/// The image that a build runs in.
#[derive(Clone, Debug, PartialEq)]
pub enum BuildImage {
    /// Amazon Linux 2023, as CodeBuild keeps it up to date.
    AmazonLinux(BuildProcessor),
    /// Ubuntu 22.04, as CodeBuild keeps it up to date; on x86-64 alone.
    Ubuntu,
    /// An image of the customer's own, by its name in ECR or another registry. The role of the project needs what pulls
    /// it, which CodeBuild's own rights do not cover.
    Custom(BuildProcessor, Value<String>),
}

impl Default for BuildImage {
    fn default() -> Self {
        Self::AmazonLinux(BuildProcessor::default())
    }
}

impl BuildImage {
    fn render(self) -> (&'static str, Value<String>, Option<&'static str>) {
        match self {
            Self::AmazonLinux(processor) => {
                let image = match processor {
                    BuildProcessor::Arm64 => "aws/codebuild/amazonlinux-aarch64-standard:3.0",
                    BuildProcessor::X86_64 => "aws/codebuild/amazonlinux-x86_64-standard:5.0",
                };
                (processor.container(), image.into(), None)
            }
            Self::Ubuntu => {
                let image = "aws/codebuild/standard:7.0".into();
                (BuildProcessor::X86_64.container(), image, None)
            }
            Self::Custom(processor, image) => (processor.container(), image, Some("SERVICE_ROLE")),
        }
    }
}

/// The processor that a build runs on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum BuildProcessor {
    /// Graviton: cheaper, and what functions run on by default.
    #[default]
    Arm64,
    /// Intel or AMD.
    X86_64,
}

impl BuildProcessor {
    const fn container(self) -> &'static str {
        match self {
            Self::Arm64 => "ARM_CONTAINER",
            Self::X86_64 => "LINUX_CONTAINER",
        }
    }
}

/// The machine that a build runs on.
///
/// See <https://docs.aws.amazon.com/codebuild/latest/userguide/build-env-ref-compute-types.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ComputeType {
    /// 2 processors with 4 GiB.
    #[default]
    Small,
    /// 4 processors with 8 GiB.
    Medium,
    /// 8 processors with 16 GiB.
    Large,
    /// 36 processors with 72 GiB, 48 with 96 GiB on arm64.
    XLarge,
    /// 72 processors with 144 GiB, 64 with 128 GiB on arm64.
    XxLarge,
}

impl ComputeType {
    const fn name(self) -> &'static str {
        match self {
            Self::Small => "BUILD_GENERAL1_SMALL",
            Self::Medium => "BUILD_GENERAL1_MEDIUM",
            Self::Large => "BUILD_GENERAL1_LARGE",
            Self::XLarge => "BUILD_GENERAL1_XLARGE",
            Self::XxLarge => "BUILD_GENERAL1_2XLARGE",
        }
    }
}

/// What the environment of a build holds under a name.
#[derive(Clone, Debug)]
pub struct BuildVariable(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Plain(Value<String>),
    Parameter {
        name: Value<String>,
        statements: Vec<Statement>,
    },
    Secret {
        arn: Value<Arn<Secret>>,
        field: Option<String>,
        statements: Vec<Statement>,
    },
}

impl BuildVariable {
    /// A text that everybody may read who may look at the project: no secret.
    pub fn plain(value: impl Into<Value<String>>) -> Self {
        Self(Kind::Plain(value.into()))
    }

    /// The value of a parameter of Parameter Store, of the account and region of the project, which each build reads
    /// anew. Of a `SecureString`, it is decrypted with the account's key for Systems Manager.
    pub fn parameter(name: impl Into<String>) -> Self {
        Self::parameter_of(&ParameterRef::<String>::existing(name))
    }

    /// The value of a `SecureString` that is encrypted with a key of the customer's own.
    pub fn parameter_with_key(name: impl Into<String>, key: &KeyRef) -> Self {
        let parameter = ParameterRef::<String>::existing_secure(name, Some(key));
        let Self(mut kind) = Self::parameter_of(&parameter);
        if let Kind::Parameter { statements, .. } = &mut kind {
            statements.extend(key.through("ssm", [KeyOperation::Decrypt]));
        }
        Self(kind)
    }

    /// The value of a parameter, which each build reads anew.
    pub fn parameter_of<T>(parameter: &ParameterRef<T>) -> Self {
        // CodeBuild reads all parameters of a build with one call.
        let read = allow_on(["ssm:GetParameters"], parameter.arn());
        Self(Kind::Parameter {
            name: parameter.name(),
            statements: read.into_iter().collect(),
        })
    }

    /// The value of a secret, which each build reads anew.
    pub fn secret<T>(secret: &SecretRef<T>) -> Self {
        Self::secret_of(secret, None)
    }

    /// One field of a secret whose value is JSON.
    pub fn secret_field<T>(secret: &SecretRef<T>, field: impl Into<String>) -> Self {
        Self::secret_of(secret, Some(field.into()))
    }

    fn secret_of<T>(secret: &SecretRef<T>, field: Option<String>) -> Self {
        Self(Kind::Secret {
            arn: secret.arn(),
            field,
            statements: secret.statements(&[SecretOperation::Read]),
        })
    }
}

impl BuildEnvironment {
    pub(super) fn statements(&self) -> Vec<Statement> {
        let of = |variable: &BuildVariable| match &variable.0 {
            Kind::Plain(_) => Vec::new(),
            Kind::Parameter { statements, .. } | Kind::Secret { statements, .. } => {
                statements.clone()
            }
        };
        self.variables.values().flat_map(of).collect()
    }

    pub(super) fn violations(&self) -> Vec<Wrong> {
        let mut found = Vec::new();
        for (name, variable) in &self.variables {
            let path = format!("Environment.EnvironmentVariables.{name}");
            let mut characters = name.chars();
            let starts = characters
                .next()
                .is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
            if !starts || !characters.all(|c| c.is_ascii_alphanumeric() || c == '_') {
                let message = format!(
                    "`{name}` is not the name of a variable: use letters, digits and `_`, no digit first"
                );
                found.push(wrong(path.as_str(), message));
            }
            if name.starts_with("CODEBUILD_") {
                let message =
                    format!("`{name}` begins with `CODEBUILD_`, which CodeBuild keeps for itself");
                found.push(wrong(path.as_str(), message));
            }
            if let Kind::Plain(Value::Literal(value)) = &variable.0
                && holds_secret(name, value)
            {
                let message = format!(
                    "`{name}` looks like a secret, and everybody who may look at the project could read it: keep it in Secrets Manager or Parameter Store, and name it with `BuildVariable::secret(..)` or `BuildVariable::parameter(..)`"
                );
                found.push(wrong(path, message));
            }
        }
        found
    }

    pub(super) fn render(self) -> cfn::Environment {
        let (container, image, pulled_with) = self.image.render();
        let variables: Vec<_> = self
            .variables
            .into_iter()
            .map(|(name, variable)| {
                let (kind, value) = variable.render();
                cfn::EnvironmentVariable {
                    name: name.into(),
                    type_: kind.into(),
                    value: value.into(),
                }
            })
            .collect();
        cfn::Environment {
            compute_type: self.compute.name().into(),
            environment_variables: if variables.is_empty() {
                Property::Absent
            } else {
                variables.into()
            },
            image: image.into(),
            image_pull_credentials_type: pulled_with.map(str::to_owned).into(),
            privileged_mode: self.privileged_because.is_some().into(),
            type_: container.into(),
            ..cfn::Environment::default()
        }
    }
}

impl BuildVariable {
    fn render(self) -> (&'static str, Value<String>) {
        match self.0 {
            Kind::Plain(value) => ("PLAINTEXT", value),
            Kind::Parameter { name, .. } => ("PARAMETER_STORE", name),
            Kind::Secret {
                arn, field: None, ..
            } => ("SECRETS_MANAGER", arn.into_text()),
            Kind::Secret {
                arn,
                field: Some(field),
                ..
            } => ("SECRETS_MANAGER", crate::text!("{}:{}", arn, field)),
        }
    }
}

/// Tells what is surely or most likely a secret: an access key of AWS, a private key, or a text whose name says so.
fn holds_secret(name: &str, value: &str) -> bool {
    let named = ["PASSWORD", "SECRET", "TOKEN", "PRIVATE_KEY", "ACCESS_KEY"];
    let upper = name.to_ascii_uppercase();
    // A name of a secret is none, and neither is a switch.
    let reference = upper.ends_with("_ARN") || upper.ends_with("_NAME") || upper.ends_with("_ID");
    let access_key = value.len() == 20
        && ["AKIA", "ASIA"]
            .iter()
            .any(|start| value.starts_with(start))
        && value
            .chars()
            .all(|c| c.is_ascii_uppercase() || c.is_ascii_digit());
    access_key
        || value.contains("-----BEGIN")
        || (named.iter().any(|word| upper.contains(word)) && !reference && !value.is_empty())
}
