//! What a removal is asked about before it begins.

use std::collections::BTreeSet;

use stack_model::assembly::StackManifest;

use crate::config::list;
use crate::engine::Orphan;

/// What goes, as far as that is known.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Going {
    /// What is deployed, or may be: each with its region, where that is not the one of the stage.
    there: Vec<String>,
    /// What is not, and of which only what was published is left, and what an earlier removal left to do.
    absent: Vec<String>,
}

impl Going {
    /// Tells apart what is deployed of the selected stacks of the source, and what goes besides.
    pub(super) fn new(
        stacks: &[StackManifest],
        orphans: &[Orphan],
        absent: &BTreeSet<String>,
        own: &str,
    ) -> Self {
        let mut going = Self::default();
        let gone = orphans.iter().filter(|orphan| orphan.is_gone());
        let gone: BTreeSet<_> = gone.map(Orphan::target).collect();
        for stack in stacks {
            let region = stack.region.as_deref().filter(|region| *region != own);
            let name = match region {
                Some(region) => format!("{} ({region})", stack.name),
                None => stack.name.clone(),
            };
            if absent.contains(&stack.name) || gone.contains(&stack.into()) {
                going.absent.push(name);
            } else {
                going.there.push(name);
            }
        }
        going
    }

    /// Says as a sentence what happens in an account and a region.
    pub(super) fn danger(&self, place: &str) -> String {
        let Self { there, absent } = self;
        let are = if absent.len() == 1 { "is" } else { "are" };
        let absent = absent.join(", ");
        match (there.join(", "), absent.as_str()) {
            (there, "") => format!("this deletes {there} in {place}"),
            (there, absent) if there.is_empty() => {
                format!("this deletes what is left of {absent} in {place}: not one is deployed")
            }
            (there, absent) => format!(
                "this deletes {there} in {place}, and what is left of {absent}, which {are} not deployed"
            ),
        }
    }

    /// Asks for it.
    pub(super) fn question(&self, place: &str) -> String {
        let danger = self.danger(place);
        let what = danger.strip_prefix("this deletes ").unwrap_or(&danger);
        format!("Delete {what}?")
    }
}

/// Says what goes, before anybody was asked what is deployed.
pub(super) fn unseen(names: &[&str], unknown: &[String], others: Option<&str>) -> String {
    let mut parts = Vec::new();
    if !names.is_empty() {
        parts.push(format!("what is deployed of {}", list(names)));
    }
    if !unknown.is_empty() {
        let unknown: Vec<&str> = unknown.iter().map(String::as_str).collect();
        parts.push(list(&unknown));
    }
    if let Some(app) = others {
        parts.push(format!(
            "what is deployed of app `{app}` and in the source no more"
        ));
    }
    format!("this deletes {}", parts.join(", and "))
}

/// Says what is not known of stacks that the source does not have, as long as nobody looked.
pub(super) fn unasked(unknown: &[String], is_remembered: impl Fn(&str) -> bool) -> String {
    let is_seen = |stack: &&String| is_remembered(stack);
    let (seen, others): (Vec<_>, Vec<_>) = unknown.iter().partition(is_seen);
    let listed = |names: &[&String]| {
        let names: Vec<&str> = names.iter().map(|name| name.as_str()).collect();
        list(&names)
    };
    let mut parts = Vec::new();
    if !seen.is_empty() {
        parts.push(format!(
            "{} was deployed when it was seen last",
            listed(&seen)
        ));
    }
    if !others.is_empty() {
        parts.push(format!(
            "{} was never seen from here: whether there is such a stack is asked with consent alone",
            listed(&others)
        ));
    }
    parts.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stack(name: &str, region: Option<&str>) -> StackManifest {
        Orphan::of_test(name, region).manifest("prod")
    }

    #[test]
    fn each_stack_has_its_own_region_and_what_is_not_deployed_is_not_said_to_go() {
        let stacks = [
            stack("orders-prod", None),
            stack("edge-prod", Some("us-east-1")),
            stack("site-prod", Some("eu-west-1")),
        ];
        let going = |absent: &[&str]| {
            let absent = absent.iter().map(|name| (*name).to_owned()).collect();
            Going::new(&stacks, &[], &absent, "eu-west-1")
        };
        let place = "account 123456789012, eu-west-1";
        assert_eq!(
            going(&[]).danger(place),
            format!("this deletes orders-prod, edge-prod (us-east-1), site-prod in {place}")
        );
        assert_eq!(
            going(&["orders-prod"]).question(place),
            format!(
                "Delete edge-prod (us-east-1), site-prod in {place}, and what is left of orders-prod, which is not deployed?"
            )
        );
        assert_eq!(
            going(&["orders-prod", "edge-prod", "site-prod"]).danger(place),
            format!(
                "this deletes what is left of orders-prod, edge-prod (us-east-1), site-prod in {place}: not one is deployed"
            )
        );
        let unknown = ["late-prod".to_owned()];
        assert_eq!(
            unseen(&["orders-prod"], &unknown, None),
            "this deletes what is deployed of `orders-prod`, and `late-prod`"
        );
        assert_eq!(
            unseen(&[], &[], Some("shop")),
            "this deletes what is deployed of app `shop` and in the source no more"
        );
    }
}
