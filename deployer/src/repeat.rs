//! The options of a run, written into the commands that it tells people to type.

use std::fmt;

use crate::cli::Global;

/// The options with which another command works on the same stage and place.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repeated(Vec<(&'static str, Option<String>)>);

/// Verbs that have no stage.
const WITHOUT_STAGE: &[&str] = &["doctor", "completions", "--help", "--version"];

impl Repeated {
    /// Takes what the command line gives.
    pub fn of(global: &Global) -> Self {
        let mut options = Vec::new();
        if let Some(config) = &global.config {
            options.push(("--config", Some(quoted(&config.to_string_lossy()))));
        }
        if global.local {
            options.push(("--local", None));
        }
        let one = [
            ("--stage", &global.stage),
            ("--endpoint-url", &global.endpoint_url),
        ];
        for (name, value) in one {
            options.extend(value.as_deref().map(|value| (name, Some(quoted(value)))));
        }
        for region in &global.regions {
            options.push(("--region", Some(quoted(region))));
        }
        for assignment in &global.variables {
            options.push(("--var", Some(always_quoted(assignment.as_str()))));
        }
        Self(options)
    }

    /// Adds the options to every command of ours in a text: whatever stands between backticks and begins with the name of
    /// the program. Options that a command has already stay as they are, so that a text may be completed twice.
    pub fn complete(&self, text: &str) -> String {
        if !text.contains("`stackctl ") {
            return text.to_owned();
        }
        each_command(text, |command| self.command(command))
    }

    /// Adds the options to a command that stands alone; one of another program stays as it is.
    pub fn command(&self, command: &str) -> String {
        let mut words = command.split(' ');
        let (program, verb) = (words.next(), words.next().unwrap_or_default());
        if program != Some("stackctl") || WITHOUT_STAGE.contains(&verb) {
            return command.to_owned();
        }
        let has = |name: &str| has(command, name);
        let counts = |name: &str| match name {
            "--config" => true,
            // The engine is that of the workspace, whatever the stage.
            _ if verb == "local" => false,
            // Either is a place, and no run has two.
            "--local" => !has("--endpoint-url"),
            "--endpoint-url" => !has("--local"),
            // Another stage has regions and values of its own.
            "--region" | "--var" => !has("--stage"),
            _ => true,
        };
        let missing = self.0.iter().filter(|(name, _)| counts(name) && !has(name));
        let missing = Self(missing.cloned().collect());
        format!("{command}{missing}")
    }
}

/// Changes every command in a text: whatever stands between backticks.
pub fn each_command(text: &str, change: impl Fn(&str) -> String) -> String {
    let parts = text.split('`').enumerate();
    let parts = parts.map(|(position, part)| match position % 2 {
        1 => change(part),
        _ => part.to_owned(),
    });
    parts.collect::<Vec<_>>().join("`")
}

/// Returns whether a command has an option.
pub fn has(command: &str, name: &str) -> bool {
    let mut words = command.split(' ');
    words.any(|word| word.split('=').next() == Some(name))
}

/// Writes the options, each after a space.
impl fmt::Display for Repeated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (name, value) in &self.0 {
            write!(f, " {name}")?;
            if let Some(value) = value {
                write!(f, " {value}")?;
            }
        }
        Ok(())
    }
}

/// Writes a value so that a shell takes it for one word.
pub(crate) fn quoted(value: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !value.is_empty() && value.chars().all(is_plain) {
        value.to_owned()
    } else {
        always_quoted(value)
    }
}

fn always_quoted(value: &str) -> String {
    format!("'{}'", value.replace('\'', "'\\''"))
}

#[cfg(test)]
pub(crate) mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::cli::Cli;

    #[test]
    fn a_name_is_never_a_second_command() {
        assert_eq!(quoted("a; rm -r /"), "'a; rm -r /'");
        assert_eq!(quoted("it's"), r"'it'\''s'");
        assert_eq!(quoted(""), "''");
        assert_eq!(quoted("/aws/lambda/x"), "/aws/lambda/x");
    }

    /// Takes options as the command line gives them.
    pub(crate) fn given(arguments: &[&str]) -> Repeated {
        let command = ["stackctl", "status"].iter().chain(arguments);
        Repeated::of(&Cli::try_parse_from(command).expect("parses").global)
    }

    #[test]
    fn commands_of_ours_get_what_the_run_was_given() {
        let all = given(&[
            "--stage",
            "prod",
            "--region",
            "eu-west-1",
            "--var",
            "a.b=it's",
        ]);
        let options = " --stage prod --region eu-west-1 --var 'a.b=it'\\''s'";
        assert_eq!(all.to_string(), options);
        let text = "`stackctl explain x` says why; see `aws s3 ls`, `--yes` and stackctl itself";
        let whole = all.complete(text);
        assert_eq!(
            whole,
            format!(
                "`stackctl explain x{options}` says why; see `aws s3 ls`, `--yes` and stackctl itself"
            )
        );
        assert_eq!(all.complete(&whole), whole, "once is enough");
        assert_eq!(
            all.command("stackctl synth --region=eu-central-1 --var x.y=1"),
            "stackctl synth --region=eu-central-1 --var x.y=1 --stage prod"
        );
    }

    #[test]
    fn what_has_no_stage_gets_none() {
        let all = given(&["--stage", "dev", "--local", "--config", "a b/stackctl.toml"]);
        for (command, whole) in [
            ("stackctl doctor --install", "stackctl doctor --install"),
            ("stackctl --help", "stackctl --help"),
            (
                "stackctl local stop",
                "stackctl local stop --config 'a b/stackctl.toml'",
            ),
            (
                "stackctl deploy --local",
                "stackctl deploy --local --config 'a b/stackctl.toml' --stage dev",
            ),
        ] {
            assert_eq!(all.command(command), whole);
        }
    }

    /// One place has one option, and another stage has regions and values of its own.
    #[test]
    fn no_option_contradicts_the_command() {
        let engine = given(&["--endpoint-url", "http://localhost:4566", "--stage", "dev"]);
        for (command, whole) in [
            (
                "stackctl deploy --local",
                "stackctl deploy --local --stage dev",
            ),
            (
                "stackctl status",
                "stackctl status --stage dev --endpoint-url http://localhost:4566",
            ),
        ] {
            assert_eq!(engine.command(command), whole);
        }
        let region = given(&["--stage", "dev", "--region", "eu-west-1", "--var", "a.b=1"]);
        let other = "stackctl destroy --stage old";
        assert_eq!(region.command(other), other);
    }
}
