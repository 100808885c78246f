//! Hosted zones: whether the world asks them.
//!
//! A zone answers nobody before the zone above it names its servers. Records in it are made all the same, and a certificate
//! that is validated by one is waited for until CloudFormation gives up, hours later.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::{Check, Concern, Weight, look::Look, unknown};
use crate::aws::{
    AwsError, Clients,
    dns::{self, Kind},
};

/// What is to be made in a zone.
#[derive(Default)]
struct Use {
    /// The resource that is told.
    subject: String,
    /// Whether a certificate waits for it.
    certificate: bool,
}

/// A zone of Route 53.
struct Zone {
    name: String,
    private: bool,
    servers: BTreeSet<String>,
}

/// Looks at the zones of what is to be made.
pub(super) async fn check(clients: &Clients, looks: &[Look<'_>]) -> Vec<Concern> {
    let mut concerns = Vec::new();
    let mut zones: BTreeMap<&str, Use> = BTreeMap::new();
    for look in looks {
        for resource in look.created() {
            let certificate = resource.kind == "AWS::CertificateManager::Certificate";
            for zone in named(resource.kind, resource.properties) {
                let subject = look.subject(resource.logical_id);
                if let Some(id) = look.text(zone) {
                    let found = zones.entry(id).or_default();
                    if found.subject.is_empty() || (certificate && !found.certificate) {
                        found.subject = subject;
                    }
                    found.certificate |= certificate;
                } else if certificate
                    && let Some(zone) = look.target(zone)
                    && look.is_new(&zone)
                {
                    concerns.push(new_zone(subject, zone.logical_id));
                }
            }
        }
    }
    for (id, used) in zones {
        let subject = used.subject.clone();
        match look_at(clients, id, &used).await {
            Ok(found) => concerns.extend(found),
            Err(error) => concerns.push(unknown(Check::HostedZone, &subject, &error)),
        }
    }
    concerns
}

/// Returns the values that name zones.
fn named<'a>(kind: &str, properties: &'a Value) -> Vec<&'a Value> {
    match kind {
        "AWS::Route53::RecordSet" | "AWS::Route53::RecordSetGroup" => {
            properties.get("HostedZoneId").into_iter().collect()
        }
        "AWS::CertificateManager::Certificate" => properties
            .get("DomainValidationOptions")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|option| option.get("HostedZoneId"))
            .collect(),
        _ => Vec::new(),
    }
}

/// Says what a certificate in a zone of the same deploy waits for.
fn new_zone(subject: String, zone: &str) -> Concern {
    Concern {
        check: Check::HostedZone,
        weight: Weight::Warning,
        subject,
        message: format!(
            "it is validated in the zone {zone}, which is new: CloudFormation waits until the zone above names its servers"
        ),
        hints: vec![
            "enter the servers of the zone where the domain is registered as soon as it is made (`aws route53 get-hosted-zone`), or make the zone in a stack of its own first".to_owned(),
        ],
    }
}

async fn look_at(clients: &Clients, id: &str, used: &Use) -> Result<Option<Concern>, AwsError> {
    let subject = used.subject.clone();
    let of = |weight, message: String, hints| Concern {
        check: Check::HostedZone,
        weight,
        subject: subject.clone(),
        message,
        hints,
    };
    let zone = match zone(clients, id).await {
        Ok(zone) => zone,
        Err(error) if error.code() == Some("NoSuchHostedZone") => {
            let message = format!("there is no hosted zone {id}");
            let hint = "`aws route53 list-hosted-zones` names those of the account".to_owned();
            return Ok(Some(of(Weight::Refused, message, vec![hint])));
        }
        Err(error) => return Err(error),
    };
    let name = &zone.name;
    if zone.private {
        return Ok(used.certificate.then(|| {
            let message = format!(
                "it is validated in the zone {name} ({id}), which is private: AWS looks in public DNS, so it is never issued"
            );
            of(Weight::Warning, message, Vec::new())
        }));
    }
    let servers = clients.name_servers();
    let told = match dns::ask(servers, name.clone(), Kind::Ns).await {
        Ok(told) => told.into_iter().collect::<BTreeSet<_>>(),
        Err(error) => {
            let message = format!("nobody could look whether the zone {name} is asked: {error}");
            return Ok(Some(of(Weight::Unknown, message, Vec::new())));
        }
    };
    let own: Vec<&str> = zone.servers.iter().map(String::as_str).collect();
    if told.is_subset(&zone.servers) && !told.is_empty() {
        return Ok(None);
    }
    let found = if told.is_empty() {
        "public DNS names no servers for it".to_owned()
    } else {
        let told: Vec<&str> = told.iter().map(String::as_str).collect();
        format!("public DNS names {} for it", told.join(", "))
    };
    let then = if used.certificate {
        "a certificate is not issued before that is right, and CloudFormation waits for it"
    } else {
        "nobody sees its records before that is right"
    };
    let message = format!(
        "the zone {name} ({id}) is served by {}, and {found}: {then}",
        own.join(", ")
    );
    let hint = format!(
        "enter its servers where {name} is registered, or as the NS record of {name} in the zone above"
    );
    Ok(Some(of(Weight::Warning, message, vec![hint])))
}

/// Reads a zone (<https://docs.aws.amazon.com/Route53/latest/APIReference/API_GetHostedZone.html>).
async fn zone(clients: &Clients, id: &str) -> Result<Zone, AwsError> {
    const OPERATION: &str = "GetHostedZone";
    let id = id.trim_start_matches("/hostedzone/");
    let path = format!("/hostedzone/{}", crate::aws::signed::encoded(id));
    let answer = clients.route53(OPERATION, &path).await?;
    let bare = |name: &str| name.trim_end_matches('.').to_ascii_lowercase();
    let name = answer
        .text_at(&["HostedZone", "Name"])
        .map(bare)
        .ok_or_else(|| AwsError::incomplete(OPERATION, "name"))?;
    Ok(Zone {
        name,
        private: answer.text_at(&["HostedZone", "Config", "PrivateZone"]) == Some("true"),
        servers: answer
            .all(&["DelegationSet", "NameServers"])
            .iter()
            .map(|server| bare(server.text()))
            .collect(),
    })
}
