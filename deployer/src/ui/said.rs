//! What CloudFormation says beside a plan.

use super::{paint, palette, tree};
use crate::engine::plan::{Plan, Said};

/// Renders what is said of stacks and their resources, and nothing else of the plan.
pub fn said(plan: &Plan) -> String {
    let mut text = Vec::new();
    for stack in &plan.stacks {
        text.push(paint(palette::STRONG, &stack.stack));
        text.extend(lines(&stack.said, None, 2));
        let changes = stack.changes.iter();
        for change in changes.filter(|change| !change.said.is_empty()) {
            text.push(tree::head(change));
            text.extend(lines(&change.said, Some(&change.logical_id), 6));
        }
    }
    text.join("\n") + "\n"
}

/// Renders what is said of one resource, or of the stack, below it.
pub(super) fn lines(said: &Said, of: Option<&str>, indent: usize) -> Vec<String> {
    let line = |(weighty, line): (bool, String)| {
        let style = if weighty {
            palette::BAD
        } else {
            palette::WARNING
        };
        format!("{:indent$}{}", "", paint(style, line))
    };
    said.lines(of).into_iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::{Action, Grade, ResourceChange, StackPlan};
    use crate::engine::{Finding, Hook};

    fn finding(logical_id: Option<&str>, mode: &str, reason: &str) -> Finding {
        Finding {
            logical_id: logical_id.map(str::to_owned),
            resource_type: Some("AWS::S3::Bucket".to_owned()),
            check: None,
            path: Some("/Resources/Site".to_owned()),
            failure_mode: Some(mode.to_owned()),
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn what_is_said_stands_at_its_resource() {
        let site = ResourceChange {
            logical_id: "Site".to_owned(),
            resource_type: "AWS::S3::Bucket".to_owned(),
            action: Action::Delete,
            grade: Grade::DataLoss,
            reasons: vec!["not told here".to_owned()],
            said: Said {
                otherwise: Some("it would be removed".to_owned()),
                findings: vec![finding(Some("Site"), "WARN", "it is not empty")],
                hooks: vec![Hook {
                    logical_id: Some("Site".to_owned()),
                    hook_type: "Acme::Guard::Buckets".to_owned(),
                    failure_mode: Some("FAIL".to_owned()),
                }],
            },
            ..ResourceChange::default()
        };
        let quiet = ResourceChange {
            logical_id: "Quiet".to_owned(),
            ..ResourceChange::default()
        };
        let plan = Plan {
            stacks: vec![StackPlan {
                stack: "site-dev".to_owned(),
                changes: vec![quiet, site],
                said: Said {
                    findings: vec![finding(Some("Other"), "FAIL", "it exists already")],
                    ..Said::default()
                },
                ..StackPlan::default()
            }],
        };
        let rendered = anstream::adapter::strip_str(&said(&plan)).to_string();
        snapbox::assert_data_eq!(
            rendered,
            snapbox::str![[r#"
site-dev
  CloudFormation refuses: Other (AWS::S3::Bucket): it exists already (at /Resources/Site)
  - delete  Site AWS::S3::Bucket DATA LOSS
      CloudFormation says otherwise: it would be removed
      CloudFormation warns: it is not empty (at /Resources/Site)
      hook Acme::Guard::Buckets will run, and can stop the operation

"#]]
        );
    }
}
