//! Secrets stay out of the places that everybody who may look at a stack can read.
//!
//! CloudFormation fills a dynamic reference in wherever it stands, so the value would be readable in an output, in the
//! environment of a function or in a parameter of Parameter Store. See
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html>.

use stack_model_cfn::{Expr, Part, Token};

use super::check::source_of;
use super::walk::{Met, Place, Section};
use crate::error::Violation;
use crate::stack::StackData;

/// How the dynamic references begin that yield a secret.
const REFERENCES: [&str; 2] = ["{{resolve:secretsmanager", "{{resolve:ssm-secure"];

/// Reports the secrets that would become readable.
pub(super) struct Secrets<'a> {
    stack: &'a StackData,
    violations: Vec<Violation>,
}

impl<'a> Secrets<'a> {
    pub(super) fn new(stack: &'a StackData) -> Self {
        Self {
            stack,
            violations: Vec::new(),
        }
    }

    pub(super) fn meet(&mut self, place: Place<'a, '_>, met: Met<'a>) {
        let yields = match met {
            Met::Text { text, .. } => names_secret(text),
            Met::Token(token) => token_yields_secret(token),
            Met::Name(_) | Met::Import(_) => false,
        };
        if yields && shows(place) {
            self.report(place.id, place.path);
        }
    }

    /// Checks what is no resource.
    pub(super) fn finish(mut self, violations: &mut Vec<Violation>) {
        let stack = self.stack;
        for (key, output) in &stack.outputs {
            find(&output.value, "Value", &mut |path| self.report(key, path));
            let texts = [
                ("Description", &output.description),
                ("Export", &output.export),
                ("Example", &output.example),
            ];
            for (path, text) in texts {
                if text.as_deref().is_some_and(names_secret) {
                    self.report(key, path);
                }
            }
        }
        for (name, (parameter, given)) in &stack.parameters {
            find(parameter, "Parameter", &mut |path| self.report(name, path));
            if given.as_deref().is_some_and(names_secret) {
                self.report(name, "Parameter.Value");
            }
        }
        for (name, entries) in &stack.mappings {
            let mut values = entries.values().flat_map(|second| second.values());
            if values.any(|value| names_secret(value)) {
                self.report(name, "Mapping");
            }
        }
        violations.extend(self.violations);
        if stack.description.as_deref().is_some_and(names_secret) {
            violations.push(
                Violation::new("a secret would be readable in the description of the stack")
                    .in_stack(&*stack.id),
            );
        }
    }

    fn report(&mut self, place: &str, path: &str) {
        let message = "a secret would be readable here: name it instead, with its ARN, and read it at run time";
        let mut violation = Violation::new(message)
            .in_stack(&*self.stack.id)
            .of(place)
            .at(path);
        violation.source = source_of(self.stack, place);
        self.violations.push(violation);
    }
}

/// Returns whether everybody who may look at a stack can read what stands at a place.
fn shows(place: Place<'_, '_>) -> bool {
    match place.section {
        Section::Properties(resource) => {
            let property = place.path.split('.').nth(1).unwrap_or_default();
            readable(&resource.kind).contains(&property)
        }
        Section::Metadata(_) => true,
        // All of an output is looked at together.
        Section::Output(_) | Section::Condition => false,
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
    // Few texts have a brace, and a search for one byte is the fastest there is.
    text.as_bytes().contains(&b'{') && REFERENCES.iter().any(|reference| text.contains(reference))
}
