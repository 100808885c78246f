//! Tests of the examples and of the guide.

mod examples;
mod guide;
mod links;
mod pages;
mod reference;
mod snippets;
mod systems;
