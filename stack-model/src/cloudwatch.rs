//! CloudWatch: alarms and dashboards.
