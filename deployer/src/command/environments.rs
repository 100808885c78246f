//! The environments of a stage: which of them a verb works in, and one after the other where it works in all.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::Session;
use crate::config::{Project, Stage, StageConfig, list};
use crate::error::{Error, Kind, Result};
use crate::repeat::Repeated;

/// What one document is made of under `--json`, where each of several environments gave one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Documents {
    /// Their lists become one, whose elements say which environment they are of.
    Listed,
    /// They stand beside each other, each under the name of its environment.
    Named,
    /// There are none: what is printed are lines, each of which says which environment it is of.
    Lines,
}

impl Session {
    /// Returns the stage to work on, with the environments that were chosen: all, where none was named.
    pub(super) fn environments<'a>(
        &'a self,
        project: &'a Project,
    ) -> Result<(&'a str, &'a StageConfig, Vec<&'a Stage>)> {
        let name = self.stage_name(project)?;
        let config = project.stage(name)?;
        let chosen = chosen(name, config.environments(), &self.global.regions)?;
        Ok((name, config, chosen))
    }

    /// Returns the stage to work on in the one environment that it has, or that was chosen.
    pub(crate) fn stage<'a>(&'a self, project: &'a Project) -> Result<(&'a str, &'a Stage)> {
        let (name, _, chosen) = self.environments(project)?;
        match chosen.as_slice() {
            [stage] => Ok((name, stage)),
            several => {
                let labels: Vec<&str> = several.iter().map(|stage| label(stage)).collect();
                Err(Error::new(
                    Kind::Usage,
                    format!(
                        "stage `{name}` is in {}, and this works in one of them",
                        list(&labels)
                    ),
                )
                .hint("name it with `--region REGION`"))
            }
        }
    }

    /// Returns the session for one of several environments that were chosen: what it prints and what its hints name is of this one.
    pub(super) fn within(&self, stage: &Stage, chosen: &[&Stage]) -> Self {
        let widths = chosen.iter().map(|stage| label(stage).chars().count());
        let width = widths.max().unwrap_or_default();
        let mut session = self.clone();
        session.global.regions = vec![label(stage).to_owned()];
        let options = Repeated::of(&session.global);
        session.ui = self
            .ui
            .within((label(stage), width), fields(stage), options);
        session.several = true;
        session
    }
}

/// Returns how an environment is called among several.
pub(super) fn label(stage: &Stage) -> &str {
    stage.label.as_deref().unwrap_or(stage.region.as_str())
}

/// Returns the directory of the command line that an assembly is written to or read from: that of the environment in it,
/// where several were chosen.
pub(super) fn directory(session: &Session, stage: &Stage, directory: &Path) -> PathBuf {
    let directory = session.directory.join(directory);
    if session.several {
        directory.join(label(stage))
    } else {
        directory
    }
}

/// Returns the fields that say under `--json` which environment something is of.
pub(super) fn fields(stage: &Stage) -> Map<String, Value> {
    let mut fields = Map::new();
    fields.insert("region".to_owned(), stage.region.as_str().into());
    if let Some(account) = stage
        .account
        .as_ref()
        .filter(|_| label(stage).contains('/'))
    {
        fields.insert("account".to_owned(), account.as_str().into());
    }
    fields
}

/// Returns the environments that `--region` chooses, in the order of the file.
fn chosen<'a>(name: &str, all: &'a [Stage], wanted: &[String]) -> Result<Vec<&'a Stage>> {
    if wanted.is_empty() {
        return Ok(all.iter().collect());
    }
    let is =
        |stage: &Stage, wanted: &str| stage.region.as_str() == wanted || label(stage) == wanted;
    for wanted in wanted {
        if !all.iter().any(|stage| is(stage, wanted)) {
            let labels: Vec<&str> = all.iter().map(label).collect();
            let error = Error::new(Kind::Usage, format!("stage `{name}` is not in `{wanted}`"));
            return Err(match crate::cli::nearest(wanted, &labels) {
                Some(near) => error.hint(format!("did you mean `--region {near}`?")),
                None => error.hint(format!("it is in {}", list(&labels))),
            });
        }
    }
    let is_wanted = |stage: &&Stage| wanted.iter().any(|wanted| is(stage, wanted));
    Ok(all.iter().filter(is_wanted).collect())
}

/// Runs a verb in every chosen environment, one after the other, up to the first failure. The exit code is the largest.
pub(super) async fn each(
    session: &Session,
    documents: Documents,
    run: impl AsyncFn(&Session) -> Result<u8>,
) -> Result<u8> {
    // A verb finds out for itself, and in its own order, what is wrong with the stage.
    let Ok(project) = session.project() else {
        return Box::pin(run(session)).await;
    };
    let chosen = match session.environments(&project) {
        Ok((_, _, chosen)) if chosen.len() > 1 => chosen,
        _ => return Box::pin(run(session)).await,
    };
    let mut code = 0;
    let mut told = Vec::new();
    for (position, stage) in chosen.iter().enumerate() {
        let own = session.within(stage, &chosen);
        match Box::pin(run(&own)).await {
            Ok(ended) => code = code.max(ended),
            Err(error) => {
                let rest = chosen.get(position + 1..).unwrap_or_default();
                let options = Repeated::of(&own.global);
                let error = error.completed(&options).within(label(stage));
                let error = error.with_fields(fields(stage));
                return Err(not_begun(error, rest));
            }
        }
        told.push((*stage, own.ui.documents()));
    }
    if session.ui.json() && documents != Documents::Lines {
        session.ui.document(&merged(documents, told));
    }
    Ok(code)
}

/// Names the environments in which nothing was begun.
pub(super) fn not_begun(error: Error, environments: &[&Stage]) -> Error {
    let labels: Vec<&str> = environments.iter().map(|stage| label(stage)).collect();
    match labels.len() {
        0 => error,
        1 => error.cause(format!("{} was not begun", list(&labels))),
        _ => error.cause(format!("{} were not begun", list(&labels))),
    }
}

/// Makes one document of those of several environments.
fn merged(documents: Documents, told: Vec<(&Stage, Vec<Value>)>) -> Value {
    let mut all = Map::new();
    for (stage, values) in told {
        for value in values {
            match value {
                Value::Object(entries) if documents == Documents::Listed => {
                    for (key, value) in entries {
                        // What is no list, such as the version of the form, is the same in all of them.
                        let Value::Array(elements) = value else {
                            all.insert(key, value);
                            continue;
                        };
                        let list = all.entry(key).or_insert_with(|| json!([]));
                        if let Some(list) = list.as_array_mut() {
                            list.extend(elements.into_iter().map(|element| of(stage, element)));
                        }
                    }
                }
                value => {
                    all.insert(label(stage).to_owned(), value);
                }
            }
        }
    }
    Value::Object(all)
}

/// Says in an element of a list which environment it is of.
fn of(stage: &Stage, element: Value) -> Value {
    match element {
        Value::Object(mut entries) => {
            for (key, field) in fields(stage) {
                entries.entry(key).or_insert(field);
            }
            Value::Object(entries)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn config(text: &str) -> StageConfig {
        let config: Config = toml::from_str(&format!("[stages.prod]\n{text}")).expect("is valid");
        config.stages.into_values().next().expect("is there")
    }

    fn labels(stages: Result<Vec<&Stage>>) -> Vec<String> {
        let stages = stages.expect("are there");
        stages
            .into_iter()
            .map(|stage| label(stage).to_owned())
            .collect()
    }

    #[test]
    fn regions_choose_environments() {
        let config = config(
            r#"
            account = "111111111111"
            [[stages.prod.environments]]
            region = "us-east-1"
            [[stages.prod.environments]]
            region = "eu-west-1"
            [[stages.prod.environments]]
            region = "us-east-1"
            account = "222222222222"
            "#,
        );
        let choose = |wanted: &[&str]| {
            let wanted: Vec<String> = wanted.iter().map(ToString::to_string).collect();
            chosen("prod", config.environments(), &wanted)
        };
        assert_eq!(
            labels(choose(&[])),
            [
                "111111111111/us-east-1",
                "111111111111/eu-west-1",
                "222222222222/us-east-1"
            ]
        );
        assert_eq!(
            labels(choose(&["us-east-1"])),
            ["111111111111/us-east-1", "222222222222/us-east-1"]
        );
        assert_eq!(
            labels(choose(&["222222222222/us-east-1", "eu-west-1"])),
            ["111111111111/eu-west-1", "222222222222/us-east-1"]
        );
        let error = choose(&["us-east-1", "eu-west-2"]).expect_err("is not there");
        assert_eq!(error.kind(), Kind::Usage);
        assert_eq!(error.message(), "stage `prod` is not in `eu-west-2`");
    }

    #[test]
    fn documents_say_which_environment_they_are_of() {
        let config = config(r#"regions = ["us-east-1", "eu-west-1"]"#);
        let told = |documents: &[Value]| {
            let pairs = config.environments().iter().zip(documents);
            pairs
                .map(|(stage, value)| (stage, vec![value.clone()]))
                .collect()
        };
        assert_eq!(
            merged(
                Documents::Listed,
                told(&[
                    json!({"version": 1, "stacks": [{"stack": "a"}, {"stack": "b"}]}),
                    json!({"version": 1, "stacks": [{"stack": "a"}]})
                ])
            ),
            json!({"version": 1, "stacks": [
                {"stack": "a", "region": "us-east-1"},
                {"stack": "b", "region": "us-east-1"},
                {"stack": "a", "region": "eu-west-1"},
            ]})
        );
        assert_eq!(
            merged(
                Documents::Named,
                told(&[json!({"a": {"Url": "x"}}), json!({})])
            ),
            json!({"us-east-1": {"a": {"Url": "x"}}, "eu-west-1": {}})
        );
    }
}
