//! A path begins with `$`.

use stack_model::path;
use stack_model::stepfunctions::Path;

fn user() -> Path {
    path!("detail.userId")
}

fn main() {}
