//! What a list turns away.

use std::collections::BTreeMap;

use stack_model_cfn::Expr;

use super::Requests;

/// How many requests pass in a window, from each address.
pub type RateLimitRequests = Requests;

/// A rule of a web access control list.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    name: String,
    kind: Kind,
    /// Whether the rule counts what it would turn away, and turns nothing away: how a rule is tried out.
    pub count_only: bool,
}

#[derive(Clone, Debug, PartialEq)]
enum Kind {
    Managed {
        group: ManagedGroup,
        counted: Vec<String>,
    },
    RateLimit(RateLimit),
    Countries(Vec<String>),
    Statement(Expr),
}

impl Rule {
    /// Turns away what rules of AWS's own know.
    pub fn managed(group: ManagedGroup) -> Self {
        let counted = Vec::new();
        Self::of(group.short_name(), Kind::Managed { group, counted })
    }

    /// Turns away what rules of AWS's own know, but for some of them, which count only, such as `SizeRestrictions_BODY`.
    pub fn managed_but<R: Into<String>>(
        group: ManagedGroup,
        counted: impl IntoIterator<Item = R>,
    ) -> Self {
        let counted = counted.into_iter().map(Into::into).collect();
        Self::of(group.short_name(), Kind::Managed { group, counted })
    }

    /// Turns away addresses that send too much.
    pub fn rate_limit(name: impl Into<String>, limit: RateLimit) -> Self {
        Self::of(name, Kind::RateLimit(limit))
    }

    /// Turns away callers from countries, by their two letters.
    pub fn countries<C: Into<String>>(
        name: impl Into<String>,
        countries: impl IntoIterator<Item = C>,
    ) -> Self {
        let countries = countries.into_iter().map(Into::into).collect();
        Self::of(name, Kind::Countries(countries))
    }

    /// Turns away what a statement matches, as the template writes it. See
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-wafv2-webacl-statement.html>.
    pub fn statement(name: impl Into<String>, statement: impl Into<Expr>) -> Self {
        Self::of(name, Kind::Statement(statement.into()))
    }

    fn of(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            count_only: false,
        }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn limit(&self) -> Option<RateLimitRequests> {
        match &self.kind {
            Kind::RateLimit(limit) => Some(limit.requests),
            _ => None,
        }
    }

    /// Returns the capacity that the rule takes, as far as it is known.
    pub(super) fn capacity(&self) -> u32 {
        match &self.kind {
            Kind::Managed { group, .. } => group.facts().1,
            Kind::RateLimit(_) => 2,
            Kind::Countries(_) | Kind::Statement(_) => 1,
        }
    }

    pub(super) fn render(&self, priority: u32) -> Expr {
        let (action, statement) = match &self.kind {
            Kind::Managed { group, counted } => {
                let action = if self.count_only { "Count" } else { "None" };
                let mut managed = vec![
                    ("Name", Expr::from(group.facts().0)),
                    ("VendorName", "AWS".into()),
                ];
                if !counted.is_empty() {
                    let overrides = counted.iter().map(|rule| {
                        Expr::map([
                            ("ActionToUse", Expr::map([("Count", nothing())])),
                            ("Name", rule.as_str().into()),
                        ])
                    });
                    managed.push(("RuleActionOverrides", Expr::list(overrides)));
                }
                let statement = Expr::map([("ManagedRuleGroupStatement", Expr::map(managed))]);
                (("OverrideAction", action), statement)
            }
            other => {
                let action = if self.count_only { "Count" } else { "Block" };
                (("Action", action), other.statement())
            }
        };
        Expr::map([
            (action.0, Expr::map([(action.1, nothing())])),
            ("Name", self.name.as_str().into()),
            ("Priority", priority.into()),
            ("Statement", statement),
            ("VisibilityConfig", visibility(&self.name)),
        ])
    }
}

impl Kind {
    fn statement(&self) -> Expr {
        match self {
            Self::RateLimit(limit) => {
                let mut entries = vec![
                    ("AggregateKeyType", Expr::from("IP")),
                    ("Limit", limit.requests.get().into()),
                ];
                let window = limit.window.seconds();
                entries.extend(window.map(|it| ("EvaluationWindowSec", it.into())));
                Expr::map([("RateBasedStatement", Expr::map(entries))])
            }
            Self::Countries(countries) => {
                let codes = Expr::list(countries.iter().map(String::as_str));
                Expr::map([("GeoMatchStatement", Expr::map([("CountryCodes", codes)]))])
            }
            Self::Statement(statement) => statement.clone(),
            Self::Managed { .. } => nothing(),
        }
    }
}

/// How many requests pass from one address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    requests: RateLimitRequests,
    /// In which time; 5 minutes by default, which is AWS's.
    pub window: RateWindow,
}

impl RateLimit {
    /// Lets so many requests of an address pass in 5 minutes, 10 at least.
    pub fn per_address(requests: impl Into<RateLimitRequests>) -> Self {
        Self {
            requests: requests.into(),
            window: RateWindow::default(),
        }
    }
}

/// The time in which requests are counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RateWindow {
    /// A minute.
    OneMinute,
    /// Two minutes.
    TwoMinutes,
    /// Five minutes.
    #[default]
    FiveMinutes,
    /// Ten minutes.
    TenMinutes,
}

impl RateWindow {
    const fn seconds(self) -> Option<u32> {
        match self {
            Self::OneMinute => Some(60),
            Self::TwoMinutes => Some(120),
            Self::FiveMinutes => None,
            Self::TenMinutes => Some(600),
        }
    }
}

/// Rules that AWS keeps.
///
/// See <https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html>.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ManagedGroup {
    /// What no honest caller sends.
    Common,
    /// Requests that are known to attack.
    KnownBadInputs,
    /// Addresses of ill repute.
    IpReputation,
    /// Addresses of services that hide callers.
    AnonymousIp,
    /// Pages of administrators that are open to everybody.
    AdminProtection,
    /// SQL in requests.
    SqlInjection,
    /// Attacks on Linux.
    Linux,
    /// Attacks on Unix.
    Unix,
    /// Attacks on Windows.
    Windows,
    /// Attacks on PHP.
    Php,
    /// Attacks on WordPress.
    WordPress,
}

impl ManagedGroup {
    /// The name and the capacity, as the list of groups gives them.
    const fn facts(self) -> (&'static str, u32) {
        match self {
            Self::Common => ("AWSManagedRulesCommonRuleSet", 700),
            Self::KnownBadInputs => ("AWSManagedRulesKnownBadInputsRuleSet", 200),
            Self::IpReputation => ("AWSManagedRulesAmazonIpReputationList", 25),
            Self::AnonymousIp => ("AWSManagedRulesAnonymousIpList", 50),
            Self::AdminProtection => ("AWSManagedRulesAdminProtectionRuleSet", 100),
            Self::SqlInjection => ("AWSManagedRulesSQLiRuleSet", 200),
            Self::Linux => ("AWSManagedRulesLinuxRuleSet", 200),
            Self::Unix => ("AWSManagedRulesUnixRuleSet", 100),
            Self::Windows => ("AWSManagedRulesWindowsRuleSet", 200),
            Self::Php => ("AWSManagedRulesPHPRuleSet", 100),
            Self::WordPress => ("AWSManagedRulesWordPressRuleSet", 100),
        }
    }

    fn short_name(self) -> &'static str {
        let name = self.facts().0;
        name.strip_prefix("AWSManagedRules").unwrap_or(name)
    }
}

/// An empty map, as actions are.
pub(super) fn nothing() -> Expr {
    Expr::Map(BTreeMap::new())
}

/// Says that CloudWatch counts and that samples of requests are kept for some hours.
pub(super) fn visibility(metric: &str) -> Expr {
    Expr::map([
        ("CloudWatchMetricsEnabled", Expr::from(true)),
        ("MetricName", metric.into()),
        ("SampledRequestsEnabled", true.into()),
    ])
}
