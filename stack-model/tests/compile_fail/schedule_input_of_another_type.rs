//! A schedule that sends a number to a function for texts.

use stack_model::Stack;
use stack_model::contract::event::Invocation;
use stack_model::contract::{Accepts, FunctionContract};
use stack_model::lambda::FunctionRef;
use stack_model::scheduler::{ScheduleProps, Timetable};

struct Greet;

impl FunctionContract for Greet {
    const PACKAGE: &'static str = "greetings";
    const BINARY: &'static str = "greet";
}

impl Accepts<Invocation<String>> for Greet {}

fn daily(stack: &mut Stack<'_>, greet: &FunctionRef<Greet>) {
    let morning = Timetable::cron("0 7 * * ? *");
    stack.schedule("Morning", morning, greet, &7_u32, ScheduleProps::default());
}

fn main() {}
