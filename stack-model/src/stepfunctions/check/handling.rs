//! Retries, catches, timeouts.

use std::collections::BTreeMap;

use stack_model_cfn::Expr;

use super::{Check, number};
use crate::stepfunctions::errors;

/// The most seconds of a timeout.
const MOST_SECONDS: u64 = 99_999_999;

impl Check {
    pub(super) fn handling(&mut self, name: &str, entries: &BTreeMap<String, Expr>) {
        for field in ["TimeoutSeconds", "HeartbeatSeconds"] {
            if let Some(Expr::Number(_)) = entries.get(field)
                && !number(entries.get(field)).is_some_and(|s| (1..=MOST_SECONDS).contains(&s))
            {
                self.report(
                    Some(name),
                    format!("`{name}` has a `{field}` that is not between 1 and {MOST_SECONDS}"),
                );
            }
        }
        if let Some(timeout) = number(entries.get("TimeoutSeconds"))
            && let Some(heartbeat) = number(entries.get("HeartbeatSeconds"))
            && heartbeat >= timeout
        {
            self.report(
                Some(name),
                format!("`{name}` wants a heartbeat every {heartbeat} s and gives up after {timeout} s: a heartbeat comes before the timeout"),
            );
        }
        for (field, what) in [("Retry", "retry"), ("Catch", "catch")] {
            match entries.get(field) {
                None => {}
                Some(Expr::List(list)) => self.errors(name, what, list),
                Some(_) => self.report(
                    Some(name),
                    format!("`{name}` has a `{field}` that is not a list"),
                ),
            }
        }
    }

    fn errors(&mut self, name: &str, what: &str, list: &[Expr]) {
        for (position, entry) in list.iter().enumerate() {
            let Expr::Map(entry) = entry else {
                self.report(
                    Some(name),
                    format!("`{name}` has a {what} that is not a JSON object"),
                );
                continue;
            };
            let errors: Vec<&str> = match entry.get("ErrorEquals") {
                Some(Expr::List(errors)) => errors.iter().filter_map(Expr::as_str).collect(),
                _ => Vec::new(),
            };
            if errors.is_empty() {
                self.report(
                    Some(name),
                    format!(
                        "`{name}` has a {what} that names no error: name errors, or `errors::ALL`"
                    ),
                );
            }
            for error in &errors {
                if error.starts_with("States.") && !errors::KNOWN.contains(error) {
                    self.report(
                        Some(name),
                        format!("`{name}` has a {what} of `{error}`, which Step Functions does not report"),
                    );
                }
            }
            if errors.contains(&errors::ALL) {
                if errors.len() > 1 {
                    self.report(
                        Some(name),
                        format!("`{name}` has a {what} of `States.ALL` and others: `States.ALL` stands alone"),
                    );
                }
                if position + 1 < list.len() {
                    self.report(
                        Some(name),
                        format!("`{name}` has a {what} of `States.ALL` that is not the last: those after it never count"),
                    );
                }
            }
            if what == "retry" {
                self.retry(name, entry);
            } else if !entry.contains_key("Next") {
                self.report(
                    Some(name),
                    format!("`{name}` has a catch that does not say where to go on"),
                );
            }
        }
    }

    fn retry(&mut self, name: &str, entry: &BTreeMap<String, Expr>) {
        let limits = [
            ("IntervalSeconds", 1, MOST_SECONDS),
            ("MaxAttempts", 0, MOST_SECONDS),
            ("MaxDelaySeconds", 1, 31_622_400),
        ];
        for (field, least, most) in limits {
            if let Some(value) = entry.get(field)
                && !number(Some(value)).is_some_and(|n| (least..=most).contains(&n))
            {
                self.report(
                    Some(name),
                    format!("`{name}` has a retry with a `{field}` that is not between {least} and {most}"),
                );
            }
        }
        if let Some(rate) = entry.get("BackoffRate") {
            let rate = match rate {
                Expr::Number(number) => number.as_f64(),
                _ => None,
            };
            if !rate.is_some_and(|rate| rate >= 1.0) {
                self.report(
                    Some(name),
                    format!(
                        "`{name}` has a retry with a `BackoffRate` below 1: pauses grow or stay"
                    ),
                );
            }
        }
        if let Some(delay) = number(entry.get("MaxDelaySeconds")) {
            let interval = number(entry.get("IntervalSeconds")).unwrap_or(1);
            if delay <= interval {
                self.report(
                    Some(name),
                    format!("`{name}` has a retry whose longest pause of {delay} s is not longer than the first of {interval} s"),
                );
            }
        }
        if let Some(jitter) = entry.get("JitterStrategy")
            && !matches!(jitter.as_str(), Some("FULL" | "NONE"))
        {
            self.report(
                Some(name),
                format!(
                    "`{name}` has a retry with a `JitterStrategy` that is neither FULL nor NONE"
                ),
            );
        }
    }
}
