//! The regions that are known by name, to find those that are mistyped.

use super::Region;

/// The regions of all partitions
/// (<https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html>).
const KNOWN: &[&str] = &[
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-south-2",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-central-1",
    "ca-west-1",
    "cn-north-1",
    "cn-northwest-1",
    "eu-central-1",
    "eu-central-2",
    "eu-isoe-west-1",
    "eu-north-1",
    "eu-south-1",
    "eu-south-2",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "eusc-de-east-1",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-gov-east-1",
    "us-gov-west-1",
    "us-iso-east-1",
    "us-iso-west-1",
    "us-isob-east-1",
    "us-isob-west-1",
    "us-isof-east-1",
    "us-isof-south-1",
    "us-west-1",
    "us-west-2",
];

/// Says what is odd about a region that nobody knows: AWS opens new ones, so that it is no error.
pub(super) fn oddity(region: &str) -> Option<String> {
    if KNOWN.contains(&region) {
        return None;
    }
    let near = crate::cli::nearest(region, KNOWN);
    let near = near.map_or_else(String::new, |near| format!(": did you mean `{near}`?"));
    Some(format!("`{region}` is no region that stackctl knows{near}"))
}

impl Region {
    /// Says what is odd about the region, where nobody knows it.
    pub(super) fn oddity(&self) -> Option<String> {
        oddity(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistyped_region_is_told_with_the_nearest() {
        assert_eq!(oddity("eu-central-1"), None);
        assert_eq!(
            oddity("us-esat-1").as_deref(),
            Some("`us-esat-1` is no region that stackctl knows: did you mean `us-east-1`?")
        );
        assert_eq!(
            oddity("mars-crater-12").as_deref(),
            Some("`mars-crater-12` is no region that stackctl knows")
        );
        for region in KNOWN {
            assert!(region.parse::<Region>().is_ok(), "{region}");
        }
    }
}
