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
    Yaml(#[source] serde_yaml::Error),
}
