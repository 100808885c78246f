//! What was changed behind CloudFormation's back, as a person reads it.

use std::fmt::Write as _;

use serde_json::Value;

use super::report::fitted;
use super::{paint, palette, terminal};
use crate::engine::{ResourceDrift, StackDrift};
use crate::repeat::Repeated;

/// Renders what differs, property by property: what the stack has, and what is there. The local engine does not change
/// anything back.
pub fn drift(drifts: &[StackDrift], is_local: bool, options: &Repeated) -> String {
    options.complete(&render(drifts, is_local, terminal::width()))
}

/// Says what makes the resources of a stack anew that somebody deleted.
///
/// A drift-aware change set does, of the template that is deployed: "Scenario 3" of
/// <https://aws.amazon.com/blogs/devops/safely-handle-configuration-drift-with-cloudformation-drift-aware-change-sets/>.
fn anew(stack: &str, is_local: bool) -> String {
    if is_local {
        format!(
            "what was deleted is made anew with the stack: `stackctl destroy {stack}`, and then `stackctl deploy {stack}`"
        )
    } else {
        format!(
            "what was deleted is made anew by `stackctl drift {stack} --revert`, empty where it held data; a deploy alone leaves it out"
        )
    }
}

fn render(drifts: &[StackDrift], is_local: bool, width: Option<usize>) -> String {
    let mut text = String::new();
    for drift in drifts {
        let style = match drift.status.as_str() {
            "IN_SYNC" => palette::GOOD,
            "DRIFTED" => palette::BAD,
            _ => palette::WARNING,
        };
        let _ = writeln!(
            text,
            "{} {} {}",
            paint(palette::STRONG, &drift.stack),
            paint(style, &drift.status),
            paint(palette::WEAK, format_args!("({} in sync)", drift.in_sync))
        );
        if let Some(reason) = &drift.incomplete {
            let line = format!("  not everything was checked: {reason}");
            let _ = writeln!(text, "{}", fitted(&line, width, 4));
        }
        for resource in &drift.resources {
            one(&mut text, resource, width);
        }
        if drift.resources.iter().any(|it| it.status == "DELETED") {
            let next = anew(&drift.stack, is_local);
            let line = format!("  {} {next}", paint(palette::HINT, "next:"));
            let _ = writeln!(text, "{}", fitted(&line, width, 4));
        }
    }
    text
}

fn one(text: &mut String, resource: &ResourceDrift, width: Option<usize>) {
    let (sign, word) = match resource.status.as_str() {
        "DELETED" => ("-", "deleted"),
        "MODIFIED" => ("~", "modified"),
        _ => ("?", "not known"),
    };
    let _ = writeln!(
        text,
        "  {} {word} {} {}",
        paint(palette::WARNING, sign),
        paint(palette::STRONG, &resource.logical_id),
        paint(palette::WEAK, &resource.resource_type),
    );
    if let Some(source) = &resource.source {
        let _ = writeln!(text, "      declared at {source}");
    }
    if let Some(reason) = &resource.reason {
        let _ = writeln!(text, "{}", fitted(&format!("      {reason}"), width, 8));
    }
    for property in &resource.properties {
        let _ = writeln!(
            text,
            "      {}\n        expected {}\n        actual   {}",
            property.path,
            value(property.expected.as_ref()),
            value(property.actual.as_ref())
        );
    }
}

fn value(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => format!("{text:?}"),
        Some(other) => other.to_string(),
        None => paint(palette::WEAK, "(absent)"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::PropertyDrift;

    #[test]
    fn differences_stand_property_by_property() {
        let resource = |logical_id: &str, status: &str, properties| ResourceDrift {
            logical_id: logical_id.into(),
            resource_type: "AWS::SQS::Queue".into(),
            physical_id: None,
            status: status.into(),
            reason: None,
            properties,
            source: Some("stacks/src/intake.rs:12:9".into()),
            sides: None,
        };
        let text = render(
            &[StackDrift {
                stack: "intake-dev".into(),
                status: "DRIFTED".into(),
                incomplete: Some("Failed to detect drift on resources [Table]".into()),
                resources: vec![
                    resource(
                        "Orders",
                        "MODIFIED",
                        vec![
                            PropertyDrift {
                                path: "/RedrivePolicy/maxReceiveCount".into(),
                                expected: Some(json!("5")),
                                actual: Some(json!("50")),
                            },
                            PropertyDrift {
                                path: "/Tags/2".into(),
                                expected: None,
                                actual: Some(json!({"Key": "a", "Value": "b"})),
                            },
                        ],
                    ),
                    resource("Topic", "DELETED", Vec::new()),
                ],
                in_sync: 3,
            }],
            false,
            Some(80),
        );
        snapbox::assert_data_eq!(
            anstream::adapter::strip_str(&text).to_string(),
            snapbox::str![[r#"
intake-dev DRIFTED (3 in sync)
  not everything was checked: Failed to detect drift on resources [Table]
  ~ modified Orders AWS::SQS::Queue
      declared at stacks/src/intake.rs:12:9
      /RedrivePolicy/maxReceiveCount
        expected "5"
        actual   "50"
      /Tags/2
        expected (absent)
        actual   {"Key":"a","Value":"b"}
  - deleted Topic AWS::SQS::Queue
      declared at stacks/src/intake.rs:12:9
  next: what was deleted is made anew by `stackctl drift intake-dev --revert`,
    empty where it held data; a deploy alone leaves it out

"#]]
        );
    }

    #[test]
    fn what_was_deleted_has_a_way_back() {
        assert!(anew("intake-dev", false).contains("`stackctl drift intake-dev --revert`"));
        // The local engine changes nothing back.
        let local = anew("intake-dev", true);
        assert!(!local.contains("--revert"), "{local}");
        assert!(local.contains("`stackctl destroy intake-dev`"), "{local}");
    }
}
