//! Mapping templates as values: JSON and texts that are made for each request.
//!
//! A mapping template is a text of the Velocity Template Language, and nothing in it knows that it becomes JSON. These
//! types do: whatever a caller sends is escaped for the place where it stands, so that a quote, an apostrophe or a
//! backslash stays a character of a text and never becomes structure. What is written here is turned into a template by
//! [`MappingTemplate::of`](super::MappingTemplate::of).
//!
//! The functions that a template may call are described in
//! <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>.

use stack_model_cfn::{Token, Value};

use super::response::StatusCode;

mod render;

pub(super) use render::{Writer, condition, expression};

/// A value of a request, or in the template of an answer, of the answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestValue {
    source: Source,
    name: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Source {
    Query,
    Path,
    Header,
    Claim,
    Context,
    StageVariable,
    Body,
    Element,
}

impl RequestValue {
    fn new(source: Source, name: impl Into<String>) -> Self {
        Self {
            source,
            name: name.into(),
        }
    }

    /// A parameter of the query string.
    pub fn query(name: impl Into<String>) -> Self {
        Self::new(Source::Query, name)
    }

    /// A segment of the path, which the resource declares as `{name}`.
    pub fn path(name: impl Into<String>) -> Self {
        Self::new(Source::Path, name)
    }

    /// A header, with capital and small letters as the caller writes them.
    pub fn header(name: impl Into<String>) -> Self {
        Self::new(Source::Header, name)
    }

    /// A claim of the token with which a user of a user pool calls, such as `sub`.
    pub fn claim(name: impl Into<String>) -> Self {
        Self::new(Source::Claim, name)
    }

    /// A variable of `$context`, such as `requestId` or `identity.sourceIp`.
    pub fn context(name: impl Into<String>) -> Self {
        Self::new(Source::Context, name)
    }

    /// A variable of the stage.
    pub fn stage_variable(name: impl Into<String>) -> Self {
        Self::new(Source::StageVariable, name)
    }

    /// A value inside the body, by its JSONPath such as `$.customer.name`; as a text, whatever its type.
    pub fn body(json_path: impl Into<String>) -> Self {
        Self::new(Source::Body, json_path)
    }

    /// A value inside the element that [`JsonTemplate::each`] is at, by its keys with dots between them, such as
    /// `orderNumber.S`; as a text, whatever its type.
    pub fn element(keys: impl Into<String>) -> Self {
        Self::new(Source::Element, keys)
    }
}

/// Something that holds for some requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateCondition(Test);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Test {
    Is(RequestValue, String),
    IsIgnoringCase(RequestValue, String),
    EndsWith(RequestValue, String),
    Present(RequestValue),
    InGroup(String),
    All(Vec<TemplateCondition>),
    Any(Vec<TemplateCondition>),
    Not(Box<TemplateCondition>),
}

impl TemplateCondition {
    /// Holds where a value is exactly a text.
    pub fn is(value: RequestValue, text: impl Into<String>) -> Self {
        Self(Test::Is(value, text.into()))
    }

    /// Holds where a value is a text, in capital or small letters.
    pub fn is_ignoring_case(value: RequestValue, text: impl Into<String>) -> Self {
        Self(Test::IsIgnoringCase(value, text.into()))
    }

    /// Holds where a value ends with a text.
    pub fn ends_with(value: RequestValue, text: impl Into<String>) -> Self {
        Self(Test::EndsWith(value, text.into()))
    }

    /// Holds where a value is there and is not empty.
    pub fn present(value: RequestValue) -> Self {
        Self(Test::Present(value))
    }

    /// Holds for users of a user pool that belong to a group.
    ///
    /// The claim `cognito:groups` arrives as one text with commas or blanks between the groups, in brackets or not.
    pub fn in_group(group: impl Into<String>) -> Self {
        Self(Test::InGroup(group.into()))
    }

    /// Holds where all conditions hold.
    pub fn all(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Test::All(conditions.into_iter().collect()))
    }

    /// Holds where one of the conditions holds.
    pub fn any(conditions: impl IntoIterator<Item = Self>) -> Self {
        Self(Test::Any(conditions.into_iter().collect()))
    }

    /// Holds where the given one does not.
    #[expect(
        clippy::should_implement_trait,
        reason = "named like the other conditions of this crate"
    )]
    pub fn not(condition: Self) -> Self {
        Self(Test::Not(Box::new(condition)))
    }

    /// Returns whether the condition is about the groups of the caller.
    pub(super) fn asks_for_group(&self) -> bool {
        match &self.0 {
            Test::InGroup(_) => true,
            Test::All(conditions) | Test::Any(conditions) => {
                conditions.iter().any(Self::asks_for_group)
            }
            Test::Not(condition) => condition.asks_for_group(),
            Test::Is(..) | Test::IsIgnoringCase(..) | Test::EndsWith(..) | Test::Present(_) => {
                false
            }
        }
    }
}

/// A text that is made for each request.
///
/// Literals, values of the deployment such as ARNs, and values of requests convert into it; [`then`](Self::then) puts
/// several together.
///
/// ```
/// use stack_model::apigateway::{RequestValue, TextTemplate};
///
/// let key = TextTemplate::from("orders/").then(RequestValue::path("id"));
/// # let _ = key;
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct TextTemplate {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq)]
enum Piece {
    Literal(String),
    /// Known when the stack is deployed: names and ARNs, which have no character that JSON would escape.
    Token(Token),
    Value(RequestValue),
    Json(Box<JsonTemplate>),
    Choice(Vec<(TemplateCondition, TextTemplate)>, Box<TextTemplate>),
}

impl TextTemplate {
    fn of(piece: Piece) -> Self {
        Self {
            pieces: vec![piece],
        }
    }

    /// Appends a text.
    #[must_use]
    pub fn then(mut self, text: impl Into<Self>) -> Self {
        self.pieces.extend(text.into().pieces);
        self
    }

    /// Writes a JSON document as a text, as the input of an execution or the detail of an event is.
    pub fn json(document: impl Into<JsonTemplate>) -> Self {
        Self::of(Piece::Json(Box::new(document.into())))
    }

    /// Takes a value of the request, or another text where it is missing or empty.
    pub fn or(value: RequestValue, otherwise: impl Into<Self>) -> Self {
        let present = TemplateCondition::present(value.clone());
        Self::choose([(present, Self::from(value))], otherwise)
    }

    /// Takes the text of the first condition that holds.
    pub fn choose<T: Into<Self>>(
        cases: impl IntoIterator<Item = (TemplateCondition, T)>,
        otherwise: impl Into<Self>,
    ) -> Self {
        let cases = cases
            .into_iter()
            .map(|(condition, text)| (condition, text.into()));
        Self::of(Piece::Choice(cases.collect(), Box::new(otherwise.into())))
    }

    /// Takes one of some spellings, whichever a value has in capital or small letters, and the value itself where it
    /// has none of them: for callers that write `COMPLETED` where `Completed` is stored.
    ///
    /// ```
    /// use stack_model::apigateway::{RequestValue, TextTemplate};
    ///
    /// let state = TextTemplate::spelled(RequestValue::query("state"), ["CREATED", "Completed"]);
    /// # let _ = state;
    /// ```
    pub fn spelled<S: Into<String>>(
        value: RequestValue,
        spellings: impl IntoIterator<Item = S>,
    ) -> Self {
        let cases: Vec<_> = spellings
            .into_iter()
            .map(|spelling| {
                let spelling = spelling.into();
                let same = TemplateCondition::is_ignoring_case(value.clone(), spelling.clone());
                (same, Self::from(spelling))
            })
            .collect();
        Self::choose(cases, value)
    }
}

impl From<&str> for TextTemplate {
    fn from(text: &str) -> Self {
        Self::of(Piece::Literal(text.to_owned()))
    }
}

impl From<String> for TextTemplate {
    fn from(text: String) -> Self {
        Self::of(Piece::Literal(text))
    }
}

impl<T: Into<String>> From<Value<T>> for TextTemplate {
    fn from(value: Value<T>) -> Self {
        Self::of(match value {
            Value::Literal(text) => Piece::Literal(text.into()),
            Value::Token(token) => Piece::Token(token),
        })
    }
}

impl From<RequestValue> for TextTemplate {
    fn from(value: RequestValue) -> Self {
        Self::of(Piece::Value(value))
    }
}

/// JSON that is made for each request.
///
/// Texts, numbers, booleans, values of requests (as texts) and whole literal documents convert into it.
///
/// ```
/// use stack_model::apigateway::{JsonTemplate, MappingTemplate, RequestValue};
///
/// let template = MappingTemplate::of(JsonTemplate::object([
///     ("id", JsonTemplate::from(RequestValue::path("id"))),
///     ("limit", JsonTemplate::integer(RequestValue::query("limit"), 100)),
///     ("order", JsonTemplate::body()),
/// ]));
/// # let _ = template;
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct JsonTemplate(Node);

#[derive(Clone, Debug, PartialEq)]
enum Node {
    Literal(serde_json::Value),
    Text(TextTemplate),
    Object(Vec<(String, JsonTemplate)>),
    List(Vec<JsonTemplate>),
    Body,
    BodyAt(String),
    Integer(RequestValue, i64),
    /// A text of a service that is JSON already.
    Document(String),
    Choice(Vec<(TemplateCondition, JsonTemplate)>, Box<JsonTemplate>),
    Each(String, Box<JsonTemplate>),
    Status(StatusCode, Box<JsonTemplate>),
    Nothing,
}

impl JsonTemplate {
    /// Makes an object.
    pub fn object<N: Into<String>>(entries: impl IntoIterator<Item = (N, Self)>) -> Self {
        let entries = entries
            .into_iter()
            .map(|(name, value)| (name.into(), value));
        Self(Node::Object(entries.collect()))
    }

    /// Makes a list.
    pub fn list(elements: impl IntoIterator<Item = Self>) -> Self {
        Self(Node::List(elements.into_iter().collect()))
    }

    /// Makes a text.
    pub fn text(text: impl Into<TextTemplate>) -> Self {
        Self(Node::Text(text.into()))
    }

    /// Takes the whole body as it is, and `{}` where it is empty.
    pub fn body() -> Self {
        Self(Node::Body)
    }

    /// Takes a part of the body as it is, of any type, by its JSONPath such as `$.Items`. Where it is missing, API
    /// Gateway writes an empty text; [`body_at_or`](Self::body_at_or) says what to write instead.
    pub fn body_at(json_path: impl Into<String>) -> Self {
        Self(Node::BodyAt(json_path.into()))
    }

    /// Takes a part of the body as it is, or something else where it is missing or an empty text.
    pub fn body_at_or(json_path: impl Into<String>, otherwise: impl Into<Self>) -> Self {
        let json_path = json_path.into();
        let present = TemplateCondition::present(RequestValue::body(json_path.clone()));
        Self::choose([(present, Self::body_at(json_path))], otherwise)
    }

    /// Takes a value of the request that is written as a whole number, or another number where it is not.
    pub fn integer(value: RequestValue, otherwise: i64) -> Self {
        Self(Node::Integer(value, otherwise))
    }

    /// Writes whether a condition holds.
    pub fn holds(condition: TemplateCondition) -> Self {
        Self::choose([(condition, Self::from(true))], false)
    }

    /// Takes the value of the first condition that holds.
    pub fn choose<T: Into<Self>>(
        cases: impl IntoIterator<Item = (TemplateCondition, T)>,
        otherwise: impl Into<Self>,
    ) -> Self {
        let cases = cases
            .into_iter()
            .map(|(condition, value)| (condition, value.into()));
        Self(Node::Choice(cases.collect(), Box::new(otherwise.into())))
    }

    /// Makes a list with one element for each element of a list in the body, by its JSONPath; inside it
    /// [`RequestValue::element`] stands for parts of the element.
    pub fn each(json_path: impl Into<String>, element: impl Into<Self>) -> Self {
        Self(Node::Each(json_path.into(), Box::new(element.into())))
    }

    /// Answers with another status than the one that the answer was chosen for. Only the template of an answer can.
    #[must_use]
    pub fn with_status(self, status: impl Into<StatusCode>) -> Self {
        Self(Node::Status(status.into(), Box::new(self)))
    }

    /// Writes nothing at all, which is no JSON, so it can only be a whole answer.
    pub(super) const fn nothing() -> Self {
        Self(Node::Nothing)
    }

    /// Writes a text of a service's answer that is a JSON document, such as the output of an execution.
    pub(super) fn document(json_path: impl Into<String>) -> Self {
        Self(Node::Document(json_path.into()))
    }

    /// Answers `{"message": ".."}` with a fixed message, in the form of API Gateway's own errors.
    pub fn message(message: impl Into<String>) -> Self {
        Self::object([("message", Self::text(message.into()))])
    }

    /// Adds an entry to an object.
    #[must_use]
    pub(super) fn with(mut self, name: impl Into<String>, value: impl Into<Self>) -> Self {
        if let Node::Object(entries) = &mut self.0 {
            let name = name.into();
            entries.retain(|(earlier, _)| *earlier != name);
            entries.push((name, value.into()));
        }
        self
    }
}

impl<T: Into<TextTemplate>> From<T> for JsonTemplate {
    fn from(text: T) -> Self {
        Self(Node::Text(text.into()))
    }
}

impl From<serde_json::Value> for JsonTemplate {
    fn from(json: serde_json::Value) -> Self {
        Self(Node::Literal(json))
    }
}

impl From<bool> for JsonTemplate {
    fn from(value: bool) -> Self {
        Self(Node::Literal(value.into()))
    }
}

impl From<i64> for JsonTemplate {
    fn from(number: i64) -> Self {
        Self(Node::Literal(number.into()))
    }
}
