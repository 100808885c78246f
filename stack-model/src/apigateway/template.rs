//! Mapping templates: how a body is turned into another one.

use std::fmt::Write as _;

use stack_model_cfn::{Part, Value};

use super::mapping::{self, JsonTemplate, RequestValue, Writer};

/// A mapping template: a text of the Velocity Template Language (VTL) from which API Gateway makes the body that an
/// integration gets, or the body that the caller gets.
///
/// In a template `$input` is the body that comes in, `$context` what is known of the request, and `$util` a set of
/// functions; everything else stands for itself. See
/// <https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html>.
///
/// ```
/// use stack_model::apigateway::MappingTemplate;
///
/// let greeting = MappingTemplate::vtl(r#"{"greeting": "Hello $input.params('name')"}"#);
/// # let _ = greeting;
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct MappingTemplate {
    pub(super) text: Value<String>,
    /// What cannot be written, in the words of the violation.
    pub(super) problem: Option<String>,
    /// Whether the template changes the status of an answer, and so must be that of one.
    pub(super) sets_status: bool,
}

impl MappingTemplate {
    /// Takes a text of the Velocity Template Language as it is.
    pub fn vtl(text: impl Into<Value<String>>) -> Self {
        Self {
            text: text.into(),
            problem: None,
            sets_status: false,
        }
    }

    /// Makes JSON for each request, in which nothing that a caller sends becomes structure.
    pub fn of(json: impl Into<JsonTemplate>) -> Self {
        let writer = Writer::of(&json.into());
        Self {
            problem: writer.problem.clone(),
            sets_status: writer.sets_status,
            text: writer.text(),
        }
    }

    /// Hands the incoming JSON on as it is.
    pub fn body() -> Self {
        Self::vtl("$input.json('$')")
    }

    /// Answers JSON that is the same for every request.
    ///
    /// `$` and `#`, which begin what VTL replaces, are written as the escapes that JSON has for them, so that each
    /// text arrives as it is.
    pub fn json(json: &serde_json::Value) -> Self {
        // JSON has either of them nowhere but in a text.
        let json = json.to_string();
        Self::vtl(json.replace('$', r"\u0024").replace('#', r"\u0023"))
    }

    /// Answers `{"message": ".."}` with the message of a function's error, in the form of API Gateway's own errors.
    ///
    /// The caller sees the message, so this is for errors that the caller can mend.
    pub fn error_message() -> Self {
        // `$input.json` yields the message as JSON, quotes and escapes included.
        Self::vtl(r#"{"message": $input.json('$.errorMessage')}"#)
    }

    /// Answers `{"message": ".."}` with a fixed message, in the form of API Gateway's own errors.
    pub fn message(message: &str) -> Self {
        Self::json(&serde_json::json!({ "message": message }))
    }

    /// Makes a form (`application/x-www-form-urlencoded`), which is how AWS's Query APIs take their arguments.
    pub fn form<N: AsRef<str>>(fields: impl IntoIterator<Item = (N, FormField)>) -> Self {
        let mut parts: Vec<Part> = Vec::new();
        let mut problem = None;
        for (name, field) in fields {
            let mut form = String::new();
            if !parts.is_empty() {
                form.push('&');
            }
            push_encoded(&mut form, name.as_ref());
            form.push('=');
            match field {
                FormField::Text(text) => push_encoded(&mut form, &text),
                FormField::Expression(expression) => {
                    form.push_str("$util.urlEncode(");
                    form.push_str(&expression);
                    form.push(')');
                }
                FormField::Request(value) => {
                    let (expression, wrong) = mapping::expression(&value);
                    problem = problem.or(wrong);
                    let _ = write!(form, "$!{{util.urlEncode(${expression})}}");
                }
                FormField::Deployed(value) => {
                    parts.push(Part::Text(form));
                    parts.push(crate::text::IntoPart::into_part(value));
                    continue;
                }
            }
            parts.push(Part::Text(form));
        }
        Self {
            problem,
            ..Self::vtl(crate::text::joined(parts))
        }
    }
}

/// The value of one field of [`MappingTemplate::form`].
#[derive(Clone, Debug, PartialEq)]
pub enum FormField {
    /// A text, which is URL-encoded when the stack is rendered.
    Text(String),
    /// A VTL expression such as `$input.body`, whose value is URL-encoded for each request.
    Expression(String),
    /// A value of the request, which is URL-encoded.
    Request(RequestValue),
    /// A name or ARN that only the deployment knows; neither has a character that would have to be encoded.
    Deployed(Value<String>),
}

impl FormField {
    /// Takes a text that is the same for every request.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Takes a VTL expression.
    pub fn expression(expression: impl Into<String>) -> Self {
        Self::Expression(expression.into())
    }

    /// Takes a name or ARN of the deployment.
    pub fn deployed(value: impl Into<Value<String>>) -> Self {
        Self::Deployed(value.into())
    }
}

/// Encodes a text for a form. `$` and `#` are encoded too, so that VTL sees none.
fn push_encoded(form: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.*".contains(&byte) {
            form.push(char::from(byte));
        } else if byte == b' ' {
            form.push('+');
        } else {
            // Writing to a string cannot fail.
            let _ = write!(form, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_fields_are_encoded_now_or_for_each_request() {
        let form = MappingTemplate::form([
            ("Action", FormField::text("SendMessage")),
            ("Note", FormField::text("50 % of $x & ü#")),
            ("MessageBody", FormField::expression("$input.body")),
        ]);
        let text = form.text.literal().unwrap();
        assert_eq!(
            text,
            "Action=SendMessage&Note=50+%25+of+%24x+%26+%C3%BC%23&MessageBody=$util.urlEncode($input.body)"
        );
    }

    #[test]
    fn messages_are_escaped() {
        let template = MappingTemplate::message("say \"please\"");
        assert_eq!(
            template.text.literal().unwrap(),
            r#"{"message":"say \"please\""}"#
        );
        let template = MappingTemplate::message("#5 costs $input");
        let text = template.text.literal().unwrap();
        assert!(!text.contains(['$', '#']), "{text}");
        let json: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(json["message"], "#5 costs $input");
    }
}
