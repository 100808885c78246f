//! Random state machines: what is described right is found right, and what is broken afterwards is found out.

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use stack_model::stepfunctions::{
    Catch, Choice, Fail, Flow, Map, Parallel, Pass, Retry, StateMachineType, Succeed, Task, Wait,
    check_definition, errors,
};
use stack_model::{path, payload};

use super::flow_of;

/// What one state of a random flow is.
#[derive(Clone, Debug)]
enum Kind {
    Pass,
    Wait(u32),
    Task { retried: bool, caught: bool },
    Choice(u8),
    Parallel(Vec<Vec<Kind>>),
    Map(Vec<Kind>),
}

fn kind() -> impl Strategy<Value = Kind> {
    let leaf = prop_oneof![
        Just(Kind::Pass),
        (1_u32..1000).prop_map(Kind::Wait),
        (any::<bool>(), any::<bool>()).prop_map(|(retried, caught)| Kind::Task { retried, caught }),
        (1_u8..4).prop_map(Kind::Choice),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        let states = prop::collection::vec(inner, 1..4);
        prop_oneof![
            prop::collection::vec(states.clone(), 1..3).prop_map(Kind::Parallel),
            states.prop_map(Kind::Map),
        ]
    })
}

/// Describes a flow of the given states, each named by a number that no other has.
fn flow(kinds: &[Kind], number: &mut u32) -> Flow {
    let mut flow = Flow::new();
    let fails = |kind: &Kind| matches!(kind, Kind::Choice(_) | Kind::Task { caught: true, .. });
    // A state that nothing leads to would be wrong.
    let failed = kinds.iter().any(fails).then(|| flow.later(&name(number)));
    for kind in kinds {
        let name = name(number);
        match (kind, &failed) {
            (Kind::Task { retried, caught }, failed) => {
                let mut task = Task::aws_sdk("sts", "getCallerIdentity", payload!({}), []);
                if *retried {
                    task = task.retry(Retry::on([errors::ALL]));
                }
                if let Some(failed) = failed
                    && *caught
                {
                    task = task.catch(Catch::on([errors::TIMEOUT], failed));
                }
                flow.add(name, task)
            }
            (Kind::Choice(rules), Some(failed)) => {
                let choice = (0..*rules).fold(Choice::new(), |choice, rule| {
                    choice.when(path!("$.n").equals(i32::from(rule)), failed)
                });
                flow.add(name, choice)
            }
            (Kind::Wait(seconds), _) => flow.add(name, Wait::seconds(*seconds)),
            (Kind::Parallel(branches), _) => {
                let branches = branches.iter().map(|branch| self::flow(branch, number));
                let branches: Vec<Flow> = branches.collect();
                flow.add(name, Parallel::of(branches))
            }
            (Kind::Map(inner), _) => flow.add(name, Map::each(self::flow(inner, number))),
            (Kind::Pass | Kind::Choice(_), _) => {
                flow.add(name, Pass::new().result_path(path!("$.p")))
            }
        };
    }
    flow.add(name(number), Succeed::new());
    if let Some(failed) = &failed {
        flow.add(failed, Fail::new("Failed"));
    }
    flow
}

fn name(number: &mut u32) -> String {
    *number += 1;
    format!("State {number}")
}

fn findings(definition: &Json) -> usize {
    check_definition(&definition.clone().into(), StateMachineType::Standard).len()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_is_described_is_right_and_what_is_broken_is_found(
        kinds in prop::collection::vec(kind(), 1..6),
        which in any::<prop::sample::Index>(),
        mutation in 0..5_usize,
    ) {
        // `flow_of` synthesises, and so fails where the description is found wrong.
        let definition = flow_of(flow(&kinds, &mut 0));
        prop_assert_eq!(findings(&definition), 0);

        let states = definition["States"].as_object().unwrap();
        let names: Vec<&String> = states.keys().collect();
        let name = which.get(&names).as_str();
        let mut broken = definition.clone();
        let state = &mut broken["States"][name];
        match mutation {
            0 => { broken["States"].as_object_mut().unwrap().remove(name); }
            1 => broken["StartAt"] = json!("Nowhere"),
            2 => state["Type"] = json!("Nothing"),
            3 => state["Unheard"] = json!(true),
            _ => match state.get_mut("Next") {
                Some(next) => *next = json!("State 0x"),
                None => state["Next"] = json!("State 0x"),
            },
        }
        prop_assert!(findings(&broken) > 0, "{name} {mutation}: {broken:#}");
    }
}
