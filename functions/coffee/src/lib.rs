//! The functions of the coffee system: a pop-up bar where customers scan a code, order a drink, and follow it.
//!
//! | function | when | what it does |
//! |---|---|---|
//! | [`GetIotEndpoint`] | custom resource | finds the address of the broker |
//! | [`FillDatabases`] | custom resource | puts the menu, the settings and the counter into their tables |
//! | [`ConfigChanged`] | stream of the settings | tells the bus that the settings have changed |
//! | [`GetQrCode`] | `GET /qr-code` | shows the code of these minutes to an administrator |
//! | [`VerifyQrCode`] | `POST /qr-code` | takes one drink from a code, and starts an order |
//! | [`PublisherAdmin`], [`PublisherConfig`], [`PublisherUser`] | bus | hand events on to web pages |
//! | [`SanitizeOrder`] | state machine | says whether the menu has the drink |
//! | [`WorkflowStarted`], [`WaitingCompletion`], [`OrderTimedOut`] | bus | keep the table of orders up to date |
//!
//! The names of attributes and of fields of events are those that web pages and state machines use, so they are spelt
//! in several ways. The contracts compile alone, for the stacks; the handlers need the feature `runtime`.

mod contract;
pub mod detail;
mod item;
mod order_request;

#[cfg(feature = "runtime")]
pub mod config_changed;
#[cfg(feature = "runtime")]
pub mod fill;
#[cfg(feature = "runtime")]
pub mod iot_endpoint;
#[cfg(feature = "runtime")]
mod moment;
#[cfg(feature = "runtime")]
pub mod order;
#[cfg(feature = "runtime")]
pub mod publish;
#[cfg(feature = "runtime")]
pub mod qr_code;
#[cfg(feature = "runtime")]
pub mod sanitize;

#[cfg(test)]
mod testing;

pub use contract::*;
pub use item::*;
pub use order_request::*;
