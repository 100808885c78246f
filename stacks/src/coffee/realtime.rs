//! Topics of the broker, over which web pages follow along, and the functions that hand events on to them.

use coffee::{
    GetIotEndpoint, GetIotEndpointWiring, Notice, PublisherAdmin, PublisherAdminWiring,
    PublisherConfig, PublisherConfigWiring, PublisherUser, PublisherUserWiring,
};
use stack_bindings::ServiceRegion;
use stack_model::events::{Delivery, RuleProps};
use stack_model::iot::{ThingProps, TopicFamilyRef, TopicRef};
use stack_model::{Stack, Value};

use super::bus::Bus;
use super::{Settings, lost};

pub(super) struct Realtime {
    /// The address of the broker.
    pub(super) address: Value<String>,
    /// What those who run the bar follow: everything.
    pub(super) admin: TopicRef<Notice>,
    /// What everybody follows: whether the shop is open, and the menu.
    pub(super) config: TopicRef<Notice>,
    /// What each customer follows: the own orders.
    pub(super) users: TopicFamilyRef<Notice>,
}

pub(super) fn add(stack: &mut Stack<'_>, settings: &Settings, bus: &Bus) -> Realtime {
    stack.thing(
        "Realtime",
        ThingProps {
            name: Some(settings.name("serverlesspresso-realtime-workshop").into()),
            ..ThingProps::default()
        },
    );
    let get_endpoint = stack.function(
        "GetIotEndpoint",
        GetIotEndpoint::bind(GetIotEndpointWiring {
            iot: ServiceRegion::own(),
        }),
        settings.function("Finds the address of the broker", 3),
    );
    let realtime = Realtime {
        address: stack.iot_endpoint("IotEndpoint", &get_endpoint),
        admin: TopicRef::named(settings.name("serverlesspresso-admin")),
        config: TopicRef::named(settings.name("serverlesspresso-config")),
        users: TopicFamilyRef::starting_with(settings.name("serverlesspresso-user") + "-"),
    };
    publish(stack, settings, bus, &realtime);
    realtime
}

/// Hands events on to the topics.
fn publish(stack: &mut Stack<'_>, settings: &Settings, bus: &Bus, realtime: &Realtime) {
    let address = &realtime.address;
    let to_admin = stack.function(
        "PublisherFunctionAdmin",
        PublisherAdmin::bind(PublisherAdminWiring {
            iot: address.clone(),
            topic: &realtime.admin,
        }),
        settings.function("Hands events on to those who run the bar", 3),
    );
    let to_user = stack.function(
        "PublisherFunctionUser",
        PublisherUser::bind(PublisherUserWiring {
            iot: address.clone(),
            topics: &realtime.users,
        }),
        settings.function("Hands events on to the customer they are about", 3),
    );
    let to_everybody = stack.function(
        "PublisherFunctionConfig",
        PublisherConfig::bind(PublisherConfigWiring {
            iot: address.clone(),
            topic: &realtime.config,
        }),
        settings.function("Hands changes of the settings on to everybody", 3),
    );

    lost::keep(stack, &to_admin, &bus.lost);
    lost::keep(stack, &to_user, &bus.lost);
    lost::keep(stack, &to_everybody, &bus.lost);

    let order_manager = "OrderManager.";
    let order_processor = "OrderProcessor.";
    let validator = "Validator.";
    let config_service = "ConfigService.";
    let all = [order_manager, order_processor, validator, config_service];
    let mut rule = |id: &str, prefixes: &[&str]| {
        let events = bus.events().detail_type_prefixes(prefixes.iter().copied());
        stack.rule(id, &bus.handle, events, RuleProps::default())
    };
    let everything = rule("PublishToAdmin", &all);
    let managed = rule("PublishManagedToUser", &[order_manager]);
    let processed = rule("PublishProcessedToUser", &[order_processor]);
    let configured = rule("PublishToEverybody", &[config_service]);
    let lost = || Delivery::event().dead_letters(&bus.lost);
    stack.target(&everything, &to_admin, lost());
    stack.target(&managed, &to_user, lost());
    stack.target(&processed, &to_user, lost());
    stack.target(&configured, &to_everybody, lost());
}
