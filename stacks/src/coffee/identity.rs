//! Who customers and baristas are, and what their pages may follow.

use stack_model::cognito::{
    Attribute, EmailMessage, GroupProps, Identity as Kind, IdentityPoolProps, IdentityRoles,
    PasswordPolicy, SignUp, StandardAttribute, UserPoolClientProps, UserPoolClientRef,
    UserPoolProps, UserPoolRef, Verification,
};
use stack_model::iam::{RoleProps, RoleRef};
use stack_model::iot::{IotOperation, IotPolicyProps, clients};
use stack_model::policy::Statement;
use stack_model::{Stack, limit};

use super::realtime::Realtime;
use super::{ADMINS, GuestsFollow, Settings};

pub(super) struct Identity {
    pub(super) users: UserPoolRef,
    pub(super) client: UserPoolClientRef,
}

pub(super) fn add(stack: &mut Stack<'_>, settings: &Settings, realtime: &Realtime) -> Identity {
    let email = EmailMessage::new(
        "Serverlesspresso workshop code",
        "The code by which you confirm your address: {####}",
    );
    let users = stack.user_pool(
        "UserPool",
        UserPoolProps {
            name: Some(settings.name("ServerlesspressoUserPool").into()),
            attributes: vec![
                Attribute::standard(StandardAttribute::Email)
                    .required()
                    .immutable(),
            ],
            verification: Verification::Code { email, sms: None },
            sign_up: SignUp::Anyone,
            password: PasswordPolicy::at_least(limit!(stack_model::cognito::PasswordLength, 6)),
            ..UserPoolProps::default()
        },
    );
    let client = stack.user_pool_client("Client", &users, UserPoolClientProps::default());
    let admins = GroupProps {
        description: Some("Those who run the bar".to_owned()),
        ..GroupProps::default()
    };
    stack.user_pool_group("Admins", &users, ADMINS, admins);

    let identities = stack.identity_pool(
        "IdentityPool",
        IdentityPoolProps {
            name: Some(settings.name("ServerlesspressoIdentityPool").into()),
            clients: vec![client.clone()],
            // A display follows the shop without anybody who signs in.
            unauthenticated: true,
            ..IdentityPoolProps::default()
        },
    );
    // What an order is about is no business of those who did not even say who they are.
    let of_guests = match settings.variables.guests_follow {
        GuestsFollow::Config => vec![connect(), follow_config(realtime)],
        GuestsFollow::Everything => vec![connect(), follow_everything(realtime)],
    };
    let of_signed_in = vec![connect(), follow_everything(realtime)];
    // The broker lets people who signed in do only what this policy allows too, where it is attached to their identity.
    stack.iot_policy(
        "Followers",
        IotPolicyProps {
            name: Some(settings.name("serverlesspresso-followers").into()),
            statements: of_signed_in.concat(),
        },
    );
    let mut follower = |id: &str, kind: Kind, who: &str, follow: Vec<Vec<Statement>>| -> RoleRef {
        let keep = Statement::allow(["cognito-sync:*"])
            .on(identities.sync_arn())
            .because("pages keep and read what they please for their own identity");
        // The ARN of the pool is also that of its settings, which are no business of pages.
        let of_pool = Statement::deny([
            "cognito-sync:BulkPublish",
            "cognito-sync:SetCognitoEvents",
            "cognito-sync:SetIdentityPoolConfiguration",
        ])
        .on(identities.sync_arn());
        let role = RoleProps {
            description: Some(format!("What pages of those may do who {who}")),
            statements: follow
                .into_iter()
                .flatten()
                .chain([keep, of_pool])
                .collect(),
            ..identities.role_of(kind)
        };
        stack.role(id, role)
    };
    let kind = Kind::Authenticated;
    let signed_in = follower("SignedIn", kind, "signed in", of_signed_in);
    let kind = Kind::Unauthenticated;
    let anybody = follower("NotSignedIn", kind, "did not sign in", of_guests);
    let roles = IdentityRoles {
        unauthenticated: Some(anybody.arn()),
        ..IdentityRoles::of(&signed_in)
    };
    stack.identity_pool_roles("IdentityRoles", &identities, roles);
    Identity { users, client }
}

/// Lets pages connect to the broker.
fn connect() -> Vec<Statement> {
    let connect = Statement::allow(["iot:Connect"])
        .on(clients("serverlesspresso-*"))
        .because("each page connects under a name of its own, which begins so");
    vec![connect]
}

const FOLLOW: [IotOperation; 2] = [IotOperation::Subscribe, IotOperation::Receive];

/// Lets pages follow whether the shop is open, and what is on the menu.
fn follow_config(realtime: &Realtime) -> Vec<Statement> {
    realtime.config.statements(&FOLLOW)
}

/// Lets pages follow the topics of this system, and no others.
fn follow_everything(realtime: &Realtime) -> Vec<Statement> {
    let topics = [
        realtime.admin.statements(&FOLLOW),
        realtime.config.statements(&FOLLOW),
        realtime.users.statements(&FOLLOW),
    ];
    topics.concat()
}
