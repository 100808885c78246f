//! The tool again, under a name that Cargo tells to the tests of this package.
//!
//! Cargo tells a test only about binaries of the test's own package. Having one here builds the tool together with the
//! tests, from the same features, so that a test never runs an old one and never compiles the SDK a second time.

use std::process::ExitCode;

fn main() -> ExitCode {
    deployer::run()
}
