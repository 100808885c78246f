//! The functions of the orders system: users, their orders, and the worker that fulfils them.
//!
//! Four functions answer the routes of one REST API, and a fifth reads the queue:
//!
//! | function | routes |
//! |---|---|
//! | [`Root`] | `GET /` |
//! | [`User`] | `POST /user`, `GET /user`, `GET /user/{userid}` |
//! | [`UserOrder`] | `GET /user/{userid}/orders` |
//! | [`Order`] | `POST /order`, `GET /order/{orderid}` |
//! | [`Orders`] | the queue of placed orders |
//!
//! Bodies are JSON. An answer that is no success is `{"error": "..."}` with a text for people: 400 for what the caller
//! can mend, 404 and 409 as usual, and 504 where the table or the queue fails. The contracts compile alone, for the
//! stacks; the handlers need the feature `runtime`.

mod contract;
mod record;

#[cfg(feature = "runtime")]
mod answer;
#[cfg(feature = "runtime")]
mod body;
#[cfg(feature = "runtime")]
mod moment;
#[cfg(feature = "runtime")]
pub mod order;
#[cfg(feature = "runtime")]
pub mod root;
#[cfg(feature = "runtime")]
pub mod user;
#[cfg(feature = "runtime")]
pub mod user_orders;
#[cfg(feature = "runtime")]
pub mod worker;

#[cfg(test)]
mod testing;

pub use contract::*;
pub use record::*;
