//! What a removal deletes, what it keeps, and what of that is left in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::Value;
use stack_model::assembly::StackManifest;
use stack_model_cfn::facts;

use super::{Adoption, Retained, TakenBack, contents::Contents};
use crate::engine::{Context, DeployedStack, inspect};

/// Resources that end with another one, whatever their own stack says of them: the start of their type, and the property
/// that names the other. AWS deletes all parts of an API with it
/// (<https://docs.aws.amazon.com/apigateway/latest/api/API_DeleteRestApi.html>), and all versions of a function
/// (<https://docs.aws.amazon.com/lambda/latest/api/API_DeleteFunction.html>).
const PARTS: [(&str, &str); 3] = [
    ("AWS::ApiGateway::", "RestApiId"),
    ("AWS::ApiGatewayV2::", "ApiId"),
    ("AWS::Lambda::Version", "FunctionName"),
];

/// Returns whether every resource of a type ends with another one, which it has to name.
pub(in crate::engine) fn is_part(resource_type: &str) -> bool {
    let names = |property: &str| {
        let facts = facts::resource_type(resource_type);
        let mut properties = facts.into_iter().flat_map(facts::ResourceFacts::properties);
        properties.any(|it| it.name() == property && it.required())
    };
    (PARTS.iter()).any(|(part, property)| resource_type.starts_with(part) && names(property))
}

/// What the deletion of a stack does to a resource.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Fate {
    Deleted,
    Kept,
    /// The template does not tell: somebody else wrote it in YAML. Then nothing of the resource is touched.
    Unknown,
}

/// A resource of a stack that is removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Resource {
    pub(super) deployed: inspect::DeployedResource,
    pub(super) fate: Fate,
    /// What it is a part of.
    part_of: Option<Whole>,
}

impl Resource {
    /// Returns whether it stays in the account by itself, and not only as long as something else does.
    pub(super) fn stays_alone(&self) -> bool {
        self.fate == Fate::Kept && self.part_of.is_none()
    }
}

/// What a resource is a part of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
enum Whole {
    PhysicalId(String),
    Export(String),
}

/// Returns the resources of a stack with what becomes of them.
pub(super) fn resources(
    template: &Value,
    parameters: &BTreeMap<String, String>,
    found: Vec<inspect::DeployedResource>,
) -> Vec<Resource> {
    let physical_ids: BTreeMap<String, String> = found
        .iter()
        .map(|resource| (resource.logical_id.clone(), resource.physical_id.clone()))
        .collect();
    let whole = |logical_id: &str, resource_type: &str| {
        let (_, property) = PARTS
            .iter()
            .find(|(service, _)| resource_type.starts_with(service))?;
        let properties = template
            .get("Resources")?
            .get(logical_id)?
            .get("Properties")?;
        let value = properties.get(property)?;
        let id = match (value.get("Ref"), value.get("Fn::ImportValue")) {
            (Some(name), _) => {
                let name = name.as_str()?;
                let id = physical_ids.get(name).or_else(|| parameters.get(name))?;
                return Some(Whole::PhysicalId(id.clone()));
            }
            (_, Some(name)) => return Some(Whole::Export(name.as_str()?.to_owned())),
            _ => value.as_str()?,
        };
        Some(Whole::PhysicalId(id.to_owned()))
    };
    found
        .into_iter()
        .map(|resource| Resource {
            fate: fate(template, &resource.logical_id),
            part_of: whole(&resource.logical_id, &resource.resource_type),
            deployed: resource,
        })
        .collect()
}

/// Enters that resources stay, whatever the template says of them.
pub(super) fn keep(resources: &mut [Resource], retain: &BTreeSet<String>) {
    for resource in resources {
        if retain.contains(&resource.deployed.logical_id) {
            resource.fate = Fate::Kept;
        }
    }
}

fn fate(template: &Value, logical_id: &str) -> Fate {
    let Some(resource) = template
        .get("Resources")
        .and_then(|resources| resources.get(logical_id))
    else {
        return Fate::Unknown;
    };
    match resource.get("DeletionPolicy").map(Value::as_str) {
        None | Some(Some("Delete")) => Fate::Deleted,
        Some(Some("Retain" | "RetainExceptOnCreate")) => Fate::Kept,
        Some(_) => Fate::Unknown,
    }
}

/// What stacks export, by region and name, as it was before the removal.
#[derive(Clone, Debug, Default)]
pub(super) struct Exports(BTreeMap<(Option<String>, String), String>);

impl Exports {
    pub(super) fn add(&mut self, region: Option<&str>, stack: &DeployedStack) {
        for (key, name) in &stack.exports {
            if let Some(value) = stack.outputs.get(key) {
                let region = region.map(str::to_owned);
                self.0.insert((region, name.clone()), value.clone());
            }
        }
    }
}

/// What is known of the resources of a stack that was removed.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Left {
    /// What it kept, with the commands that remove it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub ledger: Vec<Retained>,
    /// The commands that take that back into a stack of the same name, once they are written down: one change set for all that
    /// left together, but for what CloudFormation identifies by more than its physical id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub adopt: Vec<TakenBack>,
    /// The region, where it is not the stage's.
    #[serde(skip)]
    pub region: Option<String>,
    /// The physical ids of what was deleted with it.
    #[serde(skip)]
    pub gone: Vec<String>,
    /// What takes back what it kept.
    #[serde(skip)]
    pub adoptions: Vec<Adoption>,
    /// Whether something is left to do that another caller may do.
    #[serde(skip)]
    pub unfinished: bool,
}

impl Left {
    /// Returns whether nothing is known of what the stack held.
    pub(super) fn is_unknown(&self) -> bool {
        self.ledger.is_empty() && self.gone.is_empty() && !self.unfinished
    }

    /// Adds what left the same stack besides. What is known of a resource already is replaced.
    pub(in crate::engine) fn add(&mut self, other: Self) {
        for retained in &other.ledger {
            self.ledger.retain(|own| !own.is(retained));
        }
        self.ledger.extend(other.ledger);
        self.region = other.region;
        let newer = other.adoptions;
        let is_current = |own: &Adoption| !newer.iter().any(|it| it.takes_all_of(own));
        self.adoptions.retain(is_current);
        self.adoptions.extend(newer);
    }
}

/// What was removed, stack by stack.
#[derive(Debug)]
pub(super) struct Ledger {
    exports: Exports,
    removed: Mutex<BTreeMap<String, Removed>>,
}

/// A stack that is gone.
#[derive(Debug)]
struct Removed {
    region: Option<String>,
    contents: Contents,
    unfinished: bool,
}

impl Ledger {
    pub(super) fn new(exports: Exports) -> Self {
        Self {
            exports,
            removed: Mutex::default(),
        }
    }

    /// Enters a stack that is gone.
    pub(super) fn removed(&self, stack: &StackManifest, contents: Contents) {
        let removed = Removed {
            region: stack.region.clone(),
            contents,
            unfinished: false,
        };
        self.entries().insert(stack.name.clone(), removed);
    }

    /// Enters that something of a stack is left which this caller may not remove.
    pub(super) fn unfinished(&self, stack: &str) {
        if let Some(removed) = self.entries().get_mut(stack) {
            removed.unfinished = true;
        }
    }

    /// Returns the resources of a stack that it kept and that did not go with another: physical ids by logical id, and
    /// what can be done about them.
    pub(super) fn left_of(
        &self,
        stack: &str,
        context: &Context,
    ) -> (BTreeMap<String, String>, Left) {
        let entries = self.entries();
        let gone: BTreeSet<(Option<&str>, &str)> = entries
            .values()
            .flat_map(|removed| {
                let deleted = (removed.contents.resources.iter())
                    .filter(|resource| resource.fate == Fate::Deleted);
                deleted.map(|resource| {
                    let id = resource.deployed.physical_id.as_str();
                    (removed.region.as_deref(), id)
                })
            })
            .collect();
        let Some(removed) = entries.get(stack) else {
            return Default::default();
        };
        let region = &removed.region;
        let goes_with_another = |resource: &Resource| {
            let whole = match &resource.part_of {
                None => None,
                Some(Whole::PhysicalId(id)) => Some(id),
                Some(Whole::Export(name)) => self.exports.0.get(&(region.clone(), name.clone())),
            };
            whole.is_some_and(|id| gone.contains(&(region.as_deref(), id.as_str())))
        };
        let resources = &removed.contents.resources;
        let kept: Vec<_> = resources
            .iter()
            .filter(|resource| resource.fate == Fate::Kept && !goes_with_another(resource))
            .map(|kept| &kept.deployed)
            .collect();
        let context = context.in_region(region.as_deref());
        let left = Left {
            ledger: kept
                .iter()
                .map(|kept| Retained::new(&context, kept))
                .collect(),
            adopt: Vec::new(),
            region: region.clone(),
            // What nobody knows the fate of may be there.
            gone: resources
                .iter()
                .filter(|resource| resource.fate == Fate::Deleted || goes_with_another(resource))
                .map(|gone| gone.deployed.physical_id.clone())
                .collect(),
            adoptions: removed.contents.adoptions.clone(),
            unfinished: removed.unfinished,
        };
        let kept = kept.into_iter();
        let pairs = kept.map(|kept| (kept.logical_id.clone(), kept.physical_id.clone()));
        (pairs.collect(), left)
    }

    fn entries(&self) -> MutexGuard<'_, BTreeMap<String, Removed>> {
        self.removed.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::StackStatus;

    fn found(rows: &[(&str, &str, &str)]) -> Vec<inspect::DeployedResource> {
        rows.iter()
            .map(
                |(logical_id, resource_type, physical_id)| inspect::DeployedResource {
                    logical_id: (*logical_id).to_owned(),
                    resource_type: (*resource_type).to_owned(),
                    physical_id: (*physical_id).to_owned(),
                },
            )
            .collect()
    }

    fn contents(resources: Vec<Resource>) -> Contents {
        Contents {
            resources,
            ..Contents::default()
        }
    }

    fn stack(name: &str) -> StackManifest {
        crate::engine::tests::stack(name, &[]).manifest
    }

    /// The ledger of a stack with an API whose id is exported, and of one that adds to it.
    fn ledger() -> (Ledger, Vec<Resource>, Vec<Resource>) {
        let mut exports = Exports::default();
        let backend = DeployedStack {
            id: "arn".to_owned(),
            status: StackStatus::new("CREATE_COMPLETE"),
            reason: None,
            changed: None,
            parameters: BTreeMap::new(),
            tags: BTreeMap::new(),
            outputs: BTreeMap::from([("ApiId".to_owned(), "a1b2".to_owned())]),
            exports: BTreeMap::from([("ApiId".to_owned(), "api-dev".to_owned())]),
            termination_protection: false,
            express: false,
            removed: None,
        };
        exports.add(None, &backend);
        let template = json!({"Resources": {
            "Api": {"Type": "AWS::ApiGateway::RestApi"},
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "DeletionPolicy": "Retain",
                "Properties": {"RestApiId": {"Ref": "Api"}},
            },
            "Table": {"Type": "AWS::DynamoDB::Table", "DeletionPolicy": "Retain"},
        }});
        let backend = found(&[
            ("Api", "AWS::ApiGateway::RestApi", "a1b2"),
            ("Deployment", "AWS::ApiGateway::Deployment", "d1"),
            ("Table", "AWS::DynamoDB::Table", "orders"),
        ]);
        let backend = resources(&template, &BTreeMap::new(), backend);
        let template = json!({"Resources": {
            "Deployment": {
                "Type": "AWS::ApiGateway::Deployment",
                "DeletionPolicy": "Retain",
                "Properties": {"RestApiId": {"Fn::ImportValue": "api-dev"}},
            },
            "Elsewhere": {
                "Type": "AWS::ApiGateway::Deployment",
                "DeletionPolicy": "Retain",
                "Properties": {"RestApiId": {"Ref": "OtherApi"}},
            },
        }});
        let user = found(&[
            ("Deployment", "AWS::ApiGateway::Deployment", "d2"),
            ("Elsewhere", "AWS::ApiGateway::Deployment", "d3"),
        ]);
        let parameters = BTreeMap::from([("OtherApi".to_owned(), "c3d4".to_owned())]);
        let user = resources(&template, &parameters, user);
        (Ledger::new(exports), backend, user)
    }

    fn left(ledger: &Ledger, stack: &str) -> Vec<String> {
        let context = crate::engine::tests::Script::new().play().context;
        ledger.left_of(stack, &context).0.into_keys().collect()
    }

    #[test]
    fn a_deployment_goes_with_its_api() {
        let (ledger, backend, user) = ledger();
        ledger.removed(&stack("user-dev"), contents(user));
        assert_eq!(
            left(&ledger, "user-dev"),
            ["Deployment", "Elsewhere"],
            "as long as the API is there"
        );
        ledger.removed(&stack("backend-dev"), contents(backend));
        assert_eq!(left(&ledger, "user-dev"), ["Elsewhere"]);
        assert_eq!(left(&ledger, "backend-dev"), ["Table"]);
        assert!(left(&ledger, "other-dev").is_empty());
    }

    #[test]
    fn an_api_of_another_region_takes_nothing_along() {
        let (ledger, backend, user) = ledger();
        ledger.removed(&stack("user-dev"), contents(user));
        let mut elsewhere = stack("backend-dev");
        elsewhere.region = Some("eu-west-1".to_owned());
        ledger.removed(&elsewhere, contents(backend));
        assert_eq!(left(&ledger, "user-dev"), ["Deployment", "Elsewhere"]);
    }

    #[test]
    fn a_part_is_what_has_to_name_its_whole() {
        for part in [
            "AWS::Lambda::Version",
            "AWS::ApiGateway::Deployment",
            "AWS::ApiGatewayV2::Route",
        ] {
            assert!(is_part(part), "{part}");
        }
        for whole in [
            "AWS::ApiGateway::RestApi",
            "AWS::ApiGateway::DomainName",
            "AWS::ApiGatewayV2::Api",
            "AWS::Lambda::Function",
            "AWS::DynamoDB::Table",
        ] {
            assert!(!is_part(whole), "{whole}");
        }
    }

    #[test]
    fn only_what_the_template_deletes_is_deleted() {
        let template = json!({"Resources": {
            "A": {"Type": "AWS::S3::Bucket"},
            "B": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Delete"},
            "C": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "Retain"},
            "D": {"Type": "AWS::S3::Bucket", "DeletionPolicy": "RetainExceptOnCreate"},
            "E": {"Type": "AWS::S3::Bucket", "DeletionPolicy": {"Fn::If": ["X", "Delete", "Retain"]}}
        }});
        let fates = ["A", "B", "C", "D", "E", "F"].map(|id| fate(&template, id));
        assert_eq!(
            fates,
            [
                Fate::Deleted,
                Fate::Deleted,
                Fate::Kept,
                Fate::Kept,
                Fate::Unknown,
                Fate::Unknown
            ]
        );
        assert_eq!(fate(&Value::Null, "A"), Fate::Unknown);
    }
}
