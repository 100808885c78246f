//! Step Functions: state machines as typed states.
