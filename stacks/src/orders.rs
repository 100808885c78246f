//! The orders system: one REST API that four stacks share, each deployed on its own.
//!
//! | stack | what it has | what it exports |
//! |---|---|---|
//! | `orders-backend` | the API, `GET /`, the tables, the queue and the worker | the API and its root |
//! | `orders-user` | `/user` and `/user/{userid}` | both resources |
//! | `orders-user-orders` | `/user/{userid}/orders` | |
//! | `orders-order` | `/order` and `/order/{orderid}` | |
//!
//! `orders-backend` is deployed first and removed last; `orders-user-orders` needs `orders-user`. The stacks share their
//! tables and the queue by name, so the four exports are all that ties them to each other. Roles, functions and the
//! queue of the dead letters keep what CloudFormation calls them, because nobody needs to know it.

use std::collections::BTreeMap;

use serde::Deserialize;
use stack_model::apigateway::{Cors, HttpMethod, RestResourceProps};
use stack_model::lambda::{FunctionProps, MemorySize, Timeout};
use stack_model::logs::Retention;
use stack_model::{App, Violations, limit};

use crate::domain::EdgeDomain;
use crate::pages::{self, AWS_HEADERS, USER_AGENT};

mod backend;
mod order;
mod user;
mod user_orders;

/// What a stage decides, in the table `[stages.<stage>.variables.orders]` of `stackctl.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Variables {
    /// What the names of tables, queues and exports begin with.
    stack: String,
    /// From which level on the functions log.
    log_level: LogLevel,
    /// What the table of users is provisioned for.
    users_table: Capacity,
    /// What the table of orders is provisioned for.
    orders_table: Capacity,
    /// Where the API answers besides its own address.
    domain: Option<EdgeDomain>,
}

impl Default for Variables {
    fn default() -> Self {
        Self {
            stack: "ExampleSite".to_owned(),
            log_level: LogLevel::default(),
            users_table: Capacity::default(),
            orders_table: Capacity::default(),
            domain: None,
        }
    }
}

/// From which level on a function logs.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LogLevel {
    Error,
    Warn,
    #[default]
    Info,
    Debug,
    Trace,
}

impl LogLevel {
    const fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// Reads and writes per second that a table is provisioned for.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Capacity {
    read: u32,
    write: u32,
}

impl Default for Capacity {
    fn default() -> Self {
        Self { read: 1, write: 1 }
    }
}

/// Adds the four stacks to an app.
///
/// # Errors
///
/// Fails where the variables of the stage do not fit.
pub fn describe(app: &mut App) -> Result<(), Violations> {
    let variables: Variables = app.stage().variables("orders")?;
    let stage = app.stage().name().to_owned();
    let settings = Settings { variables, stage };
    let backend = backend::describe(app, &settings)?;
    let user = user::describe(app, &settings, &backend);
    user_orders::describe(app, &settings, &backend, &user);
    order::describe(app, &settings, &backend);
    Ok(())
}

/// What the four stacks agree on.
struct Settings {
    variables: Variables,
    stage: String,
}

impl Settings {
    /// Returns the name of something that all stacks know, such as `ExampleSite-Users-dev`.
    fn name(&self, what: &str) -> String {
        format!("{}-{what}-{}", self.variables.stack, self.stage)
    }

    /// Returns what every function has.
    fn function(&self, description: &str) -> FunctionProps {
        let level = self.variables.log_level.name();
        FunctionProps {
            description: Some(description.to_owned()),
            memory: Some(limit!(MemorySize, 128)),
            timeout: Some(limit!(Timeout, 10)),
            log_retention: Retention::TwoWeeks,
            environment: BTreeMap::from([("logLevel".to_owned(), level.into())]),
            ..FunctionProps::default()
        }
    }
}

/// Makes a segment whose methods pages of every origin may call.
fn open_to_pages(
    path_part: impl Into<String>,
    methods: impl IntoIterator<Item = HttpMethod>,
) -> RestResourceProps {
    RestResourceProps {
        path_part: path_part.into(),
        cors: Some(cors(methods)),
    }
}

/// Lets pages of every origin call methods, with the headers that clients of AWS send.
fn cors(methods: impl IntoIterator<Item = HttpMethod>) -> Cors {
    let methods = [HttpMethod::Options].into_iter().chain(methods);
    pages::cors(methods, AWS_HEADERS.into_iter().chain([USER_AGENT]))
}
