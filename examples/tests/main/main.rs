//! Tests of the examples and of the guide.

mod examples;
mod links;
mod pages;
mod systems;
