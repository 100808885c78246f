//! Certificates that exist already: whether a domain can be served with them.

use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime},
};

use serde_json::{Value, json};

use super::{
    Check, Concern, Weight,
    look::{Declared, Look},
    unknown,
};
use crate::aws::{AwsError, Clients, signed::ACM};
use crate::engine::certificate::{EDGE, PLACES};

/// How long before its end a certificate is told that nobody renews.
const SOON: Duration = Duration::from_hours(24 * 30);

/// A certificate as a resource uses it.
struct Use<'a> {
    arn: &'a str,
    /// The region that it has to be in.
    region: &'a str,
    /// What it has to be for.
    names: Vec<&'a str>,
}

/// A certificate as Certificate Manager describes it.
struct Certificate {
    status: String,
    names: Vec<String>,
    end: Option<SystemTime>,
    /// Whether AWS renews it.
    renewed: bool,
}

/// Looks at the certificates of domains.
pub(super) async fn check(clients: &Clients, looks: &[Look<'_>], now: SystemTime) -> Vec<Concern> {
    let mut concerns = Vec::new();
    let mut known: BTreeMap<&str, Result<Option<Certificate>, ()>> = BTreeMap::new();
    for look in looks {
        for resource in look.declared() {
            for used in uses(clients, look, &resource) {
                let subject = look.subject(resource.logical_id);
                // What is there works, or did.
                let weight = if look.is_new(&resource) {
                    Weight::Refused
                } else {
                    Weight::Warning
                };
                let of = |weight, message: String, hints| Concern {
                    check: Check::Certificate,
                    weight,
                    subject: subject.clone(),
                    message,
                    hints,
                };
                let mut parts = used.arn.split(':').skip(3);
                let (region, account) = (parts.next(), parts.next());
                let (Some(region), Some(account)) = (region, account) else {
                    continue;
                };
                if region != used.region {
                    let message = format!(
                        "its certificate is in {region}, and has to be in {}",
                        used.region
                    );
                    let hint = format!("request or import one in {}", used.region);
                    concerns.push(of(weight, message, vec![hint]));
                    continue;
                }
                if account != clients.identity().account {
                    continue;
                }
                if !known.contains_key(used.arn) {
                    let described = match describe(clients, region, used.arn).await {
                        Ok(found) => Ok(found),
                        Err(error) => {
                            concerns.push(unknown(Check::Certificate, &subject, &error));
                            Err(())
                        }
                    };
                    known.insert(used.arn, described);
                }
                match known.get(used.arn) {
                    Some(Ok(Some(certificate))) => {
                        let options = format!("--region {region} --certificate-arn {}", used.arn);
                        let found = objections(certificate, &used.names, now, &options);
                        concerns.extend(found.into_iter().map(|(final_, message, hint)| {
                            let weight = if final_ { weight } else { Weight::Warning };
                            of(weight, message, vec![hint])
                        }));
                    }
                    Some(Ok(None)) => {
                        let message = format!("there is no certificate {}", used.arn);
                        concerns.push(of(weight, message, Vec::new()));
                    }
                    Some(Err(())) | None => {}
                }
            }
        }
    }
    concerns
}

/// Returns the certificates that a resource names in full, and what for.
fn uses<'a>(clients: &'a Clients, look: &'a Look<'_>, resource: &Declared<'a>) -> Vec<Use<'a>> {
    let properties = resource.properties;
    let regional = clients.region();
    let places = PLACES
        .iter()
        .filter(|place| place.resource_type == resource.kind);
    places
        .filter_map(|place| {
            let arn = look.text(properties.pointer(place.certificate)?)?;
            let names = properties.pointer(place.names);
            let names: Vec<&Value> = match names {
                Some(Value::Array(names)) => names.iter().collect(),
                one => one.into_iter().collect(),
            };
            arn.starts_with("arn:").then(|| Use {
                arn,
                region: if place.edge { EDGE } else { regional },
                names: names.into_iter().filter_map(|it| look.text(it)).collect(),
            })
        })
        .collect()
}

/// Describes a certificate (<https://docs.aws.amazon.com/acm/latest/APIReference/API_DescribeCertificate.html>).
async fn describe(
    clients: &Clients,
    region: &str,
    arn: &str,
) -> Result<Option<Certificate>, AwsError> {
    const OPERATION: &str = "DescribeCertificate";
    let input = json!({"CertificateArn": arn});
    let answer = match clients.json(ACM, region, OPERATION, &input).await {
        Ok(answer) => answer,
        Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(None),
        Err(error) => return Err(error),
    };
    let found = &answer["Certificate"];
    let status = found["Status"]
        .as_str()
        .ok_or_else(|| AwsError::incomplete(OPERATION, "status"))?;
    let more = found["SubjectAlternativeNames"].as_array();
    let names = more
        .into_iter()
        .flatten()
        .chain([&found["DomainName"]])
        .filter_map(Value::as_str);
    Ok(Some(Certificate {
        status: status.to_owned(),
        names: names.map(str::to_ascii_lowercase).collect(),
        end: found["NotAfter"]
            .as_f64()
            .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok())
            .and_then(|after| SystemTime::UNIX_EPOCH.checked_add(after)),
        renewed: found["Type"] == "AMAZON_ISSUED",
    }))
}

/// Says what speaks against a certificate: whether nothing works with it, what it is, and what to do. `options` name it to
/// a command.
fn objections(
    certificate: &Certificate,
    names: &[&str],
    now: SystemTime,
    options: &str,
) -> Vec<(bool, String, String)> {
    let mut found = Vec::new();
    match certificate.status.as_str() {
        "ISSUED" => {}
        "PENDING_VALIDATION" => found.push((
            true,
            "its certificate is not issued yet: it waits for its validation".to_owned(),
            format!("enter the record that `aws acm describe-certificate {options}` names under DomainValidationOptions"),
        )),
        other => found.push((
            true,
            format!("its certificate is {other}"),
            "request or import another one".to_owned(),
        )),
    }
    for name in names {
        if !certificate.names.iter().any(|it| covers(it, name)) {
            found.push((
                true,
                format!(
                    "its certificate is for {}, and not for {name}",
                    certificate.names.join(", ")
                ),
                format!("request or import one that is for {name}"),
            ));
        }
    }
    if let (Some(end), false) = (certificate.end, certificate.renewed)
        && certificate.status == "ISSUED"
        && end < now + SOON
    {
        let days = end.duration_since(now).unwrap_or_default().as_secs() / 86_400;
        found.push((
            false,
            format!("its certificate ends in {days} days, and was imported: AWS does not renew it"),
            format!(
                "import the next one under the same ARN: `aws acm import-certificate {options} --certificate fileb://CERTIFICATE \
                 --private-key fileb://KEY`"
            ),
        ));
    }
    found
}

/// Returns whether a name of a certificate is for a name: it is the same, or has a star for its first label
/// (<https://docs.aws.amazon.com/acm/latest/userguide/acm-certificate-characteristics.html>).
fn covers(pattern: &str, name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    match pattern.strip_prefix("*.") {
        Some(parent) => name
            .split_once('.')
            .is_some_and(|(label, rest)| !label.is_empty() && rest == parent),
        None => pattern == name,
    }
}

#[cfg(test)]
mod tests {
    use super::covers;

    #[test]
    fn a_star_is_for_one_label() {
        assert!(covers("example.com", "Example.com"));
        assert!(covers("*.example.com", "api.example.com"));
        assert!(!covers("*.example.com", "example.com"));
        assert!(!covers("*.example.com", "a.api.example.com"));
        assert!(covers("*.example.com", "*.example.com"));
    }
}
