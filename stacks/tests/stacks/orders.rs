//! What the stacks of the orders system promise, stated apart from their goldens.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use stack_model::{App, Assembly, Stage};

use crate::golden::stage;

const STACKS: [&str; 4] = [
    "orders-backend",
    "orders-user",
    "orders-order",
    "orders-user-orders",
];

/// Renders the system alone.
fn synth(name: &str, protected: bool, variables: &Value) -> Assembly {
    let mut app = App::new(Stage::new(stage(
        name,
        protected,
        &json!({ "orders": variables }),
    )));
    stacks::orders::describe(&mut app).unwrap();
    app.synth()
        .unwrap_or_else(|violations| panic!("{violations}"))
}

fn dev() -> Assembly {
    synth("dev", false, &json!({"log_level": "debug"}))
}

fn template(assembly: &Assembly, stack: &str) -> Value {
    serde_json::from_str(assembly.template(stack).unwrap()).unwrap()
}

fn properties<'a>(template: &'a Value, id: &str) -> &'a Value {
    &template["Resources"][id]["Properties"]
}

fn of_type<'a>(template: &'a Value, kind: &str) -> Vec<(&'a str, &'a Value)> {
    let resources = template["Resources"].as_object().unwrap();
    resources
        .iter()
        .filter(|(_, resource)| resource["Type"] == kind)
        .map(|(id, resource)| (id.as_str(), &resource["Properties"]))
        .collect()
}

/// Returns the names of all imports.
fn imports(value: &Value) -> BTreeSet<String> {
    let inner = match value {
        Value::Object(map) => {
            if let Some(name) = map.get("Fn::ImportValue") {
                return [name.as_str().unwrap().to_owned()].into();
            }
            map.values().collect::<Vec<_>>()
        }
        Value::Array(list) => list.iter().collect(),
        _ => Vec::new(),
    };
    inner.into_iter().flat_map(imports).collect()
}

fn exports(template: &Value) -> BTreeSet<String> {
    let outputs = template["Outputs"].as_object().into_iter().flatten();
    outputs
        .filter_map(|(_, output)| output["Export"]["Name"].as_str())
        .map(str::to_owned)
        .collect()
}

#[test]
fn four_exports_tie_the_stacks_and_nothing_else_does() {
    let assembly = dev();
    let api = "ExampleSite-restApiId-dev";
    let root = "ExampleSite-rootResourceId-dev";
    let users = "ExampleSite-ApiRootUser-dev";
    let user = "ExampleSite-ApiRootUserUseridVar-dev";
    for (stack, exported, imported) in [
        ("orders-backend", vec![api, root], vec![]),
        ("orders-user", vec![users, user], vec![api, root]),
        ("orders-user-orders", vec![], vec![user, api]),
        ("orders-order", vec![], vec![api, root]),
    ] {
        let template = template(&assembly, stack);
        assert_eq!(Vec::from_iter(exports(&template)), exported, "{stack}");
        assert_eq!(Vec::from_iter(imports(&template)), imported, "{stack}");
    }
}

#[test]
fn stacks_are_deployed_after_what_they_import() {
    let assembly = dev();
    let before: BTreeMap<&str, Vec<&str>> = assembly
        .manifest()
        .stacks
        .iter()
        .map(|stack| {
            let before = stack.depends_on.iter().map(String::as_str).collect();
            (stack.name.as_str(), before)
        })
        .collect();
    assert_eq!(
        before,
        BTreeMap::from([
            ("orders-backend-dev", vec![]),
            ("orders-user-dev", vec!["orders-backend-dev"]),
            ("orders-order-dev", vec!["orders-backend-dev"]),
            (
                "orders-user-orders-dev",
                vec!["orders-backend-dev", "orders-user-dev"]
            ),
        ])
    );
}

/// Every stack shows what it adds by a deployment of its own to the one stage, once all its methods are there.
#[test]
fn every_stack_deploys_the_stage() {
    let assembly = dev();
    for stack in STACKS {
        let template = template(&assembly, stack);
        let deployments = of_type(&template, "AWS::ApiGateway::Deployment");
        let [(id, deployment)] = deployments.as_slice() else {
            panic!("{stack} has {} deployments", deployments.len());
        };
        let stages = of_type(&template, "AWS::ApiGateway::Stage");
        if let [(_, stage)] = stages.as_slice() {
            assert_eq!(
                (stack, &stage["StageName"]),
                ("orders-backend", &json!("dev"))
            );
            assert_eq!(stage["DeploymentId"], json!({ "Ref": id }));
        } else {
            assert_eq!(deployment["StageName"], "dev", "{stack}");
        }
        let waits = template["Resources"][*id]["DependsOn"].as_array().unwrap();
        for (method, _) in of_type(&template, "AWS::ApiGateway::Method") {
            assert!(
                waits.contains(&json!(method)),
                "{stack}: {id} does not wait for {method}"
            );
        }
    }
}

/// Returns every route with the function that answers it, or `None` for a preflight.
fn routes(assembly: &Assembly) -> BTreeMap<(String, String), Option<String>> {
    let paths = BTreeMap::from([
        ("ApiRoot", "/"),
        ("ApiUsers", "/user"),
        ("ApiUser", "/user/{userid}"),
        ("ApiUserOrders", "/user/{userid}/orders"),
        ("ApiOrders", "/order"),
        ("ApiOrder", "/order/{orderid}"),
    ]);
    let mut routes = BTreeMap::new();
    for stack in STACKS {
        let template = template(assembly, stack);
        for (_, method) in of_type(&template, "AWS::ApiGateway::Method") {
            assert_eq!(method["AuthorizationType"], "NONE");
            assert_eq!(method.get("ApiKeyRequired"), None);
            let resource = method["ResourceId"]["Ref"].as_str().unwrap_or("ApiRoot");
            let uri = method["Integration"]["Uri"]["Fn::Sub"].as_str();
            let function = uri.and_then(|uri| {
                let (_, function) = uri.split_once("/functions/${")?;
                Some(function.split_once(".Arn")?.0.to_owned())
            });
            let verb = method["HttpMethod"].as_str().unwrap().to_owned();
            routes.insert((paths[resource].to_owned(), verb), function);
        }
    }
    routes
}

#[test]
fn the_routes_lead_to_their_functions_and_pages_may_call_them() {
    let assembly = dev();
    let expected = [
        ("/", "GET", Some("Root")),
        ("/", "OPTIONS", None),
        ("/order", "OPTIONS", None),
        ("/order", "POST", Some("Order")),
        ("/order/{orderid}", "GET", Some("Order")),
        ("/order/{orderid}", "OPTIONS", None),
        ("/user", "GET", Some("User")),
        ("/user", "OPTIONS", None),
        ("/user", "POST", Some("User")),
        ("/user/{userid}", "GET", Some("User")),
        ("/user/{userid}", "OPTIONS", None),
        ("/user/{userid}/orders", "GET", Some("UserOrder")),
        ("/user/{userid}/orders", "OPTIONS", None),
    ];
    let expected = expected.map(|(path, verb, function)| {
        (
            (path.to_owned(), verb.to_owned()),
            function.map(str::to_owned),
        )
    });
    assert_eq!(routes(&assembly), BTreeMap::from(expected));

    let user = template(&assembly, "orders-user");
    let preflight = &properties(&user, "ApiUsersPreflight")["Integration"];
    assert_eq!(
        preflight["IntegrationResponses"][0]["ResponseParameters"],
        json!({
            "method.response.header.Access-Control-Allow-Headers":
                "'Content-Type,X-Amz-Date,Authorization,X-Api-Key,X-Amz-Security-Token,X-Amz-User-Agent'",
            "method.response.header.Access-Control-Allow-Methods": "'OPTIONS,POST,GET'",
            "method.response.header.Access-Control-Allow-Origin": "'*'",
        })
    );
}

#[test]
fn tables_and_queue_are_those_of_the_stage() {
    let backend = template(&dev(), "orders-backend");
    let throughput = json!({"ReadCapacityUnits": 1, "WriteCapacityUnits": 1});
    assert_eq!(
        properties(&backend, "UsersTable"),
        &json!({
            "AttributeDefinitions": [{"AttributeName": "user_id", "AttributeType": "S"}],
            "BillingMode": "PROVISIONED",
            "KeySchema": [{"AttributeName": "user_id", "KeyType": "HASH"}],
            "ProvisionedThroughput": throughput,
            "TableName": "ExampleSite-Users-dev",
        })
    );
    let orders = properties(&backend, "OrdersTable");
    assert_eq!(orders["TableName"], "ExampleSite-Orders-dev");
    assert_eq!(
        orders["KeySchema"],
        json!([{"AttributeName": "order_id", "KeyType": "HASH"}])
    );
    assert_eq!(
        orders["GlobalSecondaryIndexes"],
        json!([{
            "IndexName": "user_id-index",
            "KeySchema": [
                {"AttributeName": "user_id", "KeyType": "HASH"},
                {"AttributeName": "created_at", "KeyType": "RANGE"},
            ],
            "Projection": {"ProjectionType": "ALL"},
            "ProvisionedThroughput": throughput,
        }])
    );
    let queue = properties(&backend, "OrdersQueue");
    for (property, value) in [
        ("QueueName", json!("ExampleSite-OrdersQueue-dev")),
        ("DelaySeconds", json!(0)),
        ("MaximumMessageSize", json!(262_144)),
        ("MessageRetentionPeriod", json!(345_600)),
        ("VisibilityTimeout", json!(30)),
        (
            "RedrivePolicy",
            json!({"deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetters", "Arn"]}, "maxReceiveCount": 5}),
        ),
    ] {
        assert_eq!(queue[property], value, "{property}");
    }
    let triggers = of_type(&backend, "AWS::Lambda::EventSourceMapping");
    let [(_, trigger)] = triggers.as_slice() else {
        panic!("{} triggers", triggers.len());
    };
    assert_eq!(trigger["BatchSize"], 1);
    assert_eq!(
        trigger["FunctionName"],
        json!({"Fn::GetAtt": ["Orders", "Arn"]})
    );
    assert_eq!(
        trigger["FunctionResponseTypes"],
        json!(["ReportBatchItemFailures"])
    );
}

#[test]
fn provisioned_capacity_is_a_matter_of_the_stage() {
    let variables = json!({"orders_table": {"read": 5, "write": 2}});
    let backend = template(&synth("dev", false, &variables), "orders-backend");
    let orders = properties(&backend, "OrdersTable");
    let throughput = json!({"ReadCapacityUnits": 5, "WriteCapacityUnits": 2});
    assert_eq!(orders["ProvisionedThroughput"], throughput);
    assert_eq!(
        orders["GlobalSecondaryIndexes"][0]["ProvisionedThroughput"],
        throughput
    );
}

#[test]
fn every_function_may_do_its_work_and_nothing_else() {
    let assembly = dev();
    let table = |name: &str| json!({"Fn::Sub": format!("arn:${{AWS::Partition}}:dynamodb:${{AWS::Region}}:${{AWS::AccountId}}:table/ExampleSite-{name}-dev")});
    let index = json!({"Fn::Sub": "arn:${AWS::Partition}:dynamodb:${AWS::Region}:${AWS::AccountId}:table/ExampleSite-Orders-dev/index/user_id-index"});
    let queue = json!({"Fn::Sub": "arn:${AWS::Partition}:sqs:${AWS::Region}:${AWS::AccountId}:ExampleSite-OrdersQueue-dev"});
    let own = |id: &str| json!({"Fn::GetAtt": [id, "Arn"]});
    let expected = [
        ("orders-backend", "Root", vec![]),
        (
            "orders-backend",
            "Orders",
            vec![
                (json!("dynamodb:UpdateItem"), own("OrdersTable")),
                (
                    json!([
                        "sqs:DeleteMessage",
                        "sqs:GetQueueAttributes",
                        "sqs:ReceiveMessage"
                    ]),
                    own("OrdersQueue"),
                ),
            ],
        ),
        (
            "orders-user",
            "User",
            vec![(
                json!(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Scan"]),
                table("Users"),
            )],
        ),
        (
            "orders-user-orders",
            "UserOrder",
            vec![(json!("dynamodb:Query"), index)],
        ),
        (
            "orders-order",
            "Order",
            vec![
                (
                    json!(["dynamodb:PutItem", "dynamodb:Query"]),
                    table("Orders"),
                ),
                (json!("sqs:SendMessage"), queue),
            ],
        ),
    ];
    for (stack, function, mut grants) in expected {
        let template = template(&assembly, stack);
        let policies = &properties(&template, &format!("{function}Role"))["Policies"];
        let statements = policies[0]["PolicyDocument"]["Statement"]
            .as_array()
            .unwrap();
        let mut found: Vec<(Value, Value)> = statements
            .iter()
            .map(|statement| (statement["Action"].clone(), statement["Resource"].clone()))
            .collect();
        let log = json!(["logs:CreateLogStream", "logs:PutLogEvents"]);
        grants.push((log, own(&format!("{function}Logs"))));
        let text = |grant: &(Value, Value)| format!("{grant:?}");
        found.sort_by_key(text);
        grants.sort_by_key(text);
        assert_eq!(found, grants, "{function}");
    }
}

#[test]
fn functions_share_their_settings() {
    let assembly = dev();
    let mut functions = Vec::new();
    for stack in STACKS {
        let template = template(&assembly, stack);
        for (id, function) in of_type(&template, "AWS::Lambda::Function") {
            assert_eq!(
                (&function["MemorySize"], &function["Timeout"]),
                (&json!(128), &json!(10)),
                "{id}"
            );
            let variables = function["Environment"]["Variables"].as_object().unwrap();
            assert_eq!(variables["logLevel"], "debug", "{id}");
            let logs = properties(&template, &format!("{id}Logs"));
            assert_eq!(logs["RetentionInDays"], 14, "{id}");
            functions.push((id.to_owned(), variables.keys().cloned().collect::<Vec<_>>()));
        }
    }
    let expected = [
        ("Orders", vec!["logLevel", "ordersTable"]),
        ("Root", vec!["logLevel"]),
        ("User", vec!["logLevel", "usersTable"]),
        ("Order", vec!["logLevel", "ordersQueue", "ordersTable"]),
        ("UserOrder", vec!["logLevel", "ordersTable"]),
    ];
    let expected = expected.map(|(id, variables)| {
        (
            id.to_owned(),
            variables.into_iter().map(str::to_owned).collect(),
        )
    });
    assert_eq!(functions, expected);
}

/// Collects where two templates differ.
fn differences(path: &str, one: &Value, other: &Value, into: &mut Vec<(String, String, String)>) {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => {
            let keys: BTreeSet<&String> = one.keys().chain(other.keys()).collect();
            for key in keys {
                let [one, other] = [one, other].map(|map| map.get(key).unwrap_or(&Value::Null));
                differences(&format!("{path}.{key}"), one, other, into);
            }
        }
        (Value::Array(one), Value::Array(other)) if one.len() == other.len() => {
            for (position, (one, other)) in one.iter().zip(other).enumerate() {
                differences(&format!("{path}.{position}"), one, other, into);
            }
        }
        _ if one == other => {}
        _ => into.push((path.to_owned(), one.to_string(), other.to_string())),
    }
}

/// Replaces what follows the content by what it is about.
fn without_digits_of_content(template: &str) -> Value {
    let mut text = template.to_owned();
    let parsed: Value = serde_json::from_str(template).unwrap();
    for (id, _) in of_type(&parsed, "AWS::ApiGateway::Deployment") {
        text = text.replace(id, "Deployment");
    }
    serde_json::from_str(&text).unwrap()
}

/// What protects the data of `prod` and releases its functions is a matter of every protected stage, so it is left aside here.
#[test]
fn prod_differs_in_names_in_the_log_level_and_in_the_stage() {
    let dev = dev();
    let prod = synth("prod", false, &json!({"log_level": "info"}));
    let mut names = BTreeSet::new();
    for stack in STACKS {
        let [dev, prod] = [&dev, &prod]
            .map(|assembly| without_digits_of_content(assembly.template(stack).unwrap()));
        let mut found = Vec::new();
        differences(stack, &dev, &prod, &mut found);
        assert!(!found.is_empty(), "{stack}");
        for (path, one, other) in found {
            let is_level = path.ends_with(".Environment.Variables.logLevel")
                && (one.as_str(), other.as_str()) == ("\"debug\"", "\"info\"");
            // A name ends with the stage, alone or in an ARN or URL.
            let is_name = one != other && one.replace("dev", "prod") == other;
            assert!(is_level || is_name, "{path}: {one} and {other}");
            if is_name {
                names.insert(one);
            }
        }
    }
    for name in [
        "\"dev\"",
        "\"ExampleMicroService-dev\"",
        "\"ExampleSite-Orders-dev\"",
        "\"ExampleSite-OrdersQueue-dev\"",
        "\"ExampleSite-Users-dev\"",
        "\"ExampleSite-restApiId-dev\"",
    ] {
        assert!(names.contains(name), "{name} is not among {names:?}");
    }
}

#[test]
fn variables_that_do_not_fit_are_refused() {
    for (variables, complaint) in [
        (json!({"loglevel": "debug"}), "loglevel"),
        (json!({"log_level": "loud"}), "loud"),
        (json!({"users_table": {"read": 1}}), "write"),
        (
            json!({"users_table": {"read": 0, "write": 1}}),
            "0 is not between 1",
        ),
        (json!({"stack": "Example Site"}), "Example Site-Users-dev"),
    ] {
        let mut app = App::new(Stage::new(stage(
            "dev",
            false,
            &json!({ "orders": variables }),
        )));
        let outcome = stacks::orders::describe(&mut app).and_then(|()| app.synth().map(drop));
        let violations = outcome.unwrap_err().to_string();
        assert!(violations.contains(complaint), "{violations}");
    }
}
