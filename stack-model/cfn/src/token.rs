//! The closed set of things a template can say instead of a literal.

use std::sync::Arc;

use crate::Expr;

/// Names one resource of one stack of the app.
///
/// The stack travels with the logical id, so that a use in another stack is recognised when the template is
/// rendered and becomes an export and an import.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceId {
    stack: Arc<str>,
    logical_id: Arc<str>,
}

impl ResourceId {
    /// Names the resource `logical_id` of the stack `stack`.
    pub fn new(stack: impl Into<Arc<str>>, logical_id: impl Into<Arc<str>>) -> Self {
        Self {
            stack: stack.into(),
            logical_id: logical_id.into(),
        }
    }

    /// Returns the name of the stack that holds the resource, without the stage.
    pub fn stack(&self) -> &str {
        &self.stack
    }

    /// Returns the logical id of the resource in its stack.
    pub fn logical_id(&self) -> &str {
        &self.logical_id
    }
}

/// The values CloudFormation knows without being told.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/pseudo-parameter-reference.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Pseudo {
    /// The account that the stack is deployed to.
    AccountId,
    /// The topics that are told of stack events.
    NotificationArns,
    /// Removes the property it is the value of.
    NoValue,
    /// The partition, such as `aws` or `aws-cn`.
    Partition,
    /// The region that the stack is deployed to.
    Region,
    /// The ARN of the stack.
    StackId,
    /// The name of the stack, with the stage.
    StackName,
    /// The DNS suffix of the partition, such as `amazonaws.com`.
    UrlSuffix,
}

impl Pseudo {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::AccountId,
        Self::NotificationArns,
        Self::NoValue,
        Self::Partition,
        Self::Region,
        Self::StackId,
        Self::StackName,
        Self::UrlSuffix,
    ];

    /// Returns the name a template uses, such as `AWS::Region`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::AccountId => "AWS::AccountId",
            Self::NotificationArns => "AWS::NotificationARNs",
            Self::NoValue => "AWS::NoValue",
            Self::Partition => "AWS::Partition",
            Self::Region => "AWS::Region",
            Self::StackId => "AWS::StackId",
            Self::StackName => "AWS::StackName",
            Self::UrlSuffix => "AWS::URLSuffix",
        }
    }
}

/// One piece of a [`Token::Sub`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// Text that stands for itself; `${` in it is escaped when it is rendered.
    Text(String),
    /// A value that CloudFormation fills in.
    Token(Token),
}

/// A value that CloudFormation computes while it deploys.
///
/// Tokens are made by handles, parameters and imports; the enum is public so that a renderer, a validator or a
/// planner can be exhaustive over it. See
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/intrinsic-function-reference.html>.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Token {
    /// `Ref` of a resource: its physical id.
    Ref(ResourceId),
    /// `Fn::GetAtt`: one attribute of a resource.
    GetAtt(ResourceId, Arc<str>),
    /// `Ref` of a template parameter; the resource id holds the parameter's name.
    Parameter(ResourceId),
    /// `Ref` of a pseudo parameter.
    Pseudo(Pseudo),
    /// `Fn::Sub`: pieces of text and tokens, one after the other.
    Sub(Vec<Part>),
    /// `Fn::Join`: a list, or the list a token yields, with a delimiter between its elements.
    Join {
        /// Stands between two elements.
        delimiter: String,
        /// A list of expressions, or a token that yields a list.
        list: Box<Expr>,
    },
    /// `Fn::Select`: one element of a list, counted from zero.
    Select {
        /// The position, counted from zero.
        index: u32,
        /// A list of expressions, or a token that yields a list.
        list: Box<Expr>,
    },
    /// `Fn::Split`: the pieces of a text between delimiters, as a list.
    Split {
        /// Stands between two pieces.
        delimiter: String,
        /// The text to take apart.
        text: Box<Expr>,
    },
    /// `Fn::ImportValue`: the value of an export that the app itself does not define.
    ImportValue(Box<Expr>),
    /// `Fn::If`: one of two values, decided by a condition of the template.
    If {
        /// The logical id of the condition.
        condition: Arc<str>,
        /// The value when the condition holds.
        then: Box<Expr>,
        /// The value when it does not.
        otherwise: Box<Expr>,
    },
    /// `Fn::FindInMap`: a value of a mapping of the template.
    FindInMap {
        /// The logical id of the mapping.
        map: Arc<str>,
        /// The first key.
        first: Box<Expr>,
        /// The second key.
        second: Box<Expr>,
    },
    /// `Fn::Base64`: the Base64 form of a text.
    Base64(Box<Expr>),
    /// `{{resolve:ssm:..}}`: a parameter of Parameter Store, read when the stack is deployed.
    SsmParameter {
        /// The name of the parameter.
        name: String,
        /// The version, or the newest.
        version: Option<u64>,
        /// Whether it is a `SecureString` (`ssm-secure`).
        secure: bool,
    },
    /// `{{resolve:secretsmanager:..}}`: a field of a secret, read when the stack is deployed.
    Secret {
        /// The name or ARN of the secret: text, or a token.
        id: Box<Expr>,
        /// The key in the JSON of the secret, or the whole secret.
        json_key: Option<String>,
    },
}

impl Token {
    /// Calls `visit` with this token and with every token inside it.
    pub fn walk(&self, visit: &mut dyn FnMut(&Token)) {
        visit(self);
        match self {
            Self::Ref(_)
            | Self::GetAtt(..)
            | Self::Parameter(_)
            | Self::Pseudo(_)
            | Self::SsmParameter { .. } => {}
            Self::Sub(parts) => {
                for part in parts {
                    if let Part::Token(token) = part {
                        token.walk(visit);
                    }
                }
            }
            Self::Join { list, .. } | Self::Select { list, .. } => list.walk(visit),
            Self::Split { text, .. } | Self::Base64(text) => text.walk(visit),
            Self::ImportValue(name) => name.walk(visit),
            Self::If {
                then, otherwise, ..
            } => {
                then.walk(visit);
                otherwise.walk(visit);
            }
            Self::FindInMap { first, second, .. } => {
                first.walk(visit);
                second.walk(visit);
            }
            Self::Secret { id, .. } => id.walk(visit),
        }
    }

    /// Changes the tokens inside this one, see [`Expr::replace`].
    pub(crate) fn replace(&mut self, change: &dyn Fn(&Token) -> Option<Expr>) {
        match self {
            Self::Ref(_)
            | Self::GetAtt(..)
            | Self::Parameter(_)
            | Self::Pseudo(_)
            | Self::SsmParameter { .. } => {}
            Self::Sub(parts) => {
                let mut changed = Vec::with_capacity(parts.len());
                for part in std::mem::take(parts) {
                    match part {
                        Part::Text(text) => push(&mut changed, Part::Text(text)),
                        Part::Token(mut token) => match change(&token) {
                            Some(Expr::String(text)) => push(&mut changed, Part::Text(text)),
                            Some(Expr::Token(Self::Sub(inner))) => {
                                for part in inner {
                                    push(&mut changed, part);
                                }
                            }
                            Some(Expr::Token(other)) => changed.push(Part::Token(other)),
                            // A text has no place for a list or a map.
                            Some(_) | None => {
                                token.replace(change);
                                changed.push(Part::Token(token));
                            }
                        },
                    }
                }
                *parts = changed;
            }
            Self::Join { list, .. } | Self::Select { list, .. } => list.replace(change),
            Self::Split { text, .. } | Self::Base64(text) => text.replace(change),
            Self::ImportValue(name) => name.replace(change),
            Self::If {
                then, otherwise, ..
            } => {
                then.replace(change);
                otherwise.replace(change);
            }
            Self::FindInMap { first, second, .. } => {
                first.replace(change);
                second.replace(change);
            }
            Self::Secret { id, .. } => id.replace(change),
        }
    }
}

/// Appends a part; neighbouring texts become one.
fn push(parts: &mut Vec<Part>, part: Part) {
    match (parts.last_mut(), part) {
        (Some(Part::Text(last)), Part::Text(text)) => last.push_str(&text),
        (_, part) => parts.push(part),
    }
}
