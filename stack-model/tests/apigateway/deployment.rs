//! A deployment is a snapshot: it has a new logical id when the API has new content, and only then.

use serde_json::{Value, json};
use stack_model::apigateway::{
    Authorization, HttpMethod, Integration, MappingTemplate, MethodProps, ModelProps, RestApiProps,
    StageProps, Validation,
};
use stack_model::contract::Wired;
use stack_model::lambda::FunctionProps;
use stack_model::sqs::QueueProps;

use super::support::{Answer, deployment, properties, template};

/// What one rendering of the API differs in.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Change {
    Nothing,
    ApiName,
    Path,
    Answer,
    Authorization,
    SecondMethod,
    Schema,
    Validator,
    Override,
    OrderOfMethods,
    Neighbour,
    FunctionMemory,
    StageName,
}

fn render(change: Change) -> Value {
    let changed = |by: Change| change == by;
    template(|stack| {
        let props = FunctionProps {
            memory: changed(Change::FunctionMemory).then(|| 512.into()),
            ..FunctionProps::default()
        };
        let answer = stack.function("Answer", Wired::<Answer>::new(Vec::new()), props);
        let api = stack.rest_api(
            "Api",
            RestApiProps {
                name: changed(Change::ApiName).then(|| "Coffee".into()),
                ..RestApiProps::default()
            },
        );
        let path = if changed(Change::Path) {
            "order"
        } else {
            "orders"
        };
        let orders = stack.rest_resource("Orders", &api.root(), path);
        let kind = if changed(Change::Schema) {
            "array"
        } else {
            "object"
        };
        let schema = ModelProps::schema(json!({ "type": kind }));
        let model = stack.rest_model("Model", &api, schema);
        let validation = if changed(Change::Validator) {
            Validation::BodyAndParameters
        } else {
            Validation::Body
        };
        let validator = stack.rest_validator("Validator", &api, validation);

        let message = if changed(Change::Answer) {
            "Good day"
        } else {
            "Hello"
        };
        let hello = Integration::mock(200, MappingTemplate::message(message));
        let who = if changed(Change::Authorization) {
            Authorization::Iam
        } else {
            Authorization::None
        };
        let mut post = MethodProps::new(
            HttpMethod::Post,
            Authorization::None,
            Integration::lambda_proxy(&answer),
        );
        post.models = vec![model];
        post.validator = Some(validator);
        let mut methods = vec![
            ("Get", MethodProps::new(HttpMethod::Get, who, hello)),
            ("Post", post),
        ];
        if changed(Change::SecondMethod) {
            let bye = Integration::mock(200, MappingTemplate::message("Bye"));
            let delete = MethodProps::new(HttpMethod::Delete, Authorization::None, bye);
            methods.push(("Delete", delete));
        }
        if changed(Change::OrderOfMethods) {
            methods.reverse();
        }
        for (id, props) in methods {
            let method = stack.rest_method(id, &orders, props);
            if id == "Get" && changed(Change::Override) {
                stack.override_property(&method, "OperationName", "GetOrder");
            }
        }

        let name = if changed(Change::StageName) {
            "production"
        } else {
            "live"
        };
        stack.rest_stage("Live", &api, StageProps::named(name));
        if changed(Change::Neighbour) {
            stack.queue::<u32>("Neighbour", QueueProps::default());
        }
    })
}

#[test]
fn a_deployment_waits_for_everything_and_the_stage_shows_it() {
    let template = render(Change::Nothing);
    let id = deployment(&template);
    let suffix = id.strip_prefix("ApiDeployment").unwrap();
    assert_eq!(suffix.len(), 10);
    assert!(suffix.chars().all(|c| c.is_ascii_hexdigit()), "{suffix}");
    assert_eq!(
        template["Resources"][&id],
        json!({
            "Type": "AWS::ApiGateway::Deployment",
            "DependsOn": ["Get", "Model", "Orders", "Post", "Validator"],
            "Properties": {"RestApiId": {"Ref": "Api"}},
        })
    );
    assert_eq!(
        properties(&template, "Live")["DeploymentId"],
        json!({ "Ref": id })
    );
}

#[test]
fn new_content_is_a_new_deployment() {
    let mut seen = vec![deployment(&render(Change::Nothing))];
    for change in [
        Change::ApiName,
        Change::Path,
        Change::Answer,
        Change::Authorization,
        Change::SecondMethod,
        Change::Schema,
        Change::Validator,
        Change::Override,
    ] {
        let id = deployment(&render(change));
        assert!(!seen.contains(&id), "{change:?} makes no new deployment");
        seen.push(id);
    }
}

#[test]
fn the_same_content_is_the_same_deployment() {
    let id = deployment(&render(Change::Nothing));
    for change in [
        Change::Nothing,
        Change::OrderOfMethods,
        Change::Neighbour,
        Change::FunctionMemory,
        Change::StageName,
    ] {
        assert_eq!(deployment(&render(change)), id, "{change:?}");
    }
}
