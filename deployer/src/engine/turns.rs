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

use super::{Cancel, export};

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
    pub(super) fn of(templates: &[(&StackManifest, Value)]) -> Self {
        let exports: BTreeMap<(Option<&str>, &str), String> = templates
            .iter()
            .flat_map(|(stack, template)| exports(stack, template))
            .collect();
        let mut users: BTreeMap<String, BTreeSet<&str>> = BTreeMap::new();
        for (stack, template) in templates {
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

    /// Waits until no other stack changes what this one changes; others wait until the answer is dropped. Nothing is
    /// answered where the run was stopped.
    pub(super) async fn take(
        &self,
        stack: &str,
        cancel: &Cancel,
    ) -> Option<Vec<OwnedMutexGuard<()>>> {
        let all = async {
            let mut turn = Vec::new();
            for lock in self.locks.get(stack).into_iter().flatten() {
                turn.push(Arc::clone(lock).lock_owned().await);
            }
            turn
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => None,
            turn = all => Some(turn),
        }
    }
}

/// Returns whether a stack of an app may have a part of an API, as far as its manifest tells. That of a stack that the source
/// does not have tells nothing.
pub(super) fn may_share(stack: &StackManifest) -> bool {
    stack.template.is_empty()
        || stack.resources.values().any(|resource| {
            APIS.iter()
                .any(|(service, _)| resource.resource_type.starts_with(service))
        })
}

/// Returns what a stack exports of its own resources, by region and name.
fn exports<'a>(
    stack: &'a StackManifest,
    template: &'a Value,
) -> impl Iterator<Item = ((Option<&'a str>, &'a str), String)> {
    export::exports(template).filter_map(|(name, output)| {
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

    fn stack(name: &str) -> StackManifest {
        crate::engine::tests::stack(name, &[]).manifest
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
        let templates = [
            ("api-dev", owner()),
            ("user-dev", imported.clone()),
            ("order-dev", imported),
            ("elsewhere-dev", elsewhere),
            ("written-dev", written.clone()),
            ("also-written-dev", written),
            ("alone-dev", method(&json!({"Ref": "Own"}))),
            ("broken-dev", json!([])),
        ];
        let stacks = templates.clone().map(|(name, _)| stack(name));
        let bodies = templates.into_iter().map(|(_, template)| template);
        let turns = Turns::of(&stacks.iter().zip(bodies).collect::<Vec<_>>());
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
        let (stop, cancel) = Cancel::new();
        let turn = turns.take("user-dev", &cancel).await;
        assert!(turn.is_some());
        assert_eq!(
            ["api-dev", "order-dev", "written-dev"].map(free),
            [false, false, true]
        );
        let alone = turns.take("alone-dev", &cancel).await;
        assert!(alone.expect("nobody stops it").is_empty());
        stop.cancel();
        assert!(turns.take("order-dev", &cancel).await.is_none());
        drop(turn);
        assert!(free("order-dev"));
    }

    #[test]
    fn what_no_source_has_may_have_a_part_of_any_api() {
        let mut stack = stack("late-dev");
        assert!(!stack.template.is_empty() && !may_share(&stack));
        stack.template = String::new();
        assert!(may_share(&stack));
    }

    #[test]
    fn apis_of_the_same_name_in_two_regions_are_two() {
        let mut there = stack("there-dev");
        there.region = Some("eu-west-1".to_owned());
        let here = stack("user-dev");
        let user = method(&json!({"Fn::ImportValue": "api-dev"}));
        assert!(
            Turns::of(&[(&there, owner()), (&here, user)])
                .locks
                .is_empty()
        );
    }
}
