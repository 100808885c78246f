//! EventBridge: buses, rules, archives and schedules.
