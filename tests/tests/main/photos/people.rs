//! People who sign up, and what they can prove.

use serde_json::{Value, json};
use system_tests::account::Account;
use system_tests::http::{self, Answer};

use super::{Deployed, text};

/// Somebody who signed in.
pub(super) struct Person {
    /// The id in the identity pool.
    pub(super) identity: String,
    /// The id in the user pool.
    pub(super) subject: String,
    pub(super) id_token: String,
    /// The account as the person's credentials see it.
    pub(super) account: Account,
}

const PASSWORD: &str = "Long-enough-1";

impl Person {
    /// Signs somebody up and in, and changes the sign-in into credentials, as a page does.
    pub(super) fn sign_in(system: &Deployed, name: &str) -> Self {
        let email = format!("{name}@example.com");
        let client = &system.user_pool_client;
        let signed_up = users(
            system,
            "SignUp",
            &json!({
                "ClientId": client,
                "Username": email,
                "Password": PASSWORD,
                "UserAttributes": [{"Name": "email", "Value": email}],
            }),
        );
        // The code is in a mail that nobody gets.
        let confirmation = json!({"UserPoolId": system.user_pool, "Username": email});
        users(system, "AdminConfirmSignUp", &confirmation);
        let tokens = users(
            system,
            "InitiateAuth",
            &json!({
                "ClientId": client,
                "AuthFlow": "USER_PASSWORD_AUTH",
                "AuthParameters": {"USERNAME": email, "PASSWORD": PASSWORD},
            }),
        );
        let id_token = text(&tokens["AuthenticationResult"]["IdToken"]);

        let provider = format!(
            "cognito-idp.{}.amazonaws.com/{}",
            system.region, system.user_pool
        );
        let logins = json!({ (provider): id_token });
        let identity = identities(
            system,
            "GetId",
            &json!({"IdentityPoolId": system.identity_pool, "Logins": logins}),
        );
        let identity = text(&identity["IdentityId"]);
        let answer = identities(
            system,
            "GetCredentialsForIdentity",
            &json!({"IdentityId": identity, "Logins": logins}),
        );
        let part = |name: &str| text(&answer["Credentials"][name]);
        let account = system.account.with_session(
            &part("AccessKeyId"),
            &part("SecretKey"),
            &part("SessionToken"),
        );
        Self {
            identity,
            subject: text(&signed_up["UserSub"]),
            id_token,
            account,
        }
    }

    /// Sends a request that is signed with the person's credentials.
    pub(super) fn sign(&self, system: &Deployed, method: &str, query: &str, body: &str) -> Answer {
        signed(&self.account, system, method, query, body)
    }

    /// Sends a request with the person's ID token.
    pub(super) fn show_token(
        &self,
        system: &Deployed,
        method: &str,
        query: &str,
        body: &str,
    ) -> Answer {
        let headers = [
            ("authorization".to_owned(), self.id_token.clone()),
            ("content-type".to_owned(), "application/json".to_owned()),
        ];
        http::send(method, &format!("{}{query}", system.url), &headers, body)
    }
}

/// Sends a signed request to the API.
pub(super) fn signed(
    account: &Account,
    system: &Deployed,
    method: &str,
    query: &str,
    body: &str,
) -> Answer {
    let path = system.url.strip_prefix(account.endpoint());
    let path = path.expect("the tool names the address at the engine");
    let headers = [("content-type", "application/json".to_owned())];
    account.request(
        "execute-api",
        method,
        &format!("{path}{query}"),
        &headers,
        body,
    )
}

/// Lets people sign in with their password. The client takes SRP only, in which the password stays on the device; it is
/// a page that speaks it, and the engine would check nothing but its shape.
pub(super) fn allow_passwords(system: &Deployed) {
    let flows = ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH"];
    let pool = json!({"UserPoolId": system.user_pool, "ClientId": system.user_pool_client});
    let client = users(system, "DescribeUserPoolClient", &pool);
    let client = &client["UserPoolClient"];
    assert_eq!(client["ClientName"], "Web");
    assert_eq!(client.get("ClientSecret"), None, "pages keep no secret");
    let changed = json!({
        "UserPoolId": system.user_pool,
        "ClientId": system.user_pool_client,
        "ClientName": "Web",
        "ExplicitAuthFlows": flows,
    });
    users(system, "UpdateUserPoolClient", &changed);
}

fn users(system: &Deployed, action: &str, arguments: &Value) -> Value {
    let target = format!("AWSCognitoIdentityProviderService.{action}");
    system.account.call("cognito-idp", &target, arguments)
}

fn identities(system: &Deployed, action: &str, arguments: &Value) -> Value {
    let target = format!("AWSCognitoIdentityService.{action}");
    system.account.call("cognito-identity", &target, arguments)
}
