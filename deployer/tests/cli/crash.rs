//! What is said where the program itself is at fault.

use std::process::Command;

/// What the process is asked to work on when it crashes.
const WORKED_ON: &str = "CRASH_WORKED_ON";

/// The process is this very test once more: it begins as every run does, and then meets a mistake. Nothing in the program
/// that people run has to be able to crash for that.
#[test]
fn what_the_program_worked_on_is_not_printed_when_it_crashes() {
    if let Ok(secret) = std::env::var(WORKED_ON) {
        // The arguments are those of the test, which the program tells, and goes no further.
        deployer::run();
        let number: Result<u8, _> = secret.parse();
        number.unwrap_or_else(|error| panic!("{secret} is no number: {error}"));
        return;
    }
    let secret = "correct horse battery staple";
    let test = std::env::current_exe().expect("it runs");
    let ended = Command::new(test)
        .args([
            "cli::crash::what_the_program_worked_on_is_not_printed_when_it_crashes",
            "--exact",
            "--nocapture",
        ])
        .env(WORKED_ON, secret)
        .env("RUST_BACKTRACE", "1")
        .output()
        .expect("it starts");
    let stderr = String::from_utf8_lossy(&ended.stderr);
    let stdout = String::from_utf8_lossy(&ended.stdout);
    assert!(!ended.status.success(), "{stderr}");
    for told in [
        "error: stackctl ",
        " ended at deployer/tests/cli/crash.rs:",
        "  hint: report these lines",
        // The backtrace, which was asked for.
        "deployer::",
    ] {
        assert!(stderr.contains(told), "no {told} in {stderr}");
    }
    assert!(!stderr.contains(secret), "{stderr}");
    assert!(!stdout.contains(secret), "{stdout}");
}
