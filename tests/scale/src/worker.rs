//! The function of every stack, which nobody calls: what is measured is how it gets there.

fn main() {}
