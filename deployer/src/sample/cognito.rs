//! Events of user pools.

use serde_json::{Value, json};

use super::Sample;
use crate::template::referenced;

/// See <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-identity-pools-working-with-aws-lambda-triggers.html>.
pub(super) fn event(sample: &Sample<'_>) -> Value {
    let trigger = trigger(sample);
    let attributes = json!({
        "sub": "5c8d8a2e-0000-4000-8000-000000000000",
        "email": "user@example.com",
        "email_verified": "false"
    });
    // What every request holds, what this one holds besides, and what the function is to fill.
    let (source, more, response) = match trigger {
        "PostConfirmation" => ("PostConfirmation_ConfirmSignUp", json!({}), json!({})),
        "PreAuthentication" => (
            "PreAuthentication_Authentication",
            json!({"validationData": null, "userNotFound": false}),
            json!({}),
        ),
        "PostAuthentication" => (
            "PostAuthentication_Authentication",
            json!({"newDeviceUsed": false}),
            json!({}),
        ),
        "PreTokenGeneration" | "PreTokenGenerationConfig" => (
            "TokenGeneration_Authentication",
            json!({
                "groupConfiguration": {
                    "groupsToOverride": [], "iamRolesToOverride": [], "preferredRole": null
                }
            }),
            json!({"claimsOverrideDetails": null}),
        ),
        "CustomMessage" => (
            "CustomMessage_SignUp",
            json!({"codeParameter": "{####}", "usernameParameter": null, "linkParameter": "{##Click Here##}"}),
            json!({"smsMessage": null, "emailMessage": null, "emailSubject": null}),
        ),
        "UserMigration" => (
            "UserMigration_Authentication",
            json!({"password": "sample", "validationData": null}),
            json!({
                "userAttributes": null, "finalUserStatus": null, "messageAction": null,
                "desiredDeliveryMediums": null, "forceAliasCreation": null
            }),
        ),
        "DefineAuthChallenge" => (
            "DefineAuthChallenge_Authentication",
            json!({"session": [], "userNotFound": false}),
            json!({"challengeName": null, "issueTokens": null, "failAuthentication": null}),
        ),
        "CreateAuthChallenge" => (
            "CreateAuthChallenge_Authentication",
            json!({"challengeName": "CUSTOM_CHALLENGE", "session": [], "userNotFound": false}),
            json!({
                "publicChallengeParameters": null, "privateChallengeParameters": null,
                "challengeMetadata": null
            }),
        ),
        "VerifyAuthChallengeResponse" => (
            "VerifyAuthChallengeResponse_Authentication",
            json!({"privateChallengeParameters": {}, "challengeAnswer": "sample", "userNotFound": false}),
            json!({"answerCorrect": null}),
        ),
        _ => (
            "PreSignUp_SignUp",
            json!({"validationData": null}),
            json!({"autoConfirmUser": false, "autoVerifyEmail": false, "autoVerifyPhone": false}),
        ),
    };
    let mut request = json!({"userAttributes": attributes});
    if let (Value::Object(request), Value::Object(more)) = (&mut request, more) {
        request.extend(more);
    }
    json!({
        "version": "1",
        "triggerSource": source,
        "region": sample.account.region,
        "userPoolId": format!("{}_sample", sample.account.region),
        "userName": "sample",
        "callerContext": {"awsSdkVersion": "aws-sdk-unknown-unknown", "clientId": "sampleclient"},
        "request": request,
        "response": response
    })
}

/// Returns the trigger under which the pool names the function.
fn trigger<'a>(sample: &'a Sample<'_>) -> &'a str {
    sample.properties["LambdaConfig"]
        .as_object()
        .into_iter()
        .flatten()
        .find(|(_, value)| referenced(value).contains(&sample.function.logical_id))
        .map_or("PreSignUp", |(key, _)| key.as_str())
}
