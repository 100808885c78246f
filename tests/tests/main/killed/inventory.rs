//! Everything that a run leaves behind, in words that are the same after every run.

use std::fs;
use std::path::Path;

use serde_json::json;
use system_tests::account::{Account, Inventory, texts};

/// Returns what is in an account and in the tool's directories, one line each.
pub(super) fn take(account: &Account, state: &Path, temporary: &Path) -> Vec<String> {
    let mut lines = Vec::new();
    let inventory = account.inventory();
    for (kind, names) in &inventory {
        for name in names {
            lines.push(match *kind {
                "APIs" | "event source mappings" => format!("{kind}: one"),
                _ => format!("{kind}: {}", without_end(name)),
            });
        }
    }
    for stack in &inventory["stacks"] {
        describe(account, stack, &mut lines);
    }
    hold(account, &inventory, &mut lines);
    for function in &inventory["functions"] {
        let answer = account.get("lambda", &format!("/2015-03-31/functions/{function}"));
        let configuration = &answer.json()["Configuration"];
        let code = &configuration["CodeSha256"];
        lines.push(format!("{}: {code}", without_end(function)));
        releases(account, function, &mut lines);
        let variables = configuration["Environment"]["Variables"].as_object();
        for (name, value) in variables.into_iter().flatten() {
            let value = value.as_str().unwrap_or_default();
            lines.push(format!(
                "{} {name}: {}",
                without_end(function),
                without_end(value)
            ));
        }
    }
    let distributions = account.get("cloudfront", "/2020-05-31/distribution").body;
    for _ in texts(&distributions, "DomainName") {
        lines.push("a distribution or an origin of one".to_owned());
    }
    for bucket in &inventory["buckets"] {
        let name = without_end(bucket);
        for query in ["list-type=2", "versions", "uploads"] {
            let listing = account.get("s3", &format!("/{bucket}?{query}")).body;
            for kind in ["Contents", "Version", "DeleteMarker", "Upload"] {
                for entry in texts(&listing, kind) {
                    let (key, tag) = (
                        texts(&entry, "Key").concat(),
                        texts(&entry, "ETag").concat(),
                    );
                    let is_record = key.starts_with("state/");
                    let line = format!("{name} {query}: {kind} {}", object(&key, &tag));
                    // It is written again in every attempt.
                    if !is_record || !lines.contains(&line) {
                        lines.push(line);
                    }
                }
            }
        }
    }
    for (name, directory) in [("state", state), ("temporary", temporary)] {
        files(directory, Path::new(name), &mut lines);
    }
    lines.sort();
    lines
}

/// Returns the key of an object with the hash of its content. What is written down about a state of a stack has the time of
/// that in it, and what names a release ends with a hash of it.
fn object(key: &str, tag: &str) -> String {
    let name = key.rsplit('/').next().unwrap_or_default();
    match key.strip_suffix(name) {
        Some(release) if release.ends_with("/release/") => {
            let number = name.split('-').next().unwrap_or_default();
            format!("{release}{number}-*")
        }
        Some("state/") => key.to_owned(),
        _ => format!("{key} {tag}"),
    }
}

/// Tells the items of tables and the values of parameters.
fn hold(account: &Account, inventory: &Inventory, lines: &mut Vec<String>) {
    for table in &inventory["tables"] {
        let scan = json!({"TableName": table});
        let found = account.call("dynamodb", "DynamoDB_20120810.Scan", &scan);
        for item in found["Items"].as_array().into_iter().flatten() {
            lines.push(format!("{} item: {item}", without_end(table)));
        }
    }
    let all = account.call("ssm", "AmazonSSM.DescribeParameters", &json!({}));
    for parameter in all["Parameters"].as_array().into_iter().flatten() {
        let name = json!({"Name": parameter["Name"]});
        let found = account.call("ssm", "AmazonSSM.GetParameter", &name);
        let value = found["Parameter"]["Value"].as_str().unwrap_or_default();
        lines.push(format!("{}: {}", parameter["Name"], without_end(value)));
    }
}

/// Tells the versions of a function and which of them its aliases name.
fn releases(account: &Account, function: &str, lines: &mut Vec<String>) {
    let name = without_end(function);
    for (path, list, key, more) in [
        ("versions", "Versions", "Version", "CodeSha256"),
        ("aliases", "Aliases", "Name", "FunctionVersion"),
    ] {
        let answer = account.get(
            "lambda",
            &format!("/2015-03-31/functions/{function}/{path}"),
        );
        let all = answer.json()[list].as_array().cloned();
        for one in all.expect("Lambda lists them") {
            lines.push(format!("{name} {path}: {} {}", one[key], one[more]));
        }
    }
}

fn describe(account: &Account, stack: &str, lines: &mut Vec<String>) {
    let ask = |action: &str, arguments: &[(&str, &str)]| {
        account.query("cloudformation", "2010-05-15", action, arguments)
    };
    let named = [("StackName", stack)];
    let described = ask("DescribeStacks", &named);
    for tag in [
        "StackStatus",
        "EnableTerminationProtection",
        "ParameterKey",
        "ParameterValue",
        "OutputKey",
        "OutputValue",
        "Key",
        "Value",
    ] {
        for text in texts(&described, tag) {
            lines.push(format!("{stack} {tag}: {}", without_end(&text)));
        }
    }
    let template = ask("GetTemplate", &named);
    for text in texts(&template, "TemplateBody") {
        lines.push(format!(
            "{stack} template: {}",
            text.replace("xxxxxxxx", "")
        ));
    }
    for text in texts(&ask("GetStackPolicy", &named), "StackPolicyBody") {
        lines.push(format!("{stack} policy: {text}"));
    }
    let resources = ask("DescribeStackResources", &named);
    let statuses = texts(&resources, "ResourceStatus");
    for (id, status) in texts(&resources, "LogicalResourceId").iter().zip(statuses) {
        lines.push(format!("{stack} resource: {id} {status}"));
    }
    // Executed change sets are the history of the stack; any other waits for somebody.
    let change_sets = ask("ListChangeSets", &named);
    for status in texts(&change_sets, "ExecutionStatus") {
        if status != "EXECUTE_COMPLETE" {
            lines.push(format!("{stack} change set: {status}"));
        }
    }
}

fn files(directory: &Path, name: &Path, lines: &mut Vec<String>) {
    let Ok(entries) = fs::read_dir(directory) else {
        return;
    };
    for entry in entries {
        let path = entry.expect("a directory can be listed").path();
        let name = name.join(path.file_name().expect("an entry has a name"));
        if path.is_dir() {
            lines.push(format!("{}/", name.display()));
            files(&path, &name, lines);
        } else {
            let length = fs::metadata(&path).expect("a file can be looked at").len();
            // The index has times in it, and a lock the process that took it last.
            let is_same = !name.ends_with("index.json") && !name.to_string_lossy().contains("lock");
            let length = if is_same {
                length.to_string()
            } else {
                String::new()
            };
            lines.push(format!("{} {length}", name.display()));
        }
    }
}

/// Takes off the end of a name what AWS made up: after the last hyphen, and the account of an ARN.
fn without_end(text: &str) -> String {
    // A release is named by its time and by a hash of what makes it, the name of the artifact bucket among it.
    if text.len() > 20 && text.get(8..9) == Some("T") && text.get(19..20) == Some("Z") {
        return "a release".to_owned();
    }
    if text.starts_with("http") || text.starts_with("arn:") {
        let name = text.rsplit([':', '/']).next().unwrap_or_default();
        return without_end(name);
    }
    match text.rsplit_once('-') {
        Some((start, end)) if end.len() >= 8 && end.chars().all(|c| c.is_ascii_alphanumeric()) => {
            format!("{start}-*")
        }
        _ => text.to_owned(),
    }
}

/// Returns what two inventories do not have in common.
pub(super) fn difference(expected: &[String], actual: &[String]) -> Vec<String> {
    let mut rest = actual.to_vec();
    let mut lines = Vec::new();
    for line in expected {
        match rest.iter().position(|other| other == line) {
            Some(position) => {
                rest.remove(position);
            }
            None => lines.push(format!("missing: {line}")),
        }
    }
    lines.extend(rest.into_iter().map(|line| format!("too much: {line}")));
    lines
}
