//! What Cognito would refuse about a user pool.

use std::collections::BTreeSet;
use std::panic::Location;

use super::message::{Email, Sms};
use super::pool::{Contact, Mfa, Plan, Recovery, SignIn, SignUp, UserPoolProps};
use crate::stack::Stack;

impl Stack<'_> {
    /// Reports what Cognito would refuse.
    pub(super) fn check_user_pool(
        &mut self,
        id: &str,
        props: &UserPoolProps,
        source: &Location<'_>,
    ) {
        let password = &props.password;
        let path = "Properties.Policies.PasswordPolicy.MinimumLength";
        self.check_limit(id, path, Some(password.minimum_length), source);
        let path = "Properties.Policies.PasswordPolicy.PasswordHistorySize";
        self.check_limit(id, path, password.history, source);
        if props.plan == Plan::Lite && password.history.is_some_and(|history| history.get() > 0) {
            let message =
                "the plan `Lite` remembers no passwords: choose another, or leave the history out";
            self.report(id, Some(path), message, source);
        }
        let path = "Properties.Policies.PasswordPolicy.TemporaryPasswordValidityDays";
        self.check_limit(id, path, password.temporary_days, source);
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for (position, attribute) in props.attributes.iter().enumerate() {
            let path = format!("Properties.Schema.{position}.Name");
            if let Some(message) = attribute.violation() {
                self.report(id, Some(&path), message, source);
            }
            if !names.insert(&attribute.name) {
                let message = format!("the attribute `{}` is there twice", attribute.name);
                self.report(id, Some(&path), message, source);
            }
        }
        if let Some((path, message)) = props.verification.violation() {
            let path = format!("Properties.VerificationMessageTemplate.{path}");
            self.report(id, Some(&path), message, source);
        }
        if let SignUp::Invited { invitation } = &props.sign_up
            && let Some((path, message)) = invitation.violation()
        {
            let path = format!("Properties.AdminCreateUserConfig.InviteMessageTemplate.{path}");
            self.report(id, Some(&path), message, source);
        }
        self.check_contacts(id, props, source);
        self.check_mfa(id, props, source);
    }

    /// Reports ways to reach a user that the pool does not have.
    fn check_contacts(&mut self, id: &str, props: &UserPoolProps, source: &Location<'_>) {
        let verified = props.verified();
        let by_phone = verified.contains(&Contact::Phone);
        if by_phone && props.sms == Sms::Off {
            let message = "a phone number is verified by a text message, and the pool sends none: set `sms`, or say what is `verified`";
            let path = "Properties.AutoVerifiedAttributes";
            self.report(id, Some(path), message, source);
        }
        let (email, phone) = match props.recovery {
            None | Some(Recovery::AdministratorOnly) => (false, false),
            Some(Recovery::Email) => (true, false),
            Some(Recovery::Phone) => (false, true),
            Some(Recovery::EmailThenPhone | Recovery::PhoneThenEmail) => (true, true),
        };
        let path = "Properties.AccountRecoverySetting";
        if email && !verified.contains(&Contact::Email) {
            let message = "a forgotten password is replaced over the mail address, and no address is verified";
            self.report(id, Some(path), message, source);
        }
        if phone && !by_phone {
            let message =
                "a forgotten password is replaced over the phone number, and no number is verified";
            self.report(id, Some(path), message, source);
        }
        if let SignIn::Username { aliases } = &props.sign_in
            && let Some((twice, _)) = aliases
                .iter()
                .enumerate()
                .find(|(position, alias)| aliases.iter().take(*position).any(|a| a == *alias))
        {
            let path = format!("Properties.AliasAttributes.{twice}");
            self.report(id, Some(&path), "the alias is there twice", source);
        }
    }

    fn check_mfa(&mut self, id: &str, props: &UserPoolProps, source: &Location<'_>) {
        let Some(methods) = props.mfa.methods() else {
            return;
        };
        let path = "Properties.EnabledMfas";
        if !(methods.app || methods.sms || methods.email) {
            self.report(id, Some(path), "a second factor needs a method", source);
        }
        if methods.sms && props.sms == Sms::Off {
            let message = "codes in text messages need a pool that sends them: set `sms`";
            self.report(id, Some(path), message, source);
        }
        if methods.email {
            if props.email == Email::Cognito {
                let message = "codes in mails need mails that Amazon SES sends: set `email`";
                self.report(id, Some(path), message, source);
            }
            if props.plan == Plan::Lite {
                let message = "the plan `Lite` has no codes in mails: choose another";
                self.report(id, Some(path), message, source);
            }
        }
        // Otherwise whoever has the phone has both factors.
        let phone_only = props.recovery == Some(Recovery::Phone)
            || (props.recovery.is_none() && props.verified() == [Contact::Phone]);
        if matches!(props.mfa, Mfa::Required(_)) && !methods.app && !methods.email && phone_only {
            let message = "the second factor and a forgotten password would need the same phone, which Cognito refuses: offer another method or way";
            let path = "Properties.AccountRecoverySetting";
            self.report(id, Some(path), message, source);
        }
    }
}
