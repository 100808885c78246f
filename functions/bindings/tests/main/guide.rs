//! What the guide shows of functions compiles, with its runtime.

#[expect(
    clippy::type_complexity,
    clippy::unused_async,
    dead_code,
    unreachable_pub,
    reason = "each example is written as the root of a package, and handlers are asynchronous whether they wait or not"
)]
mod clients;

#[expect(unreachable_pub, reason = "it is written as the root of a package")]
mod orders;

#[expect(dead_code, reason = "the entry of a package of its own")]
mod orders_fulfil {
    use super::orders;

    fn main() -> std::process::ExitCode {
        stack_bindings::run(orders::handle)
    }
}
