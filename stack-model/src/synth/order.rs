//! Links between stacks: exports and imports, and the order they force.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};
use stack_model_cfn::{Expr, Token};

use super::export::{self, ByName};
use super::walk::{self, Met};
use super::{Rendered, hexadecimal, output_key};
use crate::assembly::OutputReference;
use crate::error::Violation;
use crate::stack::{OutputData, StackData};
use crate::stage::Stage;
use crate::template::{ImportKey, import_key, owner};

/// What stacks take from each other.
#[derive(Debug, Default)]
pub(crate) struct Links {
    imports: BTreeMap<ImportKey, String>,
    /// What a stack takes from stacks in other regions, by the parameter that receives it.
    passed: BTreeMap<String, BTreeMap<ImportKey, Passed>>,
    /// Stack to the stacks it needs, each with the place that needs it.
    edges: BTreeMap<String, BTreeMap<String, String>>,
    /// Stack to the exports it imports that no stack of the app defines.
    foreign: BTreeMap<String, BTreeSet<String>>,
}

/// A value that the deployer passes from a stack in one region to a stack in another.
#[derive(Debug)]
struct Passed {
    parameter: String,
    output: OutputReference,
}

impl Links {
    /// Returns the parameters that receive values of stacks in other regions, by the value.
    pub(super) fn parameters(&self, stack: &str) -> BTreeMap<ImportKey, String> {
        let passed = self.passed.get(stack).into_iter().flatten();
        passed
            .map(|(key, passed)| (key.clone(), passed.parameter.clone()))
            .collect()
    }

    /// Returns the outputs of stacks in other regions that a stack takes, by parameter.
    pub(super) fn references(&self, stack: &str) -> BTreeMap<String, OutputReference> {
        let passed = self.passed.get(stack).into_iter().flatten();
        passed
            .map(|(_, passed)| (passed.parameter.clone(), passed.output.clone()))
            .collect()
    }

    /// Returns the exports by the value they carry.
    pub(super) fn imports(&self) -> &BTreeMap<ImportKey, String> {
        &self.imports
    }

    /// Returns the exports that a stack imports and no stack of the app defines.
    pub(super) fn foreign(&self, stack: &str) -> BTreeSet<String> {
        self.foreign.get(stack).cloned().unwrap_or_default()
    }

    /// Notes that a stack imports an export that no stack of the app defines.
    pub(super) fn add_foreign(&mut self, stack: &str, export: String) {
        let exports = self.foreign.entry(stack.to_owned()).or_default();
        exports.insert(export);
    }

    /// Notes that a stack needs another one, and where.
    pub(super) fn add_edge(&mut self, stack: &str, needs: &str, place: impl FnOnce() -> String) {
        let edges = self.edges.entry(stack.to_owned()).or_default();
        edges.entry(needs.to_owned()).or_insert_with(place);
    }

    /// Returns whether a stack is deployed after another one, whatever stands between them.
    pub(crate) fn follows(&self, stack: &str, other: &str) -> bool {
        let mut met: BTreeSet<&str> = BTreeSet::new();
        let mut pending: Vec<&str> = self.before(stack).collect();
        while let Some(before) = pending.pop() {
            if before == other {
                return true;
            }
            if met.insert(before) {
                pending.extend(self.before(before));
            }
        }
        false
    }

    /// Returns the stacks that must be deployed before the given one.
    pub(super) fn before(&self, stack: &str) -> impl Iterator<Item = &str> {
        self.edges
            .get(stack)
            .into_iter()
            .flat_map(|needs| needs.keys().map(String::as_str))
    }
}

/// Finds uses of other stacks' resources and adds the exports they need.
pub(super) fn link(
    stacks: &mut [StackData],
    rendered: &Rendered,
    stage: &Stage,
    violations: &mut Vec<Violation>,
) -> Links {
    let mut links = Links::default();
    let mut wanted: BTreeMap<ImportKey, Token> = BTreeMap::new();
    let mut across: BTreeMap<(String, ImportKey), Token> = BTreeMap::new();
    let mut by_name = Vec::new();
    for stack in &*stacks {
        let mut report = |place: &str, path: &str, message: String| {
            let source = stack.resources.get(place).map(|r| r.source.clone());
            let mut violation = Violation::new(message)
                .in_stack(&*stack.id)
                .of(place)
                .at(path);
            violation.source = source;
            violations.push(violation);
        };
        let mut take = |token: &Token, place: &str, path: &str| {
            if owner(token).is_none_or(|id| id.stack() == &*stack.id) {
                return;
            }
            let Some(key) = import_key(token) else {
                return;
            };
            let Some(owner) = stacks.iter().find(|owner| &*owner.id == key.0.stack()) else {
                let message = format!(
                    "`{}` belongs to the stack `{}`, which is not part of this app: the handle is foreign",
                    key.0.logical_id(),
                    key.0.stack()
                );
                return report(place, path, message);
            };
            links.add_edge(&stack.id, key.0.stack(), || format!("{place} ({path})"));
            if region(owner, stage) == region(stack, stage) {
                wanted.insert(key, token.clone());
            } else {
                across.insert((stack.id.to_string(), key), token.clone());
            }
        };
        let mut imports = ByName::default();
        walk::stack(stack, rendered, |place, met| {
            imports.meet(place, met);
            if let Met::Token(token) = met {
                token.walk(&mut |token| take(token, place.id, place.path));
            }
        });
        by_name.push(imports);
        for other in &stack.depends_on {
            if stacks.iter().any(|stack| *stack.id == **other) {
                links.add_edge(&stack.id, other, || "declared with `after`".to_owned());
            } else {
                violations.push(
                    Violation::new(format!(
                        "`after(\"{other}\")` names a stack that is not part of this app"
                    ))
                    .in_stack(&*stack.id),
                );
            }
        }
    }
    for (key, token) in wanted {
        if let Some(owner) = stacks.iter_mut().find(|stack| &*stack.id == key.0.stack()) {
            let name = export(owner, &key, token, stage.name());
            links.imports.insert(key, name);
        }
    }
    for ((user, key), token) in across {
        if let Some(passed) = pass(stacks, &user, &key, token, stage) {
            links.passed.entry(user).or_default().insert(key, passed);
        }
    }
    export::names(stacks, stage, violations);
    export::imports(stacks, &by_name, stage, &mut links, violations);
    links
}

/// Passes a value to a stack in another region, where exports do not reach: it becomes an output of its stack and a
/// parameter of the other, and the deployer carries it over.
fn pass(
    stacks: &mut [StackData],
    user: &str,
    key: &ImportKey,
    token: Token,
    stage: &Stage,
) -> Option<Passed> {
    let owner = stacks
        .iter_mut()
        .find(|stack| &*stack.id == key.0.stack())?;
    let from = region(owner, stage).to_owned();
    let output = output(owner, "Passed", key, token);
    let stack = format!("{}-{}", owner.id, stage.name());
    let description = format!("Output {output} of the stack {stack} in {from}");
    let words = owner.id.split('-').flat_map(|word| {
        let mut characters = word.chars();
        let first = characters.next().map(|c| c.to_ascii_uppercase());
        first.into_iter().chain(characters)
    });
    let mut parameter: String = words.collect();
    parameter.push_str(key.0.logical_id());
    parameter.push_str(&plain(key.1.as_deref().unwrap_or_default()));
    let user = stacks.iter_mut().find(|stack| *stack.id == *user)?;
    if user.parameters.contains_key(&parameter) || user.resources.contains_key(&parameter) {
        let digest = hexadecimal(&Sha256::digest(description.as_bytes()));
        parameter.push_str(digest.get(..10).unwrap_or(&digest));
    }
    let declared = Expr::map([
        ("Type", Expr::from("String")),
        ("Description", Expr::from(description)),
    ]);
    user.parameters.insert(parameter.clone(), (declared, None));
    Some(Passed {
        parameter,
        output: OutputReference {
            stack,
            region: from,
            output,
        },
    })
}

pub(super) fn region<'a>(stack: &'a StackData, stage: &'a Stage) -> &'a str {
    stack.region.as_deref().unwrap_or_else(|| stage.region())
}

/// Returns the name of the export that carries a value, adding it where the author wrote none.
fn export(owner: &mut StackData, key: &ImportKey, token: Token, stage: &str) -> String {
    let written = owner
        .outputs
        .values()
        .find(|output| output_key(output).as_ref() == Some(key))
        .and_then(|output| output.export.clone());
    if let Some(name) = written {
        return name;
    }
    let (id, attribute) = key;
    let plain = plain(attribute.as_deref().unwrap_or_default());
    let mut name = format!("{}-{stage}-{}", owner.id, id.logical_id());
    if !plain.is_empty() {
        name.push('-');
        name.push_str(&plain);
    }
    let key = add_output(owner, "Export", key, token, &name);
    if let Some(output) = owner.outputs.get_mut(&key) {
        output.export = Some(name.clone());
    }
    name
}

/// Returns the key of an output that carries a value, adding it where the author wrote none.
fn output(owner: &mut StackData, prefix: &str, key: &ImportKey, token: Token) -> String {
    let mut written = owner.outputs.iter();
    if let Some((key, _)) = written.find(|(_, output)| output_key(output).as_ref() == Some(key)) {
        key.clone()
    } else {
        let salt = format!("{:?}", (key.0.logical_id(), &key.1));
        add_output(owner, prefix, key, token, &salt)
    }
}

/// Adds an output that carries a value, and returns its key; `salt` tells outputs apart that would have the same.
fn add_output(
    owner: &mut StackData,
    prefix: &str,
    key: &ImportKey,
    token: Token,
    salt: &str,
) -> String {
    let (id, attribute) = key;
    let attribute = attribute.as_deref().unwrap_or_default();
    let source = owner
        .resources
        .get(id.logical_id())
        .map(|resource| resource.source.clone())
        .unwrap_or_default();
    let mut key = format!("{prefix}{}{}", id.logical_id(), plain(attribute));
    if owner.outputs.contains_key(&key) {
        // An output of the author has the key, or the name of another resource reads like this one with its attribute.
        let digest = hexadecimal(&Sha256::digest(salt.as_bytes()));
        key.push_str(digest.get(..10).unwrap_or(&digest));
    }
    let output = OutputData {
        value: Expr::Token(token),
        description: None,
        export: None,
        example: None,
        links: true,
        source,
    };
    owner.outputs.insert(key.clone(), output);
    key
}

/// Returns the letters and digits of the name of an attribute.
fn plain(attribute: &str) -> String {
    let characters = attribute.chars();
    characters.filter(char::is_ascii_alphanumeric).collect()
}

/// Puts the stacks in an order in which they can be deployed; stacks that need nothing of each other keep the
/// order of their declaration.
pub(super) fn sequence(
    stacks: &[StackData],
    links: &Links,
    violations: &mut Vec<Violation>,
) -> Vec<usize> {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    let mut sequence = Vec::new();
    loop {
        let ready = stacks.iter().enumerate().find(|(_, stack)| {
            !done.contains(&*stack.id)
                && links.before(&stack.id).all(|before| done.contains(before))
        });
        match ready {
            Some((index, stack)) => {
                done.insert(&stack.id);
                sequence.push(index);
            }
            None => break,
        }
    }
    let stuck = stacks.iter().find(|stack| !done.contains(&*stack.id));
    if let Some(stack) = stuck {
        let edges: BTreeMap<&str, Vec<(&str, &str)>> = links
            .edges
            .iter()
            .map(|(from, needs)| {
                let needs = needs.iter().filter(|(to, _)| !done.contains(to.as_str()));
                (
                    from.as_str(),
                    needs.map(|(to, why)| (to.as_str(), why.as_str())).collect(),
                )
            })
            .collect();
        if let Some(message) = cycle(&stack.id, &edges, "stacks") {
            violations.push(Violation::new(message).in_stack(&*stack.id));
        }
    }
    sequence
}

/// Describes the cycles, one for every group of members that need each other, with the member it starts at.
pub(super) fn cycles<'a>(
    edges: &BTreeMap<&'a str, Vec<(&'a str, &'a str)>>,
    what: &str,
) -> Vec<(&'a str, String)> {
    let edges = &knotted(edges);
    let mut grouped: BTreeSet<&str> = BTreeSet::new();
    let mut found = Vec::new();
    for start in edges.keys() {
        if grouped.contains(start) {
            continue;
        }
        let from_start = reachable(start, edges);
        if !from_start.contains(start) {
            continue;
        }
        let group: BTreeSet<&str> = from_start
            .into_iter()
            .filter(|member| reachable(member, edges).contains(start))
            .collect();
        let within: BTreeMap<&str, Vec<(&str, &str)>> = edges
            .iter()
            .filter(|(from, _)| group.contains(*from))
            .map(|(from, to)| {
                let to = to.iter().filter(|(to, _)| group.contains(to));
                (*from, to.copied().collect())
            })
            .collect();
        found.extend(cycle(start, &within, what).map(|message| (*start, message)));
        grouped.extend(group);
    }
    found
}

/// Returns whether a member is part of the cycle of another.
pub(super) fn is_between<'a>(
    start: &'a str,
    member: &'a str,
    edges: &BTreeMap<&'a str, Vec<(&'a str, &'a str)>>,
) -> bool {
    reachable(start, edges).contains(member) && reachable(member, edges).contains(start)
}

/// Leaves out what cannot be in a cycle: members that need nothing, or only such members. Mostly nothing is left, and
/// looking for what reaches itself is dear.
fn knotted<'a>(
    edges: &BTreeMap<&'a str, Vec<(&'a str, &'a str)>>,
) -> BTreeMap<&'a str, Vec<(&'a str, &'a str)>> {
    let mut needed_by: BTreeMap<&str, Vec<&'a str>> = BTreeMap::new();
    let mut open: BTreeMap<&str, usize> = BTreeMap::new();
    for (from, to) in edges {
        open.insert(from, to.len());
        for (to, _) in to {
            needed_by.entry(to).or_default().push(from);
        }
    }
    let mut free: Vec<&str> = needed_by
        .keys()
        .chain(edges.keys())
        .copied()
        .filter(|member| open.get(member).is_none_or(|needs| *needs == 0))
        .collect();
    while let Some(member) = free.pop() {
        open.remove(member);
        // Removing it here keeps a member that is listed twice from counting twice.
        for from in needed_by.remove(member).unwrap_or_default() {
            if let Some(needs) = open.get_mut(from) {
                *needs = needs.saturating_sub(1);
                if *needs == 0 {
                    free.push(from);
                }
            }
        }
    }
    edges
        .iter()
        .filter(|(from, _)| open.contains_key(*from))
        .map(|(from, to)| (*from, to.clone()))
        .collect()
}

/// Returns what can be reached from a member with at least one step.
fn reachable<'a>(
    start: &str,
    edges: &BTreeMap<&'a str, Vec<(&'a str, &'a str)>>,
) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut pending = vec![start];
    while let Some(from) = pending.pop() {
        for (to, _) in edges.get(from).into_iter().flatten() {
            if reached.insert(*to) {
                pending.push(to);
            }
        }
    }
    reached
}

/// Describes a cycle that can be reached from `start`, with the edge to cut: the one that closes it.
pub(super) fn cycle(
    start: &str,
    edges: &BTreeMap<&str, Vec<(&str, &str)>>,
    what: &str,
) -> Option<String> {
    let mut path: Vec<&str> = vec![start];
    let mut visited: BTreeSet<&str> = BTreeSet::new();
    // An explicit stack of iterators keeps a long chain of dependencies off the call stack.
    let mut pending = vec![
        edges
            .get(start)
            .map(Vec::as_slice)
            .unwrap_or_default()
            .iter(),
    ];
    while let Some(next) = pending.last_mut() {
        let Some((to, why)) = next.next() else {
            pending.pop();
            visited.extend(path.pop());
            continue;
        };
        if let Some(position) = path.iter().position(|id| id == to) {
            let members = path.get(position..).unwrap_or_default();
            let last = members.last().copied().unwrap_or(to);
            return Some(format!(
                "the {what} {} -> {to} need each other: cut the edge {last} -> {to}, which comes from {why}",
                members.join(" -> ")
            ));
        }
        if visited.contains(to) {
            continue;
        }
        path.push(to);
        pending.push(edges.get(to).map(Vec::as_slice).unwrap_or_default().iter());
    }
    None
}
