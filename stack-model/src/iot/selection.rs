//! What a rule takes of the messages that are published.

use std::fmt;
use std::marker::PhantomData;

use stack_model_cfn::Value;

use super::check;
use super::topic::{TopicFamilyRef, TopicRef};
use crate::text;

/// The messages that a rule takes, and what it makes of them: a payload of type `P`.
///
/// Made by a topic, or written in the SQL of AWS IoT; see
/// <https://docs.aws.amazon.com/iot/latest/developerguide/iot-sql-reference.html>.
pub struct Selection<P> {
    pub(super) sql: Value<String>,
    payload: PhantomData<fn() -> P>,
}

impl<P> Selection<P> {
    /// Takes a statement such as `SELECT temperature FROM 'shop/readings/+' WHERE temperature > 30`, which makes payloads
    /// of type `P`: nothing checks that it does.
    ///
    /// ```
    /// use stack_model::iot::Selection;
    ///
    /// struct Alarm;
    ///
    /// let alarms = Selection::<Alarm>::sql(
    ///     "SELECT topic(3) AS room FROM 'shop/readings/+' WHERE temperature > 30",
    /// );
    /// ```
    pub fn sql(sql: impl Into<Value<String>>) -> Self {
        Self {
            sql: sql.into(),
            payload: PhantomData,
        }
    }

    /// Returns what is wrong with the statement, if anything.
    pub(super) fn violation(&self) -> Option<String> {
        let sql = self.sql.literal()?;
        let words = sql.split_whitespace().collect::<Vec<_>>().join(" ");
        let upper = words.to_ascii_uppercase();
        if !upper.starts_with("SELECT ") {
            return Some(format!(
                "`{sql}` is not SQL of a rule: it starts with `SELECT`"
            ));
        }
        let Some((_, source)) = upper
            .rfind(" FROM '")
            .and_then(|at| words.split_at_checked(at + " FROM '".len()))
        else {
            // Without a source, basic ingest names the rule; a source may also be a list in the payload.
            let unquoted = upper.contains(" FROM ") && !upper.contains("(SELECT ");
            return unquoted.then(|| {
                format!("`{sql}` does not quote its topic: write `FROM 'shop/readings'`")
            });
        };
        let Some((filter, _)) = source.split_once('\'') else {
            return Some(format!("`{sql}` does not end the quotation of its topic"));
        };
        check::filter(filter)
    }
}

impl<P> Clone for Selection<P> {
    fn clone(&self) -> Self {
        Self::sql(self.sql.clone())
    }
}

impl<P> fmt::Debug for Selection<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Selection").field(&self.sql).finish()
    }
}

impl<M> TopicRef<M> {
    /// Takes the messages of the topic as they are.
    pub fn messages(&self) -> Selection<M> {
        Selection::sql(text!("SELECT * FROM '{}'", self.name()))
    }
}

impl<M> TopicFamilyRef<M> {
    /// Takes the messages of every topic of the family as they are.
    ///
    /// A filter of the broker knows whole levels alone: where the prefix ends within one, such as `shop-user-`, the rule
    /// looks at every topic of the level, and a condition keeps the others out.
    pub fn messages(&self) -> Selection<M> {
        let prefix = self.prefix();
        let (levels, rest) = prefix.literal().map_or(("", "-"), |prefix| {
            prefix.split_at(prefix.rfind('/').map_or(0, |at| at + 1))
        });
        if rest.is_empty() {
            Selection::sql(text!("SELECT * FROM '{}#'", levels))
        } else {
            Selection::sql(text!(
                "SELECT * FROM '{}#' WHERE startswith(topic(), '{}')",
                levels,
                &prefix
            ))
        }
    }
}
