//! From which addresses a rule of a security group lets packets in, and to which ports.
//!
//! See <https://docs.aws.amazon.com/vpc/latest/userguide/security-group-rules.html>.

use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

use serde_json::{Value, json};

use super::super::super::canonical::{alike, same};
use super::super::super::compare::type_of;
use super::super::super::references::names;
use super::super::{elements, text, unknown};

/// Networks that nobody reaches over the internet; see
/// <https://docs.aws.amazon.com/vpc/latest/userguide/vpc-cidr-blocks.html>.
const PRIVATE: [&str; 7] = [
    "10.0.0.0/8",
    "100.64.0.0/10",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "fc00::/7",
    "fe80::/10",
];

/// A range of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Range {
    is_v6: bool,
    /// The bits of the first address, from the left.
    first: u128,
    /// How many of the bits are those of all addresses.
    prefix: u32,
}

impl Range {
    /// Reads a range in the notation of CIDR, or one address; nothing, where a text is neither.
    pub(super) fn of(text: &str) -> Option<Self> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix.parse::<u32>().ok()?)),
            None => (text, None),
        };
        let (is_v6, first, bits) = match address.parse().ok()? {
            IpAddr::V4(address) => (false, u128::from(u32::from(address)) << 96, 32),
            IpAddr::V6(address) => (true, u128::from(address), 128),
        };
        let prefix = prefix.unwrap_or(bits);
        (prefix <= bits).then(|| Self {
            is_v6,
            first: first & mask(prefix),
            prefix,
        })
    }

    /// Returns whether all addresses of another range are in this one.
    pub(super) fn covers(self, other: Self) -> bool {
        self.is_v6 == other.is_v6
            && self.prefix <= other.prefix
            && other.first & mask(self.prefix) == self.first
    }

    fn is_private(self) -> bool {
        let mut private = PRIVATE.iter().filter_map(|range| Self::of(range));
        private.any(|range| range.covers(self))
    }
}

fn mask(prefix: u32) -> u128 {
    u128::MAX.checked_shl(128 - prefix).unwrap_or_default()
}

/// The type of a group.
pub(super) const GROUP: &str = "AWS::EC2::SecurityGroup";

/// The type of a rule that is a resource of its own.
const RULE: &str = "AWS::EC2::SecurityGroupIngress";

/// What one rule lets in from one range of addresses.
#[derive(Clone, Debug)]
pub(super) struct Rule {
    /// The group of a rule that is a resource of its own.
    group: Option<Value>,
    addresses: Value,
    protocol: Option<String>,
    /// From which port to which one, or the type and the code of messages; nothing, where it is for all.
    ports: Option<(Value, Value)>,
}

/// Returns what the world may send to the members of a security group.
pub(super) fn rules(resource_type: &str, properties: &Value) -> Vec<Rule> {
    match resource_type {
        GROUP => {
            let rules = elements(properties.get("SecurityGroupIngress")).into_iter();
            rules.flat_map(|rule| Rule::of(rule, None)).collect()
        }
        RULE => Rule::of(properties, group(properties)).collect(),
        _ => Vec::new(),
    }
}

/// Returns the group that a rule of its own says it is of.
fn group(rule: &Value) -> Option<&Value> {
    rule.get("GroupId").or_else(|| rule.get("GroupName"))
}

/// Returns the group of a new rule without the rule and with it, where the group was there before: the same as if the rule
/// stood in the group. `among` are the resources that are deployed, and `own` those of the template of the rule.
pub(super) fn group_of(
    resource_type: &str,
    new: &Value,
    among: &BTreeMap<String, Value>,
    own: &BTreeMap<String, Value>,
) -> Option<[Value; 2]> {
    if resource_type != RULE {
        return None;
    }
    let of = group(new.get("Properties")?)?;
    let named: Vec<String> = names(of)
        .into_iter()
        .filter(|name| own.contains_key(name))
        .collect();
    // What no resource of the template is, is somewhere else, and there.
    if !named.is_empty() && !named.iter().any(|name| among.contains_key(name)) {
        return None;
    }
    let mut rules: Vec<&Value> = Vec::new();
    for (id, resource) in among {
        let Some(properties) = resource.get("Properties") else {
            continue;
        };
        match type_of(resource) {
            GROUP if named.contains(id) => {
                rules.extend(elements(properties.get("SecurityGroupIngress")));
            }
            RULE if group(properties).is_some_and(|its| same(its, of)) => rules.push(properties),
            _ => {}
        }
    }
    let before = json!({"Type": GROUP, "Properties": {"SecurityGroupIngress": rules}});
    rules.extend(new.get("Properties"));
    let after = json!({"Type": GROUP, "Properties": {"SecurityGroupIngress": rules}});
    Some([before, after])
}

impl Rule {
    fn of(rule: &Value, group: Option<&Value>) -> impl Iterator<Item = Self> {
        let protocol = rule.get("IpProtocol").map(|protocol| {
            // AWS takes the number of a protocol for its name.
            match text(protocol).to_ascii_lowercase().as_str() {
                "1" => "icmp".to_owned(),
                "6" => "tcp".to_owned(),
                "17" => "udp".to_owned(),
                "58" => "icmpv6".to_owned(),
                other => other.to_owned(),
            }
        });
        let end = |default: &Value| rule.get("ToPort").unwrap_or(default).clone();
        let ports = rule.get("FromPort").and_then(|from| {
            let protocol = protocol.as_deref().unwrap_or_default();
            if MESSAGES.contains(&protocol) {
                let is_any = number(from) == Some(ANY);
                (!is_any).then(|| (from.clone(), end(&ANY.into())))
            } else {
                // Those that have a number alone have no ports.
                let is_numbered = protocol.parse::<i16>().is_ok();
                (!is_numbered).then(|| (from.clone(), end(from)))
            }
        });
        ["CidrIp", "CidrIpv6"]
            .into_iter()
            .filter_map(|name| rule.get(name))
            // What may be anything is judged as what it is in the worst case.
            .filter(|addresses| !unknown::is_anything(addresses))
            .map(move |addresses| Self {
                group: group.cloned(),
                addresses: addresses.clone(),
                protocol: protocol.clone(),
                ports: ports.clone(),
            })
    }

    fn is_of_messages(&self) -> bool {
        let protocol = self.protocol.as_deref();
        protocol.is_some_and(|protocol| MESSAGES.contains(&protocol))
    }

    fn range(&self) -> Option<Range> {
        self.addresses.as_str().and_then(Range::of)
    }

    /// Returns whether addresses that are no private ones may send.
    pub(super) fn is_public(&self) -> bool {
        self.range().is_some_and(|range| !range.is_private())
    }

    /// Returns whether all that another rule lets in comes in by this one.
    pub(super) fn covers(&self, other: &Self) -> bool {
        let addresses = match (self.range(), other.range()) {
            (Some(wide), Some(narrow)) => wide.covers(narrow),
            _ => same(&self.addresses, &other.addresses),
        };
        let protocol = || match (self.protocol.as_deref(), other.protocol.as_deref()) {
            (Some(ALL), _) => true,
            (one, other) => one == other,
        };
        let ports = || match (&self.ports, &other.ports) {
            (None, _) => true,
            (Some((kind, code)), Some((other, one))) if self.is_of_messages() => {
                same(kind, other) && (number(code) == Some(ANY) || same(code, one))
            }
            (Some((from, to)), Some((first, last))) => {
                let within = number(from)
                    .zip(number(first))
                    .zip(number(to).zip(number(last)))
                    .is_some_and(|((from, first), (to, last))| from <= first && last <= to);
                within || (same(from, first) && same(to, last))
            }
            (Some(_), None) => false,
        };
        let group = alike(self.group.as_ref(), other.group.as_ref());
        group && addresses && protocol() && ports()
    }
}

/// What all protocols are called.
const ALL: &str = "-1";

/// Protocols of messages, which have a type and a code in place of ports.
///
/// See <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_IpPermission.html>.
const MESSAGES: [&str; 2] = ["icmp", "icmpv6"];

/// The type of all messages, and the code of all of a type.
const ANY: i64 = -1;

fn number(port: &Value) -> Option<i64> {
    match port {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.parse().ok(),
        _ => None,
    }
}

impl fmt::Display for Rule {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.range() {
            Some(range) if range.prefix == 0 => formatter.write_str("any address reaches ")?,
            _ => write!(formatter, "{} reaches ", text(&self.addresses))?,
        }
        match &self.ports {
            None => formatter.write_str("it")?,
            Some((kind, code)) if self.is_of_messages() => {
                write!(formatter, "it by messages of type {}", text(kind))?;
                if number(code) != Some(ANY) {
                    write!(formatter, ", code {}", text(code))?;
                }
            }
            Some((from, to)) if same(from, to) => write!(formatter, "port {}", text(from))?,
            Some((from, to)) => write!(formatter, "ports {} to {}", text(from), text(to))?,
        }
        match self.protocol.as_deref() {
            None => Ok(()),
            Some(ALL) => formatter.write_str(" (all protocols)"),
            Some(protocol) => write!(formatter, " ({protocol})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn ranges_cover_what_is_in_them() {
        for (wide, narrow, expected) in [
            ("0.0.0.0/0", "10.0.0.0/8", true),
            ("10.0.0.0/8", "10.1.2.3/32", true),
            ("10.0.0.0/8", "10.1.2.3", true),
            ("10.1.2.3/8", "10.0.0.0/8", true),
            ("10.0.0.0/9", "10.0.0.0/8", false),
            ("10.0.0.0/8", "52.0.0.0/8", false),
            ("0.0.0.0/1", "192.0.2.1/32", false),
            ("::/0", "2001:db8::/32", true),
            ("2001:db8::/32", "2001:db9::/48", false),
            ("::/0", "10.0.0.0/8", false),
        ] {
            let [wide, narrow] = [wide, narrow].map(|text| Range::of(text).expect(text));
            assert_eq!(wide.covers(narrow), expected, "{wide:?} {narrow:?}");
        }
        for text in ["10.0.0.0/33", "::/129", "10.0.0/8", "a", ""] {
            assert_eq!(Range::of(text), None, "{text}");
        }
    }

    #[test]
    fn a_rule_covers_what_comes_in_by_it() {
        let rule = |protocol: &str, from: i64, to: i64| {
            let rule = json!({"CidrIp": "0.0.0.0/0", "IpProtocol": protocol, "FromPort": from, "ToPort": to});
            Rule::of(&rule, None).next().expect("is a rule")
        };
        let web = rule("tcp", 443, 443);
        for (other, covered, covers) in [
            (rule("6", 443, 443), true, true),
            (rule("tcp", 443, 65535), true, false),
            (rule("tcp", 0, 80), false, false),
            (rule("udp", 443, 443), false, false),
            (rule("-1", 443, 443), true, false),
        ] {
            assert_eq!(other.covers(&web), covered, "{other}");
            assert_eq!(web.covers(&other), covers, "{other}");
        }
    }
}
