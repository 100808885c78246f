//! Finds and installs the build tools that a deploy needs.
