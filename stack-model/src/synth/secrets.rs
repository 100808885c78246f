//! Secrets stay out of the places that everybody who may look at a stack can read.
//!
//! CloudFormation fills a dynamic reference in wherever it stands, so the value would be readable in an output, in the
//! environment of a function or in a parameter of Parameter Store. See
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>.

use stack_model_cfn::{Expr, Part, Token};

use super::{Rendered, check::source_of};
use crate::error::Violation;
use crate::stack::StackData;

/// How the dynamic references begin that yield a secret.
const REFERENCES: [&str; 2] = ["{{resolve:secretsmanager", "{{resolve:ssm-secure"];

/// Reports the secrets that would become readable.
pub(super) fn check(stack: &StackData, rendered: &Rendered, violations: &mut Vec<Violation>) {
    let mut report = |place: &str, path: &str| {
        let message = "a secret would be readable here: name it instead, with its ARN, and read it at run time";
        let mut violation = Violation::new(message)
            .in_stack(&*stack.id)
            .of(place)
            .at(path);
        violation.source = source_of(stack, place);
        violations.push(violation);
    };
    for (id, resource) in &stack.resources {
        if let Some(properties) = rendered.get(&(stack.id.to_string(), id.clone())) {
            for name in readable(&resource.kind) {
                if let Expr::Map(entries) = properties
                    && let Some(value) = entries.get(*name)
                {
                    find(value, &format!("Properties.{name}"), &mut |path| {
                        report(id, path);
                    });
                }
            }
        }
        for (key, value) in &resource.metadata {
            find(value, &format!("Metadata.{key}"), &mut |path| {
                report(id, path);
            });
        }
    }
    for (key, output) in &stack.outputs {
        find(&output.value, "Value", &mut |path| report(key, path));
        let texts = [
            ("Description", &output.description),
            ("Export", &output.export),
            ("Example", &output.example),
        ];
        for (path, text) in texts {
            if text.as_deref().is_some_and(names_secret) {
                report(key, path);
            }
        }
    }
    for (name, (parameter, given)) in &stack.parameters {
        find(parameter, "Parameter", &mut |path| report(name, path));
        if given.as_deref().is_some_and(names_secret) {
            report(name, "Parameter.Value");
        }
    }
    for (name, entries) in &stack.mappings {
        let mut values = entries.values().flat_map(|second| second.values());
        if values.any(|value| names_secret(value)) {
            report(name, "Mapping");
        }
    }
    if stack.description.as_deref().is_some_and(names_secret) {
        violations.push(
            Violation::new("a secret would be readable in the description of the stack")
                .in_stack(&*stack.id),
        );
    }
}

/// Returns the properties of a resource type that show what they hold to everybody who may look at the resource.
fn readable(kind: &str) -> &'static [&'static str] {
    match kind {
        "AWS::CodeBuild::Project" | "AWS::Lambda::Function" => {
            &["Description", "Environment", "Tags"]
        }
        "AWS::SSM::Parameter" => &["Description", "Tags", "Value"],
        _ => &["Description", "Tags"],
    }
}

/// Calls `report` with the path of every value that yields a secret.
fn find(expr: &Expr, path: &str, report: &mut dyn FnMut(&str)) {
    match expr {
        Expr::List(elements) => {
            for (position, element) in elements.iter().enumerate() {
                find(element, &format!("{path}.{position}"), report);
            }
        }
        Expr::Map(entries) => {
            for (key, value) in entries {
                find(value, &format!("{path}.{key}"), report);
            }
        }
        leaf if yields_secret(leaf) => report(path),
        _ => {}
    }
}

fn yields_secret(expr: &Expr) -> bool {
    match expr {
        Expr::Null | Expr::Bool(_) | Expr::Number(_) => false,
        Expr::String(text) => names_secret(text),
        Expr::List(elements) => elements.iter().any(yields_secret),
        Expr::Map(entries) => entries.values().any(yields_secret),
        Expr::Token(token) => token_yields_secret(token),
    }
}

fn token_yields_secret(token: &Token) -> bool {
    match token {
        Token::Secret { .. } => true,
        Token::SsmParameter { secure, .. } => *secure,
        Token::Ref(_) | Token::GetAtt(..) | Token::Parameter(_) | Token::Pseudo(_) => false,
        Token::Sub(parts) => parts.iter().any(|part| match part {
            Part::Text(text) => names_secret(text),
            Part::Token(token) => token_yields_secret(token),
        }),
        Token::Join { list, .. } | Token::Select { list, .. } => yields_secret(list),
        Token::Split { text, .. } | Token::Base64(text) | Token::ImportValue(text) => {
            yields_secret(text)
        }
        Token::If {
            then, otherwise, ..
        } => yields_secret(then) || yields_secret(otherwise),
        Token::FindInMap { first, second, .. } => yields_secret(first) || yields_secret(second),
    }
}

fn names_secret(text: &str) -> bool {
    REFERENCES.iter().any(|reference| text.contains(reference))
}
