//! API keys and usage plans.

use serde_json::json;
use stack_model::apigateway::{
    ApiKeyProps, Authorization, HttpMethod, Integration, MappingTemplate, MethodProps, PlanStage,
    Quota, QuotaPeriod, RestApiProps, StageProps, Throttle, UsagePlanProps,
};
use stack_model::secretsmanager::{Content, SecretProps};
use stack_model::ssm::ParameterRef;

use super::support::{properties, template, violations};

fn get() -> MethodProps {
    let hello = Integration::mock(200, MappingTemplate::message("Hello"));
    let mut props = MethodProps::new(HttpMethod::Get, Authorization::None, hello);
    props.api_key_required = true;
    props
}

#[test]
fn a_key_calls_the_stages_of_its_plan() {
    let template = template(|stack| {
        let api = stack.rest_api("Api", RestApiProps::default());
        let count = stack.rest_resource("Count", &api.root(), "count");
        let method = stack.rest_method("Get", &count, get());
        let live = stack.rest_stage("Live", &api, StageProps::named("Prod"));
        let secret = stack.secret::<String>(
            "KeyValue",
            SecretProps {
                content: Content::Later,
                ..SecretProps::default()
            },
        );
        let key = stack.rest_api_key(
            "Key",
            ApiKeyProps {
                description: Some("The web page".to_owned()),
                value: Some(secret.value()),
                ..ApiKeyProps::default()
            },
        );
        let slow = Throttle {
            rate: 1.5,
            burst: 2.into(),
        };
        let plan = stack.rest_usage_plan(
            "Plan",
            UsagePlanProps {
                name: Some("visitors".into()),
                stages: vec![PlanStage::from(&live).limiting(&method, slow)],
                quota: Some(Quota::new(1000, QuotaPeriod::Month)),
                throttle: Some(Throttle {
                    rate: 10.0,
                    burst: 20.into(),
                }),
                ..UsagePlanProps::default()
            },
        );
        stack.rest_plan_key("PlanKey", &plan, &key);
    });
    assert_eq!(
        *properties(&template, "Key"),
        json!({
            "Description": "The web page",
            "Enabled": true,
            "Value": {"Fn::Sub": "{{resolve:secretsmanager:${KeyValue.Id}:SecretString:}}"},
        })
    );
    // The stage is named by its handle, so the plan waits for it.
    assert_eq!(
        *properties(&template, "Plan"),
        json!({
            "ApiStages": [{
                "ApiId": {"Ref": "Api"},
                "Stage": {"Ref": "Live"},
                "Throttle": {"/count/GET": {"BurstLimit": 2, "RateLimit": 1.5}},
            }],
            "Quota": {"Limit": 1000, "Period": "MONTH"},
            "Throttle": {"BurstLimit": 20, "RateLimit": 10},
            "UsagePlanName": "visitors",
        })
    );
    assert_eq!(
        *properties(&template, "PlanKey"),
        json!({"KeyId": {"Ref": "Key"}, "KeyType": "API_KEY", "UsagePlanId": {"Ref": "Plan"}})
    );
    assert_eq!(properties(&template, "Get")["ApiKeyRequired"], true);
}

#[test]
fn keys_and_plans_that_api_gateway_would_refuse_are_reported() {
    let violations = violations(|app| {
        let stack = &mut app.stack("orders");
        let key = |value: &str| ApiKeyProps {
            value: Some(value.into()),
            ..ApiKeyProps::default()
        };
        stack.rest_api_key("Short", key("nineteen-characters"));
        stack.rest_api_key("Long", key(&"x".repeat(129)));
        stack.rest_api_key("Fine", key(&"x".repeat(128)));
        let named = ApiKeyProps {
            name: Some("visitors-apikey".into()),
            ..key(&"x".repeat(20))
        };
        stack.rest_api_key("Named", named);
        let secure = ParameterRef::<String>::existing_secure("/visitors/key", None);
        let unreadable = ApiKeyProps {
            value: Some(secure.value()),
            ..ApiKeyProps::default()
        };
        stack.rest_api_key("Unreadable", unreadable);
        let plan = UsagePlanProps {
            quota: Some(Quota {
                offset: 10,
                ..Quota::new(10, QuotaPeriod::Day)
            }),
            throttle: Some(Throttle {
                rate: -1.0,
                burst: 1.into(),
            }),
            ..UsagePlanProps::default()
        };
        stack.rest_usage_plan("Plan", plan);
    });
    assert_eq!(
        violations,
        [
            "orders / Short / Properties.Value: the value of the key has 19 characters and API Gateway takes 20 to 128",
            "orders / Long / Properties.Value: the value of the key has 129 characters and API Gateway takes 20 to 128",
            "orders / Named / Properties.Name: a new value is a new key, and a key with a name cannot be replaced, so the value could never change: leave the name out",
            "orders / Unreadable / Properties.Value: CloudFormation does not read secure strings of Parameter Store for this property: keep the value in Secrets Manager",
            "orders / Plan / Properties.Quota.Offset: the first period would have no request left: take less than 10 away",
            "orders / Plan / Properties.Throttle: -1 is not a number of requests per second",
            "orders / Plan / Properties.Throttle.RateLimit: -1 is less than the least of 0",
        ]
    );
}
