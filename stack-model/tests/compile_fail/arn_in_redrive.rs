//! The ARN of a topic among those of queues.

use stack_model::sns::TopicRef;
use stack_model::sqs::RedriveAllow;

fn sources(topic: &TopicRef<String>) -> RedriveAllow {
    RedriveAllow::Queues(vec![topic.arn()])
}

fn main() {}
