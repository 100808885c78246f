//! The deploy engine: change sets, events, failures, publishing, removal.
