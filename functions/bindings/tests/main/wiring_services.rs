//! The stack's side of buses, state machines, IoT topics, and services without resources.

#![expect(
    dead_code,
    reason = "nobody handles the events here: only the contracts matter"
)]

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stack_bindings::{
    Bindings, BusEvent, Connections, CustomResource, Decode, Delete, Detail, EventBus, EventError,
    HttpAuthorization, HttpRequest, ImageLabels, IotData, IotEndpoint, IotTopic, IotTopicFamily,
    ObjectChanges, Publish, PublishRetained, RequestAuthorization, Send, SendTaskSuccess,
    ServiceRegion, Start, StateMachine, TableChanges, TokenAuthorization, TopicMessages,
    WebSocketRequest,
};
use stack_model::apigatewayv2::{WebSocketApiProps, WebSocketStageProps};
use stack_model::contract::{Accepts, event};
use stack_model::events::EventBusProps;
use stack_model::iot::{TopicFamilyRef, TopicRef};
use stack_model::lambda::FunctionProps;
use stack_model::stepfunctions::{Flow, Pass, StateMachineProps};

use crate::declared::Order;
use crate::wiring::{Allowed, allowed_in, app, reference};

#[derive(Debug, PartialEq, Serialize, Deserialize, Detail)]
#[detail(type = "Orders.Placed")]
pub(crate) struct Placed {
    id: u32,
}

#[derive(Debug, PartialEq, Serialize, Deserialize, Detail)]
#[detail(type = "Orders.Paid")]
pub(crate) struct Paid {
    id: u32,
}

/// Takes two events of a bus, and has every binding of this page.
#[derive(Bindings)]
#[function(binary = "everything", accepts(BusEvent<Placed>, BusEvent<Paid>, ObjectChanges))]
pub(crate) struct Everything {
    pub(crate) bus: EventBus<(Placed, Paid)>,
    pub(crate) machine: StateMachine<Placed, (Start, SendTaskSuccess)>,
    pub(crate) iot: IotData,
    pub(crate) all: IotTopic<String, (Publish, PublishRetained)>,
    pub(crate) user: IotTopicFamily<String>,
    pub(crate) address: IotEndpoint,
    pub(crate) labels: ImageLabels,
    pub(crate) guests: Connections<String, (Send, Delete)>,
}

/// Takes whatever else can be sent.
#[derive(Bindings)]
#[function(
    binary = "others",
    accepts(
        TableChanges<Order>,
        TopicMessages<String>,
        CustomResource<()>,
        HttpRequest,
        WebSocketRequest,
        TokenAuthorization,
        RequestAuthorization,
        HttpAuthorization,
        BusEvent<Value>
    )
)]
pub(crate) struct Others {}

const fn accepts<F: Accepts<E>, E>() {}

const _: () = {
    accepts::<Everything, event::BusEvent<Placed>>();
    accepts::<Everything, event::BusEvent<Paid>>();
    accepts::<Everything, event::ObjectChanges>();
    accepts::<Others, event::TableChanges<Order>>();
    accepts::<Others, event::TopicMessages<String>>();
    accepts::<Others, event::CustomResource<()>>();
    accepts::<Others, event::HttpRequest>();
    accepts::<Others, event::WebSocketRequest>();
    accepts::<Others, event::TokenAuthorization>();
    accepts::<Others, event::RequestAuthorization>();
    accepts::<Others, event::HttpAuthorization>();
    accepts::<Others, event::BusEvent<Value>>();
};

fn template() -> Value {
    let mut app = app();
    let mut stack = app.stack("stack");
    let bus = stack.event_bus("Bus", EventBusProps::default());
    let mut flow = Flow::new();
    flow.add("Done", Pass::new().end());
    let machine = stack.state_machine::<Placed>("Machine", flow, StateMachineProps::default());
    let all = TopicRef::named("all");
    let user = TopicFamilyRef::starting_with("user-");
    let api = stack.websocket_api("Api", WebSocketApiProps::default());
    let guests = stack.websocket_stage("Guests", &api, WebSocketStageProps::named("dev"));
    let wired = Everything::bind(EverythingWiring {
        bus: &bus,
        machine: &machine,
        iot: "x-ats.iot.example".into(),
        all: &all,
        user: &user,
        address: ServiceRegion::own(),
        labels: ServiceRegion::of("eu-central-1"),
        guests: &guests,
    });
    stack.function("Function", wired, FunctionProps::default());
    let assembly = app.synth().unwrap();
    serde_json::from_str(assembly.template("stack").unwrap()).unwrap()
}

#[test]
fn the_environment_says_what_is_meant() {
    let template = template();
    let function = &template["Resources"]["Function"]["Properties"];
    assert_eq!(
        function["Environment"]["Variables"],
        json!({
            "BUS_NAME": reference("Bus"),
            "MACHINE_ARN": reference("Machine"),
            "IOT_DATA_ENDPOINT": "x-ats.iot.example",
            "ALL_TOPIC": "all",
            "USER_TOPIC_PREFIX": "user-",
            "ADDRESS_REGION": reference("AWS::Region"),
            "LABELS_REGION": "eu-central-1",
            "GUESTS_URL": {
                "Fn::Sub": "https://${Api}.execute-api.${AWS::Region}.${AWS::URLSuffix}/${Guests}"
            },
        })
    );
}

#[test]
fn every_service_is_allowed_exactly_what_is_granted() {
    let topic = |name: &str| {
        json!({
            "Fn::Sub": format!("arn:${{AWS::Partition}}:iot:${{AWS::Region}}:${{AWS::AccountId}}:topic/{name}")
        })
    };
    let allowed = |actions: &[&str], resource: Value| -> Allowed {
        let actions = actions.iter().map(|action| (*action).to_owned());
        (actions.collect(), resource, Value::Null)
    };
    let connections = |method: &str| {
        json!({
            "Fn::Sub": format!(
                "arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{Api}}/${{Guests}}/{method}/@connections/*"
            )
        })
    };
    let mut found = allowed_in(&template());
    let mut expected = vec![
        allowed(&["events:PutEvents"], json!({"Fn::GetAtt": ["Bus", "Arn"]})),
        allowed(&["states:StartExecution"], reference("Machine")),
        allowed(&["iot:Publish", "iot:RetainPublish"], topic("all")),
        allowed(&["iot:Publish"], topic("user-*")),
        allowed(&["execute-api:ManageConnections"], connections("POST")),
        allowed(&["execute-api:ManageConnections"], connections("DELETE")),
        // What knows no resource stands in one statement.
        allowed(
            &[
                "iot:DescribeEndpoint",
                "rekognition:DetectLabels",
                "states:SendTaskSuccess",
            ],
            "*".into(),
        ),
    ];
    let text = |(actions, resource, _): &Allowed| format!("{actions:?} {resource}");
    found.sort_by_key(text);
    expected.sort_by_key(text);
    assert_eq!(found, expected);
}

#[test]
fn events_of_one_bus_are_told_apart_by_their_types() {
    let sent = |detail_type: &str| {
        EverythingEvent::decode(json!({
            "detail-type": detail_type, "source": "shop", "detail": {"id": 7}
        }))
    };
    assert!(matches!(
        sent("Orders.Paid"),
        Ok(EverythingEvent::Paid(event)) if event.detail == Paid { id: 7 }
    ));
    assert!(matches!(
        sent("Orders.Placed"),
        Ok(EverythingEvent::Placed(_))
    ));
    let Err(EventError::Shape { expected }) = sent("Orders.Lost") else {
        panic!("accepted");
    };
    assert_eq!(expected, "Placed or Paid or ObjectChanges");
    assert!(matches!(
        OthersEvent::decode(json!({"detail-type": "x", "source": "y", "detail": 1})),
        Ok(OthersEvent::BusEvent(_))
    ));
}
