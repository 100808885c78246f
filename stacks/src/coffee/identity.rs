//! Who customers and baristas are, and what their pages may follow.

use stack_model::cognito::{
    Attribute, EmailMessage, GroupProps, Identity as Kind, IdentityPoolProps, IdentityPoolRef,
    IdentityRoles, PasswordPolicy, SignUp, StandardAttribute, UserPoolClientProps,
    UserPoolClientRef, UserPoolProps, UserPoolRef, Verification,
};
use stack_model::iam::{RoleProps, RoleRef};
use stack_model::iot::{IotOperation, clients};
use stack_model::policy::Statement;
use stack_model::{Stack, limit};

use super::realtime::Realtime;
use super::{ADMINS, Settings};

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
    let mut follower = |id: &str, kind: Kind, who: &str| -> RoleRef {
        let role = RoleProps {
            description: Some(format!("What pages of those may do who {who}")),
            statements: follow(&identities, realtime),
            ..identities.role_of(kind)
        };
        stack.role(id, role)
    };
    let signed_in = follower("SignedIn", Kind::Authenticated, "signed in");
    let anybody = follower("NotSignedIn", Kind::Unauthenticated, "did not sign in");
    let roles = IdentityRoles {
        unauthenticated: Some(anybody.arn()),
        ..IdentityRoles::of(&signed_in)
    };
    stack.identity_pool_roles("IdentityRoles", &identities, roles);
    Identity { users, client }
}

/// Lets pages follow the topics of this system, and no others.
fn follow(identities: &IdentityPoolRef, realtime: &Realtime) -> Vec<Statement> {
    let connect = Statement::allow(["iot:Connect"])
        .on(clients("serverlesspresso-*"))
        .because("each page connects under a name of its own, which begins so");
    let keep = Statement::allow(["cognito-sync:*"])
        .on(identities.sync_arn())
        .because("pages keep and read what they please for their own identity");
    let follow = [IotOperation::Subscribe, IotOperation::Receive];
    [connect, keep]
        .into_iter()
        .chain(realtime.admin.statements(&follow))
        .chain(realtime.config.statements(&follow))
        .chain(realtime.users.statements(&follow))
        .collect()
}
