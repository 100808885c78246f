//! Tests of the engine's management: with a scripted interpreter for everything that can go wrong, and with the real
//! engine for what must go right.

mod failures;
mod real;
