//! What a user pool is made of.

use std::collections::BTreeSet;

use stack_model_cfn::cognito as cfn;
use stack_model_cfn::cognito::user_pool as part;
use stack_model_cfn::{Property, Value};

use super::attribute::Attribute;
use super::message::{Email, Invitation, Sms, Verification};
use crate::limit::Limited;

/// The fewest characters of a password.
pub type PasswordLength = Limited<6, 99>;

/// How many earlier passwords cannot be used again.
pub type PasswordHistory = Limited<0, 24>;

/// How many days a temporary password can be used.
pub type TemporaryPasswordDays = Limited<0, 365>;

/// What a user pool is made of.
///
/// See <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cognito-userpool.html>.
#[derive(Clone, Debug, PartialEq)]
pub struct UserPoolProps {
    /// The name that people see, at most 128 characters; pools may share one. CloudFormation makes one by default.
    pub name: Option<Value<String>>,
    /// What users sign in by; their mail address by default. It can never be changed.
    pub sign_in: SignIn,
    /// Whether `Anna` and `anna` are two users; one by default. It can never be changed.
    pub case_sensitive: bool,
    /// What the pool knows of its users beyond what every pool does, at most 50. They can be added to, and never changed.
    pub attributes: Vec<Attribute>,
    /// What users have to show to be theirs when they sign up: by default what they sign in by, and the mail address where
    /// they sign in by a name.
    pub verified: Option<Vec<Contact>>,
    /// Whether a verified address or number stays in use until a new one is verified; it does by default, where AWS's
    /// default is that it does not.
    pub verify_before_update: bool,
    /// How users show that an address or number is theirs.
    pub verification: Verification,
    /// Who makes accounts; administrators by default, where AWS's default is everybody.
    pub sign_up: SignUp,
    /// What a password has to be.
    pub password: PasswordPolicy,
    /// Whether a second factor is needed to sign in; it is not by default.
    pub mfa: Mfa,
    /// How a forgotten password is replaced: by default over what is verified, mail first.
    pub recovery: Option<Recovery>,
    /// Who sends mails.
    pub email: Email,
    /// Whether text messages are sent.
    pub sms: Sms,
    /// What the pool can do and costs; `Essentials` by default, which is AWS's.
    pub plan: Plan,
    /// Whether Cognito refuses to delete the pool; in protected stages by default, where AWS's default is never.
    pub deletion_protection: Option<bool>,
}

impl Default for UserPoolProps {
    fn default() -> Self {
        Self {
            name: None,
            sign_in: SignIn::default(),
            case_sensitive: false,
            attributes: Vec::new(),
            verified: None,
            verify_before_update: true,
            verification: Verification::default(),
            sign_up: SignUp::default(),
            password: PasswordPolicy::default(),
            mfa: Mfa::default(),
            recovery: None,
            email: Email::default(),
            sms: Sms::default(),
            plan: Plan::default(),
            deletion_protection: None,
        }
    }
}

/// What users sign in by.
///
/// See <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html>, under aliases.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SignIn {
    /// Their mail address.
    #[default]
    Email,
    /// Their phone number.
    Phone,
    /// Their mail address or their phone number, whichever they signed up with.
    EmailOrPhone,
    /// A name that they choose and never change, or one of the aliases, once it is verified.
    Username {
        /// What they may sign in by besides.
        aliases: Vec<Alias>,
    },
}

/// What a user who has a name may sign in by besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Alias {
    /// A verified mail address.
    Email,
    /// A verified phone number.
    Phone,
    /// A name that can be changed.
    PreferredUsername,
}

impl Alias {
    const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone_number",
            Self::PreferredUsername => "preferred_username",
        }
    }
}

/// How a user is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Contact {
    /// By mail.
    Email,
    /// By text message, which needs [`UserPoolProps::sms`].
    Phone,
}

impl Contact {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone_number",
        }
    }
}

/// Who makes accounts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SignUp {
    /// Administrators, who invite users.
    Invited {
        /// What the invitation says.
        invitation: Invitation,
    },
    /// Everybody for themselves.
    Anyone,
}

impl Default for SignUp {
    fn default() -> Self {
        Self::Invited {
            invitation: Invitation::default(),
        }
    }
}

/// What a password has to be; by default at least 8 characters with all four kinds, which is AWS's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PasswordPolicy {
    /// The fewest characters.
    pub minimum_length: PasswordLength,
    /// The kinds of characters that have to be in it.
    pub kinds: BTreeSet<CharacterKind>,
    /// How long a temporary password can be used; 7 days by default, which is AWS's.
    pub temporary_days: Option<TemporaryPasswordDays>,
    /// How many earlier passwords cannot be used again; none by default. Not with [`Plan::Lite`].
    pub history: Option<PasswordHistory>,
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self {
            minimum_length: Limited::literal(8),
            kinds: BTreeSet::from([
                CharacterKind::Lowercase,
                CharacterKind::Uppercase,
                CharacterKind::Digit,
                CharacterKind::Symbol,
            ]),
            temporary_days: None,
            history: None,
        }
    }
}

impl PasswordPolicy {
    /// Only a length, without rules about kinds of characters.
    pub fn at_least(characters: impl Into<PasswordLength>) -> Self {
        Self {
            minimum_length: characters.into(),
            kinds: BTreeSet::new(),
            ..Self::default()
        }
    }
}

/// A kind of characters of a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CharacterKind {
    /// A lower case letter.
    Lowercase,
    /// An upper case letter.
    Uppercase,
    /// A digit.
    Digit,
    /// Something else than letters and digits.
    Symbol,
}

/// Whether a second factor is needed to sign in.
///
/// See <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-mfa.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mfa {
    /// There is none.
    #[default]
    Off,
    /// Each user decides.
    Optional(MfaMethods),
    /// Everybody needs one.
    Required(MfaMethods),
}

impl Mfa {
    pub(super) const fn methods(self) -> Option<MfaMethods> {
        match self {
            Self::Off => None,
            Self::Optional(methods) | Self::Required(methods) => Some(methods),
        }
    }
}

/// What can be a second factor; codes of an authenticator app by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MfaMethods {
    /// Codes of an authenticator app.
    pub app: bool,
    /// Codes in text messages, which need [`UserPoolProps::sms`].
    pub sms: bool,
    /// Codes in mails, which need [`Email::Ses`] and another plan than [`Plan::Lite`].
    pub email: bool,
}

impl Default for MfaMethods {
    fn default() -> Self {
        Self {
            app: true,
            sms: false,
            email: false,
        }
    }
}

impl MfaMethods {
    fn names(self) -> Vec<String> {
        [
            (self.email, "EMAIL_OTP"),
            (self.sms, "SMS_MFA"),
            (self.app, "SOFTWARE_TOKEN_MFA"),
        ]
        .into_iter()
        .filter(|(wanted, _)| *wanted)
        .map(|(_, name)| name.to_owned())
        .collect()
    }
}

/// How a forgotten password is replaced.
///
/// See <https://docs.aws.amazon.com/cognito/latest/developerguide/managing-users-passwords.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovery {
    /// By a code to the verified mail address.
    Email,
    /// By a code to the verified number.
    Phone,
    /// By a code to the verified mail address, or to the verified number where there is none.
    EmailThenPhone,
    /// By a code to the verified number, or to the verified mail address where there is none.
    PhoneThenEmail,
    /// By an administrator.
    AdministratorOnly,
}

impl Recovery {
    fn render(self) -> part::AccountRecoverySetting {
        let names: &[&str] = match self {
            Self::Email => &["verified_email"],
            Self::Phone => &["verified_phone_number"],
            Self::EmailThenPhone => &["verified_email", "verified_phone_number"],
            Self::PhoneThenEmail => &["verified_phone_number", "verified_email"],
            Self::AdministratorOnly => &["admin_only"],
        };
        let options: Vec<part::RecoveryOption> = (1..)
            .zip(names)
            .map(|(priority, name)| part::RecoveryOption {
                name: (*name).into(),
                priority: Property::Literal(priority),
            })
            .collect();
        part::AccountRecoverySetting {
            recovery_mechanisms: options.into(),
        }
    }
}

/// What a pool can do, and what each user who signs in costs.
///
/// See <https://docs.aws.amazon.com/cognito/latest/developerguide/cognito-sign-in-feature-plans.html>.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Plan {
    /// Sign-in with a password.
    Lite,
    /// Also managed login, codes by mail and changed access tokens.
    #[default]
    Essentials,
    /// Also protection against threats.
    Plus {
        /// What happens at a suspicious sign-in.
        threat_protection: ThreatProtection,
    },
}

/// What happens at a suspicious sign-in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ThreatProtection {
    /// It is written down.
    #[default]
    Audit,
    /// It is refused, or needs a second factor.
    Enforced,
}

impl UserPoolProps {
    /// Returns what users have to show to be theirs.
    pub(super) fn verified(&self) -> Vec<Contact> {
        if let Some(contacts) = &self.verified {
            return contacts.clone();
        }
        match &self.sign_in {
            SignIn::Phone => vec![Contact::Phone],
            SignIn::EmailOrPhone => vec![Contact::Email, Contact::Phone],
            SignIn::Username { aliases } if aliases.contains(&Alias::Phone) => {
                vec![Contact::Email, Contact::Phone]
            }
            SignIn::Email | SignIn::Username { .. } => vec![Contact::Email],
        }
    }

    /// Returns how a forgotten password is replaced where nothing is said.
    fn recovery(&self, verified: &[Contact]) -> Recovery {
        let (email, phone) = (
            verified.contains(&Contact::Email),
            verified.contains(&Contact::Phone),
        );
        self.recovery.unwrap_or(match (email, phone) {
            (true, true) => Recovery::EmailThenPhone,
            (true, false) => Recovery::Email,
            (false, true) => Recovery::Phone,
            (false, false) => Recovery::AdministratorOnly,
        })
    }

    pub(super) fn render(
        self,
        deletion_protection: bool,
        sms: Option<part::SmsConfiguration>,
    ) -> cfn::UserPool {
        let verified = self.verified();
        let recovery = self.recovery(&verified);
        let kept = |contact: &&Contact| {
            let immutable = |attribute: &Attribute| {
                attribute.name == contact.name() && !attribute.mutable && !attribute.custom
            };
            self.verify_before_update && !self.attributes.iter().any(immutable)
        };
        let kept: Vec<String> = verified
            .iter()
            .filter(kept)
            .map(|contact| contact.name().to_owned())
            .collect();
        let username: &[&str] = match &self.sign_in {
            SignIn::Email => &["email"],
            SignIn::Phone => &["phone_number"],
            SignIn::EmailOrPhone => &["email", "phone_number"],
            SignIn::Username { .. } => &[],
        };
        let aliases = match &self.sign_in {
            SignIn::Username { aliases } => aliases.as_slice(),
            _ => &[],
        };
        let aliases = aliases.iter().map(|alias| alias.name().to_owned());
        let (mfa, methods) = match self.mfa {
            Mfa::Off => ("OFF", None),
            Mfa::Optional(methods) => ("OPTIONAL", Some(methods.names())),
            Mfa::Required(methods) => ("ON", Some(methods.names())),
        };
        let (plan, threats) = match self.plan {
            Plan::Lite => (Some("LITE"), None),
            Plan::Essentials => (None, None),
            Plan::Plus { threat_protection } => (
                Some("PLUS"),
                Some(match threat_protection {
                    ThreatProtection::Audit => "AUDIT",
                    ThreatProtection::Enforced => "ENFORCED",
                }),
            ),
        };
        let (invited, invitation) = match self.sign_up {
            SignUp::Anyone => (false, None),
            SignUp::Invited { invitation } => (true, invitation.render()),
        };
        let attributes: Vec<_> = self.attributes.into_iter().map(Attribute::render).collect();
        cfn::UserPool {
            account_recovery_setting: recovery.render().into(),
            admin_create_user_config: part::AdminCreateUserConfig {
                allow_admin_create_user_only: invited.into(),
                invite_message_template: invitation.into(),
                ..part::AdminCreateUserConfig::default()
            }
            .into(),
            alias_attributes: some(aliases.collect()).into(),
            auto_verified_attributes: some(names(&verified)).into(),
            deletion_protection: deletion_protection.then(|| "ACTIVE".to_owned()).into(),
            email_configuration: self.email.render().into(),
            enabled_mfas: methods.and_then(some).into(),
            mfa_configuration: mfa.into(),
            policies: part::Policies {
                password_policy: self.password.render().into(),
                ..part::Policies::default()
            }
            .into(),
            schema: (!attributes.is_empty()).then(|| values(attributes)).into(),
            sms_configuration: sms.into(),
            user_attribute_update_settings: some(kept)
                .map(|kept| part::UserAttributeUpdateSettings {
                    attributes_require_verification_before_update: kept.into(),
                })
                .into(),
            user_pool_add_ons: threats
                .map(|mode| part::UserPoolAddOns {
                    advanced_security_mode: mode.into(),
                    ..part::UserPoolAddOns::default()
                })
                .into(),
            user_pool_name: self.name.into(),
            user_pool_tier: plan.map(str::to_owned).into(),
            username_attributes: some(username.iter().map(|name| (*name).to_owned()).collect())
                .into(),
            username_configuration: part::UsernameConfiguration {
                case_sensitive: self.case_sensitive.into(),
            }
            .into(),
            verification_message_template: self.verification.render().into(),
            ..cfn::UserPool::default()
        }
    }
}

impl PasswordPolicy {
    fn render(&self) -> part::PasswordPolicy {
        let needs = |kind| self.kinds.contains(&kind);
        part::PasswordPolicy {
            minimum_length: self.minimum_length.number().into(),
            password_history_size: self.history.map(Limited::number).into(),
            require_lowercase: needs(CharacterKind::Lowercase).into(),
            require_numbers: needs(CharacterKind::Digit).into(),
            require_symbols: needs(CharacterKind::Symbol).into(),
            require_uppercase: needs(CharacterKind::Uppercase).into(),
            temporary_password_validity_days: self.temporary_days.map(Limited::number).into(),
        }
    }
}

fn names(contacts: &[Contact]) -> Vec<String> {
    contacts
        .iter()
        .map(|contact| contact.name().to_owned())
        .collect()
}

/// An empty list is no property.
pub(super) fn some(texts: Vec<String>) -> Option<Vec<Value<String>>> {
    (!texts.is_empty()).then(|| values(texts))
}

/// Makes literals of what is known.
pub(super) fn values<T>(elements: Vec<T>) -> Vec<Value<T>> {
    elements.into_iter().map(Value::Literal).collect()
}
