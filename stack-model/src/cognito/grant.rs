//! What a caller may do with a user pool.

use super::UserPoolRef;
use crate::policy::{Statement, allow_on};

/// What a caller may do with a user pool. What users do for themselves needs no operation.
///
/// See <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazoncognitouserpools.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum UserPoolOperation {
    /// Makes a user.
    AdminCreateUser,
    /// Reads a user.
    AdminGetUser,
    /// Changes attributes of a user.
    AdminUpdateUserAttributes,
    /// Confirms a user who signed up.
    AdminConfirmSignUp,
    /// Sets the password of a user.
    AdminSetUserPassword,
    /// Locks a user out.
    AdminDisableUser,
    /// Lets a user in again.
    AdminEnableUser,
    /// Removes a user.
    AdminDeleteUser,
    /// Ends every session of a user.
    AdminUserGlobalSignOut,
    /// Lists the groups of a user.
    AdminListGroupsForUser,
    /// Adds a user to a group.
    AdminAddUserToGroup,
    /// Takes a user out of a group.
    AdminRemoveUserFromGroup,
    /// Signs a user in from a server.
    AdminInitiateAuth,
    /// Answers a challenge from a server.
    AdminRespondToAuthChallenge,
    /// Lists users.
    ListUsers,
    /// Lists the users of a group.
    ListUsersInGroup,
}

impl UserPoolOperation {
    /// Returns the IAM action.
    pub const fn action(self) -> &'static str {
        match self {
            Self::AdminCreateUser => "cognito-idp:AdminCreateUser",
            Self::AdminGetUser => "cognito-idp:AdminGetUser",
            Self::AdminUpdateUserAttributes => "cognito-idp:AdminUpdateUserAttributes",
            Self::AdminConfirmSignUp => "cognito-idp:AdminConfirmSignUp",
            Self::AdminSetUserPassword => "cognito-idp:AdminSetUserPassword",
            Self::AdminDisableUser => "cognito-idp:AdminDisableUser",
            Self::AdminEnableUser => "cognito-idp:AdminEnableUser",
            Self::AdminDeleteUser => "cognito-idp:AdminDeleteUser",
            Self::AdminUserGlobalSignOut => "cognito-idp:AdminUserGlobalSignOut",
            Self::AdminListGroupsForUser => "cognito-idp:AdminListGroupsForUser",
            Self::AdminAddUserToGroup => "cognito-idp:AdminAddUserToGroup",
            Self::AdminRemoveUserFromGroup => "cognito-idp:AdminRemoveUserFromGroup",
            Self::AdminInitiateAuth => "cognito-idp:AdminInitiateAuth",
            Self::AdminRespondToAuthChallenge => "cognito-idp:AdminRespondToAuthChallenge",
            Self::ListUsers => "cognito-idp:ListUsers",
            Self::ListUsersInGroup => "cognito-idp:ListUsersInGroup",
        }
    }
}

impl UserPoolRef {
    /// Returns what a role must allow for the given operations: exactly their actions on this user pool.
    pub fn statements(&self, operations: &[UserPoolOperation]) -> Vec<Statement> {
        let actions = operations.iter().map(|operation| operation.action());
        allow_on(actions, self.arn()).into_iter().collect()
    }
}
