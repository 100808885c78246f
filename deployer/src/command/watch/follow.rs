//! Follows the logs of the functions beside everything else.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::SystemTime;

use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use crate::engine::{self, Context, DeployedFunction, LogLine, LogsRequest};
use crate::ui::{self, Ui};

/// What is followed. It ends when this is dropped.
#[derive(Debug, Default)]
pub(super) struct Followed {
    functions: BTreeSet<(Option<String>, String)>,
    tasks: Vec<JoinHandle<()>>,
    closed: Arc<Notify>,
}

impl Followed {
    /// Follows functions that are not followed yet. The others go on, so that no line is lost and none is printed twice.
    pub(super) fn follow(
        &mut self,
        ui: &Ui,
        context: &Context,
        functions: Vec<DeployedFunction>,
        since: SystemTime,
    ) {
        let mut fresh = functions;
        fresh.retain(|function| {
            self.functions
                .insert((function.region.clone(), function.name.clone()))
        });
        if fresh.is_empty() {
            return;
        }
        let request = LogsRequest {
            functions: fresh,
            since,
            filter: None,
            follow: true,
        };
        let (ui, context) = (ui.clone(), context.clone());
        let closed = Arc::clone(&self.closed);
        self.tasks.push(tokio::spawn(async move {
            let mut sink = |line| {
                print(&ui, &line);
                if ui.is_closed() {
                    closed.notify_one();
                }
            };
            if let Err(error) = engine::logs(&context, &request, &mut sink).await {
                ui.warn(format!("the logs are not followed any more: {error}"));
            }
        }));
    }

    /// Waits until nobody reads what is printed any more.
    pub(super) async fn closed(&self) {
        self.closed.notified().await;
    }
}

impl Drop for Followed {
    fn drop(&mut self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

fn print(ui: &Ui, line: &LogLine) {
    if ui.json() {
        let LogLine {
            stack,
            function,
            time,
            message,
        } = line;
        ui.json_line(&json!({
            "type": "log", "stack": stack, "function": function, "time": time, "message": message,
        }));
    } else {
        ui.out(ui::log_line(line) + "\n");
    }
}
