//! One API that several stacks add to, and the deployments that show what they added.

use serde_json::{Value, json};
use stack_model::apigateway::{
    Authorization, HttpMethod, Integration, MappingTemplate, MethodProps, RestApiProps, RestApiRef,
    RestResourceRef, StageProps, StageRef, Throttle,
};
use stack_model::{App, Assembly, Stack};

use super::support::{Answer, deployment, function, violations};
use crate::support::dev;

fn open(message: &str) -> MethodProps {
    let integration = Integration::mock(200, MappingTemplate::message(message));
    MethodProps::new(HttpMethod::Get, Authorization::None, integration)
}

/// Adds an API with its stage and one method.
fn backend(
    stack: &mut Stack<'_>,
    health: &str,
    throttle: Option<Throttle>,
) -> (RestApiRef, StageRef) {
    let api = stack.rest_api("Api", RestApiProps::default());
    stack.rest_method("Health", &api.root(), open(health));
    let mut props = StageProps::named("dev");
    props.throttle = throttle;
    let stage = stack.rest_stage("Live", &api, props);
    (api, stage)
}

fn user(stack: &mut Stack<'_>, api: &RestApiRef) -> RestResourceRef {
    let users = stack.rest_resource("Users", &api.root(), "user");
    let user = stack.rest_resource("User", &users, "{userid}");
    let answer = function::<Answer>(stack, "Answer");
    let proxy = Integration::lambda_proxy(&answer);
    let get = MethodProps::new(HttpMethod::Get, Authorization::None, proxy);
    stack.rest_method("GetUser", &user, get);
    user
}

fn synth(app: App) -> Assembly {
    app.synth()
        .unwrap_or_else(|violations| panic!("{violations}"))
}

fn template(assembly: &Assembly, stack: &str) -> Value {
    serde_json::from_str(assembly.template(stack).unwrap()).unwrap()
}

#[test]
fn every_stack_that_adds_to_an_api_deploys_it() {
    let mut app = dev();
    let (api, _) = backend(&mut app.stack("backend"), "Fine", None);
    let user = user(&mut app.stack("user"), &api);
    let mut stack = app.stack("user-order");
    let orders = stack.rest_resource("Orders", &user, "orders");
    stack.rest_method("ListOrders", &orders, open("None"));
    let assembly = synth(app);

    let backend = template(&assembly, "backend");
    assert_eq!(
        backend["Resources"][deployment(&backend)],
        json!({
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": ["Health"],
            "Properties": {"RestApiId": {"Ref": "Api"}},
        })
    );
    let user = template(&assembly, "user");
    let id = deployment(&user);
    assert_eq!(id.len(), "LiveDeployment".len() + 10, "{id}");
    assert_eq!(
        user["Resources"][&id],
        json!({
            "Type": "AWS::ApiGateway::Deployment",
            "DeletionPolicy": "Retain",
            "DependsOn": ["GetUser", "User", "Users"],
            "Properties": {
                "RestApiId": {"Fn::ImportValue": "backend-dev-Api"},
                "StageName": "dev",
            },
            "UpdateReplacePolicy": "Retain",
        })
    );
    assert_eq!(
        user["Resources"]["GetUserPermission"]["Properties"]["SourceArn"],
        json!({"Fn::Sub": [
            "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${Value1}/*/GET/user/*",
            {"Value1": {"Fn::ImportValue": "backend-dev-Api"}},
        ]})
    );
    let orders = template(&assembly, "user-order");
    assert_eq!(
        orders["Resources"]["Orders"]["Properties"]["ParentId"],
        json!({"Fn::ImportValue": "user-dev-User"})
    );
    assert_eq!(
        orders["Resources"][deployment(&orders)]["DependsOn"],
        json!(["ListOrders", "Orders"])
    );
    let order: Vec<&str> = assembly
        .manifest()
        .stacks
        .iter()
        .map(|stack| stack.id.as_str())
        .collect();
    assert_eq!(order, ["backend", "user", "user-order"]);
}

#[test]
fn exports_have_the_names_that_their_authors_chose() {
    let mut app = dev();
    let mut stack = app.stack("backend");
    let (api, _) = backend(&mut stack, "Fine", None);
    stack
        .output("RestApiId", api.rest_api_id())
        .export("ExampleSite-restApiId-dev");
    stack
        .output("RootResourceId", api.root_resource_id())
        .export("ExampleSite-rootResourceId-dev");
    let mut stack = app.stack("user");
    let user = user(&mut stack, &api);
    stack
        .output("UserPath", user.rest_resource_id())
        .export("ExampleSite-ApiRootUserUseridVar-dev");
    let mut stack = app.stack("user-order");
    let orders = stack.rest_resource("Orders", &user, "orders");
    stack.rest_method("ListOrders", &orders, open("None"));
    let assembly = synth(app);

    let exports = |stack: &str| -> Vec<Value> {
        let template = template(&assembly, stack);
        let outputs = template["Outputs"].as_object().into_iter().flatten();
        outputs
            .map(|(_, output)| output["Export"]["Name"].clone())
            .collect()
    };
    assert_eq!(
        exports("backend"),
        [
            "ExampleSite-restApiId-dev",
            "ExampleSite-rootResourceId-dev"
        ]
    );
    assert_eq!(exports("user"), ["ExampleSite-ApiRootUserUseridVar-dev"]);
    assert!(exports("user-order").is_empty());
    let user = template(&assembly, "user");
    assert_eq!(
        user["Resources"]["Users"]["Properties"],
        json!({
            "ParentId": {"Fn::ImportValue": "ExampleSite-rootResourceId-dev"},
            "PathPart": "user",
            "RestApiId": {"Fn::ImportValue": "ExampleSite-restApiId-dev"},
        })
    );
}

/// Returns the logical ids of the deployments of the backend and of the stack that adds to it.
fn deployments(health: &str, added: Option<&str>, throttle: Option<Throttle>) -> [String; 2] {
    let mut app = dev();
    let (api, _) = backend(&mut app.stack("backend"), health, throttle);
    if let Some(added) = added {
        let mut stack = app.stack("user");
        let users = stack.rest_resource("Users", &api.root(), "user");
        stack.rest_method("ListUsers", &users, open(added));
    }
    let assembly = synth(app);
    let user = added.map(|_| deployment(&template(&assembly, "user")));
    [
        deployment(&template(&assembly, "backend")),
        user.unwrap_or_default(),
    ]
}

#[test]
fn a_change_deploys_the_stack_that_it_is_in() {
    let before = deployments("Fine", Some("None"), None);
    let [backend, user] = deployments("Well", Some("None"), None);
    assert_ne!(backend, before[0]);
    assert_eq!(user, before[1]);
    let [backend, user] = deployments("Fine", Some("Many"), None);
    assert_eq!(backend, before[0]);
    assert_ne!(user, before[1]);
}

#[test]
fn a_changed_stage_of_a_shared_api_shows_a_new_deployment() {
    // An update of the stage names its deployment again: were it the old one, what other stacks added since would no
    // longer be live.
    let throttle = Some(Throttle {
        rate: 1.0,
        burst: 1.into(),
    });
    let [before, _] = deployments("Fine", Some("None"), None);
    let [after, _] = deployments("Fine", Some("None"), throttle);
    assert_ne!(before, after);
    let [alone, _] = deployments("Fine", None, None);
    let [still_alone, _] = deployments("Fine", None, throttle);
    assert_eq!(alone, still_alone);
}

#[test]
fn parts_without_the_module_are_deployed_too() {
    let render = |status: &str| {
        let mut app = dev();
        let mut stack = app.stack("backend");
        backend(&mut stack, "Fine", None);
        stack.raw(
            "Teapot",
            "AWS::ApiGateway::GatewayResponse",
            json!({
                "RestApiId": {"Ref": "Api"},
                "ResponseType": "MISSING_AUTHENTICATION_TOKEN",
                "StatusCode": status,
            }),
        );
        let template = template(&synth(app), "backend");
        let id = deployment(&template);
        (id.clone(), template["Resources"][id]["DependsOn"].clone())
    };
    let (id, waits) = render("418");
    assert_eq!(waits, json!(["Health", "Teapot"]));
    assert_ne!(render("404").0, id);
}

#[test]
fn a_stage_stands_with_its_api() {
    let violations = violations(|app| {
        let (api, _) = backend(&mut app.stack("backend"), "Fine", None);
        let mut stack = app.stack("user");
        stack.rest_stage("Beta", &api, StageProps::named("beta"));
        stack.raw("LiveDeployment", "AWS::SQS::Queue", json!({}));
        let users = stack.rest_resource("Users", &api.root(), "user");
        stack.rest_method("ListUsers", &users, open("None"));
    });
    let [stage, taken] = violations.as_slice() else {
        panic!("{violations:?}");
    };
    assert_eq!(
        stage,
        "user / Beta / Properties.RestApiId: the stage would have to change with every change of the API: add it in the stack `backend`, which holds the API"
    );
    let start = "user / LiveDeployment: the synth adds a deployment `LiveDeployment` for the parts of the API `Api`: choose another logical id for the AWS::SQS::Queue declared at ";
    assert!(taken.starts_with(start), "{taken}");
}
