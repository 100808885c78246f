//! Finds who is given what the policy of an identity allows: the roles, users and groups that have it, and what acts as
//! those roles.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use serde_json::Value;

use super::super::compare::type_of;
use super::super::references::names;
use super::employed::roles;
use super::granted::ATTACHED;
use super::{elements, text};

/// Who is given what in one template.
pub(in super::super) struct Whose<'a> {
    pub(in super::super) resources: &'a BTreeMap<String, Value>,
    /// What acts as a role, by the logical id of that: most changes are of none, and then nobody asks.
    acting: OnceCell<BTreeMap<&'a str, BTreeSet<&'a str>>>,
}

/// How many are named; of more, the others are counted.
const NAMED: usize = 3;

impl<'a> Whose<'a> {
    /// Knows the resources of a template.
    pub(in super::super) fn of(resources: &'a BTreeMap<String, Value>) -> Self {
        let acting = OnceCell::new();
        Self { resources, acting }
    }

    /// Returns who is given what the policies of a resource say, in words: `Fulfil (FulfilRole), Auditor`. Nothing, where that
    /// is the resource itself and nothing acts as it, and where it gives nothing to an identity.
    pub(in super::super) fn told(&self, id: &str, resource: &Value) -> String {
        let kind = type_of(resource);
        let mut told = BTreeSet::new();
        if kind == "AWS::IAM::Role" {
            told.extend(self.acting(id).map(str::to_owned));
        } else if IDENTITIES.contains(&kind) {
            for (place, holder) in self.holders(id, resource) {
                let mut acting = self.acting(&holder).peekable();
                if acting.peek().is_none() {
                    told.insert(place);
                } else {
                    told.extend(acting.map(|one| format!("{one} ({holder})")));
                }
            }
        }
        let (count, mut told) = (told.len(), told.into_iter());
        let mut line = told.by_ref().take(NAMED).collect::<Vec<_>>().join(", ");
        if count > NAMED {
            // Writing to a String cannot fail.
            let _ = write!(line, " and {} more", count - NAMED);
        }
        line
    }

    /// Returns what acts as a role.
    fn acting(&self, role: &str) -> impl Iterator<Item = &'a str> {
        let acting = self.acting.get_or_init(|| self.index());
        acting.get(role).into_iter().flatten().copied()
    }

    /// Finds what acts as which role, in one walk.
    fn index(&self) -> BTreeMap<&'a str, BTreeSet<&'a str>> {
        let mut found: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (id, body) in self.resources {
            for name in roles(body).into_iter().flat_map(names) {
                let role = self.resources.get_key_value(&name);
                if let Some((role, _)) = role.filter(|(_, body)| type_of(body) == "AWS::IAM::Role")
                {
                    found.entry(role).or_default().insert(id);
                }
            }
        }
        found
    }

    /// Returns to whom a policy is attached, in words and by logical id, where it has one.
    fn holders(&self, id: &str, policy: &Value) -> BTreeSet<(String, String)> {
        let own = |value: &Value| {
            let mut named = names(value).into_iter();
            let id = named.find(|name| self.resources.contains_key(name));
            let place = id.clone().unwrap_or_else(|| text(value));
            (place, id.unwrap_or_default())
        };
        let attached = ATTACHED.iter().filter(|(of, _)| *of == type_of(policy));
        let mut found: BTreeSet<(String, String)> = attached
            .flat_map(|(_, places)| *places)
            .filter_map(|place| policy.get("Properties")?.get(place))
            .flat_map(|value| elements(Some(value)))
            .map(own)
            .collect();
        // A role, a user or a group may name it as well.
        if type_of(policy) == "AWS::IAM::ManagedPolicy" {
            let having = self.resources.iter().filter(|(_, body)| {
                let arns = body
                    .get("Properties")
                    .and_then(|all| all.get("ManagedPolicyArns"));
                let mut arns = elements(arns).into_iter();
                arns.any(|arn| names(arn).contains(id))
            });
            found.extend(having.map(|(holder, _)| (holder.clone(), holder.clone())));
        }
        found
    }
}

/// Types that are a policy of identities.
const IDENTITIES: [&str; 5] = [
    "AWS::IAM::GroupPolicy",
    "AWS::IAM::ManagedPolicy",
    "AWS::IAM::Policy",
    "AWS::IAM::RolePolicy",
    "AWS::IAM::UserPolicy",
];

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn told(id: &str, resources: Value) -> String {
        let resources: BTreeMap<String, Value> =
            serde_json::from_value(resources).expect("is a map");
        Whose::of(&resources).told(id, &resources[id])
    }

    #[test]
    fn whoever_acts_as_a_role_has_what_its_policies_allow() {
        let function = |role: &str| json!({"Type": "AWS::Lambda::Function", "Properties": {"Role": {"Fn::GetAtt": [role, "Arn"]}}});
        let role = json!({"Type": "AWS::IAM::Role"});
        let policy = |properties: Value| json!({"Type": "AWS::IAM::ManagedPolicy", "Properties": properties});
        let all = |more: (&str, Value)| {
            let mut all = json!({
                "Fulfil": function("FulfilRole"), "FulfilRole": role, "Idle": role,
                "Having": {"Type": "AWS::IAM::Role", "Properties": {"ManagedPolicyArns": [{"Ref": "Shared"}]}},
            });
            all[more.0] = more.1;
            all
        };
        assert_eq!(told("FulfilRole", all(("Other", role.clone()))), "Fulfil");
        assert_eq!(told("Idle", all(("Other", role.clone()))), "");
        let attached = policy(
            json!({"Roles": [{"Ref": "FulfilRole"}, {"Ref": "Idle"}, "legacy", {"Ref": "Given"}]}),
        );
        assert_eq!(
            told("Access", all(("Access", attached))),
            "Fulfil (FulfilRole), Given, Idle and 1 more"
        );
        assert_eq!(told("Shared", all(("Shared", policy(json!({}))))), "Having");
        assert_eq!(told("Access", all(("Access", policy(json!({}))))), "");
        // A policy of a resource says itself to whom.
        let bucket =
            json!({"Type": "AWS::S3::BucketPolicy", "Properties": {"Bucket": {"Ref": "Idle"}}});
        assert_eq!(told("Access", all(("Access", bucket))), "");
    }
}
