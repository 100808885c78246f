//! The details of events on a bus.

use serde::Serialize;
use serde::de::DeserializeOwned;

/// The detail of an event on an EventBridge bus; derive it with `#[derive(Detail)]`.
///
/// ```
/// use serde::{Deserialize, Serialize};
/// use stack_bindings::Detail;
///
/// #[derive(Serialize, Deserialize, Detail)]
/// #[serde(rename_all = "camelCase")]
/// #[detail(type = "OrderManager.OrderCompleted")]
/// pub struct OrderCompleted {
///     order_id: String,
///     user_id: String,
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not the detail of an event",
    note = "derive `Detail` for it and give the name with `#[detail(type = \"..\")]`"
)]
pub trait Detail: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The detail type of the event.
    const DETAIL_TYPE: &'static str;
}
