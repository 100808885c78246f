//! What must not compile, with the messages that people read.
//!
//! The families are explained in `compile_fail/README.md`. After a wanted change of a message,
//! `TRYBUILD=overwrite cargo test -p stack-model --test main compile_fail` writes the new ones.

#[test]
fn mistakes_do_not_compile_and_say_why() {
    let cases = trybuild::TestCases::new();
    cases.compile_fail("tests/compile_fail/*.rs");
}
