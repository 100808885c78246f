//! Which of several answers about a name is given.

use std::panic::Location as Place;

use stack_model_cfn::route53 as cfn;

use crate::limit::Limited;
use crate::stack::Stack;

/// How often an answer is given, in relation to the others of the same name.
pub type Weight = Limited<0, 255>;

/// Who gets an answer where a name has several of a type.
///
/// Each answer of a name has an id of its own, and all are routed in the same way. See
/// <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/routing-policy.html>.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Routing {
    /// Everybody.
    #[default]
    Simple,
    /// Some, by chance.
    Weighted {
        /// The id of the answer.
        id: String,
        /// How often it is given.
        weight: Weight,
    },
    /// Those to whom a region of AWS is the nearest.
    Latency {
        /// The id of the answer.
        id: String,
        /// The region, such as `eu-central-1`.
        region: String,
    },
    /// Everybody, as long as it is healthy or the other is not.
    Failover {
        /// The id of the answer.
        id: String,
        /// Which of the two it is.
        role: FailoverRole,
    },
    /// Those in a part of the world.
    Geolocation {
        /// The id of the answer.
        id: String,
        /// The part.
        location: Location,
    },
    /// Everybody, with up to eight healthy ones at once.
    MultiValue {
        /// The id of the answer.
        id: String,
    },
}

/// Which of two answers one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FailoverRole {
    /// Given while it is healthy.
    Primary,
    /// Given while the other is not.
    Secondary,
}

/// A part of the world.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// Wherever no other answer is for.
    Default,
    /// A continent: `AF`, `AN`, `AS`, `EU`, `OC`, `NA` or `SA`.
    Continent(String),
    /// A country, by its two letters, such as `DE`.
    Country(String),
    /// A state of the United States or an oblast of Ukraine, by its letters.
    State {
        /// `US` or `UA`.
        country: String,
        /// The letters of the state.
        state: String,
    },
}

const CONTINENTS: [&str; 7] = ["AF", "AN", "AS", "EU", "NA", "OC", "SA"];

impl Location {
    fn render(self) -> cfn::record_set::GeoLocation {
        let empty = cfn::record_set::GeoLocation::default;
        match self {
            Self::Default => cfn::record_set::GeoLocation {
                country_code: "*".into(),
                ..empty()
            },
            Self::Continent(code) => cfn::record_set::GeoLocation {
                continent_code: code.into(),
                ..empty()
            },
            Self::Country(code) => cfn::record_set::GeoLocation {
                country_code: code.into(),
                ..empty()
            },
            Self::State { country, state } => cfn::record_set::GeoLocation {
                country_code: country.into(),
                subdivision_code: state.into(),
                ..empty()
            },
        }
    }

    const fn path(&self) -> &'static str {
        match self {
            Self::Continent(_) => "Properties.GeoLocation.ContinentCode",
            _ => "Properties.GeoLocation.CountryCode",
        }
    }

    fn violation(&self) -> Option<String> {
        let letters = |code: &str| code.len() == 2 && code.chars().all(|c| c.is_ascii_uppercase());
        match self {
            Self::Default => None,
            Self::Continent(code) => (!CONTINENTS.contains(&code.as_str())).then(|| {
                format!(
                    "`{code}` is not a continent: use one of {}",
                    CONTINENTS.join(", ")
                )
            }),
            Self::Country(code) => (!letters(code))
                .then(|| format!("`{code}` is not a country: use its two letters, such as `DE`")),
            Self::State { country, state } => (!["US", "UA"].contains(&country.as_str())
                || state.is_empty())
            .then(|| format!("`{country}` has no states here: only `US` and `UA` do")),
        }
    }
}

impl Stack<'_> {
    /// Adds to a record who gets it, and reports what Route 53 would refuse.
    pub(super) fn route(
        &mut self,
        logical_id: &str,
        routing: Routing,
        record: &mut cfn::RecordSet,
        source: &Place<'_>,
    ) {
        let id = match routing {
            Routing::Simple => return,
            Routing::Weighted { id, weight } => {
                self.check_limit(logical_id, "Properties.Weight", Some(weight), source);
                record.weight = weight.number().into();
                id
            }
            Routing::Latency { id, region } => {
                record.region = region.into();
                id
            }
            Routing::Failover { id, role } => {
                record.failover = match role {
                    FailoverRole::Primary => "PRIMARY",
                    FailoverRole::Secondary => "SECONDARY",
                }
                .into();
                id
            }
            Routing::Geolocation { id, location } => {
                if let Some(message) = location.violation() {
                    let path = Some(location.path());
                    self.report(logical_id, path, message, source);
                }
                record.geo_location = location.render().into();
                id
            }
            Routing::MultiValue { id } => {
                record.multi_value_answer = true.into();
                id
            }
        };
        if id.is_empty() || id.chars().count() > 128 {
            let message = "an answer among several needs an id of 1 to 128 characters";
            self.report(
                logical_id,
                Some("Properties.SetIdentifier"),
                message,
                source,
            );
        }
        record.set_identifier = id.into();
    }
}
