//! Traps of functions and of what triggers them.

use serde_json::Value;

use super::super::canonical::same;
use super::super::compare::type_of;
use super::super::references::names;
use super::super::{Action, Grade};
use super::{Finding, Seen, Trap, is, number};

pub(super) const TRAPS: &[Trap] = &[
    Trap {
        types: &[
            "AWS::Lambda::EventSourceMapping",
            "AWS::Lambda::Function",
            "AWS::SQS::Queue",
        ],
        source: "https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html",
        find: visibility,
    },
    Trap {
        types: &["AWS::Lambda::EventSourceMapping"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-lambda-eventsourcemapping.html",
        find: starting,
    },
];

/// How long a message is hidden where a queue says nothing, in seconds.
const VISIBILITY: f64 = 30.0;

/// How long a function may run where it says nothing, in seconds.
const TIMEOUT: f64 = 3.0;

/// A queue that shows a message again while the function still works on it: Lambda refuses a new mapping between such a
/// queue and such a function, and a mapping that is there invokes the function twice.
fn visibility(seen: &Seen<'_>) -> Vec<Finding> {
    let id = &seen.change.logical_id;
    let mut found = Vec::new();
    for (mapping, body) in seen.both.of_type("AWS::Lambda::EventSourceMapping") {
        let part = |name: &str| body.get("Properties").and_then(|all| all.get(name));
        let (Some(source), Some(target)) = (part("EventSourceArn"), part("FunctionName")) else {
            continue;
        };
        let named = |value: &Value, kind: &str| {
            let named = names(value).into_iter();
            let mut named = named.filter_map(|name| seen.both.new.get_key_value(&name));
            named.find(|(_, body)| type_of(body) == kind)
        };
        let (Some((queue, queue_body)), Some((function, function_body))) = (
            named(source, "AWS::SQS::Queue"),
            named(target, "AWS::Lambda::Function"),
        ) else {
            continue;
        };
        if ![mapping, queue, function].contains(&id) {
            continue;
        }
        let seconds = |body: Option<&Value>, name: &str, default: f64| {
            let value = body
                .and_then(|body| body.get("Properties"))
                .and_then(|all| all.get(name));
            match value {
                None => Some(default),
                value => number(value),
            }
        };
        let times = |queue: Option<&Value>, function: Option<&Value>| {
            Some((
                seconds(queue, "VisibilityTimeout", VISIBILITY)?,
                seconds(function, "Timeout", TIMEOUT)?,
            ))
        };
        let Some((hidden, runs)) = times(Some(queue_body), Some(function_body)) else {
            continue;
        };
        if hidden >= runs {
            continue;
        }
        let is_new = !seen.both.old.contains_key(mapping);
        let reason = format!(
            "{queue} shows a message again after {hidden} s, and {function} may run {runs} s"
        );
        if is_new && id == mapping {
            found.push(Finding::new(
                Grade::Impossible,
                format!("{reason}: Lambda refuses the mapping"),
            ));
        } else if !is_new && id != mapping {
            let old = seen.both.old;
            let earlier = times(old.get(queue), old.get(function));
            let touched = seen.touches("VisibilityTimeout") || seen.touches("Timeout");
            if touched && earlier.is_none_or(|(hidden, runs)| hidden >= runs) {
                found.push(Finding::new(Grade::Interruption, reason));
            }
        }
    }
    found
}

/// A mapping that is replaced begins anew where it is told to.
fn starting(seen: &Seen<'_>) -> Vec<Finding> {
    if seen.change.action != Action::Replace {
        return Vec::new();
    }
    let same_source = match (
        seen.before("/EventSourceArn"),
        seen.after("/EventSourceArn"),
    ) {
        (Some(before), Some(after)) => same(before, after),
        _ => false,
    };
    let position = seen.after("/StartingPosition");
    let reason = if is(position, "LATEST") {
        "the new mapping reads from then on: records that nobody read yet are left out"
    } else if is(position, "TRIM_HORIZON") && same_source {
        "the new mapping reads all records that the stream still has, once more"
    } else {
        return Vec::new();
    };
    vec![Finding::new(Grade::None, reason)]
}
