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
#[derive(Default)]
struct Variation {
    name: Option<&'static str>,
    path: Option<&'static str>,
    message: Option<&'static str>,
    iam: bool,
    second_method: bool,
    methods_backwards: bool,
    schema: Option<Value>,
    validation: Option<Validation>,
    overridden: bool,
    neighbour: bool,
    memory: Option<u32>,
    stage: Option<&'static str>,
}

fn render(variation: &Variation) -> Value {
    template(|stack| {
        let props = FunctionProps {
            memory: variation.memory.map(Into::into),
            ..FunctionProps::default()
        };
        let answer = stack.function("Answer", Wired::<Answer>::new(Vec::new()), props);
        let api = stack.rest_api(
            "Api",
            RestApiProps {
                name: variation.name.map(Into::into),
                ..RestApiProps::default()
            },
        );
        let orders = stack.rest_resource("Orders", &api.root(), variation.path.unwrap_or("orders"));
        let message = MappingTemplate::message(variation.message.unwrap_or("Hello"));
        let who = if variation.iam {
            Authorization::Iam
        } else {
            Authorization::None
        };
        let mut methods = vec![
            ("Get", HttpMethod::Get, who, Integration::mock(200, message)),
            (
                "Post",
                HttpMethod::Post,
                Authorization::None,
                Integration::lambda_proxy(&answer),
            ),
        ];
        if variation.second_method {
            let mock = Integration::mock(200, MappingTemplate::message("Bye"));
            methods.push(("Delete", HttpMethod::Delete, Authorization::None, mock));
        }
        if variation.methods_backwards {
            methods.reverse();
        }
        let model = stack.rest_model(
            "Model",
            &api,
            ModelProps::schema(
                variation
                    .schema
                    .clone()
                    .unwrap_or_else(|| json!({"type": "object"})),
            ),
        );
        let validation = variation.validation.unwrap_or(Validation::Body);
        let validator = stack.rest_validator("Validator", &api, validation);
        for (id, http_method, who, integration) in methods {
            let mut props = MethodProps::new(http_method, who, integration);
            if id == "Post" && variation.validation.is_none() {
                props.models = vec![model.clone()];
                props.validator = Some(validator.clone());
            }
            let method = stack.rest_method(id, &orders, props);
            if id == "Get" && variation.overridden {
                stack.override_property(&method, "OperationName", "GetOrder");
            }
        }
        stack.rest_stage(
            "Live",
            &api,
            StageProps::named(variation.stage.unwrap_or("live")),
        );
        if variation.neighbour {
            stack.queue::<u32>("Neighbour", QueueProps::default());
        }
    })
}

#[test]
fn a_deployment_waits_for_everything_and_the_stage_shows_it() {
    let template = render(&Variation::default());
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
    let mut seen = vec![deployment(&render(&Variation::default()))];
    let variations = [
        Variation {
            name: Some("Coffee"),
            ..Variation::default()
        },
        Variation {
            path: Some("order"),
            ..Variation::default()
        },
        Variation {
            message: Some("Good day"),
            ..Variation::default()
        },
        Variation {
            iam: true,
            ..Variation::default()
        },
        Variation {
            second_method: true,
            ..Variation::default()
        },
        Variation {
            schema: Some(json!({"type": "array"})),
            ..Variation::default()
        },
        Variation {
            validation: Some(Validation::BodyAndParameters),
            ..Variation::default()
        },
        Variation {
            overridden: true,
            ..Variation::default()
        },
    ];
    for variation in variations {
        let id = deployment(&render(&variation));
        assert!(!seen.contains(&id), "{id} is not new");
        seen.push(id);
    }
}

#[test]
fn the_same_content_is_the_same_deployment() {
    let id = deployment(&render(&Variation::default()));
    let variations = [
        Variation::default(),
        Variation {
            methods_backwards: true,
            ..Variation::default()
        },
        Variation {
            neighbour: true,
            ..Variation::default()
        },
        Variation {
            memory: Some(512),
            ..Variation::default()
        },
        Variation {
            stage: Some("production"),
            ..Variation::default()
        },
    ];
    for variation in variations {
        assert_eq!(deployment(&render(&variation)), id);
    }
}
