//! What the stacks of the coffee system promise, stated apart from their goldens.

mod apis;
mod permissions;
mod workflows;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use stack_model::{App, Assembly, Stage};

use crate::golden::stage;

/// Renders the system alone.
fn synth(variables: &Value) -> Assembly {
    let mut app = App::new(Stage::new(stage(
        "dev",
        false,
        &json!({ "coffee": variables }),
    )));
    stacks::coffee::describe(&mut app).unwrap();
    app.synth()
        .unwrap_or_else(|violations| panic!("{violations}"))
}

fn template(assembly: &Assembly, stack: &str) -> Value {
    serde_json::from_str(assembly.template(stack).unwrap()).unwrap()
}

fn core(variables: &Value) -> Value {
    template(&synth(variables), "coffee-core")
}

fn workflow(variables: &Value) -> Value {
    template(&synth(variables), "coffee-workflow")
}

fn properties<'a>(template: &'a Value, id: &str) -> &'a Value {
    let properties = &template["Resources"][id]["Properties"];
    assert!(properties.is_object(), "there is no {id}");
    properties
}

fn of_type<'a>(template: &'a Value, kind: &str) -> BTreeMap<&'a str, &'a Value> {
    let resources = template["Resources"].as_object().unwrap();
    resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == kind)
        .map(|(id, resource)| (id.as_str(), &resource["Properties"]))
        .collect()
}

#[test]
fn six_outputs_say_where_everything_is() {
    let core = core(&json!({}));
    let outputs = core["Outputs"].as_object().unwrap();
    let described: BTreeMap<&str, &Value> = outputs
        .iter()
        .filter(|(_, output)| output.get("Description").is_some())
        .map(|(key, output)| (key.as_str(), &output["Description"]))
        .collect();
    let api = &json!("API Prod stage endpoint");
    assert_eq!(
        described,
        BTreeMap::from([
            ("IotEndpointAddress", &json!("IotEndpointAddress URL")),
            ("RESTApiForConfigService", api),
            ("RESTApiForOrderManager", api),
            ("RESTApiForValidatorService", api),
            ("UserPoolClient", &json!("UserPool Client")),
            ("UserPoolID", &json!("UserPool ID")),
        ])
    );
    for (key, name) in [
        ("RESTApiForConfigService", "ConfigApi"),
        ("RESTApiForOrderManager", "OrderApi"),
        ("RESTApiForValidatorService", "ValidatorApi"),
    ] {
        let url = format!(
            "https://${{{name}}}.execute-api.${{AWS::Region}}.${{AWS::URLSuffix}}/${{{name}Stage}}/"
        );
        assert_eq!(outputs[key]["Value"], json!({ "Fn::Sub": url }));
        let stage = properties(&core, &format!("{name}Stage"));
        assert_eq!(stage["StageName"], "Prod");
    }
    assert_eq!(
        outputs["IotEndpointAddress"]["Value"],
        json!({"Fn::GetAtt": ["IotEndpoint", "IotEndpointAddress"]})
    );
    assert_eq!(
        outputs["IotEndpointAddress"]["Export"]["Name"],
        "coffee-core-dev-IotEndpointAddress"
    );
}

#[test]
fn other_stacks_find_the_system_by_five_parameters() {
    let core = core(&json!({"app_name": "Bar", "service": "heart"}));
    let parameters: BTreeMap<&str, (&Value, &Value)> = of_type(&core, "AWS::SSM::Parameter")
        .into_values()
        .map(|parameter| {
            let name = parameter["Name"].as_str().unwrap();
            (name, (&parameter["Type"], &parameter["Value"]))
        })
        .collect();
    let string = json!("String");
    let attribute = |id: &str, name: &str| json!({"Fn::GetAtt": [id, name]});
    let reference = |id: &str| json!({ "Ref": id });
    let expected = [
        ("/Bar-dev/heart/eventbusarn", attribute("Bus", "Arn")),
        ("/Bar-dev/heart/eventbusname", reference("Bus")),
        (
            "/Bar-dev/heart/realtime",
            attribute("IotEndpoint", "IotEndpointAddress"),
        ),
        ("/Bar-dev/heart/userpool", reference("UserPool")),
        ("/Bar-dev/heart/userpoolclient", reference("Client")),
    ];
    let expected = expected
        .iter()
        .map(|(name, value)| (*name, (&string, value)));
    assert_eq!(parameters, expected.collect());
}

#[test]
fn four_tables_have_the_keys_indexes_and_streams_that_the_system_needs() {
    let core = core(&json!({}));
    let tables = of_type(&core, "AWS::DynamoDB::Table");
    assert_eq!(tables.len(), 4);
    let both = json!({"StreamViewType": "NEW_AND_OLD_IMAGES"});
    let key = |name: &str, kind: &str| json!({"AttributeName": name, "KeyType": kind});
    let hash = json!([key("PK", "HASH")]);
    let order_key = json!([key("PK", "HASH"), key("SK", "RANGE")]);
    for (id, name, kind, schema, stream) in [
        ("CountingTable", "counting", "S", &hash, None),
        ("ConfigTable", "config", "S", &hash, Some(&both)),
        ("ValidatorTable", "validator", "N", &hash, Some(&both)),
        ("OrderTable", "order", "S", &order_key, Some(&both)),
    ] {
        let table = tables[id];
        assert_eq!(
            table["TableName"],
            format!("serverlesspresso-{name}-table-dev")
        );
        assert_eq!(table["BillingMode"], "PAY_PER_REQUEST", "{id}");
        assert_eq!(&table["KeySchema"], schema, "{id}");
        assert_eq!(table.get("StreamSpecification"), stream, "{id}");
        let attributes = table["AttributeDefinitions"].as_array().unwrap();
        let key = json!({"AttributeName": "PK", "AttributeType": kind});
        assert!(attributes.contains(&key), "{id}");
    }
    let index = |index: &Value| {
        let keys = index["KeySchema"].as_array().unwrap();
        let keys = keys.iter().map(|key| key["AttributeName"].clone());
        assert_eq!(index["Projection"]["ProjectionType"], "ALL");
        (index["IndexName"].clone(), keys.collect::<Vec<_>>())
    };
    let orders = tables["OrderTable"];
    let indexes = |kind: &str| -> Vec<(Value, Vec<Value>)> {
        orders[kind].as_array().unwrap().iter().map(index).collect()
    };
    assert_eq!(
        indexes("LocalSecondaryIndexes"),
        [(json!("LSI-timestamp"), vec![json!("PK"), json!("TS")])]
    );
    assert_eq!(
        indexes("GlobalSecondaryIndexes"),
        [
            (json!("GSI-status"), vec![json!("ORDERSTATE"), json!("SK")]),
            (json!("GSI-userId"), vec![json!("USERID"), json!("SK")]),
        ]
    );
    let settings = of_type(&core, "AWS::Lambda::EventSourceMapping");
    let [(_, trigger)] = Vec::from_iter(settings)[..] else {
        panic!("one function follows a table");
    };
    assert_eq!(
        (&trigger["BatchSize"], &trigger["StartingPosition"]),
        (&json!(1), &json!("TRIM_HORIZON"))
    );
}

#[test]
fn twelve_functions_have_their_time_and_their_variables() {
    let core = core(&json!({
        "time_interval": 15, "code_length": 8, "tokens_per_bucket": 3, "source": "a.bar", "log_retention_in_days": 7,
    }));
    let functions = of_type(&core, "AWS::Lambda::Function");
    let bus = json!({"Ref": "Bus"});
    let table = |id: &str| json!({ "Ref": id });
    let address = json!({"Fn::GetAtt": ["IotEndpoint", "IotEndpointAddress"]});
    let topic = |topic: &str| json!({"IOT_DATA_ENDPOINT": address, "IOT_TOPIC": format!("serverlesspresso-{topic}")});
    let orders = json!({"TableName": table("OrderTable")});
    let expected = BTreeMap::from([
        (
            "ConfigChanged",
            (15, json!({"EventBusName": bus, "Source": "a.bar"})),
        ),
        (
            "FillDatabases",
            (
                15,
                json!({"configTable": table("ConfigTable"), "countingTable": table("CountingTable")}),
            ),
        ),
        (
            "GetIotEndpoint",
            (3, json!({"IOT_REGION": {"Ref": "AWS::Region"}})),
        ),
        (
            "GetQrCode",
            (
                15,
                json!({
                    "TableName": table("ValidatorTable"), "TimeInterval": "15", "CodeLength": "8",
                    "TokensPerBucket": "3",
                }),
            ),
        ),
        ("OrderTimedOut", (15, orders.clone())),
        ("PublisherFunctionAdmin", (3, topic("admin-dev"))),
        ("PublisherFunctionConfig", (3, topic("config-dev"))),
        ("PublisherFunctionUser", (3, topic("user-dev-"))),
        ("SanitizeOrder", (20, json!({}))),
        (
            "VerifyQrCode",
            (
                10,
                json!({
                    "TableName": table("ValidatorTable"), "TimeInterval": "15", "BusName": bus, "Source": "a.bar",
                }),
            ),
        ),
        (
            "WaitingCompletion",
            (
                15,
                json!({"TableName": table("OrderTable"), "BusName": bus, "Source": "a.bar"}),
            ),
        ),
        ("WorkflowStarted", (15, orders)),
    ]);
    let found: BTreeMap<&str, (u64, Value)> = functions
        .iter()
        .map(|(id, function)| {
            let variables = function["Environment"]["Variables"].as_object();
            let variables = json!(variables.cloned().unwrap_or_default());
            let seconds = function["Timeout"].as_u64().unwrap_or(3);
            assert!(
                function
                    .get("MemorySize")
                    .is_none_or(|memory| memory == 128),
                "{id}"
            );
            let logs = properties(&core, &format!("{id}Logs"));
            assert_eq!(logs["RetentionInDays"], 7, "{id}");
            (*id, (seconds, variables))
        })
        .collect();
    assert_eq!(found, expected);
}

/// The web pages of every stage and of every user have pools of their own; what pages may do, `permissions` says.
#[test]
fn anybody_signs_up_with_an_address_that_stays() {
    let core = core(&json!({}));
    let pool = properties(&core, "UserPool");
    for (property, value) in [
        ("UserPoolName", json!("ServerlesspressoUserPool-dev")),
        (
            "Schema",
            json!([{"AttributeDataType": "String", "Mutable": false, "Name": "email", "Required": true}]),
        ),
        ("AutoVerifiedAttributes", json!(["email"])),
        ("MfaConfiguration", json!("OFF")),
        (
            "AdminCreateUserConfig",
            json!({"AllowAdminCreateUserOnly": false}),
        ),
    ] {
        assert_eq!(pool[property], value, "{property}");
    }
    assert_eq!(
        pool["Policies"]["PasswordPolicy"],
        json!({
            "MinimumLength": 6, "RequireLowercase": false, "RequireNumbers": false, "RequireSymbols": false,
            "RequireUppercase": false,
        })
    );
    let mail = &pool["VerificationMessageTemplate"];
    assert_eq!(mail["EmailSubject"], "Serverlesspresso workshop code");
    assert!(mail["EmailMessage"].as_str().unwrap().contains("{####}"));
    assert_eq!(properties(&core, "Client").get("GenerateSecret"), None);
    assert_eq!(properties(&core, "Admins")["GroupName"], "admin");
    let identities = properties(&core, "IdentityPool");
    assert_eq!(
        identities["IdentityPoolName"],
        "ServerlesspressoIdentityPool-dev"
    );
    assert_eq!(identities["AllowUnauthenticatedIdentities"], true);
}

#[test]
fn one_stack_can_have_everything() {
    let single = synth(&json!({"stacks": "single"}));
    let names: Vec<&str> = single
        .manifest()
        .stacks
        .iter()
        .map(|stack| stack.name.as_str())
        .collect();
    assert_eq!(names, ["coffee-core-dev"]);
    let split = synth(&json!({}));
    let ids = |assembly: &Assembly, stack: &str| -> BTreeSet<String> {
        let template = template(assembly, stack);
        template["Resources"]
            .as_object()
            .unwrap()
            .keys()
            .cloned()
            .collect()
    };
    let mut both = ids(&split, "coffee-core");
    both.extend(ids(&split, "coffee-workflow"));
    assert_eq!(ids(&single, "coffee-core"), both);

    let stacks = &split.manifest().stacks;
    let workflow = stacks
        .iter()
        .find(|stack| stack.id == "coffee-workflow")
        .unwrap();
    assert_eq!(workflow.depends_on, ["coffee-core-dev"]);
}

#[test]
fn names_carry_the_stage() {
    let (core, workflow) = (core(&json!({})), workflow(&json!({})));
    for (template, id, property, name) in [
        (&core, "Bus", "Name", "Serverlesspresso-dev"),
        (
            &core,
            "Realtime",
            "ThingName",
            "serverlesspresso-realtime-workshop-dev",
        ),
        (
            &workflow,
            "BusLog",
            "LogGroupName",
            "/aws/events/serverlesspressoEventBus-dev",
        ),
    ] {
        assert_eq!(properties(template, id)[property], name);
    }
}

#[test]
fn variables_that_do_not_fit_are_refused() {
    for (variables, complaint) in [
        (json!({"tokens": 5}), "tokens"),
        (json!({"time_interval": 0}), "`time_interval` of coffee"),
        (
            json!({"log_retention_in_days": 8}),
            "cannot be kept for 8 days",
        ),
        (json!({"stacks": "three"}), "three"),
        (json!({"guests_follow": "nothing"}), "nothing"),
        (json!({"customer_heartbeat": 0}), "HeartbeatSeconds"),
    ] {
        let stage = stage("dev", false, &json!({ "coffee": variables }));
        let mut app = App::new(Stage::new(stage));
        let outcome = stacks::coffee::describe(&mut app).and_then(|()| app.synth().map(drop));
        let violations = outcome.unwrap_err().to_string();
        assert!(violations.contains(complaint), "{violations}");
    }
}
