//! Notifications without cycles, and without overlaps.
//!
//! A bucket waits for what it notifies: S3 checks each target when the notification is set. A function, its role and
//! the permission to invoke it name the bucket in turn. What the bucket waits for therefore names it by what it is
//! called, and not by a reference; everything else waits for the bucket as usual.

use std::collections::{BTreeMap, BTreeSet};

use stack_model_cfn::{Expr, Pseudo, Token, Value};

use super::notification::PROPERTY;
use crate::error::Violation;
use crate::stack::StackData;
use crate::synth::{Rendered, raw_references};
use crate::text;

const KIND: &str = "AWS::S3::Bucket";

/// The lists of notifications, each with the property of an entry that names its target.
const LISTS: [(&str, &str); 3] = [
    ("LambdaConfigurations", "Function"),
    ("QueueConfigurations", "Queue"),
    ("TopicConfigurations", "Topic"),
];

/// Names buckets by what they are called where a reference would close a cycle, and checks what they notify.
pub(crate) fn untangle(
    stacks: &[StackData],
    rendered: &mut Rendered,
    violations: &mut Vec<Violation>,
) {
    for stack in stacks {
        let buckets = stack.resources.iter().filter(|(_, it)| it.kind == KIND);
        for (id, resource) in buckets {
            let Some(properties) = rendered.get(&stack.id, id) else {
                continue;
            };
            let notifications = notifications(properties);
            if notifications.is_empty() {
                continue;
            }
            let mut report = |message: String| {
                violations.push(
                    Violation::new(message)
                        .in_stack(&*stack.id)
                        .of(id)
                        .at(PROPERTY)
                        .declared(&resource.source),
                );
            };
            overlaps(&notifications).into_iter().for_each(&mut report);
            for notification in &notifications {
                unheard(stack, id, notification, rendered)
                    .into_iter()
                    .for_each(&mut report);
            }
            let name = get(properties, "BucketName").cloned();
            name_upstream(stack, id, name, rendered, violations);
        }
    }
}

/// One notification of a bucket.
struct Notification {
    list: &'static str,
    event: Option<String>,
    prefix: Option<String>,
    suffix: Option<String>,
    /// The resource that it tells, where a token names it.
    target: Option<String>,
}

fn get<'a>(expr: &'a Expr, path: &str) -> Option<&'a Expr> {
    path.split('.').try_fold(expr, |expr, key| match expr {
        Expr::Map(entries) => entries.get(key),
        _ => None,
    })
}

fn notifications(properties: &Expr) -> Vec<Notification> {
    let mut found = Vec::new();
    for (list, target) in LISTS {
        let path = format!("NotificationConfiguration.{list}");
        let Some(Expr::List(entries)) = get(properties, &path) else {
            continue;
        };
        for entry in entries {
            let event = get(entry, "Event").and_then(Expr::as_str);
            let target = get(entry, target).and_then(|arn| named(arn).pop_first());
            found.push(Notification {
                list,
                event: event.map(str::to_owned),
                prefix: filter(entry, "prefix"),
                suffix: filter(entry, "suffix"),
                target,
            });
        }
    }
    found
}

/// Returns the text of a filter: the empty text, which every key starts and ends with, where there is none, and
/// nothing where only the deployment knows.
fn filter(entry: &Expr, wanted: &str) -> Option<String> {
    let Some(rules) = get(entry, "Filter.S3Key.Rules") else {
        return Some(String::new());
    };
    let Expr::List(rules) = rules else {
        return None;
    };
    let rule = rules.iter().find(|rule| {
        let name = get(rule, "Name").and_then(Expr::as_str);
        name.is_some_and(|name| name.eq_ignore_ascii_case(wanted))
    });
    match rule {
        Some(rule) => get(rule, "Value")?.as_str().map(str::to_owned),
        None => Some(String::new()),
    }
}

/// Finds notifications that one object could match; see
/// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/notification-how-to-filtering.html>.
fn overlaps(notifications: &[Notification]) -> Vec<String> {
    let mut messages = Vec::new();
    for (position, one) in notifications.iter().enumerate() {
        for other in notifications.iter().skip(position + 1) {
            let (Some(event), Some(with)) = (&one.event, &other.event) else {
                continue;
            };
            let prefixes = one.prefix.as_ref().zip(other.prefix.as_ref());
            let suffixes = one.suffix.as_ref().zip(other.suffix.as_ref());
            let overlaps = same_event(event, with)
                && prefixes
                    .is_some_and(|(a, b)| a.starts_with(b.as_str()) || b.starts_with(a.as_str()))
                && suffixes
                    .is_some_and(|(a, b)| a.ends_with(b.as_str()) || b.ends_with(a.as_str()));
            if overlaps {
                messages.push(format!(
                    "{} and {} could be told of one object, which S3 refuses: keep them apart by prefixes or suffixes, or publish to one topic that both subscribe to",
                    one.describe(),
                    other.describe()
                ));
            }
        }
    }
    messages
}

impl Notification {
    fn describe(&self) -> String {
        let filters = [("prefix", &self.prefix), ("suffix", &self.suffix)];
        let filters: Vec<String> = filters
            .into_iter()
            .filter_map(|(name, text)| Some((name, text.as_deref()?)))
            .filter(|(_, text)| !text.is_empty())
            .map(|(name, text)| format!("{name} `{text}`"))
            .collect();
        let filters = match filters.as_slice() {
            [] => "all objects".to_owned(),
            filters => filters.join(" and "),
        };
        let event = self.event.as_deref().unwrap_or_default();
        match &self.target {
            Some(target) => format!("`{target}` (`{event}`, {filters})"),
            None => format!("an entry of `{}` (`{event}`, {filters})", self.list),
        }
    }
}

/// Returns whether one event is of both kinds, either of which may be `s3:ObjectCreated:*`.
fn same_event(one: &str, other: &str) -> bool {
    let covers = |wide: &str, narrow: &str| match wide.strip_suffix('*') {
        Some(start) => narrow.starts_with(start),
        None => wide == narrow,
    };
    covers(one, other) || covers(other, one)
}

/// Says why a target would not hear of anything: no permission that the bucket waits for, or a key that S3 may not
/// use.
fn unheard(
    stack: &StackData,
    bucket: &str,
    notification: &Notification,
    rendered: &Rendered,
) -> Option<String> {
    let target = notification.target.as_ref()?;
    let properties = |id: &str| rendered.get(&stack.id, id);
    if notification.list == "TopicConfigurations" {
        let key = get(properties(target)?, "KmsMasterKeyId")?;
        return contains_text(key, "alias/aws/sns").then(|| {
            format!(
                "the topic `{target}` is encrypted with AWS's own key, which S3 may not use: encrypt it with a key of the customer's own or not at all"
            )
        });
    }
    if notification.list != "LambdaConfigurations" {
        return None;
    }
    let waits = stack.resources.get(bucket)?.depends_on.iter().any(|id| {
        let Some(permission) = stack.resources.get(id.logical_id()) else {
            return false;
        };
        permission.kind == "AWS::Lambda::Permission"
            && properties(id.logical_id()).is_some_and(|properties| {
                get(properties, "FunctionName").is_some_and(|name| named(name).contains(target))
            })
    });
    (!waits).then(|| {
        format!(
            "S3 checks that it may invoke `{target}` when the notification is set: make the bucket wait for a permission of `s3.amazonaws.com`, as `stack.trigger(&function, bucket.objects_created())` does"
        )
    })
}

/// Returns what an expression names, in tokens and in raw JSON.
fn named(expr: &Expr) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    expr.walk(&mut |token| {
        if let Token::Ref(named) | Token::GetAtt(named, _) = token {
            names.insert(named.logical_id().to_owned());
        }
    });
    raw_references(expr, &mut |name| {
        names.insert(name.to_owned());
    });
    names
}

fn contains_text(expr: &Expr, wanted: &str) -> bool {
    match expr {
        Expr::String(text) => text.contains(wanted),
        Expr::Token(Token::Sub(parts)) => parts.iter().any(|part| match part {
            stack_model_cfn::Part::Text(text) => text.contains(wanted),
            stack_model_cfn::Part::Token(_) => false,
        }),
        _ => false,
    }
}

/// Names the bucket by what it is called in everything that it waits for.
fn name_upstream(
    stack: &StackData,
    bucket: &str,
    name: Option<Expr>,
    rendered: &mut Rendered,
    violations: &mut Vec<Violation>,
) {
    let called = name.and_then(|name| {
        let mut plain = true;
        name.walk(&mut |token| plain &= !matches!(token, Token::Ref(_) | Token::GetAtt(..)));
        match name {
            Expr::String(text) if plain => Some(Value::Literal(text)),
            Expr::Token(token) if plain => Some(Value::Token(token)),
            _ => None,
        }
    });
    for member in upstream(stack, bucket, rendered) {
        let Some(properties) = rendered.get_mut(&stack.id, &member) else {
            continue;
        };
        if !named(properties).contains(bucket) {
            continue;
        }
        let Some(resource) = stack.resources.get(&member) else {
            continue;
        };
        if called.is_none() && resource.kind == "AWS::Lambda::Permission" {
            // The permission is then for every bucket of the account, which is less than a reference would say.
            if let Expr::Map(entries) = properties
                && entries.contains_key("SourceAccount")
            {
                entries.remove("SourceArn");
                continue;
            }
        }
        if called.is_none() {
            violations.push(
                Violation::new(format!(
                    "`{member}` names the bucket `{bucket}`, which waits for it because of a notification: give the bucket a name (`BucketProps::name`), so that they need not wait for each other, such as text!(\"{}-{{}}\", Pseudo::AccountId)",
                    bucket.to_lowercase()
                ))
                .in_stack(&*stack.id)
                .of(&member)
                .declared(&resource.source),
            );
        }
        let name = called
            .clone()
            .unwrap_or_else(|| Value::Literal(bucket.to_lowercase()));
        let arn = text!("arn:{}:s3:::{}", Pseudo::Partition, &name);
        properties.replace(&|token| match token {
            Token::Ref(id) if is(id, stack, bucket) => Some(name.clone().into()),
            Token::GetAtt(id, attribute) if is(id, stack, bucket) && &**attribute == "Arn" => {
                Some(arn.clone().into())
            }
            _ => None,
        });
    }
}

fn is(id: &stack_model_cfn::ResourceId, stack: &StackData, bucket: &str) -> bool {
    id.stack() == &*stack.id && id.logical_id() == bucket
}

/// Returns everything of the stack that a resource waits for.
fn upstream(stack: &StackData, start: &str, rendered: &Rendered) -> BTreeSet<String> {
    let mut needs: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for (id, resource) in &stack.resources {
        let needed = needs.entry(id).or_default();
        let dependencies = resource.depends_on.iter();
        needed.extend(dependencies.map(|it| it.logical_id().to_owned()));
        if let Some(properties) = rendered.get(&stack.id, id) {
            needed.extend(named(properties));
        }
    }
    let mut reached = BTreeSet::new();
    let mut pending = vec![start.to_owned()];
    while let Some(from) = pending.pop() {
        for to in needs.get(from.as_str()).into_iter().flatten() {
            // What the bucket itself waits for is already on the way.
            if to != start && reached.insert(to.clone()) {
                pending.push(to.clone());
            }
        }
    }
    reached
}
