//! Builds functions with one cargo invocation and packs them into reproducible archives.
