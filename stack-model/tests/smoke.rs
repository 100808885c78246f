//! Smoke checks: what has to answer once a stack is deployed.

use insta::assert_json_snapshot;
use stack_model::apigateway::{
    Authorization, HttpMethod, Integration, MappingTemplate, MethodProps, RestApiProps,
    RestMethodRef, StageProps, StageRef,
};
use stack_model::apigatewayv2::{
    HttpApiProps, HttpIntegration, HttpRouteRef, HttpStageProps, HttpStageRef, RouteAuthorization,
    StageName,
};
use stack_model::smoke::SmokeCheck;
use stack_model::{Stack, route};

use crate::support::{dev, synth, violations};

fn rest(stack: &mut Stack<'_>, method: HttpMethod) -> (StageRef, RestMethodRef) {
    let api = stack.rest_api("Api", RestApiProps::default());
    let orders = stack.rest_resource("Orders", &api.root(), "orders");
    let order = stack.rest_resource("Order", &orders, "{id}");
    let answer = Integration::mock(200, MappingTemplate::json(&serde_json::json!({})));
    let props = MethodProps::new(method, Authorization::None, answer);
    let method = stack.rest_method("ReadOrder", &order, props);
    (
        stack.rest_stage("Live", &api, StageProps::named("live")),
        method,
    )
}

fn http(stack: &mut Stack<'_>, name: &str, stage: StageName) -> (HttpStageRef, HttpRouteRef) {
    let api = stack.http_api(name, HttpApiProps::default());
    let to = HttpIntegration::http(HttpMethod::Get, "https://orders.example.com");
    let key = route!("ANY /files/{path+}");
    let route = stack.http_route(
        &format!("{name}Files"),
        &api,
        key,
        RouteAuthorization::None,
        to,
    );
    let props = HttpStageProps {
        name: stage,
        ..HttpStageProps::default()
    };
    (stack.http_stage(&format!("{name}Live"), &api, props), route)
}

#[test]
fn checks_are_in_the_manifest_and_not_in_the_template() {
    let describe = |stack: &mut Stack<'_>, checked: bool| {
        let (live, read) = rest(stack, HttpMethod::Get);
        let (files, route) = http(stack, "Files", StageName::Default);
        if checked {
            let check = SmokeCheck::rest(&live, &read).with("id", "none");
            stack.smoke_check("OrdersAnswer", check.answers(404));
            let check = SmokeCheck::http(&files, &route).with("path", "a/b%20c.txt");
            stack.smoke_check("FilesAnswer", check);
        }
    };
    let checked = synth(dev(), |stack| describe(stack, true)).unwrap();
    assert_json_snapshot!(checked.manifest().stacks[0].smoke, @r#"
    {
      "FilesAnswer": {
        "api": "Files",
        "stage": "FilesLive",
        "method": "GET",
        "path": "/files/a/b%20c.txt",
        "status": 200
      },
      "OrdersAnswer": {
        "api": "Api",
        "stage": "Live",
        "method": "GET",
        "path": "/orders/none",
        "status": 404
      }
    }
    "#);
    let plain = synth(dev(), |stack| describe(stack, false)).unwrap();
    assert_eq!(checked.template("orders"), plain.template("orders"));
}

#[test]
fn everything_that_is_wrong_with_a_check_is_told_together() {
    let found = violations(dev(), |stack| {
        let (live, remove) = rest(stack, HttpMethod::Delete);
        let check = SmokeCheck::rest(&live, &remove).with("order", "1");
        stack.smoke_check("RemoveAnswers", check.answers(100));
        let (files, route) = http(stack, "Files", StageName::Default);
        let (other, _) = http(stack, "Other", StageName::Default);
        let check = SmokeCheck::http(&other, &route).with("path", "a?b");
        stack.smoke_check("Mixed", check);
        let check = SmokeCheck::http(&files, &route).with("path", "a");
        stack.smoke_check("Twice", check.clone());
        stack.smoke_check("Twice", check);
    });
    insta::assert_snapshot!(found.join("\n"), @r#"
    orders / RemoveAnswers: the parameter `id` of `/orders/{id}` has no value: give it one by `with("id", ..)`
    orders / RemoveAnswers: `/orders/{id}` has no parameter `order`
    orders / RemoveAnswers: DELETE may change something, and the check is sent with every deploy: ask a route of GET, HEAD or OPTIONS
    orders / RemoveAnswers: nothing is answered with 100: the status of an answer is between 200 and 599
    orders / Mixed: `a?b` cannot stand in a path as it is: use letters, digits, `-`, `.`, `_`, `~` and escapes such as %20
    orders / Mixed: the route is one of `Files`, and the stage shows `Other`
    orders / Twice: the smoke check `Twice` is declared twice
    "#);
}

#[test]
fn a_check_is_declared_where_the_api_is() {
    let mut app = dev();
    let (live, read) = rest(&mut app.stack("api"), HttpMethod::Get);
    let check = SmokeCheck::rest(&live, &read).with("id", "none");
    app.stack("orders").smoke_check("OrdersAnswer", check);
    let found = crate::support::texts(&app.synth().unwrap_err());
    insta::assert_snapshot!(found.join("\n"), @"
    orders / OrdersAnswer: `Api` is not of this stack: declare the check in the stack that holds the API and its stage
    orders / OrdersAnswer: `Live` is not of this stack: declare the check in the stack that holds the API and its stage
    orders: the stack has no resource, and CloudFormation takes none without one
    ");
}
