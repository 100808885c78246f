//! What a stack holds that is about to go. Once it is gone, CloudFormation does not tell any more what it kept and which
//! logs services made for it, so that is read before.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    Adoption, Parting,
    ledger::{self, Fate, Resource},
    parsed, traces,
};
use crate::{
    aws::AwsError,
    engine::{
        Context, DeployedStack, inspect,
        plan::moves::{self, UnderWay},
    },
    template::referenced,
};

/// What a stack holds, and what is to be done about it once the stack is gone.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Contents {
    /// The id of the stack: another one of the same name may follow.
    pub(super) stack_id: String,
    pub(super) resources: Vec<Resource>,
    /// The log groups that services may have made by themselves.
    pub(super) log_groups: BTreeSet<traces::Name>,
    /// What takes back what is kept.
    pub(super) adoptions: Vec<Adoption>,
}

/// A resource that stays and can be read with a key only that goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct LosesKey {
    pub(super) logical_id: String,
    pub(super) key: String,
}

impl Contents {
    /// Reads what a stack holds. `retain` are resources that stay, whatever the template says of them.
    pub(super) async fn read(
        context: &Context,
        deployed: &DeployedStack,
        retain: &BTreeSet<String>,
    ) -> Result<(Self, Value), AwsError> {
        let clients = &context.clients;
        let template = inspect::template(clients, &deployed.id).await?;
        let listed = inspect::resources_ever(clients, &deployed.id).await?;
        let (mut resources, mut deleted) = (Vec::new(), Vec::new());
        // What an update took out long ago may be somebody else's by now: only what this removal took counts.
        let goes = deployed.status.as_str().starts_with("DELETE_");
        let begun = deployed.removed.unwrap_or(SystemTime::UNIX_EPOCH);
        for (resource, since) in listed {
            match since {
                None => resources.push(resource),
                Some(since) if goes && since >= begun => deleted.push(resource),
                Some(_) => {}
            }
        }
        let (template, resources) = gathered(parsed(template), resources);
        let mut contents = Self::of(deployed, &template, resources, retain);
        // A function that went with a removal that is half done, or was, has left its log group all the same.
        let deleted = ledger::resources(&template, &deployed.parameters, deleted);
        contents
            .log_groups
            .extend(traces::names(&template, &deleted));
        Ok((contents, template))
    }

    pub(super) fn of(
        deployed: &DeployedStack,
        template: &Value,
        resources: Vec<inspect::DeployedResource>,
        retain: &BTreeSet<String>,
    ) -> Self {
        let mut resources = ledger::resources(template, &deployed.parameters, resources);
        ledger::keep(&mut resources, retain);
        let kept = resources.iter().filter(|resource| resource.stays_alone());
        let adoption = Adoption::of(&Parting {
            stack_id: &deployed.id,
            template,
            parameters: &deployed.parameters,
            tags: &deployed.tags,
            resources: resources.iter().map(|it| &it.deployed).collect(),
            leaving: kept.map(|it| &it.deployed).collect(),
            stays: None,
        });
        Self {
            stack_id: deployed.id.clone(),
            log_groups: traces::names(template, &resources),
            adoptions: adoption.into_iter().collect(),
            resources,
        }
    }

    /// Adds what an earlier removal was about to get rid of, where this goes on with it: that of the same stack, which
    /// failed after a part of it, or of an earlier stack of the same name.
    pub(super) fn and(mut self, earlier: &Self) -> Self {
        for resource in &earlier.resources {
            let same = |own: &Resource| {
                let (own, other) = (&own.deployed, &resource.deployed);
                (&own.resource_type, &own.physical_id) == (&other.resource_type, &other.physical_id)
            };
            if !self.resources.iter().any(same) {
                self.resources.push(resource.clone());
            }
        }
        self.log_groups.extend(earlier.log_groups.iter().cloned());
        for adoption in &earlier.adoptions {
            if !self
                .adoptions
                .iter()
                .any(|own| own.is_of_stack_of(adoption))
            {
                self.adoptions.push(adoption.clone());
            }
        }
        self
    }

    /// Returns what stays and is encrypted with a key that goes: nobody reads it any more once AWS has deleted the key.
    pub(super) fn losing_keys(&self, template: &Value) -> Vec<LosesKey> {
        let by_id: BTreeMap<&str, &Resource> = (self.resources.iter())
            .map(|resource| (resource.deployed.logical_id.as_str(), resource))
            .collect();
        let mut found = Vec::new();
        for resource in self.resources.iter().filter(|it| it.fate == Fate::Kept) {
            let logical_id = &resource.deployed.logical_id;
            for key in referenced(&template["Resources"][logical_id.as_str()]) {
                let is_lost = by_id.get(key.as_str()).is_some_and(|key| {
                    key.fate == Fate::Deleted && key.deployed.resource_type == "AWS::KMS::Key"
                });
                if is_lost {
                    let logical_id = logical_id.clone();
                    found.push(LosesKey { logical_id, key });
                }
            }
        }
        found
    }
}

/// Adds what left a stack to be renamed and belongs to none, under its new logical id: nobody but the template of the stack
/// knows of it, and it stays, whatever becomes of the stack. It may be gone as well; then the commands that remove it say so.
fn gathered(
    template: Value,
    mut resources: Vec<inspect::DeployedResource>,
) -> (Value, Vec<inspect::DeployedResource>) {
    match moves::under_way(&template) {
        Some(UnderWay::Away(away)) => {
            resources.extend(away.moves.iter().map(|(to, it)| it.resource(to)));
            (away.template, resources)
        }
        _ => (template, resources),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::StackStatus;

    fn deployed(id: &str) -> DeployedStack {
        DeployedStack {
            id: id.to_owned(),
            status: StackStatus::new("CREATE_COMPLETE"),
            reason: None,
            changed: None,
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            outputs: BTreeMap::new(),
            exports: BTreeMap::new(),
            termination_protection: false,
            express: false,
            removed: None,
        }
    }

    fn found(rows: &[(&str, &str)]) -> Vec<inspect::DeployedResource> {
        rows.iter()
            .map(|(logical_id, resource_type)| inspect::DeployedResource {
                logical_id: (*logical_id).to_owned(),
                resource_type: (*resource_type).to_owned(),
                physical_id: logical_id.to_lowercase(),
            })
            .collect()
    }

    fn template() -> Value {
        json!({"Resources": {
            "Table": {
                "Type": "AWS::DynamoDB::Table",
                "DeletionPolicy": "Retain",
                "Properties": {
                    "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
                    "SSESpecification": {"KMSMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]}},
                },
            },
            "Key": {"Type": "AWS::KMS::Key"},
            "Api": {"Type": "AWS::Lambda::Function"},
        }})
    }

    const ALL: [(&str, &str); 3] = [
        ("Table", "AWS::DynamoDB::Table"),
        ("Key", "AWS::KMS::Key"),
        ("Api", "AWS::Lambda::Function"),
    ];

    #[test]
    fn what_the_first_attempt_deleted_is_not_forgotten_by_the_second() {
        let none = BTreeSet::new();
        let first = Contents::of(&deployed("a"), &template(), found(&ALL), &none);
        // The function is gone, and the table may not be deleted.
        let second = Contents::of(&deployed("a"), &template(), found(&ALL[..2]), &none);
        assert!(second.log_groups.is_empty());
        let both = second.and(&first);
        assert_eq!(both.log_groups, first.log_groups);
        assert_eq!(both.resources.len(), 3);
        assert_eq!(both.adoptions.len(), 1, "that of the second is as good");
        let another = Contents::of(&deployed("b"), &template(), found(&ALL[1..]), &none);
        assert_eq!(another.and(&first).adoptions, first.adoptions);
    }

    #[test]
    fn a_key_that_goes_takes_what_stays_along() {
        let none = BTreeSet::new();
        let contents = Contents::of(&deployed("a"), &template(), found(&ALL), &none);
        let lost = LosesKey {
            logical_id: "Table".to_owned(),
            key: "Key".to_owned(),
        };
        assert_eq!(contents.losing_keys(&template()), [lost]);
        let mut kept = template();
        kept["Resources"]["Key"]["DeletionPolicy"] = "Retain".into();
        let contents = Contents::of(&deployed("a"), &kept, found(&ALL), &none);
        assert_eq!(contents.losing_keys(&kept), []);
    }
}
