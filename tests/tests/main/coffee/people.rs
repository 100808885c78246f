//! Customers and baristas, and what they do.

use aws_credential_types::Credentials;
use serde_json::{Value, json};
use system_tests::http::Answer;
use system_tests::poll::{PATIENCE, eventually};

use super::bar::Bar;
use super::{ORDER_API, VALIDATOR_API, text};

/// No longer than it has to be, and without capital letters, digits and signs.
const PASSWORD: &str = "barley";

/// Somebody who signed in.
pub(super) struct Person {
    /// The id in the user pool.
    pub(super) subject: String,
    pub(super) access_token: String,
    pub(super) id_token: String,
}

impl Person {
    /// Signs somebody up and in, as a page does.
    pub(super) fn sign_in(bar: &Bar, name: &str, group: Option<&str>) -> Self {
        let email = format!("{name}@example.com");
        let (pool, client) = (bar.output("UserPoolID"), bar.output("UserPoolClient"));
        let signed_up = users(
            bar,
            "SignUp",
            &json!({
                "ClientId": client,
                "Username": email,
                "Password": PASSWORD,
                "UserAttributes": [{"Name": "email", "Value": email}],
            }),
        );
        // The code is in a mail that nobody gets.
        let user = json!({"UserPoolId": pool, "Username": email});
        users(bar, "AdminConfirmSignUp", &user);
        if let Some(group) = group {
            let member = json!({"UserPoolId": pool, "Username": email, "GroupName": group});
            users(bar, "AdminAddUserToGroup", &member);
        }
        let tokens = users(
            bar,
            "InitiateAuth",
            &json!({
                "ClientId": client,
                "AuthFlow": "USER_PASSWORD_AUTH",
                "AuthParameters": {"USERNAME": email, "PASSWORD": PASSWORD},
            }),
        );
        let token = |name: &str| text(&tokens["AuthenticationResult"][name]);
        Self {
            subject: text(&signed_up["UserSub"]),
            access_token: token("AccessToken"),
            id_token: token("IdToken"),
        }
    }

    /// Returns the topic that the person follows.
    pub(super) fn topic(&self) -> String {
        format!("serverlesspresso-user-dev-{}", self.subject)
    }

    pub(super) fn get(&self, bar: &Bar, api: &str, path: &str) -> Answer {
        bar.call(api, "GET", path, Some(&self.access_token), "")
    }

    pub(super) fn put(&self, bar: &Bar, api: &str, path: &str, body: &str) -> Answer {
        bar.call(api, "PUT", path, Some(&self.access_token), body)
    }

    /// Scans a code.
    pub(super) fn scan(&self, bar: &Bar, query: &str) -> Answer {
        let path = format!("qr-code{query}");
        bar.call(VALIDATOR_API, "POST", &path, Some(&self.access_token), "")
    }

    /// Scans a code that is good, and waits until the order awaits the choice of a drink.
    pub(super) fn begin_order(&self, bar: &Bar, bucket: &Value) -> String {
        let answer = self.scan(bar, &format!("?token={}", text(&bucket["last_code"])));
        assert_eq!(answer.status, 200, "{answer:?}");
        let id = text(&answer.json()["orderId"]);
        let order = bar.awaits_choice(&id);
        assert_eq!(order["USERID"]["S"], self.subject);
        id
    }

    /// Asks for something, expects the API to take it, and waits for what `OrderManager` makes of it.
    pub(super) fn ask(&self, bar: &Bar, order: &str, query: &str, body: &str) -> Asked {
        let before = bar.executions(&bar.order_manager, None);
        let answer = self.put(bar, ORDER_API, &format!("orders/{order}{query}"), body);
        assert_eq!((answer.status, answer.body.as_str()), (200, ""));
        assert_eq!(answer.header("access-control-allow-origin"), Some("*"));
        let execution = eventually("an execution of OrderManager", PATIENCE, || {
            let now = bar.executions(&bar.order_manager, None);
            now.difference(&before).next().cloned()
        });
        Asked::of(bar, &execution)
    }

    /// Chooses a drink of the menu.
    pub(super) fn choose(&self, bar: &Bar, order: &str, drink: &str) -> Asked {
        let choice = json!({"userId": self.subject, "drink": drink, "modifiers": []});
        self.ask(bar, order, "", &choice.to_string())
    }
}

/// What became of something that somebody asked for.
#[derive(Debug)]
pub(super) struct Asked {
    pub(super) status: String,
    pub(super) error: Option<String>,
    pub(super) last_state: String,
}

impl Asked {
    pub(super) fn of(bar: &Bar, execution: &str) -> Self {
        let end = bar.end_of(execution);
        Self {
            status: text(&end["status"]),
            error: end["error"].as_str().map(str::to_owned),
            last_state: bar.states_of(execution).pop().expect("it has states"),
        }
    }

    /// Expects success, in the given state.
    #[track_caller]
    pub(super) fn ends_in(&self, state: &str) {
        let ended = (self.status.as_str(), self.last_state.as_str());
        assert_eq!(ended, ("SUCCEEDED", state), "{self:?}");
    }

    /// Expects a refusal.
    #[track_caller]
    pub(super) fn fails_with(&self, error: &str) {
        assert_eq!(self.status, "FAILED", "{self:?}");
        assert_eq!(self.error.as_deref(), Some(error));
    }
}

/// Lets people sign in with their password. The client takes SRP only, in which the password stays on the device; it is
/// a page that speaks it, and the engine would check nothing but its shape.
pub(super) fn allow_passwords(bar: &Bar) {
    let changed = json!({
        "UserPoolId": bar.output("UserPoolID"),
        "ClientId": bar.output("UserPoolClient"),
        "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_PASSWORD_AUTH"],
    });
    users(bar, "UpdateUserPoolClient", &changed);
}

/// Returns the credentials of a page on which somebody signed in, or nobody, as on that of a display.
pub(super) fn of_page(bar: &Bar, person: Option<&Person>) -> Credentials {
    let pools = identities(bar, "ListIdentityPools", &json!({"MaxResults": 60}));
    let pool = &pools["IdentityPools"][0];
    assert_eq!(pool["IdentityPoolName"], "ServerlesspressoIdentityPool-dev");
    let mut logins = json!({});
    if let Some(person) = person {
        let users = bar.output("UserPoolID");
        let provider = format!("cognito-idp.{}.amazonaws.com/{users}", super::REGION);
        logins[provider] = person.id_token.as_str().into();
    }
    let asked = json!({"IdentityPoolId": pool["IdentityPoolId"], "Logins": logins});
    let identity = identities(bar, "GetId", &asked);
    let asked = json!({"IdentityId": identity["IdentityId"], "Logins": logins});
    let answer = identities(bar, "GetCredentialsForIdentity", &asked);
    let part = |name: &str| text(&answer["Credentials"][name]);
    Credentials::new(
        part("AccessKeyId"),
        part("SecretKey"),
        Some(part("SessionToken")),
        None,
        "tests",
    )
}

fn users(bar: &Bar, action: &str, arguments: &Value) -> Value {
    let target = format!("AWSCognitoIdentityProviderService.{action}");
    bar.account.call("cognito-idp", &target, arguments)
}

fn identities(bar: &Bar, action: &str, arguments: &Value) -> Value {
    let target = format!("AWSCognitoIdentityService.{action}");
    bar.account.call("cognito-identity", &target, arguments)
}
