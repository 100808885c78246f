//! Dead letters: where messages go that nobody could work on.

use std::panic::Location;

use stack_model_cfn::{Expr, Value};

use super::{Queue, QueueProps};
use crate::arn::Arn;
use crate::limit::Limited;
use crate::stack::Stack;

/// How often a message may be received before it is a dead letter.
pub type MaxReceiveCount = Limited<1, 1000>;

/// The most queues that a queue of dead letters can name.
const MAX_SOURCES: usize = 10;

/// Where the dead letters of a queue go, made by [`QueueRef::after`](super::QueueRef::after).
#[derive(Clone, Debug, PartialEq)]
pub struct Redrive {
    dead_letters: Value<Arn<Queue>>,
    fifo: bool,
    max_receive_count: MaxReceiveCount,
}

impl Redrive {
    pub(super) fn new(
        dead_letters: Value<Arn<Queue>>,
        fifo: bool,
        max_receive_count: MaxReceiveCount,
    ) -> Self {
        Self {
            dead_letters,
            fifo,
            max_receive_count,
        }
    }

    pub(super) fn render(self) -> Expr {
        Expr::map([
            ("deadLetterTargetArn", self.dead_letters.into()),
            ("maxReceiveCount", self.max_receive_count.get().into()),
        ])
    }
}

/// Which queues may send their dead letters to a queue.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum RedriveAllow {
    /// Every queue of the same account and region.
    #[default]
    All,
    /// None.
    None,
    /// At most ten queues, by their ARNs.
    Queues(Vec<Value<Arn<Queue>>>),
}

impl RedriveAllow {
    /// Renders what differs from AWS's default.
    pub(super) fn render(self) -> Option<Expr> {
        match self {
            Self::All => None,
            Self::None => Some(Expr::map([("redrivePermission", "denyAll".into())])),
            Self::Queues(queues) => Some(Expr::map([
                ("redrivePermission", "byQueue".into()),
                ("sourceQueueArns", Expr::list(queues)),
            ])),
        }
    }
}

impl Stack<'_> {
    pub(super) fn check_redrive(&mut self, id: &str, props: &QueueProps, source: &Location<'_>) {
        if let Some(redrive) = &props.redrive {
            let count = Some(redrive.max_receive_count);
            let path = "Properties.RedrivePolicy.maxReceiveCount";
            self.check_limit(id, path, count, source);
            if redrive.fifo != props.fifo.is_some() {
                let message = "the dead letters of a FIFO queue need a FIFO queue, and those of a standard queue a standard queue";
                self.report(id, Some("Properties.RedrivePolicy"), message, source);
            }
        }
        if let RedriveAllow::Queues(queues) = &props.redrive_allow
            && (queues.is_empty() || queues.len() > MAX_SOURCES)
        {
            let message = format!(
                "{} queues are named and SQS takes 1 to {MAX_SOURCES}: use `RedriveAllow::All` or `RedriveAllow::None`",
                queues.len()
            );
            let path = "Properties.RedriveAllowPolicy.sourceQueueArns";
            self.report(id, Some(path), message, source);
        }
    }
}
