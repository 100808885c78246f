//! Templates as YAML.

/// Renders a JSON template as YAML, for people; the order of keys stays.
///
/// # Errors
///
/// Fails where the text is not JSON.
pub fn from_json(json: &str) -> Result<String, YamlError> {
    let template: serde_json::Value = serde_json::from_str(json).map_err(YamlError::Json)?;
    serde_yaml::to_string(&template).map_err(YamlError::Yaml)
}

/// Why a template has no YAML form.
#[derive(Debug, thiserror::Error)]
pub enum YamlError {
    /// The text is not JSON.
    #[error("the template is not JSON")]
    Json(#[source] serde_json::Error),
    /// The YAML writer refused the value.
    #[error("the template cannot be written as YAML")]
    Yaml(#[source] serde_yaml::ser::Error),
}

#[cfg(test)]
mod tests {
    use super::from_json;

    /// The scalars of <https://yaml.org/type/> that are texts in JSON and something else without quotes.
    #[test]
    fn texts_stay_texts_for_readers_of_yaml_1_1() {
        let texts = [
            "OFF",
            "on",
            "No",
            "y",
            "N",
            "yes",
            "~",
            "null",
            "2010-09-09",
            "012",
            "0x1F",
            "0b1",
            "1_000",
            "1e3",
            ".5",
            ".inf",
            "1:30",
            "190:20:30.15",
            "+1",
            "<<",
            "=",
            "",
        ];
        for text in texts {
            let json = serde_json::json!({ "Mode": text }).to_string();
            assert_eq!(
                from_json(&json).expect("it is JSON").trim_end(),
                format!("Mode: \"{text}\""),
            );
        }
    }
}
