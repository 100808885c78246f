//! What a schedule sends.

use std::marker::PhantomData;

use serde::Serialize;
use stack_model_cfn::Expr;

/// What a schedule sends, which the target reads as a `P`.
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

/// What a schedule can send: a reference to a value, or a [`ScheduledInput`].
#[diagnostic::on_unimplemented(
    message = "a schedule cannot send `{Self}`",
    label = "expected a reference to a value that `serde` can write, or `ScheduledInput::json(..)`"
)]
pub trait IntoScheduledInput {
    /// What the target reads it as.
    type Payload;

    /// Turns it into what is sent.
    fn into_input(self) -> ScheduledInput<Self::Payload>;
}

impl<P> IntoScheduledInput for ScheduledInput<P> {
    type Payload = P;

    fn into_input(self) -> Self {
        self
    }
}

impl<P: Serialize> IntoScheduledInput for &P {
    type Payload = P;

    fn into_input(self) -> ScheduledInput<P> {
        let json = serde_json::to_value(self);
        ScheduledInput {
            json: json.map(Expr::from).map_err(|error| error.to_string()),
            payload: PhantomData,
        }
    }
}
