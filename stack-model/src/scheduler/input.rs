//! What a schedule sends.

use std::marker::PhantomData;

use serde::Serialize;
use stack_model_cfn::Expr;

/// What a schedule sends, which the target reads as a `P`: made from a reference to a `P`, or from JSON.
#[derive(Debug)]
pub struct ScheduledInput<P> {
    json: Result<Expr, String>,
    payload: PhantomData<fn() -> P>,
}

impl<P> ScheduledInput<P> {
    /// Takes JSON, which may hold attributes of handles.
    pub fn json(json: impl Into<Expr>) -> Self {
        Self {
            json: Ok(json.into()),
            payload: PhantomData,
        }
    }

    pub(super) fn into_json(self) -> Result<Expr, String> {
        self.json
    }
}

impl<P: Serialize> From<&P> for ScheduledInput<P> {
    fn from(value: &P) -> Self {
        let json = serde_json::to_value(value);
        Self {
            json: json.map(Expr::from).map_err(|error| error.to_string()),
            payload: PhantomData,
        }
    }
}
