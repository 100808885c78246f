//! Who may sign in, and what that allows.

use photos::OWN_OBJECTS;
use stack_model::cognito::{
    Identity as Kind, IdentityPoolProps, IdentityRoles, IdentityTags, SignUp, UserPoolClientProps,
    UserPoolProps, UserPoolRef,
};
use stack_model::iam::{RoleProps, RoleRef};
use stack_model::policy::Statement;
use stack_model::s3::BucketOperation;
use stack_model::{App, text};

use super::data::Data;
use super::{Authorization, SUBJECT, Variables};

/// What the API needs of this stack.
pub(super) struct Identity {
    pub(super) users: UserPoolRef,
    /// The role of everybody who signed in.
    pub(super) person: RoleRef,
}

pub(super) fn describe(app: &mut App, variables: &Variables, data: &Data) -> Identity {
    let stage = app.stage().name().to_owned();
    let mut stack = variables.stack(app, "photos-identity");
    stack.describe("Signs people in, and gives them credentials for their own photos");

    let users = stack.user_pool(
        "Users",
        UserPoolProps {
            name: Some(format!("pics2-{stage}").into()),
            sign_up: SignUp::Anyone,
            ..UserPoolProps::default()
        },
    );
    let web = stack.user_pool_client(
        "Web",
        &users,
        UserPoolClientProps {
            name: Some("Web".into()),
            ..UserPoolClientProps::default()
        },
    );
    let mut identities = stack.identity_pool(
        "Identities",
        IdentityPoolProps {
            name: Some(format!("pics2-{stage}").into()),
            clients: vec![web.clone()],
            ..IdentityPoolProps::default()
        },
    );

    if variables.authorization == Authorization::UserPool {
        // The API then knows people by a claim that their credentials do not carry by themselves.
        let subject = IdentityTags::claims([(SUBJECT, SUBJECT)]);
        identities = stack.identity_tags("IdentityTags", &identities, &users, subject);
    }

    let mut person = RoleProps {
        description: Some("What people who signed in may do".to_owned()),
        ..identities.role_of(Kind::Authenticated)
    };
    let actions = [
        BucketOperation::Get,
        BucketOperation::Put,
        BucketOperation::Delete,
    ];
    let own = text!(
        "{}/{}{}/*",
        data.photos.arn(),
        OWN_OBJECTS,
        variables.authorization.caller()
    );
    person.statements.push(
        Statement::allow(actions.map(BucketOperation::action))
            .on(own)
            .because("people have as many photos of their own as they like"),
    );
    let person = stack.role("Person", person);
    stack.identity_pool_roles("Roles", &identities, IdentityRoles::of(&person));

    stack
        .output("UserPoolId", users.id())
        .description("The pool at which people sign up and in");
    stack
        .output("UserPoolClientId", web.id())
        .description("The client as which web pages sign people in");
    stack
        .output("IdentityPoolId", identities.id())
        .description("The pool that changes a sign-in into credentials");
    Identity { users, person }
}
