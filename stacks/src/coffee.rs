//! The coffee system: a pop-up bar where customers scan a code, order a drink, and follow it until it is ready.
//!
//! A display shows a code that is good for some drinks. Who scans it starts an order, and with it an execution of
//! `OrderProcessor`, which waits for the choice of a drink and then for a barista. What customers and baristas ask for,
//! `OrderManager` carries out. Everything else hears of it over one bus, and web pages over topics of the broker.
//!
//! | stack | what it has |
//! |---|---|
//! | `coffee-core` | the tables, the bus, identities, the broker, the three APIs, all functions, and `OrderManager` |
//! | `coffee-workflow` | `OrderProcessor`, and the rules by which an order goes on |
//!
//! A stage can put both into one stack, by its variable `stacks`. Physical names end with the stage, so that stages live
//! side by side in one account; names of events, attributes and routes are those that the web pages know.

use serde::Deserialize;
use stack_model::apigateway::{HttpMethod, RestResourceProps};
use stack_model::lambda::FunctionProps;
use stack_model::logs::Retention;
use stack_model::ssm::ParameterProps;
use stack_model::{App, Stack, Value, Violation, Violations};

use crate::pages::{self, AWS_HEADERS};

mod bus;
mod calls;
mod config_api;
mod identity;
mod lost;
mod order_api;
mod order_manager;
mod order_processor;
mod order_records;
mod realtime;
mod tables;
mod validator_api;

/// The group of those who run the bar.
const ADMINS: &str = "admin";

/// The stage of every API.
const API_STAGE: &str = "Prod";

/// What a stage decides, in the table `[stages.<stage>.variables.coffee]` of `stackctl.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Variables {
    /// The first segment of the names of the parameters by which other stacks find this system; the stage is added.
    app_name: String,
    /// The second segment.
    service: String,
    /// How many days logs are kept.
    log_retention_in_days: u32,
    /// How many minutes a code is shown.
    time_interval: u32,
    /// How many characters a code has.
    code_length: u32,
    /// How many drinks a code is good for.
    tokens_per_bucket: u32,
    /// What the events of the system name as their source.
    source: String,
    /// How many seconds a customer has for the choice of a drink.
    customer_heartbeat: u32,
    /// How many seconds the baristas have for a drink.
    barista_heartbeat: u32,
    /// Whether only members of the group `admin` list, make and complete orders, call orders of others off, and open and
    /// close the shop.
    admin_check: bool,
    /// What pages follow on which nobody signed in.
    guests_follow: GuestsFollow,
    /// How the system is divided into stacks.
    stacks: Division,
    /// The region of the system, where it is not that of the stage.
    region: Option<String>,
}

/// What pages follow on which nobody signed in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum GuestsFollow {
    /// Whether the shop is open, and the menu.
    #[default]
    Config,
    /// All topics, and so all orders: for pages that sign nobody in at the identity pool.
    Everything,
}

/// How the system is divided into stacks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Division {
    /// `coffee-core` and `coffee-workflow`.
    #[default]
    Split,
    /// `coffee-core` alone, with everything.
    Single,
}

impl Default for Variables {
    fn default() -> Self {
        Self {
            app_name: "ServerlesspressoWorkshop-4".to_owned(),
            service: "core".to_owned(),
            log_retention_in_days: 14,
            time_interval: 5,
            code_length: 10,
            tokens_per_bucket: 10,
            source: "awsserverlessda.serverlesspresso".to_owned(),
            customer_heartbeat: 300,
            barista_heartbeat: 900,
            admin_check: true,
            guests_follow: GuestsFollow::default(),
            stacks: Division::default(),
            region: None,
        }
    }
}

/// Adds the stacks of the system to an app.
///
/// # Errors
///
/// Fails where the variables of the stage do not fit.
pub fn describe(app: &mut App) -> Result<(), Violations> {
    let variables: Variables = app.stage().variables("coffee")?;
    let settings = Settings::of(app.stage().name(), variables)?;
    let mut core = settings.stack(app, "coffee-core");
    core.describe("Takes orders of a coffee bar, and tells everybody how they are getting on");
    let bar = Bar::add(&mut core, &settings);
    if settings.variables.stacks == Division::Single {
        order_processor::add(&mut core, &settings, &bar);
    } else {
        let mut workflow = settings.stack(app, "coffee-workflow");
        workflow.describe("Carries each order of a coffee bar from the scanned code to the drink");
        order_processor::add(&mut workflow, &settings, &bar);
    }
    Ok(())
}

/// What all parts of the system agree on.
struct Settings {
    stage: String,
    variables: Variables,
    retention: Retention,
}

impl Settings {
    fn of(stage: &str, variables: Variables) -> Result<Self, Violation> {
        let wrong = |name: &str, problem: &str| {
            Violation::new(format!("the variable `{name}` of coffee: {problem}"))
        };
        for (name, number) in [
            ("time_interval", variables.time_interval),
            ("code_length", variables.code_length),
            ("tokens_per_bucket", variables.tokens_per_bucket),
        ] {
            if number == 0 {
                return Err(wrong(name, "0 is too few"));
            }
        }
        let retention = Retention::try_from(variables.log_retention_in_days)
            .map_err(|error| wrong("log_retention_in_days", &error.to_string()))?;
        Ok(Self {
            stage: stage.to_owned(),
            variables,
            retention,
        })
    }

    /// Starts a stack in the region of the system.
    fn stack<'app>(&self, app: &'app mut App, id: &str) -> Stack<'app> {
        let mut stack = app.stack(id);
        if let Some(region) = &self.variables.region {
            stack.in_region(region);
        }
        stack
    }

    /// Returns a physical name, such as `serverlesspresso-order-table-dev`.
    fn name(&self, what: &str) -> String {
        format!("{what}-{}", self.stage)
    }

    /// Returns what events name as their source.
    fn source(&self) -> Value<String> {
        self.variables.source.as_str().into()
    }

    /// Returns what a function has, with the seconds that it may take.
    fn function(&self, description: &str, seconds: u32) -> FunctionProps {
        FunctionProps {
            description: Some(description.to_owned()),
            timeout: Some(seconds.into()),
            log_retention: self.retention,
            ..FunctionProps::default()
        }
    }
}

/// The parts of the core that the workflow needs.
struct Bar {
    tables: tables::Tables,
    bus: bus::Bus,
    records: order_records::OrderRecords,
}

impl Bar {
    /// Adds the core.
    fn add(stack: &mut Stack<'_>, settings: &Settings) -> Self {
        let tables = tables::add(stack, settings);
        let bus = bus::add(stack, settings);
        let realtime = realtime::add(stack, settings, &bus);
        let identity = identity::add(stack, settings, &realtime);
        let records = order_records::add(stack, settings, &tables, &bus);
        let order_manager = order_manager::add(stack, settings, &tables, &bus);

        let config_url = config_api::add(stack, settings, &tables, &bus, &identity);
        let order_url = order_api::add(stack, settings, &tables, &order_manager, &identity);
        let validator_url = validator_api::add(stack, settings, &tables, &bus, &identity);

        let api = "API Prod stage endpoint";
        for (key, value, description) in [
            ("RESTApiForConfigService", config_url, api),
            ("RESTApiForOrderManager", order_url, api),
            ("RESTApiForValidatorService", validator_url, api),
            ("UserPoolClient", identity.client.id(), "UserPool Client"),
            ("UserPoolID", identity.users.id(), "UserPool ID"),
        ] {
            stack.output(key, value).description(description);
        }
        let export = format!("{}-IotEndpointAddress", stack.name());
        stack
            .output("IotEndpointAddress", realtime.address.clone())
            .description("IotEndpointAddress URL")
            .export(export);

        // Other stacks find the system by these.
        for (id, name, value) in [
            ("BusNameParameter", "eventbusname", bus.handle.name()),
            (
                "BusArnParameter",
                "eventbusarn",
                bus.handle.arn().into_text(),
            ),
            ("RealtimeParameter", "realtime", realtime.address),
            ("UserPoolParameter", "userpool", identity.users.id()),
            (
                "UserPoolClientParameter",
                "userpoolclient",
                identity.client.id(),
            ),
        ] {
            let app = settings.name(&settings.variables.app_name);
            let name = format!("/{app}/{}/{name}", settings.variables.service);
            let props = ParameterProps {
                name: Some(name.into()),
                ..ParameterProps::default()
            };
            stack.ssm_parameter::<String>(id, value, props);
        }
        Self {
            tables,
            bus,
            records,
        }
    }
}

/// Makes a segment of a path whose methods pages of every origin may call.
fn open_to_pages(
    path_part: &str,
    methods: impl IntoIterator<Item = HttpMethod>,
) -> RestResourceProps {
    let mut cors = pages::cors(methods, AWS_HEADERS);
    cors.repeated = true;
    RestResourceProps {
        path_part: path_part.to_owned(),
        cors: Some(cors),
    }
}
