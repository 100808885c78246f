//! Tests of the examples and of the guide.

mod examples;
mod guide;
mod links;
mod pages;
mod snippets;
mod systems;
