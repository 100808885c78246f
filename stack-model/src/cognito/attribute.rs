//! What a user pool knows of its users.

use stack_model_cfn::cognito::user_pool as cfn;

/// The attributes that every pool has; see
/// <https://docs.aws.amazon.com/cognito/latest/developerguide/user-pool-settings-attributes.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum StandardAttribute {
    /// `address`.
    Address,
    /// `birthdate`, as `YYYY-MM-DD`.
    Birthdate,
    /// `email`.
    Email,
    /// `family_name`.
    FamilyName,
    /// `gender`.
    Gender,
    /// `given_name`.
    GivenName,
    /// `locale`.
    Locale,
    /// `middle_name`.
    MiddleName,
    /// `name`.
    Name,
    /// `nickname`.
    Nickname,
    /// `phone_number`, as `+` and digits.
    PhoneNumber,
    /// `picture`.
    Picture,
    /// `preferred_username`.
    PreferredUsername,
    /// `profile`.
    Profile,
    /// `updated_at`, in epoch seconds.
    UpdatedAt,
    /// `website`.
    Website,
    /// `zoneinfo`.
    Zoneinfo,
}

impl StandardAttribute {
    /// All of them.
    pub(super) const ALL: [Self; 17] = [
        Self::Address,
        Self::Birthdate,
        Self::Email,
        Self::FamilyName,
        Self::Gender,
        Self::GivenName,
        Self::Locale,
        Self::MiddleName,
        Self::Name,
        Self::Nickname,
        Self::PhoneNumber,
        Self::Picture,
        Self::PreferredUsername,
        Self::Profile,
        Self::UpdatedAt,
        Self::Website,
        Self::Zoneinfo,
    ];

    /// Returns the name that Cognito uses.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Birthdate => "birthdate",
            Self::Email => "email",
            Self::FamilyName => "family_name",
            Self::Gender => "gender",
            Self::GivenName => "given_name",
            Self::Locale => "locale",
            Self::MiddleName => "middle_name",
            Self::Name => "name",
            Self::Nickname => "nickname",
            Self::PhoneNumber => "phone_number",
            Self::Picture => "picture",
            Self::PreferredUsername => "preferred_username",
            Self::Profile => "profile",
            Self::UpdatedAt => "updated_at",
            Self::Website => "website",
            Self::Zoneinfo => "zoneinfo",
        }
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::UpdatedAt => "Number",
            _ => "String",
        }
    }
}

/// One attribute of the users of a pool. It can be added to a pool later, and never changed or removed.
///
/// ```
/// use stack_model::cognito::{Attribute, StandardAttribute};
///
/// let attributes = [
///     Attribute::standard(StandardAttribute::Email).required().immutable(),
///     Attribute::text("tenant", 1, 36).immutable(),
///     Attribute::number("seats", 0, 500),
/// ];
/// # assert_eq!(attributes.len(), 3);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    pub(super) name: String,
    kind: &'static str,
    pub(super) custom: bool,
    pub(super) required: bool,
    pub(super) mutable: bool,
    pub(super) between: Option<(i64, i64)>,
}

impl Attribute {
    /// An attribute that every pool has, to be made required or immutable.
    pub fn standard(attribute: StandardAttribute) -> Self {
        Self {
            name: attribute.name().to_owned(),
            kind: attribute.kind(),
            custom: false,
            required: false,
            mutable: true,
            between: None,
        }
    }

    /// A text of so many characters, at most 2,048. Tokens hold it as `custom:<name>`, and here its name stands
    /// without the `custom:`, in at most 20 characters.
    pub fn text(name: impl Into<String>, shortest: u16, longest: u16) -> Self {
        Self::custom(name, "String", Some((shortest.into(), longest.into())))
    }

    /// A whole number within limits. Tokens hold it as a text.
    pub fn number(name: impl Into<String>, least: i64, most: i64) -> Self {
        Self::custom(name, "Number", Some((least, most)))
    }

    /// Yes or no. Tokens hold it as a text.
    pub fn boolean(name: impl Into<String>) -> Self {
        Self::custom(name, "Boolean", None)
    }

    /// A point in time.
    pub fn date_time(name: impl Into<String>) -> Self {
        Self::custom(name, "DateTime", None)
    }

    fn custom(name: impl Into<String>, kind: &'static str, between: Option<(i64, i64)>) -> Self {
        Self {
            name: name.into(),
            kind,
            custom: true,
            required: false,
            mutable: true,
            between,
        }
    }

    /// Demands the attribute when a user signs up; a custom one cannot be demanded.
    #[must_use]
    pub fn required(mut self) -> Self {
        self.required = true;
        self
    }

    /// Keeps what was written when the user signed up.
    #[must_use]
    pub fn immutable(mut self) -> Self {
        self.mutable = false;
        self
    }

    /// Returns what is wrong with the attribute, if anything.
    pub(super) fn violation(&self) -> Option<String> {
        let name = &self.name;
        if self.custom && name.starts_with("custom:") {
            return Some(format!(
                "`{name}` is named without the `custom:` here, which Cognito puts before it"
            ));
        }
        if name.is_empty() || name.chars().count() > 20 {
            return Some(format!(
                "`{name}` does not fit: the name of an attribute has 1 to 20 characters"
            ));
        }
        if self.custom && self.required {
            return Some(format!(
                "`{name}` is a custom attribute and cannot be required: check it when users sign up"
            ));
        }
        let (least, most) = self.between?;
        if least > most {
            return Some(format!(
                "`{name}` is between {least} and {most}: nothing is"
            ));
        }
        (self.kind == "String" && most > 2048)
            .then(|| format!("`{name}` may have {most} characters and Cognito takes at most 2048"))
    }

    pub(super) fn render(self) -> cfn::SchemaAttribute {
        let limits = self
            .between
            .map(|(least, most)| (least.to_string(), most.to_string()));
        let (text, number) = match self.kind {
            "String" => (limits, None),
            _ => (None, limits),
        };
        cfn::SchemaAttribute {
            attribute_data_type: self.kind.into(),
            mutable: self.mutable.into(),
            name: self.name.into(),
            number_attribute_constraints: number
                .map(|(least, most)| cfn::NumberAttributeConstraints {
                    max_value: most.into(),
                    min_value: least.into(),
                })
                .into(),
            required: self.required.then_some(true).into(),
            string_attribute_constraints: text
                .map(|(least, most)| cfn::StringAttributeConstraints {
                    max_length: most.into(),
                    min_length: least.into(),
                })
                .into(),
            ..cfn::SchemaAttribute::default()
        }
    }
}
