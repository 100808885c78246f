//! What the stacks hold, and what may change about it.

use std::collections::{BTreeMap, BTreeSet};

use super::random::Random;

/// The most stacks of the app.
const STACKS: usize = 6;

/// The names of resources. Each is of one type: CloudFormation refuses to make another type of a resource that it knows.
const NAMES: [&str; 6] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"];

/// Stacks by number.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stacks(pub(super) BTreeMap<usize, Stack>);

/// A stack: besides what is said here, it has a queue that others may use.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Stack {
    pub(super) resources: BTreeMap<&'static str, Resource>,
    /// The stacks whose queue it uses, all of a smaller number.
    pub(super) uses: BTreeSet<usize>,
}

/// A resource, with what can be changed about it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Resource {
    Queue {
        visibility: usize,
    },
    Table,
    Parameter {
        value: usize,
    },
    LogGroup {
        days: usize,
    },
    Function {
        timeout: usize,
        level: usize,
        version: u32,
    },
}

impl Resource {
    fn any(name: &str, random: &mut Random) -> Self {
        match name {
            "alpha" => Self::Queue {
                visibility: random.below(600),
            },
            "beta" => Self::Table,
            "gamma" => Self::Parameter {
                value: random.below(1000),
            },
            "delta" => Self::LogGroup {
                days: *random.pick(&[1, 3, 5, 7, 14, 30]),
            },
            _ => Self::Function {
                timeout: 1 + random.below(60),
                level: random.below(5),
                version: if random.chance(50) { 1 } else { 2 },
            },
        }
    }
}

impl Stacks {
    pub(super) fn numbers(&self) -> BTreeSet<usize> {
        self.0.keys().copied().collect()
    }

    /// Returns some of the stacks; at least one, where there is one.
    pub(super) fn some(&self, random: &mut Random) -> BTreeSet<usize> {
        let all: Vec<usize> = self.0.keys().copied().collect();
        if all.is_empty() {
            return BTreeSet::new();
        }
        (0..=random.below(all.len()))
            .map(|_| *random.pick(&all))
            .collect()
    }

    /// Adds to stacks all that use them.
    pub(super) fn with_dependants(&self, stacks: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut all = stacks.clone();
        // Who uses a stack has a larger number, so one look at each in order is enough.
        for (number, stack) in &self.0 {
            if stack.uses.iter().any(|used| all.contains(used)) {
                all.insert(*number);
            }
        }
        all
    }

    /// Adds to stacks all that they use.
    pub(super) fn with_needed(&self, stacks: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut all = stacks.clone();
        for (number, stack) in self.0.iter().rev() {
            if all.contains(number) {
                all.extend(&stack.uses);
            }
        }
        all
    }

    /// Changes something, and says what.
    pub(super) fn change(&mut self, random: &mut Random) -> String {
        let count = self.0.len();
        if count < 2 || (count < STACKS && random.chance(20)) {
            self.0.insert(count, Stack::default());
            return format!("stack {count} is new");
        }
        let number = random.below(count);
        let stack = self.0.entry(number).or_default();
        if number > 0 && random.chance(20) {
            let used = random.below(number);
            if !stack.uses.remove(&used) {
                stack.uses.insert(used);
            }
            return format!("stack {number} uses {:?}", stack.uses);
        }
        let name = *random.pick(&NAMES);
        if stack.resources.remove(name).is_some() && random.chance(40) {
            return format!("stack {number} has no {name}");
        }
        let resource = Resource::any(name, random);
        let change = format!("stack {number} has {name}: {resource:?}");
        stack.resources.insert(name, resource);
        change
    }
}
