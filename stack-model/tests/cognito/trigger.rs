//! Functions that a user pool asks.

use insta::assert_json_snapshot;
use serde_json::{Value as Json, json};
use stack_model::cognito::{Plan, UserPoolOperation, UserPoolProps, UserPoolRef};
use stack_model::contract::{Accepts, FunctionContract, Wired, WiredBinding, event};
use stack_model::lambda::{FunctionProps, FunctionRef};
use stack_model::sqs::QueueProps;
use stack_model::{App, Handle, Stack};

use crate::support::{dev, property, resources, texts, violations};

/// A function that a user pool asks at every moment.
#[derive(Debug)]
struct Ask;

impl FunctionContract for Ask {
    const PACKAGE: &'static str = "orders";
    const BINARY: &'static str = "orders-ask";
}

impl Accepts<event::PreSignUp> for Ask {}
impl Accepts<event::PostConfirmation> for Ask {}
impl Accepts<event::PreAuthentication> for Ask {}
impl Accepts<event::PostAuthentication> for Ask {}
impl Accepts<event::PreTokenGeneration> for Ask {}
impl Accepts<event::PreIdTokenGeneration> for Ask {}
impl Accepts<event::CustomMessage> for Ask {}
impl Accepts<event::DefineAuthChallenge> for Ask {}
impl Accepts<event::CreateAuthChallenge> for Ask {}
impl Accepts<event::VerifyAuthChallengeResponse> for Ask {}
impl Accepts<event::UserMigration> for Ask {}

fn ask(stack: &mut Stack<'_>) -> FunctionRef<Ask> {
    stack.function("Ask", Wired::new(Vec::new()), FunctionProps::default())
}

fn users(stack: &mut Stack<'_>) -> UserPoolRef {
    stack.user_pool("Users", UserPoolProps::default())
}

#[test]
fn a_pool_asks_a_function_and_may_invoke_it() {
    let resources = resources(dev(), |stack| {
        let users = users(stack);
        let ask = ask(stack);
        stack.trigger(&ask, users.pre_sign_up());
        stack.trigger(&ask, users.pre_token_generation());
    });
    assert_json_snapshot!(
        [&resources["Users"]["Properties"]["LambdaConfig"], &resources["AskUsersPermission"]], @r#"
    [
      {
        "PreSignUp": {
          "Fn::GetAtt": [
            "Ask",
            "Arn"
          ]
        },
        "PreTokenGenerationConfig": {
          "LambdaArn": {
            "Fn::GetAtt": [
              "Ask",
              "Arn"
            ]
          },
          "LambdaVersion": "V2_0"
        }
      },
      {
        "Properties": {
          "Action": "lambda:InvokeFunction",
          "FunctionName": {
            "Fn::GetAtt": [
              "Ask",
              "Arn"
            ]
          },
          "Principal": "cognito-idp.amazonaws.com",
          "SourceArn": {
            "Fn::GetAtt": [
              "Users",
              "Arn"
            ]
          }
        },
        "Type": "AWS::Lambda::Permission"
      }
    ]
    "#);
}

#[test]
fn every_moment_has_a_place_in_the_pool() {
    let functions = property(dev(), "Users", "LambdaConfig", |stack| {
        let users = users(stack);
        let ask = ask(stack);
        stack.trigger(&ask, users.pre_sign_up());
        stack.trigger(&ask, users.post_confirmation());
        stack.trigger(&ask, users.pre_authentication());
        stack.trigger(&ask, users.post_authentication());
        stack.trigger(&ask, users.pre_token_generation().machines());
        stack.trigger(&ask, users.custom_message());
        stack.trigger(&ask, users.define_auth_challenge());
        stack.trigger(&ask, users.create_auth_challenge());
        stack.trigger(&ask, users.verify_auth_challenge_response());
        stack.trigger(&ask, users.user_migration());
    });
    let names: Vec<&str> = functions
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        sorted(names),
        sorted(vec![
            "CreateAuthChallenge",
            "CustomMessage",
            "DefineAuthChallenge",
            "PostAuthentication",
            "PostConfirmation",
            "PreAuthentication",
            "PreSignUp",
            "PreTokenGenerationConfig",
            "UserMigration",
            "VerifyAuthChallengeResponse",
        ])
    );
    assert_eq!(
        functions["PreTokenGenerationConfig"]["LambdaVersion"],
        "V3_0"
    );
}

/// The order of the members of an object is none of the template's.
fn sorted(mut names: Vec<&str>) -> Vec<&str> {
    names.sort_unstable();
    names
}

#[test]
fn a_moment_has_one_function_and_a_plan_that_has_it() {
    let found = violations(dev(), |stack| {
        let users = stack.user_pool(
            "Users",
            UserPoolProps {
                plan: Plan::Lite,
                ..UserPoolProps::default()
            },
        );
        let ask = ask(stack);
        stack.trigger(&ask, users.pre_id_token_generation());
        stack.trigger(&ask, users.pre_token_generation());
        stack.trigger(&ask, users.create_auth_challenge());
        let existing = UserPoolRef::existing("us-east-1_ZgaEXAMPLE");
        stack.trigger(&ask, existing.post_confirmation());
    });
    assert_eq!(
        found,
        [
            "Users / Properties.LambdaConfig.PreTokenGenerationConfig: the plan `Lite` does not change access tokens: choose another, or let the function change the identity token with `pre_id_token_generation`",
            "Users / Properties.LambdaConfig.PreTokenGenerationConfig: the pool asks one function at this moment, and there is another one already",
            "UserPool: `UserPool` is kept by somebody else, so no stack of this app can change it",
            "Users / Properties.LambdaConfig: a sign-in by challenges of functions needs one that says which challenge comes next (`define_auth_challenge`)",
        ]
        .map(|text| format!("orders / {text}"))
    );
}

#[test]
fn only_a_permission_is_taken_for_the_permission() {
    let found = violations(dev(), |stack| {
        let users = users(stack);
        let ask = ask(stack);
        stack.queue::<String>("AskUsersPermission", QueueProps::default());
        stack.trigger(&ask, users.pre_sign_up());
    });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(
        found[0].contains("is taken by the AWS::SQS::Queue"),
        "{found:?}"
    );
}

#[test]
fn a_function_of_an_earlier_stack_is_asked() {
    let mut app = dev();
    let ask = ask(&mut app.stack("functions"));
    let mut stack = app.stack("users");
    let users = users(&mut stack);
    stack.trigger(&ask, users.post_confirmation());
    let assembly = app.synth().unwrap();
    let template: Json = serde_json::from_str(assembly.template("users").unwrap()).unwrap();
    let imported = json!({"Fn::ImportValue": "functions-dev-Ask-Arn"});
    let resources = &template["Resources"];
    assert_eq!(
        resources["Users"]["Properties"]["LambdaConfig"]["PostConfirmation"],
        imported
    );
    assert_eq!(
        resources["AskUsersPermission"]["Properties"]["FunctionName"],
        imported
    );
}

/// Returns what is wrong with a function that a pool asks and that needs the pool.
fn needing(app: App, describe: impl FnOnce(&mut Stack<'_>, &UserPoolRef)) -> Vec<String> {
    let mut app = app;
    let mut stack = app.stack("orders");
    let users = users(&mut stack);
    describe(&mut stack, &users);
    app.synth()
        .map_or_else(|found| texts(&found), |_| Vec::new())
}

#[test]
fn a_function_that_names_its_pool_is_a_cycle_with_a_way_out() {
    let environment = needing(dev(), |stack, users| {
        let binding = WiredBinding {
            field: "pool",
            kind: "variable",
            environment: "POOL",
            value: users.id(),
            statements: Vec::new(),
        };
        let props = FunctionProps::default();
        let ask = stack.function::<Ask>("Ask", Wired::new(vec![binding]), props);
        stack.trigger(&ask, users.post_confirmation());
    });
    assert_eq!(environment.len(), 1, "{environment:?}");
    let remedy = "a function that the user pool `Users` asks finds the pool's id in its events";
    assert!(environment[0].contains(remedy), "{environment:?}");

    let group = [UserPoolOperation::AdminAddUserToGroup];
    let role = needing(dev(), |stack, users| {
        let ask = ask(stack);
        stack.trigger(&ask, users.post_confirmation());
        stack.grant(ask.role(), users.statements(&group));
    });
    assert_eq!(role.len(), 1, "{role:?}");
    assert!(role[0].contains("stack.policy("), "{role:?}");

    let policy = needing(dev(), |stack, users| {
        let ask = ask(stack);
        stack.trigger(&ask, users.post_confirmation());
        stack.policy("AskUsers", ask.role(), users.statements(&group));
    });
    assert_eq!(policy, [""; 0]);
}

#[test]
fn a_property_can_still_be_overridden() {
    let functions = property(dev(), "Users", "LambdaConfig", |stack| {
        let users = users(stack);
        let ask = ask(stack);
        stack.trigger(&ask, users.pre_sign_up());
        let arn = ask.attribute("Arn");
        stack.override_property(&users, "LambdaConfig.PostAuthentication", arn);
    });
    assert_eq!(functions["PreSignUp"], functions["PostAuthentication"]);
}
