//! Hosts of AWS, and how texts stand in addresses.

/// Returns whether the hosts of a region's partition are known: those of China, of GovCloud, and the commercial one, to which
/// everything is sent that is neither. The others begin with `us-iso`, `eu-isoe-`, `eusc-`
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html>).
pub(crate) fn is_known(region: &str) -> bool {
    const AREAS: [&str; 10] = ["af", "ap", "ca", "cn", "eu", "il", "me", "mx", "sa", "us"];
    let mut parts = region.split('-');
    let (area, side) = (parts.next(), parts.next().unwrap_or_default());
    area.is_some_and(|area| AREAS.contains(&area)) && !side.starts_with("iso")
}

/// Returns the host of an address.
pub(super) fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split('/').next().unwrap_or(rest)
}

/// Returns the end of the hosts of a region.
pub(crate) fn suffix(region: &str) -> &'static str {
    if region.starts_with("cn-") {
        "amazonaws.com.cn"
    } else {
        "amazonaws.com"
    }
}

/// The regions of a partition in which the services are at home that are one for all of its regions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Home {
    /// That of IAM (<https://docs.aws.amazon.com/general/latest/gr/iam-service.html>).
    pub(crate) iam: &'static str,
    /// That of CloudFront and Route 53 (<https://docs.aws.amazon.com/general/latest/gr/r53.html>).
    pub(crate) edge: &'static str,
}

impl Home {
    /// Returns those of the partition of a region, and of the commercial one for a region of no partition that is known.
    pub(crate) fn of(region: &str) -> Self {
        let (iam, edge) = if region.starts_with("cn-") {
            ("cn-north-1", "cn-northwest-1")
        } else if region.starts_with("us-gov-") {
            ("us-gov-west-1", "us-gov-west-1")
        } else {
            ("us-east-1", "us-east-1")
        };
        Self { iam, edge }
    }
}

/// Writes a text as a part of an address or of a form.
pub(crate) fn encoded(text: &str) -> String {
    let bytes = text.bytes().map(|byte| match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
            char::from(byte).to_string()
        }
        _ => format!("%{byte:02X}"),
    });
    bytes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_known_of_three_partitions() {
        for known in [
            "eu-central-1",
            "us-east-1",
            "us-gov-west-1",
            "cn-north-1",
            "mx-central-1",
        ] {
            assert!(is_known(known), "{known}");
        }
        for other in [
            "eusc-de-east-1",
            "us-iso-east-1",
            "us-isob-west-1",
            "eu-isoe-west-1",
            "us-isof-south-1",
        ] {
            assert!(!is_known(other), "{other}");
        }
    }

    #[test]
    fn what_is_global_is_at_home_in_a_region_of_its_partition() {
        for (region, iam, edge) in [
            ("eu-central-1", "us-east-1", "us-east-1"),
            ("us-east-1", "us-east-1", "us-east-1"),
            ("cn-north-1", "cn-north-1", "cn-northwest-1"),
            ("us-gov-east-1", "us-gov-west-1", "us-gov-west-1"),
        ] {
            assert_eq!(Home::of(region), Home { iam, edge }, "{region}");
        }
    }

    #[test]
    fn what_stands_in_a_form_is_encoded() {
        assert_eq!(
            encoded("arn:aws:iam::1:role/a b"),
            "arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fa%20b"
        );
    }
}
