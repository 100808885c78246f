//! The identities of two systems, as whole templates.

use stack_model::cognito::{
    Attribute, EmailMessage, GroupProps, Identity, IdentityPoolProps, IdentityPoolRef,
    IdentityRoles, PasswordPolicy, SignUp, StandardAttribute, UserPoolClientProps, UserPoolProps,
    Verification,
};
use stack_model::iam::RoleProps;
use stack_model::iot::{clients, topics};
use stack_model::policy::{PolicyVariable, Statement};
use stack_model::s3::BucketProps;
use stack_model::{Stack, text};

use crate::golden::compare;
use crate::support::{dev, prod};

/// What every identity of the coffee shop may do, signed in or not.
fn follow(identities: &IdentityPoolRef) -> Vec<Statement> {
    vec![
        Statement::allow(["cognito-sync:*"])
            .on(identities.sync_arn())
            .because("identities keep data sets of their own"),
        Statement::allow(["iot:Connect"])
            .on(clients("serverlesspresso-*"))
            .because("every display and customer is a client"),
        Statement::allow(["iot:Subscribe"]).on_everything("displays choose their topics"),
        Statement::allow(["iot:Receive"])
            .on(topics("*"))
            .because("displays choose their topics"),
    ]
}

/// Customers and displays of a coffee shop, some of whom do not sign in.
fn coffee(stack: &mut Stack<'_>) {
    let users = stack.user_pool(
        "UserPool",
        UserPoolProps {
            name: Some("ServerlesspressoUserPool".into()),
            attributes: vec![
                Attribute::standard(StandardAttribute::Email)
                    .required()
                    .immutable(),
            ],
            verification: Verification::Code {
                email: EmailMessage::new(
                    "Serverlesspresso workshop code",
                    "Here is your code: {####}",
                ),
                sms: None,
            },
            sign_up: SignUp::Anyone,
            password: PasswordPolicy::at_least(6),
            ..UserPoolProps::default()
        },
    );
    let web = stack.user_pool_client("UserPoolClient", &users, UserPoolClientProps::default());
    stack.user_pool_group("AdminGroup", &users, "admin", GroupProps::default());
    let identities = stack.identity_pool(
        "IdentityPool",
        IdentityPoolProps {
            name: Some("ServerlesspressoIdentityPool".into()),
            clients: vec![web.clone()],
            unauthenticated: true,
            ..IdentityPoolProps::default()
        },
    );
    let mut role = |id: &str, identity| {
        let props = RoleProps {
            statements: follow(&identities),
            ..identities.role_of(identity)
        };
        stack.role(id, props)
    };
    let signed_in = role("AuthenticatedRole", Identity::Authenticated);
    let others = role("UnauthenticatedRole", Identity::Unauthenticated);
    stack.identity_pool_roles(
        "IdentityPoolRoles",
        &identities,
        IdentityRoles {
            unauthenticated: Some(others.arn()),
            ..IdentityRoles::of(&signed_in)
        },
    );
    stack.output("UserPoolID", users.id());
    stack.output("UserPoolClient", web.id());
}

/// People who keep photos under their own identity.
fn photos(stack: &mut Stack<'_>) {
    let users = stack.user_pool("Users", UserPoolProps::default());
    let web = stack.user_pool_client("Web", &users, UserPoolClientProps::default());
    let identities = stack.identity_pool(
        "Identities",
        IdentityPoolProps {
            clients: vec![web],
            ..IdentityPoolProps::default()
        },
    );
    let photos = stack.bucket("Photos", BucketProps::default());
    let own = text!(
        "{}/private/{}/*",
        photos.arn(),
        PolicyVariable::CognitoIdentity
    );
    let signed_in = stack.role(
        "SignedIn",
        RoleProps {
            statements: vec![
                Statement::allow(["s3:GetObject", "s3:PutObject", "s3:DeleteObject"])
                    .on(own)
                    .because("every identity has photos of its own"),
            ],
            ..identities.role_of(Identity::Authenticated)
        },
    );
    stack.identity_pool_roles("Roles", &identities, IdentityRoles::of(&signed_in));
}

#[test]
fn identities_of_a_coffee_shop() {
    compare("identities-coffee.dev", dev(), coffee);
}

#[test]
fn identities_with_photos() {
    compare("identities-photos.prod", prod(), photos);
}
