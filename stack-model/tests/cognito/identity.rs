//! Identity pools and the roles of their identities.

use insta::assert_json_snapshot;
use serde_json::json;
use stack_model::Stack;
use stack_model::cognito::{
    Identity, IdentityPoolProps, IdentityPoolRef, IdentityRoles, IdentityTags, Provider,
    UserPoolClientProps, UserPoolClientRef, UserPoolProps, UserPoolRef,
};
use stack_model::iam::RoleProps;
use stack_model::policy::{PolicyVariable, Statement};
use stack_model::s3::BucketProps;
use stack_model::text;

use crate::support::{dev, property, resources, violations};

fn web(stack: &mut Stack<'_>) -> UserPoolClientRef {
    let users = stack.user_pool("Users", UserPoolProps::default());
    stack.user_pool_client("Web", &users, UserPoolClientProps::default())
}

fn identities(stack: &mut Stack<'_>, unauthenticated: bool) -> IdentityPoolRef {
    let props = IdentityPoolProps {
        clients: vec![web(stack)],
        unauthenticated,
        ..IdentityPoolProps::default()
    };
    stack.identity_pool("Identities", props)
}

#[test]
fn identities_take_on_the_roles_of_their_pool_alone() {
    let resources = resources(dev(), |stack| {
        let identities = identities(stack, true);
        let signed_in = stack.role("SignedIn", identities.role_of(Identity::Authenticated));
        let others = stack.role("Others", identities.role_of(Identity::Unauthenticated));
        let roles = IdentityRoles {
            unauthenticated: Some(others.arn()),
            ..IdentityRoles::of(&signed_in)
        };
        stack.identity_pool_roles("Roles", &identities, roles);
    });
    assert_json_snapshot!(
        ["Identities", "SignedIn", "Roles"].map(|id| &resources[id]["Properties"]),
        @r#"
    [
      {
        "AllowUnauthenticatedIdentities": true,
        "CognitoIdentityProviders": [
          {
            "ClientId": {
              "Ref": "Web"
            },
            "ProviderName": {
              "Fn::GetAtt": [
                "Users",
                "ProviderName"
              ]
            },
            "ServerSideTokenCheck": true
          }
        ]
      },
      {
        "AssumeRolePolicyDocument": {
          "Statement": [
            {
              "Action": "sts:AssumeRoleWithWebIdentity",
              "Condition": {
                "ForAnyValue:StringLike": {
                  "cognito-identity.amazonaws.com:amr": "authenticated"
                },
                "StringEquals": {
                  "cognito-identity.amazonaws.com:aud": {
                    "Ref": "Identities"
                  }
                }
              },
              "Effect": "Allow",
              "Principal": {
                "Federated": "cognito-identity.amazonaws.com"
              }
            }
          ],
          "Version": "2012-10-17"
        }
      },
      {
        "IdentityPoolId": {
          "Ref": "Identities"
        },
        "Roles": {
          "authenticated": {
            "Fn::GetAtt": [
              "SignedIn",
              "Arn"
            ]
          },
          "unauthenticated": {
            "Fn::GetAtt": [
              "Others",
              "Arn"
            ]
          }
        }
      }
    ]
    "#
    );
    let trust = &resources["Others"]["Properties"]["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(
        trust["Condition"]["ForAnyValue:StringLike"],
        json!({"cognito-identity.amazonaws.com:amr": "unauthenticated"})
    );
}

#[test]
fn groups_of_a_token_say_the_role() {
    let mappings = property(dev(), "Roles", "RoleMappings", |stack| {
        let web = web(stack);
        let props = IdentityPoolProps {
            clients: vec![web.clone()],
            ..IdentityPoolProps::default()
        };
        let identities = stack.identity_pool("Identities", props);
        let signed_in = stack.role("SignedIn", identities.role_of(Identity::Authenticated));
        let roles = IdentityRoles {
            by_group: vec![Provider::from(&web)],
            ..IdentityRoles::of(&signed_in)
        };
        stack.identity_pool_roles("Roles", &identities, roles);
    });
    assert_eq!(
        mappings,
        json!({"Provider1": {
            "AmbiguousRoleResolution": "AuthenticatedRole",
            "IdentityProvider": {"Fn::Sub": "${Users.ProviderName}:${Web}"},
            "Type": "Token",
        }})
    );
}

#[test]
fn the_identity_of_the_caller_stands_in_a_policy_as_it_is() {
    let policies = property(dev(), "SignedIn", "Policies", |stack| {
        let identities = identities(stack, false);
        let photos = stack.bucket("Photos", BucketProps::default());
        let own = text!(
            "{}/private/{}/*",
            photos.arn(),
            PolicyVariable::CognitoIdentity
        );
        let literal = text!("arn:aws:s3:::photos/{}/*", PolicyVariable::CognitoIdentity);
        stack.role(
            "SignedIn",
            RoleProps {
                statements: vec![
                    Statement::allow(["s3:GetObject"])
                        .on(own)
                        .on(literal)
                        .because("own objects"),
                    Statement::allow(["cognito-sync:ListDatasets"]).on(identities.sync_arn()),
                ],
                ..identities.role_of(Identity::Authenticated)
            },
        );
    });
    assert_eq!(
        policies[0]["PolicyDocument"]["Statement"],
        json!([
            {
                "Effect": "Allow",
                "Action": "s3:GetObject",
                "Resource": [
                    {"Fn::Sub": "${Photos.Arn}/private/${!cognito-identity.amazonaws.com:sub}/*"},
                    "arn:aws:s3:::photos/${cognito-identity.amazonaws.com:sub}/*",
                ],
            },
            {
                "Effect": "Allow",
                "Action": "cognito-sync:ListDatasets",
                "Resource": {"Fn::Sub": "arn:${AWS::Partition}:cognito-sync:${AWS::Region}:${AWS::AccountId}:identitypool/${Identities}"},
            },
        ])
    );
}

#[test]
fn a_role_that_nobody_takes_on_is_reported() {
    let found = violations(dev(), |stack| {
        let identities = identities(stack, false);
        let role = stack.role("Role", identities.role_of(Identity::Unauthenticated));
        let roles = IdentityRoles {
            unauthenticated: Some(role.arn()),
            ..IdentityRoles::of(&role)
        };
        stack.identity_pool_roles("Roles", &identities, roles);
        stack.identity_pool("Nobody", IdentityPoolProps::default());
    });
    assert_eq!(
        found,
        [
            "orders / Roles / Properties.Roles: the pool gives no credentials to those who did not sign in, so the role would never be taken on: leave it out, or set `unauthenticated` of the pool",
            "orders / Nobody / Properties.CognitoIdentityProviders: nobody gets credentials: add an app client or another provider",
        ]
    );
    let found = violations(dev(), |stack| {
        let identities = identities(stack, true);
        let role = stack.role("Role", identities.role_of(Identity::Authenticated));
        stack.identity_pool_roles("Roles", &identities, IdentityRoles::of(&role));
    });
    assert_eq!(found.len(), 1, "{found:?}");
    assert!(found[0].contains("say which role"), "{found:?}");
}

#[test]
fn an_existing_pool_signs_in_to_a_new_client() {
    let providers = property(dev(), "Identities", "CognitoIdentityProviders", |stack| {
        let users = UserPoolRef::existing("eu-central-1_Example");
        let web = stack.user_pool_client("Web", &users, UserPoolClientProps::default());
        let props = IdentityPoolProps {
            clients: vec![web],
            ..IdentityPoolProps::default()
        };
        stack.identity_pool("Identities", props);
    });
    assert_eq!(
        providers[0]["ProviderName"],
        json!({"Fn::Sub": "cognito-idp.${AWS::Region}.${AWS::URLSuffix}/eu-central-1_Example"})
    );
}

#[test]
fn credentials_carry_what_tokens_say() {
    let resources = resources(dev(), |stack| {
        let web = web(stack);
        let users = web.user_pool().clone();
        let props = IdentityPoolProps {
            clients: vec![web],
            unauthenticated: true,
            ..IdentityPoolProps::default()
        };
        let identities = stack.identity_pool("Identities", props);
        let tags = IdentityTags::claims([("team", "custom:team"), ("sub", "sub")]);
        let tagged = stack.identity_tags("Tags", &identities, &users, tags);
        stack.role("Person", tagged.role_of(Identity::Authenticated));
        stack.role("Guest", tagged.role_of(Identity::Unauthenticated));
        stack.role("Untagged", identities.role_of(Identity::Authenticated));
    });
    assert_json_snapshot!(resources["Tags"], @r#"
    {
      "Properties": {
        "IdentityPoolId": {
          "Ref": "Identities"
        },
        "IdentityProviderName": {
          "Fn::GetAtt": [
            "Users",
            "ProviderName"
          ]
        },
        "PrincipalTags": {
          "sub": "sub",
          "team": "custom:team"
        },
        "UseDefaults": false
      },
      "Type": "AWS::Cognito::IdentityPoolPrincipalTag"
    }
    "#);
    let trust =
        |role: &str| &resources[role]["Properties"]["AssumeRolePolicyDocument"]["Statement"];
    assert_eq!(
        trust("Person")[1],
        json!({
            "Effect": "Allow",
            "Principal": {"Federated": "cognito-identity.amazonaws.com"},
            "Action": "sts:TagSession",
            "Condition": {
                "StringEquals": {"cognito-identity.amazonaws.com:aud": {"Ref": "Identities"}},
            },
        })
    );
    // Who did not sign in has no token that says anything.
    for role in ["Guest", "Untagged"] {
        assert!(!trust(role).to_string().contains("TagSession"), "{role}");
    }
}

#[test]
fn the_usual_tags_need_no_names() {
    let tags = property(dev(), "Tags", "UseDefaults", |stack| {
        let web = web(stack);
        let users = web.user_pool().clone();
        let props = IdentityPoolProps {
            clients: vec![web],
            ..IdentityPoolProps::default()
        };
        let identities = stack.identity_pool("Identities", props);
        stack.identity_tags("Tags", &identities, &users, IdentityTags::Usual);
    });
    assert_eq!(tags, true);
}

#[test]
fn tags_that_nobody_would_carry_are_reported() {
    let violations = violations(dev(), |stack| {
        let identities = identities(stack, false);
        let others = stack.user_pool("Others", UserPoolProps::default());
        let none = IdentityTags::claims([]);
        stack.identity_tags("OfOthers", &identities, &others, none);
        let many: Vec<String> = (0..51).map(|number| format!("tag{number}")).collect();
        let many = IdentityTags::claims(many.iter().map(|tag| (tag.as_str(), "sub")));
        stack.identity_tags("Many", &identities, &others, many);
    });
    assert_eq!(
        violations,
        [
            "orders / OfOthers / Properties.IdentityProviderName: users of `Others` get no credentials of the identity pool: name an app client of theirs in its `clients`",
            "orders / OfOthers / Properties.PrincipalTags: there is no tag: name a claim, or take `IdentityTags::Usual`",
            "orders / Many / Properties.IdentityProviderName: users of `Others` get no credentials of the identity pool: name an app client of theirs in its `clients`",
            "orders / Many / Properties.PrincipalTags: there are 51 tags, and credentials carry 50",
        ]
    );
}
