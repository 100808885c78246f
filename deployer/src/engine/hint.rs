//! Completes the commands that hints name, so that they work when they are pasted.

use super::Context;

/// Adds the options of the run to every command of a hint: whatever stands between backticks and begins with the name
/// of a program.
pub(super) fn complete(context: &Context, hint: &str) -> String {
    let parts: Vec<String> = hint
        .split('`')
        .enumerate()
        .map(|(position, part)| match position % 2 {
            1 => command(context, part),
            _ => part.to_owned(),
        })
        .collect();
    parts.join("`")
}

/// Completes a command that stands alone.
pub(crate) fn command(context: &Context, command: &str) -> String {
    if command.starts_with("aws cloudformation ") {
        format!("{command}{}", aws_options(context))
    } else {
        context.options.command(command)
    }
}

/// Returns the options with which the AWS command line talks to the place that the clients talk to.
pub(super) fn aws_options(context: &Context) -> String {
    let clients = &context.clients;
    let mut options = format!(" --region {}", clients.region());
    for (name, value) in [
        ("--profile", clients.profile()),
        ("--endpoint-url", clients.endpoint_url()),
    ] {
        if let Some(value) = value {
            options.extend([" ", name, " ", value]);
        }
    }
    options
}
