//! Traps of distributions: how CloudFront asks the origins.

use std::collections::BTreeMap;

use serde_json::Value;

use super::super::Grade;
use super::super::widen::{elements, text};
use super::{Finding, Seen, Trap, is};

pub(super) const TRAPS: &[Trap] = &[
    Trap {
        types: &["AWS::CloudFront::Distribution"],
        source: "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/private-content-restricting-access-to-s3.html",
        find: unsigned,
    },
    Trap {
        types: &["AWS::CloudFront::Distribution"],
        source: "https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-properties-cloudfront-distribution-customoriginconfig.html",
        find: plain,
    },
];

/// Returns the origins that stay, by what identifies them, each as it is and as it will be. AWS refuses two of one id.
fn origins<'a>(seen: &Seen<'a>) -> Vec<(String, &'a Value, &'a Value)> {
    const ORIGINS: &str = "/DistributionConfig/Origins";
    if !seen.stays() {
        return Vec::new();
    }
    let of = |list: Option<&'a Value>| -> BTreeMap<String, &'a Value> {
        let mut by_id = BTreeMap::new();
        for origin in elements(list) {
            if let Some(id) = origin.get("Id") {
                let of_id: &mut Vec<&Value> = by_id.entry(text(id)).or_default();
                of_id.push(origin);
            }
        }
        let alone = by_id.into_iter().filter(|(_, origins)| origins.len() == 1);
        alone
            .flat_map(|(id, origins)| origins.into_iter().map(move |it| (id.clone(), it)))
            .collect()
    };
    let mut before = of(seen.before(ORIGINS));
    let after = of(seen.after(ORIGINS)).into_iter();
    after
        .filter_map(|(id, after)| Some((id.clone(), before.remove(&id)?, after)))
        .collect()
}

/// An origin that CloudFront no longer proves itself to serves nobody, unless it lets in everybody.
fn unsigned(seen: &Seen<'_>) -> Vec<Finding> {
    let proves = |origin: &Value| {
        let said = |value: Option<&Value>| value.is_some_and(|it| it.as_str() != Some(""));
        said(origin.get("OriginAccessControlId"))
            || said(origin.pointer("/S3OriginConfig/OriginAccessIdentity"))
    };
    let lost = origins(seen).into_iter();
    lost.filter(|(_, before, after)| proves(before) && !proves(after))
        .map(|(id, _, _)| {
            Finding::new(
                Grade::PermissionWidened,
                format!(
                    "CloudFront no longer signs what it asks the origin {id} for: it gets only what everybody may read"
                ),
            )
        })
        .collect()
}

/// An origin that may be asked without encryption.
fn plain(seen: &Seen<'_>) -> Vec<Finding> {
    let https = |origin: &Value| {
        is(
            origin.pointer("/CustomOriginConfig/OriginProtocolPolicy"),
            "https-only",
        )
    };
    let lost = origins(seen).into_iter();
    lost.filter(|(_, before, after)| https(before) && !https(after))
        .map(|(id, _, _)| {
            Finding::new(
                Grade::PermissionWidened,
                format!("CloudFront may ask the origin {id} over plain HTTP"),
            )
        })
        .collect()
}
