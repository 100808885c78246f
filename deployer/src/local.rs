//! Manages the local AWS engine.
