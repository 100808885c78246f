//! The coffee system: deployed, used by customers and baristas from the scanned code to the drink, removed.
//!
//! The system is deployed once, and everything happens in the one bar, in the order of the steps.

mod bar;
mod follower;
mod people;
mod repeated;
mod serving;
mod shop;

use std::collections::BTreeMap;

use serde_json::{Value, json};
use system_tests::poll::{PATIENCE, eventually};

use bar::Bar;
use follower::Follower;
use people::Person;

use crate::shipped;

/// The region of the system, which is not that of the stage.
const REGION: &str = "us-east-2";

const ADMIN_TOPIC: &str = "serverlesspresso-admin-dev";
const CONFIG_TOPIC: &str = "serverlesspresso-config-dev";

// The outputs that say where the APIs are.
const CONFIG_API: &str = "RESTApiForConfigService";
const ORDER_API: &str = "RESTApiForOrderManager";
const VALIDATOR_API: &str = "RESTApiForValidatorService";

/// Returns the configuration of a stage in which customers and baristas have so many seconds. A code is shown for a month,
/// so that none ends amid a test.
fn config(customer: u32, barista: u32) -> String {
    config_with(customer, barista, "")
}

/// Returns such a configuration with more variables.
fn config_with(customer: u32, barista: u32, variables: &str) -> String {
    format!(
        "[stages.dev]\nregion = \"us-east-1\"\n\n[stages.dev.variables.coffee]\nregion = \"{REGION}\"\n\
         time_interval = 43200\ncustomer_heartbeat = {customer}\nbarista_heartbeat = {barista}\n{variables}"
    )
}

/// The bar with everybody who is in it.
struct Open {
    bar: Bar,
    customer: Person,
    other: Person,
    barista: Person,
    /// A page on which the barista signed in.
    follower: Follower,
    /// A page on which nobody signed in, such as that of a display.
    display: Follower,
}

impl Open {
    /// Opens a bar in which guests follow what is for all, and members of a group more.
    fn of(bar: Bar) -> Self {
        people::allow_passwords(&bar);
        let customer = Person::sign_in(&bar, "anna", None);
        let other = Person::sign_in(&bar, "otto", None);
        let barista = Person::sign_in(&bar, "bea", Some("admin"));
        let own = [customer.topic(), other.topic()];
        let topics = [ADMIN_TOPIC, CONFIG_TOPIC, &own[0], &own[1]];
        // The roles of pages reach no further than this system, and that of guests no further than what is for all.
        let page = |person: Option<&Person>, topics: &[&str]| follower(&bar, person, topics);
        assert!(page(Some(&barista), &["another-system"]).is_none());
        for topic in [ADMIN_TOPIC, &own[0]] {
            assert!(page(None, &[topic]).is_none(), "guests follow {topic}");
        }
        let follower = page(Some(&barista), &topics).expect("pages may follow these");
        let display = page(None, &[CONFIG_TOPIC]).expect("everybody may follow this");
        Self {
            bar,
            customer,
            other,
            barista,
            follower,
            display,
        }
    }

    /// Waits until the messages of a topic about an order are of exactly these types, and returns them.
    fn hears(&self, topic: &str, order: &str, types: &[&str]) -> Vec<Value> {
        let expected = counts(types);
        let what = format!("{expected:?} about {order} on {topic}");
        let heard = eventually(&what, PATIENCE, || {
            let messages = self.follower.messages(topic).into_iter();
            let of_order = messages.filter(|message| message["detail"]["orderId"] == order);
            let of_order: Vec<Value> = of_order.collect();
            let types: Vec<String> = of_order.iter().map(|m| text(&m["type"])).collect();
            (counts(&types) == expected).then_some(of_order)
        });
        for message in &heard {
            // Whoever knows the token could answer for the barista.
            assert!(!message.to_string().contains("TaskToken"), "{message}");
        }
        heard
    }
}

/// Opens a page on which somebody signed in, or nobody.
fn follower(bar: &Bar, person: Option<&Person>, topics: &[&str]) -> Option<Follower> {
    let (endpoint, address) = (bar.account.endpoint(), bar.output("IotEndpointAddress"));
    let credentials = people::of_page(bar, person);
    Follower::connect(endpoint, &address, REGION, &credentials, topics)
}

/// Says how often each type of event came.
fn counts<T: AsRef<str>>(types: &[T]) -> BTreeMap<&str, usize> {
    let mut counts = BTreeMap::new();
    for kind in types {
        *counts.entry(kind.as_ref()).or_default() += 1;
    }
    counts
}

fn text(value: &Value) -> String {
    let text = value.as_str();
    text.unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

#[test]
fn drinks_are_served_from_the_first_deploy_to_nothing_left() {
    let sandbox = shipped(&config(300, 900));
    let account = sandbox.account().in_region(REGION);
    let before = account.inventory_of_systems();
    sandbox.deploy(&["coffee-*"]);
    let bar = Bar::look_at(&sandbox);
    other_stacks_find_the_system(&bar);

    let open = Open::of(bar);
    serving::everybody_reads_the_menu(&open);
    shop::every_event_would_be_recorded(&open);
    let bucket = serving::the_code_is_shown(&open);
    serving::a_drink_is_ordered_and_made(&open, &bucket);
    serving::orders_are_cancelled(&open, &bucket);
    shop::the_state_machines_work_alone(&open);
    shop::an_order_ends_between_two_tokens(&open, &bucket);
    repeated::a_late_repetition_changes_nothing(&open, &bucket);
    repeated::what_comes_to_nothing_is_kept(&open);
    shop::what_makes_no_sense_is_refused(&open);
    shop::the_shop_closes_and_opens(&open);
    shop::the_shop_is_full(&open);
    shop::twelve_scans_race_for_ten_drinks(&open, &bucket);

    // Nobody waits for 300 and 900 seconds: the stage shortens both heartbeats for the executions that start now. The
    // customer needs some of the time to choose a drink in. That the shipped stages have 300 and 900, the templates say.
    sandbox.configure(&config(8, 3));
    sandbox.deploy(&["coffee-*"]);
    shop::nobody_answers_within_shortened_heartbeats(&open, &bucket);

    drop(open);
    sandbox.destroy(&["coffee-*"]);
    assert_eq!(account.inventory_of_systems(), before);
}

/// One stack has everything; nobody has to be in a group, and guests follow all that happens.
#[test]
fn one_stack_serves_everybody_and_leaves_nothing() {
    let sandbox = shipped(&config_with(
        8,
        900,
        "stacks = \"single\"\nadmin_check = false\nguests_follow = \"everything\"\n",
    ));
    let account = sandbox.account().in_region(REGION);
    let before = account.inventory_of_systems();
    sandbox.deploy(&["coffee-*"]);
    let bar = Bar::look_at(&sandbox);
    other_stacks_find_the_system(&bar);
    people::allow_passwords(&bar);
    let customer = Person::sign_in(&bar, "anna", None);
    let other = Person::sign_in(&bar, "otto", None);
    let barista = Person::sign_in(&bar, "bea", Some("admin"));
    let own = customer.topic();
    let page = follower(&bar, None, &[ADMIN_TOPIC, CONFIG_TOPIC, &own]);
    let open = Open {
        follower: page.expect("guests follow everything"),
        display: follower(&bar, None, &[CONFIG_TOPIC]).expect("everybody follows this"),
        bar,
        customer,
        other,
        barista,
    };
    serving::anybody_makes_a_drink(&open);
    repeated::a_second_workflow_gives_nothing_up(&open);

    drop(open);
    sandbox.destroy(&["coffee-*"]);
    assert_eq!(account.inventory_of_systems(), before);
}

/// The parameters say what the outputs say.
fn other_stacks_find_the_system(bar: &Bar) {
    for (parameter, value) in [
        ("eventbusname", "Serverlesspresso-dev".to_owned()),
        (
            "eventbusarn",
            format!("arn:aws:events:{REGION}:000000000000:event-bus/Serverlesspresso-dev"),
        ),
        ("realtime", bar.output("IotEndpointAddress")),
        ("userpool", bar.output("UserPoolID")),
        ("userpoolclient", bar.output("UserPoolClient")),
    ] {
        let name = json!({"Name": format!("/ServerlesspressoWorkshop-4-dev/core/{parameter}")});
        let found = bar.account.call("ssm", "AmazonSSM.GetParameter", &name);
        assert_eq!(found["Parameter"]["Value"], value, "{parameter}");
    }
}
