//! From expressions to the JSON of a template.

use std::collections::BTreeMap;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value as Json, json};
use stack_model_cfn::{Expr, Part, ResourceId, Token};

/// What tokens become in the template of one stack.
#[derive(Debug, Default)]
pub(crate) struct Scope {
    /// The stack that the template is for.
    pub(crate) stack: String,
    /// Logical ids that get a suffix: written to rendered.
    pub(crate) renamed: BTreeMap<String, String>,
    /// The export that carries a value of another stack.
    pub(crate) imports: BTreeMap<ImportKey, String>,
    /// The parameter that receives a value of another stack in another region.
    pub(crate) passed: BTreeMap<ImportKey, String>,
}

/// A value of another stack: the resource or parameter, and the attribute where it is not `Ref`.
pub(crate) type ImportKey = (ResourceId, Option<String>);

/// Returns the key of a token that names a resource or parameter.
pub(crate) fn import_key(token: &Token) -> Option<ImportKey> {
    match token {
        Token::Ref(id) | Token::Parameter(id) => Some((id.clone(), None)),
        Token::GetAtt(id, attribute) => Some((id.clone(), Some(attribute.to_string()))),
        _ => None,
    }
}

/// Returns the resource or parameter that a token names.
pub(crate) fn owner(token: &Token) -> Option<&ResourceId> {
    match token {
        Token::Ref(id) | Token::Parameter(id) | Token::GetAtt(id, _) => Some(id),
        _ => None,
    }
}

/// An expression that is written as it stands in the template: maps sorted, tokens as intrinsics.
pub(crate) struct Lowered<'a> {
    scope: &'a Scope,
    expr: &'a Expr,
}

impl Serialize for Lowered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let scope = self.scope;
        let lowered = |expr| Lowered { scope, expr };
        match self.expr {
            Expr::Null => serializer.serialize_unit(),
            Expr::Bool(value) => serializer.serialize_bool(*value),
            Expr::Number(value) => value.serialize(serializer),
            Expr::String(value) => serializer.serialize_str(value),
            Expr::List(elements) => serializer.collect_seq(elements.iter().map(lowered)),
            Expr::Map(entries) => {
                serializer.collect_map(entries.iter().map(|(key, value)| (key, lowered(value))))
            }
            Expr::Token(token) => {
                let mut json = scope.token(token);
                // The maps of `serde_json` keep the order of insertion where some crate of a build asks for it.
                json.sort_all_objects();
                json.serialize(serializer)
            }
        }
    }
}

impl Scope {
    /// Returns an expression as it is written in the template.
    pub(crate) fn lowered<'a>(&'a self, expr: &'a Expr) -> Lowered<'a> {
        Lowered { scope: self, expr }
    }

    /// Renders an expression as it stands in the template.
    fn lower(&self, expr: &Expr) -> Json {
        match expr {
            Expr::Null => Json::Null,
            Expr::Bool(value) => Json::Bool(*value),
            Expr::Number(value) => Json::Number(value.clone()),
            Expr::String(value) => Json::String(value.clone()),
            Expr::List(elements) => elements.iter().map(|e| self.lower(e)).collect(),
            Expr::Map(entries) => entries
                .iter()
                .map(|(key, value)| (key.clone(), self.lower(value)))
                .collect(),
            Expr::Token(token) => self.token(token),
        }
    }

    /// Returns the logical id as the template has it.
    pub(crate) fn logical_id<'a>(&'a self, id: &'a str) -> &'a str {
        self.renamed.get(id).map_or(id, String::as_str)
    }

    fn token(&self, token: &Token) -> Json {
        if let Some(parameter) = self.parameter(token) {
            return json!({ "Ref": parameter });
        }
        if let Some(import) = self.import(token) {
            return json!({ "Fn::ImportValue": import });
        }
        match token {
            Token::Ref(id) => json!({ "Ref": self.logical_id(id.logical_id()) }),
            Token::GetAtt(id, attribute) => {
                json!({ "Fn::GetAtt": [self.logical_id(id.logical_id()), &**attribute] })
            }
            Token::Parameter(id) => json!({ "Ref": id.logical_id() }),
            Token::Pseudo(pseudo) => json!({ "Ref": pseudo.name() }),
            Token::Sub(parts) => self.sub(parts),
            Token::Join { delimiter, list } => json!({ "Fn::Join": [delimiter, self.lower(list)] }),
            Token::Select { index, list } => json!({ "Fn::Select": [index, self.lower(list)] }),
            Token::Split { delimiter, text } => {
                json!({ "Fn::Split": [delimiter, self.lower(text)] })
            }
            Token::ImportValue(name) => json!({ "Fn::ImportValue": self.lower(name) }),
            Token::If {
                condition,
                then,
                otherwise,
            } => json!({ "Fn::If": [&**condition, self.lower(then), self.lower(otherwise)] }),
            Token::FindInMap { map, first, second } => {
                json!({ "Fn::FindInMap": [&**map, self.lower(first), self.lower(second)] })
            }
            Token::Base64(text) => json!({ "Fn::Base64": self.lower(text) }),
            Token::SsmParameter {
                name,
                version,
                secure,
            } => Json::String(ssm(name, *version, *secure)),
            Token::Secret { id, json_key } => {
                let key = json_key.as_deref().unwrap_or_default();
                match &**id {
                    Expr::String(id) => Json::String(secret(id, key)),
                    Expr::Token(token) => self.sub(&[
                        Part::Text("{{resolve:secretsmanager:".to_owned()),
                        Part::Token(token.clone()),
                        Part::Text(format!(":SecretString:{key}}}}}")),
                    ]),
                    other => self.lower(other),
                }
            }
        }
    }

    /// Returns the export that carries the token's value, where it belongs to another stack.
    fn import(&self, token: &Token) -> Option<&str> {
        if owner(token)?.stack() == self.stack {
            return None;
        }
        self.imports.get(&import_key(token)?).map(String::as_str)
    }

    /// Returns the parameter that receives the token's value, where it belongs to a stack in another region.
    fn parameter(&self, token: &Token) -> Option<&str> {
        if owner(token)?.stack() == self.stack {
            return None;
        }
        self.passed.get(&import_key(token)?).map(String::as_str)
    }

    /// Renders `Fn::Sub` with the short form `${Id.Attribute}` where it exists and a variable elsewhere.
    fn sub(&self, parts: &[Part]) -> Json {
        let mut text = String::new();
        let mut variables = Map::new();
        let mut fills = false;
        for part in parts {
            match part {
                // Few texts have any, and a search for one byte is the fastest there is.
                Part::Text(piece) if !piece.as_bytes().contains(&b'$') => text.push_str(piece),
                Part::Text(piece) => text.push_str(&piece.replace("${", "${!")),
                Part::Token(token) => {
                    if let Some(short) = self.short(token) {
                        fills |= short.starts_with("${");
                        text.push_str(&short);
                    } else {
                        let name = format!("Value{}", variables.len() + 1);
                        text.extend(["${", &name, "}"]);
                        variables.insert(name, self.token(token));
                    }
                }
            }
        }
        if variables.is_empty() && !fills {
            // Dynamic references are found in any text.
            json!(text.replace("${!", "${"))
        } else if variables.is_empty() {
            json!({ "Fn::Sub": text })
        } else {
            json!({ "Fn::Sub": [text, variables] })
        }
    }

    fn short(&self, token: &Token) -> Option<String> {
        if let Some(parameter) = self.parameter(token) {
            return Some(format!("${{{parameter}}}"));
        }
        if self.import(token).is_some() {
            return None;
        }
        Some(match token {
            Token::Ref(id) => format!("${{{}}}", self.logical_id(id.logical_id())),
            Token::Parameter(id) => format!("${{{}}}", id.logical_id()),
            Token::GetAtt(id, attribute) => {
                format!("${{{}.{attribute}}}", self.logical_id(id.logical_id()))
            }
            Token::Pseudo(pseudo) => format!("${{{}}}", pseudo.name()),
            Token::SsmParameter {
                name,
                version,
                secure,
            } => ssm(name, *version, *secure),
            Token::Secret { id, json_key } => {
                secret(id.as_str()?, json_key.as_deref().unwrap_or_default())
            }
            _ => return None,
        })
    }
}

/// Writes a dynamic reference to Parameter Store; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-ssm.html>.
fn ssm(name: &str, version: Option<u64>, secure: bool) -> String {
    let service = if secure { "ssm-secure" } else { "ssm" };
    match version {
        Some(version) => format!("{{{{resolve:{service}:{name}:{version}}}}}"),
        None => format!("{{{{resolve:{service}:{name}}}}}"),
    }
}

/// Writes a dynamic reference to Secrets Manager; see
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references-secretsmanager.html>.
fn secret(id: &str, json_key: &str) -> String {
    format!("{{{{resolve:secretsmanager:{id}:SecretString:{json_key}}}}}")
}

#[cfg(test)]
mod tests {
    use stack_model_cfn::{Pseudo, Value};

    use super::*;
    use crate::text;

    fn id(stack: &str, logical_id: &str) -> ResourceId {
        ResourceId::new(stack, logical_id)
    }

    fn scope() -> Scope {
        Scope {
            stack: "orders".to_owned(),
            ..Scope::default()
        }
    }

    #[test]
    fn sub_uses_short_forms_and_escapes_text() {
        let queue =
            Value::<String>::Token(Token::GetAtt(id("orders", "Queue"), "QueueName".into()));
        let value = text!("${literal}/{}/{}", queue, Pseudo::Region);
        assert_eq!(
            scope().lower(&value.into()),
            json!({"Fn::Sub": "${!literal}/${Queue.QueueName}/${AWS::Region}"})
        );
    }

    #[test]
    fn sub_puts_what_has_no_short_form_into_variables() {
        let foreign = Token::Ref(id("data", "Table"));
        let mut scope = scope();
        scope
            .imports
            .insert((id("data", "Table"), None), "data-dev-Table".to_owned());
        let value = text!("table/{}", Value::<String>::Token(foreign.clone()));
        assert_eq!(
            scope.lower(&value.into()),
            json!({"Fn::Sub": ["table/${Value1}", {"Value1": {"Fn::ImportValue": "data-dev-Table"}}]})
        );
        assert_eq!(
            scope.lower(&Expr::Token(foreign)),
            json!({"Fn::ImportValue": "data-dev-Table"})
        );
    }

    #[test]
    fn dynamic_references_are_text() {
        let secret = Token::Secret {
            id: Box::new(Expr::from("db")),
            json_key: Some("password".to_owned()),
        };
        assert_eq!(
            scope().lower(&secret.into()),
            json!("{{resolve:secretsmanager:db:SecretString:password}}")
        );
        let parameter = Token::SsmParameter {
            name: "/app/key".to_owned(),
            version: Some(3),
            secure: true,
        };
        assert_eq!(
            scope().lower(&parameter.clone().into()),
            json!("{{resolve:ssm-secure:/app/key:3}}")
        );
        let value = text!("{}/${a}", Value::<String>::Token(parameter));
        assert_eq!(
            scope().lower(&value.into()),
            json!("{{resolve:ssm-secure:/app/key:3}}/${a}")
        );
    }

    #[test]
    fn renamed_resources_are_followed() {
        let mut scope = scope();
        scope
            .renamed
            .insert("Deployment".to_owned(), "Deployment1a2b".to_owned());
        let token = Token::Ref(id("orders", "Deployment"));
        assert_eq!(scope.lower(&token.into()), json!({"Ref": "Deployment1a2b"}));
    }
}
