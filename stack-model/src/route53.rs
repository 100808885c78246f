//! Amazon Route 53: hosted zones and records.

use stack_model_cfn::{ResourceId, Value};

use crate::handle::{Handle, elsewhere};

/// The handle of a hosted zone: one of the app, or one that somebody else keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostedZoneRef {
    id: ResourceId,
    zone_id: Value<String>,
    name: String,
}

impl HostedZoneRef {
    /// Stands for a hosted zone that somebody else keeps, by its id, such as `Z0123456789ABCDEFGHIJ`, and the domain
    /// it is for. A dot at the end of the domain makes no difference.
    pub fn existing(zone_id: impl Into<Value<String>>, name: impl Into<String>) -> Self {
        let name: String = name.into();
        Self {
            id: elsewhere(&name),
            zone_id: zone_id.into(),
            name: name.trim_end_matches('.').to_ascii_lowercase(),
        }
    }

    /// Returns the id.
    pub fn zone_id(&self) -> Value<String> {
        self.zone_id.clone()
    }

    /// Returns the domain that the zone is for, in lower case and without a dot at its end.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl Handle for HostedZoneRef {
    fn resource_id(&self) -> &ResourceId {
        &self.id
    }
}
