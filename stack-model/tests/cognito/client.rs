//! App clients, resource servers, groups and domains.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::acm::CertificateRef;
use stack_model::cognito::{
    Attribute, AuthFlow, BrowserSignIn, GroupProps, ManagedLogin, OAuth, Refresh,
    ResourceServerProps, Scope, SignInProvider, StandardAttribute, UserPoolClientProps,
    UserPoolDomain, UserPoolProps, UserPoolRef, Validity,
};
use stack_model::iam::RoleProps;
use stack_model::{Arn, Stack};

use crate::support::{dev, resources, template, violations};

fn users(stack: &mut Stack<'_>) -> UserPoolRef {
    stack.user_pool("Users", UserPoolProps::default())
}

#[test]
fn a_client_has_no_secret_and_tells_nobody_who_is_there() {
    let resources = resources(dev(), |stack| {
        let users = users(stack);
        stack.user_pool_client("Web", &users, UserPoolClientProps::default());
    });
    assert_eq!(
        resources["Web"],
        json!({
            "Type": "AWS::Cognito::UserPoolClient",
            "Properties": {
                "EnableTokenRevocation": true,
                "ExplicitAuthFlows": ["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"],
                "PreventUserExistenceErrors": "ENABLED",
                "UserPoolId": {"Ref": "Users"},
            },
        })
    );
}

#[test]
fn every_property_reaches_the_template() {
    let resources = resources(dev(), |stack| {
        let users = users(stack);
        let server = stack.resource_server(
            "Api",
            &users,
            ResourceServerProps {
                identifier: "orders".to_owned(),
                scopes: vec![("read".to_owned(), "Reads orders".to_owned())],
            },
        );
        stack.user_pool_client(
            "Web",
            &users,
            UserPoolClientProps {
                name: Some("web".into()),
                secret: true,
                auth_flows: [AuthFlow::User, AuthFlow::UserPassword].into(),
                refresh: Refresh::Rotated { grace: 10.into() },
                oauth: Some(OAuth::Browser(BrowserSignIn {
                    logout_urls: vec!["https://example.com".into()],
                    scopes: vec![Scope::OpenId, Scope::Email, server.scope("read")],
                    implicit: true,
                    providers: vec![SignInProvider::existing("Google")],
                    ..BrowserSignIn::to("https://example.com/back")
                })),
                access_token: Some(Validity::Minutes(15)),
                id_token: Some(Validity::Hours(1)),
                refresh_token: Some(Validity::Days(1)),
                session: Some(5.into()),
                hide_user_existence: false,
                token_revocation: false,
                read_attributes: vec!["email".to_owned()],
                write_attributes: vec!["name".to_owned()],
            },
        );
    });
    assert_json_snapshot!([&resources["Api"], &resources["Web"]], @r#"
    [
      {
        "Properties": {
          "Identifier": "orders",
          "Name": "Api",
          "Scopes": [
            {
              "ScopeDescription": "Reads orders",
              "ScopeName": "read"
            }
          ],
          "UserPoolId": {
            "Ref": "Users"
          }
        },
        "Type": "AWS::Cognito::UserPoolResourceServer"
      },
      {
        "DependsOn": [
          "Api"
        ],
        "Properties": {
          "AccessTokenValidity": 15,
          "AllowedOAuthFlows": [
            "code",
            "implicit"
          ],
          "AllowedOAuthFlowsUserPoolClient": true,
          "AllowedOAuthScopes": [
            "openid",
            "email",
            "orders/read"
          ],
          "AuthSessionValidity": 5,
          "CallbackURLs": [
            "https://example.com/back"
          ],
          "ClientName": "web",
          "EnableTokenRevocation": false,
          "ExplicitAuthFlows": [
            "ALLOW_USER_AUTH",
            "ALLOW_USER_PASSWORD_AUTH"
          ],
          "GenerateSecret": true,
          "IdTokenValidity": 1,
          "LogoutURLs": [
            "https://example.com"
          ],
          "PreventUserExistenceErrors": "LEGACY",
          "ReadAttributes": [
            "email"
          ],
          "RefreshTokenRotation": {
            "Feature": "ENABLED",
            "RetryGracePeriodSeconds": 10
          },
          "RefreshTokenValidity": 1,
          "SupportedIdentityProviders": [
            "COGNITO",
            "Google"
          ],
          "TokenValidityUnits": {
            "AccessToken": "minutes",
            "IdToken": "hours",
            "RefreshToken": "days"
          },
          "UserPoolId": {
            "Ref": "Users"
          },
          "WriteAttributes": [
            "name"
          ]
        },
        "Type": "AWS::Cognito::UserPoolClient"
      }
    ]
    "#);
}

#[test]
fn a_machine_gets_tokens_for_scopes_of_a_resource_server() {
    let machine = |secret: bool, scopes: Vec<Scope>| {
        move |stack: &mut Stack<'_>| {
            let users = users(stack);
            let server = stack.resource_server(
                "Api",
                &users,
                ResourceServerProps {
                    identifier: "orders".to_owned(),
                    scopes: vec![("read".to_owned(), "Reads orders".to_owned())],
                },
            );
            let mut scopes = scopes;
            scopes.push(server.scope(if secret { "read" } else { "write" }));
            let props = UserPoolClientProps {
                secret,
                oauth: Some(OAuth::Machine { scopes }),
                ..UserPoolClientProps::default()
            };
            stack.user_pool_client("Job", &users, props);
        }
    };
    let resources = resources(dev(), machine(true, Vec::new()));
    let job = &resources["Job"]["Properties"];
    assert_eq!(job["AllowedOAuthFlows"], json!(["client_credentials"]));
    assert_eq!(job["AllowedOAuthScopes"], json!(["orders/read"]));
    assert_eq!(resources["Job"]["DependsOn"], json!(["Api"]));
    assert_eq!(
        violations(dev(), machine(false, vec![Scope::OpenId])),
        [
            "orders / Job / Properties.AllowedOAuthScopes: the resource server has no scope `orders/write`",
            "orders / Job / Properties.GenerateSecret: an application gets tokens for itself with its secret: set `secret`",
            "orders / Job / Properties.AllowedOAuthScopes: `openid` is about a user, and an application that gets tokens for itself has none",
        ]
    );
}

#[test]
fn a_browser_is_sent_back_safely_for_scopes_that_work() {
    let found = violations(dev(), |stack| {
        let users = users(stack);
        let props = UserPoolClientProps {
            oauth: Some(OAuth::Browser(BrowserSignIn {
                scopes: vec![Scope::Profile],
                logout_urls: vec!["https://example.com/#out".into()],
                ..BrowserSignIn::to("http://example.com")
            })),
            ..UserPoolClientProps::default()
        };
        stack.user_pool_client("Web", &users, props);
        let props = UserPoolClientProps {
            oauth: Some(OAuth::Browser(BrowserSignIn {
                scopes: Vec::new(),
                callback_urls: Vec::new(),
                ..BrowserSignIn::to("")
            })),
            ..UserPoolClientProps::default()
        };
        stack.user_pool_client("Other", &users, props);
    });
    assert_eq!(
        found,
        [
            "Web / Properties.AllowedOAuthScopes: the scope `profile` needs `openid` besides",
            "Web / Properties.CallbackURLs.0: `http://example.com` would send codes and tokens over the network in clear: use `https://`, and `http://` for localhost only",
            "Web / Properties.LogoutURLs.0: `https://example.com/#out` has a fragment, and Cognito takes none",
            "Other / Properties.AllowedOAuthScopes: a sign-in needs a scope: `openid` says who the user is",
            "Other / Properties.CallbackURLs: the browser has to be sent back somewhere",
        ]
        .map(|text| format!("orders / {text}"))
    );
}

#[test]
fn tokens_are_valid_as_long_as_cognito_lets_them() {
    use Validity::{Days, Hours, Minutes, Seconds};

    let wrong = |access, id, refresh| {
        violations(dev(), |stack| {
            let users = users(stack);
            let props = UserPoolClientProps {
                access_token: access,
                id_token: id,
                refresh_token: refresh,
                ..UserPoolClientProps::default()
            };
            stack.user_pool_client("Web", &users, props);
        })
        .into_iter()
        .map(|text| text.replace("orders / Web / Properties.", ""))
        .collect::<Vec<_>>()
    };
    let none: Vec<String> = Vec::new();
    assert_eq!(wrong(Some(Seconds(300)), Some(Days(1)), None), none);
    assert_eq!(wrong(Some(Hours(1)), None, Some(Minutes(60))), none);
    assert_eq!(
        wrong(Some(Seconds(299)), Some(Hours(25)), Some(Days(3651))),
        [
            "RefreshTokenValidity: a refresh token is valid for an hour to ten years",
            "AccessTokenValidity: the token is valid for five minutes to a day",
            "IdTokenValidity: the token is valid for five minutes to a day",
        ]
    );
    assert_eq!(
        wrong(Some(Minutes(61)), None, Some(Hours(1))),
        ["AccessTokenValidity: the token would be valid longer than the refresh token"]
    );
}

#[test]
fn a_group_has_a_name_and_may_have_a_role() {
    let template = template(dev(), |stack| {
        let users = users(stack);
        let role = stack.role("Staff", RoleProps::for_service("lambda.amazonaws.com"));
        let props = GroupProps {
            description: Some("Who runs the shop".to_owned()),
            precedence: Some(1.into()),
            role: Some(role.arn()),
        };
        let admin = stack.user_pool_group("Admin", &users, "admin", props);
        stack.output("Group", admin.name());
    });
    assert_eq!(
        template["Resources"]["Admin"]["Properties"],
        json!({
            "Description": "Who runs the shop",
            "GroupName": "admin",
            "Precedence": 1,
            "RoleArn": {"Fn::GetAtt": ["Staff", "Arn"]},
            "UserPoolId": {"Ref": "Users"},
        })
    );
    assert_eq!(template["Outputs"]["Group"]["Value"], "admin");
}

#[test]
fn pages_stand_under_a_prefix_or_a_domain_of_ones_own() {
    let template = template(dev(), |stack| {
        let users = users(stack);
        let web = stack.user_pool_client("Web", &users, UserPoolClientProps::default());
        let prefix = UserPoolDomain::Prefix("orders-dev".into());
        let pages = stack.user_pool_domain("Pages", &users, prefix, ManagedLogin::Managed);
        stack.managed_login("WebPages", &web);
        stack.output("Url", pages.url());
        let arn = Arn::parse("arn:aws:acm:us-east-1:123456789012:certificate/1").unwrap();
        let own = UserPoolDomain::Custom {
            name: "auth.example.com".into(),
            certificate: CertificateRef::existing(arn),
        };
        let own = stack.user_pool_domain("Own", &users, own, ManagedLogin::Classic);
        stack.output("OwnUrl", own.url());
        stack.output("Alias", own.distribution());
    });
    assert_json_snapshot!([&template["Outputs"], &template["Resources"]["Own"], &template["Resources"]["Pages"], &template["Resources"]["WebPages"]], @r#"
    [
      {
        "Alias": {
          "Value": {
            "Fn::GetAtt": [
              "Own",
              "CloudFrontDistribution"
            ]
          }
        },
        "OwnUrl": {
          "Value": "https://auth.example.com"
        },
        "Url": {
          "Value": {
            "Fn::Sub": "https://orders-dev.auth.${AWS::Region}.amazoncognito.com"
          }
        }
      },
      {
        "Properties": {
          "CustomDomainConfig": {
            "CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/1"
          },
          "Domain": "auth.example.com",
          "UserPoolId": {
            "Ref": "Users"
          }
        },
        "Type": "AWS::Cognito::UserPoolDomain"
      },
      {
        "Properties": {
          "Domain": "orders-dev",
          "ManagedLoginVersion": 2,
          "UserPoolId": {
            "Ref": "Users"
          }
        },
        "Type": "AWS::Cognito::UserPoolDomain"
      },
      {
        "Properties": {
          "ClientId": {
            "Ref": "Web"
          },
          "UseCognitoProvidedValues": true,
          "UserPoolId": {
            "Ref": "Users"
          }
        },
        "Type": "AWS::Cognito::ManagedLoginBranding"
      }
    ]
    "#);
}

#[test]
fn domains_are_checked() {
    let found = violations(dev(), |stack| {
        let users = users(stack);
        for (id, prefix) in [
            ("Upper", "Orders"),
            ("Aws", "my-aws"),
            ("Hyphen", "orders-"),
        ] {
            let prefix = UserPoolDomain::Prefix(prefix.into());
            stack.user_pool_domain(id, &users, prefix, ManagedLogin::Classic);
        }
        let arn = Arn::parse("arn:aws:acm:eu-central-1:123456789012:certificate/1").unwrap();
        let own = UserPoolDomain::Custom {
            name: "auth.example.com".into(),
            certificate: CertificateRef::existing(arn),
        };
        stack.user_pool_domain("Own", &users, own, ManagedLogin::Classic);
        let scopes = ["read", "read", "a/b"].map(|name| (name.to_owned(), "Reads".to_owned()));
        let props = ResourceServerProps {
            identifier: "orders".to_owned(),
            scopes: scopes.into(),
        };
        stack.resource_server("Api", &users, props);
    });
    assert_eq!(
        found[..6],
        [
            "Upper / Properties.Domain: `Orders` is not a prefix: use 1 to 63 lower case letters, digits and hyphens, no hyphen at an end",
            "Aws / Properties.Domain: `my-aws` holds `aws`, which Cognito reserves",
            "Hyphen / Properties.Domain: `orders-` is not a prefix: use 1 to 63 lower case letters, digits and hyphens, no hyphen at an end",
            "Own / Properties.CustomDomainConfig.CertificateArn: the certificate stands in eu-central-1, and the domain of a user pool needs one of us-east-1",
            "Api / Properties.Scopes.1: the scope `read` is there twice",
            "Api / Properties.Scopes.2: `a/b` holds a `/`, which stands between the identifier and the scope",
        ]
        .map(|text| format!("orders / {text}"))
    );
}

#[test]
fn an_application_writes_what_the_pool_requires() {
    let found = violations(dev(), |stack| {
        let attributes = vec![
            Attribute::standard(StandardAttribute::Email).required(),
            Attribute::standard(StandardAttribute::Name).required(),
            Attribute::text("tenant", 1, 36),
        ];
        let users = stack.user_pool(
            "Users",
            UserPoolProps {
                attributes,
                ..UserPoolProps::default()
            },
        );
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let right = UserPoolClientProps {
            read_attributes: own(&["email_verified", "custom:tenant"]),
            write_attributes: own(&["email", "name", "custom:tenant"]),
            ..UserPoolClientProps::default()
        };
        stack.user_pool_client("Right", &users, right);
        let wrong = UserPoolClientProps {
            read_attributes: own(&["tenant", "mail"]),
            write_attributes: own(&["email", "custom:colour", "email_verified"]),
            ..UserPoolClientProps::default()
        };
        stack.user_pool_client("Wrong", &users, wrong);
        let elsewhere = UserPoolClientProps {
            write_attributes: own(&["custom:colour"]),
            ..UserPoolClientProps::default()
        };
        let existing = UserPoolRef::existing("us-east-1_ZgaEXAMPLE");
        stack.user_pool_client("Elsewhere", &existing, elsewhere);
    });
    assert_eq!(
        found,
        [
            "Wrong / Properties.ReadAttributes.0: `tenant` is an attribute of the pool's own, which is named `custom:tenant` here",
            "Wrong / Properties.ReadAttributes.1: `mail` is not an attribute that every user pool has, and those of its own are named `custom:<name>`",
            "Wrong / Properties.WriteAttributes.1: the user pool has no attribute `custom:colour`: add it to `attributes` of the pool",
            "Wrong / Properties.WriteAttributes.2: `email_verified` is written by Cognito alone",
            "Wrong / Properties.WriteAttributes: the user pool requires `name`, and nobody could sign up by an application that may not write it: add it",
        ]
        .map(|text| format!("orders / {text}"))
    );
}
