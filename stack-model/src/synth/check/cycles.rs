//! Resources of a stack that need each other.

use std::collections::BTreeMap;

use stack_model_cfn::Token;

use super::source_of;
use crate::error::Violation;
use crate::stack::StackData;
use crate::synth::walk::{self, Met, Place, Section};
use crate::synth::{Rendered, order};

/// The resources that resources need, each with the first path that says so.
pub(crate) type Needs<'a> = BTreeMap<&'a str, BTreeMap<String, String>>;

/// Returns what the resources of a stack need of each other.
pub(crate) fn needs<'a>(stack: &'a StackData, rendered: &'a Rendered) -> Needs<'a> {
    let mut cycles = Cycles::new(stack);
    walk::stack(stack, rendered, |place, met| cycles.meet(place, met));
    cycles.needs()
}

/// Looks for resources of a stack that need each other.
pub(super) struct Cycles<'a> {
    stack: &'a StackData,
    needs: Needs<'a>,
    /// What raw JSON names: resource, needed resource, path. It counts where no token says the same.
    raw: Vec<(&'a str, &'a str, String)>,
}

impl<'a> Cycles<'a> {
    pub(super) fn new(stack: &'a StackData) -> Self {
        Self {
            stack,
            needs: Needs::new(),
            raw: Vec::new(),
        }
    }

    pub(super) fn meet(&mut self, place: Place<'a, '_>, met: Met<'a>) {
        // An output may have the name of a resource, and needs nothing on its behalf.
        let Section::Properties(_) = place.section else {
            return;
        };
        match met {
            Met::Token(token) => token.walk(&mut |token| {
                if let Token::Ref(id) | Token::GetAtt(id, _) = token
                    && id.stack() == &*self.stack.id
                {
                    self.need(place.id, id.logical_id(), place.path);
                }
            }),
            Met::Name(name) if self.stack.resources.contains_key(name) => {
                self.raw.push((place.id, name, place.path.to_owned()));
            }
            _ => {}
        }
    }

    /// Reports the cycles.
    pub(super) fn finish(self, violations: &mut Vec<Violation>) {
        let stack = self.stack;
        let needs = self.needs();
        let edges: BTreeMap<&str, Vec<(&str, &str)>> = needs
            .iter()
            .map(|(from, to)| {
                let to = to.iter().map(|(id, why)| (id.as_str(), why.as_str()));
                (*from, to.collect())
            })
            .collect();
        for (start, mut message) in order::cycles(&edges, "resources") {
            let asked = edges.iter().find(|(_, needs)| {
                needs.iter().any(|(to, why)| {
                    why.starts_with(crate::cognito::FUNCTIONS)
                        && order::is_between(start, to, &edges)
                })
            });
            if let Some((pool, _)) = asked {
                message.push_str(&crate::cognito::remedy(pool));
            }
            let mut violation = Violation::new(message).in_stack(&*stack.id).of(start);
            violation.source = source_of(stack, start);
            violations.push(violation);
        }
    }

    fn needs(mut self) -> Needs<'a> {
        for (from, to, path) in std::mem::take(&mut self.raw) {
            self.need(from, to, &path);
        }
        for (id, resource) in &self.stack.resources {
            for dependency in &resource.depends_on {
                self.need(id, dependency.logical_id(), "DependsOn");
            }
        }
        self.needs
    }

    fn need(&mut self, from: &'a str, to: &str, path: &str) {
        let needed = self.needs.entry(from).or_default();
        if !needed.contains_key(to) {
            needed.insert(to.to_owned(), path.to_owned());
        }
    }
}
