//! Selects stacks by name or pattern, and suggests names for those that do not exist.

use globset::GlobBuilder;

use crate::config::list;
use crate::error::{Error, Kind, Result};

/// The two names of a stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name<'a> {
    /// In the source, without the stage.
    pub id: &'a str,
    /// In CloudFormation, with the stage.
    pub name: &'a str,
}

/// Returns the positions of the stacks that the patterns select, in the order of `stacks`; no pattern selects all.
///
/// A pattern is a name or a glob, with or without the stage. One that selects nothing is an error.
pub fn select(stacks: &[Name<'_>], patterns: &[String]) -> Result<Vec<usize>> {
    let (selected, unknown) = select_known(stacks, patterns)?;
    match unknown.first() {
        Some(pattern) => Err(self::unknown(stacks, pattern)),
        None => Ok(selected),
    }
}

/// Returns the positions of the stacks that the patterns select, and the patterns that select nothing.
pub fn select_known(stacks: &[Name<'_>], patterns: &[String]) -> Result<(Vec<usize>, Vec<String>)> {
    if patterns.is_empty() {
        return Ok(((0..stacks.len()).collect(), Vec::new()));
    }
    let mut unknown = Vec::new();
    let mut selected = vec![false; stacks.len()];
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).build().map_err(|error| {
            Error::new(
                Kind::Usage,
                format!("`{pattern}` is not a name or a pattern"),
            )
            .cause(error.kind().to_string())
        })?;
        let glob = glob.compile_matcher();
        let mut any = false;
        for (stack, selected) in stacks.iter().zip(&mut selected) {
            if glob.is_match(stack.id) || glob.is_match(stack.name) {
                *selected = true;
                any = true;
            }
        }
        if !any {
            unknown.push(pattern.clone());
        }
    }
    let selected = selected
        .iter()
        .enumerate()
        .filter_map(|(position, selected)| selected.then_some(position))
        .collect();
    Ok((selected, unknown))
}

/// Says that no stack is called so, and which are meant perhaps.
pub fn unknown(stacks: &[Name<'_>], pattern: &str) -> Error {
    let error = Error::new(Kind::Usage, format!("no stack is called `{pattern}`"));
    let ids: Vec<&str> = stacks.iter().map(|stack| stack.id).collect();
    let names: Vec<&str> = ids
        .iter()
        .copied()
        .chain(stacks.iter().map(|stack| stack.name))
        .collect();
    let error = match nearest(pattern, &names) {
        Some(near) => error.hint(format!("did you mean `{near}`?")),
        None => error,
    };
    if ids.is_empty() {
        error.hint("the stage has no stacks")
    } else {
        error.hint(format!("the stacks are {}", list(&ids)))
    }
}

/// Returns the candidate that a mistyped name was most likely meant to be, if any is near.
pub fn nearest<'a>(name: &str, candidates: &[&'a str]) -> Option<&'a str> {
    candidates
        .iter()
        .map(|candidate| (strsim::damerau_levenshtein(name, candidate), *candidate))
        .filter(|(distance, candidate)| {
            *distance <= (candidate.chars().count().min(name.chars().count()) / 3).max(1)
        })
        .min()
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STACKS: &[Name<'_>] = &[
        Name {
            id: "orders-core",
            name: "orders-core-dev",
        },
        Name {
            id: "orders-web",
            name: "orders-web-dev",
        },
        Name {
            id: "intake",
            name: "intake-dev",
        },
    ];

    fn selected(patterns: &[&str]) -> Result<Vec<usize>> {
        let patterns: Vec<String> = patterns.iter().map(ToString::to_string).collect();
        select(STACKS, &patterns)
    }

    #[test]
    fn names_and_patterns_select_with_or_without_the_stage() {
        for (patterns, expected) in [
            (&[][..], &[0, 1, 2][..]),
            (&["intake"], &[2]),
            (&["intake-dev"], &[2]),
            (&["orders-*"], &[0, 1]),
            (&["*-web-dev"], &[1]),
            (&["intake", "orders-core"], &[0, 2]),
            (&["{intake,orders-web}"], &[1, 2]),
            (&["intake", "intake*"], &[2]),
        ] {
            assert_eq!(
                selected(patterns).expect("selects"),
                expected,
                "{patterns:?}"
            );
        }
    }

    #[test]
    fn what_selects_nothing_is_refused_with_the_nearest_name() {
        let error = selected(&["intaek"]).expect_err("is unknown");
        assert_eq!(error.kind(), Kind::Usage);
        assert_eq!(error.message(), "no stack is called `intaek`");
        assert_eq!(
            error.hints(),
            [
                "did you mean `intake`?",
                "the stacks are `orders-core`, `orders-web` and `intake`"
            ]
        );
        let far = selected(&["billing"]).expect_err("is unknown");
        assert_eq!(far.hints().len(), 1);
        assert_eq!(
            selected(&["[a"]).expect_err("is no pattern").kind(),
            Kind::Usage
        );
    }
}
