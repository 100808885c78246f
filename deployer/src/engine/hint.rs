//! Completes the commands that hints name, so that they work when they are pasted.

use super::Context;
use crate::repeat::{self, quoted};

/// Adds the options of the run to every command of a hint: whatever stands between backticks and begins with the name
/// of a program.
pub(super) fn complete(context: &Context, hint: &str) -> String {
    repeat::each_command(hint, |part| command(context, part))
}

/// Completes a command that stands alone. Options that it has already stay as they are.
pub(crate) fn command(context: &Context, command: &str) -> String {
    if asks_a_service(command) {
        let options = options(context).into_iter();
        let missing = options.filter(|(name, _)| !repeat::has(command, name));
        with_options(command.to_owned(), missing)
    } else {
        context.options.command(command)
    }
}

/// Returns whether this is a command of the AWS command line that is the same everywhere but for where it asks: signing in and what
/// it is configured with are not.
fn asks_a_service(command: &str) -> bool {
    let mut words = command.split(' ');
    words.next() == Some("aws")
        && !matches!(words.next(), None | Some("sso" | "login" | "configure"))
}

/// Returns the options with which the AWS command line talks to the place that the clients talk to.
pub(super) fn aws_options(context: &Context) -> String {
    with_options(String::new(), options(context))
}

fn with_options(
    command: String,
    options: impl IntoIterator<Item = (&'static str, String)>,
) -> String {
    options.into_iter().fold(command, |command, (name, value)| {
        format!("{command} {name} {}", quoted(&value))
    })
}

fn options(context: &Context) -> Vec<(&'static str, String)> {
    let clients = &context.clients;
    let mut options = vec![("--region", clients.region().to_owned())];
    for (name, value) in [
        ("--profile", clients.profile()),
        ("--endpoint-url", clients.endpoint_url()),
    ] {
        options.extend(value.map(|value| (name, value.to_owned())));
    }
    options
}
