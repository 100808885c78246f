//! Wildcards in what a statement names.

use stack_model_cfn::{Expr, Part, Token};

/// Returns the first piece of text with a wildcard, wherever it stands in the name of a resource or principal.
pub(super) fn find(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Null | Expr::Bool(_) | Expr::Number(_) => None,
        Expr::String(text) => text.contains(['*', '?']).then_some(text),
        Expr::List(elements) => elements.iter().find_map(find),
        Expr::Map(entries) => entries.values().find_map(find),
        Expr::Token(token) => in_token(token),
    }
}

fn in_token(token: &Token) -> Option<&str> {
    match token {
        Token::Ref(_)
        | Token::GetAtt(..)
        | Token::Parameter(_)
        | Token::Pseudo(_)
        | Token::ImportValue(_)
        | Token::FindInMap { .. }
        | Token::Base64(_)
        | Token::SsmParameter { .. }
        | Token::Secret { .. } => None,
        Token::Sub(parts) => parts.iter().find_map(|part| match part {
            Part::Text(text) => text.contains(['*', '?']).then_some(text.as_str()),
            Part::Token(token) => in_token(token),
        }),
        Token::Join { delimiter, list } => {
            find(list).or_else(|| delimiter.contains(['*', '?']).then_some(delimiter.as_str()))
        }
        Token::Select { list, .. } => find(list),
        Token::Split { text, .. } => find(text),
        Token::If {
            then, otherwise, ..
        } => find(then).or_else(|| find(otherwise)),
    }
}
