//! What holds data of its own: deleting it deletes what is in it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use stack_model_cfn::facts;

/// The types by what is said of them, one a line below the reason, and patterns of types.
const TEXT: &str = include_str!("data.txt");

/// What is known of the types.
#[derive(Debug, Default)]
struct Table {
    /// Types that hold data, each with what it is.
    holding: BTreeMap<&'static str, &'static str>,
    /// Types that hold none.
    none: BTreeSet<&'static str>,
    /// How the last parts of types end that hold none.
    endings: Vec<&'static str>,
    /// How types of whole services begin that hold none.
    services: Vec<&'static str>,
    /// Types of which nobody said it yet.
    unknown: BTreeSet<&'static str>,
}

static TABLE: LazyLock<Table> = LazyLock::new(|| {
    let mut table = Table::default();
    let mut heading = ("", "");
    for line in TEXT.lines().filter(|line| !line.starts_with('#')) {
        if let Some((kind, reason)) = line.strip_prefix('[').and_then(|it| it.split_once("] ")) {
            heading = (kind, reason);
        } else if !line.is_empty() {
            table.enter(heading, line);
        }
    }
    table
});

impl Table {
    fn enter(&mut self, (kind, reason): (&str, &'static str), line: &'static str) {
        match (kind, line.strip_prefix('*'), line.strip_suffix('*')) {
            ("holds", _, _) => {
                self.holding.insert(line, reason);
            }
            ("none", Some(ending), _) => self.endings.push(ending),
            ("none", None, Some(service)) => self.services.push(service),
            ("none", None, None) => {
                self.none.insert(line);
            }
            _ => {
                self.unknown.insert(line);
            }
        }
    }

    /// Returns whether a type that the registry knows holds none. A pattern says nothing of a type that came later.
    fn is_empty(&self, resource_type: &str) -> bool {
        let last = resource_type.rsplit("::").next().unwrap_or_default();
        let ends = || self.endings.iter().any(|ending| last.ends_with(ending));
        let begins = || {
            let mut services = self.services.iter();
            services.any(|service| resource_type.starts_with(service))
        };
        !self.holding.contains_key(resource_type)
            && (self.none.contains(resource_type)
                || (resource_type.starts_with("AWS::")
                    && facts::resource_type(resource_type).is_some()
                    && (ends() || begins())))
    }
}

/// Returns whether a resource of the type holds data of its own. Of what nobody knows, it does.
///
/// What a function makes for a custom resource only the function knows, and it is asked before anything goes:
/// <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/crpg-ref-requesttypes-update.html>. What has no type is no
/// resource.
pub(crate) fn holds_data(resource_type: &str) -> bool {
    !resource_type.is_empty()
        && !resource_type.starts_with("Custom::")
        && !TABLE.is_empty(resource_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_every_type_something_is_said() {
        let table = &*TABLE;
        let mut silent = Vec::new();
        let mut unknown = Vec::new();
        for resource_type in facts::resource_types() {
            let holds = table.holding.contains_key(resource_type);
            let none = table.is_empty(resource_type);
            match (holds || none, table.unknown.contains(resource_type)) {
                (false, false) => silent.push(resource_type),
                (true, true) => unknown.push(resource_type),
                _ => {}
            }
        }
        assert!(
            silent.is_empty(),
            "nothing is said of {silent:#?}: they count as holding data"
        );
        assert!(
            unknown.is_empty(),
            "of these something is said: {unknown:#?}"
        );
    }

    #[test]
    fn whatever_is_said_is_said_of_a_type_and_once() {
        let table = &*TABLE;
        let lines: Vec<&str> = TEXT
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with(['#', '[']))
            .collect();
        let set: BTreeSet<&str> = lines.iter().copied().collect();
        assert_eq!(lines.len(), set.len(), "something is there twice");
        assert!(table.holding.len() > 150, "{}", table.holding.len());
        let exact = table
            .holding
            .keys()
            .chain(&table.none)
            .chain(&table.unknown);
        for resource_type in exact {
            assert!(
                facts::resource_type(resource_type).is_some(),
                "{resource_type}"
            );
        }
        for reason in table.holding.values() {
            assert!(!reason.is_empty());
        }
        let mut patterns = table.endings.iter().chain(&table.services);
        let idle = patterns.find(|pattern| {
            let mut types = facts::resource_types();
            !types.any(|it| table.is_empty(it) && it.contains(*pattern))
        });
        assert_eq!(idle, None);
    }

    #[test]
    fn what_nobody_knows_holds_data() {
        for (resource_type, holds) in [
            ("AWS::DynamoDB::Table", true),
            ("AWS::CloudFront::KeyValueStore", true),
            ("AWS::S3::BucketPolicy", false),
            ("AWS::IAM::Role", false),
            ("AWS::Lambda::Function", false),
            ("AWS::CloudFormation::CustomResource", false),
            ("Custom::Seed", false),
            ("AWS::Nothing::AtAll", true),
            // A type that came later, whatever it is called.
            ("AWS::Nothing::Policy", true),
            ("Acme::Store::Shelf", true),
            ("Acme::Store::Policy", true),
        ] {
            assert_eq!(holds_data(resource_type), holds, "{resource_type}");
        }
    }
}
