//! The function package of the page "Getting started" compiles, with its runtime.

#[expect(unreachable_pub, reason = "it is written as the root of a package")]
mod orders;

#[expect(dead_code, reason = "the entry of a package of its own")]
mod orders_fulfil {
    use super::orders;

    fn main() -> std::process::ExitCode {
        stack_bindings::run(orders::handle)
    }
}
