//! Which records of a queue or a stream reach a function.

use std::collections::BTreeMap;
use std::panic::Location;

use stack_model_cfn::Expr;
use stack_model_cfn::lambda::event_source_mapping as cfn;

use crate::events::Match;
use crate::events::grammar::{self, Dialect};
use crate::resource::set;
use crate::stack::Stack;
use crate::text::json;

/// Which records of a queue or a stream reach a function; the others are dropped, and cost nothing.
///
/// All fields that are named must match; of the values that are given for one field, any may. Several filters of one
/// trigger are alternatives.
///
/// ```
/// use stack_model::events::Match;
/// use stack_model::lambda::{ChangeKind, RecordFilter};
///
/// let large = RecordFilter::body("order.total", [Match::above(100)]);
/// let closed = RecordFilter::changes([ChangeKind::Modify])
///     .new_text("state", [Match::exact("closed")])
///     .old_text("state", [Match::anything_but(["closed"])]);
/// ```
///
/// See <https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordFilter {
    pattern: Expr,
    clashes: Vec<String>,
}

/// What happened to an item of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// It was created.
    Insert,
    /// It was changed.
    Modify,
    /// It was removed, by a caller or because its time was up.
    Remove,
}

impl ChangeKind {
    const fn name(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Modify => "MODIFY",
            Self::Remove => "REMOVE",
        }
    }
}

impl RecordFilter {
    /// Takes a filter as JSON, which is checked as any other.
    pub fn json(pattern: serde_json::Value) -> Self {
        Self {
            pattern: pattern.into(),
            clashes: Vec::new(),
        }
    }

    /// Lets messages of a queue through whose body is JSON with a matching field, by its path.
    pub fn body(path: &str, matches: impl IntoIterator<Item = Match>) -> Self {
        Self::json(serde_json::json!({})).and_body(path, matches)
    }

    /// Lets some kinds of changes of a table through.
    pub fn changes(kinds: impl IntoIterator<Item = ChangeKind>) -> Self {
        let kinds = kinds.into_iter().map(|kind| Match::exact(kind.name()));
        Self::json(serde_json::json!({})).with("eventName", kinds)
    }

    /// Demands another field of the body of a message.
    #[must_use]
    pub fn and_body(self, path: &str, matches: impl IntoIterator<Item = Match>) -> Self {
        self.with(&format!("body.{path}"), matches)
    }

    /// Demands a text attribute of the item after the change.
    #[must_use]
    pub fn new_text(self, attribute: &str, matches: impl IntoIterator<Item = Match>) -> Self {
        self.image("NewImage", attribute, matches)
    }

    /// Demands a text attribute of the item before the change.
    #[must_use]
    pub fn old_text(self, attribute: &str, matches: impl IntoIterator<Item = Match>) -> Self {
        self.image("OldImage", attribute, matches)
    }

    /// Demands a text attribute of the item's key.
    #[must_use]
    pub fn key_text(self, attribute: &str, matches: impl IntoIterator<Item = Match>) -> Self {
        self.image("Keys", attribute, matches)
    }

    /// Lets only removals through that DynamoDB did because the time to live of an item was up. See
    /// <https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/time-to-live-ttl-streams.html>.
    pub fn expired() -> Self {
        Self::changes([ChangeKind::Remove])
            .with("userIdentity.type", [Match::exact("Service")])
            .with(
                "userIdentity.principalId",
                [Match::exact("dynamodb.amazonaws.com")],
            )
    }

    fn image(self, image: &str, attribute: &str, matches: impl IntoIterator<Item = Match>) -> Self {
        let attribute = attribute.replace('\\', r"\\").replace('.', r"\.");
        self.with(&format!("dynamodb.{image}.{attribute}.S"), matches)
    }

    fn with(mut self, path: &str, matches: impl IntoIterator<Item = Match>) -> Self {
        let taken = set(&mut self.pattern, path, Some(Expr::list(matches))).is_none();
        if taken {
            self.clashes.push(path.to_owned());
        }
        self
    }
}

/// Renders filters, and reports what is wrong with them.
pub(crate) fn render(
    filters: &[RecordFilter],
    dialect: Dialect,
    logical_id: &str,
    stack: &mut Stack<'_>,
    source: &Location<'_>,
) -> Vec<stack_model_cfn::Value<String>> {
    for filter in filters {
        let clashes = filter
            .clashes
            .iter()
            .map(|path| format!("the filter names `{path}` twice: give all its values together"));
        let found: Vec<String> = clashes
            .chain(grammar::violations(&filter.pattern, dialect))
            .collect();
        for message in found {
            let path = "Properties.FilterCriteria";
            stack.report(logical_id, Some(path), message, source);
        }
    }
    filters.iter().map(|filter| json(&filter.pattern)).collect()
}

/// Renders the filters of an event source mapping.
pub(super) fn criteria(
    filters: &[RecordFilter],
    logical_id: &str,
    stack: &mut Stack<'_>,
    source: &Location<'_>,
) -> Option<cfn::FilterCriteria> {
    let patterns = render(filters, Dialect::Function, logical_id, stack, source);
    let filters: Vec<cfn::Filter> = patterns
        .into_iter()
        .map(|pattern| cfn::Filter {
            pattern: pattern.into(),
        })
        .collect();
    (!filters.is_empty()).then(|| cfn::FilterCriteria {
        filters: filters.into(),
    })
}

/// Reports a filter for something else than changes of a table or messages of a queue.
pub(crate) fn check_source(
    filters: &[RecordFilter],
    known: &[&str],
    logical_id: &str,
    stack: &mut Stack<'_>,
    source: &Location<'_>,
) {
    let empty = BTreeMap::new();
    for filter in filters {
        let fields = match &filter.pattern {
            Expr::Map(fields) => fields,
            _ => &empty,
        };
        let strange = fields
            .keys()
            .find(|key| *key != "$or" && !known.contains(&key.as_str()));
        if let Some(key) = strange {
            let message = format!(
                "the records have no field `{key}`, so nothing would get through: they have {}",
                known.join(", ")
            );
            let path = "Properties.FilterCriteria";
            stack.report(logical_id, Some(path), message, source);
        }
    }
}
