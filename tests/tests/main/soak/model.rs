//! What the stacks hold, and what may change about it.

use std::collections::{BTreeMap, BTreeSet};

use super::random::Random;

/// The most stacks of the app.
const STACKS: usize = 6;

/// The names of resources. Each is of one type: CloudFormation refuses to make another type of a resource that it knows.
const NAMES: [&str; 6] = ["alpha", "beta", "gamma", "delta", "epsilon", "zeta"];

/// The keys that a table may have.
const KEYS: [&str; 3] = ["id", "at", "of"];

/// How many names a queue may have.
const NAMES_OF_A_QUEUE: usize = 3;

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
    /// CloudFormation replaces it where its name is another.
    Queue {
        visibility: usize,
        called: usize,
    },
    /// CloudFormation replaces it where its key is another, and with it what it is called.
    Table {
        key: &'static str,
    },
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
                called: random.below(NAMES_OF_A_QUEUE),
            },
            "beta" => {
                let &key = random.pick(&KEYS);
                Self::Table { key }
            }
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

    /// Returns what CloudFormation replaces the resource by, where it can be made to.
    fn another(&self) -> Option<Self> {
        match self {
            Self::Queue { visibility, called } => Some(Self::Queue {
                visibility: *visibility,
                called: (called + 1) % NAMES_OF_A_QUEUE,
            }),
            Self::Table { key } => {
                let at = KEYS.iter().position(|other| other == key)?;
                let key = KEYS.iter().cycle().nth(at + 1)?;
                Some(Self::Table { key })
            }
            _ => None,
        }
    }

    /// Returns whether CloudFormation makes another resource to get from one to the other.
    pub(super) fn is_replaced_by(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Queue { called, .. }, Self::Queue { called: new, .. }) => called != new,
            (Self::Table { key }, Self::Table { key: new }) => key != new,
            _ => false,
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

    /// Replaces a resource, where there is one that can be, and says which.
    pub(super) fn replace(&mut self, random: &mut Random) -> Option<String> {
        let mut all: Vec<(String, &mut Resource, Resource)> = Vec::new();
        for (number, stack) in &mut self.0 {
            for (name, resource) in &mut stack.resources {
                if let Some(another) = resource.another() {
                    all.push((
                        format!("stack {number} has another {name}"),
                        resource,
                        another,
                    ));
                }
            }
        }
        if all.is_empty() {
            return None;
        }
        let (change, resource, another) = all.swap_remove(random.below(all.len()));
        *resource = another;
        Some(change)
    }

    /// Changes something, and says what.
    pub(super) fn change(&mut self, random: &mut Random) -> String {
        let count = self.0.len();
        if count < 2 || (count < STACKS && random.chance(20)) {
            let is_new = |number: &usize| !self.0.contains_key(number);
            let number = (0..STACKS).find(is_new).expect("there are fewer");
            self.0.insert(number, Stack::default());
            return format!("stack {number} is new");
        }
        let numbers: Vec<usize> = self.0.keys().copied().collect();
        let number = *random.pick(&numbers);
        let is_used = self.0.values().any(|other| other.uses.contains(&number));
        if count > 2 && !is_used && random.chance(30) {
            self.0.remove(&number);
            return format!("stack {number} leaves the source");
        }
        let others: Vec<usize> = numbers.into_iter().filter(|it| *it < number).collect();
        let stack = self.0.entry(number).or_default();
        if !others.is_empty() && random.chance(20) {
            let used = *random.pick(&others);
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
