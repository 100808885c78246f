//! What a user pool writes to its users, and by whom it is sent.

use std::panic::Location;

use stack_model_cfn::Value;
use stack_model_cfn::cognito::user_pool as cfn;

use crate::arn::Arn;
use crate::iam::{Role, RoleProps};
use crate::policy::{Principal, Statement};
use crate::stack::Stack;

/// The subject and the text of a mail, which may be HTML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmailMessage {
    /// At most 140 characters.
    pub subject: String,
    /// 6 to 20,000 characters.
    pub body: String,
}

impl EmailMessage {
    /// A mail with this subject and text.
    pub fn new(subject: impl Into<String>, body: impl Into<String>) -> Self {
        Self {
            subject: subject.into(),
            body: body.into(),
        }
    }
}

/// How users show that an address or a number is theirs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Verification {
    /// By a code, in the words of Cognito.
    #[default]
    Standard,
    /// By a code, which stands in the mail as `{####}`, and in the text message where one is given.
    Code {
        /// The mail.
        email: EmailMessage,
        /// The text message, of 6 to 140 characters.
        sms: Option<String>,
    },
    /// By a link, whose words stand in the mail between `{##` and `##}`. The pool needs a domain.
    Link {
        /// The mail.
        email: EmailMessage,
    },
}

impl Verification {
    pub(super) fn violation(&self) -> Option<(&'static str, String)> {
        let (path, text, placeholder) = match self {
            Self::Standard => return None,
            Self::Code { sms: Some(sms), .. } if !sms.contains("{####}") => {
                ("SmsMessage", sms, "{####}")
            }
            Self::Code { email, .. } => ("EmailMessage", &email.body, "{####}"),
            Self::Link { email } => ("EmailMessageByLink", &email.body, "{##Click here##}"),
        };
        let there = match self {
            Self::Link { .. } => text
                .split_once("{##")
                .is_some_and(|(_, rest)| rest.contains("##}")),
            _ => text.contains(placeholder),
        };
        (!there).then(|| {
            let message = format!("the message does not say where `{placeholder}` stands");
            (path, message)
        })
    }

    pub(super) fn render(self) -> Option<cfn::VerificationMessageTemplate> {
        match self {
            Self::Standard => None,
            Self::Code { email, sms } => Some(cfn::VerificationMessageTemplate {
                default_email_option: "CONFIRM_WITH_CODE".into(),
                email_message: email.body.into(),
                email_subject: email.subject.into(),
                sms_message: sms.into(),
                ..cfn::VerificationMessageTemplate::default()
            }),
            Self::Link { email } => Some(cfn::VerificationMessageTemplate {
                default_email_option: "CONFIRM_WITH_LINK".into(),
                email_message_by_link: email.body.into(),
                email_subject_by_link: email.subject.into(),
                ..cfn::VerificationMessageTemplate::default()
            }),
        }
    }
}

/// How a user is told of an account that an administrator made. The texts hold `{username}` and `{####}`, the temporary
/// password.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Invitation {
    /// The mail; Cognito's own words by default.
    pub email: Option<EmailMessage>,
    /// The text message, of 6 to 140 characters; Cognito's own words by default.
    pub sms: Option<String>,
}

impl Invitation {
    pub(super) fn violation(&self) -> Option<(&'static str, String)> {
        let email = self
            .email
            .as_ref()
            .map(|email| ("EmailMessage", &email.body));
        let sms = self.sms.as_ref().map(|sms| ("SMSMessage", sms));
        let (path, text) = email
            .into_iter()
            .chain(sms)
            .find(|(_, text)| !text.contains("{username}") || !text.contains("{####}"))?;
        Some((
            path,
            format!("`{text}` needs both `{{username}}` and `{{####}}`, the temporary password"),
        ))
    }

    pub(super) fn render(self) -> Option<cfn::InviteMessageTemplate> {
        if self == Self::default() {
            return None;
        }
        let (subject, body) = self.email.map(|email| (email.subject, email.body)).unzip();
        Some(cfn::InviteMessageTemplate {
            email_message: body.into(),
            email_subject: subject.into(),
            sms_message: self.sms.into(),
        })
    }
}

/// Who sends the mails of a user pool.
///
/// See <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-email.html>.
#[derive(Clone, Debug, Default, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a pool has one, which a stack writes down field by field"
)]
pub enum Email {
    /// Cognito, from its own address and at most 50 mails a day: enough to try a system out.
    #[default]
    Cognito,
    /// Amazon SES, from an address or domain that was verified there.
    Ses {
        /// The ARN of the verified identity.
        identity: Value<String>,
        /// The sender, such as `Orders <orders@example.com>`.
        from: Value<String>,
        /// Where answers go; to the sender by default.
        reply_to: Option<Value<String>>,
        /// The configuration set that watches the mails.
        configuration_set: Option<Value<String>>,
    },
}

impl Email {
    pub(super) fn render(self) -> Option<cfn::EmailConfiguration> {
        match self {
            Self::Cognito => None,
            Self::Ses {
                identity,
                from,
                reply_to,
                configuration_set,
            } => Some(cfn::EmailConfiguration {
                configuration_set: configuration_set.into(),
                email_sending_account: "DEVELOPER".into(),
                from: from.into(),
                reply_to_email_address: reply_to.into(),
                source_arn: identity.into(),
            }),
        }
    }
}

/// Whether a user pool sends text messages. They cost money, and new accounts may only send to verified numbers.
///
/// See <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-user-pool-settings-sms.html>.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Sms {
    /// It sends none.
    #[default]
    Off,
    /// It sends them by a role `<Id>SmsRole`, which is made with it.
    OwnRole,
    /// It sends them by a role that is there: trusted by `cognito-idp.amazonaws.com` with this external id, and allowed
    /// `sns:Publish`.
    Role {
        /// The role.
        role: Value<Arn<Role>>,
        /// What Cognito tells the role, so that no other account uses it.
        external_id: String,
    },
}

impl Stack<'_> {
    /// Renders who sends text messages, and adds the role where the pool has one of its own.
    pub(super) fn sms_configuration(
        &mut self,
        logical_id: &str,
        sms: &Sms,
        source: &Location<'_>,
    ) -> Option<cfn::SmsConfiguration> {
        let (role, external_id) = match sms {
            Sms::Off => return None,
            Sms::Role { role, external_id } => (role.clone(), external_id.clone()),
            Sms::OwnRole => {
                // What Cognito tells the role is the external id of the pool; see
                // <https://docs.aws.amazon.com/cognito-user-identity-pools/latest/APIReference/API_SmsConfigurationType.html>.
                // That it tells the account, too, is not said there, and without it no message would be sent.
                let external_id = format!("{}-{logical_id}", self.name());
                let trust = Statement::allow(["sts:AssumeRole"])
                    .to(Principal::Service("cognito-idp.amazonaws.com".to_owned()))
                    .when("StringEquals", "sts:ExternalId", external_id.as_str());
                let publish = Statement::allow(["sns:Publish"])
                    .on_everything("a message to a phone number has no resource");
                let props = RoleProps {
                    statements: vec![publish],
                    ..RoleProps::trusting(trust)
                };
                let role = self.add_role(&format!("{logical_id}SmsRole"), props, source);
                (role.arn(), external_id)
            }
        };
        Some(cfn::SmsConfiguration {
            external_id: external_id.into(),
            sns_caller_arn: role.into_text().into(),
            ..cfn::SmsConfiguration::default()
        })
    }
}
