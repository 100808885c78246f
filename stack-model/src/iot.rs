//! IoT Core: things, policies and topic rules.
