//! The name of a zone, where the zone itself belongs.

use stack_model::Stack;
use stack_model::route53::{Record, RecordProps};

fn verify(stack: &mut Stack<'_>) {
    let record = RecordProps::new(Record::txt(["verified"]));
    stack.record("Verified", "example.com", "www.example.com", record);
}

fn main() {}
