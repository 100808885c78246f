//! EventBridge Scheduler: invocations at a time, once or again and again.
