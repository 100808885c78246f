//! Mistakes that the compiler finds, and the messages that it gives.

#[test]
fn mistakes_do_not_compile() {
    trybuild::TestCases::new().compile_fail("tests/cases/*.rs");
}
