//! EventBridge Pipes: from a source to a target without a function between.
