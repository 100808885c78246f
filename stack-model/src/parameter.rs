//! Parameters, conditions and mappings of a template.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::Arc;

use stack_model_cfn::{Expr, ResourceId, Token, Value};

use crate::stack::Stack;

/// A parameter of a template.
///
/// Values that are known when the stack is rendered belong into stage variables; a parameter is for what is
/// decided at deployment, such as a value that only Parameter Store knows. Nobody is asked for values, so each
/// parameter has a default or is given one; secrets are named by their ARN and read at run time. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/parameters-section-structure.html>.
#[derive(Clone, Debug)]
pub struct Parameter<T = String> {
    pub(crate) kind: String,
    pub(crate) description: Option<String>,
    pub(crate) default: Option<String>,
    pub(crate) allowed_values: Vec<String>,
    pub(crate) allowed_pattern: Option<String>,
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

    /// Gives the value that the deployer hands over.
    #[must_use]
    pub fn given(mut self, value: impl Into<String>) -> Self {
        self.given = Some(value.into());
        self
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        let mut violations = Vec::new();
        let value = self.given.as_ref().or(self.default.as_ref());
        if value.is_none() {
            violations.push(
                "the parameter has no value: write `default(\"..\")` or `given(\"..\")`".to_owned(),
            );
        }
        if self.kind == "Number" {
            let numbers = [&self.default, &self.given].into_iter().flatten();
            let strange = numbers.filter(|text| !text.parse::<f64>().is_ok_and(f64::is_finite));
            violations.extend(strange.map(|text| format!("`{text}` is not a number")));
        }
        if self
            .description
            .as_ref()
            .is_some_and(|text| text.chars().count() > 4000)
        {
            violations.push("the description is longer than 4,000 characters".to_owned());
        }
        if !self.allowed_values.is_empty()
            && let Some(value) = value
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
    pub(crate) stack: Arc<str>,
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

impl Stack<'_> {
    /// Adds a parameter to the template.
    #[track_caller]
    pub fn parameter<T>(&mut self, name: &str, parameter: Parameter<T>) -> Value<T> {
        let source = Location::caller();
        for message in parameter.violations() {
            self.report(name, None, message, source);
        }
        let id = ResourceId::new(Arc::clone(&self.data_ref().id), name);
        let entry = (parameter.render(), parameter.given);
        let earlier = self.data().parameters.insert(name.to_owned(), entry);
        if earlier.is_some() {
            let message = format!("the parameter `{name}` is declared twice");
            self.report(name, None, message, source);
        }
        Value::Token(parameter_token(id))
    }

    /// Adds a condition to the template.
    #[track_caller]
    pub fn condition(&mut self, name: &str, condition: Condition) -> ConditionRef {
        let earlier = self.data().conditions.insert(name.to_owned(), condition.0);
        if earlier.is_some() {
            let message = format!("the condition `{name}` is declared twice");
            self.report(name, None, message, Location::caller());
        }
        ConditionRef {
            stack: Arc::clone(&self.data_ref().id),
            name: Arc::from(name),
        }
    }

    /// Adds a mapping to the template: first key to second key to value.
    #[track_caller]
    pub fn mapping(
        &mut self,
        name: &str,
        entries: BTreeMap<String, BTreeMap<String, String>>,
    ) -> MappingRef {
        let earlier = self.data().mappings.insert(name.to_owned(), entries);
        if earlier.is_some() {
            let message = format!("the mapping `{name}` is declared twice");
            self.report(name, None, message, Location::caller());
        }
        MappingRef {
            name: Arc::from(name),
        }
    }
}
