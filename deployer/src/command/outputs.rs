//! `outputs`: prints the outputs of deployed stacks.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use stack_model::assembly::StackManifest;

use super::look::Look;
use super::{Session, place};
use crate::assembly::Assembly;
use crate::aws::{StaticCredentials, Target};
use crate::cli;
use crate::engine::{self, Event};
use crate::error::Result;
use crate::ui::{self, Trial};

/// Outputs by stack and key.
pub(super) type Outputs = BTreeMap<String, BTreeMap<String, String>>;

pub(super) async fn run(session: &Session, arguments: &cli::Stacks) -> Result<u8> {
    let look = Look::open(session, Some(arguments)).await?;
    let targets = &look.targets;
    let mut outputs = session
        .guard(engine::outputs(&look.context, targets))
        .await??;
    if let Some(base) = place::api_base(&look.place, look.endpoint.as_ref()) {
        reachable(&mut outputs, &base);
    }
    if session.ui.json() {
        session.ui.document(&outputs);
    } else {
        for target in targets
            .iter()
            .filter(|target| !outputs.contains_key(&target.name))
        {
            session.ui.warn(format!("{} is not deployed", target.name));
        }
        show(session, &look.assembly, &outputs, &look.target);
    }
    Ok(0)
}

/// Shows outputs and how to try them at the place where they are.
pub(super) fn show(session: &Session, assembly: &Assembly, outputs: &Outputs, target: &Target) {
    let trials = trials(assembly, outputs, target);
    let text = ui::outputs(&written(&assembly.manifest.stacks, outputs)) + &ui::trials(&trials);
    session.ui.out(text);
}

/// Leaves out what only hands values from stack to stack, also what a deploy keeps of that until its importers let go: no source
/// has it any more.
fn written(stacks: &[StackManifest], outputs: &Outputs) -> Outputs {
    let links = |stack: &str, key: &str| {
        let manifest = stacks.iter().find(|other| other.name == stack);
        manifest.is_some_and(|manifest| match manifest.outputs.get(key) {
            Some(output) => output.links,
            None => is_generated(key),
        })
    };
    outputs
        .iter()
        .map(|(stack, values)| {
            let written = values.iter().filter(|(key, _)| !links(stack, key));
            let written = written.map(|(key, value)| (key.clone(), value.clone()));
            (stack.clone(), written.collect())
        })
        .collect()
}

/// Returns whether an output has a key as it is given to those that export values: the prefix, and a logical id with an attribute.
fn is_generated(key: &str) -> bool {
    let of = key.strip_prefix("Export");
    of.is_some_and(|of| of.starts_with(|first: char| first.is_ascii_uppercase()))
}

/// What a local engine says it did, and did not.
const BUILDS: &str = "aws codebuild ";

/// Returns the commands that the stacks give for trying their outputs.
fn trials(assembly: &Assembly, outputs: &Outputs, target: &Target) -> Vec<Trial> {
    let mut trials = Vec::new();
    for stack in &assembly.manifest.stacks {
        for (key, output) in &stack.outputs {
            let value = outputs.get(&stack.name).and_then(|values| values.get(key));
            let pretended = target.endpoint_url.is_some()
                && output
                    .example
                    .as_ref()
                    .is_some_and(|example| example.starts_with(BUILDS));
            if let (Some(example), Some(value), false) = (&output.example, value, pretended) {
                trials.push(Trial {
                    stack: stack.name.clone(),
                    about: output.description.clone().unwrap_or_else(|| key.clone()),
                    command: aimed(
                        &example.replace("{value}", value),
                        stack.region.as_deref().unwrap_or(&target.region),
                        target,
                    ),
                });
            }
        }
    }
    trials
}

/// Aims a command of the AWS CLI at the place of the stack: pasted as it is, one for an engine on this machine would go
/// to the account of whoever pastes it.
fn aimed(command: &str, region: &str, target: &Target) -> String {
    let (before, rest) = match (command.strip_prefix("aws "), command.split_once("=$(aws ")) {
        (Some(rest), _) => (String::new(), rest),
        // Its answer goes into a variable, for another line.
        (None, Some((variable, rest))) => (format!("{variable}=$("), rest),
        (None, None) => return command.to_owned(),
    };
    let mut text = String::new();
    if let Some(StaticCredentials {
        access_key_id,
        secret_access_key,
    }) = &target.credentials
    {
        text =
            format!("AWS_ACCESS_KEY_ID={access_key_id} AWS_SECRET_ACCESS_KEY={secret_access_key} ");
    }
    text.push_str("aws");
    for (option, value) in [
        ("--endpoint-url", target.endpoint_url.as_deref()),
        ("--profile", target.profile.as_deref()),
        ("--region", Some(region)),
    ] {
        if let Some(value) = value {
            // Writing to a String cannot fail.
            let _ = write!(text, " {option} {value}");
        }
    }
    format!("{before}{text} {rest}")
}

/// Replaces the addresses of API Gateway in outputs by those at which a local place answers.
pub(super) fn reachable(outputs: &mut Outputs, base: &str) {
    for value in outputs.values_mut().flat_map(BTreeMap::values_mut) {
        *value = reachable_text(value, base);
    }
}

/// Does the same to an event, for whoever reads the stream.
pub(super) fn reachable_event(mut event: Event, base: Option<&str>) -> Event {
    if let (Event::StackFinished { outputs, .. }, Some(base)) = (&mut event, base) {
        for value in outputs.values_mut() {
            *value = reachable_text(value, base);
        }
    }
    event
}

/// The schemes of APIs and what takes their place.
const SCHEMES: [(&str, &str); 4] = [
    ("https", "http"),
    ("http", "http"),
    ("wss", "ws"),
    ("ws", "ws"),
];

/// Turns every `https://{api}.execute-api.{region}.amazonaws.com/{stage}/..` of a text, and whatever the local engine
/// calls its APIs itself, into `{base}/_aws/execute-api/{api}/{stage}/..`, which answers without DNS: not every system
/// finds names below `localhost`. The same with `wss`.
fn reachable_text(text: &str, base: &str) -> String {
    const SEPARATOR: &str = "://";
    let base = base
        .split_once(SEPARATOR)
        .map_or(base, |(_, address)| address);
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(SEPARATOR) {
        let (before, from) = rest.split_at(start);
        let after = &from[SEPARATOR.len()..];
        let end = after
            .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | ':')))
            .unwrap_or(after.len());
        let (host, tail) = after.split_at(end);
        let scheme = before
            .rfind(|c: char| !c.is_ascii_alphabetic())
            .map_or(before, |last| before.get(last + 1..).unwrap_or_default());
        let known = SCHEMES.iter().find(|(name, _)| *name == scheme);
        if let (Some((_, own)), Some(api)) = (known, api_of(host)) {
            result.push_str(before.strip_suffix(scheme).unwrap_or(before));
            result.extend([own, SEPARATOR, base, "/_aws/execute-api/", api]);
        } else {
            result.extend([before, SEPARATOR, host]);
        }
        rest = tail;
    }
    result.push_str(rest);
    result
}

/// Returns the API in an address of API Gateway, or in one of the local engine's own, which has a port.
fn api_of(address: &str) -> Option<&str> {
    let (api, rest) = address.split_once(".execute-api.")?;
    let plain = |text: &str| !text.is_empty() && !text.contains(['.', ':']);
    let region = rest
        .strip_suffix(".amazonaws.com.cn")
        .or_else(|| rest.strip_suffix(".amazonaws.com"));
    let at_aws = region.is_some_and(plain);
    let here = rest == "localhost" || rest.starts_with("localhost:");
    (plain(api) && (at_aws || here)).then_some(api)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_hands_values_on_is_left_out_and_so_is_what_is_kept_of_it() {
        let manifest: StackManifest = serde_json::from_value(serde_json::json!({
            "name": "data-dev", "id": "data", "template": "data-dev.template.json", "sha256": "",
            "outputs": {"ExportQueue": {"links": true}, "ExportUrl": {}},
        }))
        .expect("is a manifest");
        let values = |keys: &[&str]| -> BTreeMap<String, String> {
            let keys = keys.iter();
            keys.map(|key| ((*key).to_owned(), String::new())).collect()
        };
        // The last of them a deploy keeps until its importers let go.
        let all = [
            "ApiUrl",
            "ExportUrl",
            "Exporters",
            "ExportQueue",
            "ExportOrdersArn",
        ];
        let outputs = Outputs::from([
            ("data-dev".to_owned(), values(&all)),
            ("left-dev".to_owned(), values(&["ExportOrdersArn"])),
        ]);
        let written = written(&[manifest], &outputs);
        let keys = |stack: &str| written[stack].keys().collect::<Vec<_>>();
        assert_eq!(keys("data-dev"), ["ApiUrl", "ExportUrl", "Exporters"]);
        assert_eq!(
            keys("left-dev"),
            ["ExportOrdersArn"],
            "nobody knows the stack"
        );
    }

    #[test]
    fn commands_of_the_aws_cli_go_where_the_stack_is() {
        let command = "aws codebuild start-build --project-name p";
        let local = Target {
            region: "us-east-1".to_owned(),
            endpoint_url: Some("http://127.0.0.1:4577".to_owned()),
            credentials: Some(StaticCredentials {
                access_key_id: "test".to_owned(),
                secret_access_key: "test".to_owned(),
            }),
            ..Target::default()
        };
        assert_eq!(
            aimed(command, "us-east-2", &local),
            "AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test aws --endpoint-url http://127.0.0.1:4577 \
             --region us-east-2 codebuild start-build --project-name p"
        );
        let aws = Target {
            profile: Some("production".to_owned()),
            ..Target::default()
        };
        assert_eq!(
            aimed(command, "us-east-1", &aws),
            "aws --profile production --region us-east-1 codebuild start-build --project-name p"
        );
        assert_eq!(
            aimed("KEY=$(aws apigateway get-api-key)", "us-east-1", &aws),
            "KEY=$(aws --profile production --region us-east-1 apigateway get-api-key)"
        );
        assert_eq!(aimed("curl http://x", "us-east-1", &local), "curl http://x");
    }

    #[test]
    fn addresses_of_apis_become_reachable() {
        let base = "http://127.0.0.1:4577";
        for (text, expected) in [
            (
                "https://a1b2.execute-api.us-east-1.amazonaws.com/prod/orders?x=1",
                "http://127.0.0.1:4577/_aws/execute-api/a1b2/prod/orders?x=1",
            ),
            (
                "https://a.execute-api.cn-north-1.amazonaws.com.cn",
                "http://127.0.0.1:4577/_aws/execute-api/a",
            ),
            (
                "one https://a.execute-api.us-east-1.amazonaws.com/x, two https://b.execute-api.us-east-1.amazonaws.com/y",
                "one http://127.0.0.1:4577/_aws/execute-api/a/x, two http://127.0.0.1:4577/_aws/execute-api/b/y",
            ),
            (
                "http://a1b2.execute-api.localhost:4577/items",
                "http://127.0.0.1:4577/_aws/execute-api/a1b2/items",
            ),
            (
                "wss://a1b2.execute-api.us-east-1.amazonaws.com/live",
                "ws://127.0.0.1:4577/_aws/execute-api/a1b2/live",
            ),
            (
                "open ws://a1b2.execute-api.localhost:4577 now",
                "open ws://127.0.0.1:4577/_aws/execute-api/a1b2 now",
            ),
            (
                "http://a.execute-api.localhost.evil.org/",
                "http://a.execute-api.localhost.evil.org/",
            ),
            (
                "mqtt://a.execute-api.localhost:1",
                "mqtt://a.execute-api.localhost:1",
            ),
            ("https://example.com/x", "https://example.com/x"),
            (
                "https://a.execute-api.us-east-1.amazonaws.com.evil.org/",
                "https://a.execute-api.us-east-1.amazonaws.com.evil.org/",
            ),
            ("arn:aws:sqs:us-east-1:0:q", "arn:aws:sqs:us-east-1:0:q"),
            ("", ""),
        ] {
            assert_eq!(reachable_text(text, base), expected);
        }
    }
}
