//! Which release is like what is deployed, where nobody wrote down the state that the stack has.

use serde_json::Value;

use super::{StackRelease, StackReleases, parse};
use crate::{
    aws::{AwsError, object},
    engine::{DeployedStack, inspect},
};

/// How many older releases are read together to know which of them is deployed.
const TOGETHER: usize = 4;

impl StackRelease {
    /// Returns whether a stack is deployed like this, whatever the releases of its functions are called.
    fn is(&self, deployed: &DeployedStack, template: &Value) -> bool {
        let manifest = &self.manifest;
        let mut tags = manifest.tags.iter();
        let mut parameters = manifest
            .parameters
            .iter()
            .filter(|(name, _)| !manifest.releases.contains_key(*name));
        serde_json::from_str::<Value>(&self.template).ok().as_ref() == Some(template)
            && tags.all(|(name, value)| deployed.tags.get(name) == Some(value))
            && parameters.all(|(name, value)| deployed.parameters.get(name) == Some(value))
    }

    /// Returns whether the releases of the functions of a stack are those of this one.
    fn has_names(&self, deployed: &DeployedStack) -> bool {
        let manifest = &self.manifest;
        let mut names = manifest.releases.keys();
        names.all(|name| deployed.parameters.get(name) == manifest.parameters.get(name))
    }
}

impl StackReleases {
    /// Returns the release that has the template, the parameters and the tags that are deployed: of several the one whose
    /// functions have the same names of releases, and else the newest.
    pub(super) async fn alike(&self) -> Result<Option<&StackRelease>, AwsError> {
        let alike = self.alike.get_or_try_init(|| self.find_alike()).await?;
        Ok(alike.as_deref())
    }

    async fn find_alike(&self) -> Result<Option<Box<StackRelease>>, AwsError> {
        let (Some(clients), Some(deployed)) = (&self.clients, &self.deployed) else {
            return Ok(None);
        };
        if self.records.is_empty() {
            return Ok(None);
        }
        let template = inspect::template(clients, &deployed.id).await?;
        let Some(template) = template.and_then(|text| serde_json::from_str(&text).ok()) else {
            return Ok(None);
        };
        let keys: Vec<String> = self.records.values().rev().cloned().collect();
        let (newest, others) = keys.split_at(1);
        let mut alike = None;
        // Mostly it is the newest, and a record holds a whole template.
        for keys in std::iter::once(newest).chain(others.chunks(TOGETHER)) {
            for object in object::read_all(clients, &self.bucket, keys).await? {
                let release = self.own(clients, parse(&object.bytes)?)?;
                if !release.is(deployed, &template) {
                    continue;
                }
                if release.has_names(deployed) {
                    return Ok(Some(Box::new(release)));
                }
                alike.get_or_insert(Box::new(release));
            }
        }
        Ok(alike)
    }
}
