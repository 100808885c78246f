//! Which stacks must not be changed at the same time, though neither depends on the other.
//!
//! A deployment of API Gateway is a snapshot of the whole API, whichever stacks its parts are from. Made while another
//! stack is between a method and its integration it is refused ("No integration defined for method"), and two changes
//! of one API at the same instant are refused too ("concurrent modification").

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde_json::Value;
use stack_model::assembly::StackManifest;
use tokio::sync::{Mutex, OwnedMutexGuard};

use super::StackDeployment;

/// The services whose APIs several stacks may add to, and the property that names the API.
const APIS: [(&str, &str); 2] = [
    ("AWS::ApiGateway::", "RestApiId"),
    ("AWS::ApiGatewayV2::", "ApiId"),
];

/// One lock for every API that several stacks add to.
#[derive(Debug, Default)]
pub(super) struct Turns {
    /// By stack; always in the same order, so that no two stacks wait for each other.
    locks: BTreeMap<String, Vec<Arc<Mutex<()>>>>,
}

impl Turns {
    /// Finds the APIs that stacks have in common.
    pub(super) fn of(stacks: &[StackDeployment]) -> Self {
        let templates: Vec<(&StackManifest, Value)> = stacks
            .iter()
            .map(|stack| {
                // A template that cannot be read is refused by CloudFormation, which says more about it.
                let template = serde_json::from_str(&stack.template).unwrap_or_default();
                (&stack.manifest, template)
            })
            .collect();
        let exports: BTreeMap<(Option<&str>, &str), String> = templates
            .iter()
            .flat_map(|(stack, template)| exports(stack, template))
            .collect();
        let mut users: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (stack, template) in &templates {
            for api in apis(stack, template, &exports) {
                users.entry(api).or_default().insert(&stack.name);
            }
        }
        let mut turns = Self::default();
        for stacks in users.into_values().filter(|stacks| stacks.len() > 1) {
            let lock = Arc::new(Mutex::new(()));
            for stack in stacks {
                let locks = turns.locks.entry(stack.to_owned()).or_default();
                locks.push(Arc::clone(&lock));
            }
        }
        turns
    }

    /// Waits until no other stack changes what this one changes; others wait until the answer is dropped.
    pub(super) async fn take(&self, stack: &str) -> Vec<OwnedMutexGuard<()>> {
        let mut turn = Vec::new();
        for lock in self.locks.get(stack).into_iter().flatten() {
            turn.push(Arc::clone(lock).lock_owned().await);
        }
        turn
    }
}

/// Returns what a stack exports of its own resources, by region and name.
fn exports<'a>(
    stack: &'a StackManifest,
    template: &'a Value,
) -> impl Iterator<Item = ((Option<&'a str>, &'a str), String)> {
    let outputs = template.get("Outputs").and_then(Value::as_object);
    outputs.into_iter().flatten().filter_map(|(_, output)| {
        let name = output.get("Export")?.get("Name")?.as_str()?;
        let resource = output.get("Value")?.get("Ref")?.as_str()?;
        let region = stack.region.as_deref();
        Some(((region, name), own(stack, resource)))
    })
}

/// Returns the APIs that the resources of a stack belong to.
fn apis(
    stack: &StackManifest,
    template: &Value,
    exports: &BTreeMap<(Option<&str>, &str), String>,
) -> BTreeSet<String> {
    let resources = template.get("Resources").and_then(Value::as_object);
    let resources = resources.into_iter().flatten();
    let named = resources.filter_map(|(_, resource)| {
        let resource_type = resource.get("Type")?.as_str()?;
        let (_, property) = APIS
            .iter()
            .find(|(service, _)| resource_type.starts_with(service))?;
        resource.get("Properties")?.get(property)
    });
    named
        .map(|api| match (api.get("Ref"), api.get("Fn::ImportValue")) {
            (Some(Value::String(resource)), _) => own(stack, resource),
            (_, Some(Value::String(name))) => exports
                .get(&(stack.region.as_deref(), name.as_str()))
                .cloned()
                .unwrap_or_else(|| format!("export {name}")),
            // An id that was written down, or an expression that is the same wherever it stands.
            _ => api.to_string(),
        })
        .collect()
}

/// Names a resource of a stack.
fn own(stack: &StackManifest, resource: &str) -> String {
    format!("{}/{resource}", stack.name)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn stack(name: &str, template: &Value) -> StackDeployment {
        StackDeployment {
            template: template.to_string(),
            ..crate::engine::tests::stack(name, &[])
        }
    }

    fn method(api: &Value) -> Value {
        json!({"Resources": {"Get": {"Type": "AWS::ApiGateway::Method", "Properties": {"RestApiId": api}}}})
    }

    fn owner() -> Value {
        json!({
            "Resources": {
                "Api": {"Type": "AWS::ApiGateway::RestApi"},
                "Deployment": {"Type": "AWS::ApiGateway::Deployment", "Properties": {"RestApiId": {"Ref": "Api"}}},
            },
            "Outputs": {"Id": {"Value": {"Ref": "Api"}, "Export": {"Name": "api-dev"}}},
        })
    }

    #[tokio::test]
    async fn stacks_of_one_api_take_turns_and_others_do_not() {
        let imported = method(&json!({"Fn::ImportValue": "api-dev"}));
        let elsewhere = method(&json!({"Fn::ImportValue": "other-dev"}));
        let written = method(&json!("a1b2c3"));
        let turns = Turns::of(&[
            stack("api-dev", &owner()),
            stack("user-dev", &imported),
            stack("order-dev", &imported),
            stack("elsewhere-dev", &elsewhere),
            stack("written-dev", &written),
            stack("also-written-dev", &written),
            stack("alone-dev", &method(&json!({"Ref": "Own"}))),
            stack("broken-dev", &json!([])),
        ]);
        let with_others: Vec<&str> = turns.locks.keys().map(String::as_str).collect();
        assert_eq!(
            with_others,
            [
                "also-written-dev",
                "api-dev",
                "order-dev",
                "user-dev",
                "written-dev"
            ]
        );
        let free = |stack: &str| {
            turns.locks[stack]
                .iter()
                .all(|lock| lock.try_lock().is_ok())
        };
        let turn = turns.take("user-dev").await;
        assert_eq!(
            ["api-dev", "order-dev", "written-dev"].map(free),
            [false, false, true]
        );
        assert!(turns.take("alone-dev").await.is_empty());
        drop(turn);
        assert!(free("order-dev"));
    }

    #[test]
    fn apis_of_the_same_name_in_two_regions_are_two() {
        let mut there = stack("there-dev", &owner());
        there.manifest.region = Some("eu-west-1".to_owned());
        let here = stack("user-dev", &method(&json!({"Fn::ImportValue": "api-dev"})));
        assert!(Turns::of(&[there, here]).locks.is_empty());
    }
}
