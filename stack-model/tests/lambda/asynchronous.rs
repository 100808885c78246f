use serde_json::{Value as Json, json};
use stack_model::Stack;
use stack_model::contract::{Accepts, FunctionContract, Wired, event};
use stack_model::events::EventBusRef;
use stack_model::lambda::{
    AsyncInvocations, FunctionProps, FunctionRef, FunctionUrlProps, UrlAccess, UrlCors,
};
use stack_model::sqs::{Fifo, QueueProps};

use crate::support::{dev, resources, statements, violations};

struct Handle;

impl FunctionContract for Handle {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-handle";
}

impl Accepts<event::HttpRequest> for Handle {}
impl Accepts<event::Invocation<Json>> for Handle {}

fn function(stack: &mut Stack<'_>, id: &str) -> FunctionRef<Handle> {
    stack.function(id, Wired::new(Vec::new()), FunctionProps::default())
}

#[test]
fn outcomes_go_where_the_role_may_send() {
    let resources = resources(dev(), |stack| {
        let work = function(stack, "Work");
        let lost = stack.queue::<String>("Lost", QueueProps::default());
        let invocations = AsyncInvocations {
            attempts: Some(1.into()),
            maximum_age: Some(3600.into()),
            on_failure: Some((&lost).into()),
            on_success: Some((&EventBusRef::of_account()).into()),
        };
        stack.async_invocations(&work, invocations);
    });
    let bus = json!({
        "Fn::Sub": "arn:${AWS::Partition}:events:${AWS::Region}:${AWS::AccountId}:event-bus/default"
    });
    assert_eq!(
        resources["WorkAsyncInvocations"]["Properties"],
        json!({
            "DestinationConfig": {
                "OnFailure": {"Destination": {"Fn::GetAtt": ["Lost", "Arn"]}},
                "OnSuccess": {"Destination": bus},
            },
            "FunctionName": {"Ref": "Work"},
            "MaximumEventAgeInSeconds": 3600,
            "MaximumRetryAttempts": 1,
            "Qualifier": "$LATEST",
        })
    );
    let policy = &resources["WorkRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    assert_eq!(policy["Statement"][1]["Action"], "sqs:SendMessage");
    assert_eq!(
        policy["Statement"][2],
        json!({"Effect": "Allow", "Action": "events:PutEvents", "Resource": bus})
    );
}

#[test]
fn a_function_can_hear_of_the_failures_of_another() {
    let resources = resources(dev(), |stack| {
        let work = function(stack, "Work");
        let mourn = function(stack, "Mourn");
        let invocations = AsyncInvocations {
            on_failure: Some((&mourn).into()),
            ..AsyncInvocations::default()
        };
        stack.async_invocations(&work, invocations);
    });
    let policy = &resources["WorkRole"]["Properties"]["Policies"][0]["PolicyDocument"];
    assert_eq!(
        policy["Statement"][1],
        json!({
            "Effect": "Allow",
            "Action": "lambda:InvokeFunction",
            "Resource": {"Fn::GetAtt": ["Mourn", "Arn"]},
        })
    );
}

#[test]
fn limits_and_fifo_queues_are_reported() {
    let found = violations(dev(), |stack| {
        let work = function(stack, "Work");
        let fifo = QueueProps {
            fifo: Some(Fifo::default()),
            ..QueueProps::default()
        };
        let lost = stack.queue::<String>("Lost", fifo);
        let invocations = AsyncInvocations {
            attempts: Some(3.into()),
            maximum_age: Some(59.into()),
            on_failure: Some((&lost).into()),
            on_success: None,
        };
        stack.async_invocations(&work, invocations);
    });
    assert_eq!(
        found,
        [
            "orders / WorkAsyncInvocations / Properties.MaximumRetryAttempts: 3 is not between 0 and 2",
            "orders / WorkAsyncInvocations / Properties.MaximumEventAgeInSeconds: 59 is not between 60 and 21600",
            "orders / WorkAsyncInvocations: the FIFO queue `Lost` cannot take these dead letters: use a standard queue",
        ]
    );
}

#[test]
fn a_url_is_called_with_the_right_of_iam() {
    let resources = resources(dev(), |stack| {
        let work = function(stack, "Work");
        let url = stack.function_url(&work, FunctionUrlProps::default());
        stack.output("Url", url.url());
    });
    assert_eq!(
        resources["WorkUrl"]["Properties"],
        json!({"AuthType": "AWS_IAM", "TargetFunctionArn": {"Fn::GetAtt": ["Work", "Arn"]}})
    );
    let granted = statements(dev(), |stack| {
        let work = function(stack, "Work");
        stack
            .function_url(&work, FunctionUrlProps::default())
            .statements()
    });
    assert_eq!(
        granted,
        json!([
            {
                "Effect": "Allow",
                "Action": "lambda:InvokeFunctionUrl",
                "Resource": {"Fn::GetAtt": ["Work", "Arn"]},
                "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}},
            },
            {
                "Effect": "Allow",
                "Action": "lambda:InvokeFunction",
                "Resource": {"Fn::GetAtt": ["Work", "Arn"]},
                "Condition": {"Bool": {"lambda:InvokedViaFunctionUrl": "true"}},
            },
        ])
    );
}

#[test]
fn a_public_url_lets_everyone_in_and_says_why() {
    let resources = resources(dev(), |stack| {
        let work = function(stack, "Work");
        let props = FunctionUrlProps {
            access: UrlAccess::Public {
                because: "a web hook without credentials".to_owned(),
            },
            cors: Some(UrlCors {
                origins: vec!["https://example.com".into()],
                credentials: true,
                maximum_age: Some(60.into()),
                ..UrlCors::default()
            }),
        };
        stack.function_url(&work, props);
    });
    assert_eq!(
        resources["WorkUrl"]["Properties"]["Cors"],
        json!({
            "AllowCredentials": true,
            "AllowMethods": ["*"],
            "AllowOrigins": ["https://example.com"],
            "MaxAge": 60,
        })
    );
    assert_eq!(
        resources["WorkUrlPermission"]["Properties"],
        json!({
            "Action": "lambda:InvokeFunctionUrl",
            "FunctionName": {"Fn::GetAtt": ["Work", "Arn"]},
            "FunctionUrlAuthType": "NONE",
            "Principal": "*",
        })
    );
    assert_eq!(
        resources["WorkUrlInvokePermission"]["Properties"]["InvokedViaFunctionUrl"],
        true
    );
    let found = violations(dev(), |stack| {
        let work = function(stack, "Work");
        let props = FunctionUrlProps {
            access: UrlAccess::Public {
                because: " ".to_owned(),
            },
            cors: Some(UrlCors {
                origins: vec!["*".into()],
                credentials: true,
                ..UrlCors::default()
            }),
        };
        stack.function_url(&work, props);
    });
    assert_eq!(
        found,
        [
            "orders / WorkUrl / Properties.Cors.AllowOrigins: with credentials, the origins must be named: `*` is refused by browsers",
            "orders / WorkUrl / Properties.AuthType: say why everyone may call the URL",
        ]
    );
}
