//! Which events a rule is about.

use std::collections::BTreeMap;
use std::marker::PhantomData;

use stack_model_cfn::{Expr, Value};

use super::AnyDetail;
use super::matcher::Match;
use crate::contract::EventDetail;
use crate::resource::{set, step};

/// Which events a rule is about; `D` is the type of their detail.
///
/// All fields that are named must match; of the values that are given for one field, any may. The fields of the detail
/// are named by their path, with dots between the keys; a backslash keeps a dot in a key.
///
/// ```
/// use stack_model::contract::EventDetail;
/// use stack_model::events::{EventPattern, Match};
///
/// // A function package derives this.
/// struct Placed;
///
/// impl EventDetail for Placed {
///     const DETAIL_TYPE: &'static str = "Orders.Placed";
/// }
///
/// let large: EventPattern<Placed> = EventPattern::source("shop")
///     .detail_type::<Placed>()
///     .detail("order.total", [Match::above(100)]);
/// let failed = EventPattern::source("shop")
///     .detail_types([Match::suffix(".Failed")])
///     .any_of([
///         EventPattern::any().detail("attempts", [Match::at_least(3)]),
///         EventPattern::any().detail("cause", [Match::exact("refused")]),
///     ]);
/// ```
///
/// See <https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-event-patterns.html>.
pub struct EventPattern<D> {
    fields: Expr,
    /// Paths that were named twice, or lead through the values of another.
    clashes: Vec<String>,
    detail: PhantomData<fn() -> D>,
}

impl<D> Clone for EventPattern<D> {
    fn clone(&self) -> Self {
        Self {
            fields: self.fields.clone(),
            clashes: self.clashes.clone(),
            detail: PhantomData,
        }
    }
}

impl<D> std::fmt::Debug for EventPattern<D> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("EventPattern").field(&self.fields).finish()
    }
}

impl EventPattern<AnyDetail> {
    /// Starts a pattern that names nothing yet. A rule does not take it as it is: it would match every event.
    pub fn any() -> Self {
        Self {
            fields: Expr::Map(BTreeMap::new()),
            clashes: Vec::new(),
            detail: PhantomData,
        }
    }

    /// Matches events of one source, such as `shop` or `aws.s3`.
    pub fn source(source: impl Into<Value<String>>) -> Self {
        Self::any().field("source", [Match::exact(source.into())])
    }

    /// Takes a pattern as JSON, which is checked as any other.
    pub fn json(pattern: serde_json::Value) -> Self {
        Self {
            fields: pattern.into(),
            ..Self::any()
        }
    }

    /// Matches events of one detail type, whose detail then is a `D`.
    #[must_use]
    pub fn detail_type<D: EventDetail>(self) -> EventPattern<D> {
        self.field("detail-type", [Match::exact(D::DETAIL_TYPE)])
            .reads_as()
    }

    /// Matches events whose detail type matches, such as those of some prefixes. Their details are of several types, so
    /// whoever gets them takes [`AnyDetail`], or what [`reads_as`](EventPattern::reads_as) says.
    #[must_use]
    pub fn detail_types(self, matches: impl IntoIterator<Item = Match>) -> Self {
        self.field("detail-type", matches)
    }

    /// Matches events whose detail type starts with one of some prefixes, such as `Orders.`.
    #[must_use]
    pub fn detail_type_prefixes<P: Into<Value<String>>>(
        self,
        prefixes: impl IntoIterator<Item = P>,
    ) -> Self {
        self.detail_types(prefixes.into_iter().map(Match::prefix))
    }
}

impl<D> EventPattern<D> {
    /// Says that the detail of every event which matches can be read as a `T`, which nothing checks.
    ///
    /// This is for patterns that match several detail types with fields in common.
    #[must_use]
    pub fn reads_as<T>(self) -> EventPattern<T> {
        EventPattern {
            fields: self.fields,
            clashes: self.clashes,
            detail: PhantomData,
        }
    }

    /// Matches a field of the detail.
    #[must_use]
    pub fn detail(self, path: &str, matches: impl IntoIterator<Item = Match>) -> Self {
        self.field(&format!("detail.{path}"), matches)
    }

    /// Matches the resources that the event is about, by their ARNs.
    #[must_use]
    pub fn resources(self, matches: impl IntoIterator<Item = Match>) -> Self {
        self.field("resources", matches)
    }

    /// Matches the account that the event comes from.
    #[must_use]
    pub fn accounts(self, matches: impl IntoIterator<Item = Match>) -> Self {
        self.field("account", matches)
    }

    /// Matches the region that the event comes from.
    #[must_use]
    pub fn regions(self, matches: impl IntoIterator<Item = Match>) -> Self {
        self.field("region", matches)
    }

    /// Matches events that at least one of two or more patterns matches, beyond what the others of this one demand.
    #[must_use]
    pub fn any_of(mut self, patterns: impl IntoIterator<Item = EventPattern<AnyDetail>>) -> Self {
        let mut alternatives = Vec::new();
        for pattern in patterns {
            self.clashes.extend(pattern.clashes);
            alternatives.push(pattern.fields);
        }
        self.put("$or", Expr::List(alternatives));
        self
    }

    fn field(mut self, path: &str, matches: impl IntoIterator<Item = Match>) -> Self {
        self.put(path, Expr::list(matches));
        self
    }

    fn put(&mut self, path: &str, value: Expr) {
        if leads_into_values(&self.fields, path)
            || set(&mut self.fields, path, Some(value)).is_none()
        {
            self.clashes.push(path.to_owned());
        }
    }

    /// Returns the pattern as JSON.
    pub(crate) fn render(self) -> Expr {
        self.fields
    }

    /// Returns what was said twice; the synth checks the rest, as it does for rules that are added otherwise.
    pub(crate) fn violations(&self) -> Vec<String> {
        let clashes = self
            .clashes
            .iter()
            .map(|path| format!("the pattern names `{path}` twice: give all its values together"));
        clashes.collect()
    }
}

/// Returns whether something stands at the path already, or above it.
fn leads_into_values(fields: &Expr, path: &str) -> bool {
    let (key, rest) = step(path);
    let Expr::Map(entries) = fields else {
        return true;
    };
    match (entries.get(&key), rest) {
        (None, _) => false,
        (Some(inner), Some(rest)) => leads_into_values(inner, rest),
        (Some(_), None) => true,
    }
}
