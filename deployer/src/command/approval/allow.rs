//! What a protected stage asks for one by one: data that is lost or left behind, and whatever is widened.

use std::collections::BTreeSet;
use std::fmt;

use crate::cli::{self, Allowance};
use crate::engine::plan::{Grade, Plan, ResourceChange, StackPlan};
use crate::error::{Error, Kind, Result};
use crate::ui::Ui;

/// A plan, with the name of its place where there are several.
pub(in super::super) type Placed<'a> = (Option<&'a str>, &'a Plan);

/// One danger of one resource.
struct Danger<'a> {
    place: Option<&'a str>,
    stack: &'a StackPlan,
    change: &'a ResourceChange,
    grade: Grade,
}

impl Danger<'_> {
    fn is_covered(&self, allowance: &Allowance) -> bool {
        allowance.covers(self.grade, &self.stack.stack, &self.change.logical_id)
    }

    /// Returns the option that consents to this and to nothing else.
    fn option(&self, plans: &[Placed<'_>]) -> String {
        let id = &self.change.logical_id;
        let stacks: BTreeSet<&String> = plans
            .iter()
            .flat_map(|(_, plan)| &plan.stacks)
            .filter(|stack| stack.changes.iter().any(|change| change.logical_id == *id))
            .map(|stack| &stack.stack)
            .collect();
        let alone = stacks.len() == 1;
        let word = cli::danger(self.grade);
        if alone {
            format!("--allow {word}:{id}")
        } else {
            format!("--allow {word}:{}/{id}", self.stack.stack)
        }
    }
}

impl fmt::Display for Danger<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}/{}", self.stack.stack, self.change.logical_id)?;
        match self.place {
            Some(place) => write!(formatter, " in {place}"),
            None => Ok(()),
        }
    }
}

pub(super) fn words(danger: Grade) -> String {
    cli::danger(danger).replace('-', " ")
}

/// Returns the dangers of plans. All of a new stack is new, and takes nothing from anybody.
fn dangers<'a>(plans: &'a [Placed<'a>]) -> impl Iterator<Item = Danger<'a>> {
    plans.iter().flat_map(|(place, plan)| {
        let stacks = plan.stacks.iter().filter(|stack| !stack.create);
        stacks.flat_map(move |stack| {
            stack.changes.iter().flat_map(move |change| {
                change.dangers.iter().map(move |grade| Danger {
                    place: *place,
                    stack,
                    change,
                    grade: *grade,
                })
            })
        })
    })
}

/// Holds all that a command would change in a protected stage against what was allowed: refuses what was not, and warns of
/// what allows nothing.
pub(in super::super) fn protect(
    ui: &Ui,
    plans: &[Placed<'_>],
    allowed: &[Allowance],
    stage: &str,
) -> Result<()> {
    for allowance in idle(plans, allowed) {
        ui.warn(format!(
            "`--allow {allowance}` allows nothing of what would change"
        ));
    }
    refuse(plans, allowed, stage)
}

/// Refuses the dangers of plans for a protected stage that nobody allowed, and says how to.
pub(in super::super) fn refuse(
    plans: &[Placed<'_>],
    allowed: &[Allowance],
    stage: &str,
) -> Result<()> {
    let refused: Vec<Danger<'_>> = dangers(plans)
        .filter(|danger| !allowed.iter().any(|allowance| danger.is_covered(allowance)))
        .collect();
    if refused.is_empty() {
        return Ok(());
    }
    let error = Error::new(
        Kind::Refused,
        format!("stage `{stage}` is protected, and this was not allowed"),
    );
    let error = refused.iter().fold(error, |error, danger| {
        let reason = danger
            .change
            .reasons
            .first()
            .map_or(String::new(), |reason| format!(": {reason}"));
        error.cause(format!("{}, {danger}{reason}", words(danger.grade)))
    });
    let mut options: Vec<String> = Vec::new();
    for option in refused.iter().map(|danger| danger.option(plans)) {
        // One option is for the same stack in every place.
        if !options.contains(&option) {
            options.push(option);
        }
    }
    Err(error.hint(format!(
        "to do it all the same, add `{}`",
        options.join(" ")
    )))
}

/// Names the dangers of plans, one line for each kind, the worst first.
pub(in super::super) fn named(plans: &[Placed<'_>]) -> Vec<String> {
    let of_kind = |grade: Grade| {
        let of_kind = dangers(plans).filter(move |danger| danger.grade == grade);
        let named: Vec<String> = of_kind.map(|danger| danger.to_string()).collect();
        (!named.is_empty()).then(|| format!("{}: {}", words(grade), named.join(", ")))
    };
    let worst_first = Grade::DANGERS.into_iter().rev();
    worst_first.filter_map(of_kind).collect()
}

/// Returns the allowances that allow nothing of any plan.
fn idle<'a>(plans: &[Placed<'_>], allowed: &'a [Allowance]) -> Vec<&'a Allowance> {
    allowed
        .iter()
        .filter(|allowance| !allowance.is_of_owner())
        .filter(|allowance| !dangers(plans).any(|danger| danger.is_covered(allowance)))
        .collect()
}

#[cfg(test)]
mod mutation;
#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan::Action;

    fn change(id: &str, dangers: &[Grade]) -> ResourceChange {
        ResourceChange {
            logical_id: id.to_owned(),
            resource_type: "AWS::DynamoDB::Table".to_owned(),
            action: Action::Update,
            grade: dangers.last().copied().unwrap_or_default(),
            dangers: dangers.to_vec(),
            reasons: vec!["because".to_owned()],
            ..ResourceChange::default()
        }
    }

    fn plan() -> Plan {
        let stack = |name: &str, create, changes| StackPlan {
            stack: name.to_owned(),
            changes,
            create,
            ..StackPlan::default()
        };
        let both = [Grade::PermissionWidened, Grade::DataLoss];
        Plan {
            stacks: vec![
                stack(
                    "data-prod",
                    false,
                    vec![
                        change("Calm", &[]),
                        change("Orders", &both),
                        change("Table", &[Grade::DataLoss]),
                    ],
                ),
                stack(
                    "api-prod",
                    false,
                    vec![change("Table", &[Grade::ExposureWidened])],
                ),
                stack(
                    "new-prod",
                    true,
                    vec![change("Open", &[Grade::ExposureWidened])],
                ),
            ],
        }
    }

    fn allowed(texts: &[&str]) -> Vec<Allowance> {
        let parsed = texts.iter().map(|text| text.parse());
        parsed
            .collect::<std::result::Result<_, _>>()
            .expect("all are allowances")
    }

    #[test]
    fn every_danger_is_asked_for_and_the_options_allow_all() {
        let error = refuse(&[(None, &plan())], &[], "prod").expect_err("is refused");
        assert_eq!(error.kind(), Kind::Refused);
        assert_eq!(
            error.causes(),
            [
                "permission widened, data-prod/Orders: because",
                "data loss, data-prod/Orders: because",
                "data loss, data-prod/Table: because",
                "exposure widened, api-prod/Table: because",
            ]
        );
        let hint = &error.hints()[0];
        assert_eq!(
            hint,
            "to do it all the same, add `--allow permission-widened:Orders --allow data-loss:Orders \
             --allow data-loss:data-prod/Table --allow exposure-widened:api-prod/Table`"
        );
        let options: Vec<&str> = hint
            .split(['`', ' '])
            .filter(|word| word.contains(':'))
            .collect();
        assert!(refuse(&[(None, &plan())], &allowed(&options), "prod").is_ok());
        for left_out in 0..options.len() {
            let mut fewer = options.clone();
            fewer.remove(left_out);
            let error =
                refuse(&[(None, &plan())], &allowed(&fewer), "prod").expect_err("one is missing");
            assert_eq!(error.causes().len(), 1, "{fewer:?}");
        }
    }

    #[test]
    fn dangers_are_named_by_kind_and_those_of_new_stacks_are_none() {
        assert_eq!(
            named(&[(None, &plan())]),
            [
                "data loss: data-prod/Orders, data-prod/Table",
                "exposure widened: api-prod/Table",
                "permission widened: data-prod/Orders",
            ]
        );
        let none = Plan { stacks: Vec::new() };
        let plan = plan();
        let several = named(&[(Some("eu-west-1"), &none), (Some("us-east-1"), &plan)]);
        assert_eq!(several[1], "exposure widened: api-prod/Table in us-east-1");
        assert!(named(&[(None, &none)]).is_empty());
    }

    #[test]
    fn one_option_is_for_a_stack_in_every_place() {
        let plan = plan();
        let plans = [(Some("eu-central-1"), &plan), (Some("us-east-1"), &plan)];
        let most = allowed(&["data-loss:*", "permission-widened:*"]);
        let error = refuse(&plans, &most, "prod").expect_err("is refused");
        assert_eq!(
            error.causes(),
            [
                "exposure widened, api-prod/Table in eu-central-1: because",
                "exposure widened, api-prod/Table in us-east-1: because",
            ]
        );
        assert_eq!(
            error.hints(),
            ["to do it all the same, add `--allow exposure-widened:api-prod/Table`"]
        );
    }

    #[test]
    fn a_pattern_allows_one_danger_of_many() {
        let patterns = allowed(&["data-loss:*", "permission-widened:data-prod/*"]);
        let error = refuse(&[(None, &plan())], &patterns, "prod").expect_err("is refused");
        assert_eq!(
            error.causes(),
            ["exposure widened, api-prod/Table: because"]
        );
        assert!(idle(&[(None, &plan())], &patterns).is_empty());
        let idle_ones = allowed(&["data-loss:Calm", "exposure-widened:Orders"]);
        assert_eq!(idle(&[(None, &plan())], &idle_ones).len(), 2);
    }
}
