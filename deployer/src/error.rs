//! The one error type of the command line: a kind, causes and hints.
