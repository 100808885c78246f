//! Reads the logs of functions, merged by time.

use std::{
    collections::BTreeSet,
    time::{Duration, SystemTime},
};

use serde::Serialize;

use super::{Context, DeployedFunction, follow::Patience};
use crate::aws::{AwsError, Clients, OrAws};

/// CloudWatch Logs may show a line some seconds after lines that were written later, so a follower looks back by this
/// much and remembers what it has shown.
const LOOK_BACK: i64 = 30_000;

/// What to read.
#[derive(Clone, Debug)]
pub struct LogsRequest {
    /// The functions.
    pub functions: Vec<DeployedFunction>,
    /// The earliest time.
    pub since: SystemTime,
    /// A filter pattern of CloudWatch Logs.
    pub filter: Option<String>,
    /// Whether to go on until the run is stopped.
    pub follow: bool,
}

/// One line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct LogLine {
    /// The stack.
    pub stack: String,
    /// The logical id of the function.
    pub function: String,
    /// When it was written, in RFC 3339.
    pub time: String,
    /// The text, without a line break at its end.
    pub message: String,
}

/// Reads the logs of functions and hands the lines on, the oldest first.
///
/// A function that was never called has no log; it has no lines. With `follow` this returns when the run is stopped, and
/// outlives times in which AWS is asked too much or cannot be reached.
pub async fn logs(
    context: &Context,
    request: &LogsRequest,
    sink: &mut (dyn FnMut(LogLine) + Send),
) -> Result<(), AwsError> {
    let mut sources = Vec::with_capacity(request.functions.len());
    for function in &request.functions {
        let clients = context.clients.in_region(function.region.as_deref());
        let group = log_group(&clients, function).await?;
        sources.push(Source {
            function,
            clients,
            group,
            shown: BTreeSet::new(),
        });
    }
    let mut since = millis(request.since);
    let mut patience = Patience::default();
    let mut first = true;
    loop {
        let mut lines = Vec::new();
        let mut look = Ok(());
        for source in &mut sources {
            look = source
                .read(since, request.filter.as_deref(), &mut lines)
                .await;
            if look.is_err() {
                break;
            }
        }
        lines.sort_by_key(|(time, _)| *time);
        let newest = lines.last().map(|(time, _)| *time);
        for (_, line) in lines {
            sink(line);
        }
        if !request.follow {
            return look;
        }
        let complete = look.is_ok();
        let wait = patience.after(context, first, look)?;
        first = false;
        // After a look that was cut short, a source may still hold lines that are older than the newest.
        if let Some(newest) = newest.filter(|_| complete) {
            since = since.max(newest - LOOK_BACK);
            for source in &mut sources {
                source.forget_before(since);
            }
        }
        tokio::select! {
            () = context.timing.sleep(wait) => {}
            () = context.cancel.cancelled() => return Ok(()),
        }
    }
}

struct Source<'a> {
    function: &'a DeployedFunction,
    clients: Clients,
    group: String,
    /// The time and id of every line that was handed on and may be read again.
    shown: BTreeSet<(i64, String)>,
}

impl Source<'_> {
    async fn read(
        &mut self,
        since: i64,
        filter: Option<&str>,
        lines: &mut Vec<(i64, LogLine)>,
    ) -> Result<(), AwsError> {
        let mut next = None;
        loop {
            let page = self
                .clients
                .logs
                .filter_log_events()
                .log_group_name(&self.group)
                .start_time(since)
                .set_filter_pattern(filter.map(str::to_owned))
                .set_next_token(next)
                .send()
                .await
                .or_aws(&self.clients, "FilterLogEvents");
            let page = match page {
                Ok(page) => page,
                Err(error) if error.code() == Some("ResourceNotFoundException") => return Ok(()),
                Err(error) => return Err(error),
            };
            for event in page.events.unwrap_or_default() {
                let time = event.timestamp.unwrap_or_default();
                let message = event.message.unwrap_or_default();
                let id = event.event_id.unwrap_or_else(|| message.clone());
                if time < since || !self.shown.insert((time, id)) {
                    continue;
                }
                lines.push((
                    time,
                    LogLine {
                        stack: self.function.stack.clone(),
                        function: self.function.logical_id.clone(),
                        time: rfc3339(time),
                        message: message.trim_end().to_owned(),
                    },
                ));
            }
            next = page.next_token;
            if next.is_none() {
                return Ok(());
            }
        }
    }

    fn forget_before(&mut self, since: i64) {
        self.shown = self.shown.split_off(&(since, String::new()));
    }
}

/// Returns the log group of a function: its own setting, or the one that Lambda makes by itself.
async fn log_group(clients: &Clients, function: &DeployedFunction) -> Result<String, AwsError> {
    let answer = clients
        .lambda
        .get_function_configuration()
        .function_name(&function.name)
        .send()
        .await
        .or_aws(clients, "GetFunctionConfiguration")?;
    Ok(answer
        .logging_config
        .and_then(|logging| logging.log_group)
        .filter(|group| !group.is_empty())
        .unwrap_or_else(|| format!("/aws/lambda/{}", function.name)))
}

/// Writes milliseconds since 1970 in RFC 3339, always with three digits after the second: lines stand below each other.
fn rfc3339(millis: i64) -> String {
    jiff::Timestamp::from_millisecond(millis)
        .map(|time| format!("{time:.3}"))
        .unwrap_or_default()
}

fn millis(time: SystemTime) -> i64 {
    let since = time
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_of_one_length() {
        assert_eq!(rfc3339(1_790_000_000_060), "2026-09-21T14:13:20.060Z");
        assert_eq!(rfc3339(1_790_000_001_000), "2026-09-21T14:13:21.000Z");
    }
}
