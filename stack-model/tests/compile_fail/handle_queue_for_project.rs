//! A pipeline builds with a project, and with nothing else.

use stack_model::codepipeline::PipelineAction;
use stack_model::sqs::QueueProps;
use stack_model::Stack;

fn describe(stack: &mut Stack<'_>) {
    let queue = stack.queue::<String>("Queue", QueueProps::default());
    PipelineAction::build("Build", &queue);
}

fn main() {}
