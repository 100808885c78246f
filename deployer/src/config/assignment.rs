//! Variables that the command line sets, over those of `stackctl.toml`.

use std::str::FromStr;

use serde_json::{Map, Value};

/// One variable of a stage with its value, as `--var KEY=VALUE` gives it.
///
/// The key is a path of names with dots between them, the first of which is the system: `visitors.domain.name`. The
/// value has the type of the one that `stackctl.toml` gives the variable: `1.10` is a text where a text stands there,
/// and a number where a number does. Where the file does not know the variable, the value is TOML if it can be read as
/// such (`true`, `3`, `"3"`, `["a", "b"]`), and a text otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assignment {
    path: Vec<String>,
    value: String,
    /// As it was written.
    text: String,
}

/// Why a text is not an assignment, or cannot be carried out.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AssignmentError {
    /// There is no `=`.
    #[error("`{0}` is not KEY=VALUE")]
    NoValue(String),
    /// The key is not a path.
    #[error("`{0}` is not a key: write names with dots between them, such as `orders.mode`")]
    Key(String),
    /// The key leads through a variable that is not a table.
    #[error("`{key}` cannot be set: `{above}` is not a table")]
    NotATable {
        /// The key.
        key: String,
        /// The variable in the way.
        above: String,
    },
    /// The value is not of the type of the one that it replaces.
    #[error("`{key}` is {wanted} in stackctl.toml, and `{value}` is none")]
    Type {
        /// The key.
        key: String,
        /// The type, with its article.
        wanted: &'static str,
        /// The value as it was written.
        value: String,
    },
}

impl FromStr for Assignment {
    type Err = AssignmentError;

    fn from_str(text: &str) -> Result<Self, AssignmentError> {
        let (key, value) = text
            .split_once('=')
            .ok_or_else(|| AssignmentError::NoValue(text.to_owned()))?;
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .chars()
                    .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
        };
        let path: Vec<String> = key.split('.').map(str::to_owned).collect();
        if path.len() < 2 || !path.iter().all(|name| is_name(name)) {
            return Err(AssignmentError::Key(key.to_owned()));
        }
        Ok(Self {
            path,
            value: value.to_owned(),
            text: text.to_owned(),
        })
    }
}

impl Assignment {
    /// Sets the variable among those of a stage. `others` are those of the other stages, which tell the type of a
    /// variable that this stage does not have.
    ///
    /// # Errors
    ///
    /// Fails where the key leads through a variable that is not a table, and where the value is not of the type of the
    /// one that it replaces.
    pub fn apply(
        &self,
        variables: &mut Map<String, Value>,
        others: &[&Map<String, Value>],
    ) -> Result<(), AssignmentError> {
        let known = std::iter::once(&*variables)
            .chain(others.iter().copied())
            .find_map(|variables| self.find(variables));
        let value = self.value_like(known)?;
        let Some((name, above)) = self.path.split_last() else {
            return Ok(());
        };
        let mut table = variables;
        for (depth, step) in above.iter().enumerate() {
            let entry = table
                .entry(step.clone())
                .or_insert_with(|| Value::Object(Map::new()));
            table = entry
                .as_object_mut()
                .ok_or_else(|| AssignmentError::NotATable {
                    key: self.path.join("."),
                    above: self.path.get(..=depth).unwrap_or_default().join("."),
                })?;
        }
        table.insert(name.clone(), value);
        Ok(())
    }

    /// Returns the value of the variable, where there is one.
    fn find<'a>(&self, variables: &'a Map<String, Value>) -> Option<&'a Value> {
        let (first, rest) = self.path.split_first()?;
        rest.iter()
            .try_fold(variables.get(first)?, |value, step| value.get(step))
    }

    /// Reads the value as one of the type of the known one.
    fn value_like(&self, known: Option<&Value>) -> Result<Value, AssignmentError> {
        let value = read(&self.value);
        let (fits, wanted) = match known {
            // Quotes may be written, and need not be: what is read as anything but a text is the text of it.
            Some(Value::String(_)) if !value.is_string() => {
                return Ok(Value::String(self.value.clone()));
            }
            Some(Value::Bool(_)) => (value.is_boolean(), "true or false"),
            Some(Value::Number(_)) => (value.is_number(), "a number"),
            // A list or a table may stand for one thing where a type takes both, so they are not compared.
            _ => (true, ""),
        };
        if fits {
            Ok(value)
        } else {
            Err(AssignmentError::Type {
                key: self.path.join("."),
                wanted,
                value: self.value.clone(),
            })
        }
    }

    /// Returns the assignment as it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Reads a value as TOML, or takes it as the text that it is.
fn read(text: &str) -> Value {
    let parsed = toml::from_str::<toml::Table>(&format!("value = {text}"))
        .ok()
        .filter(|table| table.len() == 1)
        .and_then(|mut table| table.remove("value"))
        .filter(|value| !value.is_datetime())
        .and_then(|value| super::json("value", value).ok());
    parsed.unwrap_or_else(|| Value::String(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn applied(texts: &[&str], before: &Value) -> Value {
        let mut variables = before.as_object().cloned().expect("is a table");
        for text in texts {
            let assignment: Assignment = text.parse().expect("is an assignment");
            assignment.apply(&mut variables, &[]).expect("can be set");
        }
        Value::Object(variables)
    }

    #[test]
    fn a_variable_is_replaced_or_added_and_the_others_stay() {
        assert_eq!(
            applied(
                &[
                    "intake.mode=direct",
                    "visitors.domain.name=a=b.example.com",
                    "intake.new=true"
                ],
                &json!({"intake": {"mode": "queue", "table": "name"}}),
            ),
            json!({
                "intake": {"mode": "direct", "table": "name", "new": true},
                "visitors": {"domain": {"name": "a=b.example.com"}},
            })
        );
    }

    #[test]
    fn a_value_is_toml_where_it_can_be() {
        for (text, value) in [
            ("true", json!(true)),
            ("3", json!(3)),
            ("2.5", json!(2.5)),
            ("\"3\"", json!("3")),
            ("[\"a\", \"b\"]", json!(["a", "b"])),
            ("{ a = 1 }", json!({"a": 1})),
            ("", json!("")),
            (
                "arn:aws:acm:us-east-1:1:certificate/1",
                json!("arn:aws:acm:us-east-1:1:certificate/1"),
            ),
            ("2024-01-02", json!("2024-01-02")),
            ("1\nother = 2", json!("1\nother = 2")),
        ] {
            assert_eq!(read(text), value, "{text}");
        }
    }

    #[test]
    fn the_file_decides_about_the_type() {
        let before = json!({"api": {"version": "1.0", "read": 1, "on": false, "zones": ["a"]}});
        assert_eq!(
            applied(
                &[
                    "api.version=1.10",
                    "api.read=2",
                    "api.on=true",
                    "api.zones=[\"b\"]"
                ],
                &before
            ),
            json!({"api": {"version": "1.10", "read": 2, "on": true, "zones": ["b"]}})
        );
        for (text, version) in [
            ("true", "true"),
            ("007", "007"),
            ("\"1.10\"", "1.10"),
            ("[1]", "[1]"),
        ] {
            let after = applied(&[&format!("api.version={text}")], &before);
            assert_eq!(after["api"]["version"], version, "{text}");
        }
        for (text, error) in [
            (
                "api.read=two",
                "`api.read` is a number in stackctl.toml, and `two` is none",
            ),
            (
                "api.on=1",
                "`api.on` is true or false in stackctl.toml, and `1` is none",
            ),
        ] {
            let assignment: Assignment = text.parse().expect("is an assignment");
            let mut variables = before.as_object().cloned().expect("is a table");
            let refused = assignment.apply(&mut variables, &[]);
            assert_eq!(refused.expect_err("has another type").to_string(), error);
            assert_eq!(Value::Object(variables), before);
        }
    }

    #[test]
    fn another_stage_knows_the_type_of_a_variable_that_is_new() {
        let version: Assignment = "api.version=1.10".parse().expect("is an assignment");
        let other = json!({"api": {"version": "1.0"}});
        let mut variables = Map::new();
        version
            .apply(&mut variables, &[other.as_object().expect("is a table")])
            .expect("can be set");
        assert_eq!(
            Value::Object(variables),
            json!({"api": {"version": "1.10"}})
        );
        let mut variables = Map::new();
        version.apply(&mut variables, &[]).expect("can be set");
        assert_eq!(
            Value::Object(variables),
            json!({"api": {"version": 1.1}}),
            "nobody says that it is a text"
        );
    }

    #[test]
    fn what_is_no_assignment_is_refused() {
        for text in ["mode", "mode=1", "=1", "a..b=1", "a.b c=1", ".a=1"] {
            assert!(text.parse::<Assignment>().is_err(), "{text}");
        }
        let through: Assignment = "intake.mode.deep=1".parse().expect("is an assignment");
        let mut variables = json!({"intake": {"mode": "queue"}})
            .as_object()
            .cloned()
            .expect("is a table");
        assert_eq!(
            through
                .apply(&mut variables, &[])
                .expect_err("leads through a text")
                .to_string(),
            "`intake.mode.deep` cannot be set: `intake.mode` is not a table"
        );
    }
}
