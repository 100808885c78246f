//! Parameters, conditions and mappings of a template.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::sync::Arc;

use stack_model_cfn::{Expr, ResourceId, Token, Value};

/// A parameter of a template.
///
/// Values that are known when the stack is rendered belong into stage variables; a parameter is for what is
/// decided at deployment, such as a value that only Parameter Store knows. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>.
#[derive(Clone, Debug)]
pub struct Parameter<T = String> {
    pub(crate) kind: String,
    pub(crate) description: Option<String>,
    pub(crate) default: Option<String>,
    pub(crate) allowed_values: Vec<String>,
    pub(crate) allowed_pattern: Option<String>,
    pub(crate) no_echo: bool,
    pub(crate) given: Option<String>,
    value: PhantomData<fn() -> T>,
}

impl Parameter<String> {
    /// A text.
    pub fn string() -> Self {
        Self::of_kind("String")
    }

    /// The value of a parameter of Parameter Store, read at each deployment; the template's parameter holds its
    /// name.
    pub fn ssm(name: impl Into<String>) -> Self {
        let mut parameter = Self::of_kind("AWS::SSM::Parameter::Value<String>");
        parameter.default = Some(name.into());
        parameter
    }
}

impl Parameter<i64> {
    /// A number.
    pub fn number() -> Self {
        Self::of_kind("Number")
    }
}

impl<T> Parameter<T> {
    fn of_kind(kind: &str) -> Self {
        Self {
            kind: kind.to_owned(),
            description: None,
            default: None,
            allowed_values: Vec::new(),
            allowed_pattern: None,
            no_echo: false,
            given: None,
            value: PhantomData,
        }
    }

    /// Says what the parameter is for, in at most 4,000 characters.
    #[must_use]
    pub fn description(mut self, description: impl Into<String>) -> Self {
        self.description = Some(description.into());
        self
    }

    /// Sets the value that is used where none is given.
    #[must_use]
    pub fn default(mut self, default: impl Into<String>) -> Self {
        self.default = Some(default.into());
        self
    }

    /// Accepts no other values than these.
    #[must_use]
    pub fn allowed<V: Into<String>>(mut self, values: impl IntoIterator<Item = V>) -> Self {
        self.allowed_values = values.into_iter().map(Into::into).collect();
        self
    }

    /// Accepts only what matches the regular expression as a whole.
    #[must_use]
    pub fn pattern(mut self, pattern: impl Into<String>) -> Self {
        self.allowed_pattern = Some(pattern.into());
        self
    }

    /// Hides the value from everybody who reads the stack. A hidden parameter has neither a default nor a value
    /// in the assembly.
    #[must_use]
    pub fn no_echo(mut self) -> Self {
        self.no_echo = true;
        self
    }

    /// Gives the value that the deployer hands over.
    #[must_use]
    pub fn given(mut self, value: impl Into<String>) -> Self {
        self.given = Some(value.into());
        self
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        if self.no_echo && (self.default.is_some() || self.given.is_some()) {
            violations.push(
                "a hidden parameter must not have a default or a given value: it would stand readable in the assembly"
                    .to_owned(),
            );
        }
        if self
            .description
            .as_ref()
            .is_some_and(|text| text.chars().count() > 4000)
        {
            violations.push("the description is longer than 4,000 characters".to_owned());
        }
        if !self.allowed_values.is_empty()
            && let Some(value) = self.given.as_ref().or(self.default.as_ref())
            && !self.allowed_values.contains(value)
        {
            violations.push(format!(
                "`{value}` is not among the allowed values {}",
                self.allowed_values.join(", ")
            ));
        }
        violations
    }

    pub(crate) fn render(&self) -> Expr {
        let mut entries = BTreeMap::from([("Type".to_owned(), Expr::from(self.kind.as_str()))]);
        let mut put = |key: &str, value: Expr| entries.insert(key.to_owned(), value);
        if let Some(text) = &self.description {
            put("Description", text.as_str().into());
        }
        if let Some(text) = &self.default {
            put("Default", text.as_str().into());
        }
        if let Some(text) = &self.allowed_pattern {
            put("AllowedPattern", text.as_str().into());
        }
        if !self.allowed_values.is_empty() {
            put(
                "AllowedValues",
                Expr::list(self.allowed_values.iter().map(String::as_str)),
            );
        }
        if self.no_echo {
            put("NoEcho", true.into());
        }
        Expr::Map(entries)
    }
}

/// Makes the token of a template parameter.
pub(crate) fn parameter_token(id: ResourceId) -> Token {
    Token::Parameter(id)
}

/// A condition of a template, decided when the stack is deployed.
///
/// What is known when the stack is rendered is better decided with an `if` in Rust. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/conditions-section-structure.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct Condition(pub(crate) Expr);

impl Condition {
    /// Holds where both values are the same text.
    pub fn equals(left: impl Into<Value<String>>, right: impl Into<Value<String>>) -> Self {
        Self(Expr::map([(
            "Fn::Equals",
            Expr::List(vec![left.into().into(), right.into().into()]),
        )]))
    }

    /// Holds where the given one does not.
    #[expect(
        clippy::should_implement_trait,
        reason = "named as CloudFormation names it, Fn::Not"
    )]
    pub fn not(condition: Self) -> Self {
        Self(Expr::map([("Fn::Not", Expr::List(vec![condition.0]))]))
    }

    /// Holds where all of 2 to 10 conditions hold.
    pub fn and(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Expr::map([(
            "Fn::And",
            Expr::List(conditions.into_iter().map(|c| c.0).collect()),
        )]))
    }

    /// Holds where one of 2 to 10 conditions holds.
    pub fn or(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Expr::map([(
            "Fn::Or",
            Expr::List(conditions.into_iter().map(|c| c.0).collect()),
        )]))
    }
}

/// The handle of a condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConditionRef {
    pub(crate) name: Arc<str>,
}

impl ConditionRef {
    /// Chooses between two values: the first where the condition holds.
    pub fn choose<T: Into<Expr>>(
        &self,
        then: impl Into<Value<T>>,
        otherwise: impl Into<Value<T>>,
    ) -> Value<T> {
        Value::Token(Token::If {
            condition: Arc::clone(&self.name),
            then: Box::new(then.into().into()),
            otherwise: Box::new(otherwise.into().into()),
        })
    }

    /// Refers to the condition inside another one.
    pub fn holds(&self) -> Condition {
        Condition(Expr::map([("Condition", Expr::from(&*self.name))]))
    }
}

/// The handle of a mapping: a table with two keys.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/mappings-section-structure.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MappingRef {
    pub(crate) name: Arc<str>,
}

impl MappingRef {
    /// Looks a value up by its two keys.
    pub fn find(
        &self,
        first: impl Into<Value<String>>,
        second: impl Into<Value<String>>,
    ) -> Value<String> {
        Value::Token(Token::FindInMap {
            map: Arc::clone(&self.name),
            first: Box::new(first.into().into()),
            second: Box::new(second.into().into()),
        })
    }
}
