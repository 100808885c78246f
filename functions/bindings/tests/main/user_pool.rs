//! What user pools ask, and what they get back: the whole event, with the answer in it.
//!
//! The payloads have the shape of the parameters on the pages that the events name, with the parameters that all have in common of
//! <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pools-working-with-lambda-triggers.html>.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stack_bindings::user_pool::{
    CreateAuthChallenge, CustomMessage, CustomMessageSource, DefineAuthChallenge, EmailText,
    Groups, IdTokenChanges, Medium, MessageTexts, MigratedStatus, MigratedUser, NewChallenge,
    NextStep, PoolAnswer, PostAuthentication, PostConfirmation, PostConfirmationSource,
    PreAuthentication, PreIdTokenGeneration, PreSignUp, PreSignUpSource, PreTokenGeneration,
    PreTokenGenerationSource, SignUpAnswer, TokenChanges, UserMigration,
    VerifyAuthChallengeResponse,
};
use stack_bindings::{Bindings, Decode, Event};

/// Makes an event of Cognito.
fn event(source: &str, version: &str, request: &Value, response: &Value) -> Value {
    json!({
        "version": version,
        "triggerSource": source,
        "region": "us-east-1",
        "userPoolId": "us-east-1_ZgaEXAMPLE",
        "userName": "anna",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "1example23456789"},
        "request": request,
        "response": response,
    })
}

/// Reads an event that is one of its kind.
fn read<E: Event>(payload: &Value) -> E {
    assert!(E::recognises(payload), "{payload}");
    E::decode(payload.clone()).unwrap()
}

/// Returns the answer that stands in an event, which is else as Cognito sent it.
fn response(sent: &Value, answer: PoolAnswer) -> Value {
    assert_eq!(format!("{answer:?}"), "PoolAnswer { .. }");
    let mut answered = serde_json::to_value(answer).unwrap();
    let response = answered["response"].take();
    let mut sent = sent.clone();
    sent["response"].take();
    assert_eq!(answered, sent);
    response
}

fn attributes() -> Value {
    json!({"sub": "b5f5d8f6", "email": "anna@example.com", "cognito:user_status": "CONFIRMED"})
}

fn texts<const N: usize>(texts: [(&str, &str); N]) -> BTreeMap<String, String> {
    let texts = texts.into_iter();
    texts
        .map(|(name, text)| (name.to_owned(), text.to_owned()))
        .collect()
}

#[test]
fn who_signs_up_is_answered() {
    let sent = event(
        "PreSignUp_SignUp",
        "1",
        &json!({
            "userAttributes": {"email": "anna@example.com"},
            "validationData": null,
            "clientMetadata": {"from": "newsletter"}
        }),
        &json!({"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false}),
    );
    let asked: PreSignUp = read(&sent);
    assert_eq!(asked.source, PreSignUpSource::SignUp);
    assert_eq!(asked.context.user_pool_id, "us-east-1_ZgaEXAMPLE");
    assert_eq!(asked.context.client_id(), "1example23456789");
    assert_eq!(asked.request.user_attributes["email"], "anna@example.com");
    assert_eq!(asked.request.client_metadata["from"], "newsletter");
    assert!(asked.request.validation_data.is_empty());
    let answer = asked.answer(SignUpAnswer {
        confirm: true,
        ..SignUpAnswer::default()
    });
    assert_eq!(
        response(&sent, answer),
        json!({"autoConfirmUser": true, "autoVerifyEmail": false, "autoVerifyPhone": false})
    );
}

#[test]
fn who_has_confirmed_or_signed_in_is_told() {
    let request = json!({"userAttributes": attributes(), "newDeviceUsed": true});
    let sent = event("PostConfirmation_ConfirmSignUp", "1", &request, &json!({}));
    let told: PostConfirmation = read(&sent);
    assert_eq!(told.source, PostConfirmationSource::ConfirmSignUp);
    assert_eq!(response(&sent, told.done()), json!({}));

    let sent = event(
        "PostAuthentication_Authentication",
        "1",
        &request,
        &json!({}),
    );
    let told: PostAuthentication = read(&sent);
    assert!(told.request.new_device_used);
    assert_eq!(response(&sent, told.done()), json!({}));

    let request = json!({"userAttributes": {}, "userNotFound": true});
    let sent = event(
        "PreAuthentication_Authentication",
        "1",
        &request,
        &json!({}),
    );
    let asked: PreAuthentication = read(&sent);
    assert!(asked.request.user_not_found);
    assert_eq!(response(&sent, asked.admit()), json!({}));
}

#[test]
fn tokens_hold_what_the_function_says() {
    let request = json!({
        "userAttributes": attributes(),
        "groupConfiguration": {
            "groupsToOverride": ["baristas"],
            "iamRolesToOverride": ["arn:aws:iam::123456789012:role/barista"],
            "preferredRole": null
        },
        "scopes": ["openid"]
    });
    let nothing = json!({"claimsAndScopeOverrideDetails": null});
    let sent = event("TokenGeneration_Authentication", "2", &request, &nothing);
    assert!(!PreIdTokenGeneration::recognises(&sent));
    let asked: PreTokenGeneration = read(&sent);
    assert_eq!(asked.source, PreTokenGenerationSource::Authentication);
    assert_eq!(asked.request.groups.names, ["baristas"]);
    assert_eq!(asked.request.scopes, ["openid"]);
    let mut changes = TokenChanges::default();
    changes.id_token.without = vec!["email".to_owned()];
    changes
        .access_token
        .claims
        .insert("tenant".to_owned(), json!({"id": 7}));
    changes.access_token.scopes = vec!["orders/read".to_owned()];
    changes.groups = Some(Groups {
        names: vec!["managers".to_owned()],
        ..Groups::default()
    });
    assert_eq!(
        response(&sent, asked.answer(&changes)),
        json!({
            "claimsAndScopeOverrideDetails": {
                "idTokenGeneration": {"claimsToSuppress": ["email"]},
                "accessTokenGeneration": {
                    "claimsToAddOrOverride": {"tenant": {"id": 7}},
                    "scopesToAdd": ["orders/read"]
                },
                "groupOverrideDetails": {"groupsToOverride": ["managers"], "iamRolesToOverride": []}
            }
        })
    );

    let nothing = json!({"claimsOverrideDetails": null});
    let sent = event("TokenGeneration_RefreshTokens", "1", &request, &nothing);
    assert!(!PreTokenGeneration::recognises(&sent));
    let asked: PreIdTokenGeneration = read(&sent);
    let changes = IdTokenChanges {
        claims: BTreeMap::from([("tenant".to_owned(), "7".into())]),
        without: Vec::new(),
    };
    assert_eq!(
        response(&sent, asked.answer(&changes, None)),
        json!({"claimsOverrideDetails": {"claimsToAddOrOverride": {"tenant": "7"}}})
    );
}

/// An application that signs in for itself has no user.
#[test]
fn machines_get_tokens_too() {
    let request = json!({"userAttributes": {}, "scopes": ["orders/read"]});
    let mut sent = event(
        "TokenGeneration_ClientCredentials",
        "3",
        &request,
        &json!({}),
    );
    sent["userName"].take();
    let asked: PreTokenGeneration = read(&sent);
    assert_eq!(asked.source, PreTokenGenerationSource::ClientCredentials);
    assert_eq!(asked.context.user_name, "");
}

#[test]
fn messages_say_what_the_function_says() {
    let request = json!({
        "userAttributes": attributes(),
        "codeParameter": "{####}",
        "usernameParameter": "{username}",
        "linkParameter": null
    });
    let nothing = json!({"smsMessage": null, "emailMessage": null, "emailSubject": null});
    let sent = event("CustomMessage_AdminCreateUser", "1", &request, &nothing);
    let asked: CustomMessage = read(&sent);
    assert_eq!(asked.source, CustomMessageSource::AdminCreateUser);
    let body = format!("Your password is {}", asked.request.code_parameter);
    let email = EmailText {
        subject: "Welcome".to_owned(),
        body,
    };
    let answer = asked.answer(MessageTexts {
        email: Some(email),
        ..MessageTexts::default()
    });
    assert_eq!(
        response(&sent, answer),
        json!({
            "smsMessage": null, "emailMessage": "Your password is {####}", "emailSubject": "Welcome"
        })
    );
}

#[test]
fn challenges_are_defined_made_and_checked() {
    let session = json!([{
        "challengeName": "CUSTOM_CHALLENGE", "challengeResult": false, "challengeMetadata": "word"
    }]);
    let request = json!({"userAttributes": attributes(), "session": session});
    let nothing = json!({"challengeName": null, "issueTokens": null, "failAuthentication": null});
    let sent = event(
        "DefineAuthChallenge_Authentication",
        "1",
        &request,
        &nothing,
    );
    for (next, expected) in [
        (
            NextStep::Challenge,
            json!(["CUSTOM_CHALLENGE", false, false]),
        ),
        (
            NextStep::Named("PASSWORD_VERIFIER".to_owned()),
            json!(["PASSWORD_VERIFIER", false, false]),
        ),
        (NextStep::SignedIn, json!([null, true, false])),
        (NextStep::Fail, json!([null, false, true])),
    ] {
        let asked: DefineAuthChallenge = read(&sent);
        let earlier = &asked.request.session[0];
        assert_eq!(earlier.challenge_metadata.as_deref(), Some("word"));
        assert!(!earlier.challenge_result);
        let answer = response(&sent, asked.answer(next));
        assert_eq!(
            json!([
                answer["challengeName"],
                answer["issueTokens"],
                answer["failAuthentication"]
            ]),
            expected
        );
    }

    let request =
        json!({"userAttributes": attributes(), "challengeName": "CUSTOM_CHALLENGE", "session": []});
    let sent = event(
        "CreateAuthChallenge_Authentication",
        "1",
        &request,
        &json!({}),
    );
    let asked: CreateAuthChallenge = read(&sent);
    assert_eq!(asked.request.challenge_name, "CUSTOM_CHALLENGE");
    let challenge = NewChallenge {
        public: texts([("question", "2 + 2")]),
        private: texts([("answer", "4")]),
        metadata: Some("sum".to_owned()),
    };
    assert!(!format!("{challenge:?}").contains("answer"));
    assert_eq!(
        response(&sent, asked.answer(challenge)),
        json!({
            "publicChallengeParameters": {"question": "2 + 2"},
            "privateChallengeParameters": {"answer": "4"},
            "challengeMetadata": "sum"
        })
    );

    let request = json!({
        "userAttributes": attributes(),
        "privateChallengeParameters": {"answer": "4"},
        "challengeAnswer": "5"
    });
    let nothing = json!({"answerCorrect": null});
    let sent = event(
        "VerifyAuthChallengeResponse_Authentication",
        "1",
        &request,
        &nothing,
    );
    let asked: VerifyAuthChallengeResponse = read(&sent);
    let right =
        asked.request.private_challenge_parameters["answer"] == asked.request.challenge_answer;
    assert_eq!(
        response(&sent, asked.answer(right)),
        json!({"answerCorrect": false})
    );
}

#[test]
fn users_move_in_and_their_password_is_never_shown() {
    let request = json!({"password": "hunter2!", "validationData": null, "clientMetadata": null});
    let nothing = json!({
        "userAttributes": null, "forceAliasCreation": null, "enableSMSMFA": null,
        "finalUserStatus": null, "messageAction": null, "desiredDeliveryMediums": null
    });
    let sent = event("UserMigration_Authentication", "1", &request, &nothing);
    let asked: UserMigration = read(&sent);
    let password = asked.request.password.clone().unwrap();
    assert_eq!(password.reveal(), "hunter2!");
    let shown = format!("{asked:?} {:?} {password:?}", asked.request);
    assert!(
        !shown.contains("hunter2") && !shown.contains("anna"),
        "{shown}"
    );
    let user = MigratedUser {
        status: MigratedStatus::Confirmed,
        welcome: Some(Vec::new()),
        ..MigratedUser::new(texts([
            ("email", "anna@example.com"),
            ("email_verified", "true"),
        ]))
    };
    assert!(!format!("{user:?}").contains("anna"));
    assert_eq!(
        response(&sent, asked.answer(user)),
        json!({
            "userAttributes": {"email": "anna@example.com", "email_verified": "true"},
            "finalUserStatus": "CONFIRMED",
            "forceAliasCreation": false,
            "enableSMSMFA": false,
            "messageAction": "SUPPRESS",
            "desiredDeliveryMediums": null
        })
    );

    // Nobody knows the password of somebody who forgot it.
    let sent = event(
        "UserMigration_ForgotPassword",
        "1",
        &json!({}),
        &Value::Null,
    );
    let asked: UserMigration = read(&sent);
    assert_eq!(asked.request.password, None);
    let user = MigratedUser {
        welcome: Some(vec![Medium::Email]),
        ..MigratedUser::new(texts([("email", "anna@example.com")]))
    };
    let answer = response(&sent, asked.answer(user));
    assert_eq!(answer["finalUserStatus"], "RESET_REQUIRED");
    assert_eq!(answer["desiredDeliveryMediums"], json!(["EMAIL"]));
}

#[test]
fn a_newer_reason_is_known_by_its_name() {
    let sent = event(
        "PreSignUp_Later",
        "1",
        &json!({"userAttributes": {}}),
        &json!({}),
    );
    let asked: PreSignUp = read(&sent);
    assert_eq!(
        asked.source,
        PreSignUpSource::Other("PreSignUp_Later".to_owned())
    );
    assert!(!PostConfirmation::recognises(&sent));
    assert!(!PreSignUp::recognises(
        &json!({"triggerSource": "PreSignUp_SignUp"})
    ));
}

/// A function that a pool asks at two moments.
#[derive(Bindings)]
#[function(binary = "join", accepts(PreSignUp, PostConfirmation))]
struct Join {}

#[test]
fn one_function_is_asked_at_several_moments() {
    let request = json!({"userAttributes": attributes()});
    let sent = event("PostConfirmation_ConfirmSignUp", "1", &request, &json!({}));
    let JoinEvent::PostConfirmation(told) = JoinEvent::decode(sent).unwrap() else {
        panic!("a confirmation is told");
    };
    assert_eq!(told.source, PostConfirmationSource::ConfirmSignUp);
    let sent = event("PreSignUp_AdminCreateUser", "1", &request, &json!({}));
    let JoinEvent::PreSignUp(asked) = JoinEvent::decode(sent).unwrap() else {
        panic!("a sign-up is asked about");
    };
    assert_eq!(asked.source, PreSignUpSource::AdminCreateUser);
    let sent = event("CustomMessage_SignUp", "1", &request, &json!({}));
    let error = JoinEvent::decode(sent).err().unwrap();
    assert!(
        error
            .to_string()
            .contains("expected PreSignUp or PostConfirmation"),
        "{error}"
    );
}

mod stack {
    use serde_json::Value;
    use stack_model::cognito::UserPoolProps;
    use stack_model::lambda::FunctionProps;

    use super::{Join, JoinWiring};
    use crate::wiring::app;

    #[test]
    fn a_pool_asks_what_the_function_accepts() {
        let mut app = app();
        let mut stack = app.stack("stack");
        let users = stack.user_pool("Users", UserPoolProps::default());
        let join = stack.function("Join", Join::bind(JoinWiring {}), FunctionProps::default());
        stack.trigger(&join, users.pre_sign_up());
        stack.trigger(&join, users.post_confirmation());
        let assembly = app.synth().unwrap();
        let template: Value = serde_json::from_str(assembly.template("stack").unwrap()).unwrap();
        let functions = &template["Resources"]["Users"]["Properties"]["LambdaConfig"];
        assert_eq!(functions["PreSignUp"], functions["PostConfirmation"]);
        assert_eq!(functions["PreSignUp"]["Fn::GetAtt"][0], "Join");
    }
}
